#include "services/xdsd/core/opaque.h"

#include "tests/lib/suite.h"

static struct cu_arena *arena;

static struct xds_proxy_keys proxy_keys(const char *json)
{
    struct xds_proxy_keys keys = {0};
    xds_read_proxy_keys(cu_bytes_of(json), arena, &keys);
    return keys;
}

static struct xds_upstream upstream_keys(const char *json, const char **ret_protocol)
{
    struct xds_upstream upstream = {.connect_timeout_ms = 5000};
    *ret_protocol = NULL;
    xds_read_upstream_keys(cu_bytes_of(json), arena, &upstream, ret_protocol);
    return upstream;
}

START_TEST(keys_of_a_proxy_are_weakly_typed) /* mesh.md 2.7 */
{
    arena = cu_arena_new(1024 * 1024);
    struct xds_proxy_keys keys =
        proxy_keys("{\"Protocol\":\"HTTP\",\"BIND_ADDRESS\":[\"10.0.0.1\"],\"bind_port\":\"81\","
                   "\"local_connect_timeout_ms\":250,\"unknown\":{\"protocol\":\"grpc\"}}");
    ck_assert_str_eq(keys.protocol, "HTTP");
    ck_assert_str_eq(keys.bind_address, "10.0.0.1");
    ck_assert(keys.bind_port.is_set);
    ck_assert_uint_eq(keys.bind_port.value, 81);
    ck_assert_uint_eq(keys.local_connect_timeout_ms.value, 250);
    cu_arena_free(arena);
}
END_TEST

START_TEST(what_does_not_fit_counts_as_not_given)
{
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "{",
        "{\"protocol\":1.5e",
        "{\"bind_port\":-1,\"protocol\":{}}",
        "{\"bind_port\":4294967296}",
        "{\"bind_port\":[1,2]}",
        "{\"protocol\":\"\"}",
        "{\"bind_port\":true,\"local_connect_timeout_ms\":\"x\"}",
    };
    arena = cu_arena_new(1024 * 1024);
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        struct xds_proxy_keys keys = proxy_keys(bad[i]);
        ck_assert_msg(!keys.protocol && !keys.bind_address && !keys.bind_port.is_set &&
                          !keys.local_connect_timeout_ms.is_set,
                      "%s", bad[i]);
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(limits_and_passive_checks_keep_an_explicit_zero) /* mesh.md 2.7, item 112 */
{
    const char *protocol;
    arena = cu_arena_new(1024 * 1024);
    struct xds_upstream up = upstream_keys(
        "{\"protocol\":\"http\",\"connect_timeout_ms\":\"1500\",\"limits\":{\"max_connections\":0,"
        "\"max_pending_requests\":7},\"passive_health_check\":{\"interval\":\"10s\","
        "\"max_failures\":0,\"base_ejection_time\":30000000000}}",
        &protocol);
    ck_assert_str_eq(protocol, "http");
    ck_assert_uint_eq(up.connect_timeout_ms, 1500);
    ck_assert(up.limits.max_connections.is_set);
    ck_assert_uint_eq(up.limits.max_connections.value, 0);
    ck_assert_uint_eq(up.limits.max_pending_requests.value, 7);
    ck_assert(!up.limits.max_concurrent_requests.is_set);
    ck_assert(up.passive_health_check.is_set);
    ck_assert_uint_eq(up.passive_health_check.interval_ms, 10000);
    ck_assert_uint_eq(up.passive_health_check.base_ejection_time_ms, 30000);
    ck_assert(up.passive_health_check.max_failures.is_set);
    up = upstream_keys("{\"connect_timeout_ms\":0}", &protocol);
    ck_assert_uint_eq(up.connect_timeout_ms, 5000);
    ck_assert(!up.passive_health_check.is_set && !protocol);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/xdsd/core/opaque", keys_of_a_proxy_are_weakly_typed,
           what_does_not_fit_counts_as_not_given, limits_and_passive_checks_keep_an_explicit_zero)
