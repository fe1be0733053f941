#include "tests/lib/fake_acl.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "curia/v1/acl.pb-c.h"

static const struct fake_acl_token *find(const struct fake_acl *fake, const char *secret)
{
    for (size_t i = 0; i < FAKE_ACL_TOKENS; i++)
        if (fake->tokens[i].secret && strcmp(fake->tokens[i].secret, secret) == 0)
            return &fake->tokens[i];
    return NULL;
}

static void answer(struct fake_acl *fake, struct cu_rq *rq)
{
    const Curia__V1__AclResolveRequest *in = (const Curia__V1__AclResolveRequest *)rq->in;
    const struct fake_acl_token *token = find(fake, rq->token ? rq->token : "");
    Curia__V1__AclResolveReply reply = CURIA__V1__ACL_RESOLVE_REPLY__INIT;
    char accessor[64], *rules[1];
    if (fake->fail_with) {
        cu_rq_fail(rq, fake->fail_with, "as told");
        return;
    }
    if (!token) {
        cu_rq_fail(rq, CU_E_DENIED, "ACL not found");
        return;
    }
    (void)snprintf(accessor, sizeof accessor, "accessor-%s", token->secret);
    rules[0] = (char *)token->rules;
    reply.accessor_id = accessor;
    reply.rights = token->rights;
    reply.expiration_time_ms = token->expiration_time_ms;
    reply.unchanged = in->have && in->have == token->rights;
    fake->unchanged += reply.unchanged;
    if (!reply.unchanged) {
        reply.rules = rules;
        reply.n_rules = 1;
    }
    cu_rq_reply(rq, &reply.base, 0);
}

static void gone(void *arg)
{
    struct cu_rq *rq = arg;
    struct fake_acl *fake = rq->user;
    for (size_t i = 0; i < fake->held_count; i++)
        if (fake->held[i] == rq) {
            fake->held[i] = fake->held[--fake->held_count];
            return;
        }
}

static void resolve(void *context, struct cu_rq *rq)
{
    struct fake_acl *fake = context;
    fake->asked++;
    if (!fake->holds) {
        answer(fake, rq);
        return;
    }
    ck_assert_uint_lt(fake->held_count, FAKE_ACL_HELD);
    rq->user = fake;
    fake->held[fake->held_count++] = rq;
    cu_rq_on_gone(rq, gone, rq);
}

void fake_acl_let_go(struct fake_acl *fake)
{
    fake->holds = false;
    while (fake->held_count) {
        struct cu_rq *rq = fake->held[--fake->held_count];
        cu_rq_on_gone(rq, NULL, NULL);
        answer(fake, rq);
    }
}

static void not_here(void *context, struct cu_rq *rq)
{
    (void)context;
    cu_rq_fail(rq, CU_E_INTERNAL, "the fake catalog does not do this");
}

/* clang-format off */
#define NOT_HERE(name) CU_METHOD(name, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, MIB, MIB, not_here)
static const struct cu_method methods[] = {
    NOT_HERE(Bootstrap),
    NOT_HERE(SetToken), NOT_HERE(DeleteToken), NOT_HERE(GetToken), NOT_HERE(ListTokens),
    NOT_HERE(SetPolicy), NOT_HERE(DeletePolicy), NOT_HERE(GetPolicy), NOT_HERE(ListPolicies),
    NOT_HERE(SetRole), NOT_HERE(DeleteRole), NOT_HERE(GetRole), NOT_HERE(ListRoles),
    CU_METHOD(Resolve, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, resolve),
    NOT_HERE(Authorize),
};
/* clang-format on */
const struct cu_service fake_acl_service = {&curia__v1__acl__descriptor, methods,
                                            CU_COUNT(methods)};
