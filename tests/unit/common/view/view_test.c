/* Reads and calls through the view, against catalogds that behave (contracts 7). */
#include <stdio.h>
#include <string.h>

#include "curia/v1/kv.pb-c.h"
#include "tests/lib/suite.h"
#include "tests/unit/common/view/fixture.h"

/* ---- joining ---- */

START_TEST(equal_reads_of_one_turn_share_an_upstream_read_contracts_7_3)
{
    struct outcome a, b, other, format;
    open_view(1);
    up();
    read_key(&a, "k");
    read_key(&b, "k");
    read_key(&other, "other");
    read_as(&format, "k", 0, 0, 2);
    FAKE_WAIT(loop, a.answers && b.answers && other.answers && format.answers);
    ck_assert_uint_eq(fakes[0]->gets, 2);
    ck_assert_str_eq(a.body, "0v");
    ck_assert_str_eq(b.body, "0v");
    ck_assert_str_eq(format.body, "2v");
    ck_assert_uint_eq(a.index, 10);
    close_view();
}
END_TEST

START_TEST(a_read_never_joins_one_that_was_sent_contracts_7_3)
{
    struct outcome a, b;
    open_view(1);
    up();
    read_key(&a, "k");
    cu_loop_turn(loop, false);
    ck_assert_uint_eq(a.answers, 0); /* sent, not answered */
    read_key(&b, "k");
    FAKE_WAIT(loop, a.answers && b.answers);
    ck_assert_uint_eq(fakes[0]->gets, 2);
    close_view();
}
END_TEST

/* ---- conditional reads ---- */

START_TEST(a_large_answer_is_kept_and_asked_for_conditionally_contracts_7_2)
{
    char large[CU_VIEW_KEEP_MIN_BYTES + 1];
    struct outcome a, b, c;
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    open_view(1);
    up();
    fake_catalog_change(fakes[0], large);
    read_key(&a, "k");
    FAKE_WAIT(loop, a.answers);
    read_key(&b, "k");
    FAKE_WAIT(loop, b.answers);
    ck_assert_uint_eq(fakes[0]->unchanged, 1);
    ck_assert_uint_eq(b.len, a.len);
    ck_assert_uint_eq(b.index, a.index);
    fake_catalog_change(fakes[0], "small");
    read_key(&c, "k");
    FAKE_WAIT(loop, c.answers);
    ck_assert_str_eq(c.body, "0small");
    ck_assert_uint_eq(fakes[0]->unchanged, 1);
    close_view();
}
END_TEST

START_TEST(a_format_that_was_not_kept_is_read_anew)
{
    char large[CU_VIEW_KEEP_MIN_BYTES + 1];
    struct outcome a, b;
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    open_view(1);
    up();
    fake_catalog_change(fakes[0], large);
    read_key(&a, "k");
    FAKE_WAIT(loop, a.answers);
    read_as(&b, "k", 0, 0, 2);
    FAKE_WAIT(loop, b.answers);
    ck_assert_uint_eq(fakes[0]->unchanged, 0);
    ck_assert_int_eq(b.body[0], '2');
    close_view();
}
END_TEST

START_TEST(a_small_answer_is_not_kept)
{
    struct outcome a, b;
    open_view(1);
    up();
    read_key(&a, "k");
    FAKE_WAIT(loop, a.answers);
    read_key(&b, "k");
    FAKE_WAIT(loop, b.answers);
    ck_assert_uint_eq(fakes[0]->unchanged, 0);
    close_view();
}
END_TEST

/* ---- losing catalogds ---- */

START_TEST(a_read_waits_for_a_catalogd_and_is_woken_by_it)
{
    struct outcome o;
    open_view(1);
    fake_catalog_stop(fakes[0]);
    read_key(&o, "k");
    fake_turn(loop);
    fake_catalog_start(fakes[0]);
    FAKE_WAIT(loop, o.answers);
    ck_assert_int_eq(o.err, CU_OK);
    close_view();
}
END_TEST

START_TEST(a_read_that_finds_none_fails_when_the_hold_is_over)
{
    struct outcome o;
    open_view(1);
    fake_catalog_stop(fakes[0]);
    struct cu_mono start = cu_mono_now();
    read_key(&o, "k");
    FAKE_WAIT(loop, o.answers);
    ck_assert_int_eq(o.err, CU_E_DISCONNECTED);
    ck_assert_uint_ge(cu_mono_ms_between(start, cu_mono_now()), HOLD_MS);
    close_view();
}
END_TEST

START_TEST(a_wait_outlives_the_restart_of_its_catalogd)
{
    struct outcome o;
    open_view(1);
    up();
    read_as(&o, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    fake_catalog_stop(fakes[0]);
    fake_turn(loop);
    fake_catalog_start(fakes[0]);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    fake_catalog_change(fakes[0], "w");
    FAKE_WAIT(loop, o.answers);
    ck_assert_str_eq(o.body, "0w");
    close_view();
}
END_TEST

START_TEST(on_a_lost_connection_the_second_one_is_used_at_once_contracts_7_1)
{
    struct outcome o;
    open_view(2);
    FAKE_WAIT(loop, cu_view_is_up(view));
    for (int i = 0; i < 20; i++)
        fake_turn(loop); /* the second connection, too */
    fake_catalog_stop(fakes[0]);
    fake_catalog_change(fakes[1], "two");
    FAKE_WAIT(loop, !fakes[0]->rpc);
    read_key(&o, "k");
    FAKE_WAIT(loop, o.answers);
    ck_assert_int_eq(o.err, CU_OK);
    ck_assert_str_eq(o.body, "0two");
    close_view();
}
END_TEST

START_TEST(who_is_not_ready_is_left_for_another_contracts_1_9)
{
    struct outcome o;
    open_view(2);
    up();
    for (int i = 0; i < 20; i++)
        fake_turn(loop);
    fakes[0]->fail_with = CU_E_NOT_READY;
    read_key(&o, "k");
    FAKE_WAIT(loop, o.answers);
    ck_assert_int_eq(o.err, CU_OK);
    ck_assert_uint_eq(fakes[0]->gets, 1);
    ck_assert_uint_eq(fakes[1]->gets, 1);
    close_view();
}
END_TEST

START_TEST(a_lone_catalogd_that_is_not_ready_is_asked_again)
{
    struct outcome o;
    open_view(1);
    up();
    fakes[0]->fail_with = CU_E_NOT_READY;
    read_key(&o, "k");
    FAKE_WAIT(loop, fakes[0]->gets >= 2);
    fakes[0]->fail_with = CU_OK;
    FAKE_WAIT(loop, o.answers);
    ck_assert_int_eq(o.err, CU_OK);
    close_view();
}
END_TEST

START_TEST(other_errors_are_handed_on)
{
    struct outcome o;
    open_view(1);
    up();
    fakes[0]->fail_with = CU_E_NO_LEADER;
    read_key(&o, "k");
    FAKE_WAIT(loop, o.answers);
    ck_assert_int_eq(o.err, CU_E_NO_LEADER);
    close_view();
}
END_TEST

/* ---- writes ---- */

struct written {
    struct cu_view_call call;
    Curia__V1__KvPutRequest request;
    unsigned answers;
    enum cu_err err;
};

static void write_done(void *arg, const struct cu_answer *answer)
{
    struct written *w = arg;
    w->answers++;
    w->err = answer->err;
}

static void write_value(struct written *w, const char *value)
{
    *w = (struct written){.call = {.service = &curia__v1__kv__descriptor,
                                   .method = "Put",
                                   .timeout_ms = LONG_MS,
                                   .done = write_done,
                                   .arg = w}};
    curia__v1__kv_put_request__init(&w->request);
    w->request.value = (ProtobufCBinaryData){strlen(value), (uint8_t *)value};
    w->call.request = &w->request.base;
    cu_view_call(view, &w->call);
}

START_TEST(a_write_that_was_sent_is_never_repeated_contracts_1_9)
{
    struct written w;
    open_view(1);
    up();
    fakes[0]->swallows_puts = true;
    write_value(&w, "w");
    FAKE_WAIT(loop, fakes[0]->puts == 1);
    fake_catalog_stop(fakes[0]);
    fake_catalog_start(fakes[0]);
    FAKE_WAIT(loop, w.answers);
    ck_assert_int_eq(w.err, CU_E_UNKNOWN);
    FAKE_WAIT(loop, cu_view_is_up(view));
    ck_assert_uint_eq(fakes[0]->puts, 1);
    close_view();
}
END_TEST

START_TEST(a_write_that_was_not_sent_waits_for_a_catalogd)
{
    struct written w;
    open_view(1);
    fake_catalog_stop(fakes[0]);
    write_value(&w, "w");
    fake_turn(loop);
    fake_catalog_start(fakes[0]);
    FAKE_WAIT(loop, w.answers);
    ck_assert_int_eq(w.err, CU_OK);
    ck_assert_uint_eq(fakes[0]->puts, 1);
    close_view();
}
END_TEST

START_TEST(a_call_that_is_cancelled_is_not_answered)
{
    struct written held, sent;
    open_view(1);
    fake_catalog_stop(fakes[0]);
    write_value(&held, "h");
    cu_view_call_cancel(&held.call);
    fake_catalog_start(fakes[0]);
    up();
    fakes[0]->swallows_puts = true;
    write_value(&sent, "s");
    FAKE_WAIT(loop, fakes[0]->puts == 1);
    cu_view_call_cancel(&sent.call);
    fake_turn(loop);
    ck_assert_uint_eq(held.answers + sent.answers, 0);
    cu_view_call_cancel(&sent.call); /* does nothing */
    close_view();
}
END_TEST

SUITE_MAIN("common/view/view", equal_reads_of_one_turn_share_an_upstream_read_contracts_7_3,
           a_read_never_joins_one_that_was_sent_contracts_7_3,
           a_large_answer_is_kept_and_asked_for_conditionally_contracts_7_2,
           a_format_that_was_not_kept_is_read_anew, a_small_answer_is_not_kept,
           a_read_waits_for_a_catalogd_and_is_woken_by_it,
           a_read_that_finds_none_fails_when_the_hold_is_over,
           a_wait_outlives_the_restart_of_its_catalogd,
           on_a_lost_connection_the_second_one_is_used_at_once_contracts_7_1,
           who_is_not_ready_is_left_for_another_contracts_1_9,
           a_lone_catalogd_that_is_not_ready_is_asked_again, other_errors_are_handed_on,
           a_write_that_was_sent_is_never_repeated_contracts_1_9,
           a_write_that_was_not_sent_waits_for_a_catalogd, a_call_that_is_cancelled_is_not_answered)
