/* Listeners: one for the mesh, one for each upstream (mesh.md 6.6.4, 6.6.6). */
#include <string.h>

#include "envoy/extensions/filters/network/rbac/v3/rbac.pb-c.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb-c.h"
#include "services/xdsd/core/build.h"

typedef Envoy__Config__Listener__V3__Listener listener;
typedef Envoy__Config__Listener__V3__Filter filter;
typedef Envoy__Config__Listener__V3__FilterChain filter_chain;

static filter *tcp_proxy(struct cu_arena *arena, const char *stat_prefix, const char *cluster)
{
    typedef Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy proxy_config;
    proxy_config *config = XDS_NEW(
        arena, proxy_config, envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy__init);
    config->stat_prefix = (char *)(uintptr_t)stat_prefix;
    config->cluster_specifier_case =
        ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER;
    config->cluster = (char *)(uintptr_t)cluster;
    return xds_filter(arena, "envoy.filters.network.tcp_proxy", &config->base);
}

static filter *network_rbac(struct cu_arena *arena, const struct xds_proxy *proxy)
{
    typedef Envoy__Extensions__Filters__Network__Rbac__V3__RBAC rbac_config;
    rbac_config *config =
        XDS_NEW(arena, rbac_config, envoy__extensions__filters__network__rbac__v3__rbac__init);
    config->stat_prefix = xds_text(arena, "connect_authz");
    config->rules = xds_rbac(arena, proxy);
    return xds_filter(arena, "envoy.filters.network.rbac", &config->base);
}

static listener *listener_of(struct cu_arena *arena, char *name, const char *address, uint32_t port,
                             filter_chain *chain)
{
    listener *out = XDS_NEW(arena, listener, envoy__config__listener__v3__listener__init);
    out->name = name;
    out->address = xds_address(arena, address, port);
    out->n_filter_chains = 1;
    out->filter_chains = XDS_LIST1(arena, filter_chain, chain);
    return out;
}

static filter_chain *new_chain(struct cu_arena *arena)
{
    return XDS_NEW(arena, filter_chain, envoy__config__listener__v3__filter_chain__init);
}

static void add_public(struct cu_arena *arena, const struct xds_proxy *proxy,
                       struct xds_snapshot *snapshot)
{
    filter_chain *chain = new_chain(arena);
    chain->filters = xds_room(arena, 2 * sizeof *chain->filters);
    if (proxy->protocol == XDS_TCP) {
        chain->filters[chain->n_filters++] = network_rbac(arena, proxy);
        chain->filters[chain->n_filters++] = tcp_proxy(arena, XDS_PUBLIC, XDS_LOCAL_APP);
    } else {
        chain->filters[chain->n_filters++] = xds_public_http(arena, proxy);
    }
    chain->transport_socket = xds_downstream_tls(arena, proxy);
    listener *out = listener_of(
        arena, xds_text(arena, XDS_PUBLIC ":%s:%u", proxy->bind_address, proxy->bind_port),
        proxy->bind_address, proxy->bind_port, chain);
    out->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__INBOUND;
    enum cu_err err = xds_snapshot_add(snapshot, XDS_LISTENER, out->name, &out->base);
    CU_ASSERT(!err); /* the first one */
    if (proxy->protocol != XDS_TCP) {
        xds_snapshot_names_route(snapshot, XDS_PUBLIC);
        xds_add_public_route(arena, proxy, snapshot);
    }
}

char *xds_stat_prefix(struct cu_arena *arena, const struct xds_upstream *upstream)
{
    return xds_text(arena, "upstream.%s.default.%s", upstream->service, upstream->datacenter);
}

static enum cu_err add_upstream(struct cu_arena *arena, const struct xds_proxy *proxy,
                                const struct xds_upstream *upstream, struct xds_snapshot *snapshot)
{
    filter_chain *chain = new_chain(arena);
    filter *only = upstream->protocol == XDS_TCP
                       ? tcp_proxy(arena, xds_stat_prefix(arena, upstream),
                                   xds_cluster_name(arena, proxy, upstream))
                       : xds_upstream_http(arena, proxy, upstream);
    chain->n_filters = 1;
    chain->filters = XDS_LIST1(arena, filter, only);
    char *name =
        xds_text(arena, "%s%s%s:%s:%u", upstream->service, upstream->names_datacenter ? "?dc=" : "",
                 upstream->names_datacenter ? upstream->datacenter : "", upstream->bind_address,
                 upstream->bind_port);
    listener *out = listener_of(arena, name, upstream->bind_address, upstream->bind_port, chain);
    out->traffic_direction = ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__OUTBOUND;
    return xds_snapshot_add(snapshot, XDS_LISTENER, out->name, &out->base);
}

/* Envoy refuses the second of two listeners on one address. */
static bool is_taken(const struct xds_proxy *proxy, size_t at)
{
    const struct xds_upstream *me = &proxy->upstreams[at];
    if (me->bind_port == proxy->bind_port && strcmp(me->bind_address, proxy->bind_address) == 0)
        return true;
    for (size_t i = 0; i < at; i++)
        if (proxy->upstreams[i].bind_port == me->bind_port &&
            strcmp(proxy->upstreams[i].bind_address, me->bind_address) == 0)
            return true;
    return false;
}

size_t xds_add_listeners(struct cu_arena *arena, const struct xds_proxy *proxy,
                         struct xds_snapshot *snapshot)
{
    size_t left_out = 0;
    add_public(arena, proxy, snapshot);
    for (size_t i = 0; i < proxy->upstream_count; i++) {
        const struct xds_upstream *upstream = &proxy->upstreams[i];
        bool good = xds_is_ip(upstream->bind_address) && !is_taken(proxy, i) &&
                    !add_upstream(arena, proxy, upstream, snapshot);
        left_out += !good;
    }
    return left_out;
}
