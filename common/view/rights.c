#include "common/view/rights.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/log/log.h"
#include "common/metric/metric.h"
#include "common/view/view.h"
#include "curia/v1/acl.pb-c.h"

enum { RULES_ARENA_BYTES = 64 * 1024 * 1024 /* of one token's policies, at most */ };

static const char not_found[] = "ACL not found";
static const char root_name[] = "Cannot resolve root ACL";

/* What is known of one token, and who waits for it. */
struct rights_token {
    struct cu_rights *rights;
    struct rights_token *newer, *older; /* by when it was asked about last */
    char *token;
    char *accessor;
    struct cu_authorizer *authorizer; /* NULL: none was told, or it is unknown */
    bool is_known;                    /* a catalogd has answered: yes, or no */
    struct cu_mono fresh_until, expires_at;
    /* While a catalogd is asked: */
    bool is_asking;
    Curia__V1__AclResolveRequest request;
    struct cu_view_call call;
    struct cu_rights_ask *asks;
    struct cu_mono asked_at;
};

struct cu_rights {
    struct cu_rights_options o;
    char *agent_master;
    struct cu_authorizer *master; /* what agent_master may */
    struct cu_map by_token;
    struct rights_token *newest, *oldest;
    struct cu_log_limit said;
    struct cu_counter *kept, *asked, *unknown, *down;
};

bool cu_down_policy_find(const char *words, enum cu_down_policy *ret_policy)
{
    static const char *const all[CU_DOWN_POLICY_COUNT] = {
        [CU_DOWN_EXTEND_CACHE] = "extend-cache",
        [CU_DOWN_ASYNC_CACHE] = "async-cache",
        [CU_DOWN_ALLOW] = "allow",
        [CU_DOWN_DENY] = "deny",
    };
    for (size_t i = 0; i < CU_COUNT(all); i++)
        if (strcmp(all[i], words) == 0) {
            *ret_policy = (enum cu_down_policy)i;
            return true;
        }
    return false;
}

/* ---- what is kept ---- */

static void link_newest(struct rights_token *t)
{
    struct cu_rights *rights = t->rights;
    t->older = rights->newest;
    t->newer = NULL;
    *(rights->newest ? &rights->newest->newer : &rights->oldest) = t;
    rights->newest = t;
}

static void unlink_token(struct rights_token *t)
{
    *(t->newer ? &t->newer->older : &t->rights->newest) = t->older;
    *(t->older ? &t->older->newer : &t->rights->oldest) = t->newer;
}

static void free_secret(char *token)
{
    if (token)
        explicit_bzero(token, strlen(token));
    free(token);
}

static void drop(struct rights_token *t)
{
    while (t->asks)
        cu_rights_cancel(t->asks);
    if (t->is_asking)
        cu_view_call_cancel(&t->call);
    (void)cu_map_del(&t->rights->by_token, cu_bytes_of(t->token));
    unlink_token(t);
    cu_authorizer_unref(t->authorizer);
    free(t->accessor);
    free_secret(t->token);
    free(t);
}

/* Whose answer is on its way cannot be dropped: NULL when that are all. */
static struct rights_token *new_token(struct cu_rights *rights, const char *token)
{
    struct rights_token *t = rights->oldest;
    while (t && t->is_asking)
        t = t->newer;
    if (rights->by_token.count >= CU_RIGHTS_TOKENS_MAX) {
        if (!t)
            return NULL;
        drop(t);
    }
    t = cu_alloc(sizeof *t);
    t->rights = rights;
    t->token = cu_strdup(token);
    t->accessor = cu_strdup("");
    t->expires_at = CU_MONO_NEVER;
    link_newest(t);
    (void)cu_map_put(&rights->by_token, cu_bytes_of(t->token), t);
    return t;
}

static struct rights_token *find(struct cu_rights *rights, const char *token)
{
    struct rights_token *t = cu_map_get(&rights->by_token, cu_bytes_of(token));
    if (!t)
        return new_token(rights, token);
    unlink_token(t);
    link_newest(t);
    return t;
}

/* ---- answers ---- */

static bool has_expired(const struct rights_token *t)
{
    return !cu_mono_before(cu_loop_now(t->rights->o.loop), t->expires_at);
}

static void tell(const struct rights_token *t, struct cu_rights_ask *ask)
{
    if (t->authorizer && !has_expired(t))
        ask->done(ask->arg, CU_OK, "", t->authorizer, t->accessor);
    else
        ask->done(ask->arg, CU_E_DENIED, not_found, NULL, "");
}

/* Nobody can say, and nothing is kept. */
static void tell_down(struct cu_rights *rights, struct cu_rights_ask *ask)
{
    bool is_allowed = rights->o.down_policy == CU_DOWN_ALLOW;
    cu_count(rights->down, 1);
    ask->done(ask->arg, CU_OK, "", is_allowed ? cu_authorizer_all() : cu_authorizer_none(), "");
}

static bool keeps_when_down(const struct cu_rights *rights)
{
    return rights->o.down_policy == CU_DOWN_EXTEND_CACHE ||
           rights->o.down_policy == CU_DOWN_ASYNC_CACHE;
}

/* Whoever asks from within an answer is not among those that are told here. The token stays: it
 * counts as being asked about until all have been told. */
static void tell_all(struct rights_token *t, bool is_down)
{
    struct cu_rights_ask *list = t->asks, *ask;
    t->asks = NULL;
    if (list)
        list->at = &list;
    while ((ask = list)) {
        cu_rights_cancel(ask);
        if (is_down)
            tell_down(t->rights, ask);
        else
            tell(t, ask);
    }
}

static void keep_until(struct rights_token *t, struct cu_mono from)
{
    t->is_known = true;
    t->fresh_until = cu_mono_add_ms(from, t->rights->o.token_ttl_ms);
}

/* Its rules, compiled. Errors: of the rules. */
static enum cu_err compile(const struct cu_rights *rights, const Curia__V1__AclResolveReply *reply,
                           struct cu_authorizer **ret_authorizer, struct cu_diag *diag)
{
    struct cu_arena *arena = cu_arena_new(RULES_ARENA_BYTES);
    struct cu_rules *policies = cu_alloc((reply->n_rules + 1) * sizeof *policies);
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < reply->n_rules; i++)
        err = cu_rules_parse(cu_bytes_of(reply->rules[i]), arena, &policies[i], diag);
    if (!err)
        *ret_authorizer = cu_authorizer_new(policies, reply->n_rules,
                                            rights->o.is_allowed_by_default, reply->rights);
    free(policies);
    cu_arena_free(arena);
    return err;
}

static enum cu_err take(struct rights_token *t, const Curia__V1__AclResolveReply *reply)
{
    struct cu_authorizer *authorizer = NULL;
    struct cu_diag diag = {0};
    if (reply->unchanged && t->authorizer) {
        authorizer = cu_authorizer_ref(t->authorizer);
    } else {
        enum cu_err err = compile(t->rights, reply, &authorizer, &diag);
        if (err) {
            cu_log_limited(t->rights->o.log, &t->rights->said, CU_LOG_WARN, "rights.rules",
                           "accessor=%s error=\"%.300s\"", reply->accessor_id, diag.text);
            return err;
        }
    }
    cu_authorizer_unref(t->authorizer);
    t->authorizer = authorizer;
    free(t->accessor);
    t->accessor = cu_strdup(reply->accessor_id);
    t->expires_at = CU_MONO_NEVER;
    if (reply->expiration_time_ms) {
        uint64_t now = cu_wall_ms(), end = reply->expiration_time_ms;
        t->expires_at = cu_mono_add_ms(cu_loop_now(t->rights->o.loop), end > now ? end - now : 0);
    }
    return CU_OK;
}

static void forget_rights(struct rights_token *t)
{
    cu_authorizer_unref(t->authorizer);
    t->authorizer = NULL;
    cu_count(t->rights->unknown, 1);
}

static void ask_catalog(struct rights_token *t);

static void answered(void *arg, const struct cu_answer *answer)
{
    struct rights_token *t = arg;
    struct cu_rights *rights = t->rights;
    bool is_unknown = answer->err == CU_E_DENIED && strcmp(answer->text, not_found) == 0;
    bool is_down = false;

    if (is_unknown)
        forget_rights(t);
    if (is_unknown ||
        (!answer->err && !take(t, (const Curia__V1__AclResolveReply *)answer->message))) {
        keep_until(t, t->asked_at);
    } else {
        cu_log_limited(rights->o.log, &rights->said, CU_LOG_WARN, "rights.down", "error=\"%.300s\"",
                       answer->text);
        is_down = !t->is_known || !keeps_when_down(rights);
        if (!is_down)
            keep_until(t, cu_loop_now(rights->o.loop));
    }
    tell_all(t, is_down);
    t->is_asking = false;
    if (t->asks) /* from within an answer, and the ttl is 0, or nobody could say */
        ask_catalog(t);
}

/* ---- questions ---- */

static void ask_catalog(struct rights_token *t)
{
    struct cu_rights *rights = t->rights;
    cu_count(rights->asked, 1);
    t->is_asking = true;
    t->asked_at = cu_loop_now(rights->o.loop);
    curia__v1__acl_resolve_request__init(&t->request);
    t->request.have = t->authorizer ? cu_authorizer_rights(t->authorizer) : 0;
    t->call = (struct cu_view_call){.service = &curia__v1__acl__descriptor,
                                    .method = "Resolve",
                                    .request = &t->request.base,
                                    .timeout_ms = CU_RIGHTS_ASK_MS,
                                    .repeatable = true,
                                    .token = t->token,
                                    .done = answered,
                                    .arg = t};
    cu_view_call(rights->o.view, &t->call);
}

static void wait_for(struct rights_token *t, struct cu_rights_ask *ask)
{
    ask->next = t->asks;
    ask->at = &t->asks;
    if (ask->next)
        ask->next->at = &ask->next;
    t->asks = ask;
}

/* In a time that does not depend on where they differ. */
static bool is_same_secret(const char *a, const char *b)
{
    size_t len = strlen(a);
    unsigned differs = 0;
    if (strlen(b) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        differs |= (unsigned)(a[i] ^ b[i]);
    return differs == 0;
}

static bool is_root(const char *token)
{
    return strcmp(token, "allow") == 0 || strcmp(token, "deny") == 0 ||
           strcmp(token, "manage") == 0;
}

/* What needs no catalogd. */
static bool answer_here(struct cu_rights *rights, const char *token, struct cu_rights_ask *ask)
{
    if (!rights->o.is_enabled)
        ask->done(ask->arg, CU_OK, "", cu_authorizer_all(), "");
    else if (is_root(token))
        ask->done(ask->arg, CU_E_INTERNAL, root_name, NULL, "");
    else if (rights->agent_master && is_same_secret(rights->agent_master, token))
        ask->done(ask->arg, CU_OK, "", rights->master, "");
    else if (strlen(token) > CU_RIGHTS_TOKEN_BYTES_MAX)
        ask->done(ask->arg, CU_E_DENIED, not_found, NULL, "");
    else
        return false;
    return true;
}

void cu_rights_ask(struct cu_rights *rights, struct cu_rights_ask *ask)
{
    const char *token = ask->token ? ask->token : "";
    CU_ASSERT(!ask->at);
    if (answer_here(rights, token, ask))
        return;
    struct rights_token *t = find(rights, token);
    if (!t) {
        tell_down(rights, ask);
        return;
    }
    bool is_fresh = t->is_known && cu_mono_before(cu_loop_now(rights->o.loop), t->fresh_until);
    bool is_kept = is_fresh || (t->is_known && rights->o.down_policy == CU_DOWN_ASYNC_CACHE);
    if (!is_kept)
        wait_for(t, ask);
    if (!is_fresh && !t->is_asking)
        ask_catalog(t);
    if (is_kept) {
        cu_count(rights->kept, 1);
        tell(t, ask);
    }
}

void cu_rights_cancel(struct cu_rights_ask *ask)
{
    if (!ask->at)
        return;
    *ask->at = ask->next;
    if (ask->next)
        ask->next->at = ask->at;
    ask->at = NULL;
}

uint64_t cu_rights_fresh_ms(const struct cu_rights *rights, const char *token)
{
    const struct rights_token *t = cu_map_get(&rights->by_token, cu_bytes_of(token ? token : ""));
    if (!t || !t->is_known)
        return rights->o.token_ttl_ms;
    return cu_mono_ms_between(cu_loop_now(rights->o.loop),
                              cu_mono_min(t->fresh_until, t->expires_at));
}

bool cu_rights_is_enabled(const struct cu_rights *rights)
{
    return rights->o.is_enabled;
}

/* ---- life ---- */

void cu_rights_set_agent_master(struct cu_rights *rights, const char *token)
{
    free_secret(rights->agent_master);
    rights->agent_master = token && *token ? cu_strdup(token) : NULL;
}

struct cu_rights *cu_rights_new(const struct cu_rights_options *options)
{
    struct cu_rights *rights = cu_alloc(sizeof *rights);
    rights->o = *options;
    rights->master = cu_authorizer_agent_master(options->node ? options->node : "");
    cu_rights_set_agent_master(rights, options->agent_master);
    rights->o.node = rights->o.agent_master = NULL; /* not ours to keep */
    rights->kept = cu_metrics_counter(options->metrics, "rights.kept");
    rights->asked = cu_metrics_counter(options->metrics, "rights.asked");
    rights->unknown = cu_metrics_counter(options->metrics, "rights.unknown");
    rights->down = cu_metrics_counter(options->metrics, "rights.down");
    return rights;
}

void cu_rights_free(struct cu_rights *rights)
{
    if (!rights)
        return;
    while (rights->oldest)
        drop(rights->oldest);
    cu_map_deinit(&rights->by_token);
    cu_authorizer_unref(rights->master);
    free_secret(rights->agent_master);
    free(rights);
}
