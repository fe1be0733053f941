#include "services/catalogd/core/instances.h"

#include <string.h>

#include "common/filter/shapes.h"
#include "services/catalogd/core/index.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/lookup.h"
#include "services/catalogd/core/may.h"
#include "services/catalogd/core/sieve.h"

typedef Curia__V1__Node node_t;
typedef Curia__V1__Service service_t;
typedef Curia__V1__Check check_t;
typedef Curia__V1__ServiceNodesRequest request_t;

enum cu_err catalog_service_index(const struct catalog_view *view, struct cu_arena *arena,
                                  const char *service, bool connect, uint64_t *ret_index)
{
    const char *head = connect ? CATALOG_INDEX_CONNECT : CATALOG_INDEX_SERVICE;
    return catalog_view_named_index(view, arena, head, service, CATALOG_INDEX_EXTINCTION,
                                    ret_index);
}

/* One instance; all of it in the arena. */
struct instance {
    node_t *node;
    service_t *service;
};

typedef enum cu_err see_instance(void *arg, const struct instance *instance);

/* A walk over the instances; those of one node come one after the other. */
struct walk {
    const struct catalog_view *view;
    const request_t *request;
    struct cu_arena *arena;
    node_t *node; /* of the last one */
    struct cu_bytes node_key;
};

/* ---- which ones ---- */

static bool has_tag(const service_t *service, const char *tag)
{
    for (size_t i = 0; i < service->n_tags; i++)
        if (tag[0] && catalog_name_equal(service->tags[i], tag))
            return true;
    return false;
}

/* Tags are those of a plain service; a proxy is found whatever it bears. */
static bool is_wanted(const struct walk *walk, const struct instance *instance)
{
    const struct cu_authorizer *who = walk->view->authorizer;
    const request_t *request = walk->request;
    if (!catalog_may_see_node(who, instance->node->node) ||
        !catalog_may_see_service(who, instance->service->service))
        return false;
    for (size_t i = 0; !request->connect && i < request->n_tags; i++)
        if (!has_tag(instance->service, request->tags[i]))
            return false;
    return catalog_view_meta_matches(instance->node, request->node_meta, request->n_node_meta);
}

/* ---- the walk ---- */

static enum cu_err find_node(struct walk *walk, struct cu_bytes service_key)
{
    struct cu_bytes key = catalog_key_node_part(service_key);
    if (!key.data)
        return CU_E_CORRUPT;
    key.len--; /* without the NUL */
    if (walk->node && cu_bytes_equal(key, walk->node_key))
        return CU_OK;
    walk->node_key = key;
    return catalog_view_get(walk->view, CATALOG_NODES, key, walk->arena, &walk->node);
}

static enum cu_err visit(struct walk *walk, struct cu_bytes key, see_instance *see, void *arg)
{
    struct instance instance;
    enum cu_err err = find_node(walk, key);
    if (!err)
        err = catalog_view_get(walk->view, CATALOG_SERVICES, key, walk->arena, &instance.service);
    instance.node = walk->node;
    if (err || !instance.node || !instance.service) /* both are there: rows of one state agree */
        return err ? err : CU_E_CORRUPT;
    return is_wanted(walk, &instance) ? see(arg, &instance) : CU_OK;
}

static enum cu_err walk_instances(struct walk *walk, see_instance *see, void *arg)
{
    struct catalog_list keys = {0};
    /* Who may not see the service is not told who stands for it (http-api.md 4.9). */
    if (walk->request->connect &&
        !catalog_may_see_service(walk->view->authorizer, walk->request->service))
        return CU_OK;
    enum catalog_lookup kind =
        walk->request->connect ? CATALOG_LOOKUP_DESTINATION : CATALOG_LOOKUP_SERVICE_NAME;
    struct cu_bytes prefix =
        catalog_lookup_key(walk->arena, kind, walk->request->service, (struct cu_bytes){NULL, 0});
    enum cu_err err = catalog_lookup_targets(walk->view->backend, prefix, walk->arena, &keys);
    for (size_t i = 0; !err && i < keys.count; i++)
        err = visit(walk, *(const struct cu_bytes *)keys.items[i], see, arg);
    return err;
}

/* ---- Catalog ---- */

struct flat {
    struct cu_arena *arena;
    struct catalog_list found;
};

static void fill_flat(const node_t *node, const service_t *service, Curia__V1__CatalogService *flat)
{
    curia__v1__catalog_service__init(flat);
    flat->id = node->id;
    flat->node = node->node;
    flat->address = node->address;
    flat->datacenter = node->datacenter;
    flat->tagged_addresses = node->tagged_addresses;
    flat->node_meta = node->meta;
    flat->service_kind = service->kind;
    flat->service_id = service->id;
    flat->service_name = service->service;
    flat->service_tags = service->tags;
    flat->n_service_tags = service->n_tags;
    flat->service_address = service->address;
    flat->service_tagged_addresses = service->tagged_addresses;
    flat->service_weights = service->weights;
    flat->service_meta = service->meta;
    flat->service_port = service->port;
    flat->service_enable_tag_override = service->enable_tag_override;
    flat->service_proxy = service->proxy;
    flat->service_connect = service->connect;
    flat->create_index = service->create_index;
    flat->modify_index = service->modify_index;
}

static enum cu_err see_flat(void *arg, const struct instance *instance)
{
    struct flat *flat = arg;
    Curia__V1__CatalogService *service = cu_arena_alloc(flat->arena, sizeof *service);
    if (!service || !catalog_list_add(&flat->found, flat->arena, service))
        return CU_E_TOO_LARGE;
    fill_flat(instance->node, instance->service, service);
    return CU_OK;
}

enum cu_err catalog_service_nodes(const struct catalog_view *view, const request_t *request,
                                  struct cu_arena *arena, Curia__V1__ServiceNodesReply *reply,
                                  uint64_t *ret_index)
{
    struct walk walk = {.view = view, .request = request, .arena = arena};
    struct flat flat = {.arena = arena};
    enum cu_err err = walk_instances(&walk, see_flat, &flat);
    if (!err)
        err = catalog_sieve(request->filter, &cu_filter_catalog_service, arena, &flat.found);
    if (err)
        return err;
    reply->services = (Curia__V1__CatalogService **)flat.found.items;
    reply->n_services = flat.found.count;
    return catalog_service_index(view, arena, request->service, request->connect, ret_index);
}

/* ---- Health ---- */

enum cu_err catalog_instance_checks(const struct catalog_view *view, struct cu_arena *arena,
                                    const char *node, const char *service_id,
                                    struct catalog_list *checks)
{
    struct catalog_list keys = {0};
    struct cu_bytes on_node = catalog_key_of_node(arena, node, "");
    struct cu_bytes prefix =
        on_node.data ? catalog_lookup_key(arena, CATALOG_LOOKUP_CHECK_SERVICE, service_id, on_node)
                     : on_node;
    enum cu_err err = catalog_lookup_targets(view->backend, prefix, arena, &keys);
    for (size_t i = 0; !err && i < keys.count; i++) {
        check_t *check;
        err = catalog_view_get(view, CATALOG_CHECKS, *(const struct cu_bytes *)keys.items[i], arena,
                               &check);
        if (!err && check && !catalog_list_add(checks, arena, check))
            err = CU_E_TOO_LARGE;
    }
    return err;
}

struct entries {
    const struct catalog_view *view;
    struct cu_arena *arena;
    bool passing;
    struct catalog_list found;
    const node_t *node; /* whose checks these are */
    struct catalog_list node_checks;
};

static enum cu_err load_node_checks(struct entries *entries, const node_t *node)
{
    if (entries->node == node)
        return CU_OK;
    entries->node = node;
    entries->node_checks = (struct catalog_list){0};
    return catalog_instance_checks(entries->view, entries->arena, node->node, "",
                                   &entries->node_checks);
}

static bool do_all_pass(const struct catalog_list *checks)
{
    for (size_t i = 0; i < checks->count; i++)
        if (strcmp(((const check_t *)checks->items[i])->status, "passing") != 0)
            return false;
    return true;
}

static enum cu_err add_entry(struct entries *entries, const struct instance *instance,
                             const struct catalog_list *checks)
{
    Curia__V1__HealthEntry *entry = cu_arena_alloc(entries->arena, sizeof *entry);
    if (!entry || !catalog_list_add(&entries->found, entries->arena, entry))
        return CU_E_TOO_LARGE;
    curia__v1__health_entry__init(entry);
    entry->node = instance->node;
    entry->service = instance->service;
    entry->checks = (check_t **)checks->items;
    entry->n_checks = checks->count;
    return CU_OK;
}

/* Checks of the node first, then the service's (http-api.md 2.7). */
static enum cu_err see_entry(void *arg, const struct instance *instance)
{
    struct entries *entries = arg;
    struct catalog_list checks = {0};
    enum cu_err err = load_node_checks(entries, instance->node);
    for (size_t i = 0; !err && i < entries->node_checks.count; i++)
        if (!catalog_list_add(&checks, entries->arena, entries->node_checks.items[i]))
            err = CU_E_TOO_LARGE;
    if (!err)
        err = catalog_instance_checks(entries->view, entries->arena, instance->node->node,
                                      instance->service->id, &checks);
    if (err || (entries->passing && !do_all_pass(&checks)))
        return err;
    return add_entry(entries, instance, &checks);
}

enum cu_err catalog_service_health(const struct catalog_view *view, const request_t *request,
                                   struct cu_arena *arena, Curia__V1__HealthServiceReply *reply,
                                   uint64_t *ret_index)
{
    struct walk walk = {.view = view, .request = request, .arena = arena};
    struct entries entries = {.view = view, .arena = arena, .passing = request->passing};
    enum cu_err err = walk_instances(&walk, see_entry, &entries);
    if (!err)
        err = catalog_sieve(request->filter, &cu_filter_health_entry, arena, &entries.found);
    if (err)
        return err;
    reply->entries = (Curia__V1__HealthEntry **)entries.found.items;
    reply->n_entries = entries.found.count;
    return catalog_service_index(view, arena, request->service, request->connect, ret_index);
}
