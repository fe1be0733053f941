#include "services/agentd/rpc/write.h"

#include "services/agentd/rpc/answer.h"

/* What is read costs more memory than its text: members become structures. */
enum { ARENA_FACTOR = 16, ARENA_EXTRA_BYTES = 256 * 1024 };

void *agent_new_request(struct agent_call *call, size_t size)
{
    struct cu_arena *arena = call->rq.arena;
    cu_arena_set_limit(arena, ARENA_FACTOR * call->rq.body.len + ARENA_EXTRA_BYTES);
    void *request = cu_arena_alloc(arena, size);
    if (!request)
        agent_answer_text(call, 500, "request is too large");
    return request;
}

void agent_write_start(struct agent_call *call, const ProtobufCServiceDescriptor *service,
                       const char *method, const ProtobufCMessage *request,
                       void (*done)(void *call, const struct cu_answer *answer))
{
    call->upstream = (struct cu_view_call){
        .service = service,
        .method = method,
        .request = request,
        .timeout_ms = AGENT_WRITE_MS,
        .token = call->token,
        .origin = {call->agent->env->node_name, "agentd",
                   agent_rq_address(&call->rq, call->address)},
        .done = done,
        .arg = call,
    };
    cu_view_call(call->agent->view, &call->upstream);
}

void agent_write_true(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_answer_failed(call, answer))
        return;
    cu_buf_text(&json, "true");
    agent_answer_json(call, 200, &json, NULL);
}
