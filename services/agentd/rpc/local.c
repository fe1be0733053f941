#include "services/agentd/rpc/local.h"

#include <string.h>

#include "services/agentd/core/output.h"
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

bool agent_param_enable(struct agent_call *call, bool *ret_enable)
{
    static const char *const words[2][6] = {{"0", "f", "F", "FALSE", "false", "False"},
                                            {"1", "t", "T", "TRUE", "true", "True"}};
    const char *text = agent_param_text(call, "enable");
    for (int value = 0; value < 2; value++)
        for (size_t i = 0; i < CU_COUNT(words[value]); i++)
            if (strcmp(text, words[value][i]) == 0) {
                *ret_enable = value;
                return true;
            }
    if (!agent_query_value(&call->query, "enable").len)
        (void)agent_refuse(&call->fault, 400, "Missing value for enable");
    else
        (void)agent_refuse(&call->fault, 400, "Invalid value for enable: \"%s\"", text);
    agent_answer_fault(call);
    return false;
}

bool agent_refuses_filter(struct agent_call *call)
{
    if (!agent_query_value(&call->query, "filter").len)
        return false;
    (void)agent_refuse(&call->fault, 500, "filter expressions are not supported yet");
    agent_answer_fault(call);
    return true;
}
