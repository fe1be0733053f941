#include "services/agentd/core/shapes.h"

#include "curia/v1/kv.pb-c.h"
#include "curia/v1/status.pb-c.h"

#include "services/agentd/core/acl.h"
#include "services/agentd/core/connect.h"
#include "services/agentd/core/mesh.h"
#include "services/agentd/core/registration.h"
#include "services/agentd/core/shapes_rows.h"

// clang-format off
static const struct cu_json_field kv_pair[] = {
#define F(json, member, codec, empty) CU_JSON_FIELD(Curia__V1__KvPair, json, member, codec, empty)
    F("LockIndex",   lock_index,   CU_JSON_U64,    CU_JSON_ZERO),
    F("Key",         key,          CU_JSON_KEY,    CU_JSON_ZERO),
    F("Flags",       flags,        CU_JSON_U64,    CU_JSON_ZERO),
    F("Value",       value,        CU_JSON_BASE64, CU_JSON_NULL),
    F("Session",     session,      CU_JSON_TEXT,   CU_JSON_OMIT),
    F("CreateIndex", create_index, CU_JSON_U64,    CU_JSON_ZERO),
    F("ModifyIndex", modify_index, CU_JSON_U64,    CU_JSON_ZERO),
#undef F
};

static const char *const verb_names[] = {
    [CURIA__V1__KV_VERB__KV_SET]              = "set",
    [CURIA__V1__KV_VERB__KV_CAS]              = "cas",
    [CURIA__V1__KV_VERB__KV_LOCK]             = "lock",
    [CURIA__V1__KV_VERB__KV_UNLOCK]           = "unlock",
    [CURIA__V1__KV_VERB__KV_DELETE]           = "delete",
    [CURIA__V1__KV_VERB__KV_DELETE_CAS]       = "delete-cas",
    [CURIA__V1__KV_VERB__KV_DELETE_TREE]      = "delete-tree",
    [CURIA__V1__KV_VERB__KV_GET]              = "get",
    [CURIA__V1__KV_VERB__KV_GET_TREE]         = "get-tree",
    [CURIA__V1__KV_VERB__KV_CHECK_SESSION]    = "check-session",
    [CURIA__V1__KV_VERB__KV_CHECK_INDEX]      = "check-index",
    [CURIA__V1__KV_VERB__KV_CHECK_NOT_EXISTS] = "check-not-exists",
};
static const struct cu_json_names verbs = {verb_names, CU_COUNT(verb_names), AGENT_UNKNOWN_VERB};

static const struct cu_json_field kv_operation[] = {
#define F(json, member, codec, ...) \
    CU_JSON_FIELD(Curia__V1__KvOperation, json, member, codec, CU_JSON_ZERO, __VA_ARGS__)
    F("Verb",    verb,    CU_JSON_ENUM, .names = &verbs),
    F("Key",     key,     CU_JSON_KEY),
    F("Value",   value,   CU_JSON_BASE64),
    F("Flags",   flags,   CU_JSON_U64),
    F("Index",   index,   CU_JSON_U64),
    F("Session", session, CU_JSON_TEXT),
#undef F
};

static const struct cu_json_field txn_error[] = {
#define F(json, member, codec) CU_JSON_FIELD(Curia__V1__KvTxnError, json, member, codec, CU_JSON_ZERO)
    F("OpIndex", op_index, CU_JSON_U32),
    F("What",    what,     CU_JSON_TEXT),
#undef F
};

static const struct cu_json_field raft_server[] = {
#define F(json, member, codec) CU_JSON_FIELD(Curia__V1__RaftServer, json, member, codec, CU_JSON_ZERO)
    F("ID",              id,               CU_JSON_TEXT),
    F("Node",            node,             CU_JSON_TEXT),
    F("Address",         address,          CU_JSON_TEXT),
    F("Leader",          leader,           CU_JSON_BOOL),
    F("ProtocolVersion", protocol_version, CU_JSON_TEXT),
    F("Voter",           voter,            CU_JSON_BOOL),
#undef F
};

static const struct cu_json_field raft_configuration[] = {
    CU_JSON_LIST(Curia__V1__RaftConfigurationReply, "Servers", servers, CU_JSON_OBJECT, CU_JSON_ZERO,
                 .shape = &agent_shape_raft_server),
    CU_JSON_FIELD(Curia__V1__RaftConfigurationReply, "Index", index, CU_JSON_U64, CU_JSON_ZERO),
};
/* clang-format on */

/* Written beside the verb when that is none. */
static const char *const operation_hidden[] = {"unknown_verb", NULL};
/* A client of another edition may send it; there is only one namespace. */
static const char *const operation_ignored[] = {"Namespace", NULL};

const struct cu_json_shape agent_shape_kv_pair =
    SHAPE("structs.DirEntry", curia__v1__kv_pair__descriptor, kv_pair);
const struct cu_json_shape agent_shape_kv_operation =
    SHAPE("api.KVTxnOp", curia__v1__kv_operation__descriptor, kv_operation,
          .hidden = operation_hidden, .ignored = operation_ignored);
const struct cu_json_shape agent_shape_txn_error =
    SHAPE("structs.TxnError", curia__v1__kv_txn_error__descriptor, txn_error);
const struct cu_json_shape agent_shape_raft_server =
    SHAPE("structs.RaftServer", curia__v1__raft_server__descriptor, raft_server);
const struct cu_json_shape agent_shape_raft_configuration =
    SHAPE("structs.RaftConfigurationResponse", curia__v1__raft_configuration_reply__descriptor,
          raft_configuration);

const struct cu_json_shape *const agent_shapes[] = {
    &agent_shape_kv_pair,
    &agent_shape_kv_operation,
    &agent_shape_txn_error,
    &agent_shape_raft_server,
    &agent_shape_raft_configuration,
    &agent_shape_string_map,
    &agent_shape_service_addresses,
    &agent_shape_node,
    &agent_shape_catalog_registration,
    &agent_shape_catalog_deregistration,
    &agent_shape_upstream,
    &agent_shape_agent_upstream,
    &agent_shape_proxy,
    &agent_shape_agent_proxy,
    &agent_shape_connect,
    &agent_shape_weights,
    &agent_shape_node_service,
    &agent_shape_bare_service,
    &agent_shape_catalog_service,
    &agent_shape_check,
    &agent_shape_bare_check,
    &agent_shape_full_check,
    &agent_shape_check_definition,
    &agent_shape_health_entry,
    &agent_shape_agent_service,
    &agent_shape_service_definition,
    &agent_shape_check_type,
    &agent_shape_check_spec,
    &agent_shape_check_update,
    &agent_shape_file_service,
    &agent_shape_file_check,
    &agent_shape_member,
    &agent_shape_persisted_service,
    &agent_shape_persisted_check,
    &agent_shape_persisted_state,
    &agent_shape_persisted_tokens,
    &agent_shape_token_update,
    &agent_shape_service_defaults,
    &agent_shape_proxy_defaults,
    &agent_shape_service_intentions,
    &agent_shape_service_intentions_body,
    &agent_shape_entry_head,
    &agent_shape_entry_tail,
    &agent_shape_entry_body,
    &agent_shape_intention_head,
    &agent_shape_intention_tail,
    &agent_shape_intention_body,
    &agent_shape_ca_roots,
    &agent_shape_issued_cert,
    &agent_shape_authorize_body,
    &agent_shape_ca_config_body,
    &agent_shape_acl_token,
    &agent_shape_acl_token_stub,
    &agent_shape_acl_token_body,
    &agent_shape_acl_policy,
    &agent_shape_acl_policy_stub,
    &agent_shape_acl_policy_body,
    &agent_shape_acl_role,
    &agent_shape_acl_role_body,
    &agent_shape_acl_question,
    &agent_shape_acl_question_body,
};
const size_t agent_shape_count = CU_COUNT(agent_shapes);
