#include "services/curia/flag.h"

#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/err.h"
#include "common/base/num.h"

void cli_args_allow(struct cli_args *args, const struct cli_flag *flags)
{
    for (; flags && flags->name; flags++) {
        CU_ASSERT(args->flag_count < CLI_FLAGS);
        args->flags[args->flag_count++] = flags;
    }
}

bool cli_parse_bool(const char *text, bool *ret_value)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    for (size_t i = 0; i < CU_COUNT(yes); i++)
        if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
            *ret_value = !strcmp(text, yes[i]);
            return true;
        }
    return false;
}

static const char *type_word(enum cli_flag_type type)
{
    switch (type) {
    case CLI_BOOL:
        return "";
    case CLI_TEXT:
        return " string";
    case CLI_INT:
        return " int";
    case CLI_UINT:
        return " uint";
    case CLI_DURATION:
        return " duration";
    case CLI_LIST:
        return " value";
    }
    return "";
}

static void list_flags(const struct cli_args *args)
{
    (void)fprintf(stderr, "Usage:\n");
    for (size_t i = 0; i < args->flag_count; i++)
        (void)fprintf(stderr, "  -%s%s\n    \t%s\n", args->flags[i]->name,
                      type_word(args->flags[i]->type), args->flags[i]->help);
}

static const struct cli_flag *find(const struct cli_args *args, const char *name, size_t len)
{
    for (size_t i = 0; i < args->flag_count; i++)
        if (strlen(args->flags[i]->name) == len && !memcmp(args->flags[i]->name, name, len))
            return args->flags[i];
    return NULL;
}

static bool is_good(enum cli_flag_type type, const char *text)
{
    bool yes;
    int64_t number;
    uint64_t whole;
    switch (type) {
    case CLI_BOOL:
        return cli_parse_bool(text, &yes);
    case CLI_INT:
        return !cu_parse_i64(text, strlen(text), &number);
    case CLI_UINT:
        return !cu_parse_u64(text, strlen(text), &whole);
    case CLI_DURATION:
        return !cu_parse_duration_ns(text, &number, NULL);
    case CLI_TEXT:
    case CLI_LIST:
        return true;
    }
    return false;
}

static bool refuse(const struct cli_args *args, const char *before, const char *name, size_t len,
                   const char *after)
{
    (void)fprintf(stderr, "%s-%.*s%s\n", before, (int)len, name, after);
    list_flags(args);
    return false;
}

static bool take(struct cli_args *args, const struct cli_flag *flag, const char *text)
{
    if (!is_good(flag->type, text)) {
        (void)fprintf(stderr, "invalid %svalue \"%s\" for %s-%s: parse error\n",
                      flag->type == CLI_BOOL ? "boolean " : "", text,
                      flag->type == CLI_BOOL ? "" : "flag ", flag->name);
        list_flags(args);
        return false;
    }
    if (args->value_count == CLI_VALUES) {
        (void)fprintf(stderr, "more than %d flags\n", CLI_VALUES);
        return false;
    }
    args->values[args->value_count++] = (struct cli_value){flag, text};
    return true;
}

bool cli_args_parse(struct cli_args *args, int argc, char **argv)
{
    int at = 0;
    for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
        if (!strcmp(argv[at], "--")) {
            at++;
            break;
        }
        const char *name = argv[at] + (argv[at][1] == '-' ? 2 : 1);
        size_t len = strcspn(name, "=");
        const struct cli_flag *flag = find(args, name, len);
        if (!flag)
            return refuse(args, "flag provided but not defined: ", name, len, "");
        const char *text = name[len] ? name + len + 1 : flag->type == CLI_BOOL ? "true" : NULL;
        if (!text && ++at == argc)
            return refuse(args, "flag needs an argument: ", name, len, "");
        if (!take(args, flag, text ? text : argv[at]))
            return false;
    }
    args->words = argv + at;
    args->word_count = argc - at;
    return true;
}

bool cli_allows(const struct cli_args *args, const char *name)
{
    return find(args, name, strlen(name)) != NULL;
}

const char *cli_text(const struct cli_args *args, const char *name)
{
    const struct cli_flag *flag = find(args, name, strlen(name));
    CU_ASSERT(flag);
    for (size_t i = args->value_count; i > 0; i--)
        if (args->values[i - 1].flag == flag)
            return args->values[i - 1].text;
    return NULL;
}

bool cli_bool(const struct cli_args *args, const char *name)
{
    bool value = false;
    const char *text = cli_text(args, name);
    return text && cli_parse_bool(text, &value) && value;
}

uint64_t cli_uint(const struct cli_args *args, const char *name, uint64_t fallback)
{
    uint64_t value;
    const char *text = cli_text(args, name);
    return text && !cu_parse_u64(text, strlen(text), &value) ? value : fallback;
}
