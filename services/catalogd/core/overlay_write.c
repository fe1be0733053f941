#include "services/catalogd/core/overlay_state.h"

#include <string.h>

#include "common/base/assert.h"

static struct catalog_memtable *active(const struct catalog_overlay *o)
{
    CU_ASSERT(o->count > 0);
    return o->memtables[0];
}

static enum cu_err put(void *context, enum catalog_table table, const struct catalog_row *row)
{
    struct catalog_overlay *o = context;
    catalog_memtable_put(active(o), (int)table, ++o->seq, row, false);
    return CU_OK;
}

static enum cu_err update(void *context, enum catalog_table table, const struct catalog_row *row)
{
    struct catalog_overlay *o = context;
    catalog_memtable_put(active(o), (int)table, ++o->seq, row, true);
    return CU_OK;
}

static enum cu_err del(void *context, enum catalog_table table, struct cu_bytes key)
{
    struct catalog_overlay *o = context;
    catalog_memtable_del(active(o), (int)table, ++o->seq, key);
    return CU_OK;
}

static enum cu_err meta_put(void *context, const char *name, struct cu_bytes value)
{
    struct catalog_overlay *o = context;
    struct catalog_row row = {.key = {(const uint8_t *)name, strlen(name) + 1}, .value = value};
    catalog_memtable_put(active(o), CATALOG_SPACE_META, ++o->seq, &row, false);
    return CU_OK;
}

/* ---- changes ---- */

static enum cu_err change_add(void *context, const struct catalog_change *change)
{
    struct catalog_overlay *o = context;
    catalog_memtable_put_change(active(o), ++o->seq, change);
    return CU_OK;
}

static enum cu_err change_drop(void *context, uint64_t index, uint32_t number)
{
    struct catalog_overlay *o = context;
    uint8_t key[CATALOG_CHANGE_KEY_BYTES];
    catalog_memtable_del(active(o), CATALOG_SPACE_CHANGES, ++o->seq,
                         catalog_space_change_key(index, number, key));
    return CU_OK;
}

/* ---- values ---- */

static enum cu_err is_there(const struct catalog_overlay *o, struct cu_u128 hash, bool *ret_is)
{
    enum cu_err err = o->backend.value_get(o->backend.context, hash, NULL, NULL);
    *ret_is = !err;
    return err == CU_E_NOT_FOUND ? CU_OK : err;
}

static enum cu_err value_put(void *context, struct cu_u128 hash, struct cu_bytes value,
                             uint64_t index, bool *ret_is_new)
{
    struct catalog_overlay *o = context;
    uint8_t bytes[CATALOG_HASH_BYTES], age_bytes[CATALOG_AGE_KEY_BYTES];
    bool was_there;
    enum cu_err err = is_there(o, hash, &was_there);
    if (err)
        return err;
    *ret_is_new = !was_there;
    catalog_hash_to_bytes(hash, bytes);
    struct catalog_row row = {
        .key = {bytes, CATALOG_HASH_BYTES}, .value = value, .modify_index = index};
    struct catalog_row age = {.key = catalog_space_age_key(index, hash, age_bytes)};
    catalog_memtable_put(active(o), CATALOG_SPACE_VALUES, ++o->seq, &row, false);
    catalog_memtable_put(active(o), CATALOG_SPACE_AGES, o->seq, &age, false);
    return CU_OK;
}

static enum cu_err value_drop(void *context, struct cu_u128 hash)
{
    struct catalog_overlay *o = context;
    uint8_t bytes[CATALOG_HASH_BYTES];
    catalog_hash_to_bytes(hash, bytes);
    catalog_memtable_del(active(o), CATALOG_SPACE_VALUES, ++o->seq,
                         (struct cu_bytes){bytes, CATALOG_HASH_BYTES});
    return CU_OK;
}

/* ---- marks ---- */

static enum cu_err mark(void *context)
{
    struct catalog_overlay *o = context;
    o->marked_seq = o->seq;
    return CU_OK;
}

static enum cu_err undo(void *context)
{
    struct catalog_overlay *o = context;
    catalog_memtable_undo(active(o), o->marked_seq);
    o->hidden_index = 0; /* what was dropped may be back */
    o->hidden_hash = (struct cu_u128){0, 0};
    return CU_OK;
}

static enum cu_err keep(void *context)
{
    (void)context; /* it stays as it is */
    return CU_OK;
}

void catalog_overlay_write_functions(struct catalog_backend *backend)
{
    backend->put = put;
    backend->update = update;
    backend->del = del;
    backend->change_add = change_add;
    backend->change_drop = change_drop;
    backend->value_put = value_put;
    backend->value_drop = value_drop;
    backend->meta_put = meta_put;
    backend->mark = mark;
    backend->undo = undo;
    backend->keep = keep;
}
