#include "services/catalogd/io/record.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

static const struct catalog_change change = {
    .index = 9,
    .number = 2,
    .table = CATALOG_TOMBSTONES,
    .key = {(const uint8_t *)"key", 3},
    .operation = CATALOG_DELETE,
    .before = {(const uint8_t *)"before", 6},
    .before_hash = {1, 2},
    .before_by_hash = true,
    .actor = "anonymous",
    .node = "n1",
    .daemon = "agentd",
    .address = "127.0.0.1:1",
    .cause = "api",
    .reason = "why",
    .wall_ms = 5,
    .lease_ms = 6,
    .size_bytes = 7,
};

static const struct catalog_record records[] = {
    {.kind = CATALOG_RECORD_META, .meta = {"state", {(const uint8_t *)"\0\1", 2}}},
    {.kind = CATALOG_RECORD_ROW,
     .row = {CATALOG_KV, {{(const uint8_t *)"k", 1}, {(const uint8_t *)"v", 1}, 3, 4, {5, 6}}}},
    {.kind = CATALOG_RECORD_VALUE, .value = {{7, 8}, 9, {(const uint8_t *)"old", 3}}},
    {.kind = CATALOG_RECORD_CHANGE, .change = change},
    {.kind = CATALOG_RECORD_END, .count = 4},
};

static struct cu_buf encoded(size_t i)
{
    struct cu_buf buf = {0};
    catalog_record_encode(&records[i], &buf);
    return buf;
}

START_TEST(what_is_read_is_what_was_written)
{
    struct cu_arena *arena = cu_arena_new(4096);
    for (size_t i = 0; i < CU_COUNT(records); i++) {
        struct cu_buf first = encoded(i), again = {0};
        struct catalog_record record;
        size_t len;
        ck_assert_int_eq(catalog_record_decode(cu_buf_bytes(&first), arena, &record, &len), CU_OK);
        ck_assert_uint_eq(len, first.len);
        catalog_record_encode(&record, &again);
        ck_assert(cu_bytes_equal(cu_buf_bytes(&first), cu_buf_bytes(&again)));
        cu_buf_deinit(&first);
        cu_buf_deinit(&again);
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_record_cut_anywhere_asks_for_more)
{
    struct cu_arena *arena = cu_arena_new(4096);
    for (size_t i = 0; i < CU_COUNT(records); i++) {
        struct cu_buf buf = encoded(i);
        for (size_t cut = 0; cut < buf.len; cut++) {
            struct catalog_record record;
            size_t len = 1;
            uint8_t *exact = malloc(cut + 1); /* so that a read past the end is caught */
            memcpy(exact, buf.data, cut);
            ck_assert_int_eq(
                catalog_record_decode((struct cu_bytes){exact, cut}, arena, &record, &len), CU_OK);
            ck_assert_uint_eq(len, 0);
            free(exact);
        }
        cu_buf_deinit(&buf);
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_flipped_bit_anywhere_is_never_taken_for_a_record)
{
    struct cu_arena *arena = cu_arena_new(4096);
    for (size_t i = 0; i < CU_COUNT(records); i++) {
        struct cu_buf buf = encoded(i);
        for (size_t bit = 0; bit < buf.len * 8; bit++) {
            struct catalog_record record;
            size_t len = 0;
            buf.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            enum cu_err err = catalog_record_decode(cu_buf_bytes(&buf), arena, &record, &len);
            ck_assert_msg(err || len == 0, "record %zu bit %zu", i, bit);
            buf.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
        cu_buf_deinit(&buf);
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_payload_one_byte_over_the_limit_is_refused_before_it_is_waited_for)
{
    struct cu_arena *arena = cu_arena_new(4096);
    static const uint32_t lengths[] = {CATALOG_RECORD_BYTES_MAX, CATALOG_RECORD_BYTES_MAX + 1};
    static const enum cu_err want[] = {CU_OK, CU_E_CORRUPT};
    for (size_t i = 0; i < CU_COUNT(lengths); i++) {
        struct cu_buf buf = {0};
        struct catalog_record record;
        size_t len;
        cu_buf_u32le(&buf, lengths[i]);
        cu_buf_u8(&buf, CATALOG_RECORD_META);
        ck_assert_int_eq(catalog_record_decode(cu_buf_bytes(&buf), arena, &record, &len), want[i]);
        cu_buf_deinit(&buf);
    }
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/catalogd/io/record", what_is_read_is_what_was_written,
           a_record_cut_anywhere_asks_for_more, a_flipped_bit_anywhere_is_never_taken_for_a_record,
           a_payload_one_byte_over_the_limit_is_refused_before_it_is_waited_for)
