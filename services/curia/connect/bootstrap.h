/* bootstrap.h - what Envoy starts with: where xdsd is, who it is, how its numbers are called
 * (mesh.md 2.9). Pure. */
#ifndef CLI_CONNECT_BOOTSTRAP_H
#define CLI_CONNECT_BOOTSTRAP_H

#include <stdbool.h>

#include <jansson.h>

#include "common/base/err.h"

enum { BOOTSTRAP_ADDRESSES_MAX = 8, BOOTSTRAP_IP_BYTES = 64, BOOTSTRAP_PATH_BYTES = 108 };

struct bootstrap_address {
    char ip[BOOTSTRAP_IP_BYTES];
    unsigned port;
    char path[BOOTSTRAP_PATH_BYTES]; /* of a unix socket; "": ip and port */
};

/* "IP:PORT", "[IP6]:PORT"; false: it is neither. */
bool bootstrap_address_read(const char *text, size_t len, struct bootstrap_address *ret_address);
/* As Envoy's configuration has it. */
json_t *bootstrap_address_json(const struct bootstrap_address *address);

struct bootstrap {
    const char *proxy_id, *cluster; /* cluster: the service it stands before */
    const char *node_name, *datacenter, *ns;
    const char *token; /* "": none */
    const char *admin_access_log;
    const char *ca_pem; /* NULL: xdsd speaks no TLS */
    struct bootstrap_address admin;
    struct bootstrap_address
        xds[BOOTSTRAP_ADDRESSES_MAX]; /* one is used, the next when it is lost */
    size_t xds_count;
    bool is_sotw;
    bool omits_deprecated_tags;
    const json_t *config; /* Proxy.Config; NULL: none */
};

/* The document; yours. CU_E_INVALID: a key of `config` cannot be used, `diag` says why. */
CU_MUST_USE enum cu_err bootstrap_make(const struct bootstrap *in, json_t **ret_json,
                                       struct cu_diag *diag);

#endif
