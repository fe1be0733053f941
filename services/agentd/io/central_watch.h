/* central_watch.h - the catalog's proxy-defaults and service-defaults, kept up to date while this
 * node has proxies (mesh.md 2.6). */
#ifndef AGENT_CENTRAL_WATCH_H
#define AGENT_CENTRAL_WATCH_H

#include "services/agentd/core/central.h"
#include "services/agentd/io/sync.h"

struct agent_central_watch;

struct agent_central_options {
    struct cu_view *view;
    struct cu_loop *loop;
    struct agent_sync *sync; /* paused while they are asked for the first time, so that the catalog
                              * never sees a proxy without them */
    const struct agent_tokens *tokens; /* the agent's own reads them; NULL: none */
    cu_callback *changed;
    void *arg;
};

struct agent_central_watch *agent_central_watch_new(const struct agent_central_options *options);
void agent_central_watch_free(struct agent_central_watch *watch); /* takes NULL */

/* There is a proxy: from here on they are asked for. */
void agent_central_watch_begin(struct agent_central_watch *watch);

/* The tokens have changed: another one may see other entries. */
void agent_central_watch_restart(struct agent_central_watch *watch);

/* NULL: not known yet. Borrowed until the next change. */
const struct agent_central *agent_central_watch_get(const struct agent_central_watch *watch);

#endif
