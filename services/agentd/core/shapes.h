/* shapes.h - the JSON shapes of agentd (http-api.md 2.1, 2.13, 2.18). */
#ifndef AGENT_SHAPES_H
#define AGENT_SHAPES_H

#include "common/json/shape.h"

extern const struct cu_json_shape agent_shape_kv_pair;
extern const struct cu_json_shape agent_shape_kv_operation; /* the KV member of a transaction */
extern const struct cu_json_shape agent_shape_txn_error;
extern const struct cu_json_shape agent_shape_raft_server;
extern const struct cu_json_shape agent_shape_raft_configuration;

enum { AGENT_UNKNOWN_VERB = -1 };

/* All of them, for the test that compares each with its message. */
extern const struct cu_json_shape *const agent_shapes[];
extern const size_t agent_shape_count;

#endif
