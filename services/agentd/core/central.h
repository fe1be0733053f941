/* central.h - what the catalog's proxy-defaults and service-defaults add to a proxy of this node
 * (mesh.md 2.6). Pure. */
#ifndef AGENT_CENTRAL_H
#define AGENT_CENTRAL_H

#include "common/base/arena.h"
#include "curia/v1/config.pb-c.h"

/* Borrowed. */
struct agent_central {
    const Curia__V1__ProxyDefaults *proxy_defaults; /* NULL: none */
    Curia__V1__ConfigEntry *const *services;        /* service-defaults */
    size_t service_count;
};

/* The service as it counts: what it says itself, then what service-defaults say of the service
 * behind it, then what proxy-defaults say. Itself where it is no proxy; else a copy in the arena
 * that borrows from all that is handed in. NULL: the arena is full. */
const Curia__V1__Service *agent_central_merge(const struct agent_central *central,
                                              const Curia__V1__Service *own,
                                              struct cu_arena *arena);

#endif
