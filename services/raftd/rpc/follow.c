/* follow.c - Log.Follow: the four answers of contracts 3.1. */
#include <string.h>

#include "services/raftd/io/wire.h"
#include "services/raftd/rpc/call.h"

static void reply_follow(struct raft_service *service, struct cu_rq *rq,
                         const struct raft_follow_answer *answer, struct raft_entry *entries,
                         uint32_t count)
{
    Curia__Internal__V1__FollowReply reply = CURIA__INTERNAL__V1__FOLLOW_REPLY__INIT;
    raft_pb_entry *rows = cu_arena_alloc(rq->arena, (count + 1) * sizeof *rows);
    raft_pb_entry **list = cu_arena_alloc(rq->arena, (count + 1) * sizeof *list);
    struct raft_lineage lineage[RAFT_LINEAGE_MAX];
    if (!rows || !list) {
        cu_rq_fail(rq, CU_E_TOO_LARGE, "the request is too large");
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        raft_wire_entry(&entries[i], &rows[i]);
        list[i] = &rows[i];
    }
    reply.outcome = (Curia__Internal__V1__FollowOutcome)answer->outcome; /* same numbers */
    reply.n_entries = count;
    reply.entries = list;
    reply.upto = answer->upto;
    reply.floor = answer->floor;
    reply.cluster_id = raft_wire_id(&answer->cluster);
    if (answer->outcome == RAFT_FOLLOW_DIVERGED) {
        reply.n_lineage = raft_lineage(service->core, lineage);
        reply.lineage = raft_wire_lineage(rq->arena, lineage, (uint32_t)reply.n_lineage);
    }
    if (answer->outcome == RAFT_FOLLOW_COMPACTED && !raft_id_is_none(answer->prior)) {
        lineage[0] = (struct raft_lineage){.cluster = answer->prior, .last_index = answer->upto};
        reply.n_lineage = 1;
        reply.lineage = raft_wire_lineage(rq->arena, lineage, 1);
    }
    if (!raft_is_attached(service, rq))
        reply.attached_address = service->attached_address;
    cu_rq_reply(rq, &reply.base, 0);
}
_Static_assert(
    (int)RAFT_FOLLOW_NOTHING == (int)CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_NOTHING &&
        (int)RAFT_FOLLOW_ENTRIES == (int)CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_ENTRIES &&
        (int)RAFT_FOLLOW_COMPACTED == (int)CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_COMPACTED &&
        (int)RAFT_FOLLOW_DIVERGED == (int)CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_DIVERGED,
    "the core's outcomes are the wire's");

static void reply_entries(struct raft_call *call, const struct raft_follow_answer *answer)
{
    struct raft_service *service = call->service;
    uint32_t count = 0, max_bytes = call->follow.max_bytes;
    enum cu_err err = raft_read(service->core, answer->first, answer->last, max_bytes,
                                RAFT_FOLLOW_COUNT, service->batch, &count);
    struct cu_rq *rq = raft_call_close(call);
    if (err) {
        cu_rq_fail(rq, CU_E_INTERNAL, "the log cannot be read");
        service->options.failed(service->options.context, NULL);
        return;
    }
    reply_follow(service, rq, answer, service->batch, count);
    for (uint32_t i = 0; i < count; i++)
        raft_body_unref(service->batch[i].body);
}

/* Answers if there is something to say; returns whether it did. */
static bool try_follow(struct raft_call *call)
{
    struct raft_follow_answer answer = {0};
    raft_follow(call->service->core, call->follow.after, &answer);
    switch (answer.outcome) {
    case RAFT_FOLLOW_NOTHING:
        return false;
    case RAFT_FOLLOW_ENTRIES:
        reply_entries(call, &answer);
        break;
    case RAFT_FOLLOW_COMPACTED:
    case RAFT_FOLLOW_DIVERGED:
        reply_follow(call->service, raft_call_close(call), &answer, NULL, 0);
        break;
    }
    return true;
}

void raft_follow_expire(struct raft_call *call)
{
    struct raft_follow_answer answer = {0};
    raft_follow(call->service->core, call->follow.after, &answer);
    reply_follow(call->service, raft_call_close(call), &answer, NULL, 0);
}

void raft_follow_retry(struct raft_service *service)
{
    struct raft_call *next;
    for (struct raft_call *call = service->lists[RAFT_WAIT_FOLLOW]; call; call = next) {
        next = call->next;
        (void)try_follow(call); /* false: it goes on waiting */
    }
}

static void take_durable(struct raft_service *service, struct raft_position durable)
{
    if (!durable.index ||
        (durable.index == service->durable.index && durable.term == service->durable.term &&
         raft_id_equal(durable.cluster, service->durable.cluster)))
        return;
    service->durable = durable;
    raft_shell_step(service->shell,
                    &(struct raft_event){.kind = RAFT_EV_DURABLE, .durable = durable});
}

void raft_handle_follow(void *context, struct cu_rq *rq)
{
    struct raft_service *service = context;
    const Curia__Internal__V1__FollowRequest *in = (const void *)rq->in;
    struct raft_position after, durable;
    struct cu_diag diag = {{0}};
    cu_count(service->follows, 1);
    if (raft_wire_read_position(in->after, &after, &diag) ||
        raft_wire_read_position(in->durable, &durable, &diag)) {
        cu_rq_fail(rq, CU_E_INVALID, "%s", diag.text);
        return;
    }
    if (raft_is_attached(service, rq))
        take_durable(service, durable);
    struct raft_call *call = raft_call_open(service, rq);
    if (!call)
        return;
    call->follow.after = after;
    call->follow.max_bytes =
        in->max_bytes && in->max_bytes < RAFT_FOLLOW_BYTES ? in->max_bytes : RAFT_FOLLOW_BYTES;
    /* Room for the heads of a whole answer beside the request itself. */
    cu_arena_set_limit(rq->arena,
                       RAFT_FOLLOW_COUNT * (sizeof(raft_pb_entry) + 64) + RAFT_WIRE_ARENA_BYTES);
    if (try_follow(call))
        return;
    if (!in->wait_ms)
        raft_follow_expire(call);
    else
        raft_call_park(call, RAFT_WAIT_FOLLOW,
                       in->wait_ms < RAFT_FOLLOW_WAIT_MS ? in->wait_ms : RAFT_FOLLOW_WAIT_MS);
}
