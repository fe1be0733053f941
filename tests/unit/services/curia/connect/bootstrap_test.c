/* What `connect envoy` makes of the keys of Proxy.Config that only count at the start
 * (mesh.md 2.9); that Envoy takes the rest is shown by tests/e2e/mesh.py. */
#include "services/curia/connect/bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct cu_diag diag;

static enum cu_err make(const char *config, json_t **ret_json)
{
    json_t *keys = json_loads(config, 0, NULL);
    struct bootstrap in = {.proxy_id = "web-sidecar-proxy",
                           .cluster = "web",
                           .node_name = "n1",
                           .datacenter = "dc1",
                           .ns = "default",
                           .token = "",
                           .admin_access_log = "/dev/null",
                           .admin = {.ip = "127.0.0.1", .port = 19000},
                           .xds = {{.ip = "10.0.0.1", .port = 8502}, {.path = "/run/xds.sock"}},
                           .xds_count = 2,
                           .config = keys};
    ck_assert_ptr_nonnull(keys);
    diag = (struct cu_diag){0};
    enum cu_err err = bootstrap_make(&in, ret_json, &diag);
    json_decref(keys);
    return err;
}

/* By path: "a/b/0/c". */
static json_t *at(json_t *json, const char *path)
{
    char part[64];
    while (json && *path) {
        size_t len = strcspn(path, "/");
        ck_assert_uint_lt(len, sizeof part);
        memcpy(part, path, len);
        part[len] = '\0';
        json = json_is_array(json) ? json_array_get(json, strtoul(part, NULL, 10))
                                   : json_object_get(json, part);
        path += len + (path[len] == '/');
    }
    return json;
}

static void check_text(json_t *json, const char *path, const char *want)
{
    const char *got = json_string_value(at(json, path));
    ck_assert_msg(got && strcmp(got, want) == 0, "%s: %s", path, got ? got : "(none)");
}

START_TEST(it_says_who_and_where)
{
    json_t *json = NULL;
    ck_assert_msg(!make("{}", &json), "%s", diag.text);
    check_text(json, "node/id", "web-sidecar-proxy");
    check_text(json, "node/cluster", "web");
    check_text(json, "node/metadata/node_name", "n1");
    check_text(json, "dynamic_resources/ads_config/api_type", "DELTA_GRPC");
    const char *metadata = "dynamic_resources/ads_config/grpc_services/initial_metadata";
    json_t *token = at(json, metadata); /* also an empty one (mesh 42) */
    check_text(token, "0/key", "x-consul-token");
    check_text(token, "0/value", "");
    const char *endpoints = "static_resources/clusters/0/load_assignment/endpoints/0/lb_endpoints";
    json_t *list = at(json, endpoints);
    ck_assert_uint_eq(json_array_size(list), 2);
    check_text(list, "0/endpoint/address/socket_address/address", "10.0.0.1");
    check_text(list, "1/endpoint/address/pipe/path", "/run/xds.sock");
    ck_assert_uint_eq(json_array_size(at(json, "stats_config/stats_tags")), 9 + 3 + 9 + 4);
    check_text(json, "stats_config/stats_tags/0/tag_name", "consul.destination.custom_hash");
    check_text(json, "stats_config/stats_tags/24/fixed_value", "dc1");
    ck_assert_ptr_null(at(json, "stats_sinks"));
    ck_assert_ptr_null(at(json, "static_resources/listeners"));
    json_decref(json);
}
END_TEST

START_TEST(keys_that_count_at_the_start_are_heeded)
{
    json_t *json = NULL;
    ck_assert_msg(
        !make("{\"envoy_statsd_url\":\"udp://127.0.0.1:9125\",\"envoy_dogstatsd_url\":"
              "\"unix:///run/dog\",\"envoy_prometheus_bind_addr\":\"0.0.0.0:9102\","
              "\"envoy_stats_bind_addr\":\"[::1]:9103\",\"envoy_stats_flush_interval\":\"10s\","
              "\"envoy_stats_tags\":[\"Team=a\",\"x\",\"local_cluster=y\"],"
              "\"envoy_extra_static_clusters_json\":\"{\\\"name\\\":\\\"one\\\"},{\\\"name\\\":"
              "\\\"two\\\"}\",\"envoy_extra_stats_sinks_json\":\"{\\\"name\\\":\\\"s\\\"}\","
              "\"envoy_tracing_json\":\"{\\\"http\\\":{}}\"}",
              &json),
        "%s", diag.text);
    check_text(json, "stats_sinks/0/name", "envoy.stat_sinks.statsd");
    check_text(json, "stats_sinks/0/typed_config/address/socket_address/address", "127.0.0.1");
    check_text(json, "stats_sinks/1/typed_config/address/pipe/path", "/run/dog");
    check_text(json, "stats_sinks/2/name", "s");
    check_text(json, "stats_flush_interval", "10s");
    check_text(json, "stats_config/stats_tags/0/tag_name", "team");
    check_text(json, "stats_config/stats_tags/1/fixed_value", "1");
    check_text(json, "stats_config/stats_tags/2/fixed_value", "y");
    ck_assert_uint_eq(json_array_size(at(json, "stats_config/stats_tags")), 3 + 9 + 3 + 9 + 3);
    ck_assert_uint_eq(json_array_size(at(json, "static_resources/listeners")), 2);
    check_text(json, "static_resources/listeners/1/address/socket_address/address", "::1");
    ck_assert_uint_eq(json_array_size(at(json, "static_resources/clusters")), 4);
    check_text(json, "static_resources/clusters/2/name", "two");
    check_text(json, "static_resources/clusters/3/name", "self_admin"); /* once, for both */
    ck_assert_ptr_nonnull(at(json, "tracing/http"));
    json_decref(json);
}
END_TEST

START_TEST(what_cannot_be_used_is_said)
{
    static const char *const table[][2] = {
        {"{\"envoy_statsd_url\":\"http://127.0.0.1:1\"}",
         "unsupported address protocol \"http\" for envoy.stat_sinks.statsd sink"},
        {"{\"envoy_dogstatsd_url\":\"udp://127.0.0.1\"}", "no IP:PORT in"},
        {"{\"envoy_prometheus_bind_addr\":\"127.0.0.1\"}", "envoy_prometheus_bind_addr: wants"},
        {"{\"envoy_stats_bind_addr\":\"127.0.0.1:65536\"}", "envoy_stats_bind_addr: wants"},
        {"{\"envoy_extra_static_clusters_json\":\"{\"}", "envoy_extra_static_clusters_json:"},
        {"{\"envoy_tracing_json\":\"x\"}", "envoy_tracing_json:"},
        {"{\"envoy_stats_config_json\":\"x\"}", "envoy_stats_config_json:"},
    };
    for (size_t i = 0; i < CU_COUNT(table); i++) {
        json_t *json = NULL;
        ck_assert_int_eq(make(table[i][0], &json), CU_E_INVALID);
        ck_assert_msg(strstr(diag.text, table[i][1]) == diag.text, "%s", diag.text);
    }
}
END_TEST

START_TEST(addresses_are_read_strictly)
{
    struct bootstrap_address out;
    static const char *const bad[] = {
        "", ":", ":80", "a", "a:", "a:0", "a:65536", "[]:1", "[::1:1", "a:-1"};
    for (size_t i = 0; i < CU_COUNT(bad); i++)
        ck_assert_msg(!bootstrap_address_read(bad[i], strlen(bad[i]), &out), "%s", bad[i]);
    ck_assert(bootstrap_address_read("[::1]:80", 8, &out));
    ck_assert_str_eq(out.ip, "::1");
    ck_assert_uint_eq(out.port, 80);
}
END_TEST

SUITE_MAIN("services/curia/connect/bootstrap", it_says_who_and_where,
           keys_that_count_at_the_start_are_heeded, what_cannot_be_used_is_said,
           addresses_are_read_strictly)
