#include "services/agentd/io/hangups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/base/assert.h"

enum { EVENTS_A_READ = 64 };

struct agent_hangups {
    int epoll;
    struct cu_fd_watch watch;
    agent_on_hangup *fn;
    void *arg;
    void **waiters; /* by descriptor; NULL: nobody waits */
    size_t cap;
};

/* One that fires for nobody is spent: the next wait arms it again, and hears of it then. */
static void readable(void *arg, unsigned what)
{
    struct agent_hangups *h = arg;
    struct epoll_event events[EVENTS_A_READ];
    (void)what;
    int count = epoll_wait(h->epoll, events, EVENTS_A_READ, 0);
    for (int i = 0; i < count; i++) {
        size_t fd = (size_t)events[i].data.fd;
        void *waiter = fd < h->cap ? h->waiters[fd] : NULL;
        if (!waiter)
            continue;
        h->waiters[fd] = NULL;
        h->fn(h->arg, waiter);
    }
}

enum cu_err agent_hangups_open(struct cu_loop *loop, agent_on_hangup *fn, void *arg,
                               struct agent_hangups **ret_hangups, struct cu_diag *diag)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return cu_fail(diag, CU_E_IO, "cannot make an epoll descriptor: %s", strerror(errno));
    struct agent_hangups *h = cu_alloc(sizeof *h);
    h->epoll = epoll;
    h->fn = fn;
    h->arg = arg;
    cu_fd_watch_init(&h->watch, loop, epoll, readable, h);
    cu_fd_watch_set(&h->watch, CU_FD_READ);
    *ret_hangups = h;
    return CU_OK;
}

void agent_hangups_close(struct agent_hangups *h)
{
    if (!h)
        return;
    cu_fd_watch_close(&h->watch);
    (void)close(h->epoll);
    free(h->waiters);
    free(h);
}

static void make_room(struct agent_hangups *h, size_t fd)
{
    if (fd < h->cap)
        return;
    size_t cap = h->cap ? h->cap : 64;
    while (cap <= fd)
        cap *= 2;
    h->waiters = cu_realloc(h->waiters, cap * sizeof *h->waiters);
    memset(h->waiters + h->cap, 0, (cap - h->cap) * sizeof *h->waiters);
    h->cap = cap;
}

void agent_hangups_watch(struct agent_hangups *h, int fd, void *waiter)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.fd = fd};
    make_room(h, (size_t)fd);
    h->waiters[fd] = waiter;
    if (epoll_ctl(h->epoll, EPOLL_CTL_MOD, fd, &event) == 0)
        return;
    int failed = epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &event);
    CU_ASSERT(!failed); /* else out of kernel memory */
}

void agent_hangups_forget(struct agent_hangups *h, int fd)
{
    if ((size_t)fd < h->cap)
        h->waiters[fd] = NULL;
}
