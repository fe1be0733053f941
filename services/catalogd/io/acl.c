#include "services/catalogd/io/acl.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/mono.h"
#include "services/catalogd/core/acl.h"

enum { TOKEN_BYTES_MAX = 512 };

/* A token as it was when it was looked up. */
struct known {
    struct cu_authorizer *authorizer;
    char *accessor_id;
    uint64_t expiration_time_ms;
    struct catalog_acl_rest *rests;
    size_t rest_count;
};

struct catalog_acl {
    struct catalog_shell *shell;
    struct cu_map tokens; /* of struct known, by secret */
    struct cu_map sets;   /* of authorizers, by their rights: a number of what the rules say */
    struct cu_arena *arena;
    bool has_warned;
};

/* Whether ACLs are on is each server's own configuration: one that was forgotten guards nothing. */
static void warn_if_unguarded(struct catalog_acl *acl)
{
    struct catalog_shell *shell = acl->shell;
    if (acl->has_warned || shell->conf.acl.is_enabled ||
        catalog_shell_facts(shell)->acl_tokens_index == 0)
        return;
    acl->has_warned = true;
    cu_warn(
        shell->env->log, "acl.off",
        "text=\"there are tokens in the state, but this server answers everything to everybody: "
        "set acl.enabled here, too\"");
}

struct catalog_acl *catalog_acl_new(struct catalog_shell *shell)
{
    struct catalog_acl *acl = cu_alloc(sizeof *acl);
    acl->shell = shell;
    acl->arena = cu_arena_new(CATALOG_ACL_ARENA_BYTES);
    warn_if_unguarded(acl);
    return acl;
}

static void forget_tokens(struct catalog_acl *acl)
{
    struct cu_bytes key;
    void *value;
    for (size_t at = 0; cu_map_next(&acl->tokens, &at, &key, &value);) {
        struct known *known = value;
        cu_authorizer_unref(known->authorizer);
        for (size_t i = 0; i < known->rest_count; i++)
            free((char *)(uintptr_t)known->rests[i].id);
        free(known->rests);
        free(known->accessor_id);
        free(known);
    }
    cu_map_deinit(&acl->tokens);
    acl->tokens = (struct cu_map){0};
}

static void forget_sets(struct catalog_acl *acl)
{
    struct cu_bytes key;
    void *authorizer;
    for (size_t at = 0; cu_map_next(&acl->sets, &at, &key, &authorizer);)
        cu_authorizer_unref(authorizer);
    cu_map_deinit(&acl->sets);
    acl->sets = (struct cu_map){0};
}

void catalog_acl_free(struct catalog_acl *acl)
{
    if (!acl)
        return;
    forget_tokens(acl);
    forget_sets(acl);
    cu_arena_free(acl->arena);
    free(acl);
}

/* ---- the state moves ---- */

static bool is_acl_table(enum catalog_table table)
{
    return table == CATALOG_ACL_POLICIES || table == CATALOG_ACL_ROLES ||
           table == CATALOG_ACL_TOKENS || table == CATALOG_ACL_SECRETS;
}

void catalog_acl_moved(struct catalog_acl *acl, const struct catalog_wakes *wakes)
{
    for (size_t i = 0; acl->tokens.count > 0 && i < wakes->count; i++)
        if (is_acl_table(wakes->items[i].table))
            forget_tokens(acl);
    warn_if_unguarded(acl);
}

void catalog_acl_replaced(struct catalog_acl *acl)
{
    forget_tokens(acl);
    warn_if_unguarded(acl);
}

/* ---- looking up ---- */

static enum cu_err compile(struct catalog_acl *acl, const struct catalog_acl_worth *worth,
                           struct cu_authorizer **ret_authorizer, struct cu_diag *diag)
{
    struct cu_rules *rules = cu_arena_alloc(acl->arena, (worth->policy_count + 1) * sizeof *rules);
    enum cu_err err = rules ? CU_OK : CU_E_TOO_LARGE;
    for (size_t i = 0; !err && i < worth->policy_count; i++)
        err = cu_rules_parse(cu_bytes_of(worth->policies[i].rules), acl->arena, &rules[i], diag);
    if (err)
        return cu_fail(diag, CU_E_INTERNAL, "the rules of a policy of the token cannot be read: %s",
                       cu_err_words(err));
    *ret_authorizer = cu_authorizer_new(rules, worth->policy_count,
                                        acl->shell->conf.acl.allows_by_default, worth->rights);
    return CU_OK;
}

/* Equal sets of policies share one; the number stands for what the rules say, so it outlives them.
 */
static enum cu_err find_set(struct catalog_acl *acl, const struct catalog_acl_worth *worth,
                            struct cu_authorizer **ret_authorizer, struct cu_diag *diag)
{
    struct cu_authorizer *authorizer = cu_map_get_u64(&acl->sets, worth->rights);
    if (!authorizer) {
        enum cu_err err = compile(acl, worth, &authorizer, diag);
        if (err)
            return err;
        if (acl->sets.count >= CATALOG_ACL_SETS_MAX)
            forget_sets(acl);
        (void)cu_map_put_u64(&acl->sets, worth->rights, authorizer);
    }
    *ret_authorizer = cu_authorizer_ref(authorizer);
    return CU_OK;
}

static struct known *keep(struct catalog_acl *acl, const char *token,
                          const struct catalog_acl_worth *worth, struct cu_authorizer *authorizer)
{
    struct known *known = cu_alloc(sizeof *known);
    *known =
        (struct known){.authorizer = authorizer,
                       .accessor_id = cu_strdup(worth->accessor_id),
                       .expiration_time_ms = worth->expiration_time_ms,
                       .rests = cu_memdup(worth->rests, worth->rest_count * sizeof *worth->rests),
                       .rest_count = worth->rest_count};
    for (size_t i = 0; i < known->rest_count; i++)
        known->rests[i].id = cu_strdup(known->rests[i].id);

    if (acl->tokens.count >= CATALOG_ACL_TOKENS_MAX)
        forget_tokens(acl);
    (void)cu_map_put(&acl->tokens, cu_bytes_of(token), known);
    return known;
}

/* Out of the state as it is now. */
static enum cu_err resolve(struct catalog_shell *shell, const char *token, struct cu_arena *arena,
                           struct catalog_acl_worth *ret_worth, struct cu_diag *diag)
{
    const struct catalog_backend *snapshot = catalog_readers_snapshot(shell->readers);
    struct catalog_acl_terms terms = {.datacenter = shell->env->datacenter,
                                      .allows_by_default = shell->conf.acl.allows_by_default,
                                      .wall_ms = cu_wall_ms()};
    struct catalog_bookmark bookmark;
    if (!snapshot || catalog_bookmark_read(snapshot, arena, &bookmark))
        return cu_fail(diag, CU_E_NOT_READY, "the state cannot be read now: no token is known");
    struct catalog_view view = catalog_view_of(snapshot, &bookmark);
    return catalog_acl_resolve(&view, &terms, token, arena, ret_worth, diag);
}

enum cu_err catalog_acl_worth(struct catalog_shell *shell, const char *token,
                              struct cu_arena *arena, struct catalog_acl_worth *ret_worth,
                              struct cu_diag *diag)
{
    return shell->conf.acl.is_enabled ? resolve(shell, token, arena, ret_worth, diag)
                                      : cu_fail(diag, CU_E_DENIED, "ACL support disabled");
}

static enum cu_err look_up(struct catalog_acl *acl, const char *token, struct known **ret_known,
                           struct cu_diag *diag)
{
    struct catalog_acl_worth worth = {0};
    struct cu_authorizer *authorizer = NULL;
    cu_arena_reset(acl->arena);
    enum cu_err err = resolve(acl->shell, token, acl->arena, &worth, diag);
    if (!err)
        err = find_set(acl, &worth, &authorizer, diag);
    if (!err)
        *ret_known = keep(acl, token, &worth, authorizer);
    return err;
}

static enum cu_err not_found(struct cu_diag *diag)
{
    return cu_fail(diag, CU_E_DENIED, "ACL not found");
}

static bool has_expired(const struct known *known)
{
    return known->expiration_time_ms && known->expiration_time_ms <= cu_wall_ms();
}

static const char *actor_of(const struct known *known)
{
    return strcmp(known->accessor_id, CATALOG_ACL_ANONYMOUS_ID) == 0 ? "anonymous"
                                                                     : known->accessor_id;
}

enum cu_err catalog_acl_caller(struct catalog_shell *shell, const char *token,
                               struct catalog_caller *ret_caller, struct cu_diag *diag)
{
    struct catalog_acl *acl = shell->acl;
    struct known *known;
    if (!shell->conf.acl.is_enabled) {
        *ret_caller = (struct catalog_caller){
            .authorizer = cu_authorizer_all(), .actor = "anonymous", .accessor_id = ""};
        return CU_OK;
    }
    if (strlen(token) > TOKEN_BYTES_MAX)
        return not_found(diag);
    known = cu_map_get(&acl->tokens, cu_bytes_of(token));
    enum cu_err err = known ? CU_OK : look_up(acl, token, &known, diag);
    if (err)
        return err;
    if (has_expired(known))
        return not_found(diag);
    *ret_caller = (struct catalog_caller){.authorizer = known->authorizer,
                                          .actor = actor_of(known),
                                          .accessor_id = known->accessor_id,
                                          .rests = known->rests,
                                          .rest_count = known->rest_count,
                                          .expiration_time_ms = known->expiration_time_ms};
    return CU_OK;
}
