#include "common/bus/frame.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

/* Bytes of length `len` on the heap, so that a read beyond them is caught. */
static enum cu_frame_outcome parse(const uint8_t *bytes, size_t len, struct cu_frame *frame,
                                   size_t *used, const char **why)
{
    uint8_t *copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    enum cu_frame_outcome outcome = cu_frame_parse((struct cu_bytes){copy, len}, frame, used, why);
    free(copy);
    return outcome;
}

START_TEST(lays_a_frame_out_as_contracts_1_1_draws_it)
{
    static const uint8_t want[] = {15, 0, 0, 0, 2, 1, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, 'a', 'b', 'c'};
    struct cu_buf out = {0};
    cu_frame_append(&out, &(struct cu_frame){.kind = CU_FRAME_CALL,
                                             .more = true,
                                             .id = 0x0102030405060708,
                                             .payload = cu_bytes_of("abc")});
    ck_assert_uint_eq(out.len, sizeof want);
    ck_assert_mem_eq(out.data, want, sizeof want);
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(reads_back_every_kind)
{
    for (int kind = CU_FRAME_HELLO; kind < CU_FRAME_KIND_END; kind++) {
        struct cu_buf out = {0};
        struct cu_frame frame;
        size_t used = 0;
        const char *why = "";
        cu_frame_append(&out, &(struct cu_frame){.kind = (enum cu_frame_kind)kind,
                                                 .id = (uint64_t)kind,
                                                 .payload = cu_bytes_of("x")});
        ck_assert_int_eq(cu_frame_parse(cu_buf_bytes(&out), &frame, &used, &why), CU_FRAME_WHOLE);
        ck_assert_int_eq(frame.kind, kind);
        ck_assert_uint_eq(frame.id, (unsigned)kind);
        ck_assert_uint_eq(frame.payload.len, 1);
        ck_assert_uint_eq(used, out.len);
        ck_assert_uint_gt(strlen(cu_frame_kind_name(frame.kind)), 0);
        cu_buf_deinit(&out);
    }
}
END_TEST

START_TEST(waits_for_the_rest_of_a_frame)
{
    struct cu_buf out = {0};
    struct cu_frame frame;
    size_t used;
    const char *why;
    cu_frame_append(&out, &(struct cu_frame){.kind = CU_FRAME_CALL, .payload = cu_bytes_of("abc")});
    for (size_t len = 0; len < out.len; len++)
        ck_assert_int_eq(parse(out.data, len, &frame, &used, &why), CU_FRAME_PARTIAL);
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(takes_64_kib_and_refuses_a_byte_more)
{
    struct cu_frame frame;
    size_t used = 0;
    const char *why = "";
    uint8_t *bytes = calloc(1, CU_FRAME_MAX_BYTES);
    cu_frame_write_head(bytes, CU_FRAME_CALL, false, 1, CU_FRAME_PAYLOAD_MAX_BYTES);
    ck_assert_int_eq(parse(bytes, CU_FRAME_MAX_BYTES, &frame, &used, &why), CU_FRAME_WHOLE);
    ck_assert_uint_eq(frame.payload.len, CU_FRAME_PAYLOAD_MAX_BYTES);
    bytes[0]++; /* 65532 + 1; no carry: it ends in 0xfc */
    ck_assert_int_eq(parse(bytes, CU_FRAME_MAX_BYTES, &frame, &used, &why), CU_FRAME_BAD);
    ck_assert_str_eq(why, "a frame over 64 KiB");
    free(bytes);
}
END_TEST

START_TEST(refuses_what_is_no_frame_before_its_end_has_come)
{
    static const struct {
        uint8_t head[16];
        const char *why;
    } cases[] = {
        {{11, 0, 0, 0, 2}, "a frame shorter than its head"},
        {{0, 0, 0, 0, 2}, "a frame shorter than its head"},
        {{255, 255, 255, 255, 2}, "a frame over 64 KiB"},
        {{99, 0, 0, 0, 0}, "a frame of unknown kind"},
        {{99, 0, 0, 0, CU_FRAME_KIND_END}, "a frame of unknown kind"},
        {{99, 0, 0, 0, 255}, "a frame of unknown kind"},
        {{99, 0, 0, 0, CU_FRAME_CALL, 2}, "a frame with unknown flags"},
        {{99, 0, 0, 0, CU_FRAME_CALL, 0x81}, "a frame with unknown flags"},
        {{99, 0, 0, 0, CU_FRAME_HELLO, 1}, "a frame with unknown flags"},
        {{99, 0, 0, 0, CU_FRAME_CALL, 0, 1}, "a frame whose zero bytes are not"},
        {{99, 0, 0, 0, CU_FRAME_CALL, 0, 0, 1}, "a frame whose zero bytes are not"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_frame frame;
        size_t used;
        const char *why = "";
        ck_assert_int_eq(parse(cases[i].head, 16, &frame, &used, &why), CU_FRAME_BAD);
        ck_assert_str_eq(why, cases[i].why);
    }
}
END_TEST

SUITE_MAIN("common/bus/frame", lays_a_frame_out_as_contracts_1_1_draws_it, reads_back_every_kind,
           waits_for_the_rest_of_a_frame, takes_64_kib_and_refuses_a_byte_more,
           refuses_what_is_no_frame_before_its_end_has_come)
