/* conf.h - raftd's rows of the configuration, read once and passed down const. */
#ifndef RAFT_CONF_H
#define RAFT_CONF_H

#include "common/conf/conf.h"
#include "common/conf/network.h"
#include "services/raftd/core/raft.h"

enum { RAFT_CONF_PEERS_MAX = 64, RAFT_CONF_READERS_MAX = 64, RAFT_ADDRESS_BYTES = 64 };

/* Where a server's Raft listener is. */
struct raft_peer_address {
    struct raft_id id;
    char ip[RAFT_ADDRESS_BYTES];
    uint16_t port;
};

struct raft_conf {
    uint16_t port; /* of our own Raft listener */
    uint64_t trailing;
    struct raft_timing timing;
    uint32_t peer_count; /* as written: may name this server, too */
    struct raft_peer_address peers[RAFT_CONF_PEERS_MAX];
    uint32_t reader_count;
    struct cu_network readers[RAFT_CONF_READERS_MAX];
    unsigned catalogd_uid;    /* of raftd.catalogd_user; 0: not given, and root may all anyway */
    uint32_t expect;          /* bootstrap_expect, where gossip finds the set; 0: it does not */
    bool is_alone;            /* bootstraps {self}: no peers are awaited */
    uint32_t bootstrap_count; /* 0: join only, or found by gossip */
    struct raft_id bootstrap[RAFT_SERVERS_MAX];
    char warning[CU_DIAG_BYTES]; /* one sentence for the log; empty: none */
};

/* `self` is this server. Errors: CU_E_INVALID, what to write instead in diag. */
CU_MUST_USE enum cu_err raft_conf_read(const struct cu_conf *conf, struct raft_id self,
                                       struct raft_conf *ret_conf, struct cu_diag *diag);

#endif
