#include "common/json/scan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/json/utf8.h"

struct scanner {
    const uint8_t *at, *end;
    unsigned depth;
    struct cu_diag *diag;
};

static void skip_blanks(struct scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'))
        s->at++;
}

/* The sentence for the character at hand, or for the end of the text. */
static enum cu_err unexpected(struct scanner *s, const char *where)
{
    if (s->at == s->end)
        return cu_fail(s->diag, CU_E_INVALID, "unexpected EOF");
    uint8_t c = *s->at;
    if (c == '\'')
        return cu_fail(s->diag, CU_E_INVALID, "invalid character '\\'' %s", where);
    if (c == '\\')
        return cu_fail(s->diag, CU_E_INVALID, "invalid character '\\\\' %s", where);
    if (c == '\n' || c == '\r' || c == '\t')
        return cu_fail(s->diag, CU_E_INVALID, "invalid character '\\%c' %s",
                       c == '\n'   ? 'n'
                       : c == '\r' ? 'r'
                                   : 't',
                       where);
    if (c < 0x20 || c == 0x7f)
        return cu_fail(s->diag, CU_E_INVALID, "invalid character '\\x%02x' %s", c, where);
    if (c < 0x80)
        return cu_fail(s->diag, CU_E_INVALID, "invalid character '%c' %s", c, where);
    /* The reference reads bytes as Latin-1 here. */
    if (c < 0xa0 || c == 0xad)
        return cu_fail(s->diag, CU_E_INVALID, "invalid character '\\u00%02x' %s", c, where);
    return cu_fail(s->diag, CU_E_INVALID, "invalid character '%c%c' %s", 0xc0 | c >> 6,
                   0x80 | (c & 0x3f), where);
}

static enum cu_err scan_hex(struct scanner *s)
{
    for (int i = 0; i < 4; i++, s->at++)
        if (s->at == s->end || !isxdigit(*s->at))
            return unexpected(s, "in \\u hexadecimal character escape");
    return CU_OK;
}

static enum cu_err scan_string(struct scanner *s)
{
    for (s->at++;; s->at++) {
        while (s->at < s->end && *s->at >= 0x20 && *s->at != '"' && *s->at != '\\')
            s->at++;
        if (s->at == s->end || *s->at < 0x20)
            return unexpected(s, "in string literal");
        if (*s->at == '"') {
            s->at++;
            return CU_OK;
        }
        if (++s->at == s->end || !strchr("\"\\/bfnrtu", *s->at) || !*s->at)
            return unexpected(s, "in string escape code");
        if (*s->at == 'u') {
            s->at++;
            enum cu_err err = scan_hex(s);
            if (err)
                return err;
            s->at--;
        }
    }
}

static enum cu_err scan_digits(struct scanner *s, const char *where)
{
    if (s->at == s->end || !isdigit(*s->at))
        return unexpected(s, where);
    while (s->at < s->end && isdigit(*s->at))
        s->at++;
    return CU_OK;
}

static enum cu_err scan_number(struct scanner *s)
{
    enum cu_err err = CU_OK;
    if (*s->at == '-')
        s->at++;
    if (s->at < s->end && *s->at == '0')
        s->at++;
    else
        err = scan_digits(s, "in numeric literal");
    if (!err && s->at < s->end && *s->at == '.') {
        s->at++;
        err = scan_digits(s, "after decimal point in numeric literal");
    }
    if (!err && s->at < s->end && (*s->at | 0x20) == 'e') {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        err = scan_digits(s, "in exponent of numeric literal");
    }
    return err;
}

static enum cu_err scan_word(struct scanner *s, const char *word)
{
    char where[64];
    for (const char *want = word; *want; want++, s->at++)
        if (s->at == s->end || *s->at != (uint8_t)*want) {
            (void)snprintf(where, sizeof where, "in literal %s (expecting '%c')", word, *want);
            return unexpected(s, where);
        }
    return CU_OK;
}

static enum cu_err scan_value(struct scanner *s);

static enum cu_err scan_name(struct scanner *s)
{
    skip_blanks(s);
    if (s->at == s->end || *s->at != '"')
        return unexpected(s, "looking for beginning of object key string");
    enum cu_err err = scan_string(s);
    if (err)
        return err;
    skip_blanks(s);
    if (s->at == s->end || *s->at != ':')
        return unexpected(s, "after object key");
    s->at++;
    return CU_OK;
}

/* The inside of a list or an object, whose opening bracket is at hand. */
static enum cu_err scan_inside(struct scanner *s, uint8_t closing)
{
    bool object = closing == '}';
    if (++s->depth > CU_JSON_MAX_DEPTH)
        return cu_fail(s->diag, CU_E_INVALID, "exceeded max depth");
    s->at++;
    skip_blanks(s);
    for (bool first = true; !first || s->at == s->end || *s->at != closing; first = false) {
        enum cu_err err = object ? scan_name(s) : CU_OK;
        if (!err)
            err = scan_value(s);
        if (err)
            return err;
        skip_blanks(s);
        if (s->at < s->end && *s->at == closing)
            break;
        if (s->at == s->end || *s->at != ',')
            return unexpected(s, object ? "after object key:value pair" : "after array element");
        s->at++;
    }
    s->at++;
    s->depth--;
    return CU_OK;
}

static enum cu_err scan_value(struct scanner *s)
{
    skip_blanks(s);
    uint8_t c = s->at < s->end ? *s->at : 0;
    if (c == '{')
        return scan_inside(s, '}');
    if (c == '[')
        return scan_inside(s, ']');
    if (c == '"')
        return scan_string(s);
    if (c == '-' || isdigit(c))
        return scan_number(s);
    if (c == 't' || c == 'f' || c == 'n')
        return scan_word(s, c == 't' ? "true" : c == 'f' ? "false" : "null");
    return unexpected(s, "looking for beginning of value");
}

enum cu_err cu_json_check(struct cu_bytes text, struct cu_bytes *ret_value, struct cu_diag *diag)
{
    struct scanner s = {.at = text.data, .end = text.data + text.len, .diag = diag};
    skip_blanks(&s);
    if (s.at == s.end)
        return cu_fail(diag, CU_E_INVALID, "EOF");
    const uint8_t *start = s.at;
    enum cu_err err = scan_value(&s);
    if (!err)
        *ret_value = (struct cu_bytes){start, (size_t)(s.at - start)};
    return err;
}

enum cu_json_kind cu_json_kind(struct cu_bytes value)
{
    switch (value.data[0]) {
    case '{':
        return CU_JSON_KIND_OBJECT;
    case '[':
        return CU_JSON_KIND_ARRAY;
    case '"':
        return CU_JSON_KIND_STRING;
    case 't':
    case 'f':
        return CU_JSON_KIND_BOOL;
    case 'n':
        return CU_JSON_KIND_NULL;
    default:
        return CU_JSON_KIND_NUMBER;
    }
}

const char *cu_json_kind_name(enum cu_json_kind kind)
{
    static const char *const names[] = {"null", "bool", "number", "string", "array", "object"};
    _Static_assert(CU_COUNT(names) == CU_JSON_KIND_COUNT, "a name for each kind");
    return names[kind];
}

struct cu_json_walk cu_json_walk(struct cu_bytes value)
{
    CU_ASSERT(value.len >= 2 && (value.data[0] == '{' || value.data[0] == '['));
    return (struct cu_json_walk){{value.data + 1, value.len - 2}};
}

/* Takes the value at the front of the walk, and the comma or colon behind it. */
static bool take_value(struct cu_json_walk *walk, struct cu_bytes *ret_value)
{
    struct scanner s = {.at = walk->rest.data, .end = walk->rest.data + walk->rest.len};
    skip_blanks(&s);
    if (s.at == s.end)
        return false;
    const uint8_t *start = s.at;
    enum cu_err err = scan_value(&s);
    CU_ASSERT(!err); /* cu_json_check() has seen it */
    *ret_value = (struct cu_bytes){start, (size_t)(s.at - start)};
    skip_blanks(&s);
    if (s.at < s.end)
        s.at++;
    walk->rest = (struct cu_bytes){s.at, (size_t)(s.end - s.at)};
    return true;
}

bool cu_json_next_element(struct cu_json_walk *walk, struct cu_bytes *ret_value)
{
    return take_value(walk, ret_value);
}

bool cu_json_next_member(struct cu_json_walk *walk, struct cu_bytes *ret_name,
                         struct cu_bytes *ret_value)
{
    return take_value(walk, ret_name) && take_value(walk, ret_value);
}
