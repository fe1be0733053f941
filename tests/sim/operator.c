/* Servers are removed and added while all else goes on (consensus.md 10, 21.9, 21.66): by an
 * operator who says what comes to mind, to whoever leads, and once the faults are over wants every
 * server to be a voter again; a wiped one under its old id, too. */
#include "tests/sim/world.h"

static bool leads(struct sim_server *server)
{
    struct raft_status status;
    if (!server->raftd.raft || server->raftd.paused_until_ns > server->sim->now)
        return false;
    raft_status(server->raftd.raft, sim_clock(server), &status);
    return status.role == RAFT_LEADER;
}

static struct sim_server *leader_of(struct sim *sim)
{
    for (unsigned i = 0, at = (unsigned)cu_random_below(&sim->random, sim->server_count);
         i < sim->server_count; i++) {
        struct sim_server *server = &sim->servers[(at + i) % sim->server_count];
        if (leads(server))
            return server;
    }
    return NULL;
}

static const struct raft_server *known_at(const struct sim_server *leader,
                                          const struct sim_server *server)
{
    const struct raft_configuration *now = raft_configuration_latest(leader->raftd.raft);
    for (uint32_t i = 0; i < now->count; i++)
        if (raft_id_equal(now->servers[i].id, server->id))
            return &now->servers[i];
    return NULL;
}

static bool is_other_incarnation(const struct raft_server *known, const struct sim_server *server)
{
    return known->incarnation != server->raftd.log.incarnation;
}

static bool is_settled(const struct sim_server *leader, const struct sim_server *server)
{
    const struct raft_server *known = known_at(leader, server);
    return known && known->is_voter && !is_other_incarnation(known, server);
}

bool sim_servers_settled(struct sim *sim)
{
    const struct sim_server *leader = leader_of(sim);
    for (unsigned i = 0; leader && i < sim->server_count; i++)
        if (!is_settled(leader, &sim->servers[i]))
            return false;
    return leader;
}

static void say(struct sim_server *leader, struct sim_server *server, bool is_add)
{
    struct raft_event event = {.kind = RAFT_EV_CHANGE, .tag = ++leader->sim->changes};
    event.change.server = server->id;
    event.change.is_add = is_add;
    if (is_add && server->is_wiped)
        server->is_wiped = false; /* it may be part of the cluster from here on */
    sim_trace(leader->sim, "raftd %u is told to %s server %u", leader->number,
              is_add ? "add" : "remove", server->number);
    sim_raftd_step(leader, &event);
}

/* A wiped one counts against the quorum until it is removed: nobody else is touched before. */
static struct sim_server *first_in_need(struct sim *sim, const struct sim_server *leader)
{
    for (unsigned i = 0; i < sim->server_count; i++) {
        const struct raft_server *known = known_at(leader, &sim->servers[i]);
        if (known && is_other_incarnation(known, &sim->servers[i]))
            return &sim->servers[i];
    }
    for (unsigned i = 0; sim->is_calm && i < sim->server_count; i++)
        if (!is_settled(leader, &sim->servers[i]))
            return &sim->servers[i];
    return NULL;
}

static void change(struct sim *sim, struct sim_server *leader)
{
    struct sim_server *server = first_in_need(sim, leader);
    const struct raft_server *known;
    if (server) {
        known = known_at(leader, server);
        say(leader, server, !known || !is_other_incarnation(known, server));
    } else if (!sim->is_calm) {
        server = &sim->servers[cu_random_below(&sim->random, sim->server_count)];
        say(leader, server, !known_at(leader, server) || sim_chance(sim, 300));
    }
}

static void visit(struct sim *sim, void *data)
{
    struct sim_server *leader = leader_of(sim);
    (void)data;
    if (leader && !sim->is_quiet)
        change(sim, leader);
    if (!sim->failure && !sim->is_quiet)
        sim_after(sim, sim_between(sim, 30, 600) * SIM_MS, visit, NULL, NULL);
}

static void speak(struct sim *sim, void *data)
{
    struct sim_server *leader = data;
    if (!sim->is_calm && leads(leader))
        change(sim, leader);
}

void sim_operator_hastens(struct sim_server *leader)
{
    struct sim *sim = leader->sim;
    if (sim->changes)
        sim_after(sim, sim_between(sim, 0, 3 * SIM_MS), speak, leader, NULL);
}

void sim_operator_comes(struct sim *sim)
{
    if (sim->changes)
        return;
    sim->changes = 1;
    sim_after(sim, sim_between(sim, 30, 600) * SIM_MS, visit, NULL, NULL);
}

void sim_raftd_changed(struct sim_server *server, const struct raft_action *action)
{
    server->sim->changed += !action->done.err;
    sim_trace(server->sim, "raftd %u says of the change: %s %s", server->number,
              cu_err_name(action->done.err), action->done.text);
}
