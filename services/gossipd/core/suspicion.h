/* suspicion.h - how long a suspected member may stay silent before it is called dead (Lifeguard;
 * gossip.md 10.2). */
#ifndef GOSSIP_SUSPICION_H
#define GOSSIP_SUSPICION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/mono.h"

struct gossip_suspicion_limits {
    uint32_t expected; /* this many confirmations shorten the wait to min_ms; 0: at once */
    uint32_t min_ms, max_ms;
};

/* For a pool of `members` in all states: min = mult * max(1, log10(members)), the logarithm cut to
 * three decimals, * interval; max = max_mult * min; mult - 2 confirmations expected, or none when
 * the pool is too small to give them. */
struct gossip_suspicion_limits gossip_suspicion_limits(uint32_t mult, uint32_t max_mult,
                                                       uint32_t interval_ms, uint32_t members);

/* The wait, counted from the first accusation, once `confirmed` others have agreed. */
uint32_t gossip_suspicion_ms(const struct gossip_suspicion_limits *limits, uint32_t confirmed);

/* One suspicion that runs. Who accuses is kept as a hash: two names that collide cost one
 * confirmation, no more. */
struct gossip_suspicion;

struct gossip_suspicion *gossip_suspicion_new(const struct gossip_suspicion_limits *limits,
                                              struct cu_bytes from, struct cu_mono now);
void gossip_suspicion_free(struct gossip_suspicion *suspicion); /* takes NULL */

/* True: new information. The first accuser, one who agreed before, and any beyond those expected
 * are not. */
bool gossip_suspicion_confirm(struct gossip_suspicion *suspicion, struct cu_bytes from);

struct cu_mono gossip_suspicion_deadline(const struct gossip_suspicion *suspicion);

/* We were not there to hear a refutation for this long: the wait is as much longer. */
void gossip_suspicion_extend(struct gossip_suspicion *suspicion, uint64_t ms);

#endif
