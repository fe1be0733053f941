/* envelope.h - the heads of a call and of a reply, written in place and read as pointers.
 *
 * The bytes are those of the messages Envelope and Reply in proto/curia/internal/v1/bus.proto; what
 * is written here any protobuf reader understands, and the reverse. The body is the last field, so
 * that it can be packed behind the head without a copy (contracts 1.8), and so that the first part
 * of a long message tells how long the whole will be. Pure. */
#ifndef CU_BUS_ENVELOPE_H
#define CU_BUS_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* All borrowed; what is absent is empty. Texts are bytes: neither NUL-terminated nor checked. */
struct cu_envelope {
    struct cu_bytes method; /* "Kv.Put" */
    uint32_t timeout_ms;    /* left when it was sent */
    uint32_t hops;
    struct cu_bytes token, datacenter, trace_id, request_id;
    struct cu_bytes origin_node, origin_daemon, origin_address;
    struct cu_bytes body; /* of the first part: what of it is there */
    size_t body_len;      /* the whole body's, also when only a part is there */
    size_t whole_len;     /* of the message: head and body */
};

struct cu_reply {
    uint32_t error; /* as sent */
    struct cu_bytes text;
    uint64_t index;
    struct cu_bytes body;
    size_t body_len, whole_len;
};

/* Reads a whole message, or with `first_part` one whose body, the last field, goes on in further
 * parts. Unknown fields are passed over; a field given twice counts once, the last one. False: not
 * such a message; *ret_message is then unspecified. */
bool cu_envelope_parse(struct cu_bytes in, bool first_part, struct cu_envelope *ret_message);
bool cu_reply_parse(struct cu_bytes in, bool first_part, struct cu_reply *ret_message);

/* Bytes that are enough for the head, the body's tag and length included. */
size_t cu_envelope_head_max(const struct cu_envelope *message);
size_t cu_reply_head_max(const struct cu_reply *message);

/* Writes the head and, for a body_len above 0, the body's tag and length; returns where the body
 * begins. `body` and `whole_len` are not looked at. */
uint8_t *cu_envelope_write_head(uint8_t *at, const struct cu_envelope *message);
uint8_t *cu_reply_write_head(uint8_t *at, const struct cu_reply *message);

#endif
