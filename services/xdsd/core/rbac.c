/* Intentions as Envoy's policies (mesh.md 3.6). A policy only says what differs from the default;
 * an intention that is less specific excepts the sources of those before it. */
#include <stdlib.h>
#include <string.h>

#include "services/xdsd/core/build.h"

typedef Envoy__Config__Rbac__V3__Principal principal;
typedef Envoy__Config__Rbac__V3__Permission permission;
typedef Envoy__Config__Rbac__V3__Policy policy;
typedef Envoy__Config__Rbac__V3__RBAC rbac;
typedef Envoy__Config__Rbac__V3__RBAC__PoliciesEntry policy_entry;
typedef Envoy__Config__Route__V3__HeaderMatcher header_matcher;

/* One intention on its way. */
struct rule {
    const Curia__V1__Intention *intention;
    bool is_layer7; /* it has permissions and the listener knows requests */
    bool is_allow;
    bool is_dropped; /* it says what the default says */
    principal *who;
};

/* ---- who ---- */

static principal *new_principal(struct cu_arena *arena)
{
    return XDS_NEW(arena, principal, envoy__config__rbac__v3__principal__init);
}

static principal *identity(struct cu_arena *arena, const struct xds_proxy *proxy, const char *name)
{
    principal *out = new_principal(arena);
    out->identifier_case = ENVOY__CONFIG__RBAC__V3__PRINCIPAL__IDENTIFIER_AUTHENTICATED;
    out->authenticated = XDS_NEW(arena, Envoy__Config__Rbac__V3__Principal__Authenticated,
                                 envoy__config__rbac__v3__principal__authenticated__init);
    out->authenticated->principal_name =
        xds_regex(arena, xds_text(arena, "^spiffe://%s/ns/default/dc/[^/]+/svc/%s$",
                                  proxy->trust_domain, strcmp(name, "*") == 0 ? "[^/]+" : name));
    return out;
}

static principal *negated_principal(struct cu_arena *arena, principal *what)
{
    principal *out = new_principal(arena);
    out->identifier_case = ENVOY__CONFIG__RBAC__V3__PRINCIPAL__IDENTIFIER_NOT_ID;
    out->not_id = what;
    return out;
}

static bool is_wildcard(const struct rule *rule)
{
    return strcmp(rule->intention->source_name, "*") == 0;
}

/* The wildcard is everybody but the sources named before it. */
static void set_who(struct cu_arena *arena, const struct xds_proxy *proxy, struct rule *rules,
                    size_t at)
{
    principal *me = identity(arena, proxy, rules[at].intention->source_name);
    size_t others = 0;
    for (size_t i = 0; i < at; i++)
        others += !is_wildcard(&rules[i]);
    rules[at].who = me;
    if (!is_wildcard(&rules[at]) || !others)
        return;
    principal *all = new_principal(arena);
    all->identifier_case = ENVOY__CONFIG__RBAC__V3__PRINCIPAL__IDENTIFIER_AND_IDS;
    all->and_ids = XDS_NEW(arena, Envoy__Config__Rbac__V3__Principal__Set,
                           envoy__config__rbac__v3__principal__set__init);
    all->and_ids->ids = xds_room(arena, (others + 1) * sizeof(principal *));
    all->and_ids->ids[all->and_ids->n_ids++] = me;
    for (size_t i = at; i-- > 0;) /* the nearest first */
        if (!is_wildcard(&rules[i]))
            all->and_ids->ids[all->and_ids->n_ids++] =
                negated_principal(arena, identity(arena, proxy, rules[i].intention->source_name));
    rules[at].who = all;
}

/* ---- what ---- */

static permission *new_permission(struct cu_arena *arena, int kind)
{
    permission *out = XDS_NEW(arena, permission, envoy__config__rbac__v3__permission__init);
    out->rule_case = (Envoy__Config__Rbac__V3__Permission__RuleCase)kind;
    return out;
}

static permission *anything(struct cu_arena *arena)
{
    permission *out = new_permission(arena, ENVOY__CONFIG__RBAC__V3__PERMISSION__RULE_ANY);
    out->any = true;
    return out;
}

static permission *all_of(struct cu_arena *arena, permission **parts, size_t count)
{
    if (count == 0)
        return anything(arena);
    if (count == 1)
        return parts[0];
    permission *out = new_permission(arena, ENVOY__CONFIG__RBAC__V3__PERMISSION__RULE_AND_RULES);
    out->and_rules = XDS_NEW(arena, Envoy__Config__Rbac__V3__Permission__Set,
                             envoy__config__rbac__v3__permission__set__init);
    out->and_rules->rules = parts;
    out->and_rules->n_rules = count;
    return out;
}

static Envoy__Type__Matcher__V3__StringMatcher *matcher(struct cu_arena *arena, const char *exact,
                                                        const char *prefix, const char *suffix,
                                                        const char *regex)
{
    if (*exact)
        return xds_exact(arena, exact);
    if (*regex)
        return xds_regex(arena, regex);
    if (!*prefix && !*suffix)
        return NULL;
    Envoy__Type__Matcher__V3__StringMatcher *out = xds_exact(arena, NULL);
    out->match_pattern_case = *prefix
                                  ? ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_PREFIX
                                  : ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_SUFFIX;
    out->prefix = (char *)(uintptr_t)(*prefix ? prefix : suffix); /* one union */
    return out;
}

static permission *path_rule(struct cu_arena *arena, Envoy__Type__Matcher__V3__StringMatcher *path)
{
    permission *out = new_permission(arena, ENVOY__CONFIG__RBAC__V3__PERMISSION__RULE_URL_PATH);
    out->url_path = XDS_NEW(arena, Envoy__Type__Matcher__V3__PathMatcher,
                            envoy__type__matcher__v3__path_matcher__init);
    out->url_path->rule_case = ENVOY__TYPE__MATCHER__V3__PATH_MATCHER__RULE_PATH;
    out->url_path->path = path;
    return out;
}

static permission *header_rule(struct cu_arena *arena, const char *name, bool invert,
                               Envoy__Type__Matcher__V3__StringMatcher *value)
{
    permission *out = new_permission(arena, ENVOY__CONFIG__RBAC__V3__PERMISSION__RULE_HEADER);
    header_matcher *header =
        XDS_NEW(arena, header_matcher, envoy__config__route__v3__header_matcher__init);
    header->name = (char *)(uintptr_t)name;
    header->invert_match = invert;
    if (value) {
        header->header_match_specifier_case =
            ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_STRING_MATCH;
        header->string_match = value;
    } else {
        header->header_match_specifier_case =
            ENVOY__CONFIG__ROUTE__V3__HEADER_MATCHER__HEADER_MATCH_SPECIFIER_PRESENT_MATCH;
        header->present_match = true;
    }
    out->header = header;
    return out;
}

static char *methods_regex(struct cu_arena *arena, const Curia__V1__IntentionHttp *http)
{
    char *out = xds_text(arena, "%s", http->methods[0]);
    for (size_t i = 1; i < http->n_methods; i++)
        out = xds_text(arena, "%s|%s", out, http->methods[i]);
    return out;
}

static permission *request_rule(struct cu_arena *arena, const Curia__V1__IntentionHttp *http)
{
    size_t count = 0;
    permission **parts;
    if (!http)
        return anything(arena);
    parts = xds_room(arena, (http->n_header + 2) * sizeof *parts);
    Envoy__Type__Matcher__V3__StringMatcher *path =
        matcher(arena, http->path_exact, http->path_prefix, "", http->path_regex);
    if (path)
        parts[count++] = path_rule(arena, path);
    for (size_t i = 0; i < http->n_header; i++) {
        const Curia__V1__IntentionHeader *h = http->header[i];
        parts[count++] = header_rule(arena, h->name, h->invert,
                                     matcher(arena, h->exact, h->prefix, h->suffix, h->regex));
    }
    if (http->n_methods)
        parts[count++] =
            header_rule(arena, ":method", false, xds_regex(arena, methods_regex(arena, http)));
    return all_of(arena, parts, count);
}

static permission *negated_permission(struct cu_arena *arena, permission *what)
{
    permission *out = new_permission(arena, ENVOY__CONFIG__RBAC__V3__PERMISSION__RULE_NOT_RULE);
    out->not_rule = what;
    return out;
}

/* The permissions that differ from the default, each but for those before it. */
static permission **requests_of(struct cu_arena *arena, const struct rule *rule, bool default_allow,
                                size_t *ret_count)
{
    const Curia__V1__Intention *intention = rule->intention;
    size_t total = intention->n_permissions, count = 0;
    permission **out = xds_room(arena, total * sizeof *out);
    permission **all = xds_room(arena, total * sizeof *all);
    for (size_t i = 0; i < total; i++) {
        const Curia__V1__IntentionPermission *p = intention->permissions[i];
        all[i] = request_rule(arena, p->http);
        if ((strcmp(p->action, "allow") == 0) == default_allow)
            continue;
        permission **parts = xds_room(arena, (i + 1) * sizeof *parts);
        parts[0] = all[i];
        for (size_t k = 0; k < i; k++)
            parts[k + 1] = negated_permission(arena, all[k]);
        out[count++] = all_of(arena, parts, i + 1);
    }
    *ret_count = count;
    return out;
}

/* ---- policies ---- */

static void add_policy(struct cu_arena *arena, rbac *out, char *name, principal **who,
                       size_t who_count, permission **what, size_t what_count)
{
    policy_entry *entry =
        XDS_NEW(arena, policy_entry, envoy__config__rbac__v3__rbac__policies_entry__init);
    entry->key = name;
    entry->value = XDS_NEW(arena, policy, envoy__config__rbac__v3__policy__init);
    entry->value->principals = who;
    entry->value->n_principals = who_count;
    entry->value->permissions = what;
    entry->value->n_permissions = what_count;
    out->policies[out->n_policies++] = entry;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(policy_entry *const *)a)->key, (*(policy_entry *const *)b)->key);
}

/* Of several intentions of one source the first counts. */
static size_t take_rules(const struct xds_proxy *proxy, struct rule *rules)
{
    size_t count = 0;
    for (size_t i = 0; i < proxy->intention_count; i++) {
        const Curia__V1__Intention *intention = proxy->intentions[i];
        bool is_known = false;
        for (size_t k = 0; k < count; k++)
            is_known =
                is_known || strcmp(rules[k].intention->source_name, intention->source_name) == 0;
        if (is_known)
            continue;
        struct rule *rule = &rules[count++];
        rule->intention = intention;
        rule->is_layer7 = intention->n_permissions > 0 && proxy->protocol != XDS_TCP;
        /* A listener that knows no requests cannot tell them apart: refused. */
        rule->is_allow = intention->n_permissions == 0 && strcmp(intention->action, "allow") == 0;
        rule->is_dropped = !rule->is_layer7 && rule->is_allow == proxy->default_allow;
    }
    return count;
}

rbac *xds_rbac(struct cu_arena *arena, const struct xds_proxy *proxy)
{
    rbac *out = XDS_NEW(arena, rbac, envoy__config__rbac__v3__rbac__init);
    struct rule *rules = xds_room(arena, proxy->intention_count * sizeof *rules);
    principal **layer4 = xds_room(arena, proxy->intention_count * sizeof(principal *));
    size_t count = take_rules(proxy, rules), layer4_count = 0;
    out->action = proxy->default_allow ? ENVOY__CONFIG__RBAC__V3__RBAC__ACTION__DENY
                                       : ENVOY__CONFIG__RBAC__V3__RBAC__ACTION__ALLOW;
    out->policies = xds_room(arena, (count + 1) * sizeof *out->policies);
    for (size_t i = 0; i < count; i++) {
        size_t requests = 0;
        if (rules[i].is_dropped)
            continue;
        set_who(arena, proxy, rules, i);
        if (!rules[i].is_layer7) {
            layer4[layer4_count++] = rules[i].who;
            continue;
        }
        permission **what = requests_of(arena, &rules[i], proxy->default_allow, &requests);
        if (requests)
            add_policy(arena, out, xds_text(arena, "consul-intentions-layer7-%zu", i),
                       XDS_LIST1(arena, principal, rules[i].who), 1, what, requests);
    }
    if (layer4_count)
        add_policy(arena, out, xds_text(arena, "consul-intentions-layer4"), layer4, layer4_count,
                   XDS_LIST1(arena, permission, anything(arena)), 1);
    if (out->n_policies)
        qsort(out->policies, out->n_policies, sizeof *out->policies, by_key);
    return out;
}
