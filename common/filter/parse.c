#include "common/filter/parse.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/filter/filter.h"
#include "common/filter/unquote.h"

/* What could have stood at the place where the parser got farthest, in the order in which the
 * sentence lists them; the grammar and these names are those of the reference's generated parser,
 * so what it would say is what is said here. */
enum want {
    WANT_NOT_QUOTE, /* inside a string nothing else ends it */
    WANT_NOT_TICK,
    WANT_NOT_EQUAL,
    WANT_OPEN,
    WANT_CLOSE,
    WANT_MINUS,
    WANT_DOT,
    WANT_ZERO,
    WANT_EQUAL,
    WANT_BRACKET,
    WANT_QUOTE,
    WANT_END_BRACKET,
    WANT_TICK,
    WANT_AND,
    WANT_CONTAINS,
    WANT_EMPTY,
    WANT_IN,
    WANT_IS,
    WANT_MATCHES,
    WANT_NOT,
    WANT_OR,
    WANT_SPACE,
    WANT_DIGIT,
    WANT_DIGIT_1,
    WANT_LETTER_OR_DIGIT,
    WANT_LETTER,
    WANT_EOF,
    WANT_COUNT
};

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

struct parser {
    const char *text;
    size_t len, at;
    struct cu_arena *arena;
    size_t farthest;
    uint32_t wants; /* there */
    unsigned depth;
    enum cu_err err; /* ends it all */
    struct cu_diag *diag;
};
_Static_assert(WANT_COUNT <= 32, "bits of wants");

typedef struct cu_filter_node node_t;
typedef struct cu_filter_segment segment_t;

/* ---- what fails ---- */

static void want(struct parser *p, enum want what)
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
static void place_of(const struct parser *p, size_t at, unsigned *ret_line, unsigned *ret_column)
{
    *ret_line = *ret_column = 1;
    for (size_t i = 0; i < at; i++) {
        bool is_end = p->text[i] == '\n';
        *ret_line += is_end;
        *ret_column = is_end ? 1 : *ret_column + 1;
    }
}

static void break_off(struct parser *p, size_t at, const char *rule, const char *why)
{
    unsigned line, column;
    if (p->err)
        return;
    place_of(p, at, &line, &column);
    p->err =
        cu_fail(p->diag, CU_E_INVALID, "%u:%u (%zu): rule \"%s\": %s", line, column, at, rule, why);
}

static void run_out(struct parser *p)
{
    if (!p->err)
        p->err = cu_fail(p->diag, CU_E_TOO_LARGE, "the filter is too large");
}

static void *make(struct parser *p, size_t size)
{
    void *made = cu_arena_alloc(p->arena, size);
    if (!made)
        run_out(p);
    return made;
}

/* ---- characters ---- */

static bool literal(struct parser *p, const char *word, enum want what)
{
    size_t len = strlen(word);
    if (p->len - p->at < len || memcmp(p->text + p->at, word, len) != 0) {
        want(p, what);
        return false;
    }
    p->at += len;
    return true;
}

static bool one_of(struct parser *p, const char *set, enum want what)
{
    char c = p->text[p->at]; /* at the end: a NUL, which is in no set */
    if (p->at == p->len || !c || !strchr(set, c)) {
        want(p, what);
        return false;
    }
    p->at++;
    return true;
}

static bool any_of(struct parser *p, const char *set, enum want what)
{
    size_t from = p->at;
    while (one_of(p, set, what))
        ;
    return p->at > from;
}

static bool space(struct parser *p)
{
    return any_of(p, " \t\r\n", WANT_SPACE);
}

static bool at_end(struct parser *p)
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
static bool string_body(struct parser *p, char quote)
{
    const char *end = memchr(p->text + p->at, quote, p->len - p->at);
    p->at = end ? (size_t)(end - p->text) : p->len;
    return end != NULL;
}

static bool quoted(struct parser *p, size_t from, const char *quote, enum want what,
                   char **ret_text)
{
    if (!literal(p, quote, what))
        return false;
    if (!string_body(p, *quote)) {
        break_off(p, p->at, "string", "Unterminated string literal");
        return false;
    }
    p->at++;
    struct cu_bytes whole = {(const uint8_t *)p->text + from, p->at - from};
    enum cu_err err = cu_filter_unquote(whole, p->arena, ret_text);
    if (err == CU_E_INVALID)
        break_off(p, from, "string", "invalid syntax");
    else if (err)
        run_out(p);
    return !err;
}

static bool string(struct parser *p, char **ret_text)
{
    size_t from = p->at;
    if (quoted(p, from, "`", WANT_TICK, ret_text) || p->err)
        return !p->err;
    return quoted(p, from, "\"", WANT_QUOTE, ret_text);
}

static char *text_from(struct parser *p, size_t from)
{
    char *text = make(p, p->at - from + 1);
    if (text)
        memcpy(text, p->text + from, p->at - from);
    return text;
}

/* ("0" / [1-9][0-9]*) ("." [0-9]+)? */
static bool digits(struct parser *p)
{
    if (!literal(p, "0", WANT_ZERO)) {
        if (!one_of(p, DIGITS_1, WANT_DIGIT_1))
            return false;
        (void)any_of(p, DIGITS, WANT_DIGIT);
    }
    size_t whole = p->at;
    if (literal(p, ".", WANT_DOT) && !any_of(p, DIGITS, WANT_DIGIT))
        p->at = whole;
    return true;
}

/* A number ends at a space, at the end, or before a parenthesis. */
static bool is_after_number(struct parser *p)
{
    size_t at = p->at;
    bool is_so = space(p) || at_end(p) || literal(p, ")", WANT_CLOSE);
    p->at = at;
    return is_so;
}

static bool number(struct parser *p, char **ret_text)
{
    size_t from = p->at;
    (void)literal(p, "-", WANT_MINUS);
    if (!digits(p)) {
        p->at = from;
        return false;
    }
    if (!is_after_number(p)) {
        break_off(p, p->at, "number", "Invalid number literal");
        return false;
    }
    *ret_text = text_from(p, from);
    return *ret_text != NULL;
}

/* ---- selectors ---- */

static char *identifier(struct parser *p)
{
    size_t from = p->at;
    if (!one_of(p, LETTERS, WANT_LETTER))
        return NULL;
    (void)any_of(p, LETTERS DIGITS "_", WANT_LETTER_OR_DIGIT);
    return text_from(p, from);
}

static char *index_key(struct parser *p)
{
    char *key = NULL;
    if (!literal(p, "[", WANT_BRACKET))
        return NULL;
    (void)space(p);
    if (!string(p, &key)) {
        break_off(p, p->at, "index", "Invalid index");
        return NULL;
    }
    (void)space(p);
    if (!literal(p, "]", WANT_END_BRACKET)) {
        break_off(p, p->at, "index", "Unclosed index expression");
        return NULL;
    }
    return key;
}

static char *next_name(struct parser *p)
{
    size_t from = p->at;
    char *name = literal(p, ".", WANT_DOT) ? identifier(p) : NULL;
    if (name || p->err)
        return name;
    p->at = from;
    return index_key(p);
}

static segment_t *segment(struct parser *p, char *name)
{
    segment_t *made = name ? make(p, sizeof *made) : NULL;
    if (made)
        made->name = name;
    return made;
}

static segment_t *selector(struct parser *p)
{
    segment_t *first = segment(p, identifier(p)), *last = first;
    while (last && !p->err) {
        last->next = segment(p, next_name(p));
        last = last->next;
    }
    return p->err ? NULL : first;
}

static bool value(struct parser *p, const char **ret_text)
{
    size_t from = p->at;
    char *text = NULL;
    segment_t *name = selector(p);
    if (name) {
        *ret_text = cu_filter_selector_text(name, NULL, p->arena);
        if (!*ret_text)
            run_out(p);
        return *ret_text != NULL;
    }
    p->at = from;
    if (p->err || !(number(p, &text) || (!p->err && string(p, &text))))
        return false;
    *ret_text = text;
    return true;
}

/* ---- matches ---- */

struct word {
    const char *text;
    enum want want;
};

/* Words with space around each: in front, between, and, where a value follows, behind. */
static bool words(struct parser *p, const struct word *list, bool space_behind)
{
    size_t from = p->at;
    for (; list->text; list++)
        if (!space(p) || !literal(p, list->text, list->want)) {
            p->at = from;
            return false;
        }
    if (space_behind && !space(p)) {
        p->at = from;
        return false;
    }
    return true;
}

static bool sign(struct parser *p, const char *text, enum want what)
{
    size_t from = p->at;
    (void)space(p);
    if (!literal(p, text, what)) {
        p->at = from;
        return false;
    }
    (void)space(p);
    return true;
}

/* clang-format off */
static const struct word
    contains[]     = {{"contains", WANT_CONTAINS}, {0}},
    not_contains[] = {{"not", WANT_NOT}, {"contains", WANT_CONTAINS}, {0}},
    matches[]      = {{"matches", WANT_MATCHES}, {0}},
    not_matches[]  = {{"not", WANT_NOT}, {"matches", WANT_MATCHES}, {0}},
    is_empty[]     = {{"is", WANT_IS}, {"empty", WANT_EMPTY}, {0}},
    is_not_empty[] = {{"is", WANT_IS}, {"not", WANT_NOT}, {"empty", WANT_EMPTY}, {0}},
    in[]           = {{"in", WANT_IN}, {0}},
    not_in[]       = {{"not", WANT_NOT}, {"in", WANT_IN}, {0}};
/* clang-format on */

static bool operator_before_value(struct parser *p, enum cu_filter_operator *ret_op)
{
    static const struct {
        const struct word *words;
        enum cu_filter_operator op;
    } rows[] = {{contains, CU_FILTER_IN},
                {not_contains, CU_FILTER_NOT_IN},
                {matches, CU_FILTER_MATCHES},
                {not_matches, CU_FILTER_NOT_MATCHES}};
    *ret_op = CU_FILTER_EQUAL;
    if (sign(p, "==", WANT_EQUAL))
        return true;
    *ret_op = CU_FILTER_NOT_EQUAL;
    if (sign(p, "!=", WANT_NOT_EQUAL))
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        *ret_op = rows[i].op;
        if (words(p, rows[i].words, true))
            return true;
    }
    return false;
}

static node_t *match_node(struct parser *p, segment_t *of, enum cu_filter_operator op,
                          const char *given)
{
    node_t *node = make(p, sizeof *node);
    if (node)
        *node = (node_t){.kind = CU_FILTER_MATCH, .op = op, .selector = of, .value = given};
    return node;
}

static node_t *selector_op_value(struct parser *p)
{
    enum cu_filter_operator op;
    const char *given;
    segment_t *of = selector(p);
    if (!of || !operator_before_value(p, &op) || !value(p, &given))
        return NULL;
    return match_node(p, of, op, given);
}

static node_t *selector_op(struct parser *p)
{
    segment_t *of = selector(p);
    if (!of)
        return NULL;
    if (words(p, is_empty, false))
        return match_node(p, of, CU_FILTER_IS_EMPTY, NULL);
    return words(p, is_not_empty, false) ? match_node(p, of, CU_FILTER_IS_NOT_EMPTY, NULL) : NULL;
}

static node_t *value_op_selector(struct parser *p)
{
    const char *given;
    if (!value(p, &given))
        return NULL;
    bool is_in = words(p, in, true);
    if (!is_in && !words(p, not_in, true))
        return NULL;
    segment_t *of = selector(p);
    if (!of) {
        break_off(p, p->at, "match", "Invalid selector");
        return NULL;
    }
    return match_node(p, of, is_in ? CU_FILTER_IN : CU_FILTER_NOT_IN, given);
}

static node_t *match(struct parser *p)
{
    static node_t *(*const forms[])(struct parser *) = {selector_op_value, selector_op,
                                                        value_op_selector};
    size_t from = p->at;
    for (size_t i = 0; !p->err && i < sizeof forms / sizeof forms[0]; i++) {
        p->at = from;
        node_t *node = forms[i](p);
        if (node)
            return node;
    }
    p->at = from;
    return NULL;
}

/* ---- what joins them ---- */

static node_t *or_expression(struct parser *p);

static node_t *grouping(struct parser *p)
{
    size_t from = p->at;
    if (!literal(p, "(", WANT_OPEN))
        return match(p);
    (void)space(p);
    node_t *node = or_expression(p);
    if (node && !p->err) {
        (void)space(p);
        if (literal(p, ")", WANT_CLOSE))
            return node;
    }
    size_t at = p->at;
    p->at = from;
    (void)match(p); /* cannot begin so; it says what could stand here instead */
    if (node)
        break_off(p, at, "grouping", "Unmatched parentheses");
    return NULL;
}

static node_t *join(struct parser *p, enum cu_filter_node_kind kind, node_t *first)
{
    node_t *node = first ? make(p, sizeof *node) : NULL;
    if (node)
        *node = (node_t){.kind = kind, .children = first};
    return node;
}

static node_t *not_expression(struct parser *p)
{
    size_t from = p->at;
    if (p->depth == CU_FILTER_DEPTH_MAX) {
        run_out(p);
        return NULL;
    }
    p->depth++;
    node_t *node = NULL;
    if (literal(p, "not", WANT_NOT) && space(p))
        node = join(p, CU_FILTER_NOT, not_expression(p));
    if (!node && !p->err) {
        p->at = from;
        node = grouping(p);
    }
    p->depth--;
    return p->err ? NULL : node;
}

/* One operand, then as many as the word joins to it. */
static node_t *joined(struct parser *p, node_t *(*operand)(struct parser *), const char *word,
                      enum want what, enum cu_filter_node_kind kind)
{
    node_t *first = operand(p), *last = first;
    while (last && !p->err) {
        size_t from = p->at;
        if (space(p) && literal(p, word, what) && space(p))
            last->next = operand(p);
        if (!last->next)
            p->at = from;
        last = last->next;
    }
    return first && first->next && !p->err ? join(p, kind, first) : first;
}

static node_t *and_expression(struct parser *p)
{
    return joined(p, not_expression, "and", WANT_AND, CU_FILTER_AND);
}

static node_t *or_expression(struct parser *p)
{
    return joined(p, and_expression, "or", WANT_OR, CU_FILTER_OR);
}

/* ---- the whole ---- */

static enum cu_err say_what_was_wanted(struct parser *p)
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

enum cu_err cu_filter_parse(const char *text, struct cu_arena *arena, node_t **ret_node,
                            struct cu_diag *diag)
{
    struct parser p = {.text = text, .len = strlen(text), .arena = arena, .diag = diag};
    if (p.len > CU_FILTER_BYTES_MAX)
        return cu_fail(diag, CU_E_TOO_LARGE, "the filter is longer than %d bytes",
                       CU_FILTER_BYTES_MAX);
    (void)space(&p);
    node_t *node = or_expression(&p);
    if (node && !p.err) {
        (void)space(&p);
        if (at_end(&p)) {
            *ret_node = node;
            return CU_OK;
        }
    }
    return p.err ? p.err : say_what_was_wanted(&p);
}

const char *cu_filter_selector_text(const segment_t *of, const segment_t *last,
                                    struct cu_arena *arena)
{
    struct cu_buf text = {0};
    for (const segment_t *s = of; s; s = s == last ? NULL : s->next) {
        cu_buf_text(&text, text.len ? "." : "");
        cu_buf_text(&text, s->name);
    }
    cu_buf_u8(&text, '\0');
    const char *copy = cu_arena_strdup(arena, (const char *)text.data);
    cu_buf_deinit(&text);
    return copy;
}

const char *cu_filter_operator_name(enum cu_filter_operator op)
{
    static const char *const names[] = {[CU_FILTER_EQUAL] = "Equal",
                                        [CU_FILTER_NOT_EQUAL] = "Not Equal",
                                        [CU_FILTER_IN] = "In",
                                        [CU_FILTER_NOT_IN] = "Not In",
                                        [CU_FILTER_IS_EMPTY] = "Is Empty",
                                        [CU_FILTER_IS_NOT_EMPTY] = "Is Not Empty",
                                        [CU_FILTER_MATCHES] = "Matches",
                                        [CU_FILTER_NOT_MATCHES] = "Not Matches"};
    _Static_assert(sizeof names / sizeof names[0] == CU_FILTER_OPERATOR_COUNT, "a name for each");
    return names[op];
}
