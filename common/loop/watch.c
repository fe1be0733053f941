/* Timers, descriptors and signals of the loop: thin, so that no other folder includes libevent. */
#include "common/loop/loop.h"

#include <event2/event.h>

#include "common/base/assert.h"

static void add_timer(struct cu_timer *timer, uint64_t delay_us)
{
    const uint64_t far_us = 365ull * 86400 * 1000000;
    if (delay_us > far_us)
        delay_us = far_us;
    struct timeval after = {(time_t)(delay_us / 1000000), (suseconds_t)(delay_us % 1000000)};
    int failed = event_add(timer->event, &after);
    CU_ASSERT(!failed);
}

static uint64_t us_until(struct cu_mono at)
{
    struct cu_mono now = cu_mono_now();
    return at.ns > now.ns ? (at.ns - now.ns + 999) / 1000 : 0;
}

/* libevent counts in a coarse clock, read once a turn: it may fire some ms early. */
static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
    struct cu_timer *timer = arg;
    (void)fd;
    (void)what;
    uint64_t early_us = us_until(timer->at);
    if (early_us)
        add_timer(timer, early_us);
    else
        timer->fn(timer->arg);
}

void cu_timer_init(struct cu_timer *timer, struct cu_loop *loop, cu_callback *fn, void *arg)
{
    *timer = (struct cu_timer){.fn = fn, .arg = arg};
    timer->event = event_new(cu_loop_base(loop), -1, 0, timer_fired, timer);
    CU_ASSERT(timer->event);
}

void cu_timer_set_ms(struct cu_timer *timer, uint64_t delay_ms)
{
    timer->at = delay_ms ? cu_mono_add_ms(cu_mono_now(), delay_ms) : (struct cu_mono){0};
    add_timer(timer, delay_ms > UINT64_MAX / 1000 ? UINT64_MAX : delay_ms * 1000);
}

void cu_timer_set_at(struct cu_timer *timer, struct cu_loop *loop, struct cu_mono at)
{
    (void)loop;
    timer->at = at;
    add_timer(timer, us_until(at));
}

void cu_timer_cancel(struct cu_timer *timer)
{
    if (timer->event)
        (void)event_del(timer->event); /* deleting what is not pending is fine */
}

bool cu_timer_is_set(const struct cu_timer *timer)
{
    return timer->event && event_pending(timer->event, EV_TIMEOUT, NULL);
}

void cu_timer_close(struct cu_timer *timer)
{
    if (timer->event)
        event_free(timer->event);
    timer->event = NULL;
}

static void fd_ready(evutil_socket_t fd, short what, void *arg)
{
    struct cu_fd_watch *watch = arg;
    unsigned flags = (what & EV_READ ? CU_FD_READ : 0u) | (what & EV_WRITE ? CU_FD_WRITE : 0u) |
                     (what & EV_CLOSED ? CU_FD_CLOSED : 0u);
    (void)fd;
    watch->fn(watch->arg, flags);
}

void cu_fd_watch_init(struct cu_fd_watch *watch, struct cu_loop *loop, int fd, cu_fd_callback *fn,
                      void *arg)
{
    *watch = (struct cu_fd_watch){.loop = loop, .fd = fd, .fn = fn, .arg = arg};
}

void cu_fd_watch_set(struct cu_fd_watch *watch, unsigned what)
{
    if (watch->what == what)
        return;
    if (watch->event)
        event_free(watch->event);
    watch->event = NULL;
    watch->what = what;
    if (!what)
        return;
    short events =
        (short)(EV_PERSIST | (what & CU_FD_READ ? EV_READ : 0) |
                (what & CU_FD_WRITE ? EV_WRITE : 0) | (what & CU_FD_CLOSED ? EV_CLOSED : 0));
    watch->event = event_new(cu_loop_base(watch->loop), watch->fd, events, fd_ready, watch);
    int failed = event_add(watch->event, NULL);
    CU_ASSERT(!failed);
}

void cu_fd_watch_close(struct cu_fd_watch *watch)
{
    if (watch->event)
        event_free(watch->event);
    watch->event = NULL;
    watch->what = 0;
}

static void signalled(evutil_socket_t fd, short what, void *arg)
{
    struct cu_signal_watch *watch = arg;
    (void)what;
    watch->fn(watch->arg, fd);
}

void cu_signal_watch_init(struct cu_signal_watch *watch, struct cu_loop *loop, int signal_number,
                          cu_signal_callback *fn, void *arg)
{
    *watch = (struct cu_signal_watch){.fn = fn, .arg = arg};
    watch->event = evsignal_new(cu_loop_base(loop), signal_number, signalled, watch);
    int failed = event_add(watch->event, NULL);
    CU_ASSERT(!failed);
}

void cu_signal_watch_close(struct cu_signal_watch *watch)
{
    if (watch->event)
        event_free(watch->event);
    watch->event = NULL;
}
