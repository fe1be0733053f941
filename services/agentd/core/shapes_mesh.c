/* shapes_mesh.c - configuration entries, intentions and roots of the mesh (http-api.md 2.15, 2.16);
 * declared in shapes.h and mesh.h. */
#include "services/agentd/core/mesh.h"

#include <string.h>

#include "common/json/text.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/core/shapes_rows.h"

/* clang-format off */

/* ---- intentions ---- */

static const struct cu_json_field header[] = {
#define F(json, member, codec, empty) ROW(IntentionHeader, json, member, codec, empty)
    F("Name",    name,    CU_JSON_TEXT, CU_JSON_ZERO),
    F("Present", present, CU_JSON_BOOL, CU_JSON_OMIT),
    F("Exact",   exact,   CU_JSON_TEXT, CU_JSON_OMIT),
    F("Prefix",  prefix,  CU_JSON_TEXT, CU_JSON_OMIT),
    F("Suffix",  suffix,  CU_JSON_TEXT, CU_JSON_OMIT),
    F("Regex",   regex,   CU_JSON_TEXT, CU_JSON_OMIT),
    F("Invert",  invert,  CU_JSON_BOOL, CU_JSON_OMIT),
#undef F
};
static const struct cu_json_shape header_shape =
    SHAPE("structs.IntentionHTTPHeaderPermission", curia__v1__intention_header__descriptor, header);

static const struct cu_json_field http[] = {
#define F(json, member, ...) ROW(IntentionHttp, json, member, CU_JSON_TEXT, CU_JSON_OMIT, __VA_ARGS__)
    F("PathExact",  path_exact,  ALIASES("path_exact")),
    F("PathPrefix", path_prefix, ALIASES("path_prefix")),
    F("PathRegex",  path_regex,  ALIASES("path_regex")),
#undef F
    LIST(IntentionHttp, "Header",  header,  CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &header_shape),
    LIST(IntentionHttp, "Methods", methods, CU_JSON_TEXT,   CU_JSON_OMIT),
};
static const struct cu_json_shape http_shape =
    SHAPE("structs.IntentionHTTPPermission", curia__v1__intention_http__descriptor, http);

static const struct cu_json_field permission[] = {
    ROW(IntentionPermission, "Action", action, CU_JSON_TEXT,   CU_JSON_ZERO),
    ROW(IntentionPermission, "HTTP",   http,   CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &http_shape),
};
static const struct cu_json_shape permission_shape =
    SHAPE("structs.IntentionPermission", curia__v1__intention_permission__descriptor, permission);

#define SOURCE_HEAD                                                                                \
    ROW(SourceIntention,  "Name",        name,        CU_JSON_TEXT,   CU_JSON_ZERO),               \
    ROW(SourceIntention,  "Action",      action,      CU_JSON_TEXT,   CU_JSON_OMIT),               \
    LIST(SourceIntention, "Permissions", permissions, CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &permission_shape), \
    ROW(SourceIntention,  "Precedence",  precedence,  CU_JSON_U32,    CU_JSON_ZERO)
#define SOURCE_TAIL                                                                                \
    ROW(SourceIntention,  "Type",        type,        CU_JSON_TEXT,   CU_JSON_ZERO),               \
    ROW(SourceIntention,  "Description", description, CU_JSON_TEXT,   CU_JSON_OMIT),               \
    ROW(SourceIntention,  "LegacyMeta",  legacy_meta, CU_JSON_OBJECT, CU_JSON_OMIT, ALIASES("legacy_meta"), \
        .shape = &agent_shape_string_map)

static const struct cu_json_field source[] = {
    SOURCE_HEAD,
    ROW(SourceIntention, "LegacyID", legacy_id, CU_JSON_TEXT, CU_JSON_OMIT),
    SOURCE_TAIL,
    ROW(SourceIntention, "LegacyCreateTime", legacy_create_time_ms, CU_JSON_TIME_MS, CU_JSON_OMIT),
    ROW(SourceIntention, "LegacyUpdateTime", legacy_update_time_ms, CU_JSON_TIME_MS, CU_JSON_OMIT),
};
static const struct cu_json_shape source_shape =
    SHAPE("structs.SourceIntention", curia__v1__source_intention__descriptor, source);

/* As it is sent: what only the catalog may say is passed over (mesh.md 3.2). */
static const struct cu_json_field source_body[] = {SOURCE_HEAD, SOURCE_TAIL};
static const char *const source_body_hidden[] = {"legacy_id", "legacy_create_time_ms",
                                                 "legacy_update_time_ms", NULL};
static const char *const source_body_ignored[] = {
    "LegacyID", "legacy_id", "LegacyCreateTime", "legacy_create_time", "LegacyUpdateTime",
    "legacy_update_time", NULL};
static const struct cu_json_shape source_body_shape =
    SHAPE("structs.SourceIntention", curia__v1__source_intention__descriptor, source_body,
          .hidden = source_body_hidden, .ignored = source_body_ignored);

/* ---- entries: what all have stands around what a kind has ---- */

static const char *const in_head[] = {"Kind", "Name", "Meta", "CreateIndex", "create_index",
                                      "ModifyIndex", "modify_index", NULL};

static const struct cu_json_field service_defaults[] = {
#define F(json, member, codec, ...) ROW(ServiceDefaults, json, member, codec, __VA_ARGS__)
    F("Protocol",    protocol,     CU_JSON_TEXT,   CU_JSON_ZERO),
    F("MeshGateway", mesh_gateway, CU_JSON_OBJECT, CU_JSON_ZERO, ALIASES("mesh_gateway"),
      .shape = &agent_shape_mesh_gateway),
    F("Expose",      expose,       CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_expose),
    F("ExternalSNI", external_sni, CU_JSON_TEXT,   CU_JSON_OMIT, ALIASES("external_sni")),
#undef F
};
const struct cu_json_shape agent_shape_service_defaults =
    SHAPE("structs.ServiceConfigEntry", curia__v1__service_defaults__descriptor, service_defaults,
          .ignored = in_head);

static const struct cu_json_field proxy_defaults[] = {
#define F(json, member, codec, ...) ROW(ProxyDefaults, json, member, codec, __VA_ARGS__)
    F("Config",      config,       CU_JSON_OPAQUE, CU_JSON_NULL),
    F("MeshGateway", mesh_gateway, CU_JSON_OBJECT, CU_JSON_ZERO, ALIASES("mesh_gateway"),
      .shape = &agent_shape_mesh_gateway),
    F("Expose",      expose,       CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_expose),
#undef F
};
static const char *const proxy_defaults_hidden[] = {"protocol", NULL};
const struct cu_json_shape agent_shape_proxy_defaults =
    SHAPE("structs.ProxyConfigEntry", curia__v1__proxy_defaults__descriptor, proxy_defaults,
          .hidden = proxy_defaults_hidden, .ignored = in_head);

static const struct cu_json_field service_intentions[] = {
    LIST(ServiceIntentions, "Sources", sources, CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &source_shape),
};
const struct cu_json_shape agent_shape_service_intentions =
    SHAPE("structs.ServiceIntentionsConfigEntry", curia__v1__service_intentions__descriptor,
          service_intentions);
static const struct cu_json_field service_intentions_body[] = {
    LIST(ServiceIntentions, "Sources", sources, CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &source_body_shape),
};
const struct cu_json_shape agent_shape_service_intentions_body =
    SHAPE("structs.ServiceIntentionsConfigEntry", curia__v1__service_intentions__descriptor,
          service_intentions_body, .ignored = in_head);

#define ENTRY(json, member, codec, ...) ROW(ConfigEntry, json, member, codec, __VA_ARGS__)
static const struct cu_json_field entry_head[] = {
    ENTRY("Kind", kind, CU_JSON_TEXT, CU_JSON_ZERO),
    ENTRY("Name", name, CU_JSON_TEXT, CU_JSON_ZERO),
};
static const char *const entry_head_hidden[] = {
    "meta", "service_defaults", "proxy_defaults", "service_intentions", "create_index",
    "modify_index", NULL};
const struct cu_json_shape agent_shape_entry_head =
    SHAPE("structs.ConfigEntry", curia__v1__config_entry__descriptor, entry_head,
          .hidden = entry_head_hidden);
static const struct cu_json_field entry_tail[] = {
    ENTRY("Meta",        meta,         CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &agent_shape_string_map),
    ENTRY("CreateIndex", create_index, CU_JSON_U64,    CU_JSON_ZERO),
    ENTRY("ModifyIndex", modify_index, CU_JSON_U64,    CU_JSON_ZERO),
};
static const char *const entry_tail_hidden[] = {
    "kind", "name", "service_defaults", "proxy_defaults", "service_intentions", NULL};
const struct cu_json_shape agent_shape_entry_tail =
    SHAPE("structs.ConfigEntry", curia__v1__config_entry__descriptor, entry_tail,
          .hidden = entry_tail_hidden);
/* As it is sent: the rest is the kind's. */
static const struct cu_json_field entry_body[] = {
    ENTRY("Kind", kind, CU_JSON_TEXT,   CU_JSON_ZERO),
    ENTRY("Name", name, CU_JSON_TEXT,   CU_JSON_ZERO),
    ENTRY("Meta", meta, CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &agent_shape_string_map),
};
static const char *const entry_body_hidden[] = {
    "service_defaults", "proxy_defaults", "service_intentions", "create_index", "modify_index", NULL};
const struct cu_json_shape agent_shape_entry_body =
    SHAPE("structs.ConfigEntry", curia__v1__config_entry__descriptor, entry_body,
          .hidden = entry_body_hidden, .ignores_unknown = true);

/* ---- intentions as pairs (mesh.md 3.4) ---- */

#define PAIR(json, member, codec, ...) ROW(Intention, json, member, codec, __VA_ARGS__)
#define PAIR_ACTION                                                                                \
    PAIR("Action", action, CU_JSON_TEXT, CU_JSON_OMIT),                                            \
    LIST(Intention, "Permissions", permissions, CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &permission_shape), \
    PAIR("Meta", meta, CU_JSON_OBJECT, CU_JSON_OMIT, .shape = &agent_shape_string_map)

static const struct cu_json_field pair_head[] = {
    PAIR("CreatedAt",   created_at_ms, CU_JSON_TIME_MS, CU_JSON_OMIT),
    PAIR("UpdatedAt",   updated_at_ms, CU_JSON_TIME_MS, CU_JSON_OMIT),
    PAIR("ID",          id,            CU_JSON_TEXT,    CU_JSON_OMIT),
    PAIR("Description", description,   CU_JSON_TEXT,    CU_JSON_OMIT),
};
static const char *const pair_head_hidden[] = {
    "source_name", "destination_name", "action", "permissions", "meta", "precedence",
    "create_index", "modify_index", NULL};
const struct cu_json_shape agent_shape_intention_head =
    SHAPE("structs.Intention", curia__v1__intention__descriptor, pair_head,
          .hidden = pair_head_hidden);
static const struct cu_json_field pair_tail[] = {
    PAIR_ACTION,
    PAIR("Precedence",  precedence,   CU_JSON_U32, CU_JSON_ZERO),
    PAIR("CreateIndex", create_index, CU_JSON_U64, CU_JSON_ZERO),
    PAIR("ModifyIndex", modify_index, CU_JSON_U64, CU_JSON_ZERO),
};
static const char *const pair_tail_hidden[] = {
    "id", "source_name", "destination_name", "description", "created_at_ms", "updated_at_ms", NULL};
const struct cu_json_shape agent_shape_intention_tail =
    SHAPE("structs.Intention", curia__v1__intention__descriptor, pair_tail,
          .hidden = pair_tail_hidden);
/* As it is sent; namespaces and the type are looked at before. */
static const struct cu_json_field pair_body[] = {
    PAIR("ID",              id,               CU_JSON_TEXT, CU_JSON_OMIT),
    PAIR("Description",     description,      CU_JSON_TEXT, CU_JSON_OMIT),
    PAIR("SourceName",      source_name,      CU_JSON_TEXT, CU_JSON_ZERO),
    PAIR("DestinationName", destination_name, CU_JSON_TEXT, CU_JSON_ZERO),
    PAIR_ACTION,
};
static const char *const pair_body_hidden[] = {"precedence", "created_at_ms", "updated_at_ms",
                                               "create_index", "modify_index", NULL};
static const char *const pair_body_ignored[] = {
    "SourceNS", "DestinationNS", "SourceType", "DefaultAddr", "DefaultPort", "Precedence", "CreatedAt",
    "UpdatedAt", "Hash", "CreateIndex", "ModifyIndex", NULL};
const struct cu_json_shape agent_shape_intention_body =
    SHAPE("structs.Intention", curia__v1__intention__descriptor, pair_body,
          .hidden = pair_body_hidden, .ignored = pair_body_ignored);

/* ---- roots (mesh.md 1.8) ---- */

static const struct cu_json_field root[] = {
#define F(json, member, codec, ...) ROW(CaRoot, json, member, codec, __VA_ARGS__)
    F("ID",                  id,                    CU_JSON_TEXT, CU_JSON_ZERO),
    F("Name",                name,                  CU_JSON_TEXT, CU_JSON_ZERO),
    F("SerialNumber",        serial_number,         CU_JSON_U64,  CU_JSON_ZERO),
    F("SigningKeyID",        signing_key_id,        CU_JSON_TEXT, CU_JSON_ZERO),
    F("ExternalTrustDomain", external_trust_domain, CU_JSON_TEXT, CU_JSON_ZERO),
    F("NotBefore",           not_before_s,          CU_JSON_TIME, CU_JSON_ZERO),
    F("NotAfter",            not_after_s,           CU_JSON_TIME, CU_JSON_ZERO),
    F("RootCert",            root_cert,             CU_JSON_TEXT, CU_JSON_ZERO),
    LIST(CaRoot, "IntermediateCerts", intermediate_certs, CU_JSON_TEXT, CU_JSON_NULL),
    F("Active",              active,                CU_JSON_BOOL, CU_JSON_ZERO),
    F("RotatedOutAt",        rotated_out_at_s,      CU_JSON_TIME, CU_JSON_OMIT),
    F("PrivateKeyType",      private_key_type,      CU_JSON_TEXT, CU_JSON_ZERO),
    F("PrivateKeyBits",      private_key_bits,      CU_JSON_U32,  CU_JSON_ZERO),
    F("CreateIndex",         create_index,          CU_JSON_U64,  CU_JSON_ZERO),
    F("ModifyIndex",         modify_index,          CU_JSON_U64,  CU_JSON_ZERO),
#undef F
};
static const struct cu_json_shape root_shape =
    SHAPE("structs.CARoot", curia__v1__ca_root__descriptor, root);
static const struct cu_json_field roots[] = {
    ROW(CaRootsReply,  "ActiveRootID", active_root_id, CU_JSON_TEXT, CU_JSON_ZERO),
    ROW(CaRootsReply,  "TrustDomain",  trust_domain,   CU_JSON_TEXT, CU_JSON_ZERO),
    LIST(CaRootsReply, "Roots",        roots,          CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &root_shape),
};
static const char *const roots_hidden[] = {"meta", NULL};
const struct cu_json_shape agent_shape_ca_roots =
    SHAPE("structs.IndexedCARoots", curia__v1__ca_roots_reply__descriptor, roots,
          .hidden = roots_hidden);
/* clang-format on */

/* ---- objects made of several shapes ---- */

/* Adds the members of an object to the one that is open. */
static void add_members(struct cu_buf *out, const struct cu_json_shape *shape,
                        const ProtobufCMessage *message)
{
    size_t at = out->len;
    bool is_first = out->data[at - 1] == '{';
    cu_json_write(out, shape, message);
    out->len--; /* its brace */
    if (out->len == at + 1) {
        out->len = at;
    } else if (is_first) {
        memmove(out->data + at, out->data + at + 1, out->len - at - 1);
        out->len--;
    } else {
        out->data[at] = ',';
    }
}

void agent_entry_write(struct cu_buf *out, const Curia__V1__ConfigEntry *entry)
{
    cu_buf_u8(out, '{');
    add_members(out, &agent_shape_entry_head, &entry->base);
    if (entry->service_defaults)
        add_members(out, &agent_shape_service_defaults, &entry->service_defaults->base);
    if (entry->proxy_defaults)
        add_members(out, &agent_shape_proxy_defaults, &entry->proxy_defaults->base);
    if (entry->service_intentions)
        add_members(out, &agent_shape_service_intentions, &entry->service_intentions->base);
    add_members(out, &agent_shape_entry_tail, &entry->base);
    cu_buf_u8(out, '}');
}

void agent_intention_write(struct cu_buf *out, const Curia__V1__Intention *intention)
{
    cu_buf_u8(out, '{');
    add_members(out, &agent_shape_intention_head, &intention->base);
    cu_buf_text(out, out->data[out->len - 1] == '{' ? "\"SourceNS\":\"default\",\"SourceName\":"
                                                    : ",\"SourceNS\":\"default\",\"SourceName\":");
    cu_json_cstr(out, intention->source_name);
    cu_buf_text(out, ",\"DestinationNS\":\"default\",\"DestinationName\":");
    cu_json_cstr(out, intention->destination_name);
    cu_buf_text(out, ",\"SourceType\":\"consul\"");
    add_members(out, &agent_shape_intention_tail, &intention->base);
    cu_buf_u8(out, '}');
}
