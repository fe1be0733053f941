#include "common/base/num.h"

#include <string.h>

#include "tests/lib/suite.h"

static const struct {
    const char *text;
    int64_t ns;
    enum cu_err err;
    const char *sentence;
} durations[] = {
    {"10s", 10000000000, CU_OK, ""},
    {"1h30m", 5400000000000, CU_OK, ""},
    {"250ms", 250000000, CU_OK, ""},
    {"1.5h", 5400000000000, CU_OK, ""},
    {"-2s", -2000000000, CU_OK, ""},
    {"0", 0, CU_OK, ""},
    {"abc", 0, CU_E_INVALID, "time: invalid duration \"abc\""},
    {"5", 0, CU_E_INVALID, "time: missing unit in duration \"5\""},
    {"5x", 0, CU_E_INVALID, "time: unknown unit \"x\" in duration \"5x\""},
};

START_TEST(reads_durations_as_the_reference_does_and_fails_with_its_sentences)
{
    for (size_t i = 0; i < CU_COUNT(durations); i++) {
        struct cu_diag diag = {0};
        int64_t ns = 0;
        ck_assert_int_eq(cu_parse_duration_ns(durations[i].text, &ns, &diag), durations[i].err);
        ck_assert_int_eq(ns, durations[i].ns);
        ck_assert_str_eq(diag.text, durations[i].sentence);
    }
}
END_TEST

START_TEST(reads_the_largest_number_and_refuses_the_next)
{
    uint64_t value = 7;
    ck_assert_int_eq(cu_parse_u64("18446744073709551616", 20, &value), CU_E_TOO_LARGE);
    ck_assert_uint_eq(value, 7);
    ck_assert_int_eq(cu_parse_u64("18446744073709551615", 20, &value), CU_OK);
    ck_assert(value == UINT64_MAX);
}
END_TEST

START_TEST(refuses_signs_blanks_and_nothing)
{
    static const char *const bad[] = {"", "+1", "-1", " 1", "1 ", "0x1", "1e3"};
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        uint64_t value;
        ck_assert_int_eq(cu_parse_u64(bad[i], strlen(bad[i]), &value), CU_E_INVALID);
    }
}
END_TEST

SUITE_MAIN("common/base/num", reads_durations_as_the_reference_does_and_fails_with_its_sentences,
           reads_the_largest_number_and_refuses_the_next, refuses_signs_blanks_and_nothing)
