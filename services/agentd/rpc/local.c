#include "services/agentd/rpc/local.h"

#include <string.h>

#include "services/agentd/core/guard.h"
#include "services/agentd/core/output.h"
#include "services/agentd/core/params.h"
#include "services/agentd/rpc/answer.h"

static const char *text_of(struct agent_call *call, struct cu_bytes bytes)
{
    struct cu_buf clean = {0};
    agent_output_clean(bytes, &clean);
    cu_buf_u8(&clean, 0);
    const char *copy = cu_arena_memdup(call->rq.arena, clean.data, clean.len);
    cu_buf_deinit(&clean);
    return copy ? copy : "";
}

const char *agent_tail_text(struct agent_call *call)
{
    return text_of(call, call->tail);
}

const char *agent_param_text(struct agent_call *call, const char *name)
{
    return text_of(call, agent_query_value(&call->query, name));
}

static void forget_task(struct agent_call *call)
{
    agent_task_forget(call->work);
}

void agent_call_wait(struct agent_call *call, struct agent_task *task)
{
    call->work = task;
    call->drop_work = forget_task;
}

void agent_call_task_done(void *arg, enum cu_err err, const char *text)
{
    struct agent_call *call = arg;
    call->work = NULL;
    call->drop_work = NULL;
    if (err)
        agent_answer_error(call, err, text, 500);
    else
        agent_answer_empty(call, 200, NULL);
}

const char *agent_own_token(const struct agent_call *call)
{
    return call->has_own_token ? call->token : NULL;
}

bool agent_param_maintenance(struct agent_call *call, struct agent_maintenance *ret_maintenance)
{
    const char *text = agent_param_text(call, "enable");
    *ret_maintenance = (struct agent_maintenance){.reason = agent_param_text(call, "reason"),
                                                  .token = agent_own_token(call)};
    if (agent_bool_parse(cu_bytes_of(text), &ret_maintenance->is_on))
        return true;
    if (!agent_query_value(&call->query, "enable").len)
        (void)agent_refuse(&call->fault, 400, "Missing value for enable");
    else
        (void)agent_refuse(&call->fault, 400, "Invalid value for enable: \"%s\"", text);
    agent_answer_fault(call);
    return false;
}

bool agent_filter_open(struct agent_call *call, const struct cu_filter_shape *shape,
                       bool names_selectors_late, struct agent_filter *ret_filter)
{
    static const char before[] = "Failed to create boolean expression evaluator: ";
    const char *text = agent_param_text(call, "filter");
    *ret_filter = (struct agent_filter){.authorizer = call->authorizer};
    if (!*text)
        return true;
    enum cu_err err =
        cu_filter_new(text, shape, call->rq.arena, &ret_filter->parsed, &ret_filter->diag);
    if (!err)
        return true;
    bool bare = names_selectors_late && strncmp(ret_filter->diag.text, "Selector ", 9) == 0;
    const char *whole =
        cu_arena_printf(call->rq.arena, "%s%s", bare ? "" : before, ret_filter->diag.text);
    agent_answer_error(call, CU_E_INVALID, whole ? whole : before, 500);
    return false;
}

static bool keeps(struct agent_filter *filter, const ProtobufCMessage *message)
{
    bool matches = true;
    if (filter->parsed && !filter->err)
        filter->err = cu_filter_match(filter->parsed, message, &matches);
    return matches;
}

bool agent_filter_keeps_service(void *arg, const ProtobufCMessage *message)
{
    struct agent_filter *filter = arg;
    return agent_shows_service(filter->authorizer, (const Curia__V1__Service *)message) &&
           keeps(filter, message);
}

bool agent_filter_keeps_check(void *arg, const ProtobufCMessage *message)
{
    struct agent_filter *filter = arg;
    return agent_shows_check(filter->authorizer, (const Curia__V1__Check *)message) &&
           keeps(filter, message);
}

void agent_filter_answer(struct agent_call *call, struct agent_filter *filter, struct cu_buf *json)
{
    cu_filter_free(filter->parsed);
    if (!filter->err) {
        agent_answer_json(call, 200, json, NULL);
        return;
    }
    cu_buf_deinit(json);
    agent_answer_error(call, filter->err, "a regular expression takes too long", 500);
}
