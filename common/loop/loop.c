#include "common/loop/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/assert.h"

struct letter {
    cu_callback *fn;
    void *arg;
};

struct cu_loop {
    struct event_base *base;
    uint64_t turns;
    bool stopping;
    struct hook_list {
        struct cu_turn_hook *first, **tail;
    } hooks, last_hooks;
    /* Mailbox: filled by any thread under the lock, emptied whole by ours. */
    pthread_mutex_t lock;
    struct letter *letters, *reading;
    size_t letter_count, letter_cap, reading_cap;
    int wake_fd;
    struct event *wake_event;
};

static void read_mail(struct cu_loop *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    struct letter *letters = loop->letters;
    size_t count = loop->letter_count, cap = loop->letter_cap;
    loop->letters = loop->reading;
    loop->letter_cap = loop->reading_cap;
    loop->letter_count = 0;
    loop->reading = letters;
    loop->reading_cap = cap;
    (void)pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < count; i++)
        letters[i].fn(letters[i].arg);
}

static void woken(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;
    (void)what;
    ssize_t got = read(fd, &count, sizeof count); /* empties the counter; its value tells nothing */
    (void)got;
    read_mail(arg);
}

struct cu_loop *cu_loop_new(void)
{
    struct cu_loop *loop = cu_alloc(sizeof *loop);
    loop->base = event_base_new();
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CU_ASSERT(loop->base && loop->wake_fd >= 0);
    loop->hooks.tail = &loop->hooks.first;
    loop->last_hooks.tail = &loop->last_hooks.first;
    int failed = pthread_mutex_init(&loop->lock, NULL);
    loop->wake_event = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, woken, loop);
    failed |= event_add(loop->wake_event, NULL);
    CU_ASSERT(!failed);
    return loop;
}

void cu_loop_free(struct cu_loop *loop)
{
    if (!loop)
        return;
    while (loop->letter_count) /* whoever posted counts on it, if only to free what it sent */
        read_mail(loop);
    event_free(loop->wake_event);
    event_base_free(loop->base);
    (void)close(loop->wake_fd);
    (void)pthread_mutex_destroy(&loop->lock);
    free(loop->letters);
    free(loop->reading);
    free(loop);
}

static bool run_first_hook(struct hook_list *list)
{
    struct cu_turn_hook *hook = list->first;
    if (!hook)
        return false;
    list->first = hook->next;
    if (!list->first)
        list->tail = &list->first;
    hook->queued = false;
    hook->fn(hook->arg);
    return true;
}

static void run_hooks(struct cu_loop *loop)
{
    while (run_first_hook(&loop->hooks) || run_first_hook(&loop->last_hooks))
        ;
}

void cu_loop_turn(struct cu_loop *loop, bool may_block)
{
    run_hooks(loop); /* asked for between two turns */
    int failed = event_base_loop(loop->base, may_block ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
    CU_ASSERT(failed >= 0);
    loop->turns++;
    run_hooks(loop);
}

void cu_loop_run(struct cu_loop *loop)
{
    loop->stopping = false;
    while (!loop->stopping)
        cu_loop_turn(loop, true);
}

void cu_loop_stop(struct cu_loop *loop)
{
    loop->stopping = true;
    (void)event_base_loopbreak(loop->base);
}

struct cu_mono cu_loop_now(const struct cu_loop *loop)
{
    (void)loop;
    return cu_mono_now();
}

uint64_t cu_loop_turns(const struct cu_loop *loop)
{
    return loop->turns;
}

struct event_base *cu_loop_base(struct cu_loop *loop)
{
    return loop->base;
}

void cu_loop_post(struct cu_loop *loop, cu_callback *fn, void *arg)
{
    (void)pthread_mutex_lock(&loop->lock);
    if (loop->letter_count == loop->letter_cap) {
        loop->letter_cap = loop->letter_cap ? loop->letter_cap * 2 : 16;
        loop->letters = cu_realloc(loop->letters, loop->letter_cap * sizeof *loop->letters);
    }
    loop->letters[loop->letter_count++] = (struct letter){fn, arg};
    bool first = loop->letter_count == 1;
    (void)pthread_mutex_unlock(&loop->lock);
    if (!first)
        return; /* whoever was first has rung the bell, and the box is emptied whole */
    uint64_t one = 1;
    ssize_t put = write(loop->wake_fd, &one, sizeof one);
    CU_ASSERT(put == sizeof one);
}

static void add_hook(struct hook_list *list, struct cu_turn_hook *hook)
{
    if (hook->queued)
        return;
    hook->queued = true;
    hook->next = NULL;
    *list->tail = hook;
    list->tail = &hook->next;
}

void cu_loop_at_turn_end(struct cu_loop *loop, struct cu_turn_hook *hook)
{
    add_hook(&loop->hooks, hook);
}

void cu_loop_at_turn_last(struct cu_loop *loop, struct cu_turn_hook *hook)
{
    add_hook(&loop->last_hooks, hook);
}

static bool remove_hook(struct hook_list *list, struct cu_turn_hook *hook)
{
    for (struct cu_turn_hook **at = &list->first; *at; at = &(*at)->next) {
        if (*at != hook)
            continue;
        *at = hook->next;
        if (!*at)
            list->tail = at;
        return true;
    }
    return false;
}

void cu_turn_hook_cancel(struct cu_loop *loop, struct cu_turn_hook *hook)
{
    if (!hook->queued)
        return;
    bool found = remove_hook(&loop->hooks, hook) || remove_hook(&loop->last_hooks, hook);
    CU_ASSERT(found);
    hook->queued = false;
}
