/* renewal.h - when a leaf is asked for again (mesh.md 1.11). Pure: time and randomness are handed
 * in. */
#ifndef AGENT_RENEWAL_H
#define AGENT_RENEWAL_H

#include <stdint.h>

#include "common/base/random.h"

enum {
    AGENT_RENEWAL_MIN_MS = 1000,
    AGENT_RENEWAL_SPREAD_MS = 30 * 1000, /* over which all leaves of a new root are renewed */
    AGENT_RENEWAL_RETRY_MAX_MS = 10 * 60 * 1000,
};

/* Some time between 60 % and 90 % of its life, or soon where that is over. The reference asks at
 * once, and again, for one that lives less than ten minutes; here all are treated alike. */
uint64_t agent_renewal_after_ms(struct cu_random *random, int64_t not_before_s, int64_t not_after_s,
                                int64_t now_ms);

/* The root has changed: what is there still works, so all who have a leaf come at their own time.
 */
uint64_t agent_renewal_spread_ms(struct cu_random *random);

/* After the n-th failure in a row (1 the first), while the old one is still given out. */
uint64_t agent_renewal_retry_ms(struct cu_random *random, unsigned failures);

#endif
