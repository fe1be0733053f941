/* The promises of a pool, checked once a virtual second for each pair of nodes (gossip.md 8 to 16).
 *
 *   a healthy node is not declared dead for longer than the refutation takes      (REFUTE)
 *   who died is called so within the bound that the suspicion formula gives       (DEATH)
 *   a pool that is left alone agrees on who is there, and on their tags           (SETTLE)
 *   in calm weather nobody is suspected wrongly, and traffic is bounded           (CALM)
 *
 * All bounds are computed from the timing table below, none is measured. */
#include <stdlib.h>
#include <string.h>

#include "services/gossipd/core/queue.h"
#include "services/gossipd/core/suspicion.h"
#include "tests/gossip_sim/world.h"

/* ---- bounds ---- */

/* How long a message is told by those who heard it: when it ends, all have heard it, or push/pull
 * must tell them. */
static uint64_t spread_ms(const struct sim *sim)
{
    return (uint64_t)sim->timing->gossip_interval_ms *
           gossip_retransmit_limit(sim->timing->retransmit_mult, sim->plan.nodes);
}

static uint64_t push_pull_ms(const struct sim *sim)
{
    uint64_t times = 1;
    for (uint64_t n = 32; n < sim->plan.nodes; n *= 2)
        times++;
    return times * sim->timing->push_pull_interval_ms;
}

/* REFUTE: the accusation reaches the accused, its answer comes back. Where both are lost, the next
 * exchange of states with somebody who knows better, or a reconnect, ends it. */
static uint64_t refute_ms(const struct sim *sim)
{
    uint64_t fast = 2 * spread_ms(sim) + 1000;
    return sim->plan.loss ? fast + 2 * push_pull_ms(sim) : fast;
}

/* DEATH: it is probed, that fails, the suspicion runs to its end, the verdict spreads. In a round
 * each node probes each other once, at a random place; that nobody of n probes it in 20 intervals
 * has odds of e^-20. Probes last longer for who is unwell itself. */
static uint64_t death_ms(const struct sim *sim)
{
    struct gossip_suspicion_limits limits =
        gossip_suspicion_limits(sim->timing->suspicion_mult, sim->timing->suspicion_max_mult,
                                sim->timing->probe_interval_ms, sim->plan.nodes);
    uint64_t round = 2 * (uint64_t)sim->plan.nodes;
    uint64_t intervals = (round < 20 ? round : 20) + sim->timing->awareness_max;
    return intervals * sim->timing->probe_interval_ms + gossip_suspicion_ms(&limits, 0) +
           2 * spread_ms(sim);
}

/* A large pool that starts at once: all must hear of all, each told so often, in packets as they
 * are sent. */
static uint64_t flood_ms(const struct sim *sim)
{
    enum { ALIVE_BYTES = 120 };
    uint64_t bytes = (uint64_t)sim->plan.nodes * ALIVE_BYTES *
                     gossip_retransmit_limit(sim->timing->retransmit_mult, sim->plan.nodes);
    uint64_t bytes_a_tick = (uint64_t)GOSSIP_PACKET_BUDGET * sim->timing->gossip_nodes;
    return bytes / bytes_a_tick * sim->timing->gossip_interval_ms + 2 * spread_ms(sim);
}

/* SETTLE: the longest way back: a failed member is tried by about one of the others each reconnect
 * interval, and itself exchanges states at its interval. One that came back elsewhere is believed
 * once its old self has been dead for the time to reclaim its name. */
static uint64_t settle_ms(const struct sim *sim)
{
    if (sim->plan.nodes >= SIM_LARGE)
        return flood_ms(sim);
    uint64_t reclaim_ms = sim->plan.moves ? sim->timing->dead_reclaim_ms : 0;
    return death_ms(sim) + 2 * push_pull_ms(sim) + 2 * sim->timing->reconnect_interval_ms +
           reclaim_ms;
}

/* CALM: a probe and its answer, and what push/pull carries of each member, sent and received. */
static uint64_t calm_bytes_per_s(const struct sim *sim)
{
    enum { PROBES = 1000, MEMBER = 2 * 300, STREAM = 2000 };
    return PROBES + (STREAM + (uint64_t)MEMBER * sim->plan.nodes) * 1000 / push_pull_ms(sim) * 2;
}

void sim_set_bounds(struct sim *sim)
{
    sim->bounds = (struct sim_bounds){.spread_ms = spread_ms(sim),
                                      .refute_ms = refute_ms(sim),
                                      .death_ms = death_ms(sim),
                                      .settle_ms = settle_ms(sim),
                                      .calm_bytes_per_s = calm_bytes_per_s(sim)};
}

/* ---- what a node says of another ---- */

static size_t pair(const struct sim *sim, uint32_t observer, uint32_t subject)
{
    return (size_t)observer * sim->plan.nodes + subject;
}

static bool is_fine(const struct sim *sim, uint32_t node)
{
    const struct sim_node *n = &sim->nodes[node];
    return n->life == SIM_UP && !n->is_leaving && !n->loss_in && !n->loss_out;
}

/* Undisturbed for so long. */
static bool fine_for(const struct sim *sim, uint32_t node, uint64_t ms)
{
    return is_fine(sim, node) && !sim->partition_until_ms &&
           sim_ms(sim) >= sim->nodes[node].since_ms + ms;
}

static void note_failed(struct sim *sim, uint32_t observer, uint32_t subject)
{
    sim->failed_ms[pair(sim, observer, subject)] = (uint32_t)sim_ms(sim);
    const struct sim_node *s = &sim->nodes[subject];
    if (s->life == SIM_DOWN) {
        uint64_t took = sim_ms(sim) - s->since_ms;
        sim->deaths++;
        sim->death_ms_sum += took;
        sim->worst_death_ms = took > sim->worst_death_ms ? took : sim->worst_death_ms;
    }
    if (!fine_for(sim, subject, sim->bounds.settle_ms) ||
        !fine_for(sim, observer, sim->bounds.settle_ms))
        return;
    sim->false_deaths++;
    if (!sim->plan.loss && !sim->plan.jitter &&
        sim_ms(sim) > sim->settled_ms + sim->bounds.settle_ms)
        sim_fail(sim, "in calm weather nobody is declared dead", "n%u says so of n%u", observer,
                 subject);
}

static void note_alive(struct sim *sim, uint32_t observer, uint32_t subject)
{
    uint32_t *failed = &sim->failed_ms[pair(sim, observer, subject)];
    if (*failed && *failed > sim->nodes[subject].since_ms && is_fine(sim, subject)) {
        uint64_t took = sim_ms(sim) - *failed;
        sim->worst_refute_ms = took > sim->worst_refute_ms ? took : sim->worst_refute_ms;
    }
    *failed = 0;
}

void sim_note_member(struct sim *sim, uint32_t observer, const struct gossip_action *action)
{
    const struct gossip_member_view *view = &action->member.view;
    uint32_t subject = (uint32_t)strtoul(view->name + 1, NULL, 10); /* "n7" */
    struct gossip_tags tags;
    sim->seen[pair(sim, observer, subject)] = (uint8_t)view->status;
    if (!gossip_tags_decode(view->meta, &tags)) {
        struct cu_bytes n = gossip_tags_get(&tags, "n");
        unsigned value = 0;
        for (size_t i = 0; i < n.len; i++)
            value = value * 10 + (n.data[i] - '0');
        sim->seen_tag[pair(sim, observer, subject)] = value;
    }
    if (action->member.change == GOSSIP_CHANGE_FAILED)
        note_failed(sim, observer, subject);
    else if (action->member.change == GOSSIP_CHANGE_ALIVE)
        note_alive(sim, observer, subject);
}

/* ---- once a second ---- */

static bool says_alive(const struct sim *sim, uint32_t observer, uint32_t subject)
{
    return sim->seen[pair(sim, observer, subject)] == GOSSIP_STATUS_ALIVE;
}

static void check_alive(struct sim *sim, uint32_t observer, uint32_t subject)
{
    uint64_t settle = sim->bounds.settle_ms, now = sim_ms(sim);
    if (!fine_for(sim, observer, settle) || !fine_for(sim, subject, settle))
        return;
    uint64_t failed = sim->failed_ms[pair(sim, observer, subject)];
    if (failed && now > failed + sim->bounds.refute_ms)
        sim_fail(sim, "a healthy node is not declared dead for longer than the refutation takes",
                 "n%u says so of n%u since %llu ms, bound %llu", observer, subject,
                 (unsigned long long)(now - failed), (unsigned long long)sim->bounds.refute_ms);
    if (!failed && !says_alive(sim, observer, subject))
        sim_fail(sim, "a pool left alone agrees on who is there", "n%u says %s of n%u", observer,
                 gossip_status_name((enum gossip_status)sim->seen[pair(sim, observer, subject)]),
                 subject);
}

static void check_tag(struct sim *sim, uint32_t observer, uint32_t subject)
{
    uint64_t settle = sim->bounds.settle_ms;
    const struct sim_node *s = &sim->nodes[subject];
    if (!fine_for(sim, observer, settle) || !fine_for(sim, subject, settle) ||
        sim_ms(sim) < s->tag_since_ms + settle)
        return;
    if (sim->seen_tag[pair(sim, observer, subject)] != s->tag)
        sim_fail(sim, "a pool left alone agrees on tags", "n%u shows %u of n%u, it has %u",
                 observer, sim->seen_tag[pair(sim, observer, subject)], subject, s->tag);
}

static void check_dead(struct sim *sim, uint32_t observer, uint32_t subject)
{
    const struct sim_node *s = &sim->nodes[subject];
    bool is_gone = s->life == SIM_DOWN || s->life == SIM_LEFT;
    if (!is_gone || !fine_for(sim, observer, sim->bounds.death_ms) ||
        sim_ms(sim) < s->since_ms + sim->bounds.death_ms)
        return;
    if (says_alive(sim, observer, subject))
        sim_fail(sim, "who died is called so within the bound",
                 "n%u says n%u lives %llu ms after its end, bound %llu", observer, subject,
                 (unsigned long long)(sim_ms(sim) - s->since_ms),
                 (unsigned long long)sim->bounds.death_ms);
}

/* Who is heard by somebody fine has been: a verdict within the bound of its start of life. */
static void check_traffic(struct sim *sim)
{
    uint64_t bytes = 0;
    bool all_fine = sim_ms(sim) > sim->settled_ms + sim->bounds.settle_ms && !sim->plan.loss;
    for (uint32_t i = 0; i < sim->plan.nodes; i++) {
        all_fine = all_fine && fine_for(sim, i, sim->bounds.settle_ms) &&
                   sim_ms(sim) > sim->nodes[i].tag_since_ms + 2 * sim->bounds.spread_ms;
        bytes += sim->nodes[i].bytes;
        sim->nodes[i].bytes = 0;
    }
    if (!all_fine)
        return;
    sim->calm_bytes += bytes / sim->plan.nodes;
    sim->calm_ms += 1000;
}

void sim_check(struct sim *sim)
{
    for (uint32_t o = 0; o < sim->plan.nodes && !sim->failure; o++) {
        if (!is_fine(sim, o))
            continue;
        for (uint32_t s = 0; s < sim->plan.nodes; s++) {
            check_alive(sim, o, s);
            check_tag(sim, o, s);
            check_dead(sim, o, s);
        }
    }
    check_traffic(sim);
}

void sim_check_end(struct sim *sim)
{
    if (sim->failure)
        return;
    for (uint32_t i = 0; i < sim->plan.nodes; i++)
        if (sim->nodes[i].life != SIM_DOWN && !fine_for(sim, i, sim->bounds.settle_ms))
            sim_fail(sim, "at the end everybody had time to settle", "n%u had not", i);
    sim_check(sim);
    if (sim->calm_ms > 20000 &&
        sim->calm_bytes * 1000 / sim->calm_ms > sim->bounds.calm_bytes_per_s)
        sim_fail(sim, "in calm weather traffic is bounded", "%llu bytes a second, bound %llu",
                 (unsigned long long)(sim->calm_bytes * 1000 / sim->calm_ms),
                 (unsigned long long)sim->bounds.calm_bytes_per_s);
}
