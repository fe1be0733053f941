#include "services/xdsd/core/view.h"

#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/v1/config.pb-c.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/xdsd/core/rows.h"

static const char *const db[] = {"db 9191", NULL};

static struct rows filled(void)
{
    struct rows rows = rows_new(true);
    rows_root(&rows, "r1", "ROOT1\n", true);
    rows_node(&rows, "n1", "10.0.0.1");
    rows_node(&rows, "n2", "10.0.0.2");
    rows_client(&rows, "n1", "web-sidecar-proxy", "web", "", db);
    rows_sidecar(&rows, "n2", "db-sidecar-proxy", "db");
    return rows;
}

static const struct xds_upstream *upstream_of(struct rows *rows)
{
    struct xds_proxy proxy = rows_proxy(rows, "n1", "web-sidecar-proxy");
    ck_assert_uint_eq(proxy.upstream_count, 1);
    return &proxy.upstreams[0];
}

static void check_instance(struct rows *rows, const char *want)
{
    char got[256] = "";
    const struct xds_upstream *upstream = upstream_of(rows);
    for (size_t i = 0; i < upstream->instance_count; i++) {
        const struct xds_instance *one = &upstream->instances[i];
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s:%u/%u%s", i ? " " : "",
                       one->address, one->port, one->weight, one->is_healthy ? "" : "!");
    }
    ck_assert_str_eq(got, want);
}

START_TEST(a_proxy_is_its_registration_and_the_instances_behind_its_upstreams)
{
    struct rows rows = filled();
    struct xds_proxy proxy = rows_proxy(&rows, "N1", "Web-Sidecar-Proxy"); /* letter case aside */
    ck_assert_str_eq(proxy.service, "web");
    ck_assert_str_eq(proxy.trust_domain, "11111111-2222-3333-4444-555555555555.consul");
    ck_assert_str_eq(proxy.roots_pem, "ROOT1\n");
    ck_assert_str_eq(proxy.bind_address, "0.0.0.0");
    ck_assert_uint_eq(proxy.bind_port, 21000);
    ck_assert_str_eq(proxy.local_address, "127.0.0.1");
    ck_assert_uint_eq(proxy.local_port, 8080);
    ck_assert_uint_eq(proxy.local_connect_timeout_ms, 5000);
    ck_assert_int_eq(proxy.protocol, XDS_TCP);
    const struct xds_upstream *upstream = upstream_of(&rows);
    ck_assert_str_eq(upstream->service, "db");
    ck_assert_str_eq(upstream->datacenter, "dc1");
    ck_assert_str_eq(upstream->bind_address, "127.0.0.1");
    ck_assert_uint_eq(upstream->bind_port, 9191);
    check_instance(&rows, "10.0.0.2:21000/1");
    rows_free(&rows);
}
END_TEST

START_TEST(nothing_is_found_before_there_is_a_ca_or_a_registration)
{
    struct rows rows = rows_new(true);
    struct xds_proxy proxy;
    size_t left_out;
    rows_sidecar(&rows, "n1", "web-sidecar-proxy", "web");
    ck_assert_int_eq(
        xds_view_proxy(rows.view, "n1", "web-sidecar-proxy", rows.arena, &proxy, &left_out),
        XDS_UNREGISTERED);
    rows_root(&rows, "r1", "ROOT1\n", true);
    ck_assert_int_eq(xds_view_proxy(rows.view, "n1", "other", rows.arena, &proxy, &left_out),
                     XDS_UNREGISTERED);
    ck_assert_int_eq(
        xds_view_proxy(rows.view, "n2", "web-sidecar-proxy", rows.arena, &proxy, &left_out),
        XDS_UNREGISTERED);
    Curia__V1__Service plain = CURIA__V1__SERVICE__INIT;
    plain.service = "web";
    ck_assert_int_eq(rows_put(&rows, XDS_SERVICES, "n1", "web", &plain.base), CU_OK);
    ck_assert_int_eq(xds_view_proxy(rows.view, "n1", "web", rows.arena, &proxy, &left_out),
                     XDS_NO_PROXY);
    rows_free(&rows);
}
END_TEST

START_TEST(health_is_the_worst_of_the_checks_of_instance_and_node) /* mesh.md 6.6.3, item 122 */
{
    struct rows rows = filled();
    rows_check(&rows, "n2", "serfHealth", "", "passing");
    rows_check(&rows, "n2", "service:db:1", "db-sidecar-proxy", "passing");
    check_instance(&rows, "10.0.0.2:21000/1");
    rows_check(&rows, "n2", "service:db:1", "db-sidecar-proxy", "critical");
    check_instance(&rows, "10.0.0.2:21000/1!");
    rows_check(&rows, "n2", "service:db:1", "db-sidecar-proxy", "warning");
    check_instance(&rows, "10.0.0.2:21000/1");
    rows_check(&rows, "n2", "serfHealth", "", "critical");
    check_instance(&rows, "10.0.0.2:21000/1!");
    rows_del(&rows, XDS_CHECKS, "n2", "serfhealth");
    check_instance(&rows, "10.0.0.2:21000/1!"); /* keys are lower-cased where they are made */
    rows_del(&rows, XDS_CHECKS, "n2", "serfHealth");
    check_instance(&rows, "10.0.0.2:21000/1");
    rows_free(&rows);
}
END_TEST

START_TEST(weights_are_cut_to_what_envoy_takes) /* mesh.md 6.6.3 */
{
    static const struct {
        int32_t passing, warning;
        const char *status, *want;
    } table[] = {
        {3, 7, "passing", "10.0.0.9:80/3"},     {3, 7, "warning", "10.0.0.9:80/7"},
        {128, 1, "passing", "10.0.0.9:80/128"}, {129, 1, "passing", "10.0.0.9:80/128"},
        {0, 1, "passing", "10.0.0.9:80/1!"},    {3, 0, "warning", "10.0.0.9:80/1!"},
    };
    struct rows rows = filled();
    rows_del(&rows, XDS_SERVICES, "n2", "db-sidecar-proxy");
    check_instance(&rows, "");
    for (size_t i = 0; i < CU_COUNT(table); i++) {
        Curia__V1__Service row = CURIA__V1__SERVICE__INIT;
        Curia__V1__Weights weights = CURIA__V1__WEIGHTS__INIT;
        Curia__V1__Connect connect = CURIA__V1__CONNECT__INIT;
        row.service = "db";
        row.address = "10.0.0.9";
        row.port = 80;
        row.weights = &weights;
        row.connect = &connect;
        connect.native = true;
        weights.passing = table[i].passing;
        weights.warning = table[i].warning;
        ck_assert_int_eq(rows_put(&rows, XDS_SERVICES, "n2", "db", &row.base), CU_OK);
        rows_check(&rows, "n2", "c", "db", table[i].status);
        check_instance(&rows, table[i].want);
    }
    rows_free(&rows);
}
END_TEST

START_TEST(rows_come_in_any_order_and_leave_nothing_behind)
{
    struct rows rows = rows_new(true);
    rows_check(&rows, "n2", "c", "db-sidecar-proxy", "critical");
    rows_check(&rows, "n2", "serfhealth", "", "passing");
    rows_sidecar(&rows, "n2", "db-sidecar-proxy", "db");
    rows_client(&rows, "n1", "web-sidecar-proxy", "web", "", db);
    rows_root(&rows, "r1", "ROOT1\n", true);
    check_instance(&rows, ":21000/1!"); /* its node is not known yet */
    rows_node(&rows, "n2", "10.0.0.2");
    check_instance(&rows, "10.0.0.2:21000/1!");
    rows_del(&rows, XDS_NODES, "n2", "");
    rows_del(&rows, XDS_SERVICES, "n2", "db-sidecar-proxy");
    rows_del(&rows, XDS_SERVICES, "n1", "web-sidecar-proxy");
    rows_del(&rows, XDS_CHECKS, "n2", "c");
    rows_del(&rows, XDS_CHECKS, "n2", "serfhealth");
    struct xds_view_counts counts = xds_view_counts(rows.view);
    ck_assert_uint_eq(counts.nodes + counts.instances + counts.checks + counts.entries, 0);
    rows_free(&rows);
}
END_TEST

START_TEST(what_is_no_row_is_refused_and_takes_the_old_one_with_it)
{
    struct rows rows = filled();
    static const uint8_t bad[] = {0xff, 0xff, 0xff};
    static const char key[] = "default\0default\0n2\0db-sidecar-proxy";
    struct cu_bytes row = {bad, sizeof bad};
    ck_assert_int_eq(xds_view_put(rows.view, XDS_SERVICES,
                                  (struct cu_bytes){(const uint8_t *)key, sizeof key - 1}, row),
                     CU_E_INVALID);
    check_instance(&rows, "");
    ck_assert_int_eq(xds_view_put(rows.view, XDS_NODES, cu_bytes_of("default"), row), CU_E_INVALID);
    Curia__V1__Check check = CURIA__V1__CHECK__INIT;
    ck_assert_int_eq(rows_put(&rows, XDS_CHECKS, "no-id", "", &check.base), CU_E_INVALID);
    rows_free(&rows);
}
END_TEST

START_TEST(protocols_come_from_the_registration_then_the_service_then_all_proxies) /* mesh.md 2.6 */
{
    struct rows rows = filled();
    Curia__V1__ConfigEntry row = CURIA__V1__CONFIG_ENTRY__INIT;
    Curia__V1__ProxyDefaults all = CURIA__V1__PROXY_DEFAULTS__INIT;
    static const char config[] = "{\"protocol\":\"grpc\",\"local_connect_timeout_ms\":\"700\"}";
    row.kind = "proxy-defaults";
    row.name = "global";
    row.proxy_defaults = &all;
    all.protocol = "grpc";
    all.config = (ProtobufCBinaryData){sizeof config - 1, (uint8_t *)(uintptr_t)config};
    ck_assert_int_eq(rows_put(&rows, XDS_ENTRIES, row.kind, row.name, &row.base), CU_OK);
    ck_assert_int_eq(upstream_of(&rows)->protocol, XDS_GRPC);
    ck_assert_int_eq(rows_proxy(&rows, "n1", "web-sidecar-proxy").protocol, XDS_GRPC);
    ck_assert_uint_eq(rows_proxy(&rows, "n1", "web-sidecar-proxy").local_connect_timeout_ms, 700);
    rows_protocol(&rows, "db", "http2");
    rows_protocol(&rows, "web", "http");
    ck_assert_int_eq(upstream_of(&rows)->protocol, XDS_HTTP2);
    ck_assert_int_eq(rows_proxy(&rows, "n1", "web-sidecar-proxy").protocol, XDS_HTTP);
    static const char *const own[] = {"db 9191 {\"protocol\":\"TCP\"}", NULL};
    rows_client(&rows, "n1", "web-sidecar-proxy", "web", "{\"Protocol\":\"http2\"}", own);
    ck_assert_int_eq(upstream_of(&rows)->protocol, XDS_TCP);
    ck_assert_int_eq(rows_proxy(&rows, "n1", "web-sidecar-proxy").protocol, XDS_HTTP2);
    rows_del(&rows, XDS_ENTRIES, "service-defaults", "db");
    rows_free(&rows);
}
END_TEST

START_TEST(intentions_are_those_of_the_service_and_of_all_by_precedence) /* mesh.md 3.3 */
{
    static const char *const own[] = {"* deny", "b allow", "a deny", NULL};
    static const char *const all[] = {"* allow", "a allow", NULL};
    static const char *const want[] = {"a 9", "b 9", "* 8", "a 6", "* 5"};
    struct rows rows = filled();
    rows_intentions(&rows, "web", own);
    rows_intentions(&rows, "*", all);
    rows_intentions(&rows, "other", own);
    struct xds_proxy proxy = rows_proxy(&rows, "n1", "web-sidecar-proxy");
    ck_assert_uint_eq(proxy.intention_count, CU_COUNT(want));
    for (size_t i = 0; i < CU_COUNT(want); i++) {
        char got[64];
        (void)snprintf(got, sizeof got, "%s %u", proxy.intentions[i]->source_name,
                       proxy.intentions[i]->precedence);
        ck_assert_str_eq(got, want[i]);
    }
    ck_assert(proxy.default_allow);
    rows_free(&rows);
}
END_TEST

START_TEST(all_roots_are_trusted_and_the_active_one_named)
{
    struct rows rows = filled();
    rows_root(&rows, "r0", "ROOT0\n", false);
    struct xds_roots roots = xds_view_roots(rows.view);
    ck_assert_str_eq(roots.pem, "ROOT0\nROOT1\n");
    ck_assert_str_eq(roots.active_id, "r1");
    rows_del(&rows, XDS_CA_ROOTS, "r1", "");
    roots = xds_view_roots(rows.view);
    ck_assert_ptr_null(roots.active_id);
    ck_assert_ptr_null(roots.trust_domain);
    rows_free(&rows);
}
END_TEST

/* ---- news ---- */

static struct rows watched;
static struct xds_needs needs;

static void make(void)
{
    struct xds_proxy proxy = rows_proxy(&watched, "n1", "web-sidecar-proxy");
    xds_needs_set(&needs, watched.view, &proxy);
}

static bool has_news(void)
{
    bool has = xds_view_has_news(watched.view, &needs, "n1", "web-sidecar-proxy");
    if (has)
        make();
    return has;
}

START_TEST(only_what_a_proxy_was_made_of_is_news_to_it)
{
    static const char *const sources[] = {"web deny", NULL};
    watched = filled();
    ck_assert(has_news());
    ck_assert(!has_news());
    rows_sidecar(&watched, "n2", "other-sidecar-proxy", "other");
    rows_check(&watched, "n2", "c1", "other-sidecar-proxy", "critical");
    rows_protocol(&watched, "other", "http");
    rows_intentions(&watched, "other", sources);
    rows_node(&watched, "n2", "10.0.0.2"); /* as it was */
    ck_assert(!has_news());
    rows_check(&watched, "n2", "c2", "db-sidecar-proxy", "passing");
    ck_assert(has_news());
    rows_check(&watched, "n2", "c2", "db-sidecar-proxy", "passing");
    ck_assert(!has_news());
    rows_check(&watched, "n2", "c2", "db-sidecar-proxy", "critical");
    ck_assert(has_news());
    rows_check(&watched, "n2", "node", "", "critical");
    ck_assert(has_news());
    rows_node(&watched, "n2", "10.0.0.3");
    ck_assert(has_news());
    rows_protocol(&watched, "db", "http");
    ck_assert(has_news());
    rows_del(&watched, XDS_ENTRIES, "service-defaults", "db");
    ck_assert(has_news());
    rows_intentions(&watched, "web", sources);
    ck_assert(has_news());
    rows_intentions(&watched, "*", sources);
    ck_assert(has_news());
    rows_root(&watched, "r2", "ROOT2\n", false);
    ck_assert(has_news());
    rows_del(&watched, XDS_SERVICES, "n2", "db-sidecar-proxy");
    ck_assert(has_news());
    rows_sidecar(&watched, "n2", "db-sidecar-proxy", "db");
    ck_assert(has_news());
    rows_sidecar(&watched, "n1", "web-sidecar-proxy", "web");
    ck_assert(has_news());
    rows_sidecar(&watched, "n2", "db2-sidecar-proxy", "db");
    ck_assert(!has_news()); /* it has no upstreams any more */
    rows_del(&watched, XDS_SERVICES, "n1", "web-sidecar-proxy");
    ck_assert(xds_view_has_news(watched.view, &needs, "n1", "web-sidecar-proxy"));
    xds_needs_set(&needs, watched.view, NULL);
    ck_assert(!xds_view_has_news(watched.view, &needs, "n1", "web-sidecar-proxy"));
    rows_sidecar(&watched, "n1", "web-sidecar-proxy", "web");
    ck_assert(xds_view_has_news(watched.view, &needs, "n1", "web-sidecar-proxy"));
    xds_needs_deinit(&needs);
    rows_free(&watched);
}
END_TEST

START_TEST(more_instances_than_the_limit_are_no_proxy) /* at the limit, and one more */
{
    static const char *const upstreams[] = {"db 1", "db 2", "db 3", "db 4",  "db 5",     "db 6",
                                            "db 7", "db 8", "db 9", "db 10", "other 11", NULL};
    struct rows rows = filled();
    char id[32];
    size_t left_out;
    rows_client(&rows, "n1", "web-sidecar-proxy", "web", "", upstreams);
    for (int i = 1; i < XDS_INSTANCES_MAX / 10; i++) {
        (void)snprintf(id, sizeof id, "db%d", i);
        rows_sidecar(&rows, "n2", id, "db");
    }
    struct xds_proxy proxy = rows_proxy(&rows, "n1", "web-sidecar-proxy");
    ck_assert_uint_eq(proxy.upstreams[9].instance_count, XDS_INSTANCES_MAX / 10);
    rows_sidecar(&rows, "n2", "one-more", "other");
    ck_assert_int_eq(
        xds_view_proxy(rows.view, "n1", "web-sidecar-proxy", rows.arena, &proxy, &left_out),
        XDS_OVERSIZED);
    rows_free(&rows);
}
END_TEST

SUITE_MAIN("services/xdsd/core/view",
           a_proxy_is_its_registration_and_the_instances_behind_its_upstreams,
           nothing_is_found_before_there_is_a_ca_or_a_registration,
           health_is_the_worst_of_the_checks_of_instance_and_node,
           weights_are_cut_to_what_envoy_takes, rows_come_in_any_order_and_leave_nothing_behind,
           what_is_no_row_is_refused_and_takes_the_old_one_with_it,
           protocols_come_from_the_registration_then_the_service_then_all_proxies,
           intentions_are_those_of_the_service_and_of_all_by_precedence,
           all_roots_are_trusted_and_the_active_one_named,
           only_what_a_proxy_was_made_of_is_news_to_it, more_instances_than_the_limit_are_no_proxy)
