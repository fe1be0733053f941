#include "common/filter/shapes.h"

#include "proto/curia/v1/config.pb-c.h"
#include "proto/curia/v1/health.pb-c.h"

// clang-format off
#define FIELD(type, json, kind, member, ...) CU_FILTER_FIELD(Curia__V1__##type, json, kind, member, __VA_ARGS__)
#define LIST(type, json, kind, member, ...)  CU_FILTER_LIST(Curia__V1__##type, json, kind, member, __VA_ARGS__)

static const struct cu_filter_field node_fields[] = {
    FIELD(Node, "ID",              TEXT, id),
    FIELD(Node, "Node",            TEXT, node),
    FIELD(Node, "Address",         TEXT, address),
    FIELD(Node, "Datacenter",      TEXT, datacenter),
    FIELD(Node, "TaggedAddresses", MAP,  tagged_addresses),
    FIELD(Node, "Meta",            MAP,  meta),
};
const struct cu_filter_shape cu_filter_node = CU_FILTER_SHAPE(node_fields);

static const struct cu_filter_field address_fields[] = {
    FIELD(ServiceAddress, "Address", TEXT, address),
    FIELD(ServiceAddress, "Port",    I32,  port),
};
static const struct cu_filter_shape address = CU_FILTER_SHAPE(address_fields);

static const struct cu_filter_field weights_fields[] = {
    FIELD(Weights, "Passing", I32, passing),
    FIELD(Weights, "Warning", I32, warning),
};
static const struct cu_filter_shape weights = CU_FILTER_SHAPE(weights_fields);

static const struct cu_filter_field mesh_gateway_fields[] = {
    FIELD(MeshGatewayConfig, "Mode", TEXT, mode),
};
static const struct cu_filter_shape mesh_gateway = CU_FILTER_SHAPE(mesh_gateway_fields);

static const struct cu_filter_field path_fields[] = {
    FIELD(ExposePath, "ListenerPort",    I32,  listener_port),
    FIELD(ExposePath, "Path",            TEXT, path),
    FIELD(ExposePath, "LocalPathPort",   I32,  local_path_port),
    FIELD(ExposePath, "Protocol",        TEXT, protocol),
    FIELD(ExposePath, "ParsedFromCheck", BOOL, parsed_from_check),
};
static const struct cu_filter_shape path = CU_FILTER_SHAPE(path_fields);

static const struct cu_filter_field expose_fields[] = {
    FIELD(ExposeConfig, "Checks", BOOL,    checks),
    LIST(ExposeConfig,  "Paths",  OBJECTS, paths, .shape = &path),
};
static const struct cu_filter_shape expose = CU_FILTER_SHAPE(expose_fields);

static const struct cu_filter_field upstream_fields[] = {
    FIELD(Upstream, "DestinationType",      TEXT,   destination_type),
    FIELD(Upstream, "DestinationNamespace", TEXT,   destination_namespace),
    FIELD(Upstream, "DestinationName",      TEXT,   destination_name),
    FIELD(Upstream, "Datacenter",           TEXT,   datacenter),
    FIELD(Upstream, "LocalBindAddress",     TEXT,   local_bind_address),
    FIELD(Upstream, "LocalBindPort",        I32,    local_bind_port),
    FIELD(Upstream, "MeshGateway",          OBJECT, mesh_gateway, .shape = &mesh_gateway),
};
static const struct cu_filter_shape upstream = CU_FILTER_SHAPE(upstream_fields);

static const struct cu_filter_field proxy_fields[] = {
    FIELD(Proxy, "DestinationServiceName", TEXT,    destination_service_name),
    FIELD(Proxy, "DestinationServiceID",   TEXT,    destination_service_id),
    FIELD(Proxy, "LocalServiceAddress",    TEXT,    local_service_address),
    FIELD(Proxy, "LocalServicePort",       I32,     local_service_port),
    LIST(Proxy,  "Upstreams",              OBJECTS, upstreams,    .shape = &upstream),
    FIELD(Proxy, "MeshGateway",            OBJECT,  mesh_gateway, .shape = &mesh_gateway),
    FIELD(Proxy, "Expose",                 OBJECT,  expose,       .shape = &expose),
};
static const struct cu_filter_shape proxy = CU_FILTER_SHAPE(proxy_fields);

static const struct cu_filter_field connect_fields[] = {
    FIELD(Connect, "Native", BOOL, native),
};
static const struct cu_filter_shape connect_shape = CU_FILTER_SHAPE(connect_fields);

static const struct cu_filter_field service_fields[] = {
    FIELD(Service, "Kind",              TEXT,        kind),
    FIELD(Service, "ID",                TEXT,        id),
    FIELD(Service, "Service",           TEXT,        service),
    LIST(Service,  "Tags",              TEXTS,       tags),
    FIELD(Service, "Address",           TEXT,        address),
    FIELD(Service, "TaggedAddresses",   OBJECTS_MAP, tagged_addresses, .shape = &address),
    FIELD(Service, "Meta",              MAP,         meta),
    FIELD(Service, "Port",              I32,         port),
    FIELD(Service, "Weights",           OBJECT,      weights, .shape = &weights),
    FIELD(Service, "EnableTagOverride", BOOL,        enable_tag_override),
    FIELD(Service, "Proxy",             OBJECT,      proxy,   .shape = &proxy),
    FIELD(Service, "Connect",           OBJECT,      connect, .shape = &connect_shape),
};
const struct cu_filter_shape cu_filter_service = CU_FILTER_SHAPE(service_fields);

static const struct cu_filter_field check_fields[] = {
    FIELD(Check, "Node",        TEXT,  node),
    FIELD(Check, "CheckID",     TEXT,  check_id),
    FIELD(Check, "Name",        TEXT,  name),
    FIELD(Check, "Status",      TEXT,  status),
    FIELD(Check, "Notes",       TEXT,  notes),
    FIELD(Check, "Output",      TEXT,  output),
    FIELD(Check, "ServiceID",   TEXT,  service_id),
    FIELD(Check, "ServiceName", TEXT,  service_name),
    LIST(Check,  "ServiceTags", TEXTS, service_tags),
    FIELD(Check, "Type",        TEXT,  type),
};
const struct cu_filter_shape cu_filter_check = CU_FILTER_SHAPE(check_fields);

static const struct cu_filter_field catalog_service_fields[] = {
    FIELD(CatalogService, "ID",                       TEXT,        id),
    FIELD(CatalogService, "Node",                     TEXT,        node),
    FIELD(CatalogService, "Address",                  TEXT,        address),
    FIELD(CatalogService, "Datacenter",               TEXT,        datacenter),
    FIELD(CatalogService, "TaggedAddresses",          MAP,         tagged_addresses),
    FIELD(CatalogService, "NodeMeta",                 MAP,         node_meta),
    FIELD(CatalogService, "ServiceKind",              TEXT,        service_kind),
    FIELD(CatalogService, "ServiceID",                TEXT,        service_id),
    FIELD(CatalogService, "ServiceName",              TEXT,        service_name),
    LIST(CatalogService,  "ServiceTags",              TEXTS,       service_tags),
    FIELD(CatalogService, "ServiceAddress",           TEXT,        service_address),
    FIELD(CatalogService, "ServiceTaggedAddresses",   OBJECTS_MAP, service_tagged_addresses, .shape = &address),
    FIELD(CatalogService, "ServiceWeights",           OBJECT,      service_weights, .shape = &weights),
    FIELD(CatalogService, "ServiceMeta",              MAP,         service_meta),
    FIELD(CatalogService, "ServicePort",              I32,         service_port),
    FIELD(CatalogService, "ServiceEnableTagOverride", BOOL,        service_enable_tag_override),
    FIELD(CatalogService, "ServiceProxy",             OBJECT,      service_proxy,   .shape = &proxy),
    FIELD(CatalogService, "ServiceConnect",           OBJECT,      service_connect, .shape = &connect_shape),
};
const struct cu_filter_shape cu_filter_catalog_service = CU_FILTER_SHAPE(catalog_service_fields);

static const struct cu_filter_field entry_fields[] = {
    FIELD(HealthEntry, "Node",    OBJECT,  node,    .shape = &cu_filter_node),
    FIELD(HealthEntry, "Service", OBJECT,  service, .shape = &cu_filter_service),
    LIST(HealthEntry,  "Checks",  OBJECTS, checks,  .shape = &cu_filter_check),
};
const struct cu_filter_shape cu_filter_health_entry = CU_FILTER_SHAPE(entry_fields);

static const struct cu_filter_field intention_fields[] = {
    FIELD(Intention, "ID",              TEXT, id),
    FIELD(Intention, "Description",     TEXT, description),
    CU_FILTER_CONSTANT("SourceNS",      "default"),
    FIELD(Intention, "SourceName",      TEXT, source_name),
    CU_FILTER_CONSTANT("DestinationNS", "default"),
    FIELD(Intention, "DestinationName", TEXT, destination_name),
    CU_FILTER_CONSTANT("SourceType",    "consul"),
    FIELD(Intention, "Action",          TEXT, action),
    FIELD(Intention, "Meta",            MAP,  meta),
    FIELD(Intention, "Precedence",      I32,  precedence),
};
const struct cu_filter_shape cu_filter_intention = CU_FILTER_SHAPE(intention_fields);
// clang-format on
