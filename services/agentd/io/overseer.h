/* overseer.h - what agentd asks `curia agent`, which runs this node's daemons, on curia.sock. Under
 * systemd there is none: then nobody answers. */
#ifndef AGENT_OVERSEER_H
#define AGENT_OVERSEER_H

#include "common/rpc/client.h"

enum {
    AGENT_OVERSEER_DIAL_MS = 1000, /* its socket is on this host */
    AGENT_RELOAD_MS = 30 * 1000,
    AGENT_LOG_WAIT_MS = 60 * 1000
};

/* ---- a reload of the whole node ---- */

struct agent_reload;

/* `done` is called once, later, unless freed before; `text` goes with an error. It may free. */
typedef void agent_reload_done(void *arg, enum cu_err err, const char *text);
struct agent_reload *agent_reload_new(struct cu_rpc *rpc, struct cu_loop *loop, const char *url,
                                      agent_reload_done *done, void *arg);
void agent_reload_free(struct agent_reload *reload); /* takes NULL */

/* ---- the daemons' log ---- */

struct agent_log;

struct agent_log_handler {
    void (*line)(void *arg, const char *line);
    void (*turn)(void *arg);                  /* after some lines */
    void (*end)(void *arg, const char *text); /* nobody answers (any more); the last call */
};

/* From now on. Not to be freed from within `line` and `turn`. */
struct agent_log *agent_log_new(struct cu_rpc *rpc, struct cu_loop *loop, const char *url,
                                const struct agent_log_handler *handler, void *arg);
void agent_log_free(struct agent_log *log); /* takes NULL */

#endif
