/* kv.h - the verbs of the key/value store, each decided in apply (http-api.md 2.12, 2.13, 3.7). */
#ifndef CATALOG_KV_H
#define CATALOG_KV_H

#include "proto/curia/internal/v1/state.pb-c.h"
#include "proto/curia/v1/kv.pb-c.h"
#include "services/catalogd/core/store.h"

/* KvCommand.verb; the numbers of curia.v1.KvVerb. */
enum catalog_kv_verb {
    CATALOG_KV_SET,
    CATALOG_KV_CAS,
    CATALOG_KV_LOCK,
    CATALOG_KV_UNLOCK,
    CATALOG_KV_DELETE,
    CATALOG_KV_DELETE_CAS,
    CATALOG_KV_DELETE_TREE,
    CATALOG_KV_GET,
    CATALOG_KV_GET_TREE,
    CATALOG_KV_CHECK_SESSION,
    CATALOG_KV_CHECK_INDEX,
    CATALOG_KV_CHECK_NOT_EXISTS,
    CATALOG_KV_VERB_COUNT
};

/* One operation, alone or in a transaction; all borrowed. */
struct catalog_kv_op {
    uint32_t verb; /* as it came: may be no verb at all */
    struct cu_bytes key, value;
    uint64_t flags, index;
    const char *session, *unknown_verb;
};

struct catalog_kv_op catalog_kv_op_of_command(const Curia__Internal__V1__KvCommand *command);
struct catalog_kv_op catalog_kv_op_of_request(const Curia__V1__KvOperation *operation);

bool catalog_kv_is_write(const struct catalog_kv_op *op);

/* What became of a write. */
struct catalog_kv_done {
    bool applied;           /* false: a condition did not hold, or `refusal` */
    const char *refusal;    /* NULL, else why the session is not accepted; in the arena */
    bool has_row;           /* set, cas, lock, unlock that applied */
    struct catalog_row row; /* packed KvRow and indexes, in the store's scratch arena */
};

/* Does a verb that writes. Errors: what the backend returned. */
CU_MUST_USE enum cu_err catalog_kv_write(struct catalog_store *store,
                                         const struct catalog_kv_op *op,
                                         struct catalog_kv_done *ret_done);

/* Reaps the tombstones made before that lease time: one index stays for all of them, nobody wakes
 * (http-api.md 3.7). */
CU_MUST_USE enum cu_err catalog_kv_reap(struct catalog_store *store, uint64_t before_lease_ms);

#endif
