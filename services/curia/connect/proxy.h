/* proxy.h - which proxy is meant, and what the agent knows of it (mesh.md 2.8). */
#ifndef CLI_CONNECT_PROXY_H
#define CLI_CONNECT_PROXY_H

#include "services/curia/client.h"

/* What the agent says of the proxy; free() and json_decref(), in any case. */
struct connect_proxy {
    char *id, *node_name, *datacenter;
    json_t *service; /* its registration */
    long grpc_port;  /* of the agent; 0: none */
};

/* By -proxy-id, or by -sidecar-for the only sidecar of that service; with -node-name it is looked
 * up in the catalog, else among the agent's own services. `diag` has the sentence. */
CU_MUST_USE enum cu_err connect_proxy_find(const struct cli_args *args, struct cli_http *http,
                                           struct connect_proxy *ret_proxy, struct cu_diag *diag);
void connect_proxy_deinit(struct connect_proxy *proxy);

/* A flag, else the first of the variables that is set and not empty, else NULL. */
const char *connect_setting(const struct cli_args *args, const char *flag, const char *variable,
                            const char *other_variable);

#endif
