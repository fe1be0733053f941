/* roll.h - the servers that are alive by gossip's word, and whom of them to bootstrap with
 * (contracts 4.1). Pure.
 *
 * Gossip speaks of names, raft of ids: a server that was wiped comes back with its name and another
 * id, and nothing more is ever said of the old one; one that was renamed keeps its id. So a name
 * and an id are on the roll once each, with what was said last. */
#ifndef RAFT_ROLL_H
#define RAFT_ROLL_H

#include "services/raftd/core/raft.h"

enum { RAFT_ROLL_MAX = 64 /* twice what a configuration holds; more are passed over */ };

struct raft_seen {
    const char *name; /* of the member; copied */
    struct raft_id id;
    uint32_t expect;   /* what it waits for; 0: it says nothing of it */
    bool claims_alone; /* tag bootstrap: it made, or makes, a cluster of itself */
};

struct raft_roll {
    struct raft_seen servers[RAFT_ROLL_MAX];
    uint32_t count;
};

/* A server that is alive, in the place of whoever had its name or its id. False: the roll is full.
 */
bool raft_roll_put(struct raft_roll *roll, const struct raft_seen *server);
/* The member of that name is gone, or no server. */
void raft_roll_drop(struct raft_roll *roll, const char *name);
void raft_roll_deinit(struct raft_roll *roll); /* it is empty, and as good as new */

/* The set to bootstrap, by id: every server that expects `expect` servers, once there are so many
 * and `self` is among them. Its size; 0: not yet. `ret_conflict`: one expects another number, and
 * nobody may bootstrap beside it. */
uint32_t raft_roll_choose(const struct raft_roll *roll, struct raft_id self, uint32_t expect,
                          struct raft_id ret_ids[RAFT_SERVERS_MAX], bool *ret_conflict);

#endif
