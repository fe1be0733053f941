/* dispatch.h - from the head of a request to its row in the route table (http-api.md 1.1, 1.2). */
#ifndef AGENT_DISPATCH_H
#define AGENT_DISPATCH_H

#include "services/agentd/agent.h"

extern const struct agent_http_handler agent_dispatch; /* context: struct agent */

/* Makes the counters and samples of the table's rows. */
void agent_dispatch_open(struct agent *agent);

#endif
