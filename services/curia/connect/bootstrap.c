#include "services/curia/connect/bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/num.h"
#include "services/curia/connect/stats.h"

#define TYPE(name)   "type.googleapis.com/envoy." name
#define HTTP_OPTIONS "extensions.upstreams.http.v3.HttpProtocolOptions"

bool bootstrap_address_read(const char *text, size_t len, struct bootstrap_address *ret_address)
{
    uint64_t port;
    const char *colon = memrchr(text, ':', len);
    bool in_brackets = len > 0 && *text == '[';
    if (!colon || cu_parse_u64(colon + 1, len - (size_t)(colon + 1 - text), &port) || port == 0 ||
        port > UINT16_MAX)
        return false;
    size_t ip_len = (size_t)(colon - text);
    if (in_brackets && (ip_len < 3 || colon[-1] != ']'))
        return false;
    const char *ip = text + in_brackets;
    ip_len -= 2 * (size_t)in_brackets;
    if (ip_len == 0 || ip_len >= BOOTSTRAP_IP_BYTES)
        return false;
    *ret_address = (struct bootstrap_address){.port = (unsigned)port};
    memcpy(ret_address->ip, ip, ip_len);
    return true;
}

json_t *bootstrap_address_json(const struct bootstrap_address *address)
{
    return *address->path ? json_pack("{s:{s:s}}", "pipe", "path", address->path)
                          : json_pack("{s:{s:s, s:i}}", "socket_address", "address", address->ip,
                                      "port_value", (int)address->port);
}

static json_t *endpoint_of(const struct bootstrap_address *address)
{
    return json_pack("{s:{s:o}}", "endpoint", "address", bootstrap_address_json(address));
}

/* ---- where xdsd is ---- */

static json_t *tls_of(const char *ca_pem)
{
    return json_pack("{s:s, s:{s:s, s:{s:{s:{s:s}}}}}", "name", "tls", "typed_config", "@type",
                     TYPE("extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
                     "common_tls_context", "validation_context", "trusted_ca", "inline_string",
                     ca_pem);
}

static json_t *xds_cluster(const struct bootstrap *in)
{
    json_t *endpoints = json_array();
    for (size_t i = 0; i < in->xds_count; i++)
        (void)json_array_append_new(endpoints, endpoint_of(&in->xds[i]));
    json_t *cluster = json_pack(
        "{s:s, s:b, s:s, s:s, s:{s:{s:s, s:{s:{}}}}, s:{s:s, s:[{s:o}]}}", "name", "local_agent",
        "ignore_health_on_host_removal", 0, "connect_timeout", "1s", "type", "STATIC",
        "typed_extension_protocol_options", "envoy." HTTP_OPTIONS, "@type", TYPE(HTTP_OPTIONS),
        "explicit_http_config", "http2_protocol_options", "load_assignment", "cluster_name",
        "local_agent", "endpoints", "lb_endpoints", endpoints);
    if (in->ca_pem)
        (void)json_object_set_new(cluster, "transport_socket", tls_of(in->ca_pem));
    return cluster;
}

static json_t *from_ads(void)
{
    return json_pack("{s:{}, s:s, s:s}", "ads", "initial_fetch_timeout", "0s",
                     "resource_api_version", "V3");
}

/* Without set_node_on_first_message_only each request repeats some 61 KB of what Envoy can do. */
static json_t *dynamic_resources(const struct bootstrap *in)
{
    return json_pack("{s:o, s:o, s:{s:s, s:s, s:b, s:{s:[{s:s, s:s}], s:{s:s}}}}", "lds_config",
                     from_ads(), "cds_config", from_ads(), "ads_config", "api_type",
                     in->is_sotw ? "GRPC" : "DELTA_GRPC", "transport_api_version", "V3",
                     "set_node_on_first_message_only", 1, "grpc_services", "initial_metadata",
                     "key", "x-consul-token", "value", in->token, "envoy_grpc", "cluster_name",
                     "local_agent");
}

/* ---- listeners of Envoy's own numbers ---- */

static json_t *self_admin(const struct bootstrap *in)
{
    return json_pack(
        "{s:s, s:b, s:s, s:s, s:{}, s:{s:s, s:[{s:[o]}]}}", "name", "self_admin",
        "ignore_health_on_host_removal", 0, "connect_timeout", "5s", "type", "STATIC",
        "http_protocol_options", "load_assignment", "cluster_name", "self_admin", "endpoints",
        "lb_endpoints",
        endpoint_of(&(struct bootstrap_address){.ip = "127.0.0.1", .port = in->admin.port}));
}

struct own_listener {
    const char *key, *name;
    const char *match; /* "path" or "prefix" */
    const char *from, *to;
};

static json_t *manager_of(const struct own_listener *row)
{
    json_t *routes = json_pack("[{s:{s:s}, s:{s:s, s:s}}, {s:{s:s}, s:{s:i}}]", "match", row->match,
                               row->from, "route", "cluster", "self_admin", "prefix_rewrite",
                               row->to, "match", "prefix", "/", "direct_response", "status", 404);
    return json_pack(
        "{s:s, s:s, s:s, s:{s:s, s:[{s:s, s:[s], s:o}]}, s:[{s:s, s:{s:s}}]}", "@type",
        TYPE("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix", row->name, "codec_type", "HTTP1", "route_config", "name", "self_admin_route",
        "virtual_hosts", "name", "self_admin", "domains", "*", "routes", routes, "http_filters",
        "name", "envoy.filters.http.router", "typed_config", "@type",
        TYPE("extensions.filters.http.router.v3.Router"));
}

static enum cu_err add_own_listener(const struct bootstrap *in, const struct own_listener *row,
                                    json_t *listeners, json_t *clusters, struct cu_diag *diag)
{
    const char *bind = json_string_value(json_object_get(in->config, row->key));
    struct bootstrap_address at;
    if (!bind || !*bind)
        return CU_OK;
    if (!bootstrap_address_read(bind, strlen(bind), &at))
        return cu_fail(diag, CU_E_INVALID, "%s: wants IP:PORT, got \"%.100s\"", row->key, bind);
    (void)json_array_append_new(
        listeners, json_pack("{s:s, s:o, s:[{s:[{s:s, s:o}]}]}", "name", row->name, "address",
                             bootstrap_address_json(&at), "filter_chains", "filters", "name",
                             "envoy.filters.network.http_connection_manager", "typed_config",
                             manager_of(row)));
    size_t i;
    json_t *cluster;
    json_array_foreach(clusters, i, cluster)
    {
        const char *name = json_string_value(json_object_get(cluster, "name"));
        if (name && strcmp(name, "self_admin") == 0)
            return CU_OK;
    }
    (void)json_array_append_new(clusters, self_admin(in));
    return CU_OK;
}

/* What the user adds: objects, apart by commas. */
static enum cu_err extend(const struct bootstrap *in, const char *key, json_t *list,
                          struct cu_diag *diag)
{
    const char *text = json_string_value(json_object_get(in->config, key));
    struct cu_buf all = {0};
    json_error_t error;
    if (!text || !*text)
        return CU_OK;
    cu_buf_printf(&all, "[%s]", text);
    json_t *more = json_loadb((const char *)all.data, all.len, 0, &error);
    cu_buf_deinit(&all);
    if (!more)
        return cu_fail(diag, CU_E_INVALID, "%s: %s", key, error.text);
    (void)json_array_extend(list, more);
    json_decref(more);
    return CU_OK;
}

static enum cu_err static_resources(const struct bootstrap *in, json_t *document,
                                    struct cu_diag *diag)
{
    static const struct own_listener rows[] = {
        {"envoy_prometheus_bind_addr", "envoy_prometheus_metrics_listener", "path", "/metrics",
         "/stats/prometheus"},
        {"envoy_stats_bind_addr", "envoy_metrics_listener", "prefix", "/stats", "/stats"},
    };
    json_t *clusters = json_pack("[o]", xds_cluster(in)), *listeners = json_array();
    enum cu_err err = extend(in, "envoy_extra_static_clusters_json", clusters, diag);
    if (!err)
        err = extend(in, "envoy_extra_static_listeners_json", listeners, diag);
    for (size_t i = 0; !err && i < CU_COUNT(rows); i++)
        err = add_own_listener(in, &rows[i], listeners, clusters, diag);
    json_t *both = json_pack("{s:o}", "clusters", clusters);
    if (json_array_size(listeners))
        (void)json_object_set(both, "listeners", listeners);
    json_decref(listeners);
    (void)json_object_set_new(document, "static_resources", both);
    return err;
}

static enum cu_err add_tracing(const struct bootstrap *in, json_t *document, struct cu_diag *diag)
{
    const char *text = json_string_value(json_object_get(in->config, "envoy_tracing_json"));
    json_error_t error;
    if (!text || !*text)
        return CU_OK;
    json_t *tracing = json_loads(text, 0, &error);
    if (!tracing)
        return cu_fail(diag, CU_E_INVALID, "envoy_tracing_json: %s", error.text);
    (void)json_object_set_new(document, "tracing", tracing);
    return CU_OK;
}

/* ---- the document ---- */

enum cu_err bootstrap_make(const struct bootstrap *in, json_t **ret_json, struct cu_diag *diag)
{
    json_t *document =
        json_pack("{s:{s:[{s:s, s:{s:s, s:s}}], s:o}, s:{s:s, s:s, s:{s:s, s:s, s:s}}, "
                  "s:{s:[{s:s, s:{s:i}}]}}",
                  "admin", "access_log", "name", "envoy.access_loggers.file", "typed_config",
                  "@type", TYPE("extensions.access_loggers.file.v3.FileAccessLog"), "path",
                  in->admin_access_log, "address", bootstrap_address_json(&in->admin), "node",
                  "cluster", in->cluster, "id", in->proxy_id, "metadata", "namespace", in->ns,
                  "node_name", in->node_name, "partition", "default", "layered_runtime", "layers",
                  "name", "base", "static_layer", "re2.max_program_size.error_level", 1048576);
    CU_ASSERT(document);
    enum cu_err err = static_resources(in, document, diag);
    if (!err)
        err = bootstrap_add_stats(in, document, diag);
    if (!err)
        err = add_tracing(in, document, diag);
    (void)json_object_set_new(document, "dynamic_resources", dynamic_resources(in));
    if (err)
        json_decref(document);
    else
        *ret_json = document;
    return err;
}
