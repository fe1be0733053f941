/* internal.h - what the files of common/view share; nobody else includes it. */
#ifndef CU_VIEW_INTERNAL_H
#define CU_VIEW_INTERNAL_H

#include "common/loop/worker.h"
#include "common/metric/metric.h"
#include "common/view/catalogs.h"
#include "common/view/kept.h"
#include "common/view/view.h"

enum {
    VIEW_BUCKETS = 4096, /* of upstream reads, by key */
    VIEW_POOL_MAX = 1024,
    VIEW_TICK_MS = 50, /* while something is held: expiry, and asking a NotReady one again */
    VIEW_SLACK_MS =
        3000, /* a catalogd that holds a read for a leader answers before this is over */
};

/* Told when the catalogd in use comes, goes or changes. Lives in its owner. */
struct view_listener {
    struct view_listener *next, **at;
    cu_callback *fn;
    void *arg;
};

struct cu_view {
    struct cu_rpc *rpc;
    struct cu_loop *loop;
    struct view_catalogs *catalogs;
    uint64_t hold_ms;
    struct view_task *held;
    size_t held_count;
    struct cu_timer tick;
    struct view_listener *listeners;

    struct view_op *buckets[VIEW_BUCKETS]; /* those that can be joined */
    struct view_op *gathered, **gathered_tail;
    struct cu_turn_hook send_hook;
    struct view_op *pool;
    size_t pool_count;
    struct view_op *all; /* under way */
    struct view_kept_store kept;
    struct cu_buf key, packed, encoded; /* scratch */
    size_t waits, waiters;
    struct cu_worker *worker; /* NULL: nothing was large yet */
    struct cu_counter *hits, *unchanged, *joined, *repeated, *encoded_there;
};

/* Runs `task->go` at once, or when a catalogd is up, or `task->fail` when `hold_until` passes. */
void view_hold(struct cu_view *view, struct view_task *task);
void view_task_leave(struct cu_view *view, struct view_task *task);
void view_run_held(void *view); /* a catalogd is up */
void view_listen(struct cu_view *view, struct view_listener *listener);
void view_unlisten(struct view_listener *listener);
void view_tick(void *view);
/* `asked` is not ready: whether the task is to be sent again at once, to another one. Only once a
 * task: where all are not ready it is held, and they are asked at each tick. */
bool view_try_another(struct cu_view *view, struct view_task *task, const struct cu_client *asked);
bool view_is_held(const struct view_task *task);

#endif
