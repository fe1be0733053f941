/* Clusters and their endpoints (mesh.md 6.6.1 to 6.6.3). */
#include <string.h>

#include "envoy/extensions/upstreams/http/v3/http.pb-c.h"
#include "services/xdsd/core/build.h"

typedef Envoy__Config__Cluster__V3__Cluster cluster;
typedef Envoy__Config__Endpoint__V3__ClusterLoadAssignment assignment;
typedef Envoy__Config__Endpoint__V3__LbEndpoint lb_endpoint;
typedef Envoy__Config__Endpoint__V3__LocalityLbEndpoints locality;
typedef Envoy__Extensions__Upstreams__Http__V3__HttpProtocolOptions http_options;

#define HTTP_OPTIONS_KEY "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

static lb_endpoint *endpoint_of(struct cu_arena *arena, const char *address, uint32_t port)
{
    lb_endpoint *out = XDS_NEW(arena, lb_endpoint, envoy__config__endpoint__v3__lb_endpoint__init);
    out->host_identifier_case = ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT;
    out->endpoint = XDS_NEW(arena, Envoy__Config__Endpoint__V3__Endpoint,
                            envoy__config__endpoint__v3__endpoint__init);
    out->endpoint->address = xds_address(arena, address, port);
    return out;
}

static assignment *assignment_of(struct cu_arena *arena, const char *name, lb_endpoint **endpoints,
                                 size_t count)
{
    assignment *out =
        XDS_NEW(arena, assignment, envoy__config__endpoint__v3__cluster_load_assignment__init);
    locality *group =
        XDS_NEW(arena, locality, envoy__config__endpoint__v3__locality_lb_endpoints__init);
    group->n_lb_endpoints = count;
    group->lb_endpoints = endpoints;
    out->cluster_name = (char *)(uintptr_t)name;
    out->n_endpoints = 1;
    out->endpoints = XDS_LIST1(arena, locality, group);
    return out;
}

static cluster *new_cluster(struct cu_arena *arena, const char *name, int type, uint64_t timeout_ms)
{
    cluster *out = XDS_NEW(arena, cluster, envoy__config__cluster__v3__cluster__init);
    out->name = (char *)(uintptr_t)name;
    out->cluster_discovery_type_case =
        ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE;
    out->type = (Envoy__Config__Cluster__V3__Cluster__DiscoveryType)type;
    out->connect_timeout = xds_duration(arena, timeout_ms);
    return out;
}

static void set_http_options(struct cu_arena *arena, cluster *out, const http_options *options)
{
    typedef Envoy__Config__Cluster__V3__Cluster__TypedExtensionProtocolOptionsEntry entry;
    entry *pair =
        XDS_NEW(arena, entry,
                envoy__config__cluster__v3__cluster__typed_extension_protocol_options_entry__init);
    pair->key = xds_text(arena, HTTP_OPTIONS_KEY);
    pair->value = xds_any(arena, &options->base);
    out->n_typed_extension_protocol_options = 1;
    out->typed_extension_protocol_options = XDS_LIST1(arena, entry, pair);
}

static Envoy__Config__Core__V3__Http2ProtocolOptions *http2(struct cu_arena *arena)
{
    return XDS_NEW(arena, Envoy__Config__Core__V3__Http2ProtocolOptions,
                   envoy__config__core__v3__http2_protocol_options__init);
}

/* Whatever came in goes on as it came: HTTP/1 or HTTP/2. */
static void pass_protocol_on(struct cu_arena *arena, cluster *out)
{
    typedef Envoy__Extensions__Upstreams__Http__V3__HttpProtocolOptions__UseDownstreamHttpConfig
        downstream;
    http_options *options = XDS_NEW(
        arena, http_options, envoy__extensions__upstreams__http__v3__http_protocol_options__init);
    downstream *same = XDS_NEW(
        arena, downstream,
        envoy__extensions__upstreams__http__v3__http_protocol_options__use_downstream_http_config__init);
    same->http_protocol_options = XDS_NEW(arena, Envoy__Config__Core__V3__Http1ProtocolOptions,
                                          envoy__config__core__v3__http1_protocol_options__init);
    same->http2_protocol_options = http2(arena);
    options->upstream_protocol_options_case =
        ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_USE_DOWNSTREAM_PROTOCOL_CONFIG;
    options->use_downstream_protocol_config = same;
    set_http_options(arena, out, options);
}

static void speak_http2(struct cu_arena *arena, cluster *out)
{
    typedef Envoy__Extensions__Upstreams__Http__V3__HttpProtocolOptions__ExplicitHttpConfig
        explicit_config;
    http_options *options = XDS_NEW(
        arena, http_options, envoy__extensions__upstreams__http__v3__http_protocol_options__init);
    explicit_config *config = XDS_NEW(
        arena, explicit_config,
        envoy__extensions__upstreams__http__v3__http_protocol_options__explicit_http_config__init);
    config->protocol_config_case =
        ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__EXPLICIT_HTTP_CONFIG__PROTOCOL_CONFIG_HTTP2_PROTOCOL_OPTIONS;
    config->http2_protocol_options = http2(arena);
    options->upstream_protocol_options_case =
        ENVOY__EXTENSIONS__UPSTREAMS__HTTP__V3__HTTP_PROTOCOL_OPTIONS__UPSTREAM_PROTOCOL_OPTIONS_EXPLICIT_HTTP_CONFIG;
    options->explicit_http_config = config;
    set_http_options(arena, out, options);
}

static bool is_http2(enum xds_protocol protocol)
{
    return protocol == XDS_HTTP2 || protocol == XDS_GRPC;
}

/* ---- the application ---- */

static void add_local_app(struct cu_arena *arena, const struct xds_proxy *proxy,
                          struct xds_snapshot *snapshot)
{
    bool is_ip = xds_is_ip(proxy->local_address);
    cluster *out =
        new_cluster(arena, XDS_LOCAL_APP,
                    is_ip ? ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC
                          : ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STRICT_DNS,
                    proxy->local_connect_timeout_ms);
    lb_endpoint *endpoint = endpoint_of(arena, proxy->local_address, proxy->local_port);
    out->load_assignment =
        assignment_of(arena, XDS_LOCAL_APP, XDS_LIST1(arena, lb_endpoint, endpoint), 1);
    if (is_http2(proxy->protocol))
        pass_protocol_on(arena, out);
    enum cu_err err = xds_snapshot_add(snapshot, XDS_CLUSTER, out->name, &out->base);
    CU_ASSERT(!err); /* the first one */
}

/* ---- upstreams ---- */

static Google__Protobuf__UInt32Value *number(struct cu_arena *arena, const struct xds_number *value)
{
    return value->is_set ? xds_u32(arena, value->value) : NULL;
}

static Envoy__Config__Cluster__V3__CircuitBreakers *breakers(struct cu_arena *arena,
                                                             const struct xds_upstream *upstream)
{
    typedef Envoy__Config__Cluster__V3__CircuitBreakers__Thresholds thresholds;
    Envoy__Config__Cluster__V3__CircuitBreakers *out =
        XDS_NEW(arena, Envoy__Config__Cluster__V3__CircuitBreakers,
                envoy__config__cluster__v3__circuit_breakers__init);
    thresholds *limits =
        XDS_NEW(arena, thresholds, envoy__config__cluster__v3__circuit_breakers__thresholds__init);
    limits->max_connections = number(arena, &upstream->limits.max_connections);
    limits->max_pending_requests = number(arena, &upstream->limits.max_pending_requests);
    limits->max_requests = number(arena, &upstream->limits.max_concurrent_requests);
    if (limits->max_connections || limits->max_pending_requests || limits->max_requests) {
        out->n_thresholds = 1;
        out->thresholds = XDS_LIST1(arena, thresholds, limits);
    }
    return out;
}

static Envoy__Config__Cluster__V3__OutlierDetection *outliers(struct cu_arena *arena,
                                                              const struct xds_upstream *upstream)
{
    Envoy__Config__Cluster__V3__OutlierDetection *out =
        XDS_NEW(arena, Envoy__Config__Cluster__V3__OutlierDetection,
                envoy__config__cluster__v3__outlier_detection__init);
    if (!upstream->passive_health_check.is_set)
        return out;
    if (upstream->passive_health_check.interval_ms)
        out->interval = xds_duration(arena, upstream->passive_health_check.interval_ms);
    out->consecutive_5xx = number(arena, &upstream->passive_health_check.max_failures);
    out->enforcing_consecutive_5xx =
        number(arena, &upstream->passive_health_check.enforcing_consecutive_5xx);
    out->max_ejection_percent = number(arena, &upstream->passive_health_check.max_ejection_percent);
    if (upstream->passive_health_check.base_ejection_time_ms)
        out->base_ejection_time =
            xds_duration(arena, upstream->passive_health_check.base_ejection_time_ms);
    return out;
}

static cluster *upstream_cluster(struct cu_arena *arena, const struct xds_proxy *proxy,
                                 const struct xds_upstream *upstream, const char *name)
{
    cluster *out =
        new_cluster(arena, name, ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__EDS,
                    upstream->connect_timeout_ms);
    out->alt_stat_name = out->name;
    out->eds_cluster_config =
        XDS_NEW(arena, Envoy__Config__Cluster__V3__Cluster__EdsClusterConfig,
                envoy__config__cluster__v3__cluster__eds_cluster_config__init);
    out->eds_cluster_config->eds_config = xds_ads(arena);
    /* A threshold of 0: who is unhealthy gets nothing, even when all are. */
    out->common_lb_config = XDS_NEW(arena, Envoy__Config__Cluster__V3__Cluster__CommonLbConfig,
                                    envoy__config__cluster__v3__cluster__common_lb_config__init);
    out->common_lb_config->healthy_panic_threshold =
        XDS_NEW(arena, Envoy__Type__V3__Percent, envoy__type__v3__percent__init);
    out->circuit_breakers = breakers(arena, upstream);
    out->outlier_detection = outliers(arena, upstream);
    out->transport_socket = xds_upstream_tls(arena, proxy, upstream);
    if (is_http2(upstream->protocol))
        speak_http2(arena, out);
    return out;
}

/* Instances whose address is no IP would make Envoy refuse all of them. */
static assignment *instances_of(struct cu_arena *arena, const struct xds_upstream *upstream,
                                const char *name, size_t *left_out)
{
    lb_endpoint **list = xds_room(arena, upstream->instance_count * sizeof(lb_endpoint *));
    size_t count = 0;
    for (size_t i = 0; i < upstream->instance_count; i++) {
        const struct xds_instance *instance = &upstream->instances[i];
        if (!xds_is_ip(instance->address)) {
            (*left_out)++;
            continue;
        }
        lb_endpoint *out = endpoint_of(arena, instance->address, instance->port);
        out->health_status = instance->is_healthy
                                 ? ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__HEALTHY
                                 : ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__UNHEALTHY;
        out->load_balancing_weight = xds_u32(arena, instance->weight);
        list[count++] = out;
    }
    return assignment_of(arena, name, list, count);
}

size_t xds_add_clusters(struct cu_arena *arena, const struct xds_proxy *proxy,
                        struct xds_snapshot *snapshot)
{
    size_t left_out = 0;
    add_local_app(arena, proxy, snapshot);
    for (size_t i = 0; i < proxy->upstream_count; i++) {
        const struct xds_upstream *upstream = &proxy->upstreams[i];
        const char *name = xds_cluster_name(arena, proxy, upstream);
        cluster *out = upstream_cluster(arena, proxy, upstream, name);
        /* Two upstreams of one service and datacenter share the first one's cluster. */
        if (xds_snapshot_add(snapshot, XDS_CLUSTER, name, &out->base))
            continue;
        assignment *endpoints = instances_of(arena, upstream, name, &left_out);
        enum cu_err err = xds_snapshot_add(snapshot, XDS_ENDPOINT, name, &endpoints->base);
        CU_ASSERT(!err); /* as its cluster was new */
    }
    return left_out;
}
