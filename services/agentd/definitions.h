/* definitions.h - services and checks that the configuration defines (agent.md 2, 6, 7). */
#ifndef AGENT_DEFINITIONS_H
#define AGENT_DEFINITIONS_H

#include "common/conf/conf.h"
#include "services/agentd/core/definition.h"

enum { AGENT_DEFINITIONS_BYTES = 64 * 1024 * 1024 /* of one configuration */ };

struct agent_definitions {
    struct cu_arena *arena; /* everything is in it */
    struct agent_service_def *services;
    size_t service_count;
    struct agent_check_def *checks;
    const char **check_tokens; /* one for each check */
    size_t check_count;
};

/* Scripts are allowed by the configuration itself. CU_E_INVALID: `diag` names the definition. */
CU_MUST_USE enum cu_err agent_definitions_read(const struct cu_conf *conf, const char *node,
                                               struct agent_definitions *ret_definitions,
                                               struct cu_diag *diag);
void agent_definitions_deinit(struct agent_definitions *definitions);

/* enable_script_checks, and for files enable_local_script_checks, too. */
bool agent_may_run_remote_scripts(const struct cu_conf *conf);
bool agent_may_run_local_scripts(const struct cu_conf *conf);

#endif
