/* One run of one seed, from an empty cluster to its last check. */
#include <string.h>

#include "tests/sim/world.h"

enum { FAULTS_MS = 9000, CALM_MS = 8000, RECOVERY_MS = 10000, QUIET_MS = 4000 };

static void make_server(struct sim *sim, unsigned number)
{
    struct sim_server *server = &sim->servers[number];
    server->sim = sim;
    server->number = number;
    server->id.bytes[0] = 0x5e;
    server->id.bytes[15] = (uint8_t)(number + 1);
    server->clock_offset_ns = sim_between(sim, 1, 1000000) * SIM_MS;
    server->clock_rate =
        1.0 + ((double)sim_between(sim, 0, 300) - 150.0) / 10000.0; /* drift within 2 % */
    sim_raftd_init(server);
    sim_catalogd_init(server);
}

static void start_raftd(struct sim *sim, void *data)
{
    struct sim_server *server = data;
    if (!server->raftd.raft && !server->is_gone && !sim->failure)
        sim_raftd_start(server);
}

static void start_catalogd(struct sim *sim, void *data)
{
    struct sim_server *server = data;
    if (!server->catalogd.replica && !server->is_gone && !sim->failure)
        sim_catalogd_start(server);
}

static void begin(struct sim *sim)
{
    static const unsigned sizes[] = {1, 2, 3, 3, 3, 3, 3, 5};
    sim->server_count = sizes[cu_random_below(&sim->random, sizeof sizes / sizeof *sizes)];
    sim->client_count = (unsigned)sim_between(sim, 2, 4);
    if (sim->options.storm && sim->server_count < 3)
        sim->server_count = 3;
    if (sim->options.losses)
        sim->server_count = 5;
    if (sim->options.changes)
        sim->server_count = (unsigned)sim_between(sim, 3, SIM_SERVERS_MAX);
    sim->is_storm = sim->options.storm || (sim->server_count > 1 && sim_chance(sim, 500));
    sim->batch = sim->options.storm || sim_chance(sim, 500)
                     ? 1
                     : 0; /* one at a time lets a log be known in part */
    for (unsigned i = 0; i < sim->server_count; i++)
        make_server(sim, i);
    for (unsigned i = 0; i < sim->server_count; i++) {
        sim_after(sim, sim_between(sim, 0, 300) * SIM_MS, start_raftd, &sim->servers[i], NULL);
        sim_after(sim, sim_between(sim, 0, 300) * SIM_MS, start_catalogd, &sim->servers[i], NULL);
    }
    sim_clients_start(sim);
    sim_nemesis_start(sim);
    if (sim->options.changes)
        sim_operator_comes(sim);
}

static void run_until(struct sim *sim, uint64_t end_ms)
{
    while (!sim->failure && sim->now < end_ms * SIM_MS && sim_next(sim))
        ;
}

/* A change of leader after the last write: its no-op is the last entry, and everybody's cursor must
 * pass it (consensus 21.71). */
static void fall_silent(struct sim *sim)
{
    sim->is_quiet = true;
    for (unsigned i = 0; i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[i];
        struct raft_status status;
        if (!server->raftd.raft)
            continue;
        raft_status(server->raftd.raft, sim_clock(server), &status);
        if (status.role != RAFT_LEADER)
            continue;
        sim_raftd_crash(server);
        sim_after(sim, 1500 * (uint64_t)SIM_MS, start_raftd, server, NULL);
    }
}

const char *sim_run(struct sim *sim, const struct sim_options *options)
{
    memset(sim, 0, sizeof *sim);
    sim->options = *options;
    sim->random.state = options->seed;
    sim->lineage_count = 1;
    begin(sim);
    uint64_t faults = sim_between(sim, 2000, FAULTS_MS);
    sim->stop_clients_ns = (faults + CALM_MS - 1000) * SIM_MS;
    run_until(sim, faults);
    if (!sim->failure)
        sim_heal(sim);
    uint64_t calm = CALM_MS + (sim_had_recovery(sim) ? RECOVERY_MS : 0);
    run_until(sim, faults + calm);
    if (!sim->failure)
        fall_silent(sim);
    run_until(sim, faults + calm + QUIET_MS);
    if (!sim->failure)
        sim_check_end(sim);
    return sim->failure;
}

void sim_deinit(struct sim *sim)
{
    sim_queue_deinit(sim);
    for (unsigned i = 0; i < sim->server_count; i++) {
        sim_raftd_deinit(&sim->servers[i]);
        sim_catalogd_deinit(&sim->servers[i]);
    }
    sim_check_deinit(sim);
}
