/* packet.h - packets: what wraps messages on UDP (gossip.md 3 and 5). */
#ifndef GOSSIP_PACKET_H
#define GOSSIP_PACKET_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "services/gossipd/core/message.h"

/* How one packet is to be wrapped. */
struct gossip_wrap {
    bool crc;      /* the destination is a member whose PMax is at least GOSSIP_CRC_PMAX */
    bool compress; /* when that makes it shorter */
};

/* Appends one or more encoded messages as the inside of a packet: one bare, several as a compound.
 * `count` is 1 to GOSSIP_COMPOUND_MAX_PARTS, no part is empty or over 65535 bytes. */
void gossip_packet_join(struct cu_buf *out, const struct cu_bytes *parts, uint32_t count);

/* Appends the packet around `inside` to `out`: compressed, then the CRC over what that gave. */
void gossip_packet_wrap(struct cu_buf *out, struct cu_bytes inside, struct gossip_wrap wrap);

/* What a packet held. */
struct gossip_packet {
    uint32_t count;
    struct gossip_message *messages; /* arena; in their order on the wire */
    uint32_t truncated;              /* parts of a compound that were cut off, so not there */
    uint32_t malformed;              /* parts that are no message; the others count all the same */
};

/* Unwraps and decodes one datagram. Parts that cannot be read are counted, not an error.
 *
 * Errors, with nothing delivered: CU_E_INVALID (empty, no such type, a bad CRC, bad compression),
 * CU_E_TOO_LARGE (GOSSIP_PACKET_MAX_INFLATED, GOSSIP_PACKET_MAX_DEPTH, or the arena). */
CU_MUST_USE enum cu_err gossip_packet_decode(struct cu_bytes datagram, struct cu_arena *arena,
                                             struct gossip_packet *ret_packet);

#endif
