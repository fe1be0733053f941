#include "common/base/hash.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

START_TEST(crc32c_gives_the_vectors_of_rfc_3720_b4)
{
    uint8_t zeros[32] = {0}, ones[32], rising[32];
    memset(ones, 0xff, sizeof ones);
    for (uint8_t i = 0; i < 32; i++)
        rising[i] = i;

    ck_assert_uint_eq(cu_crc32c(0, zeros, 32), 0x8a9136aa);
    ck_assert_uint_eq(cu_crc32c(0, ones, 32), 0x62a8ab43);
    ck_assert_uint_eq(cu_crc32c(0, rising, 32), 0x46dd794e);
    ck_assert_uint_eq(cu_crc32c(0, "123456789", 9), 0xe3069283);
}
END_TEST

START_TEST(crc32c_goes_on_from_a_seed)
{
    uint32_t first = cu_crc32c(0, "12345", 5);
    ck_assert_uint_eq(cu_crc32c(first, "6789", 4), cu_crc32c(0, "123456789", 9));
}
END_TEST

START_TEST(sums_of_hashes_add_and_subtract_modulo_2_to_the_128)
{
    struct cu_u128 a = {UINT64_MAX, UINT64_MAX}, one = {1, 0};
    struct cu_u128 zero = cu_u128_add(a, one);

    ck_assert(zero.lo == 0 && zero.hi == 0);
    struct cu_u128 back = cu_u128_sub(zero, one);
    ck_assert(back.lo == a.lo && back.hi == a.hi);
    struct cu_u128 carry = cu_u128_add((struct cu_u128){UINT64_MAX, 0}, one);
    ck_assert(carry.lo == 0 && carry.hi == 1);
}
END_TEST

START_TEST(blake2b_keeps_parts_apart)
{
    struct cu_bytes ab_c[] = {cu_bytes_of("ab"), cu_bytes_of("c")};
    struct cu_bytes a_bc[] = {cu_bytes_of("a"), cu_bytes_of("bc")};
    struct cu_u128 x = cu_blake2b_128(ab_c, 2), y = cu_blake2b_128(a_bc, 2),
                   z = cu_blake2b_128(ab_c, 2);

    ck_assert(x.lo != y.lo || x.hi != y.hi);
    ck_assert(x.lo == z.lo && x.hi == z.hi);
}
END_TEST

/* What b2sum -l 256 prints. */
START_TEST(blake2b_256_is_that_of_rfc_7693)
{
    static const uint8_t abc[] = {0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef,
                                  0x3f, 0xee, 0x98, 0x57, 0x9b, 0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb,
                                  0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19};
    uint8_t digest[CU_BLAKE2B_256_BYTES], empty[CU_BLAKE2B_256_BYTES];
    cu_blake2b_256(cu_bytes_of("abc"), digest);
    cu_blake2b_256((struct cu_bytes){NULL, 0}, empty);
    ck_assert_mem_eq(digest, abc, sizeof abc);
    ck_assert_mem_ne(digest, empty, sizeof empty);
}
END_TEST

/* FIPS 180-4's own examples. */
START_TEST(sha256_gives_the_vectors_of_fips_180)
{
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    static const uint8_t empty_begins[] = {0xe3, 0xb0, 0xc4, 0x42};
    uint8_t digest[CU_SHA256_BYTES];
    cu_sha256(cu_bytes_of("abc"), digest);
    ck_assert_mem_eq(digest, abc, sizeof abc);
    cu_sha256((struct cu_bytes){NULL, 0}, digest);
    ck_assert_mem_eq(digest, empty_begins, sizeof empty_begins);
}
END_TEST

/* As many names as places: a random choice has 6 or 7 at most in one of them. */
START_TEST(names_that_differ_in_a_digit_spread_over_the_low_bits)
{
    static const char *const heads[] = {"node-", "service:s-", "", "a-name-of-16-byt"};
    enum { NAMES = 1024, MOST = 10 };
    for (size_t head = 0; head < CU_COUNT(heads); head++) {
        unsigned places[NAMES] = {0}, most = 0;
        for (int i = 0; i < NAMES; i++) {
            char name[32];
            int len = snprintf(name, sizeof name, "%s%d", heads[head], i);
            unsigned *place = &places[cu_table_hash(name, (size_t)len) % NAMES];
            most = ++*place > most ? *place : most;
        }
        ck_assert_uint_le(most, MOST);
    }
}
END_TEST

SUITE_MAIN("common/base/hash", names_that_differ_in_a_digit_spread_over_the_low_bits,
           sha256_gives_the_vectors_of_fips_180, crc32c_gives_the_vectors_of_rfc_3720_b4,
           crc32c_goes_on_from_a_seed, sums_of_hashes_add_and_subtract_modulo_2_to_the_128,
           blake2b_keeps_parts_apart, blake2b_256_is_that_of_rfc_7693)
