#include "common/base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

START_TEST(reads_back_what_was_written_in_little_endian)
{
    struct cu_buf buf = {0};
    cu_buf_u8(&buf, 0x01);
    cu_buf_u16le(&buf, 0x0203);
    cu_buf_u32le(&buf, 0x04050607);
    cu_buf_u64le(&buf, 0x08090a0b0c0d0e0f);
    cu_buf_text(&buf, "end");
    static const uint8_t want[] = {1,  3,  2,  7,  6, 5, 4,   15,  14,
                                   13, 12, 11, 10, 9, 8, 'e', 'n', 'd'};

    ck_assert_uint_eq(buf.len, sizeof want);
    ck_assert_int_eq(memcmp(buf.data, want, sizeof want), 0);
    struct cu_reader r = cu_reader_of(cu_buf_bytes(&buf));
    ck_assert_uint_eq(cu_read_u8(&r), 1);
    ck_assert_uint_eq(cu_read_u16le(&r), 0x0203);
    ck_assert_uint_eq(cu_read_u32le(&r), 0x04050607);
    ck_assert_uint_eq(cu_read_u64le(&r), 0x08090a0b0c0d0e0f);
    ck_assert(cu_bytes_equal(cu_read_bytes(&r, 3), cu_bytes_of("end")));
    ck_assert(!r.failed && cu_reader_left(&r) == 0);
    cu_buf_deinit(&buf);
}
END_TEST

START_TEST(a_failed_read_stays_failed_and_gives_zeros)
{
    struct cu_reader r = cu_reader_of((struct cu_bytes){(const uint8_t *)"\xff\xff\xff", 3});

    ck_assert_uint_eq(cu_read_u32le(&r), 0);
    ck_assert(r.failed);
    ck_assert_uint_eq(cu_read_u8(&r), 0);
    struct cu_reader empty = cu_reader_of((struct cu_bytes){NULL, 0});
    ck_assert_uint_eq(cu_read_u64le(&empty), 0);
    ck_assert(empty.failed);
}
END_TEST

START_TEST(reads_big_endian_where_a_protocol_is)
{
    struct cu_reader r = cu_reader_of((struct cu_bytes){(const uint8_t *)"\1\2\3\4\5\6\7", 7});

    ck_assert_uint_eq(cu_read_u16be(&r), 0x0102);
    ck_assert_uint_eq(cu_read_u32be(&r), 0x03040506);
    ck_assert_uint_eq(cu_read_u16be(&r), 0);
    ck_assert(r.failed);
}
END_TEST

START_TEST(prints_drops_the_front_and_is_taken_whole)
{
    struct cu_buf buf = {0};
    cu_buf_printf(&buf, "%0600d", 5);
    ck_assert_uint_eq(buf.len, 600);
    cu_buf_drop_front(&buf, 599);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&buf), cu_bytes_of("5")));
    cu_buf_drop_front(&buf, 1);
    cu_buf_append(&buf, "ab", 2);
    size_t len;
    uint8_t *taken = cu_buf_take(&buf, &len);
    ck_assert_uint_eq(len, 2);
    ck_assert_int_eq(memcmp(taken, "ab", 2), 0);
    ck_assert_ptr_null(buf.data);
    free(taken);
}
END_TEST

START_TEST(orders_bytes_as_memcmp_then_by_length)
{
    static const struct {
        const char *a, *b;
        int want;
    } cases[] = {{"", "", 0},     {"a", "b", -1}, {"b", "a", 1},
                 {"a", "ab", -1}, {"ab", "a", 1}, {"ab", "ab", 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int got = cu_bytes_compare(cu_bytes_of(cases[i].a), cu_bytes_of(cases[i].b));
        ck_assert_int_eq((got > 0) - (got < 0), cases[i].want);
    }
    ck_assert(cu_bytes_has_prefix(cu_bytes_of("abc"), cu_bytes_of("ab")));
    ck_assert(cu_bytes_has_prefix(cu_bytes_of("abc"), cu_bytes_of("")));
    ck_assert(!cu_bytes_has_prefix(cu_bytes_of("ab"), cu_bytes_of("abc")));
}
END_TEST

SUITE_MAIN("common/base/buf", reads_back_what_was_written_in_little_endian,
           a_failed_read_stays_failed_and_gives_zeros, reads_big_endian_where_a_protocol_is,
           prints_drops_the_front_and_is_taken_whole, orders_bytes_as_memcmp_then_by_length)
