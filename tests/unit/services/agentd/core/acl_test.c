/* Bodies of /v1/acl and of /v1/internal/acl/authorize, and how tokens, policies and roles are shown
 * (http-api.md 2.19, 2.20, 4.6). */
#include "services/agentd/core/acl.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

#define TOKEN_DECODING    "Bad request: Token decoding failed: "
#define QUESTION_DECODING "Bad request: Failed to decode request body: "

static struct cu_arena *arena;
static struct agent_fault fault;
static Curia__V1__AclTokenSetRequest set;
static Curia__V1__AclToken token;
static Curia__V1__AclPolicy policy;
static Curia__V1__AclRole role;
static Curia__V1__AclAuthorizeRequest request;

static void begin(void)
{
    arena = arena ? arena : cu_arena_new(1024 * 1024);
    fault = (struct agent_fault){0};
    curia__v1__acl_token_set_request__init(&set);
    curia__v1__acl_token__init(&token);
    set.token = &token;
}

static bool parse_token(const char *body)
{
    begin();
    return agent_acl_token_parse(cu_bytes_of(body), arena, &set, &fault);
}

static bool parse_policy(const char *body)
{
    begin();
    curia__v1__acl_policy__init(&policy);
    return agent_acl_policy_parse(cu_bytes_of(body), arena, &policy, &fault);
}

static bool parse_role(const char *body)
{
    begin();
    curia__v1__acl_role__init(&role);
    return agent_acl_role_parse(cu_bytes_of(body), arena, &role, &fault);
}

static bool parse_questions(const char *body)
{
    begin();
    curia__v1__acl_authorize_request__init(&request);
    return agent_acl_questions_parse(cu_bytes_of(body), arena, &request, &fault);
}

static const char *shown(const struct cu_json_shape *shape, const ProtobufCMessage *message)
{
    static struct cu_buf out;
    cu_buf_clear(&out);
    cu_json_write(&out, shape, message);
    cu_buf_u8(&out, 0);
    return (const char *)out.data;
}

START_TEST(a_token_is_shown_as_the_reference_orders_it)
{
    static uint8_t hash[] = {1, 2, 3};
    ck_assert(parse_token("{\"AccessorID\":\"a\",\"secretid\":\"<hidden>\",\"Description\":\"t1\","
                          "\"Policies\":[{\"ID\":\"p\",\"Name\":\"p1\"}],\"Roles\":[{\"Name\":"
                          "\"r1\"}],\"ServiceIdentities\":[{\"ServiceName\":\"web\","
                          "\"Datacenters\":[\"dc2\"]},{\"ServiceName\":\"db\"}],"
                          "\"NodeIdentities\":[{\"NodeName\":\"n2\",\"Datacenter\":\"dc2\"}],"
                          "\"Local\":true}"));
    token.expiration_time_ms = 1795171090370;
    token.create_time_ms = 1795167490000;
    token.hash = (ProtobufCBinaryData){sizeof hash, hash};
    token.create_index = 34;
    token.modify_index = 35;
    ck_assert_str_eq(
        shown(&agent_shape_acl_token, &token.base),
        "{\"AccessorID\":\"a\",\"SecretID\":\"\\u003chidden\\u003e\",\"Description\":\"t1\","
        "\"Policies\":[{\"ID\":\"p\",\"Name\":\"p1\"}],\"Roles\":[{\"ID\":\"\",\"Name\":\"r1\"}],"
        "\"ServiceIdentities\":[{\"ServiceName\":\"web\",\"Datacenters\":[\"dc2\"]},"
        "{\"ServiceName\":\"db\"}],\"NodeIdentities\":[{\"NodeName\":\"n2\",\"Datacenter\":\"dc2\"}"
        "],\"Local\":true,\"ExpirationTime\":\"2026-11-20T10:38:10.37Z\",\"CreateTime\":"
        "\"2026-11-20T09:38:10Z\",\"Hash\":\"AQID\",\"CreateIndex\":34,\"ModifyIndex\":35}");
}
END_TEST

START_TEST(what_a_token_lacks_is_left_out)
{
    static struct cu_buf out;
    begin();
    token.accessor_id = "a";
    token.secret_id = "s";
    token.create_time_ms = 1795167490000;
    ck_assert_str_eq(shown(&agent_shape_acl_token_stub, &token.base),
                     "{\"AccessorID\":\"a\",\"Description\":\"\",\"Local\":false,\"CreateTime\":"
                     "\"2026-11-20T09:38:10Z\",\"Hash\":\"\",\"CreateIndex\":0,\"ModifyIndex\":0}");
    cu_buf_clear(&out);
    agent_acl_bootstrap_write(&out, &token); /* http 238 */
    cu_buf_u8(&out, 0);
    ck_assert_str_eq((const char *)out.data,
                     "{\"ID\":\"s\",\"AccessorID\":\"a\",\"SecretID\":\"s\",\"Description\":\"\","
                     "\"Local\":false,\"CreateTime\":\"2026-11-20T09:38:10Z\",\"Hash\":\"\","
                     "\"CreateIndex\":0,\"ModifyIndex\":0}");
}
END_TEST

START_TEST(policies_and_roles_are_shown_as_the_reference_orders_them)
{
    ck_assert(parse_policy("{\"ID\":\"i\",\"name\":\"n\",\"RULES\":\"acl = \\\"read\\\"\","
                           "\"Hash\":\"AQID\",\"CreateIndex\":1,\"ModifyIndex\":2}"));
    ck_assert_str_eq(shown(&agent_shape_acl_policy, &policy.base),
                     "{\"ID\":\"i\",\"Name\":\"n\",\"Description\":\"\",\"Rules\":\"acl = "
                     "\\\"read\\\"\",\"Hash\":\"\",\"CreateIndex\":0,\"ModifyIndex\":0}");
    ck_assert_str_eq(shown(&agent_shape_acl_policy_stub, &policy.base),
                     "{\"ID\":\"i\",\"Name\":\"n\",\"Description\":\"\",\"Datacenters\":null,"
                     "\"Hash\":\"\",\"CreateIndex\":0,\"ModifyIndex\":0}");
    ck_assert(parse_policy("{\"Name\":\"n\",\"Datacenters\":[\"dc1\"]}"));
    ck_assert_ptr_nonnull(strstr(shown(&agent_shape_acl_policy, &policy.base),
                                 "\"Rules\":\"\",\"Datacenters\":[\"dc1\"],\"Hash\""));
    ck_assert(parse_role("{\"Name\":\"r\",\"Policies\":[{\"Name\":\"p\"}],\"Hash\":\"x\"}"));
    ck_assert_str_eq(shown(&agent_shape_acl_role, &role.base),
                     "{\"ID\":\"\",\"Name\":\"r\",\"Description\":\"\",\"Policies\":[{\"ID\":\"\","
                     "\"Name\":\"p\"}],\"Hash\":\"\",\"CreateIndex\":0,\"ModifyIndex\":0}");
}
END_TEST

static const struct {
    const char *body;
    bool has_ttl;
    int64_t ttl_ms;
    uint64_t expires_ms;
} times[] = {
    {"{}", false, 0, 0},
    {"null", false, 0, 0},
    {"{\"ExpirationTTL\":\"1h\"}", true, 3600000, 0}, /* http 249 */
    {"{\"expirationttl\":1500000000}", true, 1500, 0},
    {"{\"ExpirationTTL\":\"1ns\"}", true, 1, 0},
    {"{\"ExpirationTTL\":\"-1ns\"}", true, -1, 0},
    {"{\"ExpirationTTL\":\"0\",\"ExpirationTime\":null}", false, 0, 0},
    {"{\"ExpirationTTL\":true}", false, 0, 0},
    {"{\"ExpirationTime\":\"2026-11-20T10:38:10.370035905Z\",\"CreateTime\":\"whenever\"}", false,
     0, 1795171090370},
    {"{\"ExpirationTime\":\"0001-01-01T00:00:00Z\"}", false, 0, 0},
    {"{\"Rules\":\"\",\"AuthMethod\":\"\",\"Hash\":\"x\",\"ModifyIndex\":7}", false, 0, 0},
};

START_TEST(an_end_is_a_time_or_a_while)
{
    for (size_t i = 0; i < CU_COUNT(times); i++) {
        ck_assert_msg(parse_token(times[i].body), "%s: %s", times[i].body, fault.text);
        ck_assert_msg(set.has_expiration_ttl == times[i].has_ttl &&
                          set.expiration_ttl_ms == times[i].ttl_ms &&
                          token.expiration_time_ms == times[i].expires_ms,
                      "%s", times[i].body);
    }
}
END_TEST

static const struct {
    const char *body;
    unsigned status;
    const char *text;
} bad_tokens[] = {
    {"", 400, TOKEN_DECODING "EOF"},
    {"{", 400, TOKEN_DECODING "unexpected EOF"},
    {"[]", 400,
     TOKEN_DECODING "json: cannot unmarshal array into Go value of type structs.ACLToken"},
    {"{\"Bogus\":1}", 400, TOKEN_DECODING "json: unknown field \"Bogus\""},
    {"{\"Type\":\"client\"}", 400, TOKEN_DECODING "json: unknown field \"Type\""},
    {"{\"Namespace\":\"x\"}", 400,
     TOKEN_DECODING
     "json: unknown field \"Namespace\" - Namespaces are a Consul Enterprise feature"},
    {"{\"Policies\":[{\"Bogus\":1}]}", 400, TOKEN_DECODING "json: unknown field \"Bogus\""},
    {"{\"Local\":\"yes\"}", 400,
     TOKEN_DECODING
     "json: cannot unmarshal string into Go struct field ACLToken.Local of type bool"},
    {"{\"ExpirationTTL\":\"abc\"}", 400, TOKEN_DECODING "time: invalid duration \"abc\""},
    {"{\"ExpirationTTL\":\"5\"}", 400, TOKEN_DECODING "time: missing unit in duration \"5\""},
    {"{\"ExpirationTTL\":1e40}", 400, TOKEN_DECODING "time: invalid duration"},
    {"{\"ExpirationTime\":7}", 400,
     TOKEN_DECODING "Time.UnmarshalJSON: input is not a JSON string"},
    {"{\"ExpirationTime\":\"soon\"}", 400,
     TOKEN_DECODING "parsing time \"\\\"soon\\\"\" as \"\\\"2006-01-02T15:04:05Z07:00\\\"\": "
                    "cannot parse it"},
    {"{\"Rules\":\"x\"}", 500, "Rules cannot be specified for this token"},
    {"{\"authmethod\":\"m\"}", 500, "AuthMethod field is disallowed outside of Login"},
};

START_TEST(what_is_no_token_is_refused_with_a_sentence)
{
    for (size_t i = 0; i < CU_COUNT(bad_tokens); i++) {
        ck_assert_msg(!parse_token(bad_tokens[i].body), "%s", bad_tokens[i].body);
        ck_assert_msg(fault.status == bad_tokens[i].status &&
                          strcmp(fault.text, bad_tokens[i].text) == 0,
                      "%s: %u %s", bad_tokens[i].body, fault.status, fault.text);
    }
    ck_assert(!parse_policy("{\"Bogus\":1}"));
    ck_assert_str_eq(fault.text,
                     "Bad request: Policy decoding failed: json: unknown field \"Bogus\"");
    ck_assert(!parse_role("{\"Rules\":\"\"}"));
    ck_assert_str_eq(fault.text,
                     "Bad request: Role decoding failed: json: unknown field \"Rules\"");
}
END_TEST

/* http 264 */
static const struct {
    const char *body, *text; /* text NULL: it is good */
    size_t count;
} asked[] = {
    {"[]", NULL, 0},
    {"null", NULL, 0},
    {"[{\"Resource\":\"key\",\"Segment\":\"a\",\"Access\":\"write-prefix\"},{\"resource\":\"acl\","
     "\"access\":\"READ\"}]",
     NULL, 2},
    {"[{\"Resource\":\"key\",\"Access\":\"list\"}]", NULL, 1},
    {"", QUESTION_DECODING "EOF", 0},
    {"{}",
     QUESTION_DECODING
     "json: cannot unmarshal object into Go value of type []structs.ACLAuthorizationRequest",
     0},
    {"[{\"Bogus\":1}]", QUESTION_DECODING "json: unknown field \"Bogus\"", 0},
    {"[{\"Resource\":\"zz\",\"Access\":\"read\"}]",
     "Bad request: Invalid ACL resource requested: \"zz\"", 0},
    {"[{\"Resource\":\"key\",\"Access\":\"zz\"}]",
     "Bad request: Invalid access level for key resource: zz", 0},
    {"[{\"Resource\":\"service\",\"Access\":\"list\"}]",
     "Bad request: Invalid access level for service resource: list", 0},
    {"[null]", "Bad request: Invalid ACL resource requested: \"\"", 0},
};

START_TEST(questions_are_asked_of_what_there_is)
{
    for (size_t i = 0; i < CU_COUNT(asked); i++) {
        bool good = parse_questions(asked[i].body);
        ck_assert_msg(good == !asked[i].text, "%s: %s", asked[i].body, fault.text);
        if (asked[i].text)
            ck_assert_msg(fault.status == 400 && strcmp(fault.text, asked[i].text) == 0, "%s: %s",
                          asked[i].body, fault.text);
        else
            ck_assert_uint_eq(request.n_questions, asked[i].count);
    }
}
END_TEST

static bool parse_many(unsigned count)
{
    char body[4096] = "[";
    size_t len = 1;
    for (unsigned i = 0; i < count; i++)
        len += (size_t)snprintf(body + len, sizeof body - len,
                                "%s{\"Resource\":\"acl\",\"Access\":"
                                "\"read\"}",
                                i ? "," : "");
    (void)snprintf(body + len, sizeof body - len, "]");
    return parse_questions(body);
}

START_TEST(one_request_asks_at_most_64_questions)
{
    ck_assert(parse_many(AGENT_QUESTIONS_MAX));
    ck_assert(!parse_many(AGENT_QUESTIONS_MAX + 1));
    ck_assert_str_eq(fault.text,
                     "Bad request: Refusing to process more than 64 authorizations at once");
}
END_TEST

START_TEST(a_full_arena_is_told)
{
    begin();
    struct cu_arena *small = cu_arena_new(64);
    const char *body = "{\"Description\":\"0123456789012345678901234567890123456789012345678901234"
                       "567890123456789\"}";
    ck_assert(!agent_acl_token_parse(cu_bytes_of(body), small, &set, &fault));
    ck_assert_uint_eq(fault.status, 500);
    ck_assert_str_eq(fault.text, "request is too large");
    cu_arena_free(small);
    cu_arena_free(arena);
    arena = NULL;
}
END_TEST

SUITE_MAIN("services/agentd/core/acl", a_token_is_shown_as_the_reference_orders_it,
           what_a_token_lacks_is_left_out,
           policies_and_roles_are_shown_as_the_reference_orders_them, an_end_is_a_time_or_a_while,
           what_is_no_token_is_refused_with_a_sentence, questions_are_asked_of_what_there_is,
           one_request_asks_at_most_64_questions, a_full_arena_is_told)
