/* What happens next: a heap by time, then by the order in which it was put. */
#include <stdlib.h>

#include "common/base/assert.h"
#include "tests/gossip_sim/world.h"

static bool before(const struct sim_item *a, const struct sim_item *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void sim_push(struct sim *sim, struct sim_item *item)
{
    if (sim->queue_count == sim->queue_cap) {
        sim->queue_cap = sim->queue_cap ? sim->queue_cap * 2 : 1024;
        sim->queue = cu_realloc(sim->queue, sim->queue_cap * sizeof *sim->queue);
    }
    item->order = ++sim->order;
    size_t at = sim->queue_count++;
    for (; at && before(item, sim->queue[(at - 1) / 2]); at = (at - 1) / 2)
        sim->queue[at] = sim->queue[(at - 1) / 2];
    sim->queue[at] = item;
}

struct sim_item *sim_pop(struct sim *sim)
{
    struct sim_item *first = sim->queue[0], *last = sim->queue[--sim->queue_count];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < sim->queue_count) {
        if (child + 1 < sim->queue_count && before(sim->queue[child + 1], sim->queue[child]))
            child++;
        if (before(last, sim->queue[child]))
            break;
        sim->queue[at] = sim->queue[child];
        at = child;
    }
    sim->queue[at] = last;
    return first;
}

void sim_item_free(struct sim_item *item)
{
    cu_buf_deinit(&item->bytes);
    free(item);
}
