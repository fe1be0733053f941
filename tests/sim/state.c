/* The state and the workers of a simulated catalogd: apply, checkpoint, pull.
 *
 * The state is a function of the log, so it is two indexes: what was applied, into memory, and what
 * was checkpointed. A database holds something between the two: that is what a crash leaves, of
 * whatever kind, and what is given away. A start applies the committed log up to there. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "tests/lib/memory_backend.h"
#include "tests/sim/world.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static Curia__Internal__V1__Entry packed(struct raft_entry *entry)
{
    Curia__Internal__V1__Entry message = CURIA__INTERNAL__V1__ENTRY__INIT;
    message.index = entry->index;
    message.term = entry->term;
    message.kind = entry->kind;
    message.wall_ms = entry->wall_ms;
    message.lease_ms = entry->lease_ms;
    if (!raft_id_is_none(entry->proposer))
        message.proposer =
            (ProtobufCBinaryData){sizeof entry->proposer.bytes, entry->proposer.bytes};
    message.seq = entry->seq;
    message.if_term = entry->if_term;
    message.level = entry->level;
    if (entry->body)
        message.body = (ProtobufCBinaryData){entry->body->len, entry->body->data};
    return message;
}

enum cu_err sim_state_apply(struct sim_server *server, struct raft_entry entry,
                            struct cu_arena *arena, struct catalog_outcome *ret_outcome)
{
    Curia__Internal__V1__Entry message = packed(&entry);
    struct cu_diag diag = {""};
    enum cu_err err = catalog_apply(server->catalogd.store, &message, arena, ret_outcome, &diag);
    if (err)
        sim_fail(server->sim, "apply is total (contracts 3.4)", "server %u index %llu: %s",
                 server->number, (unsigned long long)entry.index, diag.text);
    return err;
}

void sim_state_close(struct sim_catalogd *catalogd)
{
    catalog_store_free(catalogd->store);
    memory_backend_free(catalogd->memory);
    catalogd->store = NULL;
    catalogd->memory = NULL;
}

void sim_state_open(struct sim_server *server, uint64_t index)
{
    struct sim_catalogd *catalogd = &server->catalogd;
    struct cu_diag diag = {""};
    sim_state_close(catalogd);
    catalogd->memory = memory_backend_new(NULL);
    enum cu_err err =
        catalog_store_open(memory_backend_get(catalogd->memory), &catalogd->store, &diag);
    CU_ASSERT(!err);
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    const struct sim_lineage *lineage = &server->sim->lineages[catalogd->lineage];
    for (uint64_t i = 1; i <= index && !err; i++) {
        struct catalog_outcome outcome;
        err = sim_state_apply(server, lineage->committed[i - 1].entry, arena, &outcome);
        cu_arena_reset(arena);
    }
    if (!err)
        err = catalog_store_flush(catalogd->store);
    CU_ASSERT(!err || server->sim->failure);
    struct catalog_wakes wakes = catalog_store_take_wakes(catalogd->store);
    catalog_wakes_deinit(&wakes);
    cu_arena_free(arena);
}

struct catalog_position sim_position_at(const struct sim *sim, unsigned lineage, uint64_t index)
{
    struct catalog_position position = {.index = index};
    if (!index)
        return position;
    struct raft_id cluster = sim_cluster_at(sim, lineage, index);
    position.term = sim->lineages[lineage].committed[index - 1].entry.term;
    memcpy(position.cluster.bytes, cluster.bytes, sizeof position.cluster.bytes);
    return position;
}

static uint64_t value_of(struct memory_backend *memory, unsigned key, struct cu_arena *arena)
{
    const struct catalog_backend *backend = memory_backend_get(memory);
    struct catalog_row row;
    char name[16], value[24] = "";
    sim_key_name(key, name);
    if (backend->get(backend->context, CATALOG_KV, catalog_key_of(arena, cu_bytes_of(name)), arena,
                     &row))
        return sim_number_of(NULL);
    Curia__Internal__V1__KvRow *kv =
        curia__internal__v1__kv_row__unpack(NULL, row.value.len, row.value.data);
    CU_ASSERT(kv && kv->value.len < sizeof value);
    memcpy(value, kv->value.data, kv->value.len);
    curia__internal__v1__kv_row__free_unpacked(kv, NULL);
    return sim_number_of(value);
}

void sim_values_at(struct sim *sim, unsigned lineage, uint64_t index, uint64_t values[SIM_KEYS])
{
    struct sim_server *scratch = cu_alloc(sizeof *scratch); /* a catalogd that nobody talks to */
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    scratch->sim = sim;
    scratch->catalogd.lineage = lineage;
    sim_state_open(scratch, index);
    for (unsigned key = 0; key < SIM_KEYS; key++)
        values[key] = value_of(scratch->catalogd.memory, key, arena);
    sim_state_close(&scratch->catalogd);
    cu_arena_free(arena);
    free(scratch);
}

static void applied(struct sim_server *server, void *data)
{
    struct sim_catalogd *catalogd = &server->catalogd;
    struct sim_entries *entries = data;
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    uint64_t life = catalogd->life;
    for (uint32_t i = 0; i < entries->count && !server->sim->failure; i++) {
        const struct raft_entry *entry = &entries->items[i];
        struct catalog_event event = {.kind = CATALOG_EV_OUTCOME};
        if (entry->index != catalog_store_position(catalogd->store).index + 1) {
            sim_fail(server->sim, "a follow sees every entry once, in order (I24)",
                     "server %u gets %llu after %llu", server->number,
                     (unsigned long long)entry->index,
                     (unsigned long long)catalog_store_position(catalogd->store).index);
            break;
        }
        if (sim_state_apply(server, *entry, arena, &event.outcome))
            break;
        sim_check_applied(server, entry->index, entry, &event.outcome);
        catalogd->applied = entry->index;
        if (!raft_id_is_none(entry->proposer))
            sim_catalogd_step(server, &event);
        cu_arena_reset(arena);
    }
    cu_arena_free(arena);
    sim_entries_free(entries);
    if (server->sim->failure || catalogd->life != life)
        return;
    enum cu_err err = catalog_store_flush(catalogd->store);
    CU_ASSERT(!err);
    struct catalog_wakes wakes = catalog_store_take_wakes(catalogd->store);
    catalog_wakes_deinit(&wakes);
    struct catalog_event event = {.kind = CATALOG_EV_APPLIED,
                                  .position = catalog_store_position(catalogd->store)};
    sim_catalogd_step(server, &event);
}

void sim_apply_later(struct sim_server *server)
{
    struct sim *sim = server->sim;
    struct sim_catalogd *catalogd = &server->catalogd;
    uint64_t at = sim->now + sim_between(sim, 50 * SIM_US, 800 * SIM_US);
    if (at <= catalogd->apply_after_ns)
        at = catalogd->apply_after_ns + 1; /* one worker, in order */
    catalogd->apply_after_ns = at;
    struct sim_entries *entries = catalogd->followed;
    catalogd->followed = NULL;
    CU_ASSERT(entries);
    sim_deliver(server, SIM_CATALOGD, catalogd->life, at - sim->now, applied, entries,
                sim_entries_free);
}

uint64_t sim_catalogd_folded(struct sim *sim, const struct sim_catalogd *catalogd)
{
    return sim_between(sim, catalogd->durable, catalogd->applied);
}

struct checkpoint {
    uint64_t index;
    uint64_t database; /* that it is of: a pull replaces it */
};

static void checkpoint_ends(struct sim_server *server, void *data)
{
    struct checkpoint *checkpoint = data;
    struct catalog_event event = {
        .kind = CATALOG_EV_DURABLE,
        .position = sim_position_at(server->sim, server->catalogd.lineage, checkpoint->index)};
    if (checkpoint->database != server->catalogd.database) {
        free(checkpoint);
        return;
    }
    if (checkpoint->index > server->catalogd.durable)
        server->catalogd.durable = checkpoint->index;
    free(checkpoint);
    sim_catalogd_step(server, &event);
}

void sim_checkpoint_begins(struct sim_server *server, void *data)
{
    struct sim *sim = server->sim;
    (void)data;
    struct checkpoint *checkpoint = cu_alloc(sizeof *checkpoint);
    checkpoint->index = server->catalogd.applied;
    checkpoint->database = server->catalogd.database;
    uint64_t life = server->catalogd.life;
    sim_deliver(server, SIM_CATALOGD, life, sim_between(sim, 1, 20) * SIM_MS, checkpoint_ends,
                checkpoint, free);
    sim_deliver(server, SIM_CATALOGD, life, sim_between(sim, 100, 1500) * SIM_MS,
                sim_checkpoint_begins, NULL, NULL);
}

struct pull {
    unsigned giver, lineage;
    uint64_t index;
    bool was_diverged;
};

static void pull_ends(struct sim_server *server, void *data)
{
    struct pull *pull = data;
    struct sim *sim = server->sim;
    struct sim_catalogd *catalogd = &server->catalogd;
    bool reachable = sim_is_reachable(sim, pull->giver, server->number) &&
                     sim_is_reachable(sim, server->number, pull->giver);
    struct catalog_event event = {.kind = CATALOG_EV_PULLED, .err = CU_E_NOT_READY};
    struct raft_id offered = sim_cluster_at(sim, pull->lineage, pull->index);
    bool is_of_log = raft_id_is_none(catalogd->log_cluster) ||
                     raft_id_equal(offered, catalogd->log_cluster) ||
                     (!raft_id_is_none(offered) && raft_id_equal(offered, catalogd->log_prior));
    bool is_wanted =
        pull->index && is_of_log && (pull->was_diverged || pull->index > catalogd->applied);
    if (reachable && is_wanted) {
        catalogd->lineage = pull->lineage;
        sim_state_open(server, pull->index);
        catalogd->applied = catalogd->durable = pull->index;
        catalogd->database++;
        event.err = CU_OK;
        event.position = sim_position_at(sim, pull->lineage, pull->index);
        sim_trace(sim, "catalogd %u pulls %llu from %u", server->number,
                  (unsigned long long)pull->index, pull->giver);
    }
    free(pull);
    sim_catalogd_step(server, &event);
}

void sim_pull_later(struct sim_server *server, bool was_diverged)
{
    struct sim *sim = server->sim;
    struct pull *pull = cu_alloc(sizeof *pull);
    if (sim->server_count > 1)
        pull->giver = (server->number + 1 + server->catalogd.pulls++ % (sim->server_count - 1)) %
                      sim->server_count; /* in turn, as catalogd does */
    const struct sim_server *giver = &sim->servers[pull->giver];
    pull->was_diverged = was_diverged;
    if (pull->giver != server->number && giver->catalogd.replica) {
        pull->index = sim_catalogd_folded(server->sim, &giver->catalogd);
        pull->lineage = giver->catalogd.lineage;
    }
    sim_deliver(server, SIM_CATALOGD, server->catalogd.life, sim_between(sim, 5, 150) * SIM_MS,
                pull_ends, pull, free);
}
