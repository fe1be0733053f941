#include "common/acl/rules.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/assert.h"
#include "common/base/quote.h"
#include "common/hcl/hcl.h"

/* What is special about a form. */
enum {
    TAKES_LIST = 1,
    TAKES_INTENTIONS = 2,
    HAS_ENTERPRISE = 4, /* a member of the reference's struct that is always empty */
};

/* A way to write a rule. `type` and `label` are how the reference prints one in an error; a form
 * without them is a word alone (`acl = "read"`). */
struct form {
    const char *name;
    enum cu_resource resource;
    bool is_prefix;
    const char *type, *label;
    unsigned marks;
};

/* In the order in which the reference checks them, so that of several mistakes both tell the same.
 */
/* clang-format off */
static const struct form forms[] = {
    {"acl",            CU_RESOURCE_ACL,      false, NULL,                NULL,     0},
    {"agent",          CU_RESOURCE_AGENT,    false, "AgentRule",         "Node",   0},
    {"agent_prefix",   CU_RESOURCE_AGENT,    true,  "AgentRule",         "Node",   0},
    {"key",            CU_RESOURCE_KEY,      false, "KeyRule",           "Prefix", TAKES_LIST | HAS_ENTERPRISE},
    {"key_prefix",     CU_RESOURCE_KEY,      true,  "KeyRule",           "Prefix", TAKES_LIST | HAS_ENTERPRISE},
    {"node",           CU_RESOURCE_NODE,     false, "NodeRule",          "Name",   HAS_ENTERPRISE},
    {"node_prefix",    CU_RESOURCE_NODE,     true,  "NodeRule",          "Name",   HAS_ENTERPRISE},
    {"service",        CU_RESOURCE_SERVICE,  false, "ServiceRule",       "Name",   TAKES_INTENTIONS | HAS_ENTERPRISE},
    {"service_prefix", CU_RESOURCE_SERVICE,  true,  "ServiceRule",       "Name",   TAKES_INTENTIONS | HAS_ENTERPRISE},
    {"session",        CU_RESOURCE_SESSION,  false, "SessionRule",       "Node",   0},
    {"session_prefix", CU_RESOURCE_SESSION,  true,  "SessionRule",       "Node",   0},
    {"event",          CU_RESOURCE_EVENT,    false, "EventRule",         "Event",  0},
    {"event_prefix",   CU_RESOURCE_EVENT,    true,  "EventRule",         "Event",  0},
    {"query",          CU_RESOURCE_QUERY,    false, "PreparedQueryRule", "Prefix", 0},
    {"query_prefix",   CU_RESOURCE_QUERY,    true,  "PreparedQueryRule", "Prefix", 0},
    {"keyring",        CU_RESOURCE_KEYRING,  false, NULL,                NULL,     0},
    {"operator",       CU_RESOURCE_OPERATOR, false, NULL,                NULL,     0},
};
/* clang-format on */

/* A rule as it is written: texts of the tree, "" where nothing is written. */
struct written {
    const struct form *form;
    const char *segment, *policy, *intentions;
};

struct parse {
    struct cu_arena *arena;
    struct cu_diag *diag;
    struct written *rules; /* free() */
    size_t count, cap;
    size_t items; /* that they will make */
};

/* ---- from the tree to rules as they are written ---- */

static enum cu_err misfit(struct parse *p, const struct form *form, const char *what)
{
    return cu_fail(p->diag, CU_E_INVALID, "Failed to parse ACL rules: root.%s: %s", form->name,
                   what);
}

static enum cu_err full(struct parse *p)
{
    return cu_fail(p->diag, CU_E_TOO_LARGE, "the rules take too much memory");
}

static enum cu_err push(struct parse *p, struct written rule)
{
    p->items += rule.intentions[0] ? 2 : 1;
    if (p->items > CU_RULES_MAX)
        return cu_fail(p->diag, CU_E_TOO_LARGE, "the policy has more than %d rules", CU_RULES_MAX);
    if (p->count == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 16;
        p->rules = cu_realloc(p->rules, p->cap * sizeof *p->rules);
    }
    p->rules[p->count++] = rule;
    return CU_OK;
}

/* A number is a text, too. */
static enum cu_err decode_text(struct parse *p, const struct form *form, const json_t *value,
                               const char **ret_text)
{
    const char *text = json_string_value(value);
    if (json_is_integer(value))
        text = cu_arena_printf(p->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        text = cu_arena_printf(p->arena, "%g", json_real_value(value));
    else if (!text)
        return misfit(p, form, "unknown type for string");
    if (!text)
        return full(p);
    *ret_text = text;
    return CU_OK;
}

/* An attribute whose name nobody knows is passed over. */
static enum cu_err decode_attribute(struct parse *p, const char *name, const json_t *value,
                                    struct written *rule)
{
    if (strcasecmp(name, "policy") == 0)
        return decode_text(p, rule->form, value, &rule->policy);
    if ((rule->form->marks & TAKES_INTENTIONS) && strcasecmp(name, "intentions") == 0)
        return decode_text(p, rule->form, value, &rule->intentions);
    return CU_OK;
}

static enum cu_err decode_attributes(struct parse *p, json_t *block, struct written *rule)
{
    enum cu_err err = CU_OK;
    const char *name;
    json_t *value;
    json_object_foreach(block, name, value)
    {
        if (!err)
            err = decode_attribute(p, name, value, rule);
    }
    return err;
}

/* Where an attribute stands in place of a block with a label (key { policy = "read" }), the
 * reference takes its name for the label and the attribute for the block. */
static enum cu_err decode_rule(struct parse *p, const struct form *form, const char *segment,
                               json_t *value)
{
    struct written rule = {form, segment, "", ""};
    if (json_is_array(value))
        return misfit(p, form, "not an object type for struct");
    enum cu_err err = json_is_object(value) ? decode_attributes(p, value, &rule)
                                            : decode_attribute(p, segment, value, &rule);
    return err ? err : push(p, rule);
}

/* One block of that label, or a list of some. */
static enum cu_err decode_rules(struct parse *p, const struct form *form, const char *segment,
                                json_t *value)
{
    enum cu_err err = CU_OK;
    if (json_array_size(value) == 0)
        return decode_rule(p, form, segment, value);
    for (size_t i = 0; !err && i < json_array_size(value); i++)
        err = decode_rule(p, form, segment, json_array_get(value, i));
    return err;
}

/* {"SEGMENT": {...}, "OTHER": [{...}, {...}]} */
static enum cu_err decode_segments(struct parse *p, const struct form *form, json_t *segments)
{
    enum cu_err err = CU_OK;
    const char *segment;
    json_t *value;
    if (!json_is_object(segments))
        return misfit(p, form, "unknown slice type");
    json_object_foreach(segments, segment, value)
    {
        if (!err)
            err = decode_rules(p, form, segment, value);
    }
    return err;
}

static enum cu_err decode_blocks(struct parse *p, const struct form *form, json_t *value)
{
    enum cu_err err = CU_OK;
    if (!json_is_array(value))
        return decode_segments(p, form, value);
    for (size_t i = 0; !err && i < json_array_size(value); i++)
        err = decode_segments(p, form, json_array_get(value, i));
    return err;
}

/* Names are found whatever their case; of a word written twice the last counts, "" says nothing. */
static enum cu_err decode_form(struct parse *p, const struct form *form, json_t *root)
{
    const char *name, *word = "";
    enum cu_err err = CU_OK;
    json_t *value;
    json_object_foreach(root, name, value)
    {
        if (!err && strcasecmp(name, form->name) == 0)
            err = form->type ? decode_blocks(p, form, value) : decode_text(p, form, value, &word);
    }
    return err || !word[0] ? err : push(p, (struct written){form, "", word, ""});
}

/* ---- from there to rules ---- */

/* Quoted; more of it than a sentence holds would not be seen. NULL: the arena is full. */
static const char *quoted(struct parse *p, const char *text)
{
    return cu_quote(p->arena,
                    (struct cu_bytes){(const uint8_t *)text, strnlen(text, CU_DIAG_BYTES)});
}

/* As Go's %#v prints the reference's struct. */
static enum cu_err invalid(struct parse *p, const struct written *rule, const char *what)
{
    const struct form *form = rule->form;
    const char *segment = quoted(p, rule->segment), *policy = quoted(p, rule->policy);
    const char *intentions = quoted(p, rule->intentions);
    if (!segment || !policy || !intentions)
        return full(p);
    if (!form->type)
        return cu_fail(p->diag, CU_E_INVALID, "Invalid %s policy: %s", form->name, policy);
    return cu_fail(p->diag, CU_E_INVALID, "Invalid %s%s policy: &acl.%s{%s:%s, Policy:%s%s%s%s}",
                   form->name, what, form->type, form->label, segment, policy,
                   (form->marks & TAKES_INTENTIONS) ? ", Intentions:" : "",
                   (form->marks & TAKES_INTENTIONS) ? intentions : "",
                   (form->marks & HAS_ENTERPRISE) ? ", EnterpriseRule:acl.EnterpriseRule{}" : "");
}

static bool find_access(const char *word, bool takes_list, enum cu_access *ret_access)
{
    return cu_access_find(word, ret_access) && (takes_list || *ret_access != CU_ACCESS_LIST);
}

/* Makes the one or two items of a rule. */
static enum cu_err finish_rule(struct parse *p, const struct written *rule, struct cu_rules *rules)
{
    const struct form *form = rule->form;
    struct cu_rule item = {.resource = form->resource, .is_prefix = form->is_prefix};
    size_t len = strlen(rule->segment);
    if (!find_access(rule->policy, form->marks & TAKES_LIST, &item.access))
        return invalid(p, rule, "");
    item.segment = (struct cu_bytes){cu_arena_memdup(p->arena, rule->segment, len + 1), len};
    if (!item.segment.data)
        return full(p);
    rules->items[rules->count++] = item;
    if (!rule->intentions[0])
        return CU_OK;
    if (!find_access(rule->intentions, false, &item.access))
        return invalid(p, rule, " intentions");
    item.resource = CU_RESOURCE_INTENTION;
    rules->items[rules->count++] = item;
    return CU_OK;
}

static enum cu_err finish(struct parse *p, struct cu_rules *ret_rules)
{
    struct cu_rules rules = {cu_arena_alloc(p->arena, p->items * sizeof *rules.items), 0};
    enum cu_err err = rules.items || !p->items ? CU_OK : full(p);
    for (size_t i = 0; !err && i < p->count; i++)
        err = finish_rule(p, &p->rules[i], &rules);
    if (!err)
        *ret_rules = rules;
    return err;
}

enum cu_err cu_rules_parse(struct cu_bytes text, struct cu_arena *arena, struct cu_rules *ret_rules,
                           struct cu_diag *diag)
{
    struct parse p = {.arena = arena, .diag = diag};
    struct cu_diag why = {0};
    json_t *root = NULL;
    if (text.len > CU_RULES_BYTES_MAX)
        return cu_fail(diag, CU_E_TOO_LARGE, "the policy's rules have more than %d bytes",
                       CU_RULES_BYTES_MAX);
    enum cu_err err = cu_hcl_parse(text, &root, &why);
    if (err)
        return cu_fail(diag, err, "Failed to parse ACL rules: %s", why.text);
    for (size_t i = 0; !err && i < CU_COUNT(forms); i++)
        err = decode_form(&p, &forms[i], root);
    if (!err)
        err = finish(&p, ret_rules);
    free(p.rules);
    json_decref(root);
    return err;
}
