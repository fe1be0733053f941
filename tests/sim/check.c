/* What must hold after every event, and at the end (consensus.md 19). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

typedef unsigned long long ull;

/* I26, I25: stamps never fall; an entry of a duty has its term. */
static void check_stamps(struct sim *sim, const struct raft_entry *entry)
{
    const struct sim_committed *before =
        sim_committed_at(sim, sim->lineage_count - 1, entry->index - 1);
    if (before &&
        (entry->wall_ms < before->entry.wall_ms || entry->lease_ms < before->entry.lease_ms))
        sim_fail(sim, "wall and lease never decrease (I26)", "index %llu", (ull)entry->index);
    if (entry->if_term && entry->if_term != entry->term)
        sim_fail(sim, "a duty's entry has its term (I25)", "index %llu", (ull)entry->index);
}

static bool is_same(const struct sim_committed *known, const struct raft_entry *entry)
{
    return known && raft_entry_checksum(&known->entry) == raft_entry_checksum(entry);
}

/* I3, I5: at one position of a lineage there is one committed entry, whoever says so. What a server
 * knows before the entry of its recovery is committed may be of the earlier one (-1: any). */
static void check_entry(struct sim_server *server, const struct raft_entry *entry, int lineage)
{
    struct sim *sim = server->sim;
    unsigned newest = sim->lineage_count - 1;
    if (lineage == (int)newest && entry->index == sim_newest(sim)->count + 1) {
        check_stamps(sim, entry);
        sim_lineage_add(sim, entry);
        return;
    }
    const struct sim_committed *known = NULL;
    for (unsigned i = newest + 1; i-- > 0 && !is_same(known, entry);)
        if (lineage < 0 || lineage == (int)i)
            known = sim_committed_at(sim, i, entry->index);
    if (!known)
        sim_fail(sim, "commit has no gap", "server %u at %llu", server->number, (ull)entry->index);
    else if (!is_same(known, entry))
        sim_fail(sim, "one entry a position (I3, I5)",
                 "server %u index %llu: term %llu, committed was %llu", server->number,
                 (ull)entry->index, (ull)entry->term, (ull)known->entry.term);
}

enum { READ_BATCH = 64 };

/* I31: the first that says that the entry of a recovery is committed tells what is left. */
static void begin_lineage(struct sim_server *server, const struct raft_status *status)
{
    struct sim *sim = server->sim;
    sim_lineage_begin(sim, status->cluster, status->floor);
    server->raftd.checked_commit = status->floor;
}

static void end_begin(struct sim *sim)
{
    struct sim_lineage *newest = sim_newest(sim);
    if (newest->recovered_at > newest->count) {
        sim_fail(sim, "a recovery is an entry (I31)", "of %llu", (ull)newest->count);
        return;
    }
    sim_values_at(sim, sim->lineage_count - 1, newest->recovered_at, newest->values);
    sim_recovered(sim);
}

static int lineage_of(struct sim_server *server, const struct raft_status *status)
{
    if (raft_id_is_none(status->cluster))
        return 0;
    if (status->is_recovering)
        return -1;
    int lineage = sim_lineage_of(server->sim, status->cluster);
    return lineage < 0 && !server->sim->lineages[0].count ? 0 : lineage;
}

static void check_entries(struct sim_server *server, const struct raft_status *status, int lineage)
{
    struct sim_raftd *raftd = &server->raftd;
    uint64_t from = raftd->checked_commit > status->floor ? raftd->checked_commit : status->floor;
    struct raft_entry entries[READ_BATCH];
    while (from < status->commit && !server->sim->failure) {
        uint64_t last = status->commit - from > READ_BATCH ? from + READ_BATCH : status->commit;
        uint32_t count = 0;
        if (raft_read(raftd->raft, from + 1, last, SIZE_MAX, READ_BATCH, entries, &count) ||
            !count) {
            sim_fail(server->sim, "what is committed can be read", "server %u index %llu",
                     server->number, (ull)(from + 1));
            return;
        }
        for (uint32_t i = 0; i < count; i++) {
            check_entry(server, &entries[i], lineage);
            raft_body_unref(entries[i].body);
        }
        from += count;
    }
    raftd->checked_commit = from;
}

static void check_commit(struct sim_server *server, const struct raft_status *status)
{
    struct sim *sim = server->sim;
    int lineage = lineage_of(server, status);
    if (status->is_aside)
        return;
    bool begins = lineage < 0 && !status->is_recovering;
    if (begins) {
        begin_lineage(server, status);
        lineage = (int)sim->lineage_count - 1;
    }
    if (lineage != server->raftd.checked_lineage && !begins)
        server->raftd.checked_commit = 0;
    server->raftd.checked_lineage = lineage;
    check_entries(server, status, lineage);
    if (begins && !sim->failure)
        end_begin(sim);
}

/* I4: every entry committed so far is in the log of a new leader. */
static void check_completeness(struct sim_server *server, const struct raft_status *status)
{
    struct sim *sim = server->sim;
    int lineage = lineage_of(server, status);
    uint64_t committed = lineage < 0 ? 0 : sim->lineages[lineage].count;
    const struct sim_committed *last =
        committed ? sim_committed_at(sim, (unsigned)lineage, committed) : NULL;
    if (!last || committed <= status->floor)
        return;
    struct raft_entry entry;
    uint32_t count = 0;
    if (status->last_index < committed ||
        raft_read(server->raftd.raft, committed, committed, SIZE_MAX, 1, &entry, &count) ||
        !count) {
        sim_fail(sim, "a leader has every committed entry (I4)",
                 "server %u term %llu ends at %llu, committed %llu", server->number,
                 (ull)status->term, (ull)status->last_index, (ull)committed);
        return;
    }
    if (entry.term != last->entry.term)
        sim_fail(sim, "a leader has every committed entry (I4)",
                 "server %u term %llu has another at %llu", server->number, (ull)status->term,
                 (ull)committed);
    raft_body_unref(entry.body);
}

/* I30: while a leader's lease is valid no other term has a leader. */
static void check_leases(struct sim_server *server, const struct raft_status *status)
{
    struct sim *sim = server->sim;
    for (unsigned i = 0; i < sim->server_count; i++) {
        struct sim_server *other = &sim->servers[i];
        struct raft_status theirs;
        if (other == server || !other->raftd.raft)
            continue;
        raft_status(other->raftd.raft, sim_clock(other), &theirs);
        if (theirs.role == RAFT_LEADER && theirs.lease_valid && theirs.term < status->term)
            sim_fail(sim, "no leader beside a valid lease (I30)",
                     "server %u leads term %llu, %u holds a lease of %llu", server->number,
                     (ull)status->term, i, (ull)theirs.term);
    }
}

static void check_leader(struct sim_server *server, const struct raft_status *status)
{
    struct sim *sim = server->sim;
    void *who = cu_map_get_u64(&sim->leaders, status->term);
    if (who && who != server)
        sim_fail(sim, "one leader a term (I1)", "servers %u and %u in %llu",
                 ((struct sim_server *)who)->number, server->number, (ull)status->term);
    if (who)
        return;
    (void)cu_map_put_u64(&sim->leaders, status->term, server);
    if (server->is_wiped)
        sim_fail(sim, "a wiped server never leads (I29)", "server %u", server->number);
    check_completeness(server, status);
    check_leases(server, status);
    sim_nemesis_elected(server);
    sim_trace(sim, "server %u leads term %llu", server->number, (ull)status->term);
}

/* I13, also as a crash of both right now would leave it. */
static void check_floor(struct sim_server *server)
{
    uint64_t floor = server->raftd.log.start.position.index, durable = server->catalogd.durable;
    if (floor <= durable)
        server->is_catalog_lost =
            server->is_catalog_lost && !durable; /* a floor may be on its way to the disk */
    else if (!server->is_catalog_lost && !server->raftd.log.recovery.is_aside)
        sim_fail(server->sim, "the log begins at or below the durable state (I13)",
                 "server %u: floor %llu, durable %llu", server->number, (ull)floor, (ull)durable);
}

void sim_check_server(struct sim_server *server)
{
    struct sim *sim = server->sim;
    struct raft_status status;
    raft_status(server->raftd.raft, sim_clock(server), &status);
    if (status.term < server->raftd.checked_term)
        sim_fail(sim, "terms never fall (I7)", "server %u", server->number);
    server->raftd.checked_term = status.term;
    check_commit(server, &status);
    check_floor(server);
    if (status.role != RAFT_LEADER)
        return;
    check_leader(server, &status);
    if (status.commit > server->raftd.led_commit)
        sim_nemesis_committed(server);
    server->raftd.led_commit = status.commit;
}

/* I6, I29: one vote a term for each life of a disk, also across crashes. */
void sim_check_message(struct sim_server *from, const struct raft_message *message)
{
    struct sim *sim = from->sim;
    if (message->kind != RAFT_MSG_VOTE_ANSWER || !message->ok)
        return;
    struct {
        uint64_t server, incarnation, term;
    } vote = {from->number, from->raftd.log.incarnation, message->term};
    struct sim_server *candidate = NULL;
    for (unsigned i = 0; i < sim->server_count; i++)
        if (raft_id_equal(sim->servers[i].id, message->to))
            candidate = &sim->servers[i];
    struct cu_bytes key = {(const uint8_t *)&vote, sizeof vote};
    void *before = cu_map_get(&sim->votes, key);
    if (before && before != candidate)
        sim_fail(sim, "one vote a term (I6)", "server %u in term %llu", from->number,
                 (ull)message->term);
    else if (candidate)
        (void)cu_map_put(&sim->votes, key, candidate);
}

/* The lineage that an entry is applied in: once a state is of the newest one, nothing of the others
 * comes after (I31), and a state goes over only from what both have. */
static struct sim_committed *find_applied(struct sim_server *server, uint64_t index,
                                          const struct raft_entry *entry)
{
    struct sim *sim = server->sim;
    struct sim_catalogd *catalogd = &server->catalogd;
    unsigned newest = sim->lineage_count - 1, was = catalogd->lineage;
    for (unsigned i = newest + 1; i-- > was;) {
        struct sim_committed *known = sim_committed_at(sim, i, index);
        const struct sim_committed *before = sim_committed_at(sim, was, index - 1);
        if (!is_same(known, entry) ||
            (i != was && before && !is_same(sim_committed_at(sim, i, index - 1), &before->entry)))
            continue;
        catalogd->lineage = i;
        return known;
    }
    return NULL;
}

/* I17: after a recovery no index is below one that anybody may have seen. */
static void check_shown(struct sim_server *server, uint64_t index)
{
    struct sim *sim = server->sim;
    const struct sim_lineage *l = &sim->lineages[server->catalogd.lineage];
    uint64_t shown = index + catalog_store_index_base(server->catalogd.store);
    if (index >= l->recovered_at && shown < l->least_shown_index)
        sim_fail(sim, "no index below one ever shown (I17)", "catalogd %u: %llu after %llu",
                 server->number, (ull)shown, (ull)l->least_shown_index - 1);
    if (shown > sim->shown_max)
        sim->shown_max = shown;
}

/* I18: within a lineage; what was lost with a majority may be proposed and take effect again. */
static void check_effect(struct sim_server *server, const struct raft_entry *entry)
{
    struct sim *sim = server->sim;
    struct {
        struct raft_id proposer;
        uint64_t seq;
    } name = {entry->proposer, entry->seq};
    struct cu_bytes key = {(const uint8_t *)&name, sizeof name};
    unsigned lineage = server->catalogd.lineage;
    uintptr_t before = (uintptr_t)cu_map_get(&sim->effects, key);
    uint64_t index = before / SIM_LINEAGES_MAX;
    const struct sim_committed *then =
        sim_committed_at(sim, (unsigned)(before % SIM_LINEAGES_MAX), index);
    if (index != entry->index && then &&
        is_same(sim_committed_at(sim, lineage, index), &then->entry))
        sim_fail(sim, "a name takes effect once (I18)", "seq %llu at %llu and %llu",
                 (ull)entry->seq, (ull)index, (ull)entry->index);
    (void)cu_map_put(&sim->effects, key,
                     (void *)(uintptr_t)(entry->index * SIM_LINEAGES_MAX + lineage));
}

/* I5, I18, I23: what is applied is what was committed; a name takes effect once; equal index, equal
 * hash. */
void sim_check_applied(struct sim_server *server, uint64_t index, const struct raft_entry *entry,
                       const struct catalog_outcome *outcome)
{
    struct sim *sim = server->sim;
    struct sim_committed *known = find_applied(server, index, entry);
    if (!known) {
        sim_fail(sim, "only what is committed is applied (I5)", "catalogd %u index %llu",
                 server->number, (ull)index);
        return;
    }
    struct cu_u128 hash = catalog_store_hash(server->catalogd.store);
    if (known->has_hash && (known->state_hash.lo != hash.lo || known->state_hash.hi != hash.hi))
        sim_fail(sim, "equal index, equal state (I23)", "catalogd %u index %llu", server->number,
                 (ull)index);
    known->has_hash = true;
    known->state_hash = hash;
    check_shown(server, index);
    if (outcome->fate == CATALOG_APPLIED && !raft_id_is_none(entry->proposer))
        check_effect(server, entry);
}

/* I20: with the faults gone there is one leader, and everybody has what is committed. */
static void check_liveness(struct sim *sim)
{
    unsigned leaders = 0;
    uint64_t last = 0;
    for (unsigned i = 0; i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[i];
        struct raft_status status;
        if (!server->raftd.raft)
            continue;
        raft_status(server->raftd.raft, sim_clock(server), &status);
        leaders += status.role == RAFT_LEADER;
        if (status.role == RAFT_LEADER)
            last = status.last_index;
        if (status.role == RAFT_LEADER && status.commit < status.last_index)
            sim_fail(sim, "commit reaches the last index (I20)", "leader %u: %llu of %llu", i,
                     (ull)status.commit, (ull)status.last_index);
    }
    if (leaders != 1)
        sim_fail(sim, "one stable leader (I20)", "%u leaders", leaders);
    if (sim->changes && !sim_servers_settled(sim))
        sim_fail(sim, "every server is a voter again (10)", "%u changes were made", sim->changed);
    for (unsigned i = 0; i < sim->server_count && !sim->failure; i++) {
        struct sim_server *server = &sim->servers[i];
        if (server->is_wiped || server->is_unnamed)
            continue;
        if (server->catalogd.applied < last || server->catalogd.lineage + 1 < sim->lineage_count)
            sim_fail(sim, "every state catches up (I20, I24)", "catalogd %u at %llu of %llu", i,
                     (ull)server->catalogd.applied, (ull)last);
    }
}

/* The part of the history that clients saw under one lineage. What reaches over its ends may have
 * taken effect in it, or not. */
static struct history history_of(struct sim *sim, unsigned lineage)
{
    uint64_t begin = sim->lineages[lineage].begun;
    uint64_t end = lineage + 1 < sim->lineage_count ? sim->lineages[lineage + 1].begun : UINT64_MAX;
    struct history part = {0};
    for (size_t i = 0; i < sim->history.count; i++) {
        struct history_operation op = sim->history.items[i];
        bool is_open = op.end == UINT64_MAX;
        if (op.start >= end || (!is_open && op.end < begin))
            continue;
        if (op.is_known && (op.start < begin || op.end >= end)) {
            op.is_known = false;
            op.end = UINT64_MAX;
        }
        (void)history_begin(&part, &op);
    }
    return part;
}

void sim_check_end(struct sim *sim)
{
    check_liveness(sim);
    for (unsigned lineage = 0; lineage < sim->lineage_count; lineage++) {
        struct history part = history_of(sim, lineage);
        for (unsigned key = 0; key < SIM_KEYS && !sim->failure; key++) {
            bool gave_up = false;
            if (!history_is_linearizable(&part, key, sim->lineages[lineage].values[key], &gave_up))
                sim_fail(sim, "histories are linearizable (I14)", "key %u, lineage %u", key,
                         lineage);
            sim->judged++;
            sim->gave_up += gave_up;
        }
        history_deinit(&part);
    }
}

void sim_check_deinit(struct sim *sim)
{
    sim_lineages_deinit(sim);
    cu_map_deinit(&sim->leaders);
    cu_map_deinit(&sim->votes);
    cu_map_deinit(&sim->effects);
    history_deinit(&sim->history);
}
