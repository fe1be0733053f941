/* What serf says of a member, and the feed of it (gossip.md 16; contracts 5.5). */
#include <string.h>

#include "services/gossipd/core/state.h"

const char *gossip_status_name(enum gossip_status status)
{
    static const char *const names[GOSSIP_STATUS_COUNT] = {"none", "alive",  "leaving",
                                                           "left", "failed", "reaped"};
    return names[status];
}

const char *gossip_change_name(enum gossip_change change)
{
    static const char *const names[GOSSIP_CHANGE_COUNT] = {"none", "alive",  "failed",
                                                           "left", "reaped", "updated"};
    return names[change];
}

bool gossip_is_member(const struct gossip_member *member)
{
    return member->status != GOSSIP_STATUS_NONE && member->status != GOSSIP_STATUS_REAPED;
}

uint32_t gossip_member_count(const struct gossip *g)
{
    const uint32_t *count = g->members.count;
    return count[GOSSIP_STATUS_ALIVE] + count[GOSSIP_STATUS_LEAVING] + count[GOSSIP_STATUS_LEFT] +
           count[GOSSIP_STATUS_FAILED];
}

struct gossip_member_view gossip_view_of(const struct gossip_member *member)
{
    return (struct gossip_member_view){
        .name = (const char *)member->name.data,
        .address = member->addr,
        .meta = member->meta,
        .versions = member->versions,
        .incarnation = member->incarnation,
        .status = member->status,
        .is_suspect = member->at != GOSSIP_NOT_LISTED && member->state == GOSSIP_STATE_SUSPECT,
        .since_wall_ms = member->since_wall_ms,
        .index = member->index,
    };
}

/* ---- changes ---- */

void gossip_record(struct gossip *g, struct gossip_member *member, enum gossip_change change)
{
    gossip_members_record(&g->members, member, change);
    gossip_write_record(g, member);
    struct gossip_action *action = gossip_act(g, GOSSIP_ACT_MEMBER);
    action->member.change = change;
    action->member.view = gossip_view_of(member);
}

static void become(struct gossip *g, struct gossip_member *member, enum gossip_status status)
{
    gossip_members_set_status(&g->members, member, status);
    member->since = g->now;
    member->since_wall_ms = g->wall_ms;
    member->prune_at = (struct cu_mono){0};
}

/* Of one that was not known, an intent may have come before it. */
static void take_early_intent(struct gossip *g, struct gossip_member *member)
{
    const struct gossip_seen_intent *intent = gossip_seen_intent(g, member->name);
    member->status_ltime = intent ? intent->ltime : 0;
    if (intent && intent->type == GOSSIP_SERF_LEAVE)
        become(g, member, GOSSIP_STATUS_LEAVING);
}

void gossip_member_joined(struct gossip *g, struct gossip_member *member)
{
    bool was_known = gossip_is_member(member);
    become(g, member, GOSSIP_STATUS_ALIVE);
    if (!was_known)
        take_early_intent(g, member);
    gossip_unseen_seen(g, member->name);
    gossip_record(g, member, GOSSIP_CHANGE_ALIVE);
}

void gossip_member_updated(struct gossip *g, struct gossip_member *member)
{
    if (gossip_is_member(member))
        gossip_record(g, member, GOSSIP_CHANGE_UPDATED);
}

void gossip_member_leaving(struct gossip *g, struct gossip_member *member)
{
    become(g, member, GOSSIP_STATUS_LEAVING);
}

void gossip_member_stays(struct gossip *g, struct gossip_member *member)
{
    become(g, member, GOSSIP_STATUS_ALIVE);
    gossip_record(g, member, GOSSIP_CHANGE_UPDATED);
}

void gossip_member_left(struct gossip *g, struct gossip_member *member)
{
    struct cu_mono prune_at = member->prune_at;
    become(g, member, GOSSIP_STATUS_LEFT);
    member->prune_at = prune_at;
    gossip_record(g, member, GOSSIP_CHANGE_LEFT);
}

void gossip_member_failed(struct gossip *g, struct gossip_member *member)
{
    become(g, member, GOSSIP_STATUS_FAILED);
    gossip_record(g, member, GOSSIP_CHANGE_FAILED);
}

/* memberlist calls it gone: whether it left or failed hangs on what it said before. */
void gossip_member_gone(struct gossip *g, struct gossip_member *member)
{
    if (member->status == GOSSIP_STATUS_LEAVING)
        gossip_member_left(g, member);
    else if (member->status == GOSSIP_STATUS_ALIVE)
        gossip_member_failed(g, member);
}

void gossip_member_erase(struct gossip *g, struct gossip_member *member)
{
    become(g, member, GOSSIP_STATUS_REAPED);
    member->status_ltime = 0;
    gossip_record(g, member, GOSSIP_CHANGE_REAPED);
}

/* ---- questions ---- */

bool gossip_feed_next(const struct gossip *gossip, uint64_t after,
                      struct gossip_member_view *ret_member, enum gossip_change *ret_change)
{
    const struct gossip_member *found = NULL; /* from the end: followers are mostly up to date */
    for (const struct gossip_member *m = gossip->members.feed_last; m && m->index > after;
         m = m->feed_prev)
        found = m;
    if (!found)
        return false;
    *ret_member = gossip_view_of(found);
    *ret_change = found->change;
    return true;
}

uint64_t gossip_feed_index(const struct gossip *gossip)
{
    return gossip->members.index;
}

bool gossip_is_complete(const struct gossip *gossip)
{
    return gossip->is_complete;
}

bool gossip_member_next(const struct gossip *gossip, size_t *at,
                        struct gossip_member_view *ret_member)
{
    struct cu_bytes name;
    void *value = NULL;
    while (cu_map_next(&gossip->members.by_name, at, &name, &value)) {
        if (!gossip_is_member(value))
            continue;
        *ret_member = gossip_view_of(value);
        return true;
    }
    return false;
}

bool gossip_member_find(const struct gossip *gossip, const char *name,
                        struct gossip_member_view *ret_member)
{
    const struct gossip_member *member = gossip_members_get(&gossip->members, cu_bytes_of(name));
    if (!member || !gossip_is_member(member))
        return false;
    *ret_member = gossip_view_of(member);
    return true;
}
