/* worker.h - a named thread that does blocking work, one job after the other, first in, first out.
 */
#ifndef CU_LOOP_WORKER_H
#define CU_LOOP_WORKER_H

#include <stddef.h>

#include "common/loop/loop.h"

struct cu_worker;

/* Lives in its owner, who keeps it until `done` has run. `run` is called on the worker's thread,
 * `done` (may be NULL) after it on the loop's, in the order of submission. */
struct cu_job {
    cu_callback *run;
    cu_callback *done;
    void *arg;
    struct cu_job *next;
    struct cu_worker *worker;
};

/* `name` (at most 15 characters) shows in ps and gdb. */
struct cu_worker *cu_worker_new(struct cu_loop *loop, const char *name);
void cu_worker_submit(struct cu_worker *worker, struct cu_job *job); /* loop's thread */
size_t cu_worker_waiting(const struct cu_worker *worker); /* jobs whose done has not run */

/* Finishes what was submitted, ends the thread, runs what `done`s are left, frees. Takes NULL.
 * Blocks. */
void cu_worker_free(struct cu_worker *worker);

#endif
