/* kv.h - requests about keys, from parameters to messages (http-api.md 2.12). */
#ifndef AGENT_KV_H
#define AGENT_KV_H

#include "curia/v1/kv.pb-c.h"

#include "services/agentd/core/fault.h"
#include "services/agentd/core/query.h"

enum agent_kv_read { AGENT_KV_ONE, AGENT_KV_RAW, AGENT_KV_TREE, AGENT_KV_KEYS };

/* What a GET asks for. False: it needs a key and has none. */
bool agent_kv_read_parse(const struct agent_query *query, struct cu_bytes key,
                         enum agent_kv_read *ret_read, struct agent_fault *fault);

/* The separator of a listing of keys, in its right and its wrong spelling. */
struct cu_bytes agent_kv_separator(const struct agent_query *query);

/* Fills `request`, initialised by the caller, for a PUT or a DELETE; key, value and parameters stay
 * borrowed. False: the fault of http-api.md 2.12. */
bool agent_kv_put_parse(const struct agent_query *query, struct cu_bytes key, struct cu_bytes value,
                        Curia__V1__KvPutRequest *request, struct agent_fault *fault);
bool agent_kv_delete_parse(const struct agent_query *query, struct cu_bytes key,
                           Curia__V1__KvPutRequest *request, struct agent_fault *fault);

#endif
