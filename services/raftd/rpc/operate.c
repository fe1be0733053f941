/* operate.c - what an operator tells the raftd of this host (Log.Recover, Log.ForgetPromise:
 * contracts 3.10, 4.2), and what the leader is told through any (Log.AddServer, Log.RemoveServer:
 * consensus.md 10). */
#include <inttypes.h>
#include <string.h>

#include "common/base/num.h"
#include "services/raftd/io/wire.h"
#include "services/raftd/rpc/call.h"

static void step(struct raft_service *service, struct cu_rq *rq, enum raft_event_kind kind)
{
    struct raft_call *call = raft_call_open(service, rq);
    if (call)
        raft_shell_step(service->shell, &(struct raft_event){.kind = kind, .tag = call->tag});
}

void raft_handle_recover(void *context, struct cu_rq *rq)
{
    step(context, rq, RAFT_EV_RECOVER);
}

void raft_handle_forget_promise(void *context, struct cu_rq *rq)
{
    step(context, rq, RAFT_EV_FORGET_PROMISE);
}

/* ---- the servers ---- */

static bool is_add(const struct raft_call *call)
{
    return !strcmp(call->rq->method->name, "AddServer");
}

static const char *server_id(const struct raft_call *call)
{
    const struct cu_rq *rq = call->rq;
    return is_add(call) ? ((const Curia__Internal__V1__AddServerRequest *)rq->in)->server_id
                        : ((const Curia__Internal__V1__RemoveServerRequest *)rq->in)->server_id;
}

void raft_change_again(struct raft_call *call)
{
    struct raft_event event = {.kind = RAFT_EV_CHANGE, .tag = call->tag};
    event.change.is_add = is_add(call);
    if (cu_parse_uuid(server_id(call), event.change.server.bytes)) {
        cu_rq_fail(raft_call_close(call), CU_E_INVALID,
                   "\"%.100s\" is not a node id (8-4-4-4-12 hexadecimal digits)", server_id(call));
        return;
    }
    raft_call_park(call, RAFT_WAIT_CORE, 0);
    raft_shell_step(call->service->shell, &event);
}

void raft_handle_add_server(void *context, struct cu_rq *rq)
{
    struct raft_call *call = raft_call_open(context, rq);
    if (call)
        raft_change_again(call);
}

void raft_handle_remove_server(void *context, struct cu_rq *rq)
{
    raft_handle_add_server(context, rq);
}

/* ---- answers ---- */

static void reply(struct cu_rq *rq, const struct raft_action *action)
{
    struct raft_id cluster = action->done.cluster;
    Curia__Internal__V1__RecoverReply recovered = CURIA__INTERNAL__V1__RECOVER_REPLY__INIT;
    Curia__Internal__V1__ForgetPromiseReply forgotten =
        CURIA__INTERNAL__V1__FORGET_PROMISE_REPLY__INIT;
    Curia__Internal__V1__AddServerReply added = CURIA__INTERNAL__V1__ADD_SERVER_REPLY__INIT;
    Curia__Internal__V1__RemoveServerReply removed = CURIA__INTERNAL__V1__REMOVE_SERVER_REPLY__INIT;
    recovered.cluster_id = forgotten.cluster_id = raft_wire_id(&cluster);
    added.configuration_index = removed.configuration_index = action->done.index;
    if (action->kind == RAFT_ACT_RECOVERED)
        cu_rq_reply(rq, &recovered.base, 0);
    else if (action->kind == RAFT_ACT_FORGOTTEN)
        cu_rq_reply(rq, &forgotten.base, 0);
    else if (!strcmp(rq->method->name, "AddServer"))
        cu_rq_reply(rq, &added.base, 0);
    else
        cu_rq_reply(rq, &removed.base, 0);
}

/* By the leader alone: a call that was passed on to it does not end here. */
static void note_change(const struct raft_call *call, const struct raft_action *action)
{
    if (action->kind == RAFT_ACT_CHANGED)
        cu_info(call->service->options.log,
                is_add(call) ? "raft.server_added" : "raft.server_removed", "id=%s index=%" PRIu64,
                server_id(call), action->done.index);
}

static void succeed(struct raft_call *call, const struct raft_action *action)
{
    note_change(call, action);
    reply(raft_call_close(call), action);
}

void raft_service_done(struct raft_service *service, const struct raft_action *action)
{
    struct raft_call *call = raft_call_find(service, action->done.tag);
    if (!call) /* the operator is gone; what was done is in the log */
        return;
    if (action->done.err == CU_E_NO_LEADER)
        raft_call_hold_or_fail(call);
    else if (action->done.err)
        cu_rq_fail(raft_call_close(call), action->done.err, "%s", action->done.text);
    else
        succeed(call, action);
}
