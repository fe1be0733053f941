/* /v1/catalog and /v1/health over HTTP, before a catalogd that has one node, one instance and two
 * checks: what is asked of it, and what comes back. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/agentd/fixture.h"

#define NODE                                                                                       \
    "{\"ID\":\"\",\"Node\":\"n1\",\"Address\":\"10.0.0.1\",\"Datacenter\":\"dc1\","                \
    "\"TaggedAddresses\":null,\"Meta\":null,\"CreateIndex\":7,\"ModifyIndex\":7}"
#define SERVICE                                                                                    \
    "{\"ID\":\"web1\",\"Service\":\"web\",\"Tags\":[],\"Address\":\"\",\"Meta\":null,"             \
    "\"Port\":80,\"Weights\":{\"Passing\":0,\"Warning\":0},\"EnableTagOverride\":false,"           \
    "\"Proxy\":{\"MeshGateway\":{},\"Expose\":{}},\"Connect\":{},\"CreateIndex\":8,"               \
    "\"ModifyIndex\":8}"
#define CHECK(id, service)                                                                         \
    "{\"Node\":\"n1\",\"CheckID\":\"" id "\",\"Name\":\"\",\"Status\":\"passing\",\"Notes\":\"\"," \
    "\"Output\":\"\",\"ServiceID\":\"" service "\",\"ServiceName\":\"\",\"ServiceTags\":[],"       \
    "\"Type\":\"\",\"Definition\":{},\"CreateIndex\":0,\"ModifyIndex\":0}"
#define CHECKS "[" CHECK("serfHealth", "") "," CHECK("service:web1", "web1") "]"

static const struct {
    const char *method, *target, *body;
    unsigned status;
    const char *want;  /* the body; NULL: any */
    const char *asked; /* of the catalog; "": nothing was; NULL: whatever */
} rows[] = {
    // clang-format off
    {"GET", "/v1/catalog/nodes", "", 200, "[" NODE "]", "nodes()"},
    {"GET", "/v1/catalog/nodes?near=n2&node-meta=b:2&node-meta=a:1:x&filter=Meta.a==1", "", 200, NULL,
     "nodes() meta=a:1:x meta=b:2 near=n2 filter=Meta.a==1"},
    {"GET", "/v1/catalog/nodes?node-meta=a:1&node-meta=a:2&node-meta=c", "", 200, NULL, "nodes() meta=a:2 meta=c:"},
    {"GET", "/v1/catalog/nodes?near=_agent", "", 200, NULL, "nodes() near=edge1"},
    {"GET", "/v1/catalog/nodes?ns=x", "", 200, NULL, "nodes()"}, /* 1.7: not consulted here */
    {"GET", "/v1/catalog/services?node-meta=k:v&filter=zz", "", 200, "{\"consul\":[],\"web\":[\"a\",\"b\"]}",
     "services() meta=k:v"}, /* http 60 */
    {"GET", "/v1/catalog/services?ns=x", "", 400, NULL, ""},
    /* http 135, 137 */
    {"GET", "/v1/catalog/service/web?tag=Master&tag=v1&tag=", "", 200, NULL, "service(web) tag=Master tag=v1 tag="},
    {"GET", "/v1/catalog/service/a%20b/c", "", 200, NULL, "service(a b/c)"},
    {"GET", "/v1/catalog/service/", "", 400, "Missing service name", ""},
    {"GET", "/v1/catalog/connect/web?tag=x", "", 200, NULL, "service(web) connect"},
    {"GET", "/v1/catalog/connect/", "", 400, "Missing service name", ""},
    /* http 138, 139 */
    {"GET", "/v1/catalog/node/n1?filter=x", "", 200, "{\"Node\":" NODE ",\"Services\":{\"web1\":" SERVICE "}}",
     "node(n1) filter=x"},
    {"GET", "/v1/catalog/node/nosuch", "", 200, "null", "node(nosuch)"},
    {"GET", "/v1/catalog/node/", "", 400, "Missing node name", ""},
    {"GET", "/v1/catalog/node-services/n1", "", 200, "{\"Node\":" NODE ",\"Services\":[" SERVICE "]}", "node(n1)"},
    {"GET", "/v1/catalog/node-services/nosuch", "", 200, "{\"Node\":null,\"Services\":null}", NULL},
    /* http 148 to 151 */
    {"GET", "/v1/health/node/n1", "", 200, CHECKS, "node_checks(n1)"},
    {"GET", "/v1/health/node/", "", 400, "Missing node name", ""},
    {"GET", "/v1/health/checks/web?near=n2&node-meta=k:v", "", 200, CHECKS, "service_checks(web) meta=k:v near=n2"},
    {"GET", "/v1/health/state/any?node-meta=k:v", "", 200, CHECKS, "state_checks(any) meta=k:v"},
    {"GET", "/v1/health/state/", "", 400, "Missing check state", ""},
    {"GET", "/v1/health/service/web?tag=a", "", 200,
     "[{\"Node\":" NODE ",\"Service\":" SERVICE ",\"Checks\":" CHECKS "}]", "health(web) tag=a"},
    {"GET", "/v1/health/service/web?passing", "", 200, NULL, "health(web) passing"},
    {"GET", "/v1/health/service/web?passing=1", "", 200, NULL, "health(web) passing"},
    {"GET", "/v1/health/service/web?passing=false", "", 200, NULL, "health(web)"},
    {"GET", "/v1/health/service/web?passing=zz", "", 400, "Invalid value for ?passing", "health(web)"},
    {"GET", "/v1/health/connect/web?passing", "", 200, NULL, "health(web) connect passing"},
    {"PUT", "/v1/health/service/web", "", 405, NULL, ""},
    {"GET", "/v1/health/service/web?dc=other", "", 500, "No path to datacenter", ""},
    /* http 125 to 129, 145, 146 */
    {"PUT", "/v1/catalog/register", "{\"Node\":\"x\",\"address\":\"10.9.9.9\",\"NodeMeta\":{\"a\":\"b\"},"
     "\"service\":{\"Service\":\"db\",\"Tags\":[\"v1\"]},\"Check\":{\"Name\":\"c\"},\"Checks\":[{\"CheckID\":\"d\"}],"
     "\"Token\":\"t\"}", 200, "true", "register(x) 10.9.9.9 in dc1 service=db checks=2"},
    {"PUT", "/v1/catalog/register", "{\"Datacenter\":\"dc2\"}", 500, "No path to datacenter", ""},
    {"PUT", "/v1/catalog/register", "", 400, "Request decode failed: EOF", ""},
    {"PUT", "/v1/catalog/register", "{\"Foo\":1}", 400, "Request decode failed: json: unknown field \"Foo\"", ""},
    {"PUT", "/v1/catalog/register", "{\"Node\":\"x\",\"Namespace\":\"y\"}", 400,
     "Request decode failed: json: unknown field \"Namespace\" - Namespaces are a Consul Enterprise feature", ""},
    {"PUT", "/v1/catalog/register", "null", 200, "true", "register()  in dc1 service= checks=0"},
    {"PUT", "/v1/catalog/deregister", "{\"Node\":\"x\",\"ServiceID\":\"s\",\"CheckID\":\"c\",\"Address\":\"a\"}",
     200, "true", "deregister(x) service=s check=c"},
    {"PUT", "/v1/catalog/deregister", "{\"Node\":\"x\",\"Service\":\"s\"}", 400,
     "Request decode failed: json: unknown field \"Service\"", ""},
    // clang-format on
};

START_TEST(each_request_asks_and_answers_as_http_api_says)
{
    open_agent("");
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        fake->asked[0] = 0;
        ask(rows[i].method, rows[i].target, "", rows[i].body);
        ck_assert_msg(status() == rows[i].status, "%s %s: %s", rows[i].method, rows[i].target,
                      client->reply);
        if (rows[i].want)
            ck_assert_msg(strcmp(web_body(client), rows[i].want) == 0, "%s: %s", rows[i].target,
                          web_body(client));
        if (rows[i].asked)
            ck_assert_msg(strcmp(fake->asked, rows[i].asked) == 0, "%s: %s", rows[i].target,
                          fake->asked);
    }
    close_agent();
}
END_TEST

static const struct {
    const char *target, *consistency;
    uint64_t last_contact_ms;
} consistencies[] = {
    {"/v1/catalog/nodes", "leader", 0},
    {"/v1/catalog/nodes?stale", "stale", 0},
    {"/v1/catalog/nodes?consistent", "consistent", 0},
    {"/v1/health/service/web?max_stale=5s", "stale", 100},
    {"/v1/health/service/web?max_stale=5s", "leader", 6000}, /* too far behind: asked again */
};

START_TEST(http_35_a_read_says_how_consistent_it_was)
{
    open_agent("");
    for (size_t i = 0; i < CU_COUNT(consistencies); i++) {
        char header[128];
        fake->last_contact_ms = consistencies[i].last_contact_ms;
        ask("GET", consistencies[i].target, "", "");
        (void)snprintf(header, sizeof header, "X-Consul-Effective-Consistency: %s\r\n",
                       consistencies[i].consistency);
        ck_assert_msg(has(header), "%s", client->reply);
        ck_assert(has("X-Consul-Index: 10\r\n"));
    }
    close_agent();
}
END_TEST

START_TEST(what_the_catalog_refuses_is_a_500_with_its_sentence) /* http-api.md 1.4, 1.5 */
{
    open_agent("");
    fake->refuses = "Must provide node";
    ask("PUT", "/v1/catalog/register", "", "{}");
    ck_assert_uint_eq(status(), 500);
    ck_assert_str_eq(web_body(client), "Must provide node");
    ck_assert(!has("X-Consul-Index"));
    fake->refuses = "Failed to create boolean expression evaluator: Selector \"Foo\" is not valid";
    ask("GET", "/v1/catalog/nodes?filter=Foo==1", "", ""); /* http 53 */
    ck_assert_uint_eq(status(), 500);
    ck_assert_str_eq(web_body(client), fake->refuses);
    ck_assert(has("X-Consul-Index: 1\r\n") && has("X-Consul-KnownLeader: false\r\n"));
    ask("GET", "/v1/health/service/web?filter=Foo==1", "", "");
    ck_assert_uint_eq(status(), 500);
    ck_assert(!has("X-Consul-Index"));
    close_agent();
}
END_TEST

START_TEST(http_149_a_bad_passing_is_found_behind_the_look)
{
    open_agent("");
    ask("GET", "/v1/health/service/web?passing=zz", "", "");
    ck_assert(has("X-Consul-Index: 10\r\n"));
    ask("GET", "/v1/health/service/web?passing", "", ""); /* and is forgotten */
    ck_assert_uint_eq(status(), 200);
    close_agent();
}
END_TEST

START_TEST(http_50_51_a_cached_read_is_a_miss_and_then_a_hit)
{
    open_agent("");
    ask("GET", "/v1/catalog/services?cached", "", "");
    ck_assert(has("X-Cache: MISS\r\n") && !has("\nAge:"));
    ask("GET", "/v1/catalog/services?cached", "", "");
    ck_assert(has("X-Cache: HIT\r\n") && has("\nAge: 0\r\n") && has("X-Consul-Index: 10\r\n"));
    ask("GET", "/v1/catalog/services", "", "");
    ck_assert(!has("X-Cache"));
    ask("GET", "/v1/catalog/nodes?cached", "", "");
    ck_assert(!has("X-Cache"));
    close_agent();
}
END_TEST

START_TEST(the_cache_can_be_turned_off)
{
    open_agent("\"http_config\":{\"use_cache\":false}");
    ask("GET", "/v1/catalog/services?cached", "", "");
    ask("GET", "/v1/catalog/services?cached", "", "");
    ck_assert(!has("X-Cache"));
    close_agent();
}
END_TEST

START_TEST(discovery_may_be_stale_where_no_mode_is_named) /* http-api.md 1.8 */
{
    open_agent("\"discovery_max_stale\":\"5s\"");
    ask("GET", "/v1/catalog/nodes", "", "");
    ck_assert(has("X-Consul-Effective-Consistency: stale\r\n"));
    ask("GET", "/v1/catalog/nodes?consistent", "", "");
    ck_assert(has("X-Consul-Effective-Consistency: consistent\r\n"));
    fake->last_contact_ms = 6000;
    ask("GET", "/v1/health/service/web", "", "");
    ck_assert(has("X-Consul-Effective-Consistency: leader\r\n"));
    close_agent();
}
END_TEST

/* A registration of just `len` bytes. */
static char *padded(size_t len)
{
    static const char head[] = "{\"Node\":\"x\",\"Address\":\"", tail[] = "\"}";
    char *body = malloc(len + 1);
    ck_assert_ptr_nonnull(body);
    memset(body, 'a', len);
    memcpy(body, head, sizeof head - 1);
    memcpy(body + len - (sizeof tail - 1), tail, sizeof tail);
    return body;
}

START_TEST(a_body_at_its_limit_is_taken_and_one_above_is_a_413)
{
    open_agent("");
    for (size_t more = 0; more < 2; more++) {
        char *body = padded(AGENT_JSON_BODY_BYTES + more);
        ask("PUT", "/v1/catalog/register", "", body);
        ck_assert_uint_eq(status(), more ? 413 : 200);
        free(body);
    }
    close_agent();
}
END_TEST

SUITE_MAIN("services/agentd/rpc/catalog", each_request_asks_and_answers_as_http_api_says,
           http_35_a_read_says_how_consistent_it_was,
           what_the_catalog_refuses_is_a_500_with_its_sentence,
           http_149_a_bad_passing_is_found_behind_the_look,
           http_50_51_a_cached_read_is_a_miss_and_then_a_hit, the_cache_can_be_turned_off,
           discovery_may_be_stale_where_no_mode_is_named,
           a_body_at_its_limit_is_taken_and_one_above_is_a_413)
