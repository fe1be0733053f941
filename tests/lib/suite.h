/* suite.h - the main() of every test program, its seed, and a fault that fails the Nth call.
 *
 * A test program is START_TEST(claim) ... END_TEST blocks and, last:
 *
 *     SUITE_MAIN("common/base/num", rejects_a_sign, reads_the_largest_number)
 *
 * Each test runs in a process of its own (CK_FORK=no keeps one, for a debugger). The last line is
 * "NAME: P passed, F failed"; the exit code is 0 only when all passed. TEST=claim runs one. */
#ifndef TESTS_LIB_SUITE_H
#define TESTS_LIB_SUITE_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#define SUITE_MAIN(name, ...)                                                                      \
    int main(void)                                                                                 \
    {                                                                                              \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        return suite_run(name, tests, sizeof(tests) / sizeof(tests[0]));                           \
    }

int suite_run(const char *name, const TTest *const *tests, size_t count);

/* The seed of this run: SEED of the environment, else a fixed one. Printed when a test fails. */
uint64_t suite_seed(void);

/* A folder for this test alone, removed when the program ends; call it inside a test. Never NULL.
 */
const char *suite_tmpdir(void);

#endif
