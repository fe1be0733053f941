/* loop.h - one thread's event loop: descriptors, timers, signals, and work handed over by other
 * threads.
 *
 * A turn takes all events that are ready, runs their callbacks, then runs the hooks asked for with
 * cu_loop_at_turn_end() until none is left (contracts 1.7: handlers append to queues, the end of
 * the turn does one batch of each kind). Everything but cu_loop_post() is for the loop's own
 * thread. Built on libevent. */
#ifndef CU_LOOP_LOOP_H
#define CU_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/mono.h"

struct cu_loop;
struct event_base;

typedef void cu_callback(void *arg);

struct cu_loop *cu_loop_new(void);
void cu_loop_free(struct cu_loop *loop); /* takes NULL; every timer, watch and signal must be closed
                                          * before. Runs what was posted and not yet read. */

void cu_loop_run(struct cu_loop *loop); /* until cu_loop_stop() */
void cu_loop_stop(struct cu_loop *loop);
/* One turn; blocks for events only if `may_block`. For tests. */
void cu_loop_turn(struct cu_loop *loop, bool may_block);

/* The clock, read now: a turn may be long, and a lease must not rest on an old reading. */
struct cu_mono cu_loop_now(const struct cu_loop *loop);
uint64_t cu_loop_turns(const struct cu_loop *loop);
struct event_base *cu_loop_base(struct cu_loop *loop); /* for libraries that need libevent itself */

/* Runs fn(arg) on the loop's thread, in the order posted. Any thread; never blocks for long. */
void cu_loop_post(struct cu_loop *loop, cu_callback *fn, void *arg);

/* A hook lives in its owner. Asking again while it is queued does nothing. */
struct cu_turn_hook {
    cu_callback *fn;
    void *arg;
    struct cu_turn_hook *next;
    bool queued;
};

void cu_loop_at_turn_end(struct cu_loop *loop, struct cu_turn_hook *hook);
/* As above, but only when no ordinary hook is left: one send a peer, after all who append to it. */
void cu_loop_at_turn_last(struct cu_loop *loop, struct cu_turn_hook *hook);
void cu_turn_hook_cancel(struct cu_loop *loop, struct cu_turn_hook *hook);

/* Timers: one shot, re-armed by hand, never early. Zero-initialise, init once, close before freeing
 * the owner.
 */
struct cu_timer {
    struct event *event;
    cu_callback *fn;
    void *arg;
    struct cu_mono at;
};

void cu_timer_init(struct cu_timer *timer, struct cu_loop *loop, cu_callback *fn, void *arg);
void cu_timer_set_ms(struct cu_timer *timer, uint64_t delay_ms); /* replaces an earlier setting */
void cu_timer_set_at(struct cu_timer *timer, struct cu_loop *loop, struct cu_mono at);
void cu_timer_cancel(struct cu_timer *timer);
bool cu_timer_is_set(const struct cu_timer *timer);
void cu_timer_close(struct cu_timer *timer);

/* Descriptors, level-triggered. */
enum { CU_FD_READ = 1, CU_FD_WRITE = 2, CU_FD_CLOSED = 4 /* the peer hung up */ };

typedef void cu_fd_callback(void *arg, unsigned what);

struct cu_fd_watch {
    struct event *event;
    struct cu_loop *loop;
    cu_fd_callback *fn;
    void *arg;
    int fd;
    unsigned what;
};

void cu_fd_watch_init(struct cu_fd_watch *watch, struct cu_loop *loop, int fd, cu_fd_callback *fn,
                      void *arg);
void cu_fd_watch_set(struct cu_fd_watch *watch, unsigned what); /* 0: nothing for now */
void cu_fd_watch_close(struct cu_fd_watch *watch);              /* does not close the descriptor */

typedef void cu_signal_callback(void *arg, int signal_number);

struct cu_signal_watch {
    struct event *event;
    cu_signal_callback *fn;
    void *arg;
};

void cu_signal_watch_init(struct cu_signal_watch *watch, struct cu_loop *loop, int signal_number,
                          cu_signal_callback *fn, void *arg);
void cu_signal_watch_close(struct cu_signal_watch *watch);

#endif
