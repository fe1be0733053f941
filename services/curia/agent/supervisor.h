/* supervisor.h - keeps the daemons of one node running (contracts 9.3). */
#ifndef CLI_AGENT_SUPERVISOR_H
#define CLI_AGENT_SUPERVISOR_H

#include "common/log/log.h"
#include "services/curia/agent/child.h"

enum {
    SUPERVISOR_CHILDREN = 8,
    SUPERVISOR_BACK_OFF_MIN_MS = 100,
    SUPERVISOR_BACK_OFF_MAX_MS = 5000,
    SUPERVISOR_QUICK_MS = 1000, /* an end within this time of the start is a failed start */
    SUPERVISOR_QUICK_MAX = 3,   /* so many in a row, and it is given up */
    SUPERVISOR_STOP_MS = 15000  /* from the word to stop to SIGKILL */
};

struct supervisor;

/* Told once, when all daemons have been ready. */
typedef void supervisor_ready(void *arg);

struct supervisor_options {
    struct cu_loop *loop;
    struct cu_log *log;
    const char *bin_dir, *run_dir;
    const char *const *daemons; /* in the order of their start, NULL-ended */
    supervisor_ready *on_ready;
    void *arg;
    void (*on_line)(void *arg, const char *text, size_t len); /* a daemon printed; or NULL */
};

/* CU_OK: *ret is yours; nothing runs yet. Errors: those of child_init(). All borrowed for its life.
 */
CU_MUST_USE enum cu_err supervisor_new(const struct supervisor_options *options,
                                       struct supervisor **ret, struct cu_diag *diag);
void supervisor_free(struct supervisor *supervisor); /* kills what still runs; takes NULL */

/* Starts the daemons, each once the one before is ready; restarts what ends; stops the loop when
 * all have ended after supervisor_stop(), or when one cannot be kept running. */
void supervisor_start(struct supervisor *supervisor);
/* The last one first; SIGKILL after 15 s. Again: SIGKILL now. */
void supervisor_stop(struct supervisor *supervisor);

bool supervisor_is_ready(const struct supervisor *supervisor);
/* A daemon ended because the node has left the pool. */
bool supervisor_has_left(const struct supervisor *supervisor);
/* The sentence of the daemon that could not be kept running; NULL: none. */
const char *supervisor_failure(const struct supervisor *supervisor);

#endif
