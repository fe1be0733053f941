/* codec.h - one message to its bytes and back (gossip.md 2, 7, 15, 22).
 *
 * Encoding cannot fail: integers in their shortest form, fields and maps in ascending byte order,
 * so equal structs give equal bytes. Decoding takes any order and width, skips unknown fields and
 * allocates only lists, from the arena, after their count was compared with the bytes that are
 * left. */
#ifndef GOSSIP_CODEC_H
#define GOSSIP_CODEC_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "services/gossipd/core/message.h"

/* Appends the type byte and the body. USER: the type byte and the bytes of the serf message, as on
 * UDP (streams add a header: gossip_stream_write). The framing types are a bug of the caller. */
void gossip_encode(struct cu_buf *out, const struct gossip_message *message);

/* Appends the type byte and the body of a serf message. */
void gossip_serf_encode(struct cu_buf *out, const struct gossip_serf *serf);

/* Reads one unframed message, type byte first; PUSH_PULL and ERR, which belong to streams, too.
 *
 *   bytes        borrowed; what is decoded points into it
 *   arena        for lists
 *   ret_message  CU_OK: filled in
 *
 * Errors: CU_E_INVALID (empty, no such type, a framing type, malformed), CU_E_TOO_LARGE (a limit of
 * message.h, or the arena's). */
CU_MUST_USE enum cu_err gossip_decode(struct cu_bytes bytes, struct cu_arena *arena,
                                      struct gossip_message *ret_message);

/* The same for the body of a user message or a push/pull's user state. */
CU_MUST_USE enum cu_err gossip_serf_decode(struct cu_bytes bytes, struct cu_arena *arena,
                                           struct gossip_serf *ret_serf);

/* Appends the meta of the tags: sorted by name, so that equal tags give equal bytes.
 * CU_E_TOO_LARGE, and nothing appended, when that would pass GOSSIP_META_MAX_BYTES
 * (`Encoded length of tags exceeds limit of 512 bytes`). */
CU_MUST_USE enum cu_err gossip_tags_encode(struct cu_buf *out, const struct gossip_tags *tags);

/* Reads meta; what it gives points into it. A meta without the leading ff is the tag `role`; an
 * empty one has no tags. Malformed: CU_E_INVALID; more than GOSSIP_TAGS_MAX: CU_E_TOO_LARGE. */
CU_MUST_USE enum cu_err gossip_tags_decode(struct cu_bytes meta, struct gossip_tags *ret_tags);

/* The tag's value; data NULL when it has none of that name. */
struct cu_bytes gossip_tags_get(const struct gossip_tags *tags, const char *name);

#endif
