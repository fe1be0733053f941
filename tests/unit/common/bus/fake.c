#include "tests/unit/common/bus/fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

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

struct cu_hello fake_hello(const char *daemon)
{
    struct cu_hello h = {.bus_major = CU_BUS_MAJOR,
                         .call_credit = 10,
                         .follow_credit = 10,
                         .byte_credit = CU_BUS_BYTE_CREDIT,
                         .max_message_bytes = CU_BUS_MESSAGE_MAX_BYTES};
    strcpy(h.daemon, daemon);
    return h;
}

struct fake *fake_new(const struct seed *seed)
{
    struct fake *f = cu_alloc(sizeof *f);
    f->loop = cu_loop_new();
    f->room = SIZE_MAX;
    f->stream.ops = &ops;
    f->stream.is_local = !seed->remote;
    f->conn = cu_conn_new(&(struct cu_conn_options){
        .loop = f->loop,
        .stream = &f->stream,
        .hello = seed->ours.bus_major ? seed->ours : fake_hello("raftd"),
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

void fake_turn(struct fake *f)
{
    cu_loop_turn(f->loop, false);
}

void fake_feed(struct fake *f, const struct cu_buf *bytes)
{
    f->stream.events.received(f->stream.events.arg, cu_buf_bytes(bytes));
}

void fake_feed_frame(struct fake *f, const struct cu_frame *frame)
{
    struct cu_buf out = {0};
    cu_frame_append(&out, frame);
    fake_feed(f, &out);
    cu_buf_deinit(&out);
}

void fake_feed_hello(struct fake *f, const struct cu_hello *theirs)
{
    struct cu_buf out = {0};
    cu_hello_append(&out, theirs);
    fake_feed(f, &out);
    cu_buf_deinit(&out);
}

struct fake *fake_up(const struct seed *seed)
{
    struct fake *f = fake_new(seed);
    struct cu_hello theirs = fake_hello("catalogd");
    fake_feed_hello(f, &theirs);
    fake_turn(f);
    ck_assert_uint_eq(f->ups, 1);
    cu_buf_clear(&f->sent);
    f->sends = 0;
    return f;
}

void fake_free(struct fake *f)
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
struct cu_frame fake_sent(const struct fake *f, size_t n)
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

size_t fake_sent_count(const struct fake *f)
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
void fake_assert_goaway(struct fake *f, const char *what)
{
    fake_turn(f);
    struct cu_frame last = fake_sent(f, fake_sent_count(f) - 1);
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
void fake_append_call(struct cu_buf *out, uint64_t id, const char *method, size_t body_len)
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

void fake_feed_call(struct fake *f, uint64_t id, const char *method, size_t body_len)
{
    struct cu_buf out = {0};
    fake_append_call(&out, id, method, body_len);
    fake_feed(f, &out);
    cu_buf_deinit(&out);
}

void fake_call(struct fake *f, uint64_t id, const char *method, size_t body_len, uint64_t *mark)
{
    uint8_t *body = calloc(1, body_len + 1);
    struct cu_envelope head = {
        .method = cu_bytes_of(method), .timeout_ms = 1000, .body_len = body_len};
    enum cu_err err =
        cu_conn_call(f->conn, id, &head, &(struct cu_body){.packed = {body, body_len}}, mark);
    ck_assert_int_eq(err, CU_OK);
    free(body);
}
