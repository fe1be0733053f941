/* shapes_agent.c - what the agent prints of its own services and reads as definitions of them
 * (http-api.md 1.3, 2.1 to 2.4); declared in shapes.h. */
#include "services/agentd/core/shapes.h"

#include "curia/internal/v1/members.pb-c.h"
#include "curia/v1/agent.pb-c.h"

#include "services/agentd/core/shapes_rows.h"

// clang-format off
static const struct cu_json_field agent_service[] = {
#define F(json, member, codec, ...) ROW(AgentService, json, member, codec, __VA_ARGS__)
    F("Kind",              kind,                CU_JSON_TEXT,   CU_JSON_OMIT),
    F("ID",                id,                  CU_JSON_TEXT,   CU_JSON_ZERO),
    F("Service",           service,             CU_JSON_TEXT,   CU_JSON_ZERO),
    LIST(AgentService, "Tags", tags,            CU_JSON_TEXT,   CU_JSON_ZERO),
    F("Meta",              meta,                CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_string_map),
    F("Port",              port,                CU_JSON_I32,    CU_JSON_ZERO),
    F("Address",           address,             CU_JSON_TEXT,   CU_JSON_ZERO),
    F("TaggedAddresses",   tagged_addresses,    CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &agent_shape_service_addresses),
    F("Weights",           weights,             CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_weights),
    F("EnableTagOverride", enable_tag_override, CU_JSON_BOOL,   CU_JSON_ZERO),
    F("CreateIndex",       create_index,        CU_JSON_U64,    CU_JSON_OMIT),
    F("ModifyIndex",       modify_index,        CU_JSON_U64,    CU_JSON_OMIT),
    F("ContentHash",       content_hash,        CU_JSON_TEXT,   CU_JSON_OMIT),
    F("Proxy",             proxy,               CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &agent_shape_agent_proxy),
    F("Connect",           connect,             CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &agent_shape_connect),
    F("Datacenter",        datacenter,          CU_JSON_TEXT,   CU_JSON_ZERO),
#undef F
};
const struct cu_json_shape agent_shape_agent_service =
    SHAPE("api.AgentService", curia__v1__agent_service__descriptor, agent_service);

/* ---- definitions ---- */

static const struct cu_json_field header_entry[] = {
    ROW(CheckSpec__HeaderEntry, "key",   key,   CU_JSON_TEXT,   CU_JSON_ZERO),
    ROW(CheckSpec__HeaderEntry, "value", value, CU_JSON_OBJECT, CU_JSON_ZERO,
        .shape = &agent_shape_header_values),
};
static const struct cu_json_shape header_entry_shape =
    SHAPE("map[string][]string", curia__v1__check_spec__header_entry__descriptor, header_entry,
          .form = CU_JSON_FORM_ENTRY);

/* What the checks of a service and those of /v1/agent/check/register have in common; in the order
 * in which the reference persists them (agent.md 10). */
#define NO_SNAKE(name) .aliases = NULL
#define CHECK_TYPE(SNAKE)                                                                                 \
    LIST(CheckSpec, "ScriptArgs",           script_args,              CU_JSON_TEXT,   CU_JSON_NULL, ALIASES("args", "script_args")), \
    ROW(CheckSpec, "HTTP",                  http,                     CU_JSON_TEXT,   CU_JSON_ZERO), \
    LIST(CheckSpec, "Header",               header,                   CU_JSON_OBJECT, CU_JSON_NULL, .shape = &header_entry_shape), \
    ROW(CheckSpec, "Method",                method,                   CU_JSON_TEXT,   CU_JSON_ZERO), \
    ROW(CheckSpec, "Body",                  body,                     CU_JSON_TEXT,   CU_JSON_ZERO), \
    ROW(CheckSpec, "TCP",                   tcp,                      CU_JSON_TEXT,   CU_JSON_ZERO), \
    ROW(CheckSpec, "Interval",              interval_ns,              CU_JSON_NS,     CU_JSON_ZERO), \
    ROW(CheckSpec, "AliasNode",             alias_node,               CU_JSON_TEXT,   CU_JSON_ZERO, SNAKE("alias_node")), \
    ROW(CheckSpec, "AliasService",          alias_service,            CU_JSON_TEXT,   CU_JSON_ZERO, SNAKE("alias_service")), \
    ROW(CheckSpec, "DockerContainerID",     docker_container_id,      CU_JSON_TEXT,   CU_JSON_ZERO, ALIASES("docker_container_id")), \
    ROW(CheckSpec, "Shell",                 shell,                    CU_JSON_TEXT,   CU_JSON_ZERO), \
    ROW(CheckSpec, "GRPC",                  grpc,                     CU_JSON_TEXT,   CU_JSON_ZERO), \
    ROW(CheckSpec, "GRPCUseTLS",            grpc_use_tls,             CU_JSON_BOOL,   CU_JSON_ZERO, ALIASES("grpc_use_tls")), \
    ROW(CheckSpec, "TLSSkipVerify",         tls_skip_verify,          CU_JSON_BOOL,   CU_JSON_ZERO, ALIASES("tls_skip_verify")), \
    ROW(CheckSpec, "Timeout",               timeout_ns,               CU_JSON_NS,     CU_JSON_ZERO), \
    ROW(CheckSpec, "TTL",                   ttl_ns,                   CU_JSON_NS,     CU_JSON_ZERO), \
    ROW(CheckSpec, "SuccessBeforePassing",  success_before_passing,   CU_JSON_I32,    CU_JSON_ZERO, SNAKE("success_before_passing")), \
    ROW(CheckSpec, "FailuresBeforeCritical", failures_before_critical, CU_JSON_I32,   CU_JSON_ZERO, SNAKE("failures_before_critical")), \
    ROW(CheckSpec, "ProxyHTTP",             proxy_http,               CU_JSON_TEXT,   CU_JSON_ZERO), \
    ROW(CheckSpec, "ProxyGRPC",             proxy_grpc,               CU_JSON_TEXT,   CU_JSON_ZERO), \
    ROW(CheckSpec, "DeregisterCriticalServiceAfter", deregister_critical_service_after_ns,         \
        CU_JSON_NS, CU_JSON_ZERO, ALIASES("deregister_critical_service_after")),                   \
    ROW(CheckSpec, "OutputMaxSize",         output_max_size,          CU_JSON_I32,    CU_JSON_ZERO, SNAKE("output_max_size")), \
    ROW(CheckSpec, "DisableRedirects",      disable_redirects,        CU_JSON_BOOL,   CU_JSON_OMIT, ALIASES("disable_redirects")), \
    ROW(CheckSpec, "FailuresBeforeWarning", failures_before_warning,  CU_JSON_I32,    CU_JSON_OMIT, SNAKE("failures_before_warning"))

static const struct cu_json_field check_type[] = {
#define F(json, member) ROW(CheckSpec, json, member, CU_JSON_TEXT, CU_JSON_ZERO)
    F("CheckID", check_id),
    F("Name",    name),
    F("Status",  status),
    F("Notes",   notes),
#undef F
    CHECK_TYPE(NO_SNAKE),
};
static const char *const check_type_hidden[] = {"service_id", "token", NULL};
static const char *const check_type_ignored[] = {"ServiceID", "service_id", NULL};
const struct cu_json_shape agent_shape_check_type =
    SHAPE("structs.CheckType", curia__v1__check_spec__descriptor, check_type,
          .hidden = check_type_hidden, .ignored = check_type_ignored);
const struct cu_json_shape agent_shape_bare_check_type =
    SHAPE("structs.CheckType", curia__v1__check_spec__descriptor, check_type,
          .hidden = check_type_hidden, .ignores_unknown = true);

static const struct cu_json_field check_spec[] = {
#define F(json, member, ...) ROW(CheckSpec, json, member, CU_JSON_TEXT, CU_JSON_ZERO, __VA_ARGS__)
    F("ID",        check_id),
    F("Name",      name),
    F("Notes",     notes),
    F("ServiceID", service_id, ALIASES("service_id")),
    F("Token",     token),
    F("Status",    status),
#undef F
    CHECK_TYPE(NO_SNAKE),
};
const struct cu_json_shape agent_shape_check_spec =
    SHAPE("structs.CheckDefinition", curia__v1__check_spec__descriptor, check_spec);

/* In files every name may be in snake case, and the id of a check is "id". */
static const struct cu_json_field file_check[] = {
#define F(json, member, ...) ROW(CheckSpec, json, member, CU_JSON_TEXT, CU_JSON_ZERO, __VA_ARGS__)
    F("ID",        check_id, ALIASES("check_id", "CheckID")),
    F("Name",      name),
    F("Notes",     notes),
    F("ServiceID", service_id, ALIASES("service_id")),
    F("Token",     token),
    F("Status",    status),
#undef F
    CHECK_TYPE(ALIASES),
};
const struct cu_json_shape agent_shape_file_check =
    SHAPE("structs.CheckDefinition", curia__v1__check_spec__descriptor, file_check);

static const struct cu_json_field check_update[] = {
    ROW(CheckUpdate, "Status", status, CU_JSON_TEXT, CU_JSON_ZERO),
    ROW(CheckUpdate, "Output", output, CU_JSON_TEXT, CU_JSON_ZERO),
};
const struct cu_json_shape agent_shape_check_update =
    SHAPE("agent.checkUpdate", curia__v1__check_update__descriptor, check_update);

static const struct cu_json_field connect_definition[] = {
    ROW(ConnectDefinition, "Native",         native,          CU_JSON_BOOL,   CU_JSON_ZERO),
    ROW(ConnectDefinition, "SidecarService", sidecar_service, CU_JSON_OPAQUE, CU_JSON_OMIT,
        ALIASES("sidecar_service")),
};
static const struct cu_json_shape connect_definition_shape =
    SHAPE("structs.ServiceConnect", curia__v1__connect_definition__descriptor, connect_definition,
          .ignores_unknown = true);

#define D(json, member, codec, ...) ROW(ServiceDefinition, json, member, codec, CU_JSON_ZERO, __VA_ARGS__)
#define SERVICE_DEFINITION(check_shape) \
    D("Kind",              kind,                CU_JSON_TEXT), \
    D("ID",                id,                  CU_JSON_TEXT), \
    D("Name",              name,                CU_JSON_TEXT), \
    LIST(ServiceDefinition, "Tags", tags,       CU_JSON_TEXT, CU_JSON_NULL), \
    D("Address",           address,             CU_JSON_TEXT), \
    D("TaggedAddresses",   tagged_addresses,    CU_JSON_OBJECT, .shape = &agent_shape_service_addresses, \
      ALIASES("tagged_addresses")), \
    D("Meta",              meta,                CU_JSON_OBJECT, .shape = &agent_shape_string_map), \
    D("Port",              port,                CU_JSON_I32), \
    D("Check",             check,               CU_JSON_OBJECT, .shape = &(check_shape)), \
    LIST(ServiceDefinition, "Checks", checks,   CU_JSON_OBJECT, CU_JSON_NULL, .shape = &(check_shape)), \
    D("Weights",           weights,             CU_JSON_OBJECT, .shape = &agent_shape_weights), \
    D("Token",             token,               CU_JSON_TEXT), \
    D("EnableTagOverride", enable_tag_override, CU_JSON_BOOL, ALIASES("enable_tag_override")), \
    D("Proxy",             proxy,               CU_JSON_OBJECT, .shape = &agent_shape_proxy), \
    D("Connect",           connect,             CU_JSON_OBJECT, .shape = &connect_definition_shape)

static const struct cu_json_field service_definition[] = {SERVICE_DEFINITION(agent_shape_check_type)};
static const struct cu_json_field file_service[] = {SERVICE_DEFINITION(agent_shape_file_check)};
const struct cu_json_shape agent_shape_service_definition =
    SHAPE("structs.ServiceDefinition", curia__v1__service_definition__descriptor,
          service_definition);
const struct cu_json_shape agent_shape_file_service =
    SHAPE("structs.ServiceDefinition", curia__v1__service_definition__descriptor, file_service);

/* ---- members ---- */

#define MEMBER(json, member, codec) \
    CU_JSON_FIELD(Curia__Internal__V1__Member, json, member, codec, CU_JSON_ZERO)

static const struct cu_json_field tags_entry[] = {
#define F(json, member) \
    CU_JSON_FIELD(Curia__Internal__V1__Member__TagsEntry, json, member, CU_JSON_TEXT, CU_JSON_ZERO)
    F("key",   key),
    F("value", value),
#undef F
};
static const struct cu_json_shape tags_entry_shape =
    SHAPE("map[string]string", curia__internal__v1__member__tags_entry__descriptor, tags_entry,
          .form = CU_JSON_FORM_ENTRY);
static const struct cu_json_field member[] = {
    MEMBER("Name",        name,         CU_JSON_TEXT),
    MEMBER("Addr",        address,      CU_JSON_TEXT),
    MEMBER("Port",        port,         CU_JSON_U32),
    CU_JSON_LIST(Curia__Internal__V1__Member, "Tags", tags, CU_JSON_OBJECT, CU_JSON_ZERO,
                 .shape = &tags_entry_shape),
    MEMBER("Status",      status,       CU_JSON_NUMBERED),
    MEMBER("ProtocolMin", protocol_min, CU_JSON_U32),
    MEMBER("ProtocolMax", protocol_max, CU_JSON_U32),
    MEMBER("ProtocolCur", protocol_cur, CU_JSON_U32),
    MEMBER("DelegateMin", delegate_min, CU_JSON_U32),
    MEMBER("DelegateMax", delegate_max, CU_JSON_U32),
    MEMBER("DelegateCur", delegate_cur, CU_JSON_U32),
};
const struct cu_json_shape agent_shape_member =
    SHAPE("serf.Member", curia__internal__v1__member__descriptor, member);
/* clang-format on */
