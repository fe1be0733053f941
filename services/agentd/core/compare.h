/* compare.h - what the catalog says of this node against what is here (agent.md 11.3, 11.4). */
#ifndef AGENT_COMPARE_H
#define AGENT_COMPARE_H

#include "services/agentd/core/local.h"

#define AGENT_CONSUL_SERVICE "consul"
#define AGENT_SERF_CHECK     "serfHealth"

struct agent_remote {
    const Curia__V1__Node *node; /* NULL: the catalog does not know it */
    Curia__V1__Service *const *services;
    size_t service_count;
    Curia__V1__Check *const *checks;
    size_t check_count;
};

/* Marks what is in sync and what is not; what only the catalog has is marked as deleted here. Tags
 * of a service with enable_tag_override are taken over. */
void agent_compare(struct agent_local *local, const struct agent_remote *remote);

#endif
