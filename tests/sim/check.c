/* What must hold after every event, and at the end (consensus.md 19). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

typedef unsigned long long ull;

static struct sim_committed *committed_at(struct sim *sim, uint64_t index)
{
    return index && index <= sim->committed_count ? &sim->committed[index - 1] : NULL;
}

static void learn_cluster(struct sim *sim, const struct raft_entry *entry)
{
    struct raft_configuration_body body;
    if (entry->kind == RAFT_CONFIGURATION &&
        !raft_configuration_decode(raft_entry_body(entry), &body) && !raft_id_is_none(body.cluster))
        sim->cluster = body.cluster;
}

/* I26, I25: stamps never fall; an entry of a duty has its term. */
static void check_stamps(struct sim *sim, const struct raft_entry *entry)
{
    const struct sim_committed *before = committed_at(sim, entry->index - 1);
    if (before &&
        (entry->wall_ms < before->entry.wall_ms || entry->lease_ms < before->entry.lease_ms))
        sim_fail(sim, "wall and lease never decrease (I26)", "index %llu", (ull)entry->index);
    if (entry->if_term && entry->if_term != entry->term)
        sim_fail(sim, "a duty's entry has its term (I25)", "index %llu", (ull)entry->index);
}

static void add_committed(struct sim *sim, const struct raft_entry *entry)
{
    if (sim->committed_count == sim->committed_cap) {
        sim->committed_cap = sim->committed_cap ? sim->committed_cap * 2 : 256;
        sim->committed = cu_realloc(sim->committed, sim->committed_cap * sizeof *sim->committed);
    }
    check_stamps(sim, entry);
    learn_cluster(sim, entry);
    struct sim_committed *slot = &sim->committed[sim->committed_count++];
    *slot = (struct sim_committed){.entry = *entry};
    raft_body_ref(entry->body);
}

/* I3, I5: at one position there is one committed entry, whoever says so. */
static void check_entry(struct sim_server *server, const struct raft_entry *entry)
{
    struct sim *sim = server->sim;
    if (entry->index == sim->committed_count + 1) {
        add_committed(sim, entry);
        return;
    }
    const struct sim_committed *known = committed_at(sim, entry->index);
    if (!known)
        sim_fail(sim, "commit has no gap", "server %u at %llu", server->number, (ull)entry->index);
    else if (raft_entry_checksum(&known->entry) != raft_entry_checksum(entry))
        sim_fail(sim, "one entry a position (I3, I5)",
                 "server %u index %llu: term %llu, committed was %llu", server->number,
                 (ull)entry->index, (ull)entry->term, (ull)known->entry.term);
}

enum { READ_BATCH = 64 };

static void check_commit(struct sim_server *server, const struct raft_status *status)
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
            check_entry(server, &entries[i]);
            raft_body_unref(entries[i].body);
        }
        from += count;
    }
    raftd->checked_commit = from;
}

/* I4: every entry committed so far is in the log of a new leader. */
static void check_completeness(struct sim_server *server, const struct raft_status *status)
{
    struct sim *sim = server->sim;
    const struct sim_committed *last = committed_at(sim, sim->committed_count);
    if (!last || sim->committed_count <= status->floor)
        return;
    struct raft_entry entry;
    uint32_t count = 0;
    if (status->last_index < sim->committed_count ||
        raft_read(server->raftd.raft, sim->committed_count, sim->committed_count, SIZE_MAX, 1,
                  &entry, &count)) {
        sim_fail(sim, "a leader has every committed entry (I4)",
                 "server %u term %llu ends at %llu, committed %llu", server->number,
                 (ull)status->term, (ull)status->last_index, (ull)sim->committed_count);
        return;
    }
    if (entry.term != last->entry.term)
        sim_fail(sim, "a leader has every committed entry (I4)",
                 "server %u term %llu has another at %llu", server->number, (ull)status->term,
                 (ull)sim->committed_count);
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
    else if (!server->is_catalog_lost)
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

/* I5, I18, I23: what is applied is what was committed; a name takes effect once; equal index, equal
 * hash. */
void sim_check_applied(struct sim_server *server, uint64_t index, const struct raft_entry *entry,
                       const struct catalog_outcome *outcome)
{
    struct sim *sim = server->sim;
    struct sim_committed *known = committed_at(sim, index);
    if (!known || raft_entry_checksum(&known->entry) != raft_entry_checksum(entry)) {
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
    if (outcome->fate != CATALOG_APPLIED || raft_id_is_none(entry->proposer))
        return;
    struct {
        struct raft_id proposer;
        uint64_t seq;
    } name = {entry->proposer, entry->seq};
    struct cu_bytes key = {(const uint8_t *)&name, sizeof name};
    uintptr_t before = (uintptr_t)cu_map_get(&sim->effects, key);
    if (before && before != index)
        sim_fail(sim, "a name takes effect once (I18)", "seq %llu at %llu and %llu",
                 (ull)entry->seq, (ull)before, (ull)index);
    (void)cu_map_put(&sim->effects, key, (void *)(uintptr_t)index);
}

/* I20: with the faults gone there is one leader, and everybody has what is committed. */
static void check_liveness(struct sim *sim)
{
    unsigned leaders = 0;
    uint64_t last = 0;
    for (unsigned i = 0; i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[i];
        struct raft_status status;
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
    for (unsigned i = 0; i < sim->server_count && !sim->failure; i++) {
        struct sim_server *server = &sim->servers[i];
        if (!server->is_wiped && server->catalogd.disk < last)
            sim_fail(sim, "every state catches up (I20, I24)", "catalogd %u at %llu of %llu", i,
                     (ull)server->catalogd.disk, (ull)last);
    }
}

void sim_check_end(struct sim *sim)
{
    check_liveness(sim);
    for (unsigned key = 0; key < SIM_KEYS && !sim->failure; key++) {
        bool gave_up = false;
        if (!history_is_linearizable(&sim->history, key, &gave_up))
            sim_fail(sim, "histories are linearizable (I14)", "key %u", key);
        sim->gave_up += gave_up;
    }
}

void sim_check_deinit(struct sim *sim)
{
    for (uint64_t i = 0; i < sim->committed_count; i++)
        raft_body_unref(sim->committed[i].entry.body);
    free(sim->committed);
    cu_map_deinit(&sim->leaders);
    cu_map_deinit(&sim->votes);
    cu_map_deinit(&sim->effects);
    history_deinit(&sim->history);
}
