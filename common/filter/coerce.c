#include "common/filter/coerce.h"

#include <stdbool.h>
#include <string.h>

static const char invalid[] = "invalid syntax", out_of_range[] = "value out of range";

static unsigned base_of(const char **text)
{
    const char *t = *text;
    if (t[0] != '0' || t[1] == '\0')
        return 10;
    char kind = (char)(t[1] | 0x20);
    unsigned base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
    *text += base ? 2 : 1;
    return base ? base : 8;
}

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 10 : 36;
}

/* Underscores stand between digits, or between the base and a digit. */
static bool are_underscores_well(const char *text, bool has_base)
{
    char before = has_base ? '0' : '_';
    for (; *text; text++) {
        if (*text == '_' && (before == '_' || text[1] == '\0'))
            return false;
        before = *text;
    }
    return true;
}

const char *cu_filter_coerce_int(const char *text, int64_t *ret_number)
{
    bool is_negative = text[0] == '-';
    const char *digits = text + (text[0] == '-' || text[0] == '+'), *from = digits;
    unsigned base = base_of(&digits);
    uint64_t most = is_negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, number = 0;
    bool is_beyond = false;
    if (!*digits || !are_underscores_well(digits, digits != from))
        return invalid;
    for (; *digits; digits++) {
        unsigned digit = digit_of(*digits);
        if (*digits == '_')
            continue;
        if (digit >= base)
            return invalid;
        is_beyond = is_beyond || number > (most - digit) / base;
        number = is_beyond ? number : number * base + digit;
    }
    if (is_beyond)
        return out_of_range;
    *ret_number = is_negative ? (int64_t)(0 - number) : (int64_t)number;
    return NULL;
}

const char *cu_filter_coerce_bool(const char *text, int64_t *ret_number)
{
    static const char *const truths[2][6] = {{"0", "f", "F", "FALSE", "false", "False"},
                                             {"1", "t", "T", "TRUE", "true", "True"}};
    for (int truth = 0; truth < 2; truth++)
        for (int i = 0; i < 6; i++)
            if (strcmp(text, truths[truth][i]) == 0) {
                *ret_number = truth;
                return NULL;
            }
    return invalid;
}
