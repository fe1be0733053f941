#include "common/acl/authorizer.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/acl/table.h"
#include "common/base/assert.h"
#include "common/base/hash.h"

enum { RIGHTS_NONE = 2 };

struct cu_authorizer {
    atomic_size_t references;
    bool is_static, may_everything, is_allowed_by_default;
    uint64_t rights;
    struct cu_acl_table tables[CU_RESOURCE_COUNT];
    struct cu_acl_entry *entries; /* of all tables */
    uint8_t *segments;
};

struct cu_authorizer *cu_authorizer_all(void)
{
    static struct cu_authorizer all = {
        .is_static = true, .may_everything = true, .rights = CU_RIGHTS_ALL};
    return &all;
}

struct cu_authorizer *cu_authorizer_none(void)
{
    static struct cu_authorizer none = {.is_static = true, .rights = RIGHTS_NONE};
    return &none;
}

/* ---- merging ---- */

/* A rule, and what it weighs among those of the same resource, kind and segment: the heaviest
 * stays. */
struct candidate {
    struct cu_rule rule;
    int weight;
};

/* http-api.md 4.3: deny before write before list before read. What is derived weighs less than
 * what is written. */
static struct candidate candidate_of(struct cu_rule rule, bool is_derived)
{
    static const int weights[CU_ACCESS_COUNT] = {
        [CU_ACCESS_READ] = 1, [CU_ACCESS_LIST] = 2, [CU_ACCESS_WRITE] = 3, [CU_ACCESS_DENY] = 4};
    CU_ASSERT(rule.resource < CU_RESOURCE_COUNT);
    CU_ASSERT(rule.access > CU_ACCESS_UNSET && rule.access < CU_ACCESS_COUNT);
    return (struct candidate){rule, weights[rule.access] + (is_derived ? 0 : CU_ACCESS_COUNT)};
}

/* What a service's rule says of intentions where no rule does. Deriving from each rule and keeping
 * the heaviest is deriving from the heaviest: both are in the same order. */
static struct candidate derived_intention(struct cu_rule service)
{
    service.resource = CU_RESOURCE_INTENTION;
    if (service.access != CU_ACCESS_DENY)
        service.access = CU_ACCESS_READ;
    return candidate_of(service, true);
}

/* By resource, then segment, then kind; the heaviest first. */
static int compare(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->rule.resource != b->rule.resource)
        return a->rule.resource < b->rule.resource ? -1 : 1;
    int order = cu_bytes_compare(a->rule.segment, b->rule.segment);
    if (order != 0)
        return order;
    if (a->rule.is_prefix != b->rule.is_prefix)
        return a->rule.is_prefix ? 1 : -1;
    return b->weight - a->weight;
}

static size_t rule_count(const struct cu_rules *policies, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += policies[i].count;
    return total;
}

/* *ret_count candidates, sorted; free(). At most two of each rule. */
static struct candidate *candidates_of(const struct cu_rules *policies, size_t count,
                                       size_t *ret_count)
{
    size_t n = 0;
    struct candidate *all = cu_alloc((2 * rule_count(policies, count) + 1) * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < policies[i].count; k++) {
            struct cu_rule rule = policies[i].items[k];
            all[n++] = candidate_of(rule, false);
            if (rule.resource == CU_RESOURCE_SERVICE)
                all[n++] = derived_intention(rule);
        }
    }
    qsort(all, n, sizeof *all, compare);
    *ret_count = n;
    return all;
}

static size_t segment_bytes(const struct candidate *candidates, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += candidates[i].rule.segment.len;
    return bytes;
}

/* Fills the table of a resource from the candidates of it, the first of all. Returns where the next
 * resource's begin. `*segments` is where the segments' bytes go. */
static size_t fill_table(struct cu_acl_table *table, const struct candidate *candidates,
                         size_t count, enum cu_resource resource, uint8_t **segments)
{
    size_t i = 0;
    for (; i < count && candidates[i].rule.resource == resource; i++) {
        const struct cu_rule *rule = &candidates[i].rule;
        struct cu_acl_entry *entry = &table->entries[table->count];
        if (table->count == 0 || !cu_bytes_equal(entry->segment, rule->segment)) {
            entry = &table->entries[++table->count];
            *entry = (struct cu_acl_entry){.segment = {*segments, rule->segment.len}};
            if (rule->segment.len > 0)
                memcpy(*segments, rule->segment.data, rule->segment.len);
            *segments += rule->segment.len;
        }
        enum cu_access *access = rule->is_prefix ? &entry->prefix : &entry->exact;
        if (*access == CU_ACCESS_UNSET)
            *access = rule->access;
    }
    return i;
}

struct cu_authorizer *cu_authorizer_new(const struct cu_rules *policies, size_t count,
                                        bool is_allowed_by_default, uint64_t rights)
{
    CU_ASSERT(rights != 0 && rights != CU_RIGHTS_ALL);
    struct cu_authorizer *authorizer = cu_alloc(sizeof *authorizer);
    size_t left;
    struct candidate *candidates = candidates_of(policies, count, &left);
    const struct candidate *at = candidates;
    authorizer->references = 1;
    authorizer->is_allowed_by_default = is_allowed_by_default;
    authorizer->rights = rights;
    authorizer->segments = cu_alloc(segment_bytes(candidates, left) + 1);
    authorizer->entries = cu_alloc((left + CU_RESOURCE_COUNT) * sizeof *authorizer->entries);
    uint8_t *segments = authorizer->segments;
    struct cu_acl_entry *entries = authorizer->entries;
    for (enum cu_resource resource = 0; resource < CU_RESOURCE_COUNT; resource++) {
        struct cu_acl_table *table = &authorizer->tables[resource];
        table->entries = entries;
        size_t taken = fill_table(table, at, left, resource, &segments);
        cu_acl_table_link(table);
        entries += table->count + 1;
        at += taken;
        left -= taken;
    }
    free(candidates);
    return authorizer;
}

/* ---- shared ---- */

struct cu_authorizer *cu_authorizer_ref(struct cu_authorizer *authorizer)
{
    if (!authorizer->is_static)
        atomic_fetch_add_explicit(&authorizer->references, 1, memory_order_relaxed);
    return authorizer;
}

void cu_authorizer_unref(struct cu_authorizer *authorizer)
{
    if (!authorizer || authorizer->is_static ||
        atomic_fetch_sub_explicit(&authorizer->references, 1, memory_order_acq_rel) > 1)
        return;
    free(authorizer->entries);
    free(authorizer->segments);
    free(authorizer);
}

struct cu_authorizer *cu_authorizer_agent_master(const char *node)
{
    struct cu_rule rules[] = {
        {CU_RESOURCE_AGENT, CU_ACCESS_WRITE, false, cu_bytes_of(node)},
        {CU_RESOURCE_NODE, CU_ACCESS_READ, true, {0}},
    };
    const struct cu_bytes name[] = {cu_bytes_of("agent master"), cu_bytes_of(node)};
    uint64_t rights = cu_blake2b_128(name, CU_COUNT(name)).lo;
    const struct cu_rules policy = {rules, CU_COUNT(rules)};
    return cu_authorizer_new(&policy, 1, false, rights > RIGHTS_NONE ? rights : RIGHTS_NONE + 1);
}

uint64_t cu_authorizer_rights(const struct cu_authorizer *authorizer)
{
    return authorizer->rights;
}

/* ---- asking ---- */

/* Access levels ascend, and each grants those below it. */
static bool decide(const struct cu_authorizer *authorizer, enum cu_resource resource,
                   enum cu_access rule, enum cu_access wanted)
{
    if (rule != CU_ACCESS_UNSET)
        return rule >= wanted;
    return authorizer->is_allowed_by_default && resource != CU_RESOURCE_ACL;
}

static bool has_segments(enum cu_resource resource)
{
    return resource != CU_RESOURCE_ACL && resource != CU_RESOURCE_KEYRING &&
           resource != CU_RESOURCE_OPERATOR;
}

bool cu_authorizer_may(const struct cu_authorizer *authorizer, enum cu_resource resource,
                       enum cu_access access, struct cu_bytes segment)
{
    if (authorizer->may_everything)
        return true;
    if (!has_segments(resource))
        segment.len = 0;
    return decide(authorizer, resource, cu_acl_table_find(&authorizer->tables[resource], segment),
                  access);
}

bool cu_authorizer_may_below(const struct cu_authorizer *authorizer, enum cu_resource resource,
                             enum cu_access access, struct cu_bytes prefix)
{
    if (authorizer->may_everything || !has_segments(resource))
        return cu_authorizer_may(authorizer, resource, access, prefix);
    const struct cu_acl_table *table = &authorizer->tables[resource];
    if (!decide(authorizer, resource, cu_acl_table_find_prefix(table, prefix), access))
        return false;
    enum cu_access weakest = cu_acl_table_weakest_below(table, prefix);
    return weakest == CU_ACCESS_UNSET || weakest >= access;
}

/* What the rule for the empty prefix says, else the default. */
static bool decide_at_root(const struct cu_authorizer *authorizer, enum cu_resource resource,
                           enum cu_access access)
{
    const struct cu_acl_table *table = &authorizer->tables[resource];
    return decide(authorizer, resource, cu_acl_table_find_prefix(table, (struct cu_bytes){0}),
                  access);
}

bool cu_authorizer_may_any(const struct cu_authorizer *authorizer, enum cu_resource resource,
                           enum cu_access access)
{
    if (authorizer->may_everything || !has_segments(resource))
        return cu_authorizer_may(authorizer, resource, access, (struct cu_bytes){0});
    return authorizer->tables[resource].strongest >= access ||
           decide_at_root(authorizer, resource, access);
}

bool cu_authorizer_may_all(const struct cu_authorizer *authorizer, enum cu_resource resource,
                           enum cu_access access)
{
    if (authorizer->may_everything || !has_segments(resource))
        return cu_authorizer_may(authorizer, resource, access, (struct cu_bytes){0});
    enum cu_access weakest = authorizer->tables[resource].weakest;
    return (weakest == CU_ACCESS_UNSET || weakest >= access) &&
           decide_at_root(authorizer, resource, access);
}
