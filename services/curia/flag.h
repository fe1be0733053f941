/* flag.h - flags of a command, by table (cli.md 1.2). */
#ifndef CLI_FLAG_H
#define CLI_FLAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cli_flag_type {
    CLI_BOOL,
    CLI_TEXT,
    CLI_INT,
    CLI_UINT,
    CLI_DURATION,
    CLI_LIST /* may be given several times */
};

struct cli_flag {
    const char *name; /* without the dash */
    enum cli_flag_type type;
    const char *help; /* one line; the word between back-quotes names the value */
    const char *key;  /* agent only: the configuration key it sets */
};

enum { CLI_FLAGS = 128, CLI_VALUES = 512 }; /* flags of one command, values on one command line */

struct cli_value {
    const struct cli_flag *flag;
    const char *text; /* of argv; "true" where a boolean stood alone */
};

/* A command line taken apart. Everything is borrowed from argv and the tables. */
struct cli_args {
    const struct cli_flag *flags[CLI_FLAGS];
    size_t flag_count;
    struct cli_value values[CLI_VALUES];
    size_t value_count;
    char **words; /* what follows the flags */
    int word_count;
};

/* Adds a table's rows to what may be given; `flags` ends with a row without a name. */
void cli_args_allow(struct cli_args *args, const struct cli_flag *flags);

/* Takes argv apart up to the first word that is no flag. On a mistake prints the reference's
 * sentence and the list of flags on stderr and returns false. */
bool cli_args_parse(struct cli_args *args, int argc, char **argv);

/* Whether the command knows that flag. */
bool cli_allows(const struct cli_args *args, const char *name);

/* The last value given; NULL (false, `fallback`) when not given. The name must be allowed
 * (asserted). */
const char *cli_text(const struct cli_args *args, const char *name);
bool cli_bool(const struct cli_args *args, const char *name);
uint64_t cli_uint(const struct cli_args *args, const char *name, uint64_t fallback);

/* True for one of Go's spellings of a boolean. */
bool cli_parse_bool(const char *text, bool *ret_value);

#endif
