#include "common/json/canonical.h"

#include <stdio.h>
#include <string.h>

#include "common/json/scan.h"
#include "tests/lib/suite.h"

static const struct {
    const char *text, *canonical;
} cases[] = {
    {"{}", "{}"},
    {" { \"b\" : 1 , \"a\" : [ true, null, \"x\" ] } ", "{\"a\":[true,null,\"x\"],\"b\":1}"},
    {"{\"a\":1,\"A\":2,\"a\":3}", "{\"A\":2,\"a\":3}"},
    {"{\"\\u0061\":\"<\\/>\"}", "{\"a\":\"\\u003c/\\u003e\"}"},
    {"{\"o\":{\"z\":{},\"y\":[]}}", "{\"o\":{\"y\":[],\"z\":{}}}"},
    {"[1.0,1e3,1.50,-0.0,0.000001,1e-7,1E+21,1.5e300]",
     "[1,1000,1.5,-0,0.000001,1e-7,1e+21,1.5e+300]"},
    {"[0.1,0.30000000000000004,123456789.125]", "[0.1,0.30000000000000004,123456789.125]"},
    {"[-12.5e0,0.00015,1e17,-1.5e20,9.007199254740993e16,123456789012345678901e0]",
     "[-12.5,0.00015,100000000000000000,-150000000000000000000,90071992547409940,"
     "123456789012345680000]"},
    {"[12345678901234567890]", "[12345678901234567890]"},
    {"[1e999]", "[1e999]"},
};

START_TEST(equal_values_have_one_text) /* contracts 8.2 */
{
    struct cu_arena *arena = cu_arena_new(64 * 1024);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_bytes value, text = {0};
        ck_assert_int_eq(cu_json_check(cu_bytes_of(cases[i].text), &value, NULL), CU_OK);
        ck_assert_int_eq(cu_json_canonical(value, arena, &text), CU_OK);
        ck_assert_msg(cu_bytes_equal(text, cu_bytes_of(cases[i].canonical)), "%s: %.*s, not %s",
                      cases[i].text, (int)text.len, (const char *)text.data, cases[i].canonical);
    }
    cu_arena_free(arena);
}
END_TEST

static void check_number(const char *text, const char *expected)
{
    struct cu_arena *arena = cu_arena_new(64 * 1024);
    struct cu_bytes value, canonical = {0};
    ck_assert_int_eq(cu_json_check(cu_bytes_of(text), &value, NULL), CU_OK);
    ck_assert_int_eq(cu_json_canonical(value, arena, &canonical), CU_OK);
    ck_assert_msg(cu_bytes_equal(canonical, cu_bytes_of(expected)), "%s: %.*s, not %s", text,
                  (int)canonical.len, (const char *)canonical.data, expected);
    cu_arena_free(arena);
}

START_TEST(no_digit_of_a_long_number_is_dropped)
{
    static const int lengths[] = {1, 390, 391, 392, 393, 394, 395, 396, 397, 398, 399, 400, 5000};
    static char zeroes[5001], text[5100];
    for (size_t i = 0; i < CU_COUNT(lengths); i++) {
        int n = lengths[i];
        memset(zeroes, '0', (size_t)n);
        (void)snprintf(text, sizeof text, "1.%.*se2", n, zeroes);
        check_number(text, "100");
        (void)snprintf(text, sizeof text, "25%.*s.0e-%d", n, zeroes, n);
        check_number(text, "25");
        (void)snprintf(text, sizeof text, "-0.%.*s5e%d", n, zeroes, n + 1);
        check_number(text, "-5");
        (void)snprintf(text, sizeof text, "1%.*s.5e308", n, zeroes);
        check_number(text, text); /* beyond a double: as it came */
    }
}
END_TEST

START_TEST(a_full_arena_is_told)
{
    static const char text[] = "{\"a\":{\"b\":\"0123456789012345678901234567890123456789\"}}";
    struct cu_bytes value, canonical;
    ck_assert_int_eq(cu_json_check(cu_bytes_of(text), &value, NULL), CU_OK);
    for (size_t limit = 0; limit < 1024; limit += 16) {
        struct cu_arena *arena = cu_arena_new(limit);
        enum cu_err err = cu_json_canonical(value, arena, &canonical);
        ck_assert(err == CU_E_TOO_LARGE || (err == CU_OK && limit > strlen(text)));
        cu_arena_free(arena);
        if (!err)
            return;
    }
    ck_abort_msg("never enough");
}
END_TEST

SUITE_MAIN("common/json/canonical", equal_values_have_one_text,
           no_digit_of_a_long_number_is_dropped, a_full_arena_is_told)
