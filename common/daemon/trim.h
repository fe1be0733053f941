/* trim.h - gives memory that a burst has left behind back to the system.
 *
 * The C library keeps what was freed in the middle of its heaps: after some large answers a daemon
 * would stay as large as it once was. Every ten seconds in which it did little, what it holds is
 * compared with what is in use, and the difference given back if it is large. */
#ifndef CU_DAEMON_TRIM_H
#define CU_DAEMON_TRIM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/loop/loop.h"
#include "common/metric/metric.h"

enum {
    CU_TRIM_MS = 10 * 1000,
    CU_TRIM_BYTES = 8 * 1024 * 1024, /* less is kept: it will be used again */
    CU_TRIM_BUSY_PERCENT = 20,       /* of one core; above it nothing is given back */
};

struct cu_trim {
    struct cu_timer timer;
    struct cu_counter *trims;
    uint64_t cpu_ms; /* of the process, when it was looked at last */
};

void cu_trim_start(struct cu_trim *trim, struct cu_loop *loop, struct cu_metrics *metrics);
void cu_trim_stop(struct cu_trim *trim);

/* The decision alone. `held_bytes` are in memory, `used_bytes` allocated, `busy_ms` the processor's
 * time since the last look. */
bool cu_trim_is_due(uint64_t held_bytes, uint64_t used_bytes, uint64_t busy_ms);

#endif
