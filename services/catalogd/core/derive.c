#include "services/catalogd/core/derive.h"

#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/index.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/lookup.h"
#include "services/catalogd/core/store_state.h"

enum { SWEEP_ARENA_BYTES = 4 * 1024 * 1024 };

typedef Curia__V1__Node node_t;
typedef Curia__V1__Service service_t;
typedef Curia__V1__Check check_t;

/* ---- rows ---- */

/* A row before and after; NULL: there is none. */
struct pair {
    const void *before, *after;
};

static enum cu_err unpack(struct cu_arena *arena, const ProtobufCMessageDescriptor *type,
                          const struct cu_bytes *value, const void **ret_message)
{
    *ret_message = NULL;
    if (!value)
        return CU_OK;
    *ret_message =
        protobuf_c_message_unpack(type, cu_arena_allocator(arena), value->len, value->data);
    return *ret_message ? CU_OK : CU_E_CORRUPT;
}

static enum cu_err unpack_pair(struct catalog_store *store, const struct catalog_moved *moved,
                               const ProtobufCMessageDescriptor *type, struct pair *ret_pair)
{
    bool is_gone = moved->operation == CATALOG_DELETE;
    enum cu_err err = unpack(store->scratch, type, moved->before ? &moved->before->value : NULL,
                             &ret_pair->before);
    return err ? err
               : unpack(store->scratch, type, is_gone ? NULL : &moved->after, &ret_pair->after);
}

/* ---- lookups ---- */

struct way {
    enum catalog_lookup kind;
    const char *before, *after; /* NULL: none */
};

static enum cu_err write_way(struct catalog_store *store, struct cu_bytes to, const char *by,
                             enum catalog_lookup kind,
                             enum cu_err (*write)(struct catalog_store *, struct cu_bytes))
{
    struct cu_bytes key = catalog_lookup_key(store->scratch, kind, by, to);
    CU_ASSERT(key.data);
    return write(store, key);
}

static enum cu_err move_way(struct catalog_store *store, struct cu_bytes to, struct way way)
{
    enum cu_err err = CU_OK;
    if (way.before && way.after && catalog_name_equal(way.before, way.after))
        return CU_OK;
    if (way.before)
        err = write_way(store, to, way.before, way.kind, catalog_store_drop_lookup);
    if (!err && way.after)
        err = write_way(store, to, way.after, way.kind, catalog_store_add_lookup);
    return err;
}

static enum cu_err move_ways(struct catalog_store *store, struct cu_bytes to,
                             const struct way *ways, size_t count)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < count; i++)
        err = move_way(store, to, ways[i]);
    return err;
}

/* Whether any row is still found that way. */
static enum cu_err is_any_left(struct catalog_store *store, enum catalog_lookup kind,
                               const char *by, bool *ret_any)
{
    struct cu_bytes prefix =
        catalog_lookup_key(store->scratch, kind, by, (struct cu_bytes){NULL, 0});
    CU_ASSERT(prefix.data);
    return catalog_lookup_any(store->backend, prefix, ret_any);
}

/* The index by a name that a row has left: removed with the last one. */
static enum cu_err leave(struct catalog_store *store, enum catalog_lookup kind, const char *head,
                         const char *name, bool *ret_was_last)
{
    bool any;
    enum cu_err err = is_any_left(store, kind, name, &any);
    if (err)
        return err;
    *ret_was_last = !any;
    return any ? catalog_index_raise(store, head, name) : catalog_index_remove(store, head, name);
}

/* ---- services ---- */

const char *catalog_connect_name(const service_t *service)
{
    if (service->connect && service->connect->native)
        return service->service;
    bool is_proxy = strcmp(service->kind, "connect-proxy") == 0 && service->proxy &&
                    service->proxy->destination_service_name[0];
    return is_proxy ? service->proxy->destination_service_name : NULL;
}

/* Kinds that have an index; there is no end to what users may call one. */
static const char *kind_name(const char *kind)
{
    static const char *const kinds[] = {"connect-proxy", "mesh-gateway", "terminating-gateway",
                                        "ingress-gateway"};
    if (kind[0] == '\0')
        return "typical";
    for (size_t i = 0; i < CU_COUNT(kinds); i++)
        if (strcmp(kinds[i], kind) == 0)
            return kinds[i];
    return NULL;
}

static enum cu_err raise_kind(struct catalog_store *store, const service_t *service)
{
    const char *kind = kind_name(service->kind);
    return kind ? catalog_index_raise(store, CATALOG_INDEX_SERVICE_KIND, kind) : CU_OK;
}

/* Something that a reader of this instance sees has changed. */
static enum cu_err raise_instance(struct catalog_store *store, const service_t *service)
{
    const char *connect = catalog_connect_name(service);
    enum cu_err err = catalog_index_raise(store, CATALOG_INDEX_SERVICE, service->service);
    if (!err)
        err = raise_kind(store, service);
    if (!err && connect)
        err = catalog_index_raise(store, CATALOG_INDEX_CONNECT, connect);
    return err;
}

/* Nobody bears the name any more: neither an instance nor a check that has kept it. */
static enum cu_err end_checks_of(struct catalog_store *store, const char *name)
{
    bool any;
    enum cu_err err = is_any_left(store, CATALOG_LOOKUP_CHECK_NAME, name, &any);
    if (!err && !any)
        err = is_any_left(store, CATALOG_LOOKUP_SERVICE_NAME, name, &any);
    if (err || any)
        return err;
    err = catalog_index_remove(store, CATALOG_INDEX_SERVICE_CHECKS, name);
    return err ? err : catalog_index_raise(store, CATALOG_INDEX_CHECKS_REMOVAL, "");
}

static enum cu_err leave_name(struct catalog_store *store, const service_t *before,
                              bool *ret_was_last)
{
    enum cu_err err = leave(store, CATALOG_LOOKUP_SERVICE_NAME, CATALOG_INDEX_SERVICE,
                            before->service, ret_was_last);
    return err || !*ret_was_last ? err : end_checks_of(store, before->service);
}

static enum cu_err leave_names(struct catalog_store *store, const service_t *before,
                               const service_t *after)
{
    const char *was = catalog_connect_name(before);
    const char *is = after ? catalog_connect_name(after) : NULL;
    bool was_last = false, was_last_connect = false;
    enum cu_err err = raise_kind(store, before);
    if (!err && (!after || !catalog_name_equal(before->service, after->service)))
        err = leave_name(store, before, &was_last);
    if (!err && was && (!is || !catalog_name_equal(was, is)))
        err =
            leave(store, CATALOG_LOOKUP_DESTINATION, CATALOG_INDEX_CONNECT, was, &was_last_connect);
    if (!err && (was_last || was_last_connect))
        err = catalog_index_raise(store, CATALOG_INDEX_EXTINCTION, "");
    return err;
}

/* ---- checks that keep a name ---- */

/* The name a check bears where it is not that of its instance; NULL: it is, or it bears none. */
static const char *stray_name(const check_t *check, const char *instance)
{
    bool is_stray = check->service_name[0] && !catalog_name_equal(check->service_name, instance);
    return is_stray ? check->service_name : NULL;
}

/* An instance gets another name: its checks keep the old one until they are rewritten. */
static enum cu_err rename_instance(struct catalog_store *store, struct cu_bytes key,
                                   const service_t *before, const service_t *after)
{
    struct catalog_list keys = {0};
    struct cu_bytes node = catalog_key_node_part(key);
    CU_ASSERT(node.data);
    struct cu_bytes checks =
        catalog_lookup_key(store->scratch, CATALOG_LOOKUP_CHECK_SERVICE, after->id, node);
    enum cu_err err = catalog_lookup_targets(store->backend, checks, store->scratch, &keys);
    for (size_t i = 0; !err && i < keys.count; i++) {
        struct cu_bytes check_key = *(const struct cu_bytes *)keys.items[i];
        struct catalog_row row;
        const void *message;
        err = catalog_store_get(store, CATALOG_CHECKS, check_key, &row);
        if (!err)
            err = unpack(store->scratch, &curia__v1__check__descriptor, &row.value, &message);
        if (!err)
            err = move_way(store, check_key,
                           (struct way){CATALOG_LOOKUP_CHECK_NAME,
                                        stray_name(message, before->service),
                                        stray_name(message, after->service)});
    }
    return err;
}

/* The node that a service or a check is on, from its key. */
static const char *node_of(struct catalog_store *store, struct cu_bytes key)
{
    struct cu_bytes user = {NULL, 0};
    bool is_ours = catalog_key_user(key, &user);
    CU_ASSERT(is_ours);
    char *name = cu_arena_alloc(store->scratch, user.len + 1); /* its own NUL ends the name */
    CU_ASSERT(name);
    memcpy(name, user.data, user.len);
    return name;
}

enum cu_err catalog_derive_service(struct catalog_store *store, const struct catalog_moved *moved,
                                   bool *ret_is_quiet)
{
    struct pair pair;
    enum cu_err err = unpack_pair(store, moved, &curia__v1__service__descriptor, &pair);
    if (err)
        return err;
    const service_t *before = pair.before, *after = pair.after;
    const struct way ways[] = {
        {CATALOG_LOOKUP_SERVICE_NAME, before ? before->service : NULL,
         after ? after->service : NULL},
        {CATALOG_LOOKUP_DESTINATION, before ? catalog_connect_name(before) : NULL,
         after ? catalog_connect_name(after) : NULL},
    };
    err = move_ways(store, moved->key, ways, CU_COUNT(ways));
    if (!err && before && after && !catalog_name_equal(before->service, after->service))
        err = rename_instance(store, moved->key, before, after);
    if (!err && before)
        err = leave_names(store, before, after);
    if (!err && after)
        err = raise_instance(store, after);
    if (!after)
        store->bookmark.table_index[CATALOG_CHECKS] = store->index;
    return err ? err : catalog_index_raise(store, CATALOG_INDEX_NODE, node_of(store, moved->key));
}

/* ---- all services of a node ---- */

struct sweep {
    struct catalog_store *store;
    struct cu_arena *arena; /* of one row */
    enum cu_err err;
};

static bool raise_row(void *arg, const struct catalog_row *row)
{
    struct sweep *sweep = arg;
    const void *service;
    cu_arena_reset(sweep->arena);
    sweep->err = unpack(sweep->arena, &curia__v1__service__descriptor, &row->value, &service);
    if (!sweep->err)
        sweep->err = raise_instance(sweep->store, service);
    return !sweep->err;
}

/* Node and checks of it are part of what a reader of each service on it sees. Once an entry: what
 * is registered later in it moves by itself. */
static enum cu_err raise_services_of(struct catalog_store *store, const char *node)
{
    struct cu_bytes prefix = catalog_key_of_node(store->scratch, node, "");
    CU_ASSERT(prefix.data);
    if (cu_bytes_equal(prefix, store->swept_node))
        return CU_OK;
    struct sweep sweep = {.store = store, .arena = cu_arena_new(SWEEP_ARENA_BYTES)};
    enum cu_err err = store->backend->scan(store->backend->context, CATALOG_SERVICES, prefix,
                                           (struct cu_bytes){NULL, 0}, raise_row, &sweep);
    cu_arena_free(sweep.arena);
    store->swept_node = prefix;
    return sweep.err ? sweep.err : err;
}

/* ---- nodes ---- */

static const char *id_digits(struct catalog_store *store, const node_t *node)
{
    char digits[CATALOG_NODE_ID_DIGITS + 1];
    if (!node || !catalog_lookup_node_id(node->id, digits))
        return NULL;
    char *copy = cu_arena_strdup(store->scratch, digits);
    CU_ASSERT(copy);
    return copy;
}

static enum cu_err remove_node(struct catalog_store *store, const char *name)
{
    enum cu_err err = catalog_index_remove(store, CATALOG_INDEX_NODE, name);
    if (!err)
        err = catalog_index_remove(store, CATALOG_INDEX_NODE_CHECKS, name);
    return err ? err : catalog_index_raise(store, CATALOG_INDEX_NODES_REMOVAL, "");
}

enum cu_err catalog_derive_node(struct catalog_store *store, const struct catalog_moved *moved,
                                bool *ret_is_quiet)
{
    struct pair pair;
    enum cu_err err = unpack_pair(store, moved, &curia__v1__node__descriptor, &pair);
    if (err)
        return err;
    const node_t *before = pair.before, *after = pair.after;
    const char *name = after ? after->node : before->node;
    err = move_way(
        store, moved->key,
        (struct way){CATALOG_LOOKUP_NODE_ID, id_digits(store, before), id_digits(store, after)});
    if (!err && !after)
        return remove_node(store, name);
    if (!err)
        err = catalog_index_raise(store, CATALOG_INDEX_NODE, name);
    if (!err && before)
        err = raise_services_of(store, name);
    else if (!err)
        err = catalog_index_raise(store, CATALOG_INDEX_NODE_CHECKS, name);
    return err;
}

/* ---- checks ---- */

/* Checks that pass are most of them: they are found by looking at all. */
static const char *status_or_none(const check_t *check)
{
    return strcmp(check->status, "passing") != 0 ? check->status : NULL;
}

/* The instance a check is bound to; NULL: it is of the node. */
static enum cu_err find_instance(struct catalog_store *store, const char *node,
                                 const check_t *check, const service_t **ret_service)
{
    struct catalog_row row;
    const void *service;
    *ret_service = NULL;
    if (!check || check->service_id[0] == '\0')
        return CU_OK;
    struct cu_bytes key = catalog_key_of_node(store->scratch, node, check->service_id);
    CU_ASSERT(key.data);
    enum cu_err err = catalog_store_get(store, CATALOG_SERVICES, key, &row);
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    err = unpack(store->scratch, &curia__v1__service__descriptor, &row.value, &service);
    *ret_service = service;
    return err;
}

/* A check before and after, with what it says something about. */
struct check_move {
    const char *node;
    struct cu_bytes key;
    const check_t *before, *after;         /* NULL: there is none */
    const service_t *was_about, *is_about; /* NULL: the node */
};

static enum cu_err find_subjects(struct catalog_store *store, struct check_move *m)
{
    bool is_same =
        m->before && m->after && catalog_name_equal(m->before->service_id, m->after->service_id);
    enum cu_err err = find_instance(store, m->node, m->before, &m->was_about);
    m->is_about = m->was_about;
    return err || is_same ? err : find_instance(store, m->node, m->after, &m->is_about);
}

static const char *stray_of(const check_t *check, const service_t *about)
{
    return check && about ? stray_name(check, about->service) : NULL;
}

static enum cu_err move_check_ways(struct catalog_store *store, const struct check_move *m)
{
    const struct way ways[] = {
        {CATALOG_LOOKUP_CHECK_SERVICE, m->before ? m->before->service_id : NULL,
         m->after ? m->after->service_id : NULL},
        {CATALOG_LOOKUP_CHECK_NAME, stray_of(m->before, m->was_about),
         stray_of(m->after, m->is_about)},
        {CATALOG_LOOKUP_CHECK_STATUS, m->before ? status_or_none(m->before) : NULL,
         m->after ? status_or_none(m->after) : NULL},
    };
    return move_ways(store, m->key, ways, CU_COUNT(ways));
}

static enum cu_err raise_subject(struct catalog_store *store, const char *node,
                                 const service_t *about)
{
    return about ? raise_instance(store, about) : raise_services_of(store, node);
}

static enum cu_err raise_check_names(struct catalog_store *store, const struct check_move *m)
{
    const char *was = m->before ? m->before->service_name : "";
    const char *is = m->after ? m->after->service_name : "";
    enum cu_err err = CU_OK;
    if (is[0])
        err = catalog_index_raise(store, CATALOG_INDEX_SERVICE_CHECKS, is);
    if (err || !was[0] || catalog_name_equal(was, is))
        return err;
    err = catalog_index_raise(store, CATALOG_INDEX_SERVICE_CHECKS, was);
    return err ? err : end_checks_of(store, was);
}

/* Nothing but words differs. */
static bool is_words_only(struct catalog_store *store, const check_t *before, const check_t *after)
{
    check_t one = *before, other = *after;
    one.output = other.output = one.notes = other.notes = (char *)(uintptr_t) "";
    size_t len = curia__v1__check__get_packed_size(&one);
    if (len != curia__v1__check__get_packed_size(&other))
        return false;
    uint8_t *packed = cu_arena_alloc(store->scratch, 2 * len + 1);
    CU_ASSERT(packed);
    (void)curia__v1__check__pack(&one, packed);
    (void)curia__v1__check__pack(&other, packed + len);
    return memcmp(packed, packed + len, len) == 0;
}

static enum cu_err raise_subjects(struct catalog_store *store, const struct check_move *m)
{
    enum cu_err err = CU_OK;
    if (m->after)
        err = raise_subject(store, m->node, m->is_about);
    if (!err && m->before && (!m->after || m->was_about != m->is_about))
        err = raise_subject(store, m->node, m->was_about);
    return err ? err : catalog_index_raise(store, CATALOG_INDEX_NODE_CHECKS, m->node);
}

static enum cu_err remove_check(struct catalog_store *store, const check_t *check)
{
    if (check->service_id[0] == '\0')
        store->bookmark.table_index[CATALOG_SERVICES] = store->index;
    return catalog_index_raise(store, CATALOG_INDEX_CHECKS_REMOVAL, "");
}

enum cu_err catalog_derive_check(struct catalog_store *store, const struct catalog_moved *moved,
                                 bool *ret_is_quiet)
{
    struct pair pair = {NULL, NULL};
    enum cu_err err = unpack_pair(store, moved, &curia__v1__check__descriptor, &pair);
    struct check_move m = {.node = node_of(store, moved->key),
                           .key = moved->key,
                           .before = pair.before,
                           .after = pair.after};
    if (!err)
        err = find_subjects(store, &m);
    if (!err)
        err = move_check_ways(store, &m);
    if (!err)
        err = raise_subjects(store, &m);
    if (!err)
        err = raise_check_names(store, &m);
    if (!err && !m.after)
        err = remove_check(store, m.before);
    if (!err && m.before && m.after)
        *ret_is_quiet = is_words_only(store, m.before, m.after);
    return err;
}
