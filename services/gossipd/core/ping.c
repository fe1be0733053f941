/* Pings from others, pings for others, and their answers (gossip.md 7.1). */
#include "services/gossipd/core/state.h"

struct gossip_source gossip_own_source(const struct gossip *g)
{
    return (struct gossip_source){.addr = g->self->addr, .node = g->name};
}

static struct gossip_addr reply_to(const struct gossip_source *source, struct gossip_addr from)
{
    return source->addr.ip.len && source->addr.port ? source->addr : from;
}

void gossip_hear_ping(struct gossip *g, const struct gossip_ping *ping, struct gossip_addr from)
{
    if (ping->node.len && !cu_bytes_equal(ping->node, g->name)) {
        gossip_tell(g, GOSSIP_NOTE_WRONG_NODE, ping->node, &from, NULL);
        return;
    }
    struct gossip_message ack = {.type = GOSSIP_ACK, .ack = {.seq = ping->seq}};
    gossip_send(g, reply_to(&ping->source, from), &ack);
}

/* ---- pings that we carry out for others ---- */

static struct gossip_relay *relay_at(struct gossip *g, uint32_t n)
{
    return &g->relays[(g->relay_first + n) % GOSSIP_RELAYS_MAX];
}

static void drop_first_relay(struct gossip *g)
{
    g->relay_first = (g->relay_first + 1) % GOSSIP_RELAYS_MAX;
    g->relay_count--;
}

void gossip_hear_indirect(struct gossip *g, const struct gossip_indirect_ping *ping,
                          struct gossip_addr from)
{
    if (!ping->target.ip.len || g->relay_count == GOSSIP_RELAYS_MAX) {
        g->dropped++;
        return;
    }
    struct gossip_addr target = ping->target;
    if (!target.port)
        target.port = g->self->addr.port;
    uint32_t seq = ++g->last_seq;
    *relay_at(g, g->relay_count++) =
        (struct gossip_relay){.seq = seq,
                              .asked_seq = ping->seq,
                              .asker = reply_to(&ping->source, from),
                              .wants_nack = ping->wants_nack,
                              .until = cu_mono_add_ms(g->now, g->timing.probe_timeout_ms)};
    struct gossip_message out = {
        .type = GOSSIP_PING,
        .ping = {.node = ping->node, .seq = seq, .source = gossip_own_source(g)}};
    gossip_send(g, target, &out);
}

void gossip_run_relays(struct gossip *g)
{
    while (g->relay_count && !cu_mono_before(g->now, relay_at(g, 0)->until)) {
        struct gossip_relay late = *relay_at(g, 0);
        drop_first_relay(g);
        if (!late.seq || !late.wants_nack)
            continue;
        struct gossip_message nack = {.type = GOSSIP_NACK, .nack = {.seq = late.asked_seq}};
        gossip_send(g, late.asker, &nack);
    }
}

struct cu_mono gossip_relay_due(const struct gossip *g)
{
    return g->relay_count ? g->relays[g->relay_first].until : CU_MONO_NEVER;
}

static struct gossip_relay *find_relay(struct gossip *g, uint32_t seq)
{
    for (uint32_t i = 0; i < g->relay_count; i++)
        if (relay_at(g, i)->seq == seq)
            return relay_at(g, i);
    return NULL;
}

void gossip_hear_ack(struct gossip *g, uint32_t seq)
{
    if (!seq)
        return; /* ours begin at 1 */
    if (g->probe.phase != GOSSIP_PROBE_NONE && g->probe.seq == seq) {
        gossip_probe_acked(g);
        return;
    }
    struct gossip_relay *relay = find_relay(g, seq);
    if (!relay)
        return; /* nobody waits for it any more */
    struct gossip_message ack = {.type = GOSSIP_ACK, .ack = {.seq = relay->asked_seq}};
    gossip_send(g, relay->asker, &ack);
    relay->seq = 0; /* its place in the ring is left when its time comes */
}

void gossip_hear_nack(struct gossip *g, uint32_t seq)
{
    struct gossip_probe *probe = &g->probe;
    if (probe->phase == GOSSIP_PROBE_INDIRECT && probe->seq == seq &&
        probe->nacks < probe->nacks_expected)
        probe->nacks++;
}
