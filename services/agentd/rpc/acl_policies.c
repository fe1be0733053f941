/* acl_policies.c - /v1/acl/policies and policy (http-api.md 2.20). */
#include "services/agentd/core/acl.h"
#include "services/agentd/rpc/acl.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

/* ---- reads ---- */

static unsigned encode_one(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__AclPolicyGetReply *reply = (const Curia__V1__AclPolicyGetReply *)message;
    size_t start = out->len;
    if (!reply->policy)
        return 404;
    cu_json_write(out, &agent_shape_acl_policy, &reply->policy->base);
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_all(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__AclPolicyListReply *reply = (const Curia__V1__AclPolicyListReply *)message;
    size_t start = out->len;
    cu_json_write_list(out, &agent_shape_acl_policy_stub, reply->policies, reply->n_policies);
    return agent_read_finish(200, format, start, out);
}

/* clang-format off */
#define METHOD(name, encode) .method = {&curia__v1__acl__descriptor, name, encode}
#define BY(member) .params = {.request = &curia__v1__acl_policy_get_request__descriptor,           \
                              .tail = offsetof(Curia__V1__AclPolicyGetRequest, member)}
static const struct agent_read_row
    by_id   = {METHOD("GetPolicy", encode_one), .flags = AGENT_META_ON_ERROR, BY(id),
               .missing = "Bad request: Missing policy ID", .absent = agent_acl_not_found},
    by_name = {METHOD("GetPolicy", encode_one), .flags = AGENT_META_ON_ERROR, BY(name),
               .missing = "Bad request: Missing policy Name", .absent = agent_acl_not_found},
    all     = {METHOD("ListPolicies", encode_all), .flags = AGENT_META_ON_ERROR,
               .params = {.request = &curia__v1__acl_policy_list_request__descriptor}};
/* clang-format on */

void agent_acl_policies_get(struct agent_call *call)
{
    agent_read_bound(call, &all);
}

void agent_acl_policy_by_name_get(struct agent_call *call)
{
    agent_read_bound(call, &by_name);
}

/* ---- writes ---- */

static void was_set(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    if (agent_acl_failed(call, answer))
        return;
    const Curia__V1__AclPolicySetReply *reply =
        (const Curia__V1__AclPolicySetReply *)answer->message;
    agent_acl_answer(call, &agent_shape_acl_policy, &reply->policy->base);
}

/* The request with the policy of the body; NULL: the call is answered. */
static Curia__V1__AclPolicySetRequest *read_body(struct agent_call *call)
{
    Curia__V1__AclPolicySetRequest *set = agent_new_request(call, sizeof *set);
    Curia__V1__AclPolicy *policy = set ? agent_new_request(call, sizeof *policy) : NULL;
    if (!policy)
        return NULL;
    curia__v1__acl_policy_set_request__init(set);
    curia__v1__acl_policy__init(policy);
    set->policy = policy;
    if (agent_acl_policy_parse(cu_buf_bytes(&call->rq.body), call->rq.arena, policy, &call->fault))
        return set;
    agent_answer_fault(call);
    return NULL;
}

static void set_start(struct agent_call *call, const Curia__V1__AclPolicySetRequest *set)
{
    agent_write_start(call, &curia__v1__acl__descriptor, "SetPolicy", &set->base, was_set);
}

void agent_acl_policy_put(struct agent_call *call)
{
    Curia__V1__AclPolicySetRequest *set = read_body(call);
    if (!set)
        return;
    if (*set->policy->id)
        agent_answer_text(call, 400,
                          "Bad request: Cannot specify the ID when creating a new policy");
    else
        set_start(call, set);
}

static void put_by_id(struct agent_call *call)
{
    Curia__V1__AclPolicySetRequest *set = read_body(call);
    char *id = set ? agent_acl_tail(call, 0) : NULL;
    if (id && agent_acl_choose_id(call, &set->policy->id, id,
                                  "Bad request: Policy ID in URL and payload do not match"))
        set_start(call, set);
}

static void delete_by_id(struct agent_call *call)
{
    Curia__V1__AclPolicyDeleteRequest *delete = agent_new_request(call, sizeof *delete);
    char *id = delete ? agent_acl_tail(call, 0) : NULL;
    if (!id)
        return;
    if (!*id) {
        agent_answer_text(call, 400, by_id.missing);
        return;
    }
    curia__v1__acl_policy_delete_request__init(delete);
    delete->id = id;
    agent_write_start(call, &curia__v1__acl__descriptor, "DeletePolicy", &delete->base,
                      agent_acl_true);
}

void agent_acl_policy_handle(struct agent_call *call)
{
    switch (call->rq.method[0]) {
    case 'G':
        agent_read_bound(call, &by_id);
        return;
    case 'D':
        delete_by_id(call);
        return;
    default:
        put_by_id(call);
    }
}
