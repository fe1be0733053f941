#include "services/catalogd/core/browse.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "common/filter/shapes.h"
#include "services/catalogd/core/index.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/lookup.h"
#include "services/catalogd/core/may.h"
#include "services/catalogd/core/sieve.h"

static const struct cu_bytes all = {NULL, 0};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- nodes ---- */

static void keep_matching(const Curia__V1__ListNodesRequest *request, struct catalog_list *nodes)
{
    size_t kept = 0;
    for (size_t i = 0; i < nodes->count; i++)
        if (catalog_view_meta_matches(nodes->items[i], request->node_meta, request->n_node_meta))
            nodes->items[kept++] = nodes->items[i];
    nodes->count = kept;
}

enum cu_err catalog_list_nodes(const struct catalog_view *view,
                               const Curia__V1__ListNodesRequest *request, struct cu_arena *arena,
                               Curia__V1__ListNodesReply *reply, uint64_t *ret_index)
{
    struct catalog_list nodes = {0};
    enum cu_err err = catalog_view_list(view, CATALOG_NODES, all, arena, &nodes);
    if (err)
        return err;
    catalog_may_keep_nodes(view->authorizer, &nodes);
    keep_matching(request, &nodes);
    err = catalog_sieve(request->filter, &cu_filter_node, arena, &nodes);
    if (err)
        return err;
    reply->nodes = (Curia__V1__Node **)nodes.items;
    reply->n_nodes = nodes.count;
    *ret_index = catalog_view_index(view, view->nodes_index);
    return CU_OK;
}

/* ---- services ---- */

struct services {
    const struct cu_authorizer *who;
    const Curia__V1__ListServicesRequest *request;
    struct cu_arena *arena;
    struct cu_map nodes;       /* with node_meta: those that match, by the key of what is on them */
    struct cu_map by_name;     /* of struct named */
    struct catalog_list found; /* of Curia__V1__ServiceTags */
    enum cu_err err;
};

/* A service while its tags are gathered: now and then they are sorted, and each kept once. */
struct named {
    Curia__V1__ServiceTags tags; /* first */
    struct catalog_list list;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void keep_each_once(struct catalog_list *tags)
{
    size_t kept = 0;
    if (tags->count)
        qsort(tags->items, tags->count, sizeof(char *), by_text);
    for (size_t i = 0; i < tags->count; i++)
        if (kept == 0 || strcmp(tags->items[kept - 1], tags->items[i]) != 0)
            tags->items[kept++] = tags->items[i];
    tags->count = kept;
}

static bool add_tags(struct services *services, struct named *named,
                     const Curia__V1__Service *service)
{
    for (size_t i = 0; i < service->n_tags; i++) {
        if (named->list.count == named->list.cap)
            keep_each_once(&named->list);
        if (!catalog_list_add(&named->list, services->arena, service->tags[i]))
            return false;
    }
    return true;
}

static struct named *find_named(struct services *services, char *name)
{
    struct named *named = cu_map_get(&services->by_name, cu_bytes_of(name));
    if (named)
        return named;
    named = cu_arena_alloc(services->arena, sizeof *named);
    if (!named || !catalog_list_add(&services->found, services->arena, named))
        return NULL;
    curia__v1__service_tags__init(&named->tags);
    named->tags.name = name;
    (void)cu_map_put(&services->by_name, cu_bytes_of(name), named);
    return named;
}

static bool see_service(void *arg, const struct catalog_row *row)
{
    struct services *services = arg;
    Curia__V1__Service *service;
    if (services->request->n_node_meta > 0 &&
        !cu_map_get(&services->nodes, catalog_key_node_part(row->key)))
        return true;
    services->err = catalog_view_unpack(CATALOG_SERVICES, row, services->arena, &service);
    if (services->err || !catalog_may_see_service(services->who, service->service))
        return !services->err;
    struct named *named = find_named(services, service->service);
    if (!named || !add_tags(services, named, service))
        services->err = CU_E_TOO_LARGE;
    return !services->err;
}

static bool see_matching_node(void *arg, const struct catalog_row *row)
{
    static char there;
    struct services *services = arg;
    Curia__V1__Node *node;
    services->err = catalog_view_unpack(CATALOG_NODES, row, services->arena, &node);
    if (services->err)
        return false;
    if (!catalog_view_meta_matches(node, services->request->node_meta,
                                   services->request->n_node_meta))
        return true;
    struct cu_bytes key = catalog_key_of_node(services->arena, node->node, "");
    if (!key.data)
        services->err = CU_E_TOO_LARGE;
    else
        (void)cu_map_put(&services->nodes, key, &there);
    return !services->err;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(Curia__V1__ServiceTags *const *)a)->name,
                  (*(Curia__V1__ServiceTags *const *)b)->name);
}

static void finish_services(struct services *services, Curia__V1__ListServicesReply *reply)
{
    for (size_t i = 0; i < services->found.count; i++) {
        struct named *named = services->found.items[i];
        keep_each_once(&named->list);
        named->tags.tags = (char **)named->list.items;
        named->tags.n_tags = named->list.count;
    }
    reply->services = (Curia__V1__ServiceTags **)services->found.items;
    reply->n_services = services->found.count;
    if (reply->n_services)
        qsort(reply->services, reply->n_services, sizeof(void *), by_name);
}

enum cu_err catalog_list_services(const struct catalog_view *view,
                                  const Curia__V1__ListServicesRequest *request,
                                  struct cu_arena *arena, Curia__V1__ListServicesReply *reply,
                                  uint64_t *ret_index)
{
    const struct catalog_backend *backend = view->backend;
    struct services services = {.who = view->authorizer, .request = request, .arena = arena};
    uint64_t index = view->services_index;
    enum cu_err err = CU_OK;
    if (request->n_node_meta > 0) {
        index = larger(index, view->nodes_index);
        err =
            backend->scan(backend->context, CATALOG_NODES, all, all, see_matching_node, &services);
    }
    if (!err && !services.err)
        err = backend->scan(backend->context, CATALOG_SERVICES, all, all, see_service, &services);
    if (!err)
        err = services.err;
    if (!err)
        finish_services(&services, reply);
    cu_map_deinit(&services.nodes);
    cu_map_deinit(&services.by_name);
    *ret_index = catalog_view_index(view, index);
    return err;
}

/* ---- one node ---- */

bool catalog_id_prefix(const char *text, char *ret_digits, size_t size)
{
    enum { LEAST = 2, HYPHENS_MAX = 4, UUID_CHARS = 36 };
    size_t len = strlen(text), hyphens = 0, count = 0;
    len -= len % 2;
    if (len < LEAST || len > UUID_CHARS || len >= size)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t digit;
        catalog_name_fold(&digit, &text[i], 1);
        if (digit == '-')
            hyphens++;
        else if (memchr("0123456789abcdef", digit, 16))
            ret_digits[count++] = (char)digit;
        else
            return false;
    }
    ret_digits[count] = '\0';
    return hyphens <= HYPHENS_MAX && count > 0 && count % 2 == 0;
}

/* The node whose id begins so, when there is just one. */
struct only {
    struct cu_arena *arena;
    struct cu_bytes key;
    size_t count;
};

static bool see_only(void *arg, const struct catalog_row *row)
{
    struct only *only = arg;
    only->key = catalog_lookup_target(only->arena, row->key);
    return ++only->count < 2;
}

static enum cu_err find_by_prefix(const struct catalog_view *view, const char *text,
                                  struct cu_arena *arena, Curia__V1__Node **ret_node)
{
    const struct catalog_backend *backend = view->backend;
    char digits[CATALOG_ID_PREFIX_BYTES];
    struct only only = {.arena = arena};
    if (!catalog_id_prefix(text, digits, sizeof digits))
        return CU_OK;
    struct cu_bytes prefix = catalog_lookup_key(arena, CATALOG_LOOKUP_NODE_ID, digits, all);
    if (!prefix.data)
        return CU_E_TOO_LARGE;
    prefix.len--; /* more digits may follow */
    enum cu_err err =
        backend->scan(backend->context, CATALOG_INDEXES, prefix, all, see_only, &only);
    if (err || only.count != 1)
        return err;
    return catalog_view_get(view, CATALOG_NODES, only.key, arena, ret_node);
}

/* One of the two reads of it asks the right on the id, not on the name (http-api.md 2.6). */
static void keep_visible(const struct catalog_view *view, bool by_id, struct catalog_list *services)
{
    size_t kept = 0;
    for (size_t i = 0; i < services->count; i++) {
        const Curia__V1__Service *service = services->items[i];
        if (catalog_may_see_service(view->authorizer, by_id ? service->id : service->service))
            services->items[kept++] = services->items[i];
    }
    services->count = kept;
}

static enum cu_err list_on_node(const struct catalog_view *view, const char *node,
                                const Curia__V1__NodeServicesRequest *request,
                                struct cu_arena *arena, Curia__V1__NodeServicesReply *reply)
{
    struct catalog_list found = {0};
    struct cu_bytes prefix = catalog_key_of_node(arena, node, "");
    if (!prefix.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = catalog_view_list(view, CATALOG_SERVICES, prefix, arena, &found);
    keep_visible(view, request->rights_by_id, &found);
    if (!err)
        err = catalog_sieve(request->filter, &cu_filter_service, arena, &found);
    reply->services = (Curia__V1__Service **)found.items;
    reply->n_services = found.count;
    return err;
}

enum cu_err catalog_node_services(const struct catalog_view *view,
                                  const Curia__V1__NodeServicesRequest *request,
                                  struct cu_arena *arena, Curia__V1__NodeServicesReply *reply,
                                  uint64_t *ret_index)
{
    Curia__V1__Node *node = NULL;
    struct cu_bytes key = catalog_key_of_node(arena, request->node, NULL);
    enum cu_err err = catalog_view_get(view, CATALOG_NODES, key, arena, &node);
    if (!err && !node)
        err = find_by_prefix(view, request->node, arena, &node);
    bool is_visible = !err && node && catalog_may_see_node(view->authorizer, node->node);
    if (is_visible)
        err = list_on_node(view, node->node, request, arena, reply);
    if (err)
        return err;
    reply->node = is_visible ? node : NULL;
    return catalog_view_named_index(view, arena, CATALOG_INDEX_NODE,
                                    node ? node->node : request->node, CATALOG_INDEX_NODES_REMOVAL,
                                    ret_index);
}
