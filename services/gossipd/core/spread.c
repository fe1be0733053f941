/* Broadcasts: queueing them, and telling them to some members again and again (gossip.md 11). */
#include "services/gossipd/core/state.h"

static void put(struct gossip *g, struct gossip_queue *queue, struct cu_bytes key, uint64_t ticket)
{
    gossip_queue_put(queue, key, cu_buf_bytes(&g->scratch), ticket);
    if (gossip_queue_prune(queue, GOSSIP_QUEUE_MAX))
        gossip_tell(g, GOSSIP_NOTE_QUEUE_FULL, (struct cu_bytes){0}, NULL, NULL);
}

void gossip_broadcast(struct gossip *g, struct cu_bytes key, const struct gossip_message *message,
                      uint64_t ticket)
{
    cu_buf_clear(&g->scratch);
    gossip_encode(&g->scratch, message);
    put(g, &g->broadcasts, key, ticket);
}

void gossip_broadcast_serf(struct gossip *g, const struct gossip_serf *serf, uint64_t ticket)
{
    cu_buf_clear(&g->scratch);
    gossip_serf_encode(&g->scratch, serf);
    put(g, &g->intents, (struct cu_bytes){0}, ticket);
}

void gossip_rebroadcast(struct gossip *g, struct gossip_queue *queue, struct cu_bytes whole)
{
    /* One that fits in no packet would wait for ever. */
    if (whole.len + 1 + GOSSIP_COMPOUND_HEADER_BYTES + GOSSIP_COMPOUND_PART_BYTES >
        g->packet_budget)
        return;
    cu_buf_clear(&g->scratch);
    cu_buf_append(&g->scratch, whole.data, whole.len);
    put(g, queue, (struct cu_bytes){0}, 0);
}

void gossip_fill(struct gossip *g)
{
    uint32_t listed = gossip_retransmit_limit(g->timing.retransmit_mult, g->members.list_count);
    uint32_t known = gossip_retransmit_limit(g->timing.retransmit_mult, gossip_member_count(g));
    gossip_queue_fill(&g->broadcasts, &g->parts, -1, listed);
    gossip_queue_fill(&g->intents, &g->parts, GOSSIP_USER, known);
    gossip_queue_fill(&g->queries, &g->parts, GOSSIP_USER, known);
    gossip_queue_fill(&g->events, &g->parts, GOSSIP_USER, known);
}

/* The living, the suspected, and those who died a moment ago and may not know it. */
static bool hears_gossip(const struct gossip_member *member, const void *context)
{
    const struct gossip *g = context;
    if (member == g->self)
        return false;
    switch (member->state) {
    case GOSSIP_STATE_ALIVE:
    case GOSSIP_STATE_SUSPECT:
        return true;
    case GOSSIP_STATE_DEAD:
        return cu_mono_ms_between(member->state_since, g->now) <= g->timing.gossip_to_dead_ms;
    case GOSSIP_STATE_LEFT:
        return false;
    }
    return false;
}

enum { NODES_MAX = 64 };

void gossip_spread(struct gossip *g)
{
    if (!g->broadcasts.count && !g->intents.count && !g->queries.count && !g->events.count)
        return;
    struct gossip_member *to[NODES_MAX];
    uint32_t k = g->timing.gossip_nodes < NODES_MAX ? g->timing.gossip_nodes : NODES_MAX;
    uint32_t count = gossip_members_random(&g->members, &g->random, k, hears_gossip, g, to);
    for (uint32_t i = 0; i < count; i++) {
        gossip_parts_begin(&g->parts, g->packet_budget);
        gossip_fill(g);
        if (!g->parts.count)
            return;
        gossip_send_parts(g, to[i]->addr, to[i]->versions.pmax >= GOSSIP_CRC_PMAX);
    }
}
