#include "common/base/err.h"

#include <string.h>

#include "common/base/mono.h"
#include "common/base/random.h"
#include "tests/lib/suite.h"

START_TEST(every_error_has_a_name_and_words_and_local_ones_cross_as_internal)
{
    for (unsigned n = 0; n < CU_ERR_COUNT; n++) {
        ck_assert_uint_gt(strlen(cu_err_name((enum cu_err)n)), 0);
        ck_assert_uint_gt(strlen(cu_err_words((enum cu_err)n)), 0);
        unsigned want = n <= CU_E_INTERNAL ? n : CU_E_INTERNAL;
        ck_assert_uint_eq(cu_err_to_wire((enum cu_err)n), want);
        ck_assert_uint_eq(cu_err_from_wire(cu_err_to_wire((enum cu_err)n)), want);
    }
    ck_assert_uint_eq(cu_err_from_wire(4711), CU_E_INTERNAL); /* a newer peer's */
    ck_assert_str_eq(cu_err_name((enum cu_err)4711), "Internal");
}
END_TEST

START_TEST(a_diag_is_cut_at_its_limit_and_may_be_absent)
{
    struct cu_diag diag = {""};
    ck_assert_int_eq(cu_fail(&diag, CU_E_IO, "%01000d", 1), CU_E_IO);
    ck_assert_uint_eq(strlen(diag.text), CU_DIAG_BYTES - 1);
    ck_assert_int_eq(cu_fail(NULL, CU_E_DENIED, "nobody reads this"), CU_E_DENIED);
}
END_TEST

START_TEST(times_add_compare_and_never_wrap)
{
    struct cu_mono t = {5000000};
    ck_assert_uint_eq(cu_mono_add_ms(t, 3).ns, 8000000);
    ck_assert_uint_eq(cu_mono_add_ms(CU_MONO_NEVER, 3).ns, UINT64_MAX);
    ck_assert_uint_eq(cu_mono_ms_between(t, cu_mono_add_ms(t, 7)), 7);
    ck_assert_uint_eq(cu_mono_ms_between(cu_mono_add_ms(t, 7), t), 0);
    ck_assert(cu_mono_before(t, CU_MONO_NEVER));
    ck_assert(!cu_mono_before(cu_mono_now(), t));
    ck_assert_uint_gt(cu_wall_ms(), 1700000000000u);
}
END_TEST

START_TEST(equal_seeds_give_equal_sequences_within_bounds)
{
    struct cu_random a = {42}, b = {42};
    unsigned seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        uint64_t got = cu_random_below(&a, 7);
        ck_assert_uint_eq(got, cu_random_below(&b, 7));
        seen[got]++;
    }
    for (int i = 0; i < 7; i++)
        ck_assert_uint_gt(seen[i], 800); /* 1,000 each expected */
    unsigned char bytes[32] = {0}, zeros[32] = {0};
    cu_random_bytes(bytes, sizeof bytes);
    ck_assert_int_ne(memcmp(bytes, zeros, sizeof bytes), 0);
}
END_TEST

SUITE_MAIN("common/base/err", every_error_has_a_name_and_words_and_local_ones_cross_as_internal,
           a_diag_is_cut_at_its_limit_and_may_be_absent, times_add_compare_and_never_wrap,
           equal_seeds_give_equal_sequences_within_bounds)
