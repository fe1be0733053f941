/* lzw.h - the one compression of memberlist: LZW, least significant bit first, 8-bit literals,
 * codes of 9 to 12 bits (gossip.md 5). */
#ifndef GOSSIP_LZW_H
#define GOSSIP_LZW_H

#include "common/base/buf.h"
#include "common/base/err.h"

/* Appends the compressed form of `plain`. The bytes are those of the reference's encoder. */
void gossip_lzw_compress(struct cu_buf *out, struct cu_bytes plain);

/* How many bytes `packed` expands to, without expanding it. Reads what encoders may send: no clear
 * at the start, codes that are just being defined, a full table that is never cleared.
 * Errors: CU_E_INVALID (a code that stands for nothing, no end), CU_E_TOO_LARGE (over limit_bytes).
 */
CU_MUST_USE enum cu_err gossip_lzw_size(struct cu_bytes packed, size_t limit_bytes,
                                        size_t *ret_bytes);

/* Expands `packed`, whose size gossip_lzw_size() has given. */
void gossip_lzw_expand(struct cu_bytes packed, uint8_t *ret_plain, size_t size);

#endif
