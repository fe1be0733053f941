#include "services/catalogd/core/read.h"

#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

static void delete (struct state *state, const char *key)
{
    ck_assert(state_kv(state, &(struct kv){.verb = CATALOG_KV_DELETE, .key = key})->applied);
}

static void delete_tree(struct state *state, const char *prefix)
{
    ck_assert(
        state_kv(state, &(struct kv){.verb = CATALOG_KV_DELETE_TREE, .key = prefix})->applied);
}

static ProtobufCBinaryData data_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static Curia__V1__KvListReply list(struct state *state, const char *prefix, const char *separator,
                                   bool keys_only)
{
    struct catalog_view view = state_view(state);
    Curia__V1__KvListRequest request = CURIA__V1__KV_LIST_REQUEST__INIT;
    Curia__V1__KvListReply reply = CURIA__V1__KV_LIST_REPLY__INIT;
    uint64_t index;
    request.prefix = data_of(prefix);
    request.separator = data_of(separator);
    request.keys_only = keys_only;
    ck_assert_int_eq(catalog_kv_list(&view, &request, state->arena, &reply, &index), CU_OK);
    return reply;
}

/* The keys with a blank behind each. */
static const char *keys_of(struct state *state, const char *prefix, const char *separator)
{
    Curia__V1__KvListReply reply = list(state, prefix, separator, true);
    const char *text = "";
    for (size_t i = 0; i < reply.n_keys; i++)
        text = cu_arena_printf(state->arena, "%s%.*s ", text, (int)reply.keys[i].len,
                               (const char *)reply.keys[i].data);
    return text;
}

STATE_TEST(http_69_lists_by_prefix_in_byte_order)
{
    static const char *const keys[] = {"b", "a/z", "a", "a/\xff", "a/b/c", "aa"};
    for (size_t i = 0; i < CU_COUNT(keys); i++)
        state_set(state, keys[i], keys[i]);
    Curia__V1__KvListReply reply = list(state, "a", "", false);
    static const char *const want[] = {"a", "a/b/c", "a/z", "a/\xff", "aa"};
    ck_assert_uint_eq(reply.n_pairs, CU_COUNT(want));
    for (size_t i = 0; i < CU_COUNT(want); i++) {
        ck_assert_uint_eq(reply.pairs[i]->key.len, strlen(want[i]));
        ck_assert_int_eq(memcmp(reply.pairs[i]->key.data, want[i], strlen(want[i])), 0);
        ck_assert_int_eq(memcmp(reply.pairs[i]->value.data, want[i], strlen(want[i])), 0);
    }
    ck_assert_uint_eq(list(state, "zz", "", false).n_pairs, 0);
    ck_assert_uint_eq(list(state, "", "", false).n_pairs, CU_COUNT(keys));
}

STATE_TEST(http_71_keys_are_cut_behind_the_first_separator_after_the_prefix)
{
    static const char *const keys[] = {"a/b", "a/c", "a/d/e", "a/d/f", "x", "x/", "x--y--z"};
    for (size_t i = 0; i < CU_COUNT(keys); i++)
        state_set(state, keys[i], "");
    ck_assert_str_eq(keys_of(state, "", "/"), "a/ x x--y--z x/ ");
    ck_assert_str_eq(keys_of(state, "a/", "/"), "a/b a/c a/d/ ");
    ck_assert_str_eq(keys_of(state, "a", "/"), "a/ ");
    ck_assert_str_eq(keys_of(state, "x", "--"), "x x-- x/ ");
    ck_assert_str_eq(keys_of(state, "a/", ""), "a/b a/c a/d/e a/d/f ");
    ck_assert_str_eq(keys_of(state, "zz", "/"), "");
}

STATE_TEST(http_3_3_the_index_of_a_key_is_its_own)
{
    ck_assert_uint_eq(state_index_of(state, "none"), 1);
    state_set(state, "a", "1");
    uint64_t index = state_index(state);
    state_set(state, "b", "1");
    ck_assert_uint_eq(state_index_of(state, "a"), index);
    ck_assert_uint_eq(state_index_of(state, "none"), 1);
    delete (state, "a");
    index = state_index(state);
    state_set(state, "c", "1");
    ck_assert_uint_eq(state_index_of(state, "a"), index); /* its tombstone's */
    state_set(state, "a", "2");
    ck_assert_uint_eq(state_index_of(state, "a"), state_index(state));
}

STATE_TEST(http_3_7_a_prefix_tombstone_covers_all_under_it)
{
    state_set(state, "b", "1");
    state_set(state, "c", "1");
    delete_tree(state, "b");
    uint64_t index = state_index(state);
    state_set(state, "zzz", "1");
    ck_assert_uint_eq(state_list_index(state, "b"), index);
    ck_assert_uint_eq(state_list_index(state, "b/sub"), index);
    ck_assert_uint_eq(state_index_of(state, "b/sub/x"), index);
    ck_assert_uint_eq(state_index_of(state, "a"), 1);
    ck_assert_uint_eq(state_list_index(state, ""), state_index(state)); /* kvs */
}

STATE_TEST(a_delete_of_one_key_does_not_hide_that_of_its_prefix)
{
    state_set(state, "b", "1");
    state_set(state, "b/x", "1");
    delete_tree(state, "b");
    uint64_t covered = state_index(state);
    state_set(state, "b", "2");
    delete (state, "b");
    ck_assert_uint_eq(state_index_of(state, "b"), state_index(state));
    ck_assert_uint_eq(state_index_of(state, "b/x"), covered);
}

STATE_TEST(http_3_3_a_list_shows_the_newest_of_its_rows_and_tombstones)
{
    state_set(state, "l/a", "1");
    state_set(state, "l/b", "1");
    uint64_t rows = state_index(state);
    state_set(state, "other", "1");
    ck_assert_uint_eq(state_list_index(state, "l/"), rows);
    delete (state, "l/a");
    ck_assert_uint_eq(state_list_index(state, "l/"), state_index(state));
    ck_assert_uint_eq(state_list_index(state, "none"), 1);
}

STATE_TEST(deleting_everything_is_seen_by_who_read_a_key_or_a_prefix_before)
{
    state_set(state, "a/x", "1");
    state_set(state, "b", "1");
    uint64_t before = state_index(state);
    delete_tree(state, "");
    ck_assert_uint_gt(state_index(state), before);
    ck_assert_uint_eq(state_index_of(state, "b"), state_index(state));
    ck_assert_uint_eq(state_list_index(state, "a/"), state_index(state));
}

/* What http-api.md 3.3 and 3.7 say of a missing key, by looking at every tombstone ever. */
static uint64_t want_index(const char *key, const char *const *prefixes, const uint64_t *indexes,
                           size_t count)
{
    uint64_t want = 0;
    for (size_t i = 0; i < count; i++)
        if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0 && indexes[i] > want)
            want = indexes[i];
    return want ? want : 1;
}

static void random_text(struct cu_random *random, char *text, size_t least)
{
    size_t len = least + cu_random_below(random, 6);
    for (size_t i = 0; i < len; i++)
        text[i] = "ab/\xff"[cu_random_below(random, 4)];
    text[len] = '\0';
}

STATE_TEST(finds_every_covering_tombstone_over_random_prefixes)
{
    enum { PREFIXES = 120, QUESTIONS = 600 };
    static char texts[PREFIXES][16];
    const char *prefixes[PREFIXES];
    uint64_t indexes[PREFIXES];
    struct cu_random random = {suite_seed()};
    for (size_t i = 0; i < PREFIXES; i++) {
        random_text(&random, texts[i], 1);
        prefixes[i] = texts[i];
        state_set(state, prefixes[i], "v");
        delete_tree(state, prefixes[i]);
        indexes[i] = state_index(state);
    }
    for (int i = 0; i < QUESTIONS; i++) {
        char key[16];
        random_text(&random, key, 0);
        ck_assert_uint_eq(state_index_of(state, key), want_index(key, prefixes, indexes, PREFIXES));
    }
}

STATE_TEST(a_full_arena_is_too_large_and_not_a_short_answer)
{
    for (int i = 0; i < 100; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%02d", i);
        state_set(state, key, "0123456789");
    }
    struct catalog_view view = state_view(state);
    Curia__V1__KvListRequest request = CURIA__V1__KV_LIST_REQUEST__INIT;
    request.prefix = data_of("k");
    bool has_fitted = false;
    for (size_t limit = 0; !has_fitted; limit += 512) {
        struct cu_arena *arena = cu_arena_new(limit);
        Curia__V1__KvListReply reply = CURIA__V1__KV_LIST_REPLY__INIT;
        uint64_t index;
        request.keys_only = limit % 1024 != 0;
        enum cu_err err = catalog_kv_list(&view, &request, arena, &reply, &index);
        ck_assert(err == CU_OK || err == CU_E_TOO_LARGE);
        has_fitted = !err && !request.keys_only;
        if (!err)
            ck_assert_uint_eq(reply.n_keys + reply.n_pairs, 100);
        cu_arena_free(arena);
    }
}

static Curia__V1__KvOperation op(enum catalog_kv_verb verb, const char *key)
{
    Curia__V1__KvOperation operation = CURIA__V1__KV_OPERATION__INIT;
    operation.verb = (Curia__V1__KvVerb)verb;
    operation.key = data_of(key);
    return operation;
}

static Curia__V1__KvTxnReply read_txn(struct state *state, Curia__V1__KvOperation *ops,
                                      size_t count)
{
    struct catalog_view view = state_view(state);
    Curia__V1__KvTxnRequest request = CURIA__V1__KV_TXN_REQUEST__INIT;
    Curia__V1__KvTxnReply reply = CURIA__V1__KV_TXN_REPLY__INIT;
    Curia__V1__KvOperation *pointers[16];
    ck_assert_uint_le(count, 16);
    for (size_t i = 0; i < count; i++)
        pointers[i] = &ops[i];
    request.operations = pointers;
    request.n_operations = count;
    ck_assert(catalog_kv_txn_is_read_only(&request));
    ck_assert_int_eq(catalog_kv_txn_read(&view, &request, state->arena, &reply), CU_OK);
    return reply;
}

STATE_TEST(http_109_118_119_a_reading_transaction_gives_rows_in_order)
{
    state_set(state, "t/a", "1");
    state_set(state, "t/b", "2");
    Curia__V1__KvOperation ops[] = {
        op(CATALOG_KV_GET, "t/b"),           op(CATALOG_KV_GET_TREE, "t/"),
        op(CATALOG_KV_GET_TREE, "none"),     op(CATALOG_KV_CHECK_NOT_EXISTS, "none"),
        op(CATALOG_KV_CHECK_SESSION, "t/a"), op(CATALOG_KV_CHECK_INDEX, "t/a")};
    ops[5].index = state_get(state, "t/a")->modify_index;
    Curia__V1__KvTxnReply reply = read_txn(state, ops, CU_COUNT(ops));
    static const struct {
        const char *key;
        bool with_value;
    } want[] = {{"t/b", true}, {"t/a", true}, {"t/b", true}, {"t/a", false}, {"t/a", false}};
    ck_assert_uint_eq(reply.n_errors, 0);
    ck_assert_uint_eq(reply.n_results, CU_COUNT(want));
    ck_assert_uint_eq(reply.n_with_value, CU_COUNT(want));
    for (size_t i = 0; i < CU_COUNT(want); i++) {
        ck_assert_int_eq(memcmp(reply.results[i]->key.data, want[i].key, 3), 0);
        ck_assert_int_eq(reply.with_value[i], want[i].with_value);
        ck_assert_uint_eq(reply.results[i]->value.len, want[i].with_value);
    }
    ck_assert_uint_eq(read_txn(state, NULL, 0).n_results, 0);
}

STATE_TEST(http_113_117_every_failing_read_is_listed_with_the_references_sentence)
{
    state_set(state, "k", "1");
    Curia__V1__KvOperation ops[] = {
        op(CATALOG_KV_GET, "nosuch"),
        op(CATALOG_KV_CHECK_NOT_EXISTS, "k"),
        op(CATALOG_KV_GET, "k"),
        op(CATALOG_KV_CHECK_INDEX, "k"),
        op(CATALOG_KV_CHECK_INDEX, "zz"),
        op(CATALOG_KV_CHECK_SESSION, "k"),
        op(CATALOG_KV_CHECK_SESSION, "none"),
        op(CATALOG_KV_SET, "k"),
    };
    ops[3].index = 1;
    ops[5].session = (char *)(uintptr_t) "x";
    ops[7].unknown_verb = (char *)(uintptr_t) "bogus";
    const char *index_text = cu_arena_printf(
        state->arena, "failed index check for key \"k\", current modify index %d != 1",
        (int)state_get(state, "k")->modify_index);
    const struct {
        uint32_t at;
        const char *what;
    } want[] = {
        {0, "key \"nosuch\" doesn't exist"},
        {1, "key \"k\" exists"},
        {3, index_text},
        {4, "failed to check index, key \"zz\" doesn't exist"},
        {5, "failed session check for key \"k\", current session \"\" != \"x\""},
        {6, "failed to check session, key \"none\" doesn't exist"},
        {7, "unknown KV verb \"bogus\""},
    };
    Curia__V1__KvTxnReply reply = read_txn(state, ops, CU_COUNT(ops));
    ck_assert_uint_eq(reply.n_results, 0);
    ck_assert_uint_eq(reply.n_errors, CU_COUNT(want));
    for (size_t i = 0; i < CU_COUNT(want); i++) {
        ck_assert_uint_eq(reply.errors[i]->op_index, want[i].at);
        ck_assert_str_eq(reply.errors[i]->what, want[i].what);
    }
}

STATE_TEST(http_119_an_empty_key_is_refused_before_anything_else_is_looked_at)
{
    Curia__V1__KvOperation ops[] = {op(CATALOG_KV_GET, "nosuch"), op(CATALOG_KV_GET_TREE, "")};
    Curia__V1__KvTxnReply reply = read_txn(state, ops, CU_COUNT(ops));
    ck_assert_uint_eq(reply.n_errors, 1);
    ck_assert_uint_eq(reply.errors[0]->op_index, 1);
    ck_assert_str_eq(reply.errors[0]->what, "Must provide key");
}

START_TEST(a_transaction_with_one_write_is_not_read_only)
{
    Curia__V1__KvOperation get = op(CATALOG_KV_GET, "k"), del = op(CATALOG_KV_DELETE_TREE, "");
    Curia__V1__KvOperation *ops[] = {&get, &del};
    Curia__V1__KvTxnRequest request = CURIA__V1__KV_TXN_REQUEST__INIT;
    request.operations = ops;
    request.n_operations = 2;
    ck_assert(!catalog_kv_txn_is_read_only(&request));
    request.n_operations = 1;
    ck_assert(catalog_kv_txn_is_read_only(&request));
}
END_TEST

SUITE_MAIN("catalogd/core/read", http_69_lists_by_prefix_in_byte_order,
           http_71_keys_are_cut_behind_the_first_separator_after_the_prefix,
           http_3_3_the_index_of_a_key_is_its_own, http_3_7_a_prefix_tombstone_covers_all_under_it,
           a_delete_of_one_key_does_not_hide_that_of_its_prefix,
           http_3_3_a_list_shows_the_newest_of_its_rows_and_tombstones,
           deleting_everything_is_seen_by_who_read_a_key_or_a_prefix_before,
           finds_every_covering_tombstone_over_random_prefixes,
           a_full_arena_is_too_large_and_not_a_short_answer,
           http_109_118_119_a_reading_transaction_gives_rows_in_order,
           http_113_117_every_failing_read_is_listed_with_the_references_sentence,
           http_119_an_empty_key_is_refused_before_anything_else_is_looked_at,
           a_transaction_with_one_write_is_not_read_only)
