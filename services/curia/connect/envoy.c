/* `connect envoy` (mesh.md 2.8, 2.9). */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "services/curia/command.h"
#include "services/curia/connect/bootstrap.h"
#include "services/curia/connect/launch.h"
#include "services/curia/connect/proxy.h"

enum { HOST_BYTES = 256, PEM_BYTES_MAX = 1024 * 1024, GRPC_PORT = 8502, ADMIN_PORT = 19000 };

/* ---- addresses ---- */

static enum cu_err resolve(const char *host, char ip[BOOTSTRAP_IP_BYTES], struct cu_diag *diag)
{
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
    if (strcmp(host, "localhost") == 0)
        hints.ai_family = AF_INET;
    int failed = getaddrinfo(host, NULL, &hints, &found);
    if (!failed)
        failed = getnameinfo(found->ai_addr, found->ai_addrlen, ip, BOOTSTRAP_IP_BYTES, NULL, 0,
                             NI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
    return failed
               ? cu_fail(diag, CU_E_INVALID, "failed to resolve %s: %s", host, gai_strerror(failed))
               : CU_OK;
}

/* "host:port", "host", "[ip6]:port". */
static enum cu_err read_address(const char *text, unsigned port, struct bootstrap_address *ret,
                                struct cu_diag *diag)
{
    char host[HOST_BYTES];
    uint64_t given = port;
    bool in_brackets = *text == '[';
    const char *start = text + in_brackets, *end = strchr(start, in_brackets ? ']' : ':');
    size_t len = end ? (size_t)(end - start) : strlen(start);
    const char *rest = end ? end + in_brackets : "";
    if (len == 0 || len >= sizeof host || (in_brackets && !end) ||
        (*rest && (*rest != ':' || cu_parse_u64(rest + 1, strlen(rest + 1), &given) || given == 0 ||
                   given > UINT16_MAX)))
        return cu_fail(diag, CU_E_INVALID, "invalid address: %.200s", text);
    (void)snprintf(host, sizeof host, "%.*s", (int)len, start);
    ret->port = (unsigned)given;
    return resolve(host, ret->ip, diag);
}

static enum cu_err read_xds_address(const char *text, unsigned port, bool *ret_tls,
                                    struct bootstrap_address *ret, struct cu_diag *diag)
{
    if (strncasecmp(text, "unix://", 7) == 0) {
        if (strlen(text + 7) >= sizeof ret->path)
            return cu_fail(diag, CU_E_INVALID, "the path of the socket is too long: %.200s", text);
        memcpy(ret->path, text + 7, strlen(text + 7) + 1);
        return CU_OK;
    }
    if (strncasecmp(text, "https://", 8) == 0) {
        *ret_tls = true;
        return read_address(text + 8, port, ret, diag);
    }
    return read_address(strncasecmp(text, "http://", 7) == 0 ? text + 7 : text, port, ret, diag);
}

/* One xdsd, or several apart by commas: Envoy goes to another when one is lost. */
static enum cu_err read_xds(const struct cli_args *args, const struct connect_proxy *proxy,
                            bool *ret_tls, struct bootstrap *to, struct cu_diag *diag)
{
    unsigned port = proxy->grpc_port ? (unsigned)proxy->grpc_port : GRPC_PORT;
    const char *given = connect_setting(args, "grpc-addr", "CONSUL_GRPC_ADDR", "CURIA_GRPC_ADDR");
    char *copy = cu_strdup(given ? given : "localhost"), *rest = copy;
    enum cu_err err = CU_OK;
    for (char *one; !err && (one = strtok_r(rest, ",", &rest));) {
        if (to->xds_count == BOOTSTRAP_ADDRESSES_MAX)
            err = cu_fail(diag, CU_E_INVALID, "-grpc-addr: more than %d addresses",
                          BOOTSTRAP_ADDRESSES_MAX);
        else
            err = read_xds_address(one, port, ret_tls, &to->xds[to->xds_count++], diag);
    }
    free(copy);
    return err;
}

static enum cu_err read_pem(const struct cli_args *args, bool is_tls, char **ret_pem,
                            struct cu_diag *diag)
{
    const char *path =
        connect_setting(args, "grpc-ca-file", "CONSUL_GRPC_CACERT", "CURIA_GRPC_CACERT");
    if (!is_tls)
        return CU_OK;
    if (!path)
        path = connect_setting(args, "ca-file", "CONSUL_CACERT", "CURIA_CACERT");
    if (!path)
        return cu_fail(diag, CU_E_INVALID, "https needs -grpc-ca-file or -ca-file");
    FILE *file = fopen(path, "re");
    if (!file)
        return cu_fail(diag, CU_E_IO, "cannot read %s", path);
    char *pem = cu_alloc(PEM_BYTES_MAX + 1);
    size_t len = fread(pem, 1, PEM_BYTES_MAX, file);
    bool good = len > 0 && feof(file);
    (void)fclose(file);
    *ret_pem = pem;
    return good ? CU_OK : cu_fail(diag, CU_E_IO, "cannot read %s, or it is too large", path);
}

/* ---- the document ---- */

/* Envoy asks with the token that we have asked with, also where that came from a file. */
static const char *token_of(const struct cli_http *http)
{
    const char *token = cli_http_token(http), *own = getenv("CURIA_HTTP_TOKEN");
    return *token || !own ? token : own;
}

static enum cu_err make(const struct cli_args *args, const char *token,
                        const struct connect_proxy *proxy, json_t **ret_json, struct cu_diag *diag)
{
    const char *admin = cli_text(args, "admin-bind"), *api = cli_text(args, "xds-api");
    const char *log = cli_text(args, "admin-access-log-path");
    const json_t *block = json_object_get(proxy->service, "Proxy");
    const char *cluster = cli_member_text(block, "DestinationServiceName");
    const char *sidecar_for = connect_setting(args, "sidecar-for", "CONNECT_SIDECAR_FOR", NULL);
    bool is_tls = false;
    char *pem = NULL;
    struct bootstrap in = {
        .proxy_id = proxy->id,
        .cluster = *cluster      ? cluster
                   : sidecar_for ? sidecar_for
                                 : proxy->id,
        .node_name = proxy->node_name,
        .datacenter = proxy->datacenter,
        .ns = "default",
        .token = token,
        .admin_access_log = log && *log ? log : "/dev/null",
        .is_sotw = api && strcmp(api, "sotw") == 0,
        .omits_deprecated_tags = cli_bool(args, "omit-deprecated-tags"),
        .config = cli_bool(args, "no-central-config") ? NULL : json_object_get(block, "Config"),
    };
    if (api && *api && strcmp(api, "sotw") != 0 && strcmp(api, "delta") != 0)
        return cu_fail(diag, CU_E_INVALID, "-xds-api must be delta or sotw");
    enum cu_err err =
        read_address(admin && *admin ? admin : "localhost:19000", ADMIN_PORT, &in.admin, diag);
    if (!err)
        err = read_xds(args, proxy, &is_tls, &in, diag);
    if (!err)
        err = read_pem(args, is_tls, &pem, diag);
    in.ca_pem = pem;
    if (!err)
        err = bootstrap_make(&in, ret_json, diag);
    free(pem);
    return err;
}

static enum cu_err refuse_gateways(const struct cli_args *args, struct cu_diag *diag)
{
    const char *kind = cli_text(args, "gateway");
    if ((kind && *kind) || cli_bool(args, "mesh-gateway") || cli_bool(args, "register"))
        return cu_fail(diag, CU_E_INVALID, "gateways are not built yet");
    return CU_OK;
}

static int use(const struct cli_args *args, json_t *document)
{
    static char *const none[] = {NULL};
    struct cu_diag diag = {0};
    const char *binary = cli_text(args, "envoy-binary");
    char *text = json_dumps(document, JSON_INDENT(2));
    CU_ASSERT(text);
    int code = 0;
    if (cli_bool(args, "bootstrap")) {
        (void)puts(text);
    } else {
        (void)connect_launch(binary && *binary ? binary : NULL,
                             args->word_count ? args->words : none, cu_bytes_of(text), &diag);
        code = cli_sorry("%s", diag.text);
    }
    free(text);
    return code;
}

int cli_connect_envoy(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    struct connect_proxy proxy = {0};
    json_t *document = NULL;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = refuse_gateways(args, &diag);
    if (!err)
        err = connect_proxy_find(args, http, &proxy, &diag);
    if (!err)
        err = make(args, token_of(http), &proxy, &document, &diag);
    cli_http_free(http);
    int code = err ? cli_sorry("%s", diag.text) : use(args, document);
    connect_proxy_deinit(&proxy);
    json_decref(document);
    return code;
}
