/* action.h - the next write that brings the catalog in line with this node (agent.md 11.3). */
#ifndef AGENT_ACTION_H
#define AGENT_ACTION_H

#include "common/base/arena.h"
#include "common/base/err.h"

#include "services/agentd/core/local.h"
#include "services/agentd/core/tokens.h"

enum agent_action_kind {
    AGENT_ACT_NODE,
    AGENT_ACT_PUT_SERVICE, /* with those of its checks that have the same token */
    AGENT_ACT_PUT_CHECK,
    AGENT_ACT_DEL_SERVICE, /* with its checks */
    AGENT_ACT_DEL_CHECK,
    AGENT_ACTION_KIND_COUNT
};

/* A thing that the write covers, as it was then. */
struct agent_covered {
    const char *id;
    uint64_t version;
};

struct agent_action {
    enum agent_action_kind kind;
    Curia__V1__RegisterRequest *put;   /* of the first three kinds */
    Curia__V1__DeregisterRequest *del; /* of the others */
    const char *token;                 /* of the registration; "": `fallback` */
    enum agent_token fallback;
    uint64_t node_version; /* of the node, when the write carries it */
    bool has_node, has_service;
    struct agent_covered service, *checks;
    size_t check_count;
};

/* Node, then services, then checks. All of it is in the arena. *ret_any false: nothing is left to
 * write. CU_E_TOO_LARGE: the arena is full. */
CU_MUST_USE enum cu_err agent_action_next(const struct agent_local *local, struct cu_arena *arena,
                                          struct agent_action *ret_action, bool *ret_any);

/* The catalog has taken it: what has not changed since is in sync, and what was deleted is
 * forgotten. */
void agent_action_done(struct agent_local *local, const struct agent_action *action);
/* The rights forbid it: what has not changed since counts as in sync until the next full sync, also
 * what was deleted, which keeps its token until then. */
void agent_action_denied(struct agent_local *local, const struct agent_action *action);

/* "service", "check" or "node", and "registration" or "deregistration": words of logs and counters.
 */
const char *agent_action_subject(enum agent_action_kind kind);
const char *agent_action_verb(enum agent_action_kind kind);

#endif
