#include "common/filter/parse.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/filter/filter.h"
#include "common/filter/scan.h"

typedef struct cu_filter_node node_t;
typedef struct cu_filter_segment segment_t;

/* ---- selectors ---- */

static char *index_key(struct filter_scan *p)
{
    char *key = NULL;
    if (!filter_literal(p, "[", WANT_BRACKET))
        return NULL;
    (void)filter_space(p);
    if (!filter_string(p, &key)) {
        filter_break_off(p, p->at, "index", "Invalid index");
        return NULL;
    }
    (void)filter_space(p);
    if (!filter_literal(p, "]", WANT_END_BRACKET)) {
        filter_break_off(p, p->at, "index", "Unclosed index expression");
        return NULL;
    }
    return key;
}

static char *next_name(struct filter_scan *p)
{
    size_t from = p->at;
    char *name = filter_literal(p, ".", WANT_DOT) ? filter_identifier(p) : NULL;
    if (name || p->err)
        return name;
    p->at = from;
    return index_key(p);
}

static segment_t *segment(struct filter_scan *p, char *name)
{
    segment_t *made = name ? filter_make(p, sizeof *made) : NULL;
    if (made)
        made->name = name;
    return made;
}

static segment_t *selector(struct filter_scan *p)
{
    segment_t *first = segment(p, filter_identifier(p)), *last = first;
    while (last && !p->err) {
        last->next = segment(p, next_name(p));
        last = last->next;
    }
    return p->err ? NULL : first;
}

static bool value(struct filter_scan *p, const char **ret_text)
{
    size_t from = p->at;
    char *text = NULL;
    segment_t *name = selector(p);
    if (name) {
        *ret_text = cu_filter_selector_text(name, NULL, p->arena);
        if (!*ret_text)
            filter_run_out(p);
        return *ret_text != NULL;
    }
    p->at = from;
    if (p->err || !(filter_number(p, &text) || (!p->err && filter_string(p, &text))))
        return false;
    *ret_text = text;
    return true;
}

/* ---- matches ---- */

struct word {
    const char *text;
    enum filter_want want;
};

/* Words with space around each: in front, between, and, where a value follows, behind. */
static bool words(struct filter_scan *p, const struct word *list, bool space_behind)
{
    size_t from = p->at;
    for (; list->text; list++)
        if (!filter_space(p) || !filter_literal(p, list->text, list->want)) {
            p->at = from;
            return false;
        }
    if (space_behind && !filter_space(p)) {
        p->at = from;
        return false;
    }
    return true;
}

static bool sign(struct filter_scan *p, const char *text, enum filter_want what)
{
    size_t from = p->at;
    (void)filter_space(p);
    if (!filter_literal(p, text, what)) {
        p->at = from;
        return false;
    }
    (void)filter_space(p);
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

static bool operator_before_value(struct filter_scan *p, enum cu_filter_operator *ret_op)
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

static node_t *match_node(struct filter_scan *p, segment_t *of, enum cu_filter_operator op,
                          const char *given)
{
    node_t *node = filter_make(p, sizeof *node);
    if (node)
        *node = (node_t){.kind = CU_FILTER_MATCH, .op = op, .selector = of, .value = given};
    return node;
}

static node_t *selector_op_value(struct filter_scan *p)
{
    enum cu_filter_operator op;
    const char *given;
    segment_t *of = selector(p);
    if (!of || !operator_before_value(p, &op) || !value(p, &given))
        return NULL;
    return match_node(p, of, op, given);
}

static node_t *selector_op(struct filter_scan *p)
{
    segment_t *of = selector(p);
    if (!of)
        return NULL;
    if (words(p, is_empty, false))
        return match_node(p, of, CU_FILTER_IS_EMPTY, NULL);
    return words(p, is_not_empty, false) ? match_node(p, of, CU_FILTER_IS_NOT_EMPTY, NULL) : NULL;
}

static node_t *value_op_selector(struct filter_scan *p)
{
    const char *given;
    if (!value(p, &given))
        return NULL;
    bool is_in = words(p, in, true);
    if (!is_in && !words(p, not_in, true))
        return NULL;
    segment_t *of = selector(p);
    if (!of) {
        filter_break_off(p, p->at, "match", "Invalid selector");
        return NULL;
    }
    return match_node(p, of, is_in ? CU_FILTER_IN : CU_FILTER_NOT_IN, given);
}

static node_t *match(struct filter_scan *p)
{
    static node_t *(*const forms[])(struct filter_scan *) = {selector_op_value, selector_op,
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

static node_t *or_expression(struct filter_scan *p);

static node_t *grouping(struct filter_scan *p)
{
    size_t from = p->at;
    if (!filter_literal(p, "(", WANT_OPEN))
        return match(p);
    (void)filter_space(p);
    node_t *node = or_expression(p);
    if (node && !p->err) {
        (void)filter_space(p);
        if (filter_literal(p, ")", WANT_CLOSE))
            return node;
    }
    size_t at = p->at;
    p->at = from;
    (void)match(p); /* cannot begin so; it says what could stand here instead */
    if (node)
        filter_break_off(p, at, "grouping", "Unmatched parentheses");
    return NULL;
}

static node_t *join(struct filter_scan *p, enum cu_filter_node_kind kind, node_t *first)
{
    node_t *node = first ? filter_make(p, sizeof *node) : NULL;
    if (node)
        *node = (node_t){.kind = kind, .children = first};
    return node;
}

static node_t *not_expression(struct filter_scan *p)
{
    size_t from = p->at;
    if (p->depth == CU_FILTER_DEPTH_MAX) {
        filter_run_out(p);
        return NULL;
    }
    p->depth++;
    node_t *node = NULL;
    if (filter_literal(p, "not", WANT_NOT) && filter_space(p))
        node = join(p, CU_FILTER_NOT, not_expression(p));
    if (!node && !p->err) {
        p->at = from;
        node = grouping(p);
    }
    p->depth--;
    return p->err ? NULL : node;
}

/* One operand, then as many as the word joins to it. */
static node_t *joined(struct filter_scan *p, node_t *(*operand)(struct filter_scan *),
                      const char *word, enum filter_want what, enum cu_filter_node_kind kind)
{
    node_t *first = operand(p), *last = first;
    while (last && !p->err) {
        size_t from = p->at;
        if (filter_space(p) && filter_literal(p, word, what) && filter_space(p))
            last->next = operand(p);
        if (!last->next)
            p->at = from;
        last = last->next;
    }
    return first && first->next && !p->err ? join(p, kind, first) : first;
}

static node_t *and_expression(struct filter_scan *p)
{
    return joined(p, not_expression, "and", WANT_AND, CU_FILTER_AND);
}

static node_t *or_expression(struct filter_scan *p)
{
    return joined(p, and_expression, "or", WANT_OR, CU_FILTER_OR);
}

/* ---- the whole ---- */

enum cu_err cu_filter_parse(const char *text, struct cu_arena *arena, node_t **ret_node,
                            struct cu_diag *diag)
{
    struct filter_scan p = {.text = text, .len = strlen(text), .arena = arena, .diag = diag};
    if (p.len > CU_FILTER_BYTES_MAX)
        return cu_fail(diag, CU_E_TOO_LARGE, "the filter is longer than %d bytes",
                       CU_FILTER_BYTES_MAX);
    (void)filter_space(&p);
    node_t *node = or_expression(&p);
    if (node && !p.err) {
        (void)filter_space(&p);
        if (filter_at_end(&p)) {
            *ret_node = node;
            return CU_OK;
        }
    }
    return p.err ? p.err : filter_say_wanted(&p);
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
