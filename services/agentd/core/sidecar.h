/* sidecar.h - the proxy beside a service: what `connect.sidecar_service` of its definition stands
 * for (mesh.md 2.4). Pure. */
#ifndef AGENT_SIDECAR_H
#define AGENT_SIDECAR_H

#include "services/agentd/core/definition.h"
#include "services/agentd/core/local.h"

#define AGENT_SIDECAR_SUFFIX "-sidecar-proxy" /* of its id, and of its name */

enum { AGENT_SIDECAR_CHECK_MS = 10 * 1000 };

struct agent_ports {
    int min, max; /* both included; below 1: none are given out */
};

/* Its definition, whole but for the port it may lack, in the arena; `*ret_sidecar` NULL: `parent`
 * asks for none. False: the sentence of the reference. */
bool agent_sidecar_read(const Curia__V1__ServiceDefinition *parent,
                        const struct agent_definition_rules *rules, struct cu_arena *arena,
                        Curia__V1__ServiceDefinition **ret_sidecar, struct agent_fault *fault);

/* Its port: its own, that which it has already, or the lowest that no service of the node has.
 * False: there is none left. */
bool agent_sidecar_port(const struct agent_local *local,
                        const Curia__V1__ServiceDefinition *sidecar,
                        const struct agent_ports *ports, int32_t *ret_port,
                        struct agent_fault *fault);

/* The service with its checks; those of 2.4 where it defines none. */
bool agent_sidecar_define(const Curia__V1__ServiceDefinition *sidecar, int32_t port,
                          const struct agent_definition_rules *rules, struct cu_arena *arena,
                          struct agent_service_def *ret_def, struct agent_fault *fault);

#endif
