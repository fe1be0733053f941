/* permit.h - what a request may do with what is the agent's own: asked once, before its handler. */
#ifndef AGENT_PERMIT_H
#define AGENT_PERMIT_H

#include "services/agentd/agent.h"
#include "services/agentd/core/guard.h"

/* Runs the route's handler: at once where nothing is asked or ACLs are off, else once it is known
 * what the token may do, or answers why it may not. */
void agent_permit(struct agent_call *call);

/* What a handler whose rows or names are guarded asks. */
struct agent_guard agent_guard_of(struct agent_call *call);

/* Asks for another token, with which `then` goes on. While it is asked, `call->work` is the
 * caller's. */
void agent_permit_other(struct agent_call *call, const char *token, agent_handler *then);

/* Of the call: nothing is asked any more; and nothing is held. */
void agent_permit_cancel(struct agent_call *call);
void agent_permit_end(struct agent_call *call);

#endif
