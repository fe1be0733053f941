#include "services/catalogd/core/kv.h"

#include <stdio.h>
#include <string.h>

#include "services/catalogd/core/key.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

static bool applied(struct state *state, const struct kv *kv)
{
    return state_kv(state, kv)->applied;
}

static void check_value(const Curia__V1__KvPair *pair, const char *want)
{
    ck_assert_ptr_nonnull(pair);
    ck_assert_uint_eq(pair->value.len, strlen(want));
    if (pair->value.len)
        ck_assert_int_eq(memcmp(pair->value.data, want, pair->value.len), 0);
}

/* A row as it would be held by a session, which no verb of this build can make. */
static void hold(struct state *state, const char *key, const char *session, uint64_t lock_index)
{
    Curia__Internal__V1__KvRow row = CURIA__INTERNAL__V1__KV_ROW__INIT;
    uint8_t packed[256];
    row.value = (ProtobufCBinaryData){3, (uint8_t *)(uintptr_t) "old"};
    row.flags = 5;
    row.lock_index = lock_index;
    row.session = (char *)(uintptr_t)session;
    struct cu_bytes value = {packed, curia__internal__v1__kv_row__pack(&row, packed)};
    ck_assert_int_eq(store_put(state->store, CATALOG_KV,
                               catalog_key_of(state->arena, cu_bytes_of(key)), value, NULL),
                     CU_OK);
}

STATE_TEST(http_65_a_set_shows_value_flags_and_indexes)
{
    ck_assert(applied(state, &(struct kv){.key = "a/b", .value = "hello", .flags = 42}));
    uint64_t created = state_index(state);
    const Curia__V1__KvPair *pair = state_get(state, "a/b");
    check_value(pair, "hello");
    ck_assert(pair->flags == 42 && pair->lock_index == 0 && pair->session[0] == '\0');
    ck_assert(pair->create_index == created && pair->modify_index == created);

    state_set(state, "a/b", "again");
    pair = state_get(state, "a/b");
    check_value(pair, "again");
    ck_assert(pair->flags == 0); /* a write writes both */
    ck_assert(pair->create_index == created && pair->modify_index == created + 1);
    state_set(state, "a/b", "");
    ck_assert_uint_eq(state_get(state, "a/b")->value.len, 0);
}

STATE_TEST(http_73_cas_0_wants_absence_and_others_the_modify_index)
{
    struct kv kv = {.verb = CATALOG_KV_CAS, .key = "k", .value = "1", .index = 7};
    ck_assert(!applied(state, &kv)); /* missing, index not 0 */
    kv.index = 0;
    ck_assert(applied(state, &kv));
    uint64_t index = state_index(state);
    ck_assert(!applied(state, &kv));
    kv.value = "2";
    kv.index = index + 1;
    ck_assert(!applied(state, &kv));
    check_value(state_get(state, "k"), "1");
    kv.index = index;
    ck_assert(applied(state, &kv));
    check_value(state_get(state, "k"), "2");
    ck_assert_uint_eq(state_get(state, "k")->create_index, index);
}

STATE_TEST(http_77_78_deletes_of_a_missing_key_succeed_and_a_stale_one_keeps_it)
{
    ck_assert(applied(state, &(struct kv){.verb = CATALOG_KV_DELETE_CAS, .key = "k", .index = 5}));
    ck_assert(applied(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = "k"}));
    ck_assert_uint_eq(catalog_store_table_index(state->store, CATALOG_TOMBSTONES), 0);
    state_set(state, "k", "v");
    uint64_t index = state_index(state);
    ck_assert(!applied(
        state, &(struct kv){.verb = CATALOG_KV_DELETE_CAS, .key = "k", .index = index + 1}));
    check_value(state_get(state, "k"), "v");
    ck_assert(
        applied(state, &(struct kv){.verb = CATALOG_KV_DELETE_CAS, .key = "k", .index = index}));
    ck_assert_ptr_null(state_get(state, "k"));
    state_set(state, "k", "v");
    ck_assert(applied(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = "k"}));
    ck_assert_ptr_null(state_get(state, "k"));
}

STATE_TEST(http_79_a_recursive_delete_takes_what_begins_with_it)
{
    static const char *const keys[] = {"p", "p/1", "p/2/3", "q", "o"};
    for (size_t i = 0; i < 5; i++)
        state_set(state, keys[i], "v");
    ck_assert(applied(state, &(struct kv){.verb = CATALOG_KV_DELETE_TREE, .key = "p"}));
    for (size_t i = 0; i < 3; i++)
        ck_assert_ptr_null(state_get(state, keys[i]));
    check_value(state_get(state, "q"), "v");
    check_value(state_get(state, "o"), "v");
    uint64_t before = catalog_store_table_index(state->store, CATALOG_KV);
    ck_assert(applied(state, &(struct kv){.verb = CATALOG_KV_DELETE_TREE, .key = "p"}));
    ck_assert_uint_eq(catalog_store_table_index(state->store, CATALOG_KV), before);
}

STATE_TEST(a_recursive_delete_of_thousands_leaves_one_tombstone_and_one_wake)
{
    char key[32];
    for (int i = 0; i < 1300; i++) {
        (void)snprintf(key, sizeof key, "many/%04d", i);
        state_set(state, key, "v");
    }
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    catalog_wakes_deinit(&wakes);
    ck_assert(applied(state, &(struct kv){.verb = CATALOG_KV_DELETE_TREE, .key = "many/"}));
    wakes = catalog_store_take_wakes(state->store);
    ck_assert_uint_eq(wakes.count, 1);
    ck_assert(wakes.items[0].is_prefix && wakes.items[0].table == CATALOG_KV);
    ck_assert_uint_eq(wakes.items[0].index, state_index(state));
    catalog_wakes_deinit(&wakes);
    ck_assert_ptr_null(state_get(state, "many/0000"));
    ck_assert_ptr_null(state_get(state, "many/1299"));
    ck_assert_uint_eq(state_index_of(state, "many/zzz"), state_index(state)); /* covered */
}

STATE_TEST(http_82_an_identical_write_changes_nothing)
{
    ck_assert(applied(state, &(struct kv){.key = "k", .value = "v", .flags = 1}));
    uint64_t index = state_index(state);
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    ck_assert_uint_eq(wakes.count, 1);
    catalog_wakes_deinit(&wakes);
    struct cu_u128 hash = catalog_store_hash(state->store);
    ck_assert(applied(state, &(struct kv){.key = "k", .value = "v", .flags = 1}));
    ck_assert_uint_eq(state_get(state, "k")->modify_index, index);
    ck_assert_uint_eq(catalog_store_table_index(state->store, CATALOG_KV), index);
    ck_assert(catalog_store_hash(state->store).lo == hash.lo);
    wakes = catalog_store_take_wakes(state->store);
    ck_assert_uint_eq(wakes.count, 0);
    catalog_wakes_deinit(&wakes);
    ck_assert(applied(state, &(struct kv){.key = "k", .value = "v", .flags = 2}));
    ck_assert_uint_gt(state_get(state, "k")->modify_index, index);
}

STATE_TEST(http_86_a_plain_write_keeps_the_holder_and_resets_the_lock_index)
{
    hold(state, "k", "holder", 3);
    state_set(state, "k", "new");
    const Curia__V1__KvPair *pair = state_get(state, "k");
    ck_assert_str_eq(pair->session, "holder");
    ck_assert_uint_eq(pair->lock_index, 0);
    hold(state, "c", "holder", 3);
    uint64_t index = state_get(state, "c")->modify_index;
    ck_assert(applied(state, &(struct kv){.verb = CATALOG_KV_CAS, .key = "c", .index = index}));
    ck_assert_str_eq(state_get(state, "c")->session, "holder");
}

STATE_TEST(http_87_88_a_release_is_the_holders_and_writes_value_and_flags)
{
    struct kv kv = {.verb = CATALOG_KV_UNLOCK, .key = "k", .session = "holder", .flags = 9};
    ck_assert(!applied(state, &kv)); /* missing */
    hold(state, "k", "holder", 3);
    kv.session = "other";
    ck_assert(!applied(state, &kv));
    kv.session = "holder";
    ck_assert(applied(state, &kv));
    const Curia__V1__KvPair *pair = state_get(state, "k");
    ck_assert_str_eq(pair->session, "");
    ck_assert(pair->lock_index == 3 && pair->flags == 9 && pair->value.len == 0);
    state_set(state, "free", "v");
    kv.key = "free";
    ck_assert(!applied(state, &kv));
}

STATE_TEST(http_89_acquire_is_refused_with_the_references_sentences)
{
    /* clang-format off */
    static const struct { const char *session, *want; } cases[] = {
        {"", "missing session"},
        {"nosuch", "failed session lookup: index error: UUID must be 36 characters"},
        {"6d1d5b0c-4b9b-4b43-9f3c-0123456789ab",
         "invalid session \"6d1d5b0c-4b9b-4b43-9f3c-0123456789ab\""},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Curia__Internal__V1__CommandResult *result = state_kv(
            state, &(struct kv){.verb = CATALOG_KV_LOCK, .key = "k", .session = cases[i].session});
        ck_assert(!result->applied);
        ck_assert_uint_eq(result->error, CU_E_INVALID);
        ck_assert_str_eq(result->text, cases[i].want);
    }
    ck_assert_ptr_null(state_get(state, "k"));
    ck_assert_str_eq(state_kv(state, &(struct kv){.verb = CATALOG_KV_UNLOCK, .key = "k"})->text,
                     "missing session");
}

STATE_TEST(what_belongs_to_no_single_write_is_refused_and_changes_nothing)
{
    for (unsigned verb = CATALOG_KV_GET; verb < CATALOG_KV_VERB_COUNT + 3; verb++) {
        const Curia__Internal__V1__CommandResult *result =
            state_kv(state, &(struct kv){.verb = (enum catalog_kv_verb)verb, .key = "k"});
        ck_assert_uint_eq(result->error, CU_E_INVALID);
    }
    ck_assert_str_eq(state_kv(state, &(struct kv){.key = "", .value = "v"})->text,
                     "Must provide key");
    ck_assert_uint_eq(catalog_store_table_index(state->store, CATALOG_KV), 0);
}

static void reap(struct state *state, uint64_t before_lease_ms)
{
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__ReapTombstones body = CURIA__INTERNAL__V1__REAP_TOMBSTONES__INIT;
    body.before_lease_ms = before_lease_ms;
    command.reap_tombstones = &body;
    ck_assert(state_command(state, &command).result->applied);
}

STATE_TEST(reaping_keeps_the_highest_index_and_wakes_nobody_http_3_7)
{
    char key[16];
    for (int i = 0; i < 600; i++) {
        (void)snprintf(key, sizeof key, "k%03d", i);
        state_set(state, key, "v");
        ck_assert(applied(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = key}));
    }
    uint64_t highest = state_index(state);
    state->lease_ms = 5000;
    state_set(state, "late", "v");
    ck_assert(applied(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = "late"}));
    uint64_t late = state_index(state);
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    catalog_wakes_deinit(&wakes);

    reap(state, 1000); /* none is older */
    ck_assert_uint_eq(catalog_store_reaped_index(state->store), 0);
    reap(state, 5000);
    ck_assert_uint_eq(catalog_store_reaped_index(state->store), highest);
    wakes = catalog_store_take_wakes(state->store);
    ck_assert_uint_eq(wakes.count, 0);
    catalog_wakes_deinit(&wakes);
    ck_assert_uint_eq(state_index_of(state, "k000"), highest);
    ck_assert_uint_eq(state_index_of(state, "late"), late);
    struct cu_u128 sum = state_sum(state), hash = catalog_store_hash(state->store);
    ck_assert(sum.lo == hash.lo && sum.hi == hash.hi);
    state_reopen(state);
    ck_assert_uint_eq(catalog_store_reaped_index(state->store), highest);
}

SUITE_MAIN("catalogd/core/kv", http_65_a_set_shows_value_flags_and_indexes,
           http_73_cas_0_wants_absence_and_others_the_modify_index,
           http_77_78_deletes_of_a_missing_key_succeed_and_a_stale_one_keeps_it,
           http_79_a_recursive_delete_takes_what_begins_with_it,
           a_recursive_delete_of_thousands_leaves_one_tombstone_and_one_wake,
           http_82_an_identical_write_changes_nothing,
           http_86_a_plain_write_keeps_the_holder_and_resets_the_lock_index,
           http_87_88_a_release_is_the_holders_and_writes_value_and_flags,
           http_89_acquire_is_refused_with_the_references_sentences,
           what_belongs_to_no_single_write_is_refused_and_changes_nothing,
           reaping_keeps_the_highest_index_and_wakes_nobody_http_3_7)
