/* status.c - Log.Status: where this raftd stands. */
#include <inttypes.h>
#include <stdio.h>

#include "common/base/num.h"
#include "services/raftd/io/wire.h"
#include "services/raftd/rpc/call.h"

static const char *address_of(const struct raft_service *service, struct raft_id id)
{
    return raft_id_equal(id, service->options.self) ? service->options.own_address
                                                    : raft_peers_address(service->peers, id);
}

static void fill_configuration(const struct raft_service *service, struct cu_arena *arena,
                               Curia__Internal__V1__LogStatusReply *reply)
{
    const struct raft_configuration *configuration = raft_configuration_latest(service->core);
    reply->configuration = raft_wire_configuration(arena, configuration);
    for (uint32_t i = 0; i < configuration->count; i++)
        reply->configuration->servers[i]->address =
            (char *)address_of(service, configuration->servers[i].id);
}

static char *promise_text(struct cu_arena *arena, const struct raft_promise *promise)
{
    char proposer[CU_UUID_BYTES], cluster[CU_UUID_BYTES];
    if (!promise->round)
        return "";
    return cu_arena_printf(arena, "round %" PRIu64 " of %s, cluster %s, %u servers", promise->round,
                           cu_format_uuid(promise->proposer.bytes, proposer),
                           cu_format_uuid(promise->cluster.bytes, cluster),
                           promise->configuration.count);
}

/* What the reference prints for "none" is an empty id, not one of zeros. */
static char *id_text(struct cu_arena *arena, struct raft_id id)
{
    char text[CU_UUID_BYTES];
    return raft_id_is_none(id) ? "" : cu_arena_strdup(arena, cu_format_uuid(id.bytes, text));
}

static char *recovery_text(struct cu_arena *arena, const struct raft_status *status)
{
    char cluster[CU_UUID_BYTES];
    (void)cu_format_uuid(status->cluster.bytes, cluster);
    if (status->is_aside)
        return cu_arena_printf(arena, "the log is set aside for a state of cluster %s", cluster);
    return status->is_recovering
               ? cu_arena_printf(arena, "goes on as cluster %s once a leader is elected", cluster)
               : "";
}

void raft_handle_status(void *context, struct cu_rq *rq)
{
    struct raft_service *service = context;
    Curia__Internal__V1__LogStatusReply reply = CURIA__INTERNAL__V1__LOG_STATUS_REPLY__INIT;
    struct raft_status status;
    struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
    raft_status(service->core, cu_loop_now(service->options.loop), &status);
    reply.role = (char *)raft_role_name(status.role);
    reply.term = status.term;
    reply.leader_id = id_text(arena, status.leader);
    reply.leader_address = (char *)address_of(service, status.leader);
    reply.last_index = status.last_index;
    reply.last_term = status.last_term;
    reply.commit_index = status.commit;
    reply.synced_index = status.synced;
    reply.floor = status.floor;
    reply.durable_index = status.durable;
    reply.last_contact_ms = status.last_contact_ms;
    reply.cluster_id = raft_wire_id(&status.cluster);
    fill_configuration(service, arena, &reply);
    reply.committed_configuration_index = status.committed_configuration_index;
    reply.node_id = (char *)service->options.node_id;
    reply.incarnation = status.incarnation;
    reply.attached_address = service->attached_address;
    if (status.is_refused)
        reply.refused = cu_arena_printf(
            arena,
            "the cluster knows %s with other data and ignores it until "
            "it is removed and added anew: on another server run `curia "
            "operator raft remove-peer -id=%s`, then `curia operator raft "
            "add-peer -id=%s`",
            service->options.node_id, service->options.node_id, service->options.node_id);
    reply.promise = promise_text(arena, &status.promise);
    reply.recovery = recovery_text(arena, &status);
    cu_rq_reply(rq, &reply.base, 0);
    cu_arena_free(arena);
}
