#include "services/gossipd/core/lzw.h"

#include <string.h>

#include "common/base/random.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

enum { MIB = 1024 * 1024 };

/* Codes written by hand, for what no encoder of ours would send. */
struct codes {
    struct cu_buf out;
    uint64_t bits;
    unsigned count;
};

static void code(struct codes *c, unsigned value, unsigned width)
{
    c->bits |= (uint64_t)value << c->count;
    for (c->count += width; c->count >= 8; c->count -= 8) {
        cu_buf_u8(&c->out, (uint8_t)c->bits);
        c->bits >>= 8;
    }
}

static struct cu_bytes codes_end(struct codes *c, unsigned width)
{
    code(c, 257, width);
    if (c->count)
        cu_buf_u8(&c->out, (uint8_t)c->bits);
    return cu_buf_bytes(&c->out);
}

static void ck_expands(struct cu_bytes packed, const char *plain)
{
    size_t size = 0;
    uint8_t got[64];
    ck_assert_int_eq(gossip_lzw_size(packed, sizeof got, &size), CU_OK);
    ck_assert_uint_eq(size, strlen(plain));
    gossip_lzw_expand(packed, got, size);
    ck_assert_mem_eq(got, plain, size);
}

static void fill(struct cu_buf *buf, size_t len, unsigned letters)
{
    struct cu_random random = {suite_seed()};
    cu_buf_clear(buf);
    for (size_t i = 0; i < len; i++)
        cu_buf_u8(buf, (uint8_t)cu_random_below(&random, letters));
}

START_TEST(what_is_compressed_expands_to_the_same) /* gossip 16: dictionary resets included */
{
    static const size_t sizes[] = {0, 1, 2, 258, 4096, 65536, 2 * MIB};
    static const unsigned letters[] = {1, 2, 26, 256};
    struct cu_buf plain = {0}, packed = {0}, back = {0};
    for (size_t i = 0; i < CU_COUNT(sizes) * CU_COUNT(letters); i++) {
        size_t size = 0;
        fill(&plain, sizes[i / CU_COUNT(letters)], letters[i % CU_COUNT(letters)]);
        cu_buf_clear(&packed);
        gossip_lzw_compress(&packed, cu_buf_bytes(&plain));
        ck_assert_int_eq(gossip_lzw_size(cu_buf_bytes(&packed), plain.len, &size), CU_OK);
        ck_assert_uint_eq(size, plain.len);
        cu_buf_clear(&back);
        gossip_lzw_expand(cu_buf_bytes(&packed), cu_buf_extend(&back, size), size);
        ck_assert(cu_bytes_equal(cu_buf_bytes(&back), cu_buf_bytes(&plain)));
    }
    cu_buf_deinit(&plain);
    cu_buf_deinit(&packed);
    cu_buf_deinit(&back);
}
END_TEST

START_TEST(nothing_compresses_to_clear_and_end)
{
    struct cu_buf packed = {0}, want = {0};
    gossip_lzw_compress(&packed, (struct cu_bytes){0});
    ck_assert(cu_bytes_equal(cu_buf_bytes(&packed), hex_append(&want, "000302"))); /* 256, 257 */
    cu_buf_deinit(&packed);
    cu_buf_deinit(&want);
}
END_TEST

START_TEST(a_stream_without_a_leading_clear_is_read) /* gossip 17 */
{
    struct codes c = {0};
    code(&c, 'a', 9);
    code(&c, 'b', 9);
    code(&c, 258, 9);
    ck_expands(codes_end(&c, 9), "abab");
    cu_buf_deinit(&c.out);
}
END_TEST

START_TEST(a_code_that_is_being_defined_is_read) /* gossip 17: KwKwK */
{
    struct codes c = {0};
    code(&c, 256, 9);
    code(&c, 'a', 9);
    code(&c, 258, 9);
    code(&c, 259, 9);
    ck_expands(codes_end(&c, 9), "aaaaaa");
    cu_buf_deinit(&c.out);
}
END_TEST

START_TEST(a_full_table_stays_as_it_is_until_it_is_cleared) /* gossip 17 */
{
    struct codes c = {0};
    size_t size = 0;
    unsigned next = 257, width = 9, count = 5000;
    code(&c, 256, 9);
    for (unsigned i = 0; i < count; i++) {
        code(&c, i < 4500 ? i % 2 : 4095, width);
        if (++next == 1u << width && width < 12)
            width++;
    }
    code(&c, 256, 12);
    code(&c, 'x', 9);
    struct cu_bytes packed = codes_end(&c, 9);
    ck_assert_int_eq(gossip_lzw_size(packed, MIB, &size), CU_OK);
    ck_assert_uint_eq(size, 4500 + 2 * 500 + 1); /* entry 4095 is of two bytes */
    cu_buf_deinit(&c.out);
}
END_TEST

START_TEST(a_code_that_stands_for_nothing_is_refused) /* gossip 17 */
{
    static const unsigned bad[][2] = {{256, 258}, {256, 300}, {'a', 259}};
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        struct codes c = {0};
        size_t size = 7;
        code(&c, bad[i][0], 9);
        code(&c, bad[i][1], 9);
        ck_assert_int_eq(gossip_lzw_size(codes_end(&c, 9), 64, &size), CU_E_INVALID);
        ck_assert_uint_eq(size, 7);
        cu_buf_deinit(&c.out);
    }
}
END_TEST

START_TEST(a_missing_end_is_refused_wherever_it_is_cut) /* gossip 17 */
{
    struct cu_buf packed = {0};
    size_t size = 0;
    gossip_lzw_compress(&packed, cu_bytes_of("hello hello hello hello"));
    for (size_t len = 0; len < packed.len; len++)
        ck_assert_int_eq(gossip_lzw_size((struct cu_bytes){packed.data, len}, 64, &size),
                         CU_E_INVALID);
    cu_buf_deinit(&packed);
}
END_TEST

START_TEST(one_byte_over_the_limit_is_too_large)
{
    struct cu_buf plain = {0}, packed = {0};
    size_t size = 0;
    fill(&plain, 1000, 2);
    gossip_lzw_compress(&packed, cu_buf_bytes(&plain));
    ck_assert_int_eq(gossip_lzw_size(cu_buf_bytes(&packed), 999, &size), CU_E_TOO_LARGE);
    ck_assert_int_eq(gossip_lzw_size(cu_buf_bytes(&packed), 1000, &size), CU_OK);
    cu_buf_deinit(&plain);
    cu_buf_deinit(&packed);
}
END_TEST

SUITE_MAIN("services/gossipd/core/lzw", what_is_compressed_expands_to_the_same,
           nothing_compresses_to_clear_and_end, a_stream_without_a_leading_clear_is_read,
           a_code_that_is_being_defined_is_read, a_full_table_stays_as_it_is_until_it_is_cleared,
           a_code_that_stands_for_nothing_is_refused, a_missing_end_is_refused_wherever_it_is_cut,
           one_byte_over_the_limit_is_too_large)
