/* gossip.h - what agentd asks this node's gossipd: who is there, join, leave (gossip.md 23). */
#ifndef AGENT_GOSSIP_H
#define AGENT_GOSSIP_H

#include "common/rpc/client.h"

enum {
    AGENT_GOSSIP_MS = 10 * 1000,
    AGENT_LEAVE_MS = 15 * 1000,
    AGENT_COUNT_MS = 30 * 1000 /* how old the number of members may be */
};

struct agent_gossip;

/* `url` of gossipd's socket. */
struct agent_gossip *agent_gossip_new(struct cu_rpc *rpc, struct cu_loop *loop, const char *url);
void agent_gossip_free(struct agent_gossip *gossip); /* takes NULL */

/* One question; `done` is called once, later, unless the call is cancelled. NULL: gossipd cannot be
 * reached. */
struct cu_call *agent_gossip_call(struct agent_gossip *gossip, const char *method,
                                  const ProtobufCMessage *request, uint32_t timeout_ms,
                                  cu_on_answer *done, void *arg);

/* Members as last counted; at least 1. */
size_t agent_gossip_count(const struct agent_gossip *gossip);

#endif
