/* Reads and calls through the view, against catalogds that behave (contracts 7). */
#include "common/view/view.h"

#include <stdio.h>
#include <string.h>

#include "common/base/random.h"
#include "curia/v1/kv.pb-c.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/suite.h"

enum { HOLD_MS = 400, KEPT_BYTES = 1024 * 1024, LONG_MS = 60000 };

static struct cu_loop *loop;
static struct cu_rpc *rpc;
static struct fake_catalog *fakes[2];
static struct cu_view *view;

static void open_view(size_t catalogs)
{
    char urls[2][128];
    const char *list[] = {urls[0], urls[1]};
    loop = cu_loop_new();
    for (size_t i = 0; i < catalogs; i++) {
        (void)snprintf(urls[i], sizeof urls[i], "ipc://%s/c%zu.sock", suite_tmpdir(), i);
        fakes[i] = fake_catalog_new(loop, urls[i]);
        fakes[i]->value = strdup("v");
    }
    rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = loop,
                                              .daemon = "agentd",
                                              .node_id = "22222222-2222-2222-2222-222222222222",
                                              .node_name = "n2",
                                              .datacenter = "dc1"});
    view = cu_view_new(&(struct cu_view_options){.rpc = rpc,
                                                 .loop = loop,
                                                 .catalogs = list,
                                                 .catalog_count = catalogs,
                                                 .hold_ms = HOLD_MS,
                                                 .kept_limit_bytes = KEPT_BYTES});
}

static void close_view(void)
{
    cu_view_free(view);
    cu_rpc_free(rpc);
    for (size_t i = 0; i < 2; i++)
        if (fakes[i])
            fake_catalog_free(fakes[i]);
    cu_loop_free(loop);
}

static void up(void)
{
    FAKE_WAIT(loop, cu_view_is_up(view));
}

/* ---- a read and what came of it ---- */

struct outcome {
    struct cu_view_read read;
    unsigned answers;
    enum cu_err err;
    uint64_t index, last_contact_ms;
    char body[64];
    size_t len;
};

static unsigned encode(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__KvGetReply *reply = (const Curia__V1__KvGetReply *)message;
    if (!reply->pair)
        return 404;
    cu_buf_u8(out, (uint8_t)('0' + format));
    cu_buf_append(out, reply->pair->value.data, reply->pair->value.len);
    return 200;
}

static const struct cu_view_method method = {&curia__v1__kv__descriptor, "Get", encode};

static void done(void *arg, const struct cu_view_answer *answer)
{
    struct outcome *o = arg;
    o->answers++;
    o->err = answer->err;
    o->index = answer->index;
    o->last_contact_ms = answer->last_contact_ms;
    if (!answer->body)
        return;
    o->len = answer->body->len;
    size_t len = o->len < sizeof o->body - 1 ? o->len : sizeof o->body - 1;
    memcpy(o->body, answer->body->bytes, len);
    o->body[len] = 0;
}

static void read_as(struct outcome *o, const char *key, uint64_t index, uint64_t wait_ms,
                    unsigned format)
{
    Curia__V1__KvGetRequest request = CURIA__V1__KV_GET_REQUEST__INIT;
    request.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)key};
    *o = (struct outcome){.read = {.method = &method,
                                   .request = &request.base,
                                   .index = index,
                                   .wait_ms = wait_ms,
                                   .format = format,
                                   .done = done,
                                   .arg = o}};
    cu_view_read(view, &o->read);
}

static void read_key(struct outcome *o, const char *key)
{
    read_as(o, key, 0, 0, 0);
}

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

START_TEST(waits_share_one_upstream_wait_and_end_together_contracts_7_3)
{
    struct outcome a, b;
    open_view(1);
    up();
    read_as(&a, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&b, "k", 10, LONG_MS, 2);
    fake_turn(loop);
    fake_turn(loop);
    ck_assert_uint_eq(fakes[0]->gets, 1);
    ck_assert_uint_eq(cu_view_wait_count(view), 1);
    ck_assert_uint_eq(cu_view_waiter_count(view), 2);
    fake_catalog_change(fakes[0], "w");
    FAKE_WAIT(loop, a.answers && b.answers);
    ck_assert_str_eq(a.body, "0w");
    ck_assert_str_eq(b.body, "2w");
    ck_assert_uint_eq(a.index, 11);
    ck_assert_uint_eq(cu_view_wait_count(view), 0);
    ck_assert_uint_eq(cu_view_waiter_count(view), 0);
    close_view();
}
END_TEST

START_TEST(who_joins_a_wait_whose_answer_is_on_its_way_misses_no_later_write_contracts_7_3)
{
    struct outcome before, late;
    open_view(1);
    up();
    read_as(&before, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    fake_catalog_change(fakes[0], "w");
    fake_catalog_change(fakes[0], "x"); /* acknowledged before the second reader comes */
    ck_assert_uint_eq(before.answers, 0);
    read_as(&late, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, before.answers && late.answers);
    ck_assert_str_eq(before.body, "0w");
    ck_assert_str_eq(late.body, "0x");
    ck_assert_uint_eq(late.index, 12);
    close_view();
}
END_TEST

START_TEST(a_waiter_with_a_lower_index_is_answered_at_once_contracts_7_3)
{
    struct outcome hanging, low;
    open_view(1);
    up();
    read_as(&hanging, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&low, "k", 3, LONG_MS, 0);
    FAKE_WAIT(loop, low.answers);
    ck_assert_uint_eq(low.index, 10);
    ck_assert_uint_eq(hanging.answers, 0);
    close_view();
}
END_TEST

START_TEST(waits_that_differ_in_their_index_share_one_upstream_wait_contracts_7_3)
{
    struct outcome equal, higher;
    open_view(1);
    up();
    fakes[0]->newest = 20;
    read_as(&equal, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&higher, "k", 11, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->gets == 2); /* it looked once */
    for (int i = 0; i < 10; i++)
        fake_turn(loop);
    ck_assert_uint_eq(cu_view_wait_count(view), 1);
    ck_assert_uint_eq(fakes[0]->wait_count, 1);
    fake_catalog_change(fakes[0], "w"); /* 11 */
    FAKE_WAIT(loop, equal.answers);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    ck_assert_uint_eq(fakes[0]->wait_index, 11);
    ck_assert_uint_eq(higher.answers, 0);
    fake_catalog_change(fakes[0], "x"); /* 12 */
    FAKE_WAIT(loop, higher.answers);
    ck_assert_str_eq(higher.body, "0x");
    close_view();
}
END_TEST

START_TEST(a_lower_waiter_that_must_hang_lowers_the_upstream_wait_contracts_7_3)
{
    struct outcome high, low;
    open_view(1);
    up();
    fakes[0]->newest = 20;
    read_as(&high, "k", 15, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&low, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->gone == 1 && fakes[0]->wait_count == 1);
    ck_assert_uint_eq(fakes[0]->wait_index, 10);
    fake_catalog_change(fakes[0], "w"); /* 11 */
    FAKE_WAIT(loop, low.answers);
    ck_assert_uint_eq(low.index, 11);
    ck_assert_uint_eq(high.answers, 0);
    ck_assert_uint_eq(cu_view_wait_count(view), 1);
    close_view();
}
END_TEST

START_TEST(an_index_above_all_is_answered_with_the_true_one_contracts_7_5)
{
    struct outcome hanging, ahead, alone;
    open_view(1);
    up();
    read_as(&hanging, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    struct cu_mono start = cu_mono_now();
    read_as(&ahead, "k", 999, LONG_MS, 0);
    FAKE_WAIT(loop, ahead.answers);
    ck_assert_uint_eq(ahead.index, 10);
    ck_assert_uint_ge(cu_mono_ms_between(start, cu_mono_now()), CU_VIEW_AHEAD_MS);
    ck_assert_uint_eq(hanging.answers, 0);
    read_as(&alone, "other", 999, LONG_MS, 0); /* the catalogd has waited for it */
    FAKE_WAIT(loop, alone.answers);
    ck_assert_uint_eq(alone.index, 10);
    close_view();
}
END_TEST

START_TEST(an_index_that_the_state_reaches_in_time_hangs_as_usual_contracts_7_5)
{
    struct outcome hanging, ahead;
    open_view(1);
    up();
    read_as(&hanging, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    read_as(&ahead, "k", 11, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->gets == 2);
    fakes[0]->newest = 11;                /* of another key */
    FAKE_WAIT(loop, fakes[0]->gets == 3); /* it looked again */
    for (int i = 0; i < 10; i++)
        fake_turn(loop);
    ck_assert_uint_eq(ahead.answers, 0);
    fake_catalog_change(fakes[0], "w"); /* 11 */
    FAKE_WAIT(loop, hanging.answers);
    fake_catalog_change(fakes[0], "x"); /* 12 */
    FAKE_WAIT(loop, ahead.answers);
    ck_assert_uint_eq(ahead.index, 12);
    close_view();
}
END_TEST

/* Many readers with any indexes, and changes between them: nobody sleeps over one. */
START_TEST(whoever_waits_is_woken_by_the_first_change_above_its_index)
{
    enum { READERS = 40, CHANGES = 60 };
    static struct outcome readers[READERS];
    struct cu_random random = {suite_seed()};
    open_view(1);
    up();
    fakes[0]->newest = 1000;
    for (int change = 0; change < CHANGES; change++) {
        for (int i = 0; i < READERS; i++) {
            if (readers[i].answers) {
                ck_assert_uint_gt(readers[i].index, readers[i].read.index);
                readers[i].answers = 0;
                readers[i].read.method = NULL;
            }
            if (!readers[i].read.method && cu_random_below(&random, 3) == 0)
                read_as(&readers[i], "k", fakes[0]->index - 2 + cu_random_below(&random, 5),
                        LONG_MS, 0);
        }
        if (cu_random_below(&random, 2))
            fake_turn(loop);
        fake_catalog_change(fakes[0], "w");
        if (cu_random_below(&random, 2))
            fake_turn(loop);
    }
    for (int i = 0; i < READERS; i++)
        if (readers[i].read.method && readers[i].read.index < fakes[0]->index)
            FAKE_WAIT(loop, readers[i].answers);
    ck_assert_uint_le(cu_view_wait_count(view), 1);
    close_view();
}
END_TEST

START_TEST(the_last_waiter_that_leaves_cancels_upstream_contracts_7_3)
{
    struct outcome a, b;
    open_view(1);
    up();
    read_as(&a, "k", 10, LONG_MS, 0);
    read_as(&b, "k", 10, LONG_MS, 0);
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    cu_view_cancel(&a.read);
    fake_turn(loop);
    ck_assert_uint_eq(fakes[0]->gone, 0);
    cu_view_cancel(&b.read);
    FAKE_WAIT(loop, fakes[0]->gone == 1);
    ck_assert_uint_eq(a.answers + b.answers, 0);
    cu_view_cancel(&b.read); /* does nothing */
    close_view();
}
END_TEST

START_TEST(a_wait_that_ends_without_a_change_answers_what_is_there)
{
    struct outcome o;
    open_view(1);
    up();
    read_as(&o, "k", 10, 50, 0);
    FAKE_WAIT(loop, o.answers);
    ck_assert_int_eq(o.err, CU_OK);
    ck_assert_str_eq(o.body, "0v");
    ck_assert_uint_eq(o.index, 10);
    FAKE_WAIT(loop, fakes[0]->gone == 1);
    close_view();
}
END_TEST

static struct outcome second;

static void read_again(void *arg, const struct cu_view_answer *answer)
{
    done(arg, answer);
    cu_view_cancel(&second.read); /* of the same upstream wait: not told yet */
}

START_TEST(a_reader_that_is_told_may_cancel_another_of_the_same_wait)
{
    struct outcome first;
    open_view(1);
    up();
    read_as(&second, "k", 10, LONG_MS, 0);
    read_as(&first, "k", 10, LONG_MS, 0); /* told first: the last to come */
    first.read.done = read_again;
    FAKE_WAIT(loop, fakes[0]->wait_count == 1);
    fake_catalog_change(fakes[0], "w");
    FAKE_WAIT(loop, first.answers);
    ck_assert_uint_eq(second.answers, 0);
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
           waits_share_one_upstream_wait_and_end_together_contracts_7_3,
           who_joins_a_wait_whose_answer_is_on_its_way_misses_no_later_write_contracts_7_3,
           a_waiter_with_a_lower_index_is_answered_at_once_contracts_7_3,
           waits_that_differ_in_their_index_share_one_upstream_wait_contracts_7_3,
           a_lower_waiter_that_must_hang_lowers_the_upstream_wait_contracts_7_3,
           an_index_above_all_is_answered_with_the_true_one_contracts_7_5,
           an_index_that_the_state_reaches_in_time_hangs_as_usual_contracts_7_5,
           whoever_waits_is_woken_by_the_first_change_above_its_index,
           the_last_waiter_that_leaves_cancels_upstream_contracts_7_3,
           a_wait_that_ends_without_a_change_answers_what_is_there,
           a_reader_that_is_told_may_cancel_another_of_the_same_wait,
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
