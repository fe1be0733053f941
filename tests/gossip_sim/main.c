/* gossip_sim - runs seeds of gossip pools until a claim breaks, the number or the time is up; its
 * arguments are in tests/lib/seeds.h, and
 *
 *   --nodes N   that many in each pool, else what the seed says
 *   --calm      nothing is lost, paused or killed */
#include <stdio.h>

#include "tests/gossip_sim/world.h"
#include "tests/lib/seeds.h"

static uint64_t nodes;
static bool calm;
static struct {
    uint64_t steps, false_deaths, deaths, worst_death_ms, death_ms_sum, worst_refute_ms;
    uint64_t calm_bytes, calm_ms;
} totals;

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void add(const struct sim *sim)
{
    totals.steps += sim->steps;
    totals.false_deaths += sim->false_deaths;
    totals.deaths += sim->deaths;
    totals.death_ms_sum += sim->death_ms_sum;
    totals.worst_death_ms = most(totals.worst_death_ms, sim->worst_death_ms);
    totals.worst_refute_ms = most(totals.worst_refute_ms, sim->worst_refute_ms);
    totals.calm_bytes += sim->calm_bytes;
    totals.calm_ms += sim->calm_ms;
}

static bool run(uint64_t seed, bool trace)
{
    static struct sim sim;
    const char *claim =
        sim_run(&sim, &(struct sim_options){
                          .seed = seed, .nodes = (uint32_t)nodes, .trace = trace, .calm = calm});
    if (claim)
        (void)printf("seed %llu: does not hold: %s: %s (%u nodes, at %llu ms)\n",
                     (unsigned long long)seed, claim, sim.failure_text, sim.plan.nodes,
                     (unsigned long long)sim_ms(&sim));
    add(&sim);
    sim_deinit(&sim);
    return !claim;
}

static bool sum(uint64_t seeds)
{
    (void)printf(
        "%llu steps; deaths told after %llu ms on average, %llu at most; %llu false, "
        "refuted after %llu at most; calm: %llu bytes/s a node\n",
        (unsigned long long)totals.steps,
        (unsigned long long)(totals.deaths ? totals.death_ms_sum / totals.deaths : 0),
        (unsigned long long)totals.worst_death_ms, (unsigned long long)totals.false_deaths,
        (unsigned long long)totals.worst_refute_ms,
        (unsigned long long)(totals.calm_ms ? totals.calm_bytes * 1000 / totals.calm_ms : 0));
    return seeds < SEEDS_MANY || (totals.calm_ms > 0 && (calm || totals.deaths > 0));
}

int main(int argc, char **argv)
{
    static const struct seeds_option options[] = {
        {"nodes", .number = &nodes, .max = SIM_NODES_MAX}, {"calm", .flag = &calm}, {0}};
    return seeds_main(&(struct seeds_program){.name = "gossip_sim",
                                              .seeds = 2000,
                                              .seconds = 40,
                                              .options = options,
                                              .run = run,
                                              .sum = sum},
                      argc, argv);
}
