/* remove.h - a node, a service or a check goes, with all that hangs on it. Inside catalog_apply()
 * only. */
#ifndef CATALOG_REMOVE_H
#define CATALOG_REMOVE_H

#include "services/catalogd/core/store.h"

/* What is not there is no error. Errors: what the backend returned. */
CU_MUST_USE enum cu_err catalog_remove_check(struct catalog_store *store, const char *node,
                                             const char *check_id);
CU_MUST_USE enum cu_err catalog_remove_service(struct catalog_store *store, const char *node,
                                               const char *service_id);
CU_MUST_USE enum cu_err catalog_remove_node(struct catalog_store *store, const char *node);

#endif
