/* stream.h - streams: one message each way on a TCP connection (gossip.md 4 and 5). */
#ifndef GOSSIP_STREAM_H
#define GOSSIP_STREAM_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "services/gossipd/core/message.h"

/* Appends the message as it goes over a stream: a user message gets its length in front, all others
 * are as gossip_encode() has them. */
void gossip_stream_encode(struct cu_buf *out, const struct gossip_message *message);

/* Appends the stream whose plain form is `inside`: compressed, also when that is longer, as the
 * reference does, or as it is. */
void gossip_stream_wrap(struct cu_buf *out, struct cu_bytes inside, bool compress);

/* How far a stream that is coming in has been looked at. Zero-initialise. */
struct gossip_stream {
    size_t at;        /* all before it has been passed */
    uint64_t pending; /* values to pass before the tail */
    uint64_t tail;    /* raw bytes after them */
    bool has_header;
};

/* Whether all of the message has come. `got` is all bytes so far; each call must bring those of the
 * call before it, and more. The work over all calls is linear in the bytes.
 *
 * Errors, after which the connection is of no more use: CU_E_INVALID (a type that starts no stream,
 * malformed), CU_E_TOO_LARGE (GOSSIP_STREAM_MAX_BYTES, GOSSIP_NODES_MAX; what a length announces is
 * refused before it comes). */
CU_MUST_USE enum cu_err gossip_stream_measure(struct gossip_stream *stream, struct cu_bytes got,
                                              bool *ret_whole);

/* Decodes a stream that is whole. What it gives points into `whole` or the arena.
 * Errors: CU_E_INVALID, CU_E_TOO_LARGE (GOSSIP_STREAM_MAX_INFLATED too). */
CU_MUST_USE enum cu_err gossip_stream_decode(struct cu_bytes whole, struct cu_arena *arena,
                                             struct gossip_message *ret_message);

#endif
