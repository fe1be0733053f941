#include "services/raftd/io/notes.h"

#include <inttypes.h>

#include "common/base/assert.h"
#include "common/base/num.h"

void raft_notes_init(struct raft_notes *notes, struct cu_log *log, struct cu_metrics *metrics,
                     const char *node_id)
{
    *notes = (struct raft_notes){.log = log, .node_id = node_id};
    notes->roles[RAFT_FOLLOWER] = cu_metrics_counter(metrics, "raft.state.follower");
    notes->roles[RAFT_PRECANDIDATE] = cu_metrics_counter(metrics, "raft.state.precandidate");
    notes->roles[RAFT_CANDIDATE] = cu_metrics_counter(metrics, "raft.state.candidate");
    notes->roles[RAFT_LEADER] = cu_metrics_counter(metrics, "raft.state.leader");
    notes->transfers = cu_metrics_counter(metrics, "raft.transfer");
    notes->leases_lost = cu_metrics_counter(metrics, "raft.transition.leader_lease_timeout");
    notes->refused = cu_metrics_counter(metrics, "raft.refused");
}

/* A candidate tries again and again where nobody answers: that is a peer's doing, so limited. */
static void note_role(struct raft_notes *notes, const struct raft_action *action)
{
    enum raft_role role = action->note.role;
    cu_count(notes->roles[role], 1);
    if (role == RAFT_LEADER)
        cu_info(notes->log, "raft.role", "role=leader term=%" PRIu64, action->note.index);
    else
        cu_log_limited(notes->log, &notes->limits[RAFT_NOTE_ROLE], CU_LOG_INFO, "raft.role",
                       "role=%s%s term=%" PRIu64, role == RAFT_PRECANDIDATE ? "pre-" : "",
                       raft_role_name(role), action->note.index);
}

void raft_notes_write(struct raft_notes *notes, const struct raft_action *action,
                      const char *address)
{
    char peer[CU_UUID_BYTES], cluster[CU_UUID_BYTES];
    struct cu_log *log = notes->log;
    enum raft_note note = action->note.note;
    struct cu_log_limit *limit = &notes->limits[note];
    uint64_t index = action->note.index;
    (void)cu_format_uuid(action->note.peer.bytes, peer);
    (void)cu_format_uuid(action->note.cluster.bytes, cluster);
    switch (note) {
    case RAFT_NOTE_ROLE:
        note_role(notes, action);
        break;
    case RAFT_NOTE_LEADER:
        if (raft_id_is_none(action->note.peer))
            cu_info(log, "raft.leader", "leader=none");
        else
            cu_info(log, "raft.leader", "leader=%s address=%s", peer, address);
        break;
    case RAFT_NOTE_REFUSED:
        cu_count(notes->refused, 1);
        cu_log_limited(
            log, limit, CU_LOG_ERROR, "raft.refused",
            "id=%s advice=\"the cluster knows this server with other data and ignores it until it "
            "is removed and added anew: on another server run `curia operator raft remove-peer "
            "-id=%s`, then `curia operator raft add-peer -id=%s`\"",
            notes->node_id, notes->node_id, notes->node_id);
        break;
    case RAFT_NOTE_REFUSES:
        cu_count(notes->refused, 1);
        cu_log_limited(log, limit, CU_LOG_WARN, "raft.refuses",
                       "id=%s address=%s advice=\"this server came back without its data and is "
                       "ignored until it is removed and added anew: run `curia operator raft "
                       "remove-peer -id=%s`, then `curia operator raft add-peer -id=%s`\"",
                       peer, address, peer, peer);
        break;
    case RAFT_NOTE_OTHER_CLUSTER:
        cu_log_limited(log, limit, CU_LOG_WARN, "raft.other_cluster",
                       "id=%s address=%s cluster=%s advice=\"it belongs to another cluster and is "
                       "ignored\"",
                       peer, address, cluster);
        break;
    case RAFT_NOTE_NO_PEERS:
        cu_log_limited(
            log, limit, CU_LOG_WARN, "raft.no_peers",
            "advice=\"no known peers, aborting election: this server waits until as many "
            "servers as bootstrap_expect says know each other by retry_join (or by "
            "raftd.peers), or until a cluster adds it\"");
        break;
    case RAFT_NOTE_OUTSIDER:
        cu_warn(log, "raft.outsider",
                "id=%s servers=%" PRIu64 " first=%s advice=\"there is no leader, and this server "
                "may not become one: its log knows other servers, not this id. If the id has "
                "changed, by node_id or DATA_DIR/node-id, bring it back; if this server was "
                "removed, it is added by `curia operator raft add-peer -id=%s` on another one\"",
                notes->node_id, index, peer, notes->node_id);
        break;
    case RAFT_NOTE_PROMISED:
        cu_info(log, "raft.promised", "proposer=%s cluster=%s", peer, cluster);
        break;
    case RAFT_NOTE_GAVE_UP:
        cu_log_limited(log, limit, CU_LOG_WARN, "raft.gave_up", "cluster=%s", cluster);
        break;
    case RAFT_NOTE_BOOTSTRAPPED:
        cu_info(log, "raft.bootstrapped", "cluster=%s", cluster);
        break;
    case RAFT_NOTE_ADOPTED:
        cu_info(log, "raft.adopted", "cluster=%s index=%" PRIu64, cluster, index);
        break;
    case RAFT_NOTE_NEED_STATE:
        cu_log_limited(log, limit, CU_LOG_INFO, "raft.need_state",
                       "id=%s address=%s floor=%" PRIu64, peer, address, index);
        break;
    case RAFT_NOTE_TRANSFER:
        cu_count(notes->transfers, 1);
        cu_info(log, "raft.transfer", "to=%s address=%s", peer, address);
        break;
    case RAFT_NOTE_LEASE_LOST:
        cu_count(notes->leases_lost, 1);
        cu_warn(log, "raft.lease_lost", "term=%" PRIu64, index);
        break;
    case RAFT_NOTE_RECOVERY:
        cu_warn(log, "raft.recovery",
                "cluster=%s last=%" PRIu64 " advice=\"this server goes on under a new cluster id; "
                "what only the lost servers held is lost\"",
                cluster, index);
        break;
    case RAFT_NOTE_RECOVERED:
        cu_info(log, "raft.recovered", "cluster=%s index=%" PRIu64, cluster, index);
        break;
    case RAFT_NOTE_SET_ASIDE:
        cu_warn(
            log, "raft.set_aside",
            "cluster=%s leader=%s address=%s last=%" PRIu64 " advice=\"the cluster was recovered "
            "without this server's log: it gives way, the state is fetched from the others, and "
            "the old one is kept as catalog/state.db.CLUSTER until the next checkpoint\"",
            cluster, peer, address, index);
        break;
    case RAFT_NOTE_BELOW_FLOOR:
        cu_warn(
            log, "raft.below_floor",
            "floor=%" PRIu64 " advice=\"there is no leader, and this server may not help to "
            "elect one: its state is gone or ends before its log begins, and it waits for "
            "another server's. If most servers lost theirs at once they wait for each other: on "
            "the server with the newest state that is left run `curia operator raft recover`, or "
            "put raft/peers.json there to name the others, too\"",
            index);
        break;
    case RAFT_NOTE_STORE_FAILED: /* said once, by who ends the process */
        break;
    case RAFT_NOTE_COUNT:
        CU_ASSERT(note != RAFT_NOTE_COUNT);
    }
}
