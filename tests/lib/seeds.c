#include "tests/lib/seeds.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mono.h"
#include "common/base/num.h"
#include "common/base/planted.h"

enum { OWN_MAX = 8, OWN_FIRST = 256 /* above every letter */ };

struct arguments {
    uint64_t first, seeds, seconds;
    const char *planted;
    bool is_one, trace, must_break;
};

static const struct option common[] = {{"seeds", 1, NULL, 'n'},     {"seconds", 1, NULL, 's'},
                                       {"first", 1, NULL, 'f'},     {"seed", 1, NULL, 'o'},
                                       {"planted", 1, NULL, 'p'},   {"trace", 0, NULL, 't'},
                                       {"must-break", 0, NULL, 'b'}};

static uint64_t from_environment(const struct seeds_program *program, const char *name,
                                 uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t value = otherwise;
    if (text && cu_parse_u64(text, strlen(text), &value))
        (void)fprintf(stderr, "%s: %s=%s is no number, taken as %llu\n", program->name, name, text,
                      (unsigned long long)otherwise);
    return value;
}

static bool take_number(const char *text, uint64_t max, uint64_t *ret_number)
{
    return !cu_parse_u64(text, strlen(text), ret_number) && *ret_number <= max;
}

static bool take_own(const struct seeds_option *option)
{
    if (option->number)
        return take_number(optarg, option->max, option->number);
    *option->flag = true;
    return true;
}

static bool take(struct arguments *args, int c)
{
    switch (c) {
    case 'n':
        return take_number(optarg, UINT64_MAX, &args->seeds);
    case 's':
        return take_number(optarg, UINT64_MAX, &args->seconds);
    case 'o':
        args->is_one = true;
        return take_number(optarg, UINT64_MAX, &args->first);
    case 'f':
        return take_number(optarg, UINT64_MAX, &args->first);
    case 'p':
        args->planted = optarg;
        return true;
    case 't':
        return args->trace = true;
    case 'b':
        return args->must_break = true;
    default:
        return false;
    }
}

static bool parse(const struct seeds_program *program, int argc, char **argv,
                  struct arguments *args)
{
    struct option options[CU_COUNT(common) + OWN_MAX + 1] = {{0}};
    memcpy(options, common, sizeof common);
    for (int i = 0; program->options[i].name; i++)
        options[CU_COUNT(common) + (size_t)i] = (struct option){
            program->options[i].name, program->options[i].number != NULL, NULL, OWN_FIRST + i};
    *args =
        (struct arguments){.first = from_environment(program, "SEED", 1),
                           .seeds = from_environment(program, "SIM_SEEDS", program->seeds),
                           .seconds = from_environment(program, "SIM_SECONDS", program->seconds)};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if (c >= OWN_FIRST ? !take_own(&program->options[c - OWN_FIRST]) : !take(args, c))
            return false;
    if (args->is_one)
        args->seeds = 1;
    return optind == argc;
}

static void say_again(const struct seeds_program *program, const struct arguments *args,
                      uint64_t seed)
{
    (void)printf("again: %s --seed %llu --trace", program->name, (unsigned long long)seed);
    for (const struct seeds_option *o = program->options; o->name; o++) {
        if (o->number && *o->number)
            (void)printf(" --%s %llu", o->name, (unsigned long long)*o->number);
        else if (o->flag && *o->flag)
            (void)printf(" --%s", o->name);
    }
    (void)printf("%s%s\n", args->planted ? " --planted " : "", args->planted ? args->planted : "");
}

static int say_usage(const struct seeds_program *program)
{
    (void)fprintf(stderr, "usage: %s [--seeds N] [--seconds S] [--first SEED]", program->name);
    for (const struct seeds_option *o = program->options; o->name; o++)
        (void)fprintf(stderr, " [--%s%s]", o->name, o->number ? " N" : "");
    (void)fprintf(stderr,
                  " [--planted BUG [--must-break]]\n       %s --seed SEED [--trace] [...]\n",
                  program->name);
    return 2;
}

int seeds_main(const struct seeds_program *program, int argc, char **argv)
{
    struct arguments args;
    if (!parse(program, argc, argv, &args))
        return say_usage(program);
    if (args.planted && !cu_planted_set(args.planted)) {
        (void)fprintf(stderr, "%s: no planted bugs in this build: configure with -Dplanted=true\n",
                      program->name);
        return 2;
    }
    struct cu_mono begun = cu_mono_now();
    uint64_t done = 0;
    bool ok = true;
    while (ok && done < args.seeds &&
           cu_mono_ms_between(begun, cu_mono_now()) < args.seconds * 1000) {
        uint64_t seed = args.first + done++;
        ok = program->run(seed, args.trace);
        if (!ok)
            say_again(program, &args, seed);
    }
    (void)printf("%llu seeds from %llu, %.1f s, ", (unsigned long long)done,
                 (unsigned long long)args.first,
                 (double)cu_mono_ms_between(begun, cu_mono_now()) / 1000);
    bool has_shown = program->sum(done) && done > 0;
    if (args.must_break)
        return ok ? 1 : 0;
    if (ok && !has_shown)
        (void)printf("the seeds do not show what they are for\n");
    return ok && has_shown ? 0 : 1;
}
