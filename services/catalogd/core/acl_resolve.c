#include "services/catalogd/core/acl_resolve.h"

#include <stdlib.h>
#include <string.h>

#include "common/acl/authorizer.h"
#include "common/base/assert.h"
#include "services/catalogd/core/acl_token.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/list.h"

typedef Curia__V1__AclToken token_t;
typedef Curia__V1__AclRole role_t;
typedef Curia__V1__AclPolicy policy_t;
typedef struct catalog_acl_policy effective_t;

/* Policies being gathered. */
struct gather {
    const struct catalog_view *view;
    const struct catalog_acl_terms *terms;
    struct cu_arena *arena;
    struct catalog_list found; /* of effective_t */
    struct catalog_list rests; /* of struct catalog_acl_rest */
};

static bool is_for_us(const struct gather *gather, char *const *datacenters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(datacenters[i], gather->terms->datacenter) == 0)
            return true;
    return count == 0;
}

static enum cu_err rest_on(struct gather *gather, enum catalog_table table, const char *id,
                           uint64_t modify_index)
{
    struct catalog_acl_rest *rest = cu_arena_alloc(gather->arena, sizeof *rest);
    if (!rest)
        return CU_E_TOO_LARGE;
    *rest = (struct catalog_acl_rest){table, id, modify_index};
    return catalog_list_add(&gather->rests, gather->arena, rest) ? CU_OK : CU_E_TOO_LARGE;
}

static enum cu_err add(struct gather *gather, const char *id, const char *rules)
{
    effective_t *policy = cu_arena_alloc(gather->arena, sizeof *policy);
    if (!policy || !id || !rules || gather->found.count >= CATALOG_ACL_LINKS_MAX)
        return CU_E_TOO_LARGE;
    *policy = (effective_t){id, rules};
    return catalog_list_add(&gather->found, gather->arena, policy) ? CU_OK : CU_E_TOO_LARGE;
}

static enum cu_err add_policies(struct gather *gather, Curia__V1__AclLink *const *links,
                                size_t count)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < count; i++) {
        policy_t *policy;
        struct cu_bytes key = catalog_key_of(gather->arena, cu_bytes_of(links[i]->id));
        err = catalog_view_get(gather->view, CATALOG_ACL_POLICIES, key, gather->arena, &policy);
        if (!err)
            err = rest_on(gather, CATALOG_ACL_POLICIES, links[i]->id,
                          policy ? policy->modify_index : 0);
        if (!err && policy && is_for_us(gather, policy->datacenters, policy->n_datacenters))
            err = add(gather, policy->id, policy->rules);
    }
    return err;
}

/* ---- identities (http-api.md 4.5) ---- */

static enum cu_err add_services(struct gather *gather,
                                Curia__V1__AclServiceIdentity *const *identities, size_t count)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < count; i++) {
        const char *name = identities[i]->service_name;
        if (is_for_us(gather, identities[i]->datacenters, identities[i]->n_datacenters))
            err = add(gather, cu_arena_printf(gather->arena, "service-identity:%s", name),
                      cu_arena_printf(gather->arena,
                                      "service \"%s\" { policy = \"write\" }\n"
                                      "service \"%s-sidecar-proxy\" { policy = \"write\" }\n"
                                      "service_prefix \"\" { policy = \"read\" }\n"
                                      "node_prefix \"\" { policy = \"read\" }\n",
                                      name, name));
    }
    return err;
}

static enum cu_err add_nodes(struct gather *gather, Curia__V1__AclNodeIdentity *const *identities,
                             size_t count)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < count; i++) {
        const char *name = identities[i]->node_name;
        if (strcmp(identities[i]->datacenter, gather->terms->datacenter) == 0)
            err = add(gather, cu_arena_printf(gather->arena, "node-identity:%s", name),
                      cu_arena_printf(gather->arena,
                                      "node \"%s\" { policy = \"write\" }\n"
                                      "service_prefix \"\" { policy = \"read\" }\n",
                                      name));
    }
    return err;
}

static enum cu_err add_roles(struct gather *gather, Curia__V1__AclLink *const *links, size_t count)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < count; i++) {
        role_t *role;
        struct cu_bytes key = catalog_key_of(gather->arena, cu_bytes_of(links[i]->id));
        err = catalog_view_get(gather->view, CATALOG_ACL_ROLES, key, gather->arena, &role);
        if (!err)
            err = rest_on(gather, CATALOG_ACL_ROLES, links[i]->id, role ? role->modify_index : 0);
        if (err || !role)
            continue;
        err = add_policies(gather, role->policies, role->n_policies);
        if (!err)
            err = add_services(gather, role->service_identities, role->n_service_identities);
        if (!err)
            err = add_nodes(gather, role->node_identities, role->n_node_identities);
    }
    return err;
}

/* ---- the whole ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(effective_t *const *)a)->id, (*(effective_t *const *)b)->id);
}

static enum cu_err settle(struct gather *gather, struct catalog_acl_worth *worth)
{
    size_t count = gather->found.count;
    worth->rests = cu_arena_alloc(gather->arena, gather->rests.count * sizeof *worth->rests);
    if (!worth->rests)
        return CU_E_TOO_LARGE;
    for (size_t i = 0; i < gather->rests.count; i++)
        worth->rests[i] = *(const struct catalog_acl_rest *)gather->rests.items[i];
    worth->rest_count = gather->rests.count;
    if (count)
        qsort(gather->found.items, count, sizeof *gather->found.items, by_id);
    worth->policies = cu_arena_alloc(gather->arena, (count + 1) * sizeof *worth->policies);
    if (!worth->policies)
        return CU_E_TOO_LARGE;
    for (size_t i = 0; i < count; i++) {
        const effective_t *policy = gather->found.items[i];
        if (i == 0 || by_id(&gather->found.items[i - 1], &gather->found.items[i]) != 0)
            worth->policies[worth->policy_count++] = *policy;
    }
    return CU_OK;
}

/* By what the rules say, not by when they were written: the number is good at every server. */
static enum cu_err number(struct gather *gather, struct catalog_acl_worth *worth)
{
    size_t count = 2 * worth->policy_count + 1;
    struct cu_bytes *parts = cu_arena_alloc(gather->arena, count * sizeof *parts);
    if (!parts)
        return CU_E_TOO_LARGE;
    parts[0] = cu_bytes_of(gather->terms->allows_by_default ? "allow" : "deny");
    for (size_t i = 0; i < worth->policy_count; i++) {
        parts[2 * i + 1] = cu_bytes_of(worth->policies[i].id);
        parts[2 * i + 2] = cu_bytes_of(worth->policies[i].rules);
    }
    worth->rights = cu_blake2b_128(parts, count).lo;
    if (worth->rights <= CU_RIGHTS_ALL) /* those two numbers have a meaning of their own */
        worth->rights += CU_RIGHTS_ALL + 1;
    return CU_OK;
}

enum cu_err catalog_acl_worth_of(const struct catalog_view *view,
                                 const struct catalog_acl_terms *terms, const token_t *token,
                                 struct cu_arena *arena, struct catalog_acl_worth *ret_worth)
{
    struct gather gather = {.view = view, .terms = terms, .arena = arena};
    struct catalog_acl_worth worth = {.accessor_id = token->accessor_id,
                                      .expiration_time_ms = token->expiration_time_ms};
    enum cu_err err = rest_on(&gather, CATALOG_ACL_TOKENS, token->accessor_id, token->modify_index);
    if (!err)
        err = add_policies(&gather, token->policies, token->n_policies);
    if (!err)
        err = add_roles(&gather, token->roles, token->n_roles);
    if (!err)
        err = add_services(&gather, token->service_identities, token->n_service_identities);
    if (!err)
        err = add_nodes(&gather, token->node_identities, token->n_node_identities);
    if (!err)
        err = settle(&gather, &worth);
    if (!err)
        err = number(&gather, &worth);
    if (!err)
        *ret_worth = worth;
    return err;
}

/* ---- from the secret ---- */

static bool is_root(const char *secret)
{
    static const char *const names[] = {"allow", "deny", "manage"};
    for (size_t i = 0; i < CU_COUNT(names); i++)
        if (strcmp(secret, names[i]) == 0)
            return true;
    return false;
}

/* NULL: there is none. */
static enum cu_err find_token(const struct catalog_view *view, const char *secret,
                              struct cu_arena *arena, token_t **ret_token)
{
    char *accessor;
    *ret_token = NULL;
    enum cu_err err =
        catalog_acl_secret_get(view->backend, CATALOG_ACL_BY_SECRET, secret, arena, &accessor);
    if (err || !accessor)
        return err;
    return catalog_view_get(view, CATALOG_ACL_TOKENS, catalog_key_of(arena, cu_bytes_of(accessor)),
                            arena, ret_token);
}

static token_t *anonymous(struct cu_arena *arena)
{
    token_t *token = cu_arena_alloc(arena, sizeof *token);
    if (!token)
        return NULL;
    curia__v1__acl_token__init(token);
    token->accessor_id = (char *)(uintptr_t)CATALOG_ACL_ANONYMOUS_ID;
    return token;
}

enum cu_err catalog_acl_resolve(const struct catalog_view *view,
                                const struct catalog_acl_terms *terms, const char *secret,
                                struct cu_arena *arena, struct catalog_acl_worth *ret_worth,
                                struct cu_diag *diag)
{
    token_t *token;
    bool is_anonymous = !*secret || strcmp(secret, CATALOG_ACL_ANONYMOUS_SECRET) == 0;
    if (is_root(secret))
        return cu_fail(diag, CU_E_INTERNAL, "Cannot resolve root ACL");
    enum cu_err err =
        find_token(view, is_anonymous ? CATALOG_ACL_ANONYMOUS_SECRET : secret, arena, &token);
    if (!err && !token && is_anonymous) { /* nobody has made it yet: it may what all may */
        token = anonymous(arena);
        err = token ? CU_OK : CU_E_TOO_LARGE;
    }
    if (err)
        return cu_fail(diag, err, "the token cannot be looked up: %s", cu_err_words(err));
    if (!token || catalog_acl_token_is_expired(token, terms->wall_ms))
        return cu_fail(diag, CU_E_DENIED, "ACL not found");
    err = catalog_acl_worth_of(view, terms, token, arena, ret_worth);
    return err ? cu_fail(diag, err, "the token's policies cannot be read: %s", cu_err_words(err))
               : CU_OK;
}
