/* curia_sim - runs seeds until a claim breaks, the number or the time is up.
 *
 *   curia_sim [--seeds N] [--seconds S] [--first SEED] [--storm] [--losses] [--planted NAME
 * [--must-break]] curia_sim --seed SEED [--trace] [--storm] [--losses] [--planted NAME]   one seed
 * again, told event by event
 *
 * Without them SIM_SEEDS (10000), SIM_SECONDS (240) and SEED (1) of the environment. With
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
#include "tests/sim/world.h"

struct arguments {
    uint64_t first, seeds, seconds;
    const char *planted;
    bool is_one, trace, must_break, storm, losses;
};

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t value = otherwise;
    if (text && cu_parse_u64(text, strlen(text), &value))
        (void)fprintf(stderr, "curia_sim: %s=%s is no number, taken as %llu\n", name, text,
                      (unsigned long long)otherwise);
    return value;
}

static bool parse(int argc, char **argv, struct arguments *args)
{
    static const struct option options[] = {{"seeds", 1, NULL, 'n'},      {"seconds", 1, NULL, 's'},
                                            {"first", 1, NULL, 'f'},      {"seed", 1, NULL, 'o'},
                                            {"planted", 1, NULL, 'p'},    {"trace", 0, NULL, 't'},
                                            {"must-break", 0, NULL, 'b'}, {"storm", 0, NULL, 'w'},
                                            {"losses", 0, NULL, 'l'},     {NULL, 0, NULL, 0}};
    *args = (struct arguments){.first = from_environment("SEED", 1),
                               .seeds = from_environment("SIM_SEEDS", 10000),
                               .seconds = from_environment("SIM_SECONDS", 240)};
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
        else if (c == 'w')
            args->storm = true;
        else if (c == 'l')
            args->losses = true;
        else if (cu_parse_u64(optarg, strlen(optarg), &number))
            return false;
        if (c == 'n')
            args->seeds = number;
        if (c == 's')
            args->seconds = number;
        if (c == 'f' || c == 'o')
            args->first = number;
        args->is_one |= c == 'o';
    }
    if (args->is_one)
        args->seeds = 1;
    return optind == argc;
}

struct tally {
    uint64_t events;
    unsigned gave_up, recoveries;
};

static bool run(const struct arguments *args, uint64_t seed, struct tally *tally)
{
    static struct sim sim; /* large; one at a time */
    const char *claim = sim_run(&sim, &(struct sim_options){.seed = seed,
                                                            .trace = args->trace,
                                                            .storm = args->storm,
                                                            .losses = args->losses});
    if (claim)
        (void)printf(
            "seed %llu: does not hold: %s: %s\nagain: curia_sim --seed %llu --trace%s%s%s%s\n",
            (unsigned long long)seed, claim, sim.failure_text, (unsigned long long)seed,
            args->storm ? " --storm" : "", args->losses ? " --losses" : "",
            args->planted ? " --planted " : "", args->planted ? args->planted : "");
    tally->events += sim.steps;
    tally->gave_up += sim.gave_up;
    tally->recoveries += sim.lineage_count - 1;
    sim_deinit(&sim);
    return !claim;
}

int main(int argc, char **argv)
{
    struct arguments args;
    if (!parse(argc, argv, &args)) {
        (void)fprintf(stderr,
                      "usage: curia_sim [--seeds N] [--seconds S] [--first SEED] [--planted NAME]\n"
                      "       curia_sim --seed SEED [--trace] [--planted NAME]\n");
        return 2;
    }
    if (args.planted && !cu_planted_set(args.planted)) {
        (void)fprintf(stderr,
                      "curia_sim: no planted bugs in this build: configure with -Dplanted=true\n");
        return 2;
    }
    struct cu_mono begun = cu_mono_now();
    uint64_t done = 0;
    struct tally tally = {0};
    bool ok = true;
    for (;
         ok && done < args.seeds && cu_mono_ms_between(begun, cu_mono_now()) < args.seconds * 1000;
         done++)
        ok = run(&args, args.first + done, &tally);
    (void)printf(
        "%llu seeds from %llu, %llu events, %.1f s, %u recoveries, %u histories not judged\n",
        (unsigned long long)done, (unsigned long long)args.first, (unsigned long long)tally.events,
        (double)cu_mono_ms_between(begun, cu_mono_now()) / 1000, tally.recoveries, tally.gave_up);
    return ok == args.must_break ? 1 : 0;
}
