/* shapes.h - the JSON shapes of agentd (http-api.md 2.1 to 2.4, 2.13, 2.18). Most
 * write only; those of definitions are for reading, too. */
#ifndef AGENT_SHAPES_H
#define AGENT_SHAPES_H

#include "common/json/shape.h"

extern const struct cu_json_shape agent_shape_kv_pair;
extern const struct cu_json_shape agent_shape_kv_operation; /* the KV member of a transaction */
extern const struct cu_json_shape agent_shape_txn_error;
extern const struct cu_json_shape agent_shape_raft_server;
extern const struct cu_json_shape agent_shape_raft_configuration;

enum { AGENT_UNKNOWN_VERB = -1 };

/* Of the catalog (shapes_catalog.c). `bare`: empty lists print null (txn results, UI dumps, files),
 * and what is unknown is passed over. */
extern const struct cu_json_shape agent_shape_string_map;
extern const struct cu_json_shape agent_shape_service_addresses;
extern const struct cu_json_shape agent_shape_node;
extern const struct cu_json_shape agent_shape_mesh_gateway;
extern const struct cu_json_shape agent_shape_expose;
extern const struct cu_json_shape agent_shape_upstream;
extern const struct cu_json_shape agent_shape_agent_upstream;
extern const struct cu_json_shape agent_shape_proxy;
extern const struct cu_json_shape agent_shape_agent_proxy; /* the agent's form */
extern const struct cu_json_shape agent_shape_connect;
extern const struct cu_json_shape agent_shape_weights;
extern const struct cu_json_shape agent_shape_node_service;
extern const struct cu_json_shape agent_shape_bare_service;
extern const struct cu_json_shape agent_shape_catalog_service;
extern const struct cu_json_shape agent_shape_header_values; /* of one header of a check */
extern const struct cu_json_shape agent_shape_check;
extern const struct cu_json_shape agent_shape_bare_check;
extern const struct cu_json_shape agent_shape_full_check; /* of /v1/agent/health */
extern const struct cu_json_shape agent_shape_check_definition;
extern const struct cu_json_shape agent_shape_health_entry;

/* Of the node itself (shapes_agent.c). */
extern const struct cu_json_shape agent_shape_agent_service;
extern const struct cu_json_shape agent_shape_service_definition;
extern const struct cu_json_shape agent_shape_check_type;      /* a check of a service definition */
extern const struct cu_json_shape agent_shape_bare_check_type; /* of files */
extern const struct cu_json_shape agent_shape_check_spec;      /* of /v1/agent/check/register */
extern const struct cu_json_shape agent_shape_check_update;    /* of /v1/agent/check/update */
extern const struct cu_json_shape agent_shape_file_service;    /* of the configuration */
extern const struct cu_json_shape agent_shape_file_check;
extern const struct cu_json_shape agent_shape_member;

/* Of files (persisted.c). */
extern const struct cu_json_shape agent_shape_persisted_service;
extern const struct cu_json_shape agent_shape_persisted_check;
extern const struct cu_json_shape agent_shape_persisted_state;

/* Of the node's own tokens (tokens.c). */
extern const struct cu_json_shape agent_shape_persisted_tokens;
extern const struct cu_json_shape agent_shape_token_update;

/* All of them, for the test that compares each with its message. */
extern const struct cu_json_shape *const agent_shapes[];
extern const size_t agent_shape_count;

#endif
