#include "services/curia/agent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/file.h"

extern char **environ;

/* Whole lines only, so that two daemons do not mix. What we write to may be gone; nobody is left to
 * be told then. */
static void pass_on(struct child_pipe *pipe_, size_t len)
{
    struct cu_bytes line = {(const uint8_t *)pipe_->line, len};
    if (pipe_->child->on_line)
        pipe_->child->on_line(pipe_->child->line_arg, pipe_->line, len);
    bool is_told = cu_write_all(pipe_->to, line);
    (void)is_told;
    memmove(pipe_->line, pipe_->line + len, pipe_->len - len);
    pipe_->len -= len;
}

static void remember(struct child_pipe *pipe_, size_t len)
{
    struct agent_child *child = pipe_->child;
    if (pipe_ == &child->err && len > 1)
        (void)snprintf(child->message, sizeof child->message, "%.*s", (int)(len - 1), pipe_->line);
}

static void take_lines(struct child_pipe *pipe_)
{
    char *end;
    while ((end = memchr(pipe_->line, '\n', pipe_->len))) {
        size_t len = (size_t)(end - pipe_->line) + 1;
        remember(pipe_, len);
        pass_on(pipe_, len);
    }
    if (pipe_->len == sizeof pipe_->line)
        pass_on(pipe_, pipe_->len); /* no line of ours is that long: pass it on in pieces */
}

static void close_pipe(struct child_pipe *pipe_)
{
    if (pipe_->fd < 0)
        return;
    if (pipe_->len) {
        remember(pipe_, pipe_->len);
        pass_on(pipe_, pipe_->len);
    }
    cu_fd_watch_close(&pipe_->watch);
    (void)close(pipe_->fd); /* only read */
    pipe_->fd = -1;
}

/* False when there is nothing more to read for now. */
static bool read_some(struct child_pipe *pipe_)
{
    ssize_t got = read(pipe_->fd, pipe_->line + pipe_->len, sizeof pipe_->line - pipe_->len);
    if (got > 0) {
        pipe_->len += (size_t)got;
        take_lines(pipe_);
        return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_pipe(pipe_);
    return false;
}

static void on_output(void *arg, unsigned what)
{
    (void)what;
    (void)read_some(arg);
}

static void on_notify(void *arg, unsigned what)
{
    struct agent_child *child = arg;
    char text[256];
    (void)what;
    ssize_t got = recv(child->notify_fd, text, sizeof text - 1, MSG_DONTWAIT);
    if (got <= 0)
        return;
    text[got] = '\0';
    if (strncmp(text, "READY=1", 7) != 0 || child->is_ready || !child->pid)
        return;
    child->is_ready = true;
    child->on_ready(child->arg);
}

static enum cu_err open_notify(struct agent_child *child, struct cu_diag *diag)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(child->notify) >= sizeof at.sun_path)
        return cu_fail(diag, CU_E_INVALID, "socket path over %zu bytes: %s", sizeof at.sun_path - 1,
                       child->notify);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", child->notify);
    (void)unlink(child->notify); /* of an earlier life */
    child->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (child->notify_fd < 0 || bind(child->notify_fd, (struct sockaddr *)&at, sizeof at))
        return cu_fail(diag, CU_E_IO, "cannot listen on %s: %s", child->notify, strerror(errno));
    cu_fd_watch_init(&child->notify_watch, child->loop, child->notify_fd, on_notify, child);
    cu_fd_watch_set(&child->notify_watch, CU_FD_READ);
    return CU_OK;
}

enum cu_err child_init(struct agent_child *child, struct cu_loop *loop, const char *name,
                       const char *bin_dir, const char *run_dir, struct cu_diag *diag)
{
    *child = (struct agent_child){.loop = loop, .name = name, .notify_fd = -1};
    child->out = (struct child_pipe){.fd = -1, .to = 1, .child = child};
    child->err = (struct child_pipe){.fd = -1, .to = 2, .child = child};
    (void)snprintf(child->program, CHILD_PATH_BYTES, "%s/%s", bin_dir, name);
    (void)snprintf(child->config, CHILD_PATH_BYTES, "%s/%s.json", run_dir, name);
    (void)snprintf(child->notify, CHILD_PATH_BYTES, "%s/%s.notify", run_dir, name);
    (void)snprintf(child->run_dir, CHILD_PATH_BYTES, "%s", run_dir);
    if (access(child->program, X_OK))
        return cu_fail(diag, CU_E_IO, "cannot run %s: %s", child->program, strerror(errno));
    return open_notify(child, diag);
}

void child_deinit(struct agent_child *child)
{
    close_pipe(&child->out);
    close_pipe(&child->err);
    if (child->notify_fd < 0)
        return;
    cu_fd_watch_close(&child->notify_watch);
    (void)close(child->notify_fd);
    (void)unlink(child->notify); /* the next life does so too */
}

/* Between fork and exec: async-signal-safe calls only, since libraries may have made threads. */
static _Noreturn void become(const struct agent_child *child, char *const *argv, char *const *env,
                             const int out[2], const int err[2], pid_t parent)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0); /* Ctrl-C on a terminal is for `curia agent`: it stops us in order */
    if (getppid() == parent && dup2(out[1], 1) == 1 && dup2(err[1], 2) == 2)
        (void)execve(child->program, argv, env);
    static const char sorry[] = "cannot be run\n";
    ssize_t put = write(2, sorry, sizeof sorry - 1);
    (void)put;
    _exit(1);
}

/* Our environment with another NOTIFY_SOCKET; the list is yours, free(). */
static char **environment(char *notify)
{
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **env = cu_alloc((count + 2) * sizeof *env);
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "NOTIFY_SOCKET=", 14) != 0)
            env[kept++] = environ[i];
    env[kept] = notify;
    return env;
}

static void open_pipe(struct child_pipe *pipe_, int fd)
{
    pipe_->fd = fd;
    pipe_->len = 0;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK); /* cannot fail on a pipe of ours */
    cu_fd_watch_init(&pipe_->watch, pipe_->child->loop, fd, on_output, pipe_);
    cu_fd_watch_set(&pipe_->watch, CU_FD_READ);
}

enum cu_err child_start(struct agent_child *child, struct cu_diag *diag)
{
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC))
        return cu_fail(diag, CU_E_IO, "cannot start %s: %s", child->name, strerror(errno));
    if (pipe2(err, O_CLOEXEC)) {
        (void)close(out[0]);
        (void)close(out[1]);
        return cu_fail(diag, CU_E_IO, "cannot start %s: %s", child->name, strerror(errno));
    }
    char notify[CHILD_PATH_BYTES + 16], file_flag[] = "-config-file", run_flag[] = "-run-dir",
                                        supervised[] = "-supervised";
    (void)snprintf(notify, sizeof notify, "NOTIFY_SOCKET=%s", child->notify);
    char *argv[] = {child->program, file_flag,  child->config, run_flag,
                    child->run_dir, supervised, NULL};
    char **env = environment(notify);
    pid_t parent = getpid(), pid = fork();
    if (!pid)
        become(child, argv, env, out, err, parent);
    free(env);
    (void)close(out[1]);
    (void)close(err[1]);
    if (pid < 0) {
        (void)close(out[0]);
        (void)close(err[0]);
        return cu_fail(diag, CU_E_IO, "cannot start %s: %s", child->name, strerror(errno));
    }
    child->pid = pid;
    child->is_ready = false;
    child->started = cu_mono_now();
    child->message[0] = '\0';
    open_pipe(&child->out, out[0]);
    open_pipe(&child->err, err[0]);
    return CU_OK;
}

void child_ended(struct agent_child *child)
{
    while (child->out.fd >= 0 && read_some(&child->out))
        ;
    while (child->err.fd >= 0 && read_some(&child->err))
        ;
    close_pipe(&child->out); /* a grandchild may hold the other end: it is not waited for */
    close_pipe(&child->err);
    child->pid = 0;
    child->is_ready = false;
}

void child_kill(const struct agent_child *child, int signal_number)
{
    if (child->pid)
        (void)kill(child->pid, signal_number); /* it may have ended: then waitpid tells */
}
