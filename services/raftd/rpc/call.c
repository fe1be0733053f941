#include "services/raftd/rpc/call.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/rpc/client.h"
#include "services/raftd/io/wire.h"

/* ---- lists ---- */

static void unlink_call(struct raft_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        call->service->lists[call->wait] = call->next;
    if (call->next)
        call->next->prev = call->prev;
    call->prev = call->next = NULL;
}

static void link_call(struct raft_call *call, enum raft_wait wait)
{
    struct raft_call **head = &call->service->lists[wait];
    call->wait = wait;
    call->next = *head;
    if (*head)
        (*head)->prev = call;
    *head = call;
}

static void on_gone(void *arg)
{
    struct raft_call *call = arg;
    if (call->wait == RAFT_WAIT_FORWARD)
        cu_call_cancel(call->forward);
    unlink_call(call);
    cu_map_del_u64(&call->service->calls, call->tag);
}

struct raft_call *raft_call_open(struct raft_service *service, struct cu_rq *rq)
{
    struct raft_call *call = cu_arena_alloc(rq->arena, sizeof *call);
    if (!call) {
        cu_rq_fail(rq, CU_E_TOO_LARGE, "the request is too large");
        return NULL;
    }
    *call = (struct raft_call){.service = service, .rq = rq, .until = CU_MONO_NEVER};
    call->tag = ++service->last_tag;
    (void)cu_map_put_u64(&service->calls, call->tag, call); /* tags are new */
    link_call(call, RAFT_WAIT_CORE);
    cu_rq_on_gone(rq, on_gone, call);
    return call;
}

struct cu_rq *raft_call_close(struct raft_call *call)
{
    unlink_call(call);
    cu_map_del_u64(&call->service->calls, call->tag);
    cu_rq_on_gone(call->rq, NULL, NULL);
    return call->rq;
}

struct raft_call *raft_call_find(struct raft_service *service, uint64_t tag)
{
    return cu_map_get_u64(&service->calls, tag);
}

/* One timer for all: few calls wait at a time, and most are woken. */
void raft_call_park(struct raft_call *call, enum raft_wait wait, uint64_t wait_ms)
{
    struct raft_service *service = call->service;
    struct cu_loop *loop = service->options.loop;
    unlink_call(call);
    link_call(call, wait);
    call->until = wait_ms ? cu_mono_add_ms(cu_loop_now(loop), wait_ms) : CU_MONO_NEVER;
    if (!cu_mono_before(call->until, service->timer_at))
        return;
    service->timer_at = call->until;
    cu_timer_set_at(&service->timer, loop, call->until);
}

/* ---- without a leader ---- */

static void again(struct raft_call *call)
{
    static const struct {
        const char *method;
        void (*run)(struct raft_call *call);
    } rows[] = {
        {"ReadIndex", raft_read_again},
        {"AddServer", raft_change_again},
        {"RemoveServer", raft_change_again},
    };
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        if (!strcmp(call->rq->method->name, rows[i].method)) {
            rows[i].run(call);
            return;
        }
    }
    raft_propose_again(call);
}

static const char *leader_text(const struct raft_service *service)
{
    const char *address = raft_peers_address(service->peers, service->seen.leader);
    return *address ? address : "not known";
}

void raft_call_hold_or_fail(struct raft_call *call)
{
    if (call->rq->hops) /* whoever forwarded it waits and asks again */
        cu_rq_fail(raft_call_close(call), CU_E_NO_LEADER, "this raftd does not lead; leader: %s",
                   leader_text(call->service));
    else
        raft_call_hold(call);
}

void raft_call_hold(struct raft_call *call)
{
    cu_count(call->service->held, 1);
    raft_call_park(call, RAFT_WAIT_LEADER, RAFT_HOLD_MS);
}

static void on_forwarded(void *arg, const struct cu_answer *answer)
{
    struct cu_rq *rq = raft_call_close(arg);
    if (answer->err == CU_E_DISCONNECTED) /* our caller's own connection is well */
        cu_rq_fail(rq, answer->sent ? CU_E_UNKNOWN : CU_E_NOT_READY,
                   "the connection to the leader closed");
    else if (answer->err)
        cu_rq_fail(rq, answer->err, "%s", answer->text);
    else
        cu_rq_reply_packed(rq, answer->body, answer->index);
}

static void forward(struct raft_call *call, struct cu_client *client)
{
    const struct cu_rq *rq = call->rq;
    uint64_t left_ms = cu_mono_ms_between(cu_loop_now(call->service->options.loop), rq->deadline);
    raft_call_park(call, RAFT_WAIT_FORWARD, 0);
    call->forward = cu_client_call(client,
                                   &(struct cu_call_spec){
                                       .service = rq->service->descriptor,
                                       .method = rq->method->name,
                                       .in = rq->in,
                                       .timeout_ms = left_ms ? (uint32_t)left_ms : 1,
                                       .token = rq->token,
                                       .datacenter = rq->datacenter,
                                       .hops = rq->hops + 1,
                                       .trace_id = rq->trace_id,
                                       .request_id = rq->request_id,
                                       .origin = rq->origin,
                                       .raw = true,
                                   },
                                   on_forwarded, call);
}

void raft_calls_release(struct raft_service *service)
{
    bool leads = service->seen.role == RAFT_LEADER;
    struct cu_client *client =
        leads ? NULL : raft_peers_client(service->peers, service->seen.leader);
    if (client && !cu_client_is_up(client)) /* a dead leader is not known to be dead at once */
        client = NULL;
    struct raft_call *next;
    for (struct raft_call *call = service->lists[RAFT_WAIT_LEADER]; call; call = next) {
        next = call->next;
        if (leads)
            again(call);
        else if (client && !call->rq->hops)
            forward(call, client);
    }
}
