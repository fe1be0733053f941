/* local.h - what the handlers of the node's own services and checks have in common. */
#ifndef AGENT_RPC_LOCAL_H
#define AGENT_RPC_LOCAL_H

#include "common/filter/shapes.h"
#include "services/agentd/agent.h"
#include "services/agentd/core/own.h"
#include "services/agentd/io/node.h"

/* What stands behind the route's pattern, with a NUL; "" when the arena is full, too. */
const char *agent_tail_text(struct agent_call *call);
/* The value of a parameter; likewise. What is no text is replaced. */
const char *agent_param_text(struct agent_call *call, const char *name);

/* The task will end the call: 200 without a body, or the fault for its error. */
void agent_call_wait(struct agent_call *call, struct agent_task *task);
agent_task_done agent_call_task_done; /* arg: the call */

/* What a registration is made with: the token that was sent with it, not the agent's default one,
 * which may change. NULL: none. */
const char *agent_own_token(const struct agent_call *call);

/* Of a request for maintenance; false: the call is answered. */
bool agent_param_maintenance(struct agent_call *call, struct agent_maintenance *ret_maintenance);

/* ?filter= of what is shown; everything is in the call's arena but the parsed expression. */
struct agent_filter {
    const struct cu_authorizer *authorizer; /* whose rights show what matches */
    struct cu_filter *parsed;               /* NULL: none */
    struct cu_diag diag;
    enum cu_err err; /* of a match */
};
/* False: the call is answered. `names_selectors_late`: a selector that is no good is told without
 * the words before it, as where the reference looks at it only while it matches. */
bool agent_filter_open(struct agent_call *call, const struct cu_filter_shape *shape,
                       bool names_selectors_late, struct agent_filter *ret_filter);
agent_own_keep agent_filter_keeps_service, agent_filter_keeps_check; /* arg: the filter */
/* Answers with `json`, or that a match took too long. */
void agent_filter_answer(struct agent_call *call, struct agent_filter *filter, struct cu_buf *json);

#endif
