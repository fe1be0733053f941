#include "tests/lib/memory_backend.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

/* One row of anything; never changed once made, so that copies share it. */
struct item {
    unsigned refs;
    struct cu_bytes key; /* what it is sorted by */
    struct cu_bytes value;
    struct catalog_row row;
    struct catalog_change change;
    struct cu_u128 hash;
    uint64_t index;
    uint8_t bytes[];
};

/* Sorted by key. */
struct items {
    struct item **at;
    size_t count, cap;
};

enum { CHANGES = CATALOG_TABLE_COUNT, VALUES, METAS, LIST_COUNT };

struct memory_backend {
    struct catalog_backend backend;
    struct fault *fault;
    struct items lists[LIST_COUNT], marked[LIST_COUNT];
    bool is_marked;
};

/* ---- sorted lists ---- */

static void drop_item(struct item *item)
{
    if (--item->refs == 0)
        free(item);
}

static void items_deinit(struct items *items)
{
    for (size_t i = 0; i < items->count; i++)
        drop_item(items->at[i]);
    free(items->at);
    *items = (struct items){0};
}

static struct items items_copy(const struct items *from)
{
    struct items copy = {.count = from->count, .cap = from->count};
    if (from->count)
        copy.at = cu_memdup(from->at, from->count * sizeof(struct item *));
    for (size_t i = 0; i < copy.count; i++)
        copy.at[i]->refs++;
    return copy;
}

/* Where the first item not below `key` is, or would be. */
static size_t seek(const struct items *items, struct cu_bytes key)
{
    size_t low = 0, high = items->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cu_bytes_compare(items->at[middle]->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct item *find(const struct items *items, struct cu_bytes key)
{
    size_t at = seek(items, key);
    return at < items->count && cu_bytes_equal(items->at[at]->key, key) ? items->at[at] : NULL;
}

static void items_put(struct items *items, struct item *item)
{
    size_t at = seek(items, item->key);
    if (at < items->count && cu_bytes_equal(items->at[at]->key, item->key)) {
        drop_item(items->at[at]);
        items->at[at] = item;
        return;
    }
    if (items->count == items->cap) {
        items->cap = items->cap ? items->cap * 2 : 16;
        items->at = cu_realloc(items->at, items->cap * sizeof(struct item *));
    }
    memmove(&items->at[at + 1], &items->at[at], (items->count - at) * sizeof(struct item *));
    items->at[at] = item;
    items->count++;
}

static void items_del(struct items *items, struct cu_bytes key)
{
    size_t at = seek(items, key);
    if (at == items->count || !cu_bytes_equal(items->at[at]->key, key))
        return;
    drop_item(items->at[at]);
    items->count--;
    memmove(&items->at[at], &items->at[at + 1], (items->count - at) * sizeof(struct item *));
}

/* ---- items ---- */

/* Bytes that an item needs are gathered first, then laid behind it. */
struct parts {
    struct cu_bytes items[10];
    size_t count, bytes;
};

static void add_part(struct parts *parts, struct cu_bytes part)
{
    CU_ASSERT(parts->count < CU_COUNT(parts->items));
    parts->items[parts->count++] = part;
    parts->bytes += part.len;
}

static struct item *item_new(struct parts *parts)
{
    struct item *item = cu_alloc(sizeof *item + parts->bytes + 1);
    uint8_t *at = item->bytes;
    item->refs = 1;
    for (size_t i = 0; i < parts->count; i++) {
        struct cu_bytes *part = &parts->items[i];
        if (part->len)
            memcpy(at, part->data, part->len);
        part->data = at;
        at += part->len;
    }
    item->key = parts->items[0];
    item->value = parts->items[1];
    return item;
}

static struct item *pair_new(struct cu_bytes key, struct cu_bytes value)
{
    struct parts parts = {.count = 0};
    add_part(&parts, key);
    add_part(&parts, value);
    return item_new(&parts);
}

static bool fails(const struct memory_backend *m)
{
    return fault_now(m->fault);
}

/* ---- tables ---- */

static enum cu_err get(void *context, enum catalog_table table, struct cu_bytes key,
                       struct cu_arena *arena, struct catalog_row *ret_row)
{
    struct memory_backend *m = context;
    if (fails(m))
        return CU_E_IO;
    const struct item *item = find(&m->lists[table], key);
    if (!item)
        return CU_E_NOT_FOUND;
    struct catalog_row row = item->row;
    enum cu_err err = catalog_copy_out(arena, item->key, &row.key);
    if (!err)
        err = catalog_copy_out(arena, item->value, &row.value);
    if (!err)
        *ret_row = row;
    return err;
}

static enum cu_err scan(void *context, enum catalog_table table, struct cu_bytes prefix,
                        struct cu_bytes after, catalog_visit *visit, void *arg)
{
    struct memory_backend *m = context;
    const struct items *items = &m->lists[table];
    if (fails(m))
        return CU_E_IO;
    for (size_t at = seek(items, cu_bytes_compare(prefix, after) > 0 ? prefix : after);
         at < items->count; at++) {
        const struct item *item = items->at[at];
        if (!cu_bytes_has_prefix(item->key, prefix))
            return CU_OK;
        if (after.len && cu_bytes_equal(item->key, after))
            continue;
        if (!visit(arg, &item->row))
            return CU_OK;
    }
    return CU_OK;
}

static enum cu_err put(void *context, enum catalog_table table, const struct catalog_row *row)
{
    struct memory_backend *m = context;
    if (fails(m))
        return CU_E_IO;
    struct item *item = pair_new(row->key, row->value);
    item->row = *row;
    item->row.key = item->key;
    item->row.value = item->value;
    items_put(&m->lists[table], item);
    return CU_OK;
}

static enum cu_err update(void *context, enum catalog_table table, const struct catalog_row *row)
{
    struct memory_backend *m = context;
    return find(&m->lists[table], row->key) ? put(context, table, row) : CU_E_CORRUPT;
}

static enum cu_err del(void *context, enum catalog_table table, struct cu_bytes key)
{
    struct memory_backend *m = context;
    if (fails(m))
        return CU_E_IO;
    items_del(&m->lists[table], key);
    return CU_OK;
}

/* ---- changes ---- */

enum { CHANGE_KEY_BYTES = 12 };

static struct cu_bytes change_key(uint64_t index, uint32_t number, uint8_t key[CHANGE_KEY_BYTES])
{
    for (int i = 0; i < 8; i++)
        key[i] = (uint8_t)(index >> (56 - 8 * i));
    for (int i = 0; i < 4; i++)
        key[8 + i] = (uint8_t)(number >> (24 - 8 * i));
    return (struct cu_bytes){key, CHANGE_KEY_BYTES};
}

static enum cu_err changes(void *context, uint64_t after_index, uint32_t after_number,
                           catalog_visit_change *visit, void *arg)
{
    struct memory_backend *m = context;
    const struct items *items = &m->lists[CHANGES];
    uint8_t bytes[CHANGE_KEY_BYTES];
    struct cu_bytes after = change_key(after_index, after_number, bytes);
    if (fails(m))
        return CU_E_IO;
    for (size_t at = seek(items, after); at < items->count; at++) {
        if (cu_bytes_equal(items->at[at]->key, after))
            continue;
        if (!visit(arg, &items->at[at]->change))
            return CU_OK;
    }
    return CU_OK;
}

static struct cu_bytes with_nul(const char *text)
{
    return (struct cu_bytes){(const uint8_t *)text, strlen(text) + 1};
}

static enum cu_err change_add(void *context, const struct catalog_change *change)
{
    struct memory_backend *m = context;
    uint8_t bytes[CHANGE_KEY_BYTES];
    if (fails(m))
        return CU_E_IO;
    struct catalog_change copy = *change;
    const char **texts[] = {&copy.actor,   &copy.node,  &copy.daemon,
                            &copy.address, &copy.cause, &copy.reason};
    struct parts parts = {.count = 0};
    add_part(&parts, change_key(change->index, change->number, bytes));
    add_part(&parts, change->key);
    add_part(&parts, change->before);
    for (size_t i = 0; i < CU_COUNT(texts); i++)
        add_part(&parts, with_nul(*texts[i]));
    struct item *item = item_new(&parts);
    copy.key = parts.items[1];
    copy.before = parts.items[2];
    for (size_t i = 0; i < CU_COUNT(texts); i++)
        *texts[i] = (const char *)parts.items[3 + i].data;
    item->change = copy;
    items_put(&m->lists[CHANGES], item);
    return CU_OK;
}

static enum cu_err change_drop(void *context, uint64_t index, uint32_t number)
{
    struct memory_backend *m = context;
    uint8_t bytes[CHANGE_KEY_BYTES];
    if (fails(m))
        return CU_E_IO;
    items_del(&m->lists[CHANGES], change_key(index, number, bytes));
    return CU_OK;
}

/* ---- values ---- */

static struct cu_bytes hash_key(struct cu_u128 hash, uint8_t key[CATALOG_HASH_BYTES])
{
    catalog_hash_to_bytes(hash, key);
    return (struct cu_bytes){key, CATALOG_HASH_BYTES};
}

static enum cu_err value_get(void *context, struct cu_u128 hash, struct cu_arena *arena,
                             struct cu_bytes *ret_value)
{
    struct memory_backend *m = context;
    uint8_t bytes[CATALOG_HASH_BYTES];
    if (fails(m))
        return CU_E_IO;
    const struct item *item = find(&m->lists[VALUES], hash_key(hash, bytes));
    if (!item || !arena)
        return item ? CU_OK : CU_E_NOT_FOUND;
    return catalog_copy_out(arena, item->value, ret_value);
}

static bool is_after(const struct item *item, uint64_t index, struct cu_u128 hash)
{
    uint8_t bytes[CATALOG_HASH_BYTES];
    return item->index > index ||
           (item->index == index && cu_bytes_compare(item->key, hash_key(hash, bytes)) > 0);
}

static enum cu_err value_oldest(void *context, uint64_t after_index, struct cu_u128 after_hash,
                                struct cu_u128 *ret_hash, uint64_t *ret_index,
                                uint32_t *ret_size_bytes)
{
    struct memory_backend *m = context;
    const struct items *items = &m->lists[VALUES];
    const struct item *oldest = NULL;
    if (fails(m))
        return CU_E_IO;
    for (size_t i = 0; i < items->count; i++)
        if (is_after(items->at[i], after_index, after_hash) &&
            (!oldest || items->at[i]->index < oldest->index))
            oldest = items->at[i];
    if (!oldest)
        return CU_E_NOT_FOUND;
    *ret_hash = oldest->hash;
    *ret_index = oldest->index;
    *ret_size_bytes = (uint32_t)oldest->value.len;
    return CU_OK;
}

static int by_age(const void *a, const void *b)
{
    const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;
    return x->index != y->index ? (x->index < y->index ? -1 : 1) : cu_bytes_compare(x->key, y->key);
}

static enum cu_err values(void *context, catalog_visit_value *visit, void *arg)
{
    struct memory_backend *m = context;
    if (fails(m))
        return CU_E_IO;
    struct items sorted = items_copy(&m->lists[VALUES]);
    if (sorted.count)
        qsort(sorted.at, sorted.count, sizeof(struct item *), by_age);
    for (size_t i = 0; i < sorted.count; i++)
        if (!visit(arg, sorted.at[i]->hash, sorted.at[i]->index, sorted.at[i]->value))
            break;
    items_deinit(&sorted);
    return CU_OK;
}

static enum cu_err value_put(void *context, struct cu_u128 hash, struct cu_bytes value,
                             uint64_t index, bool *ret_is_new)
{
    struct memory_backend *m = context;
    uint8_t bytes[CATALOG_HASH_BYTES];
    if (fails(m))
        return CU_E_IO;
    struct cu_bytes key = hash_key(hash, bytes);
    *ret_is_new = !find(&m->lists[VALUES], key);
    struct item *item = pair_new(key, value);
    item->hash = hash;
    item->index = index;
    items_put(&m->lists[VALUES], item);
    return CU_OK;
}

static enum cu_err value_drop(void *context, struct cu_u128 hash)
{
    struct memory_backend *m = context;
    uint8_t bytes[CATALOG_HASH_BYTES];
    if (fails(m))
        return CU_E_IO;
    items_del(&m->lists[VALUES], hash_key(hash, bytes));
    return CU_OK;
}

/* ---- bookkeeping ---- */

static enum cu_err meta_get(void *context, const char *name, struct cu_arena *arena,
                            struct cu_bytes *ret_value)
{
    struct memory_backend *m = context;
    if (fails(m))
        return CU_E_IO;
    const struct item *item = find(&m->lists[METAS], with_nul(name));
    return item ? catalog_copy_out(arena, item->value, ret_value) : CU_E_NOT_FOUND;
}

static enum cu_err metas(void *context, catalog_visit_meta *visit, void *arg)
{
    struct memory_backend *m = context;
    const struct items *items = &m->lists[METAS];
    if (fails(m))
        return CU_E_IO;
    for (size_t i = 0; i < items->count; i++)
        if (!visit(arg, (const char *)items->at[i]->key.data, items->at[i]->value))
            return CU_OK;
    return CU_OK;
}

static enum cu_err meta_put(void *context, const char *name, struct cu_bytes value)
{
    struct memory_backend *m = context;
    if (fails(m))
        return CU_E_IO;
    items_put(&m->lists[METAS], pair_new(with_nul(name), value));
    return CU_OK;
}

/* ---- marks ---- */

static void drop_marked(struct memory_backend *m)
{
    for (int i = 0; i < LIST_COUNT; i++)
        items_deinit(&m->marked[i]);
    m->is_marked = false;
}

static enum cu_err mark(void *context)
{
    struct memory_backend *m = context;
    if (fails(m))
        return CU_E_IO;
    CU_ASSERT(!m->is_marked);
    m->is_marked = true;
    for (int i = 0; i < LIST_COUNT; i++)
        m->marked[i] = items_copy(&m->lists[i]);
    return CU_OK;
}

static enum cu_err undo(void *context)
{
    struct memory_backend *m = context;
    if (fails(m))
        return CU_E_IO;
    CU_ASSERT(m->is_marked);
    for (int i = 0; i < LIST_COUNT; i++) {
        struct items now = m->lists[i];
        m->lists[i] = m->marked[i];
        m->marked[i] = now;
    }
    drop_marked(m);
    return CU_OK;
}

static enum cu_err keep(void *context)
{
    struct memory_backend *m = context;
    if (fails(m))
        return CU_E_IO;
    CU_ASSERT(m->is_marked);
    drop_marked(m);
    return CU_OK;
}

/* ---- the whole ---- */

struct memory_backend *memory_backend_new(struct fault *fault)
{
    struct memory_backend *m = cu_alloc(sizeof *m);
    m->fault = fault;
    m->backend = (struct catalog_backend){.context = m,
                                          .get = get,
                                          .scan = scan,
                                          .changes = changes,
                                          .value_get = value_get,
                                          .value_oldest = value_oldest,
                                          .values = values,
                                          .meta_get = meta_get,
                                          .metas = metas,
                                          .put = put,
                                          .update = update,
                                          .del = del,
                                          .change_add = change_add,
                                          .change_drop = change_drop,
                                          .value_put = value_put,
                                          .value_drop = value_drop,
                                          .meta_put = meta_put,
                                          .mark = mark,
                                          .undo = undo,
                                          .keep = keep};
    return m;
}

void memory_backend_free(struct memory_backend *memory)
{
    if (!memory)
        return;
    drop_marked(memory);
    for (int i = 0; i < LIST_COUNT; i++)
        items_deinit(&memory->lists[i]);
    free(memory);
}

const struct catalog_backend *memory_backend_get(struct memory_backend *memory)
{
    return &memory->backend;
}
