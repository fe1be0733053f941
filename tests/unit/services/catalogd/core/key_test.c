#include "services/catalogd/core/key.h"

#include <string.h>

#include "services/catalogd/core/quote.h"
#include "tests/lib/suite.h"

START_TEST(a_key_begins_with_partition_and_namespace_contracts_2_6)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct cu_bytes key = catalog_key_of(arena, cu_bytes_of("a/b")), user;

    ck_assert_uint_eq(key.len, 19);
    ck_assert_int_eq(memcmp(key.data, "default\0default\0a/b", 19), 0);
    ck_assert(catalog_key_user(key, &user));
    ck_assert(cu_bytes_equal(user, cu_bytes_of("a/b")));
    ck_assert(!catalog_key_user(cu_bytes_of("other\0default\0x"), &user));
    ck_assert_uint_eq(catalog_key_of(arena, cu_bytes_of("")).len, 16);
    cu_arena_free(arena);
}
END_TEST

START_TEST(tombstones_of_a_key_and_of_a_prefix_lie_apart)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct cu_bytes key = catalog_key_of_tombstone(arena, CATALOG_TOMBSTONE_KEY, cu_bytes_of("a"));
    struct cu_bytes prefix =
        catalog_key_of_tombstone(arena, CATALOG_TOMBSTONE_PREFIX, cu_bytes_of("a"));

    ck_assert(!cu_bytes_equal(key, prefix));
    ck_assert_int_eq(memcmp(key.data + 16, "ka", 2), 0);
    ck_assert_int_eq(memcmp(prefix.data + 16, "pa", 2), 0);
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_full_arena_gives_no_key)
{
    struct cu_arena *arena = cu_arena_new(8);
    ck_assert_ptr_null(catalog_key_of(arena, cu_bytes_of("a")).data);
    ck_assert_ptr_null(
        catalog_key_of_tombstone(arena, CATALOG_TOMBSTONE_KEY, cu_bytes_of("a")).data);
    cu_arena_free(arena);
}
END_TEST

START_TEST(quotes_as_the_reference_does)
{
    /* clang-format off */
    static const struct { const char *bytes; size_t len; const char *want; } cases[] = {
        {"k", 1, "\"k\""},
        {"", 0, "\"\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\a\b\f\n\r\t\v", 7, "\"\\a\\b\\f\\n\\r\\t\\v\""},
        {"\0\x01\x7f", 3, "\"\\x00\\x01\\x7f\""},
        {"\xc3\xa9", 2, "\"\xc3\xa9\""},           /* e acute */
        {"\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""},
        {"\xc3", 1, "\"\\xc3\""},                  /* cut short */
        {"\xc0\x80", 2, "\"\\xc0\\x80\""},         /* overlong */
        {"\xed\xa0\x80", 3, "\"\\xed\\xa0\\x80\""}, /* surrogate */
        {"\xf4\x90\x80\x80", 4, "\"\\xf4\\x90\\x80\\x80\""},
        {"\xc2\x85", 2, "\"\\u0085\""},
    };
    /* clang-format on */
    struct cu_arena *arena = cu_arena_new(4096);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cu_bytes bytes = {(const uint8_t *)cases[i].bytes, cases[i].len};
        ck_assert_str_eq(catalog_quote(arena, bytes), cases[i].want);
    }
    cu_arena_set_limit(arena, cu_arena_used(arena));
    ck_assert_ptr_null(catalog_quote(arena, cu_bytes_of("k")));
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("catalogd/core/key", a_key_begins_with_partition_and_namespace_contracts_2_6,
           tombstones_of_a_key_and_of_a_prefix_lie_apart, a_full_arena_gives_no_key,
           quotes_as_the_reference_does)
