/* service.h - answers Log and Raft on the bus: requests to events, actions to replies.
 *
 * Everything on the loop's thread. A request that waits (a follow, a poll, a proposal whose fate is
 * open, one without a leader) lies in a list here and dies with its connection. */
#ifndef RAFT_SERVICE_H
#define RAFT_SERVICE_H

#include "common/conf/network.h"
#include "common/log/log.h"
#include "common/metric/metric.h"
#include "common/rpc/rpc.h"
#include "services/raftd/core/raft.h"
#include "services/raftd/io/peers.h"
#include "services/raftd/io/shell.h"

struct raft_service;

struct raft_service_options {
    struct cu_loop *loop;
    struct cu_rpc *rpc;
    struct cu_log *log;
    struct cu_metrics *metrics;
    struct raft_id self;
    const char *node_id;              /* as text; borrowed */
    const char *own_address;          /* "ip:port" of the own Raft listener; borrowed */
    const struct cu_network *readers; /* who may follow (contracts 3.8); borrowed */
    uint32_t reader_count;
    unsigned catalogd_uid; /* of the user catalogd runs as, beside root and our own; 0: none */
    void *context;
    void (*failed)(void *context, const char *sentence); /* the log cannot be read */
};

/* Adds the services to the rpc and sets its hooks; nothing may be called before the bind. */
struct raft_service *raft_service_new(const struct raft_service_options *options);
void raft_service_bind(struct raft_service *service, struct raft_shell *shell,
                       struct raft_peers *peers);
void raft_service_free(struct raft_service *service); /* takes NULL; fails what waits: NotReady */

/* What the shell hands out. */
void raft_service_answer(struct raft_service *service, struct raft_message *message); /* takes it */
void raft_service_proposed(struct raft_service *service, const struct raft_action *action);
void raft_service_read(struct raft_service *service, const struct raft_action *action);
void raft_service_attached(struct raft_service *service, const struct raft_action *action);
void raft_service_done(struct raft_service *service, const struct raft_action *action);
void raft_service_moved(struct raft_service *service);

#endif
