#include "services/catalogd/core/remove.h"

#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/lookup.h"
#include "services/catalogd/core/store_state.h"

enum { GATHER_ROWS = 256 }; /* a walk must not see its own deletes */

/* Keys of a walk, in the scratch arena. */
struct gather {
    struct cu_arena *arena;
    struct cu_bytes keys[GATHER_ROWS];
    size_t count;
};

static bool gather_key(void *arg, const struct catalog_row *row)
{
    struct gather *gather = arg;
    uint8_t *copy = cu_arena_memdup(gather->arena, row->key.data, row->key.len);
    CU_ASSERT(copy);
    gather->keys[gather->count++] = (struct cu_bytes){copy, row->key.len};
    return gather->count < GATHER_ROWS;
}

typedef enum cu_err remove_row(struct catalog_store *store, struct cu_bytes key);

/* Removes what is under the prefix until nothing is left: each removal takes its row out. */
static enum cu_err remove_under(struct catalog_store *store, enum catalog_table table,
                                struct cu_bytes prefix, remove_row *remove)
{
    const struct catalog_backend *backend = store->backend;
    struct gather gather = {.arena = store->scratch};
    enum cu_err err;
    CU_ASSERT(prefix.data);
    do {
        gather.count = 0;
        err = backend->scan(backend->context, table, prefix, (struct cu_bytes){NULL, 0}, gather_key,
                            &gather);
        for (size_t i = 0; !err && i < gather.count; i++)
            err = remove(store, gather.keys[i]);
    } while (!err && gather.count == GATHER_ROWS);
    return err;
}

/* ---- checks ---- */

static enum cu_err remove_check(struct catalog_store *store, struct cu_bytes key)
{
    return store_del(store, CATALOG_CHECKS, key, NULL);
}

static enum cu_err remove_check_found(struct catalog_store *store, struct cu_bytes lookup)
{
    struct cu_bytes key = catalog_lookup_target(store->scratch, lookup);
    CU_ASSERT(key.data);
    return remove_check(store, key);
}

enum cu_err catalog_remove_check(struct catalog_store *store, const char *node,
                                 const char *check_id)
{
    struct cu_bytes key = catalog_key_of_node(store->scratch, node, check_id);
    CU_ASSERT(key.data);
    return remove_check(store, key);
}

/* ---- services ---- */

/* Its checks first: they count for its index as long as it is there. */
static enum cu_err remove_service(struct catalog_store *store, struct cu_bytes key)
{
    struct cu_bytes node = catalog_key_node_part(key);
    CU_ASSERT(node.data);
    /* The id ends with the key; names in it are lower-case already. */
    size_t id_len = key.len - node.len;
    char *id = cu_arena_alloc(store->scratch, id_len + 1);
    CU_ASSERT(id);
    memcpy(id, key.data + node.len, id_len);
    id[id_len] = '\0';
    struct cu_bytes checks =
        catalog_lookup_key(store->scratch, CATALOG_LOOKUP_CHECK_SERVICE, id, node);
    enum cu_err err = remove_under(store, CATALOG_INDEXES, checks, remove_check_found);
    return err ? err : store_del(store, CATALOG_SERVICES, key, NULL);
}

enum cu_err catalog_remove_service(struct catalog_store *store, const char *node,
                                   const char *service_id)
{
    struct cu_bytes key = catalog_key_of_node(store->scratch, node, service_id);
    struct catalog_row ignored;
    CU_ASSERT(key.data);
    enum cu_err err = catalog_store_get(store, CATALOG_SERVICES, key, &ignored);
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    return remove_service(store, key);
}

/* ---- nodes ---- */

enum cu_err catalog_remove_node(struct catalog_store *store, const char *node)
{
    struct cu_arena *scratch = store->scratch;
    enum cu_err err = remove_under(store, CATALOG_SERVICES, catalog_key_of_node(scratch, node, ""),
                                   remove_service);
    if (!err)
        err = remove_under(store, CATALOG_CHECKS, catalog_key_of_node(scratch, node, ""),
                           remove_check);
    if (err)
        return err;
    struct cu_bytes key = catalog_key_of_node(scratch, node, NULL);
    CU_ASSERT(key.data);
    return store_del(store, CATALOG_NODES, key, NULL);
}
