#include "services/agentd/core/rfc3339.h"

#include <stddef.h>
#include <string.h>

enum {
    MS_PER_S = 1000,
    MS_DIGITS = 3,
    S_PER_MINUTE = 60,
    MINUTES_PER_HOUR = 60,
    S_PER_DAY = 86400
};
static const int64_t zero_s = -62135596800; /* of the year 1 */

struct moment {
    unsigned year, month, day, hour, minute, second;
};

/* The pattern's digits are those of fields, in order of the letters; all else is itself. */
static bool match(const char *text, const char *pattern, unsigned *fields)
{
    for (; *pattern; pattern++, text++) {
        bool is_field = *pattern >= 'a' && *pattern <= 'f';
        if (is_field && (*text < '0' || *text > '9'))
            return false;
        if (is_field)
            fields[*pattern - 'a'] = fields[*pattern - 'a'] * 10 + (unsigned)(*text - '0');
        else if (*text != *pattern)
            return false;
    }
    return true;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool is_sound(const struct moment *at)
{
    return at->month >= 1 && at->month <= 12 && at->day >= 1 &&
           at->day <= days_in(at->year, at->month) && at->hour < 24 && at->minute < 60 &&
           at->second < 60;
}

/* Days since 1970, in the calendar of today. */
static int64_t days_of(const struct moment *at)
{
    int64_t before = (int64_t)at->year - 1; /* whole years since the year 1 */
    int64_t days = before * 365 + before / 4 - before / 100 + before / 400 + at->day - 1;
    for (unsigned month = 1; month < at->month; month++)
        days += days_in(at->year, month);
    return days + zero_s / S_PER_DAY;
}

/* "Z" or "+01:00": seconds east of UTC. */
static bool parse_zone(const char *text, int *ret_s)
{
    unsigned fields[2] = {0, 0};
    *ret_s = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if ((*text != '+' && *text != '-') || strlen(text) != sizeof "+01:00" - 1 ||
        !match(text + 1, "aa:bb", fields) || fields[0] > 23 || fields[1] > 59)
        return false;
    int s = (int)(fields[0] * MINUTES_PER_HOUR + fields[1]) * S_PER_MINUTE;
    *ret_s = *text == '+' ? s : -s;
    return true;
}

/* ".37": *text is moved behind it. */
static bool parse_fraction(const char **text, unsigned *ret_ms)
{
    *ret_ms = 0;
    if (**text != '.')
        return true;
    const char *at = *text + 1;
    size_t digits = strspn(at, "0123456789");
    for (size_t i = 0; i < MS_DIGITS; i++)
        *ret_ms = *ret_ms * 10 + (i < digits ? (unsigned)(at[i] - '0') : 0);
    *text = at + digits;
    return digits > 0;
}

bool agent_time_parse(const char *text, uint64_t *ret_ms)
{
    static const char pattern[] = "aaaa-bb-ccTdd:ee:ff";
    unsigned fields[6] = {0}, ms;
    int east;
    if (!match(text, pattern, fields))
        return false;
    struct moment at = {fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]};
    text += sizeof pattern - 1;
    if (!is_sound(&at) || !parse_fraction(&text, &ms) || !parse_zone(text, &east))
        return false;
    int64_t s = days_of(&at) * S_PER_DAY + at.hour * MINUTES_PER_HOUR * S_PER_MINUTE +
                at.minute * S_PER_MINUTE + at.second - east;
    if (s == zero_s && ms == 0)
        *ret_ms = 0;
    else
        *ret_ms = s < 0 ? 1 : (uint64_t)s * MS_PER_S + ms;
    return true;
}
