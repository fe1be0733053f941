/* curia_sim - runs seeds of raftd and catalogd pairs until a claim breaks, the number or the time
 * is up; its arguments are in tests/lib/seeds.h, and
 *
 *   --storm    leaders fall before they have settled
 *   --losses   of five servers a majority is lost for good, and recovered from
 *   --changes  servers are removed and added all the time */
#include <stdio.h>

#include "tests/lib/seeds.h"
#include "tests/sim/world.h"

static bool storm, losses, changes;
static struct {
    uint64_t events, leaders, recoveries, changed;
    uint64_t judged, gave_up; /* histories */
} tally;

enum {
    GAVE_UP_PERMILLE = 10, /* of the histories */
    LOSSES_A_RECOVERY = 5, /* runs; two, as a rule: not every loss finds a cluster to lose */
    STORM_LEADERS = 4,     /* elected in a run; five, as a rule, and three in other weather */
};

static bool run(uint64_t seed, bool trace)
{
    static struct sim sim; /* large; one at a time */
    const char *claim = sim_run(
        &sim,
        &(struct sim_options){
            .seed = seed, .trace = trace, .storm = storm, .losses = losses, .changes = changes});
    if (claim)
        (void)printf("seed %llu: does not hold: %s: %s\n", (unsigned long long)seed, claim,
                     sim.failure_text);
    tally.events += sim.steps;
    tally.leaders += sim.leaders.count;
    tally.judged += sim.judged;
    tally.gave_up += sim.gave_up;
    tally.recoveries += sim.lineage_count - 1;
    tally.changed += sim.changed;
    sim_deinit(&sim);
    return !claim;
}

static bool sum(uint64_t seeds)
{
    (void)printf("%llu events, %llu leaders, %llu recoveries, %llu servers added or removed, "
                 "%llu of %llu histories not judged\n",
                 (unsigned long long)tally.events, (unsigned long long)tally.leaders,
                 (unsigned long long)tally.recoveries, (unsigned long long)tally.changed,
                 (unsigned long long)tally.gave_up, (unsigned long long)tally.judged);
    if (seeds < SEEDS_MANY)
        return true;
    return tally.gave_up * 1000 <= tally.judged * GAVE_UP_PERMILLE &&
           (!losses || tally.recoveries * LOSSES_A_RECOVERY >= seeds) &&
           (!changes || tally.changed >= seeds) &&
           tally.leaders >= seeds * (storm ? STORM_LEADERS : 1);
}

int main(int argc, char **argv)
{
    static const struct seeds_option options[] = {
        {"storm", .flag = &storm}, {"losses", .flag = &losses}, {"changes", .flag = &changes}, {0}};
    return seeds_main(&(struct seeds_program){.name = "curia_sim",
                                              .seeds = 10000,
                                              .seconds = 240,
                                              .options = options,
                                              .run = run,
                                              .sum = sum},
                      argc, argv);
}
