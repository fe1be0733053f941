#include "services/catalogd/core/verify.h"

#include <stdio.h>

#include "services/catalogd/core/key.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

static bool always(void *arg)
{
    return true;
}

static bool never(void *arg)
{
    return false;
}

static struct catalog_verification verify(const struct state *state)
{
    struct catalog_verification found;
    ck_assert_int_eq(catalog_verify(state->backend, always, NULL, &found), CU_OK);
    return found;
}

/* On the disk, as after a commit. */
static void fill(struct state *state, unsigned keys)
{
    for (unsigned i = 0; i < keys; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "k/%04u", i);
        state_set(state, key, "value");
    }
    (void)state_kv(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = "k/0001"});
    state_reopen(state);
}

static struct catalog_row row_of(struct state *state, const char *key)
{
    struct catalog_row row;
    struct cu_bytes name = catalog_key_of(state->arena, cu_bytes_of(key));
    ck_assert_int_eq(
        state->backend->get(state->backend->context, CATALOG_KV, name, state->arena, &row), CU_OK);
    return row;
}

STATE_TEST(a_state_as_applied_is_good)
{
    fill(state, 20);
    struct catalog_verification found = verify(state);
    ck_assert(catalog_verification_is_good(&found));
    ck_assert_uint_eq(found.rows, 20); /* one key less, one tombstone more */
    ck_assert_uint_eq(found.position.index, catalog_store_position(state->store).index);
}

STATE_TEST(a_row_that_is_not_what_its_hash_says_is_found)
{
    fill(state, 20);
    struct catalog_row row = row_of(state, "k/0007");
    row.value = cu_bytes_of("something else");
    ck_assert_int_eq(state->backend->put(state->backend->context, CATALOG_KV, &row), CU_OK);
    struct catalog_verification found = verify(state);
    ck_assert(!catalog_verification_is_good(&found));
    ck_assert_uint_eq(found.wrong_rows, 1);
    ck_assert_int_eq(found.wrong_table, CATALOG_KV);
}

STATE_TEST(a_row_that_is_missing_is_found_by_the_sum)
{
    fill(state, 20);
    struct catalog_row row = row_of(state, "k/0007");
    ck_assert_int_eq(state->backend->del(state->backend->context, CATALOG_KV, row.key), CU_OK);
    struct catalog_verification found = verify(state);
    ck_assert(!catalog_verification_is_good(&found));
    ck_assert_uint_eq(found.wrong_rows, 0);
    ck_assert(!found.adds_up);
}

STATE_TEST(ends_when_it_is_asked_to)
{
    fill(state, 1100);
    struct catalog_verification found;
    ck_assert_int_eq(catalog_verify(state->backend, never, NULL, &found), CU_E_NOT_READY);
}

SUITE_MAIN("services/catalogd/core/verify", a_state_as_applied_is_good,
           a_row_that_is_not_what_its_hash_says_is_found, a_row_that_is_missing_is_found_by_the_sum,
           ends_when_it_is_asked_to)
