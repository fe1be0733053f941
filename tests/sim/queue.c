/* The queue, the clocks and the dice of a simulated world. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

struct sim_event {
    uint64_t at, number;
    sim_callback *fn;
    void (*drop)(void *data);
    void *data;
};

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->number < b->number;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
    struct sim_event kept = *a;
    *a = *b;
    *b = kept;
}

void sim_again(struct sim *sim, uint64_t delay_ns, uint64_t number, sim_callback *fn, void *data,
               void (*drop)(void *data))
{
    if (sim->heap_count == sim->heap_cap) {
        sim->heap_cap = sim->heap_cap ? sim->heap_cap * 2 : 1024;
        sim->heap = cu_realloc(sim->heap, sim->heap_cap * sizeof *sim->heap);
    }
    size_t i = sim->heap_count++;
    sim->heap[i] = (struct sim_event){sim->now + delay_ns, number, fn, drop, data};
    for (; i && earlier(&sim->heap[i], &sim->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&sim->heap[i], &sim->heap[(i - 1) / 2]);
}

void sim_after(struct sim *sim, uint64_t delay_ns, sim_callback *fn, void *data,
               void (*drop)(void *data))
{
    sim_again(sim, delay_ns, sim->next_number++, fn, data, drop);
}

static struct sim_event pop(struct sim *sim)
{
    struct sim_event first = sim->heap[0];
    sim->heap[0] = sim->heap[--sim->heap_count];
    for (size_t i = 0;;) {
        size_t child = 2 * i + 1;
        if (child >= sim->heap_count)
            break;
        if (child + 1 < sim->heap_count && earlier(&sim->heap[child + 1], &sim->heap[child]))
            child++;
        if (!earlier(&sim->heap[child], &sim->heap[i]))
            break;
        swap(&sim->heap[child], &sim->heap[i]);
        i = child;
    }
    return first;
}

bool sim_next(struct sim *sim)
{
    if (!sim->heap_count)
        return false;
    struct sim_event event = pop(sim);
    CU_ASSERT(event.at >= sim->now);
    sim->now = event.at;
    sim->steps++;
    event.fn(sim, event.data);
    return true;
}

void sim_queue_deinit(struct sim *sim)
{
    for (size_t i = 0; i < sim->heap_count; i++)
        if (sim->heap[i].drop)
            sim->heap[i].drop(sim->heap[i].data);
    free(sim->heap);
}

struct cu_mono sim_clock(const struct sim_server *server)
{
    return (struct cu_mono){server->clock_offset_ns +
                            (uint64_t)((double)server->sim->now * server->clock_rate)};
}

uint64_t sim_wall_ms(const struct sim_server *server)
{
    return (uint64_t)((int64_t)(1700000000000 + server->sim->now / SIM_MS) + server->wall_skew_ms);
}

uint64_t sim_delay_until(const struct sim_server *server, struct cu_mono at)
{
    struct cu_mono now = sim_clock(server);
    if (at.ns <= now.ns)
        return 0;
    uint64_t local = at.ns - now.ns;
    const uint64_t day = 86400ull * 1000 * SIM_MS;
    if (local > day)
        return day;
    return (uint64_t)((double)local / server->clock_rate) + 1;
}

bool sim_chance(struct sim *sim, unsigned permille)
{
    return cu_random_below(&sim->random, 1000) < permille;
}

uint64_t sim_between(struct sim *sim, uint64_t low, uint64_t high)
{
    return low + cu_random_below(&sim->random, high - low + 1);
}

void sim_fail(struct sim *sim, const char *claim, const char *fmt, ...)
{
    if (sim->failure)
        return;
    sim->failure = claim;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(sim->failure_text, sizeof sim->failure_text, fmt, args); /* cut on purpose */
    va_end(args);
    sim_trace(sim, "FAILED %s: %s", claim, sim->failure_text);
}

void sim_trace(struct sim *sim, const char *fmt, ...)
{
    if (!sim->options.trace)
        return;
    va_list args;
    va_start(args, fmt);
    (void)printf("%10.3f ", (double)sim->now / SIM_MS);
    (void)vprintf(fmt, args);
    (void)printf("\n");
    va_end(args);
}
