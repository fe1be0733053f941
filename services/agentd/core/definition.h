/* definition.h - from a definition, of HTTP or of a file, to a service and its checks (agent.md 6,
 * 7; http-api.md 2.3, 2.4). */
#ifndef AGENT_DEFINITION_H
#define AGENT_DEFINITION_H

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "curia/v1/agent.pb-c.h"

#include "services/agentd/core/fault.h"

/* What is asked of every definition. */
struct agent_definition_rules {
    const char *node;     /* name of ours */
    bool may_run_scripts; /* enable_script_checks, or for files either of the two */
    bool is_remote;       /* came by HTTP */
};

struct agent_check_def {
    Curia__V1__Check *check; /* as it begins: status critical unless told otherwise */
    const Curia__V1__CheckSpec *spec;
};
struct agent_service_def {
    Curia__V1__Service *service;
    const char *token; /* "": none */
    struct agent_check_def *checks;
    size_t check_count;
    const Curia__V1__ServiceDefinition *sidecar; /* the proxy beside it (sidecar.h); NULL: none */
};

/* Everything is in the arena, or borrowed from `definition`; without the proxy beside it. False:
 * status and sentence of the reference, as the HTTP handler has them. */
bool agent_service_define(const Curia__V1__ServiceDefinition *definition,
                          const struct agent_definition_rules *rules, struct cu_arena *arena,
                          struct agent_service_def *ret_def, struct agent_fault *fault);

/* A check of its own. Its service is looked up by the caller, who knows what there is. */
bool agent_check_define(const Curia__V1__CheckSpec *spec,
                        const struct agent_definition_rules *rules, struct cu_arena *arena,
                        struct agent_check_def *ret_def, struct agent_fault *fault);

/* Reads a body by the strict decoder; "Request decode failed: ..." with 400. */
bool agent_service_read(struct cu_bytes body, struct cu_arena *arena,
                        Curia__V1__ServiceDefinition *ret_definition, struct agent_fault *fault);
bool agent_check_read(struct cu_bytes body, struct cu_arena *arena, Curia__V1__CheckSpec *ret_spec,
                      struct agent_fault *fault);
bool agent_check_update_read(struct cu_bytes body, struct cu_arena *arena,
                             Curia__V1__CheckUpdate *ret_update, struct agent_fault *fault);

#endif
