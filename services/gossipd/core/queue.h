/* queue.h - messages that wait to be told to others, each a limited number of times, the least
 * told first (TransmitLimitedQueue; gossip.md 11). */
#ifndef GOSSIP_QUEUE_H
#define GOSSIP_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/map.h"
#include "services/gossipd/core/message.h"

/* Zero-initialise; gossip_queue_deinit frees. */
struct gossip_queue {
    struct gossip_queue_tier *tiers; /* by times told; in each the longest, then the newest first */
    uint32_t tier_count, count;
    uint64_t last_id;    /* from 1 again whenever the queue has been empty */
    struct cu_map named; /* name -> item */
    uint64_t *done;      /* tickets of finished messages, not taken yet */
    uint32_t done_count, done_cap;
};

void gossip_queue_deinit(struct gossip_queue *queue);

/* Queues a copy of `message`. A named one replaces whatever waits under that name; an empty name
 * stands for itself alone. `ticket` (0: none) comes back from gossip_queue_take_done() once the
 * message has been told often enough, was replaced, or was pruned. */
void gossip_queue_put(struct gossip_queue *queue, struct cu_bytes name, struct cu_bytes message,
                      uint64_t ticket);

/* How often each message is told in a pool of `members`: mult * ceil(log10(members + 1)). */
uint32_t gossip_retransmit_limit(uint32_t mult, uint32_t members);

/* The parts of one packet as they gather. Zero-initialise, then gossip_parts_begin. */
struct gossip_parts {
    struct cu_buf bytes; /* the parts one after another */
    uint32_t ends[GOSSIP_COMPOUND_MAX_PARTS];
    uint32_t count;
    uint32_t used, budget; /* bytes of the compound, its header and length table included */
};

void gossip_parts_begin(struct gossip_parts *parts, uint32_t budget);
void gossip_parts_end_one(struct gossip_parts *parts); /* what was appended since is one part */

/* Adds messages that fit, each counted as told once; with `prefix` before each unless it is -1. */
void gossip_queue_fill(struct gossip_queue *queue, struct gossip_parts *parts, int prefix,
                       uint32_t transmit_limit);

/* Drops from the end (most told, shortest, oldest) until at most `max` wait; the number dropped. */
uint32_t gossip_queue_prune(struct gossip_queue *queue, uint32_t max);

/* One ticket of a finished message; 0: no more. */
uint64_t gossip_queue_take_done(struct gossip_queue *queue);

#endif
