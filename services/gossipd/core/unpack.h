/* unpack.h - reads msgpack in any of its forms (gossip.md 2): every integer width, signed or not,
 * and str8, bin8 to bin32 wherever a raw is legal. Nil reads as zero, empty, nothing.
 *
 * Failure is sticky: after it everything reads as zero, so read all and ask once. Nothing is
 * allocated here, and nothing recurses: a caller that allocates by a count must compare it with
 * gossip_unpack_left() first, since each value takes at least one byte. */
#ifndef GOSSIP_UNPACK_H
#define GOSSIP_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

enum gossip_unpack_state {
    GOSSIP_UNPACK_FINE,
    GOSSIP_UNPACK_SHORT, /* it ends too early: more bytes may mend it */
    GOSSIP_UNPACK_BAD    /* not what was asked for: no more bytes will */
};

struct gossip_unpack {
    const uint8_t *at, *end;
    enum gossip_unpack_state state;
};

struct gossip_unpack gossip_unpack_of(struct cu_bytes bytes);
size_t gossip_unpack_left(const struct gossip_unpack *in);

uint32_t gossip_unpack_list(struct gossip_unpack *in); /* how many values follow; nil: 0 */
uint32_t gossip_unpack_map(struct gossip_unpack *in);  /* how many pairs follow; nil: 0 */
uint64_t gossip_unpack_uint(struct gossip_unpack *in, uint64_t max); /* over `max`: BAD */
int64_t gossip_unpack_int(struct gossip_unpack *in);
bool gossip_unpack_bool(struct gossip_unpack *in);
struct cu_bytes gossip_unpack_raw(struct gossip_unpack *in); /* borrowed; nil: data NULL */

/* Passes over `*pending` values, whatever they hold, as far as the bytes reach: what is left is in
 * *pending, and `in` stands where more bytes would go on (never SHORT). True: all are passed. The
 * work of going on again and again over a growing buffer is linear. */
bool gossip_unpack_pass(struct gossip_unpack *in, uint64_t *pending);
/* Passes over the next value; SHORT when it is not all there. */
void gossip_unpack_skip(struct gossip_unpack *in);
/* The same, and gives its bytes. */
struct cu_bytes gossip_unpack_whole(struct gossip_unpack *in);

#endif
