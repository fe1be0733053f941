#include "common/filter/filter.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/quote.h"
#include "common/filter/coerce.h"
#include "common/filter/parse.h"
#include "common/filter/pattern.h"

typedef struct cu_filter_node node_t;
typedef struct cu_filter_segment segment_t;
typedef struct cu_filter_field field_t;
typedef struct cu_filter_shape shape_t;

struct cu_filter {
    node_t *root;
    const shape_t *shape;
};

/* ---- what each kind takes ---- */

#define BIT(op) (1u << CU_FILTER_##op)

/* What is behind a key of a map to texts. */
static const field_t map_value = {.name = "", .kind = CU_FILTER_TEXT};

/* clang-format off */
static const unsigned operators[CU_FILTER_KIND_COUNT] = {
    [CU_FILTER_TEXT]        = BIT(EQUAL) | BIT(NOT_EQUAL) | BIT(IN) | BIT(NOT_IN) | BIT(MATCHES) | BIT(NOT_MATCHES),
    [CU_FILTER_BOOL]        = BIT(EQUAL) | BIT(NOT_EQUAL),
    [CU_FILTER_I32]         = BIT(EQUAL) | BIT(NOT_EQUAL),
    [CU_FILTER_TEXTS]       = BIT(IN) | BIT(NOT_IN) | BIT(IS_EMPTY) | BIT(IS_NOT_EMPTY),
    [CU_FILTER_OBJECT]      = 0,
    [CU_FILTER_OBJECTS]     = BIT(IS_EMPTY) | BIT(IS_NOT_EMPTY),
    [CU_FILTER_MAP]         = BIT(IN) | BIT(NOT_IN) | BIT(IS_EMPTY) | BIT(IS_NOT_EMPTY),
    [CU_FILTER_OBJECTS_MAP] = BIT(IN) | BIT(NOT_IN) | BIT(IS_EMPTY) | BIT(IS_NOT_EMPTY),
};
/* clang-format on */

/* ---- checking the tree ---- */

struct check {
    struct cu_arena *arena;
    struct cu_diag *diag;
};

static const char *quoted(struct check *c, const char *text)
{
    const char *copy = text ? cu_quote(c->arena, cu_bytes_of(text)) : NULL;
    return copy ? copy : "\"\"";
}

static const char *quoted_selector(struct check *c, const node_t *node, const segment_t *last)
{
    return quoted(c, cu_filter_selector_text(node->selector, last, c->arena));
}

static const field_t *find_field(const shape_t *shape, const char *name)
{
    for (size_t i = 0; shape && i < shape->count; i++)
        if (strcmp(shape->fields[i].name, name) == 0)
            return &shape->fields[i];
    return NULL;
}

/* Where the selector ends; `*ret_bad` is the segment that leads nowhere. A key of a map to messages
 * ends at the map's own field: what is behind it is an object. */
static const field_t *resolve(const node_t *node, const shape_t *shape, bool *ret_is_object,
                              const segment_t **ret_bad)
{
    const field_t *field = NULL;
    bool is_object = false; /* behind a key of a map to messages */
    for (const segment_t *s = node->selector; s; s = s->next) {
        bool is_map = field && !is_object &&
                      (field->kind == CU_FILTER_MAP || field->kind == CU_FILTER_OBJECTS_MAP);
        *ret_bad = s;
        if (is_map && field->kind == CU_FILTER_MAP) {
            field = &map_value;
            shape = NULL;
        } else if (is_map) {
            is_object = true;
        } else {
            field = find_field(shape, s->name);
            is_object = false;
            if (!field)
                return NULL;
            shape = field->shape;
        }
    }
    *ret_is_object = is_object;
    return field;
}

static enum cu_err coerce(struct check *c, node_t *node)
{
    const char *why = NULL;
    if (node->field->kind == CU_FILTER_I32)
        why = cu_filter_coerce_int(node->value, &node->number);
    else if (node->field->kind == CU_FILTER_BOOL)
        why = cu_filter_coerce_bool(node->value, &node->number);
    if (!why)
        return CU_OK;
    return cu_fail(c->diag, CU_E_INVALID,
                   "Failed to coerce value %s for selector %s: %s: parsing %s: %s",
                   quoted(c, node->value), quoted_selector(c, node, NULL),
                   node->field->kind == CU_FILTER_I32 ? "strconv.ParseInt" : "strconv.ParseBool",
                   quoted(c, node->value), why);
}

static enum cu_err compile_pattern(struct check *c, node_t *node)
{
    struct cu_diag why = {0};
    enum cu_err err = cu_pattern_new(node->value, &node->pattern, &why);
    if (err)
        return cu_fail(c->diag, err,
                       "Failed to compile regular expression %s: error parsing regexp: %s",
                       quoted(c, node->value), why.text);
    return CU_OK;
}

static enum cu_err check_match(struct check *c, node_t *node, const shape_t *shape)
{
    const segment_t *bad = NULL;
    bool is_object = false;
    node->field = resolve(node, shape, &is_object, &bad);
    if (!node->field)
        return cu_fail(c->diag, CU_E_INVALID, "Selector %s is not valid",
                       quoted_selector(c, node, bad));
    unsigned allowed = is_object ? 0 : operators[node->field->kind];
    if (!(allowed & 1u << node->op))
        return cu_fail(c->diag, CU_E_INVALID, "Invalid match operator \"%s\" for selector %s",
                       cu_filter_operator_name(node->op), quoted_selector(c, node, NULL));
    if (node->op == CU_FILTER_MATCHES || node->op == CU_FILTER_NOT_MATCHES)
        return compile_pattern(c, node);
    return node->value ? coerce(c, node) : CU_OK;
}

/* As deep as the parser let it be. */
static enum cu_err check(struct check *c, node_t *node, const shape_t *shape)
{
    enum cu_err err = CU_OK;
    if (node->kind == CU_FILTER_MATCH)
        return check_match(c, node, shape);
    for (node_t *child = node->children; !err && child; child = child->next)
        err = check(c, child, shape);
    return err;
}

static void free_patterns(node_t *node)
{
    cu_pattern_free(node->pattern);
    node->pattern = NULL;
    for (node_t *child = node->children; child; child = child->next)
        free_patterns(child);
}

enum cu_err cu_filter_new(const char *text, const shape_t *shape, struct cu_arena *arena,
                          struct cu_filter **ret_filter, struct cu_diag *diag)
{
    struct check c = {arena, diag};
    struct cu_filter *filter = cu_arena_alloc(arena, sizeof *filter);
    if (!filter)
        return cu_fail(diag, CU_E_TOO_LARGE, "the filter is too large");
    filter->shape = shape;
    enum cu_err err = cu_filter_parse(text, arena, &filter->root, diag);
    if (err)
        return err;
    err = check(&c, filter->root, shape);
    if (err) {
        free_patterns(filter->root);
        return err;
    }
    *ret_filter = filter;
    return CU_OK;
}

void cu_filter_free(struct cu_filter *filter)
{
    if (filter)
        free_patterns(filter->root);
}

/* ---- reading members ---- */

static const void *at(const ProtobufCMessage *message, size_t offset)
{
    return (const uint8_t *)message + offset;
}

static const char *text_at(const void *place)
{
    const char *text = *(const char *const *)place;
    return text ? text : "";
}

static const ProtobufCMessage *message_at(const void *place)
{
    return *(const ProtobufCMessage *const *)place;
}

/* The entries of a map in its wrapper; none where there is no wrapper. */
struct entries {
    const ProtobufCMessage *const *items;
    size_t count;
};

static struct entries entries_of(const ProtobufCMessage *message, const field_t *field)
{
    const ProtobufCMessage *wrapper = message ? message_at(at(message, field->offset)) : NULL;
    if (!wrapper)
        return (struct entries){NULL, 0};
    const ProtobufCFieldDescriptor *map = &wrapper->descriptor->fields[0];
    return (struct entries){*(const ProtobufCMessage *const *const *)at(wrapper, map->offset),
                            *(const size_t *)at(wrapper, map->quantifier_offset)};
}

static const void *entry_member(const ProtobufCMessage *entry, unsigned number)
{
    return at(entry, entry->descriptor->fields[number].offset); /* 0: the key, 1: the value */
}

static const ProtobufCMessage *find_entry(struct entries entries, const char *key)
{
    for (size_t i = 0; i < entries.count; i++)
        if (strcmp(text_at(entry_member(entries.items[i], 0)), key) == 0)
            return entries.items[i];
    return NULL;
}

static size_t count_of(const ProtobufCMessage *message, const field_t *field)
{
    if (field->kind == CU_FILTER_MAP || field->kind == CU_FILTER_OBJECTS_MAP)
        return entries_of(message, field).count;
    return message ? *(const size_t *)at(message, field->count_offset) : 0;
}

/* ---- asking ---- */

static bool is_negated(enum cu_filter_operator op)
{
    return op == CU_FILTER_NOT_EQUAL || op == CU_FILTER_NOT_IN || op == CU_FILTER_IS_NOT_EMPTY ||
           op == CU_FILTER_NOT_MATCHES;
}

static enum cu_err ask_text(const node_t *node, const char *text, bool *ret)
{
    if (node->pattern)
        return cu_pattern_find(node->pattern, text, ret);
    bool is_in = node->op == CU_FILTER_IN || node->op == CU_FILTER_NOT_IN;
    *ret = is_in ? strstr(text, node->value) != NULL : strcmp(text, node->value) == 0;
    return CU_OK;
}

static bool is_in_texts(const node_t *node, const ProtobufCMessage *message, const field_t *field)
{
    size_t count = count_of(message, field);
    for (size_t i = 0; i < count; i++) {
        const char *const *texts = *(const char *const *const *)at(message, field->offset);
        if (strcmp(texts[i], node->value) == 0)
            return true;
    }
    return false;
}

/* The operator without its "not", of a member; `message` NULL: of one that is all empty. */
static enum cu_err ask_member(const node_t *node, const ProtobufCMessage *message,
                              const field_t *field, bool *ret)
{
    const void *place = message ? at(message, field->offset) : NULL;
    bool asks_empty = node->op == CU_FILTER_IS_EMPTY || node->op == CU_FILTER_IS_NOT_EMPTY;
    switch (field->kind) {
    case CU_FILTER_TEXT:
        return ask_text(node, field->constant ? field->constant : place ? text_at(place) : "", ret);
    case CU_FILTER_BOOL:
        *ret = (place && *(const protobuf_c_boolean *)place) == (node->number != 0);
        break;
    case CU_FILTER_I32:
        *ret = (place ? *(const int32_t *)place : 0) == node->number;
        break;
    case CU_FILTER_TEXTS:
        *ret = asks_empty ? count_of(message, field) == 0 : is_in_texts(node, message, field);
        break;
    case CU_FILTER_MAP:
    case CU_FILTER_OBJECTS_MAP:
        *ret = asks_empty ? count_of(message, field) == 0
                          : find_entry(entries_of(message, field), node->value) != NULL;
        break;
    case CU_FILTER_OBJECTS:
        *ret = count_of(message, field) == 0;
        break;
    case CU_FILTER_OBJECT:
    case CU_FILTER_KIND_COUNT:
        CU_ASSERT(!"no operator takes it");
    }
    return CU_OK;
}

static enum cu_err select_from(const node_t *node, const segment_t *s,
                               const ProtobufCMessage *message, const shape_t *shape, bool *ret);

static enum cu_err select_any(const node_t *node, const segment_t *s,
                              const ProtobufCMessage *message, const field_t *field, bool *ret)
{
    size_t count = count_of(message, field);
    enum cu_err err = CU_OK;
    *ret = false;
    for (size_t i = 0; !err && !*ret && i < count; i++) {
        const ProtobufCMessage *const *items =
            *(const ProtobufCMessage *const *const *)at(message, field->offset);
        err = select_from(node, s, items[i], field->shape, ret);
    }
    return err;
}

/* Of a key that is not there nothing holds but what is negated (http-api.md 1.9). */
static enum cu_err select_key(const node_t *node, const segment_t *s,
                              const ProtobufCMessage *message, const field_t *field, bool *ret)
{
    const ProtobufCMessage *entry = find_entry(entries_of(message, field), s->name);
    if (!entry) {
        *ret = is_negated(node->op);
        return CU_OK;
    }
    if (field->kind == CU_FILTER_OBJECTS_MAP)
        return select_from(node, s->next, message_at(entry_member(entry, 1)), field->shape, ret);
    enum cu_err err = ask_text(node, text_at(entry_member(entry, 1)), ret);
    *ret ^= !err && is_negated(node->op);
    return err;
}

static enum cu_err select_from(const node_t *node, const segment_t *s,
                               const ProtobufCMessage *message, const shape_t *shape, bool *ret)
{
    const field_t *field = find_field(shape, s->name);
    CU_ASSERT(field);
    if (s->next && field->kind == CU_FILTER_OBJECTS)
        return select_any(node, s->next, message, field, ret);
    if (s->next && field->kind == CU_FILTER_OBJECT)
        return select_from(node, s->next, message ? message_at(at(message, field->offset)) : NULL,
                           field->shape, ret);
    if (s->next)
        return select_key(node, s->next, message, field, ret);
    enum cu_err err = ask_member(node, message, field, ret);
    *ret ^= !err && is_negated(node->op);
    return err;
}

/* As deep as the parser let it be. */
static enum cu_err evaluate(const node_t *node, const ProtobufCMessage *message,
                            const shape_t *shape, bool *ret)
{
    enum cu_err err = CU_OK;
    if (node->kind == CU_FILTER_MATCH)
        return select_from(node, node->selector, message, shape, ret);
    if (node->kind == CU_FILTER_NOT) {
        err = evaluate(node->children, message, shape, ret);
        *ret ^= !err;
        return err;
    }
    bool ends = node->kind == CU_FILTER_OR; /* the first of this ends it */
    *ret = !ends;
    for (const node_t *child = node->children; !err && *ret != ends && child; child = child->next)
        err = evaluate(child, message, shape, ret);
    return err;
}

enum cu_err cu_filter_match(const struct cu_filter *filter, const ProtobufCMessage *message,
                            bool *ret_matches)
{
    bool matches = false;
    enum cu_err err = evaluate(filter->root, message, filter->shape, &matches);
    if (!err)
        *ret_matches = matches;
    return err;
}
