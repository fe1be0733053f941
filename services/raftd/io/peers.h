/* peers.h - the other raftds: where they are, and the two connections to each (contracts 1.6).
 *
 * Votes and heartbeats have a connection of their own, so that they keep their period while entries
 * saturate the other one. A message that cannot be sent, or is not answered in time, is lost: the
 * core asks again. Identity is the node id, an address is a hint. */
#ifndef RAFT_PEERS_H
#define RAFT_PEERS_H

#include "common/log/log.h"
#include "common/metric/metric.h"
#include "common/rpc/client.h"
#include "services/raftd/core/raft.h"

struct raft_peers;

struct raft_peers_options {
    struct cu_rpc *rpc;
    struct cu_log *log;
    struct cu_metrics *metrics;
    struct raft_id self;
    void *context;
    void (*answered)(void *context, struct raft_message *message); /* yours */
};

enum { RAFT_PEERS_MAX = 64, RAFT_ANSWER_MS = 2000 /* a later answer is of no use to the core */ };

struct raft_peers *raft_peers_new(const struct raft_peers_options *options);
void raft_peers_free(struct raft_peers *peers); /* takes NULL */

/* Adds a server or changes where it is; one's own id is passed over. Beyond RAFT_PEERS_MAX the one
 * that was put longest ago, of those not connected, is forgotten; where all are, this one is passed
 * over, and counted. */
void raft_peers_put(struct raft_peers *peers, struct raft_id id, const char *ip, uint16_t port);

/* A request of the core to message->to. Takes the message. */
void raft_peers_send(struct raft_peers *peers, struct raft_message *message);

/* "ip:port" of a server, "" when not known. Borrowed until the next put. */
const char *raft_peers_address(const struct raft_peers *peers, struct raft_id id);
bool raft_peers_has_ip(const struct raft_peers *peers, const char *ip);
size_t raft_peers_count(const struct raft_peers *peers);

/* The connection for what is forwarded to a server; NULL when it is not known. */
struct cu_client *raft_peers_client(struct raft_peers *peers, struct raft_id id);

#endif
