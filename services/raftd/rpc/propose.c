/* propose.c - Log.Propose and Log.ReadIndex: what only the leader answers (contracts 3.3, 3.7). */
#include <string.h>

#include "services/raftd/io/wire.h"
#include "services/raftd/rpc/call.h"

typedef Curia__Internal__V1__ProposeRequest propose_request;

/* ---- Propose ---- */

static enum cu_err read_proposal(const Curia__Internal__V1__Proposal *from,
                                 struct raft_proposal *to)
{
    *to = (struct raft_proposal){
        .seq = from->seq, .if_term = from->if_term, .level = from->level, .kind = RAFT_COMMAND};
    if (raft_wire_read_id(from->proposer, &to->proposer) || raft_id_is_none(to->proposer) ||
        raft_wire_read_id(from->ticket, &to->ticket))
        return CU_E_INVALID;
    return CU_OK;
}

/* Bodies only once all is known to be good: they are handed to the core. */
static bool read_proposals(const propose_request *in, struct raft_proposal *items)
{
    for (size_t i = 0; i < in->n_proposals; i++)
        if (read_proposal(in->proposals[i], &items[i]))
            return false;
    for (size_t i = 0; i < in->n_proposals; i++) {
        ProtobufCBinaryData body = in->proposals[i]->body;
        items[i].body = raft_body_new((struct cu_bytes){body.data, body.len});
    }
    return true;
}

static void propose(struct raft_call *call)
{
    struct raft_service *service = call->service;
    const propose_request *in = (const void *)call->rq->in;
    struct raft_proposal *items =
        cu_arena_alloc(call->rq->arena, (in->n_proposals + 1) * sizeof *items);
    if (!items) {
        cu_rq_fail(raft_call_close(call), CU_E_TOO_LARGE, "too many proposals in one call");
        return;
    }
    if (!read_proposals(in, items)) {
        cu_rq_fail(raft_call_close(call), CU_E_INVALID,
                   "a proposal needs a proposer of 16 bytes, and a ticket of 16 or none");
        return;
    }
    raft_call_park(call, RAFT_WAIT_CORE, 0);
    raft_shell_step(service->shell,
                    &(struct raft_event){.kind = RAFT_EV_PROPOSE,
                                         .tag = call->tag,
                                         .propose = {items, (uint32_t)in->n_proposals}});
}

void raft_handle_propose(void *context, struct cu_rq *rq)
{
    const propose_request *in = (const void *)rq->in;
    if (!in->n_proposals || in->n_proposals > RAFT_REFUSALS_MAX) {
        cu_rq_fail(rq, CU_E_INVALID, "a call carries 1 to %d proposals", RAFT_REFUSALS_MAX);
        return;
    }
    struct raft_call *call = raft_call_open(context, rq);
    if (call)
        propose(call);
}

void raft_propose_again(struct raft_call *call)
{
    propose(call);
}

static bool has_if_term(const propose_request *in)
{
    for (size_t i = 0; i < in->n_proposals; i++)
        if (in->proposals[i]->if_term)
            return true;
    return false;
}

/* Nothing of the call was appended, for want of a leader: it may wait for one (consensus.md 3). A
 * duty's proposal may not, it was for this leader and this term. */
static bool may_wait(const struct raft_call *call, const struct raft_action *action)
{
    const propose_request *in = (const void *)call->rq->in;
    if (action->proposed.lost_count || action->proposed.refusal_count != in->n_proposals ||
        has_if_term(in))
        return false;
    for (uint32_t i = 0; i < action->proposed.refusal_count; i++)
        if (action->proposed.refusals[i].err != CU_E_NO_LEADER)
            return false;
    return true;
}

static void reply_proposed(struct cu_rq *rq, const struct raft_action *action)
{
    Curia__Internal__V1__ProposeReply reply = CURIA__INTERNAL__V1__PROPOSE_REPLY__INIT;
    uint32_t count = action->proposed.refusal_count;
    Curia__Internal__V1__Refusal *rows = cu_arena_alloc(rq->arena, (count + 1) * sizeof *rows);
    Curia__Internal__V1__Refusal **list = cu_arena_alloc(rq->arena, (count + 1) * sizeof *list);
    if (!rows || !list) {
        cu_rq_fail(rq, CU_E_UNKNOWN, "too many refusals for one answer");
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct raft_refusal *refusal = &action->proposed.refusals[i];
        curia__internal__v1__refusal__init(&rows[i]);
        rows[i].seq = refusal->seq;
        rows[i].error = cu_err_to_wire(refusal->err);
        rows[i].text = (char *)refusal->text;
        list[i] = &rows[i];
    }
    reply.n_refusals = count;
    reply.refusals = list;
    reply.n_lost = action->proposed.lost_count;
    reply.lost = action->proposed.lost;
    cu_rq_reply(rq, &reply.base, 0);
}

void raft_service_proposed(struct raft_service *service, const struct raft_action *action)
{
    struct raft_call *call = raft_call_find(service, action->proposed.tag);
    if (!call) /* its connection is gone; the feed tells the fate */
        return;
    if (may_wait(call, action))
        raft_call_hold_or_fail(call);
    else
        reply_proposed(raft_call_close(call), action);
}

/* ---- ReadIndex ---- */

static void ask(struct raft_call *call)
{
    const Curia__Internal__V1__ReadIndexRequest *in = (const void *)call->rq->in;
    bool consistent = in->mode == CURIA__INTERNAL__V1__READ_MODE__READ_CONSISTENT;
    raft_call_park(call, RAFT_WAIT_CORE, 0);
    raft_shell_step(
        call->service->shell,
        &(struct raft_event){.kind = RAFT_EV_READ_INDEX,
                             .tag = call->tag,
                             .read_mode = consistent ? RAFT_READ_CONSISTENT : RAFT_READ_DEFAULT});
}

void raft_handle_read_index(void *context, struct cu_rq *rq)
{
    struct raft_call *call = raft_call_open(context, rq);
    if (call)
        ask(call);
}

void raft_read_again(struct raft_call *call)
{
    ask(call);
}

void raft_service_read(struct raft_service *service, const struct raft_action *action)
{
    struct raft_call *call = raft_call_find(service, action->read.tag);
    if (!call)
        return;
    if (action->read.err == CU_E_NO_LEADER) {
        raft_call_hold_or_fail(call);
        return;
    }
    struct cu_rq *rq = raft_call_close(call);
    Curia__Internal__V1__ReadIndexReply reply = CURIA__INTERNAL__V1__READ_INDEX_REPLY__INIT;
    reply.index = action->read.index;
    reply.term = action->read.term;
    if (action->read.err)
        cu_rq_fail(rq, action->read.err, "%s", cu_err_words(action->read.err));
    else
        cu_rq_reply(rq, &reply.base, 0);
}
