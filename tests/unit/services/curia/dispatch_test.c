#include "services/curia/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

static char out[65536], err[65536];

static void read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    size_t got = fread(text, 1, size - 1, file);
    text[got] = '\0';
    (void)fclose(file);
}

/* Runs a command line, one a test (the table of flags is made once a process). */
static int run(const char *name, const char *a, const char *b, const char *c)
{
    char *argv[] = {(char *)(uintptr_t)name, (char *)(uintptr_t)a, (char *)(uintptr_t)b,
                    (char *)(uintptr_t)c, NULL};
    int argc = 1 + !!a + !!b + !!c, kept[2] = {dup(1), dup(2)};
    FILE *files[2] = {tmpfile(), tmpfile()};
    ck_assert(dup2(fileno(files[0]), 1) == 1 && dup2(fileno(files[1]), 2) == 2);
    int code = cli_main(argc, argv);
    (void)fflush(stdout);
    (void)fflush(stderr);
    ck_assert(dup2(kept[0], 1) == 1 && dup2(kept[1], 2) == 2);
    (void)close(kept[0]);
    (void)close(kept[1]);
    read_back(files[0], out, sizeof out);
    read_back(files[1], err, sizeof err);
    return code;
}

START_TEST(no_command_or_an_unknown_one_is_127_with_usage_on_stderr) /* cli 1, 2 */
{
    ck_assert_int_eq(run("consul", NULL, NULL, NULL), 127);
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(strncmp(err,
                             "Usage: consul [--version] [--help] <command> [<args>]\n\n"
                             "Available commands are:\n    acl ",
                             80),
                     0);
    ck_assert_int_eq(run("consul", "nosuch", NULL, NULL), 127);
}
END_TEST

START_TEST(curias_own_commands_are_listed_only_under_its_own_name) /* cli.md 1.1 */
{
    (void)run("/usr/bin/consul", NULL, NULL, NULL);
    ck_assert_ptr_null(strstr(err, "\n    call "));
    ck_assert_int_eq(run("x/curia", NULL, NULL, NULL), 127);
}
END_TEST

START_TEST(a_parent_without_a_subcommand_lists_them_on_stderr_with_1) /* cli 3 */
{
    ck_assert_int_eq(run("curia", "kv", NULL, NULL), 1);
    ck_assert_str_eq(out, "");
    ck_assert_ptr_nonnull(strstr(err, "Subcommands:\n\n    delete "));
    ck_assert_int_eq(run("curia", "operator", "raft", "nosuch"), 1);
    ck_assert_ptr_nonnull(strstr(err, "    list-peers "));
}
END_TEST

START_TEST(help_of_every_command_is_on_stdout_with_0) /* cli 4 */
{
    static const char *const spellings[] = {"-h", "-help", "--help"};
    for (size_t i = 0; i < cli_command_count; i++)
        for (size_t k = 0; k < CU_COUNT(spellings); k++) {
            char path[64], *words[3] = {NULL, NULL, NULL}, *at = path;
            (void)snprintf(path, sizeof path, "%s", cli_commands[i].path);
            size_t n = 0;
            while (at)
                words[n++] = strsep(&at, " ");
            if (n == 3) /* three words and the flag: the flag may stand before the last */
                continue;
            words[n] = (char *)(uintptr_t)spellings[k];
            ck_assert_int_eq(run("curia", words[0], words[1], words[2]), 0);
            ck_assert_int_eq(strncmp(out, "Usage: curia ", 13), 0);
            ck_assert_str_eq(err, "");
        }
}
END_TEST

START_TEST(help_that_was_asked_for_is_on_stdout_with_0) /* cli.md 1.1 */
{
    ck_assert_int_eq(run("curia", "--help", NULL, NULL), 0);
    ck_assert_ptr_nonnull(strstr(out, "Available commands are:\n"));
    ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(the_table_is_sorted_and_every_command_with_words_runs)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        ck_assert(!i || strcmp(cli_commands[i - 1].path, cli_commands[i].path) < 0);
        ck_assert_int_eq(!cli_commands[i].words, !cli_commands[i].run);
    }
}
END_TEST

START_TEST(version_prints_both_the_one_it_was_called_as_first) /* cli 86, 92 */
{
    ck_assert_int_eq(run("curia", "version", NULL, NULL), 0);
    ck_assert_int_eq(strncmp(out, "Curia v" CU_VERSION "\nConsul v1.9.8\nProtocol 2 spoken", 30),
                     0);
}
END_TEST

START_TEST(called_as_consul_the_first_line_is_consuls) /* cli 92: ^Consul v([0-9.]+) */
{
    ck_assert_int_eq(run("consul", "--version", NULL, NULL), 0);
    ck_assert_int_eq(strncmp(out, "Consul v1.9.8\nCuria v", 20), 0);
}
END_TEST

START_TEST(an_unknown_version_format_is_1) /* cli.md 4.26 */
{
    ck_assert_int_eq(run("curia", "version", "-format=x", NULL), 1);
    ck_assert_str_eq(err, "Unknown format: x\n");
}
END_TEST

START_TEST(agent_refuses_a_stray_word) /* cli.md 4.2 */
{
    ck_assert_int_eq(run("curia", "agent", "extra", NULL), 1);
    ck_assert_str_eq(err, "==> Unexpected extra arguments: [extra]\n");
}
END_TEST

START_TEST(call_names_what_is_unknown) /* cli.md 4.28 */
{
    ck_assert_int_eq(run("curia", "call", "nosuchd", NULL), 1);
    ck_assert_str_eq(err, "Unknown daemon: nosuchd\n");
}
END_TEST

START_TEST(call_lists_methods_sorted) /* cli 88 */
{
    ck_assert_int_eq(run("curia", "call", "raftd", NULL), 0);
    ck_assert_int_eq(strncmp(out, "Daemon.Check(CheckRequest) CheckReply\n", 38), 0);
    ck_assert_ptr_nonnull(strstr(out, "\nLog.Follow(FollowRequest) FollowReply\n"));
}
END_TEST

START_TEST(call_says_what_is_wrong_with_a_request) /* cli 89 */
{
    ck_assert_int_eq(run("curia", "call", "raftd", "Daemon.Nope"), 1);
    ck_assert_str_eq(err, "No such method: Daemon.Nope\n");
    ck_assert_str_eq(out, "");
}
END_TEST

SUITE_MAIN("curia/dispatch", no_command_or_an_unknown_one_is_127_with_usage_on_stderr,
           curias_own_commands_are_listed_only_under_its_own_name,
           a_parent_without_a_subcommand_lists_them_on_stderr_with_1,
           help_of_every_command_is_on_stdout_with_0, help_that_was_asked_for_is_on_stdout_with_0,
           the_table_is_sorted_and_every_command_with_words_runs,
           version_prints_both_the_one_it_was_called_as_first,
           called_as_consul_the_first_line_is_consuls, an_unknown_version_format_is_1,
           agent_refuses_a_stray_word, call_names_what_is_unknown, call_lists_methods_sorted,
           call_says_what_is_wrong_with_a_request)
