#include "tests/gossip_sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { CHECK_EVERY_MS = 1000, DISTURB_EVERY_MS = 100, ARENA_BYTES = 64 * 1024 * 1024 };

void sim_fail(struct sim *sim, const char *claim, const char *fmt, ...)
{
    if (sim->failure)
        return;
    sim->failure = claim;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(sim->failure_text, sizeof sim->failure_text, fmt, args);
    va_end(args);
}

void sim_tell(const struct sim *sim, const char *fmt, ...)
{
    if (!sim->trace)
        return;
    va_list args;
    va_start(args, fmt);
    (void)printf("%9.3f ", (double)sim->now_ns / 1e9);
    (void)vprintf(fmt, args);
    (void)printf("\n");
    va_end(args);
}

bool sim_chance(struct sim *sim, unsigned of_1000)
{
    return cu_random_below(&sim->random, 1000) < of_1000;
}

static void begin(struct sim *sim, const struct sim_options *options)
{
    memset(sim, 0, sizeof *sim);
    sim->random.state = options->seed;
    sim->now_ns = 1000000000u;
    sim->trace = options->trace;
    sim->timing = &gossip_timing_profiles[GOSSIP_PROFILE_CONSUL_LAN];
    sim_plan(sim, options);
    sim_set_bounds(sim);
    uint32_t n = sim->plan.nodes;
    CU_ASSERT(n >= 2 && n <= SIM_NODES_MAX);
    sim->arena = cu_arena_new(ARENA_BYTES);
    sim->nodes = cu_alloc(n * sizeof *sim->nodes);
    sim->seen = cu_alloc((size_t)n * n);
    sim->failed_ms = cu_alloc((size_t)n * n * sizeof *sim->failed_ms);
    sim->seen_tag = cu_alloc((size_t)n * n * sizeof *sim->seen_tag);
    sim_tell(sim, "%u nodes, loss %u of 1000, %u s", n, sim->plan.loss,
             sim->plan.duration_ms / 1000);
    for (uint32_t i = 0; i < n; i++)
        sim_start(sim, i);
}

/* Runs until `until_ns`, harming and checking on the way. */
static void run_until(struct sim *sim, uint64_t until_ns)
{
    while (sim->queue_count && !sim->failure && sim->queue[0]->at_ns <= until_ns) {
        struct sim_item *item = sim_pop(sim);
        sim->now_ns = item->at_ns > sim->now_ns ? item->at_ns : sim->now_ns;
        sim_deliver(sim, item);
    }
    if (until_ns > sim->now_ns)
        sim->now_ns = until_ns;
}

static bool is_over(const struct sim *sim)
{
    if (sim->plan.nodes >= SIM_LARGE)
        return sim_ms(sim) > sim->plan.duration_ms;
    return sim_ms(sim) > sim->plan.duration_ms && !sim->repair_count && !sim->partition_until_ms &&
           sim_ms(sim) > sim->settled_ms + sim->bounds.settle_ms + 1000;
}

const char *sim_run(struct sim *sim, const struct sim_options *options)
{
    begin(sim, options);
    while (!sim->failure && !is_over(sim)) {
        run_until(sim, sim->now_ns + (uint64_t)DISTURB_EVERY_MS * 1000000);
        sim_disturb(sim);
        if (sim_ms(sim) >= sim->check_due_ms) {
            sim->check_due_ms = sim_ms(sim) + CHECK_EVERY_MS;
            sim_check(sim);
        }
    }
    sim_check_end(sim);
    return sim->failure;
}

void sim_deinit(struct sim *sim)
{
    while (sim->queue_count)
        sim_item_free(sim_pop(sim));
    free(sim->queue);
    for (uint32_t i = 0; i < sim->plan.nodes; i++) {
        struct sim_node *node = &sim->nodes[i];
        gossip_free(node->gossip);
        cu_buf_deinit(&node->snapshot);
        for (uint32_t k = 0; k < node->inbox_count; k++)
            sim_item_free(node->inbox[k]);
        free(node->inbox);
    }
    size_t at = 0;
    struct cu_bytes key;
    void *stream = NULL;
    while (cu_map_next(&sim->streams, &at, &key, &stream))
        free(stream);
    cu_map_deinit(&sim->streams);
    free(sim->nodes);
    free(sim->seen);
    free(sim->failed_ms);
    free(sim->seen_tag);
    free(sim->repairs);
    cu_arena_free(sim->arena);
    gossip_actions_deinit(&sim->actions);
}
