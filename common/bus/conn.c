#include "common/bus/conn.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/bus/frame.h"
#include "common/bus/parts.h"
#include "common/bus/sender.h"

enum {
    CREDIT_BACK_BYTES = CU_BUS_BYTE_CREDIT / 8, /* given back in one frame, not with each message */
    KEEP_BUF_BYTES = 1024 * 1024,
    PONGS_MAX_BYTES = 1024 * 1024, /* answers to pings of a peer that does not read */
};

/* WAITING for HELLO -> UP -> LEAVING (GOAWAY sent) -> DOWN; any -> DOWN; any -> CLOSED, our owner
 * let go. */
enum state { WAITING, UP, LEAVING, DOWN, CLOSED };

struct cu_conn {
    struct cu_loop *loop;
    struct cu_stream *stream; /* NULL once closed */
    const struct cu_conn_events *events;
    void *arg;
    bool dialled, refuse_other_cluster;
    enum state state;
    unsigned busy; /* within events: freed when the outermost ends */
    struct cu_hello ours, theirs;
    struct cu_sender sender;
    struct cu_parts parts;
    struct cu_buf in; /* the beginning of a frame whose end is still to come */
    uint64_t credit_left, credit_owed;
    struct cu_mono received_at;
    struct cu_turn_hook flush_hook;
    struct cu_timer timer;
    uint32_t ping_ms, silence_ms;
    enum cu_err leaving_err;
    struct cu_diag leaving_why;
    uint64_t frames_in, bytes_in, sends;
};

/* ---- life ---- */

static void free_if_done(struct cu_conn *c)
{
    if (c->state != CLOSED || c->busy)
        return;
    cu_turn_hook_cancel(c->loop, &c->flush_hook);
    cu_timer_close(&c->timer);
    cu_sender_deinit(&c->sender);
    cu_parts_deinit(&c->parts);
    cu_buf_deinit(&c->in);
    cu_hello_deinit(&c->theirs);
    free(c);
}

void cu_conn_close(struct cu_conn *c)
{
    if (!c || c->state == CLOSED)
        return;
    c->state = CLOSED;
    c->stream->ops->close(c->stream);
    c->stream = NULL;
    free_if_done(c);
}

static void end(struct cu_conn *c)
{
    c->busy--;
    free_if_done(c);
}

static void go_down(struct cu_conn *c, enum cu_err err, const char *why)
{
    if (c->state == DOWN || c->state == CLOSED)
        return;
    c->state = DOWN;
    cu_timer_cancel(&c->timer);
    c->events->down(c->arg, c, err ? err : CU_E_DISCONNECTED, why);
}

static void ask_flush(struct cu_conn *c)
{
    cu_loop_at_turn_last(c->loop, &c->flush_hook);
}

void cu_conn_goaway(struct cu_conn *c, enum cu_err err, const char *text)
{
    if (c->state != WAITING && c->state != UP)
        return;
    c->state = LEAVING;
    c->leaving_err = cu_fail(&c->leaving_why, err, "%s", text);
    cu_goaway_append(&c->sender.out.buf, err, text);
    c->sender.frames++;
    cu_timer_set_ms(&c->timer, CU_BUS_GOAWAY_MS);
    ask_flush(c);
}

static void violated(struct cu_conn *c, const char *what)
{
    cu_conn_goaway(c, CU_E_INVALID, what);
}

/* ---- out ---- */

static void give_credit_back(struct cu_conn *c)
{
    if (c->credit_owed < CREDIT_BACK_BYTES || c->state != UP)
        return;
    cu_credit_append(&c->sender.out.buf, c->credit_owed);
    c->sender.frames++;
    c->credit_left += c->credit_owed;
    c->credit_owed = 0;
}

static void tidy(struct cu_out *out)
{
    if (cu_out_waiting(out)) {
        /* What is left is moved down only when it is the smaller half. */
        if (out->at > out->buf.len / 2) {
            cu_buf_drop_front(&out->buf, out->at);
            out->at = 0;
        }
        return;
    }
    out->at = 0;
    if (out->buf.cap > KEEP_BUF_BYTES)
        cu_buf_deinit(&out->buf);
    else
        cu_buf_clear(&out->buf);
}

/* One send, at the end of the turn; more only for messages in parts that the transport takes. */
static void flush(void *arg)
{
    struct cu_conn *c = arg;
    if (!c->stream || c->state == DOWN)
        return;
    c->busy++;
    give_credit_back(c);
    do {
        if (c->state == UP)
            cu_sender_pump(&c->sender);
        if (!cu_out_waiting(&c->sender.out))
            break;
        c->sends++;
        c->stream->ops->send(c->stream, &c->sender.out);
        tidy(&c->sender.out);
    } while (!cu_out_waiting(&c->sender.out));
    end(c);
}

size_t cu_body_len(const struct cu_body *body)
{
    return body->message ? protobuf_c_message_get_packed_size(body->message) : body->packed.len;
}

static enum cu_err put(struct cu_conn *c, const struct cu_message *m, size_t head_len,
                       uint64_t *ret_mark)
{
    CU_ASSERT(c->state != WAITING);
    if (head_len > CU_BUS_HEAD_MAX_BYTES || m->body_len > c->theirs.max_message_bytes ||
        m->body_len + head_len > c->theirs.max_message_bytes)
        return CU_E_TOO_LARGE;
    *ret_mark = CU_MARK_QUEUED;
    if (c->state != UP)
        return CU_OK; /* on its way down: the owner hears of it */
    *ret_mark = cu_sender_put(&c->sender, m);
    if (c->sender.waiting_bytes > CU_BUS_QUEUE_MAX_BYTES)
        cu_conn_goaway(c, CU_E_OVERLOADED, "the peer does not take what it asked for");
    ask_flush(c);
    return CU_OK;
}

enum cu_err cu_conn_call(struct cu_conn *c, uint64_t id, const struct cu_envelope *head,
                         const struct cu_body *body, uint64_t *ret_mark)
{
    struct cu_message m = {
        .kind = CU_FRAME_CALL, .id = id, .call = head, .body = body, .body_len = head->body_len};
    return put(c, &m, cu_envelope_head_max(head), ret_mark);
}

enum cu_err cu_conn_reply(struct cu_conn *c, uint64_t id, const struct cu_reply *head,
                          const struct cu_body *body)
{
    uint64_t mark;
    struct cu_message m = {
        .kind = CU_FRAME_REPLY, .id = id, .reply = head, .body = body, .body_len = head->body_len};
    return put(c, &m, cu_reply_head_max(head), &mark);
}

static void put_empty(struct cu_conn *c, enum cu_frame_kind kind, uint64_t id)
{
    cu_frame_append(&c->sender.out.buf, &(struct cu_frame){.kind = kind, .id = id});
    c->sender.frames++;
    ask_flush(c);
}

void cu_conn_cancel(struct cu_conn *c, uint64_t id)
{
    bool begun = true;
    if (c->state != UP)
        return;
    cu_parts_discard(&c->parts, id); /* the reply, if it is arriving */
    (void)cu_sender_take_back(&c->sender, id, &begun);
    if (begun)
        put_empty(c, CU_FRAME_CANCEL, id);
}

bool cu_conn_was_sent(const struct cu_conn *c, uint64_t id, uint64_t mark)
{
    return cu_sender_was_handed(&c->sender, id, mark);
}

/* ---- in ---- */

static void refuse(struct cu_conn *c, uint64_t id, enum cu_err err, const char *text)
{
    struct cu_reply reply = {.error = cu_err_to_wire(err), .text = cu_bytes_of(text)};
    struct cu_body none = {0};
    enum cu_err failed = cu_conn_reply(c, id, &reply, &none);
    CU_ASSERT(!failed); /* a sentence of ours is below every limit */
}

static bool charge(struct cu_conn *c, size_t bytes)
{
    if (bytes > c->credit_left) {
        violated(c, "more bytes than the credit given");
        return false;
    }
    c->credit_left -= bytes;
    c->credit_owed += bytes;
    if (c->credit_owed >= CREDIT_BACK_BYTES)
        ask_flush(c);
    return true;
}

static bool may_begin_parts(struct cu_conn *c)
{
    if (cu_parts_count(&c->parts) < CU_BUS_PARTS_MAX)
        return true;
    violated(c, "too many messages in parts at once");
    return false;
}

static void first_of_call(struct cu_conn *c, const struct cu_frame *f)
{
    struct cu_envelope call;
    struct cu_admission admission = {0};
    if (!cu_envelope_parse(f->payload, f->more, &call)) {
        violated(c, "a CALL that is no envelope");
        return;
    }
    if (f->more && !may_begin_parts(c))
        return;
    c->events->admit(c->arg, c, &call, &admission);
    if (c->state != UP)
        return;
    if (!admission.err && call.body_len > admission.body_limit)
        admission = (struct cu_admission){CU_E_TOO_LARGE, "the request is over its limit", 0};
    if (!admission.err && f->more &&
        c->parts.reserved + admission.body_limit > CU_BUS_RESERVE_BYTES)
        admission = (struct cu_admission){
            CU_E_OVERLOADED, "too many large requests on this connection, retry later", 0};
    if (admission.err) {
        refuse(c, f->id, admission.err, admission.text);
        if (f->more)
            (void)cu_parts_begin_discard(&c->parts, f->id);
    } else if (f->more) {
        struct cu_part *part =
            cu_parts_begin(&c->parts, f->id, call.whole_len, admission.body_limit);
        (void)cu_part_add(part, f->payload); /* whole_len was computed from it */
    } else {
        c->events->call(c->arg, c, f->id, &call);
    }
}

static void first_of_reply(struct cu_conn *c, const struct cu_frame *f)
{
    struct cu_reply reply;
    if (!cu_reply_parse(f->payload, f->more, &reply)) {
        violated(c, "a REPLY that is none");
    } else if (!f->more) {
        c->events->reply(c->arg, c, f->id, &reply);
    } else if (reply.whole_len > CU_BUS_MESSAGE_MAX_BYTES) {
        violated(c, "a REPLY over the limit of a message");
    } else if (may_begin_parts(c)) {
        if (c->events->expects(c->arg, c, f->id))
            (void)cu_part_add(cu_parts_begin(&c->parts, f->id, reply.whole_len, 0), f->payload);
        else
            (void)cu_parts_begin_discard(&c->parts, f->id);
    }
}

static void deliver_parts(struct cu_conn *c, uint64_t id, struct cu_bytes whole)
{
    struct cu_envelope call;
    struct cu_reply reply;
    if (!c->dialled && cu_envelope_parse(whole, false, &call))
        c->events->call(c->arg, c, id, &call);
    else if (c->dialled && cu_reply_parse(whole, false, &reply))
        c->events->reply(c->arg, c, id, &reply);
    else
        violated(c, "a message in parts that does not parse");
}

static void next_part(struct cu_conn *c, const struct cu_frame *f, struct cu_part *part)
{
    if (!cu_part_add(part, f->payload)) {
        violated(c, "parts over the length announced");
        return;
    }
    if (f->more)
        return;
    if (!part->discard && part->bytes.len != part->whole_len) {
        violated(c, "parts short of the length announced");
        return;
    }
    struct cu_buf whole = part->bytes;
    bool discard = part->discard;
    part->bytes = (struct cu_buf){0};
    cu_parts_end(&c->parts, f->id);
    if (!discard)
        deliver_parts(c, f->id, cu_buf_bytes(&whole));
    cu_buf_deinit(&whole);
}

static void on_message(struct cu_conn *c, const struct cu_frame *f)
{
    if ((f->kind == CU_FRAME_REPLY) != c->dialled) {
        violated(c, "a call to who only calls, or a reply to who only answers");
        return;
    }
    if (!charge(c, f->payload.len))
        return;
    struct cu_part *part = cu_parts_find(&c->parts, f->id);
    if (part)
        next_part(c, f, part);
    else if (f->kind == CU_FRAME_CALL)
        first_of_call(c, f);
    else
        first_of_reply(c, f);
}

static void on_cancel(struct cu_conn *c, const struct cu_frame *f)
{
    bool begun;
    if (c->dialled) {
        violated(c, "a CANCEL to who only calls");
        return;
    }
    if (cu_parts_find(&c->parts, f->id))
        cu_parts_end(&c->parts, f->id);
    else if (!cu_sender_take_back(&c->sender, f->id, &begun))
        c->events->cancel(c->arg, c, f->id);
}

static void on_ping(struct cu_conn *c, const struct cu_frame *f)
{
    if (cu_out_waiting(&c->sender.out) > PONGS_MAX_BYTES + CU_BUS_BYTE_CREDIT)
        violated(c, "pings whose answers are not read");
    else
        put_empty(c, CU_FRAME_PONG, f->id);
}

static void on_pong(struct cu_conn *c, const struct cu_frame *f)
{
    (void)c; /* that something came has been noted */
    (void)f;
}

static void on_credit(struct cu_conn *c, const struct cu_frame *f)
{
    uint64_t bytes;
    if (cu_credit_parse(f->payload, &bytes) != CU_OK || bytes > UINT64_MAX / 2 - c->sender.credit) {
        violated(c, "a CREDIT that is none");
        return;
    }
    c->sender.credit += bytes;
    if (c->sender.queue)
        ask_flush(c);
}

static void on_goaway(struct cu_conn *c, const struct cu_frame *f)
{
    enum cu_err err = CU_E_DISCONNECTED;
    struct cu_diag why = {0};
    if (cu_goaway_parse(f->payload, &err, &why) != CU_OK)
        (void)cu_fail(&why, err, "a GOAWAY that is none");
    go_down(c, err, why.text);
}

static void on_hello(struct cu_conn *c, const struct cu_frame *f)
{
    const char *why = "";
    if (c->state == UP) {
        violated(c, "a second HELLO");
        return;
    }
    if (cu_hello_parse(f->payload, &c->theirs) != CU_OK) {
        violated(c, "a HELLO that is none");
        return;
    }
    bool raftds = c->refuse_other_cluster && strcmp(c->ours.daemon, c->theirs.daemon) == 0;
    if (!cu_hello_agree(&c->ours, &c->theirs, raftds, &why)) {
        cu_conn_goaway(c, CU_E_CONFLICT, why);
        return;
    }
    if (c->theirs.byte_credit < CU_FRAME_MAX_BYTES || c->theirs.byte_credit > UINT64_MAX / 4 ||
        c->theirs.max_message_bytes < CU_FRAME_MAX_BYTES) {
        violated(c, "a HELLO whose limits are below one frame");
        return;
    }
    c->state = UP;
    c->sender.credit = c->theirs.byte_credit;
    cu_timer_cancel(&c->timer);
    if (!c->stream->is_local)
        cu_timer_set_ms(&c->timer, c->ping_ms);
    c->events->up(c->arg, c);
}

static void handle(struct cu_conn *c, const struct cu_frame *f)
{
    /* clang-format off */
    static void (*const handlers[CU_FRAME_KIND_END])(struct cu_conn *, const struct cu_frame *) = {
        [CU_FRAME_HELLO]  = on_hello,
        [CU_FRAME_CALL]   = on_message,
        [CU_FRAME_REPLY]  = on_message,
        [CU_FRAME_CANCEL] = on_cancel,
        [CU_FRAME_PING]   = on_ping,
        [CU_FRAME_PONG]   = on_pong,
        [CU_FRAME_CREDIT] = on_credit,
        [CU_FRAME_GOAWAY] = on_goaway,
    };
    /* clang-format on */
    c->frames_in++;
    if (c->state == WAITING && f->kind != CU_FRAME_HELLO && f->kind != CU_FRAME_GOAWAY)
        violated(c, "the first frame is not HELLO");
    else
        handlers[f->kind](c, f);
}

/* Works off whole frames; returns how many bytes they were. */
static size_t consume(struct cu_conn *c, struct cu_bytes bytes)
{
    size_t done = 0;
    while (c->state == WAITING || c->state == UP) {
        struct cu_frame frame;
        size_t used = 0;
        const char *why = "";
        struct cu_bytes rest = {bytes.data + done, bytes.len - done};
        enum cu_frame_outcome outcome = cu_frame_parse(rest, &frame, &used, &why);
        if (outcome == CU_FRAME_PARTIAL)
            return done;
        if (outcome == CU_FRAME_BAD) {
            violated(c, why);
            break;
        }
        handle(c, &frame);
        done += used;
    }
    return bytes.len; /* what comes behind the end of a connection is not looked at */
}

static void received(void *arg, struct cu_bytes bytes)
{
    struct cu_conn *c = arg;
    c->busy++;
    c->received_at = cu_loop_now(c->loop);
    c->bytes_in += bytes.len;
    if (!c->in.len) {
        size_t done = consume(c, bytes);
        cu_buf_append(&c->in, bytes.data + done, bytes.len - done);
    } else {
        cu_buf_append(&c->in, bytes.data, bytes.len);
        cu_buf_drop_front(&c->in, consume(c, cu_buf_bytes(&c->in)));
    }
    end(c);
}

static void writable(void *arg)
{
    flush(arg);
}

static void lost(void *arg, const char *why)
{
    struct cu_conn *c = arg;
    c->busy++;
    if (c->state == LEAVING)
        go_down(c, c->leaving_err, c->leaving_why.text);
    else
        go_down(c, CU_E_DISCONNECTED, why);
    end(c);
}

static void ping_if_silent(struct cu_conn *c)
{
    uint64_t silent_ms = cu_mono_ms_between(c->received_at, cu_loop_now(c->loop));
    if (silent_ms >= c->silence_ms) {
        go_down(c, CU_E_DISCONNECTED, "no sign of life from the peer");
        return;
    }
    if (silent_ms >= c->ping_ms)
        put_empty(c, CU_FRAME_PING, 0);
    cu_timer_set_ms(&c->timer, c->ping_ms);
}

static void time_passed(void *arg)
{
    struct cu_conn *c = arg;
    c->busy++;
    if (c->state == WAITING)
        go_down(c, CU_E_DISCONNECTED, "no HELLO in time");
    else if (c->state == LEAVING)
        go_down(c, c->leaving_err, c->leaving_why.text);
    else if (c->state == UP)
        ping_if_silent(c);
    end(c);
}

struct cu_conn *cu_conn_new(const struct cu_conn_options *o)
{
    struct cu_conn *c = cu_alloc(sizeof *c);
    *c = (struct cu_conn){.loop = o->loop,
                          .stream = o->stream,
                          .events = o->events,
                          .arg = o->arg,
                          .dialled = o->dialled,
                          .refuse_other_cluster = o->refuse_other_cluster,
                          .ours = o->hello,
                          .credit_left = CU_BUS_BYTE_CREDIT,
                          .ping_ms = o->ping_ms ? o->ping_ms : CU_BUS_PING_MS,
                          .silence_ms = o->silence_ms ? o->silence_ms : CU_BUS_SILENCE_MS};
    c->received_at = cu_loop_now(o->loop);
    c->flush_hook = (struct cu_turn_hook){.fn = flush, .arg = c};
    cu_timer_init(&c->timer, o->loop, time_passed, c);
    cu_timer_set_ms(&c->timer, o->hello_ms ? o->hello_ms : CU_BUS_HELLO_MS);
    c->stream->events = (struct cu_stream_events){c, received, writable, lost};
    cu_hello_append(&c->sender.out.buf, &o->hello);
    c->sender.frames++;
    c->stream->ops->start(c->stream);
    ask_flush(c);
    return c;
}

bool cu_conn_is_up(const struct cu_conn *c)
{
    return c->state == UP;
}

const struct cu_stream *cu_conn_stream(const struct cu_conn *c)
{
    return c->stream;
}

const struct cu_hello *cu_conn_peer_hello(const struct cu_conn *c)
{
    return &c->theirs;
}

struct cu_mono cu_conn_received_at(const struct cu_conn *c)
{
    return c->received_at;
}

void cu_conn_stats(const struct cu_conn *c, struct cu_conn_stats *ret_stats)
{
    *ret_stats = (struct cu_conn_stats){
        .frames_in = c->frames_in,
        .frames_out = c->sender.frames,
        .bytes_in = c->bytes_in,
        .bytes_out = c->sender.out.handed,
        .sends = c->sends,
        .waiting_bytes = c->sender.waiting_bytes,
    };
}
