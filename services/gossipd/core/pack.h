/* pack.h - writes the msgpack of gossip: the old raw type, integers in their shortest form
 * (gossip.md 2). Appends to a buffer; cannot fail. */
#ifndef GOSSIP_PACK_H
#define GOSSIP_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

void gossip_pack_nil(struct cu_buf *out);
void gossip_pack_bool(struct cu_buf *out, bool value);
void gossip_pack_uint(struct cu_buf *out, uint64_t value);
void gossip_pack_raw(struct cu_buf *out, struct cu_bytes raw); /* never nil, never bin or str8 */
void gossip_pack_text(struct cu_buf *out, const char *text);
void gossip_pack_list(struct cu_buf *out, size_t count); /* and then `count` values */
void gossip_pack_map(struct cu_buf *out, size_t count);  /* and then `count` pairs */

#endif
