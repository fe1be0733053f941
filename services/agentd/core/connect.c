#include "services/agentd/core/connect.h"

#include <string.h>

#include "common/json/scan.h"
#include "common/json/text.h"
#include "common/tls/spiffe.h"
#include "services/agentd/core/shapes_rows.h"

// clang-format off
static const struct cu_json_field issued_cert[] = {
#define F(json, member, codec) ROW(IssuedCert, json, member, codec, CU_JSON_ZERO)
    F("SerialNumber",  serial_number,   CU_JSON_TEXT),
    F("CertPEM",       cert_pem,        CU_JSON_TEXT),
    F("PrivateKeyPEM", private_key_pem, CU_JSON_TEXT),
    F("Service",       service,         CU_JSON_TEXT),
    F("ServiceURI",    service_uri,     CU_JSON_TEXT),
    F("ValidAfter",    valid_after_s,   CU_JSON_TIME),
    F("ValidBefore",   valid_before_s,  CU_JSON_TIME),
    F("CreateIndex",   create_index,    CU_JSON_U64),
    F("ModifyIndex",   modify_index,    CU_JSON_U64),
#undef F
};
const struct cu_json_shape agent_shape_issued_cert =
    SHAPE("structs.IssuedCert", curia__v1__issued_cert__descriptor, issued_cert);

static const struct cu_json_field authorize_body[] = {
#define F(json, member) ROW(ConnectAuthorizeRequest, json, member, CU_JSON_TEXT, CU_JSON_ZERO)
    F("Target",           target),
    F("TargetNamespace",  target_namespace),
    F("ClientCertURI",    client_cert_uri),
    F("ClientCertSerial", client_cert_serial),
#undef F
};
const struct cu_json_shape agent_shape_authorize_body =
    SHAPE("structs.ConnectAuthorizeRequest", curia__v1__connect_authorize_request__descriptor, authorize_body);

static const struct cu_json_field ca_config_body[] = {
    ROW(CaConfigBody, "Provider", provider, CU_JSON_TEXT,   CU_JSON_ZERO),
    ROW(CaConfigBody, "Config",   config,   CU_JSON_OPAQUE, CU_JSON_NULL),
    ROW(CaConfigBody, "State",    state,    CU_JSON_OPAQUE, CU_JSON_NULL),
    ROW(CaConfigBody, "ForceWithoutCrossSigning", force_without_cross_signing, CU_JSON_BOOL, CU_JSON_ZERO,
        ALIASES("force_without_cross_signing")),
};
/* What GET printed may be sent back. */
static const char *const ca_config_ignored[] = {"CreateIndex", "ModifyIndex", NULL};
const struct cu_json_shape agent_shape_ca_config_body =
    SHAPE("structs.CAConfiguration", curia__v1__ca_config_body__descriptor, ca_config_body,
          .ignored = ca_config_ignored);
/* clang-format on */

static bool read_body(struct cu_bytes body, const struct cu_json_shape *shape,
                      struct cu_arena *arena, ProtobufCMessage *message, struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    struct cu_bytes value;
    enum cu_err err = cu_json_check(body, &value, &diag);
    if (!err)
        err = cu_json_read(value, shape, arena, message, &diag);
    if (err == CU_E_TOO_LARGE)
        return agent_refuse(fault, 500, "request is too large");
    return !err || agent_refuse(fault, 400, "Bad request: Request decode failed: %s", diag.text);
}

/* ---- authorize ---- */

bool agent_authorize_parse(struct cu_bytes body, struct cu_arena *arena,
                           struct agent_presented *ret_presented, struct agent_fault *fault)
{
    Curia__V1__ConnectAuthorizeRequest request = CURIA__V1__CONNECT_AUTHORIZE_REQUEST__INIT;
    struct cu_spiffe *id = cu_arena_alloc(arena, sizeof *id);
    struct cu_diag diag;
    if (!id)
        return agent_refuse(fault, 500, "request is too large");
    if (!read_body(body, &agent_shape_authorize_body, arena, &request.base, fault))
        return false;
    if (!*request.target)
        return agent_refuse(fault, 400, "Bad request: Target service must be specified");
    if (*request.target_namespace && strcmp(request.target_namespace, "default") != 0)
        return agent_refuse(fault, 400,
                            "Bad request: Invalid TargetNamespace(%.64s): Namespaces is a Consul "
                            "Enterprise feature",
                            request.target_namespace);
    if (cu_spiffe_parse(request.client_cert_uri, id, &diag))
        return agent_refuse(fault, 400,
                            "Bad request: ClientCertURI not a valid Connect identifier");
    if (id->kind != CU_SPIFFE_SERVICE)
        return agent_refuse(fault, 400,
                            "Bad request: ClientCertURI not a valid Service identifier");
    *ret_presented = (struct agent_presented){id->name, request.target};
    return true;
}

/* ---- the CA's configuration ---- */

bool agent_ca_config_parse(struct cu_bytes body, struct cu_arena *arena,
                           Curia__V1__CaConfig *ret_config, struct agent_fault *fault)
{
    static uint8_t braces[] = {'{', '}'};
    const ProtobufCBinaryData nothing = {sizeof braces, braces};
    Curia__V1__CaConfigBody read = CURIA__V1__CA_CONFIG_BODY__INIT;
    curia__v1__ca_config__init(ret_config);
    if (!read_body(body, &agent_shape_ca_config_body, arena, &read.base, fault))
        return false;
    if (read.state.len > sizeof "{}" - 1)
        return agent_refuse(fault, 400,
                            "Bad request: Provider State is read-only. It must be omitted or "
                            "identical to the current value");
    ret_config->provider = read.provider;
    ret_config->config = read.config.len ? read.config : nothing;
    ret_config->force_without_cross_signing = read.force_without_cross_signing;
    return true;
}

void agent_ca_config_write(struct cu_buf *out, const Curia__V1__CaConfig *config)
{
    cu_buf_text(out, "{\"Provider\":");
    cu_json_cstr(out, config->provider);
    cu_buf_text(out, ",\"Config\":");
    if (config->config.len)
        cu_buf_append(out, config->config.data, config->config.len);
    else
        cu_buf_text(out, "{}");
    cu_buf_printf(out, ",\"State\":null,\"ForceWithoutCrossSigning\":%s,\"CreateIndex\":",
                  config->force_without_cross_signing ? "true" : "false");
    cu_json_u64(out, config->create_index);
    cu_buf_text(out, ",\"ModifyIndex\":");
    cu_json_u64(out, config->modify_index);
    cu_buf_u8(out, '}');
}
