/* guard.h - what a token must grant for what is the agent's own, and the reference's sentence where
 * it does not (http-api.md 2.2 to 2.5, 4.8, 4.9). Pure. */
#ifndef AGENT_GUARD_H
#define AGENT_GUARD_H

#include "common/acl/authorizer.h"

#include "services/agentd/core/definition.h"
#include "services/agentd/core/local.h"
#include "services/agentd/core/route.h"

/* Who asks, and what is here. */
struct agent_guard {
    const struct cu_authorizer *authorizer;
    const struct agent_local *local;
    struct agent_fault *fault;
};

/* Each returns false with the fault filled. */

/* What the route's row asks for. `tail`: of the path, behind the pattern. */
bool agent_guard_route(const struct agent_guard *guard, const struct agent_route *route,
                       const char *tail);

/* A registration: the name, what is replaced by it and its checks, and what a proxy stands for. */
bool agent_guard_service(const struct agent_guard *guard, const struct agent_service_def *def);
/* The proxy beside it, which may come with a token of its own. */
bool agent_guard_sidecar(const struct agent_guard *guard,
                         const Curia__V1__ServiceDefinition *sidecar);
bool agent_guard_check(const struct agent_guard *guard, const Curia__V1__Check *check);
/* Of services that are named in a body. */
bool agent_guard_service_name(const struct agent_guard *guard, const char *name);

/* What of a list is shown; no fault. */
bool agent_shows_service(const struct cu_authorizer *authorizer, const Curia__V1__Service *service);
bool agent_shows_check(const struct cu_authorizer *authorizer, const Curia__V1__Check *check);
bool agent_shows_node(const struct cu_authorizer *authorizer, const char *node);

#endif
