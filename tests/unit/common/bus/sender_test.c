/* What leaves by a connection (contracts 1.1 to 1.4, 1.7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/common/bus/fake.h"

START_TEST(other_frames_go_between_the_parts_of_a_long_message)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t mark;
    fake_call(f, 1, "Kv.Put", 200000, &mark);
    fake_call(f, 2, "Kv.Get", 10, &mark);
    fake_turn(f);
    ck_assert_uint_eq(fake_sent(f, 0).id, 1);
    ck_assert(fake_sent(f, 0).more);
    ck_assert_uint_eq(fake_sent(f, 1).id, 2);
    ck_assert(!fake_sent(f, 1).more);
    ck_assert_uint_eq(fake_sent_count(f), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_le(fake_sent(f, i).payload.len, CU_FRAME_PAYLOAD_MAX_BYTES);
    fake_free(f);
}
END_TEST

START_TEST(calls_of_one_method_do_not_overtake_each_other)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t mark;
    fake_call(f, 1, "Raft.Append", 200000, &mark);
    fake_call(f, 2, "Raft.Append", 10, &mark);
    fake_call(f, 3, "Raft.Vote", 10, &mark);
    fake_turn(f);
    ck_assert_uint_eq(fake_sent(f, 1).id, 3);
    ck_assert_uint_eq(fake_sent(f, fake_sent_count(f) - 1).id, 2);
    fake_free(f);
}
END_TEST

START_TEST(frames_of_a_turn_leave_in_one_send_contracts_1_7)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t mark;
    for (uint64_t id = 1; id <= 64; id++)
        fake_call(f, id, "Kv.Get", 100, &mark);
    ck_assert_uint_eq(f->sends, 0);
    fake_turn(f);
    ck_assert_uint_eq(f->sends, 1);
    ck_assert_uint_eq(fake_sent_count(f), 64);
    fake_free(f);
}
END_TEST

START_TEST(knows_whether_a_byte_of_a_call_was_handed_over)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t first, second;
    f->room = 10;
    fake_call(f, 1, "Kv.Get", 100, &first);
    fake_call(f, 2, "Kv.Get", 100, &second);
    ck_assert(!cu_conn_was_sent(f->conn, 1, first));
    fake_turn(f);
    ck_assert(cu_conn_was_sent(f->conn, 1, first));
    ck_assert(!cu_conn_was_sent(f->conn, 2, second));
    f->room = SIZE_MAX;
    f->stream.events.writable(f->stream.events.arg);
    ck_assert(cu_conn_was_sent(f->conn, 2, second));
    fake_free(f);
}
END_TEST

START_TEST(a_cancel_takes_back_what_has_not_begun_and_tells_of_the_rest)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t mark;
    fake_call(f, 1, "Kv.Put", 200000, &mark);
    fake_call(f, 2, "Kv.Put", 200000, &mark);
    cu_conn_cancel(f->conn, 2);
    f->room = 1000; /* of 1 some frames are cut */
    fake_turn(f);
    cu_conn_cancel(f->conn, 1);
    f->room = SIZE_MAX;
    f->stream.events.writable(f->stream.events.arg);
    fake_turn(f);
    size_t count = fake_sent_count(f);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(fake_sent(f, i).id, 1);
    ck_assert_int_eq(fake_sent(f, count - 1).kind, CU_FRAME_CANCEL);
    fake_free(f);
}
END_TEST

START_TEST(waits_without_credit_and_goes_on_with_it)
{
    struct fake *f = fake_new(&(struct seed){.dialled = true});
    struct cu_hello theirs = fake_hello("catalogd");
    uint64_t mark;
    theirs.byte_credit = CU_FRAME_MAX_BYTES;
    fake_feed_hello(f, &theirs);
    fake_turn(f);
    cu_buf_clear(&f->sent);
    fake_call(f, 1, "Kv.Put", 200000, &mark);
    fake_turn(f);
    ck_assert_uint_eq(fake_sent_count(f), 1); /* one whole frame fits into the credit */
    fake_call(f, 2, "Kv.Get", 10, &mark);
    fake_turn(f);
    ck_assert_uint_eq(fake_sent_count(f), 1);
    struct cu_buf credit = {0};
    cu_credit_append(&credit, 1000000);
    fake_feed(f, &credit);
    fake_turn(f);
    ck_assert_uint_eq(fake_sent_count(f), 5);
    cu_buf_deinit(&credit);
    fake_free(f);
}
END_TEST

START_TEST(a_message_over_the_limits_is_not_sent)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t mark;
    struct cu_envelope head = {.method = cu_bytes_of("Kv.Put"),
                               .body_len = CU_BUS_MESSAGE_MAX_BYTES};
    struct cu_body body = {0};
    ck_assert_int_eq(cu_conn_call(f->conn, 1, &head, &body, &mark), CU_E_TOO_LARGE);
    uint8_t *token = calloc(1, CU_BUS_HEAD_MAX_BYTES);
    head.body_len = 0;
    head.token = (struct cu_bytes){token, CU_BUS_HEAD_MAX_BYTES};
    ck_assert_int_eq(cu_conn_call(f->conn, 1, &head, &body, &mark), CU_E_TOO_LARGE);
    fake_turn(f);
    ck_assert_uint_eq(fake_sent_count(f), 0);
    free(token);
    fake_free(f);
}
END_TEST

START_TEST(a_peer_that_does_not_take_what_it_asked_for_is_sent_away)
{
    enum { EACH = 31 * 1024 * 1024, FIT = CU_BUS_QUEUE_MAX_BYTES / EACH };
    struct fake *f = fake_up(&(struct seed){0});
    uint8_t *body = calloc(1, EACH);
    struct cu_reply head = {.body_len = EACH};
    for (uint64_t id = 1; id <= FIT + 1; id++) {
        struct cu_body packed = {.packed = {body, EACH}};
        ck_assert_uint_eq(f->downs, 0);
        ck_assert(cu_conn_is_up(f->conn));
        ck_assert_int_eq(cu_conn_reply(f->conn, id, &head, &packed), CU_OK);
    }
    ck_assert(!cu_conn_is_up(f->conn));
    fake_assert_goaway(f, "does not take what it asked for");
    free(body);
    fake_free(f);
}
END_TEST

START_TEST(pings_whose_answers_nobody_reads_end_the_connection)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_buf pings = {0};
    f->room = 0;
    for (unsigned i = 0; i < 400000; i++)
        cu_frame_append(&pings, &(struct cu_frame){.kind = CU_FRAME_PING});
    fake_feed(f, &pings);
    ck_assert(!cu_conn_is_up(f->conn));
    struct cu_conn_stats stats;
    cu_conn_stats(f->conn, &stats);
    ck_assert_uint_lt(stats.frames_out, 400000);
    cu_buf_deinit(&pings);
    fake_free(f);
}
END_TEST

SUITE_MAIN("common/bus/sender", a_peer_that_does_not_take_what_it_asked_for_is_sent_away,
           pings_whose_answers_nobody_reads_end_the_connection,
           other_frames_go_between_the_parts_of_a_long_message,
           calls_of_one_method_do_not_overtake_each_other,
           frames_of_a_turn_leave_in_one_send_contracts_1_7,
           knows_whether_a_byte_of_a_call_was_handed_over,
           a_cancel_takes_back_what_has_not_begun_and_tells_of_the_rest,
           waits_without_credit_and_goes_on_with_it, a_message_over_the_limits_is_not_sent)
