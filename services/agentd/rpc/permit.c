#include "services/agentd/rpc/permit.h"

#include "services/agentd/io/node.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/local.h"

struct agent_guard agent_guard_of(struct agent_call *call)
{
    return (struct agent_guard){call->authorizer, agent_node_local(call->agent->node),
                                &call->fault};
}

static void answered(void *arg, enum cu_err err, const char *text, struct cu_authorizer *authorizer,
                     const char *accessor)
{
    struct agent_call *call = arg;
    (void)accessor;
    if (err) {
        agent_answer_error(call, err, text, 500);
        return;
    }
    cu_authorizer_unref(call->authorizer);
    call->authorizer = cu_authorizer_ref(authorizer);
    call->permitted(call);
}

void agent_permit_other(struct agent_call *call, const char *token, agent_handler *then)
{
    call->permitted = then;
    call->rights = (struct cu_rights_ask){.token = token, .done = answered, .arg = call};
    cu_rights_ask(call->agent->rights, &call->rights);
}

static void permitted(struct agent_call *call)
{
    struct agent_guard guard = agent_guard_of(call);
    if (agent_guard_route(&guard, call->route, agent_tail_text(call)))
        call->route->handler(call);
    else
        agent_answer_fault(call);
}

void agent_permit(struct agent_call *call)
{
    bool asks = call->route->right != RIGHT_NONE;
    if (asks && call->agent->conf.acl_enabled) {
        agent_permit_other(call, call->token, permitted);
        return;
    }
    if (asks)
        call->authorizer = cu_authorizer_all();
    call->route->handler(call);
}

void agent_permit_cancel(struct agent_call *call)
{
    cu_rights_cancel(&call->rights);
}

void agent_permit_end(struct agent_call *call)
{
    cu_authorizer_unref(call->authorizer);
}
