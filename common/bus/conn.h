/* conn.h - one connection between two daemons: frames, parts, byte credit, HELLO, GOAWAY, pings.
 *
 * Frames of a turn leave in one send at its end. A message longer than a frame travels in parts,
 * with others between them; calls of one method keep their order. The bytes of CALL and REPLY spend
 * the peer's credit, and wait here without it; nothing is dropped (contracts 1.1 to 1.5, 1.7).
 * Loop's thread. */
#ifndef CU_BUS_CONN_H
#define CU_BUS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "common/base/mono.h"
#include "common/bus/envelope.h"
#include "common/bus/hello.h"
#include "common/bus/stream.h"

enum {
    CU_BUS_CALL_CREDIT = 4096,                   /* open calls of one connection */
    CU_BUS_FOLLOW_CREDIT = 8192,                 /* open follows of one connection */
    CU_BUS_BYTE_CREDIT = 4 * 1024 * 1024,        /* of CALL and REPLY, not yet copied by the peer */
    CU_BUS_MESSAGE_MAX_BYTES = 32 * 1024 * 1024, /* head and body */
    CU_BUS_HEAD_MAX_BYTES = 32 * 1024,           /* of an Envelope or Reply without its body */
    CU_BUS_RESERVE_BYTES = 64 * 1024 * 1024,     /* for calls in parts, of one connection */
    CU_BUS_PARTS_MAX = 4096,                     /* messages in parts, of one connection */
    CU_BUS_QUEUE_MAX_BYTES = 256 * 1024 * 1024,  /* waiting for a peer's credit */
    CU_BUS_HELLO_MS = 5000,                      /* from connected to HELLO */
    CU_BUS_GOAWAY_MS = 1000,                     /* for a GOAWAY to leave */
    CU_BUS_PING_MS = 3000,                       /* silence of a remote peer: ask */
    CU_BUS_SILENCE_MS = 12000,                   /* silence of a remote peer: lost */
};

struct cu_conn;

/* What the owner says to the first part of a call: go on up to `body_limit` bytes, or `err` and a
 * sentence, which is the answer. */
struct cu_admission {
    enum cu_err err;
    const char *text;
    uint32_t body_limit;
};

/* Borrowed bytes throughout. Any of them may close the connection. */
struct cu_conn_events {
    void (*up)(void *arg, struct cu_conn *conn); /* the peer's HELLO is here and good */
    void (*admit)(void *arg, struct cu_conn *conn, const struct cu_envelope *head,
                  struct cu_admission *ret_admission);
    void (*call)(void *arg, struct cu_conn *conn, uint64_t id, const struct cu_envelope *call);
    void (*cancel)(void *arg, struct cu_conn *conn, uint64_t id);
    bool (*expects)(void *arg, struct cu_conn *conn, uint64_t id); /* a reply in parts: wanted? */
    void (*reply)(void *arg, struct cu_conn *conn, uint64_t id, const struct cu_reply *reply);
    /* The last event, never from within a call of ours; close the connection. `err` is the peer's
     * or our own GOAWAY, CU_E_DISCONNECTED without one. */
    void (*down)(void *arg, struct cu_conn *conn, enum cu_err err, const char *why);
};

struct cu_conn_options {
    struct cu_loop *loop;
    struct cu_stream *stream;  /* taken over */
    struct cu_hello hello;     /* ours; texts are copied into the frame at once */
    bool dialled;              /* we call, the peer answers; else the reverse */
    bool refuse_other_cluster; /* contracts 1.5, between two raftds */
    const struct cu_conn_events *events;
    void *arg;
    uint32_t hello_ms, ping_ms, silence_ms; /* 0: those above; tests are in more of a hurry */
};

struct cu_conn *cu_conn_new(const struct cu_conn_options *options);
void cu_conn_close(struct cu_conn *conn); /* at once; no event after it; takes NULL */

bool cu_conn_is_up(const struct cu_conn *conn);
const struct cu_stream *cu_conn_stream(const struct cu_conn *conn);
const struct cu_hello *cu_conn_peer_hello(const struct cu_conn *conn); /* once up */
struct cu_mono cu_conn_received_at(const struct cu_conn *conn); /* the bytes now being worked on */

/* Ends the connection with a reason for the peer; down() follows when it has left. */
void cu_conn_goaway(struct cu_conn *conn, enum cu_err err, const char *text);

/* A body: a message to be packed, or packed bytes, or nothing. */
struct cu_body {
    const ProtobufCMessage *message;
    struct cu_bytes packed;
};
size_t cu_body_len(const struct cu_body *body);

/* Sends at the end of the turn, or when there is credit. `body_len` of the head must be
 * cu_body_len(body). CU_E_TOO_LARGE: over the peer's limit of a message or ours of a head; nothing
 * was sent. *ret_mark is for cu_conn_was_sent(). */
CU_MUST_USE enum cu_err cu_conn_call(struct cu_conn *conn, uint64_t id,
                                     const struct cu_envelope *head, const struct cu_body *body,
                                     uint64_t *ret_mark);
CU_MUST_USE enum cu_err cu_conn_reply(struct cu_conn *conn, uint64_t id,
                                      const struct cu_reply *head, const struct cu_body *body);
/* Tells the peer, unless nothing of the call has been handed over yet: then it is only taken back.
 */
void cu_conn_cancel(struct cu_conn *conn, uint64_t id);

/* Whether any byte of that call was handed to the transport; may err on the side of yes. */
bool cu_conn_was_sent(const struct cu_conn *conn, uint64_t id, uint64_t mark);

struct cu_conn_stats {
    uint64_t frames_in, frames_out, bytes_in, bytes_out, sends;
    uint64_t waiting_bytes; /* of messages that wait for credit */
};
void cu_conn_stats(const struct cu_conn *conn, struct cu_conn_stats *ret_stats);

#endif
