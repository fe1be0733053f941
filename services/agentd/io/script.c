#include "services/agentd/io/script.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/num.h"

enum { READ_BYTES = 16 * 1024, READS_A_TURN = 16, FIRST_OTHER_FD = 3 };

extern char **environ;

void agent_script_init(struct agent_script *s, struct cu_loop *loop, agent_script_done *done,
                       cu_callback *gone, void *arg)
{
    *s = (struct agent_script){
        .loop = loop, .done = done, .gone = gone, .arg = arg, .out_fd = -1, .end_fd = -1};
}

/* ---- results ---- */

static void tell(struct agent_script *s, enum agent_status status, const char *output, bool forced)
{
    struct agent_script_result result = {status, output, forced};
    if (s->is_told)
        return;
    s->is_told = true;
    s->done(s->arg, &result);
}

static void tell_output(struct agent_script *s, enum agent_status status, const char *before,
                        bool forced)
{
    struct cu_buf text = {0};
    cu_buf_text(&text, before);
    agent_output_text(&s->output, true, &text);
    cu_buf_u8(&text, 0);
    tell(s, status, (const char *)text.data, forced);
    cu_buf_deinit(&text);
}

/* ---- the program ---- */

static void close_fds(struct agent_script *s)
{
    if (s->out_fd >= 0) {
        cu_fd_watch_close(&s->out_watch);
        (void)close(s->out_fd); /* only read from */
    }
    if (s->end_fd >= 0) {
        cu_fd_watch_close(&s->end_watch);
        (void)close(s->end_fd);
    }
    s->out_fd = s->end_fd = -1;
}

/* True at the end of the output. */
static bool read_output(struct agent_script *s)
{
    uint8_t bytes[READ_BYTES];
    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t got = read(s->out_fd, bytes, sizeof bytes);
        if (got <= 0)
            return got == 0 || (errno != EAGAIN && errno != EINTR);
        agent_output_add(&s->output, (struct cu_bytes){bytes, (size_t)got});
    }
    return false;
}

static void on_output(void *arg, unsigned what)
{
    struct agent_script *s = arg;
    (void)what;
    if (read_output(s))
        cu_fd_watch_set(&s->out_watch, 0); /* closed: its end tells the rest */
}

static void end(struct agent_script *s)
{
    close_fds(s);
    cu_timer_close(&s->timer);
    s->is_running = false;
}

/* What it still had in the pipe counts; a descendant that holds the pipe is not waited for. */
static void on_end(void *arg, unsigned what)
{
    struct agent_script *s = arg;
    siginfo_t info = {0};
    (void)what;
    if (waitid(P_PIDFD, (id_t)s->end_fd, &info, WEXITED | WNOHANG) || info.si_pid == 0)
        return;
    (void)read_output(s);
    bool exited = info.si_code == CLD_EXITED;
    enum agent_status status = exited && info.si_status == 0   ? AGENT_PASSING
                               : exited && info.si_status == 1 ? AGENT_WARNING
                                                               : AGENT_CRITICAL;
    end(s);
    tell_output(s, status, "", false);
    s->gone(s->arg);
}

static void on_timeout(void *arg)
{
    struct agent_script *s = arg;
    char text[CU_DURATION_BYTES + 64], duration[CU_DURATION_BYTES];
    (void)kill(-s->pid, SIGKILL); /* the whole group; it may have ended a moment ago */
    (void)read_output(s);
    (void)snprintf(text, sizeof text, "Timed out (%s) running check\n\n",
                   cu_format_duration(s->timeout_ms * 1000000, duration));
    tell_output(s, AGENT_CRITICAL, text, true);
}

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int out)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int err = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!err)
        err = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
    if (!err)
        err = posix_spawn_file_actions_adddup2(actions, out, STDERR_FILENO);
    if (!err)
        err = posix_spawn_file_actions_addclosefrom_np(actions, FIRST_OTHER_FD);
    if (!err)
        err = posix_spawnattr_setsigmask(attributes, &none);
    if (!err)
        err = posix_spawnattr_setsigdefault(attributes, &all); /* daemons ignore SIGPIPE */
    if (!err)
        err = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                       POSIX_SPAWN_SETSIGDEF);
    return err;
}

/* 0 or an errno. */
static int spawn(char *const *args, int out, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int err = posix_spawn_file_actions_init(&actions);
    if (err)
        return err;
    err = posix_spawnattr_init(&attributes);
    if (!err) {
        err = prepare(&actions, &attributes, out);
        if (!err)
            err = posix_spawnp(ret_pid, args[0], &actions, &attributes, args, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return err;
}

/* 0 or an errno; then nothing is left open. */
static int begin(struct agent_script *s, char *const *args)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC))
        return errno;
    int err = spawn(args, pipes[1], &s->pid);
    (void)close(pipes[1]);
    if (!err) {
        s->end_fd = pidfd_open(s->pid, 0);
        err = s->end_fd < 0 ? errno : 0;
        if (err) { /* no descriptors left: what cannot be watched must not run */
            (void)kill(-s->pid, SIGKILL);
            (void)waitpid(s->pid, NULL, 0);
        }
    }
    if (err) {
        (void)close(pipes[0]);
        return err;
    }
    s->out_fd = pipes[0];
    (void)fcntl(s->out_fd, F_SETFL, O_NONBLOCK); /* cannot fail with a good descriptor */
    return 0;
}

static void tell_no_start(struct agent_script *s, const char *program, int err)
{
    char text[512];
    if (err == ENOENT && !strchr(program, '/'))
        (void)snprintf(text, sizeof text, "exec: \"%s\": executable file not found in $PATH",
                       program);
    else
        (void)snprintf(text, sizeof text, "fork/exec %s: %s", program, strerror(err));
    tell(s, AGENT_CRITICAL, text, true);
    s->gone(s->arg);
}

void agent_script_start(struct agent_script *s, char *const *args, int64_t timeout_ms,
                        size_t output_limit)
{
    CU_ASSERT(!s->is_running);
    s->is_told = false;
    s->timeout_ms = timeout_ms;
    agent_output_begin(&s->output, output_limit);
    int err = begin(s, args);
    if (err) {
        tell_no_start(s, args[0], err);
        return;
    }
    s->is_running = true;
    cu_fd_watch_init(&s->out_watch, s->loop, s->out_fd, on_output, s);
    cu_fd_watch_set(&s->out_watch, CU_FD_READ);
    cu_fd_watch_init(&s->end_watch, s->loop, s->end_fd, on_end, s);
    cu_fd_watch_set(&s->end_watch, CU_FD_READ);
    cu_timer_init(&s->timer, s->loop, on_timeout, s);
    cu_timer_set_ms(&s->timer, (uint64_t)timeout_ms);
}

void agent_script_close(struct agent_script *s)
{
    if (s->is_running) {
        (void)kill(-s->pid, SIGKILL);
        (void)waitpid(s->pid, NULL, 0);
        end(s);
    }
    agent_output_deinit(&s->output);
}
