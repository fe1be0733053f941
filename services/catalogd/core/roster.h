/* roster.h - the members as gossipd's feed tells them, and which of them wait for a look (contracts
 * 5.5). Pure; the edge asks gossipd and acts.
 *
 * Absence removes nothing: only records change what is known of a member. */
#ifndef CATALOG_ROSTER_H
#define CATALOG_ROSTER_H

#include "common/base/map.h"
#include "services/catalogd/core/member.h"

enum { CATALOG_ROSTER_MAX = 65536 }; /* members known at once; more are not looked at */

struct catalog_roster_entry;

/* Zero-initialise. */
struct catalog_roster {
    struct cu_map members;                     /* by name in lower case, of entries */
    struct catalog_roster_entry *first, *last; /* those that wait, in their order */
    size_t waiting;
    struct cu_buf feed_id; /* where to follow from */
    uint64_t after;
    bool has_list;        /* else: List first */
    bool is_complete;     /* gossipd has joined and exchanged its state once */
    struct cu_map unseen; /* nodes that gossip does not show, by name in lower case */
};

void catalog_roster_deinit(struct catalog_roster *roster);

/* Takes a list: those that are not in it are forgotten, all that are wait. */
void catalog_roster_take_list(struct catalog_roster *roster,
                              const Curia__Internal__V1__MembersListReply *reply);
/* Takes records: their members wait. COMPACTED: List is to be called next. */
void catalog_roster_take_records(struct catalog_roster *roster,
                                 const Curia__Internal__V1__MembersFollowReply *reply);

/* All wait for a look: a full round. */
void catalog_roster_wait_all(struct catalog_roster *roster);
void catalog_roster_wait(struct catalog_roster *roster, const char *name); /* nobody: nothing */

/* The next that waits, which then waits no longer; borrowed until the next take. NULL: none. */
const catalog_member *catalog_roster_next(struct catalog_roster *roster);
/* The catalog is as its record says: a reaped one is forgotten. */
void catalog_roster_settled(struct catalog_roster *roster, const char *name);
bool catalog_roster_knows(const struct catalog_roster *roster, const char *name);

/* Of the servers that are alive and claim to begin a cluster on their own only one can be right:
 * this node, else the first by name. The name of that one, when `member` is another; else NULL. */
const char *catalog_roster_rival(const struct catalog_roster *roster,
                                 const struct catalog_member_self *self,
                                 const catalog_member *member);

/* A node that gossip put into the catalog and does not show, in a round at `lease_ms`: since when.
 * End of the round: those that were not named in it are counted anew when they are missed again. */
uint64_t catalog_roster_missed(struct catalog_roster *roster, const char *name, uint64_t lease_ms);
void catalog_roster_end_round(struct catalog_roster *roster, uint64_t lease_ms);

#endif
