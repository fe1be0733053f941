/* HTTP connection managers, and the route of the public listener (mesh.md 6.6.4, 6.6.6, D15). */
#include <string.h>

#include "envoy/extensions/filters/http/grpc_http1_bridge/v3/grpc_http1_bridge.pb-c.h"
#include "envoy/extensions/filters/http/grpc_stats/v3/grpc_stats.pb-c.h"
#include "envoy/extensions/filters/http/rbac/v3/rbac.pb-c.h"
#include "envoy/extensions/filters/http/router/v3/router.pb-c.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb-c.h"
#include "services/xdsd/core/build.h"

typedef Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager
    manager;
typedef Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpFilter http_filter;
typedef Envoy__Config__Route__V3__RouteConfiguration route_configuration;
typedef Envoy__Config__Route__V3__VirtualHost virtual_host;
typedef Envoy__Config__Route__V3__Route route;

#define HTTP_RBAC "envoy.filters.http.rbac"

enum { HTTP_FILTERS_MAX = 4 };

static void add_filter(struct cu_arena *arena, manager *out, const char *name,
                       const ProtobufCMessage *config)
{
    http_filter *filter = XDS_NEW(
        arena, http_filter,
        envoy__extensions__filters__network__http_connection_manager__v3__http_filter__init);
    CU_ASSERT(out->n_http_filters < HTTP_FILTERS_MAX);
    filter->name = (char *)(uintptr_t)name;
    filter->config_type_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_FILTER__CONFIG_TYPE_TYPED_CONFIG;
    filter->typed_config = xds_any(arena, config);
    out->http_filters[out->n_http_filters++] = filter;
}

static void add_grpc_filters(struct cu_arena *arena, manager *out)
{
    typedef Envoy__Extensions__Filters__Http__GrpcStats__V3__FilterConfig stats_config;
    typedef Envoy__Extensions__Filters__Http__GrpcHttp1Bridge__V3__Config bridge_config;
    stats_config *stats = XDS_NEW(
        arena, stats_config, envoy__extensions__filters__http__grpc_stats__v3__filter_config__init);
    bridge_config *bridge =
        XDS_NEW(arena, bridge_config,
                envoy__extensions__filters__http__grpc_http1_bridge__v3__config__init);
    stats->per_method_stat_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__HTTP__GRPC_STATS__V3__FILTER_CONFIG__PER_METHOD_STAT_SPECIFIER_STATS_FOR_ALL_METHODS;
    stats->stats_for_all_methods = xds_true(arena);
    add_filter(arena, out, "envoy.filters.http.grpc_stats", &stats->base);
    add_filter(arena, out, "envoy.filters.http.grpc_http1_bridge", &bridge->base);
}

static void add_router(struct cu_arena *arena, manager *out)
{
    typedef Envoy__Extensions__Filters__Http__Router__V3__Router router_config;
    router_config *router =
        XDS_NEW(arena, router_config, envoy__extensions__filters__http__router__v3__router__init);
    add_filter(arena, out, "envoy.filters.http.router", &router->base);
}

static manager *new_manager(struct cu_arena *arena, char *stat_prefix, enum xds_protocol protocol)
{
    typedef Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager__Tracing
        tracing;
    typedef Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager__UpgradeConfig
        upgrade;
    manager *out = XDS_NEW(
        arena, manager,
        envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__init);
    upgrade *websocket = XDS_NEW(
        arena, upgrade,
        envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__upgrade_config__init);
    out->stat_prefix = stat_prefix;
    out->http_filters = xds_room(arena, HTTP_FILTERS_MAX * sizeof *out->http_filters);
    out->tracing = XDS_NEW(
        arena, tracing,
        envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__tracing__init);
    out->tracing->random_sampling =
        XDS_NEW(arena, Envoy__Type__V3__Percent, envoy__type__v3__percent__init);
    websocket->upgrade_type = xds_text(arena, "websocket");
    out->n_upgrade_configs = 1;
    out->upgrade_configs = XDS_LIST1(arena, upgrade, websocket);
    if (protocol == XDS_HTTP2 || protocol == XDS_GRPC)
        out->http2_protocol_options =
            XDS_NEW(arena, Envoy__Config__Core__V3__Http2ProtocolOptions,
                    envoy__config__core__v3__http2_protocol_options__init);
    if (protocol == XDS_GRPC)
        add_grpc_filters(arena, out);
    return out;
}

static Envoy__Config__Listener__V3__Filter *manager_filter(struct cu_arena *arena,
                                                           const manager *config)
{
    return xds_filter(arena, "envoy.filters.network.http_connection_manager", &config->base);
}

/* ---- routes ---- */

/* One host for all names, one route for all paths. */
static route_configuration *all_to(struct cu_arena *arena, const char *name, const char *host_name,
                                   const char *cluster)
{
    route_configuration *out =
        XDS_NEW(arena, route_configuration, envoy__config__route__v3__route_configuration__init);
    virtual_host *host = XDS_NEW(arena, virtual_host, envoy__config__route__v3__virtual_host__init);
    route *only = XDS_NEW(arena, route, envoy__config__route__v3__route__init);
    only->match = XDS_NEW(arena, Envoy__Config__Route__V3__RouteMatch,
                          envoy__config__route__v3__route_match__init);
    only->match->path_specifier_case = ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PREFIX;
    only->match->prefix = xds_text(arena, "/");
    only->action_case = ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_ROUTE;
    only->route = XDS_NEW(arena, Envoy__Config__Route__V3__RouteAction,
                          envoy__config__route__v3__route_action__init);
    only->route->cluster_specifier_case =
        ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER;
    only->route->cluster = (char *)(uintptr_t)cluster;
    host->name = (char *)(uintptr_t)host_name;
    host->n_domains = 1;
    host->domains = XDS_LIST1(arena, char, xds_text(arena, "*"));
    host->n_routes = 1;
    host->routes = XDS_LIST1(arena, route, only);
    out->name = (char *)(uintptr_t)name;
    out->n_virtual_hosts = 1;
    out->virtual_hosts = XDS_LIST1(arena, virtual_host, host);
    return out;
}

/* An intention that changes is this alone: in force with the next request, nothing drained. */
void xds_add_public_route(struct cu_arena *arena, const struct xds_proxy *proxy,
                          struct xds_snapshot *snapshot)
{
    typedef Envoy__Extensions__Filters__Http__Rbac__V3__RBACPerRoute per_route;
    typedef Envoy__Config__Route__V3__VirtualHost__TypedPerFilterConfigEntry entry;
    route_configuration *out = all_to(arena, XDS_PUBLIC, XDS_PUBLIC, XDS_LOCAL_APP);
    per_route *rules =
        XDS_NEW(arena, per_route, envoy__extensions__filters__http__rbac__v3__rbacper_route__init);
    entry *pair = XDS_NEW(
        arena, entry, envoy__config__route__v3__virtual_host__typed_per_filter_config_entry__init);
    rules->rbac = XDS_NEW(arena, Envoy__Extensions__Filters__Http__Rbac__V3__RBAC,
                          envoy__extensions__filters__http__rbac__v3__rbac__init);
    rules->rbac->rules = xds_rbac(arena, proxy);
    pair->key = xds_text(arena, HTTP_RBAC);
    pair->value = xds_any(arena, &rules->base);
    out->virtual_hosts[0]->n_typed_per_filter_config = 1;
    out->virtual_hosts[0]->typed_per_filter_config = XDS_LIST1(arena, entry, pair);
    enum cu_err err = xds_snapshot_add(snapshot, XDS_ROUTE, out->name, &out->base);
    CU_ASSERT(!err); /* the only one */
}

/* ---- the managers ---- */

Envoy__Config__Listener__V3__Filter *xds_public_http(struct cu_arena *arena,
                                                     const struct xds_proxy *proxy)
{
    typedef Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__Rds rds;
    manager *out = new_manager(arena, xds_text(arena, XDS_PUBLIC), proxy->protocol);
    /* Rules that refuse all, should the route's be missing. */
    Envoy__Extensions__Filters__Http__Rbac__V3__RBAC *refuse =
        XDS_NEW(arena, Envoy__Extensions__Filters__Http__Rbac__V3__RBAC,
                envoy__extensions__filters__http__rbac__v3__rbac__init);
    refuse->rules =
        XDS_NEW(arena, Envoy__Config__Rbac__V3__RBAC, envoy__config__rbac__v3__rbac__init);
    add_filter(arena, out, HTTP_RBAC, &refuse->base);
    add_router(arena, out);
    out->normalize_path = xds_true(arena);
    out->route_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_RDS;
    out->rds = XDS_NEW(arena, rds,
                       envoy__extensions__filters__network__http_connection_manager__v3__rds__init);
    out->rds->route_config_name = xds_text(arena, XDS_PUBLIC);
    out->rds->config_source = xds_ads(arena);
    return manager_filter(arena, out);
}

Envoy__Config__Listener__V3__Filter *xds_upstream_http(struct cu_arena *arena,
                                                       const struct xds_proxy *proxy,
                                                       const struct xds_upstream *upstream)
{
    manager *out = new_manager(arena, xds_stat_prefix(arena, upstream), upstream->protocol);
    add_router(arena, out);
    out->route_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__HTTP_CONNECTION_MANAGER__V3__HTTP_CONNECTION_MANAGER__ROUTE_SPECIFIER_ROUTE_CONFIG;
    out->route_config =
        all_to(arena, upstream->service,
               xds_text(arena, "%s.default.%s", upstream->service, upstream->datacenter),
               xds_cluster_name(arena, proxy, upstream));
    return manager_filter(arena, out);
}
