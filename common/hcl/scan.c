#include "common/hcl/scan.h"

#include <string.h>

#include "common/hcl/word.h"
#include "common/json/utf8.h"

/* What read() gives at the end of the text and for a NUL; no other character is 0. */
enum { END = 0, REPLACEMENT = 0xfffd, RESERVED = 0xe123 };

const char *hcl_kind_name(enum hcl_kind kind)
{
    static const char *const names[] = {"ILLEGAL", "EOF",     "IDENT",  "NUMBER", "FLOAT", "BOOL",
                                        "STRING",  "HEREDOC", "LBRACK", "LBRACE", "COMMA", "PERIOD",
                                        "RBRACK",  "RBRACE",  "ASSIGN", "ADD",    "SUB"};
    _Static_assert(CU_COUNT(names) == HCL_KIND_COUNT, "a name for each kind");
    return names[kind];
}

/* The place of the character that was read last. */
static void fault(struct hcl_scanner *s, const char *sentence)
{
    s->failed = true;
    s->fault = sentence;
    s->fault_place = s->here;
    if (!s->here.column)
        s->fault_place = (struct hcl_place){s->here.line - 1, s->last_line_columns};
}

static uint32_t next(struct hcl_scanner *s)
{
    uint32_t rune;
    if (s->at == s->text.len) {
        s->here.column++;
        s->last_len = 0;
        return END;
    }
    s->last_len = cu_utf8_next((struct cu_bytes){s->text.data + s->at, s->text.len - s->at}, &rune);
    s->before = s->here;
    s->here.column++;
    s->at += s->last_len;
    if (rune == '\n') {
        s->last_line_columns = s->here.column;
        s->here = (struct hcl_place){s->here.line + 1, 0};
    } else if (rune == CU_UTF8_BAD) {
        fault(s, "illegal UTF-8 encoding");
        return REPLACEMENT;
    } else if (rune == 0) {
        fault(s, "unexpected null character (0x00)");
    } else if (rune == RESERVED) {
        fault(s, "unicode code point U+E123 reserved for internal use");
        return REPLACEMENT;
    }
    return rune;
}

/* Back by the one character that was read last, unless that was the end. */
static void back(struct hcl_scanner *s)
{
    if (!s->last_len)
        return;
    s->at -= s->last_len;
    s->last_len = 0;
    s->here = s->before;
}

/* One character ahead, where only ASCII matters. */
static uint32_t peek(const struct hcl_scanner *s)
{
    return s->at < s->text.len ? s->text.data[s->at] : END;
}

static bool is_decimal(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static uint32_t skip_decimals(struct hcl_scanner *s)
{
    uint32_t c = next(s);
    while (is_decimal(c))
        c = next(s);
    return c;
}

static uint32_t skip_exponent(struct hcl_scanner *s)
{
    if (peek(s) == '+' || peek(s) == '-')
        (void)next(s);
    return skip_decimals(s);
}

static enum hcl_kind scan_hex(struct hcl_scanner *s)
{
    uint32_t c = next(s);
    if (hcl_digit(c) >= 16)
        fault(s, "illegal hexadecimal number");
    while (hcl_digit(c) < 16)
        c = next(s);
    back(s);
    return HCL_NUMBER;
}

/* The rest of a number that begins with `first`; "08" and its like are told with its value. */
static enum hcl_kind scan_number(struct hcl_scanner *s, uint32_t first)
{
    enum hcl_kind kind = HCL_NUMBER;
    if (first == '0' && (peek(s) | 0x20) == 'x') {
        (void)next(s);
        return scan_hex(s);
    }
    uint32_t c = first == '.' ? first : skip_decimals(s);
    if (c == END && first != '0')
        c = next(s); /* the reference looks twice at what follows; columns at the end show it */
    if (c == '.') {
        kind = HCL_FLOAT;
        c = skip_decimals(s);
    }
    if ((c | 0x20) == 'e') {
        kind = HCL_FLOAT;
        c = skip_exponent(s);
    }
    back(s);
    return kind;
}

static void scan_digits(struct hcl_scanner *s, uint32_t c, unsigned base, int count)
{
    bool any = false;
    for (; count > 0 && hcl_digit(c) < base; count--, any = true) {
        c = next(s);
        if (c == END)
            break;
    }
    if (count > 0)
        fault(s, "illegal char escape");
    if (any && c != END)
        back(s);
}

static void scan_escape(struct hcl_scanner *s)
{
    uint32_t c = next(s);
    if (c >= '0' && c <= '7')
        scan_digits(s, c, 8, 3);
    else if (c == 'x' || c == 'u' || c == 'U')
        scan_digits(s, next(s), 16, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    else if (c == END || c > 0x7f || !strchr("abfnrtv\\\"", (int)c))
        fault(s, "illegal char escape");
}

/* Up to the closing quote. Inside of ${...} quotes and line ends are characters like others. */
static void scan_string(struct hcl_scanner *s)
{
    size_t braces = 0;
    for (;;) {
        uint32_t c = next(s);
        if (c == END || (c == '\n' && !braces)) {
            fault(s, "literal not terminated");
            return;
        }
        if (c == '"' && !braces)
            return;
        if (!braces && c == '$' && peek(s) == '{') {
            braces = 1;
            (void)next(s);
        } else if (braces && c == '{') {
            braces++;
        } else if (braces && c == '}') {
            braces--;
        } else if (c == '\\') {
            scan_escape(s);
        }
    }
}

static bool is_blank(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether a line is only the anchor, with blanks before it. */
static bool ends_heredoc(struct cu_bytes line, struct cu_bytes anchor)
{
    while (line.len && strchr(" \t\v\f\r", line.data[0]) && line.data[0])
        line = (struct cu_bytes){line.data + 1, line.len - 1};
    while (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return cu_bytes_equal(line, anchor);
}

static bool scan_anchor(struct hcl_scanner *s, struct cu_bytes *ret_anchor)
{
    if (next(s) != '<') {
        fault(s, "heredoc expected second '<', didn't see it");
        return false;
    }
    if (peek(s) == '-')
        (void)next(s);
    size_t start = s->at;
    uint32_t c = next(s);
    while (hcl_is_letter(c) || is_decimal(c))
        c = next(s);
    *ret_anchor = (struct cu_bytes){s->text.data + start, s->at - s->last_len - start};
    if (c == '\n' && ret_anchor->len)
        return true;
    fault(s, c == END    ? "heredoc not terminated"
             : c == '\n' ? "zero-length heredoc anchor"
                         : "invalid characters in heredoc anchor");
    return false;
}

/* Up to the line end behind the anchor, which has to be there. */
static void scan_heredoc(struct hcl_scanner *s)
{
    struct cu_bytes anchor;
    if (!scan_anchor(s, &anchor))
        return;
    for (size_t line = s->at;;) {
        uint32_t c = next(s);
        if (c == END) {
            fault(s, "heredoc not terminated");
            return;
        }
        if (c != '\n')
            continue;
        if (ends_heredoc((struct cu_bytes){s->text.data + line, s->at - 1 - line}, anchor))
            return;
        line = s->at;
    }
}

static void skip_block_comment(struct hcl_scanner *s)
{
    uint32_t last, c = next(s);
    do {
        if (c == END) {
            fault(s, "comment not terminated");
            return;
        }
        last = c;
        c = next(s);
    } while (last != '*' || c != '/');
}

static void skip_comment(struct hcl_scanner *s, uint32_t first)
{
    if (first == '/' && peek(s) == '*') {
        (void)next(s);
        skip_block_comment(s);
        return;
    }
    if (first == '/' && peek(s) != '/') {
        fault(s, "expected '/' for comment");
        return;
    }
    uint32_t c = next(s);
    while (c != '\n' && c != END)
        c = next(s);
    if (c == '\n')
        back(s);
}

static enum hcl_kind scan_word(struct hcl_scanner *s)
{
    size_t start = s->at - s->last_len;
    uint32_t c = next(s);
    while (hcl_is_letter(c) || is_decimal(c) || c == '-' || c == '.')
        c = next(s);
    back(s);
    struct cu_bytes word = {s->text.data + start, s->at - start};
    bool is_bool =
        cu_bytes_equal(word, cu_bytes_of("true")) || cu_bytes_equal(word, cu_bytes_of("false"));
    return is_bool ? HCL_BOOL : HCL_IDENT;
}

/* Kinds of one character; HCL_ILLEGAL: none of them. */
static enum hcl_kind sign(uint32_t c)
{
    static const char signs[] = "[{,.]}=+-";
    static const enum hcl_kind kinds[] = {HCL_LBRACK, HCL_LBRACE, HCL_COMMA, HCL_PERIOD, HCL_RBRACK,
                                          HCL_RBRACE, HCL_ASSIGN, HCL_ADD,   HCL_SUB};
    _Static_assert(CU_COUNT(kinds) == sizeof signs - 1, "a kind for each sign");
    const char *at = c && c < 0x80 ? strchr(signs, (int)c) : NULL;
    return at ? kinds[at - signs] : HCL_ILLEGAL;
}

static enum hcl_kind scan_kind(struct hcl_scanner *s, uint32_t c)
{
    if (hcl_is_letter(c))
        return scan_word(s);
    if (is_decimal(c) || ((c == '.' || c == '-') && is_decimal(peek(s))))
        return scan_number(s, c == '-' ? next(s) : c);
    if (c == END)
        return HCL_END;
    if (c == '"') {
        scan_string(s);
        return HCL_STRING;
    }
    if (c == '<') {
        scan_heredoc(s);
        return HCL_HEREDOC;
    }
    enum hcl_kind kind = sign(c);
    if (kind == HCL_ILLEGAL)
        fault(s, "illegal char");
    return kind;
}

struct hcl_token hcl_scan(struct hcl_scanner *s)
{
    uint32_t c = next(s);
    while (is_blank(c) || c == '#' || c == '/') {
        if (!is_blank(c))
            skip_comment(s, c);
        c = next(s);
    }
    size_t start = s->at - s->last_len;
    struct hcl_token token = {.place = s->here};
    token.kind = scan_kind(s, c);
    token.text = (struct cu_bytes){s->text.data + start, s->at - start};
    return token;
}
