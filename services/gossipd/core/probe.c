/* Probing one member after the other, and our own health (gossip.md 9, 10.1). */
#include "services/gossipd/core/state.h"

#include <stdlib.h>

#include "common/base/assert.h"

void gossip_health(struct gossip *g, int delta)
{
    int health = (int)g->health + delta, most = (int)g->timing.awareness_max - 1;
    g->health = health < 0 ? 0 : health > most ? (uint32_t)most : (uint32_t)health;
}

/* ---- choosing whom ---- */

static bool is_gone(const struct gossip_member *member)
{
    return member->state == GOSSIP_STATE_DEAD || member->state == GOSSIP_STATE_LEFT;
}

/* At each wrap: those dead for long leave the table (serf goes on knowing them), and the order is
 * drawn anew (gossip.md 8.6). */
static void new_round(struct gossip *g)
{
    for (uint32_t i = g->members.list_count; i; i--) {
        struct gossip_member *member = g->members.list[i - 1];
        if (member != g->self && is_gone(member) &&
            cu_mono_ms_between(member->state_since, g->now) > g->timing.gossip_to_dead_ms)
            gossip_members_unlist(&g->members, member);
    }
    gossip_members_shuffle(&g->members, &g->random);
    g->probe_at = 0;
}

/* Looks at each place at most once, and wraps at most once. NULL: nobody to probe. */
static struct gossip_member *next_target(struct gossip *g)
{
    for (uint32_t looked = 0; looked <= g->members.list_count; looked++) {
        if (g->probe_at >= g->members.list_count) {
            new_round(g);
            continue;
        }
        struct gossip_member *member = g->members.list[g->probe_at++];
        if (member != g->self && !is_gone(member))
            return member;
    }
    return NULL;
}

/* ---- the direct ping ---- */

/* A suspect hears at once that it is one, so that it can refute (the buddy system). */
static void ping_suspect(struct gossip *g, const struct gossip_member *target,
                         const struct gossip_message *ping)
{
    struct gossip_message suspect = {
        .type = GOSSIP_SUSPECT,
        .suspect = {.node = target->name, .incarnation = target->incarnation, .from = g->name}};
    gossip_parts_begin(&g->parts, g->packet_budget);
    gossip_encode(&g->parts.bytes, ping);
    gossip_parts_end_one(&g->parts);
    gossip_encode(&g->parts.bytes, &suspect);
    gossip_parts_end_one(&g->parts);
    gossip_send_parts(g, target->addr, target->versions.pmax >= GOSSIP_CRC_PMAX);
}

static void begin(struct gossip *g, struct gossip_member *target)
{
    uint64_t interval_ms = (uint64_t)g->timing.probe_interval_ms * (g->health + 1);
    g->probes++;
    g->probe = (struct gossip_probe){
        .phase = GOSSIP_PROBE_DIRECT,
        .target = target,
        .seq = ++g->last_seq,
        .incarnation = target->incarnation,
        .sent = g->now,
        .direct_until = cu_mono_add_ms(g->now, g->timing.probe_timeout_ms),
        .deadline = cu_mono_add_ms(g->now, interval_ms),
    };
    struct gossip_message ping = {
        .type = GOSSIP_PING,
        .ping = {.node = target->name, .seq = g->probe.seq, .source = gossip_own_source(g)}};
    if (target->state == GOSSIP_STATE_ALIVE)
        gossip_send(g, target->addr, &ping);
    else
        ping_suspect(g, target, &ping);
}

void gossip_probe_tick(struct gossip *g)
{
    struct gossip_member *target = next_target(g);
    if (target)
        begin(g, target);
}

/* ---- by others, and over TCP ---- */

static bool can_relay(const struct gossip_member *member, const void *context)
{
    const struct gossip *g = context;
    return member != g->self && member != g->probe.target && member->state == GOSSIP_STATE_ALIVE;
}

enum { RELAYS_MAX = 32 };

static void ask_others(struct gossip *g)
{
    struct gossip_probe *probe = &g->probe;
    struct gossip_member *relays[RELAYS_MAX];
    uint32_t k = g->timing.indirect_checks < RELAYS_MAX ? g->timing.indirect_checks : RELAYS_MAX;
    uint32_t count = gossip_members_random(&g->members, &g->random, k, can_relay, g, relays);
    for (uint32_t i = 0; i < count; i++) {
        bool wants_nack = relays[i]->versions.pmax >= GOSSIP_NACK_PMAX;
        struct gossip_message ask = {.type = GOSSIP_INDIRECT_PING,
                                     .indirect_ping = {.node = probe->target->name,
                                                       .target = probe->target->addr,
                                                       .seq = probe->seq,
                                                       .wants_nack = wants_nack,
                                                       .source = gossip_own_source(g)}};
        probe->nacks_expected += wants_nack;
        gossip_send(g, relays[i]->addr, &ask);
    }
}

static void ping_over_tcp(struct gossip *g)
{
    struct gossip_probe *probe = &g->probe;
    if (probe->target->versions.pmax < GOSSIP_TCP_PING_PMAX)
        return;
    struct gossip_message ping = {
        .type = GOSSIP_PING,
        .ping = {.node = probe->target->name, .seq = probe->seq, .source = gossip_own_source(g)}};
    struct cu_buf *bytes = cu_alloc(sizeof *bytes);
    gossip_encode(bytes, &ping);
    probe->tcp_exchange = gossip_dial(
        g, &(struct gossip_exchange){.kind = GOSSIP_EXCHANGE_PING, .to = probe->target->addr},
        bytes, (uint32_t)cu_mono_ms_between(g->now, probe->deadline));
}

static void go_indirect(struct gossip *g)
{
    g->probe.phase = GOSSIP_PROBE_INDIRECT;
    ask_others(g);
    if (cu_mono_before(g->now, g->probe.deadline))
        ping_over_tcp(g);
}

/* ---- how it ends ---- */

static void succeed(struct gossip *g)
{
    g->probe.phase = GOSSIP_PROBE_NONE;
    gossip_health(g, -1);
}

/* Relays that say "I got no answer either" speak for our own health (Lifeguard). */
static void fail(struct gossip *g)
{
    struct gossip_probe probe = g->probe;
    g->probe.phase = GOSSIP_PROBE_NONE;
    g->probes_failed++;
    gossip_health(g, probe.nacks_expected ? (int)(probe.nacks_expected - probe.nacks) : 1);
    if (probe.target->at == GOSSIP_NOT_LISTED || is_gone(probe.target))
        return;
    gossip_tell(g, GOSSIP_NOTE_SUSPECT, probe.target->name, &probe.target->addr, NULL);
    gossip_hear_suspect(g, &(struct gossip_accusation){.node = probe.target->name,
                                                       .incarnation = probe.incarnation,
                                                       .from = g->name});
}

void gossip_probe_acked(struct gossip *g)
{
    succeed(g);
}

void gossip_probe_tcp(struct gossip *g, uint64_t exchange, bool answered)
{
    if (g->probe.phase == GOSSIP_PROBE_INDIRECT && g->probe.tcp_exchange == exchange)
        g->probe.tcp_answered = answered;
}

void gossip_probe_send_failed(struct gossip *g, struct gossip_addr to)
{
    struct gossip_probe *probe = &g->probe;
    if (probe->phase == GOSSIP_PROBE_DIRECT && gossip_addr_equal(probe->target->addr, to))
        go_indirect(g);
}

static void end(struct gossip *g)
{
    if (!g->probe.tcp_answered) {
        fail(g);
        return;
    }
    gossip_tell(g, GOSSIP_NOTE_TCP_ONLY, g->probe.target->name, &g->probe.target->addr, NULL);
    succeed(g);
}

void gossip_probe_run(struct gossip *g)
{
    struct gossip_probe *probe = &g->probe;
    if (probe->phase == GOSSIP_PROBE_DIRECT && !cu_mono_before(g->now, probe->direct_until))
        go_indirect(g);
    if (probe->phase == GOSSIP_PROBE_INDIRECT && !cu_mono_before(g->now, probe->deadline))
        end(g);
}

struct cu_mono gossip_probe_due(const struct gossip *g)
{
    switch (g->probe.phase) {
    case GOSSIP_PROBE_NONE:
        return CU_MONO_NEVER;
    case GOSSIP_PROBE_DIRECT:
        return g->probe.direct_until;
    case GOSSIP_PROBE_INDIRECT:
        return g->probe.deadline;
    }
    return CU_MONO_NEVER;
}

void gossip_probe_drop(struct gossip *g)
{
    g->probe.phase = GOSSIP_PROBE_NONE;
}
