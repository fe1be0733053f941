/* members.h - what gossip says of servers: where their raftds are, and whom to bootstrap with
 * (contracts 4.1, 4.2). */
#ifndef RAFT_MEMBERS_H
#define RAFT_MEMBERS_H

#include "common/daemon/daemon.h"
#include "services/raftd/conf.h"

/* A server as gossip knows it. */
struct raft_seen {
    struct raft_id id;
    uint32_t expect;             /* what it waits for; 0: it says nothing of it */
    bool is_alive, claims_alone; /* tag bootstrap: it made, or makes, a cluster of itself */
};

/* The set to bootstrap, by id: every server alive that expects `expect` servers, once there are so
 * many and `self` is among them. Its size; 0: not yet. `ret_conflict`: one alive expects another
 * number, and nobody may bootstrap beside it. */
uint32_t raft_choose_set(const struct raft_seen *servers, uint32_t count, struct raft_id self,
                         uint32_t expect, struct raft_id ret_ids[RAFT_SERVERS_MAX],
                         bool *ret_conflict);

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
