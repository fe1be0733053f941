/* read.h - what is asked of the KV part of the state, against a backend that stands still (a read
 * transaction). */
#ifndef CATALOG_READ_H
#define CATALOG_READ_H

#include "common/base/arena.h"
#include "proto/curia/v1/kv.pb-c.h"
#include "services/catalogd/core/view.h"

/* Fills pair (NULL: no such key) and the index of http-api.md 3.3 in the arena. */
CU_MUST_USE enum cu_err catalog_kv_get(const struct catalog_view *view, struct cu_bytes key,
                                       struct cu_arena *arena, Curia__V1__KvPair **ret_pair,
                                       uint64_t *ret_index);

/* Lists by prefix; the request is the public one. Stops with TOO_LARGE when the arena's limit is
 * reached. */
CU_MUST_USE enum cu_err catalog_kv_list(const struct catalog_view *view,
                                        const Curia__V1__KvListRequest *request,
                                        struct cu_arena *arena, Curia__V1__KvListReply *reply,
                                        uint64_t *ret_index);

/* A transaction of reads and checks only. */
CU_MUST_USE enum cu_err catalog_kv_txn_read(const struct catalog_view *view,
                                            const Curia__V1__KvTxnRequest *request,
                                            struct cu_arena *arena, Curia__V1__KvTxnReply *reply);
/* What is wrong with operations whatever the state says, the caller's rights among it (http-api.md
 * 2.13): errors in the reply. Errors: TOO_LARGE the arena is full. */
CU_MUST_USE enum cu_err catalog_kv_txn_precheck(const struct cu_authorizer *who,
                                                const Curia__V1__KvTxnRequest *request,
                                                struct cu_arena *arena,
                                                Curia__V1__KvTxnReply *reply);
int catalog_kv_txn_is_read_only(const Curia__V1__KvTxnRequest *request);

#endif
