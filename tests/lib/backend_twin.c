#include "tests/lib/backend_twin.h"

#include <stdio.h>

#include "tests/lib/suite.h"

enum { ARENA_BYTES = 64 * 1024 };

/* ---- what can be read ---- */

struct listing {
    struct cu_buf text;
    size_t count, most;
};

static bool list_row(void *arg, const struct catalog_row *row)
{
    struct listing *listing = arg;
    cu_buf_append(&listing->text, row->key.data, row->key.len);
    cu_buf_printf(&listing->text, "=%.*s %d %d %d;", (int)row->value.len,
                  (const char *)row->value.data, (int)row->create_index, (int)row->modify_index,
                  (int)row->hash.hi);
    return ++listing->count < listing->most;
}

static bool list_change(void *arg, const struct catalog_change *c)
{
    struct listing *listing = arg;
    cu_buf_append(&listing->text, c->key.data, c->key.len);
    cu_buf_printf(&listing->text, "%d.%d %d %d %.*s %d %d %s %s %s %s %s %s %d %d %d;",
                  (int)c->index, (int)c->number, (int)c->table, (int)c->operation,
                  (int)c->before.len, (const char *)c->before.data, (int)c->before_by_hash,
                  (int)c->before_hash.lo, c->actor, c->node, c->daemon, c->address, c->cause,
                  c->reason, (int)c->wall_ms, (int)c->lease_ms, (int)c->size_bytes);
    return ++listing->count < listing->most;
}

static bool list_value(void *arg, struct cu_u128 hash, uint64_t index, struct cu_bytes value)
{
    struct listing *listing = arg;
    cu_buf_printf(&listing->text, "%d %d %.*s;", (int)hash.lo, (int)index, (int)value.len,
                  (const char *)value.data);
    return ++listing->count < listing->most;
}

static bool list_meta(void *arg, const char *name, struct cu_bytes value)
{
    struct listing *listing = arg;
    cu_buf_printf(&listing->text, "%s=%.*s;", name, (int)value.len, (const char *)value.data);
    return ++listing->count < listing->most;
}

static void list_oldest(const struct catalog_backend *b, uint64_t after, struct listing *listing)
{
    struct cu_u128 hash = {0, 0};
    uint64_t index = 0;
    uint32_t size = 0;
    enum cu_err err =
        b->value_oldest(b->context, after, (struct cu_u128){after, after}, &hash, &index, &size);
    cu_buf_printf(&listing->text, "%d %d %d %d;", (int)err, (int)hash.lo, (int)index, (int)size);
}

static void list_one_by_one(const struct catalog_backend *b, const char *key,
                            struct listing *listing)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    enum cu_err err;
    for (int table = 0; table < CATALOG_TABLE_COUNT; table++) {
        struct catalog_row row;
        err = b->get(b->context, (enum catalog_table)table, cu_bytes_of(key), arena, &row);
        cu_buf_printf(&listing->text, "%d ", (int)err);
        if (!err)
            (void)list_row(listing, &row);
    }
    for (uint64_t number = 0; number < 45; number++) {
        struct cu_u128 hash = {number % 9, number % 5};
        struct cu_bytes value;
        err = b->value_get(b->context, hash, arena, &value);
        cu_buf_printf(&listing->text, "%d %.*s;", (int)err, err ? 0 : (int)value.len,
                      err ? "" : (const char *)value.data);
        ck_assert_int_eq(b->value_get(b->context, hash, NULL, NULL), err);
    }
    struct cu_bytes value;
    err = b->meta_get(b->context, key, arena, &value);
    cu_buf_printf(&listing->text, "%d %.*s;", (int)err, err ? 0 : (int)value.len,
                  err ? "" : (const char *)value.data);
    cu_arena_free(arena);
}

void backend_list(const struct catalog_backend *backend, const char *key, size_t most,
                  struct cu_buf *ret_text)
{
    const struct catalog_backend *b = backend;
    struct listing listing = {.most = most};
    struct cu_bytes none = {NULL, 0}, prefix = {(const uint8_t *)key, 1}, after = cu_bytes_of(key);
    for (int table = 0; table < CATALOG_TABLE_COUNT; table++) {
        enum catalog_table t = (enum catalog_table)table;
        ck_assert_int_eq(b->scan(b->context, t, none, none, list_row, &listing), CU_OK);
        ck_assert_int_eq(b->scan(b->context, t, prefix, none, list_row, &listing), CU_OK);
        ck_assert_int_eq(b->scan(b->context, t, prefix, after, list_row, &listing), CU_OK);
        ck_assert_int_eq(b->scan(b->context, t, none, after, list_row, &listing), CU_OK);
        listing.count = 0;
    }
    ck_assert_int_eq(b->changes(b->context, 3, 1, list_change, &listing), CU_OK);
    listing.count = 0;
    ck_assert_int_eq(b->values(b->context, list_value, &listing), CU_OK);
    listing.count = 0;
    ck_assert_int_eq(b->metas(b->context, list_meta, &listing), CU_OK);
    list_oldest(b, 0, &listing);
    list_oldest(b, most, &listing);
    list_one_by_one(b, key, &listing);
    *ret_text = listing.text;
}

void backend_same_text(const struct cu_buf *one, const struct cu_buf *other)
{
    ck_assert_uint_eq(one->len, other->len);
    ck_assert_mem_eq(one->data, other->data, one->len);
}

void backend_twin_compare(struct backend_twin *twin)
{
    struct cu_buf one = {0}, other = {0};
    size_t most = cu_random_below(&twin->random, 4) + 1;
    if (cu_random_below(&twin->random, 4) == 0)
        most = SIZE_MAX / 2; /* to the end */
    backend_list(twin->one, twin->key, most, &one);
    backend_list(twin->other, twin->key, most, &other);
    backend_same_text(&one, &other);
    cu_buf_deinit(&one);
    cu_buf_deinit(&other);
}

/* ---- what can be written ---- */

enum write { PUT, DEL, CHANGE_ADD, CHANGE_DROP, VALUE_PUT, VALUE_DROP, UPDATE, META_PUT, WRITES };

static struct catalog_change change_of(const struct backend_twin *twin, uint64_t number)
{
    return (struct catalog_change){.index = number % 7,
                                   .number = (uint32_t)(number % 3),
                                   .table = (enum catalog_table)(number % CATALOG_TABLE_COUNT),
                                   .key = cu_bytes_of(twin->key),
                                   .before = cu_bytes_of(twin->value),
                                   .operation = (enum catalog_operation)(number % 3),
                                   .before_hash = {number % 2 ? number : 0, 0},
                                   .before_by_hash = number % 2,
                                   .actor = twin->value,
                                   .node = "n",
                                   .daemon = "d",
                                   .address = "a",
                                   .cause = "c",
                                   .reason = twin->key,
                                   .wall_ms = number,
                                   .lease_ms = number,
                                   .size_bytes = (uint32_t)number};
}

static enum cu_err write_one(const struct backend_twin *twin, const struct catalog_backend *b,
                             enum write what, uint64_t number, bool *ret_is_new)
{
    void *c = b->context;
    struct cu_bytes key = cu_bytes_of(twin->key), value = cu_bytes_of(twin->value);
    enum catalog_table table = (enum catalog_table)(number % CATALOG_TABLE_COUNT);
    struct cu_u128 hash = {number % 9, number % 5};
    struct catalog_row row = {key, value, number, number + 1, hash};
    struct catalog_change change = change_of(twin, number);
    uint64_t index = twin->is_as_the_store ? twin->index : number;
    char text[8]; /* a hash stands for one content */
    (void)snprintf(text, sizeof text, "%d", (int)(number % 45));
    switch (what) {
    case PUT:
        return b->put(c, table, &row);
    case DEL:
        return b->del(c, table, key);
    case CHANGE_ADD:
        return b->change_add(c, &change);
    case CHANGE_DROP:
        return b->change_drop(c, number % 7, (uint32_t)(number % 3));
    case VALUE_PUT:
        return b->value_put(c, hash, cu_bytes_of(text), index, ret_is_new);
    case VALUE_DROP:
        return b->value_drop(c, hash);
    case UPDATE:
        return b->update(c, table, &row);
    case META_PUT:
        return b->meta_put(c, twin->key, value);
    case WRITES:
        break;
    }
    return CU_E_INTERNAL;
}

static bool is_there(const struct backend_twin *twin, uint64_t number)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct catalog_row row;
    enum cu_err err =
        twin->one->get(twin->one->context, (enum catalog_table)(number % CATALOG_TABLE_COUNT),
                       cu_bytes_of(twin->key), arena, &row);
    cu_arena_free(arena);
    return err == CU_OK;
}

static void write_both(struct backend_twin *twin)
{
    enum write what = (enum write)cu_random_below(&twin->random, WRITES);
    uint64_t number = cu_random_below(&twin->random, 100);
    bool is_new[2] = {false, false};
    if (twin->is_as_the_store && what == UPDATE && !is_there(twin, number))
        what = PUT;
    twin->index += number % 3 == 0 || twin->index == 0;
    enum cu_err one = write_one(twin, twin->one, what, number, &is_new[0]);
    enum cu_err other = write_one(twin, twin->other, what, number, &is_new[1]);
    ck_assert_int_eq(one, other);
    ck_assert(!one || (what == UPDATE && one == CU_E_CORRUPT));
    ck_assert_int_eq(is_new[0], is_new[1]);
}

static void mark_both(struct backend_twin *twin)
{
    const struct catalog_backend *a = twin->one, *b = twin->other;
    uint64_t dice = cu_random_below(&twin->random, 6);
    if (!twin->is_marked && dice == 0) {
        ck_assert(!a->mark(a->context) && !b->mark(b->context));
        twin->is_marked = true;
    } else if (twin->is_marked && dice == 1) {
        ck_assert(!a->undo(a->context) && !b->undo(b->context));
        twin->is_marked = false;
    } else if (twin->is_marked && dice == 2) {
        ck_assert(!a->keep(a->context) && !b->keep(b->context));
        twin->is_marked = false;
    }
}

void backend_twin_step(struct backend_twin *twin)
{
    (void)snprintf(twin->key, sizeof twin->key, "%c%s", "ab\xff"[cu_random_below(&twin->random, 3)],
                   cu_random_below(&twin->random, 2) ? "\xff" : "x");
    (void)snprintf(twin->value, sizeof twin->value, "%d", (int)cu_random_below(&twin->random, 50));
    write_both(twin);
    mark_both(twin);
}
