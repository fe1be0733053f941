/* operate.c - Log.Recover and Log.ForgetPromise: what an operator tells the raftd of this host
 * (contracts 3.10, 4.2). */
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

void raft_service_done(struct raft_service *service, const struct raft_action *action)
{
    struct raft_call *call = raft_call_find(service, action->done.tag);
    if (!call) /* the operator is gone; what was done is in the log */
        return;
    struct cu_rq *rq = raft_call_close(call);
    struct raft_id cluster = action->done.cluster;
    Curia__Internal__V1__RecoverReply recovered = CURIA__INTERNAL__V1__RECOVER_REPLY__INIT;
    Curia__Internal__V1__ForgetPromiseReply forgotten =
        CURIA__INTERNAL__V1__FORGET_PROMISE_REPLY__INIT;
    recovered.cluster_id = forgotten.cluster_id = raft_wire_id(&cluster);
    if (action->done.err)
        cu_rq_fail(rq, action->done.err, "%s", action->done.text);
    else if (action->kind == RAFT_ACT_RECOVERED)
        cu_rq_reply(rq, &recovered.base, 0);
    else
        cu_rq_reply(rq, &forgotten.base, 0);
}
