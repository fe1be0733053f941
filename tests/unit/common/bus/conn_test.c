/* A connection whose stream is the test: what comes in is fed, what goes out is kept. */
#include "common/bus/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/bus/frame.h"
#include "tests/lib/suite.h"

enum { LIMIT = 1408 * 1024 }; /* of a request's body */

struct fake {
    struct cu_stream stream; /* first */
    struct cu_loop *loop;
    struct cu_conn *conn;
    struct cu_buf sent;
    size_t room; /* bytes that the transport still takes */
    unsigned sends, ups, calls, cancels, replies, downs;
    enum cu_err down_err;
    char down_why[600];
    uint64_t last_id;
    size_t last_body_len;
    bool refuse, unexpected, gone_stream;
};

static void fake_start(struct cu_stream *stream)
{
    (void)stream;
}

static void fake_send(struct cu_stream *stream, struct cu_out *out)
{
    struct fake *f = (struct fake *)stream;
    size_t len = cu_out_waiting(out) < f->room ? cu_out_waiting(out) : f->room;
    f->sends++;
    f->room -= len;
    cu_buf_append(&f->sent, out->buf.data + out->at, len);
    out->at += len;
    out->handed += len;
}

static void fake_close(struct cu_stream *stream)
{
    ((struct fake *)stream)->gone_stream = true;
}

static void on_up(void *arg, struct cu_conn *conn)
{
    (void)conn;
    ((struct fake *)arg)->ups++;
}

static void on_admit(void *arg, struct cu_conn *conn, const struct cu_envelope *head,
                     struct cu_admission *ret_admission)
{
    (void)conn;
    (void)head;
    ret_admission->body_limit = LIMIT;
    if (((struct fake *)arg)->refuse)
        *ret_admission = (struct cu_admission){CU_E_DENIED, "not you", 0};
}

static void on_call(void *arg, struct cu_conn *conn, uint64_t id, const struct cu_envelope *call)
{
    struct fake *f = arg;
    (void)conn;
    f->calls++;
    f->last_id = id;
    f->last_body_len = call->body.len;
}

static void on_cancel(void *arg, struct cu_conn *conn, uint64_t id)
{
    (void)conn;
    ((struct fake *)arg)->cancels++;
    ((struct fake *)arg)->last_id = id;
}

static bool on_expects(void *arg, struct cu_conn *conn, uint64_t id)
{
    (void)conn;
    (void)id;
    return !((struct fake *)arg)->unexpected;
}

static void on_reply(void *arg, struct cu_conn *conn, uint64_t id, const struct cu_reply *reply)
{
    struct fake *f = arg;
    (void)conn;
    f->replies++;
    f->last_id = id;
    f->last_body_len = reply->body.len;
}

static void on_down(void *arg, struct cu_conn *conn, enum cu_err err, const char *why)
{
    struct fake *f = arg;
    f->downs++;
    f->down_err = err;
    snprintf(f->down_why, sizeof f->down_why, "%s", why);
    cu_conn_close(conn);
    f->conn = NULL;
}

static const struct cu_conn_events events = {on_up,      on_admit, on_call, on_cancel,
                                             on_expects, on_reply, on_down};
static const struct cu_stream_ops ops = {fake_start, fake_send, fake_close};

static struct cu_hello hello(const char *daemon)
{
    struct cu_hello h = {.bus_major = CU_BUS_MAJOR,
                         .call_credit = 10,
                         .follow_credit = 10,
                         .byte_credit = CU_BUS_BYTE_CREDIT,
                         .max_message_bytes = CU_BUS_MESSAGE_MAX_BYTES};
    strcpy(h.daemon, daemon);
    return h;
}

struct seed {
    bool dialled, strict, remote;
    struct cu_hello ours;
    uint32_t hello_ms, ping_ms, silence_ms;
};

static struct fake *fake_new(const struct seed *seed)
{
    struct fake *f = cu_alloc(sizeof *f);
    f->loop = cu_loop_new();
    f->room = SIZE_MAX;
    f->stream.ops = &ops;
    f->stream.is_local = !seed->remote;
    f->conn = cu_conn_new(&(struct cu_conn_options){
        .loop = f->loop,
        .stream = &f->stream,
        .hello = seed->ours.bus_major ? seed->ours : hello("raftd"),
        .dialled = seed->dialled,
        .refuse_other_cluster = seed->strict,
        .events = &events,
        .arg = f,
        .hello_ms = seed->hello_ms,
        .ping_ms = seed->ping_ms,
        .silence_ms = seed->silence_ms,
    });
    return f;
}

static void turn(struct fake *f)
{
    cu_loop_turn(f->loop, false);
}

static void feed(struct fake *f, const struct cu_buf *bytes)
{
    f->stream.events.received(f->stream.events.arg, cu_buf_bytes(bytes));
}

static void feed_frame(struct fake *f, const struct cu_frame *frame)
{
    struct cu_buf out = {0};
    cu_frame_append(&out, frame);
    feed(f, &out);
    cu_buf_deinit(&out);
}

static void feed_hello(struct fake *f, const struct cu_hello *theirs)
{
    struct cu_buf out = {0};
    cu_hello_append(&out, theirs);
    feed(f, &out);
    cu_buf_deinit(&out);
}

static struct fake *fake_up(const struct seed *seed)
{
    struct fake *f = fake_new(seed);
    struct cu_hello theirs = hello("catalogd");
    feed_hello(f, &theirs);
    turn(f);
    ck_assert_uint_eq(f->ups, 1);
    cu_buf_clear(&f->sent);
    f->sends = 0;
    return f;
}

static void fake_free(struct fake *f)
{
    cu_conn_close(f->conn);
    ck_assert(f->gone_stream);
    cu_loop_free(f->loop);
    cu_buf_deinit(&f->sent);
    free(f);
}

/* The peer closes; what the connection says then. */
static void lose(struct fake *f)
{
    f->stream.events.lost(f->stream.events.arg, "closed by the peer");
}

/* Frame `n` of what was sent. */
static struct cu_frame sent_frame(const struct fake *f, size_t n)
{
    struct cu_bytes rest = cu_buf_bytes(&f->sent);
    struct cu_frame frame = {0};
    size_t used = 0;
    const char *why = "";
    for (size_t i = 0; i <= n; i++) {
        rest = (struct cu_bytes){rest.data + used, rest.len - used};
        ck_assert_int_eq(cu_frame_parse(rest, &frame, &used, &why), CU_FRAME_WHOLE);
    }
    return frame;
}

static size_t sent_count(const struct fake *f)
{
    struct cu_bytes rest = cu_buf_bytes(&f->sent);
    struct cu_frame frame;
    size_t used = 0, count = 0;
    const char *why;
    while (cu_frame_parse(rest, &frame, &used, &why) == CU_FRAME_WHOLE) {
        rest = (struct cu_bytes){rest.data + used, rest.len - used};
        count++;
    }
    return count;
}

/* A GOAWAY has been sent whose text contains `what`; after it the connection goes down. */
static void assert_goaway(struct fake *f, const char *what)
{
    turn(f);
    struct cu_frame last = sent_frame(f, sent_count(f) - 1);
    enum cu_err err;
    struct cu_diag text = {0};
    ck_assert_int_eq(last.kind, CU_FRAME_GOAWAY);
    ck_assert_int_eq(cu_goaway_parse(last.payload, &err, &text), CU_OK);
    ck_assert_msg(strstr(text.text, what), "%s", text.text);
    ck_assert_uint_eq(f->downs, 0);
    lose(f);
    ck_assert_uint_eq(f->downs, 1);
    ck_assert_int_eq(f->down_err, err);
    ck_assert_str_eq(f->down_why, text.text);
}

/* One CALL of a body of `body_len` zeros, in as many parts as it takes; in `out`. */
static void append_call(struct cu_buf *out, uint64_t id, const char *method, size_t body_len)
{
    struct cu_buf message = {0};
    struct cu_envelope head = {
        .method = cu_bytes_of(method), .timeout_ms = 1000, .body_len = body_len};
    cu_buf_reserve(&message, cu_envelope_head_max(&head) + body_len);
    message.len = (size_t)(cu_envelope_write_head(message.data, &head) - message.data);
    memset(cu_buf_extend(&message, body_len), 0, body_len);
    for (size_t at = 0; at < message.len;) {
        size_t left = message.len - at;
        size_t len = left < CU_FRAME_PAYLOAD_MAX_BYTES ? left : CU_FRAME_PAYLOAD_MAX_BYTES;
        cu_frame_append(out, &(struct cu_frame){.kind = CU_FRAME_CALL,
                                                .more = len < left,
                                                .id = id,
                                                .payload = {message.data + at, len}});
        at += len;
    }
    cu_buf_deinit(&message);
}

static void feed_call(struct fake *f, uint64_t id, const char *method, size_t body_len)
{
    struct cu_buf out = {0};
    append_call(&out, id, method, body_len);
    feed(f, &out);
    cu_buf_deinit(&out);
}

static void call(struct fake *f, uint64_t id, const char *method, size_t body_len, uint64_t *mark)
{
    uint8_t *body = calloc(1, body_len + 1);
    struct cu_envelope head = {
        .method = cu_bytes_of(method), .timeout_ms = 1000, .body_len = body_len};
    enum cu_err err =
        cu_conn_call(f->conn, id, &head, &(struct cu_body){.packed = {body, body_len}}, mark);
    ck_assert_int_eq(err, CU_OK);
    free(body);
}

/* ---- 1.1, 1.2 ---- */

START_TEST(a_call_may_arrive_byte_by_byte)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_buf out = {0};
    append_call(&out, 7, "Kv.Put", 70000);
    for (size_t i = 0; i < out.len; i++)
        f->stream.events.received(f->stream.events.arg, (struct cu_bytes){out.data + i, 1});
    ck_assert_uint_eq(f->calls, 1);
    ck_assert_uint_eq(f->last_id, 7);
    ck_assert_uint_eq(f->last_body_len, 70000);
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

START_TEST(other_frames_go_between_the_parts_of_a_long_message)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t mark;
    call(f, 1, "Kv.Put", 200000, &mark);
    call(f, 2, "Kv.Get", 10, &mark);
    turn(f);
    ck_assert_uint_eq(sent_frame(f, 0).id, 1);
    ck_assert(sent_frame(f, 0).more);
    ck_assert_uint_eq(sent_frame(f, 1).id, 2);
    ck_assert(!sent_frame(f, 1).more);
    ck_assert_uint_eq(sent_count(f), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_le(sent_frame(f, i).payload.len, CU_FRAME_PAYLOAD_MAX_BYTES);
    fake_free(f);
}
END_TEST

START_TEST(calls_of_one_method_do_not_overtake_each_other)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t mark;
    call(f, 1, "Raft.Append", 200000, &mark);
    call(f, 2, "Raft.Append", 10, &mark);
    call(f, 3, "Raft.Vote", 10, &mark);
    turn(f);
    ck_assert_uint_eq(sent_frame(f, 1).id, 3);
    ck_assert_uint_eq(sent_frame(f, sent_count(f) - 1).id, 2);
    fake_free(f);
}
END_TEST

START_TEST(frames_of_a_turn_leave_in_one_send_contracts_1_7)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t mark;
    for (uint64_t id = 1; id <= 64; id++)
        call(f, id, "Kv.Get", 100, &mark);
    ck_assert_uint_eq(f->sends, 0);
    turn(f);
    ck_assert_uint_eq(f->sends, 1);
    ck_assert_uint_eq(sent_count(f), 64);
    fake_free(f);
}
END_TEST

/* ---- 1.3 ---- */

START_TEST(knows_whether_a_byte_of_a_call_was_handed_over)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    uint64_t first, second;
    f->room = 10;
    call(f, 1, "Kv.Get", 100, &first);
    call(f, 2, "Kv.Get", 100, &second);
    ck_assert(!cu_conn_was_sent(f->conn, 1, first));
    turn(f);
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
    call(f, 1, "Kv.Put", 200000, &mark);
    call(f, 2, "Kv.Put", 200000, &mark);
    cu_conn_cancel(f->conn, 2);
    f->room = 1000; /* of 1 some frames are cut */
    turn(f);
    cu_conn_cancel(f->conn, 1);
    f->room = SIZE_MAX;
    f->stream.events.writable(f->stream.events.arg);
    turn(f);
    size_t count = sent_count(f);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(sent_frame(f, i).id, 1);
    ck_assert_int_eq(sent_frame(f, count - 1).kind, CU_FRAME_CANCEL);
    fake_free(f);
}
END_TEST

START_TEST(a_cancel_ends_a_call_whose_parts_are_arriving)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_buf out = {0};
    append_call(&out, 1, "Kv.Put", 200000);
    out.len = CU_FRAME_MAX_BYTES; /* the first part */
    feed(f, &out);
    feed_frame(f, &(struct cu_frame){.kind = CU_FRAME_CANCEL, .id = 1});
    ck_assert_uint_eq(f->cancels, 0); /* nobody was told of it yet */
    feed_call(f, 2, "Kv.Put", 10);
    ck_assert_uint_eq(f->calls, 1);
    feed_frame(f, &(struct cu_frame){.kind = CU_FRAME_CANCEL, .id = 2});
    ck_assert_uint_eq(f->cancels, 1);
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

/* ---- 1.4 ---- */

START_TEST(waits_without_credit_and_goes_on_with_it)
{
    struct fake *f = fake_new(&(struct seed){.dialled = true});
    struct cu_hello theirs = hello("catalogd");
    uint64_t mark;
    theirs.byte_credit = CU_FRAME_MAX_BYTES;
    feed_hello(f, &theirs);
    turn(f);
    cu_buf_clear(&f->sent);
    call(f, 1, "Kv.Put", 200000, &mark);
    turn(f);
    ck_assert_uint_eq(sent_count(f), 1); /* one whole frame fits into the credit */
    call(f, 2, "Kv.Get", 10, &mark);
    turn(f);
    ck_assert_uint_eq(sent_count(f), 1);
    struct cu_buf credit = {0};
    cu_credit_append(&credit, 1000000);
    feed(f, &credit);
    turn(f);
    ck_assert_uint_eq(sent_count(f), 5);
    cu_buf_deinit(&credit);
    fake_free(f);
}
END_TEST

START_TEST(gives_credit_back_as_soon_as_bytes_are_copied)
{
    struct fake *f = fake_up(&(struct seed){0});
    uint64_t given = 0, got;
    for (uint64_t id = 1; id <= 20; id++) {
        feed_call(f, id, "Kv.Put", 1000000); /* 20 MB over a credit of 4 MiB: nobody has answered */
        turn(f);
    }
    ck_assert_uint_eq(f->calls, 20);
    for (size_t i = 0; i < sent_count(f); i++) {
        struct cu_frame frame = sent_frame(f, i);
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
        append_call(&out, id, "Kv.Put", 1200000); /* in one turn, so no credit has gone back */
    feed(f, &out);
    ck_assert_uint_eq(f->calls, 3);
    assert_goaway(f, "more bytes than the credit given");
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

START_TEST(takes_a_request_at_its_limit_and_refuses_a_byte_more_contracts_2_5)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_reply reply;
    feed_call(f, 1, "Kv.Put", LIMIT);
    turn(f);
    ck_assert_uint_eq(f->calls, 1);
    cu_buf_clear(&f->sent);
    feed_call(f, 2, "Kv.Put", LIMIT + 1);
    turn(f);
    ck_assert_uint_eq(f->calls, 1);
    struct cu_frame frame = sent_frame(f, 0);
    if (frame.kind == CU_FRAME_CREDIT)
        frame = sent_frame(f, 1);
    ck_assert_int_eq(frame.kind, CU_FRAME_REPLY);
    ck_assert(cu_reply_parse(frame.payload, false, &reply));
    ck_assert_uint_eq(reply.error, CU_E_TOO_LARGE);
    feed_call(f, 3, "Kv.Put", 5); /* the parts of 2 were passed over */
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
        append_call(&out, id, "Kv.Put", LIMIT);
        out.len = CU_FRAME_MAX_BYTES; /* only its first part */
        feed(f, &out);
        turn(f);
        cu_buf_deinit(&out);
    }
    struct cu_frame frame = sent_frame(f, sent_count(f) - 1);
    ck_assert_int_eq(frame.kind, CU_FRAME_REPLY);
    ck_assert_uint_eq(frame.id, room + 1);
    ck_assert(cu_reply_parse(frame.payload, false, &reply));
    ck_assert_uint_eq(reply.error, CU_E_OVERLOADED);
    /* The rest of the first and of the refused one: one is a call, the other is passed over. */
    append_call(&all, 1, "Kv.Put", LIMIT);
    cu_buf_drop_front(&all, CU_FRAME_MAX_BYTES);
    feed(f, &all);
    cu_buf_clear(&all);
    append_call(&all, room + 1, "Kv.Put", LIMIT);
    cu_buf_drop_front(&all, CU_FRAME_MAX_BYTES);
    feed(f, &all);
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
        feed_frame(f, &(struct cu_frame){CU_FRAME_REPLY, true, 9, {message.data, 60000}});
        feed_frame(f, &(struct cu_frame){
                          CU_FRAME_REPLY, false, 9, {message.data + 60000, message.len - 60000}});
        cu_buf_deinit(&message);
    }
    ck_assert_uint_eq(f->replies, 1);
    ck_assert_uint_eq(f->last_body_len, 100000);
    fake_free(f);
}
END_TEST

/* ---- 1.5 and what nobody may send ---- */

START_TEST(hello_tells_who_we_are_and_comes_first)
{
    struct fake *f = fake_new(&(struct seed){0});
    struct cu_hello theirs;
    turn(f);
    struct cu_frame first = sent_frame(f, 0);
    ck_assert_int_eq(first.kind, CU_FRAME_HELLO);
    ck_assert_int_eq(cu_hello_parse(first.payload, &theirs), CU_OK);
    ck_assert_str_eq(theirs.daemon, "raftd");
    ck_assert_uint_eq(theirs.bus_major, CU_BUS_MAJOR);
    ck_assert(!cu_conn_is_up(f->conn));
    cu_hello_deinit(&theirs);
    fake_free(f);
}
END_TEST

START_TEST(another_major_version_is_sent_away)
{
    struct fake *f = fake_new(&(struct seed){0});
    struct cu_hello theirs = hello("catalogd");
    theirs.bus_major = CU_BUS_MAJOR + 1;
    feed_hello(f, &theirs);
    ck_assert_uint_eq(f->ups, 0);
    assert_goaway(f, "another major version");
    fake_free(f);
}
END_TEST

START_TEST(only_raftds_of_two_known_clusters_refuse_each_other)
{
    static const struct {
        const char *daemon;
        bool ours, theirs, strict, refused;
    } cases[] = {
        {"raftd", true, true, true, true},     {"raftd", false, true, true, false},
        {"raftd", true, false, true, false},   {"raftd", true, true, false, false},
        {"catalogd", true, true, true, false},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_hello ours = hello("raftd"), theirs = hello(cases[i].daemon);
        ours.has_cluster_id = cases[i].ours;
        theirs.has_cluster_id = cases[i].theirs;
        ours.cluster_id[0] = 1;
        theirs.cluster_id[0] = 2;
        struct fake *f = fake_new(&(struct seed){.strict = cases[i].strict, .ours = ours});
        feed_hello(f, &theirs);
        ck_assert_uint_eq(f->ups, !cases[i].refused);
        if (cases[i].refused)
            assert_goaway(f, "another cluster");
        fake_free(f);
    }
}
END_TEST

START_TEST(other_versions_levels_and_fields_are_only_information)
{
    struct fake *f = fake_new(&(struct seed){0});
    struct cu_hello theirs = hello("xyz");
    strcpy(theirs.suite_version, "99.0");
    theirs.feature_level = 99;
    feed_hello(f, &theirs);
    ck_assert_uint_eq(f->ups, 1);
    ck_assert_uint_eq(cu_conn_peer_hello(f->conn)->feature_level, 99);
    fake_free(f);
}
END_TEST

START_TEST(a_peer_that_breaks_the_rules_is_sent_away_with_the_reason)
{
    static const struct {
        bool dialled, before_hello;
        struct cu_frame frame;
        const char *why;
    } cases[] = {
        {false, true, {.kind = CU_FRAME_CALL}, "first frame is not HELLO"},
        {false, true, {.kind = CU_FRAME_PING}, "first frame is not HELLO"},
        {false, false, {.kind = CU_FRAME_HELLO}, "a second HELLO"},
        {false, false, {.kind = CU_FRAME_REPLY}, "a reply to who only answers"},
        {true, false, {.kind = CU_FRAME_CALL}, "a call to who only calls"},
        {true, false, {.kind = CU_FRAME_CANCEL}, "a CANCEL to who only calls"},
        {false,
         false,
         {.kind = CU_FRAME_CALL, .payload = {(const uint8_t *)"\x0a\x09", 2}},
         "no envelope"},
        {true,
         false,
         {.kind = CU_FRAME_REPLY, .payload = {(const uint8_t *)"\x0b", 1}},
         "a REPLY that is none"},
        {false,
         false,
         {.kind = CU_FRAME_CREDIT, .payload = {(const uint8_t *)"\x08", 1}},
         "a CREDIT that is none"},
        {false,
         false,
         {.kind = CU_FRAME_CREDIT,
          .payload = {(const uint8_t *)"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}},
         "a CREDIT that is none"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct seed seed = {.dialled = cases[i].dialled};
        struct fake *f = cases[i].before_hello ? fake_new(&seed) : fake_up(&seed);
        feed_frame(f, &cases[i].frame);
        assert_goaway(f, cases[i].why);
        fake_free(f);
    }
}
END_TEST

START_TEST(garbage_is_sent_away)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_buf out = {0};
    cu_buf_text(&out, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    feed(f, &out);
    assert_goaway(f, "a frame over 64 KiB");
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

START_TEST(a_hello_with_limits_below_a_frame_is_sent_away)
{
    struct fake *f = fake_new(&(struct seed){0});
    struct cu_hello theirs = hello("catalogd");
    theirs.byte_credit = CU_FRAME_MAX_BYTES - 1;
    feed_hello(f, &theirs);
    assert_goaway(f, "limits are below one frame");
    fake_free(f);
}
END_TEST

START_TEST(a_goaway_ends_the_connection_with_its_reason)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    struct cu_buf out = {0};
    cu_goaway_append(&out, CU_E_CONFLICT, "another cluster");
    feed(f, &out);
    ck_assert_uint_eq(f->downs, 1);
    ck_assert_int_eq(f->down_err, CU_E_CONFLICT);
    ck_assert_str_eq(f->down_why, "another cluster");
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

/* ---- silence ---- */

static void turn_until_down(struct fake *f)
{
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), 5000);
    while (!f->downs && cu_mono_before(cu_mono_now(), until))
        cu_loop_turn(f->loop, true);
    ck_assert_uint_eq(f->downs, 1);
}

START_TEST(who_does_not_say_hello_is_let_go)
{
    struct fake *f = fake_new(&(struct seed){.hello_ms = 20});
    turn_until_down(f);
    ck_assert_str_eq(f->down_why, "no HELLO in time");
    fake_free(f);
}
END_TEST

START_TEST(a_silent_remote_peer_is_pinged_and_then_lost)
{
    struct fake *f = fake_up(&(struct seed){.remote = true, .ping_ms = 10, .silence_ms = 60});
    turn_until_down(f);
    ck_assert_str_eq(f->down_why, "no sign of life from the peer");
    ck_assert_int_eq(sent_frame(f, 0).kind, CU_FRAME_PING);
    fake_free(f);
}
END_TEST

START_TEST(a_ping_is_answered)
{
    struct fake *f = fake_up(&(struct seed){0});
    feed_frame(f, &(struct cu_frame){.kind = CU_FRAME_PING, .id = 77});
    turn(f);
    ck_assert_int_eq(sent_frame(f, 0).kind, CU_FRAME_PONG);
    ck_assert_uint_eq(sent_frame(f, 0).id, 77);
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
    turn(f);
    ck_assert_uint_eq(sent_count(f), 0);
    free(token);
    fake_free(f);
}
END_TEST

SUITE_MAIN("common/bus/conn", a_call_may_arrive_byte_by_byte,
           other_frames_go_between_the_parts_of_a_long_message,
           calls_of_one_method_do_not_overtake_each_other,
           frames_of_a_turn_leave_in_one_send_contracts_1_7,
           knows_whether_a_byte_of_a_call_was_handed_over,
           a_cancel_takes_back_what_has_not_begun_and_tells_of_the_rest,
           a_cancel_ends_a_call_whose_parts_are_arriving, waits_without_credit_and_goes_on_with_it,
           gives_credit_back_as_soon_as_bytes_are_copied, a_peer_over_its_byte_credit_is_sent_away,
           takes_a_request_at_its_limit_and_refuses_a_byte_more_contracts_2_5,
           large_calls_without_room_are_answered_overloaded,
           a_reply_in_parts_is_put_together_or_passed_over, hello_tells_who_we_are_and_comes_first,
           another_major_version_is_sent_away, only_raftds_of_two_known_clusters_refuse_each_other,
           other_versions_levels_and_fields_are_only_information,
           a_peer_that_breaks_the_rules_is_sent_away_with_the_reason, garbage_is_sent_away,
           a_hello_with_limits_below_a_frame_is_sent_away,
           a_goaway_ends_the_connection_with_its_reason, who_does_not_say_hello_is_let_go,
           a_silent_remote_peer_is_pinged_and_then_lost, a_ping_is_answered,
           a_message_over_the_limits_is_not_sent)
