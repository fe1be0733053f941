#include "common/loop/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/assert.h"

struct cu_worker {
    struct cu_loop *loop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct cu_job *first, **tail;
    struct cu_job *finished, **finished_tail;
    bool ending, letter_out; /* letter_out: read_letter lies in the loop's mailbox */
    bool freed;              /* loop's thread only */
    size_t waiting;          /* loop's thread only */
};

static void push(struct cu_job ***tail, struct cu_job *job)
{
    job->next = NULL;
    **tail = job;
    *tail = &job->next;
}

/* Loop's thread: everything finished so far, in order. */
static void run_dones(struct cu_worker *worker)
{
    (void)pthread_mutex_lock(&worker->lock);
    struct cu_job *job = worker->finished;
    worker->finished = NULL;
    worker->finished_tail = &worker->finished;
    (void)pthread_mutex_unlock(&worker->lock);
    while (job) {
        struct cu_job *next = job->next;
        worker->waiting--;
        if (job->done)
            job->done(job->arg); /* may free the job */
        job = next;
    }
}

static void read_letter(void *arg)
{
    struct cu_worker *worker = arg;
    if (worker->freed) {
        free(worker);
        return;
    }
    (void)pthread_mutex_lock(&worker->lock);
    worker->letter_out = false; /* before looking, so that what finishes from here on writes anew */
    (void)pthread_mutex_unlock(&worker->lock);
    run_dones(worker);
}

/* Under the lock; whether the loop is to be told, once it is let go: whom a letter or a signal
 * wakes would only wait for it. */
static bool finish(struct cu_worker *worker, struct cu_job *job)
{
    push(&worker->finished_tail, job);
    if (worker->letter_out || worker->ending)
        return false;
    worker->letter_out = true;
    return true;
}

static void *work(void *arg)
{
    struct cu_worker *worker = arg;
    (void)pthread_mutex_lock(&worker->lock);
    for (;;) {
        while (!worker->first && !worker->ending)
            (void)pthread_cond_wait(&worker->filled, &worker->lock);
        struct cu_job *job = worker->first;
        if (!job)
            break;
        worker->first = job->next;
        if (!worker->first)
            worker->tail = &worker->first;
        (void)pthread_mutex_unlock(&worker->lock);
        job->run(job->arg);
        (void)pthread_mutex_lock(&worker->lock);
        if (!finish(worker, job))
            continue;
        (void)pthread_mutex_unlock(&worker->lock);
        cu_loop_post(worker->loop, read_letter, worker);
        (void)pthread_mutex_lock(&worker->lock);
    }
    (void)pthread_mutex_unlock(&worker->lock);
    return NULL;
}

struct cu_worker *cu_worker_new(struct cu_loop *loop, const char *name)
{
    struct cu_worker *worker = cu_alloc(sizeof *worker);
    worker->loop = loop;
    worker->tail = &worker->first;
    worker->finished_tail = &worker->finished;
    int failed = pthread_mutex_init(&worker->lock, NULL) | pthread_cond_init(&worker->filled, NULL);
    /* Signals belong to the loop's thread: libevent's handler must not run here. */
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    failed |= pthread_create(&worker->thread, NULL, work, worker);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    CU_ASSERT(!failed);
    (void)pthread_setname_np(worker->thread, name); /* a name too long costs only the name */
    return worker;
}

void cu_worker_submit(struct cu_worker *worker, struct cu_job *job)
{
    job->worker = worker;
    worker->waiting++;
    (void)pthread_mutex_lock(&worker->lock);
    push(&worker->tail, job);
    (void)pthread_mutex_unlock(&worker->lock);
    (void)pthread_cond_signal(&worker->filled);
}

size_t cu_worker_waiting(const struct cu_worker *worker)
{
    return worker->waiting;
}

void cu_worker_free(struct cu_worker *worker)
{
    if (!worker)
        return;
    (void)pthread_mutex_lock(&worker->lock);
    worker->ending = true;
    (void)pthread_cond_signal(&worker->filled);
    (void)pthread_mutex_unlock(&worker->lock);
    (void)pthread_join(worker->thread, NULL);
    run_dones(worker);
    (void)pthread_mutex_destroy(&worker->lock);
    (void)pthread_cond_destroy(&worker->filled);
    if (worker->letter_out) /* a run_dones is still in the loop's mailbox: it frees us */
        worker->freed = true;
    else
        free(worker);
}
