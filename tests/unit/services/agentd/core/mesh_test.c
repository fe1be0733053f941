/* Bodies of /v1/config and /v1/connect/intentions, and how both are shown
 * (http-api.md 1.3, 2.15, 2.16). */
#include "services/agentd/core/mesh.h"

#include "tests/lib/suite.h"

#define DECODING "Bad request: Request decoding failed: "

static struct cu_arena *arena;
static struct agent_fault fault;
static Curia__V1__ConfigEntry entry;
static Curia__V1__Intention intention;

static bool parse(const char *body)
{
    arena = arena ? arena : cu_arena_new(1024 * 1024);
    fault = (struct agent_fault){0};
    return agent_entry_parse(cu_bytes_of(body), arena, &entry, &fault);
}

static bool parse_intention(const char *body)
{
    arena = arena ? arena : cu_arena_new(1024 * 1024);
    fault = (struct agent_fault){0};
    return agent_intention_parse(cu_bytes_of(body), arena, &intention, &fault);
}

static const char *shown(void)
{
    static struct cu_buf out;
    cu_buf_clear(&out);
    agent_entry_write(&out, &entry);
    cu_buf_u8(&out, 0);
    return (const char *)out.data;
}

static const char *shown_intention(void)
{
    static struct cu_buf out;
    cu_buf_clear(&out);
    agent_intention_write(&out, &intention);
    cu_buf_u8(&out, 0);
    return (const char *)out.data;
}

/* What is sent, and how the same is shown before the catalog has prepared it. */
static const struct {
    const char *body, *shown;
} entries[] = {
    {"{\"Kind\":\"service-defaults\",\"Name\":\"web\",\"Protocol\":\"http\"}",
     "{\"Kind\":\"service-defaults\",\"Name\":\"web\",\"Protocol\":\"http\",\"MeshGateway\":{},"
     "\"Expose\":{},\"CreateIndex\":0,\"ModifyIndex\":0}"},
    /* http 214 */
    {"{\"kind\":\"service-defaults\",\"NAME\":\"web\",\"external_sni\":\"s\",\"mesh_gateway\":"
     "{\"mode\":\"local\"},\"expose\":{\"paths\":[{\"path\":\"/h\",\"listener_port\":1}]},"
     "\"modify_index\":7,\"meta\":{\"a\":\"b\"}}",
     "{\"Kind\":\"service-defaults\",\"Name\":\"web\",\"Protocol\":\"\",\"MeshGateway\":{\"Mode\":"
     "\"local\"},\"Expose\":{\"Paths\":[{\"ListenerPort\":1,\"Path\":\"/h\"}]},\"ExternalSNI\":"
     "\"s\",\"Meta\":{\"a\":\"b\"},\"CreateIndex\":0,\"ModifyIndex\":0}"},
    {"{\"Kind\":\"proxy-defaults\",\"Name\":\"global\"}",
     "{\"Kind\":\"proxy-defaults\",\"Name\":\"global\",\"Config\":null,\"MeshGateway\":{},"
     "\"Expose\":{},\"CreateIndex\":0,\"ModifyIndex\":0}"},
    {"{\"Kind\":\"service-intentions\",\"Name\":\"db\",\"Sources\":[{\"Name\":\"web\",\"Action\":"
     "\"allow\",\"LegacyID\":\"x\",\"legacy_create_time\":\"2020-01-01T00:00:00Z\"}]}",
     "{\"Kind\":\"service-intentions\",\"Name\":\"db\",\"Sources\":[{\"Name\":\"web\",\"Action\":"
     "\"allow\",\"Precedence\":0,\"Type\":\"\"}],\"CreateIndex\":0,\"ModifyIndex\":0}"},
    {"{\"Kind\":\"service-intentions\",\"Name\":\"db\",\"Sources\":[{\"Name\":\"web\","
     "\"Permissions\":[{\"Action\":\"deny\",\"HTTP\":{\"path_regex\":\"/.*\",\"Header\":[{\"Name\":"
     "\"h\",\"Present\":true,\"Invert\":true}],\"Methods\":[\"GET\"]}}]}]}",
     "{\"Kind\":\"service-intentions\",\"Name\":\"db\",\"Sources\":[{\"Name\":\"web\","
     "\"Permissions\":[{\"Action\":\"deny\",\"HTTP\":{\"PathRegex\":\"/.*\",\"Header\":[{\"Name\":"
     "\"h\",\"Present\":true,\"Invert\":true}],\"Methods\":[\"GET\"]}}],\"Precedence\":0,\"Type\":"
     "\"\"}],\"CreateIndex\":0,\"ModifyIndex\":0}"},
};

START_TEST(entries_are_shown_as_the_reference_orders_them)
{
    for (size_t i = 0; i < CU_COUNT(entries); i++) {
        ck_assert_msg(parse(entries[i].body), "%s: %s", entries[i].body, fault.text);
        ck_assert_str_eq(shown(), entries[i].shown);
    }
}
END_TEST

START_TEST(the_protocol_of_proxy_defaults_is_taken_out_of_their_config)
{
    ck_assert(parse("{\"Kind\":\"proxy-defaults\",\"Config\":{\"z\":1,\"protocol\":\"HTTP\"}}"));
    ck_assert_str_eq(entry.proxy_defaults->protocol, "HTTP"); /* the catalog lowers it */
    ck_assert(parse("{\"Kind\":\"proxy-defaults\",\"Config\":{\"protocol\":1}}"));
    ck_assert_str_eq(entry.proxy_defaults->protocol, "");
}
END_TEST

static const struct {
    const char *body;
    unsigned status;
    const char *text;
} bad_entries[] = {
    /* http 213 */
    {"", 400, DECODING "EOF"},
    {"{}", 400, DECODING "Payload does not contain a kind/Kind key at the top level"},
    {"null", 400, DECODING "Payload does not contain a kind/Kind key at the top level"},
    {"{\"Kind\":1}", 400, DECODING "Kind value in payload is not a string"},
    {"{\"Kind\":\"bogus\"}", 400, DECODING "invalid config entry kind: bogus"},
    {"{\"Kind\":\"service-defaults\",\"Bogus\":1}", 400,
     DECODING "1 error occurred:\n\t* invalid config key \"Bogus\"\n\n"},
    {"{\"Kind\":\"service-intentions\",\"Sources\":[{\"Name\":\"a\",\"Bogus\":1}]}", 400,
     DECODING "1 error occurred:\n\t* invalid config key \"Bogus\"\n\n"},
    {"{\"Kind\":\"service-defaults\",\"Sources\":[]}", 400, /* of another kind */
     DECODING "1 error occurred:\n\t* invalid config key \"Sources\"\n\n"},
    {"[]", 400, DECODING "'' expected a map, got 'slice'"},
    {"1", 400, DECODING "'' expected a map, got 'float64'"},
    {"{\"Kind\":\"service-intentions\",\"Sources\":[{\"Name\":\"a\"},{\"Name\":\"b\","
     "\"LegacyMeta\":{\"a\":\"b\"}}]}",
     500, "Sources[1].LegacyMeta must be omitted"},
};

START_TEST(what_is_no_entry_is_refused_with_a_sentence)
{
    for (size_t i = 0; i < CU_COUNT(bad_entries); i++) {
        ck_assert_msg(!parse(bad_entries[i].body), "%s", bad_entries[i].body);
        ck_assert_uint_eq(fault.status, bad_entries[i].status);
        ck_assert_str_eq(fault.text, bad_entries[i].text);
    }
}
END_TEST

START_TEST(intentions_are_shown_in_order_and_without_what_they_lack) /* mesh.md 3.4 */
{
    ck_assert(parse_intention("{\"SourceName\":\"web\",\"DestinationName\":\"db\",\"Action\":"
                              "\"deny\",\"SourceNS\":\"default\",\"SourceType\":\"consul\","
                              "\"Precedence\":3,\"CreatedAt\":\"x\",\"Hash\":\"\"}"));
    intention.precedence = 9;
    intention.create_index = intention.modify_index = 55;
    ck_assert_str_eq(shown_intention(),
                     "{\"SourceNS\":\"default\",\"SourceName\":\"web\",\"DestinationNS\":"
                     "\"default\",\"DestinationName\":\"db\",\"SourceType\":\"consul\",\"Action\":"
                     "\"deny\",\"Precedence\":9,\"CreateIndex\":55,\"ModifyIndex\":55}");
    ck_assert(parse_intention("{\"ID\":\"i\",\"Description\":\"d\",\"SourceName\":\"*\","
                              "\"DestinationName\":\"db\",\"Action\":\"allow\",\"Meta\":{\"a\":"
                              "\"b\"}}"));
    intention.created_at_ms = 1000;
    intention.updated_at_ms = 1250;
    ck_assert_str_eq(
        shown_intention(),
        "{\"CreatedAt\":\"1970-01-01T00:00:01Z\",\"UpdatedAt\":"
        "\"1970-01-01T00:00:01.25Z\",\"ID\":\"i\",\"Description\":\"d\","
        "\"SourceNS\":\"default\",\"SourceName\":\"*\",\"DestinationNS\":\"default\","
        "\"DestinationName\":\"db\",\"SourceType\":\"consul\",\"Action\":\"allow\","
        "\"Meta\":{\"a\":\"b\"},\"Precedence\":0,\"CreateIndex\":0,\"ModifyIndex\":0}");
}
END_TEST

static const struct {
    const char *body;
    unsigned status;
    const char *text;
} bad_intentions[] = {
    {"", 400, "Bad request: Request decode failed: EOF"},
    {"{\"Bogus\":1}", 400, "Bad request: Request decode failed: json: unknown field \"Bogus\""},
    {"{\"sourcens\":\"foo\"}", 400,
     "Bad request: Invalid SourceNS(foo): Namespaces is a Consul Enterprise feature"},
    {"{\"DestinationNS\":\"foo\"}", 400,
     "Bad request: Invalid DestinationNS(foo): Namespaces is a Consul Enterprise feature"},
    {"{\"SourceType\":\"x\"}", 500, "SourceType must be set to 'consul'"},
};

START_TEST(what_is_no_intention_is_refused_with_a_sentence)
{
    for (size_t i = 0; i < CU_COUNT(bad_intentions); i++) {
        ck_assert_msg(!parse_intention(bad_intentions[i].body), "%s", bad_intentions[i].body);
        ck_assert_uint_eq(fault.status, bad_intentions[i].status);
        ck_assert_str_eq(fault.text, bad_intentions[i].text);
    }
}
END_TEST

START_TEST(names_may_have_the_one_namespace_before_them)
{
    arena = arena ? arena : cu_arena_new(1024 * 1024);
    ck_assert_str_eq(agent_intention_name("source", cu_bytes_of("a"), arena, &fault), "a");
    ck_assert_str_eq(agent_intention_name("source", cu_bytes_of("default/*"), arena, &fault), "*");
    ck_assert_ptr_null(agent_intention_name("source", cu_bytes_of("a/b/c"), arena, &fault));
    ck_assert_str_eq(fault.text, "source \"a/b/c\" is invalid: input can contain at most one '/'");
    ck_assert_uint_eq(fault.status, 500);
    ck_assert_ptr_null(agent_intention_name("destination", cu_bytes_of("x/b"), arena, &fault));
    ck_assert_str_eq(fault.text, "Bad request: Invalid DestinationNS(x): Namespaces is a Consul "
                                 "Enterprise feature");
}
END_TEST

START_TEST(a_full_arena_is_a_refusal)
{
    static const char text[] =
        "{\"Kind\":\"service-intentions\",\"Name\":\"db\",\"Meta\":{\"a\":\"b\"},\"Sources\":"
        "[{\"Name\":\"web\",\"Permissions\":[{\"Action\":\"deny\",\"HTTP\":{\"Methods\":"
        "[\"GET\"]}}]}]}";
    bool good = false;
    for (size_t limit = 0; !good; limit += 16) {
        struct cu_arena *small = cu_arena_new(limit);
        fault = (struct agent_fault){0};
        good = agent_entry_parse(cu_bytes_of(text), small, &entry, &fault);
        ck_assert(good || (fault.status == 500 && fault.text[0]));
        cu_arena_free(small);
        ck_assert_uint_lt(limit, 8192);
    }
}
END_TEST

START_TEST(roots_are_shown_as_the_reference_orders_them) /* mesh.md 1.8 */
{
    static struct cu_buf out;
    char id[] = "be:ca", cert[] = "PEM\n", domain[] = "d.consul", ec[] = "ec";
    Curia__V1__CaRoot root = CURIA__V1__CA_ROOT__INIT, *roots[] = {&root};
    Curia__V1__CaRootsReply reply = CURIA__V1__CA_ROOTS_REPLY__INIT;
    root.id = id;
    root.serial_number = 7;
    root.root_cert = cert;
    root.private_key_type = ec;
    root.private_key_bits = 256;
    root.not_before_s = 1795166672;
    root.not_after_s = INT64_MAX; /* of a root that somebody else made */
    root.active = true;
    reply.active_root_id = id;
    reply.trust_domain = domain;
    reply.roots = roots;
    reply.n_roots = 1;
    cu_json_write(&out, &agent_shape_ca_roots, &reply.base);
    cu_buf_u8(&out, 0);
    ck_assert_str_eq((char *)out.data,
                     "{\"ActiveRootID\":\"be:ca\",\"TrustDomain\":\"d.consul\",\"Roots\":[{\"ID\":"
                     "\"be:ca\",\"Name\":\"\",\"SerialNumber\":7,\"SigningKeyID\":\"\","
                     "\"ExternalTrustDomain\":\"\",\"NotBefore\":\"2026-11-20T09:24:32Z\","
                     "\"NotAfter\":\"9999-12-31T23:59:59Z\",\"RootCert\":\"PEM\\n\","
                     "\"IntermediateCerts\":null,\"Active\":true,\"PrivateKeyType\":\"ec\","
                     "\"PrivateKeyBits\":256,\"CreateIndex\":0,\"ModifyIndex\":0}]}");
    cu_buf_deinit(&out);
}
END_TEST

SUITE_MAIN("services/agentd/core/mesh", entries_are_shown_as_the_reference_orders_them,
           the_protocol_of_proxy_defaults_is_taken_out_of_their_config,
           what_is_no_entry_is_refused_with_a_sentence,
           intentions_are_shown_in_order_and_without_what_they_lack,
           what_is_no_intention_is_refused_with_a_sentence,
           names_may_have_the_one_namespace_before_them, a_full_arena_is_a_refusal,
           roots_are_shown_as_the_reference_orders_them)
