#include "services/gossipd/rpc/service.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "services/gossipd/rpc/call.h"

enum { LIST_BYTES = 16 * MIB, FOLLOW_BYTES = 1 * MIB };

/* clang-format off */
static const struct cu_method methods[] = {
    /*        method      kind       route      caller        permission request    reply         handler */
    CU_METHOD(List,       CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM,   1 * KIB,   LIST_BYTES,   gossip_handle_list),
    CU_METHOD(Follow,     CU_FOLLOW, ROUTE_ANY, CALLER_AGENT, NO_PERM,   1 * KIB,   FOLLOW_BYTES, gossip_handle_follow),
    CU_METHOD(Join,       CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM,   16 * KIB,  256 * KIB,    gossip_handle_join),
    CU_METHOD(Leave,      CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM,   1 * KIB,   1 * KIB,      gossip_handle_leave),
    CU_METHOD(ForceLeave, CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM,   1 * KIB,   1 * KIB,      gossip_handle_force_leave),
    CU_METHOD(SetTags,    CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM,   4 * KIB,   1 * KIB,      gossip_handle_set_tags),
    CU_METHOD(Stats,      CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM,   1 * KIB,   4 * KIB,      gossip_handle_stats),
};
/* clang-format on */

static const struct cu_service members_service = {&curia__internal__v1__members__descriptor,
                                                  methods, CU_COUNT(methods)};

/* ---- calls that wait ---- */

static void unlink_call(struct gossip_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        *call->list = call->next;
    if (call->next)
        call->next->prev = call->prev;
}

static void call_free(struct gossip_call *call)
{
    unlink_call(call);
    cu_timer_close(&call->timer);
    free(call);
}

/* A command that was given goes on, as it would for a caller who is still there; the names of a
 * join may still be looked up, so such a call stays and knows that nobody waits. */
static void on_gone(void *arg)
{
    struct gossip_call *call = arg;
    call->rq = NULL;
    if (call->list == &call->service->follows || call->tag) {
        gossip_shell_forget(call->service->options.shell, call->tag);
        call_free(call);
    }
}

static void on_time(void *arg)
{
    struct gossip_call *call = arg;
    call->service->was_complete = gossip_is_complete(call->service->core);
    gossip_follow_expire(call);
}

struct gossip_call *gossip_call_open(struct gossip_call **list, struct gossip_service *service,
                                     struct cu_rq *rq)
{
    struct gossip_call *call = cu_alloc(sizeof *call);
    *call = (struct gossip_call){.service = service, .rq = rq, .list = list, .next = *list};
    if (*list)
        (*list)->prev = call;
    *list = call;
    cu_timer_init(&call->timer, service->options.loop, on_time, call);
    cu_rq_on_gone(rq, on_gone, call);
    return call;
}

struct cu_rq *gossip_call_close(struct gossip_call *call)
{
    struct cu_rq *rq = call->rq;
    if (rq)
        cu_rq_on_gone(rq, NULL, NULL);
    call_free(call);
    return rq;
}

/* ---- life ---- */

struct gossip_service *gossip_service_new(const struct gossip_service_options *options)
{
    struct gossip_service *service = cu_alloc(sizeof *service);
    service->options = *options;
    service->core = gossip_shell_core(options->shell);
    cu_random_bytes(service->feed_id, sizeof service->feed_id);
    cu_rpc_add_service(options->rpc, &members_service, service);
    return service;
}

static void fail_all(struct gossip_call **list)
{
    while (*list) {
        struct cu_rq *rq = gossip_call_close(*list);
        if (rq)
            cu_rq_fail(rq, CU_E_NOT_READY, "gossipd is stopping");
    }
}

void gossip_service_free(struct gossip_service *service)
{
    if (!service)
        return;
    for (struct gossip_call *call = service->commands; call; call = call->next)
        gossip_shell_forget(service->options.shell, call->tag);
    fail_all(&service->follows);
    fail_all(&service->commands);
    free(service);
}

void gossip_service_moved(struct gossip_service *service)
{
    if (service)
        gossip_follow_retry(service);
}
