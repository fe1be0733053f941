#include "common/filter/scan.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/filter/unquote.h"

/* clang-format off */
static const char *const want_names[WANT_COUNT] = {
    [WANT_NOT_QUOTE] = "!\"\\\"\"", [WANT_NOT_TICK] = "!\"`\"",
    [WANT_NOT_EQUAL] = "\"!=\"", [WANT_OPEN] = "\"(\"", [WANT_CLOSE] = "\")\"",
    [WANT_MINUS] = "\"-\"", [WANT_DOT] = "\".\"", [WANT_ZERO] = "\"0\"", [WANT_EQUAL] = "\"==\"",
    [WANT_BRACKET] = "\"[\"", [WANT_QUOTE] = "\"\\\"\"", [WANT_END_BRACKET] = "\"]\"",
    [WANT_TICK] = "\"`\"", [WANT_AND] = "\"and\"", [WANT_CONTAINS] = "\"contains\"",
    [WANT_EMPTY] = "\"empty\"", [WANT_IN] = "\"in\"", [WANT_IS] = "\"is\"",
    [WANT_MATCHES] = "\"matches\"", [WANT_NOT] = "\"not\"", [WANT_OR] = "\"or\"",
    [WANT_SPACE] = "[ \\t\\r\\n]", [WANT_DIGIT] = "[0-9]", [WANT_DIGIT_1] = "[1-9]",
    [WANT_LETTER_OR_DIGIT] = "[a-zA-Z0-9_]", [WANT_LETTER] = "[a-zA-Z]", [WANT_EOF] = "EOF",
};
/* clang-format on */

/* ---- what fails ---- */

static void want(struct filter_scan *p, enum filter_want what)
{
    if (p->at < p->farthest)
        return;
    if (p->at > p->farthest) {
        p->farthest = p->at;
        p->wants = 0;
    }
    p->wants |= 1u << what;
}

/* Lines and columns begin at 1. */
static void place_of(const struct filter_scan *p, size_t at, unsigned *ret_line,
                     unsigned *ret_column)
{
    *ret_line = *ret_column = 1;
    for (size_t i = 0; i < at; i++) {
        bool is_end = p->text[i] == '\n';
        *ret_line += is_end;
        *ret_column = is_end ? 1 : *ret_column + 1;
    }
}

void filter_break_off(struct filter_scan *p, size_t at, const char *rule, const char *why)
{
    unsigned line, column;
    if (p->err)
        return;
    place_of(p, at, &line, &column);
    p->err =
        cu_fail(p->diag, CU_E_INVALID, "%u:%u (%zu): rule \"%s\": %s", line, column, at, rule, why);
}

void filter_run_out(struct filter_scan *p)
{
    if (!p->err)
        p->err = cu_fail(p->diag, CU_E_TOO_LARGE, "the filter is too large");
}

void *filter_make(struct filter_scan *p, size_t size)
{
    void *made = cu_arena_alloc(p->arena, size);
    if (!made)
        filter_run_out(p);
    return made;
}

/* ---- characters ---- */

bool filter_literal(struct filter_scan *p, const char *word, enum filter_want what)
{
    size_t len = strlen(word);
    if (p->len - p->at < len || memcmp(p->text + p->at, word, len) != 0) {
        want(p, what);
        return false;
    }
    p->at += len;
    return true;
}

static bool one_of(struct filter_scan *p, const char *set, enum filter_want what)
{
    char c = p->text[p->at]; /* at the end: a NUL, which is in no set */
    if (p->at == p->len || !c || !strchr(set, c)) {
        want(p, what);
        return false;
    }
    p->at++;
    return true;
}

static bool any_of(struct filter_scan *p, const char *set, enum filter_want what)
{
    size_t from = p->at;
    while (one_of(p, set, what))
        ;
    return p->at > from;
}

bool filter_space(struct filter_scan *p)
{
    return any_of(p, " \t\r\n", WANT_SPACE);
}

bool filter_at_end(struct filter_scan *p)
{
    if (p->at == p->len)
        return true;
    want(p, WANT_EOF);
    return false;
}

#define DIGITS_1 "123456789"
#define DIGITS   "0" DIGITS_1
#define LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- strings and numbers ---- */

/* Up to the quote, which is left; false: the text ends before it. */
static bool string_body(struct filter_scan *p, char quote)
{
    const char *end = memchr(p->text + p->at, quote, p->len - p->at);
    p->at = end ? (size_t)(end - p->text) : p->len;
    return end != NULL;
}

static bool quoted(struct filter_scan *p, size_t from, const char *quote, enum filter_want what,
                   char **ret_text)
{
    if (!filter_literal(p, quote, what))
        return false;
    if (!string_body(p, *quote)) {
        filter_break_off(p, p->at, "string", "Unterminated string literal");
        return false;
    }
    p->at++;
    struct cu_bytes whole = {(const uint8_t *)p->text + from, p->at - from};
    enum cu_err err = cu_filter_unquote(whole, p->arena, ret_text);
    if (err == CU_E_INVALID)
        filter_break_off(p, from, "string", "invalid syntax");
    else if (err)
        filter_run_out(p);
    return !err;
}

bool filter_string(struct filter_scan *p, char **ret_text)
{
    size_t from = p->at;
    if (quoted(p, from, "`", WANT_TICK, ret_text) || p->err)
        return !p->err;
    return quoted(p, from, "\"", WANT_QUOTE, ret_text);
}

static char *text_from(struct filter_scan *p, size_t from)
{
    char *text = filter_make(p, p->at - from + 1);
    if (text)
        memcpy(text, p->text + from, p->at - from);
    return text;
}

/* ("0" / [1-9][0-9]*) ("." [0-9]+)? */
static bool digits(struct filter_scan *p)
{
    if (!filter_literal(p, "0", WANT_ZERO)) {
        if (!one_of(p, DIGITS_1, WANT_DIGIT_1))
            return false;
        (void)any_of(p, DIGITS, WANT_DIGIT);
    }
    size_t whole = p->at;
    if (filter_literal(p, ".", WANT_DOT) && !any_of(p, DIGITS, WANT_DIGIT))
        p->at = whole;
    return true;
}

/* A number ends at a space, at the end, or before a parenthesis. */
static bool is_after_number(struct filter_scan *p)
{
    size_t at = p->at;
    bool is_so = filter_space(p) || filter_at_end(p) || filter_literal(p, ")", WANT_CLOSE);
    p->at = at;
    return is_so;
}

bool filter_number(struct filter_scan *p, char **ret_text)
{
    size_t from = p->at;
    (void)filter_literal(p, "-", WANT_MINUS);
    if (!digits(p)) {
        p->at = from;
        return false;
    }
    if (!is_after_number(p)) {
        filter_break_off(p, p->at, "number", "Invalid number literal");
        return false;
    }
    *ret_text = text_from(p, from);
    return *ret_text != NULL;
}

char *filter_identifier(struct filter_scan *p)
{
    size_t from = p->at;
    if (!one_of(p, LETTERS, WANT_LETTER))
        return NULL;
    (void)any_of(p, LETTERS DIGITS "_", WANT_LETTER_OR_DIGIT);
    return text_from(p, from);
}

enum cu_err filter_say_wanted(struct filter_scan *p)
{
    struct cu_buf text = {0};
    unsigned line, column, left = 0;
    for (int i = 0; i < WANT_COUNT; i++)
        left += p->wants >> i & 1;
    for (int i = 0; i < WANT_COUNT; i++) {
        if (!(p->wants >> i & 1))
            continue;
        cu_buf_text(&text, text.len == 0 ? "" : left == 1 ? " or " : ", ");
        cu_buf_text(&text, want_names[i]);
        left--;
    }
    place_of(p, p->farthest, &line, &column);
    enum cu_err err = cu_fail(p->diag, CU_E_INVALID, "%u:%u (%zu): no match found, expected: %.*s",
                              line, column, p->farthest, (int)text.len, (const char *)text.data);
    cu_buf_deinit(&text);
    return err;
}
