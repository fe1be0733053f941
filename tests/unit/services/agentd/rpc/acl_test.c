/* /v1/acl and /v1/internal/acl/authorize over HTTP, before a catalogd that has one token, one
 * policy and one role: what is asked of it, and what comes back. */
#include <stdio.h>
#include <string.h>

#include "curia/v1/acl.pb-c.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/agentd/fixture.h"

#define ID "aaaaaaaa-1111-2222-3333-444444444444"

/* ---- the catalogd ---- */

static enum cu_err refusal; /* CU_OK: it answers */
static const char *refusal_text;

static void note(const struct cu_rq *rq, const char *fmt, ...) CU_PRINTF(2, 3);
static void note(const struct cu_rq *rq, const char *fmt, ...)
{
    va_list args;
    size_t len;
    va_start(args, fmt);
    (void)vsnprintf(fake->asked, sizeof fake->asked, fmt, args);
    va_end(args);
    len = strlen(fake->asked);
    if (rq->token && *rq->token)
        (void)snprintf(fake->asked + len, sizeof fake->asked - len, " token=%s", rq->token);
}

static void reply(struct cu_rq *rq, const ProtobufCMessage *message)
{
    if (refusal)
        cu_rq_fail(rq, refusal, "%s", refusal_text);
    else
        cu_rq_reply(rq, message, 0);
}

#define INIT(name) CURIA__V1__ACL_##name##__INIT
static Curia__V1__ReadMeta meta = CURIA__V1__READ_META__INIT;
static Curia__V1__AclToken token = INIT(TOKEN);
static Curia__V1__AclPolicy policy = INIT(POLICY);
static Curia__V1__AclRole role = INIT(ROLE);
static Curia__V1__AclToken *tokens[] = {&token};
static Curia__V1__AclPolicy *policies[] = {&policy};
static Curia__V1__AclRole *roles[] = {&role};

static void bootstrap(void *context, struct cu_rq *rq)
{
    Curia__V1__AclBootstrapReply out = INIT(BOOTSTRAP_REPLY);
    out.token = &token;
    note(rq, "bootstrap");
    reply(rq, &out.base);
}

static void set_token(void *context, struct cu_rq *rq)
{
    const Curia__V1__AclTokenSetRequest *in = (const Curia__V1__AclTokenSetRequest *)rq->in;
    Curia__V1__AclTokenSetReply out = INIT(TOKEN_SET_REPLY);
    out.token = &token;
    note(rq, "%s(%s)%s%s ttl=%lld description=%s%s policies=%zu",
         in->is_create ? "create" : "update", in->token->accessor_id, *in->clone_of ? " of " : "",
         in->clone_of, (long long)in->expiration_ttl_ms, in->token->description,
         in->has_description ? "!" : "", in->token->n_policies);
    reply(rq, &out.base);
}

static void delete_token(void *context, struct cu_rq *rq)
{
    Curia__V1__AclTokenDeleteReply out = INIT(TOKEN_DELETE_REPLY);
    note(rq, "delete_token(%s)", ((const Curia__V1__AclTokenDeleteRequest *)rq->in)->accessor_id);
    reply(rq, &out.base);
}

static void get_token(void *context, struct cu_rq *rq)
{
    const Curia__V1__AclTokenGetRequest *in = (const Curia__V1__AclTokenGetRequest *)rq->in;
    Curia__V1__AclTokenGetReply out = INIT(TOKEN_GET_REPLY);
    out.meta = &meta;
    out.token = strcmp(in->accessor_id, ID) == 0 || (in->self && *rq->token) ? &token : NULL;
    note(rq, "get_token(%s)%s", in->accessor_id, in->self ? " self" : "");
    reply(rq, &out.base);
}

static void list_tokens(void *context, struct cu_rq *rq)
{
    const Curia__V1__AclTokenListRequest *in = (const Curia__V1__AclTokenListRequest *)rq->in;
    Curia__V1__AclTokenListReply out = INIT(TOKEN_LIST_REPLY);
    out.meta = &meta;
    out.tokens = tokens;
    out.n_tokens = 1;
    note(rq, "list_tokens(%s,%s)", in->policy_id, in->role_id);
    reply(rq, &out.base);
}

static void set_policy(void *context, struct cu_rq *rq)
{
    const Curia__V1__AclPolicySetRequest *in = (const Curia__V1__AclPolicySetRequest *)rq->in;
    Curia__V1__AclPolicySetReply out = INIT(POLICY_SET_REPLY);
    out.policy = &policy;
    note(rq, "set_policy(%s,%s)", in->policy->id, in->policy->name);
    reply(rq, &out.base);
}

static void delete_policy(void *context, struct cu_rq *rq)
{
    Curia__V1__AclPolicyDeleteReply out = INIT(POLICY_DELETE_REPLY);
    note(rq, "delete_policy(%s)", ((const Curia__V1__AclPolicyDeleteRequest *)rq->in)->id);
    reply(rq, &out.base);
}

static void get_policy(void *context, struct cu_rq *rq)
{
    const Curia__V1__AclPolicyGetRequest *in = (const Curia__V1__AclPolicyGetRequest *)rq->in;
    Curia__V1__AclPolicyGetReply out = INIT(POLICY_GET_REPLY);
    out.meta = &meta;
    out.policy = strcmp(in->id, ID) == 0 || strcmp(in->name, "p") == 0 ? &policy : NULL;
    note(rq, "get_policy(%s,%s)", in->id, in->name);
    reply(rq, &out.base);
}

static void list_policies(void *context, struct cu_rq *rq)
{
    Curia__V1__AclPolicyListReply out = INIT(POLICY_LIST_REPLY);
    out.meta = &meta;
    out.policies = policies;
    out.n_policies = 1;
    note(rq, "list_policies");
    reply(rq, &out.base);
}

static void set_role(void *context, struct cu_rq *rq)
{
    const Curia__V1__AclRoleSetRequest *in = (const Curia__V1__AclRoleSetRequest *)rq->in;
    Curia__V1__AclRoleSetReply out = INIT(ROLE_SET_REPLY);
    out.role = &role;
    note(rq, "set_role(%s,%s)", in->role->id, in->role->name);
    reply(rq, &out.base);
}

static void delete_role(void *context, struct cu_rq *rq)
{
    Curia__V1__AclRoleDeleteReply out = INIT(ROLE_DELETE_REPLY);
    note(rq, "delete_role(%s)", ((const Curia__V1__AclRoleDeleteRequest *)rq->in)->id);
    reply(rq, &out.base);
}

static void get_role(void *context, struct cu_rq *rq)
{
    const Curia__V1__AclRoleGetRequest *in = (const Curia__V1__AclRoleGetRequest *)rq->in;
    Curia__V1__AclRoleGetReply out = INIT(ROLE_GET_REPLY);
    out.meta = &meta;
    out.role = strcmp(in->id, ID) == 0 || strcmp(in->name, "r") == 0 ? &role : NULL;
    note(rq, "get_role(%s,%s)", in->id, in->name);
    reply(rq, &out.base);
}

static void list_roles(void *context, struct cu_rq *rq)
{
    Curia__V1__AclRoleListReply out = INIT(ROLE_LIST_REPLY);
    out.meta = &meta;
    out.roles = roles;
    out.n_roles = 1;
    note(rq, "list_roles(%s)", ((const Curia__V1__AclRoleListRequest *)rq->in)->policy_id);
    reply(rq, &out.base);
}

static void resolve(void *context, struct cu_rq *rq)
{
    cu_rq_fail(rq, CU_E_NOT_READY, "%s", "nobody asks here");
}

static void authorize(void *context, struct cu_rq *rq)
{
    const Curia__V1__AclAuthorizeRequest *in = (const Curia__V1__AclAuthorizeRequest *)rq->in;
    Curia__V1__AclAuthorizeReply out = INIT(AUTHORIZE_REPLY);
    out.questions = in->questions;
    out.n_questions = in->n_questions;
    in->questions[0]->allow = true;
    note(rq, "authorize(%zu)", in->n_questions);
    reply(rq, &out.base);
}

/* clang-format off */
#define M(name, handler) CU_METHOD(name, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, MIB, MIB, handler)
static const struct cu_method methods[] = {
    M(Bootstrap, bootstrap), M(SetToken, set_token), M(DeleteToken, delete_token), M(GetToken, get_token),
    M(ListTokens, list_tokens), M(SetPolicy, set_policy), M(DeletePolicy, delete_policy), M(GetPolicy, get_policy),
    M(ListPolicies, list_policies), M(SetRole, set_role), M(DeleteRole, delete_role), M(GetRole, get_role),
    M(ListRoles, list_roles), M(Resolve, resolve), M(Authorize, authorize),
};
/* clang-format on */
static const struct cu_service acl = {&curia__v1__acl__descriptor, methods, CU_COUNT(methods)};

static void open_with_acls(void)
{
    token.accessor_id = ID;
    token.secret_id = "s";
    token.create_time_ms = 1000;
    policy.id = ID;
    policy.name = "p";
    role.id = ID;
    role.name = "r";
    meta.index = 10;
    meta.known_leader = true;
    refusal = CU_OK;
    fake_catalog_acl = &acl;
    open_agent("\"acl\":{\"enabled\":true}");
}

/* ---- what is asked and answered ---- */

#define TOKEN_TAIL                                                                                 \
    "\"Description\":\"\",\"Local\":false,\"CreateTime\":\"1970-01-01T00:00:01Z\",\"Hash\":\"\","  \
    "\"CreateIndex\":0,\"ModifyIndex\":0}"
#define TOKEN "{\"AccessorID\":\"" ID "\",\"SecretID\":\"s\"," TOKEN_TAIL
#define STUB  "[{\"AccessorID\":\"" ID "\"," TOKEN_TAIL "]"
#define POLICY                                                                                     \
    "{\"ID\":\"" ID "\",\"Name\":\"p\",\"Description\":\"\",\"Rules\":\"\",\"Hash\":\"\","         \
    "\"CreateIndex\":0,\"ModifyIndex\":0}"
#define ROLE                                                                                       \
    "{\"ID\":\"" ID "\",\"Name\":\"r\",\"Description\":\"\",\"Hash\":\"\",\"CreateIndex\":0,"      \
    "\"ModifyIndex\":0}"

static const struct {
    const char *method, *target, *body;
    unsigned status;
    const char *want;  /* the body; NULL: any */
    const char *asked; /* of the catalog; "": nothing was */
} rows[] = {
    // clang-format off
    {"PUT", "/v1/acl/bootstrap", "", 200, "{\"ID\":\"s\",\"AccessorID\":\"" ID "\",\"SecretID\":\"s\"," TOKEN_TAIL, "bootstrap"},
    {"GET", "/v1/acl/replication", "", 200,
     "{\"Enabled\":false,\"Running\":false,\"SourceDatacenter\":\"\",\"ReplicationType\":\"\",\"ReplicatedIndex\":0,"
     "\"ReplicatedRoleIndex\":0,\"ReplicatedTokenIndex\":0,\"LastSuccess\":\"0001-01-01T00:00:00Z\","
     "\"LastError\":\"0001-01-01T00:00:00Z\"}", ""},
    /* policies */
    {"GET", "/v1/acl/policies", "", 200, "[{\"ID\":\"" ID "\",\"Name\":\"p\",\"Description\":\"\",\"Datacenters\":null,"
     "\"Hash\":\"\",\"CreateIndex\":0,\"ModifyIndex\":0}]", "list_policies"},
    {"GET", "/v1/acl/policies?ns=x", "", 400, NULL, ""},
    {"PUT", "/v1/acl/policy", "{\"Name\":\"n\"}", 200, POLICY, "set_policy(,n)"},
    {"PUT", "/v1/acl/policy", "{\"ID\":\"x\",\"Name\":\"n\"}", 400,
     "Bad request: Cannot specify the ID when creating a new policy", ""},
    {"PUT", "/v1/acl/policy", "{\"Bogus\":1}", 400, "Bad request: Policy decoding failed: json: unknown field \"Bogus\"", ""},
    {"GET", "/v1/acl/policy/" ID, "", 200, POLICY, "get_policy(" ID ",)"},
    {"GET", "/v1/acl/policy/x", "", 403, "ACL not found", "get_policy(x,)"}, /* http 247 */
    {"GET", "/v1/acl/policy/", "", 400, "Bad request: Missing policy ID", ""},
    {"GET", "/v1/acl/policy/name/p", "", 200, POLICY, "get_policy(,p)"},
    {"GET", "/v1/acl/policy/name/", "", 400, "Bad request: Missing policy Name", ""},
    {"PUT", "/v1/acl/policy/" ID, "{\"Name\":\"n\"}", 200, POLICY, "set_policy(" ID ",n)"},
    {"PUT", "/v1/acl/policy/" ID, "{\"ID\":\"x\"}", 400, "Bad request: Policy ID in URL and payload do not match", ""},
    {"DELETE", "/v1/acl/policy/" ID, "", 200, "true", "delete_policy(" ID ")"},
    {"DELETE", "/v1/acl/policy/", "", 400, "Bad request: Missing policy ID", ""},
    {"POST", "/v1/acl/policy/" ID, "", 405, NULL, ""},
    /* tokens */
    {"GET", "/v1/acl/tokens", "", 200, STUB, "list_tokens(,)"},
    {"GET", "/v1/acl/tokens?policy=a", "", 200, STUB, "list_tokens(a,)"},
    {"GET", "/v1/acl/tokens?role=b", "", 200, STUB, "list_tokens(,b)"},
    {"GET", "/v1/acl/tokens?authmethod=b", "", 200, "[]", "list_tokens(,)"},
    {"GET", "/v1/acl/tokens?policy=a&role=b", "", 500,
     "can only filter by one of policy, role, or methodName at a time", ""},
    {"GET", "/v1/acl/tokens?role=a&authmethod=b", "", 500,
     "can only filter by one of policy, role, or methodName at a time", ""},
    {"PUT", "/v1/acl/token", "{\"AccessorID\":\"x\",\"ExpirationTTL\":\"2s\",\"Policies\":[{\"Name\":\"p\"}]}", 200, TOKEN,
     "create(x) ttl=2000 description= policies=1"},
    {"PUT", "/v1/acl/token", "", 400, "Bad request: Token decoding failed: EOF", ""},
    {"GET", "/v1/acl/token/" ID, "", 200, TOKEN, "get_token(" ID ")"},
    {"GET", "/v1/acl/token/x", "", 403, "ACL not found", "get_token(x)"},
    {"GET", "/v1/acl/token/", "", 400, "Bad request: Missing token ID", ""},
    {"GET", "/v1/acl/token/self", "", 403, "ACL not found", "get_token() self"}, /* http 243 */
    {"GET", "/v1/acl/token/self?token=t", "", 200, TOKEN, "get_token() self token=t"},
    {"PUT", "/v1/acl/token/" ID, "{\"Description\":\"d\"}", 200, TOKEN, "update(" ID ") ttl=0 description=d policies=0"},
    {"PUT", "/v1/acl/token/" ID, "{\"AccessorID\":\"x\"}", 400,
     "Bad request: Token Accessor ID in URL and payload do not match", ""},
    {"PUT", "/v1/acl/token/" ID "/clone", "{\"Description\":\"d\",\"Policies\":[{}]}", 200, TOKEN,
     "create() of " ID " ttl=0 description=d! policies=0"},
    {"PUT", "/v1/acl/token/" ID "/clone", "{}", 200, TOKEN, "create() of " ID " ttl=0 description= policies=0"},
    {"DELETE", "/v1/acl/token/" ID, "", 200, "true", "delete_token(" ID ")"},
    {"DELETE", "/v1/acl/token/", "", 400, "Bad request: Missing token ID", ""},
    /* roles */
    {"GET", "/v1/acl/roles", "", 200, "[" ROLE "]", "list_roles()"},
    {"GET", "/v1/acl/roles?policy=a", "", 200, "[" ROLE "]", "list_roles(a)"},
    {"PUT", "/v1/acl/role", "{\"Name\":\"n\"}", 200, ROLE, "set_role(,n)"},
    {"PUT", "/v1/acl/role", "{\"ID\":\"x\"}", 400, "Bad request: Role ID in URL and payload do not match", ""},
    {"GET", "/v1/acl/role/" ID, "", 200, ROLE, "get_role(" ID ",)"},
    {"GET", "/v1/acl/role/x", "", 404, "", "get_role(x,)"}, /* http 247 */
    {"GET", "/v1/acl/role/", "", 400, "Bad request: Missing role ID", ""},
    {"GET", "/v1/acl/role/name/r", "", 200, ROLE, "get_role(,r)"},
    {"GET", "/v1/acl/role/name/", "", 400, "Bad request: Missing role Name", ""},
    {"PUT", "/v1/acl/role/" ID, "{\"ID\":\"" ID "\",\"Name\":\"n\"}", 200, ROLE, "set_role(" ID ",n)"},
    {"DELETE", "/v1/acl/role/" ID, "", 200, "true", "delete_role(" ID ")"},
    {"DELETE", "/v1/acl/role/", "", 400, "Bad request: Missing role ID", ""},
    /* http 264 */
    {"POST", "/v1/internal/acl/authorize", "[]", 200, "[]", ""},
    {"POST", "/v1/internal/acl/authorize", "[{\"Resource\":\"key\",\"Segment\":\"a\",\"Access\":\"read\"},"
     "{\"Resource\":\"acl\",\"Access\":\"read\"}]", 200,
     "[{\"Resource\":\"key\",\"Segment\":\"a\",\"Access\":\"read\",\"Allow\":true},"
     "{\"Resource\":\"acl\",\"Access\":\"read\",\"Allow\":false}]", "authorize(2)"},
    {"POST", "/v1/internal/acl/authorize", "[{\"Resource\":\"zz\",\"Access\":\"read\"}]", 400,
     "Bad request: Invalid ACL resource requested: \"zz\"", ""},
    // clang-format on
};

START_TEST(each_request_asks_and_answers_as_http_api_says)
{
    open_with_acls();
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        fake->asked[0] = 0;
        ask(rows[i].method, rows[i].target, "", rows[i].body);
        ck_assert_msg(status() == rows[i].status, "%s %s: %s", rows[i].method, rows[i].target,
                      client->reply);
        if (rows[i].want)
            ck_assert_msg(strcmp(web_body(client), rows[i].want) == 0, "%s %s: %s", rows[i].method,
                          rows[i].target, web_body(client));
        ck_assert_msg(strcmp(fake->asked, rows[i].asked) == 0, "%s %s: %s", rows[i].method,
                      rows[i].target, fake->asked);
    }
    close_agent();
}
END_TEST

START_TEST(http_273_without_acls_every_route_is_a_401)
{
    static const char *const targets[] = {
        "/v1/acl/policies", "/v1/acl/policy/x", "/v1/acl/token/self", "/v1/acl/tokens?index=x",
        "/v1/acl/roles",    "/v1/acl/role/x",   "/v1/acl/replication"};
    open_agent("");
    for (size_t i = 0; i < CU_COUNT(targets); i++) {
        ask("GET", targets[i], "", "");
        ck_assert_msg(status() == 401, "%s: %s", targets[i], client->reply);
        ck_assert_str_eq(web_body(client), "ACL support disabled");
    }
    ask("PUT", "/v1/acl/bootstrap", "", "");
    ck_assert_uint_eq(status(), 401);
    ask("PUT", "/v1/acl/token", "", "{");
    ck_assert_uint_eq(status(), 401);
    ask("POST", "/v1/internal/acl/authorize", "", "[]");
    ck_assert_uint_eq(status(), 401);
    ask("DELETE", "/v1/acl/policies", "", ""); /* the method comes first (http-api.md 1.2) */
    ck_assert_uint_eq(status(), 405);
    close_agent();
}
END_TEST

START_TEST(a_read_says_its_state_but_not_of_a_role_that_is_not_there) /* http-api.md 1.5 */
{
    open_with_acls();
    ask("GET", "/v1/acl/tokens", "", "");
    ck_assert(has("X-Consul-Index: 10\r\n") && has("X-Consul-KnownLeader: true\r\n"));
    ask("GET", "/v1/acl/token/x", "", "");
    ck_assert(has("X-Consul-Index: 10\r\n"));
    ask("GET", "/v1/acl/role/x", "", "");
    ck_assert(!has("X-Consul-Index") && has("X-Consul-Default-ACL-Policy: allow\r\n"));
    ask("GET", "/v1/acl/replication", "", "");
    ck_assert(!has("X-Consul-Index"));
    refusal = CU_E_DENIED;
    refusal_text = "Permission denied";
    ask("GET", "/v1/acl/policies", "", ""); /* http 237 */
    ck_assert_uint_eq(status(), 403);
    ck_assert_str_eq(web_body(client), "Permission denied");
    ck_assert(has("X-Consul-Index: 1\r\n") && has("X-Consul-KnownLeader: false\r\n"));
    close_agent();
}
END_TEST

static const struct {
    enum cu_err err;
    const char *text;
    unsigned status;
} refusals[] = {
    {CU_E_INVALID, "Changing a tokens SecretID is not permitted", 500}, /* http 250 */
    {CU_E_NOT_FOUND, "Cannot find token \"x\"", 500},
    {CU_E_CONFLICT, "Invalid Token: AccessorID is already in use", 500},
    {CU_E_DENIED, "Permission denied", 403},
    {CU_E_DENIED, "ACL not found", 403},
    {CU_E_NOT_FOUND, "ACL not found", 403},
};

START_TEST(what_the_catalog_refuses_is_a_500_with_its_sentence_or_a_403)
{
    static const struct {
        const char *method, *target;
    } writes[] = {{"PUT", "/v1/acl/token"},       {"PUT", "/v1/acl/token/x"},
                  {"DELETE", "/v1/acl/token/x"},  {"PUT", "/v1/acl/policy"},
                  {"DELETE", "/v1/acl/policy/x"}, {"PUT", "/v1/acl/role/x"},
                  {"PUT", "/v1/acl/bootstrap"}};
    open_with_acls();
    for (size_t i = 0; i < CU_COUNT(refusals); i++)
        for (size_t k = 0; k < CU_COUNT(writes); k++) {
            refusal = refusals[i].err;
            refusal_text = refusals[i].text;
            ask(writes[k].method, writes[k].target, "", "{}");
            ck_assert_msg(status() == refusals[i].status, "%s: %s", writes[k].target,
                          client->reply);
            ck_assert_str_eq(web_body(client), refusals[i].text);
        }
    close_agent();
}
END_TEST

SUITE_MAIN("services/agentd/rpc/acl", each_request_asks_and_answers_as_http_api_says,
           http_273_without_acls_every_route_is_a_401,
           a_read_says_its_state_but_not_of_a_role_that_is_not_there,
           what_the_catalog_refuses_is_a_500_with_its_sentence_or_a_403)
