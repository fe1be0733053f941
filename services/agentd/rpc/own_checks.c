/* own_checks.c - /v1/agent/check* (http-api.md 2.4). */
#include <string.h>

#include "services/agentd/core/definition.h"
#include "services/agentd/core/own.h"
#include "services/agentd/io/node.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/local.h"
#include "services/agentd/rpc/permit.h"
#include "services/agentd/rpc/routes.h"

enum { ARENA_FACTOR = 8, ARENA_EXTRA_BYTES = 128 * 1024 };

void agent_own_checks_get(struct agent_call *call)
{
    struct agent_filter filter;
    struct cu_buf json = {0};
    if (!agent_filter_open(call, &cu_filter_check, true, &filter))
        return;
    agent_own_checks(agent_node_local(call->agent->node), agent_filter_keeps_check, &filter, &json);
    agent_filter_answer(call, &filter, &json);
}

static bool define(struct agent_call *call, struct agent_check_def *ret_def)
{
    struct cu_arena *arena = call->rq.arena;
    struct agent_definition_rules rules = {
        .node = call->agent->env->node_name,
        .may_run_scripts = call->agent->may_run_remote_scripts,
        .is_remote = true,
    };
    cu_arena_set_limit(arena, ARENA_FACTOR * call->rq.body.len + ARENA_EXTRA_BYTES);
    Curia__V1__CheckSpec *spec = cu_arena_alloc(arena, sizeof *spec);
    if (!spec)
        return agent_refuse(&call->fault, 413, "the definition is too large");
    return agent_check_read(cu_buf_bytes(&call->rq.body), arena, spec, &call->fault) &&
           agent_check_define(spec, &rules, arena, ret_def, &call->fault);
}

void agent_own_check_register(struct agent_call *call)
{
    struct agent_check_def def;
    struct agent_task *task;
    struct agent_guard guard = agent_guard_of(call);
    if (define(call, &def) && agent_guard_check(&guard, def.check) &&
        agent_node_register_check(call->agent->node, &def, agent_own_token(call),
                                  agent_call_task_done, call, &task, &call->fault))
        agent_call_wait(call, task);
    else
        agent_answer_fault(call);
}

void agent_own_check_deregister(struct agent_call *call)
{
    agent_call_wait(call, agent_node_deregister_check(call->agent->node, agent_tail_text(call),
                                                      agent_call_task_done, call));
}

/* ---- TTL ---- */

static void set_ttl(struct agent_call *call, enum agent_status status, struct cu_bytes note)
{
    struct agent_task *task;
    if (agent_node_update_ttl(call->agent->node, agent_tail_text(call), status, note,
                              agent_call_task_done, call, &task, &call->fault))
        agent_call_wait(call, task);
    else
        agent_answer_fault(call);
}

void agent_own_check_pass(struct agent_call *call)
{
    set_ttl(call, AGENT_PASSING, agent_query_value(&call->query, "note"));
}

void agent_own_check_warn(struct agent_call *call)
{
    set_ttl(call, AGENT_WARNING, agent_query_value(&call->query, "note"));
}

void agent_own_check_fail(struct agent_call *call)
{
    set_ttl(call, AGENT_CRITICAL, agent_query_value(&call->query, "note"));
}

void agent_own_check_update(struct agent_call *call)
{
    Curia__V1__CheckUpdate update;
    enum agent_status status;
    cu_arena_set_limit(call->rq.arena, ARENA_FACTOR * call->rq.body.len + ARENA_EXTRA_BYTES);
    bool good = agent_check_update_read(cu_buf_bytes(&call->rq.body), call->rq.arena, &update,
                                        &call->fault);
    if (good && !agent_status_parse(update.status, &status))
        good = agent_refuse(&call->fault, 400, "Invalid check status: '%s'", update.status);
    if (good)
        set_ttl(call, status, cu_bytes_of(update.output));
    else
        agent_answer_fault(call);
}
