/* service.h - answers Members on the bus: who is there, what became of them, joining and leaving.
 *
 * A follow waits in a list here and dies with its connection. */
#ifndef GOSSIP_RPC_SERVICE_H
#define GOSSIP_RPC_SERVICE_H

#include "common/rpc/rpc.h"
#include "services/gossipd/io/resolve.h"
#include "services/gossipd/io/shell.h"

struct gossip_service;

struct gossip_service_options {
    struct cu_loop *loop;
    struct cu_rpc *rpc;
    struct gossip_shell *shell;
    struct gossip_resolver *resolver;
    const char *self; /* name of this member; borrowed */
    uint16_t port;    /* of the pool: where an address names none */
};

/* Adds the service to the rpc. */
struct gossip_service *gossip_service_new(const struct gossip_service_options *options);
/* Takes NULL (a turn may end before it is there). What waits is answered NotReady. */
void gossip_service_free(struct gossip_service *service);
/* The turn ends: follows look at the feed again. Takes NULL. */
void gossip_service_moved(struct gossip_service *service);

#endif
