/* What arrives in parts, against credit and limits (contracts 1.4, 2.5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/common/bus/fake.h"

START_TEST(a_call_may_arrive_byte_by_byte)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_buf out = {0};
    fake_append_call(&out, 7, "Kv.Put", 70000);
    for (size_t i = 0; i < out.len; i++)
        f->stream.events.received(f->stream.events.arg, (struct cu_bytes){out.data + i, 1});
    ck_assert_uint_eq(f->calls, 1);
    ck_assert_uint_eq(f->last_id, 7);
    ck_assert_uint_eq(f->last_body_len, 70000);
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

START_TEST(a_cancel_ends_a_call_whose_parts_are_arriving)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_buf out = {0};
    fake_append_call(&out, 1, "Kv.Put", 200000);
    out.len = CU_FRAME_MAX_BYTES; /* the first part */
    fake_feed(f, &out);
    fake_feed_frame(f, &(struct cu_frame){.kind = CU_FRAME_CANCEL, .id = 1});
    ck_assert_uint_eq(f->cancels, 0); /* nobody was told of it yet */
    fake_feed_call(f, 2, "Kv.Put", 10);
    ck_assert_uint_eq(f->calls, 1);
    fake_feed_frame(f, &(struct cu_frame){.kind = CU_FRAME_CANCEL, .id = 2});
    ck_assert_uint_eq(f->cancels, 1);
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

START_TEST(gives_credit_back_as_soon_as_bytes_are_copied)
{
    struct fake *f = fake_up(&(struct seed){0});
    uint64_t given = 0, got;
    for (uint64_t id = 1; id <= 20; id++) {
        fake_feed_call(f, id, "Kv.Put",
                       1000000); /* 20 MB over a credit of 4 MiB: nobody has answered */
        fake_turn(f);
    }
    ck_assert_uint_eq(f->calls, 20);
    for (size_t i = 0; i < fake_sent_count(f); i++) {
        struct cu_frame frame = fake_sent(f, i);
        ck_assert_int_eq(frame.kind, CU_FRAME_CREDIT);
        ck_assert_int_eq(cu_credit_parse(frame.payload, &got), CU_OK);
        given += got;
    }
    ck_assert_uint_gt(given, 20 * 1000000 - CU_BUS_BYTE_CREDIT);
    fake_free(f);
}
END_TEST

START_TEST(a_peer_over_its_byte_credit_is_sent_away)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_buf out = {0};
    for (uint64_t id = 1; id <= 4; id++)
        fake_append_call(&out, id, "Kv.Put", 1200000); /* in one turn, so no credit has gone back */
    fake_feed(f, &out);
    ck_assert_uint_eq(f->calls, 3);
    fake_assert_goaway(f, "more bytes than the credit given");
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

START_TEST(takes_a_request_at_its_limit_and_refuses_a_byte_more_contracts_2_5)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_reply reply;
    fake_feed_call(f, 1, "Kv.Put", LIMIT);
    fake_turn(f);
    ck_assert_uint_eq(f->calls, 1);
    cu_buf_clear(&f->sent);
    fake_feed_call(f, 2, "Kv.Put", LIMIT + 1);
    fake_turn(f);
    ck_assert_uint_eq(f->calls, 1);
    struct cu_frame frame = fake_sent(f, 0);
    if (frame.kind == CU_FRAME_CREDIT)
        frame = fake_sent(f, 1);
    ck_assert_int_eq(frame.kind, CU_FRAME_REPLY);
    ck_assert(cu_reply_parse(frame.payload, false, &reply));
    ck_assert_uint_eq(reply.error, CU_E_TOO_LARGE);
    fake_feed_call(f, 3, "Kv.Put", 5); /* the parts of 2 were passed over */
    ck_assert_uint_eq(f->calls, 2);
    fake_free(f);
}
END_TEST

START_TEST(large_calls_without_room_are_answered_overloaded)
{
    struct fake *f = fake_up(&(struct seed){0});
    const uint64_t room = CU_BUS_RESERVE_BYTES / LIMIT;
    struct cu_reply reply;
    struct cu_buf all = {0};
    for (uint64_t id = 1; id <= room + 1; id++) {
        struct cu_buf out = {0};
        fake_append_call(&out, id, "Kv.Put", LIMIT);
        out.len = CU_FRAME_MAX_BYTES; /* only its first part */
        fake_feed(f, &out);
        fake_turn(f);
        cu_buf_deinit(&out);
    }
    struct cu_frame frame = fake_sent(f, fake_sent_count(f) - 1);
    ck_assert_int_eq(frame.kind, CU_FRAME_REPLY);
    ck_assert_uint_eq(frame.id, room + 1);
    ck_assert(cu_reply_parse(frame.payload, false, &reply));
    ck_assert_uint_eq(reply.error, CU_E_OVERLOADED);
    /* The rest of the first and of the refused one: one is a call, the other is passed over. */
    fake_append_call(&all, 1, "Kv.Put", LIMIT);
    cu_buf_drop_front(&all, CU_FRAME_MAX_BYTES);
    fake_feed(f, &all);
    cu_buf_clear(&all);
    fake_append_call(&all, room + 1, "Kv.Put", LIMIT);
    cu_buf_drop_front(&all, CU_FRAME_MAX_BYTES);
    fake_feed(f, &all);
    ck_assert_uint_eq(f->calls, 1);
    ck_assert_uint_eq(f->last_id, 1);
    ck_assert_uint_eq(f->downs, 0);
    cu_buf_deinit(&all);
    fake_free(f);
}
END_TEST

START_TEST(a_reply_in_parts_is_put_together_or_passed_over)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    for (unsigned round = 0; round < 2; round++) {
        struct cu_buf message = {0};
        struct cu_reply head = {.index = 5, .body_len = 100000};
        cu_buf_reserve(&message, 200000);
        message.len = (size_t)(cu_reply_write_head(message.data, &head) - message.data);
        memset(cu_buf_extend(&message, 100000), 1, 100000);
        f->unexpected = round == 1;
        fake_feed_frame(f, &(struct cu_frame){CU_FRAME_REPLY, true, 9, {message.data, 60000}});
        fake_feed_frame(f,
                        &(struct cu_frame){
                            CU_FRAME_REPLY, false, 9, {message.data + 60000, message.len - 60000}});
        cu_buf_deinit(&message);
    }
    ck_assert_uint_eq(f->replies, 1);
    ck_assert_uint_eq(f->last_body_len, 100000);
    fake_free(f);
}
END_TEST

START_TEST(messages_in_parts_have_a_limit)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_buf out = {0};
    fake_append_call(&out, 1, "Kv.Put", 70000);
    out.len = CU_FRAME_MAX_BYTES;
    struct cu_envelope head;
    struct cu_bytes first = {out.data + CU_FRAME_HEAD_BYTES, 100}; /* parts may be short */
    ck_assert(cu_envelope_parse(first, true, &head));
    f->refuse = true; /* what is refused is passed over, and remembered until its last part */
    for (uint64_t id = 1; id <= CU_BUS_PARTS_MAX; id++)
        fake_feed_frame(f, &(struct cu_frame){CU_FRAME_CALL, true, id, first});
    ck_assert_uint_eq(f->downs, 0);
    fake_feed_frame(f, &(struct cu_frame){CU_FRAME_CALL, true, CU_BUS_PARTS_MAX + 1, first});
    fake_assert_goaway(f, "too many messages in parts");
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

SUITE_MAIN("common/bus/parts", messages_in_parts_have_a_limit, a_call_may_arrive_byte_by_byte,
           a_cancel_ends_a_call_whose_parts_are_arriving,
           gives_credit_back_as_soon_as_bytes_are_copied, a_peer_over_its_byte_credit_is_sent_away,
           takes_a_request_at_its_limit_and_refuses_a_byte_more_contracts_2_5,
           large_calls_without_room_are_answered_overloaded,
           a_reply_in_parts_is_put_together_or_passed_over)
