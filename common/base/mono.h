/* mono.h - a point in monotonic time; the compiler keeps it apart from wall clocks and durations.
 */
#ifndef CU_BASE_MONO_H
#define CU_BASE_MONO_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_BOOTTIME (goes on while the machine sleeps, so a lease cannot outlive a
 * freeze). {0} is "never yet"; CU_MONO_NEVER is after all others. */
struct cu_mono {
    uint64_t ns;
};

#define CU_MONO_NEVER ((struct cu_mono){UINT64_MAX})

struct cu_mono cu_mono_now(void); /* edges only; a core is told the time */
uint64_t cu_wall_ms(void);        /* ms since 1970, UTC; edges only */

static inline struct cu_mono cu_mono_add_ms(struct cu_mono t, uint64_t ms)
{
    uint64_t ns = t.ns + ms * 1000000u;
    return (struct cu_mono){ns < t.ns ? UINT64_MAX : ns};
}

static inline bool cu_mono_before(struct cu_mono a, struct cu_mono b)
{
    return a.ns < b.ns;
}

/* Whole ms from `a` to `b`, rounded down; 0 when b is not after a. */
static inline uint64_t cu_mono_ms_between(struct cu_mono a, struct cu_mono b)
{
    return b.ns > a.ns ? (b.ns - a.ns) / 1000000u : 0;
}

static inline struct cu_mono cu_mono_min(struct cu_mono a, struct cu_mono b)
{
    return a.ns < b.ns ? a : b;
}

#endif
