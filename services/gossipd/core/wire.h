/* wire.h - the parts of the wire that codec, packet and stream share. */
#ifndef GOSSIP_WIRE_H
#define GOSSIP_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "services/gossipd/core/unpack.h"

/* What stands before the nodes of a push/pull (gossip.md 12). */
struct gossip_push_pull_header {
    bool is_join;
    uint32_t nodes, user_state_len;
};

/* CU_E_INVALID, also when more bytes are needed (`in` tells which); CU_E_TOO_LARGE
 * (GOSSIP_NODES_MAX, GOSSIP_STREAM_MAX_BYTES). */
CU_MUST_USE enum cu_err gossip_push_pull_header_read(struct gossip_unpack *in,
                                                     struct gossip_push_pull_header *ret_header);

/* Reads the body of a compress message: the packed bytes, borrowed. CU_E_INVALID: malformed, or
 * another algorithm than LZW. */
CU_MUST_USE enum cu_err gossip_compress_read(struct cu_bytes body, struct cu_bytes *ret_packed);

/* Appends `plain` as a compress message, type byte first. */
void gossip_compress_write(struct cu_buf *out, struct cu_bytes plain);

/* Expands a compress message (without its type byte) into the arena. An empty outcome is malformed,
 * since no message is. Errors: CU_E_INVALID, CU_E_TOO_LARGE (over limit_bytes, or the arena's). */
struct cu_arena;
CU_MUST_USE enum cu_err gossip_compress_expand(struct cu_bytes body, size_t limit_bytes,
                                               struct cu_arena *arena, struct cu_bytes *ret_plain);

#endif
