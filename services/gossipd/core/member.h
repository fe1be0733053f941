/* member.h - what is known of one member, and the table of all of them. */
#ifndef GOSSIP_MEMBER_H
#define GOSSIP_MEMBER_H

#include "common/base/map.h"
#include "common/base/mono.h"
#include "common/base/random.h"
#include "services/gossipd/core/gossip.h"

enum { GOSSIP_NOT_LISTED = UINT32_MAX };

/* One record for both layers: what memberlist believes (while it is listed: `at`), and what serf
 * says of it, which outlives that (gossip.md 8 and 16). */
struct gossip_member {
    struct cu_bytes name; /* owned, with a NUL behind it */
    struct gossip_addr addr;
    struct gossip_versions versions;
    struct cu_bytes meta; /* owned */

    /* memberlist */
    uint32_t at; /* place in the probe list; GOSSIP_NOT_LISTED */
    enum gossip_state state;
    uint32_t incarnation;
    struct cu_mono state_since;
    struct gossip_suspicion *suspicion; /* owned; while state is suspect */

    /* serf */
    enum gossip_status status;
    uint64_t status_ltime;
    uint64_t since_wall_ms;
    struct cu_mono since;    /* failed or left: to count the reap time from; reaped: to forget */
    struct cu_mono prune_at; /* {0}: not being pruned */

    /* feed: by rising index */
    enum gossip_change change;
    uint64_t index;
    struct gossip_member *feed_prev, *feed_next;
};

/* Zero-initialise; gossip_members_deinit frees. */
struct gossip_members {
    struct cu_map by_name;
    struct gossip_member **list; /* in the order in which they are probed */
    uint32_t list_count, list_cap;
    struct gossip_member *feed_first, *feed_last;
    uint64_t index;                      /* of the newest record */
    uint32_t count[GOSSIP_STATUS_COUNT]; /* members by status */
};

void gossip_members_deinit(struct gossip_members *members);

/* NULL: not known. */
struct gossip_member *gossip_members_get(const struct gossip_members *members,
                                         struct cu_bytes name);
/* Adds one of status NONE, not listed; the name must be new. */
struct gossip_member *gossip_members_add(struct gossip_members *members, struct cu_bytes name);
/* Takes it out of everything and frees it. */
void gossip_members_forget(struct gossip_members *members, struct gossip_member *member);

void gossip_member_set_meta(struct gossip_member *member, struct cu_bytes meta); /* copied */
void gossip_members_set_status(struct gossip_members *members, struct gossip_member *member,
                               enum gossip_status status);

/* Into the probe list at a random place, so that new ones are probed soon on average (gossip.md
 * 8.1); a member listed already stays where it is. */
void gossip_members_list(struct gossip_members *members, struct gossip_member *member,
                         struct cu_random *random);
void gossip_members_unlist(struct gossip_members *members, struct gossip_member *member);
void gossip_members_shuffle(struct gossip_members *members, struct cu_random *random);

/* Gives the member the newest index of the feed. */
void gossip_members_record(struct gossip_members *members, struct gossip_member *member,
                           enum gossip_change change);

typedef bool gossip_member_pick(const struct gossip_member *member, const void *context);

/* Up to `k` different listed members for which `wanted` says yes, at random; their number. Finds
 * them all when there are few (gossip.md 9 kRandom, NEWER). */
uint32_t gossip_members_random(const struct gossip_members *members, struct cu_random *random,
                               uint32_t k, gossip_member_pick *wanted, const void *context,
                               struct gossip_member **ret_members);

#endif
