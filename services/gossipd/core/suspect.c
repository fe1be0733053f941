/* Suspicion, death and leaving, as memberlist believes them (gossip.md 8.2, 8.3). */
#include "common/base/planted.h"
#include "services/gossipd/core/state.h"

void gossip_suspicion_due(struct gossip *g, struct cu_mono at)
{
    g->suspicion_due = cu_mono_min(g->suspicion_due, at);
}

void gossip_end_suspicion(struct gossip_member *member)
{
    gossip_suspicion_free(member->suspicion);
    member->suspicion = NULL;
}

static void rebroadcast(struct gossip *g, enum gossip_type type,
                        const struct gossip_accusation *accusation, uint64_t ticket)
{
    struct gossip_message message = {.type = type};
    if (type == GOSSIP_SUSPECT)
        message.suspect = *accusation;
    else
        message.dead = *accusation;
    gossip_broadcast(g, accusation->node, &message, ticket);
}

/* ---- accusations that were answered long ago ---- */

static bool is_member_at(const struct gossip *g, struct gossip_addr addr)
{
    for (uint32_t i = 0; i < g->members.list_count; i++)
        if (gossip_addr_equal(g->members.list[i]->addr, addr))
            return true;
    return false;
}

/* Who passes on an accusation below the incarnation that the accused has by now has missed its
 * answer, and would not hear it again before the next exchange of states: it is told, directly.
 * Only members are, so that nobody can make us send to strangers. */
static void correct_teller(struct gossip *g, const struct gossip_member *accused)
{
    if (accused->state != GOSSIP_STATE_ALIVE || !g->heard_from.ip.len ||
        !is_member_at(g, g->heard_from))
        return;
    gossip_send(g, g->heard_from,
                &(struct gossip_message){.type = GOSSIP_ALIVE, .alive = gossip_alive_of(accused)});
}

/* The listed member that it is about; NULL: nobody, or an old story. */
static struct gossip_member *find_accused(struct gossip *g,
                                          const struct gossip_accusation *accusation)
{
    struct gossip_member *member = gossip_members_get(&g->members, accusation->node);
    if (!member || member->at == GOSSIP_NOT_LISTED)
        return NULL;
    if (accusation->incarnation >= member->incarnation)
        return member;
    correct_teller(g, member);
    return NULL;
}

/* ---- suspicion ---- */

static void confirm(struct gossip *g, struct gossip_member *member,
                    const struct gossip_accusation *suspect)
{
    if (!gossip_suspicion_confirm(member->suspicion, suspect->from))
        return;
    rebroadcast(g, GOSSIP_SUSPECT, suspect, 0);
    gossip_suspicion_due(g, gossip_suspicion_deadline(member->suspicion));
}

static void begin_suspicion(struct gossip *g, struct gossip_member *member, struct cu_bytes from)
{
    struct gossip_suspicion_limits limits =
        gossip_suspicion_limits(g->timing.suspicion_mult, g->timing.suspicion_max_mult,
                                g->timing.probe_interval_ms, g->members.list_count);
    member->suspicion = gossip_suspicion_new(&limits, from, g->now);
    gossip_suspicion_due(g, gossip_suspicion_deadline(member->suspicion));
}

void gossip_hear_suspect(struct gossip *g, const struct gossip_accusation *suspect)
{
    struct gossip_member *member = find_accused(g, suspect);
    if (!member)
        return;
    if (member->suspicion) {
        confirm(g, member, suspect);
        return;
    }
    if (member->state != GOSSIP_STATE_ALIVE)
        return;
    if (member == g->self) {
        gossip_refute(g, suspect->incarnation, suspect->from);
        return;
    }
    rebroadcast(g, GOSSIP_SUSPECT, suspect, 0);
    member->incarnation = suspect->incarnation;
    member->state = GOSSIP_STATE_SUSPECT;
    member->state_since = g->now;
    begin_suspicion(g, member, suspect->from);
}

/* ---- death ---- */

void gossip_hear_dead(struct gossip *g, const struct gossip_accusation *dead, uint64_t ticket)
{
    struct gossip_member *member = find_accused(g, dead);
    if (!member)
        return;
    gossip_end_suspicion(member);
    if (member->state == GOSSIP_STATE_DEAD || member->state == GOSSIP_STATE_LEFT)
        return;
    if (member == g->self && !gossip_is_leaving(g)) {
        gossip_refute(g, dead->incarnation, dead->from);
        return;
    }
    rebroadcast(g, GOSSIP_DEAD, dead, ticket);
    member->incarnation = dead->incarnation;
    bool by_itself = cu_bytes_equal(dead->node, dead->from);
    member->state = by_itself ? GOSSIP_STATE_LEFT : GOSSIP_STATE_DEAD;
    member->state_since = g->now;
    gossip_member_gone(g, member);
}

static void give_up(struct gossip *g, struct gossip_member *member)
{
    gossip_hear_dead(g,
                     &(struct gossip_accusation){
                         .node = member->name, .incarnation = member->incarnation, .from = g->name},
                     0);
}

/* Also members that are being pruned and have had their time (gossip.md 16). */
void gossip_run_suspicions(struct gossip *g)
{
    if (cu_mono_before(g->now, g->suspicion_due))
        return;
    g->suspicion_due = CU_MONO_NEVER;
    for (uint32_t i = 0; i < g->members.list_count; i++) {
        struct gossip_member *member = g->members.list[i];
        if (!member->suspicion)
            continue;
        struct cu_mono at = gossip_suspicion_deadline(member->suspicion);
        if (cu_mono_before(g->now, at))
            gossip_suspicion_due(g, at);
        else
            give_up(g, member);
    }
    gossip_run_prunes(g);
}
