#include "services/catalogd/core/memtable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "tests/lib/memory_backend.h"
#include "tests/lib/suite.h"

/* ---- builders ---- */

static void put(struct catalog_memtable *m, uint64_t seq, const char *key, const char *value)
{
    struct catalog_row row = {cu_bytes_of(key), cu_bytes_of(value), seq, seq + 1, {3, 4}};
    catalog_memtable_put(m, CATALOG_KV, seq, &row, false);
}

static void del(struct catalog_memtable *m, uint64_t seq, const char *key)
{
    catalog_memtable_del(m, CATALOG_KV, seq, cu_bytes_of(key));
}

/* "none" where there is no version, "gone" where it says deleted. */
static const char *at(const struct catalog_memtable *m, uint64_t seq, const char *key)
{
    static char text[64];
    const struct catalog_entry *entry = catalog_memtable_find(m, CATALOG_KV, cu_bytes_of(key));
    const struct catalog_version *version = entry ? catalog_entry_at(entry, seq) : NULL;
    if (!version || !version->is_there)
        return version ? "gone" : "none";
    ck_assert(cu_bytes_equal(version->row.key, cu_bytes_of(key)));
    (void)snprintf(text, sizeof text, "%.*s", (int)version->row.value.len,
                   (const char *)version->row.value.data);
    return text;
}

/* ---- versions ---- */

START_TEST(shows_the_newest_version_at_or_below_a_seq)
{
    struct catalog_memtable *m = catalog_memtable_new();
    put(m, 2, "k", "two");
    put(m, 4, "k", "four");
    del(m, 6, "k");
    put(m, 8, "k", "eight");
    static const char *const want[] = {"none", "none", "two",  "two",   "four",
                                       "four", "gone", "gone", "eight", "eight"};
    for (uint64_t seq = 0; seq < CU_COUNT(want); seq++)
        ck_assert_str_eq(at(m, seq, "k"), want[seq]);
    ck_assert_str_eq(at(m, 9, "other"), "none");
    const struct catalog_entry *entry = catalog_memtable_find(m, CATALOG_KV, cu_bytes_of("k"));
    ck_assert_uint_eq(catalog_entry_at(entry, 4)->row.create_index, 4);
    ck_assert_uint_eq(catalog_entry_at(entry, 4)->row.modify_index, 5);
    ck_assert_uint_eq(catalog_entry_at(entry, 4)->row.hash.hi, 4);
    catalog_memtable_unref(m);
}
END_TEST

START_TEST(a_key_of_one_space_is_none_of_another)
{
    struct catalog_memtable *m = catalog_memtable_new();
    put(m, 1, "k", "v");
    for (int space = 0; space < CATALOG_SPACE_COUNT; space++) {
        bool is_kv = space == CATALOG_KV;
        ck_assert_int_eq(catalog_memtable_find(m, space, cu_bytes_of("k")) != NULL, is_kv);
        ck_assert_int_eq(catalog_memtable_seek(m, space, cu_bytes_of("")) != NULL, is_kv);
    }
    catalog_memtable_unref(m);
}
END_TEST

START_TEST(undo_takes_back_what_is_above_a_seq)
{
    struct catalog_memtable *m = catalog_memtable_new();
    put(m, 1, "a", "1");
    put(m, 2, "b", "2");
    put(m, 3, "a", "3");
    del(m, 4, "b");
    put(m, 5, "a", "5");
    put(m, 6, "new", "6");
    catalog_memtable_undo(m, 3);
    ck_assert_str_eq(at(m, 9, "a"), "3");
    ck_assert_str_eq(at(m, 9, "b"), "2");
    ck_assert_str_eq(at(m, 9, "new"), "none");
    catalog_memtable_undo(m, 3); /* once more: nothing */
    ck_assert_str_eq(at(m, 9, "a"), "3");
    put(m, 7, "new", "7");
    ck_assert_str_eq(at(m, 6, "new"), "none");
    ck_assert_str_eq(at(m, 7, "new"), "7");
    catalog_memtable_undo(m, 0);
    ck_assert_str_eq(at(m, 9, "a"), "none");
    catalog_memtable_unref(m);
}
END_TEST

START_TEST(what_is_settled_is_not_taken_back)
{
    struct catalog_memtable *m = catalog_memtable_new();
    put(m, 1, "a", "1");
    put(m, 2, "b", "2");
    catalog_memtable_settle(m);
    put(m, 3, "a", "3");
    put(m, 4, "c", "4");
    catalog_memtable_undo(m, 0);
    ck_assert_str_eq(at(m, 9, "a"), "1");
    ck_assert_str_eq(at(m, 9, "b"), "2");
    ck_assert_str_eq(at(m, 9, "c"), "none");
    catalog_memtable_unref(m);
}
END_TEST

START_TEST(undo_reaches_further_back_than_the_list_of_what_was_touched_began_with)
{
    struct catalog_memtable *m = catalog_memtable_new();
    char key[16];
    put(m, 1, "stays", "1");
    for (uint64_t i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "%d", (int)(i % 300));
        put(m, 2 + i, key, "v");
    }
    catalog_memtable_undo(m, 1);
    ck_assert_str_eq(at(m, 9999, "stays"), "1");
    for (int i = 0; i < 300; i++) {
        (void)snprintf(key, sizeof key, "%d", i);
        ck_assert_str_eq(at(m, 9999, key), "none");
    }
    catalog_memtable_unref(m);
}
END_TEST

/* ---- order ---- */

/* Entries stand in order from `key` on; their count. */
static size_t walk(const struct catalog_memtable *m, int space, struct cu_bytes key)
{
    size_t count = 0;
    const struct catalog_entry *last = NULL, *entry = catalog_memtable_seek(m, space, key);
    for (; entry; entry = catalog_entry_next(entry), count++) {
        ck_assert_int_ge(cu_bytes_compare(catalog_entry_key(entry), key), 0);
        if (last)
            ck_assert_int_lt(cu_bytes_compare(catalog_entry_key(last), catalog_entry_key(entry)),
                             0);
        last = entry;
    }
    return count;
}

static void key_of(uint32_t number, uint8_t ret_bytes[4])
{
    for (int i = 0; i < 4; i++)
        ret_bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

START_TEST(keys_stand_in_order_whichever_way_they_came)
{
    enum { KEYS = 3000 };
    struct cu_random random = {suite_seed()};
    for (int way = 0; way < 3; way++) { /* appended, before all others, anywhere */
        struct catalog_memtable *m = catalog_memtable_new();
        bool is_in[KEYS] = {false};
        size_t count = 0;
        for (uint32_t i = 0; i < KEYS; i++) {
            uint32_t number = way == 0   ? i
                              : way == 1 ? KEYS - 1 - i
                                         : (uint32_t)cu_random_below(&random, KEYS);
            uint8_t bytes[4];
            key_of(number, bytes);
            count += !is_in[number];
            is_in[number] = true;
            struct catalog_row row = {.key = {bytes, 4}};
            catalog_memtable_put(m, CATALOG_NODES, i + 1, &row, false);
        }
        size_t above = 0;
        for (uint32_t i = KEYS; i-- > 0;) {
            uint8_t bytes[4];
            key_of(i, bytes);
            above += is_in[i];
            if (i % 97 == 0)
                ck_assert_uint_eq(walk(m, CATALOG_NODES, (struct cu_bytes){bytes, 4}), above);
            ck_assert_int_eq(catalog_memtable_find(m, CATALOG_NODES, (struct cu_bytes){bytes, 4}) !=
                                 NULL,
                             is_in[i]);
        }
        ck_assert_uint_eq(walk(m, CATALOG_NODES, cu_bytes_of("")), count);
        catalog_memtable_unref(m);
    }
}
END_TEST

START_TEST(a_prefix_stands_before_what_it_begins_and_no_bytes_before_all)
{
    struct catalog_memtable *m = catalog_memtable_new();
    static const char *const keys[] = {"ab", "\xff\xff", "", "abc", "\xff", "a", "b"};
    static const char *const want[] = {"", "a", "ab", "abc", "b", "\xff", "\xff\xff"};
    for (size_t i = 0; i < CU_COUNT(keys); i++)
        put(m, i + 1, keys[i], keys[i]);
    const struct catalog_entry *entry = catalog_memtable_seek(m, CATALOG_KV, cu_bytes_of(""));
    for (size_t i = 0; i < CU_COUNT(want); i++, entry = catalog_entry_next(entry)) {
        ck_assert(cu_bytes_equal(catalog_entry_key(entry), cu_bytes_of(want[i])));
        ck_assert_str_eq(at(m, 99, want[i]), want[i]);
    }
    ck_assert_ptr_null(entry);
    catalog_memtable_unref(m);
}
END_TEST

START_TEST(keys_of_changes_and_ages_lie_in_the_order_of_their_numbers)
{
    static const uint64_t indexes[] = {0, 1, 255, 256, 1ull << 32, UINT64_MAX};
    static const uint32_t numbers[] = {0, 1, 256, UINT32_MAX};
    uint8_t last[CATALOG_CHANGE_KEY_BYTES] = {0}, key[CATALOG_CHANGE_KEY_BYTES];
    for (size_t i = 0; i < CU_COUNT(indexes); i++)
        for (size_t k = 0; k < CU_COUNT(numbers); k++) {
            struct cu_bytes bytes = catalog_space_change_key(indexes[i], numbers[k], key);
            ck_assert_uint_eq(catalog_space_index(bytes), indexes[i]);
            ck_assert_uint_eq(catalog_space_number(bytes), numbers[k]);
            if (i + k > 0)
                ck_assert_int_lt(memcmp(last, key, sizeof key), 0);
            memcpy(last, key, sizeof key);
        }
    uint8_t ages[3][CATALOG_AGE_KEY_BYTES];
    struct cu_u128 low = {0, 0}, high = {UINT64_MAX, 7};
    (void)catalog_space_age_key(256, low, ages[0]);
    struct cu_bytes middle = catalog_space_age_key(256, high, ages[1]);
    (void)catalog_space_age_key(257, low, ages[2]);
    ck_assert_int_lt(memcmp(ages[0], ages[1], sizeof ages[0]), 0);
    ck_assert_int_lt(memcmp(ages[1], ages[2], sizeof ages[0]), 0);
    ck_assert_uint_eq(catalog_space_index(middle), 256);
    ck_assert(catalog_space_hash(middle).lo == high.lo && catalog_space_hash(middle).hi == 7);
}
END_TEST

/* ---- memory ---- */

START_TEST(copies_what_it_is_given_however_large)
{
    struct catalog_memtable *m = catalog_memtable_new();
    static const size_t sizes[] = {0,      1, 64 * 1024 - 1, 64 * 1024, 256 * 1024, 256 * 1024 + 1,
                                   3 << 20};
    char key[8] = "";
    for (size_t i = 0; i < CU_COUNT(sizes); i++) {
        uint8_t *value = malloc(sizes[i] + 1);
        ck_assert_ptr_nonnull(value);
        memset(value, (int)i, sizes[i] + 1);
        key[0] = (char)('a' + i);
        struct catalog_row row = {.key = cu_bytes_of(key), .value = {value, sizes[i]}};
        size_t before = catalog_memtable_bytes(m);
        catalog_memtable_put(m, CATALOG_KV, i + 1, &row, false);
        ck_assert_uint_ge(catalog_memtable_bytes(m) - before, sizes[i] + 1);
        free(value);
    }
    for (size_t i = 0; i < CU_COUNT(sizes); i++) {
        key[0] = (char)('a' + i);
        const struct catalog_version *version =
            catalog_entry_at(catalog_memtable_find(m, CATALOG_KV, cu_bytes_of(key)), UINT64_MAX);
        ck_assert_uint_eq(version->row.value.len, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            ck_assert_msg(version->row.value.data[k] == i, "byte %zu of value %zu", k, i);
    }
    catalog_memtable_unref(m);
}
END_TEST

START_TEST(counts_the_bytes_of_each_version_and_none_when_empty)
{
    struct catalog_memtable *m = catalog_memtable_new();
    ck_assert_uint_eq(catalog_memtable_bytes(m), 0);
    char value[1001] = "";
    memset(value, 'v', 1000);
    for (uint64_t i = 1; i <= 100; i++)
        put(m, i, "k", value);
    size_t bytes = catalog_memtable_bytes(m);
    ck_assert_uint_ge(bytes, 100 * 1000);
    ck_assert_uint_le(bytes, 100 * (1000 + 200)); /* not much beside them */
    del(m, 101, "k");
    ck_assert_uint_gt(catalog_memtable_bytes(m), bytes);
    catalog_memtable_unref(m);
}
END_TEST

START_TEST(lives_until_the_last_hold_is_let_go)
{
    struct catalog_memtable *m = catalog_memtable_new();
    put(m, 1, "k", "v");
    ck_assert_ptr_eq(catalog_memtable_ref(m), m);
    catalog_memtable_unref(m);
    ck_assert_str_eq(at(m, 1, "k"), "v"); /* the sanitizer would tell */
    catalog_memtable_unref(m);
    catalog_memtable_unref(NULL);
}
END_TEST

SUITE_MAIN("services/catalogd/core/memtable", shows_the_newest_version_at_or_below_a_seq,
           a_key_of_one_space_is_none_of_another, undo_takes_back_what_is_above_a_seq,
           what_is_settled_is_not_taken_back,
           undo_reaches_further_back_than_the_list_of_what_was_touched_began_with,
           keys_stand_in_order_whichever_way_they_came,
           a_prefix_stands_before_what_it_begins_and_no_bytes_before_all,
           keys_of_changes_and_ages_lie_in_the_order_of_their_numbers,
           copies_what_it_is_given_however_large,
           counts_the_bytes_of_each_version_and_none_when_empty,
           lives_until_the_last_hold_is_let_go)
