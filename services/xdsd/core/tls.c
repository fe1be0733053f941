/* Certificates: secrets on the stream, so that a rotation touches neither cluster nor listener
 * (mesh.md 6.6.0, D14). */
#include <string.h>

#include "services/xdsd/core/build.h"

typedef Envoy__Extensions__TransportSockets__Tls__V3__CommonTlsContext common_context;
typedef Envoy__Extensions__TransportSockets__Tls__V3__SdsSecretConfig secret_config;
typedef Envoy__Extensions__TransportSockets__Tls__V3__Secret secret;

const char *xds_leaf_name(struct cu_arena *arena, const struct xds_proxy *proxy)
{
    return xds_text(arena, "leaf:%s", proxy->service);
}

const char *xds_cluster_name(struct cu_arena *arena, const struct xds_proxy *proxy,
                             const struct xds_upstream *upstream)
{
    return xds_text(arena, "%s.default.%s.internal.%s", upstream->service, upstream->datacenter,
                    proxy->trust_domain);
}

static secret_config *by_name(struct cu_arena *arena, const char *name)
{
    secret_config *config =
        XDS_NEW(arena, secret_config,
                envoy__extensions__transport_sockets__tls__v3__sds_secret_config__init);
    config->name = (char *)(uintptr_t)name;
    config->sds_config = xds_ads(arena);
    return config;
}

static common_context *context_of(struct cu_arena *arena, const struct xds_proxy *proxy)
{
    common_context *context =
        XDS_NEW(arena, common_context,
                envoy__extensions__transport_sockets__tls__v3__common_tls_context__init);
    context->tls_params =
        XDS_NEW(arena, Envoy__Extensions__TransportSockets__Tls__V3__TlsParameters,
                envoy__extensions__transport_sockets__tls__v3__tls_parameters__init);
    context->n_tls_certificate_sds_secret_configs = 1;
    context->tls_certificate_sds_secret_configs =
        XDS_LIST1(arena, secret_config, by_name(arena, xds_leaf_name(arena, proxy)));
    return context;
}

static Envoy__Config__Core__V3__TransportSocket *socket_of(struct cu_arena *arena,
                                                           const ProtobufCMessage *context)
{
    Envoy__Config__Core__V3__TransportSocket *socket =
        XDS_NEW(arena, Envoy__Config__Core__V3__TransportSocket,
                envoy__config__core__v3__transport_socket__init);
    socket->name = xds_text(arena, "tls");
    socket->config_type_case = ENVOY__CONFIG__CORE__V3__TRANSPORT_SOCKET__CONFIG_TYPE_TYPED_CONFIG;
    socket->typed_config = xds_any(arena, context);
    return socket;
}

/* The one identity that the other end must have. */
static Envoy__Extensions__TransportSockets__Tls__V3__CertificateValidationContext *
peer_of(struct cu_arena *arena, const struct xds_proxy *proxy, const struct xds_upstream *upstream)
{
    typedef Envoy__Extensions__TransportSockets__Tls__V3__CertificateValidationContext validation;
    typedef Envoy__Extensions__TransportSockets__Tls__V3__SubjectAltNameMatcher name_matcher;
    validation *peer = XDS_NEW(
        arena, validation,
        envoy__extensions__transport_sockets__tls__v3__certificate_validation_context__init);
    name_matcher *name =
        XDS_NEW(arena, name_matcher,
                envoy__extensions__transport_sockets__tls__v3__subject_alt_name_matcher__init);
    name->san_type =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SUBJECT_ALT_NAME_MATCHER__SAN_TYPE__URI;
    name->matcher =
        xds_exact(arena, xds_text(arena, "spiffe://%s/ns/default/dc/%s/svc/%s", proxy->trust_domain,
                                  upstream->datacenter, upstream->service));
    peer->n_match_typed_subject_alt_names = 1;
    peer->match_typed_subject_alt_names = XDS_LIST1(arena, name_matcher, name);
    return peer;
}

Envoy__Config__Core__V3__TransportSocket *xds_upstream_tls(struct cu_arena *arena,
                                                           const struct xds_proxy *proxy,
                                                           const struct xds_upstream *upstream)
{
    typedef Envoy__Extensions__TransportSockets__Tls__V3__UpstreamTlsContext upstream_context;
    typedef Envoy__Extensions__TransportSockets__Tls__V3__CommonTlsContext__CombinedCertificateValidationContext
        combined_context;
    upstream_context *context =
        XDS_NEW(arena, upstream_context,
                envoy__extensions__transport_sockets__tls__v3__upstream_tls_context__init);
    combined_context *combined = XDS_NEW(
        arena, combined_context,
        envoy__extensions__transport_sockets__tls__v3__common_tls_context__combined_certificate_validation_context__init);
    combined->default_validation_context = peer_of(arena, proxy, upstream);
    combined->validation_context_sds_secret_config = by_name(arena, XDS_ROOTS);
    common_context *common = context_of(arena, proxy);
    common->validation_context_type_case =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_COMBINED_VALIDATION_CONTEXT;
    common->combined_validation_context = combined;
    context->common_tls_context = common;
    context->sni = (char *)(uintptr_t)xds_cluster_name(arena, proxy, upstream);
    return socket_of(arena, &context->base);
}

static void set_alpn(struct cu_arena *arena, const struct xds_proxy *proxy, common_context *common)
{
    static const char *const h1[] = {"http/1.1"}, *const h2[] = {"h2", "http/1.1"};
    if (proxy->protocol == XDS_TCP)
        return;
    bool is_h1 = proxy->protocol == XDS_HTTP;
    common->n_alpn_protocols = is_h1 ? CU_COUNT(h1) : CU_COUNT(h2);
    common->alpn_protocols = xds_room(arena, sizeof h2);
    memcpy(common->alpn_protocols, is_h1 ? h1 : h2, common->n_alpn_protocols * sizeof h1[0]);
}

Envoy__Config__Core__V3__TransportSocket *xds_downstream_tls(struct cu_arena *arena,
                                                             const struct xds_proxy *proxy)
{
    typedef Envoy__Extensions__TransportSockets__Tls__V3__DownstreamTlsContext downstream_context;
    downstream_context *context =
        XDS_NEW(arena, downstream_context,
                envoy__extensions__transport_sockets__tls__v3__downstream_tls_context__init);
    common_context *common = context_of(arena, proxy);
    common->validation_context_type_case =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__COMMON_TLS_CONTEXT__VALIDATION_CONTEXT_TYPE_VALIDATION_CONTEXT_SDS_SECRET_CONFIG;
    common->validation_context_sds_secret_config = by_name(arena, XDS_ROOTS);
    set_alpn(arena, proxy, common);
    context->common_tls_context = common;
    context->require_client_certificate = xds_true(arena);
    return socket_of(arena, &context->base);
}

/* ---- the secrets themselves ---- */

static Envoy__Config__Core__V3__DataSource *inline_text(struct cu_arena *arena, const char *text)
{
    Envoy__Config__Core__V3__DataSource *source = XDS_NEW(
        arena, Envoy__Config__Core__V3__DataSource, envoy__config__core__v3__data_source__init);
    source->specifier_case = ENVOY__CONFIG__CORE__V3__DATA_SOURCE__SPECIFIER_INLINE_STRING;
    source->inline_string = (char *)(uintptr_t)text;
    return source;
}

static secret *new_secret(struct cu_arena *arena, const char *name)
{
    secret *out =
        XDS_NEW(arena, secret, envoy__extensions__transport_sockets__tls__v3__secret__init);
    out->name = (char *)(uintptr_t)name;
    return out;
}

void xds_add_secrets(struct cu_arena *arena, const struct xds_proxy *proxy,
                     struct xds_snapshot *snapshot)
{
    secret *roots = new_secret(arena, XDS_ROOTS);
    secret *leaf = new_secret(arena, xds_leaf_name(arena, proxy));
    roots->type_case =
        ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_VALIDATION_CONTEXT;
    roots->validation_context = XDS_NEW(
        arena, Envoy__Extensions__TransportSockets__Tls__V3__CertificateValidationContext,
        envoy__extensions__transport_sockets__tls__v3__certificate_validation_context__init);
    roots->validation_context->trusted_ca = inline_text(arena, proxy->roots_pem);
    leaf->type_case = ENVOY__EXTENSIONS__TRANSPORT_SOCKETS__TLS__V3__SECRET__TYPE_TLS_CERTIFICATE;
    leaf->tls_certificate =
        XDS_NEW(arena, Envoy__Extensions__TransportSockets__Tls__V3__TlsCertificate,
                envoy__extensions__transport_sockets__tls__v3__tls_certificate__init);
    leaf->tls_certificate->certificate_chain = inline_text(arena, proxy->leaf_pem);
    leaf->tls_certificate->private_key = inline_text(arena, proxy->leaf_key_pem);
    enum cu_err err = xds_snapshot_add(snapshot, XDS_SECRET, roots->name, &roots->base);
    if (!err)
        err = xds_snapshot_add(snapshot, XDS_SECRET, leaf->name, &leaf->base);
    CU_ASSERT(!err); /* the two names differ */
}
