#include "common/hcl/hcl.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/hcl/literal.h"
#include "common/hcl/scan.h"
#include "common/hcl/tree.h"

struct parser {
    struct hcl_scanner scanner;
    struct hcl_token token; /* the one at hand */
    bool is_kept;           /* take() gives it once more */
    json_t *keys;           /* of all items that are open, the innermost last */
    unsigned depth;         /* keys and lists that are open */
    unsigned values;        /* so far */
    enum cu_err err;        /* of a WRONG */
    struct cu_diag diag;
    struct cu_diag
        unfit; /* the first value that is none: told when the grammar has no more to say */
};

enum step {
    TAKEN,
    AT_END, /* nothing begins here, the text is over */
    WRONG
};

static enum hcl_kind take(struct parser *p)
{
    if (!p->is_kept)
        p->token = hcl_scan(&p->scanner);
    p->is_kept = false;
    return p->token.kind;
}

/* Looks ahead. When looking again the end is one column further, so sentences depend on this. */
static enum hcl_kind look(struct parser *p)
{
    (void)take(p);
    p->is_kept = true;
    return p->token.kind;
}

static enum step wrong(struct parser *p, enum cu_err err, struct hcl_place place, const char *fmt,
                       ...) CU_PRINTF(4, 5);

static enum step wrong(struct parser *p, enum cu_err err, struct hcl_place place, const char *fmt,
                       ...)
{
    char sentence[CU_DIAG_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    p->err = cu_fail(&p->diag, err, "At %u:%u: %s", place.line, place.column, sentence);
    return WRONG;
}

/* Parsing goes on: what is wrong with the grammar comes first. */
static void unfit(struct parser *p, struct hcl_place place, const char *why)
{
    if (!p->unfit.text[0])
        (void)cu_fail(&p->unfit, CU_E_INVALID, "At %u:%u: %s", place.line, place.column, why);
}

static enum step wrong_here(struct parser *p, const char *what)
{
    return wrong(p, CU_E_INVALID, p->token.place, "%s got: %s", what, hcl_kind_name(p->token.kind));
}

/* One more value, or label. */
static enum step count(struct parser *p)
{
    if (++p->values > CU_HCL_MAX_VALUES)
        return wrong(p, CU_E_TOO_LARGE, p->token.place, "more than %d values", CU_HCL_MAX_VALUES);
    return TAKEN;
}

static enum step deeper(struct parser *p)
{
    if (++p->depth > CU_HCL_MAX_DEPTH)
        return wrong(p, CU_E_TOO_LARGE, p->token.place, "nested deeper than %d levels",
                     CU_HCL_MAX_DEPTH);
    return count(p);
}

/* Half a token has no value; what the scanner has to say of it will be said. */
static json_t *value_of(struct parser *p)
{
    struct cu_diag why;
    json_t *value = NULL;
    if (!p->scanner.failed && !hcl_literal(&p->token, &value, &why))
        return value;
    if (!p->scanner.failed)
        unfit(p, p->token.place, why.text);
    return json_null();
}

static enum step parse_literal(struct parser *p, json_t **ret_value)
{
    *ret_value = value_of(p);
    return count(p);
}

static json_t *name_of(struct parser *p)
{
    struct cu_diag why;
    json_t *name = NULL;
    if (!p->scanner.failed && !hcl_key(&p->token, &name, &why))
        return name;
    if (!p->scanner.failed)
        unfit(p, p->token.place, why.text);
    return json_string("");
}

static enum step push_key(struct parser *p)
{
    enum step step = deeper(p);
    if (step == TAKEN)
        (void)json_array_append_new(p->keys, name_of(p));
    return step;
}

static void pop_keys(struct parser *p, size_t mark)
{
    while (json_array_size(p->keys) > mark) {
        (void)json_array_remove(p->keys, json_array_size(p->keys) - 1);
        p->depth--;
    }
}

/* The keys of an item, up to '=' or '{', which is then at hand. */
static enum step parse_keys(struct parser *p, size_t mark, struct cu_bytes *ret_written)
{
    *ret_written = (struct cu_bytes){0};
    for (;;) {
        enum hcl_kind kind = take(p);
        size_t keys = json_array_size(p->keys) - mark;
        if (kind == HCL_IDENT || kind == HCL_STRING) {
            enum step step = push_key(p);
            if (step != TAKEN)
                return step;
            if (!keys)
                *ret_written = p->token.text;
            ret_written->len = (size_t)(p->token.text.data + p->token.text.len - ret_written->data);
            continue;
        }
        if (kind == HCL_END && !keys)
            return AT_END;
        if (kind == HCL_ASSIGN && keys > 1)
            return wrong_here(p, "nested object expected: LBRACE");
        if (kind == HCL_ASSIGN && !keys)
            return wrong(p, CU_E_INVALID, p->token.place, "no object keys found!");
        if (kind == HCL_LBRACE && !keys)
            return wrong_here(p, "expected: IDENT | STRING");
        if (kind == HCL_ASSIGN || kind == HCL_LBRACE)
            return TAKEN;
        if (keys && (kind == HCL_END || kind == HCL_RBRACE))
            return wrong(p, CU_E_INVALID, p->token.place,
                         "key '%.*s' expected start of object ('{') or assignment ('=')",
                         (int)ret_written->len, (const char *)ret_written->data);
        if (kind == HCL_ILLEGAL)
            return wrong(p, CU_E_INVALID, p->token.place, "illegal character");
        return wrong_here(p, "expected: IDENT | STRING | ASSIGN | LBRACE");
    }
}

static enum step parse_items(struct parser *p, bool in_braces, json_t *into);

/* What stands between braces; the opening one is at hand. */
static enum step parse_object(struct parser *p, json_t **ret_value)
{
    *ret_value = json_object();
    enum step step = count(p);
    if (step == TAKEN)
        step = parse_items(p, true, *ret_value);
    if (step == TAKEN && take(p) != HCL_RBRACE)
        step = wrong_here(p, "object expected closing RBRACE");
    return step;
}

static enum step parse_list(struct parser *p, json_t **ret_value);

/* What begins with the token at hand. *ret_value may be set on failure, too. */
static enum step parse_value(struct parser *p, json_t **ret_value)
{
    const struct hcl_token *token = &p->token;
    if (token->kind >= HCL_NUMBER && token->kind <= HCL_HEREDOC)
        return parse_literal(p, ret_value);
    if (token->kind == HCL_LBRACE)
        return parse_object(p, ret_value);
    if (token->kind == HCL_LBRACK)
        return parse_list(p, ret_value);
    return wrong(p, CU_E_INVALID, token->place, "Unknown token: %u:%u %s %.*s", token->place.line,
                 token->place.column, hcl_kind_name(token->kind), (int)token->text.len,
                 (const char *)token->text.data);
}

static enum step parse_element(struct parser *p, json_t *list)
{
    struct hcl_place place = p->token.place;
    enum hcl_kind kind = p->token.kind;
    json_t *value = NULL;
    if (kind != HCL_LBRACE && kind != HCL_LBRACK && (kind < HCL_NUMBER || kind > HCL_HEREDOC))
        return wrong(p, CU_E_INVALID, place, "unexpected token while parsing list: %s",
                     hcl_kind_name(kind));
    enum step step = parse_value(p, &value);
    if (step == TAKEN) {
        (void)json_array_append_new(list, value);
        return TAKEN;
    }
    json_decref(value);
    struct cu_diag inner = p->diag;
    if (kind == HCL_LBRACE || kind == HCL_LBRACK)
        return wrong(p, p->err, place, "error while trying to parse %s within list: %s",
                     kind == HCL_LBRACE ? "object" : "list", inner.text);
    return step;
}

static enum step parse_list(struct parser *p, json_t **ret_value)
{
    *ret_value = json_array();
    bool needs_comma = false;
    for (enum step step = deeper(p); step != WRONG;) {
        enum hcl_kind kind = take(p);
        if (kind == HCL_RBRACK) {
            p->depth--;
            return TAKEN;
        }
        if (kind == HCL_COMMA) {
            (void)look(p);
            needs_comma = false;
            continue;
        }
        if (needs_comma)
            return wrong(p, CU_E_INVALID, p->token.place,
                         "error parsing list, expected comma or list end, got: %s",
                         hcl_kind_name(kind));
        step = parse_element(p, *ret_value);
        needs_comma = kind != HCL_LBRACK; /* as in the reference */
    }
    return WRONG;
}

/* The value of an item, and its place in the tree. */
static enum step parse_rest(struct parser *p, size_t mark, struct hcl_place place, json_t *into)
{
    json_t *value = NULL;
    if (p->token.kind == HCL_ASSIGN)
        (void)take(p);
    enum step step = parse_value(p, &value);
    if (step != TAKEN) {
        json_decref(value);
        return step;
    }
    (void)look(p);
    if (!hcl_tree_put(into, p->keys, mark, value))
        unfit(p, place, "this key is there twice, with values that differ in type");
    return TAKEN;
}

static enum step parse_item(struct parser *p, json_t *into)
{
    size_t mark = json_array_size(p->keys);
    struct cu_bytes written;
    (void)look(p);
    struct hcl_place place = p->token.place;
    enum step step = parse_keys(p, mark, &written);
    if (step == TAKEN)
        step = parse_rest(p, mark, place, into);
    pop_keys(p, mark);
    return step;
}

static enum step parse_items(struct parser *p, bool in_braces, json_t *into)
{
    while (!in_braces || look(p) != HCL_RBRACE) {
        enum step step = parse_item(p, into);
        if (step == AT_END)
            break;
        if (step != TAKEN)
            return step;
        if (look(p) == HCL_COMMA)
            (void)take(p);
    }
    return TAKEN;
}

/* What the scanner could not read comes before what the grammar made of it. */
static enum cu_err tell(struct parser *p, enum step step, struct cu_diag *diag)
{
    if (p->scanner.failed)
        (void)wrong(p, CU_E_INVALID, p->scanner.fault_place, "%s", p->scanner.fault);
    if (p->scanner.failed || step != TAKEN)
        return cu_fail(diag, p->err, "%s", p->diag.text);
    return p->unfit.text[0] ? cu_fail(diag, CU_E_INVALID, "%s", p->unfit.text) : CU_OK;
}

static void append_without_returns(struct cu_buf *out, struct cu_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '\r' || i + 1 == text.len || text.data[i + 1] != '\n')
            cu_buf_u8(out, text.data[i]);
}

static enum cu_err parse_hcl(struct cu_bytes text, json_t **ret_tree, struct cu_diag *diag)
{
    struct cu_buf copy = {0};
    cu_buf_reserve(&copy, text.len + 1);
    append_without_returns(&copy, text);
    struct parser p = {.scanner = {.text = cu_buf_bytes(&copy), .here.line = 1},
                       .keys = json_array()};
    json_t *tree = json_object();
    enum cu_err err = tell(&p, parse_items(&p, false, tree), diag);
    if (err)
        json_decref(tree);
    else
        *ret_tree = tree;
    json_decref(p.keys);
    cu_buf_deinit(&copy);
    return err;
}

/* ---- the other language ---- */

/* Counts what costs memory, not minding whether the text is JSON. */
static enum cu_err check_json_size(struct cu_bytes text, struct cu_diag *diag)
{
    unsigned depth = 0, values = 1;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string && c == '\\')
            i++;
        else if (!in_string && (c == '{' || c == '[' || c == ',')) {
            values++;
            depth += c != ',';
        } else if (!in_string && (c == '}' || c == ']') && depth)
            depth--;
        if (depth > CU_HCL_MAX_DEPTH)
            return cu_fail(diag, CU_E_TOO_LARGE, "nested deeper than %d levels", CU_HCL_MAX_DEPTH);
        if (values > CU_HCL_MAX_VALUES)
            return cu_fail(diag, CU_E_TOO_LARGE, "more than %d values", CU_HCL_MAX_VALUES);
    }
    return CU_OK;
}

static enum cu_err parse_json(struct cu_bytes text, json_t **ret_tree, struct cu_diag *diag)
{
    json_error_t error;
    enum cu_err err = check_json_size(text, diag);
    if (err)
        return err;
    json_t *tree = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!tree)
        return cu_fail(diag, CU_E_INVALID, "At %d:%d: %s", error.line, error.column, error.text);
    *ret_tree = tree;
    return CU_OK;
}

static bool looks_like_json(struct cu_bytes text)
{
    size_t i = 0;
    while (i < text.len && strchr(" \t\n\v\f\r", text.data[i]) && text.data[i])
        i++;
    return i < text.len && text.data[i] == '{';
}

enum cu_err cu_hcl_parse(struct cu_bytes text, json_t **ret_tree, struct cu_diag *diag)
{
    if (text.len > CU_HCL_MAX_BYTES)
        return cu_fail(diag, CU_E_TOO_LARGE, "over %d bytes", CU_HCL_MAX_BYTES);
    return looks_like_json(text) ? parse_json(text, ret_tree, diag)
                                 : parse_hcl(text, ret_tree, diag);
}
