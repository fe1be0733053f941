/* The network between servers: it drops, delays, duplicates and reorders, and is cut one way or
 * both. */
#include "tests/sim/world.h"

bool sim_is_reachable(const struct sim *sim, unsigned from, unsigned to)
{
    return !sim->is_cut[from][to];
}

void sim_send(struct sim *sim, unsigned from, unsigned to, sim_callback *fn, void *data,
              void (*drop)(void *data), void *(*copy)(const void *data))
{
    bool lost =
        !sim_is_reachable(sim, from, to) || (!sim->is_calm && sim_chance(sim, sim->drop_permille));
    if (lost) {
        drop(data);
        return;
    }
    uint64_t delay = sim_between(sim, 100 * SIM_US, 600 * SIM_US);
    if (!sim->is_calm && sim_chance(sim, sim->reorder_permille))
        delay += sim_between(sim, 0, sim->delay_max_ns);
    if (!sim->is_calm && copy && sim_chance(sim, sim->duplicate_permille))
        sim_after(sim, delay + sim_between(sim, 0, sim->delay_max_ns), fn, copy(data), drop);
    sim_after(sim, delay, fn, data, drop);
}
