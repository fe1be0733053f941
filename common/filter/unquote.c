#include "common/filter/unquote.h"

#include <string.h>

struct unquote {
    const uint8_t *at, *end;
    char *to;
};

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

static int digit_of(uint8_t c, int base)
{
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : base;
    return digit < base ? digit : -1;
}

static bool read_number(struct unquote *u, int base, int count, uint32_t *ret_number)
{
    uint32_t number = 0;
    for (int i = 0; i < count; i++, u->at++) {
        int digit = u->at < u->end ? digit_of(*u->at, base) : -1;
        if (digit < 0)
            return false;
        number = number * (uint32_t)base + (uint32_t)digit;
    }
    *ret_number = number;
    return true;
}

static bool is_rune(uint32_t c)
{
    return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

/* \x41, \101: a byte; \u0041, \U00000041: a character. */
static bool put_number(struct unquote *u, uint8_t kind)
{
    uint32_t number;
    int count = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 3;
    if (count == 3)
        u->at--; /* the first digit */
    if (!read_number(u, count == 3 ? 8 : 16, count, &number) || number == 0)
        return false;
    if (kind == 'u' || kind == 'U') {
        if (!is_rune(number))
            return false;
        u->to = put_utf8(u->to, number);
        return true;
    }
    if (number > 0xff)
        return false;
    *u->to++ = (char)number;
    return true;
}

static bool put_escape(struct unquote *u)
{
    static const char named[] = "abfnrtv\\\"", meant[] = "\a\b\f\n\r\t\v\\\"";
    if (u->at == u->end)
        return false;
    uint8_t kind = *u->at++;
    const char *found = kind ? strchr(named, kind) : NULL;
    if (found) {
        *u->to++ = meant[found - named];
        return true;
    }
    return kind && strchr("xuU01234567", kind) && put_number(u, kind);
}

static bool unquote_double(struct unquote *u)
{
    while (u->at < u->end) {
        uint8_t c = *u->at++;
        if (c == '\n' || c == '\0' || (c == '\\' && !put_escape(u)))
            return false;
        if (c != '\\')
            *u->to++ = (char)c;
    }
    return true;
}

/* As it stands, but for carriage returns. */
static bool unquote_raw(struct unquote *u)
{
    for (; u->at < u->end; u->at++) {
        if (*u->at == '\0')
            return false;
        if (*u->at != '\r')
            *u->to++ = (char)*u->at;
    }
    return true;
}

enum cu_err cu_filter_unquote(struct cu_bytes literal, struct cu_arena *arena, char **ret_text)
{
    char *text = cu_arena_alloc(arena, literal.len + 1); /* an escape is never the shorter one */
    if (!text)
        return CU_E_TOO_LARGE;
    struct unquote u = {literal.data + 1, literal.data + literal.len - 1, text};
    if (!(literal.data[0] == '`' ? unquote_raw(&u) : unquote_double(&u)))
        return CU_E_INVALID;
    *u.to = '\0';
    *ret_text = text;
    return CU_OK;
}
