/* step.c - Raft.Step: a peer's request becomes an event, the core's answer the reply. */
#include <stdlib.h>

#include "services/raftd/io/wire.h"
#include "services/raftd/rpc/call.h"

static void drop(struct raft_message *message)
{
    raft_message_deinit(message);
    free(message);
}

/* Requests are odd, their answers the next number; an answer comes only as a reply. */
static bool is_request(const struct raft_message *message)
{
    return message->kind % 2 == 1 && message->kind != RAFT_MSG_IGNORED;
}

void raft_handle_step(void *context, struct cu_rq *rq)
{
    struct raft_service *service = context;
    struct raft_message *message = NULL;
    struct cu_diag diag = {{0}};
    enum cu_err err = raft_wire_read_message((const raft_pb_message *)rq->in, &message, &diag);
    if (!err && (!is_request(message) || !raft_id_equal(message->to, service->options.self) ||
                 raft_id_is_none(message->from)))
        err = cu_fail(&diag, CU_E_INVALID, "not a request to this server");
    if (err) {
        cu_count(service->malformed, 1);
        cu_log_limited(service->options.log, &service->limit, CU_LOG_WARN, "raft.malformed",
                       "peer=%s error=\"%s\"", rq->peer ? rq->peer->address : "", diag.text);
        if (message)
            drop(message);
        cu_rq_fail(rq, err, "%s", diag.text);
        return;
    }
    struct raft_call *call = raft_call_open(service, rq);
    if (!call) {
        drop(message);
        return;
    }
    message->call = call->tag;
    raft_shell_step(service->shell,
                    &(struct raft_event){.kind = RAFT_EV_MESSAGE, .message = message});
}

void raft_service_answer(struct raft_service *service, struct raft_message *message)
{
    struct raft_call *call = raft_call_find(service, message->call);
    if (call) {
        struct cu_rq *rq = raft_call_close(call);
        struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
        cu_rq_reply(rq, &raft_wire_message(arena, message)->base, 0);
        cu_arena_free(arena);
    }
    drop(message);
}
