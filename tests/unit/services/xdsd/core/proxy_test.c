/* What of a proxy cannot be told to Envoy, and that equal input makes equal bytes; whole resources
 * are held against tests/golden/envoy by tests/e2e/xds.py. */
#include "services/xdsd/core/proxy.h"

#include <string.h>

#include "common/base/err.h"
#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include "envoy/config/endpoint/v3/endpoint.pb-c.h"
#include "tests/lib/suite.h"

static const struct xds_instance instances[] = {
    {"10.0.0.1", 80, 1, true}, {"::1", 80, 128, false}, {"a.name", 80, 1, true}};

static struct xds_upstream upstream(const char *service, const char *address, uint32_t port)
{
    return (struct xds_upstream){.service = service,
                                 .datacenter = "dc1",
                                 .bind_address = address,
                                 .bind_port = port,
                                 .connect_timeout_ms = 5000,
                                 .instances = instances,
                                 .instance_count = CU_COUNT(instances)};
}

static struct xds_proxy proxy_with(const struct xds_upstream *upstreams, size_t count)
{
    return (struct xds_proxy){.id = "web-sidecar-proxy",
                              .service = "web",
                              .datacenter = "dc1",
                              .trust_domain = "td.consul",
                              .bind_address = "10.0.0.9",
                              .bind_port = 21000,
                              .local_address = "127.0.0.1",
                              .local_port = 8080,
                              .local_connect_timeout_ms = 5000,
                              .roots_pem = "ROOTS\n",
                              .leaf_pem = "LEAF\n",
                              .leaf_key_pem = "KEY\n",
                              .upstreams = upstreams,
                              .upstream_count = count};
}

static size_t count_of(const struct xds_snapshot *snapshot, enum xds_type type)
{
    size_t count;
    (void)xds_snapshot_resources(snapshot, type, &count);
    return count;
}

START_TEST(instances_without_an_ip_are_left_out_and_counted) /* item 157 */
{
    struct xds_upstream up[] = {upstream("db", "127.0.0.1", 9191)};
    struct xds_proxy proxy = proxy_with(up, 1);
    size_t left_out;
    struct xds_snapshot *snapshot = xds_proxy_resources(&proxy, 1, &left_out);
    const struct xds_resource *one =
        xds_snapshot_find(snapshot, XDS_ENDPOINT, "db.default.dc1.internal.td.consul");
    ck_assert_ptr_nonnull(one);
    Envoy__Config__Endpoint__V3__ClusterLoadAssignment *assignment =
        envoy__config__endpoint__v3__cluster_load_assignment__unpack(NULL, one->bytes.len,
                                                                     one->bytes.data);
    ck_assert_ptr_nonnull(assignment);
    ck_assert_uint_eq(assignment->endpoints[0]->n_lb_endpoints, 2);
    ck_assert_int_eq(assignment->endpoints[0]->lb_endpoints[1]->health_status,
                     ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__UNHEALTHY);
    ck_assert_uint_eq(left_out, 1);
    envoy__config__endpoint__v3__cluster_load_assignment__free_unpacked(assignment, NULL);
    xds_snapshot_unref(snapshot);
}
END_TEST

START_TEST(of_two_listeners_on_one_address_the_first_counts)
{
    struct xds_upstream up[] = {upstream("a", "127.0.0.1", 9191),
                                upstream("b", "127.0.0.1", 9191), /* taken */
                                upstream("a", "127.0.0.1", 9192), /* shares a's cluster */
                                upstream("c", "10.0.0.9", 21000), /* the public one */
                                upstream("d", "a.name", 9193)};
    for (size_t i = 0; i < CU_COUNT(up); i++)
        up[i].instance_count = 0;
    struct xds_proxy proxy = proxy_with(up, CU_COUNT(up));
    size_t left_out;
    struct xds_snapshot *snapshot = xds_proxy_resources(&proxy, 1, &left_out);
    ck_assert_uint_eq(left_out, 3);
    ck_assert_uint_eq(count_of(snapshot, XDS_LISTENER), 3);
    ck_assert_uint_eq(count_of(snapshot, XDS_CLUSTER), 5);
    ck_assert_uint_eq(count_of(snapshot, XDS_ENDPOINT), 4);
    xds_snapshot_unref(snapshot);
}
END_TEST

START_TEST(equal_input_makes_equal_bytes_and_one_change_changes_one_resource)
{
    struct xds_upstream up[] = {upstream("a", "127.0.0.1", 9191), upstream("b", "127.0.0.1", 9192)};
    struct xds_instance other = {"10.0.0.2", 80, 1, true};
    struct xds_proxy proxy = proxy_with(up, 2);
    size_t left_out, changed = 0;
    struct xds_snapshot *once = xds_proxy_resources(&proxy, 1, &left_out);
    struct xds_snapshot *twice = xds_proxy_resources(&proxy, 2, &left_out);
    ck_assert(xds_snapshot_equal(once, twice));
    xds_snapshot_unref(twice);
    up[1].instances = &other;
    up[1].instance_count = 1;
    twice = xds_proxy_resources(&proxy, 3, &left_out);
    ck_assert(!xds_snapshot_equal(once, twice));
    for (int t = 0; t < XDS_TYPE_COUNT; t++) {
        size_t count;
        const struct xds_resource *all = xds_snapshot_resources(once, (enum xds_type)t, &count);
        for (size_t i = 0; i < count; i++)
            changed +=
                strcmp(all[i].version,
                       xds_snapshot_find(twice, (enum xds_type)t, all[i].name)->version) != 0;
    }
    ck_assert_uint_eq(changed, 1);
    xds_snapshot_unref(once);
    xds_snapshot_unref(twice);
}
END_TEST

START_TEST(a_new_leaf_is_one_secret) /* D14 */
{
    struct xds_proxy proxy = proxy_with(NULL, 0);
    size_t left_out;
    struct xds_snapshot *once = xds_proxy_resources(&proxy, 1, &left_out);
    proxy.leaf_pem = "LEAF2\n";
    proxy.leaf_key_pem = "KEY2\n";
    struct xds_snapshot *twice = xds_proxy_resources(&proxy, 2, &left_out);
    ck_assert_uint_eq(count_of(twice, XDS_SECRET), 2);
    ck_assert_str_ne(xds_snapshot_find(once, XDS_SECRET, "leaf:web")->version,
                     xds_snapshot_find(twice, XDS_SECRET, "leaf:web")->version);
    ck_assert_str_eq(xds_snapshot_find(once, XDS_SECRET, "roots")->version,
                     xds_snapshot_find(twice, XDS_SECRET, "roots")->version);
    const char *const same[] = {"local_app", "public_listener:10.0.0.9:21000"};
    ck_assert_str_eq(xds_snapshot_find(once, XDS_CLUSTER, same[0])->version,
                     xds_snapshot_find(twice, XDS_CLUSTER, same[0])->version);
    ck_assert_str_eq(xds_snapshot_find(once, XDS_LISTENER, same[1])->version,
                     xds_snapshot_find(twice, XDS_LISTENER, same[1])->version);
    xds_snapshot_unref(once);
    xds_snapshot_unref(twice);
}
END_TEST

START_TEST(protocols_are_known_in_any_letter_case)
{
    static const struct {
        const char *text;
        enum xds_protocol want;
    } table[] = {{"tcp", XDS_TCP},   {"HTTP", XDS_HTTP}, {"http2", XDS_HTTP2},
                 {"gRPC", XDS_GRPC}, {"", XDS_TCP},      {"mysql", XDS_TCP}};
    for (size_t i = 0; i < CU_COUNT(table); i++)
        ck_assert_int_eq(xds_protocol_of(table[i].text), table[i].want);
}
END_TEST

SUITE_MAIN("services/xdsd/core/proxy", instances_without_an_ip_are_left_out_and_counted,
           of_two_listeners_on_one_address_the_first_counts,
           equal_input_makes_equal_bytes_and_one_change_changes_one_resource,
           a_new_leaf_is_one_secret, protocols_are_known_in_any_letter_case)
