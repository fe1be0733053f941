/* curia_sim - runs seeds of raftd and catalogd pairs until a claim breaks, the number or the time
 * is up; its arguments are in tests/lib/seeds.h, and
 *
 *   --storm    leaders fall before they have settled
 *   --losses   of five servers a majority is lost for good, and recovered from */
#include <stdio.h>

#include "tests/lib/seeds.h"
#include "tests/sim/world.h"

static bool storm, losses;
static struct {
    uint64_t events;
    unsigned gave_up, recoveries;
} tally;

static bool run(uint64_t seed, bool trace)
{
    static struct sim sim; /* large; one at a time */
    const char *claim = sim_run(
        &sim,
        &(struct sim_options){.seed = seed, .trace = trace, .storm = storm, .losses = losses});
    if (claim)
        (void)printf("seed %llu: does not hold: %s: %s\n", (unsigned long long)seed, claim,
                     sim.failure_text);
    tally.events += sim.steps;
    tally.gave_up += sim.gave_up;
    tally.recoveries += sim.lineage_count - 1;
    sim_deinit(&sim);
    return !claim;
}

static void sum(void)
{
    (void)printf("%llu events, %u recoveries, %u histories not judged\n",
                 (unsigned long long)tally.events, tally.recoveries, tally.gave_up);
}

int main(int argc, char **argv)
{
    static const struct seeds_option options[] = {
        {"storm", .flag = &storm}, {"losses", .flag = &losses}, {0}};
    return seeds_main(&(struct seeds_program){.name = "curia_sim",
                                              .seeds = 10000,
                                              .seconds = 240,
                                              .options = options,
                                              .run = run,
                                              .sum = sum},
                      argc, argv);
}
