#include "services/curia/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/suite.h"

static const struct cli_flag flags[] = {{"run-dir", CLI_TEXT, "", NULL}, {0}};

static const char *found(char *given)
{
    static char url[CLI_URL_BYTES];
    static struct cli_args args;
    char flag[] = "-run-dir", *argv[] = {flag, given};
    args = (struct cli_args){0};
    cli_args_allow(&args, flags);
    ck_assert(cli_args_parse(&args, given ? 2 : 0, argv));
    cli_socket_find(&args, "raftd", url);
    return url;
}

START_TEST(the_flag_wins_over_the_environment_and_that_over_the_default)
{
    char given[] = "/no/such/flag";
    ck_assert_int_eq(unsetenv("CURIA_RUN_DIR"), 0);
    ck_assert_ptr_nonnull(strstr(found(NULL), "/run/curia/raftd.sock"));
    ck_assert_int_eq(setenv("CURIA_RUN_DIR", "", 1), 0);
    ck_assert_ptr_nonnull(strstr(found(NULL), "/run/curia/raftd.sock"));
    ck_assert_int_eq(setenv("CURIA_RUN_DIR", "/no/such/variable", 1), 0);
    ck_assert_str_eq(found(NULL), "ipc:///no/such/variable/raftd.sock");
    ck_assert_str_eq(found(given), "ipc:///no/such/flag/raftd.sock");
}
END_TEST

START_TEST(a_folder_that_is_there_is_named_by_its_whole_path)
{
    char link[512], expected[CLI_URL_BYTES], *whole = realpath(suite_tmpdir(), NULL);
    (void)snprintf(link, sizeof link, "%s/link", suite_tmpdir());
    ck_assert_int_eq(symlink(whole, link), 0);
    cli_socket_url(whole, "raftd", expected);
    ck_assert_str_eq(found(link), expected);
    free(whole);
}
END_TEST

SUITE_MAIN("services/curia/socket", the_flag_wins_over_the_environment_and_that_over_the_default,
           a_folder_that_is_there_is_named_by_its_whole_path)
