/* alias.h - what a check that stands for others says (agent.md 8). */
#ifndef AGENT_ALIAS_H
#define AGENT_ALIAS_H

#include "common/base/buf.h"

#include "services/agentd/core/status.h"

/* The checks of a node, of which those of the node itself and those of `service_id` ("": of the
 * node alone) count; the first critical one speaks, else the last warning; `own_id` is the alias
 * itself, which does not. `has_service`: the node has that service. Appends the output. */
enum agent_status agent_alias_status(const char *node, const char *service_id, const char *own_id,
                                     bool has_service, Curia__V1__Check *const *checks,
                                     size_t count, struct cu_buf *output);

#endif
