/* alias_watch.h - a check that stands for those of another node: a blocking read of the catalog,
 * again and again (agent.md 8). */
#ifndef AGENT_ALIAS_WATCH_H
#define AGENT_ALIAS_WATCH_H

#include "common/view/view.h"

#include "services/agentd/core/status.h"
#include "services/agentd/core/tokens.h"

struct agent_alias_watch;

/* The watch may not be freed within. */
typedef void agent_alias_result(void *arg, enum agent_status status, const char *output);

struct agent_alias_options {
    struct cu_view *view;
    struct cu_loop *loop;
    const char *node, *service_id, *own_id; /* copied */
    const char *token;                      /* of the check; "": the default one; copied */
    const struct agent_tokens *tokens;      /* NULL: none */
    agent_alias_result *result;
    void *arg;
};
struct agent_alias_watch *agent_alias_watch_new(const struct agent_alias_options *options);
void agent_alias_watch_free(struct agent_alias_watch *watch); /* takes NULL */

#endif
