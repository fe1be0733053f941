/* conf.h - what agentd takes from the configuration, read once. */
#ifndef AGENT_CONF_H
#define AGENT_CONF_H

#include <stdbool.h>
#include <sys/socket.h>

#include "common/base/err.h"
#include "common/conf/conf.h"
#include "common/conf/network.h"
#include "common/view/rights_conf.h"
#include "services/agentd/core/options.h"

enum { AGENT_NETWORKS_MAX = 256 };

struct agent_pair {
    char *name, *value;
};

struct agent_conf {
    struct agent_waits waits;
    uint64_t kv_max_bytes, txn_max_bytes, header_bytes, hold_ms;
    unsigned port, max_per_client;
    bool has_http; /* false: port -1 */
    bool pretty;   /* always, in dev mode */
    bool any_path; /* unprintable characters are taken */
    bool translate_addresses;
    bool acl_enabled;     /* else no token is looked at */
    char *default_policy; /* acl.default_policy: "allow" or "deny" */
    struct cu_rights_conf rights;
    bool persists_tokens;   /* those that are set over HTTP, in a file */
    bool allows_by_default; /* default_intention_policy: what no intention decides (mesh.md 3.5) */
    char **addresses;       /* to listen on */
    size_t address_count;
    char **catalogs; /* URLs */
    size_t catalog_count;
    bool use_cache;
    uint64_t discovery_max_stale_ms; /* reads of catalog and health that name no mode; 0: default */
    struct agent_pair *headers;      /* on every answer */
    size_t header_count;
    char **blocked; /* prefixes of paths */
    size_t blocked_count;
    struct cu_network *writers; /* none: everybody may write */
    size_t writer_count;
};

/* `local_catalog` is the URL of this host's catalogd, copied. Errors: CU_E_INVALID, `diag` names
 * the key. */
CU_MUST_USE enum cu_err agent_conf_read(const struct cu_conf *conf, const char *local_catalog,
                                        struct agent_conf *ret_conf, struct cu_diag *diag);
void agent_conf_deinit(struct agent_conf *conf);

/* http_config.block_endpoints: by prefix. */
bool agent_conf_blocks(const struct agent_conf *conf, struct cu_bytes path);
/* http_config.allow_write_http_from; NULL is a local socket, which may always write. */
bool agent_conf_may_write(const struct agent_conf *conf, const struct sockaddr *address);

#endif
