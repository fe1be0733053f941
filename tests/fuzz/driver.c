/* driver.c - replays the seeds of a target, then mutates them for a while, and prints the share of
 * the inputs that parsed (a target that refuses everything tests nothing).
 *
 *     fuzz-NAME SECONDS SEED FOLDER|FILE...
 *
 * Built with libFuzzer (option fuzzers) the same targets run under its own main. */
#include "tests/fuzz/fuzz.h"

#ifdef CURIA_LIBFUZZER

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_one(data, len);
    return 0;
}

#else

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/random.h"

enum {
    DRIVER_MAX_SEEDS = 4096,
    DRIVER_MAX_INPUT = 256 * 1024,
    DRIVER_MAX_CHANGES = 8,
    DRIVER_CLOCK_EVERY = 256
};

struct input {
    uint8_t *data;
    size_t len;
};

static struct input seeds[DRIVER_MAX_SEEDS];
static size_t seed_count;
static struct {
    uint64_t inputs;
    uint64_t parsed;
} tally;
static struct input current; /* what a crash handler writes out */
static const char *program;

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The input that crashed us, kept beside the caller's folder so that it can become a seed. */
static void keep_input(int sig)
{
    const char *slash = strrchr(program, '/');
    char path[256];

    snprintf(path, sizeof(path), "%s.crash", slash ? slash + 1 : program);
    FILE *file = fopen(path, "wb");
    if (file) {
        fwrite(current.data, 1, current.len, file);
        fclose(file);
    }
    fprintf(stderr, "signal %d on an input of %zu bytes, kept in %s\n", sig, current.len, path);
    signal(sig, SIG_DFL);
    raise(sig);
}

/* Each input lies in a block of its exact size, so that reading past its end is an error. */
static void run(const uint8_t *data, size_t len)
{
    current.data = malloc(len ? len : 1);
    current.len = len;
    if (!current.data)
        abort();
    if (len)
        memcpy(current.data, data, len);
    tally.inputs++;
    tally.parsed += fuzz_one(current.data, len);
    free(current.data);
    current = (struct input){0};
}

static void load_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || seed_count == DRIVER_MAX_SEEDS) {
        fprintf(stderr, "%s: cannot be loaded as a seed\n", path);
        exit(EXIT_FAILURE);
    }
    uint8_t *data = malloc(DRIVER_MAX_INPUT);
    if (!data)
        abort();
    size_t len = fread(data, 1, DRIVER_MAX_INPUT, file);
    fclose(file);
    seeds[seed_count++] = (struct input){data, len};
}

static void load(const char *path)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);

    if (count < 0) {
        load_file(path);
        return;
    }
    for (int i = 0; i < count; i++) {
        char file[1024];
        snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            load_file(file);
        free(names[i]);
    }
    free(names);
}

static size_t flip(struct cu_random *random, uint8_t *data, size_t len)
{
    if (len)
        data[cu_random_below(random, len)] ^= (uint8_t)(1u << cu_random_below(random, 8));
    return len;
}

static size_t overwrite(struct cu_random *random, uint8_t *data, size_t len)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, '"', '\\', '%', '{', '[', '/', '0'};
    if (len)
        data[cu_random_below(random, len)] = telling[cu_random_below(random, sizeof(telling))];
    return len;
}

static size_t cut(struct cu_random *random, uint8_t *data, size_t len)
{
    (void)data;
    return len ? (size_t)cu_random_below(random, len) : 0;
}

static size_t drop(struct cu_random *random, uint8_t *data, size_t len)
{
    if (len < 2)
        return len;
    size_t at = (size_t)cu_random_below(random, len);
    size_t count = 1 + (size_t)cu_random_below(random, len - at);
    memmove(data + at, data + at + count, len - at - count);
    return len - count;
}

/* Puts a piece of some seed in: repeats structure, and mixes kinds. */
static size_t splice(struct cu_random *random, uint8_t *data, size_t len)
{
    const struct input *from = &seeds[cu_random_below(random, seed_count)];
    if (!from->len)
        return len;
    size_t start = (size_t)cu_random_below(random, from->len);
    size_t count = 1 + (size_t)cu_random_below(random, from->len - start);
    size_t at = (size_t)cu_random_below(random, len + 1);
    if (len + count > DRIVER_MAX_INPUT)
        return len;
    memmove(data + at + count, data + at, len - at);
    memcpy(data + at, from->data + start, count);
    return len + count;
}

static void run_mutant(struct cu_random *random)
{
    static size_t (*const changes[])(struct cu_random *, uint8_t *, size_t) = {
        flip, overwrite, overwrite, cut, drop, splice,
    };
    static uint8_t data[DRIVER_MAX_INPUT];
    const struct input *seed = &seeds[cu_random_below(random, seed_count)];
    size_t len = seed->len;

    if (len)
        memcpy(data, seed->data, len);
    for (uint64_t n = 1 + cu_random_below(random, DRIVER_MAX_CHANGES); n > 0; n--)
        len = changes[cu_random_below(random, sizeof(changes) / sizeof(changes[0]))](random, data,
                                                                                     len);
    run(data, len);
}

int main(int argc, char **argv)
{
    static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

    if (argc < 4) {
        fprintf(stderr, "usage: %s SECONDS SEED FOLDER|FILE...\n", argv[0]);
        return EXIT_FAILURE;
    }
    program = argv[0];
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        signal(fatal[i], keep_input);
    for (int i = 3; i < argc; i++)
        load(argv[i]);
    for (size_t i = 0; i < seed_count; i++)
        run(seeds[i].data, seeds[i].len);
    run((const uint8_t *)"", 0);

    struct cu_random random = {strtoull(argv[2], NULL, 10)};
    double end = now_s() + strtod(argv[1], NULL);
    for (uint64_t n = 0; seed_count && (n % DRIVER_CLOCK_EVERY || now_s() < end); n++)
        run_mutant(&random);

    for (size_t i = 0; i < seed_count; i++)
        free(seeds[i].data);
    printf("%" PRIu64 " inputs, %" PRIu64 " parsed (%.1f %%)\n", tally.inputs, tally.parsed,
           100.0 * (double)tally.parsed / (double)tally.inputs);
    return EXIT_SUCCESS;
}

#endif
