/* child.h - one daemon as a process: started, listened to, told to end. */
#ifndef CLI_AGENT_CHILD_H
#define CLI_AGENT_CHILD_H

#include <sys/types.h>

#include "common/base/err.h"
#include "common/loop/loop.h"

enum { CHILD_LINE_BYTES = 8192, CHILD_MESSAGE_BYTES = 512, CHILD_PATH_BYTES = 4096 };

/* What it prints, by whole lines. */
struct child_pipe {
    struct cu_fd_watch watch;
    int fd; /* -1: closed */
    int to; /* our own stdout or stderr */
    char line[CHILD_LINE_BYTES];
    size_t len;
    struct agent_child *child;
};

struct agent_child {
    struct cu_loop *loop;
    const char *name;
    char program[CHILD_PATH_BYTES], config[CHILD_PATH_BYTES], run_dir[CHILD_PATH_BYTES];
    char notify[CHILD_PATH_BYTES];
    pid_t pid; /* 0: not running */
    struct cu_mono started;
    bool is_ready;
    struct child_pipe out, err;
    int notify_fd;
    struct cu_fd_watch notify_watch;
    char message[CHILD_MESSAGE_BYTES]; /* the last line it said on stderr */
    cu_callback *on_ready;
    void *arg;
    /* What it prints, line by line; NULL: nobody listens. Set after child_init(). */
    void (*on_line)(void *arg, const char *text, size_t len);
    void *line_arg;
};

/* Where its program is and what it is told; opens the socket for its READY=1. `name` is borrowed.
 * Errors: CU_E_INVALID a path is too long; CU_E_IO. */
CU_MUST_USE enum cu_err child_init(struct agent_child *child, struct cu_loop *loop,
                                   const char *name, const char *bin_dir, const char *run_dir,
                                   struct cu_diag *diag);
void child_deinit(struct agent_child *child); /* it must not be running */

/* Starts the process: `PROGRAM -config-file RUN_DIR/NAME.json -run-dir RUN_DIR -supervised`, in a
 * process group of its own. It dies with us (prctl(2), PR_SET_PDEATHSIG). CU_E_IO. */
CU_MUST_USE enum cu_err child_start(struct agent_child *child, struct cu_diag *diag);

/* After waitpid(2) gave its pid: reads what it still had said. */
void child_ended(struct agent_child *child);

void child_kill(const struct agent_child *child, int signal_number); /* not running: nothing */

#endif
