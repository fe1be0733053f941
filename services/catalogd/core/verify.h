/* verify.h - adds up the rows of a state: whether each is what its hash says, and all of them what
 * the state says of itself. What is wrong here is wrong beyond doubt, whatever other replicas have.
 */
#ifndef CATALOG_VERIFY_H
#define CATALOG_VERIFY_H

#include "services/catalogd/core/store.h"

struct catalog_verification {
    struct catalog_position position;
    uint64_t rows, wrong_rows;
    enum catalog_table wrong_table; /* of the first wrong row */
    bool adds_up;                   /* the rows' own hashes to that of the state */
};

/* Asked every 1,024 rows; false ends it with NOT_READY. */
typedef bool catalog_verify_goes_on(void *arg);

/* Within one snapshot, made by the caller. Errors: what the backend returned; NOT_READY. */
CU_MUST_USE enum cu_err catalog_verify(const struct catalog_backend *backend,
                                       catalog_verify_goes_on *goes_on, void *arg,
                                       struct catalog_verification *ret_found);
bool catalog_verification_is_good(const struct catalog_verification *found);

#endif
