/* Alive messages, and answering accusations (gossip.md 8.1, 8.4). */
#include "services/gossipd/core/state.h"

#include "common/base/planted.h"

struct gossip_alive gossip_alive_of(const struct gossip_member *member)
{
    return (struct gossip_alive){.node = member->name,
                                 .addr = member->addr,
                                 .incarnation = member->incarnation,
                                 .meta = member->meta,
                                 .versions = member->versions};
}

/* A suspect still counts: it may hear us. */
bool gossip_others_alive(const struct gossip *g)
{
    for (uint32_t i = 0; i < g->members.list_count; i++) {
        const struct gossip_member *member = g->members.list[i];
        if (member != g->self &&
            (member->state == GOSSIP_STATE_ALIVE || member->state == GOSSIP_STATE_SUSPECT))
            return true;
    }
    return false;
}

void gossip_announce_self(struct gossip *g, uint64_t ticket)
{
    struct gossip_message message = {.type = GOSSIP_ALIVE, .alive = gossip_alive_of(g->self)};
    gossip_broadcast(g, g->name, &message, ticket);
}

void gossip_refute(struct gossip *g, uint32_t accused, struct cu_bytes from)
{
    if (cu_planted("gossip-silent-accused"))
        return;
    if (!cu_planted("gossip-same-incarnation"))
        g->self->incarnation =
            accused > g->self->incarnation ? accused + 1 : g->self->incarnation + 1;
    g->refuted++;
    gossip_health(g, 1);
    gossip_announce_self(g, 0);
    gossip_tell(g, GOSSIP_NOTE_REFUTED, from, NULL, NULL);
}

/* ---- may it be taken at all? ---- */

static bool versions_possible(const struct gossip_versions *v)
{
    return !v->known || (v->pmin && v->pmax && v->pmin <= v->pmax);
}

static bool admitted(struct gossip *g, const struct gossip_alive *alive)
{
    if (!versions_possible(&alive->versions)) {
        gossip_tell(g, GOSSIP_NOTE_BAD_VERSION, alive->node, &alive->addr, NULL);
        return false;
    }
    if (!gossip_name_is_fit(alive->node)) {
        gossip_tell(g, GOSSIP_NOTE_REFUSED, alive->node, &alive->addr,
                    "its name is empty or has control characters");
        return false;
    }
    struct cu_diag diag = {0};
    if (gossip_pool_admits(g, alive, &diag))
        return true;
    gossip_tell(g, GOSSIP_NOTE_REFUSED, alive->node, &alive->addr, diag.text);
    return false;
}

static bool reclaimable(const struct gossip *g, const struct gossip_member *member)
{
    if (member->state == GOSSIP_STATE_LEFT)
        return true;
    return member->state == GOSSIP_STATE_DEAD && g->timing.dead_reclaim_ms &&
           cu_mono_ms_between(member->state_since, g->now) > g->timing.dead_reclaim_ms;
}

static void tell_conflict(struct gossip *g, struct gossip_member *member,
                          const struct gossip_alive *alive)
{
    gossip_tell(g, member == g->self ? GOSSIP_NOTE_CONFLICT_SELF : GOSSIP_NOTE_CONFLICT,
                member->name, &alive->addr, NULL);
}

/* A reaped member is remembered for the feed alone: the oldest such makes room. */
static bool make_room(struct gossip *g, const struct gossip_alive *alive)
{
    if (g->members.by_name.count < g->members_max)
        return true;
    for (struct gossip_member *m = g->members.feed_first; m; m = m->feed_next) {
        if (m->status != GOSSIP_STATUS_REAPED || m->at != GOSSIP_NOT_LISTED)
            continue;
        gossip_members_forget(&g->members, m);
        return true;
    }
    gossip_tell(g, GOSSIP_NOTE_MEMBERS_FULL, alive->node, &alive->addr, NULL);
    return false;
}

/* Known again or for the first time: in the table, dead until the message is believed. */
static struct gossip_member *enlist(struct gossip *g, const struct gossip_alive *alive)
{
    struct gossip_member *member = gossip_members_get(&g->members, alive->node);
    if (!member) {
        if (!make_room(g, alive))
            return NULL;
        member = gossip_members_add(&g->members, alive->node);
    }
    member->state = GOSSIP_STATE_DEAD;
    member->incarnation = 0;
    member->addr = alive->addr;
    gossip_member_set_meta(member, alive->meta);
    member->versions = alive->versions;
    gossip_members_list(&g->members, member, &g->random);
    return member;
}

/* ---- believing it ---- */

static bool says_what_we_are(const struct gossip_member *self, const struct gossip_alive *alive)
{
    return alive->incarnation == self->incarnation && cu_bytes_equal(alive->meta, self->meta) &&
           gossip_versions_equal(alive->versions, self->versions);
}

static void believe(struct gossip *g, struct gossip_member *member,
                    const struct gossip_alive *alive)
{
    struct gossip_message message = {.type = GOSSIP_ALIVE, .alive = *alive};
    gossip_broadcast(g, member->name, &message, 0);

    bool was_gone = member->state == GOSSIP_STATE_DEAD || member->state == GOSSIP_STATE_LEFT;
    bool changed = !cu_bytes_equal(member->meta, alive->meta);
    if (alive->versions.known)
        member->versions = alive->versions;
    member->incarnation = alive->incarnation;
    member->addr = alive->addr;
    if (changed)
        gossip_member_set_meta(member, alive->meta);
    if (member->state != GOSSIP_STATE_ALIVE) {
        member->state = GOSSIP_STATE_ALIVE;
        member->state_since = g->now;
    }
    if (was_gone || !gossip_is_member(member)) /* the latter: pruned while it lived */
        gossip_member_joined(g, member);
    else if (changed)
        gossip_member_updated(g, member);
}

static void hear_of_self(struct gossip *g, const struct gossip_alive *alive)
{
    if (alive->incarnation < g->self->incarnation || says_what_we_are(g->self, alive))
        return;
    gossip_refute(g, alive->incarnation, alive->node);
}

static bool is_about_other_address(const struct gossip_member *member,
                                   const struct gossip_alive *alive)
{
    return !gossip_addr_equal(member->addr, alive->addr);
}

void gossip_hear_alive(struct gossip *g, const struct gossip_alive *heard)
{
    struct gossip_alive alive = *heard;
    if (!alive.addr.port) /* "the same as mine": before protocol 2 */
        alive.addr.port = g->self->addr.port;
    bool is_self = cu_bytes_equal(alive.node, g->name);
    if ((is_self && gossip_is_leaving(g)) || !alive.node.len || !alive.addr.ip.len ||
        !admitted(g, &alive))
        return;

    struct gossip_member *member = gossip_members_get(&g->members, alive.node);
    bool takes_address = false;
    if (!member || member->at == GOSSIP_NOT_LISTED) {
        member = enlist(g, &alive);
        if (!member)
            return;
    } else if (is_about_other_address(member, &alive)) {
        takes_address = reclaimable(g, member);
        if (!takes_address) {
            tell_conflict(g, member, &alive);
            return;
        }
    }
    if (is_self) {
        hear_of_self(g, &alive);
        return;
    }
    if (alive.incarnation <= member->incarnation && !takes_address)
        return;
    gossip_end_suspicion(member);
    believe(g, member, &alive);
}
