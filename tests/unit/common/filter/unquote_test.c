#include "common/filter/unquote.h"

#include "tests/lib/suite.h"

START_TEST(literals_mean_what_they_mean_in_go)
{
    /* clang-format off */
    static const struct { const char *literal, *want; } cases[] = {
        {"\"\"", ""}, {"\"a b\"", "a b"}, {"`a\\n\"b`", "a\\n\"b"}, {"`a\rb`", "ab"}, {"`a\nb`", "a\nb"},
        {"\"\\a\\b\\f\\n\\r\\t\\v\\\\\"", "\a\b\f\n\r\t\v\\"},
        {"\"\\x41\\101\\u00e9\\U0001f600\"", "AA\xc3\xa9\xf0\x9f\x98\x80"},
        {"\"\\u20ac\"", "\xe2\x82\xac"},
        {"\"a\nb\"", NULL}, {"\"\\q\"", NULL}, {"\"\\'\"", NULL}, {"\"\\x4\"", NULL},
        {"\"\\400\"", NULL}, {"\"\\09\"", NULL}, {"\"\\ud800\"", NULL}, {"\"\\U00110000\"", NULL},
        {"\"\\x00\"", NULL}, {"\"\\u0000\"", NULL}, {"\"\\\"", NULL},
    };
    /* clang-format on */
    struct cu_arena *arena = cu_arena_new(4096);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *got;
        enum cu_err err = cu_filter_unquote(cu_bytes_of(cases[i].literal), arena, &got);
        if (cases[i].want) {
            ck_assert_int_eq(err, CU_OK);
            ck_assert_str_eq(got, cases[i].want);
        } else {
            ck_assert_msg(err == CU_E_INVALID, "%s is taken", cases[i].literal);
        }
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    struct cu_arena *arena = cu_arena_new(0);
    char *got;
    ck_assert_int_eq(cu_filter_unquote(cu_bytes_of("\"abc\""), arena, &got), CU_E_TOO_LARGE);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("common/filter/unquote", literals_mean_what_they_mean_in_go, a_full_arena_is_said)
