#include "tests/lib/suite.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUITE_DEFAULT_SEED = 20210101, SUITE_TIMEOUT_S = 240, SUITE_OPEN_FILES = 16 };

static char tmpdir[256];
static pid_t tmpdir_owner;

uint64_t suite_seed(void)
{
    const char *text = getenv("SEED");
    char *end = NULL;
    uint64_t seed = text ? strtoull(text, &end, 10) : 0;
    return text && end != text ? seed : SUITE_DEFAULT_SEED;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

/* Forked tests run this handler too: only the process that made the folder removes it. */
static void remove_tmpdir(void)
{
    if (tmpdir_owner == getpid())
        nftw(tmpdir, remove_one, SUITE_OPEN_FILES, FTW_DEPTH | FTW_PHYS);
}

static void make_root(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(tmpdir, sizeof(tmpdir), "%s/curia-unit-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(tmpdir)) {
        perror(tmpdir);
        exit(EXIT_FAILURE);
    }
    tmpdir_owner = getpid();
    atexit(remove_tmpdir);
}

const char *suite_tmpdir(void)
{
    static char mine[sizeof(tmpdir) + 16];
    snprintf(mine, sizeof(mine), "%s/%ld", tmpdir, (long)getpid());
    if (mkdir(mine, 0700) < 0 && errno != EEXIST) {
        perror(mine);
        exit(EXIT_FAILURE);
    }
    return mine;
}

static Suite *suite_of(const char *name, const TTest *const *tests, size_t count)
{
    const char *only = getenv("TEST");
    Suite *suite = suite_create(name);

    for (size_t i = 0; i < count; i++) {
        if (only && strcmp(only, tests[i]->name) != 0)
            continue;
        TCase *one = tcase_create(tests[i]->name);
        tcase_set_timeout(one, SUITE_TIMEOUT_S);
        tcase_add_test(one, tests[i]);
        suite_add_tcase(suite, one);
    }
    return suite;
}

int suite_run(const char *name, const TTest *const *tests, size_t count)
{
    SRunner *runner = srunner_create(suite_of(name, tests, count));

    make_root(); /* here and not in a test: its owner must outlive the forked tests */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    int ran = srunner_ntests_run(runner);
    srunner_free(runner);
    if (failed)
        printf("SEED=%" PRIu64 " repeats this run\n", suite_seed());
    printf("%s: %d passed, %d failed\n", name, ran - failed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
