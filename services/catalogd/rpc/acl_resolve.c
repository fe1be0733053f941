/* What a token may do, for daemons that guard something of their own, and for who asks about itself
 * (http-api.md 2.19, 4.2). */
#include <strings.h>

#include "common/rpc/rpc.h"
#include "proto/curia/v1/acl.pb-c.h"
#include "services/catalogd/core/acl_resolve.h"
#include "services/catalogd/io/acl.h"
#include "services/catalogd/rpc/acl.h"

enum { QUESTIONS_MAX = 64 };

/* ---- Resolve ---- */

static bool fill_rules(const struct catalog_acl_worth *worth, struct cu_arena *arena,
                       Curia__V1__AclResolveReply *reply)
{
    reply->rules = cu_arena_alloc(arena, (worth->policy_count + 1) * sizeof *reply->rules);
    for (size_t i = 0; reply->rules && i < worth->policy_count; i++)
        reply->rules[i] = (char *)(uintptr_t)worth->policies[i].rules;
    reply->n_rules = reply->rules ? worth->policy_count : 0;
    return reply->rules != NULL;
}

void catalog_acl_resolve_serve(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__AclResolveRequest *in = (const Curia__V1__AclResolveRequest *)rq->in;
    Curia__V1__AclResolveReply reply = CURIA__V1__ACL_RESOLVE_REPLY__INIT;
    struct catalog_acl_worth worth = {0};
    struct cu_diag diag = {0};
    cu_arena_set_limit(rq->arena, CATALOG_ACL_ARENA_BYTES);
    enum cu_err err = catalog_acl_worth(daemon, rq->token, rq->arena, &worth, &diag);
    reply.accessor_id = (char *)(uintptr_t)worth.accessor_id;
    reply.rights = worth.rights;
    reply.expiration_time_ms = worth.expiration_time_ms;
    reply.unchanged = in->have && in->have == worth.rights;
    if (!err && !reply.unchanged && !fill_rules(&worth, rq->arena, &reply))
        err = cu_fail(&diag, CU_E_TOO_LARGE, "the rules of the token are too large");
    if (err)
        cu_rq_fail(rq, err, "%s", diag.text);
    else
        cu_rq_reply(rq, &reply.base, 0);
}

/* ---- Authorize ---- */

/* Which accesses a resource knows, by name; KEY knows two more. */
static bool find_access(enum cu_resource resource, const char *name, enum cu_access *ret_access,
                        bool *ret_is_below)
{
    static const struct {
        const char *name;
        enum cu_access access;
        bool is_below, of_keys_only;
    } accesses[] = {
        {"read", CU_ACCESS_READ, false, false},
        {"write", CU_ACCESS_WRITE, false, false},
        {"list", CU_ACCESS_LIST, false, true},
        {"write-prefix", CU_ACCESS_WRITE, true, true},
    };
    for (size_t i = 0; i < CU_COUNT(accesses); i++)
        if (strcasecmp(accesses[i].name, name) == 0 &&
            (!accesses[i].of_keys_only || resource == CU_RESOURCE_KEY)) {
            *ret_access = accesses[i].access;
            *ret_is_below = accesses[i].is_below;
            return true;
        }
    return false;
}

static enum cu_right intention_right(enum cu_access access)
{
    return access == CU_ACCESS_WRITE ? INTENTION_WRITE : INTENTION_READ;
}

static enum cu_err answer_one(const struct cu_authorizer *who, Curia__V1__AclQuestion *question,
                              struct cu_diag *diag)
{
    enum cu_resource resource;
    enum cu_access access;
    bool is_below;
    struct cu_bytes segment = cu_bytes_of(question->segment);
    if (!cu_resource_find(question->resource, &resource))
        return cu_fail(diag, CU_E_INVALID, "Invalid ACL resource requested: \"%.100s\"",
                       question->resource);
    if (!find_access(resource, question->access, &access, &is_below))
        return cu_fail(diag, CU_E_INVALID, "Invalid access level for %s resource: %.100s",
                       question->resource, question->access);
    if (resource == CU_RESOURCE_INTENTION) /* of "*" it is asked otherwise */
        question->allow = cu_authorizer_permits(who, intention_right(access), segment);
    else if (is_below)
        question->allow = cu_authorizer_may_below(who, resource, access, segment);
    else
        question->allow = cu_authorizer_may(who, resource, access, segment);
    return CU_OK;
}

void catalog_acl_authorize_serve(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__AclAuthorizeRequest *in = (const Curia__V1__AclAuthorizeRequest *)rq->in;
    Curia__V1__AclAuthorizeReply reply = CURIA__V1__ACL_AUTHORIZE_REPLY__INIT;
    struct catalog_caller caller = {0};
    struct cu_diag diag = {0};
    enum cu_err err = catalog_acl_caller(daemon, rq->token, &caller, &diag);
    if (!err && in->n_questions > QUESTIONS_MAX)
        err = cu_fail(&diag, CU_E_INVALID,
                      "Refusing to process more than %d authorizations at once", QUESTIONS_MAX);
    for (size_t i = 0; !err && i < in->n_questions; i++)
        err = answer_one(caller.authorizer, in->questions[i], &diag);
    reply.questions = in->questions;
    reply.n_questions = in->n_questions;
    if (err)
        cu_rq_fail(rq, err, "%s", diag.text);
    else
        cu_rq_reply(rq, &reply.base, 0);
}
