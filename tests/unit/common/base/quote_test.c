#include "common/base/quote.h"

#include "tests/lib/suite.h"

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
        ck_assert_str_eq(cu_quote(arena, bytes), cases[i].want);
    }
    cu_arena_set_limit(arena, cu_arena_used(arena));
    ck_assert_ptr_null(cu_quote(arena, cu_bytes_of("k")));
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("common/base/quote", quotes_as_the_reference_does)
