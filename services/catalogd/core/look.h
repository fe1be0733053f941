/* look.h - the operations of a transaction that only read or check, and how each fails
 * (http-api.md 2.13). Used inside apply and by reads alike. */
#ifndef CATALOG_LOOK_H
#define CATALOG_LOOK_H

#include "services/catalogd/core/kv.h"

/* Takes a row that the operation produced, borrowed. Errors end the walk and are handed on. */
typedef enum cu_err catalog_look_found(void *arg, const struct catalog_row *row, bool with_value);

/* Does an operation that is no write. ret_failure: NULL, or the sentence of its failure in the
 * arena. Errors: the backend's, those of `found`, TOO_LARGE: the arena is full. */
CU_MUST_USE enum cu_err catalog_look(const struct catalog_backend *backend,
                                     const struct catalog_kv_op *op, struct cu_arena *arena,
                                     catalog_look_found *found, void *arg,
                                     const char **ret_failure);

/* What is wrong with the operation whatever the state says; NULL: nothing. Such failures alone are
 * reported when there are any. */
const char *catalog_look_precheck(const struct catalog_kv_op *op);

#endif
