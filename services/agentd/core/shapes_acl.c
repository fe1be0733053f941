/* shapes_acl.c - tokens, policies and roles (http-api.md 2.20); declared in acl.h. */
#include "services/agentd/core/acl.h"
#include "services/agentd/core/shapes_rows.h"

/* clang-format off */

static const struct cu_json_field link_rows[] = {
    ROW(AclLink, "ID",   id,   CU_JSON_TEXT, CU_JSON_ZERO),
    ROW(AclLink, "Name", name, CU_JSON_TEXT, CU_JSON_ZERO),
};
static const struct cu_json_shape policy_link =
    SHAPE("structs.ACLTokenPolicyLink", curia__v1__acl_link__descriptor, link_rows);
static const struct cu_json_shape role_link =
    SHAPE("structs.ACLTokenRoleLink", curia__v1__acl_link__descriptor, link_rows);

static const struct cu_json_field service_identity[] = {
    ROW(AclServiceIdentity,  "ServiceName", service_name, CU_JSON_TEXT, CU_JSON_ZERO),
    LIST(AclServiceIdentity, "Datacenters", datacenters,  CU_JSON_TEXT, CU_JSON_OMIT),
};
static const struct cu_json_shape service_identity_shape =
    SHAPE("structs.ACLServiceIdentity", curia__v1__acl_service_identity__descriptor, service_identity);

static const struct cu_json_field node_identity[] = {
    ROW(AclNodeIdentity, "NodeName",   node_name,  CU_JSON_TEXT, CU_JSON_ZERO),
    ROW(AclNodeIdentity, "Datacenter", datacenter, CU_JSON_TEXT, CU_JSON_ZERO),
};
static const struct cu_json_shape node_identity_shape =
    SHAPE("structs.ACLNodeIdentity", curia__v1__acl_node_identity__descriptor, node_identity);

#define IDENTITIES(type)                                                                           \
    LIST(type, "ServiceIdentities", service_identities, CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &service_identity_shape), \
    LIST(type, "NodeIdentities",    node_identities,    CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &node_identity_shape)
#define TAIL(type)                                                                                 \
    ROW(type, "Hash",        hash,         CU_JSON_BASE64, CU_JSON_ZERO),                          \
    ROW(type, "CreateIndex", create_index, CU_JSON_U64,    CU_JSON_ZERO),                          \
    ROW(type, "ModifyIndex", modify_index, CU_JSON_U64,    CU_JSON_ZERO)
/* What was printed may be sent back. */
#define PRINTED "Hash", "CreateIndex", "ModifyIndex"

/* ---- tokens ---- */

#define TOKEN(json, member, codec, ...) ROW(AclToken, json, member, codec, __VA_ARGS__)
#define TOKEN_CONTENT                                                                              \
    TOKEN("Description", description, CU_JSON_TEXT, CU_JSON_ZERO),                                 \
    LIST(AclToken, "Policies", policies, CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &policy_link),     \
    LIST(AclToken, "Roles",    roles,    CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &role_link),       \
    IDENTITIES(AclToken),                                                                          \
    TOKEN("Local", local, CU_JSON_BOOL, CU_JSON_ZERO)
#define TOKEN_TIMES                                                                                \
    TOKEN("ExpirationTime", expiration_time_ms, CU_JSON_TIME_MS, CU_JSON_OMIT),                    \
    TOKEN("CreateTime",     create_time_ms,     CU_JSON_TIME_MS, CU_JSON_ZERO)

static const struct cu_json_field token[] = {
    TOKEN("AccessorID", accessor_id, CU_JSON_TEXT, CU_JSON_ZERO),
    TOKEN("SecretID",   secret_id,   CU_JSON_TEXT, CU_JSON_ZERO),
    TOKEN_CONTENT,
    TOKEN_TIMES,
    TAIL(AclToken),
};
const struct cu_json_shape agent_shape_acl_token =
    SHAPE("structs.ACLToken", curia__v1__acl_token__descriptor, token);

static const struct cu_json_field token_stub[] = {
    TOKEN("AccessorID", accessor_id, CU_JSON_TEXT, CU_JSON_ZERO),
    TOKEN_CONTENT,
    TOKEN_TIMES,
    TAIL(AclToken),
};
static const char *const token_stub_hidden[] = {"secret_id", NULL};
const struct cu_json_shape agent_shape_acl_token_stub =
    SHAPE("structs.ACLTokenListStub", curia__v1__acl_token__descriptor, token_stub,
          .hidden = token_stub_hidden);

static const struct cu_json_field token_body[] = {
    TOKEN("AccessorID", accessor_id, CU_JSON_TEXT, CU_JSON_ZERO),
    TOKEN("SecretID",   secret_id,   CU_JSON_TEXT, CU_JSON_ZERO),
    TOKEN_CONTENT,
};
static const char *const token_body_hidden[] = {
    "expiration_time_ms", "create_time_ms", "hash", "create_index", "modify_index", NULL};
static const char *const token_body_ignored[] = {
    PRINTED, "CreateTime", "ExpirationTime", "ExpirationTTL", "Rules", "AuthMethod", NULL};
const struct cu_json_shape agent_shape_acl_token_body =
    SHAPE("structs.ACLToken", curia__v1__acl_token__descriptor, token_body,
          .hidden = token_body_hidden, .ignored = token_body_ignored);

/* ---- policies ---- */

#define POLICY(json, member) ROW(AclPolicy, json, member, CU_JSON_TEXT, CU_JSON_ZERO)
#define POLICY_CONTENT                                                                             \
    POLICY("ID",          id),                                                                     \
    POLICY("Name",        name),                                                                   \
    POLICY("Description", description),                                                            \
    POLICY("Rules",       rules),                                                                  \
    LIST(AclPolicy, "Datacenters", datacenters, CU_JSON_TEXT, CU_JSON_OMIT)

static const struct cu_json_field policy[] = {POLICY_CONTENT, TAIL(AclPolicy)};
const struct cu_json_shape agent_shape_acl_policy =
    SHAPE("structs.ACLPolicy", curia__v1__acl_policy__descriptor, policy);

static const struct cu_json_field policy_stub[] = {
    POLICY("ID",          id),
    POLICY("Name",        name),
    POLICY("Description", description),
    LIST(AclPolicy, "Datacenters", datacenters, CU_JSON_TEXT, CU_JSON_NULL),
    TAIL(AclPolicy),
};
static const char *const policy_stub_hidden[] = {"rules", NULL};
const struct cu_json_shape agent_shape_acl_policy_stub =
    SHAPE("structs.ACLPolicyListStub", curia__v1__acl_policy__descriptor, policy_stub,
          .hidden = policy_stub_hidden);

static const char *const body_hidden[] = {"hash", "create_index", "modify_index", NULL};
static const char *const body_ignored[] = {PRINTED, NULL};
static const struct cu_json_field policy_body[] = {POLICY_CONTENT};
const struct cu_json_shape agent_shape_acl_policy_body =
    SHAPE("structs.ACLPolicy", curia__v1__acl_policy__descriptor, policy_body,
          .hidden = body_hidden, .ignored = body_ignored);

/* ---- roles ---- */

#define ROLE_CONTENT                                                                               \
    ROW(AclRole,  "ID",          id,          CU_JSON_TEXT,   CU_JSON_ZERO),                       \
    ROW(AclRole,  "Name",        name,        CU_JSON_TEXT,   CU_JSON_ZERO),                       \
    ROW(AclRole,  "Description", description, CU_JSON_TEXT,   CU_JSON_ZERO),                       \
    LIST(AclRole, "Policies",    policies,    CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &policy_link), \
    IDENTITIES(AclRole)

static const struct cu_json_field role[] = {ROLE_CONTENT, TAIL(AclRole)};
const struct cu_json_shape agent_shape_acl_role =
    SHAPE("structs.ACLRole", curia__v1__acl_role__descriptor, role);

static const struct cu_json_field role_body[] = {ROLE_CONTENT};
const struct cu_json_shape agent_shape_acl_role_body =
    SHAPE("structs.ACLRole", curia__v1__acl_role__descriptor, role_body,
          .hidden = body_hidden, .ignored = body_ignored);

/* ---- questions ---- */

#define QUESTION                                                                                   \
    ROW(AclQuestion, "Resource", resource, CU_JSON_TEXT, CU_JSON_ZERO),                            \
    ROW(AclQuestion, "Segment",  segment,  CU_JSON_TEXT, CU_JSON_OMIT),                            \
    ROW(AclQuestion, "Access",   access,   CU_JSON_TEXT, CU_JSON_ZERO)

static const struct cu_json_field question[] = {
    QUESTION,
    ROW(AclQuestion, "Allow", allow, CU_JSON_BOOL, CU_JSON_ZERO),
};
const struct cu_json_shape agent_shape_acl_question =
    SHAPE("structs.ACLAuthorizationResponse", curia__v1__acl_question__descriptor, question);

static const struct cu_json_field question_body[] = {QUESTION};
static const char *const question_body_hidden[] = {"allow", NULL};
const struct cu_json_shape agent_shape_acl_question_body =
    SHAPE("structs.ACLAuthorizationRequest", curia__v1__acl_question__descriptor, question_body,
          .hidden = question_body_hidden);
/* clang-format on */
