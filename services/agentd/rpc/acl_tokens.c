/* acl_tokens.c - /v1/acl/tokens and token (http-api.md 2.20). */
#include <string.h>

#include "services/agentd/core/acl.h"
#include "services/agentd/rpc/acl.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

#define CLONE      "/clone"
#define MISSING_ID "Bad request: Missing token ID"

/* ---- reads ---- */

static unsigned encode_one(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__AclTokenGetReply *reply = (const Curia__V1__AclTokenGetReply *)message;
    size_t start = out->len;
    if (!reply->token)
        return 404;
    cu_json_write(out, &agent_shape_acl_token, &reply->token->base);
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_all(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__AclTokenListReply *reply = (const Curia__V1__AclTokenListReply *)message;
    size_t start = out->len;
    cu_json_write_list(out, &agent_shape_acl_token_stub, reply->tokens, reply->n_tokens);
    return agent_read_finish(200, format, start, out);
}

/* Those of an authentication method: there is no method, but who asks must be allowed to. */
static unsigned encode_none(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    size_t start = out->len;
    (void)message;
    cu_buf_text(out, "[]");
    return agent_read_finish(200, format, start, out);
}

/* clang-format off */
#define METHOD(name, encode) .method = {&curia__v1__acl__descriptor, name, encode}
static const struct agent_read_row
    one  = {METHOD("GetToken", encode_one), .flags = AGENT_META_ON_ERROR, .missing = MISSING_ID,
            .absent = agent_acl_not_found,
            .params = {.request = &curia__v1__acl_token_get_request__descriptor,
                       .tail = offsetof(Curia__V1__AclTokenGetRequest, accessor_id)}},
    own  = {METHOD("GetToken", encode_one), .flags = AGENT_META_ON_ERROR, .absent = agent_acl_not_found},
    all  = {METHOD("ListTokens", encode_all), .flags = AGENT_META_ON_ERROR},
    none = {METHOD("ListTokens", encode_none), .flags = AGENT_META_ON_ERROR};
/* clang-format on */

void agent_acl_tokens_get(struct agent_call *call)
{
    Curia__V1__AclTokenListRequest *list = agent_new_request(call, sizeof *list);
    char *policy = list ? agent_acl_parameter(call, "policy") : NULL;
    char *role = policy ? agent_acl_parameter(call, "role") : NULL;
    bool by_method = agent_query_value(&call->query, "authmethod").len > 0;
    if (!role)
        return;
    if ((*policy != 0) + (*role != 0) + by_method > 1) {
        agent_answer_text(call, 500,
                          "can only filter by one of policy, role, or methodName at a time");
        return;
    }
    curia__v1__acl_token_list_request__init(list);
    list->policy_id = policy;
    list->role_id = role;
    agent_read_start(call, by_method ? &none : &all, &list->base);
}

void agent_acl_token_self_get(struct agent_call *call)
{
    Curia__V1__AclTokenGetRequest *get = agent_new_request(call, sizeof *get);
    if (!get)
        return;
    curia__v1__acl_token_get_request__init(get);
    get->self = true;
    agent_read_start(call, &own, &get->base);
}

/* ---- writes ---- */

static void was_set(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    if (agent_acl_failed(call, answer))
        return;
    const Curia__V1__AclTokenSetReply *reply = (const Curia__V1__AclTokenSetReply *)answer->message;
    agent_acl_answer(call, &agent_shape_acl_token, &reply->token->base);
}

/* The request with the token of the body; NULL: the call is answered. */
static Curia__V1__AclTokenSetRequest *read_body(struct agent_call *call)
{
    Curia__V1__AclTokenSetRequest *set = agent_new_request(call, sizeof *set);
    Curia__V1__AclToken *token = set ? agent_new_request(call, sizeof *token) : NULL;
    if (!token)
        return NULL;
    curia__v1__acl_token_set_request__init(set);
    curia__v1__acl_token__init(token);
    set->token = token;
    if (agent_acl_token_parse(cu_buf_bytes(&call->rq.body), call->rq.arena, set, &call->fault))
        return set;
    agent_answer_fault(call);
    return NULL;
}

static void set_start(struct agent_call *call, const Curia__V1__AclTokenSetRequest *set)
{
    agent_write_start(call, &curia__v1__acl__descriptor, "SetToken", &set->base, was_set);
}

void agent_acl_token_put(struct agent_call *call)
{
    Curia__V1__AclTokenSetRequest *set = read_body(call);
    if (!set)
        return;
    set->is_create = true;
    set_start(call, set);
}

static void put_by_id(struct agent_call *call)
{
    Curia__V1__AclTokenSetRequest *set = read_body(call);
    char *id = set ? agent_acl_tail(call, 0) : NULL;
    if (id && agent_acl_choose_id(call, &set->token->accessor_id, id,
                                  "Bad request: Token Accessor ID in URL and payload do not match"))
        set_start(call, set);
}

static void clone(struct agent_call *call)
{
    Curia__V1__AclTokenSetRequest *body = read_body(call);
    Curia__V1__AclTokenSetRequest *set = body ? agent_new_request(call, sizeof *set) : NULL;
    char *id = set ? agent_acl_tail(call, sizeof CLONE - 1) : NULL;
    Curia__V1__AclToken *token = id ? agent_new_request(call, sizeof *token) : NULL;
    if (!token)
        return;
    curia__v1__acl_token_set_request__init(set);
    curia__v1__acl_token__init(token);
    token->description = body->token->description;
    set->token = token;
    set->is_create = true;
    set->clone_of = id;
    set->has_description = *token->description != 0;
    set_start(call, set);
}

static void delete_by_id(struct agent_call *call)
{
    Curia__V1__AclTokenDeleteRequest *delete = agent_new_request(call, sizeof *delete);
    char *id = delete ? agent_acl_tail(call, 0) : NULL;
    if (!id)
        return;
    if (!*id) {
        agent_answer_text(call, 400, MISSING_ID);
        return;
    }
    curia__v1__acl_token_delete_request__init(delete);
    delete->accessor_id = id;
    agent_write_start(call, &curia__v1__acl__descriptor, "DeleteToken", &delete->base,
                      agent_acl_true);
}

static bool is_clone(const struct agent_call *call)
{
    size_t len = sizeof CLONE - 1;
    return call->tail.len >= len && memcmp(call->tail.data + call->tail.len - len, CLONE, len) == 0;
}

void agent_acl_token_handle(struct agent_call *call)
{
    switch (call->rq.method[0]) {
    case 'G':
        agent_read_bound(call, &one);
        return;
    case 'D':
        delete_by_id(call);
        return;
    default:
        if (is_clone(call))
            clone(call);
        else
            put_by_id(call);
    }
}
