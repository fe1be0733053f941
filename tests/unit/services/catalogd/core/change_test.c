#include "services/catalogd/core/change.h"

#include <stdio.h>
#include <string.h>

#include "services/catalogd/core/key.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

struct seen {
    struct catalog_change rows[256]; /* texts and bytes are gone after the walk */
    char before[256][16];
    size_t count;
};

static bool see(void *arg, const struct catalog_change *change)
{
    struct seen *seen = arg;
    if (seen->count == 256)
        return false;
    seen->rows[seen->count] = *change;
    (void)snprintf(seen->before[seen->count], 16, "%.*s",
                   (int)(change->before.len < 15 ? change->before.len : 15),
                   (const char *)change->before.data);
    seen->count++;
    return true;
}

static void changes_after(struct state *state, uint64_t index, uint32_t number, struct seen *seen)
{
    seen->count = 0;
    ck_assert_int_eq(state->backend->changes(state->backend->context, index, number, see, seen),
                     CU_OK);
}

static bool count_change(void *arg, const struct catalog_change *change)
{
    (void)change;
    ++*(uint64_t *)arg;
    return true;
}

static uint64_t count(struct state *state)
{
    uint64_t rows = 0;
    ck_assert_int_eq(state->backend->changes(state->backend->context, 0, 0, count_change, &rows),
                     CU_OK);
    return rows;
}

static bool check_first(void *arg, const struct catalog_change *change)
{
    (void)arg;
    struct cu_bytes user;
    ck_assert(catalog_key_user(change->key, &user) && cu_bytes_equal(user, cu_bytes_of("k")));
    ck_assert_str_eq(change->actor, "anonymous");
    ck_assert_str_eq(change->cause, "api");
    ck_assert_str_eq(change->reason, "to see it");
    ck_assert_str_eq(change->node, "");
    ck_assert_uint_eq(change->wall_ms, 1700000000000);
    return false;
}

STATE_TEST(a_row_says_what_was_before_who_and_why_contracts_6_2)
{
    struct seen seen;
    state->reason = "to see it";
    state_set(state, "k", "1");
    uint64_t index = state_index(state);
    state_set(state, "k", "2");
    state_set(state, "k", "2"); /* changes nothing */
    (void)state_kv(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = "k"});
    changes_after(state, 0, 0, &seen);
    ck_assert_uint_eq(seen.count, 3); /* none for the tombstone */
    static const enum catalog_operation want[] = {CATALOG_CREATE, CATALOG_UPDATE, CATALOG_DELETE};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(seen.rows[i].operation, want[i]);
        ck_assert_int_eq(seen.rows[i].table, CATALOG_KV);
        ck_assert(!seen.rows[i].before_by_hash);
    }
    ck_assert(seen.rows[0].index == index && seen.rows[1].index == index + 1);
    ck_assert_uint_eq(seen.rows[0].before.len, 0);
    ck_assert_ptr_nonnull(strchr(seen.before[1], '1'));
    ck_assert_ptr_nonnull(strchr(seen.before[2], '2'));
    ck_assert_int_eq(state->backend->changes(state->backend->context, 0, 0, check_first, NULL),
                     CU_OK);
}

STATE_TEST(rows_of_one_entry_are_numbered_and_the_walk_goes_on_behind_any)
{
    struct seen seen;
    const struct kv ops[] = {{.key = "a"}, {.key = "b"}, {.key = "c"}};
    (void)state_txn(state, ops, 3);
    uint64_t index = state_index(state);
    state_set(state, "d", "1");
    changes_after(state, index, 0, &seen);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert(seen.rows[0].number == 1 && seen.rows[1].number == 2);
    ck_assert(seen.rows[2].number == 0 && seen.rows[2].index == index + 1);
    changes_after(state, index, UINT32_MAX, &seen);
    ck_assert_uint_eq(seen.count, 1);
}

static char large[CATALOG_INLINE_VALUE_MAX + 1024];

static void set_large(struct state *state, const char *key, size_t len, char fill)
{
    memset(large, fill, sizeof large);
    (void)state_kv(state, &(struct kv){.key = key, .value = large, .value_len = len});
}

STATE_TEST(a_value_over_4_kib_lies_once_by_its_hash)
{
    struct seen seen;
    enum { ROW_HEAD = 3 }; /* tag and length of the value in its row */
    set_large(state, "fits", CATALOG_INLINE_VALUE_MAX - ROW_HEAD, 'x');
    set_large(state, "a", CATALOG_INLINE_VALUE_MAX - ROW_HEAD + 1, 'x');
    set_large(state, "b", CATALOG_INLINE_VALUE_MAX - ROW_HEAD + 1, 'x');
    uint64_t index = state_index(state);
    state_set(state, "fits", "");
    state_set(state, "a", "");
    state_set(state, "b", "");
    changes_after(state, index, UINT32_MAX, &seen);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert(!seen.rows[0].before_by_hash);
    ck_assert_uint_eq(seen.rows[0].before.len, CATALOG_INLINE_VALUE_MAX);
    ck_assert(seen.rows[1].before_by_hash && seen.rows[2].before_by_hash);
    ck_assert(seen.rows[1].before_hash.lo == seen.rows[2].before_hash.lo);
    ck_assert_uint_eq(seen.rows[1].before.len, 0);
    ck_assert_uint_eq(state->store->bookmark.value_bytes, CATALOG_INLINE_VALUE_MAX + 1);
    struct cu_bytes value;
    ck_assert_int_eq(state->backend->value_get(state->backend->context, seen.rows[1].before_hash,
                                               state->arena, &value),
                     CU_OK);
    ck_assert_uint_eq(value.len, CATALOG_INLINE_VALUE_MAX + 1);
}

static bool sum_values(void *arg, struct cu_u128 hash, uint64_t index, struct cu_bytes value)
{
    struct {
        uint64_t bytes, last;
    } *sum = arg;
    const struct cu_bytes part = value;
    ck_assert(cu_blake2b_128(&part, 1).lo == hash.lo);
    ck_assert_uint_ge(index, sum->last);
    sum->last = index;
    sum->bytes += value.len;
    return true;
}

STATE_TEST(old_values_are_bounded_and_the_oldest_goes_first)
{
    enum { VALUE = 1024 * 1024 };
    static char value[VALUE];
    int rounds = CATALOG_CHANGE_VALUES_BYTES_MAX / VALUE + 5;
    for (int i = 0; i < rounds; i++) {
        (void)snprintf(value, sizeof value, "%d", i);
        (void)state_kv(state, &(struct kv){.key = "k", .value = value, .value_len = VALUE});
        cu_arena_reset(state->arena);
    }
    struct {
        uint64_t bytes, last;
    } sum = {0, 0};
    ck_assert_int_eq(state->backend->values(state->backend->context, sum_values, &sum), CU_OK);
    ck_assert_uint_eq(sum.bytes, state->store->bookmark.value_bytes);
    ck_assert_uint_le(sum.bytes, CATALOG_CHANGE_VALUES_BYTES_MAX);
    ck_assert_uint_gt(sum.bytes, CATALOG_CHANGE_VALUES_BYTES_MAX - 2 * VALUE);
    struct seen seen;
    struct cu_bytes kept;
    changes_after(state, 0, 0, &seen);
    ck_assert_int_eq(state->backend->value_get(state->backend->context, seen.rows[1].before_hash,
                                               state->arena, &kept),
                     CU_E_NOT_FOUND);
    ck_assert_int_eq(state->backend->value_get(state->backend->context,
                                               seen.rows[seen.count - 1].before_hash, state->arena,
                                               &kept),
                     CU_OK);
}

static void noop(struct state *state)
{
    Curia__Internal__V1__Entry entry = CURIA__INTERNAL__V1__ENTRY__INIT;
    struct catalog_outcome outcome;
    entry.kind = 2;
    ck_assert_int_eq(state_entry(state, entry, &outcome), CU_OK);
}

/* Entries without a change until trimming has had its turn. */
static void idle(struct state *state)
{
    do
        noop(state);
    while (catalog_store_position(state->store).index % CATALOG_TRIM_EVERY != 0);
}

static void keep(struct state *state, struct catalog_retention kept)
{
    Curia__Internal__V1__RetentionRow row = CURIA__INTERNAL__V1__RETENTION_ROW__INIT;
    uint8_t packed[64];
    noop(state); /* an index of its own */
    catalog_store_begin(state->store, catalog_store_position(state->store).index,
                        &(struct catalog_cause){.actor = "tester"});
    row.max_age_ms = kept.max_age_ms;
    row.max_rows = kept.max_rows;
    row.max_bytes = kept.max_bytes;
    struct cu_bytes value = {packed, curia__internal__v1__retention_row__pack(&row, packed)};
    ck_assert_int_eq(store_put(state->store, CATALOG_SETTINGS,
                               catalog_key_of(state->arena, cu_bytes_of(CATALOG_SETTING_RETENTION)),
                               value, NULL),
                     CU_OK);
}

static void fill(struct state *state, int rows)
{
    char key[16];
    for (int i = 0; i < rows; i++) {
        (void)snprintf(key, sizeof key, "f%05d", i);
        state_set(state, key, "v");
    }
}

STATE_TEST(rows_beyond_the_retention_go_oldest_first_by_count)
{
    keep(state, (struct catalog_retention){.max_rows = 100});
    fill(state, 300);
    idle(state);
    ck_assert_uint_eq(count(state), 100);
    ck_assert_uint_eq(state->store->bookmark.change_rows, 100);
    struct seen seen;
    changes_after(state, 0, 0, &seen);
    ck_assert_uint_eq(seen.rows[0].index, state->store->bookmark.trimmed_index + 1);
    state_reopen(state);
    keep(state, (struct catalog_retention){.max_rows = 7});
    idle(state);
    ck_assert_uint_eq(count(state), 7);
}

STATE_TEST(rows_beyond_the_retention_go_by_bytes)
{
    fill(state, 100);
    uint64_t bytes = state->store->bookmark.change_bytes;
    keep(state, (struct catalog_retention){.max_bytes = bytes / 2});
    idle(state);
    ck_assert_uint_le(state->store->bookmark.change_bytes, bytes / 2);
    ck_assert_uint_gt(count(state), 40);
    uint64_t sum = 0;
    struct seen seen;
    changes_after(state, 0, 0, &seen);
    for (size_t i = 0; i < seen.count; i++)
        sum += seen.rows[i].size_bytes;
    ck_assert_uint_eq(sum, state->store->bookmark.change_bytes);
}

STATE_TEST(rows_beyond_the_retention_go_by_lease_time_and_old_values_with_them)
{
    keep(state, (struct catalog_retention){.max_age_ms = 10000});
    set_large(state, "k", sizeof large, 'x');
    state_set(state, "k", "");
    fill(state, 50);
    state->lease_ms += 10000;
    idle(state);
    ck_assert_uint_gt(count(state), 50);
    state_set(state, "young", "1");
    state->lease_ms += 1;
    idle(state);
    ck_assert_uint_eq(count(state), 1);
    ck_assert_uint_eq(state->store->bookmark.value_bytes, 0);
    state->lease_ms += 10001;
    idle(state);
    ck_assert_uint_eq(count(state), 0);
    state_set(state, "more", "1");
    idle(state);
    ck_assert_uint_eq(count(state), 1);
}

STATE_TEST(an_old_value_stays_while_a_row_needs_it)
{
    keep(state, (struct catalog_retention){.max_rows = 3});
    set_large(state, "a", sizeof large, 'x');
    state_set(state, "a", "");
    set_large(state, "b", sizeof large, 'x');
    state_set(state, "b", "");
    fill(state, 2); /* so of the two rows that need it one is kept */
    idle(state);
    ck_assert_uint_eq(count(state), 3);
    struct seen seen;
    struct cu_bytes value;
    changes_after(state, 0, 0, &seen);
    ck_assert(seen.rows[0].before_by_hash);
    ck_assert_int_eq(state->backend->value_get(state->backend->context, seen.rows[0].before_hash,
                                               state->arena, &value),
                     CU_OK);
    fill(state, 0);
    state_set(state, "c", "");
    idle(state);
    ck_assert_int_eq(state->backend->value_get(state->backend->context, seen.rows[0].before_hash,
                                               state->arena, &value),
                     CU_E_NOT_FOUND);
}

STATE_TEST(one_entry_trims_at_most_4096_rows)
{
    fill(state, 5000);
    keep(state, (struct catalog_retention){.max_rows = 1});
    uint64_t before = count(state);
    idle(state);
    ck_assert_uint_eq(count(state), before - CATALOG_TRIM_ROWS_MAX);
    idle(state);
    ck_assert_uint_eq(count(state), 1);
}

START_TEST(without_a_row_72_hours_a_million_rows_and_256_mib_are_kept)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct catalog_retention kept = catalog_retention_of(arena, (struct cu_bytes){NULL, 0});
    ck_assert_uint_eq(kept.max_age_ms, 259200000);
    ck_assert_uint_eq(kept.max_rows, 1000000);
    ck_assert_uint_eq(kept.max_bytes, 268435456);
    kept = catalog_retention_of(arena, cu_bytes_of("\xff"));
    ck_assert_uint_eq(kept.max_rows, 1000000);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("catalogd/core/change", a_row_says_what_was_before_who_and_why_contracts_6_2,
           rows_of_one_entry_are_numbered_and_the_walk_goes_on_behind_any,
           a_value_over_4_kib_lies_once_by_its_hash,
           old_values_are_bounded_and_the_oldest_goes_first,
           rows_beyond_the_retention_go_oldest_first_by_count,
           rows_beyond_the_retention_go_by_bytes,
           rows_beyond_the_retention_go_by_lease_time_and_old_values_with_them,
           an_old_value_stays_while_a_row_needs_it, one_entry_trims_at_most_4096_rows,
           without_a_row_72_hours_a_million_rows_and_256_mib_are_kept)
