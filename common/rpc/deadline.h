/* deadline.h - very many points in time of which few are reached: a heap and one timer. */
#ifndef CU_RPC_DEADLINE_H
#define CU_RPC_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/mono.h"
#include "common/loop/loop.h"

/* Lives in its owner. Zero-initialise. */
struct cu_deadline {
    struct cu_mono at;
    cu_callback *fn;
    void *arg;
    size_t place; /* in the heap, from 1; 0: not set */
};

struct cu_deadlines {
    struct cu_loop *loop;
    struct cu_timer timer;
    struct cu_mono armed; /* the timer's, CU_MONO_NEVER when it is not set */
    struct cu_deadline **heap;
    size_t count, cap;
};

void cu_deadlines_init(struct cu_deadlines *all, struct cu_loop *loop);
void cu_deadlines_deinit(struct cu_deadlines *all); /* forgets those that are set */

/* fn(arg) runs once after `at`, never early, unless cleared. Not set before. */
void cu_deadline_set(struct cu_deadlines *all, struct cu_deadline *deadline);
void cu_deadline_clear(struct cu_deadlines *all, struct cu_deadline *deadline);

#endif
