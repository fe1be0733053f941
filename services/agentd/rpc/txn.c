/* txn.c - /v1/txn (http-api.md 2.13). */
#include "services/agentd/core/txn.h"

#include "common/json/text.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/routes.h"

enum { ARENA_FACTOR = 4, ARENA_EXTRA_BYTES = 64 * 1024 }; /* a body grows when it is decoded */

static void write_results(struct cu_buf *json, const Curia__V1__KvTxnReply *reply)
{
    cu_buf_u8(json, '[');
    for (size_t i = 0; i < reply->n_results; i++) {
        Curia__V1__KvPair pair = *reply->results[i];
        if (i >= reply->n_with_value || !reply->with_value[i])
            pair.value = (ProtobufCBinaryData){0};
        cu_buf_text(json, i ? ",{\"KV\":" : "{\"KV\":");
        cu_json_write(json, &agent_shape_kv_pair, &pair.base);
        cu_buf_u8(json, '}');
    }
    cu_buf_u8(json, ']');
}

static void write_errors(struct cu_buf *json, const Curia__V1__KvTxnReply *reply)
{
    cu_json_write_list(json, &agent_shape_txn_error, reply->errors, reply->n_errors);
}

static void done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    bool only_reads = call->flag;

    if (agent_answer_failed(call, answer))
        return;
    const Curia__V1__KvTxnReply *reply = (const Curia__V1__KvTxnReply *)answer->message;
    /* A write's answer has no meta, and says nothing of leaders. */
    bool known_leader = reply->meta ? reply->meta->known_leader : true;
    uint64_t last_contact_ms = reply->meta ? reply->meta->last_contact_ms : 0;
    struct agent_meta meta = {.known_leader = known_leader, .last_contact_ms = last_contact_ms};

    cu_buf_text(&json, "{\"Results\":");
    if (reply->n_errors)
        cu_buf_text(&json, "null");
    else
        write_results(&json, reply);
    cu_buf_text(&json, ",\"Errors\":");
    if (reply->n_errors)
        write_errors(&json, reply);
    else
        cu_buf_text(&json, "null");
    if (only_reads) {
        cu_buf_text(&json, ",\"Index\":0,\"LastContact\":");
        cu_json_u64(&json, last_contact_ms);
        cu_buf_text(&json, known_leader ? ",\"KnownLeader\":true" : ",\"KnownLeader\":false");
        cu_buf_text(&json, ",\"ConsistencyLevel\":\"\",\"NotModified\":false");
    }
    cu_buf_u8(&json, '}');
    agent_answer_json(call, reply->n_errors ? 409 : 200, &json, only_reads ? &meta : NULL);
}

static Curia__V1__Consistency consistency(enum agent_mode mode)
{
    switch (mode) {
    case AGENT_CONSISTENT:
        return CURIA__V1__CONSISTENCY__CONSISTENCY_CONSISTENT;
    case AGENT_STALE:
        return CURIA__V1__CONSISTENCY__CONSISTENCY_STALE;
    case AGENT_DEFAULT:
    case AGENT_MODE_COUNT:
        break;
    }
    return CURIA__V1__CONSISTENCY__CONSISTENCY_DEFAULT;
}

static void start(struct agent_call *call, struct agent_txn *txn)
{
    call->flag = txn->only_reads;
    call->upstream = (struct cu_view_call){
        .service = &curia__v1__kv__descriptor,
        .method = "Txn",
        .request = &txn->request.base,
        .timeout_ms = txn->only_reads ? AGENT_READ_MS : AGENT_WRITE_MS,
        .repeatable = txn->only_reads,
        .token = call->token,
        .origin = {call->agent->env->node_name, "agentd",
                   agent_rq_address(&call->rq, call->address)},
        .done = done,
        .arg = call,
    };
    cu_view_call(call->agent->view, &call->upstream);
}

void agent_txn_put(struct agent_call *call)
{
    const struct agent_conf *conf = &call->agent->conf;
    struct cu_arena *arena = call->rq.arena;
    cu_arena_set_limit(arena, ARENA_FACTOR * call->rq.body.len + ARENA_EXTRA_BYTES);
    struct agent_txn *txn = cu_arena_alloc(arena, sizeof *txn);
    Curia__V1__ReadOptions *read = cu_arena_alloc(arena, sizeof *read);
    bool good = txn && read;

    if (!good)
        (void)agent_refuse(&call->fault, 500, "request is too large");
    if (!good || !agent_txn_parse(cu_buf_bytes(&call->rq.body), conf->kv_max_bytes, arena, txn,
                                  &call->fault)) {
        agent_answer_fault(call);
        return;
    }
    curia__v1__read_options__init(read);
    read->consistency = consistency(call->options.mode);
    txn->request.read = read;
    start(call, txn);
}
