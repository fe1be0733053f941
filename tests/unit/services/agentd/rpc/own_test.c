#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/agentd/fixture.h"

static const char *body(void)
{
    return web_body(client);
}

static void put(const char *target, const char *text)
{
    ask("PUT", target, "", text);
}

static void get(const char *target)
{
    ask("GET", target, "", "");
}

/* Asked in this order of one agent: what is asked, and what is answered. NULL body: not looked at.
 */
static const struct {
    const char *method, *target, *sent;
    unsigned status;
    const char *answer;
} steps[] = {
    // clang-format off
    {"GET", "/v1/agent/services", "", 200, "{}"},
    {"GET", "/v1/agent/checks", "", 200, "{}"},
    {"PUT", "/v1/agent/service/register", "{\"Name\":\"\"}", 400, "Missing service name"}, /* 159 */
    {"PUT", "/v1/agent/service/register", "{\"Name\":\"w\",\"Bogus\":1}", 400,
     "Request decode failed: json: unknown field \"Bogus\""},
    {"PUT", "/v1/agent/service/register", "{\"Name\":\"web\",\"Port\":80,\"Token\":\"x\"}", 200, ""}, /* 160 */
    {"GET", "/v1/agent/services", "", 200,
     "{\"web\":{\"ID\":\"web\",\"Service\":\"web\",\"Tags\":[],\"Meta\":{},\"Port\":80,\"Address\":\"\","
     "\"Weights\":{\"Passing\":1,\"Warning\":1},\"EnableTagOverride\":false,\"Datacenter\":\"dc1\"}}"},
    {"GET", "/v1/agent/service/nope", "", 404, "unknown service ID: nope"}, /* 174 */
    {"PUT", "/v1/agent/check/register", "{}", 400, "Missing check name"}, /* 178 */
    {"PUT", "/v1/agent/check/register", "{\"Name\":\"m\",\"TTL\":\"1h\",\"ServiceID\":\"nosvc\"}", 500,
     "ServiceID \"nosvc\" does not exist"}, /* 180 */
    {"PUT", "/v1/agent/check/register", "{\"Name\":\"m\",\"TTL\":\"1h\",\"ServiceID\":\"web\",\"Notes\":\"n\"}", 200, ""},
    {"GET", "/v1/agent/checks", "", 200,
     "{\"m\":{\"Node\":\"edge1\",\"CheckID\":\"m\",\"Name\":\"m\",\"Status\":\"critical\",\"Notes\":\"n\","
     "\"Output\":\"\",\"ServiceID\":\"web\",\"ServiceName\":\"web\",\"ServiceTags\":[],\"Type\":\"ttl\","
     "\"Definition\":{},\"CreateIndex\":0,\"ModifyIndex\":0}}"},
    {"GET", "/v1/agent/health/service/id/web?format=text", "", 503, "critical"}, /* 176 */
    {"PUT", "/v1/agent/check/warn/m?note=so%20so", "", 200, ""},
    {"GET", "/v1/agent/health/service/id/web?format=text", "", 429, "warning"},
    {"PUT", "/v1/agent/check/pass/m", "", 200, ""},
    {"GET", "/v1/agent/health/service/name/web?format=text", "", 200, "passing"},
    {"GET", "/v1/agent/health/service/id/web", "", 200,
     "{\"AggregatedStatus\":\"passing\",\"Service\":{\"ID\":\"web\",\"Service\":\"web\",\"Tags\":[],\"Meta\":{},"
     "\"Port\":80,\"Address\":\"\",\"Weights\":{\"Passing\":1,\"Warning\":1},\"EnableTagOverride\":false,"
     "\"Datacenter\":\"dc1\"},\"Checks\":[{\"Node\":\"edge1\",\"CheckID\":\"m\",\"Name\":\"m\",\"Status\":\"passing\","
     "\"Notes\":\"n\",\"Output\":\"\",\"ServiceID\":\"web\",\"ServiceName\":\"web\",\"ServiceTags\":[],\"Type\":\"\","
     "\"Definition\":{\"Interval\":\"0s\",\"Timeout\":\"0s\",\"DeregisterCriticalServiceAfter\":\"0s\",\"HTTP\":\"\","
     "\"Header\":null,\"Method\":\"\",\"Body\":\"\",\"TLSSkipVerify\":false,\"TCP\":\"\"},\"CreateIndex\":0,"
     "\"ModifyIndex\":0}]}"},
    {"GET", "/v1/agent/health/service/id/nope", "", 404,
     "{\"AggregatedStatus\":\"critical\",\"Service\":null,\"Checks\":null}"}, /* 177 */
    {"GET", "/v1/agent/health/service/name/nope", "", 404, "[]"},
    {"GET", "/v1/agent/health/service/name/nope?format=text", "", 404, "ServiceName nope Not Found"},
    {"GET", "/v1/agent/health/service/id/nope?format=text", "", 404, "\"ServiceId nope not found\""},
    {"GET", "/v1/agent/health/service/id/", "", 500, "Bad request: Missing serviceID"},
    {"GET", "/v1/agent/health/service/name/", "", 500, "Bad request: Missing service Name"},
    {"PUT", "/v1/agent/check/pass/nope", "", 500, "CheckID \"nope\" does not have associated TTL"}, /* 182 */
    {"PUT", "/v1/agent/check/update/m", "{\"Status\":\"foo\"}", 400, "Invalid check status: 'foo'"}, /* 183 */
    {"PUT", "/v1/agent/check/update/m", "{\"Bogus\":1}", 400,
     "Request decode failed: json: unknown field \"Bogus\""},
    {"PUT", "/v1/agent/check/update/m", "{\"Status\":\"critical\",\"Output\":\"down\"}", 200, ""},
    {"PUT", "/v1/agent/check/deregister/nope", "", 200, ""}, /* 184 */
    {"PUT", "/v1/agent/service/deregister/nope", "", 200, ""},
    {"PUT", "/v1/agent/service/maintenance/web", "", 400, "Missing value for enable"}, /* 185 */
    {"PUT", "/v1/agent/service/maintenance/web?enable=zz", "", 400, "Invalid value for enable: \"zz\""},
    {"PUT", "/v1/agent/service/maintenance/?enable=true", "", 400, "Missing service ID"},
    {"PUT", "/v1/agent/service/maintenance/nope?enable=true", "", 404,
     "No service registered with ID \"nope\""},
    {"PUT", "/v1/agent/service/maintenance/web?enable=T&reason=why", "", 200, ""},
    {"GET", "/v1/agent/health/service/id/web?format=text", "", 503, "maintenance"}, /* 187 */
    {"PUT", "/v1/agent/service/maintenance/web?enable=0", "", 200, ""},
    {"PUT", "/v1/agent/maintenance", "", 400, "Missing value for enable"},
    {"PUT", "/v1/agent/maintenance?enable=true", "", 200, ""}, /* 186 */
    {"GET", "/v1/agent/health/service/id/web?format=text", "", 503, "maintenance"},
    {"PUT", "/v1/agent/maintenance?enable=false", "", 200, ""},
    {"GET", "/v1/agent/members", "", 500, "gossipd of this node cannot be reached"},
    {"GET", "/v1/agent/members?wan=1&segment=x", "", 400, "Cannot provide a segment with wan=true"}, /* 158 */
    {"GET", "/v1/agent/members?segment=x", "", 500,
     "Network segments are not supported in this version of Consul"},
    {"GET", "/v1/agent/services?filter=Service==db", "", 200, "{}"},
    {"GET", "/v1/agent/services?filter=Foo==db", "", 500,
     "Failed to create boolean expression evaluator: Selector \"Foo\" is not valid"},
    {"GET", "/v1/agent/checks?filter=Status==passing", "", 200, "{}"},
    {"GET", "/v1/agent/checks?filter=Foo==x", "", 500, "Selector \"Foo\" is not valid"},
    {"GET", "/v1/agent/services?filter=Service==web+and+Datacenter==dc1+and+Port!=1", "", 200,
     "{\"web\":{\"ID\":\"web\",\"Service\":\"web\",\"Tags\":[],\"Meta\":{},\"Port\":80,\"Address\":\"\","
     "\"Weights\":{\"Passing\":1,\"Warning\":1},\"EnableTagOverride\":false,\"Datacenter\":\"dc1\"}}"},
    {"PUT", "/v1/agent/service/deregister/web", "", 200, ""},
    {"GET", "/v1/agent/services", "", 200, "{}"},
    {"GET", "/v1/agent/checks", "", 200, "{}"},
    // clang-format on
};

START_TEST(answers_as_the_reference_does)
{
    open_agent("");
    for (size_t i = 0; i < CU_COUNT(steps); i++) {
        ask(steps[i].method, steps[i].target, "", steps[i].sent);
        ck_assert_msg(status() == steps[i].status, "%s: %u %s", steps[i].target, status(), body());
        ck_assert_msg(strcmp(body(), steps[i].answer) == 0, "%s: %s", steps[i].target, body());
    }
    close_agent();
}
END_TEST

START_TEST(a_registration_is_in_the_catalog_when_it_is_answered) /* http 160 */
{
    open_agent("");
    put("/v1/agent/service/register", "{\"Name\":\"web\",\"Check\":{\"TTL\":\"1h\"}}");
    ck_assert_uint_eq(status(), 200);
    ck_assert(has("Content-Length: 0") && !has("Content-Type"));
    ck_assert_ptr_nonnull(fake_node_service(&fake->node, "web"));
    ck_assert_str_eq(fake->node.node->id, "11111111-2222-3333-4444-555555555555");
    put("/v1/agent/check/pass/service:web?note=hi", "");
    ck_assert_str_eq(fake_node_check(&fake->node, "service:web")->output, "hi");
    close_agent();
}
END_TEST

static void content_hash(char hash[17])
{
    const char *at = strstr(client->reply, "X-Consul-ContentHash: ");
    ck_assert_ptr_nonnull(at);
    (void)snprintf(hash, 17, "%.16s", at + strlen("X-Consul-ContentHash: "));
}

START_TEST(one_service_is_waited_for_by_its_hash) /* http 175 */
{
    char hash[17], target[128], in_body[64];
    open_agent("");
    put("/v1/agent/service/register", "{\"Name\":\"web\",\"Port\":80}");
    get("/v1/agent/service/web");
    content_hash(hash);
    (void)snprintf(in_body, sizeof in_body, "\"ContentHash\":\"%s\"", hash);
    ck_assert_ptr_nonnull(strstr(body(), in_body));
    ck_assert_ptr_null(strstr(body(), "Proxy"));
    get("/v1/agent/service/web?hash=0000000000000000&wait=10m");
    ck_assert_uint_eq(status(), 200); /* another hash: at once */
    (void)snprintf(target, sizeof target, "/v1/agent/service/web?hash=%s&wait=100ms", hash);
    get(target);
    ck_assert_ptr_nonnull(strstr(body(), in_body)); /* unchanged at the end of the wait */
    struct web_client *waiter = web_dial(env.loop);
    (void)snprintf(target, sizeof target,
                   "GET /v1/agent/service/web?hash=%s&wait=10m HTTP/1.1\r\n" HOST "\r\n", hash);
    web_say(waiter, target);
    put("/v1/agent/service/register", "{\"Name\":\"other\"}"); /* another service: it hangs on */
    ck_assert(!web_is_answered(waiter));
    put("/v1/agent/service/register", "{\"Name\":\"web\",\"Port\":81}");
    FAKE_WAIT(env.loop, web_is_answered(waiter));
    ck_assert_ptr_nonnull(strstr(waiter->reply, "\"Port\":81"));
    web_hang_up(waiter);
    waiter = web_dial(env.loop); /* one who hangs up leaves nothing behind */
    get("/v1/agent/service/web");
    content_hash(hash);
    (void)snprintf(target, sizeof target,
                   "GET /v1/agent/service/web?hash=%s&wait=10m HTTP/1.1\r\n" HOST "\r\n", hash);
    web_say(waiter, target);
    put("/v1/agent/service/register", "{\"Name\":\"third\"}");
    web_hang_up(waiter);
    put("/v1/agent/service/deregister/web", "");
    ck_assert_uint_eq(status(), 200);
    close_agent();
}
END_TEST

START_TEST(accept_wins_over_format) /* http-api.md 2.3 */
{
    open_agent("");
    put("/v1/agent/service/register", "{\"Name\":\"web\"}");
    ask("GET", "/v1/agent/health/service/id/web?format=text", "Accept: text/plain; q=1\r\n", "");
    ck_assert_str_eq(body(), "passing");
    ck_assert(has("Content-Type: text/plain\r\n") && has("X-Consul-Reason: passing\r\n"));
    ask("GET", "/v1/agent/health/service/id/web", "Accept: application/json, text/plain\r\n", "");
    ck_assert_ptr_nonnull(strstr(body(), "\"AggregatedStatus\":\"passing\""));
    ck_assert(has("Content-Type: application/json\r\n"));
    close_agent();
}
END_TEST

START_TEST(a_client_that_hangs_up_during_a_registration_leaves_it_done)
{
    open_agent("");
    struct web_client *hasty = web_dial(env.loop);
    web_say(hasty, "PUT /v1/agent/service/register HTTP/1.1\r\n" HOST "Content-Length: 14\r\n\r\n"
                   "{\"Name\":\"web\"}");
    web_hang_up(hasty);
    FAKE_WAIT(env.loop, fake_node_service(&fake->node, "web"));
    get("/v1/agent/services");
    ck_assert_ptr_nonnull(strstr(body(), "\"web\""));
    close_agent();
}
END_TEST

START_TEST(scripts_need_their_setting) /* agent 23 */
{
    open_agent("");
    put("/v1/agent/check/register",
        "{\"Name\":\"s\",\"Args\":[\"/bin/true\"],\"Interval\":\"1s\"}");
    ck_assert_uint_eq(status(), 500);
    close_agent();
    open_agent("\"enable_script_checks\":true,\"node_meta\":{\"rack\":\"7\"},\"service\":{\"name\":"
               "\"file\",\"check\":{\"id\":\"c\",\"ttl\":\"1h\"}}");
    put("/v1/agent/check/register",
        "{\"Name\":\"s\",\"Args\":[\"/bin/true\"],\"Interval\":\"1s\"}");
    ck_assert_uint_eq(status(), 200);
    FAKE_WAIT(env.loop, strcmp(fake_node_check(&fake->node, "s")->status, "passing") == 0);
    ck_assert_ptr_nonnull(fake_node_service(&fake->node, "file")); /* of the configuration */
    ck_assert_ptr_nonnull(fake_node_check(&fake->node, "c"));
    ck_assert_str_eq(fake->node.node->meta->entries[1]->value, "7"); /* agent 58 */
    close_agent();
}
END_TEST

SUITE_MAIN("services/agentd/rpc/own", answers_as_the_reference_does,
           a_registration_is_in_the_catalog_when_it_is_answered,
           one_service_is_waited_for_by_its_hash, accept_wins_over_format,
           a_client_that_hangs_up_during_a_registration_leaves_it_done, scripts_need_their_setting)
