/* txn.h - a transaction, from the JSON of its body to a message (http-api.md 2.13). */
#ifndef AGENT_TXN_H
#define AGENT_TXN_H

#include "common/base/arena.h"
#include "common/base/buf.h"

#include "curia/v1/kv.pb-c.h"

#include "services/agentd/core/fault.h"

enum { AGENT_TXN_MAX_OPERATIONS = 64 };

struct agent_txn {
    Curia__V1__KvTxnRequest request; /* operations in the arena */
    bool only_reads;                 /* honours consistency, prints the meta members */
};

/* False: 400 or 413 with the reference's sentence. A verb nobody knows travels by its name, and the
 * catalog fails it in its place. The operations Node, Service and Check are refused with 400: the
 * catalog's Txn knows those of KV only. */
bool agent_txn_parse(struct cu_bytes body, uint64_t max_value_bytes, struct cu_arena *arena,
                     struct agent_txn *ret_txn, struct agent_fault *fault);

#endif
