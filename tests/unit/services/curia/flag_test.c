#include "services/curia/flag.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

static const struct cli_flag flags[] = {{"keys", CLI_BOOL, "k", NULL},
                                        {"flags", CLI_UINT, "f", NULL},
                                        {"name", CLI_TEXT, "n", NULL},
                                        {"meta", CLI_LIST, "m", NULL},
                                        {"wait", CLI_DURATION, "w", NULL},
                                        {"port", CLI_INT, "p", NULL},
                                        {0}};

static struct cli_args args;
static char said[4096];

/* Takes words apart; `said` is what went to stderr. */
static bool parse(int argc, const char **words)
{
    static char *argv[16]; /* what is parsed stays borrowed */
    int ends[2], kept = dup(2);
    for (int i = 0; i < argc; i++)
        argv[i] = (char *)(uintptr_t)words[i];
    ck_assert(!pipe(ends) && dup2(ends[1], 2) == 2);
    memset(&args, 0, sizeof args);
    cli_args_allow(&args, flags);
    bool good = cli_args_parse(&args, argc, argv);
    (void)fflush(stderr);
    (void)write(2, "\n", 1);
    ck_assert(dup2(kept, 2) == 2);
    ssize_t got = read(ends[0], said, sizeof said - 1);
    said[got > 0 ? got : 0] = '\0';
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(kept);
    return good;
}

#define PARSE(...)                                                                                 \
    parse((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                           \
          (const char *[]){__VA_ARGS__})

START_TEST(one_dash_or_two_with_equals_or_a_blank) /* cli.md 1.2 */
{
    ck_assert(PARSE("--name", "a", "-flags=7", "-meta=x", "-meta", "y", "rest", "-keys"));
    ck_assert_str_eq(cli_text(&args, "name"), "a");
    ck_assert_uint_eq(cli_uint(&args, "flags", 0), 7);
    ck_assert_str_eq(cli_text(&args, "meta"), "y");
    ck_assert(!cli_bool(&args, "keys")); /* after a word it is a word */
    ck_assert_int_eq(args.word_count, 2);
    ck_assert_str_eq(args.words[1], "-keys");
}
END_TEST

START_TEST(a_boolean_alone_is_true_and_takes_a_value_only_with_equals) /* cli.md 1.2 */
{
    ck_assert(PARSE("-keys", "false"));
    ck_assert(cli_bool(&args, "keys"));
    ck_assert_str_eq(args.words[0], "false");
    ck_assert(PARSE("-keys=F"));
    ck_assert(!cli_bool(&args, "keys"));
}
END_TEST

START_TEST(two_dashes_end_the_flags_and_a_lone_one_is_a_word) /* cli.md 1.2 */
{
    ck_assert(PARSE("-keys", "--", "-name"));
    ck_assert_str_eq(args.words[0], "-name");
    ck_assert(PARSE("-", "x"));
    ck_assert_int_eq(args.word_count, 2);
}
END_TEST

START_TEST(an_unknown_flag_is_named_first) /* cli 5 */
{
    ck_assert(!PARSE("-bogus"));
    ck_assert_int_eq(strncmp(said, "flag provided but not defined: -bogus\nUsage:\n", 44), 0);
    ck_assert_ptr_nonnull(strstr(said, "  -flags uint\n    \tf\n"));
}
END_TEST

START_TEST(bad_values_speak_gos_words) /* cli 6, 7 */
{
    ck_assert(!PARSE("-flags=-1", "x"));
    ck_assert_int_eq(strncmp(said, "invalid value \"-1\" for flag -flags: parse error\n", 48), 0);
    ck_assert(!PARSE("-keys=maybe", "x"));
    ck_assert_int_eq(strncmp(said, "invalid boolean value \"maybe\" for -keys: parse error\n", 52),
                     0);
    ck_assert(!PARSE("-wait=5"));
    ck_assert(!PARSE("-port=x"));
    ck_assert(!PARSE("-name"));
    ck_assert_int_eq(strncmp(said, "flag needs an argument: -name\n", 30), 0);
}
END_TEST

START_TEST(more_values_than_the_limit_are_refused)
{
    char word[] = "-keys";
    char *argv[CLI_VALUES + 1];
    for (int i = 0; i <= CLI_VALUES; i++)
        argv[i] = word;
    memset(&args, 0, sizeof args);
    cli_args_allow(&args, flags);
    ck_assert(cli_args_parse(&args, CLI_VALUES, argv));
    args.value_count = 0;
    ck_assert(!cli_args_parse(&args, CLI_VALUES + 1, argv));
}
END_TEST

SUITE_MAIN("curia/flag", one_dash_or_two_with_equals_or_a_blank,
           a_boolean_alone_is_true_and_takes_a_value_only_with_equals,
           two_dashes_end_the_flags_and_a_lone_one_is_a_word, an_unknown_flag_is_named_first,
           bad_values_speak_gos_words, more_values_than_the_limit_are_refused)
