#include "services/curia/agent/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/assert.h"
#include "common/daemon/daemon.h"

struct seat {
    struct agent_child child;
    struct supervisor *supervisor;
    struct cu_timer restart;
    uint64_t back_off_ms;
    unsigned quick_ends; /* in a row */
    bool was_ready;      /* once: then the next one may start */
};

struct supervisor {
    struct supervisor_options options;
    struct seat seats[SUPERVISOR_CHILDREN];
    size_t count, begun; /* seats whose daemon has been started at least once */
    struct cu_signal_watch ended;
    struct cu_timer stop_limit;
    bool is_stopping, is_ready, has_failed, has_left;
    struct cu_diag failure;
};

static void give_up(struct supervisor *supervisor)
{
    supervisor->has_failed = true;
    supervisor_stop(supervisor);
}

static void start_seat(struct seat *seat)
{
    struct supervisor *supervisor = seat->supervisor;
    if (child_start(&seat->child, &supervisor->failure)) {
        give_up(supervisor);
        return;
    }
    cu_debug(supervisor->options.log, "daemon.start", "name=%s pid=%ld", seat->child.name,
             (long)seat->child.pid);
}

static void start_next(struct supervisor *supervisor)
{
    if (supervisor->is_stopping)
        return;
    if (supervisor->begun < supervisor->count) {
        start_seat(&supervisor->seats[supervisor->begun++]);
    } else if (!supervisor->is_ready) {
        supervisor->is_ready = true;
        supervisor->options.on_ready(supervisor->options.arg);
    }
}

static void on_child_ready(void *arg)
{
    struct seat *seat = arg;
    seat->quick_ends = 0;
    if (seat->was_ready) {
        cu_info(seat->supervisor->options.log, "daemon.back", "name=%s pid=%ld", seat->child.name,
                (long)seat->child.pid);
        return;
    }
    seat->was_ready = true;
    start_next(seat->supervisor);
}

static void on_restart(void *arg)
{
    struct seat *seat = arg;
    if (!seat->supervisor->is_stopping)
        start_seat(seat);
}

/* Stops the last one that still runs; without one, all is done. */
static void stop_next(struct supervisor *supervisor)
{
    for (size_t i = supervisor->count; i > 0; i--)
        if (supervisor->seats[i - 1].child.pid) {
            child_kill(&supervisor->seats[i - 1].child, SIGTERM);
            return;
        }
    cu_loop_stop(supervisor->options.loop);
}

static void describe(char *out, size_t size, int status)
{
    if (WIFSIGNALED(status))
        (void)snprintf(out, size, "signal %d", WTERMSIG(status));
    else
        (void)snprintf(out, size, "exit code %d", WEXITSTATUS(status));
}

/* It said that starting it again would not help (common/daemon). */
static bool gave_up(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == CU_EXIT_GAVE_UP;
}

/* The node was told to go, and this daemon has seen to it that the pool knows. */
static bool left(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == CU_EXIT_LEFT;
}

static void end_node(struct seat *seat, const char *how)
{
    struct supervisor *supervisor = seat->supervisor;
    const char *said = seat->child.message;
    if (*said)
        (void)cu_fail(&supervisor->failure, CU_E_IO, "%s", said);
    else
        (void)cu_fail(&supervisor->failure, CU_E_IO, "%s ended (%s)", seat->child.name, how);
    give_up(supervisor);
}

static void restart_later(struct seat *seat, const char *how)
{
    struct supervisor *supervisor = seat->supervisor;
    uint64_t lived_ms = cu_mono_ms_between(seat->child.started, cu_mono_now());
    seat->quick_ends = lived_ms < SUPERVISOR_QUICK_MS ? seat->quick_ends + 1 : 0;
    if (seat->quick_ends >= SUPERVISOR_QUICK_MAX) {
        const char *said = seat->child.message;
        if (*said)
            (void)cu_fail(&supervisor->failure, CU_E_IO, "%s", said);
        else
            (void)cu_fail(&supervisor->failure, CU_E_IO, "%s ended at once, %u times (%s)",
                          seat->child.name, seat->quick_ends, how);
        give_up(supervisor);
        return;
    }
    if (!seat->back_off_ms || lived_ms >= SUPERVISOR_BACK_OFF_MAX_MS)
        seat->back_off_ms = SUPERVISOR_BACK_OFF_MIN_MS;
    cu_warn(supervisor->options.log, "daemon.ended", "name=%s how=\"%s\" restart_in_ms=%llu",
            seat->child.name, how, (unsigned long long)seat->back_off_ms);
    cu_timer_set_ms(&seat->restart, seat->back_off_ms);
    seat->back_off_ms *= 2;
    if (seat->back_off_ms > SUPERVISOR_BACK_OFF_MAX_MS)
        seat->back_off_ms = SUPERVISOR_BACK_OFF_MAX_MS;
}

static bool died_of(int status, int signal_number)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == signal_number;
}

static void seat_ended(struct seat *seat, int status)
{
    struct supervisor *supervisor = seat->supervisor;
    char how[32];
    describe(how, sizeof how, status);
    child_ended(&seat->child);
    if (left(status)) {
        cu_info(supervisor->options.log, "agent.left", "by=%s", seat->child.name);
        supervisor->has_left = true;
        if (supervisor->is_stopping)
            stop_next(supervisor);
        else
            supervisor_stop(supervisor);
        return;
    }
    if (!supervisor->is_stopping && gave_up(status)) {
        end_node(seat, how);
        return;
    }
    if (!supervisor->is_stopping) {
        restart_later(seat, how);
        return;
    }
    if (status && !died_of(status, SIGTERM)) /* that one was still starting, and did as told */
        cu_warn(supervisor->options.log, "daemon.ended", "name=%s how=\"%s\"", seat->child.name,
                how);
    stop_next(supervisor);
}

/* One SIGCHLD may stand for several ends: ask for each of ours, and for no other process. */
static void on_ended(void *arg, int signal_number)
{
    struct supervisor *supervisor = arg;
    (void)signal_number;
    for (size_t i = 0; i < supervisor->count; i++) {
        struct seat *seat = &supervisor->seats[i];
        int status;
        if (seat->child.pid && waitpid(seat->child.pid, &status, WNOHANG) == seat->child.pid)
            seat_ended(seat, status);
    }
}

static void kill_all(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->count; i++)
        child_kill(&supervisor->seats[i].child, SIGKILL);
}

static void on_stop_limit(void *arg)
{
    struct supervisor *supervisor = arg;
    cu_warn(supervisor->options.log, "daemon.kill", "after_ms=%d", SUPERVISOR_STOP_MS);
    kill_all(supervisor);
}

enum cu_err supervisor_new(const struct supervisor_options *options, struct supervisor **ret,
                           struct cu_diag *diag)
{
    struct supervisor *supervisor = cu_alloc(sizeof *supervisor);
    supervisor->options = *options;
    cu_timer_init(&supervisor->stop_limit, options->loop, on_stop_limit, supervisor);
    cu_signal_watch_init(&supervisor->ended, options->loop, SIGCHLD, on_ended, supervisor);
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && options->daemons[i]; i++) {
        CU_ASSERT(i < SUPERVISOR_CHILDREN);
        struct seat *seat = &supervisor->seats[supervisor->count++];
        seat->supervisor = supervisor;
        cu_timer_init(&seat->restart, options->loop, on_restart, seat);
        err = child_init(&seat->child, options->loop, options->daemons[i], options->bin_dir,
                         options->run_dir, diag);
        seat->child.on_line = options->on_line;
        seat->child.line_arg = options->arg;
        seat->child.on_ready = on_child_ready;
        seat->child.arg = seat;
    }
    if (err)
        supervisor_free(supervisor);
    else
        *ret = supervisor;
    return err;
}

void supervisor_free(struct supervisor *supervisor)
{
    if (!supervisor)
        return;
    kill_all(supervisor);
    for (size_t i = 0; i < supervisor->count; i++) {
        struct seat *seat = &supervisor->seats[i];
        if (seat->child.pid && waitpid(seat->child.pid, NULL, 0) == seat->child.pid)
            child_ended(&seat->child);
        child_deinit(&seat->child);
        cu_timer_close(&seat->restart);
    }
    cu_signal_watch_close(&supervisor->ended);
    cu_timer_close(&supervisor->stop_limit);
    free(supervisor);
}

void supervisor_start(struct supervisor *supervisor)
{
    start_next(supervisor);
}

void supervisor_stop(struct supervisor *supervisor)
{
    if (supervisor->is_stopping) {
        kill_all(supervisor);
        return;
    }
    supervisor->is_stopping = true;
    for (size_t i = 0; i < supervisor->count; i++)
        cu_timer_cancel(&supervisor->seats[i].restart);
    cu_timer_set_ms(&supervisor->stop_limit, SUPERVISOR_STOP_MS);
    stop_next(supervisor);
}

bool supervisor_is_ready(const struct supervisor *supervisor)
{
    return supervisor->is_ready;
}

bool supervisor_has_left(const struct supervisor *supervisor)
{
    return supervisor->has_left;
}

const char *supervisor_failure(const struct supervisor *supervisor)
{
    return supervisor->has_failed ? supervisor->failure.text : NULL;
}
