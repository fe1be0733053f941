/* seeds.h - the program around a simulator: its arguments, seed after seed, what is said at the
 * end.
 *
 *   NAME [--seeds N] [--seconds S] [--first SEED] [--planted BUG [--must-break]] [own options]
 *   NAME --seed SEED [--trace] [...]      one seed again, told event by event
 *
 * Without them SIM_SEEDS, SIM_SECONDS and SEED of the environment. With --must-break the exit code
 * is 0 only if a claim broke: so a planted bug shows that the simulator sees.
 *
 * Exit code 0: all held; 1: one did not (its seed is printed, and how to see it again), or nothing
 * was shown; 2: wrong usage. */
#ifndef TESTS_LIB_SEEDS_H
#define TESTS_LIB_SEEDS_H

#include <stdbool.h>
#include <stdint.h>

/* Of one simulator alone: a flag, or a number of at most `max`. */
struct seeds_option {
    const char *name; /* NULL ends the table */
    bool *flag;
    uint64_t *number, max;
};

struct seeds_program {
    const char *name;
    uint64_t seeds, seconds; /* without arguments and environment */
    const struct seeds_option *options;
    /* Whether all held; else it has said `seed N: does not hold: ...`. */
    bool (*run)(uint64_t seed, bool trace);
    /* The rest of the last line, and its end; whether so many seeds have shown what they are for:
     * faults that never came prove nothing. Not asked where a claim broke. */
    bool (*sum)(uint64_t seeds);
};

/* From how many on seeds are judged together. */
enum { SEEDS_MANY = 20 };

int seeds_main(const struct seeds_program *program, int argc, char **argv);

#endif
