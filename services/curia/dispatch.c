/* Which command is meant, and what is printed when none is (cli.md 1.1). */
#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "services/curia/command.h"

static const char *invoked_as = "curia";

const char *cli_name(void)
{
    return invoked_as;
}

static bool is_listed(const struct cli_command *command)
{
    return !command->is_own || !strcmp(invoked_as, "curia");
}

/* Whether the command line begins with all words of `path`; *ret_words counts them. */
static bool matches(const char *path, int argc, char **argv, int *ret_words)
{
    int words = 0;
    while (*path) {
        size_t len = strcspn(path, " ");
        if (words == argc || strlen(argv[words]) != len || memcmp(argv[words], path, len) != 0)
            return false;
        words++;
        path += len + (path[len] == ' ');
    }
    *ret_words = words;
    return true;
}

static const struct cli_command *find(int argc, char **argv, int *ret_words)
{
    const struct cli_command *best = NULL;
    int words = 0;
    for (size_t i = 0; i < cli_command_count; i++)
        if (matches(cli_commands[i].path, argc, argv, &words) && (!best || words > *ret_words)) {
            best = &cli_commands[i];
            *ret_words = words;
        }
    return best;
}

/* Commands one word below `parent` ("" : the top), sorted as the table is. */
static bool is_below(const struct cli_command *command, const char *parent)
{
    size_t len = strlen(parent);
    const char *rest = command->path;
    if (len) {
        if (strncmp(rest, parent, len) != 0 || rest[len] != ' ')
            return false;
        rest += len + 1;
    }
    return !strchr(rest, ' ') && is_listed(command);
}

static const char *last_word(const char *path)
{
    const char *blank = strrchr(path, ' ');
    return blank ? blank + 1 : path;
}

static void list_commands(FILE *to, const char *parent)
{
    int width = 0;
    for (size_t i = 0; i < cli_command_count; i++) {
        int len = (int)strlen(last_word(cli_commands[i].path));
        if (is_below(&cli_commands[i], parent) && len > width)
            width = len;
    }
    for (size_t i = 0; i < cli_command_count; i++)
        if (is_below(&cli_commands[i], parent))
            (void)fprintf(to, "    %-*s    %s\n", width, last_word(cli_commands[i].path),
                          cli_commands[i].synopsis);
}

/* Asked for, it is a result; else it says what was wrong. */
static int top_usage(FILE *to)
{
    (void)fprintf(to,
                  "Usage: %s [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n",
                  invoked_as);
    list_commands(to, "");
    (void)fputc('\n', to);
    return to == stdout ? 0 : 127;
}

static void print_flags(FILE *to, const char *title, const struct cli_flag *flags)
{
    if (!flags || !flags->name)
        return;
    (void)fprintf(to, "\n%s\n", title);
    for (; flags->name; flags++)
        (void)fprintf(to, "\n  -%s%s\n     %s\n", flags->name,
                      flags->type == CLI_BOOL ? "" : "=<value>", flags->help);
}

static int help(const struct cli_command *command, FILE *to)
{
    if (!command->words) {
        (void)fprintf(to, "Usage: %s %s <subcommand> [options] [args]\n\n%s\nSubcommands:\n\n",
                      invoked_as, command->path, command->text);
        list_commands(to, command->path);
        return to == stdout ? 0 : 1;
    }
    (void)fprintf(to, "Usage: %s %s%s\n\n%s", invoked_as, command->path, command->words,
                  command->text);
    print_flags(to, "Command Options", command->flags);
    if (command->groups & CLI_GROUP_CLIENT)
        print_flags(to, "HTTP API Options", cli_client_flags);
    if (command->groups & CLI_GROUP_SERVER)
        print_flags(to, "Server Options", cli_server_flags);
    if (command->groups & CLI_GROUP_NAMESPACE)
        print_flags(to, "Namespace Options", cli_namespace_flags);
    return 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "-help") || !strcmp(argv[i], "--help"))
            return true;
    return false;
}

static bool asks_for_version(const char *word)
{
    return !strcmp(word, "-v") || !strcmp(word, "-version") || !strcmp(word, "--version");
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    static struct cli_args args; /* large; one command line a process */
    cli_args_allow(&args, command->flags);
    if (command->groups & CLI_GROUP_CLIENT)
        cli_args_allow(&args, cli_client_flags);
    if (command->groups & CLI_GROUP_SERVER)
        cli_args_allow(&args, cli_server_flags);
    if (command->groups & CLI_GROUP_NAMESPACE)
        cli_args_allow(&args, cli_namespace_flags);
    if (cli_args_parse(&args, argc, argv))
        return command->run(&args);
    return command->groups & CLI_MISTAKE_IS_2 ? 2 : 1;
}

int cli_main(int argc, char **argv)
{
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;
    if (argc && !strcmp(slash ? slash + 1 : argv[0], "consul"))
        invoked_as = "consul";
    argc -= argc > 0;
    argv++;
    if (argc && asks_for_version(argv[0])) {
        char word[] = "version", *words[] = {word};
        return cli_main(2, (char *[]){(char *)(uintptr_t)invoked_as, words[0], NULL});
    }
    bool wants_help = asks_for_help(argc, argv);
    if (argc && !strcmp(argv[0], "help")) { /* Q19 */
        argc--;
        argv++;
        wants_help = argc > 0;
    }
    int words = 0;
    const struct cli_command *command = find(argc, argv, &words);
    if (!command)
        return top_usage(wants_help && (!argc || argv[0][0] == '-') ? stdout : stderr);
    if (wants_help)
        return help(command, stdout);
    if (!command->run)
        return help(command, stderr);
    return run(command, argc - words, argv + words);
}
