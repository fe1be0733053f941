/* One proxy out of the view (mesh.md 2.6, 3.5, 6.3, 6.6.3). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/v1/catalog.pb-c.h"
#include "services/xdsd/core/build.h"
#include "services/xdsd/core/opaque.h"
#include "services/xdsd/core/view_state.h"

typedef Curia__V1__Intention intention;

enum { LOCAL_APP_TIMEOUT_MS = 5000 };

/* ---- central configuration ---- */

static const Curia__V1__ConfigEntry *entry_of(const struct xds_view *view, const char *kind,
                                              const char *name, struct cu_arena *arena)
{
    const struct xds_entry *entry = xds_entry_find(view, kind, name);
    return entry ? curia__v1__config_entry__unpack(cu_arena_allocator(arena), entry->row.len,
                                                   entry->row.data)
                 : NULL;
}

static struct cu_bytes bytes_of(const ProtobufCBinaryData *data)
{
    return (struct cu_bytes){data->data, data->len};
}

/* That of service-defaults, else of proxy-defaults; NULL: nobody says. */
static const char *central_protocol(const struct xds_view *view, const char *service)
{
    const struct xds_entry *own = xds_entry_find(view, "service-defaults", service);
    if (own && own->protocol)
        return own->protocol;
    const struct xds_entry *all = xds_entry_find(view, "proxy-defaults", "global");
    return all ? all->protocol : NULL;
}

/* ---- instances ---- */

static int by_key(const void *a, const void *b)
{
    const struct xds_place *const *x = a, *const *y = b;
    return cu_bytes_compare((*x)->key, (*y)->key);
}

static unsigned count_of(const struct xds_place *place, enum xds_level level)
{
    return place->levels[level] + place->host->levels[level];
}

static struct xds_instance instance_of(const struct xds_place *place)
{
    const char *address = *place->address ? place->address : place->host->address;
    int32_t weight = count_of(place, XDS_WARNING) ? place->weight_warning : place->weight_passing;
    struct xds_instance out = {.address = address ? address : "",
                               .port = place->port,
                               .is_healthy = !count_of(place, XDS_CRITICAL) && weight >= 1};
    out.weight = weight < 1 ? 1 : weight > XDS_WEIGHT_MAX ? XDS_WEIGHT_MAX : (uint32_t)weight;
    return out;
}

static void set_instances(const struct xds_view *view, struct cu_arena *arena,
                          struct xds_upstream *upstream)
{
    const struct xds_group *group = xds_group_find(view, upstream->service);
    if (!group || strcmp(upstream->datacenter, view->datacenter) != 0)
        return;
    const struct xds_place **members = xds_room(arena, group->count * sizeof(void *));
    struct xds_instance *out = xds_room(arena, group->count * sizeof *out);
    memcpy(members, group->members, group->count * sizeof(void *));
    qsort(members, group->count, sizeof(void *), by_key);
    for (size_t i = 0; i < group->count; i++)
        out[i] = instance_of(members[i]);
    upstream->instances = out;
    upstream->instance_count = group->count;
}

/* ---- upstreams ---- */

static void set_upstream(const struct xds_view *view, struct cu_arena *arena,
                         const Curia__V1__Upstream *from, struct xds_upstream *to)
{
    const char *protocol = central_protocol(view, from->destination_name);
    *to = (struct xds_upstream){
        .service = from->destination_name,
        .datacenter = *from->datacenter ? from->datacenter : view->datacenter,
        .names_datacenter = *from->datacenter != '\0',
        .bind_address = *from->local_bind_address ? from->local_bind_address : "127.0.0.1",
        .bind_port = (uint32_t)from->local_bind_port,
        .connect_timeout_ms = XDS_CONNECT_TIMEOUT_MS,
    };
    xds_read_upstream_keys(bytes_of(&from->config), arena, to, &protocol);
    to->protocol = protocol ? xds_protocol_of(protocol) : XDS_TCP;
    set_instances(view, arena, to);
}

static bool is_service(const Curia__V1__Upstream *upstream)
{
    return !*upstream->destination_type || strcmp(upstream->destination_type, "service") == 0;
}

static size_t set_upstreams(const struct xds_view *view, struct cu_arena *arena,
                            const Curia__V1__Proxy *from, struct xds_proxy *to)
{
    struct xds_upstream *out = xds_room(arena, from->n_upstreams * sizeof *out);
    for (size_t i = 0; i < from->n_upstreams; i++)
        if (is_service(from->upstreams[i]) && *from->upstreams[i]->destination_name)
            set_upstream(view, arena, from->upstreams[i], &out[to->upstream_count++]);
    to->upstreams = out;
    return from->n_upstreams - to->upstream_count;
}

/* ---- intentions ---- */

static int by_precedence(const void *a, const void *b)
{
    const intention *x = *(intention *const *)a, *y = *(intention *const *)b;
    if (x->precedence != y->precedence)
        return x->precedence < y->precedence ? 1 : -1;
    int order = strcmp(x->source_name, y->source_name);
    return order ? order : strcmp(x->destination_name, y->destination_name);
}

static size_t add_intentions(struct cu_arena *arena, const Curia__V1__ConfigEntry *entry,
                             intention **out)
{
    size_t count = entry && entry->service_intentions ? entry->service_intentions->n_sources : 0;
    for (size_t i = 0; i < count; i++) {
        const Curia__V1__SourceIntention *source = entry->service_intentions->sources[i];
        intention *one = xds_room(arena, sizeof *one);
        curia__v1__intention__init(one);
        one->source_name = source->name;
        one->destination_name = entry->name;
        one->action = source->action;
        one->permissions = source->permissions;
        one->n_permissions = source->n_permissions;
        one->precedence = source->precedence;
        out[i] = one;
    }
    return count;
}

static size_t source_count(const Curia__V1__ConfigEntry *entry)
{
    return entry && entry->service_intentions ? entry->service_intentions->n_sources : 0;
}

static void set_intentions(const struct xds_view *view, struct cu_arena *arena,
                           struct xds_proxy *to)
{
    const Curia__V1__ConfigEntry *own = entry_of(view, "service-intentions", to->service, arena);
    const Curia__V1__ConfigEntry *all = entry_of(view, "service-intentions", "*", arena);
    size_t most = source_count(own) + source_count(all);
    intention **out = xds_room(arena, most * sizeof(intention *));
    size_t count = add_intentions(arena, own, out);
    count += add_intentions(arena, all, out + count);
    qsort(out, count, sizeof(intention *), by_precedence);
    to->intentions = (const intention *const *)out;
    to->intention_count = count;
}

/* ---- the proxy ---- */

static void set_keys(const struct xds_view *view, struct cu_arena *arena,
                     const Curia__V1__Service *service, struct xds_proxy *to)
{
    struct xds_proxy_keys keys = {0};
    const Curia__V1__ConfigEntry *all = entry_of(view, "proxy-defaults", "global", arena);
    if (all && all->proxy_defaults)
        xds_read_proxy_keys(bytes_of(&all->proxy_defaults->config), arena, &keys);
    const char *central = central_protocol(view, to->service);
    if (central)
        keys.protocol = central;
    xds_read_proxy_keys(bytes_of(&service->proxy->config), arena, &keys);
    const char *address = keys.bind_address ? keys.bind_address : service->address;
    to->bind_address = xds_is_ip(address) ? address : "0.0.0.0";
    to->bind_port = keys.bind_port.is_set ? keys.bind_port.value : (uint32_t)service->port;
    to->protocol = keys.protocol ? xds_protocol_of(keys.protocol) : XDS_TCP;
    to->local_connect_timeout_ms = keys.local_connect_timeout_ms.value
                                       ? keys.local_connect_timeout_ms.value
                                       : LOCAL_APP_TIMEOUT_MS;
}

static bool is_oversized(const struct xds_view *view, const Curia__V1__Proxy *proxy)
{
    size_t instances = 0;
    for (size_t i = 0; i < proxy->n_upstreams; i++) {
        const struct xds_group *group = xds_group_find(view, proxy->upstreams[i]->destination_name);
        instances += group ? group->count : 0;
    }
    return instances > XDS_INSTANCES_MAX;
}

enum xds_found xds_view_proxy(const struct xds_view *view, const char *node, const char *id,
                              struct cu_arena *arena, struct xds_proxy *ret_proxy,
                              size_t *ret_left_out)
{
    const struct xds_place *place = xds_place_find(view, node, id);
    *ret_left_out = 0;
    if (!place || !view->trust_domain)
        return XDS_UNREGISTERED;
    const Curia__V1__Service *service =
        curia__v1__service__unpack(cu_arena_allocator(arena), place->row.len, place->row.data);
    if (!service)
        return XDS_OVERSIZED;
    if (strcmp(service->kind, "connect-proxy") != 0 || !service->proxy ||
        !*service->proxy->destination_service_name)
        return XDS_NO_PROXY;
    const Curia__V1__Proxy *proxy = service->proxy;
    if (is_oversized(view, proxy))
        return XDS_OVERSIZED;
    *ret_proxy = (struct xds_proxy){
        .id = service->id,
        .service = proxy->destination_service_name,
        .datacenter = view->datacenter,
        .trust_domain = view->trust_domain,
        .local_address = *proxy->local_service_address ? proxy->local_service_address : "127.0.0.1",
        .local_port = (uint32_t)proxy->local_service_port,
        .roots_pem = (const char *)view->roots_pem.data,
        .default_allow = view->default_allow,
    };
    set_keys(view, arena, service, ret_proxy);
    set_intentions(view, arena, ret_proxy);
    *ret_left_out = set_upstreams(view, arena, proxy, ret_proxy);
    return XDS_FOUND;
}

/* ---- what it was made of ---- */

void xds_needs_deinit(struct xds_needs *needs)
{
    for (size_t i = 0; i < needs->count; i++)
        free(needs->upstreams[i]);
    free(needs->upstreams);
    free(needs->service);
    *needs = (struct xds_needs){0};
}

void xds_needs_set(struct xds_needs *needs, const struct xds_view *view,
                   const struct xds_proxy *proxy)
{
    xds_needs_deinit(needs);
    needs->tick = view->tick;
    if (!proxy)
        return;
    needs->service = cu_strdup(proxy->service);
    needs->upstreams = cu_alloc((proxy->upstream_count + 1) * sizeof *needs->upstreams);
    for (size_t i = 0; i < proxy->upstream_count; i++)
        needs->upstreams[needs->count++] = cu_strdup(proxy->upstreams[i].service);
}

static bool entry_is_newer(const struct xds_view *view, const char *kind, const char *name,
                           uint64_t tick)
{
    const struct xds_entry *entry = xds_entry_find(view, kind, name);
    return (entry ? entry->stamp : view->lost_entry) > tick;
}

static bool group_is_newer(const struct xds_view *view, const char *name, uint64_t tick)
{
    const struct xds_group *group = xds_group_find(view, name);
    return (group ? group->stamp : view->lost_group) > tick;
}

bool xds_view_has_news(const struct xds_view *view, const struct xds_needs *needs, const char *node,
                       const char *id)
{
    const struct xds_place *place = xds_place_find(view, node, id);
    uint64_t tick = needs->tick;
    if (view->tick == tick)
        return false;
    if (tick == 0 || (place ? place->stamp : view->lost_place) > tick || view->roots_stamp > tick)
        return true;
    if (!needs->service)
        return false;
    if (entry_is_newer(view, "service-intentions", needs->service, tick) ||
        entry_is_newer(view, "service-intentions", "*", tick) ||
        entry_is_newer(view, "service-defaults", needs->service, tick) ||
        entry_is_newer(view, "proxy-defaults", "global", tick))
        return true;
    for (size_t i = 0; i < needs->count; i++)
        if (group_is_newer(view, needs->upstreams[i], tick) ||
            entry_is_newer(view, "service-defaults", needs->upstreams[i], tick))
            return true;
    return false;
}
