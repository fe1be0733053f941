#include "services/catalogd/core/health.h"

#include <stdlib.h>
#include <string.h>

#include "common/filter/shapes.h"
#include "services/catalogd/core/index.h"
#include "services/catalogd/core/instances.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/lookup.h"
#include "services/catalogd/core/may.h"
#include "services/catalogd/core/sieve.h"

typedef Curia__V1__Node node_t;
typedef Curia__V1__Check check_t;

static const struct cu_bytes all = {NULL, 0};

/* Checks being gathered. */
struct checks {
    const struct catalog_view *view;
    struct cu_arena *arena;
    const char *status; /* only those; NULL: any */
    struct catalog_list found;
    enum cu_err err; /* inside a walk */
};

static void add(struct checks *checks, check_t *check)
{
    bool is_wanted = (!checks->status || strcmp(checks->status, check->status) == 0) &&
                     catalog_may_see_check(checks->view->authorizer, check);
    if (is_wanted && !catalog_list_add(&checks->found, checks->arena, check))
        checks->err = CU_E_TOO_LARGE;
}

static bool see(void *arg, const struct catalog_row *row)
{
    struct checks *checks = arg;
    check_t *check;
    checks->err = catalog_view_unpack(CATALOG_CHECKS, row, checks->arena, &check);
    if (!checks->err)
        add(checks, check);
    return !checks->err;
}

static enum cu_err scan(struct checks *checks, struct cu_bytes prefix)
{
    const struct catalog_backend *backend = checks->view->backend;
    enum cu_err err = backend->scan(backend->context, CATALOG_CHECKS, prefix, all, see, checks);
    return err ? err : checks->err;
}

static enum cu_err look_up(struct checks *checks, enum catalog_lookup kind, const char *by)
{
    struct catalog_list keys = {0};
    struct cu_bytes prefix = catalog_lookup_key(checks->arena, kind, by, all);
    enum cu_err err = catalog_lookup_targets(checks->view->backend, prefix, checks->arena, &keys);
    for (size_t i = 0; !err && i < keys.count; i++) {
        check_t *check;
        err = catalog_view_get(checks->view, CATALOG_CHECKS,
                               *(const struct cu_bytes *)keys.items[i], checks->arena, &check);
        if (!err && check)
            add(checks, check);
        if (!err)
            err = checks->err;
    }
    return err;
}

/* ---- by the name of the service ---- */

/* Of an instance those that bear the name: after a rename some may still bear the old one. */
static enum cu_err add_of_instance(struct checks *checks, struct cu_bytes key, const char *name)
{
    Curia__V1__Service *service = NULL;
    struct catalog_list found = {0};
    struct cu_bytes user = {NULL, 0};
    if (!catalog_key_user(key, &user))
        return CU_E_CORRUPT;
    enum cu_err err =
        catalog_view_get(checks->view, CATALOG_SERVICES, key, checks->arena, &service);
    /* What is behind the node is the id; the node ends with a NUL of its own. */
    if (!err && service)
        err = catalog_instance_checks(checks->view, checks->arena, (const char *)user.data,
                                      service->id, &found);
    for (size_t i = 0; !err && i < found.count; i++) {
        check_t *check = found.items[i];
        if (catalog_name_equal(check->service_name, name))
            add(checks, check);
    }
    return err ? err : checks->err;
}

static int by_place(const void *a, const void *b)
{
    const check_t *x = *(check_t *const *)a, *y = *(check_t *const *)b;
    int order = catalog_name_compare(x->node, y->node);
    return order ? order : catalog_name_compare(x->check_id, y->check_id);
}

static enum cu_err by_service_name(struct checks *checks, const char *name)
{
    struct catalog_list instances = {0};
    struct cu_bytes prefix =
        catalog_lookup_key(checks->arena, CATALOG_LOOKUP_SERVICE_NAME, name, all);
    enum cu_err err =
        catalog_lookup_targets(checks->view->backend, prefix, checks->arena, &instances);
    for (size_t i = 0; !err && i < instances.count; i++)
        err = add_of_instance(checks, *(const struct cu_bytes *)instances.items[i], name);
    if (!err)
        err = look_up(checks, CATALOG_LOOKUP_CHECK_NAME, name);
    if (!err && checks->found.count)
        qsort(checks->found.items, checks->found.count, sizeof(void *), by_place);
    return err;
}

/* ---- by metadata of the nodes they are on ---- */

struct meta {
    void *pairs;
    size_t count;
};

/* Checks of one node come one after the other. */
static enum cu_err keep_matching(struct checks *checks, struct meta meta)
{
    size_t kept = 0;
    const char *name = NULL;
    bool matches = false;
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && meta.count > 0 && i < checks->found.count; i++) {
        check_t *check = checks->found.items[i];
        if (!name || strcmp(name, check->node) != 0) {
            node_t *node = NULL;
            struct cu_bytes key = catalog_key_of_node(checks->arena, check->node, NULL);
            err = catalog_view_get(checks->view, CATALOG_NODES, key, checks->arena, &node);
            matches = node && catalog_view_meta_matches(node, meta.pairs, meta.count);
            name = check->node;
        }
        if (matches)
            checks->found.items[kept++] = check;
    }
    if (meta.count > 0)
        checks->found.count = kept;
    return err;
}

static void put(const struct checks *checks, Curia__V1__ChecksReply *reply)
{
    reply->checks = (check_t **)checks->found.items;
    reply->n_checks = checks->found.count;
}

/* ---- the reads ---- */

enum cu_err catalog_node_checks(const struct catalog_view *view,
                                const Curia__V1__NodeChecksRequest *request, struct cu_arena *arena,
                                Curia__V1__ChecksReply *reply, uint64_t *ret_index)
{
    struct checks checks = {.view = view, .arena = arena};
    struct cu_bytes prefix = catalog_key_of_node(arena, request->node, "");
    enum cu_err err = prefix.data ? scan(&checks, prefix) : CU_E_TOO_LARGE;
    if (!err)
        err = catalog_sieve(request->filter, &cu_filter_check, arena, &checks.found);
    if (err)
        return err;
    put(&checks, reply);
    return catalog_view_named_index(view, arena, CATALOG_INDEX_NODE_CHECKS, request->node,
                                    CATALOG_INDEX_NODES_REMOVAL, ret_index);
}

/* With metadata of nodes the answer changes with those, too: as the service's instances do. */
static enum cu_err service_checks_index(const struct catalog_view *view,
                                        const Curia__V1__ServiceChecksRequest *request,
                                        struct cu_arena *arena, uint64_t *ret_index)
{
    uint64_t index, instances = 0;
    enum cu_err err =
        catalog_view_named_index(view, arena, CATALOG_INDEX_SERVICE_CHECKS, request->service,
                                 CATALOG_INDEX_CHECKS_REMOVAL, &index);
    if (!err && request->n_node_meta > 0)
        err = catalog_service_index(view, arena, request->service, false, &instances);
    if (!err)
        *ret_index = index > instances ? index : instances;
    return err;
}

enum cu_err catalog_service_checks(const struct catalog_view *view,
                                   const Curia__V1__ServiceChecksRequest *request,
                                   struct cu_arena *arena, Curia__V1__ChecksReply *reply,
                                   uint64_t *ret_index)
{
    struct checks checks = {.view = view, .arena = arena};
    enum cu_err err = by_service_name(&checks, request->service);
    if (!err)
        err = keep_matching(&checks, (struct meta){request->node_meta, request->n_node_meta});
    if (!err)
        err = catalog_sieve(request->filter, &cu_filter_check, arena, &checks.found);
    if (err)
        return err;
    put(&checks, reply);
    return service_checks_index(view, request, arena, ret_index);
}

static enum cu_err in_state(struct checks *checks, const char *state)
{
    static const char *const looked_up[] = {"warning", "critical"};
    if (strcmp(state, "any") == 0)
        return scan(checks, all);
    checks->status = state;
    if (strcmp(state, "passing") == 0)
        return scan(checks, all); /* nearly all do */
    for (size_t i = 0; i < sizeof looked_up / sizeof looked_up[0]; i++)
        if (strcmp(state, looked_up[i]) == 0)
            return look_up(checks, CATALOG_LOOKUP_CHECK_STATUS, state);
    return CU_OK;
}

enum cu_err catalog_state_checks(const struct catalog_view *view,
                                 const Curia__V1__StateChecksRequest *request,
                                 struct cu_arena *arena, Curia__V1__ChecksReply *reply,
                                 uint64_t *ret_index)
{
    struct checks checks = {.view = view, .arena = arena};
    uint64_t index = view->checks_index;
    enum cu_err err = in_state(&checks, request->state);
    if (!err)
        err = keep_matching(&checks, (struct meta){request->node_meta, request->n_node_meta});
    if (!err)
        err = catalog_sieve(request->filter, &cu_filter_check, arena, &checks.found);
    if (err)
        return err;
    put(&checks, reply);
    if (request->n_node_meta > 0 && view->nodes_index > index)
        index = view->nodes_index;
    *ret_index = catalog_view_index(view, index);
    return CU_OK;
}
