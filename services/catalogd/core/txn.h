/* txn.h - several operations at one index: all of them or none (http-api.md 2.13, 3.9). */
#ifndef CATALOG_TXN_H
#define CATALOG_TXN_H

#include "services/catalogd/core/kv.h"

enum {
    CATALOG_TXN_OPS_MAX = 64,
    /* Of what a transaction that writes gives back; one with more fails, on every replica. */
    CATALOG_TXN_RESULT_BYTES_MAX = 8 * 1024 * 1024,
    CATALOG_TXN_RESULT_OVERHEAD_BYTES = 128 /* what each result counts beside key and value */
};

/* Runs the operations; the result lies in the arena. Where that is too small the outcome is the
 * same, and the result says only that it was lost (error Unknown when it took effect, TooLarge when
 * not). Errors: what the backend returned. */
CU_MUST_USE enum cu_err catalog_txn_apply(struct catalog_store *store,
                                          const Curia__Internal__V1__TxnCommand *command,
                                          struct cu_arena *arena,
                                          const Curia__Internal__V1__CommandResult **ret_result);

#endif
