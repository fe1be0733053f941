/* settings.h - what the configuration says of the node and its own services and checks. */
#ifndef AGENT_SETTINGS_H
#define AGENT_SETTINGS_H

#include "services/agentd/about.h"
#include "services/agentd/definitions.h"
#include "services/agentd/io/node.h"

struct agent_settings {
    struct cu_arena *arena;
    struct agent_definitions definitions;
    struct agent_node_settings node; /* points into the former */
};

/* CU_E_INVALID: `diag` names what is wrong. */
CU_MUST_USE enum cu_err agent_settings_read(const struct cu_conf *conf,
                                            const struct agent_about *about,
                                            struct agent_settings *ret_settings,
                                            struct cu_diag *diag);
void agent_settings_deinit(struct agent_settings *settings);

#endif
