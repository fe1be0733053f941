/* frame_fuzz.c - what a peer may send: frames, and a connection that takes them in either role. */
#include <stdlib.h>
#include <string.h>

#include "common/bus/conn.h"
#include "common/bus/frame.h"
#include "tests/fuzz/fuzz.h"

enum { BODY_LIMIT = 64 * 1024, CHUNK = 1000 };

struct peer {
    struct cu_stream stream; /* first */
    struct cu_conn *conn;
};

static void start(struct cu_stream *stream)
{
    (void)stream;
}

static void take_all(struct cu_stream *stream, struct cu_out *out)
{
    (void)stream;
    out->handed += cu_out_waiting(out);
    out->at = out->buf.len;
}

static void up(void *arg, struct cu_conn *conn)
{
    (void)arg;
    (void)conn;
}

static void admit(void *arg, struct cu_conn *conn, const struct cu_envelope *head,
                  struct cu_admission *ret_admission)
{
    (void)arg;
    (void)conn;
    ret_admission->body_limit = BODY_LIMIT;
    if (head->hops > 3)
        *ret_admission = (struct cu_admission){CU_E_DENIED, "no", 0};
}

static void call(void *arg, struct cu_conn *conn, uint64_t id, const struct cu_envelope *call)
{
    struct cu_reply reply = {.index = 1, .body_len = call->body.len};
    (void)arg;
    if (cu_conn_reply(conn, id, &reply, &(struct cu_body){.packed = call->body}) != CU_OK)
        abort();
}

static void cancel(void *arg, struct cu_conn *conn, uint64_t id)
{
    (void)arg;
    (void)conn;
    (void)id;
}

static bool expects(void *arg, struct cu_conn *conn, uint64_t id)
{
    (void)arg;
    (void)conn;
    return id % 2;
}

static void reply(void *arg, struct cu_conn *conn, uint64_t id, const struct cu_reply *reply)
{
    (void)arg;
    (void)conn;
    (void)id;
    (void)reply;
}

static void down(void *arg, struct cu_conn *conn, enum cu_err err, const char *why)
{
    struct peer *peer = arg;
    (void)err;
    (void)why;
    cu_conn_close(conn);
    peer->conn = NULL;
}

static const struct cu_conn_events events = {up, admit, call, cancel, expects, reply, down};
static const struct cu_stream_ops ops = {start, take_all, start};

static struct cu_hello hello(void)
{
    return (struct cu_hello){.bus_major = CU_BUS_MAJOR,
                             .byte_credit = CU_BUS_BYTE_CREDIT,
                             .max_message_bytes = CU_BUS_MESSAGE_MAX_BYTES,
                             .daemon = "raftd"};
}

static void feed(struct peer *peer, struct cu_bytes bytes)
{
    while (bytes.len && peer->conn) {
        size_t len = bytes.len < CHUNK ? bytes.len : CHUNK;
        peer->stream.events.received(peer->stream.events.arg, (struct cu_bytes){bytes.data, len});
        bytes = (struct cu_bytes){bytes.data + len, bytes.len - len};
    }
}

/* As the first thing after HELLO, or instead of it. */
static void drive(struct cu_loop *loop, struct cu_bytes in, bool dialled, bool after_hello)
{
    struct peer peer = {.stream = {.ops = &ops, .is_local = true}};
    struct cu_hello theirs = hello();
    struct cu_buf first = {0};
    peer.conn = cu_conn_new(&(struct cu_conn_options){.loop = loop,
                                                      .stream = &peer.stream,
                                                      .hello = hello(),
                                                      .dialled = dialled,
                                                      .events = &events,
                                                      .arg = &peer});
    cu_hello_append(&first, &theirs);
    if (after_hello)
        feed(&peer, cu_buf_bytes(&first));
    feed(&peer, in);
    cu_loop_turn(loop, false);
    cu_conn_close(peer.conn);
    cu_buf_deinit(&first);
}

/* Each frame, written again, is what it was. */
static size_t count_frames(struct cu_bytes in)
{
    struct cu_frame frame;
    size_t used, count = 0;
    const char *why;
    while (cu_frame_parse(in, &frame, &used, &why) == CU_FRAME_WHOLE) {
        struct cu_buf out = {0};
        cu_frame_append(&out, &frame);
        if (out.len != used || memcmp(out.data, in.data, used) != 0)
            abort();
        cu_buf_deinit(&out);
        in = (struct cu_bytes){in.data + used, in.len - used};
        count++;
    }
    return count;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    static struct cu_loop *loop; /* one for all inputs: it costs system calls */
    struct cu_bytes in = {data, len};
    if (!loop)
        loop = cu_loop_new();
    drive(loop, in, false, true);
    drive(loop, in, true, true);
    drive(loop, in, false, false);
    return count_frames(in) > 0;
}
