#include "services/catalogd/core/overlay.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/backend_twin.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/layers.h"
#include "tests/lib/suite.h"

/* ---- over a backend in memory ---- */

struct fixture {
    struct memory_backend *memory, *plain;
    struct catalog_overlay overlay;
    const struct catalog_backend *b; /* the overlay as one */
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){.memory = memory_backend_new(NULL), .plain = memory_backend_new(NULL)};
    catalog_overlay_init(&f->overlay, memory_backend_get(f->memory));
    layers_rotate(&f->overlay);
    f->b = &f->overlay.backend;
}

static void end(struct fixture *f)
{
    catalog_overlay_clear(&f->overlay);
    memory_backend_free(f->memory);
    memory_backend_free(f->plain);
}

static struct backend_twin twin_of(struct memory_backend *plain, const struct catalog_backend *b)
{
    return (struct backend_twin){.one = memory_backend_get(plain),
                                 .other = b,
                                 .random = {suite_seed()},
                                 .is_as_the_store = true};
}

static void put(const struct catalog_backend *b, const char *key, const char *value)
{
    struct catalog_row row = {cu_bytes_of(key), cu_bytes_of(value), 1, 2, {3, 4}};
    ck_assert_int_eq(b->put(b->context, CATALOG_KV, &row), CU_OK);
}

static bool show_row(void *arg, const struct catalog_row *row)
{
    cu_buf_printf(arg, "%.*s=%.*s ", (int)row->key.len, (const char *)row->key.data,
                  (int)row->value.len, (const char *)row->value.data);
    return true;
}

static void check_rows(const struct catalog_backend *b, const char *want)
{
    struct cu_buf got = {0};
    struct cu_bytes none = {NULL, 0};
    ck_assert_int_eq(b->scan(b->context, CATALOG_KV, none, none, show_row, &got), CU_OK);
    cu_buf_append(&got, "", 1);
    ck_assert_str_eq((const char *)got.data, want);
    cu_buf_deinit(&got);
}

START_TEST(what_is_newer_hides_what_lies_below_row_by_row)
{
    struct fixture f;
    begin(&f);
    static const char *const keys[] = {"a", "b", "c", "d", "e", "f"};
    for (size_t i = 0; i < CU_COUNT(keys); i++)
        put(f.overlay.below, keys[i], "below");
    put(f.b, "b", "lower");
    put(f.b, "c", "lower");
    put(f.b, "x", "lower");
    ck_assert_int_eq(f.b->del(f.b->context, CATALOG_KV, cu_bytes_of("d")), CU_OK);
    ck_assert_int_eq(f.b->del(f.b->context, CATALOG_KV, cu_bytes_of("e")), CU_OK);
    layers_rotate(&f.overlay);
    put(f.b, "c", "upper");
    put(f.b, "e", "upper");
    put(f.b, "0", "upper");
    ck_assert_int_eq(f.b->del(f.b->context, CATALOG_KV, cu_bytes_of("x")), CU_OK);
    ck_assert_int_eq(f.b->del(f.b->context, CATALOG_KV, cu_bytes_of("f")), CU_OK);
    check_rows(f.b, "0=upper a=below b=lower c=upper e=upper ");
    end(&f);
}
END_TEST

START_TEST(shows_the_same_when_what_it_holds_lies_below_as_well)
{
    struct fixture f;
    begin(&f);
    struct backend_twin twin = twin_of(f.plain, f.b);
    for (int i = 0; i < 300; i++) {
        backend_twin_step(&twin);
        if (i == 150 && !twin.is_marked)
            layers_rotate(&f.overlay);
    }
    if (f.overlay.count < CATALOG_MEMTABLES_MAX)
        layers_rotate(&f.overlay);
    struct cu_buf want = {0};
    backend_list(f.b, "ax", SIZE_MAX, &want);
    for (int step = 0; step < 3; step++) {
        struct cu_buf got = {0};
        if (step < 2)
            layers_fold(&f.overlay); /* the second time over itself */
        else
            layers_drop(&f.overlay);
        backend_list(f.b, "ax", SIZE_MAX, &got);
        backend_same_text(&got, &want);
        cu_buf_deinit(&got);
    }
    layers_flatten(&f.overlay);
    struct cu_buf below = {0};
    backend_list(f.overlay.below, "ax", SIZE_MAX, &below);
    backend_same_text(&below, &want);
    cu_buf_deinit(&below);
    cu_buf_deinit(&want);
    end(&f);
}
END_TEST

/* Any of them may come between two steps; what is written to is only exchanged outside of marks. */
static void move_layers(struct catalog_overlay *overlay, struct backend_twin *twin, bool *is_folded)
{
    uint64_t dice = cu_random_below(&twin->random, 12);
    if (dice == 0 && overlay->count < CATALOG_MEMTABLES_MAX && !twin->is_marked) {
        layers_rotate(overlay);
        *is_folded = false;
    } else if (dice == 1 && overlay->count == CATALOG_MEMTABLES_MAX) {
        layers_fold(overlay);
        *is_folded = true;
    } else if (dice == 2 && *is_folded && !twin->is_marked) {
        layers_drop(overlay);
        *is_folded = false;
    }
}

START_TEST(does_what_a_plain_backend_does_over_random_calls_folds_and_undos)
{
    struct fixture f;
    begin(&f);
    struct backend_twin twin = twin_of(f.plain, f.b);
    bool is_folded = false;
    for (int step = 0; step < 8000; step++) {
        backend_twin_step(&twin);
        move_layers(&f.overlay, &twin, &is_folded);
        if (step % 4 == 0)
            backend_twin_compare(&twin);
    }
    end(&f);
}
END_TEST

/* ---- a snapshot, over SQLite ---- */

static void fold_committed(struct catalog_sqlite *db, struct catalog_memtable *memtable)
{
    ck_assert_int_eq(catalog_sqlite_begin(db, NULL), CU_OK);
    ck_assert_int_eq(catalog_memtable_fold(memtable, catalog_sqlite_backend(db)), CU_OK);
    ck_assert_int_eq(catalog_sqlite_commit(db, NULL), CU_OK);
}

/* What the writer shows, taken over what the reader's transaction holds. */
static void take_snapshot(const struct catalog_overlay *writer, struct catalog_sqlite *reader,
                          struct catalog_overlay *ret_overlay)
{
    ck_assert_int_eq(catalog_sqlite_begin_read(reader, NULL), CU_OK);
    catalog_overlay_init(ret_overlay, catalog_sqlite_backend(reader));
    for (size_t i = 0; i < writer->count; i++)
        catalog_overlay_add(ret_overlay, writer->memtables[i]);
    ret_overlay->seq = writer->seq;
}

START_TEST(a_snapshot_stands_still_while_the_writer_goes_on_rotates_and_folds)
{
    char path[300];
    struct catalog_sqlite *db = NULL, *reader = NULL;
    struct catalog_overlay writer, snapshot;
    (void)snprintf(path, sizeof path, "%s/state.db", suite_tmpdir());
    ck_assert_int_eq(catalog_sqlite_open_writer(path, &db, NULL), CU_OK);
    ck_assert_int_eq(catalog_sqlite_open_reader(path, &reader, NULL), CU_OK);
    catalog_overlay_init(&writer, catalog_sqlite_backend(db));
    layers_rotate(&writer);
    struct memory_backend *plain = memory_backend_new(NULL);
    struct backend_twin twin = twin_of(plain, &writer.backend);
    for (int round = 0; round < 25; round++) {
        struct cu_buf want = {0};
        while (twin.is_marked) /* nobody reads between marks */
            backend_twin_step(&twin);
        take_snapshot(&writer, reader, &snapshot);
        backend_list(&writer.backend, "b\xff", SIZE_MAX, &want);
        for (int step = 0; step < 60; step++) {
            struct cu_buf got = {0};
            backend_twin_step(&twin);
            if (step % 20 == round % 20 && writer.count == 2) {
                fold_committed(db, writer.memtables[1]);
                if (!twin.is_marked)
                    layers_drop(&writer);
            }
            if (step % 20 == 10 && writer.count == 1 && !twin.is_marked)
                layers_rotate(&writer);
            backend_list(&snapshot.backend, "b\xff", SIZE_MAX, &got);
            backend_same_text(&got, &want);
            cu_buf_deinit(&got);
        }
        catalog_overlay_clear(&snapshot);
        catalog_sqlite_end_read(reader);
        cu_buf_deinit(&want);
    }
    catalog_overlay_clear(&writer);
    memory_backend_free(plain);
    catalog_sqlite_close(reader);
    catalog_sqlite_close(db);
}
END_TEST

/* ---- a store over it ---- */

START_TEST(a_store_opened_over_other_layers_stands_where_it_was_flushed)
{
    struct state *state = state_new(STATE_OVERLAY);
    char key[16], value[16];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(key, sizeof key, "key%d", i % 7);
        (void)snprintf(value, sizeof value, "%d", i);
        state_set(state, key, value);
        ck_assert_int_eq(catalog_store_flush(state->store), CU_OK);
        struct catalog_store *again;
        ck_assert_int_eq(catalog_store_open(state->backend, &again, NULL), CU_OK);
        struct cu_u128 want = catalog_store_hash(state->store), got = catalog_store_hash(again);
        ck_assert(want.lo == got.lo && want.hi == got.hi);
        ck_assert_uint_eq(catalog_store_position(again).index,
                          catalog_store_position(state->store).index);
        ck_assert_uint_eq(catalog_store_table_index(again, CATALOG_KV), state_index(state));
        catalog_store_free(again);
    }
    struct cu_u128 want = catalog_store_hash(state->store), sum = state_sum(state);
    ck_assert(want.lo == sum.lo && want.hi == sum.hi);
    state_free(state);
}
END_TEST

START_TEST(what_fails_below_is_told)
{
    struct fault fault = {.at = 1};
    struct memory_backend *memory = memory_backend_new(&fault);
    struct catalog_overlay overlay;
    catalog_overlay_init(&overlay, memory_backend_get(memory));
    layers_rotate(&overlay);
    const struct catalog_backend *b = &overlay.backend;
    struct cu_arena *arena = cu_arena_new(4096);
    struct cu_buf text = {0};
    struct cu_bytes none = {NULL, 0}, value;
    struct cu_u128 hash = {1, 2};
    struct catalog_row row;
    uint64_t index;
    uint32_t size;
    bool is_new;
    put(b, "k", "v");
#define FAILS(call) ck_assert_int_eq((fault.calls = 0, call), CU_E_IO)
    FAILS(b->get(b->context, CATALOG_KV, cu_bytes_of("other"), arena, &row));
    FAILS(b->scan(b->context, CATALOG_KV, none, none, show_row, &text));
    FAILS(b->value_get(b->context, hash, arena, &value));
    FAILS(b->value_oldest(b->context, 0, hash, &hash, &index, &size));
    FAILS(b->value_put(b->context, hash, none, 1, &is_new));
    FAILS(b->meta_get(b->context, "name", arena, &value));
    FAILS(b->changes(b->context, 0, 0, NULL, NULL));
    FAILS(b->values(b->context, NULL, NULL));
    FAILS(b->metas(b->context, NULL, NULL));
#undef FAILS
    ck_assert_int_eq(b->get(b->context, CATALOG_KV, cu_bytes_of("k"), arena, &row), CU_OK);
    cu_buf_deinit(&text);
    cu_arena_free(arena);
    catalog_overlay_clear(&overlay);
    memory_backend_free(memory);
}
END_TEST

SUITE_MAIN("services/catalogd/core/overlay", what_is_newer_hides_what_lies_below_row_by_row,
           shows_the_same_when_what_it_holds_lies_below_as_well,
           does_what_a_plain_backend_does_over_random_calls_folds_and_undos,
           a_snapshot_stands_still_while_the_writer_goes_on_rotates_and_folds,
           a_store_opened_over_other_layers_stands_where_it_was_flushed, what_fails_below_is_told)
