/* shell.h - drives the core: events in, actions performed at the end of the turn.
 *
 * An event is applied when it comes; what it asks for waits for the end of the loop's turn. Then,
 * until nothing is left: messages leave first, all writes of the turn become one transaction, and
 * what rests on a write is held until it is synced (Raft dissertation, 10.2.1; contracts 6.7).
 *
 * A server without peers writes on the loop, which saves two wakes of a thread a write (hops.md 6);
 * one with peers on a log thread, with one transaction under way: what comes meanwhile is the next.
 */
#ifndef RAFT_SHELL_H
#define RAFT_SHELL_H

#include "common/log/log.h"
#include "common/loop/loop.h"
#include "common/metric/metric.h"
#include "services/raftd/core/raft.h"
#include "services/raftd/io/log.h"

struct raft_shell;

/* Where actions go; called at turn end only, each may cause new events. Actions are lent: what the
 * header of the core calls "taken" is freed by the shell, but for a message, which is given away.
 */
struct raft_shell_out {
    void *context;
    void (*send)(void *context, struct raft_message *message); /* yours */
    void (*proposed)(void *context, const struct raft_action *action);
    void (*read)(void *context, const struct raft_action *action);
    void (*attached)(void *context, const struct raft_action *action);
    void (*done)(void *context, const struct raft_action *action); /* RECOVERED, FORGOTTEN */
    void (*note)(void *context, const struct raft_action *action);
    void (*moved)(void *context); /* after each turn with events: anything may have changed */
    /* The log cannot be written or read any more: the process is to end (consensus 56). */
    void (*failed)(void *context, const char *sentence);
};

struct raft_shell_options {
    struct cu_loop *loop;
    struct cu_metrics *metrics;
    struct raft_log *log;            /* borrowed */
    const struct raft_options *core; /* store and now are set by the shell */
    const struct raft_boot *boot;
    bool has_peers; /* there are other servers to send to: use the log thread */
    struct raft_shell_out out;
};

struct raft_shell *raft_shell_new(const struct raft_shell_options *options);
void raft_shell_free(struct raft_shell *shell); /* ends a write under way first; takes NULL */

/* Where a server is now, for the next start: written with the next write of the log, since a hint
 * is worth no sync of its own. Of more than RAFT_SHELL_HINTS between two writes the newest stay. */
enum { RAFT_SHELL_HINTS = 64, RAFT_HINT_BYTES = 80 };
void raft_shell_hint(struct raft_shell *shell, struct raft_id id, const char *address);

/* `now` and `wall_ms` of the event are set here. */
void raft_shell_step(struct raft_shell *shell, struct raft_event *event);
const struct raft *raft_shell_core(const struct raft_shell *shell);

#endif
