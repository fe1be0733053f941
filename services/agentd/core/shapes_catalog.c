/* shapes_catalog.c - nodes, services and checks as the catalog prints them (http-api.md 2.1);
 * declared in shapes.h. */
#include "services/agentd/core/shapes.h"

#include "curia/v1/health.pb-c.h"

#include "services/agentd/core/shapes_rows.h"

// clang-format off

/* ---- maps ---- */

static const struct cu_json_field string_entry[] = {
#define F(json, member, codec) ROW(StringMap__EntriesEntry, json, member, codec, CU_JSON_ZERO)
    F("key",   key,   CU_JSON_TEXT),
    F("value", value, CU_JSON_TEXT),
#undef F
};
static const struct cu_json_shape string_entry_shape =
    SHAPE("map[string]string", curia__v1__string_map__entries_entry__descriptor, string_entry,
          .form = CU_JSON_FORM_ENTRY);
static const struct cu_json_field string_map[] = {
    LIST(StringMap, "entries", entries, CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &string_entry_shape),
};
const struct cu_json_shape agent_shape_string_map =
    SHAPE("map[string]string", curia__v1__string_map__descriptor, string_map,
          .form = CU_JSON_FORM_WRAPPER);

static const struct cu_json_field service_address[] = {
#define F(json, member, codec) ROW(ServiceAddress, json, member, codec, CU_JSON_ZERO)
    F("Address", address, CU_JSON_TEXT),
    F("Port",    port,    CU_JSON_I32),
#undef F
};
static const struct cu_json_shape service_address_shape =
    SHAPE("structs.ServiceAddress", curia__v1__service_address__descriptor, service_address);
static const struct cu_json_field address_entry[] = {
    ROW(ServiceAddresses__EntriesEntry, "key",   key,   CU_JSON_TEXT,   CU_JSON_ZERO),
    ROW(ServiceAddresses__EntriesEntry, "value", value, CU_JSON_OBJECT, CU_JSON_ZERO,
        .shape = &service_address_shape),
};
static const struct cu_json_shape address_entry_shape =
    SHAPE("map[string]structs.ServiceAddress", curia__v1__service_addresses__entries_entry__descriptor,
          address_entry, .form = CU_JSON_FORM_ENTRY);
static const struct cu_json_field service_addresses[] = {
    LIST(ServiceAddresses, "entries", entries, CU_JSON_OBJECT, CU_JSON_ZERO,
         .shape = &address_entry_shape),
};
const struct cu_json_shape agent_shape_service_addresses =
    SHAPE("map[string]structs.ServiceAddress", curia__v1__service_addresses__descriptor,
          service_addresses, .form = CU_JSON_FORM_WRAPPER);

static const struct cu_json_field header_values[] = {
    LIST(HeaderValues, "values", values, CU_JSON_TEXT, CU_JSON_ZERO),
};
const struct cu_json_shape agent_shape_header_values =
    SHAPE("[]string", curia__v1__header_values__descriptor, header_values,
          .form = CU_JSON_FORM_WRAPPER);
static const struct cu_json_field header_entry[] = {
    ROW(CheckDefinition__HeaderEntry, "key",   key,   CU_JSON_TEXT,   CU_JSON_ZERO),
    ROW(CheckDefinition__HeaderEntry, "value", value, CU_JSON_OBJECT, CU_JSON_ZERO,
        .shape = &agent_shape_header_values),
};
static const struct cu_json_shape header_entry_shape =
    SHAPE("map[string][]string", curia__v1__check_definition__header_entry__descriptor, header_entry,
          .form = CU_JSON_FORM_ENTRY);

/* ---- nodes ---- */

static const struct cu_json_field node[] = {
#define F(json, member, codec, ...) ROW(Node, json, member, codec, __VA_ARGS__)
    F("ID",              id,               CU_JSON_TEXT,   CU_JSON_ZERO),
    F("Node",            node,             CU_JSON_TEXT,   CU_JSON_ZERO),
    F("Address",         address,          CU_JSON_TEXT,   CU_JSON_ZERO),
    F("Datacenter",      datacenter,       CU_JSON_TEXT,   CU_JSON_ZERO),
    F("TaggedAddresses", tagged_addresses, CU_JSON_OBJECT, CU_JSON_NULL, .shape = &agent_shape_string_map),
    F("Meta",            meta,             CU_JSON_OBJECT, CU_JSON_NULL, .shape = &agent_shape_string_map),
    F("CreateIndex",     create_index,     CU_JSON_U64,    CU_JSON_ZERO),
    F("ModifyIndex",     modify_index,     CU_JSON_U64,    CU_JSON_ZERO),
#undef F
};
const struct cu_json_shape agent_shape_node = SHAPE("structs.Node", curia__v1__node__descriptor, node);

/* ---- proxies ---- */

static const struct cu_json_field mesh_gateway[] = {
    ROW(MeshGatewayConfig, "Mode", mode, CU_JSON_TEXT, CU_JSON_OMIT),
};
const struct cu_json_shape agent_shape_mesh_gateway =
    SHAPE("structs.MeshGatewayConfig", curia__v1__mesh_gateway_config__descriptor, mesh_gateway);

/* The catalog's form omits what the agent's prints, and the reverse. */
#define EXPOSE_PATH(parsed)                                                                        \
    ROW(ExposePath, "ListenerPort",    listener_port,     CU_JSON_I32,  CU_JSON_OMIT, ALIASES("listener_port")),  \
    ROW(ExposePath, "Path",            path,              CU_JSON_TEXT, CU_JSON_OMIT),             \
    ROW(ExposePath, "LocalPathPort",   local_path_port,   CU_JSON_I32,  CU_JSON_OMIT, ALIASES("local_path_port")), \
    ROW(ExposePath, "Protocol",        protocol,          CU_JSON_TEXT, CU_JSON_OMIT),             \
    ROW(ExposePath, "ParsedFromCheck", parsed_from_check, CU_JSON_BOOL, parsed, ALIASES("parsed_from_check"))

static const struct cu_json_field expose_path[] = {EXPOSE_PATH(CU_JSON_OMIT)};
static const struct cu_json_shape expose_path_shape =
    SHAPE("structs.ExposePath", curia__v1__expose_path__descriptor, expose_path);
static const struct cu_json_field agent_expose_path[] = {EXPOSE_PATH(CU_JSON_ZERO)};
static const struct cu_json_shape agent_expose_path_shape =
    SHAPE("api.ExposePath", curia__v1__expose_path__descriptor, agent_expose_path);

#define EXPOSE(path_shape)                                                                         \
    ROW(ExposeConfig,  "Checks", checks, CU_JSON_BOOL,   CU_JSON_OMIT),                            \
    LIST(ExposeConfig, "Paths",  paths,  CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &(path_shape))

static const struct cu_json_field expose[] = {EXPOSE(expose_path_shape)};
const struct cu_json_shape agent_shape_expose =
    SHAPE("structs.ExposeConfig", curia__v1__expose_config__descriptor, expose);
static const struct cu_json_field agent_expose[] = {EXPOSE(agent_expose_path_shape)};
static const struct cu_json_shape agent_expose_shape =
    SHAPE("api.ExposeConfig", curia__v1__expose_config__descriptor, agent_expose);

#define UPSTREAM(plain)                                                                            \
    ROW(Upstream, "DestinationType",      destination_type,      CU_JSON_TEXT,   plain,        ALIASES("destination_type")), \
    ROW(Upstream, "DestinationNamespace", destination_namespace, CU_JSON_TEXT,   CU_JSON_OMIT, ALIASES("destination_namespace")), \
    ROW(Upstream, "DestinationName",      destination_name,      CU_JSON_TEXT,   CU_JSON_ZERO, ALIASES("destination_name")), \
    ROW(Upstream, "Datacenter",           datacenter,            CU_JSON_TEXT,   plain),           \
    ROW(Upstream, "LocalBindAddress",     local_bind_address,    CU_JSON_TEXT,   CU_JSON_OMIT, ALIASES("local_bind_address")), \
    ROW(Upstream, "LocalBindPort",        local_bind_port,       CU_JSON_I32,    plain,        ALIASES("local_bind_port")), \
    ROW(Upstream, "Config",               config,                CU_JSON_OPAQUE, CU_JSON_OMIT),    \
    ROW(Upstream, "MeshGateway",          mesh_gateway,          CU_JSON_OBJECT, CU_JSON_ZERO, ALIASES("mesh_gateway"), \
        .shape = &agent_shape_mesh_gateway)

static const struct cu_json_field upstream[] = {UPSTREAM(CU_JSON_ZERO)};
const struct cu_json_shape agent_shape_upstream =
    SHAPE("structs.Upstream", curia__v1__upstream__descriptor, upstream);
static const struct cu_json_field agent_upstream[] = {UPSTREAM(CU_JSON_OMIT)};
const struct cu_json_shape agent_shape_agent_upstream =
    SHAPE("api.Upstream", curia__v1__upstream__descriptor, agent_upstream);

#define PROXY(upstream_shape, expose_shape)                                                        \
    ROW(Proxy,  "DestinationServiceName", destination_service_name, CU_JSON_TEXT, CU_JSON_OMIT, ALIASES("destination_service_name")), \
    ROW(Proxy,  "DestinationServiceID",   destination_service_id,   CU_JSON_TEXT, CU_JSON_OMIT, ALIASES("destination_service_id")), \
    ROW(Proxy,  "LocalServiceAddress",    local_service_address,    CU_JSON_TEXT, CU_JSON_OMIT, ALIASES("local_service_address")), \
    ROW(Proxy,  "LocalServicePort",       local_service_port,       CU_JSON_I32,  CU_JSON_OMIT, ALIASES("local_service_port")), \
    ROW(Proxy,  "Config",                 config,       CU_JSON_OPAQUE, CU_JSON_OMIT),             \
    LIST(Proxy, "Upstreams",              upstreams,    CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &(upstream_shape)), \
    ROW(Proxy,  "MeshGateway",            mesh_gateway, CU_JSON_OBJECT, CU_JSON_ZERO, ALIASES("mesh_gateway"), \
        .shape = &agent_shape_mesh_gateway),                                                             \
    ROW(Proxy,  "Expose",                 expose,       CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &(expose_shape))

static const struct cu_json_field proxy[] = {PROXY(agent_shape_upstream, agent_shape_expose)};
const struct cu_json_shape agent_shape_proxy =
    SHAPE("structs.ConnectProxyConfig", curia__v1__proxy__descriptor, proxy);
static const struct cu_json_field agent_proxy[] = {PROXY(agent_shape_agent_upstream, agent_expose_shape)};
const struct cu_json_shape agent_shape_agent_proxy =
    SHAPE("api.AgentServiceConnectProxyConfig", curia__v1__proxy__descriptor, agent_proxy);

static const struct cu_json_field connect_rows[] = {
    ROW(Connect, "Native", native, CU_JSON_BOOL, CU_JSON_OMIT),
};
const struct cu_json_shape agent_shape_connect =
    SHAPE("structs.ServiceConnect", curia__v1__connect__descriptor, connect_rows, .ignores_unknown = true);

/* ---- services ---- */

static const struct cu_json_field weights[] = {
#define F(json, member) ROW(Weights, json, member, CU_JSON_I32, CU_JSON_ZERO)
    F("Passing", passing),
    F("Warning", warning),
#undef F
};
const struct cu_json_shape agent_shape_weights =
    SHAPE("structs.Weights", curia__v1__weights__descriptor, weights);

#define NODE_SERVICE(tags_empty)                                                                   \
    ROW(Service,  "Kind",              kind,                CU_JSON_TEXT,   CU_JSON_OMIT),         \
    ROW(Service,  "ID",                id,                  CU_JSON_TEXT,   CU_JSON_ZERO),         \
    ROW(Service,  "Service",           service,             CU_JSON_TEXT,   CU_JSON_ZERO),         \
    LIST(Service, "Tags",              tags,                CU_JSON_TEXT,   tags_empty),           \
    ROW(Service,  "Address",           address,             CU_JSON_TEXT,   CU_JSON_ZERO),         \
    ROW(Service,  "TaggedAddresses",   tagged_addresses,    CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &agent_shape_service_addresses), \
    ROW(Service,  "Meta",              meta,                CU_JSON_OBJECT, CU_JSON_NULL, .shape = &agent_shape_string_map), \
    ROW(Service,  "Port",              port,                CU_JSON_I32,    CU_JSON_ZERO),         \
    ROW(Service,  "Weights",           weights,             CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_weights), \
    ROW(Service,  "EnableTagOverride", enable_tag_override, CU_JSON_BOOL,   CU_JSON_ZERO),         \
    ROW(Service,  "Proxy",             proxy,               CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_proxy), \
    ROW(Service,  "Connect",           connect,             CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_connect), \
    ROW(Service,  "CreateIndex",       create_index,        CU_JSON_U64,    CU_JSON_ZERO),         \
    ROW(Service,  "ModifyIndex",       modify_index,        CU_JSON_U64,    CU_JSON_ZERO)

static const struct cu_json_field node_service[] = {NODE_SERVICE(CU_JSON_ZERO)};
const struct cu_json_shape agent_shape_node_service =
    SHAPE("structs.NodeService", curia__v1__service__descriptor, node_service);
static const struct cu_json_field bare_service[] = {NODE_SERVICE(CU_JSON_NULL)};
const struct cu_json_shape agent_shape_bare_service =
    SHAPE("structs.NodeService", curia__v1__service__descriptor, bare_service,
          .ignores_unknown = true);

static const struct cu_json_field catalog_service[] = {
#define F(json, member, codec, ...) ROW(CatalogService, json, member, codec, __VA_ARGS__)
    F("ID",                       id,                          CU_JSON_TEXT,   CU_JSON_ZERO),
    F("Node",                     node,                        CU_JSON_TEXT,   CU_JSON_ZERO),
    F("Address",                  address,                     CU_JSON_TEXT,   CU_JSON_ZERO),
    F("Datacenter",               datacenter,                  CU_JSON_TEXT,   CU_JSON_ZERO),
    F("TaggedAddresses",          tagged_addresses,            CU_JSON_OBJECT, CU_JSON_NULL, .shape = &agent_shape_string_map),
    F("NodeMeta",                 node_meta,                   CU_JSON_OBJECT, CU_JSON_NULL, .shape = &agent_shape_string_map),
    F("ServiceKind",              service_kind,                CU_JSON_TEXT,   CU_JSON_ZERO),
    F("ServiceID",                service_id,                  CU_JSON_TEXT,   CU_JSON_ZERO),
    F("ServiceName",              service_name,                CU_JSON_TEXT,   CU_JSON_ZERO),
    LIST(CatalogService, "ServiceTags", service_tags,          CU_JSON_TEXT,   CU_JSON_ZERO),
    F("ServiceAddress",           service_address,             CU_JSON_TEXT,   CU_JSON_ZERO),
    F("ServiceTaggedAddresses",   service_tagged_addresses,    CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &agent_shape_service_addresses),
    F("ServiceWeights",           service_weights,             CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_weights),
    F("ServiceMeta",              service_meta,                CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_string_map),
    F("ServicePort",              service_port,                CU_JSON_I32,    CU_JSON_ZERO),
    F("ServiceEnableTagOverride", service_enable_tag_override, CU_JSON_BOOL,   CU_JSON_ZERO),
    F("ServiceProxy",             service_proxy,               CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_proxy),
    F("ServiceConnect",           service_connect,             CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_connect),
    F("CreateIndex",              create_index,                CU_JSON_U64,    CU_JSON_ZERO),
    F("ModifyIndex",              modify_index,                CU_JSON_U64,    CU_JSON_ZERO),
#undef F
};
const struct cu_json_shape agent_shape_catalog_service =
    SHAPE("structs.ServiceNode", curia__v1__catalog_service__descriptor, catalog_service);

/* ---- checks ---- */

static const struct cu_json_field check_definition[] = {
#define F(json, member, codec, ...) ROW(CheckDefinition, json, member, codec, CU_JSON_OMIT, __VA_ARGS__)
    F("Interval",          interval_ns,         CU_JSON_DURATION),
    F("OutputMaxSize",     output_max_size,     CU_JSON_U32),
    F("Timeout",           timeout_ns,          CU_JSON_DURATION),
    F("DeregisterCriticalServiceAfter", deregister_critical_service_after_ns, CU_JSON_DURATION),
    F("HTTP",              http,                CU_JSON_TEXT),
    F("TLSSkipVerify",     tls_skip_verify,     CU_JSON_BOOL),
    LIST(CheckDefinition, "Header", header,     CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &header_entry_shape),
    F("Method",            method,              CU_JSON_TEXT),
    F("Body",              body,                CU_JSON_TEXT),
    F("TCP",               tcp,                 CU_JSON_TEXT),
    LIST(CheckDefinition, "ScriptArgs", script_args, CU_JSON_TEXT, CU_JSON_OMIT),
    F("DockerContainerID", docker_container_id, CU_JSON_TEXT),
    F("Shell",             shell,               CU_JSON_TEXT),
    F("GRPC",              grpc,                CU_JSON_TEXT),
    F("GRPCUseTLS",        grpc_use_tls,        CU_JSON_BOOL),
    F("AliasNode",         alias_node,          CU_JSON_TEXT),
    F("AliasService",      alias_service,       CU_JSON_TEXT),
    F("TTL",               ttl_ns,              CU_JSON_NS), /* the one that is a number (2.1) */
#undef F
};
const struct cu_json_shape agent_shape_check_definition =
    SHAPE("structs.HealthCheckDefinition", curia__v1__check_definition__descriptor, check_definition,
          .ignores_unknown = true);

/* As the agent's health endpoints print it (2.3): all of these, and none of the others. */
static const struct cu_json_field full_definition[] = {
#define F(json, member, codec, ...) ROW(CheckDefinition, json, member, codec, CU_JSON_ZERO, __VA_ARGS__)
    F("Interval",      interval_ns,     CU_JSON_DURATION),
    F("Timeout",       timeout_ns,      CU_JSON_DURATION),
    F("DeregisterCriticalServiceAfter", deregister_critical_service_after_ns, CU_JSON_DURATION),
    F("HTTP",          http,            CU_JSON_TEXT),
    LIST(CheckDefinition, "Header", header, CU_JSON_OBJECT, CU_JSON_NULL, .shape = &header_entry_shape),
    F("Method",        method,          CU_JSON_TEXT),
    F("Body",          body,            CU_JSON_TEXT),
    F("TLSSkipVerify", tls_skip_verify, CU_JSON_BOOL),
    F("TCP",           tcp,             CU_JSON_TEXT),
#undef F
};
static const char *const full_definition_hidden[] = {
    "output_max_size", "script_args", "docker_container_id", "shell", "grpc",
    "grpc_use_tls", "alias_node", "alias_service", "ttl_ns", NULL};
static const struct cu_json_shape full_definition_shape =
    SHAPE("api.HealthCheckDefinition", curia__v1__check_definition__descriptor, full_definition,
          .hidden = full_definition_hidden);

#define CHECK(tags_empty, definition_shape)                                                        \
    ROW(Check,  "Node",        node,         CU_JSON_TEXT,   CU_JSON_ZERO),                        \
    ROW(Check,  "CheckID",     check_id,     CU_JSON_TEXT,   CU_JSON_ZERO),                        \
    ROW(Check,  "Name",        name,         CU_JSON_TEXT,   CU_JSON_ZERO),                        \
    ROW(Check,  "Status",      status,       CU_JSON_TEXT,   CU_JSON_ZERO),                        \
    ROW(Check,  "Notes",       notes,        CU_JSON_TEXT,   CU_JSON_ZERO),                        \
    ROW(Check,  "Output",      output,       CU_JSON_TEXT,   CU_JSON_ZERO),                        \
    ROW(Check,  "ServiceID",   service_id,   CU_JSON_TEXT,   CU_JSON_ZERO),                        \
    ROW(Check,  "ServiceName", service_name, CU_JSON_TEXT,   CU_JSON_ZERO),                        \
    LIST(Check, "ServiceTags", service_tags, CU_JSON_TEXT,   tags_empty),                          \
    ROW(Check,  "Type",        type,         CU_JSON_TEXT,   CU_JSON_ZERO),                        \
    ROW(Check,  "Definition",  definition,   CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &(definition_shape)), \
    ROW(Check,  "CreateIndex", create_index, CU_JSON_U64,    CU_JSON_ZERO),                        \
    ROW(Check,  "ModifyIndex", modify_index, CU_JSON_U64,    CU_JSON_ZERO)

static const struct cu_json_field check[] = {CHECK(CU_JSON_ZERO, agent_shape_check_definition)};
const struct cu_json_shape agent_shape_check =
    SHAPE("structs.HealthCheck", curia__v1__check__descriptor, check);
static const struct cu_json_field bare_check[] = {CHECK(CU_JSON_NULL, agent_shape_check_definition)};
const struct cu_json_shape agent_shape_bare_check =
    SHAPE("structs.HealthCheck", curia__v1__check__descriptor, bare_check, .ignores_unknown = true);
static const struct cu_json_field full_check[] = {CHECK(CU_JSON_ZERO, full_definition_shape)};
const struct cu_json_shape agent_shape_full_check =
    SHAPE("api.HealthCheck", curia__v1__check__descriptor, full_check);

static const struct cu_json_field health_entry[] = {
#define F(json, member, shape_) ROW(HealthEntry, json, member, CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &(shape_))
    F("Node",    node,    agent_shape_node),
    F("Service", service, agent_shape_node_service),
    LIST(HealthEntry, "Checks", checks, CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_check),
#undef F
};
const struct cu_json_shape agent_shape_health_entry =
    SHAPE("structs.CheckServiceNode", curia__v1__health_entry__descriptor, health_entry);
/* clang-format on */
