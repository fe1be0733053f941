/* agentd whole, before a catalogd that behaves: each row is a request and what comes back, byte by
 * byte where http-api.md says so. */
#include "services/agentd/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/suite.h"
#include "tests/lib/web.h"
#include "tests/unit/services/agentd/fixture.h"

/* ---- requests and answers ---- */

static const struct {
    const char *method, *target, *headers, *body;
    unsigned status;
    const char *want;   /* the body; NULL: any */
    const char *header; /* that must be there; NULL: any */
} rows[] = {
    // clang-format off
    /* http 1 to 34 */
    {"GET", "/v1/status/leader", "", "", 200, "\"127.0.0.1:8300\"", "Content-Type: application/json\r\n"},
    {"GET", "/v1/status/peers", "", "", 200, "[\"127.0.0.1:8300\",\"127.0.0.2:8300\"]", NULL},
    {"GET", "/v1/catalog/datacenters?pretty", "", "", 200, "[\n    \"dc1\"\n]\n", NULL},
    {"GET", "/v1/catalog/datacenters?pretty=false", "", "", 200, "[\n    \"dc1\"\n]\n", NULL},
    {"GET", "/v1/catalog/datacenters", "", "", 200, "[\"dc1\"]", "Vary: Accept-Encoding\r\n"},
    {"GET", "/v1/nope", "", "", 404, "", NULL},
    {"GET", "/v1/agent", "", "", 404, "", NULL},
    {"GET", "/", "", "", 200, "Consul Agent", "Content-Type: text/plain; charset=utf-8\r\n"},
    {"GET", "/v1/kv", "", "", 301, NULL, "Location: /v1/kv/\r\n"},
    {"GET", "/v1//kv/a?b=c", "", "", 301, "<a href=\"/v1/kv/a?b=c\">Moved Permanently</a>.\n\n",
     "Location: /v1/kv/a?b=c\r\n"},
    {"GET", "/v1/kv/a%01", "", "", 400, "", NULL},
    {"GET", "/v1/kv/a%zz", "", "", 400, NULL, NULL},
    {"GET", "/v1/kv/a?%zz", "", "", 500, "", NULL},
    {"POST", "/v1/kv/x", "", "", 405, "method POST not allowed", "Allow: OPTIONS,GET,PUT,DELETE\r\n"},
    {"OPTIONS", "/v1/kv/x", "", "", 200, "", "Allow: OPTIONS,GET,PUT,DELETE\r\n"},
    {"PUT", "/v1/status/leader", "", "", 405, "method PUT not allowed", "Allow: OPTIONS,GET\r\n"},
    {"GET", "/v1/status/leader/x", "", "", 404, "", NULL},
    {"GET", "/v1/kv/a?dc=nope", "", "", 500, "No path to datacenter", NULL},
    {"GET", "/v1/kv/a?dc=dc1", "", "", 200, NULL, NULL},
    {"GET", "/v1/kv/a?ns=x", "", "", 400,
     "Bad request: Invalid query parameter: \"ns\" - Namespaces are a Consul Enterprise feature", NULL},
    {"GET", "/v1/kv/a", "X-Consul-Namespace: x\r\n", "", 400,
     "Bad request: Invalid header: \"X-Consul-Namespace\" - Namespaces are a Consul Enterprise feature", NULL},
    {"GET", "/v1/status/leader?ns=x", "", "", 200, NULL, NULL},
    {"GET", "/v1/kv/a?token=garbage", "", "", 200, NULL, "X-Consul-Default-ACL-Policy: allow\r\n"},
    /* http 36 to 41 */
    {"GET", "/v1/kv/a?stale&consistent", "", "", 400,
     "Cannot specify ?stale with ?consistent, conflicting semantics.", NULL},
    {"GET", "/v1/kv/a?index=abc", "", "", 400, "Invalid index", NULL},
    {"PUT", "/v1/kv/a?wait=5", "", "v", 400, "Invalid wait time", NULL},
    {"GET", "/v1/kv/a", "Cache-Control: max-age=abc\r\n", "", 400, "Invalid Cache-Control header.", NULL},
    /* http 64 to 81 */
    {"GET", "/v1/kv/a/b", "", "", 200,
     "[{\"LockIndex\":0,\"Key\":\"a/b\",\"Flags\":0,\"Value\":\"aGVsbG8=\",\"CreateIndex\":10,\"ModifyIndex\":10}]",
     "X-Consul-Index: 10\r\n"},
    {"GET", "/v1/kv/a?stale", "", "", 200, NULL, "X-Consul-KnownLeader: true\r\n"},
    {"GET", "/v1/kv/a?raw&pretty", "", "", 200, "hello", "Content-Type: text/plain\r\n"},
    {"GET", "/v1/kv/a?raw", "", "", 200, "hello", "X-Content-Type-Options: nosniff\r\n"},
    {"GET", "/v1/kv/a?raw", "", "", 200, "hello", "Content-Security-Policy: sandbox\r\n"},
    {"GET", "/v1/kv/zz?recurse", "", "", 404, "", "X-Consul-Index: 10\r\n"},
    {"GET", "/v1/kv/?keys", "", "", 200, "[]", NULL},
    {"GET", "/v1/kv/zz?keys", "", "", 404, "", NULL},
    {"GET", "/v1/kv/", "", "", 400, "Missing key name", NULL},
    {"PUT", "/v1/kv/", "", "v", 400, "Missing key name", NULL},
    {"DELETE", "/v1/kv/", "", "", 400, "Missing key name", NULL},
    {"PUT", "/v1/kv/a?cas=abc", "", "v", 500, "strconv.ParseUint: parsing \"abc\": invalid syntax", NULL},
    {"PUT", "/v1/kv/a?cas=1&acquire=x", "", "v", 400, "Conflicting flags: acquire=x&cas=1", NULL},
    /* http 109 to 123 */
    {"PUT", "/v1/txn", "", "{}", 400,
     "Failed to parse body: json: cannot unmarshal object into Go value of type api.TxnOps", NULL},
    {"PUT", "/v1/txn", "", "[]", 200,
     "{\"Results\":[],\"Errors\":null,\"Index\":0,\"LastContact\":0,\"KnownLeader\":true,"
     "\"ConsistencyLevel\":\"\",\"NotModified\":false}", "X-Consul-KnownLeader: true\r\n"},
    {"PUT", "/v1/txn", "", "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"k\"}}]", 200,
     "{\"Results\":[],\"Errors\":null}", NULL},
    {"PUT", "/v1/txn", "", "[{\"KV\":{\"Verb\":\"get\",\"Key\":\"k\"}}]", 409,
     "{\"Results\":null,\"Errors\":[{\"OpIndex\":0,\"What\":\"key \\\"k\\\" doesn't exist\"}],\"Index\":0,"
     "\"LastContact\":0,\"KnownLeader\":true,\"ConsistencyLevel\":\"\",\"NotModified\":false}", NULL},
    /* http 231 */
    {"GET", "/v1/operator/raft/configuration", "", "", 200, "{\"Servers\":[],\"Index\":0}", NULL},
    {"GET", "/v1/agent/metrics?format=prometheus", "", "", 415,
     "Prometheus is not enabled since its retention time is not positive", NULL},
    // clang-format on
};

START_TEST(each_request_is_answered_as_http_api_says)
{
    open_agent("");
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        ask(rows[i].method, rows[i].target, rows[i].headers, rows[i].body);
        ck_assert_msg(status() == rows[i].status, "%s %s: %s", rows[i].method, rows[i].target,
                      client->reply);
        if (rows[i].want)
            ck_assert_msg(strcmp(web_body(client), rows[i].want) == 0, "%s %s: %s", rows[i].method,
                          rows[i].target, web_body(client));
        if (rows[i].header)
            ck_assert_msg(has(rows[i].header), "%s: %s", rows[i].target, client->reply);
    }
    close_agent();
}
END_TEST

START_TEST(unknown_paths_have_no_heads_of_routes)
{
    open_agent("");
    ask("GET", "/v1/nope", "", "");
    ck_assert(!has("Vary:") && !has("X-Consul"));
    ask("GET", "/v1/kv/a%01", "", "");
    ck_assert(!has("Vary:") && !has("Content-Type:"));
    close_agent();
}
END_TEST

START_TEST(self_tells_who_we_are_with_and_without_a_catalog)
{
    open_agent("");
    FAKE_WAIT(env.loop, cu_view_is_up(((struct agent *)agent)->view));
    ask("GET", "/v1/agent/self", "", "");
    ck_assert(has("\"Version\":\"1.9.8\"") && has("\"applied_index\":\"7\""));
    ck_assert(has("\"state\":\"Leader\"") && has("\"leader\":\"true\""));
    fake_catalog_stop(fake);
    FAKE_WAIT(env.loop, !cu_view_is_up(((struct agent *)agent)->view));
    ask("GET", "/v1/agent/self", "", "");
    ck_assert(has("\"NodeName\":\"edge1\"") && !has("applied_index"));
    fake_catalog_start(fake);
    close_agent();
}
END_TEST

START_TEST(a_write_names_its_origin_and_waits_for_its_answer)
{
    open_agent("");
    ask("PUT", "/v1/kv/a?acquire=s1", "", "new");
    ck_assert_str_eq(web_body(client), "true");
    ck_assert_str_eq(fake->last_origin, "agentd");
    ck_assert_str_eq(fake->last_session, "s1");
    ck_assert_str_eq(fake->value, "new");
    close_agent();
}
END_TEST

START_TEST(an_outcome_that_is_not_known_is_said_so) /* contracts 1.9 */
{
    open_agent("");
    FAKE_WAIT(env.loop, cu_view_is_up(((struct agent *)agent)->view));
    fake->swallows_puts = true;
    web_say(client, "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nv");
    FAKE_WAIT(env.loop, fake->puts == 1);
    fake_catalog_stop(fake);
    FAKE_WAIT(env.loop, web_is_answered(client));
    ck_assert_uint_eq(status(), 500);
    ck_assert_str_eq(web_body(client), "leadership lost while committing log");
    fake_catalog_start(fake);
    close_agent();
}
END_TEST

static const struct {
    enum cu_err err;
    unsigned status;
    const char *body;
} errors[] = {
    {CU_E_NO_LEADER, 500, "No cluster leader"}, {CU_E_DENIED, 403, "as told"},
    {CU_E_OVERLOADED, 429, "as told"},          {CU_E_INVALID, 500, "as told"},
    {CU_E_TOO_LARGE, 413, "as told"},
};

START_TEST(errors_of_the_catalog_become_statuses)
{
    open_agent("");
    for (size_t i = 0; i < CU_COUNT(errors); i++) {
        fake->fail_with = errors[i].err;
        ask("PUT", "/v1/kv/a", "", "v");
        ck_assert_uint_eq(status(), errors[i].status);
        ck_assert_str_eq(web_body(client), errors[i].body);
        ask("GET", "/v1/kv/a", "", "");
        ck_assert_uint_eq(status(), errors[i].status);
        ck_assert(!has("X-Consul-Index")); /* http-api.md 1.5 */
    }
    close_agent();
}
END_TEST

START_TEST(a_blocking_read_is_woken_by_a_change_and_leaves_with_its_client)
{
    open_agent("");
    web_say(client, "GET /v1/kv/a?index=10&wait=60s HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(env.loop, fake->wait_count == 1);
    fake_catalog_change(fake, "woken");
    FAKE_WAIT(env.loop, web_is_answered(client));
    ck_assert(has("X-Consul-Index: 11\r\n"));
    web_forget(client);
    web_say(client, "GET /v1/kv/a?index=11&wait=60s HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(env.loop, fake->wait_count == 1);
    web_hang_up(client);
    FAKE_WAIT(env.loop, fake->gone == 1);
    client = web_dial(env.loop);
    close_agent();
}
END_TEST

START_TEST(a_wait_that_is_over_answers_the_same_index_again) /* http 42 */
{
    open_agent("");
    struct cu_mono start = cu_mono_now();
    ask("GET", "/v1/kv/a?index=10&wait=200ms", "", "");
    ck_assert_uint_ge(cu_mono_ms_between(start, cu_mono_now()), 200);
    ck_assert_uint_eq(status(), 200);
    ck_assert(has("X-Consul-Index: 10\r\n"));
    close_agent();
}
END_TEST

START_TEST(an_answer_that_is_too_stale_is_read_again_in_default_mode) /* http-api.md 1.8 */
{
    open_agent("");
    fake->last_contact_ms = 6000;
    ask("GET", "/v1/kv/a?max_stale=7s", "", "");
    ck_assert(has("X-Consul-LastContact: 6000\r\n"));
    ask("GET", "/v1/kv/a?max_stale=5s", "", "");
    ck_assert(has("X-Consul-LastContact: 0\r\n"));
    ck_assert_uint_eq(fake->gets, 3);
    close_agent();
}
END_TEST

START_TEST(long_answers_are_compressed_for_those_who_take_it) /* http 21, 22 */
{
    char large[2001];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    open_agent("");
    ask("GET", "/v1/kv/a", "Accept-Encoding: gzip\r\n", "");
    ck_assert(!has("Content-Encoding"));
    fake_catalog_change(fake, large);
    ask("GET", "/v1/kv/a", "Accept-Encoding: gzip\r\n", "");
    ck_assert(has("Content-Encoding: gzip\r\n"));
    ask("GET", "/v1/kv/a?raw", "", "");
    ck_assert_str_eq(web_body(client), large);
    close_agent();
}
END_TEST

START_TEST(configured_rules_hold_on_every_answer) /* http 23, 24, 25, 32 */
{
    open_agent("\"translate_wan_addrs\":true,\"http_config\":{\"response_headers\":{\"X-A\":\"b\"},"
               "\"block_endpoints\":[\"/v1/agent/s\"],\"allow_write_http_from\":[\"10.0.0.0/8\"]}");
    ask("GET", "/v1/kv/a", "", "");
    ck_assert(has("X-A: b\r\n") && has("X-Consul-Translate-Addresses: true\r\n"));
    ask("GET", "/v1/nope", "", "");
    ck_assert(has("X-A: b\r\n"));
    ask("GET", "/v1/agent/self", "", "");
    ck_assert_uint_eq(status(), 403);
    ck_assert_str_eq(web_body(client), "Endpoint is blocked by agent configuration");
    ask("PUT", "/v1/kv/a", "", "v");
    ck_assert_uint_eq(status(), 403);
    ck_assert_str_eq(web_body(client), "Access is restricted");
    ck_assert_uint_eq(fake->puts, 0);
    close_agent();
}
END_TEST

START_TEST(a_value_at_the_limit_is_taken_and_one_byte_more_is_413) /* http 80 */
{
    char body[102];
    open_agent("\"limits\":{\"kv_max_value_size\":100}");
    memset(body, 'v', sizeof body);
    body[100] = 0;
    ask("PUT", "/v1/kv/a", "", body);
    ck_assert_str_eq(web_body(client), "true");
    body[100] = 'v';
    body[101] = 0;
    ask("PUT", "/v1/kv/a", "", body);
    ck_assert_uint_eq(status(), 413);
    ck_assert_str_eq(web_body(client),
                     "Request body(101 bytes) too large, max size: 100 bytes. See "
                     "https://www.consul.io/docs/agent/options.html#kv_max_value_size.");
    ck_assert(has("Connection: close\r\n"));
    web_hang_up(client);
    client = web_dial(env.loop);
    web_say(client, "PUT /v1/kv/a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n65\r\n");
    web_say(client, body);
    web_say(client, "\r\n0\r\n\r\n");
    FAKE_WAIT(env.loop, web_is_answered(client));
    ck_assert_str_eq(web_body(client),
                     "Request body too large, max size: 100 bytes. See "
                     "https://www.consul.io/docs/agent/options.html#kv_max_value_size.");
    ck_assert_uint_eq(fake->puts, 1);
    close_agent();
}
END_TEST

START_TEST(a_length_beside_chunks_is_refused) /* http-api.md 2.12 */
{
    open_agent("");
    web_say(client, "PUT /v1/kv/a HTTP/1.1\r\n" HOST
                    "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nv\r\n0\r\n\r\n");
    FAKE_WAIT(env.loop, web_is_answered(client));
    ck_assert_uint_eq(status(), 400);
    ck_assert_uint_eq(fake->puts, 0);
    close_agent();
}
END_TEST

START_TEST(more_parameters_than_there_is_room_for_are_refused)
{
    char request[8000] = "GET /v1/kv/a?";
    open_agent("");
    for (int i = 0; i < 3000; i++)
        strcat(request, "a&");
    strcat(request, " HTTP/1.1\r\n" HOST "\r\n");
    web_say(client, request);
    FAKE_WAIT(env.loop, web_is_answered(client));
    ck_assert_uint_eq(status(), 414);
    ask("GET", "/v1/kv/a?a&a&a&a&a&a&a&a", "", "");
    ck_assert_uint_eq(status(), 200);
    close_agent();
}
END_TEST

START_TEST(metrics_count_requests_by_route)
{
    open_agent("");
    ask("GET", "/v1/kv/a", "", "");
    ask("GET", "/v1/agent/metrics", "", "");
    ck_assert(has("{\"Timestamp\":\"") && has("\"Points\":[],"));
    ck_assert(has("\"consul.http.GET.v1.kv._\"") && has("\"consul.api.http\""));
    ck_assert(has("\"consul.http.requests\"") && has("\"consul.view.waiters\""));
    close_agent();
}
END_TEST

SUITE_MAIN("services/agentd/agent", each_request_is_answered_as_http_api_says,
           unknown_paths_have_no_heads_of_routes, self_tells_who_we_are_with_and_without_a_catalog,
           a_write_names_its_origin_and_waits_for_its_answer,
           an_outcome_that_is_not_known_is_said_so, errors_of_the_catalog_become_statuses,
           a_blocking_read_is_woken_by_a_change_and_leaves_with_its_client,
           a_wait_that_is_over_answers_the_same_index_again,
           an_answer_that_is_too_stale_is_read_again_in_default_mode,
           long_answers_are_compressed_for_those_who_take_it, configured_rules_hold_on_every_answer,
           a_value_at_the_limit_is_taken_and_one_byte_more_is_413,
           a_length_beside_chunks_is_refused, more_parameters_than_there_is_room_for_are_refused,
           metrics_count_requests_by_route)
