#include "services/catalogd/core/store.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/acl_name.h"
#include "services/catalogd/core/apply.h"
#include "services/catalogd/core/change.h"
#include "services/catalogd/core/derive.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/store_state.h"

/* One entry's needs are bounded by its 1.5 MiB and by the limits of its commands. */
enum { SCRATCH_BYTES_MAX = 1 << 30 };

/* clang-format off */
static const struct table_rule {
    const char *name;
    bool drops_noops; /* a write of what is there already does nothing (http-api.md 3.1) */
    bool logs;        /* has change rows */
    bool wakes;
    bool keeps;       /* its rows in memory (rows.h) */
    catalog_derive *derive; /* what else moves with a row of it */
} rules[] = {
    [CATALOG_KV]         = {"kv",         true,  true,  true,  false, NULL},
    /* A second delete of a key moves its tombstone even within the same millisecond; the change row
     * and the wake are those of the key. */
    [CATALOG_TOMBSTONES] = {"tombstones", false, false, false, false, NULL},
    [CATALOG_SETTINGS]   = {"settings",   true,  true,  true,  false, NULL},
    [CATALOG_NODES]      = {"nodes",      true,  true,  true,  true,  catalog_derive_node},
    [CATALOG_SERVICES]   = {"services",   true,  true,  true,  true,  catalog_derive_service},
    [CATALOG_CHECKS]     = {"checks",     true,  true,  true,  true,  catalog_derive_check},
    /* Not through store_put: core/index.c and catalog_store_add_lookup(). */
    [CATALOG_INDEXES]    = {"indexes",    true,  false, true,  false, NULL},
    /* Every accepted write of these moves them (http-api.md 3.1). */
    [CATALOG_CONFIG_ENTRIES]  = {"config_entries",  false, true,  true,  false, NULL},
    [CATALOG_CONNECT_ROOTS]   = {"connect_roots",   false, true,  true,  false, NULL},
    [CATALOG_CONNECT_CONFIG]  = {"connect_config",  false, true,  true,  false, NULL},
    [CATALOG_CONNECT_SECRETS] = {"connect_secrets", true,  false, false, false, NULL},
    [CATALOG_ACL_POLICIES]    = {"acl_policies",    false, true,  true,  false, catalog_acl_derive_policy},
    [CATALOG_ACL_ROLES]       = {"acl_roles",       false, true,  true,  false, catalog_acl_derive_role},
    [CATALOG_ACL_TOKENS]      = {"acl_tokens",      false, true,  true,  false, NULL},
    [CATALOG_ACL_SECRETS]     = {"acl_secrets",     true,  false, false, false, NULL},
};
/* clang-format on */
_Static_assert(CU_COUNT(rules) == CATALOG_TABLE_COUNT, "a row for each table");

const char *catalog_table_name(enum catalog_table table)
{
    return rules[table].name;
}

bool catalog_table_find(const char *name, enum catalog_table *ret_table)
{
    for (size_t i = 0; i < CU_COUNT(rules); i++)
        if (strcmp(rules[i].name, name) == 0) {
            *ret_table = (enum catalog_table)i;
            return true;
        }
    return false;
}

bool catalog_table_is_derived(enum catalog_table table)
{
    return table == CATALOG_INDEXES;
}

bool catalog_table_is_secret(enum catalog_table table)
{
    return table == CATALOG_CONNECT_SECRETS || table == CATALOG_ACL_SECRETS;
}

/* ---- opening ---- */

static void forget_held(struct catalog_store *store)
{
    for (size_t i = 0; i < CATALOG_HELD_ROWS; i++)
        store->held[i].is_set = false;
}

enum cu_err catalog_store_open(const struct catalog_backend *backend,
                               struct catalog_store **ret_store, struct cu_diag *diag)
{
    struct catalog_store *store = cu_alloc(sizeof(*store));
    store->backend = backend;
    store->scratch = cu_arena_new(SCRATCH_BYTES_MAX);
    store->rows = catalog_rows_new();
    enum cu_err err = catalog_store_load(store, diag);
    if (err) {
        catalog_store_free(store);
        return err;
    }
    forget_held(store);
    cu_arena_reset(store->scratch);
    *ret_store = store;
    return CU_OK;
}

void catalog_store_free(struct catalog_store *store)
{
    if (!store)
        return;
    cu_arena_free(store->scratch);
    catalog_rows_free(store->rows);
    cu_buf_deinit(&store->configuration);
    cu_buf_deinit(&store->encoded);
    catalog_wakes_deinit(&store->wakes);
    catalog_indexes_deinit(&store->indexes);
    free(store);
}

/* ---- reading ---- */

void catalog_store_header(const struct catalog_store *store, struct catalog_header *ret_header)
{
    const struct catalog_bookmark *b = &store->bookmark;
    *ret_header = (struct catalog_header){.position = b->position,
                                          .configuration = cu_buf_bytes(&store->configuration),
                                          .lineage_count = b->lineage_count};
    for (uint32_t i = 0; i < b->lineage_count; i++) {
        ret_header->lineage[i].cluster = b->lineage[i].cluster;
        ret_header->lineage[i].last_index = b->lineage[i].last_index;
    }
}

struct catalog_position catalog_store_position(const struct catalog_store *store)
{
    return store->bookmark.position;
}

uint64_t catalog_store_index_base(const struct catalog_store *store)
{
    return store->bookmark.index_base;
}

uint64_t catalog_store_epoch(const struct catalog_store *store)
{
    return store->bookmark.epoch;
}

uint64_t catalog_store_shown_index(const struct catalog_store *store)
{
    return catalog_bookmark_shown_index(&store->bookmark);
}

uint64_t catalog_store_table_index(const struct catalog_store *store, enum catalog_table table)
{
    return store->bookmark.table_index[table];
}

uint64_t catalog_store_reaped_index(const struct catalog_store *store)
{
    return store->bookmark.reaped_index;
}

uint64_t catalog_store_floor_index(const struct catalog_store *store)
{
    return store->bookmark.floor_index;
}

struct cu_u128 catalog_store_hash(struct catalog_store *store)
{
    catalog_indexes_settle(store);
    return store->bookmark.hash;
}

uint64_t catalog_store_lease_ms(const struct catalog_store *store)
{
    return store->bookmark.lease_ms;
}

static struct catalog_held *find_held(struct catalog_store *store, enum catalog_table table,
                                      struct cu_bytes key)
{
    for (size_t i = 0; i < CATALOG_HELD_ROWS; i++) {
        struct catalog_held *held = &store->held[i];
        if (held->is_set && held->table == table && cu_bytes_equal(held->key, key))
            return held;
    }
    return NULL;
}

/* From memory, else from the backend, and then kept. */
static enum cu_err fetch(struct catalog_store *store, enum catalog_table table, struct cu_bytes key,
                         struct catalog_row *ret_row)
{
    const struct catalog_backend *backend = store->backend;
    if (!rules[table].keeps)
        return backend->get(backend->context, table, key, store->scratch, ret_row);
    enum cu_err err = catalog_rows_get(store->rows, table, key, store->scratch, ret_row);
    if (err != CU_E_NOT_FOUND)
        return err;
    err = backend->get(backend->context, table, key, store->scratch, ret_row);
    if (!err)
        catalog_rows_put(store->rows, table, ret_row);
    return err;
}

/* `row` NULL: it is gone. */
static void keep_row(struct catalog_store *store, enum catalog_table table, struct cu_bytes key,
                     const struct catalog_row *row)
{
    if (!rules[table].keeps)
        return;
    if (row)
        catalog_rows_put(store->rows, table, row);
    else
        catalog_rows_drop(store->rows, table, key);
    store->rows_moved = true;
}

static enum cu_err hold(struct catalog_store *store, enum catalog_table table, struct cu_bytes key,
                        struct catalog_held **ret_held)
{
    struct catalog_held *held = &store->held[store->held_next];
    enum cu_err err = fetch(store, table, key, &held->row);
    held->is_set = !err || err == CU_E_NOT_FOUND;
    if (!held->is_set)
        return err;
    held->is_found = !err;
    held->table = table;
    held->key = err ? key : held->row.key;
    store->held_next = (store->held_next + 1) % CATALOG_HELD_ROWS;
    *ret_held = held;
    return CU_OK;
}

enum cu_err catalog_store_get(struct catalog_store *store, enum catalog_table table,
                              struct cu_bytes key, struct catalog_row *ret_row)
{
    struct catalog_held *held = find_held(store, table, key);
    enum cu_err err = held ? CU_OK : hold(store, table, key, &held);
    if (err)
        return err;
    if (!held->is_found)
        return CU_E_NOT_FOUND;
    *ret_row = held->row;
    return CU_OK;
}

/* ---- writing ---- */

void catalog_store_begin(struct catalog_store *store, uint64_t raw_index,
                         const struct catalog_cause *cause)
{
    store->index = raw_index + store->bookmark.index_base;
    store->change_number = 0;
    store->cause = *cause;
    store->swept_node = (struct cu_bytes){NULL, 0};
    forget_held(store);
}

static bool is_covered(const struct catalog_wake *by, const struct catalog_wake *wake)
{
    return by->table == wake->table && by->index == wake->index &&
           (by->is_prefix ? cu_bytes_has_prefix(wake->key, by->key)
                          : !wake->is_prefix && cu_bytes_equal(by->key, wake->key));
}

/* `wake->key` is borrowed here, and copied. */
static void add_wake(struct catalog_store *store, const struct catalog_wake *wake)
{
    struct catalog_wakes *wakes = &store->wakes;
    /* Only the latest is compared: that folds what one operation does. */
    if (wakes->count > store->marked_wakes && is_covered(&wakes->items[wakes->count - 1], wake))
        return;
    if (wakes->count == wakes->cap) {
        wakes->cap = wakes->cap ? wakes->cap * 2 : 64;
        wakes->items = cu_realloc(wakes->items, wakes->cap * sizeof(*wakes->items));
    }
    uint8_t *key = cu_alloc(wake->key.len ? wake->key.len : 1);
    if (wake->key.len)
        memcpy(key, wake->key.data, wake->key.len);
    wakes->items[wakes->count] = *wake;
    wakes->items[wakes->count++].key.data = key;
}

void catalog_store_wake(struct catalog_store *store, enum catalog_table table, struct cu_bytes key)
{
    add_wake(store, &(struct catalog_wake){table, false, key, store->index});
}

void catalog_store_wake_prefix(struct catalog_store *store, enum catalog_table table,
                               struct cu_bytes key)
{
    add_wake(store, &(struct catalog_wake){table, true, key, store->index});
}

struct cu_u128 catalog_store_hash_of(enum catalog_table table, struct cu_bytes key,
                                     struct cu_bytes value)
{
    const struct cu_bytes parts[] = {cu_bytes_of(rules[table].name), key, value};
    return cu_blake2b_128(parts, CU_COUNT(parts));
}

static bool is_retention(enum catalog_table table, struct cu_bytes key)
{
    struct cu_bytes name;
    return table == CATALOG_SETTINGS && catalog_key_user(key, &name) &&
           cu_bytes_equal(name, cu_bytes_of(CATALOG_SETTING_RETENTION));
}

static void let_go(struct catalog_store *store, enum catalog_table table, struct cu_bytes key)
{
    struct catalog_held *held = find_held(store, table, key);
    if (held)
        held->is_set = false;
}

/* What every change of a row brings with it, once it is done. */
static enum cu_err follow_up(struct catalog_store *store, const struct catalog_moved *moved)
{
    const struct table_rule *rule = &rules[moved->table];
    bool is_quiet = false;
    enum cu_err err = CU_OK;
    let_go(store, moved->table, moved->key);
    store->bookmark.table_index[moved->table] = store->index;
    if (rule->derive)
        err = rule->derive(store, moved, &is_quiet);
    if (!err && rule->logs && !is_quiet)
        err = catalog_change_log(store, moved->table, moved->key, moved->operation, moved->before);
    if (rule->wakes)
        catalog_store_wake(store, moved->table, moved->key);
    if (!err && is_retention(moved->table, moved->key))
        err = catalog_store_load_retention(store);
    return err;
}

/* `create_index` 0: that of the row, or now. */
static enum cu_err put(struct catalog_store *store, enum catalog_table table, struct cu_bytes key,
                       struct cu_bytes value, uint64_t create_index, bool *ret_changed)
{
    struct catalog_row before;
    enum cu_err err = catalog_store_get(store, table, key, &before);
    bool is_new = err == CU_E_NOT_FOUND;
    if (err && !is_new)
        return err;
    bool changes = is_new || !rules[table].drops_noops || !cu_bytes_equal(before.value, value);
    if (ret_changed)
        *ret_changed = changes;
    if (!changes)
        return CU_OK;

    uint64_t created = create_index ? create_index : is_new ? store->index : before.create_index;
    struct catalog_row row = {key, value, created, store->index,
                              catalog_store_hash_of(table, key, value)};
    err = (is_new ? store->backend->put : store->backend->update)(store->backend->context, table,
                                                                  &row);
    if (err)
        return err;
    keep_row(store, table, key, &row);
    struct cu_u128 *sum = &store->bookmark.hash;
    if (!is_new)
        *sum = cu_u128_sub(*sum, before.hash);
    *sum = cu_u128_add(*sum, row.hash);
    return follow_up(store, &(struct catalog_moved){table, is_new ? CATALOG_CREATE : CATALOG_UPDATE,
                                                    key, is_new ? NULL : &before, value});
}

enum cu_err store_put(struct catalog_store *store, enum catalog_table table, struct cu_bytes key,
                      struct cu_bytes value, bool *ret_changed)
{
    return put(store, table, key, value, 0, ret_changed);
}

enum cu_err catalog_store_put_from(struct catalog_store *store, enum catalog_table table,
                                   struct cu_bytes key, struct cu_bytes value,
                                   uint64_t create_index)
{
    return put(store, table, key, value, create_index, NULL);
}

enum cu_err store_del(struct catalog_store *store, enum catalog_table table, struct cu_bytes key,
                      bool *ret_changed)
{
    struct catalog_row before;
    enum cu_err err = catalog_store_get(store, table, key, &before);
    if (ret_changed)
        *ret_changed = !err;
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    err = store->backend->del(store->backend->context, table, key);
    if (err)
        return err;
    keep_row(store, table, key, NULL);
    store->bookmark.hash = cu_u128_sub(store->bookmark.hash, before.hash);
    return follow_up(store,
                     &(struct catalog_moved){table, CATALOG_DELETE, key, &before, {NULL, 0}});
}

/* ---- lookups ---- */

enum cu_err catalog_store_add_lookup(struct catalog_store *store, struct cu_bytes key)
{
    static const struct cu_bytes empty = {(const uint8_t *)"", 0};
    struct catalog_row row = {key, empty, store->index, store->index,
                              catalog_store_hash_of(CATALOG_INDEXES, key, empty)};
    store->bookmark.hash = cu_u128_add(store->bookmark.hash, row.hash);
    store->bookmark.table_index[CATALOG_INDEXES] = store->index;
    return store->backend->put(store->backend->context, CATALOG_INDEXES, &row);
}

enum cu_err catalog_store_drop_lookup(struct catalog_store *store, struct cu_bytes key)
{
    struct cu_u128 hash = catalog_store_hash_of(CATALOG_INDEXES, key, (struct cu_bytes){NULL, 0});
    store->bookmark.hash = cu_u128_sub(store->bookmark.hash, hash);
    store->bookmark.table_index[CATALOG_INDEXES] = store->index;
    return store->backend->del(store->backend->context, CATALOG_INDEXES, key);
}

/* ---- one transaction ---- */

static void drop_wakes(struct catalog_wakes *wakes, size_t keep)
{
    while (wakes->count > keep)
        free((uint8_t *)(uintptr_t)wakes->items[--wakes->count].key.data);
}

struct catalog_wakes catalog_store_take_wakes(struct catalog_store *store)
{
    struct catalog_wakes taken = store->wakes;
    store->wakes = (struct catalog_wakes){0};
    store->marked_wakes = 0;
    return taken;
}

void catalog_wakes_deinit(struct catalog_wakes *wakes)
{
    drop_wakes(wakes, 0);
    free(wakes->items);
    *wakes = (struct catalog_wakes){0};
}

enum cu_err catalog_store_mark(struct catalog_store *store)
{
    CU_ASSERT(!store->is_marked);
    enum cu_err err = store->backend->mark(store->backend->context);
    if (err)
        return err;
    store->is_marked = true;
    store->rows_moved = false;
    store->marked_bookmark = store->bookmark;
    store->marked_retention = store->retention;
    store->marked_number = store->change_number;
    store->marked_wakes = store->wakes.count;
    return CU_OK;
}

enum cu_err catalog_store_undo(struct catalog_store *store)
{
    CU_ASSERT(store->is_marked);
    store->is_marked = false;
    forget_held(store);
    if (store->rows_moved)
        catalog_rows_clear(store->rows);
    catalog_indexes_undo(store);
    store->swept_node = (struct cu_bytes){NULL, 0};
    store->bookmark = store->marked_bookmark;
    store->retention = store->marked_retention;
    store->change_number = store->marked_number;
    drop_wakes(&store->wakes, store->marked_wakes);
    store->marked_wakes = 0;
    return store->backend->undo(store->backend->context);
}

enum cu_err catalog_store_keep(struct catalog_store *store)
{
    CU_ASSERT(store->is_marked);
    store->is_marked = false;
    store->marked_wakes = 0;
    catalog_indexes_keep(store);
    return store->backend->keep(store->backend->context);
}
