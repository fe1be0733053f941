/* local.h - what the handlers of the node's own services and checks have in common. */
#ifndef AGENT_RPC_LOCAL_H
#define AGENT_RPC_LOCAL_H

#include "services/agentd/agent.h"
#include "services/agentd/io/node.h"

/* What stands behind the route's pattern, with a NUL; "" when the arena is full, too. */
const char *agent_tail_text(struct agent_call *call);
/* The value of a parameter; likewise. What is no text is replaced. */
const char *agent_param_text(struct agent_call *call, const char *name);

/* The task will end the call: 200 without a body, or the fault for its error. */
void agent_call_wait(struct agent_call *call, struct agent_task *task);
agent_task_done agent_call_task_done; /* arg: the call */

/* `enable` of maintenance; false: the call is answered. */
bool agent_param_enable(struct agent_call *call, bool *ret_enable);

/* A filter that is not empty is refused; true: the call is answered. */
bool agent_refuses_filter(struct agent_call *call);

#endif
