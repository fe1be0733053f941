/* alias_watch.h - a check that stands for those of another node: a blocking read of the catalog,
 * again and again (agent.md 8). */
#ifndef AGENT_ALIAS_WATCH_H
#define AGENT_ALIAS_WATCH_H

#include "common/view/view.h"

#include "services/agentd/core/status.h"

struct agent_alias_watch;

/* The watch may not be freed within. */
typedef void agent_alias_result(void *arg, enum agent_status status, const char *output);

/* All texts are copied. */
struct agent_alias_watch *agent_alias_watch_new(struct cu_view *view, struct cu_loop *loop,
                                                const char *node, const char *service_id,
                                                const char *own_id, agent_alias_result *result,
                                                void *arg);
void agent_alias_watch_free(struct agent_alias_watch *watch); /* takes NULL */

#endif
