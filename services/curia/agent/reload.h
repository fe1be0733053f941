/* reload.h - a new configuration for all daemons of the node, or for none (agent.md 2). */
#ifndef CLI_AGENT_RELOAD_H
#define CLI_AGENT_RELOAD_H

#include "common/log/log.h"
#include "common/loop/loop.h"
#include "services/curia/agent/settings.h"

struct reload;

struct reload_options {
    struct cu_loop *loop;
    struct cu_log *log;
    struct agent_settings *settings; /* its conf is replaced when all have agreed */
    const struct cli_args *args;
    const char *const *daemons;                    /* NULL-ended */
    void (*ended)(void *arg, const char *failure); /* of one that was begun; NULL: well */
    void *arg;
};

/* All borrowed for its life. */
struct reload *reload_new(const struct reload_options *options);
void reload_free(struct reload *reload); /* takes NULL */

/* Reads the files again, has Daemon.Check look at it on all daemons, and only then Daemon.Reload
 * take it up on all. `Reload config failed` is logged on any error. Up to the last Daemon.Check
 * nothing has changed then; later the new files stand, which a daemon that is started again reads,
 * and others may have taken them up: reload again. One that comes while another is under way is not
 * begun, and logged; false then. */
bool reload_begin(struct reload *reload);

#endif
