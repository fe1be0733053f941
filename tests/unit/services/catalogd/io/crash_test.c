#include "services/catalogd/io/crash.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

/* A life that ends at `index` by the signal. */
static void life(uint64_t index, int signal_number)
{
    const char *folder = suite_tmpdir(); /* the child would be given another */
    pid_t child = fork();
    if (child == 0) {
        struct catalog_crash *crash;
        struct rlimit none = {0};
        (void)setrlimit(RLIMIT_CORE, &none);
        if (catalog_crash_open(folder, &crash, NULL))
            _exit(77);
        catalog_crash_at(crash, index);
        (void)kill(getpid(), signal_number);
        _exit(78);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) < 77); /* a sanitizer exits by itself */
}

static bool is_fatal(uint64_t index)
{
    struct catalog_crash *crash;
    ck_assert_int_eq(catalog_crash_open(suite_tmpdir(), &crash, NULL), CU_OK);
    bool fatal = catalog_crash_is_fatal(crash, index);
    catalog_crash_close(crash);
    return fatal;
}

START_TEST(two_crashes_at_the_same_entry_stop_it_and_one_does_not_contracts_6_6)
{
    ck_assert(!is_fatal(7));
    life(7, SIGABRT);
    ck_assert(!is_fatal(7));
    life(7, SIGSEGV);
    ck_assert(is_fatal(7) && !is_fatal(8));
}
END_TEST

START_TEST(crashes_at_different_entries_and_outside_of_any_do_not_add_up)
{
    life(7, SIGABRT);
    life(8, SIGABRT);
    life(0, SIGABRT);
    ck_assert(!is_fatal(7) && !is_fatal(8));
    life(8, SIGABRT);
    ck_assert(is_fatal(8));
}
END_TEST

START_TEST(being_killed_does_not_count_contracts_6_6)
{
    life(7, SIGKILL);
    life(7, SIGKILL);
    ck_assert(!is_fatal(7));
}
END_TEST

SUITE_MAIN("services/catalogd/io/crash",
           two_crashes_at_the_same_entry_stop_it_and_one_does_not_contracts_6_6,
           crashes_at_different_entries_and_outside_of_any_do_not_add_up,
           being_killed_does_not_count_contracts_6_6)
