/* own_health.c - /v1/agent/health/service/ (http-api.md 2.3). */
#include <string.h>

#include "common/json/text.h"
#include "services/agentd/core/own.h"
#include "services/agentd/io/node.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/local.h"
#include "services/agentd/rpc/routes.h"

static unsigned http_status(enum agent_status status)
{
    switch (status) {
    case AGENT_PASSING:
        return 200;
    case AGENT_WARNING:
        return 429;
    case AGENT_CRITICAL:
    case AGENT_MAINTENANCE:
    case AGENT_STATUS_COUNT:
        break;
    }
    return 503;
}

/* Accept wins over format; JSON unless one of them says otherwise. */
static bool wants_text(struct agent_call *call)
{
    const char *accept = call->rq.headers[AGENT_H_ACCEPT];
    if (accept && strncmp(accept, "text/plain", strlen("text/plain")) == 0)
        return true;
    return cu_bytes_equal(agent_query_value(&call->query, "format"), cu_bytes_of("text"));
}

static void answer(struct agent_call *call, unsigned status, const char *reason,
                   struct cu_buf *json)
{
    if (wants_text(call) && status != 404) {
        cu_buf_clear(json);
        cu_buf_text(json, reason);
        agent_answer_plain_with(call, status, json, "X-Consul-Reason", reason);
    } else {
        agent_answer_json_with(call, status, json, "X-Consul-Reason", reason);
    }
}

static void missing(struct agent_call *call, const char *text)
{
    (void)agent_refuse(&call->fault, 500, "%s", text);
    agent_answer_fault(call);
}

/* Text is answered as the JSON string here, as the reference does. */
static void not_found(struct agent_call *call, const char *reason, const char *json)
{
    struct cu_buf body = {0};
    if (wants_text(call))
        cu_json_cstr(&body, reason);
    else
        cu_buf_text(&body, json);
    agent_answer_json_with(call, 404, &body, "X-Consul-Reason", reason);
}

void agent_own_health_by_id(struct agent_call *call)
{
    const struct agent_local *local = agent_node_local(call->agent->node);
    const char *id = agent_tail_text(call);
    struct cu_buf json = {0};
    if (!*id) {
        missing(call, "Bad request: Missing serviceID");
        return;
    }
    if (!agent_local_service(local, id)) {
        const char *reason = cu_arena_printf(call->rq.arena, "ServiceId %s not found", id);
        not_found(call, reason ? reason : "",
                  "{\"AggregatedStatus\":\"critical\",\"Service\":null,\"Checks\":null}");
        return;
    }
    enum agent_status status = agent_own_health(local, id, call->agent->env->datacenter, &json);
    answer(call, http_status(status), agent_status_name(status), &json);
}

void agent_own_health_by_name(struct agent_call *call)
{
    const struct agent_local *local = agent_node_local(call->agent->node);
    const char *name = agent_tail_text(call);
    struct cu_buf json = {0};
    enum agent_status worst = AGENT_PASSING;
    bool any = false;
    if (!*name) {
        missing(call, "Bad request: Missing service Name");
        return;
    }
    for (size_t i = 0; i < local->services.count; i++) {
        const struct agent_local_service *slot = local->services.slots[i].item;
        if (slot->standing.is_deleted || strcmp(slot->service->service, name) != 0)
            continue;
        cu_buf_u8(&json, any ? ',' : '[');
        any = true;
        enum agent_status status =
            agent_own_health(local, slot->service->id, call->agent->env->datacenter, &json);
        worst = status > worst ? status : worst;
    }
    if (any) {
        cu_buf_u8(&json, ']');
        answer(call, http_status(worst), agent_status_name(worst), &json);
        return;
    }
    const char *reason = cu_arena_printf(call->rq.arena, "ServiceName %s Not Found", name);
    if (wants_text(call)) {
        cu_buf_text(&json, reason ? reason : "");
        agent_answer_plain_with(call, 404, &json, "X-Consul-Reason", reason ? reason : "");
    } else {
        cu_buf_text(&json, "[]");
        agent_answer_json_with(call, 404, &json, "X-Consul-Reason", reason ? reason : "");
    }
}
