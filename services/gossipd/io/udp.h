/* udp.h - the one UDP socket of a pool. */
#ifndef GOSSIP_IO_UDP_H
#define GOSSIP_IO_UDP_H

#include "common/base/err.h"
#include "common/loop/loop.h"
#include "common/metric/metric.h"
#include "services/gossipd/core/message.h"

struct gossip_udp;

struct gossip_udp_options {
    struct cu_loop *loop;
    struct cu_metrics *metrics;
    struct gossip_addr bind;
    void *context;
    /* One datagram, borrowed. */
    void (*received)(void *context, struct gossip_addr from, struct cu_bytes datagram);
};

/* Binds; nothing is received before the loop turns. Errors: CU_E_CONFLICT (the port is taken),
 * CU_E_IO. */
CU_MUST_USE enum cu_err gossip_udp_open(const struct gossip_udp_options *options,
                                        struct gossip_udp **ret_udp, struct cu_diag *diag);
void gossip_udp_close(struct gossip_udp *udp); /* takes NULL */

/* Never blocks. CU_E_OVERLOADED: the kernel has no room, the datagram is lost as on any network;
 * CU_E_IO: it cannot be sent there. Both are counted. */
CU_MUST_USE enum cu_err gossip_udp_send(struct gossip_udp *udp, struct gossip_addr to,
                                        struct cu_bytes datagram);

#endif
