/* conf.h - what catalogd takes from the configuration. */
#ifndef CATALOG_CONF_H
#define CATALOG_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/conf/acl.h"
#include "common/conf/network.h"

enum { CATALOG_PEERS_MAX = 32, CATALOG_READERS_MAX = 64 };

struct catalog_peer {
    const char *id;      /* node id; "" when only an address is known */
    const char *address; /* "ip:8300" of its catalogd; yours */
};

struct catalog_conf {
    const char *follow; /* "ip:port" of a raftd, "": the one on this host (contracts 3.8) */
    int port;           /* ports.server */
    int grpc_port;      /* catalogd.grpc_port; -1: off */
    struct cu_conf_acl acl;
    bool connect_enabled;
    const char *ca_cluster_id; /* connect.ca_config.cluster_id; "": made up */
    char *ca_config;           /* the first CA configuration: a JSON object, yours */
    const char *acl_master;    /* acl.tokens.master: a secret; "": none */
    int64_t hold_ms;           /* how long NoLeader is held */
    int64_t query_default_ms, query_max_ms;
    int64_t value_max_bytes;
    /* Servers' catalogds by `raftd.peers` (same ip, ports.server unless `catalog_address`) and
     * `catalogd.catalogs`. */
    struct catalog_peer peers[CATALOG_PEERS_MAX];
    size_t peer_count;
    struct cu_network readers[CATALOG_READERS_MAX]; /* raftd.readers: further catalogds */
    size_t reader_count;
};

/* Errors: CU_E_INVALID, the sentence in diag. */
CU_MUST_USE enum cu_err catalog_conf_read(const struct cu_conf *conf, struct catalog_conf *ret_conf,
                                          struct cu_diag *diag);
void catalog_conf_deinit(struct catalog_conf *conf);
/* For the daemon's descriptor: read and thrown away. */
CU_MUST_USE enum cu_err catalog_conf_check(const struct cu_conf *conf, struct cu_diag *diag);

/* Where the catalogd of a server is reached: by id, else the ip of `raft_address` with our port
 * ("" when neither is known). Yours, free(). */
char *catalog_conf_address_of(const struct catalog_conf *conf, const char *id,
                              const char *raft_address);

#endif
