/* rules_fuzz.c - whatever text the rules of a policy are, they parse or it is said why not; those
 * that parse are the same when they are written once more, as JSON; and what is allowed by them
 * holds together: a deny denies, and who may write may list, and read. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/acl/authorizer.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, RIGHTS = 77, ASKED_MAX = 200 };

static void must(bool claim)
{
    if (!claim)
        abort();
}

/* {"SEGMENT": {"policy": "ACCESS"}} goes to the list of its name. */
static void write_segment(json_t *root, const struct cu_rule *rule)
{
    char name[32];
    json_t *policy = json_object(), *block = json_object();
    (void)snprintf(name, sizeof name, "%s%s", cu_resource_name(rule->resource),
                   rule->is_prefix ? "_prefix" : "");
    must(!json_object_set_new(policy, "policy", json_string(cu_access_name(rule->access))));
    must(!json_object_set_new(block, (const char *)rule->segment.data, policy));
    if (!json_object_get(root, name))
        must(!json_object_set_new(root, name, json_array()));
    must(!json_array_append_new(json_object_get(root, name), block));
}

/* Belongs to the service's rule that was written last. */
static void write_intentions(json_t *root, const struct cu_rule *rule)
{
    json_t *list = json_object_get(root, rule->is_prefix ? "service_prefix" : "service");
    json_t *block = json_array_get(list, json_array_size(list) - 1);
    json_t *service = json_object_get(block, (const char *)rule->segment.data);
    must(!json_object_set_new(service, "intentions", json_string(cu_access_name(rule->access))));
}

static char *written(const struct cu_rules *rules)
{
    json_t *root = json_object();
    for (size_t i = 0; i < rules->count; i++) {
        const struct cu_rule *rule = &rules->items[i];
        bool is_lone = rule->resource == CU_RESOURCE_ACL || rule->resource == CU_RESOURCE_KEYRING ||
                       rule->resource == CU_RESOURCE_OPERATOR;
        if (is_lone)
            must(!json_object_set_new(root, cu_resource_name(rule->resource),
                                      json_string(cu_access_name(rule->access))));
        else if (rule->resource == CU_RESOURCE_INTENTION)
            write_intentions(root, rule);
        else
            write_segment(root, rule);
    }
    char *text = json_dumps(root, 0);
    json_decref(root);
    must(text != NULL);
    return text;
}

static void compare(const struct cu_rules *a, const struct cu_rules *b)
{
    must(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct cu_rule *x = &a->items[i], *y = &b->items[i];
        must(x->resource == y->resource && x->access == y->access && x->is_prefix == y->is_prefix &&
             cu_bytes_equal(x->segment, y->segment));
    }
}

static void write_and_read(const struct cu_rules *rules, struct cu_arena *arena)
{
    char *text = written(rules);
    struct cu_rules again;
    enum cu_err err = cu_rules_parse(cu_bytes_of(text), arena, &again, NULL);
    must(err == CU_OK || err == CU_E_TOO_LARGE); /* JSON may be longer than what it was */
    if (!err)
        compare(rules, &again);
    free(text);
}

static void ask(const struct cu_rules *rules)
{
    struct cu_authorizer *who = cu_authorizer_new(rules, 1, false, RIGHTS);
    for (size_t i = 0; i < rules->count && i < ASKED_MAX; i++) {
        const struct cu_rule *rule = &rules->items[i];
        enum cu_resource r = rule->resource;
        bool may[CU_ACCESS_COUNT];
        for (enum cu_access a = CU_ACCESS_READ; a < CU_ACCESS_COUNT; a++)
            may[a] = cu_authorizer_may(who, r, a, rule->segment);
        must(may[CU_ACCESS_READ] >= may[CU_ACCESS_LIST]);
        must(may[CU_ACCESS_LIST] >= may[CU_ACCESS_WRITE]);
        if (rule->access == CU_ACCESS_DENY && !rule->is_prefix)
            must(!may[CU_ACCESS_READ]);
        if (cu_authorizer_may_all(who, r, CU_ACCESS_READ))
            must(may[CU_ACCESS_READ] && cu_authorizer_may_any(who, r, CU_ACCESS_READ));
    }
    cu_authorizer_unref(who);
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_rules rules = {0};
    struct cu_diag diag = {0};
    enum cu_err err = cu_rules_parse((struct cu_bytes){data, len}, arena, &rules, &diag);
    must(err == CU_OK || ((err == CU_E_INVALID || err == CU_E_TOO_LARGE) && diag.text[0]));
    if (!err) {
        write_and_read(&rules, arena);
        ask(&rules);
    }
    cu_arena_free(arena);
    return !err;
}
