/* Bodies of register and deregister (http-api.md 1.3, 2.6). */
#include "services/agentd/core/registration.h"

#include <string.h>

#include "tests/lib/suite.h"

static struct cu_arena *arena;
static struct agent_fault fault;
static Curia__V1__RegisterRequest request;

static bool parse(const char *body)
{
    arena = arena ? arena : cu_arena_new(1024 * 1024);
    fault = (struct agent_fault){0};
    return agent_registration_parse(cu_bytes_of(body), "dc1", arena, &request, &fault);
}

START_TEST(the_body_of_the_appendix_is_read_whole)
{
    ck_assert(parse(
        "{\"Node\":\"ext1\",\"Address\":\"10.9.9.9\",\"NodeMeta\":{\"external-node\":\"true\"},"
        "\"TaggedAddresses\":{\"wan\":\"8.8.8.8\"},\"Service\":{\"Service\":\"db\",\"Tags\":"
        "[\"Master\",\"v1\"],\"Port\":5432,\"Meta\":{\"a\":\"b\"},\"Weights\":{\"Passing\":3,"
        "\"Warning\":2},\"TaggedAddresses\":{\"lan\":{\"Address\":\"1.2.3.4\",\"Port\":1}}},"
        "\"Check\":{\"Name\":\"dbc\",\"Status\":\"passing\",\"ServiceID\":\"db\",\"Definition\":"
        "{\"TCP\":\"x:1\",\"Interval\":\"5s\",\"TTL\":\"3s\"}},\"Checks\":[{\"CheckID\":"
        "\"nodechk\",\"Name\":\"nodechk\",\"Status\":\"warning\"}]}"));
    ck_assert_str_eq(request.node->node, "ext1");
    ck_assert_str_eq(request.node->datacenter, "dc1");
    ck_assert_str_eq(request.node->meta->entries[0]->key, "external-node");
    ck_assert_str_eq(request.node->tagged_addresses->entries[0]->value, "8.8.8.8");
    ck_assert_str_eq(request.service->service, "db");
    ck_assert_uint_eq(request.service->n_tags, 2);
    ck_assert_int_eq(request.service->weights->warning, 2);
    ck_assert_int_eq(request.service->tagged_addresses->entries[0]->value->port, 1);
    ck_assert_uint_eq(request.n_checks, 2); /* the one, then the others */
    ck_assert_str_eq(request.checks[0]->name, "dbc");
    ck_assert_int_eq(request.checks[0]->definition->ttl_ns, 3000000000); /* http 152 */
    ck_assert_str_eq(request.checks[1]->check_id, "nodechk");
}
END_TEST

START_TEST(a_missing_map_and_an_empty_one_differ) /* http-api.md 3.5 */
{
    ck_assert(parse("{\"Node\":\"x\"}"));
    ck_assert_ptr_null(request.node->meta);
    ck_assert_ptr_null(request.service);
    ck_assert(parse("{\"Node\":\"x\",\"NodeMeta\":{}}"));
    ck_assert_ptr_nonnull(request.node->meta);
}
END_TEST

static const struct {
    const char *body;
    unsigned status;
    const char *text;
} bad[] = {
    {"", 400, "Request decode failed: EOF"},
    {"{", 400, "Request decode failed: unexpected EOF"},
    {"{\"Foo\":1}", 400, "Request decode failed: json: unknown field \"Foo\""},
    {"{\"Service\":{\"Foo\":1}}", 400, "Request decode failed: json: unknown field \"Foo\""},
    {"{\"namespace\":\"x\"}", 400, NULL},
    {"{\"Service\":{\"Namespace\":\"x\"}}", 400,
     "Request decode failed: json: unknown field \"Namespace\" - Namespaces are a Consul "
     "Enterprise feature"},
    {"{\"Datacenter\":\"dc9\"}", 500, "No path to datacenter"},
};

START_TEST(what_cannot_be_decoded_is_a_400) /* http 127 */
{
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        ck_assert_msg(!parse(bad[i].body), "%s", bad[i].body);
        ck_assert_uint_eq(fault.status, bad[i].status);
        if (bad[i].text)
            ck_assert_str_eq(fault.text, bad[i].text);
    }
    ck_assert(!parse("[]"));
    ck_assert_ptr_nonnull(strstr(fault.text, "json: cannot unmarshal array into Go "));
}
END_TEST

START_TEST(what_is_ignored_is_ignored)
{
    ck_assert(parse("{\"Node\":\"x\",\"Token\":\"t\",\"CreateIndex\":1,\"ModifyIndex\":2} junk"));
    ck_assert(parse("{\"Node\":\"x\",\"Check\":{\"Name\":\"c\",\"Definition\":{\"Foo\":1}}}"));
    ck_assert(parse("{\"Datacenter\":\"dc1\"}"));
}
END_TEST

SUITE_MAIN("services/agentd/core/registration", the_body_of_the_appendix_is_read_whole,
           a_missing_map_and_an_empty_one_differ, what_cannot_be_decoded_is_a_400,
           what_is_ignored_is_ignored)
