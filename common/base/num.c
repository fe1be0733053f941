#include "common/base/num.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum cu_err cu_parse_u64(const char *text, size_t len, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool over = false;
    if (len == 0)
        return CU_E_INVALID;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return CU_E_INVALID;
        over |= __builtin_mul_overflow(value, 10u, &value);
        over |= __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value);
    }
    if (over)
        return CU_E_TOO_LARGE;
    *ret_value = value;
    return CU_OK;
}

enum cu_err cu_parse_i64(const char *text, size_t len, int64_t *ret_value)
{
    bool negative = len > 0 && text[0] == '-';
    size_t skip = negative || (len > 0 && text[0] == '+');
    uint64_t magnitude;
    enum cu_err err = cu_parse_u64(text + skip, len - skip, &magnitude);
    if (err)
        return err;
    if (magnitude > (uint64_t)INT64_MAX + negative)
        return CU_E_TOO_LARGE;
    *ret_value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return CU_OK;
}

static const struct {
    const char *name;
    int64_t ns;
} units[] = {
    {"ns", 1},       {"us", 1000},      {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
    {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000},
};

static int64_t unit_ns(const char *text, size_t len)
{
    for (size_t i = 0; i < CU_COUNT(units); i++)
        if (strlen(units[i].name) == len && memcmp(units[i].name, text, len) == 0)
            return units[i].ns;
    return 0;
}

/* One "1.5h" at *at; adds it to *sum and moves on. */
static enum cu_err parse_part(const char **at, double *sum, const char *whole, struct cu_diag *diag)
{
    const char *p = *at;
    double number = 0, scale = 1;
    bool digits = false;
    for (; isdigit((unsigned char)*p); p++, digits = true)
        number = number * 10 + (*p - '0');
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p); p++, digits = true)
            number += (*p - '0') * (scale /= 10);
    if (!digits)
        return cu_fail(diag, CU_E_INVALID, "time: invalid duration \"%s\"", whole);
    size_t len = strcspn(p, "0123456789.");
    if (len == 0)
        return cu_fail(diag, CU_E_INVALID, "time: missing unit in duration \"%s\"", whole);
    int64_t unit = unit_ns(p, len);
    if (!unit)
        return cu_fail(diag, CU_E_INVALID, "time: unknown unit \"%.*s\" in duration \"%s\"",
                       (int)len, p, whole);
    *sum += number * (double)unit;
    *at = p + len;
    return CU_OK;
}

enum cu_err cu_parse_duration_ns(const char *text, int64_t *ret_ns, struct cu_diag *diag)
{
    const char *at = text;
    double sum = 0;
    bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if (strcmp(at, "0") == 0) {
        *ret_ns = 0;
        return CU_OK;
    }
    if (!*at)
        return cu_fail(diag, CU_E_INVALID, "time: invalid duration \"%s\"", text);
    while (*at) {
        enum cu_err err = parse_part(&at, &sum, text, diag);
        if (err)
            return err;
    }
    if (sum >= 9223372036854775807.0)
        return cu_fail(diag, CU_E_INVALID, "time: invalid duration \"%s\"", text);
    *ret_ns = (int64_t)llround(negative ? -sum : sum);
    return CU_OK;
}

/* "1.5" from 1500000000 and 9 digits: trailing zeros go. */
static void print_fraction(char *out, size_t size, uint64_t value, int digits)
{
    uint64_t scale = 1;
    for (int i = 0; i < digits; i++)
        scale *= 10;
    int len = snprintf(out, size, "%llu", (unsigned long long)(value / scale));
    if (value % scale == 0)
        return;
    len += snprintf(out + len, size - (size_t)len, ".%0*llu", digits,
                    (unsigned long long)(value % scale));
    while (out[len - 1] == '0')
        out[--len] = 0;
}

char *cu_format_duration(int64_t ns, char text[CU_DURATION_BYTES])
{
    uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    const char *sign = ns < 0 ? "-" : "";
    char part[24];
    if (left == 0) {
        (void)snprintf(text, CU_DURATION_BYTES, "0s");
        return text;
    }
    if (left < 1000000000u) {
        int digits = left < 1000 ? 0 : left < 1000000 ? 3 : 6;
        print_fraction(part, sizeof part, left, digits);
        (void)snprintf(text, CU_DURATION_BYTES, "%s%s%s", sign, part,
                       digits == 0   ? "ns"
                       : digits == 3 ? "\xc2\xb5s"
                                     : "ms");
        return text;
    }
    uint64_t hours = left / 3600000000000u, minutes = left / 60000000000u % 60;
    print_fraction(part, sizeof part, left % 60000000000u, 9);
    if (hours)
        (void)snprintf(text, CU_DURATION_BYTES, "%s%lluh%llum%ss", sign, (unsigned long long)hours,
                       (unsigned long long)minutes, part);
    else if (minutes)
        (void)snprintf(text, CU_DURATION_BYTES, "%s%llum%ss", sign, (unsigned long long)minutes,
                       part);
    else
        (void)snprintf(text, CU_DURATION_BYTES, "%s%ss", sign, part);
    return text;
}

int cu_is_uuid(const char *text)
{
    if (strlen(text) != 36)
        return 0;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return 0;
    }
    return 1;
}

char *cu_format_uuid(const uint8_t id[16], char text[CU_UUID_BYTES])
{
    char *at = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        at += snprintf(at, 3, "%02x", id[i]);
    }
    return text;
}

static uint8_t hex_value(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

enum cu_err cu_parse_uuid(const char *text, uint8_t ret_id[16])
{
    if (!cu_is_uuid(text))
        return CU_E_INVALID;
    int n = 0;
    for (const char *at = text; *at;) {
        if (*at == '-') {
            at++;
            continue;
        }
        ret_id[n++] = (uint8_t)(hex_value(at[0]) << 4 | hex_value(at[1]));
        at += 2;
    }
    return CU_OK;
}
