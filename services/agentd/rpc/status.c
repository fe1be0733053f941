/* status.c - where the cluster stands (http-api.md 2.11, 2.18, and the datacenters of 2.6). */
#include "common/json/text.h"
#include "curia/v1/status.pb-c.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

/* `request` lies in the arena or is static. */
static void ask(struct agent_call *call, const char *method, const ProtobufCMessage *request,
                cu_on_answer *done)
{
    call->upstream = (struct cu_view_call){
        .service = &curia__v1__status__descriptor,
        .method = method,
        .request = request,
        .timeout_ms = AGENT_READ_MS,
        .repeatable = true,
        .token = call->token,
        .done = done,
        .arg = call,
    };
    cu_view_call(call->agent->view, &call->upstream);
}

static void leader_done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_answer_failed(call, answer))
        return;
    cu_json_cstr(&json, ((const Curia__V1__LeaderReply *)answer->message)->address);
    agent_answer_json(call, 200, &json, NULL);
}

void agent_leader_get(struct agent_call *call)
{
    static const Curia__V1__LeaderRequest request = CURIA__V1__LEADER_REQUEST__INIT;
    ask(call, "Leader", &request.base, leader_done);
}

static void peers_done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_answer_failed(call, answer))
        return;
    const Curia__V1__PeersReply *reply = (const Curia__V1__PeersReply *)answer->message;
    cu_buf_u8(&json, '[');
    for (size_t i = 0; i < reply->n_addresses; i++) {
        if (i)
            cu_buf_u8(&json, ',');
        cu_json_cstr(&json, reply->addresses[i]);
    }
    cu_buf_u8(&json, ']');
    agent_answer_json(call, 200, &json, NULL);
}

void agent_peers_get(struct agent_call *call)
{
    static const Curia__V1__PeersRequest request = CURIA__V1__PEERS_REQUEST__INIT;
    ask(call, "Peers", &request.base, peers_done);
}

static void configuration_done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_answer_failed(call, answer))
        return;
    cu_json_write(&json, &agent_shape_raft_configuration, answer->message);
    agent_answer_json(call, 200, &json, NULL);
}

void agent_raft_configuration_get(struct agent_call *call)
{
    static const Curia__V1__RaftConfigurationRequest any =
        CURIA__V1__RAFT_CONFIGURATION_REQUEST__INIT;
    static const Curia__V1__RaftConfigurationRequest stale = {
        .base = PROTOBUF_C_MESSAGE_INIT(&curia__v1__raft_configuration_request__descriptor),
        .consistency = CURIA__V1__CONSISTENCY__CONSISTENCY_STALE};
    ask(call, "RaftConfiguration", call->options.mode == AGENT_STALE ? &stale.base : &any.base,
        configuration_done);
}

static void removed(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    if (!agent_answer_failed(call, answer))
        agent_answer_empty(call, 200, NULL);
}

static char *text_of(struct agent_call *call, const struct cu_bytes *value)
{
    return value
               ? cu_arena_printf(call->rq.arena, "%.*s", (int)value->len, (const char *)value->data)
               : cu_arena_strdup(call->rq.arena, "");
}

void agent_raft_peer_delete(struct agent_call *call)
{
    const struct cu_bytes *id = agent_query_get(&call->query, "id");
    const struct cu_bytes *address = agent_query_get(&call->query, "address");
    Curia__V1__RemovePeerRequest *request = agent_new_request(call, sizeof *request);
    if (!request)
        return;
    curia__v1__remove_peer_request__init(request);
    if (!id && !address) {
        agent_answer_text(call, 400,
                          "Bad request: Must specify either ?id or ?address of the "
                          "server to remove");
        return;
    }
    if (id && address) {
        agent_answer_text(call, 400, "Bad request: Must specify only one of ?id or ?address");
        return;
    }
    request->id = text_of(call, id);
    request->address = text_of(call, address);
    agent_write_start(call, &curia__v1__status__descriptor, "RemovePeer", &request->base, removed);
}

void agent_datacenters_get(struct agent_call *call)
{
    struct cu_buf json = {0};
    cu_buf_u8(&json, '[');
    cu_json_cstr(&json, call->agent->env->datacenter);
    cu_buf_u8(&json, ']');
    agent_answer_json(call, 200, &json, NULL);
}
