#include "common/base/mono.h"

#include <time.h>

#include "common/base/assert.h"

static uint64_t read_ns(clockid_t clock)
{
    struct timespec ts;
    int failed = clock_gettime(clock, &ts);
    CU_ASSERT(!failed);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

struct cu_mono cu_mono_now(void)
{
    return (struct cu_mono){read_ns(CLOCK_BOOTTIME)};
}

uint64_t cu_wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000u;
}
