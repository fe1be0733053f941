/* frame.h - the bytes of one frame: a head of 16 bytes, then part of a message (contracts 1.1).
 *
 *    0               4       5       6       8                      16
 *   +---------------+-------+-------+-------+----------------------+-----------
 *   | length u32 LE | kind  | flags | zero  | call id u64 LE       | payload ...
 *   +---------------+-------+-------+-------+----------------------+-----------
 *
 * `length` counts what follows it: 12 and the payload. Pure. */
#ifndef CU_BUS_FRAME_H
#define CU_BUS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

enum {
    CU_FRAME_MAX_BYTES = 65536, /* the whole of it */
    CU_FRAME_HEAD_BYTES = 16,
    CU_FRAME_LENGTH_BYTES = 4, /* not counted by `length` */
    CU_FRAME_PAYLOAD_MAX_BYTES = CU_FRAME_MAX_BYTES - CU_FRAME_HEAD_BYTES,
};

enum cu_frame_kind {
    CU_FRAME_HELLO = 1,
    CU_FRAME_CALL,
    CU_FRAME_REPLY,
    CU_FRAME_CANCEL,
    CU_FRAME_PING,
    CU_FRAME_PONG,
    CU_FRAME_CREDIT,
    CU_FRAME_GOAWAY,
    CU_FRAME_KIND_END
};

const char *cu_frame_kind_name(enum cu_frame_kind kind);

struct cu_frame {
    enum cu_frame_kind kind;
    bool more; /* further parts of the same message follow */
    uint64_t id;
    struct cu_bytes payload; /* borrowed from the input */
};

enum cu_frame_outcome {
    CU_FRAME_WHOLE,   /* *ret_frame is filled, *ret_used bytes were its own */
    CU_FRAME_PARTIAL, /* nothing wrong so far, more bytes are needed */
    CU_FRAME_BAD      /* no frame of ours; *ret_why says what, a constant text */
};

enum cu_frame_outcome cu_frame_parse(struct cu_bytes in, struct cu_frame *ret_frame,
                                     size_t *ret_used, const char **ret_why);

/* Writes a head for a payload of `payload_len` (<= the maximum) bytes at `at`. */
void cu_frame_write_head(uint8_t at[CU_FRAME_HEAD_BYTES], enum cu_frame_kind kind, bool more,
                         uint64_t id, size_t payload_len);

/* Appends a whole frame. */
void cu_frame_append(struct cu_buf *out, const struct cu_frame *frame);

#endif
