/* Faults, by the seed's schedule: crashes, power loss, pauses, partitions, clocks, slow disks, lost
 * disks (consensus.md 18). */
#include "tests/sim/world.h"

static void restart_raftd(struct sim *sim, void *data)
{
    struct sim_server *server = data;
    (void)sim;
    if (!server->raftd.raft && !server->is_gone && !sim->failure)
        sim_raftd_start(server);
}

static void restart_catalogd(struct sim *sim, void *data)
{
    struct sim_server *server = data;
    if (!server->catalogd.replica && !server->is_gone && !sim->failure)
        sim_catalogd_start(server);
}

static struct sim_server *any_server(struct sim *sim)
{
    return &sim->servers[cu_random_below(&sim->random, sim->server_count)];
}

/* Faults seek the leader half of the time: that is where the hard ones are. */
static struct sim_server *a_victim(struct sim *sim)
{
    for (unsigned i = 0; i < sim->server_count && sim_chance(sim, 800); i++) {
        struct sim_server *server = any_server(sim);
        struct raft_status status;
        if (!server->raftd.raft)
            continue;
        raft_status(server->raftd.raft, sim_clock(server), &status);
        if (status.role == RAFT_LEADER)
            return server;
    }
    return any_server(sim);
}

static uint64_t soon(struct sim *sim)
{
    return sim_between(sim, 20, 1500) * SIM_MS;
}

static void kill_raftd(struct sim *sim)
{
    struct sim_server *server = a_victim(sim);
    sim_raftd_crash(server);
    sim_after(sim, soon(sim), restart_raftd, server, NULL);
}

static void kill_catalogd(struct sim *sim)
{
    struct sim_server *server = a_victim(sim);
    sim_catalogd_crash(server);
    sim_after(sim, soon(sim), restart_catalogd, server, NULL);
}

static void cut_power(struct sim *sim)
{
    struct sim_server *server = a_victim(sim);
    sim_raftd_crash(server);
    sim_catalogd_crash(server);
    sim_after(sim, soon(sim), restart_raftd, server, NULL);
    sim_after(sim, soon(sim), restart_catalogd, server, NULL);
}

static void cut_all_power(struct sim *sim)
{
    for (unsigned i = 0; i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[i];
        sim_raftd_crash(server);
        sim_catalogd_crash(server);
        sim_after(sim, soon(sim), restart_raftd, server, NULL);
        sim_after(sim, soon(sim), restart_catalogd, server, NULL);
    }
}

/* One database at a time, and with a quorum beside it: below its log's floor a raftd neither votes
 * nor acknowledges until it has a state again (contracts 3.6), so two of three, or one of two,
 * would wait for each other for ever. */
static void delete_catalog(struct sim *sim)
{
    struct sim_server *server = any_server(sim);
    for (unsigned i = 0; i < sim->server_count; i++)
        if (sim->servers[i].is_catalog_lost || sim->servers[i].is_wiped)
            return;
    if (sim->server_count < 3 || !sim->lineages[0].count || sim_had_recovery(sim) || sim->changes)
        return;
    sim_catalogd_crash(server);
    sim_catalogd_wipe(server);
    sim_after(sim, soon(sim), restart_catalogd, server, NULL);
}

/* The whole disk of a raftd, at most once a run and only with a majority beside it: it stays
 * refused (21.24), or an operator removes it and adds it anew. */
static void lose_log(struct sim *sim)
{
    struct sim_server *server = any_server(sim);
    bool others_whole = true;
    for (unsigned i = 0; i < sim->server_count; i++)
        others_whole &= !sim->servers[i].is_catalog_lost;
    if (sim->server_count < 3 || sim->has_wiped || !others_whole || !sim->lineages[0].count ||
        sim_had_recovery(sim) || sim->changes || !sim_chance(sim, 300))
        return;
    sim->has_wiped = true;
    server->is_wiped = true;
    sim_raftd_crash(server);
    sim_raftd_wipe(server);
    sim_after(sim, soon(sim), restart_raftd, server, NULL);
    if (!sim->options.losses && sim_chance(sim, 700))
        sim_operator_comes(sim);
}

/* Not while a state is being mended: what a removed server was to give, nobody may have. */
static void change_servers(struct sim *sim)
{
    for (unsigned i = 0; i < sim->server_count; i++)
        if (sim->servers[i].is_catalog_lost || sim->servers[i].is_wiped)
            return;
    if (sim->server_count > 1 && sim->lineages[0].count && !sim_had_recovery(sim))
        sim_operator_comes(sim);
}

/* A pause only grows: what is held back keeps its order. */
static void pause_until(struct sim *sim, uint64_t *until_ns)
{
    uint64_t until = sim->now + sim_between(sim, 50, 4000) * SIM_MS;
    if (until > *until_ns)
        *until_ns = until;
}

static void pause_raftd(struct sim *sim)
{
    struct sim_server *server = a_victim(sim);
    pause_until(sim, &server->raftd.paused_until_ns);
    sim_trace(sim, "raftd %u is paused until %.3f", server->number,
              (double)server->raftd.paused_until_ns / SIM_MS);
}

static void pause_catalogd(struct sim *sim)
{
    struct sim_server *server = a_victim(sim);
    pause_until(sim, &server->catalogd.paused_until_ns);
    sim_trace(sim, "catalogd %u is paused", server->number);
}

static void mend_net(struct sim *sim, void *data)
{
    (void)data;
    for (unsigned a = 0; a < sim->server_count; a++)
        for (unsigned b = 0; b < sim->server_count; b++)
            sim->is_cut[a][b] = false;
    sim_trace(sim, "the network is whole");
}

static void cut(struct sim *sim, unsigned n, uint64_t way) /* 0 both ways, 1 out only, 2 in only */
{
    for (unsigned other = 0; other < sim->server_count; other++) {
        if (other == n)
            continue;
        sim->is_cut[n][other] |= way != 2;
        sim->is_cut[other][n] |= way != 1;
    }
    sim_trace(sim, "server %u is cut off, way %llu", n, (unsigned long long)way);
    sim_after(sim, sim_between(sim, 100, 3000) * SIM_MS, mend_net, NULL, NULL);
}

static void cut_off(struct sim *sim)
{
    cut(sim, a_victim(sim)->number, cu_random_below(&sim->random, 3));
}

/* One link of several: A-B and B-C but not A-C. */
static void cut_link(struct sim *sim)
{
    unsigned a = any_server(sim)->number, b = any_server(sim)->number;
    if (a == b)
        return;
    sim->is_cut[a][b] = true;
    sim->is_cut[b][a] = sim_chance(sim, 600);
    sim_trace(sim, "link %u to %u is cut", a, b);
    sim_after(sim, sim_between(sim, 100, 3000) * SIM_MS, mend_net, NULL, NULL);
}

static void skew_clock(struct sim *sim)
{
    struct sim_server *server = any_server(sim);
    server->wall_skew_ms += (int64_t)sim_between(sim, 0, 7200000) - 3600000;
}

static void slow_disk(struct sim *sim)
{
    struct sim_server *server = a_victim(sim);
    server->raftd.slow_ns = sim_chance(sim, 500) ? 0 : sim_between(sim, 1, 120) * SIM_MS;
}

static void bad_net(struct sim *sim)
{
    sim->drop_permille = (unsigned)sim_between(sim, 0, 200);
    sim->duplicate_permille = (unsigned)sim_between(sim, 0, 150);
    sim->reorder_permille = (unsigned)sim_between(sim, 0, 400);
    sim->delay_max_ns = sim_between(sim, 1, 200) * SIM_MS;
}

/* A storm: the leader goes, by any way, before it has told everybody of its term (Raft
 * dissertation, figure 3.7). */
static void unseat(struct sim *sim)
{
    struct sim_server *server = a_victim(sim);
    if (sim_chance(sim, 500)) {
        cut_off(sim);
        return;
    }
    sim_raftd_crash(server);
    sim_after(sim, sim_between(sim, 20, 900) * SIM_MS, restart_raftd, server, NULL);
}

static const struct {
    unsigned weight;
    void (*strike)(struct sim *sim);
} faults[] = {
    {14, kill_raftd},    {10, kill_catalogd},    {10, cut_power},     {4, cut_all_power},
    {3, delete_catalog}, {2, lose_log},          {8, pause_raftd},    {8, pause_catalogd},
    {12, cut_off},       {8, cut_link},          {3, skew_clock},     {6, slow_disk},
    {6, bad_net},        {5, sim_lose_majority}, {3, change_servers}, /* last: see strike() */
};

static void strike(struct sim *sim, void *data)
{
    (void)data;
    if (sim->is_calm)
        return;
    if (sim->is_storm && sim_chance(sim, 850)) {
        unseat(sim);
        sim_after(sim, sim_between(sim, 5, 700) * SIM_MS, strike, NULL, NULL);
        return;
    }
    if (sim->options.losses && sim_chance(sim, 500))
        sim_lose_majority(sim);
    size_t count = sizeof faults / sizeof *faults - sim->options.losses; /* not both in one run */
    unsigned total = 0;
    for (size_t i = 0; i < count; i++)
        total += faults[i].weight;
    uint64_t dice = cu_random_below(&sim->random, total);
    for (size_t i = 0; i < count; i++) {
        if (dice < faults[i].weight) {
            faults[i].strike(sim);
            break;
        }
        dice -= faults[i].weight;
    }
    sim_after(sim, sim_between(sim, 50, 1200) * SIM_MS, strike, NULL, NULL);
}

static void cut_this_one(struct sim *sim, void *data)
{
    struct sim_server *server = data;
    if (!sim->is_calm)
        cut(sim, server->number, 0);
}

/* The worst moments for a leader to go: with its first entry known to nobody or to few, and right
 * after it has called something committed (Raft dissertation, figure 3.7). */
void sim_nemesis_elected(struct sim_server *leader)
{
    struct sim *sim = leader->sim;
    if (sim->is_storm && sim_chance(sim, 350))
        sim_after(sim, sim_between(sim, 0, 3 * SIM_MS), cut_this_one, leader, NULL);
    if (sim->is_storm && sim_chance(sim, 500))
        sim_operator_hastens(leader);
}

void sim_nemesis_committed(struct sim_server *leader)
{
    struct sim *sim = leader->sim;
    if (sim->is_storm && sim_chance(sim, 120))
        sim_after(sim, 0, cut_this_one, leader, NULL);
}

void sim_nemesis_start(struct sim *sim)
{
    if (sim_chance(sim, 700))
        bad_net(sim);
    sim_after(sim, sim_between(sim, 300, 2500) * SIM_MS, strike, NULL, NULL);
}

void sim_heal(struct sim *sim)
{
    sim->is_calm = true;
    mend_net(sim, NULL);
    for (unsigned i = 0; i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[i];
        server->raftd.slow_ns = 0;
        restart_raftd(sim, server);
        restart_catalogd(sim, server);
    }
}
