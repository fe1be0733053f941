#include "common/daemon/trim.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>

bool cu_trim_is_due(uint64_t held_bytes, uint64_t used_bytes, uint64_t busy_ms)
{
    return busy_ms * 100 < (uint64_t)CU_TRIM_MS * CU_TRIM_BUSY_PERCENT &&
           held_bytes > used_bytes + CU_TRIM_BYTES;
}

/* Private memory that is there now; 0 where the system does not tell. */
static uint64_t held_bytes(void)
{
    char line[128];
    unsigned long kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file) && sscanf(line, "RssAnon: %lu", &kib) != 1)
        ;
    (void)fclose(file);
    return (uint64_t)kib * 1024;
}

static uint64_t used_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static uint64_t cpu_ms(void)
{
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail for this process */
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void look(void *arg)
{
    struct cu_trim *trim = arg;
    uint64_t now_ms = cpu_ms(), busy_ms = now_ms - trim->cpu_ms;
    trim->cpu_ms = now_ms;
    if (cu_trim_is_due(held_bytes(), used_bytes(), busy_ms)) {
        (void)malloc_trim(0); /* whether it found anything makes no difference */
        cu_count(trim->trims, 1);
    }
    cu_timer_set_ms(&trim->timer, CU_TRIM_MS);
}

void cu_trim_start(struct cu_trim *trim, struct cu_loop *loop, struct cu_metrics *metrics)
{
    trim->trims = cu_metrics_counter(metrics, "process.memory_trims");
    trim->cpu_ms = cpu_ms();
    cu_timer_init(&trim->timer, loop, look, trim);
    cu_timer_set_ms(&trim->timer, CU_TRIM_MS);
}

void cu_trim_stop(struct cu_trim *trim)
{
    cu_timer_close(&trim->timer);
}
