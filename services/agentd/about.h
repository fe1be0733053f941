/* about.h - what this agent tells the catalog of its node (agent.md 3, 11.3; http-api.md 2.1). */
#ifndef AGENT_ABOUT_H
#define AGENT_ABOUT_H

#include "common/base/arena.h"
#include "common/conf/conf.h"
#include "curia/v1/catalog.pb-c.h"

struct agent_about {
    const char *id, *name, *datacenter, *address; /* of the node, as advertised */
};

/* In the arena: tagged addresses by the advertised ones and by `tagged_addresses`, metadata by
 * `node_meta`. CU_E_INVALID: the metadata, with the reference's sentence; CU_E_TOO_LARGE: the arena
 * is full. */
CU_MUST_USE enum cu_err agent_about_make(const struct cu_conf *conf,
                                         const struct agent_about *about, struct cu_arena *arena,
                                         Curia__V1__Node **ret_node, struct cu_diag *diag);

#endif
