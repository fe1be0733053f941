/* step.c - Raft.Step: a peer's request becomes an event, the core's answer the reply. */
#include <stdlib.h>

#include "common/base/num.h"
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

/* A request in order for another id: whoever sends it has that one for this address. The advice is
 * for a server whose id was lost with its data (consensus.md 17). */
static void note_other_id(struct raft_service *service, const struct cu_rq *rq,
                          const struct raft_message *message)
{
    char other[CU_UUID_BYTES];
    const char *own = service->options.node_id;
    (void)cu_format_uuid(message->to.bytes, other);
    cu_log_limited(service->options.log, &service->limit, CU_LOG_WARN, "raft.other_id",
                   "peer=%s id=%s known_as=%s advice=\"the cluster knows another server at this "
                   "address. If that was this one before it lost its data, with its id: on another "
                   "server run `curia operator raft remove-peer -id=%s`, then `curia operator raft "
                   "add-peer -id=%s`\"",
                   rq->peer ? rq->peer->address : "", own, other, other, own);
}

static void note_malformed(struct raft_service *service, const struct cu_rq *rq, const char *why)
{
    cu_log_limited(service->options.log, &service->limit, CU_LOG_WARN, "raft.malformed",
                   "peer=%s error=\"%s\"", rq->peer ? rq->peer->address : "", why);
}

void raft_handle_step(void *context, struct cu_rq *rq)
{
    struct raft_service *service = context;
    struct raft_message *message = NULL;
    struct cu_diag diag = {{0}};
    enum cu_err err = raft_wire_read_message((const raft_pb_message *)rq->in, &message, &diag);
    bool is_ours = !err && raft_id_equal(message->to, service->options.self);
    bool is_sound = !err && is_request(message) && !raft_id_is_none(message->from);
    if (!is_ours || !is_sound) {
        if (!err)
            err = cu_fail(&diag, CU_E_INVALID, "not a request to this server");
        cu_count(service->malformed, 1);
        if (is_sound)
            note_other_id(service, rq, message);
        else
            note_malformed(service, rq, diag.text);
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
