#include "services/raftd/rpc/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/rpc/client.h"
#include "services/raftd/rpc/call.h"

/* What one call may carry. The bus reserves a row's limit for each call in parts, so generous
 * limits would cost calls beside each other. */
enum {
    POSITION_BYTES = 4 * KIB,
    HEADER_BYTES = 16 * KIB,
    PROPOSE_BYTES = 3 * MIB, /* 1 MiB of proposals and one more entry of full size */
    FOLLOW_BYTES = 2 * MIB,  /* an entry of full size, or RAFT_FOLLOW_BYTES of bodies, with heads */
    STEP_BYTES = 2 * MIB,    /* likewise */
};

/* clang-format off */
static const struct cu_method log_methods[] = {
    /*        method     kind       route         caller           permission request         reply           handler */
    CU_METHOD(Attach,    CU_CALL,   ROUTE_ANY,    CALLER_READER,   NO_PERM,   HEADER_BYTES,   4 * KIB,        raft_handle_attach),
    CU_METHOD(Follow,    CU_FOLLOW, ROUTE_ANY,    CALLER_READER,   NO_PERM,   POSITION_BYTES, FOLLOW_BYTES,   raft_handle_follow),
    CU_METHOD(Propose,   CU_CALL,   ROUTE_LEADER, CALLER_SERVER,   NO_PERM,   PROPOSE_BYTES,  256 * KIB,      raft_handle_propose),
    CU_METHOD(ReadIndex, CU_CALL,   ROUTE_LEADER, CALLER_READER,   NO_PERM,   1 * KIB,        1 * KIB,        raft_handle_read_index),
    CU_METHOD(Hold,      CU_CALL,   ROUTE_ANY,    CALLER_CATALOGD, NO_PERM,   1 * KIB,        1 * KIB,        raft_handle_hold),
    CU_METHOD(Duty,      CU_FOLLOW, ROUTE_ANY,    CALLER_CATALOGD, NO_PERM,   1 * KIB,        1 * KIB,        raft_handle_duty),
    CU_METHOD(Status,    CU_CALL,   ROUTE_ANY,    CALLER_READER,   NO_PERM,   1 * KIB,        16 * KIB,       raft_handle_status),
    CU_METHOD(Recover,   CU_CALL,   ROUTE_ANY,    CALLER_CATALOGD, NO_PERM,   1 * KIB,        1 * KIB,        raft_handle_recover),
    CU_METHOD(ForgetPromise, CU_CALL, ROUTE_ANY,  CALLER_CATALOGD, NO_PERM,   1 * KIB,        1 * KIB,        raft_handle_forget_promise),
    CU_METHOD(AddServer, CU_CALL,   ROUTE_LEADER, CALLER_SERVER,   NO_PERM,   1 * KIB,        1 * KIB,        raft_handle_add_server),
    CU_METHOD(RemoveServer, CU_CALL, ROUTE_LEADER, CALLER_SERVER,  NO_PERM,   1 * KIB,        1 * KIB,        raft_handle_remove_server),
};

static const struct cu_method raft_methods[] = {
    CU_METHOD(Step,      CU_CALL,   ROUTE_ANY,    CALLER_SERVER,   NO_PERM,   STEP_BYTES,     16 * KIB,       raft_handle_step),
};
/* clang-format on */

static const struct cu_service log_service = {&curia__internal__v1__log__descriptor, log_methods,
                                              CU_COUNT(log_methods)};
static const struct cu_service raft_rpc_service = {&curia__internal__v1__raft__descriptor,
                                                   raft_methods, CU_COUNT(raft_methods)};

/* ---- hooks ---- */

/* The part of "ip:port" or "[ip]:port" before the port. */
static void ip_of(const char *address, char ip[64])
{
    const char *end = strrchr(address, ':');
    size_t len = end ? (size_t)(end - address) : strlen(address);
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    (void)snprintf(ip, 64, "%.*s", (int)(len < 63 ? len : 63), address);
}

/* Contracts 2.3: a local user by uid; without TLS a remote peer is what its address says. */
enum cu_caller raft_classify(void *context, const struct cu_peer *peer)
{
    const struct raft_service *service = context;
    char ip[64];
    if (peer->is_local)
        return peer->uid == 0 || peer->uid == getuid() || peer->uid == service->options.catalogd_uid
                   ? CALLER_CATALOGD
                   : CALLER_AGENT;
    ip_of(peer->address, ip);
    if (raft_peers_has_ip(service->peers, ip))
        return CALLER_SERVER;
    for (uint32_t i = 0; i < service->options.reader_count; i++)
        if (cu_network_has_text(&service->options.readers[i], ip))
            return CALLER_READER;
    return CALLER_AGENT;
}

static bool has_if_term(const struct cu_rq *rq)
{
    if (strcmp(rq->method->name, "Propose") != 0)
        return false;
    const Curia__Internal__V1__ProposeRequest *in = (const void *)rq->in;
    for (size_t i = 0; i < in->n_proposals; i++)
        if (in->proposals[i]->if_term)
            return true;
    return false;
}

/* What a duty proposes is for this raftd's own term and never forwarded (contracts 5.2). Without a
 * known leader the request stays here and is held. */
static enum cu_err route(void *context, const struct cu_rq *rq, enum cu_route route,
                         struct cu_client **ret_client, struct cu_diag *diag)
{
    struct raft_service *service = context;
    (void)diag; /* no route fails: a request without a leader waits in its handler */
    *ret_client = NULL;
    if (route != ROUTE_LEADER || has_if_term(rq))
        return CU_OK;
    struct raft_status status;
    raft_status(service->core, cu_loop_now(service->options.loop), &status);
    if (status.role == RAFT_LEADER || raft_id_is_none(status.leader))
        return CU_OK;
    struct cu_client *client = raft_peers_client(service->peers, status.leader);
    if (client && cu_client_is_up(client))
        *ret_client = client;
    return CU_OK;
}

static void peer_gone(void *context, const struct cu_peer *peer)
{
    struct raft_service *service = context;
    if (service->attached != peer)
        return;
    service->attached = NULL;
    service->attached_address[0] = '\0';
    raft_shell_step(service->shell, &(struct raft_event){.kind = RAFT_EV_DETACH});
}

bool raft_is_attached(const struct raft_service *service, const struct cu_rq *rq)
{
    return rq->peer && rq->peer == service->attached;
}

/* ---- time ---- */

static void expire(struct raft_call *call)
{
    switch (call->wait) {
    case RAFT_WAIT_FOLLOW:
        raft_follow_expire(call);
        break;
    case RAFT_WAIT_DUTY:
        raft_duty_expire(call);
        break;
    case RAFT_WAIT_LEADER:
        cu_rq_fail(raft_call_close(call), CU_E_NO_LEADER, "No cluster leader");
        break;
    case RAFT_WAIT_CORE:
    case RAFT_WAIT_FORWARD:
    case RAFT_WAIT_COUNT:
        CU_ASSERT(!"such a call has no end of its own");
    }
}

static void on_timer(void *arg)
{
    struct raft_service *service = arg;
    struct cu_mono now = cu_loop_now(service->options.loop), first = CU_MONO_NEVER;
    for (int wait = 0; wait < RAFT_WAIT_COUNT; wait++) {
        struct raft_call *next;
        for (struct raft_call *call = service->lists[wait]; call; call = next) {
            next = call->next;
            if (cu_mono_before(now, call->until))
                first = cu_mono_min(first, call->until);
            else
                expire(call);
        }
    }
    service->timer_at = first;
    if (cu_mono_before(first, CU_MONO_NEVER))
        cu_timer_set_at(&service->timer, service->options.loop, first);
}

/* ---- what moved ---- */

/* A raftd that stands under an earlier id is let in, to be told (contracts 1.5, 3.10). */
static void say_cluster(struct raft_service *service)
{
    struct raft_lineage lineage[RAFT_LINEAGE_MAX];
    uint8_t priors[RAFT_LINEAGE_MAX][16];
    uint32_t count = raft_lineage(service->core, lineage);
    for (uint32_t i = 0; i < count; i++)
        memcpy(priors[i], lineage[i].cluster.bytes, sizeof priors[i]);
    cu_rpc_set_prior_ids(service->options.rpc, priors, count);
    cu_rpc_set_cluster_id(service->options.rpc, service->seen.cluster.bytes, true);
}

void raft_service_moved(struct raft_service *service)
{
    struct raft_status old = service->seen;
    raft_status(service->core, cu_loop_now(service->options.loop), &service->seen);
    for (int why = 0; why < RAFT_IGN_COUNT; why++)
        cu_count(service->ignored[why], service->seen.ignored[why] - old.ignored[why]);
    if (!raft_id_equal(old.cluster, service->seen.cluster))
        say_cluster(service);
    if (service->lists[RAFT_WAIT_FOLLOW])
        raft_follow_retry(service);
    if (service->lists[RAFT_WAIT_DUTY])
        raft_duty_retry(service);
    if (service->lists[RAFT_WAIT_LEADER] &&
        (service->seen.role == RAFT_LEADER || !raft_id_is_none(service->seen.leader)))
        raft_calls_release(service);
}

/* ---- life ---- */

static void add_metrics(struct raft_service *service)
{
    struct cu_metrics *metrics = service->options.metrics;
    static const char *const names[] = {
        [RAFT_HEARD] = "raft.heard",
        [RAFT_IGN_CLUSTER] = "raft.ignored.cluster",
        [RAFT_IGN_INCARNATION] = "raft.ignored.incarnation",
        [RAFT_IGN_NOT_MEMBER] = "raft.ignored.not_member",
        [RAFT_IGN_STALE] = "raft.ignored.stale",
        [RAFT_IGN_MALFORMED] = "raft.ignored.malformed",
    };
    _Static_assert(CU_COUNT(names) == RAFT_IGN_COUNT, "a counter for each reason");
    for (int i = 0; i < RAFT_IGN_COUNT; i++)
        service->ignored[i] = cu_metrics_counter(metrics, names[i]);
    service->malformed = cu_metrics_counter(metrics, "raft.step.malformed");
    service->follows = cu_metrics_counter(metrics, "raft.follow");
    service->held = cu_metrics_counter(metrics, "raft.held");
}

struct raft_service *raft_service_new(const struct raft_service_options *options)
{
    struct raft_service *service = cu_alloc(sizeof *service);
    service->options = *options;
    service->timer_at = CU_MONO_NEVER;
    service->batch = cu_alloc(RAFT_FOLLOW_COUNT * sizeof *service->batch);
    cu_timer_init(&service->timer, options->loop, on_timer, service);
    add_metrics(service);
    cu_rpc_add_service(options->rpc, &log_service, service);
    cu_rpc_add_service(options->rpc, &raft_rpc_service, service);
    return service;
}

void raft_service_bind(struct raft_service *service, struct raft_shell *shell,
                       struct raft_peers *peers)
{
    service->shell = shell;
    service->peers = peers;
    service->core = raft_shell_core(shell);
    cu_rpc_set_hooks(service->options.rpc, &(struct cu_rpc_hooks){.context = service,
                                                                  .classify = raft_classify,
                                                                  .route = route,
                                                                  .peer_gone = peer_gone});
    raft_service_moved(service);
}

/* It may be in a log already, here or at the leader's: "not ready" would have it proposed anew. */
static bool is_open_proposal(const struct raft_call *call)
{
    return (call->wait == RAFT_WAIT_CORE || call->wait == RAFT_WAIT_FORWARD) &&
           strcmp(call->rq->method->name, "Propose") == 0;
}

void raft_service_free(struct raft_service *service)
{
    if (!service)
        return;
    cu_rpc_set_hooks(service->options.rpc, &(struct cu_rpc_hooks){0});
    for (int wait = 0; wait < RAFT_WAIT_COUNT; wait++)
        while (service->lists[wait]) {
            struct raft_call *call = service->lists[wait];
            if (wait == RAFT_WAIT_FORWARD)
                cu_call_cancel(call->forward);
            enum cu_err err = is_open_proposal(call) ? CU_E_UNKNOWN : CU_E_NOT_READY;
            cu_rq_fail(raft_call_close(call), err, "raftd is stopping");
        }
    cu_timer_close(&service->timer);
    cu_map_deinit(&service->calls);
    free(service->batch);
    free(service);
}
