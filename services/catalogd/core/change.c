#include "services/catalogd/core/change.h"

#include <string.h>

#include "proto/curia/internal/v1/state.pb-c.h"

enum { ROW_BYTES = 64, TRIM_CHUNK = 256 };

struct catalog_retention catalog_retention_default(void)
{
    return (struct catalog_retention){
        .max_age_ms = 72ull * 3600 * 1000,
        .max_rows = 1000 * 1000,
        .max_bytes = 256ull * 1024 * 1024,
    };
}

struct catalog_retention catalog_retention_of(struct cu_arena *arena, struct cu_bytes value)
{
    struct catalog_retention kept = catalog_retention_default();
    Curia__Internal__V1__RetentionRow *row = curia__internal__v1__retention_row__unpack(
        cu_arena_allocator(arena), value.len, value.data);
    if (!row)
        return kept;
    if (row->max_age_ms)
        kept.max_age_ms = row->max_age_ms;
    if (row->max_rows)
        kept.max_rows = row->max_rows;
    if (row->max_bytes)
        kept.max_bytes = row->max_bytes;
    return kept;
}

/* ---- logging ---- */

static enum cu_err drop_oldest_value(struct catalog_store *store, struct cu_u128 hash,
                                     uint32_t size_bytes)
{
    store->bookmark.value_bytes -= size_bytes;
    return store->backend->value_drop(store->backend->context, hash);
}

static enum cu_err oldest_value(const struct catalog_backend *backend, struct cu_u128 *ret_hash,
                                uint64_t *ret_index, uint32_t *ret_size_bytes)
{
    return backend->value_oldest(backend->context, 0, (struct cu_u128){0, 0}, ret_hash, ret_index,
                                 ret_size_bytes);
}

static enum cu_err bound_values(struct catalog_store *store)
{
    const struct catalog_backend *backend = store->backend;
    enum cu_err err = CU_OK;
    while (!err && store->bookmark.value_bytes > CATALOG_CHANGE_VALUES_BYTES_MAX) {
        struct cu_u128 hash;
        uint64_t index;
        uint32_t size_bytes;
        err = oldest_value(backend, &hash, &index, &size_bytes);
        if (!err)
            err = drop_oldest_value(store, hash, size_bytes);
    }
    return err;
}

static enum cu_err keep_value(struct catalog_store *store, struct cu_bytes value,
                              struct cu_u128 *ret_hash)
{
    const struct catalog_backend *backend = store->backend;
    bool is_new;
    *ret_hash = cu_blake2b_128(&value, 1);
    enum cu_err err = backend->value_put(backend->context, *ret_hash, value, store->index, &is_new);
    if (err || !is_new)
        return err;
    store->bookmark.value_bytes += value.len;
    return bound_values(store);
}

static const char *text(const char *given)
{
    return given ? given : "";
}

static struct catalog_change describe(const struct catalog_store *store, enum catalog_table table,
                                      struct cu_bytes key, enum catalog_operation operation)
{
    const struct catalog_cause *by = &store->cause;
    return (struct catalog_change){
        .index = store->index,
        .number = store->change_number,
        .table = table,
        .key = key,
        .operation = operation,
        .actor = text(by->actor),
        .node = text(by->node),
        .daemon = text(by->daemon),
        .address = text(by->address),
        .cause = text(by->cause),
        .reason = text(by->reason),
        .wall_ms = by->wall_ms,
        .lease_ms = store->bookmark.lease_ms,
    };
}

static uint32_t size_of(const struct catalog_change *change)
{
    return (uint32_t)(ROW_BYTES + change->key.len + change->before.len + strlen(change->actor) +
                      strlen(change->node) + strlen(change->daemon) + strlen(change->address) +
                      strlen(change->cause) + strlen(change->reason));
}

enum cu_err catalog_change_log(struct catalog_store *store, enum catalog_table table,
                               struct cu_bytes key, enum catalog_operation operation,
                               const struct catalog_row *before)
{
    struct catalog_change change = describe(store, table, key, operation);
    enum cu_err err = CU_OK;
    if (before && before->value.len > CATALOG_INLINE_VALUE_MAX) {
        change.before_by_hash = true;
        err = keep_value(store, before->value, &change.before_hash);
    } else if (before) {
        change.before = before->value;
    }
    change.size_bytes = size_of(&change);
    if (!err)
        err = store->backend->change_add(store->backend->context, &change);
    if (err)
        return err;
    struct catalog_bookmark *b = &store->bookmark;
    if (b->change_rows == 0)
        b->oldest_lease_ms = change.lease_ms;
    b->change_rows++;
    b->change_bytes += change.size_bytes;
    store->change_number++;
    return CU_OK;
}

/* ---- trimming ---- */

struct trim {
    const struct catalog_retention *keep;
    struct catalog_bookmark *bookmark;
    struct {
        uint64_t index;
        uint32_t number;
    } rows[TRIM_CHUNK];
    size_t count;
    bool is_done;          /* the next row stays */
    uint64_t oldest_index; /* of the first row that stays */
};

static bool is_over(const struct catalog_bookmark *b, const struct catalog_retention *keep,
                    uint64_t oldest_lease_ms)
{
    return b->change_rows > keep->max_rows || b->change_bytes > keep->max_bytes ||
           b->lease_ms - oldest_lease_ms > keep->max_age_ms;
}

static bool trim_row(void *arg, const struct catalog_change *change)
{
    struct trim *trim = arg;
    struct catalog_bookmark *b = trim->bookmark;
    if (!is_over(b, trim->keep, change->lease_ms)) {
        b->oldest_lease_ms = change->lease_ms;
        trim->oldest_index = change->index;
        trim->is_done = true;
        return false;
    }
    if (trim->count == TRIM_CHUNK)
        return false;
    trim->rows[trim->count].index = change->index;
    trim->rows[trim->count++].number = change->number;
    b->change_rows--;
    b->change_bytes -= change->size_bytes;
    b->trimmed_index = change->index;
    return true;
}

static enum cu_err trim_chunk(struct catalog_store *store, struct trim *trim)
{
    const struct catalog_backend *backend = store->backend;
    uint64_t trimmed = trim->bookmark->trimmed_index; /* of which some may be left */
    trim->count = 0;
    enum cu_err err = backend->changes(backend->context, trimmed ? trimmed - 1 : 0,
                                       trimmed ? UINT32_MAX : 0, trim_row, trim);
    for (size_t i = 0; !err && i < trim->count; i++)
        err = backend->change_drop(backend->context, trim->rows[i].index, trim->rows[i].number);
    if (trim->count < TRIM_CHUNK)
        trim->is_done = true;
    return err;
}

/* An old value goes with the last change row that needs it. */
static enum cu_err trim_values(struct catalog_store *store, uint64_t oldest_index)
{
    const struct catalog_backend *backend = store->backend;
    for (int i = 0; i < CATALOG_TRIM_ROWS_MAX; i++) {
        struct cu_u128 hash;
        uint64_t index;
        uint32_t size_bytes;
        enum cu_err err = oldest_value(backend, &hash, &index, &size_bytes);
        if (err == CU_E_NOT_FOUND || (!err && index >= oldest_index))
            return CU_OK;
        if (!err)
            err = drop_oldest_value(store, hash, size_bytes);
        if (err)
            return err;
    }
    return CU_OK;
}

enum cu_err catalog_change_trim(struct catalog_store *store)
{
    struct catalog_bookmark *b = &store->bookmark;
    if (b->position.index % CATALOG_TRIM_EVERY != 0 || b->change_rows == 0 ||
        !is_over(b, &store->retention, b->oldest_lease_ms))
        return CU_OK;
    struct trim trim = {.keep = &store->retention, .bookmark = b, .oldest_index = b->trimmed_index};
    enum cu_err err = CU_OK;
    for (int rows = 0; !err && !trim.is_done && rows < CATALOG_TRIM_ROWS_MAX; rows += TRIM_CHUNK)
        err = trim_chunk(store, &trim);
    if (err)
        return err;
    if (b->change_rows == 0)
        trim.oldest_index = store->index + 1;
    return trim_values(store, trim.oldest_index);
}
