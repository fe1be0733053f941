/* Leaving, step by step: only when the node is told to, never by a signal (gossip.md 13, 16;
 * contracts 5.6). A step whose broadcast is not through in time does not stop the leave. */
#include "services/gossipd/core/state.h"

bool gossip_is_leaving(const struct gossip *g)
{
    return g->leave.phase != GOSSIP_STAYS;
}

static void enter(struct gossip *g, enum gossip_leave_phase phase, uint32_t wait_ms)
{
    g->leave.phase = phase;
    g->leave.ticket = 0;
    g->leave.until = cu_mono_add_ms(g->now, wait_ms);
}

static void linger(struct gossip *g)
{
    enter(g, GOSSIP_LEAVE_LINGER, g->timing.leave_propagate_ms);
}

static void say_dead(struct gossip *g)
{
    bool others = gossip_others_alive(g);
    enter(g, GOSSIP_LEAVE_DEAD, g->timing.broadcast_timeout_ms);
    g->leave.ticket = ++g->last_ticket;
    gossip_hear_dead(g,
                     &(struct gossip_accusation){
                         .node = g->name, .incarnation = g->self->incarnation, .from = g->name},
                     g->leave.ticket);
    if (!others)
        linger(g);
}

static void next(struct gossip *g)
{
    switch (g->leave.phase) {
    case GOSSIP_LEAVE_INTENT:
        say_dead(g);
        break;
    case GOSSIP_LEAVE_DEAD:
        linger(g);
        break;
    case GOSSIP_LEAVE_LINGER:
        g->leave.phase = GOSSIP_HAS_LEFT;
        g->leave.until = CU_MONO_NEVER;
        gossip_done(g, g->leave.tag, CU_OK, 0, NULL);
        break;
    case GOSSIP_STAYS:
    case GOSSIP_HAS_LEFT:
        break;
    }
}

void gossip_leave(struct gossip *g, uint64_t tag)
{
    if (g->leave.phase == GOSSIP_HAS_LEFT) {
        gossip_done(g, tag, CU_OK, 0, NULL);
        return;
    }
    if (g->leave.phase != GOSSIP_STAYS) {
        gossip_done(g, tag, CU_E_CONFLICT, 0, "Leave already in progress");
        return;
    }
    struct gossip_serf intent = {.type = GOSSIP_SERF_LEAVE,
                                 .intent = {.ltime = g->member_time, .node = g->name}};
    bool others = gossip_others_alive(g);
    g->leave.tag = tag;
    enter(g, GOSSIP_LEAVE_INTENT, g->timing.broadcast_timeout_ms);
    gossip_write_leave(g);
    g->member_time++;
    (void)gossip_hear_leave_intent(g, &intent.intent);
    if (!others) {
        say_dead(g);
        return;
    }
    g->leave.ticket = ++g->last_ticket;
    gossip_broadcast_serf(g, &intent, g->leave.ticket);
}

void gossip_leave_through(struct gossip *g, uint64_t ticket)
{
    if (ticket == g->leave.ticket)
        next(g);
}

void gossip_leave_run(struct gossip *g)
{
    while (!cu_mono_before(g->now, g->leave.until)) {
        if (g->leave.phase != GOSSIP_LEAVE_LINGER)
            gossip_tell(g, GOSSIP_NOTE_LEAVE_TIMEOUT, g->name, NULL, NULL);
        next(g);
    }
}
