/* What goes wrong, when, and when it is put right again; all of it drawn from the seed. */
#include <stdlib.h>

#include "common/base/assert.h"
#include "tests/gossip_sim/world.h"

enum {
    BETWEEN_MIN_MS = 4000,
    BETWEEN_MS = 16000,
    REPAIRS_MAX = 64,
    MOVES_MAX = 100,
    LARGE_MS = 240000,
    LARGE_KILL_MS = 110000,
};

/* ---- the weather ---- */

static uint32_t draw_size(struct sim *sim)
{
    uint64_t dice = cu_random_below(&sim->random, 100);
    if (dice < 55)
        return 3 + (uint32_t)cu_random_below(&sim->random, 6);
    if (dice < 92)
        return 9 + (uint32_t)cu_random_below(&sim->random, 24);
    if (dice < 99)
        return 33 + (uint32_t)cu_random_below(&sim->random, 68);
    return 101 + (uint32_t)cu_random_below(&sim->random, 200);
}

void sim_plan(struct sim *sim, const struct sim_options *options)
{
    struct sim_plan *plan = &sim->plan;
    plan->nodes = draw_size(sim);
    plan->kills = sim_chance(sim, 500);
    plan->moves = plan->kills && sim_chance(sim, 400);
    plan->pauses = sim_chance(sim, 400);
    plan->partitions = sim_chance(sim, 300);
    plan->one_way = sim_chance(sim, 300);
    plan->leaves = sim_chance(sim, 300);
    plan->tags = sim_chance(sim, 500);
    plan->compress = sim_chance(sim, 200);
    plan->jitter = sim_chance(sim, 200);
    plan->loss = sim_chance(sim, 400) ? (unsigned)cu_random_below(&sim->random, 150) : 0;
    plan->duration_ms = 60000 + (uint32_t)cu_random_below(&sim->random, 120000);
    if (options->nodes)
        plan->nodes = options->nodes;
    if (options->calm)
        plan->kills = plan->moves = plan->pauses = plan->partitions = plan->one_way = plan->leaves =
            plan->jitter = false;
    if (options->calm)
        plan->loss = 0;
    if (plan->nodes >= SIM_LARGE)
        plan->duration_ms = LARGE_MS;
    sim->nemesis_due_ms = plan->nodes >= SIM_LARGE ? UINT64_MAX : 2 * BETWEEN_MS;
}

/* ---- repairs ---- */

static void repair_later(struct sim *sim, uint32_t node, unsigned what, uint64_t after_ms)
{
    sim->repairs = cu_realloc(sim->repairs, (sim->repair_count + 1) * sizeof *sim->repairs);
    sim->repairs[sim->repair_count].node = node;
    sim->repairs[sim->repair_count].at_ms = sim_ms(sim) + after_ms;
    sim->repairs[sim->repair_count++].what = what;
}

static void repair(struct sim *sim, uint32_t node, unsigned what)
{
    switch (what) {
    case SIM_RESUME:
        sim_resume(sim, node);
        break;
    case SIM_RESTART:
        sim_start(sim, node);
        break;
    case SIM_CLEAR_LOSS:
        sim_tell(sim, "n%u: loss ends", node);
        sim->nodes[node].loss_in = sim->nodes[node].loss_out = 0;
        sim->nodes[node].since_ms = sim->settled_ms = sim_ms(sim);
        break;
    }
}

static void run_repairs(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->repair_count;) {
        uint32_t node = sim->repairs[i].node;
        unsigned what = sim->repairs[i].what;
        if (sim->repairs[i].at_ms > sim_ms(sim)) {
            i++;
            continue;
        }
        sim->repairs[i] = sim->repairs[--sim->repair_count];
        repair(sim, node, what);
    }
    if (sim->partition_until_ms && sim_ms(sim) >= sim->partition_until_ms) {
        sim_tell(sim, "partition heals");
        sim->partition_until_ms = 0;
        sim->settled_ms = sim_ms(sim);
        for (uint32_t i = 0; i < sim->plan.nodes; i++) {
            sim->nodes[i].group = 0;
            sim->nodes[i].since_ms = sim_ms(sim);
        }
    }
}

/* ---- harm ---- */

static bool is_well(const struct sim *sim, uint32_t node)
{
    const struct sim_node *n = &sim->nodes[node];
    return n->life == SIM_UP && !n->is_leaving && !n->loss_in && !n->loss_out;
}

/* Most of the pool stays well, so that there is somebody to be right. */
static bool may_harm(const struct sim *sim)
{
    uint32_t well = 0;
    for (uint32_t i = 0; i < sim->plan.nodes; i++)
        well += is_well(sim, i);
    return well > 2 && well - 1 > sim->plan.nodes / 2 && sim->repair_count < REPAIRS_MAX;
}

static uint64_t seconds(struct sim *sim, uint32_t from, uint32_t below)
{
    return 1000 * from + cu_random_below(&sim->random, 1000 * (below - from));
}

static void kill_one(struct sim *sim, uint32_t node)
{
    sim_kill(sim, node);
    if (sim->plan.moves && sim->nodes[node].moves < MOVES_MAX && sim_chance(sim, 500))
        sim->nodes[node].moves++;
    uint64_t down_ms = sim_chance(sim, 500) ? seconds(sim, 1, 5) : seconds(sim, 5, 90);
    repair_later(sim, node, SIM_RESTART, down_ms);
}

static void pause_one(struct sim *sim, uint32_t node)
{
    sim_pause(sim, node);
    uint64_t held_ms = sim_chance(sim, 700) ? seconds(sim, 0, 4) : seconds(sim, 4, 60);
    repair_later(sim, node, SIM_RESUME, held_ms);
}

/* It hears little, or is little heard; 1000: nothing at all. */
static void deafen_one(struct sim *sim, uint32_t node)
{
    unsigned loss =
        sim_chance(sim, 300) ? 1000 : 200 + (unsigned)cu_random_below(&sim->random, 600);
    bool in = sim_chance(sim, 500);
    sim_tell(sim, "n%u: loses %u of 1000 %s", node, loss, in ? "in" : "out");
    *(in ? &sim->nodes[node].loss_in : &sim->nodes[node].loss_out) = loss;
    sim->nodes[node].since_ms = sim->settled_ms = sim_ms(sim);
    repair_later(sim, node, SIM_CLEAR_LOSS, seconds(sim, 5, 60));
}

static void leave_one(struct sim *sim, uint32_t node)
{
    sim_leave(sim, node);
    repair_later(sim, node, SIM_RESTART, seconds(sim, 20, 60));
}

static void split(struct sim *sim)
{
    if (sim->partition_until_ms)
        return;
    unsigned share = 100 + (unsigned)cu_random_below(&sim->random, 500);
    sim_tell(sim, "partition, %u of 1000 on one side", share);
    for (uint32_t i = 0; i < sim->plan.nodes; i++) {
        sim->nodes[i].group = sim_chance(sim, share);
        sim->nodes[i].since_ms = sim_ms(sim);
    }
    sim->settled_ms = sim_ms(sim);
    sim->partition_until_ms = sim_ms(sim) + seconds(sim, 2, 60);
}

/* A large pool costs too much to be harmed at length: three nodes die for good, once all have met.
 */
static void harm_large(struct sim *sim)
{
    if (sim->plan.nodes < SIM_LARGE || sim->has_harmed || sim_ms(sim) < LARGE_KILL_MS)
        return;
    sim->has_harmed = true;
    for (uint32_t i = 0; i < 3; i++)
        sim_kill(sim, 7 * i + 9);
}

static void harm(struct sim *sim)
{
    uint32_t node = (uint32_t)cu_random_below(&sim->random, sim->plan.nodes);
    bool can = is_well(sim, node) && may_harm(sim);
    switch (cu_random_below(&sim->random, 6)) {
    case 0:
        if (sim->plan.kills && can)
            kill_one(sim, node);
        break;
    case 1:
        if (sim->plan.pauses && can)
            pause_one(sim, node);
        break;
    case 2:
        if (sim->plan.one_way && can)
            deafen_one(sim, node);
        break;
    case 3:
        if (sim->plan.leaves && can)
            leave_one(sim, node);
        break;
    case 4:
        if (sim->plan.partitions)
            split(sim);
        break;
    case 5:
        if (sim->plan.tags && is_well(sim, node))
            sim_set_tag(sim, node);
        break;
    }
}

void sim_disturb(struct sim *sim)
{
    run_repairs(sim);
    for (uint32_t i = 0; i < sim->plan.nodes; i++)
        if (sim->nodes[i].life == SIM_UP && sim->nodes[i].join_due_ms &&
            sim->nodes[i].join_due_ms <= sim_ms(sim))
            sim_join(sim, i);
    harm_large(sim);
    if (sim_ms(sim) < sim->nemesis_due_ms || sim_ms(sim) >= sim->plan.duration_ms)
        return;
    sim->nemesis_due_ms = sim_ms(sim) + BETWEEN_MIN_MS + cu_random_below(&sim->random, BETWEEN_MS);
    harm(sim);
}
