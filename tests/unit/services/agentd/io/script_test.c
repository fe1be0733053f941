#include "services/agentd/io/script.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

static struct cu_loop *loop;
static struct agent_script script;
static char *output;
static enum agent_status status;
static bool is_forced;
static unsigned told, gone;

static void on_done(void *arg, const struct agent_script_result *result)
{
    (void)arg;
    free(output);
    output = strdup(result->output);
    status = result->status;
    is_forced = result->is_forced;
    told++;
}

static void on_gone(void *arg)
{
    (void)arg;
    gone++;
}

static void run(char *const *args, int64_t timeout_ms, size_t limit)
{
    if (!loop)
        loop = cu_loop_new();
    agent_script_init(&script, loop, on_done, on_gone, NULL);
    told = gone = 0;
    agent_script_start(&script, args, timeout_ms, limit);
    struct cu_mono end = cu_mono_add_ms(cu_mono_now(), 40000);
    while (!gone && cu_mono_before(cu_mono_now(), end))
        cu_loop_turn(loop, true);
    ck_assert_uint_eq(told, 1);
    ck_assert_uint_eq(gone, 1);
    agent_script_close(&script);
}

static void shell(const char *text, int64_t timeout_ms, size_t limit)
{
    char *args[] = {"/bin/sh", "-c", (char *)text, NULL};
    run(args, timeout_ms, limit);
}

static const struct {
    const char *text;
    enum agent_status status;
    const char *output;
} cases[] = {
    /* agent 28 */
    {"echo fine", AGENT_PASSING, "fine\n"},
    {"echo out; echo err >&2; exit 1", AGENT_WARNING, "out\nerr\n"},
    {"exit 2", AGENT_CRITICAL, ""},
    {"echo x; kill -9 $$", AGENT_CRITICAL, "x\n"},
    {"cat; echo eof", AGENT_PASSING, "eof\n"}, /* no standard input */
    /* no descriptor of ours: its three, and the folder's while it is read */
    {"set -- /proc/$$/fd/*; echo $#", AGENT_PASSING, "4\n"},
    {"(sleep 5; echo late) & echo now", AGENT_PASSING, "now\n"}, /* no wait for a descendant */
};

START_TEST(the_exit_status_is_the_status)
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        shell(cases[i].text, 5000, 4096);
        ck_assert_msg(status == cases[i].status, "%s: %d", cases[i].text, (int)status);
        ck_assert_str_eq(output, cases[i].output);
        ck_assert(!is_forced);
    }
}
END_TEST

START_TEST(the_last_bytes_are_kept) /* agent 30 */
{
    shell("printf 0123456789", 5000, 4);
    ck_assert_str_eq(output, "Captured 4 of 10 bytes\n...\n6789");
    shell("i=0; while [ $i -lt 2000 ]; do echo 0123456789012345678901234567890123456789; "
          "i=$((i+1)); done; printf end",
          5000, 5);
    ck_assert_str_eq(output, "Captured 5 of 82003 bytes\n...\n9\nend");
}
END_TEST

START_TEST(a_program_that_takes_too_long_is_killed_with_its_group) /* agent 29 */
{
    char path[256], text[512];
    (void)snprintf(path, sizeof path, "%s/pid", suite_tmpdir());
    (void)snprintf(text, sizeof text, "echo part; sleep 60 & echo $! > %s; wait", path);
    shell(text, 300, 4096);
    ck_assert_int_eq(status, AGENT_CRITICAL);
    ck_assert_str_eq(output, "Timed out (300ms) running check\n\npart\n");
    ck_assert(is_forced);
    int pid = 0;
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%d", &pid), 1);
    (void)fclose(file);
    struct cu_mono end = cu_mono_add_ms(cu_mono_now(), 40000);
    while (kill(pid, 0) == 0 && cu_mono_before(cu_mono_now(), end)) {
        char state = 0;
        (void)snprintf(text, sizeof text, "/proc/%d/stat", pid);
        file = fopen(text, "r");
        bool zombie = !file || fscanf(file, "%*d (sleep) %c", &state) < 1 || state == 'Z';
        if (file)
            (void)fclose(file);
        if (zombie)
            return; /* dead; nobody in this container may reap it */
    }
    ck_assert_int_ne(kill(pid, 0), 0);
}
END_TEST

START_TEST(a_program_that_cannot_start_is_critical)
{
    char *missing[] = {"/nosuch/program", NULL}, *nowhere[] = {"nosuch-program", NULL};
    run(missing, 5000, 4096);
    ck_assert_int_eq(status, AGENT_CRITICAL);
    ck_assert_str_eq(output, "fork/exec /nosuch/program: No such file or directory");
    ck_assert(is_forced);
    run(nowhere, 5000, 4096);
    ck_assert_str_eq(output, "exec: \"nosuch-program\": executable file not found in $PATH");
}
END_TEST

START_TEST(closing_ends_what_runs)
{
    char *args[] = {"/bin/sleep", "60", NULL};
    loop = cu_loop_new();
    agent_script_init(&script, loop, on_done, on_gone, NULL);
    agent_script_start(&script, args, 60000, 4096);
    pid_t pid = script.pid;
    agent_script_close(&script);
    ck_assert_int_ne(kill(pid, 0), 0);
    ck_assert_uint_eq(told, 0);
    cu_loop_free(loop);
}
END_TEST

SUITE_MAIN("services/agentd/io/script", the_exit_status_is_the_status, the_last_bytes_are_kept,
           a_program_that_takes_too_long_is_killed_with_its_group,
           a_program_that_cannot_start_is_critical, closing_ends_what_runs)
