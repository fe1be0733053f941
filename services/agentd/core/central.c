#include "services/agentd/core/central.h"

#include <string.h>

#include "common/base/map.h"
#include "common/json/canonical.h"
#include "common/json/scan.h"
#include "common/json/text.h"
#include "services/agentd/core/service_rules.h"

typedef Curia__V1__Proxy proxy_t;
typedef Curia__V1__ServiceDefaults defaults_t;

/* ---- two objects ---- */

/* As good as not said: "", 0, false, null, [] and {}. */
static bool is_nothing(struct cu_bytes value)
{
    static const char *const nothings[] = {"\"\"", "0", "false", "null", "[]", "{}"};
    for (size_t i = 0; i < CU_COUNT(nothings); i++)
        if (cu_bytes_equal(value, cu_bytes_of(nothings[i])))
            return true;
    return false;
}

/* The members of an object by their quoted names; the values lie in `values`. */
static bool index_members(struct cu_bytes object, struct cu_map *map, struct cu_arena *arena)
{
    struct cu_bytes name, value;
    for (struct cu_json_walk walk = cu_json_walk(object);
         cu_json_next_member(&walk, &name, &value);) {
        struct cu_bytes *kept = cu_arena_alloc(arena, sizeof *kept);
        if (!kept)
            return false;
        *kept = value;
        (void)cu_map_put(map, name, kept); /* canonical: each name once */
    }
    return true;
}

static void add_name(struct cu_buf *out, struct cu_bytes name)
{
    if (out->data[out->len - 1] != '{')
        cu_buf_u8(out, ',');
    cu_buf_append(out, name.data, name.len);
    cu_buf_u8(out, ':');
}

/* Appends `own` with what only `more` has; both are canonical objects, so no deeper than
 * CU_JSON_MAX_DEPTH. False: the arena is full. */
static bool merge_objects(struct cu_bytes own, struct cu_bytes more, struct cu_arena *arena,
                          struct cu_buf *out)
{
    struct cu_map others = {0};
    struct cu_bytes name, value;
    bool good = index_members(more, &others, arena);
    cu_buf_u8(out, '{');
    for (struct cu_json_walk walk = cu_json_walk(own);
         good && cu_json_next_member(&walk, &name, &value);) {
        const struct cu_bytes *other = cu_map_del(&others, name);
        add_name(out, name);
        if (other && cu_json_kind(value) == CU_JSON_KIND_OBJECT &&
            cu_json_kind(*other) == CU_JSON_KIND_OBJECT)
            good = merge_objects(value, *other, arena, out);
        else
            cu_buf_append(out, other && is_nothing(value) ? other->data : value.data,
                          other && is_nothing(value) ? other->len : value.len);
    }
    for (struct cu_json_walk walk = cu_json_walk(more);
         good && cu_json_next_member(&walk, &name, &value);)
        if (cu_map_get(&others, name)) {
            add_name(out, name);
            cu_buf_append(out, value.data, value.len);
        }
    cu_buf_u8(out, '}');
    cu_map_deinit(&others);
    return good;
}

static bool canonical(struct cu_bytes text, struct cu_arena *arena, ProtobufCBinaryData *ret_config)
{
    struct cu_bytes value, made;
    if (cu_json_check(text, &value, NULL) || cu_json_canonical(value, arena, &made))
        return false;
    *ret_config = (ProtobufCBinaryData){made.len, (uint8_t *)(uintptr_t)made.data};
    return true;
}

/* Fills what `config` lacks of `more`, a canonical object or nothing. */
static bool fill_config(ProtobufCBinaryData *config, ProtobufCBinaryData more,
                        struct cu_arena *arena)
{
    static const uint8_t braces[] = {'{', '}'};
    struct cu_bytes own = {config->data, config->len}, other = {more.data, more.len};
    struct cu_buf out = {0};
    if (other.len <= sizeof braces)
        return true;
    if (!own.len)
        own = (struct cu_bytes){braces, sizeof braces};
    bool good =
        merge_objects(own, other, arena, &out) && canonical(cu_buf_bytes(&out), arena, config);
    cu_buf_deinit(&out);
    return good;
}

/* As fill_config(), of one text member. */
static bool fill_protocol(ProtobufCBinaryData *config, const char *protocol, struct cu_arena *arena)
{
    struct cu_buf json = {0};
    if (!*protocol)
        return true;
    cu_buf_text(&json, "{\"protocol\":");
    cu_json_cstr(&json, protocol);
    cu_buf_u8(&json, '}');
    bool good = fill_config(config, (ProtobufCBinaryData){json.len, json.data}, arena);
    cu_buf_deinit(&json);
    return good;
}

/* ---- entries ---- */

static const defaults_t *defaults_of(const struct agent_central *central, const char *name)
{
    for (size_t i = 0; i < central->service_count; i++)
        if (strcmp(central->services[i]->name, name) == 0)
            return central->services[i]->service_defaults;
    return NULL;
}

static const char *mode_of(const Curia__V1__MeshGatewayConfig *gateway)
{
    return gateway ? gateway->mode : "";
}

static Curia__V1__MeshGatewayConfig *gateway_of(const char *mode, struct cu_arena *arena)
{
    Curia__V1__MeshGatewayConfig *gateway = cu_arena_alloc(arena, sizeof *gateway);
    if (gateway) {
        curia__v1__mesh_gateway_config__init(gateway);
        gateway->mode = (char *)mode;
    }
    return gateway;
}

/* What both say together (mesh.md 2.6, resolve). */
static bool has_checks(const Curia__V1__ExposeConfig *expose)
{
    return expose && expose->checks;
}

static const Curia__V1__ExposeConfig *paths_of(const Curia__V1__ExposeConfig *first,
                                               const Curia__V1__ExposeConfig *second)
{
    if (first && first->n_paths)
        return first;
    return second && second->n_paths ? second : NULL;
}

/* ---- the proxy ---- */

struct merging {
    const struct agent_central *central;
    const defaults_t *service; /* NULL: none */
    struct cu_arena *arena;
};

static bool merge_config(struct merging *m, proxy_t *proxy)
{
    const Curia__V1__ProxyDefaults *all = m->central->proxy_defaults;
    return fill_protocol(&proxy->config, m->service ? m->service->protocol : "", m->arena) &&
           (!all || fill_config(&proxy->config, all->config, m->arena));
}

static bool merge_gateway(struct merging *m, proxy_t *proxy)
{
    const Curia__V1__ProxyDefaults *all = m->central->proxy_defaults;
    const char *mode = m->service ? mode_of(m->service->mesh_gateway) : "";
    if (!*mode)
        mode = all ? mode_of(all->mesh_gateway) : "";
    if (*mode_of(proxy->mesh_gateway) || !*mode)
        return true;
    proxy->mesh_gateway = gateway_of(mode, m->arena);
    return proxy->mesh_gateway != NULL;
}

static bool merge_expose(struct merging *m, proxy_t *proxy)
{
    const Curia__V1__ProxyDefaults *all = m->central->proxy_defaults;
    const Curia__V1__ExposeConfig *service = m->service ? m->service->expose : NULL;
    const Curia__V1__ExposeConfig *general = all ? all->expose : NULL;
    const Curia__V1__ExposeConfig *paths = paths_of(proxy->expose, paths_of(service, general));
    bool checks = has_checks(proxy->expose) || has_checks(service) || has_checks(general);
    if (!checks && !paths)
        return true;
    Curia__V1__ExposeConfig *expose = cu_arena_alloc(m->arena, sizeof *expose);
    if (!expose)
        return false;
    curia__v1__expose_config__init(expose);
    expose->checks = checks;
    expose->paths = paths ? paths->paths : NULL;
    expose->n_paths = paths ? paths->n_paths : 0;
    proxy->expose = expose;
    return true;
}

static const char *upstream_protocol(const struct agent_central *central, const char *name)
{
    const defaults_t *service = defaults_of(central, name);
    if (service && *service->protocol)
        return service->protocol;
    return central->proxy_defaults ? central->proxy_defaults->protocol : "";
}

static bool merge_upstream(struct merging *m, const proxy_t *proxy, Curia__V1__Upstream *upstream)
{
    const char *mode = mode_of(proxy->mesh_gateway);
    if (*upstream->destination_type && strcmp(upstream->destination_type, "service") != 0)
        return true;
    if (!*mode_of(upstream->mesh_gateway) && *mode) {
        upstream->mesh_gateway = gateway_of(mode, m->arena);
        if (!upstream->mesh_gateway)
            return false;
    }
    return fill_protocol(&upstream->config,
                         upstream_protocol(m->central, upstream->destination_name), m->arena);
}

static bool merge_upstreams(struct merging *m, proxy_t *proxy)
{
    Curia__V1__Upstream **list =
        cu_arena_alloc(m->arena, (proxy->n_upstreams + 1) * sizeof(Curia__V1__Upstream *));
    for (size_t i = 0; list && i < proxy->n_upstreams; i++) {
        list[i] = cu_arena_alloc(m->arena, sizeof *list[i]);
        if (!list[i])
            return false;
        *list[i] = *proxy->upstreams[i];
        if (!merge_upstream(m, proxy, list[i]))
            return false;
    }
    proxy->upstreams = list;
    return list != NULL;
}

const Curia__V1__Service *agent_central_merge(const struct agent_central *central,
                                              const Curia__V1__Service *own, struct cu_arena *arena)
{
    struct merging m = {.central = central, .arena = arena};
    if (!agent_kind_is_proxy(own->kind))
        return own;
    Curia__V1__Service *service = cu_arena_alloc(arena, sizeof *service);
    proxy_t *proxy = cu_arena_alloc(arena, sizeof *proxy);
    if (!service || !proxy)
        return NULL;
    *service = *own;
    curia__v1__proxy__init(proxy);
    if (own->proxy)
        *proxy = *own->proxy;
    service->proxy = proxy;
    bool is_sidecar = strcmp(own->kind, "connect-proxy") == 0;
    m.service = defaults_of(central, is_sidecar ? proxy->destination_service_name : own->service);
    bool good = merge_config(&m, proxy) && merge_gateway(&m, proxy) && merge_expose(&m, proxy) &&
                merge_upstreams(&m, proxy);
    return good ? service : NULL;
}
