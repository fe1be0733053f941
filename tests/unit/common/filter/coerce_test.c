#include "common/filter/coerce.h"

#include <string.h>

#include "tests/lib/suite.h"

START_TEST(numbers_are_read_as_go_reads_them)
{
    /* clang-format off */
    static const struct { const char *text; int64_t want; const char *why; } cases[] = {
        {"0", 0, NULL}, {"80", 80, NULL}, {"-1", -1, NULL}, {"+7", 7, NULL},
        {"0x1F", 31, NULL}, {"0o17", 15, NULL}, {"017", 15, NULL}, {"0b101", 5, NULL},
        {"1_000", 1000, NULL}, {"0x_ff", 255, NULL}, {"0_7", 7, NULL},
        {"9223372036854775807", INT64_MAX, NULL},
        {"-9223372036854775808", INT64_MIN, NULL},
        {"9223372036854775808", 0, "value out of range"},
        {"-9223372036854775809", 0, "value out of range"},
        {"99999999999999999999999", 0, "value out of range"},
        {"", 0, "invalid syntax"}, {"-", 0, "invalid syntax"}, {"abc", 0, "invalid syntax"},
        {"08", 0, "invalid syntax"}, {"0x", 0, "invalid syntax"}, {"1.5", 0, "invalid syntax"},
        {"1_", 0, "invalid syntax"}, {"_1", 0, "invalid syntax"}, {"1__0", 0, "invalid syntax"},
        {"1 ", 0, "invalid syntax"}, {"--1", 0, "invalid syntax"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t got = 0;
        const char *why = cu_filter_coerce_int(cases[i].text, &got);
        ck_assert_msg(strcmp(why ? why : "", cases[i].why ? cases[i].why : "") == 0 &&
                          got == cases[i].want,
                      "\"%s\": %lld, %s", cases[i].text, (long long)got, why ? why : "");
    }
}
END_TEST

START_TEST(truths_are_read_as_go_reads_them)
{
    static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"},
                             *const no[] = {"0", "f", "F", "FALSE", "false", "False"},
                             *const bad[] = {"", "yes", "tRUE", "2", "true "};
    int64_t got;
    for (int i = 0; i < 6; i++) {
        ck_assert_ptr_null(cu_filter_coerce_bool(yes[i], &got));
        ck_assert_int_eq(got, 1);
        ck_assert_ptr_null(cu_filter_coerce_bool(no[i], &got));
        ck_assert_int_eq(got, 0);
    }
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(cu_filter_coerce_bool(bad[i], &got), "invalid syntax");
}
END_TEST

SUITE_MAIN("common/filter/coerce", numbers_are_read_as_go_reads_them,
           truths_are_read_as_go_reads_them)
