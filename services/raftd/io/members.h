/* members.h - what gossip says of servers: where their raftds are, and whom to bootstrap with
 * (contracts 4.1, 4.2). */
#ifndef RAFT_MEMBERS_H
#define RAFT_MEMBERS_H

#include "common/daemon/daemon.h"
#include "services/raftd/conf.h"

struct raft_members;

struct raft_members_options {
    struct cu_env *env;
    struct raft_id self;
    uint32_t expect; /* bootstrap_expect, where the set is found by gossip; 0: it is not */
    void *context;
    /* A server's raftd is there now. */
    void (*address)(void *context, struct raft_id id, const char *ip, uint16_t port);
    /* Enough servers that expect the same number are alive, this one among them: the set. Called
     * again when it changes. */
    void (*expected)(void *context, const struct raft_id *ids, uint32_t count);
};

struct raft_members *raft_members_new(const struct raft_members_options *options);
void raft_members_free(struct raft_members *members); /* takes NULL */

#endif
