#include "common/loop/loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop/worker.h"
#include "tests/lib/suite.h"

struct world {
    struct cu_loop *loop;
    char trace[256];
    int len;
};

static void note(struct world *w, char what)
{
    ck_assert_int_lt(w->len, 255);
    w->trace[w->len++] = what;
}

static void say_a(void *arg)
{
    note(arg, 'a');
}

static void say_b(void *arg)
{
    note(arg, 'b');
}

static void stop(void *arg)
{
    cu_loop_stop(((struct world *)arg)->loop);
}

START_TEST(posted_work_runs_in_the_order_posted)
{
    struct world w = {.loop = cu_loop_new()};
    cu_loop_post(w.loop, say_a, &w);
    cu_loop_post(w.loop, say_b, &w);
    cu_loop_post(w.loop, say_a, &w);
    cu_loop_post(w.loop, stop, &w);
    cu_loop_run(w.loop);
    ck_assert_str_eq(w.trace, "aba");
    cu_loop_free(w.loop);
}
END_TEST

START_TEST(turn_hooks_run_once_after_the_callbacks_of_the_turn)
{
    struct world w = {.loop = cu_loop_new()};
    struct cu_turn_hook hook = {.fn = say_b, .arg = &w}, gone = {.fn = say_a, .arg = &w};
    cu_loop_post(w.loop, say_a, &w);
    cu_loop_post(w.loop, stop, &w);
    cu_loop_turn(w.loop, false); /* the letters' bell is heard in this turn */
    cu_loop_at_turn_end(w.loop, &hook);
    cu_loop_at_turn_end(w.loop, &hook);
    cu_loop_at_turn_end(w.loop, &gone);
    cu_turn_hook_cancel(w.loop, &gone);
    cu_loop_turn(w.loop, false);
    cu_loop_turn(w.loop, false);
    ck_assert_str_eq(w.trace, "ab");
    cu_loop_free(w.loop);
}
END_TEST

struct chain {
    struct world w;
    struct cu_turn_hook last, ordinary;
};

/* An ordinary hook asked for by a last one still runs before the next last one. */
static void last_asks_ordinary(void *arg)
{
    struct chain *chain = arg;
    note(&chain->w, 'l');
    if (chain->w.len < 4)
        cu_loop_at_turn_end(chain->w.loop, &chain->ordinary);
}

static void ordinary_asks_last(void *arg)
{
    struct chain *chain = arg;
    note(&chain->w, 'o');
    cu_loop_at_turn_last(chain->w.loop, &chain->last);
}

START_TEST(last_hooks_run_when_no_ordinary_one_is_left)
{
    struct chain chain = {.w = {.loop = cu_loop_new()}};
    struct cu_turn_hook other = {.fn = say_a, .arg = &chain.w}, gone = other, first = other;
    chain.last = (struct cu_turn_hook){.fn = last_asks_ordinary, .arg = &chain};
    chain.ordinary = (struct cu_turn_hook){.fn = ordinary_asks_last, .arg = &chain};
    cu_loop_at_turn_last(chain.w.loop, &gone);
    cu_loop_at_turn_last(chain.w.loop, &chain.last);
    cu_loop_at_turn_end(chain.w.loop, &first);
    cu_loop_at_turn_end(chain.w.loop, &other);
    cu_turn_hook_cancel(chain.w.loop, &gone);
    cu_turn_hook_cancel(chain.w.loop, &first);
    cu_loop_turn(chain.w.loop, false);
    ck_assert_str_eq(chain.w.trace, "alol");
    cu_loop_free(chain.w.loop);
}
END_TEST

START_TEST(freeing_a_loop_runs_what_was_posted)
{
    struct world w = {.loop = cu_loop_new()};
    cu_loop_post(w.loop, say_a, &w);
    cu_loop_post(w.loop, say_b, &w);
    cu_loop_free(w.loop);
    ck_assert_str_eq(w.trace, "ab");
}
END_TEST

static void is_due(void *arg)
{
    struct cu_timer *timer = arg;
    ck_assert(!cu_mono_before(cu_mono_now(), timer->at));
    timer->fn = NULL;
}

START_TEST(timers_are_never_early_however_long_the_turn_was)
{
    struct world w = {.loop = cu_loop_new()};
    struct cu_timer timers[200];
    for (unsigned i = 0; i < 200; i++) {
        cu_timer_init(&timers[i], w.loop, is_due, &timers[i]);
        cu_timer_set_ms(&timers[i], 1 + i / 5);
    }
    for (unsigned i = 0; i < 200; i++)
        while (timers[i].fn)
            cu_loop_turn(w.loop, true);
    for (unsigned i = 0; i < 200; i++)
        cu_timer_close(&timers[i]);
    cu_loop_free(w.loop);
}
END_TEST

START_TEST(a_timer_fires_once_not_early_and_not_when_cancelled)
{
    struct world w = {.loop = cu_loop_new()};
    struct cu_timer first, second, end;
    cu_timer_init(&first, w.loop, say_a, &w);
    cu_timer_init(&second, w.loop, say_b, &w);
    cu_timer_init(&end, w.loop, stop, &w);
    struct cu_mono begun = cu_loop_now(w.loop);
    cu_timer_set_ms(&first, 20);
    cu_timer_set_ms(&second, 10);
    cu_timer_cancel(&second);
    cu_timer_set_at(&end, w.loop, cu_mono_add_ms(begun, 40));
    ck_assert(cu_timer_is_set(&first) && !cu_timer_is_set(&second));
    cu_loop_run(w.loop);
    ck_assert_uint_ge(cu_mono_ms_between(begun, cu_loop_now(w.loop)), 40);
    ck_assert_str_eq(w.trace, "a");
    cu_timer_close(&first);
    cu_timer_close(&second);
    cu_timer_close(&end);
    cu_loop_free(w.loop);
}
END_TEST

static void readable(void *arg, unsigned what)
{
    struct world *w = arg;
    note(w, what & CU_FD_READ ? 'r' : 'w');
    cu_loop_stop(w->loop);
}

START_TEST(a_descriptor_is_told_of_when_it_is_ready)
{
    struct world w = {.loop = cu_loop_new()};
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct cu_fd_watch watch;
    cu_fd_watch_init(&watch, w.loop, pair[0], readable, &w);
    cu_fd_watch_set(&watch, CU_FD_READ);
    cu_loop_turn(w.loop, false);
    ck_assert_int_eq(w.len, 0);
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    cu_loop_run(w.loop);
    ck_assert_str_eq(w.trace, "r");
    cu_fd_watch_set(&watch, CU_FD_WRITE);
    cu_loop_run(w.loop);
    ck_assert_str_eq(w.trace, "rw");
    cu_fd_watch_close(&watch);
    (void)close(pair[0]);
    (void)close(pair[1]);
    cu_loop_free(w.loop);
}
END_TEST

static void signalled(void *arg, int signal_number)
{
    struct world *w = arg;
    note(w, signal_number == SIGUSR1 ? 's' : '?');
    cu_loop_stop(w->loop);
}

START_TEST(a_signal_arrives_as_an_event)
{
    struct world w = {.loop = cu_loop_new()};
    struct cu_signal_watch watch;
    cu_signal_watch_init(&watch, w.loop, SIGUSR1, signalled, &w);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    cu_loop_run(w.loop);
    ck_assert_str_eq(w.trace, "s");
    cu_signal_watch_close(&watch);
    cu_loop_free(w.loop);
}
END_TEST

enum { JOBS = 1000 };

struct task {
    struct cu_job job;
    struct world *w;
    int number;
    pthread_t ran_on;
};

static int done_count;

static void run_task(void *arg)
{
    ((struct task *)arg)->ran_on = pthread_self();
}

static void task_done(void *arg)
{
    struct task *task = arg;
    ck_assert(!pthread_equal(task->ran_on, pthread_self()));
    ck_assert_int_eq(task->number, done_count);
    if (++done_count == JOBS)
        cu_loop_stop(task->w->loop);
}

START_TEST(a_worker_runs_jobs_elsewhere_and_reports_them_in_order)
{
    struct world w = {.loop = cu_loop_new()};
    struct cu_worker *worker = cu_worker_new(w.loop, "test");
    static struct task tasks[JOBS];
    for (int i = 0; i < JOBS; i++) {
        tasks[i] = (struct task){
            .job = {.run = run_task, .done = task_done, .arg = &tasks[i]}, .w = &w, .number = i};
        cu_worker_submit(worker, &tasks[i].job);
    }
    ck_assert_uint_eq(cu_worker_waiting(worker), JOBS);
    cu_loop_run(w.loop);
    ck_assert_uint_eq(cu_worker_waiting(worker), 0);
    cu_worker_free(worker);
    cu_loop_turn(w.loop, false);
    cu_loop_free(w.loop);
}
END_TEST

START_TEST(freeing_a_worker_finishes_what_was_submitted)
{
    struct world w = {.loop = cu_loop_new()};
    struct cu_worker *worker = cu_worker_new(w.loop, "test");
    static struct task tasks[JOBS];
    done_count = 0;
    for (int i = 0; i < JOBS; i++) {
        tasks[i] = (struct task){
            .job = {.run = run_task, .done = task_done, .arg = &tasks[i]}, .w = &w, .number = i};
        cu_worker_submit(worker, &tasks[i].job);
    }
    cu_worker_free(worker);
    ck_assert_int_eq(done_count, JOBS);
    cu_loop_turn(w.loop, false); /* a letter that was under way frees the worker's memory */
    cu_loop_free(w.loop);
}
END_TEST

SUITE_MAIN("common/loop/loop", posted_work_runs_in_the_order_posted,
           turn_hooks_run_once_after_the_callbacks_of_the_turn,
           last_hooks_run_when_no_ordinary_one_is_left, freeing_a_loop_runs_what_was_posted,
           timers_are_never_early_however_long_the_turn_was,
           a_timer_fires_once_not_early_and_not_when_cancelled,
           a_descriptor_is_told_of_when_it_is_ready, a_signal_arrives_as_an_event,
           a_worker_runs_jobs_elsewhere_and_reports_them_in_order,
           freeing_a_worker_finishes_what_was_submitted)
