/* attach.c - Attach, Hold and Duty: what the one attached catalogd asks (contracts 3.5 to 3.8, 5).
 */
#include <stdio.h>
#include <string.h>

#include "common/base/num.h"
#include "services/raftd/io/wire.h"
#include "services/raftd/rpc/call.h"

/* ---- Attach ---- */

static void reply_attached(struct raft_service *service, struct cu_rq *rq, bool adopted)
{
    Curia__Internal__V1__AttachReply reply = CURIA__INTERNAL__V1__ATTACH_REPLY__INIT;
    struct raft_status status;
    raft_status(service->core, cu_loop_now(service->options.loop), &status);
    reply.adopted = adopted;
    reply.cluster_id = raft_wire_id(&status.cluster);
    reply.floor = status.floor;
    reply.attached_address = service->attached_address;
    reply.node_id = (char *)service->options.node_id;
    cu_rq_reply(rq, &reply.base, 0);
}

void raft_handle_attach(void *context, struct cu_rq *rq)
{
    struct raft_service *service = context;
    const Curia__Internal__V1__AttachRequest *in = (const void *)rq->in;
    struct raft_header header;
    struct cu_diag diag = {{0}};
    if (in->reader) {
        reply_attached(service, rq, false);
        return;
    }
    if (!rq->peer || raft_classify(service, rq->peer) != CALLER_CATALOGD) {
        cu_rq_fail(rq, CU_E_DENIED, "only this host's catalogd attaches; follow as a reader");
        return;
    }
    if (raft_wire_read_header(in->durable, &header, &diag)) {
        cu_rq_fail(rq, CU_E_INVALID, "%s", diag.text);
        return;
    }
    struct raft_call *call = raft_call_open(service, rq);
    if (!call)
        return;
    service->attached = rq->peer;
    service->durable = header.position;
    (void)snprintf(service->attached_address, sizeof service->attached_address, "%s",
                   in->bus_address);
    raft_shell_step(
        service->shell,
        &(struct raft_event){.kind = RAFT_EV_ATTACH, .tag = call->tag, .attach = &header});
}

/* Both clusters by name, so that an operator sees which data directory is the wrong one. */
static void refuse_attach(struct raft_service *service, struct cu_rq *rq, enum cu_err err)
{
    const Curia__Internal__V1__AttachRequest *in = (const void *)rq->in;
    char ours[CU_UUID_BYTES], theirs[CU_UUID_BYTES] = "none";
    struct raft_status status;
    struct raft_header header = {0};
    raft_status(service->core, cu_loop_now(service->options.loop), &status);
    if (!raft_wire_read_header(in->durable, &header, NULL))
        (void)cu_format_uuid(header.position.cluster.bytes, theirs);
    cu_rq_fail(rq, err, "raftd's log is of cluster %s, the state of cluster %s",
               cu_format_uuid(status.cluster.bytes, ours), theirs);
}

void raft_service_attached(struct raft_service *service, const struct raft_action *action)
{
    struct raft_call *call = raft_call_find(service, action->attached.tag);
    if (!call) /* its connection is gone: raft_service's hook has detached it */
        return;
    struct cu_rq *rq = raft_call_close(call);
    if (!action->attached.err) {
        reply_attached(service, rq, action->attached.adopted);
        return;
    }
    if (raft_is_attached(service, rq))
        service->attached = NULL;
    refuse_attach(service, rq, action->attached.err);
}

/* ---- Hold ---- */

void raft_handle_hold(void *context, struct cu_rq *rq)
{
    struct raft_service *service = context;
    const Curia__Internal__V1__HoldRequest *in = (const void *)rq->in;
    Curia__Internal__V1__HoldReply reply = CURIA__INTERNAL__V1__HOLD_REPLY__INIT;
    struct raft_status status;
    raft_shell_step(service->shell,
                    &(struct raft_event){.kind = RAFT_EV_HOLD, .hold = {in->index, in->ttl_ms}});
    raft_status(service->core, cu_loop_now(service->options.loop), &status);
    reply.floor = status.floor;
    cu_rq_reply(rq, &reply.base, 0);
}

/* ---- Duty ---- */

static void reply_duty(struct cu_rq *rq, const struct raft_duty *duty)
{
    Curia__Internal__V1__DutyReply reply = CURIA__INTERNAL__V1__DUTY_REPLY__INIT;
    reply.on = duty->on;
    if (duty->on) {
        reply.term = duty->term;
        reply.noop_index = duty->noop_index;
        reply.ticket = raft_wire_id(&duty->ticket);
    }
    cu_rq_reply(rq, &reply.base, 0);
}

static struct raft_duty duty_now(const struct raft_service *service)
{
    return raft_duty(service->core, cu_loop_now(service->options.loop));
}

/* Whether it is other than what the caller holds: a ticket, or none. */
static bool differs(const struct raft_duty *duty, struct raft_id held)
{
    return duty->on ? !raft_id_equal(duty->ticket, held) : !raft_id_is_none(held);
}

void raft_handle_duty(void *context, struct cu_rq *rq)
{
    struct raft_service *service = context;
    const Curia__Internal__V1__DutyRequest *in = (const void *)rq->in;
    struct raft_id ticket;
    if (!raft_is_attached(service, rq)) {
        cu_rq_fail(rq, CU_E_NOT_READY, "duty is for the attached catalogd; attach first");
        return;
    }
    if (raft_wire_read_id(in->ticket, &ticket)) {
        cu_rq_fail(rq, CU_E_INVALID, "a ticket has 16 bytes");
        return;
    }
    raft_shell_step(
        service->shell,
        &(struct raft_event){.kind = RAFT_EV_DUTY_POLL, .duty = {in->gossip_well, in->apply_well}});
    struct raft_duty duty = duty_now(service);
    if (!in->wait_ms || differs(&duty, ticket)) {
        reply_duty(rq, &duty);
        return;
    }
    struct raft_call *call = raft_call_open(service, rq);
    if (!call)
        return;
    call->ticket = ticket;
    raft_call_park(call, RAFT_WAIT_DUTY,
                   in->wait_ms < RAFT_DUTY_WAIT_MS ? in->wait_ms : RAFT_DUTY_WAIT_MS);
}

void raft_duty_expire(struct raft_call *call)
{
    struct raft_duty duty = duty_now(call->service);
    reply_duty(raft_call_close(call), &duty);
}

void raft_duty_retry(struct raft_service *service)
{
    struct raft_duty duty = duty_now(service);
    struct raft_call *next;
    for (struct raft_call *call = service->lists[RAFT_WAIT_DUTY]; call; call = next) {
        next = call->next;
        if (differs(&duty, call->ticket))
            reply_duty(raft_call_close(call), &duty);
    }
}
