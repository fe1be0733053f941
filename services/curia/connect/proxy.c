#include "services/curia/connect/proxy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/assert.h"

const char *connect_setting(const struct cli_args *args, const char *flag, const char *variable,
                            const char *other_variable)
{
    const char *text = cli_text(args, flag);
    if (!text || !*text)
        text = getenv(variable);
    if ((!text || !*text) && other_variable)
        text = getenv(other_variable);
    return text && *text ? text : NULL;
}

static enum cu_err services_of(const struct cli_args *args, struct cli_http *http, json_t **ret_map,
                               struct cu_diag *diag)
{
    const char *node = cli_text(args, "node-name");
    json_t *answer = NULL;
    if (!node || !*node)
        return cli_get(http, "/v1/agent/services", "", NULL, ret_map, diag);
    enum cu_err err = cli_get(http, "/v1/catalog/node/", node, NULL, &answer, diag);
    if (err)
        return err;
    *ret_map = json_incref(json_object_get(answer, "Services"));
    json_decref(answer);
    return *ret_map ? CU_OK
                    : cu_fail(diag, CU_E_NOT_FOUND, "the catalog knows no node \"%s\"", node);
}

static enum cu_err find_sidecar(json_t *services, const char *service, char **ret_id,
                                struct cu_diag *diag)
{
    const char *id;
    json_t *one;
    struct cu_buf found = {0};
    size_t count = 0;
    json_object_foreach(services, id, one)
    {
        const char *of = cli_member_text(json_object_get(one, "Proxy"), "DestinationServiceID");
        if (strcmp(cli_member_text(one, "Kind"), "connect-proxy") != 0 ||
            strcasecmp(of, service) != 0)
            continue;
        cu_buf_printf(&found, "%s%s", count++ ? ", " : "", id);
    }
    const char *ids = cli_query_text(&found);
    enum cu_err err = CU_OK;
    if (count == 0)
        err = cu_fail(diag, CU_E_NOT_FOUND, "No sidecar proxy registered for %s", service);
    else if (count > 1)
        err = cu_fail(diag, CU_E_CONFLICT,
                      "More than one sidecar proxy registered for %s.\n    Start proxy with "
                      "-proxy-id and one of the following IDs: %s",
                      service, ids);
    else
        *ret_id = cu_strdup(ids);
    cu_buf_deinit(&found);
    return err;
}

static enum cu_err choose_id(const struct cli_args *args, json_t *services, char **ret_id,
                             struct cu_diag *diag)
{
    const char *id = connect_setting(args, "proxy-id", "CONNECT_PROXY_ID", NULL);
    const char *service = connect_setting(args, "sidecar-for", "CONNECT_SIDECAR_FOR", NULL);
    if (!id && service)
        return find_sidecar(services, service, ret_id, diag);
    if (!id)
        return cu_fail(
            diag, CU_E_INVALID,
            "No proxy ID specified. One of -proxy-id, -sidecar-for, or -gateway is required");
    *ret_id = cu_strdup(id);
    return CU_OK;
}

static enum cu_err read_self(const struct cli_args *args, struct cli_http *http,
                             struct connect_proxy *proxy, struct cu_diag *diag)
{
    json_t *self = NULL;
    const char *node = cli_text(args, "node-name");
    enum cu_err err = cli_get(http, "/v1/agent/self", "", NULL, &self, diag);
    if (err)
        return err;
    const json_t *config = json_object_get(self, "Config");
    const json_t *port = json_object_get(json_object_get(self, "DebugConfig"), "GRPCPort");
    proxy->node_name = cu_strdup(node && *node ? node : cli_member_text(config, "NodeName"));
    proxy->datacenter = cu_strdup(cli_member_text(config, "Datacenter"));
    proxy->grpc_port = json_integer_value(port) > 0 ? (long)json_integer_value(port) : 0;
    json_decref(self);
    return CU_OK;
}

enum cu_err connect_proxy_find(const struct cli_args *args, struct cli_http *http,
                               struct connect_proxy *ret_proxy, struct cu_diag *diag)
{
    json_t *services = NULL;
    *ret_proxy = (struct connect_proxy){0};
    enum cu_err err = services_of(args, http, &services, diag);
    if (!err)
        err = choose_id(args, services, &ret_proxy->id, diag);
    if (!err)
        err = read_self(args, http, ret_proxy, diag);
    if (!err) {
        ret_proxy->service = json_incref(json_object_get(services, ret_proxy->id));
        if (!ret_proxy->service)
            err = cu_fail(diag, CU_E_NOT_FOUND,
                          "failed fetch proxy config from local agent: unknown service ID: %s",
                          ret_proxy->id);
        else if (!*cli_member_text(ret_proxy->service, "Kind") ||
                 !json_is_object(json_object_get(ret_proxy->service, "Proxy")))
            err = cu_fail(diag, CU_E_INVALID, "service is not a Connect proxy or gateway");
    }
    json_decref(services);
    return err;
}

void connect_proxy_deinit(struct connect_proxy *proxy)
{
    free(proxy->id);
    free(proxy->node_name);
    free(proxy->datacenter);
    json_decref(proxy->service);
    *proxy = (struct connect_proxy){0};
}
