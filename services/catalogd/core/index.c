#include "services/catalogd/core/index.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "proto/curia/internal/v1/state.pb-c.h"
#include "services/catalogd/core/index_state.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/store_state.h"

enum { ROW_BYTES = 16 };

/* Indexes are shown ones; 0: there is no such row. */
struct catalog_index_entry {
    struct catalog_index_entry *next_changed;
    bool is_changed;
    uint64_t now, written, summed;
    uint64_t created;
    struct cu_u128 summed_hash; /* what the sum of the state has for it */
    size_t key_len;
    uint8_t key[];
};

struct cu_bytes catalog_index_key(struct cu_arena *arena, const char *head, const char *name)
{
    size_t head_len = strlen(head), name_len = strlen(name);
    uint8_t *text = cu_arena_alloc(arena, name_len + 1 + head_len);
    if (!text)
        return (struct cu_bytes){NULL, 0};
    catalog_name_fold(text, name, name_len);
    memcpy(text + name_len + 1, head, head_len);
    return catalog_key_of(arena, (struct cu_bytes){text, name_len + 1 + head_len});
}

static struct cu_bytes pack(uint64_t index, uint8_t packed[ROW_BYTES])
{
    Curia__Internal__V1__IndexRow row = CURIA__INTERNAL__V1__INDEX_ROW__INIT;
    row.index = index;
    CU_ASSERT(curia__internal__v1__index_row__get_packed_size(&row) <= ROW_BYTES);
    return (struct cu_bytes){packed, curia__internal__v1__index_row__pack(&row, packed)};
}

enum cu_err catalog_index_read(const struct catalog_backend *backend, struct cu_arena *arena,
                               const char *head, const char *name, uint64_t *ret_index)
{
    struct cu_bytes key = catalog_index_key(arena, head, name);
    struct catalog_row row;
    if (!key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = backend->get(backend->context, CATALOG_INDEXES, key, arena, &row);
    if (err && err != CU_E_NOT_FOUND)
        return err;
    *ret_index = err ? 0 : row.modify_index;
    return CU_OK;
}

/* ---- entries ---- */

static struct cu_bytes key_of(const struct catalog_index_entry *entry)
{
    return (struct cu_bytes){entry->key, entry->key_len};
}

static enum cu_err load(struct catalog_store *store, struct cu_bytes key,
                        struct catalog_index_entry **ret_entry)
{
    struct catalog_row row = {.modify_index = 0};
    enum cu_err err =
        store->backend->get(store->backend->context, CATALOG_INDEXES, key, store->scratch, &row);
    if (err && err != CU_E_NOT_FOUND)
        return err;
    struct catalog_index_entry *entry = cu_alloc(sizeof(*entry) + key.len);
    entry->now = entry->written = entry->summed = row.modify_index;
    entry->created = row.create_index;
    entry->summed_hash = row.hash;
    entry->key_len = key.len;
    memcpy(entry->key, key.data, key.len);
    (void)cu_map_put(&store->indexes.entries, key_of(entry), entry);
    *ret_entry = entry;
    return CU_OK;
}

static enum cu_err find(struct catalog_store *store, const char *head, const char *name,
                        struct catalog_index_entry **ret_entry)
{
    struct cu_bytes key = catalog_index_key(store->scratch, head, name);
    CU_ASSERT(key.data);
    *ret_entry = cu_map_get(&store->indexes.entries, key);
    return *ret_entry ? CU_OK : load(store, key, ret_entry);
}

static void remember(struct catalog_store *store, struct catalog_index_entry *entry)
{
    struct catalog_indexes *indexes = &store->indexes;
    if (!store->is_marked)
        return;
    if (indexes->undo_count == indexes->undo_cap) {
        indexes->undo_cap = indexes->undo_cap ? indexes->undo_cap * 2 : 64;
        indexes->undo = cu_realloc(indexes->undo, indexes->undo_cap * sizeof(*indexes->undo));
    }
    indexes->undo[indexes->undo_count].entry = entry;
    indexes->undo[indexes->undo_count].before = entry->now;
    indexes->undo[indexes->undo_count++].created = entry->created;
}

static void note_changed(struct catalog_store *store, struct catalog_index_entry *entry)
{
    if (entry->is_changed)
        return;
    entry->is_changed = true;
    entry->next_changed = store->indexes.changed;
    store->indexes.changed = entry;
}

static void set(struct catalog_store *store, struct catalog_index_entry *entry, uint64_t index)
{
    remember(store, entry);
    if (entry->now == 0)
        entry->created = index;
    entry->now = index;
    note_changed(store, entry);
    store->bookmark.table_index[CATALOG_INDEXES] = store->index;
    catalog_store_wake(store, CATALOG_INDEXES, key_of(entry));
}

enum cu_err catalog_index_raise(struct catalog_store *store, const char *head, const char *name)
{
    struct catalog_index_entry *entry;
    enum cu_err err = find(store, head, name, &entry);
    if (!err && entry->now != store->index)
        set(store, entry, store->index);
    return err;
}

enum cu_err catalog_index_remove(struct catalog_store *store, const char *head, const char *name)
{
    struct catalog_index_entry *entry;
    enum cu_err err = find(store, head, name, &entry);
    if (!err && entry->now != 0)
        set(store, entry, 0);
    return err;
}

/* ---- the state's hash ---- */

static void settle(struct catalog_store *store, struct catalog_index_entry *entry)
{
    struct cu_u128 *sum = &store->bookmark.hash;
    uint8_t packed[ROW_BYTES];
    if (entry->summed == entry->now)
        return;
    if (entry->summed)
        *sum = cu_u128_sub(*sum, entry->summed_hash);
    if (entry->now) {
        entry->summed_hash =
            catalog_store_hash_of(CATALOG_INDEXES, key_of(entry), pack(entry->now, packed));
        *sum = cu_u128_add(*sum, entry->summed_hash);
    }
    entry->summed = entry->now;
}

void catalog_indexes_settle(struct catalog_store *store)
{
    for (struct catalog_index_entry *e = store->indexes.changed; e; e = e->next_changed)
        settle(store, e);
}

/* ---- one transaction ---- */

static enum cu_err write(struct catalog_store *store, struct catalog_index_entry *entry)
{
    const struct catalog_backend *backend = store->backend;
    uint8_t packed[ROW_BYTES];
    struct catalog_row row = {.key = key_of(entry),
                              .create_index = entry->created,
                              .modify_index = entry->now,
                              .hash = entry->summed_hash};
    if (entry->now) {
        row.value = pack(entry->now, packed);
        return (entry->written ? backend->update : backend->put)(backend->context, CATALOG_INDEXES,
                                                                 &row);
    }
    return entry->written ? backend->del(backend->context, CATALOG_INDEXES, row.key) : CU_OK;
}

static void forget_all(struct catalog_indexes *indexes)
{
    struct cu_bytes key;
    void *entry;
    for (size_t at = 0; cu_map_next(&indexes->entries, &at, &key, &entry);)
        free(entry);
    cu_map_deinit(&indexes->entries);
    indexes->entries = (struct cu_map){0};
}

enum cu_err catalog_indexes_flush(struct catalog_store *store)
{
    struct catalog_indexes *indexes = &store->indexes;
    CU_ASSERT(!store->is_marked);
    while (indexes->changed) {
        struct catalog_index_entry *entry = indexes->changed;
        settle(store, entry);
        enum cu_err err = write(store, entry);
        if (err)
            return err;
        indexes->changed = entry->next_changed;
        entry->is_changed = false;
        entry->written = entry->now;
    }
    if (indexes->entries.count > CATALOG_INDEXES_KEPT_MAX)
        forget_all(indexes);
    return CU_OK;
}

void catalog_indexes_undo(struct catalog_store *store)
{
    struct catalog_indexes *indexes = &store->indexes;
    while (indexes->undo_count > 0) {
        struct catalog_index_entry *entry = indexes->undo[--indexes->undo_count].entry;
        entry->now = indexes->undo[indexes->undo_count].before;
        entry->created = indexes->undo[indexes->undo_count].created;
    }
}

void catalog_indexes_keep(struct catalog_store *store)
{
    store->indexes.undo_count = 0;
}

void catalog_indexes_deinit(struct catalog_indexes *indexes)
{
    forget_all(indexes);
    free(indexes->undo);
}
