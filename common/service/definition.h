/* definition.h - what a service must hold to be registered, at an agent as in the catalog
 * (http-api.md 2.3). Pure. */
#ifndef CU_SERVICE_DEFINITION_H
#define CU_SERVICE_DEFINITION_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/err.h"
#include "proto/curia/v1/catalog.pb-c.h"

/* What is wrong with a proxy or a gateway, all of it in one text ("2 errors occurred:..."); NULL:
 * nothing. Other kinds always pass. Errors: TOO_LARGE the arena is full. */
CU_MUST_USE enum cu_err cu_service_check(const Curia__V1__Service *service, struct cu_arena *arena,
                                         const char **ret_text);

/* Whether an address stands for all of a host's: 0.0.0.0, ::, [::]. */
bool cu_address_is_any(const char *address);

/* What is wrong with weights; NULL: nothing, or there are none. Static. */
const char *cu_weights_check(const Curia__V1__Weights *weights);
/* What a service without weights has: 1 and 1. Static, not to be changed. */
Curia__V1__Weights *cu_weights_default(void);

#endif
