#include "services/catalogd/core/index.h"

#include <stdio.h>

#include "services/catalogd/core/store_state.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

static void begin(struct state *state, uint64_t raw_index)
{
    catalog_store_begin(state->store, raw_index, &(struct catalog_cause){.cause = "api"});
}

static size_t wakes_of(struct state *state)
{
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    size_t count = wakes.count;
    catalog_wakes_deinit(&wakes);
    return count;
}

static void raise_web(struct state *state)
{
    ck_assert_int_eq(catalog_index_raise(state->store, "service.", "Web"), CU_OK);
}

STATE_TEST(an_index_moves_once_an_entry_and_wakes_once)
{
    begin(state, 10);
    (void)wakes_of(state);
    raise_web(state);
    raise_web(state);
    ck_assert_uint_eq(wakes_of(state), 1);
    ck_assert_uint_eq(state_named_index(state, "service.", "web"), 10);
    begin(state, 11);
    raise_web(state);
    ck_assert_uint_eq(wakes_of(state), 1);
    ck_assert_uint_eq(state_named_index(state, "service.", "WEB"), 11);
}

STATE_TEST(an_index_that_goes_wakes_and_is_0)
{
    begin(state, 10);
    raise_web(state);
    ck_assert_uint_eq(state_named_index(state, "service.", "web"), 10);
    (void)wakes_of(state);
    begin(state, 11);
    ck_assert_int_eq(catalog_index_remove(state->store, "service.", "web"), CU_OK);
    ck_assert_int_eq(catalog_index_remove(state->store, "service.", "web"), CU_OK);
    ck_assert_uint_eq(wakes_of(state), 1);
    ck_assert_uint_eq(state_named_index(state, "service.", "web"), 0);
    /* One that came and went within a transaction is never written. */
    ck_assert_int_eq(catalog_index_raise(state->store, "service.", "short"), CU_OK);
    ck_assert_int_eq(catalog_index_remove(state->store, "service.", "short"), CU_OK);
    ck_assert_uint_eq(state_named_index(state, "service.", "short"), 0);
}

STATE_TEST(the_hash_counts_indexes_before_they_are_written)
{
    begin(state, 10);
    struct cu_u128 before = catalog_store_hash(state->store);
    raise_web(state);
    struct cu_u128 raised = catalog_store_hash(state->store);
    ck_assert(raised.lo != before.lo);
    struct cu_u128 sum = state_sum(state);
    ck_assert(raised.lo == sum.lo && raised.hi == sum.hi);
    begin(state, 11);
    raise_web(state);
    ck_assert(catalog_store_hash(state->store).lo != raised.lo);
    ck_assert_int_eq(catalog_index_remove(state->store, "service.", "web"), CU_OK);
    ck_assert(catalog_store_hash(state->store).lo == before.lo);
}

STATE_TEST(an_undo_takes_indexes_back)
{
    begin(state, 10);
    raise_web(state);
    struct cu_u128 before = catalog_store_hash(state->store);
    begin(state, 11);
    ck_assert_int_eq(catalog_store_mark(state->store), CU_OK);
    raise_web(state);
    ck_assert_int_eq(catalog_index_remove(state->store, "service.", "web"), CU_OK);
    ck_assert_int_eq(catalog_index_raise(state->store, "service.", "other"), CU_OK);
    ck_assert_int_eq(catalog_store_undo(state->store), CU_OK);
    struct cu_u128 after = catalog_store_hash(state->store);
    ck_assert(before.lo == after.lo && before.hi == after.hi);
    ck_assert_uint_eq(state_named_index(state, "service.", "web"), 10);
    ck_assert_uint_eq(state_named_index(state, "service.", "other"), 0);
    raise_web(state); /* undone is not raised: it moves again */
    ck_assert_uint_eq(state_named_index(state, "service.", "web"), 11);
}

STATE_TEST(what_is_kept_in_memory_is_bounded_and_nothing_is_lost)
{
    char name[16];
    begin(state, 10);
    for (int i = 0; i <= CATALOG_INDEXES_KEPT_MAX; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        ck_assert_int_eq(catalog_index_raise(state->store, "service.", name), CU_OK);
    }
    ck_assert_uint_eq(state->store->indexes.entries.count, CATALOG_INDEXES_KEPT_MAX + 1);
    ck_assert_uint_eq(state_named_index(state, "service.", name), 10);
    ck_assert_uint_eq(state->store->indexes.entries.count, 0);
    begin(state, 11);
    ck_assert_int_eq(catalog_index_remove(state->store, "service.", name), CU_OK);
    ck_assert_uint_eq(state_named_index(state, "service.", name), 0);
    ck_assert_uint_eq(state_named_index(state, "service.", "s0"), 10);
}

SUITE_MAIN("catalogd/core/index", an_index_moves_once_an_entry_and_wakes_once,
           an_index_that_goes_wakes_and_is_0, the_hash_counts_indexes_before_they_are_written,
           an_undo_takes_indexes_back, what_is_kept_in_memory_is_bounded_and_nothing_is_lost)
