#include "services/catalogd/core/store.h"

#include <string.h>

#include "services/catalogd/core/bookmark.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

static struct cu_bytes text(const char *from)
{
    return cu_bytes_of(from);
}

static void begin(struct state *state, uint64_t index)
{
    catalog_store_begin(state->store, index, &(struct catalog_cause){.actor = "tester"});
}

static void put(struct state *state, enum catalog_table table, const char *key, const char *value,
                bool want_changed)
{
    bool changed = !want_changed;
    ck_assert_int_eq(store_put(state->store, table, text(key), text(value), &changed), CU_OK);
    ck_assert_int_eq(changed, want_changed);
}

static struct catalog_row row_of(struct state *state, enum catalog_table table, const char *key)
{
    struct catalog_row row;
    ck_assert_int_eq(
        state->backend->get(state->backend->context, table, text(key), state->arena, &row), CU_OK);
    return row;
}

STATE_TEST(a_put_keeps_the_create_index_and_raises_the_modify_index)
{
    begin(state, 10);
    put(state, CATALOG_KV, "k", "1", true);
    begin(state, 11);
    put(state, CATALOG_KV, "k", "2", true);
    struct catalog_row row = row_of(state, CATALOG_KV, "k");
    ck_assert(row.create_index == 10 && row.modify_index == 11);
    ck_assert_uint_eq(catalog_store_table_index(state->store, CATALOG_KV), 11);
    ck_assert_uint_eq(catalog_store_table_index(state->store, CATALOG_SETTINGS), 0);
    bool changed;
    begin(state, 12);
    ck_assert_int_eq(store_del(state->store, CATALOG_KV, text("k"), &changed), CU_OK);
    ck_assert(changed);
    ck_assert_uint_eq(catalog_store_table_index(state->store, CATALOG_KV), 12);
    begin(state, 13);
    ck_assert_int_eq(store_del(state->store, CATALOG_KV, text("k"), &changed), CU_OK);
    ck_assert(!changed);
    ck_assert_uint_eq(catalog_store_table_index(state->store, CATALOG_KV), 12);
    put(state, CATALOG_KV, "k", "1", true);
    ck_assert_uint_eq(row_of(state, CATALOG_KV, "k").create_index, 13);
}

STATE_TEST(noops_are_dropped_where_the_table_says_so)
{
    begin(state, 10);
    put(state, CATALOG_KV, "k", "1", true);
    put(state, CATALOG_TOMBSTONES, "k", "1", true);
    begin(state, 11);
    put(state, CATALOG_KV, "k", "1", false);
    put(state, CATALOG_TOMBSTONES, "k", "1", true); /* a new delete in the same millisecond */
    ck_assert_uint_eq(row_of(state, CATALOG_KV, "k").modify_index, 10);
    ck_assert_uint_eq(row_of(state, CATALOG_TOMBSTONES, "k").modify_index, 11);
}

STATE_TEST(wakes_come_once_a_change_in_order_and_only_since_the_last_take)
{
    begin(state, 10);
    put(state, CATALOG_KV, "a", "1", true);
    put(state, CATALOG_KV, "a", "2", true); /* the same entry again: one wake */
    put(state, CATALOG_KV, "b", "1", true);
    put(state, CATALOG_TOMBSTONES, "t", "1", true); /* wakes nobody */
    begin(state, 11);
    put(state, CATALOG_KV, "b", "2", true);
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    static const struct {
        const char *key;
        uint64_t index;
    } want[] = {{"a", 10}, {"b", 10}, {"b", 11}};
    ck_assert_uint_eq(wakes.count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(cu_bytes_equal(wakes.items[i].key, text(want[i].key)));
        ck_assert_uint_eq(wakes.items[i].index, want[i].index);
        ck_assert(!wakes.items[i].is_prefix);
    }
    catalog_wakes_deinit(&wakes);
    wakes = catalog_store_take_wakes(state->store);
    ck_assert_uint_eq(wakes.count, 0);
    catalog_wakes_deinit(&wakes);
}

STATE_TEST(the_hash_depends_on_table_key_and_row_and_returns_when_rows_do)
{
    struct cu_u128 empty = catalog_store_hash(state->store);
    begin(state, 10);
    put(state, CATALOG_KV, "k", "1", true);
    struct cu_u128 kv = catalog_store_hash(state->store);
    ck_assert_int_eq(store_del(state->store, CATALOG_KV, text("k"), NULL), CU_OK);
    ck_assert(catalog_store_hash(state->store).lo == empty.lo);
    put(state, CATALOG_SETTINGS, "k", "1", true);
    ck_assert(catalog_store_hash(state->store).lo != kv.lo);
    ck_assert_int_eq(store_del(state->store, CATALOG_SETTINGS, text("k"), NULL), CU_OK);
    put(state, CATALOG_KV, "k1", "", true);
    ck_assert(catalog_store_hash(state->store).lo != kv.lo);
}

STATE_TEST(an_undo_takes_back_rows_bookkeeping_and_wakes)
{
    begin(state, 10);
    put(state, CATALOG_KV, "before", "1", true);
    struct cu_u128 hash = catalog_store_hash(state->store);
    uint64_t rows = state->store->bookmark.change_rows;
    ck_assert_int_eq(catalog_store_mark(state->store), CU_OK);
    put(state, CATALOG_KV, "before", "2", true);
    put(state, CATALOG_KV, "new", "1", true);
    ck_assert_int_eq(catalog_store_undo(state->store), CU_OK);
    ck_assert(cu_bytes_equal(row_of(state, CATALOG_KV, "before").value, text("1")));
    ck_assert(catalog_store_hash(state->store).lo == hash.lo);
    ck_assert_uint_eq(state->store->bookmark.change_rows, rows);
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    ck_assert_uint_eq(wakes.count, 1);
    catalog_wakes_deinit(&wakes);
    ck_assert_int_eq(catalog_store_mark(state->store), CU_OK);
    put(state, CATALOG_KV, "new", "1", true);
    ck_assert_int_eq(catalog_store_keep(state->store), CU_OK);
    ck_assert_uint_eq(row_of(state, CATALOG_KV, "new").modify_index, 10);
}

STATE_TEST(bookkeeping_is_found_again_and_a_reader_finds_it_as_well)
{
    state_set(state, "a", "1");
    (void)state_kv(state, &(struct kv){.verb = CATALOG_KV_DELETE_TREE, .key = ""});
    struct catalog_bookmark want = state->store->bookmark, got;
    state_reopen(state);
    ck_assert_mem_eq(&state->store->bookmark, &want, sizeof want);
    ck_assert_int_eq(catalog_bookmark_read(state->backend, state->arena, &got), CU_OK);
    ck_assert_mem_eq(&got, &want, sizeof want);
    ck_assert_uint_eq(catalog_bookmark_shown_index(&got), state_index(state));
}

static bool count_meta(void *arg, const char *name, struct cu_bytes value)
{
    ck_assert_uint_gt(strlen(name) + value.len, 0);
    ++*(int *)arg;
    return true;
}

STATE_TEST(bookkeeping_is_a_few_rows_and_they_can_be_listed)
{
    int count = 0;
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK);
    ck_assert_int_eq(state->backend->metas(state->backend->context, count_meta, &count), CU_OK);
    ck_assert_int_eq(count, 2); /* "state" and the window of one proposer */
}

STATE_TEST(a_state_of_a_higher_level_is_refused_by_name_contracts_6_6)
{
    struct catalog_bookmark b = state->store->bookmark;
    struct cu_buf bytes = {0};
    b.level = CATALOG_LEVEL + 1;
    catalog_bookmark_encode(&b, &bytes);
    ck_assert_int_eq(
        state->backend->meta_put(state->backend->context, CATALOG_META_STATE, cu_buf_bytes(&bytes)),
        CU_OK);
    struct catalog_store *store = NULL;
    struct cu_diag diag = {0};
    ck_assert_int_eq(catalog_store_open(state->backend, &store, &diag), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "level 2"));
    ck_assert_ptr_null(store);
    cu_buf_deinit(&bytes);
}

STATE_TEST(bookkeeping_that_does_not_decode_is_corrupt)
{
    struct cu_buf bytes = {0};
    struct catalog_bookmark b = state->store->bookmark, got;
    b.lineage_count = 2;
    catalog_bookmark_encode(&b, &bytes);
    ck_assert_int_eq(catalog_bookmark_decode(cu_buf_bytes(&bytes), &got), CU_OK);
    for (size_t len = 0; len < bytes.len; len++)
        ck_assert_int_eq(catalog_bookmark_decode((struct cu_bytes){bytes.data, len}, &got),
                         CU_E_CORRUPT);
    cu_buf_u8(&bytes, 0);
    ck_assert_int_eq(catalog_bookmark_decode(cu_buf_bytes(&bytes), &got), CU_E_CORRUPT);
    static const struct cu_bytes bad = {(const uint8_t *)"x", 1};
    static const char *const names[] = {CATALOG_META_STATE, CATALOG_META_WINDOW "03"};
    for (size_t i = 0; i < 2; i++) {
        struct memory_backend *memory = memory_backend_new(NULL);
        const struct catalog_backend *backend = memory_backend_get(memory);
        struct catalog_store *store = NULL;
        ck_assert_int_eq(backend->meta_put(backend->context, names[i], bad), CU_OK);
        ck_assert_int_eq(catalog_store_open(backend, &store, NULL), CU_E_CORRUPT);
        memory_backend_free(memory);
    }
    cu_buf_deinit(&bytes);
}

START_TEST(tables_and_operations_have_names_that_find_them)
{
    enum catalog_table found;
    for (int table = 0; table < CATALOG_TABLE_COUNT; table++) {
        ck_assert(catalog_table_find(catalog_table_name((enum catalog_table)table), &found));
        ck_assert_int_eq(found, table);
    }
    ck_assert(!catalog_table_find("sessions", &found));
    ck_assert_str_eq(catalog_operation_name(CATALOG_DELETE), "delete");
}
END_TEST

SUITE_MAIN("catalogd/core/store", a_put_keeps_the_create_index_and_raises_the_modify_index,
           noops_are_dropped_where_the_table_says_so,
           wakes_come_once_a_change_in_order_and_only_since_the_last_take,
           the_hash_depends_on_table_key_and_row_and_returns_when_rows_do,
           an_undo_takes_back_rows_bookkeeping_and_wakes,
           bookkeeping_is_found_again_and_a_reader_finds_it_as_well,
           bookkeeping_is_a_few_rows_and_they_can_be_listed,
           a_state_of_a_higher_level_is_refused_by_name_contracts_6_6,
           bookkeeping_that_does_not_decode_is_corrupt,
           tables_and_operations_have_names_that_find_them)
