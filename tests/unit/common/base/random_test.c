#include "common/base/random.h"

#include <string.h>

#include "common/base/num.h"
#include "tests/lib/suite.h"

START_TEST(equal_seeds_make_equal_sequences_below_their_bound)
{
    struct cu_random one = {suite_seed()}, two = one;
    for (uint64_t bound = 1; bound < 200; bound++) {
        uint64_t drawn = cu_random_below(&one, bound);
        ck_assert_uint_lt(drawn, bound);
        ck_assert_uint_eq(drawn, cu_random_below(&two, bound));
    }
}
END_TEST

START_TEST(a_random_uuid_says_version_and_variant_and_never_comes_twice)
{
    char last[CU_UUID_BYTES] = "", text[CU_UUID_BYTES];
    for (unsigned i = 0; i < 64; i++) {
        uint8_t bytes[16];
        cu_uuid_random(bytes);
        (void)cu_format_uuid(bytes, text);
        ck_assert_int_eq(text[14], '4');
        ck_assert_ptr_nonnull(strchr("89ab", text[19]));
        ck_assert_str_ne(text, last);
        memcpy(last, text, sizeof last);
    }
}
END_TEST

SUITE_MAIN("common/base/random", equal_seeds_make_equal_sequences_below_their_bound,
           a_random_uuid_says_version_and_variant_and_never_comes_twice)
