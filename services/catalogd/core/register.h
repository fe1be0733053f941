/* register.h - the commands that register and deregister nodes, services and checks, decided in
 * apply (http-api.md 3.5, 3.6). */
#ifndef CATALOG_REGISTER_H
#define CATALOG_REGISTER_H

#include "services/catalogd/core/registration.h"
#include "services/catalogd/core/store.h"

/* The check that says whether gossip holds a node for alive. */
#define CATALOG_SERF_CHECK "serfHealth"

/* Does all of it, or nothing and says why. What does not change anything writes nothing. `command`
 * is changed (registration.h). Costs in proportion to what is registered, and, where the node or a
 * check of it changes, to the services on that node. Errors: what the backend returned; CORRUPT: a
 * row of ours does not decode. */
CU_MUST_USE enum cu_err catalog_register(struct catalog_store *store,
                                         Curia__Internal__V1__RegisterCommand *command,
                                         struct catalog_refusal *ret_refusal);

/* The service with its checks; else the check; else the node with all it has. What is not there is
 * no error. */
CU_MUST_USE enum cu_err catalog_deregister(struct catalog_store *store,
                                           const Curia__Internal__V1__DeregisterCommand *command,
                                           struct catalog_refusal *ret_refusal);

#endif
