#include "common/rpc/deadline.h"

#include <stdlib.h>

#include "common/base/assert.h"

static void put(struct cu_deadlines *all, struct cu_deadline *deadline, size_t place)
{
    all->heap[place - 1] = deadline;
    deadline->place = place;
}

static struct cu_deadline *at(const struct cu_deadlines *all, size_t place)
{
    return all->heap[place - 1];
}

static void rise(struct cu_deadlines *all, struct cu_deadline *deadline, size_t place)
{
    for (; place > 1 && cu_mono_before(deadline->at, at(all, place / 2)->at); place /= 2)
        put(all, at(all, place / 2), place);
    put(all, deadline, place);
}

static void sink(struct cu_deadlines *all, struct cu_deadline *deadline, size_t place)
{
    for (;;) {
        size_t child = 2 * place;
        if (child < all->count && cu_mono_before(at(all, child + 1)->at, at(all, child)->at))
            child++;
        if (child > all->count || !cu_mono_before(at(all, child)->at, deadline->at))
            break;
        put(all, at(all, child), place);
        place = child;
    }
    put(all, deadline, place);
}

/* The timer is only ever moved forward to an earlier point: most deadlines are cleared long before
 * they are reached, and a timer that fires for nothing is cheaper than one set for each. */
static void arm(struct cu_deadlines *all)
{
    if (!all->count || !cu_mono_before(at(all, 1)->at, all->armed))
        return;
    all->armed = at(all, 1)->at;
    cu_timer_set_at(&all->timer, all->loop, all->armed);
}

static void fire(void *arg)
{
    struct cu_deadlines *all = arg;
    struct cu_mono now = cu_loop_now(all->loop);
    all->armed = CU_MONO_NEVER;
    while (all->count && !cu_mono_before(now, at(all, 1)->at)) {
        struct cu_deadline *first = at(all, 1);
        cu_deadline_clear(all, first);
        first->fn(first->arg);
    }
    arm(all);
}

void cu_deadlines_init(struct cu_deadlines *all, struct cu_loop *loop)
{
    *all = (struct cu_deadlines){.loop = loop, .armed = CU_MONO_NEVER};
    cu_timer_init(&all->timer, loop, fire, all);
}

void cu_deadlines_deinit(struct cu_deadlines *all)
{
    cu_timer_close(&all->timer);
    free(all->heap);
    *all = (struct cu_deadlines){0};
}

void cu_deadline_set(struct cu_deadlines *all, struct cu_deadline *deadline)
{
    CU_ASSERT(!deadline->place);
    if (all->count == all->cap) {
        all->cap = all->cap ? 2 * all->cap : 64;
        all->heap = cu_realloc(all->heap, all->cap * sizeof(struct cu_deadline *));
    }
    all->count++;
    rise(all, deadline, all->count);
    arm(all);
}

void cu_deadline_clear(struct cu_deadlines *all, struct cu_deadline *deadline)
{
    size_t place = deadline->place;
    if (!place)
        return;
    deadline->place = 0;
    struct cu_deadline *last = at(all, all->count--);
    if (last == deadline)
        return;
    if (place > 1 && cu_mono_before(last->at, at(all, place / 2)->at))
        rise(all, last, place);
    else
        sink(all, last, place);
}
