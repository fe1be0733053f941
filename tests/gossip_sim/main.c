/* gossip_sim - runs seeds until a claim breaks, the number or the time is up.
 *
 *   gossip_sim [--seeds N] [--seconds S] [--first SEED] [--nodes N] [--calm]
 *              [--planted NAME [--must-break]]
 *   gossip_sim --seed SEED [--trace] [...]      one seed again, told event by event
 *
 * Without them SIM_SEEDS (2000), SIM_SECONDS (40) and SEED (1) of the environment. With
 * --must-break the exit code is 0 only if a claim broke: so a planted bug shows that the simulator
 * sees.
 *
 * Exit code 0: all held; 1: one did not (its seed is printed, and how to see it again); 2: wrong
 * usage. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mono.h"
#include "common/base/num.h"
#include "common/base/planted.h"
#include "tests/gossip_sim/world.h"

struct arguments {
    uint64_t first, seeds, seconds, nodes;
    const char *planted;
    bool is_one, trace, must_break, calm;
};

struct totals {
    uint64_t steps, false_deaths, deaths, worst_death_ms, death_ms_sum, worst_refute_ms;
    uint64_t calm_bytes, calm_ms;
};

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t value = otherwise;
    if (text && cu_parse_u64(text, strlen(text), &value))
        (void)fprintf(stderr, "gossip_sim: %s=%s is no number, taken as %llu\n", name, text,
                      (unsigned long long)otherwise);
    return value;
}

static bool parse(int argc, char **argv, struct arguments *args)
{
    static const struct option options[] = {{"seeds", 1, NULL, 'n'}, {"seconds", 1, NULL, 's'},
                                            {"first", 1, NULL, 'f'}, {"seed", 1, NULL, 'o'},
                                            {"nodes", 1, NULL, 'k'}, {"planted", 1, NULL, 'p'},
                                            {"trace", 0, NULL, 't'}, {"must-break", 0, NULL, 'b'},
                                            {"calm", 0, NULL, 'c'},  {NULL, 0, NULL, 0}};
    *args = (struct arguments){.first = from_environment("SEED", 1),
                               .seeds = from_environment("SIM_SEEDS", 2000),
                               .seconds = from_environment("SIM_SECONDS", 40)};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t number = 0;
        if (c == '?')
            return false;
        if (c == 'p')
            args->planted = optarg;
        else if (c == 't')
            args->trace = true;
        else if (c == 'b')
            args->must_break = true;
        else if (c == 'c')
            args->calm = true;
        else if (cu_parse_u64(optarg, strlen(optarg), &number))
            return false;
        if (c == 'n')
            args->seeds = number;
        if (c == 's')
            args->seconds = number;
        if (c == 'k')
            args->nodes = number;
        if (c == 'f' || c == 'o')
            args->first = number;
        args->is_one |= c == 'o';
    }
    if (args->is_one)
        args->seeds = 1;
    return optind == argc && args->nodes <= SIM_NODES_MAX;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void add(struct totals *totals, const struct sim *sim)
{
    totals->steps += sim->steps;
    totals->false_deaths += sim->false_deaths;
    totals->deaths += sim->deaths;
    totals->death_ms_sum += sim->death_ms_sum;
    totals->worst_death_ms = most(totals->worst_death_ms, sim->worst_death_ms);
    totals->worst_refute_ms = most(totals->worst_refute_ms, sim->worst_refute_ms);
    totals->calm_bytes += sim->calm_bytes;
    totals->calm_ms += sim->calm_ms;
}

static bool run(const struct arguments *args, uint64_t seed, struct totals *totals)
{
    static struct sim sim;
    const char *claim = sim_run(&sim, &(struct sim_options){.seed = seed,
                                                            .nodes = (uint32_t)args->nodes,
                                                            .trace = args->trace,
                                                            .calm = args->calm});
    if (claim) {
        (void)printf("seed %llu: does not hold: %s: %s (%u nodes, at %llu ms)\n",
                     (unsigned long long)seed, claim, sim.failure_text, sim.plan.nodes,
                     (unsigned long long)sim_ms(&sim));
        (void)printf("again: gossip_sim --seed %llu --trace", (unsigned long long)seed);
        if (args->nodes)
            (void)printf(" --nodes %llu", (unsigned long long)args->nodes);
        (void)printf("%s%s%s\n", args->calm ? " --calm" : "", args->planted ? " --planted " : "",
                     args->planted ? args->planted : "");
    }
    add(totals, &sim);
    sim_deinit(&sim);
    return !claim;
}

int main(int argc, char **argv)
{
    struct arguments args;
    if (!parse(argc, argv, &args)) {
        (void)fprintf(stderr, "usage: gossip_sim [--seeds N] [--seconds S] [--first SEED] "
                              "[--nodes N] [--calm] [--planted NAME [--must-break]]\n"
                              "       gossip_sim --seed SEED [--trace] [...]\n");
        return 2;
    }
    if (args.planted && !cu_planted_set(args.planted)) {
        (void)fprintf(stderr, "gossip_sim: no planted bugs in this build: configure with "
                              "-Dplanted=true\n");
        return 2;
    }
    struct cu_mono begun = cu_mono_now();
    struct totals t = {0};
    uint64_t done = 0;
    bool ok = true;
    for (;
         ok && done < args.seeds && cu_mono_ms_between(begun, cu_mono_now()) < args.seconds * 1000;
         done++)
        ok = run(&args, args.first + done, &t);
    (void)printf(
        "%llu seeds from %llu, %llu steps, %.1f s; deaths told after %llu ms on average, "
        "%llu at most; %llu false, refuted after %llu at most; calm: %llu bytes/s a node\n",
        (unsigned long long)done, (unsigned long long)args.first, (unsigned long long)t.steps,
        (double)cu_mono_ms_between(begun, cu_mono_now()) / 1000,
        (unsigned long long)(t.deaths ? t.death_ms_sum / t.deaths : 0),
        (unsigned long long)t.worst_death_ms, (unsigned long long)t.false_deaths,
        (unsigned long long)t.worst_refute_ms,
        (unsigned long long)(t.calm_ms ? t.calm_bytes * 1000 / t.calm_ms : 0));
    return ok == args.must_break ? 1 : 0;
}
