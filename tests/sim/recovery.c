/* A majority is lost for good, an operator recovers what is left, and later the lost ones come back
 * under the prior id (consensus.md 17, 21.61, 21.77, 21.87, 21.89). */
#include <string.h>

#include "tests/sim/world.h"

bool sim_had_recovery(const struct sim *sim)
{
    return sim->recovery.is_open || sim->lineage_count > 1;
}

/* ---- the loss ---- */

/* All of the newest cluster, and nothing else broken that only a quorum mends. */
static bool has_settled(struct sim_server *server)
{
    struct raft_status status;
    if (!server->raftd.raft || server->is_gone || server->is_unnamed || server->is_catalog_lost)
        return false;
    raft_status(server->raftd.raft, sim_clock(server), &status);
    return !status.is_aside && !status.is_recovering &&
           raft_id_equal(status.cluster, sim_newest(server->sim)->cluster);
}

static bool is_whole(struct sim *sim)
{
    for (unsigned i = 0; i < sim->server_count; i++)
        if (!has_settled(&sim->servers[i]))
            return false;
    return !sim->has_wiped && !sim->changes && !sim->recovery.is_open &&
           sim->lineage_count < SIM_LINEAGES_MAX && sim->lineages[0].count;
}

static uint32_t voters(const struct sim *sim)
{
    uint32_t count = 0;
    for (unsigned i = 0; i < sim->server_count; i++)
        count += !sim->servers[i].is_non_voter;
    return count;
}

static void lose(struct sim_server *server)
{
    server->is_gone = server->was_lost = true;
    sim_raftd_crash(server);
    sim_catalogd_crash(server);
    sim_trace(server->sim, "server %u is lost", server->number);
}

static void name(struct sim *sim, struct sim_server *server, bool votes)
{
    struct raft_configuration *to = &sim->recovery.configuration;
    server->is_non_voter = !votes;
    to->servers[to->count++] = (struct raft_server){.id = server->id, .is_voter = votes};
}

/* One of them votes; another one that does not may well have the longer log. Returns the voters. */
static uint32_t name_survivors(struct sim *sim)
{
    uint32_t votes = 0;
    for (unsigned i = 0; i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[i];
        if (server->is_gone)
            continue;
        bool is_voter = !votes || sim_chance(sim, 600);
        name(sim, server, is_voter);
        votes += is_voter;
    }
    return votes;
}

/* Lost ones that are named as voters must not outweigh the survivors: nobody could be elected. */
static void name_lost(struct sim *sim, uint32_t voters_left)
{
    for (unsigned i = 0; i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[i];
        if (!server->is_gone)
            continue;
        bool votes = voters_left && sim_chance(sim, 600);
        voters_left -= votes;
        server->is_unnamed = !votes && sim_chance(sim, 350);
        if (!server->is_unnamed)
            name(sim, server, votes);
    }
}

static void operator_comes(struct sim *sim, void *data);

static bool may_survive(const struct sim_server *server)
{
    const struct sim_log *log = &server->raftd.log;
    return !server->is_non_voter && (log->count || log->start.position.index);
}

static void strike(struct sim *sim, uint32_t most)
{
    uint32_t kept = 0;
    for (unsigned at = (unsigned)cu_random_below(&sim->random, sim->server_count), i = 0;
         i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[(at + i) % sim->server_count];
        if (kept < most && may_survive(server))
            kept++;
        else
            lose(server);
    }
}

static bool any_may_survive(const struct sim *sim)
{
    for (unsigned i = 0; i < sim->server_count; i++)
        if (may_survive(&sim->servers[i]))
            return true;
    return false;
}

void sim_lose_majority(struct sim *sim)
{
    uint32_t quorum = voters(sim) / 2 + 1;
    if (!is_whole(sim) || quorum < 2 || !any_may_survive(sim))
        return;
    strike(sim, (uint32_t)sim_between(sim, 1, quorum - 1));
    sim->recovery = (struct sim_recovery){.is_open = true, .old_quorum = quorum};
    for (unsigned i = 0; i < sizeof sim->recovery.cluster.bytes; i++)
        sim->recovery.cluster.bytes[i] = (uint8_t)cu_random_u64(&sim->random);
    name_lost(sim, name_survivors(sim) - 1);
    sim->recovery.is_asked = sim->recovery.configuration.count == 1 && sim_chance(sim, 500);
    sim_after(sim, sim_between(sim, 800, 2500) * SIM_MS, operator_comes, NULL, NULL);
}

/* ---- the operator ---- */

static void restart(struct sim *sim, void *data)
{
    struct sim_server *server = data;
    if (!server->raftd.raft && !server->is_gone && !sim->failure)
        sim_raftd_start(server);
}

/* On the running server, again until it says yes. */
static void ask(struct sim *sim, struct sim_server *server)
{
    if (server->raftd.raft && server->raftd.paused_until_ns <= sim->now)
        sim_raftd_step(server, &(struct raft_event){.kind = RAFT_EV_RECOVER});
    if (sim->recovery.is_asked && !sim->failure)
        sim_after(sim, 300 * (uint64_t)SIM_MS, operator_comes, NULL, NULL);
}

/* The file is on all of them before the first one starts. */
static void operator_comes(struct sim *sim, void *data)
{
    (void)data;
    for (unsigned i = 0; i < sim->server_count && sim->recovery.is_open; i++) {
        struct sim_server *server = &sim->servers[i];
        if (server->is_gone)
            continue;
        if (sim->recovery.is_asked) {
            ask(sim, server);
            return;
        }
        sim_raftd_crash(server);
        server->has_peers_file = true;
        sim_after(sim, sim_between(sim, 20, 1000) * SIM_MS, restart, server, NULL);
    }
}

void sim_take_peers_file(struct sim_server *server)
{
    struct sim *sim = server->sim;
    struct raft_status status;
    struct raft_lineage lineage[RAFT_LINEAGE_MAX];
    raft_status(server->raftd.raft, sim_clock(server), &status);
    bool was_taken = raft_id_equal(status.cluster, sim->recovery.cluster);
    for (uint32_t i = raft_lineage(server->raftd.raft, lineage); i-- > 0;)
        was_taken |= raft_id_equal(lineage[i].cluster, sim->recovery.cluster);
    if (was_taken) {
        server->has_peers_file = false;
        return;
    }
    struct raft_event event = {.kind = RAFT_EV_RECOVER};
    event.recover.cluster = sim->recovery.cluster;
    event.recover.configuration = sim->recovery.configuration;
    sim_raftd_step(server, &event);
}

void sim_raftd_done(struct sim_server *server, const struct raft_action *action)
{
    struct sim *sim = server->sim;
    sim_trace(sim, "raftd %u is to recover: %s %s", server->number, cu_err_name(action->done.err),
              action->done.text ? action->done.text : "");
    if (action->done.err && !sim->recovery.is_asked)
        sim_fail(sim, "a survivor takes the file (58)", "server %u: %s", server->number,
                 action->done.text);
    if (action->done.err)
        return;
    server->has_peers_file = sim->recovery.is_asked = false;
}

/* ---- the lost ones come back ---- */

static bool is_old(const struct sim_server *server)
{
    const struct sim_log *log = &server->raftd.log;
    struct raft_id newest = sim_newest(server->sim)->cluster;
    return !raft_id_equal(log->recovery.cluster, newest) &&
           !raft_id_equal(log->start.position.cluster, newest);
}

/* One after the other, or enough of them would go on under the prior id as if nothing had been. */
void sim_let_back(struct sim *sim, void *data)
{
    uint32_t old = 0;
    struct sim_server *next = NULL;
    bool is_awaited = false;
    (void)data;
    if (sim->recovery.is_open) /* a second loss has come before all were back */
        return;
    for (unsigned i = 0; i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[i];
        old += !server->is_gone && server->was_lost && is_old(server);
        if (server->is_gone && (!next || next->is_unnamed))
            next = server;
        is_awaited |= server->is_gone && !server->is_unnamed;
    }
    if (next && old + 1 < sim->recovery.old_quorum) {
        next->is_gone = false;
        if (sim_chance(sim, 150))
            sim_catalogd_wipe(next); /* its state is gone, too */
        sim_trace(sim, "server %u is back", next->number);
        if (!sim->failure) {
            sim_raftd_start(next);
            sim_catalogd_start(next);
        }
    }
    if (next && (is_awaited || !sim->is_calm))
        sim_after(sim, sim_between(sim, 100, 700) * SIM_MS, sim_let_back, NULL, NULL);
}

void sim_recovered(struct sim *sim)
{
    sim->recovery.is_open = sim->recovery.is_asked = false;
    sim_trace(sim, "the recovery is committed");
    sim_after(sim, sim_between(sim, 100, 1500) * SIM_MS, sim_let_back, NULL, NULL);
}
