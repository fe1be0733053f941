/* daemon.h - the skeleton that every main() hands over to: configuration, log, metrics, loop, bus,
 * life cycle. */
#ifndef CU_DAEMON_DAEMON_H
#define CU_DAEMON_DAEMON_H

#include "common/base/err.h"
#include "common/conf/conf.h"
#include "common/log/log.h"
#include "common/loop/loop.h"
#include "common/metric/metric.h"
#include "common/rpc/client.h"
#include "common/rpc/rpc.h"

enum { CU_FEATURE_LEVEL = 1 }; /* of this build (contracts 6.6) */

/* What a daemon is given at start; all borrowed, for its life. */
struct cu_env {
    struct cu_loop *loop;
    const struct cu_conf *conf;
    struct cu_log *log;
    struct cu_metrics *metrics;
    struct cu_rpc *rpc; /* listens on ipc://RUN_DIR/NAME.sock once start() has returned CU_OK */
    const char *data_dir, *run_dir;
    const char *node_id, *node_name, *datacenter;
    const char *advertise_address; /* ip, no port */
    const char *bind_address;      /* ip to bind to */
    const char *client_address;    /* first ip of client_addr */
};

/* Adds "name = value" to Daemon.Status. */
typedef void cu_status_add(void *to, const char *name, const char *fmt, ...) CU_PRINTF(3, 4);

struct cu_daemon {
    const char *name;  /* "raftd" */
    const char *about; /* one line for --help */
    /* Whole configuration good for this daemon? NULL: always. No side effects. */
    enum cu_err (*check)(const struct cu_conf *conf, struct cu_diag *diag);
    /* Binds, opens, adds services to env->rpc. On failure everything is undone and diag says what
     * to do. */
    enum cu_err (*start)(struct cu_env *env, void **ret_state, struct cu_diag *diag);
    void (*reload)(void *state, const struct cu_conf *conf); /* NULL: nothing is reloadable */
    /* The agent says which is the node's default token; "": none. It counts before the one of the
     * configuration from then on. NULL: the daemon has no use for one. */
    void (*set_token)(void *state, const char *token);
    void (*drain)(void *state); /* NULL: nothing to drain */
    void (*stop)(void *state);  /* frees state; the rpc is still there */
    void (*status)(void *state, cu_status_add *add, void *to);
};

/* Parses `-config-file F`, `-config-dir D`, `-run-dir R`, `-h`, `-version`; runs until SIGINT,
 * SIGTERM or Daemon.Stop. Returns the exit code: 0 after a stop, 1 after an error (said on stderr).
 * A pid file RUN_DIR/NAME.pid is held by flock: a second one is refused. Children die with their
 * parent (PR_SET_PDEATHSIG) when started by `curia agent`. */
int cu_daemon_main(const struct cu_daemon *daemon, int argc, char **argv);

/* Called once by the daemon when it is ready (contracts 9.4): Daemon.Status says so and
 * NOTIFY_SOCKET gets READY=1. */
void cu_env_ready(struct cu_env *env);

/* The daemon cannot go on: logs the sentence and ends the loop; the exit code will be 1. */
void cu_env_fail(struct cu_env *env, const char *fmt, ...) CU_PRINTF(2, 3);

/* The same, but starting it again would not help: the exit code will be CU_EXIT_GAVE_UP, and `curia
 * agent` ends the node with the sentence. */
enum { CU_EXIT_GAVE_UP = 79 /* after those of sysexits.h */ };
void cu_env_give_up(struct cu_env *env, const char *fmt, ...) CU_PRINTF(2, 3);

/* The node was told to leave and has left the pool: ends the loop; the exit code will be
 * CU_EXIT_LEFT, and `curia agent` ends the rest of the node, with 0 (agent.md 1, 13). */
enum { CU_EXIT_LEFT = 80 };
void cu_env_leave(struct cu_env *env);

/* "ipc://RUN_DIR/NAME.sock" of another daemon on this host; yours, free(). */
char *cu_env_local_url(const struct cu_env *env, const char *daemon);

#endif
