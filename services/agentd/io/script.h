/* script.h - one run of a program: its output, its end, a limit in time (agent.md 8).
 *
 * Spawned, never forked: the process has threads (libraries.md). It runs in a group of its own, so
 * that all of it can be killed. */
#ifndef AGENT_SCRIPT_H
#define AGENT_SCRIPT_H

#include <sys/types.h>

#include "common/loop/loop.h"

#include "services/agentd/core/output.h"
#include "services/agentd/core/status.h"

struct agent_script_result {
    enum agent_status status;
    const char *output; /* lives until the callback returns */
    bool is_forced;     /* timeout or no start: counts at once, whatever the thresholds */
};

/* Called when there is a result; when the time is over that is before the program has gone. */
typedef void agent_script_done(void *arg, const struct agent_script_result *result);

/* One program. Lives in its owner; zero-initialise, then agent_script_init(). */
struct agent_script {
    struct cu_loop *loop;
    agent_script_done *done;
    cu_callback *gone; /* the program has gone: another run may begin */
    void *arg;
    int64_t timeout_ms;
    struct agent_output output;
    struct cu_timer timer;
    struct cu_fd_watch out_watch, end_watch;
    int out_fd, end_fd; /* -1: none */
    pid_t pid;
    bool is_running, is_told;
};

void agent_script_init(struct agent_script *script, struct cu_loop *loop, agent_script_done *done,
                       cu_callback *gone, void *arg);
/* `args` is NULL-ended; not while one runs. `done` and `gone` may be called from inside. */
void agent_script_start(struct agent_script *script, char *const *args, int64_t timeout_ms,
                        size_t output_limit);
/* Kills what runs and waits for its end, which SIGKILL makes short. No callback follows. */
void agent_script_close(struct agent_script *script);

#endif
