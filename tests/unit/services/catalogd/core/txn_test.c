#include "services/catalogd/core/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

typedef Curia__Internal__V1__CommandResult command_result;

static void check_failure(const command_result *result, size_t at, uint32_t op_index,
                          const char *what)
{
    ck_assert_uint_lt(at, result->n_failures);
    ck_assert_uint_eq(result->failures[at]->op_index, op_index);
    ck_assert_str_eq(result->failures[at]->what, what);
}

STATE_TEST(http_111_later_operations_see_earlier_ones_at_one_index)
{
    const struct kv ops[] = {
        {.verb = CATALOG_KV_SET, .key = "k", .value = "v", .flags = 3},
        {.verb = CATALOG_KV_GET, .key = "k"},
        {.verb = CATALOG_KV_DELETE, .key = "k"},
        {.verb = CATALOG_KV_CHECK_NOT_EXISTS, .key = "k"},
    };
    const command_result *result = state_txn(state, ops, CU_COUNT(ops));
    ck_assert(result->applied);
    ck_assert_uint_eq(result->n_results, 2);
    ck_assert(!result->results[0]->with_value && result->results[1]->with_value);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(result->results[i]->create_index, state_index(state));
        ck_assert_uint_eq(result->results[i]->modify_index, state_index(state));
        Curia__Internal__V1__KvRow *row = curia__internal__v1__kv_row__unpack(
            NULL, result->results[i]->row.len, result->results[i]->row.data);
        ck_assert_ptr_nonnull(row);
        ck_assert_uint_eq(row->flags, 3);
        ck_assert_uint_eq(row->value.len, i); /* of the set: none */
        curia__internal__v1__kv_row__free_unpacked(row, NULL);
        ck_assert_int_eq(memcmp(result->results[i]->key.data, "k", 1), 0);
    }
    ck_assert_ptr_null(state_get(state, "k"));
}

STATE_TEST(http_112_113_all_failures_are_listed_and_nothing_is_applied)
{
    state_set(state, "t1", "1");
    state_set(state, "keep", "1");
    uint64_t index = state_index(state);
    struct cu_u128 hash = catalog_store_hash(state->store);
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    catalog_wakes_deinit(&wakes);
    const struct kv ops[] = {
        {.verb = CATALOG_KV_SET, .key = "new", .value = "v"},
        {.verb = CATALOG_KV_CHECK_INDEX, .key = "t1", .index = 1},
        {.verb = CATALOG_KV_CAS, .key = "t1", .index = 1},
        {.verb = CATALOG_KV_DELETE_TREE, .key = ""},
        {.verb = CATALOG_KV_DELETE_CAS, .key = "t1", .index = 1}, /* gone by now: succeeds */
        {.verb = CATALOG_KV_GET, .key = "keep"},
        {.verb = CATALOG_KV_UNLOCK, .key = "new", .session = "s"},
        {.verb = CATALOG_KV_LOCK, .key = "new", .session = "s"},
        {.verb = CATALOG_KV_SET, .key = "k", .unknown_verb = "bogus"},
    };
    const command_result *result = state_txn(state, ops, CU_COUNT(ops));
    ck_assert(!result->applied);
    ck_assert_uint_eq(result->n_results, 0);
    ck_assert_uint_eq(result->n_failures, 6);
    check_failure(result, 0, 1,
                  cu_arena_printf(state->arena,
                                  "failed index check for key \"t1\", current modify index %d != 1",
                                  (int)index - 1));
    check_failure(result, 1, 2, "failed to set key \"t1\", index is stale");
    check_failure(result, 2, 5, "key \"keep\" doesn't exist");
    check_failure(result, 3, 6,
                  "failed to unlock key \"new\", lock isn't held, or is held by another session");
    check_failure(result, 4, 7, "failed session lookup: index error: UUID must be 36 characters");
    check_failure(result, 5, 8, "unknown KV verb \"bogus\"");

    ck_assert_ptr_null(state_get(state, "new"));
    ck_assert_ptr_nonnull(state_get(state, "keep"));
    ck_assert_uint_eq(catalog_store_table_index(state->store, CATALOG_KV), index);
    ck_assert_uint_eq(catalog_store_reaped_index(state->store), 0);
    struct cu_u128 now = catalog_store_hash(state->store), sum = state_sum(state);
    ck_assert(now.lo == hash.lo && now.hi == hash.hi && sum.lo == now.lo);
    wakes = catalog_store_take_wakes(state->store);
    ck_assert_uint_eq(wakes.count, 0);
    catalog_wakes_deinit(&wakes);
}

STATE_TEST(a_stale_delete_cas_fails)
{
    state_set(state, "k", "1");
    const struct kv op = {.verb = CATALOG_KV_DELETE_CAS, .key = "k", .index = 1};
    check_failure(state_txn(state, &op, 1), 0, 0, "failed to delete key \"k\", index is stale");
}

STATE_TEST(prechecks_alone_are_reported_when_any_fails)
{
    const struct kv ops[] = {
        {.verb = CATALOG_KV_GET, .key = "nosuch"},
        {.verb = CATALOG_KV_SET, .key = ""},
        {.verb = CATALOG_KV_DELETE_TREE, .key = ""},
        {.verb = CATALOG_KV_GET_TREE, .key = ""},
    };
    const command_result *result = state_txn(state, ops, CU_COUNT(ops));
    ck_assert_uint_eq(result->n_failures, 2);
    check_failure(result, 0, 1, "Must provide key");
    check_failure(result, 1, 3, "Must provide key");
}

STATE_TEST(http_114_64_operations_apply_and_65_do_not)
{
    struct kv ops[CATALOG_TXN_OPS_MAX + 1];
    char keys[CATALOG_TXN_OPS_MAX + 1][8];
    for (size_t i = 0; i < CU_COUNT(ops); i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%02zu", i);
        ops[i] = (struct kv){.key = keys[i], .value = "v"};
    }
    const command_result *result = state_txn(state, ops, CATALOG_TXN_OPS_MAX + 1);
    ck_assert_uint_eq(result->error, CU_E_TOO_LARGE);
    ck_assert_ptr_null(state_get(state, "k00"));
    result = state_txn(state, ops, CATALOG_TXN_OPS_MAX);
    ck_assert(result->applied);
    ck_assert_uint_eq(result->n_results, CATALOG_TXN_OPS_MAX);
    ck_assert_ptr_nonnull(state_get(state, "k63"));
    ck_assert(state_txn(state, NULL, 0)->applied);
}

/* A transaction that gives back `bytes`, counted as txn.h counts. */
static const command_result *give_back(struct state *state, size_t bytes)
{
    enum { CHUNK = 512 * 1024 };
    static char value[CHUNK];
    struct kv ops[CATALOG_TXN_OPS_MAX] = {{.verb = CATALOG_KV_DELETE_TREE, .key = "r/"}};
    static char keys[CATALOG_TXN_OPS_MAX][8];
    size_t count = 1, per_get = 0;
    (void)state_kv(state, &ops[0]); /* whether there was something does not matter */
    memset(value, 'v', sizeof value);
    for (size_t left = bytes; left > 0; left -= per_get, count++) {
        (void)snprintf(keys[count], sizeof keys[count], "r/%03zu", count);
        /* tag and length of the value in its row: 4 bytes; key: 5 */
        size_t overhead = CATALOG_TXN_RESULT_OVERHEAD_BYTES + 5 + 4;
        per_get = left < CHUNK + overhead ? left : CHUNK;
        if (left - per_get > 0 && left - per_get < 20000)
            per_get = left / 2; /* the last one has a 3-byte length as well */
        (void)state_kv(
            state,
            &(struct kv){.key = keys[count], .value = value, .value_len = per_get - overhead});
        ops[count] = (struct kv){.verb = CATALOG_KV_GET, .key = keys[count]};
    }
    ops[0] = (struct kv){.verb = CATALOG_KV_DELETE, .key = "none"}; /* makes it a write */
    return state_txn(state, ops, count);
}

STATE_TEST(gives_back_up_to_8_mib_and_fails_at_one_byte_more)
{
    const command_result *result = give_back(state, CATALOG_TXN_RESULT_BYTES_MAX);
    ck_assert(result->applied);
    result = give_back(state, CATALOG_TXN_RESULT_BYTES_MAX + 1);
    ck_assert(!result->applied);
    ck_assert_uint_eq(result->n_failures, 1);
    ck_assert_str_eq(result->failures[0]->what,
                     "the results of the transaction are larger than 8388608 bytes");
}

STATE_TEST(what_is_decided_does_not_depend_on_the_memory_for_the_answer)
{
    const struct kv works[] = {{.key = "k", .value = "v"}, {.verb = CATALOG_KV_GET, .key = "k"}};
    const struct kv fails[] = {{.key = "x", .value = "v"}, {.verb = CATALOG_KV_GET, .key = "n"}};
    struct cu_arena *whole = state->arena;
    bool has_fitted = false;
    for (size_t limit = 0; !has_fitted; limit += 64) {
        state->arena = cu_arena_new(64 * 1024); /* takes the command, then only the answer */
        struct cu_arena *results = cu_arena_new(limit);
        Curia__Internal__V1__TxnCommand command = CURIA__INTERNAL__V1__TXN_COMMAND__INIT;
        Curia__Internal__V1__KvCommand bodies[2], *pointers[] = {&bodies[0], &bodies[1]};
        command.kv = pointers;
        command.n_kv = 2;
        for (int round = 0; round < 2; round++) {
            const struct kv *ops = round ? fails : works;
            for (int i = 0; i < 2; i++) {
                curia__internal__v1__kv_command__init(&bodies[i]);
                bodies[i].verb = (uint32_t)ops[i].verb;
                bodies[i].key = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t)ops[i].key};
                bodies[i].value =
                    (ProtobufCBinaryData){ops[i].value ? 1 : 0, (uint8_t *)(uintptr_t)ops[i].value};
            }
            const command_result *result = NULL;
            ck_assert_int_eq(catalog_txn_apply(state->store, &command, results, &result), CU_OK);
            ck_assert_ptr_nonnull(result);
            ck_assert_int_eq(result->applied, round == 0);
            has_fitted = round == 0 ? !result->error : has_fitted && !result->error;
            if (result->error)
                ck_assert_uint_eq(result->error, round ? CU_E_TOO_LARGE : CU_E_UNKNOWN);
        }
        ck_assert_ptr_nonnull(state_get(state, "k"));
        ck_assert_ptr_null(state_get(state, "x"));
        cu_arena_free(results);
        cu_arena_free(state->arena);
    }
    state->arena = whole;
}

SUITE_MAIN("catalogd/core/txn", http_111_later_operations_see_earlier_ones_at_one_index,
           http_112_113_all_failures_are_listed_and_nothing_is_applied, a_stale_delete_cas_fails,
           prechecks_alone_are_reported_when_any_fails, http_114_64_operations_apply_and_65_do_not,
           gives_back_up_to_8_mib_and_fails_at_one_byte_more,
           what_is_decided_does_not_depend_on_the_memory_for_the_answer)
