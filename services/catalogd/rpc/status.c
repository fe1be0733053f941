/* Status: where the cluster stands, as this server's raftd sees it (http-api 2.11, 2.18). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/members/members.h"
#include "proto/curia/v1/status.pb-c.h"
#include "services/catalogd/io/gossip.h"
#include "services/catalogd/rpc/table.h"

enum { STATUS_TIMEOUT_MS = 3000, NAMES_TIMEOUT_MS = 1000, REMOVE_TIMEOUT_MS = 20000 };

/* What gossip calls the server with an id; both in the request's arena. */
struct server_name {
    char *id, *name;
};

struct server_names {
    struct server_name *items;
    size_t count;
};

typedef void answer_fn(struct catalog_shell *shell, struct cu_rq *rq,
                       const Curia__Internal__V1__LogStatusReply *status,
                       const struct server_names *names);

/* A request that waits for what raftd says, perhaps first for what gossipd says. */
struct asking {
    struct catalog_shell *shell;
    struct cu_rq *rq; /* NULL: gone */
    answer_fn *answer;
    struct server_names names;
};

static void on_status(void *arg, const struct cu_answer *answer)
{
    struct asking *asking = arg;
    if (!asking->rq)
        (void)0; /* nobody waits any more */
    else if (answer->err)
        cu_rq_fail(asking->rq, CU_E_NOT_READY, "raftd does not answer: %s", answer->text);
    else
        asking->answer(asking->shell, asking->rq, (const void *)answer->message, &asking->names);
    free(asking);
}

static void gone(void *arg)
{
    struct asking *asking = arg;
    asking->rq = NULL;
}

static struct asking *begin(struct catalog_shell *shell, struct cu_rq *rq, answer_fn *answer)
{
    struct asking *asking = cu_alloc(sizeof(*asking));
    *asking = (struct asking){.shell = shell, .rq = rq, .answer = answer};
    cu_rq_on_gone(rq, gone, asking);
    return asking;
}

static void ask_raftd(struct asking *asking)
{
    Curia__Internal__V1__LogStatusRequest in = CURIA__INTERNAL__V1__LOG_STATUS_REQUEST__INIT;
    if (!asking->shell->raftd) { /* while that goes, gossipd's answers end, too */
        cu_rq_fail(asking->rq, CU_E_NOT_READY, "the catalog is being stopped");
        free(asking);
        return;
    }
    (void)cu_client_call(asking->shell->raftd,
                         &(struct cu_call_spec){.service = &curia__internal__v1__log__descriptor,
                                                .method = "Status",
                                                .in = &in.base,
                                                .timeout_ms = STATUS_TIMEOUT_MS},
                         on_status, asking);
}

static void ask(struct catalog_shell *shell, struct cu_rq *rq, answer_fn *answer)
{
    ask_raftd(begin(shell, rq, answer));
}

/* ---- names ---- */

static void keep_names(struct asking *asking, const Curia__Internal__V1__MembersListReply *members)
{
    struct cu_arena *arena = asking->rq->arena;
    struct server_names *names = &asking->names;
    names->items = cu_arena_alloc(arena, (members->n_members + 1) * sizeof(*names->items));
    for (size_t i = 0; names->items && i < members->n_members; i++) {
        const Curia__Internal__V1__Member *member = members->members[i];
        if (!cu_member_is_server(member, NULL))
            continue;
        struct server_name name = {cu_arena_strdup(arena, cu_member_tag(member, "id")),
                                   cu_arena_strdup(arena, member->name)};
        if (name.id && name.name)
            names->items[names->count++] = name;
    }
}

/* Without an answer of gossipd the others have no names; that is no reason to fail. */
static void on_names(void *arg, const struct cu_answer *answer)
{
    struct asking *asking = arg;
    if (!asking->rq) {
        free(asking);
        return;
    }
    if (!answer->err)
        keep_names(asking, (const void *)answer->message);
    ask_raftd(asking);
}

static const char *name_of(const struct server_names *names, const char *id)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i].id, id) == 0)
            return names->items[i].name;
    return "(unknown)";
}

/* The catalogd's address of a server, in the request's arena; "" when there is none. */
static char *address_of(struct catalog_shell *shell, struct cu_rq *rq, const char *id,
                        const char *raft_address)
{
    char *address = catalog_conf_address_of(&shell->conf, id, raft_address);
    char *kept = cu_arena_strdup(rq->arena, address);
    free(address);
    return kept ? kept : "";
}

/* ---- Leader ---- */

static void answer_leader(struct catalog_shell *shell, struct cu_rq *rq,
                          const Curia__Internal__V1__LogStatusReply *status,
                          const struct server_names *names)
{
    (void)names;
    Curia__V1__LeaderReply reply = CURIA__V1__LEADER_REPLY__INIT;
    if (status->leader_id[0] != '\0') {
        reply.id = status->leader_id;
        reply.address = address_of(shell, rq, status->leader_id, status->leader_address);
    }
    cu_rq_reply(rq, &reply.base, 0);
}

static void leader(void *daemon, struct cu_rq *rq)
{
    ask(daemon, rq, answer_leader);
}

/* ---- Peers ---- */

static void answer_peers(struct catalog_shell *shell, struct cu_rq *rq,
                         const Curia__Internal__V1__LogStatusReply *status,
                         const struct server_names *names)
{
    (void)names;
    Curia__V1__PeersReply reply = CURIA__V1__PEERS_REPLY__INIT;
    size_t count = status->configuration ? status->configuration->n_servers : 0;
    reply.addresses = cu_arena_alloc(rq->arena, (count + 1) * sizeof(*reply.addresses));
    for (size_t i = 0; reply.addresses && i < count; i++) {
        const Curia__Internal__V1__Server *server = status->configuration->servers[i];
        reply.addresses[reply.n_addresses++] = address_of(shell, rq, server->id, server->address);
    }
    cu_rq_reply(rq, &reply.base, 0);
}

static void peers(void *daemon, struct cu_rq *rq)
{
    ask(daemon, rq, answer_peers);
}

/* ---- RaftConfiguration ---- */

static void fill_server(struct catalog_shell *shell, struct cu_rq *rq,
                        const Curia__Internal__V1__LogStatusReply *status,
                        const struct server_names *names, const Curia__Internal__V1__Server *server,
                        Curia__V1__RaftServer *line)
{
    curia__v1__raft_server__init(line);
    bool is_self = strcmp(server->id, status->node_id) == 0 && shell->conf.follow[0] == '\0';
    line->id = server->id;
    line->node = (char *)(uintptr_t)(is_self ? shell->env->node_name : name_of(names, server->id));
    line->address = address_of(shell, rq, server->id, server->address);
    line->leader = strcmp(server->id, status->leader_id) == 0;
    line->protocol_version = "3";
    line->voter = server->voter;
}

static void answer_configuration(struct catalog_shell *shell, struct cu_rq *rq,
                                 const Curia__Internal__V1__LogStatusReply *status,
                                 const struct server_names *names)
{
    const Curia__V1__RaftConfigurationRequest *in = (const void *)rq->in;
    Curia__V1__RaftConfigurationReply reply = CURIA__V1__RAFT_CONFIGURATION_REPLY__INIT;
    if (in->consistency != CURIA__V1__CONSISTENCY__CONSISTENCY_STALE &&
        status->leader_id[0] == '\0') {
        cu_rq_fail(rq, CU_E_NO_LEADER, "No cluster leader"); /* what is known here needs ?stale */
        return;
    }
    size_t count = status->configuration ? status->configuration->n_servers : 0;
    reply.servers = cu_arena_alloc(rq->arena, (count + 1) * sizeof(*reply.servers));
    for (size_t i = 0; reply.servers && i < count; i++) {
        Curia__V1__RaftServer *line = cu_arena_alloc(rq->arena, sizeof(*line));
        if (!line)
            break;
        fill_server(shell, rq, status, names, status->configuration->servers[i], line);
        reply.servers[reply.n_servers++] = line;
    }
    reply.index = status->committed_configuration_index;
    cu_rq_reply(rq, &reply.base, 0);
}

static void raft_configuration(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    static const Curia__Internal__V1__MembersListRequest list =
        CURIA__INTERNAL__V1__MEMBERS_LIST_REQUEST__INIT;
    (void)catalog_gossip_call(shell->gossip, "List", &list.base, NAMES_TIMEOUT_MS, on_names,
                              begin(shell, rq, answer_configuration));
}

/* ---- Stats ---- */

static void answer_stats(struct catalog_shell *shell, struct cu_rq *rq,
                         const Curia__Internal__V1__LogStatusReply *status,
                         const struct server_names *names)
{
    (void)names;
    struct catalog_replica_status replica;
    catalog_replica_status(shell->replica, &replica);
    size_t servers = status->configuration ? status->configuration->n_servers : 0;
    Curia__V1__StatsReply reply = CURIA__V1__STATS_REPLY__INIT;
    reply.applied_index = replica.applied.index;
    reply.durable_index = replica.durable.index;
    reply.commit_index = status->commit_index;
    reply.last_log_index = status->last_index;
    reply.last_log_term = status->last_term;
    reply.term = status->term;
    reply.role = status->role;
    reply.last_contact_ms = status->last_contact_ms;
    if (status->leader_id[0] != '\0')
        reply.leader_address = address_of(shell, rq, status->leader_id, status->leader_address);
    reply.num_peers = servers > 0 ? (uint32_t)servers - 1 : 0;
    reply.cluster_id = status->cluster_id;
    reply.epoch = catalog_shell_facts(shell)->epoch;
    cu_rq_reply(rq, &reply.base, 0);
}

static void stats(void *daemon, struct cu_rq *rq)
{
    ask(daemon, rq, answer_stats);
}

/* ---- RemovePeer ---- */

static void on_removed(void *arg, const struct cu_answer *answer)
{
    struct asking *asking = arg;
    Curia__V1__RemovePeerReply reply = CURIA__V1__REMOVE_PEER_REPLY__INIT;
    if (asking->rq && answer->err) {
        cu_rq_fail(asking->rq, answer->err, "%s", answer->text);
    } else if (asking->rq) {
        reply.configuration_index =
            ((const Curia__Internal__V1__RemoveServerReply *)answer->message)->configuration_index;
        cu_rq_reply(asking->rq, &reply.base, 0);
    }
    free(asking);
}

static void remove_server(struct catalog_shell *shell, struct cu_rq *rq, char *id)
{
    Curia__Internal__V1__RemoveServerRequest in = CURIA__INTERNAL__V1__REMOVE_SERVER_REQUEST__INIT;
    in.server_id = id;
    (void)cu_client_call(shell->raftd,
                         &(struct cu_call_spec){.service = &curia__internal__v1__log__descriptor,
                                                .method = "RemoveServer",
                                                .in = &in.base,
                                                .timeout_ms = REMOVE_TIMEOUT_MS},
                         on_removed, begin(shell, rq, NULL));
}

static void answer_remove(struct catalog_shell *shell, struct cu_rq *rq,
                          const Curia__Internal__V1__LogStatusReply *status,
                          const struct server_names *names)
{
    const Curia__V1__RemovePeerRequest *in = (const void *)rq->in;
    size_t count = status->configuration ? status->configuration->n_servers : 0;
    bool by_id = in->id[0] != '\0';
    (void)names;
    for (size_t i = 0; i < count; i++) {
        const Curia__Internal__V1__Server *server = status->configuration->servers[i];
        const char *address = address_of(shell, rq, server->id, server->address);
        if (strcmp(by_id ? server->id : address, by_id ? in->id : in->address) == 0) {
            remove_server(shell, rq, server->id);
            return;
        }
    }
    cu_rq_fail(rq, CU_E_INVALID, "%s \"%.100s\" was not found in the Raft configuration",
               by_id ? "id" : "address", by_id ? in->id : in->address);
}

static void remove_peer(void *daemon, struct cu_rq *rq)
{
    ask(daemon, rq, answer_remove);
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method             kind     route      caller        permission                  request  reply     handler */
    CU_METHOD(Leader,            CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM,                    1 * KIB, 4 * KIB,  leader),
    CU_METHOD(Peers,             CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM,                    1 * KIB, 16 * KIB, peers),
    CU_METHOD(RaftConfiguration, CU_CALL, ROUTE_ANY, CALLER_AGENT, PERM(OPERATOR_READ, NULL),  1 * KIB, 64 * KIB, raft_configuration),
    CU_METHOD(Stats,             CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM,                    1 * KIB, 16 * KIB, stats),
    CU_METHOD(RemovePeer,        CU_CALL, ROUTE_ANY, CALLER_AGENT, PERM(OPERATOR_WRITE, NULL), 1 * KIB, 1 * KIB,  remove_peer),
};
/* clang-format on */

const struct cu_service catalog_status_service = {&curia__v1__status__descriptor, methods,
                                                  CU_COUNT(methods)};
