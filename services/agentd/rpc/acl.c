/* acl.c - /v1/acl/bootstrap and replication, /v1/internal/acl/authorize, and what all handlers of
 * /v1/acl share (http-api.md 2.19, 2.20). */
#include "services/agentd/rpc/acl.h"

#include <string.h>

#include "services/agentd/core/acl.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

/* ---- shared ---- */

bool agent_acl_failed(struct agent_call *call, const struct cu_answer *answer)
{
    enum cu_err err = answer->err;
    if (err == CU_E_NOT_FOUND || err == CU_E_CONFLICT)
        err = CU_E_INVALID;
    if (err)
        agent_answer_error(call, err, answer->text, 500);
    return err != CU_OK;
}

void agent_acl_true(void *arg, const struct cu_answer *answer)
{
    if (!agent_acl_failed(arg, answer))
        agent_write_true(arg, answer);
}

void agent_acl_answer(struct agent_call *call, const struct cu_json_shape *shape,
                      const ProtobufCMessage *message)
{
    struct cu_buf json = {0};
    cu_json_write(&json, shape, message);
    agent_answer_json(call, 200, &json, NULL);
}

char *agent_acl_tail(struct agent_call *call, size_t cut)
{
    char *text = cu_arena_printf(call->rq.arena, "%.*s", (int)(call->tail.len - cut),
                                 (const char *)call->tail.data);
    if (!text)
        agent_answer_text(call, 500, "request is too large");
    return text;
}

bool agent_acl_choose_id(struct agent_call *call, char **given, char *from_path,
                         const char *mismatch)
{
    if (**given && strcmp(*given, from_path) != 0) {
        agent_answer_text(call, 400, mismatch);
        return false;
    }
    *given = from_path;
    return true;
}

void agent_acl_not_found(struct agent_call *call)
{
    (void)agent_refuse(&call->fault, 403, "ACL not found");
}

char *agent_acl_parameter(struct agent_call *call, const char *name)
{
    struct cu_bytes value = agent_query_value(&call->query, name);
    char *text = cu_arena_printf(call->rq.arena, "%.*s", (int)value.len,
                                 value.len ? (const char *)value.data : "");
    if (!text)
        agent_answer_text(call, 500, "request is too large");
    return text;
}

/* ---- bootstrap ---- */

static void was_bootstrapped(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_acl_failed(call, answer))
        return;
    agent_acl_bootstrap_write(&json,
                              ((const Curia__V1__AclBootstrapReply *)answer->message)->token);
    agent_answer_json(call, 200, &json, NULL);
}

void agent_acl_bootstrap_put(struct agent_call *call)
{
    Curia__V1__AclBootstrapRequest *request = agent_new_request(call, sizeof *request);
    if (!request)
        return;
    curia__v1__acl_bootstrap_request__init(request);
    agent_write_start(call, &curia__v1__acl__descriptor, "Bootstrap", &request->base,
                      was_bootstrapped);
}

/* ---- replication ---- */

/* There is one datacenter, the primary: nothing is replicated to it. */
void agent_acl_replication_get(struct agent_call *call)
{
    struct cu_buf json = {0};
    cu_buf_text(&json, "{\"Enabled\":false,\"Running\":false,\"SourceDatacenter\":\"\","
                       "\"ReplicationType\":\"\",\"ReplicatedIndex\":0,\"ReplicatedRoleIndex\":0,"
                       "\"ReplicatedTokenIndex\":0,\"LastSuccess\":\"0001-01-01T00:00:00Z\","
                       "\"LastError\":\"0001-01-01T00:00:00Z\"}");
    agent_answer_json(call, 200, &json, NULL);
}

/* ---- authorize ---- */

static void said_what_is_allowed(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_acl_failed(call, answer))
        return;
    const Curia__V1__AclAuthorizeReply *reply =
        (const Curia__V1__AclAuthorizeReply *)answer->message;
    cu_json_write_list(&json, &agent_shape_acl_question, reply->questions, reply->n_questions);
    agent_answer_json(call, 200, &json, NULL);
}

void agent_acl_authorize_post(struct agent_call *call)
{
    struct cu_buf json = {0};
    Curia__V1__AclAuthorizeRequest *request = agent_new_request(call, sizeof *request);
    if (!request)
        return;
    curia__v1__acl_authorize_request__init(request);
    if (!agent_acl_questions_parse(cu_buf_bytes(&call->rq.body), call->rq.arena, request,
                                   &call->fault)) {
        agent_answer_fault(call);
    } else if (!request->n_questions) {
        cu_buf_text(&json, "[]");
        agent_answer_json(call, 200, &json, NULL);
    } else {
        agent_write_start(call, &curia__v1__acl__descriptor, "Authorize", &request->base,
                          said_what_is_allowed);
    }
}
