/* shell.h - drives the core: datagrams, streams, time and commands in; packets, streams, lines of
 * the snapshot and news out. */
#ifndef GOSSIP_IO_SHELL_H
#define GOSSIP_IO_SHELL_H

#include "common/log/log.h"
#include "common/loop/loop.h"
#include "common/metric/metric.h"
#include "services/gossipd/core/gossip.h"

struct gossip_shell;

/* What the owner is told, all borrowed. Only `member` is called from within gossip_shell_*(), and
 * may not call back. */
struct gossip_shell_out {
    void *context;
    void (*member)(void *context, enum gossip_change change, const struct gossip_member_view *view);
    void (*note)(void *context, const struct gossip_action *action);
    void (*moved)(void *context); /* the turn ends: what waits for the feed may look again */
};

struct gossip_shell_options {
    struct cu_loop *loop;
    struct cu_log *log;
    struct cu_metrics *metrics;
    const char *data_dir;
    struct gossip_addr bind; /* of both sockets */
    bool compress;
    const struct gossip_options *core; /* seed, now, wall_ms and snapshot are filled in here */
    struct gossip_shell_out out;
};

/* Opens the snapshot, binds, starts this member. Errors: CU_E_CONFLICT (a port), CU_E_IO,
 * CU_E_TOO_LARGE, those of gossip_new(). */
CU_MUST_USE enum cu_err gossip_shell_open(const struct gossip_shell_options *options,
                                          struct gossip_shell **ret_shell, struct cu_diag *diag);
/* Says nothing to the other members: this is no leave. Commands under way are forgotten. Takes
 * NULL.
 */
void gossip_shell_close(struct gossip_shell *shell);

/* What came of a command: count and text as in gossip_action's done. A join that reached nobody is
 * CU_E_DISCONNECTED. */
typedef void gossip_on_done(void *arg, enum cu_err err, uint32_t count, const char *text);

/* JOIN, LEAVE, FORCE_LEAVE, SET_TAGS; the event's now, wall_ms and tag are filled in. on_done is
 * called exactly once, later, unless it is forgotten first. Returns its tag. */
uint64_t gossip_shell_command(struct gossip_shell *shell, struct gossip_event *event,
                              gossip_on_done *on_done, void *arg);
void gossip_shell_forget(struct gossip_shell *shell, uint64_t tag);

const struct gossip *gossip_shell_core(const struct gossip_shell *shell);

#endif
