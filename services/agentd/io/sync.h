/* sync.h - keeps the catalog in line with this node: reads what it has, writes what differs
 * (agent.md 11). One call at a time. */
#ifndef AGENT_SYNC_H
#define AGENT_SYNC_H

#include "common/log/log.h"
#include "common/metric/metric.h"
#include "common/view/view.h"

#include "services/agentd/core/local.h"
#include "services/agentd/core/tokens.h"

enum {
    AGENT_SYNC_CALL_MS = 30 * 1000,
    AGENT_SYNC_ARENA_BYTES = 4 * 1024 * 1024, /* of one write */
    AGENT_SYNC_LOOK_MS = 500,                 /* while no catalogd can be reached */
    AGENT_SYNC_WARN_AFTER = 3,                /* failures in a row */
};

struct agent_sync;

struct agent_sync_options {
    struct cu_loop *loop;
    struct cu_log *log;
    struct cu_metrics *metrics;
    struct cu_view *view;
    struct agent_local *local;         /* borrowed, as all of these */
    const struct agent_tokens *tokens; /* NULL: none */
    size_t (*member_count)(void *arg);
    void *arg;
    uint64_t seed;
};

struct agent_sync *agent_sync_new(const struct agent_sync_options *options);
void agent_sync_free(struct agent_sync *sync); /* who waits is not told; takes NULL */

/* The first full sync begins. */
void agent_sync_start(struct agent_sync *sync);

void agent_sync_changed(struct agent_sync *sync);        /* something is out of sync */
void agent_sync_tokens_changed(struct agent_sync *sync); /* all is looked at again, soon */
void agent_sync_pause(struct agent_sync *sync);          /* nested */
void agent_sync_resume(struct agent_sync *sync);

/* Who wants to know when what is out of sync now has been written, or could not be. Lives in its
 * owner; zero-initialise. */
struct agent_flush {
    cu_callback *done;
    void *arg;
    struct agent_flush *next, **at;
    uint64_t pass;
};
/* `done` is called once, later; soon when there is nobody to write to. */
void agent_sync_flush(struct agent_sync *sync, struct agent_flush *flush);
void agent_sync_forget(struct agent_flush *flush); /* does nothing for one that is told */

#endif
