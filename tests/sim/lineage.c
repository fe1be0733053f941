/* What was committed, under each cluster id that the simulated cluster had (consensus.md 17). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

struct sim_lineage *sim_newest(struct sim *sim)
{
    return &sim->lineages[sim->lineage_count - 1];
}

struct sim_committed *sim_committed_at(struct sim *sim, unsigned lineage, uint64_t index)
{
    struct sim_lineage *l = &sim->lineages[lineage];
    return index && index <= l->count ? &l->committed[index - 1] : NULL;
}

/* The lineage whose id stood at an index: entries below the one of a recovery are of an earlier id.
 */
static unsigned standing_at(const struct sim *sim, unsigned lineage, uint64_t index)
{
    while (lineage && index < sim->lineages[lineage].recovered_at)
        lineage--;
    return lineage;
}

struct raft_id sim_cluster_at(const struct sim *sim, unsigned lineage, uint64_t index)
{
    return index ? sim->lineages[standing_at(sim, lineage, index)].cluster : (struct raft_id){{0}};
}

struct raft_header sim_header_at(const struct sim *sim, unsigned lineage, uint64_t index)
{
    struct raft_header header = {0};
    if (!index)
        return header;
    const struct sim_lineage *l = &sim->lineages[lineage];
    const struct raft_entry *entry = &l->committed[index - 1].entry;
    unsigned standing = standing_at(sim, lineage, index);
    header.position = (struct raft_position){sim->lineages[standing].cluster, index, entry->term};
    header.wall_ms = entry->wall_ms;
    header.lease_ms = entry->lease_ms;
    for (unsigned i = 1; i <= standing; i++)
        header.lineage[header.lineage_count++] =
            (struct raft_lineage){sim->lineages[i - 1].cluster, sim->lineages[i].recovered_at - 1};
    for (uint64_t i = index; i > 0; i--) {
        const struct raft_entry *change = &l->committed[i - 1].entry;
        struct raft_configuration_body body;
        if (change->kind != RAFT_CONFIGURATION)
            continue;
        int err = raft_configuration_decode(raft_entry_body(change), &body);
        CU_ASSERT(!err);
        header.configuration = body.configuration;
        header.configuration.index = i;
        break;
    }
    return header;
}

int sim_lineage_of(const struct sim *sim, struct raft_id cluster)
{
    for (unsigned i = 0; i < sim->lineage_count; i++)
        if (raft_id_equal(sim->lineages[i].cluster, cluster))
            return (int)i;
    return -1;
}

static void add(struct sim_lineage *l, const struct sim_committed *committed)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 256;
        l->committed = cu_realloc(l->committed, l->cap * sizeof *l->committed);
    }
    l->committed[l->count++] = *committed;
    raft_body_ref(committed->entry.body);
}

void sim_lineage_add(struct sim *sim, const struct raft_entry *entry)
{
    struct sim_lineage *l = sim_newest(sim);
    struct raft_configuration_body body;
    add(l, &(struct sim_committed){.entry = *entry});
    if (entry->kind != RAFT_CONFIGURATION ||
        raft_configuration_decode(raft_entry_body(entry), &body) || raft_id_is_none(body.cluster))
        return;
    l->cluster = body.cluster;
    l->recovered_at = entry->index;
}

void sim_lineage_begin(struct sim *sim, struct raft_id cluster, uint64_t floor)
{
    CU_ASSERT(sim->lineage_count < SIM_LINEAGES_MAX);
    struct sim_lineage *last = sim_newest(sim), *l = &sim->lineages[sim->lineage_count++];
    CU_ASSERT(floor <= last->count);
    *l = (struct sim_lineage){.cluster = cluster,
                              .recovered_at = UINT64_MAX,
                              .begun = sim->now,
                              .least_shown_index = sim->shown_max + 1};
    for (uint64_t i = 0; i < floor; i++)
        add(l, &last->committed[i]);
}

void sim_lineages_deinit(struct sim *sim)
{
    for (unsigned i = 0; i < sim->lineage_count; i++) {
        for (uint64_t k = 0; k < sim->lineages[i].count; k++)
            raft_body_unref(sim->lineages[i].committed[k].entry.body);
        free(sim->lineages[i].committed);
    }
}
