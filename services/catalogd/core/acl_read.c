#include "services/catalogd/core/acl_read.h"

#include <string.h>

#include "common/acl/authorizer.h"
#include "services/catalogd/core/acl_role.h"
#include "services/catalogd/core/acl_token.h"
#include "services/catalogd/core/key.h"

static char nothing[] = "";

enum { ROW_ARENA_BYTES = 8 * 1024 * 1024 }; /* one row, twice */

/* Those read go by what links are called, too. */
static uint64_t linked_index(const struct catalog_view *view, uint64_t index)
{
    return index > view->acl_policies_index ? index : view->acl_policies_index;
}

/* The key by id, else by name; data NULL: there is no such row. */
static enum cu_err find(const struct catalog_view *view, enum catalog_table table, const char *id,
                        const char *name, struct cu_arena *arena, struct cu_bytes *ret_key)
{
    if (!*id)
        return catalog_acl_find(view->backend, table, name, arena, ret_key);
    char *folded = catalog_acl_id(arena, id);
    *ret_key = folded ? catalog_key_of(arena, cu_bytes_of(folded)) : (struct cu_bytes){NULL, 0};
    return CU_OK;
}

/* ---- policies ---- */

enum cu_err catalog_acl_policy_read(const struct catalog_view *view,
                                    const Curia__V1__AclPolicyGetRequest *request,
                                    struct cu_arena *arena, Curia__V1__AclPolicyGetReply *reply,
                                    uint64_t *ret_index)
{
    struct cu_bytes key;
    enum cu_err err = find(view, CATALOG_ACL_POLICIES, request->id, request->name, arena, &key);
    if (!err && key.data)
        err = catalog_view_get(view, CATALOG_ACL_POLICIES, key, arena, &reply->policy);
    /* One that is missing, or goes by a name, may be woken by any other: never late. */
    bool is_row = !err && reply->policy && *request->id;
    *ret_index =
        catalog_view_index(view, is_row ? reply->policy->modify_index : view->acl_policies_index);
    return err;
}

/* Rows go through a small arena one by one: their rules would fill the answer's. */
struct stubs {
    struct cu_arena *arena, *small;
    struct catalog_list policies;
    enum cu_err err;
};

static Curia__V1__AclPolicy *stub_of(const Curia__V1__AclPolicy *policy, struct cu_arena *arena)
{
    Curia__V1__AclPolicy bare = *policy;
    bare.rules = nothing;
    size_t len = curia__v1__acl_policy__get_packed_size(&bare);
    uint8_t *packed = cu_arena_alloc(arena, len + 1);
    if (!packed)
        return NULL;
    (void)curia__v1__acl_policy__pack(&bare, packed);
    return curia__v1__acl_policy__unpack(cu_arena_allocator(arena), len, packed);
}

static bool add_stub(void *arg, const struct catalog_row *row)
{
    struct stubs *stubs = arg;
    Curia__V1__AclPolicy *policy, *stub;
    cu_arena_reset(stubs->small);
    stubs->err = catalog_view_unpack(CATALOG_ACL_POLICIES, row, stubs->small, &policy);
    if (stubs->err)
        return false;
    stub = stub_of(policy, stubs->arena);
    if (!stub || !catalog_list_add(&stubs->policies, stubs->arena, stub))
        stubs->err = CU_E_TOO_LARGE;
    return !stubs->err;
}

enum cu_err catalog_acl_policy_list(const struct catalog_view *view,
                                    const Curia__V1__AclPolicyListRequest *request,
                                    struct cu_arena *arena, Curia__V1__AclPolicyListReply *reply,
                                    uint64_t *ret_index)
{
    struct stubs stubs = {.arena = arena, .small = cu_arena_new(ROW_ARENA_BYTES)};
    struct cu_bytes all = {NULL, 0};
    (void)request;
    enum cu_err err = view->backend->scan(view->backend->context, CATALOG_ACL_POLICIES, all, all,
                                          add_stub, &stubs);
    cu_arena_free(stubs.small);
    reply->policies = (Curia__V1__AclPolicy **)stubs.policies.items;
    reply->n_policies = stubs.policies.count;
    *ret_index = catalog_view_index(view, view->acl_policies_index);
    return err ? err : stubs.err;
}

/* ---- roles ---- */

static bool has_link(Curia__V1__AclLink *const *links, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(links[i]->id, id) == 0)
            return true;
    return false;
}

enum cu_err catalog_acl_role_read(const struct catalog_view *view,
                                  const Curia__V1__AclRoleGetRequest *request,
                                  struct cu_arena *arena, Curia__V1__AclRoleGetReply *reply,
                                  uint64_t *ret_index)
{
    struct catalog_acl_names names = {.backend = view->backend, .arena = arena};
    struct cu_bytes key;
    enum cu_err err = find(view, CATALOG_ACL_ROLES, request->id, request->name, arena, &key);
    if (!err && key.data)
        err = catalog_view_get(view, CATALOG_ACL_ROLES, key, arena, &reply->role);
    if (!err && reply->role)
        err = catalog_acl_role_name(&names, reply->role);
    catalog_acl_names_deinit(&names);
    *ret_index = catalog_view_index(view, linked_index(view, view->acl_roles_index));
    return err;
}

/* The id that a list is limited to, in its one spelling; false: none can have it. */
static bool limit_of(const char *given, struct cu_arena *arena, const char **ret_id)
{
    *ret_id = *given ? catalog_acl_id(arena, given) : NULL;
    return !*given || *ret_id;
}

enum cu_err catalog_acl_role_list(const struct catalog_view *view,
                                  const Curia__V1__AclRoleListRequest *request,
                                  struct cu_arena *arena, Curia__V1__AclRoleListReply *reply,
                                  uint64_t *ret_index)
{
    struct catalog_acl_names names = {.backend = view->backend, .arena = arena};
    struct catalog_list found = {0};
    const char *policy;
    *ret_index = catalog_view_index(view, linked_index(view, view->acl_roles_index));
    if (!limit_of(request->policy_id, arena, &policy))
        return CU_OK;
    enum cu_err err =
        catalog_view_list(view, CATALOG_ACL_ROLES, (struct cu_bytes){NULL, 0}, arena, &found);
    reply->roles = (Curia__V1__AclRole **)found.items;
    for (size_t i = 0; !err && i < found.count; i++) {
        Curia__V1__AclRole *role = found.items[i];
        err = catalog_acl_role_name(&names, role);
        if (!policy || has_link(role->policies, role->n_policies, policy))
            reply->roles[reply->n_roles++] = role;
    }
    catalog_acl_names_deinit(&names);
    return err;
}

/* ---- tokens ---- */

static uint64_t tokens_index(const struct catalog_view *view)
{
    uint64_t index = view->acl_tokens_index > view->acl_roles_index ? view->acl_tokens_index
                                                                    : view->acl_roles_index;
    return catalog_view_index(view, linked_index(view, index));
}

static bool may_see_secrets(const struct catalog_view *view)
{
    return view->authorizer &&
           cu_authorizer_permits(view->authorizer, ACL_WRITE, (struct cu_bytes){NULL, 0});
}

/* The accessor id that is asked for; NULL: there is no such token. */
static enum cu_err accessor_of(const struct catalog_view *view,
                               const Curia__V1__AclTokenGetRequest *request, struct cu_arena *arena,
                               char **ret_id)
{
    if (request->self)
        return catalog_acl_secret_get(view->backend, CATALOG_ACL_BY_SECRET, request->accessor_id,
                                      arena, ret_id);
    *ret_id = catalog_acl_id(arena, request->accessor_id);
    return CU_OK;
}

static enum cu_err fill_secret(const struct catalog_view *view, bool is_self,
                               struct cu_arena *arena, Curia__V1__AclToken *token)
{
    static char hidden[] = CATALOG_ACL_HIDDEN;
    char *secret;
    token->secret_id = hidden;
    if (!is_self && !may_see_secrets(view))
        return CU_OK;
    enum cu_err err = catalog_acl_secret_get(view->backend, CATALOG_ACL_BY_ACCESSOR,
                                             token->accessor_id, arena, &secret);
    if (!err && secret)
        token->secret_id = secret;
    return err;
}

static enum cu_err name_token(const struct catalog_view *view, struct cu_arena *arena,
                              Curia__V1__AclToken *token)
{
    struct catalog_acl_names names = {.backend = view->backend, .arena = arena};
    enum cu_err err = catalog_acl_token_name(&names, token);
    catalog_acl_names_deinit(&names);
    return err;
}

enum cu_err catalog_acl_token_read(const struct catalog_view *view,
                                   const Curia__V1__AclTokenGetRequest *request, uint64_t wall_ms,
                                   struct cu_arena *arena, Curia__V1__AclTokenGetReply *reply,
                                   uint64_t *ret_index)
{
    Curia__V1__AclToken *token = NULL;
    char *id;
    *ret_index = tokens_index(view);
    enum cu_err err = accessor_of(view, request, arena, &id);
    if (!err && id)
        err = catalog_view_get(view, CATALOG_ACL_TOKENS, catalog_key_of(arena, cu_bytes_of(id)),
                               arena, &token);
    if (err || !token || catalog_acl_token_is_expired(token, wall_ms))
        return err;
    err = fill_secret(view, request->self, arena, token);
    if (!err)
        err = name_token(view, arena, token);
    reply->token = err ? NULL : token;
    return err;
}

enum cu_err catalog_acl_token_list(const struct catalog_view *view,
                                   const Curia__V1__AclTokenListRequest *request, uint64_t wall_ms,
                                   struct cu_arena *arena, Curia__V1__AclTokenListReply *reply,
                                   uint64_t *ret_index)
{
    struct catalog_acl_names names = {.backend = view->backend, .arena = arena};
    struct catalog_list found = {0};
    const char *policy, *role;
    *ret_index = tokens_index(view);
    if (!limit_of(request->policy_id, arena, &policy) || !limit_of(request->role_id, arena, &role))
        return CU_OK;
    enum cu_err err =
        catalog_view_list(view, CATALOG_ACL_TOKENS, (struct cu_bytes){NULL, 0}, arena, &found);
    reply->tokens = (Curia__V1__AclToken **)found.items;
    for (size_t i = 0; !err && i < found.count; i++) {
        Curia__V1__AclToken *token = found.items[i];
        if (catalog_acl_token_is_expired(token, wall_ms))
            continue;
        err = catalog_acl_token_name(&names, token);
        if ((!policy || has_link(token->policies, token->n_policies, policy)) &&
            (!role || has_link(token->roles, token->n_roles, role)))
            reply->tokens[reply->n_tokens++] = token;
    }
    catalog_acl_names_deinit(&names);
    return err;
}
