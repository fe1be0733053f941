/* The catalogd of a simulated server: its replica machine, its state, its disk, its clients'
 * requests.
 *
 * The state is a function of the log, so its disk is two indexes: what was committed (survives a
 * kill) and what was checkpointed (survives power loss). A start applies the committed log up to
 * the one that was left. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "tests/lib/memory_backend.h"
#include "tests/sim/world.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, BATCHES_FROM = 1ull << 40 };

/* ---- the state ---- */

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

static enum cu_err apply(struct sim_server *server, struct raft_entry entry, struct cu_arena *arena,
                         struct catalog_outcome *ret_outcome)
{
    Curia__Internal__V1__Entry message = packed(&entry);
    struct cu_diag diag = {""};
    enum cu_err err = catalog_apply(server->catalogd.store, &message, arena, ret_outcome, &diag);
    if (err)
        sim_fail(server->sim, "apply is total (contracts 3.4)", "server %u index %llu: %s",
                 server->number, (unsigned long long)entry.index, diag.text);
    return err;
}

static void close_state(struct sim_catalogd *catalogd)
{
    catalog_store_free(catalogd->store);
    memory_backend_free(catalogd->memory);
    catalogd->store = NULL;
    catalogd->memory = NULL;
}

static void open_state(struct sim_server *server, uint64_t index)
{
    struct sim_catalogd *catalogd = &server->catalogd;
    struct cu_diag diag = {""};
    close_state(catalogd);
    catalogd->memory = memory_backend_new(NULL);
    enum cu_err err =
        catalog_store_open(memory_backend_get(catalogd->memory), &catalogd->store, &diag);
    CU_ASSERT(!err);
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    for (uint64_t i = 1; i <= index && !err; i++) {
        struct catalog_outcome outcome;
        err = apply(server, server->sim->committed[i - 1].entry, arena, &outcome);
        cu_arena_reset(arena);
    }
    if (!err)
        err = catalog_store_flush(catalogd->store);
    CU_ASSERT(!err || server->sim->failure);
    struct catalog_wakes wakes = catalog_store_take_wakes(catalogd->store);
    catalog_wakes_deinit(&wakes);
    cu_arena_free(arena);
}

static struct catalog_position position_at(const struct sim *sim, uint64_t index)
{
    struct catalog_position position = {.index = index};
    if (!index)
        return position;
    position.term = sim->committed[index - 1].entry.term;
    memcpy(position.cluster.bytes, sim->cluster.bytes, sizeof position.cluster.bytes);
    return position;
}

/* ---- life ---- */

static void checkpoint_begins(struct sim_server *server, void *data);

void sim_catalogd_init(struct sim_server *server)
{
    server->catalogd.next_call = BATCHES_FROM;
}

void sim_catalogd_start(struct sim_server *server)
{
    struct sim *sim = server->sim;
    struct sim_catalogd *catalogd = &server->catalogd;
    CU_ASSERT(!catalogd->replica);
    open_state(server, catalogd->disk);
    struct catalog_replica_options options = {
        .now = sim_clock(server),
        .seed = cu_random_u64(&sim->random),
        .applied = position_at(sim, catalogd->disk),
        .durable = position_at(sim, catalogd->durable),
    };
    catalogd->replica = catalog_replica_new(&options);
    catalogd->life++;
    catalogd->paused_until_ns = 0;
    catalogd->apply_after_ns = 0;
    sim_trace(sim, "catalogd %u starts: applied %llu durable %llu", server->number,
              (unsigned long long)catalogd->disk, (unsigned long long)catalogd->durable);
    sim_deliver(server, SIM_CATALOGD, catalogd->life, sim_between(sim, 50, 1000) * SIM_MS,
                checkpoint_begins, NULL, NULL);
    sim_local_connect(server);
}

static void disconnect_clients(struct sim_server *server)
{
    struct cu_map requests = server->catalogd.requests;
    server->catalogd.requests = (struct cu_map){0};
    struct cu_bytes key;
    void *value;
    for (size_t at = 0; cu_map_next(&requests, &at, &key, &value);)
        sim_client_answer(server->sim, value, CU_E_DISCONNECTED, false, NULL);
    cu_map_deinit(&requests);
}

static void close_process(struct sim_server *server)
{
    struct sim_catalogd *catalogd = &server->catalogd;
    catalog_replica_free(catalogd->replica);
    catalogd->replica = NULL;
    close_state(catalogd);
    sim_entries_free(catalogd->followed);
    catalogd->followed = NULL;
    sim_batch_free(catalogd->batch);
    catalogd->batch = NULL;
    cu_map_deinit(&catalogd->calls);
    catalogd->is_on_duty = false;
    catalogd->life++;
}

void sim_catalogd_crash(struct sim_server *server, bool power_loss)
{
    struct sim *sim = server->sim;
    struct sim_catalogd *catalogd = &server->catalogd;
    if (!catalogd->replica)
        return;
    close_process(server);
    if (power_loss)
        catalogd->disk = sim_between(sim, catalogd->durable, catalogd->disk);
    sim_trace(sim, "catalogd %u %s: left at %llu", server->number,
              power_loss ? "loses power" : "is killed", (unsigned long long)catalogd->disk);
    disconnect_clients(server);
    sim_local_break(server);
}

void sim_catalogd_wipe(struct sim_server *server)
{
    server->catalogd.disk = server->catalogd.durable = 0;
    server->is_catalog_lost = true;
    sim_trace(server->sim, "catalogd %u loses its database", server->number);
}

void sim_catalogd_deinit(struct sim_server *server)
{
    struct cu_bytes key;
    void *value;
    close_process(server);
    for (size_t at = 0; cu_map_next(&server->catalogd.requests, &at, &key, &value);)
        sim_request_free(value);
    cu_map_deinit(&server->catalogd.requests);
}

/* ---- workers: apply, checkpoint, pull ---- */

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
        if (apply(server, *entry, arena, &event.outcome))
            break;
        sim_check_applied(server, entry->index, entry, &event.outcome);
        catalogd->disk = entry->index;
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

static void apply_later(struct sim_server *server)
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

struct checkpoint {
    uint64_t index;
    uint64_t database; /* that it is of: a pull replaces it */
};

static void checkpoint_ends(struct sim_server *server, void *data)
{
    struct checkpoint *checkpoint = data;
    struct catalog_event event = {.kind = CATALOG_EV_DURABLE,
                                  .position = position_at(server->sim, checkpoint->index)};
    if (checkpoint->database != server->catalogd.database) {
        free(checkpoint);
        return;
    }
    if (checkpoint->index > server->catalogd.durable)
        server->catalogd.durable = checkpoint->index;
    free(checkpoint);
    sim_catalogd_step(server, &event);
}

static void checkpoint_begins(struct sim_server *server, void *data)
{
    struct sim *sim = server->sim;
    (void)data;
    struct checkpoint *checkpoint = cu_alloc(sizeof *checkpoint);
    checkpoint->index = server->catalogd.disk;
    checkpoint->database = server->catalogd.database;
    uint64_t life = server->catalogd.life;
    sim_deliver(server, SIM_CATALOGD, life, sim_between(sim, 1, 20) * SIM_MS, checkpoint_ends,
                checkpoint, free);
    sim_deliver(server, SIM_CATALOGD, life, sim_between(sim, 100, 1500) * SIM_MS, checkpoint_begins,
                NULL, NULL);
}

struct pull {
    unsigned giver;
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
    if (reachable && pull->index && (pull->was_diverged || pull->index > catalogd->disk)) {
        open_state(server, pull->index);
        catalogd->disk = catalogd->durable = pull->index;
        catalogd->database++;
        event.err = CU_OK;
        event.position = position_at(sim, pull->index);
        sim_trace(sim, "catalogd %u pulls %llu from %u", server->number,
                  (unsigned long long)pull->index, pull->giver);
    }
    free(pull);
    sim_catalogd_step(server, &event);
}

static void pull_later(struct sim_server *server, bool was_diverged)
{
    struct sim *sim = server->sim;
    struct pull *pull = cu_alloc(sizeof *pull);
    if (sim->server_count > 1)
        pull->giver =
            (unsigned)((server->number + 1 + cu_random_below(&sim->random, sim->server_count - 1)) %
                       sim->server_count);
    const struct sim_server *giver = &sim->servers[pull->giver];
    pull->was_diverged = was_diverged;
    if (pull->giver != server->number && giver->catalogd.replica)
        pull->index = giver->catalogd.disk;
    sim_deliver(server, SIM_CATALOGD, server->catalogd.life, sim_between(sim, 5, 150) * SIM_MS,
                pull_ends, pull, free);
}

/* ---- clients' requests ---- */

static struct sim_request *take_request(struct sim_server *server, uint64_t tag)
{
    return cu_map_del_u64(&server->catalogd.requests, tag);
}

static void answer_read(struct sim_server *server, struct sim_request *request)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    char name[16];
    struct catalog_row row;
    sim_key_name(request->key, name);
    struct cu_bytes key = catalog_key_of(arena, cu_bytes_of(name));
    const struct catalog_backend *backend = memory_backend_get(server->catalogd.memory);
    enum cu_err err = backend->get(backend->context, CATALOG_KV, key, arena, &row);
    char value[24] = "";
    if (!err) {
        Curia__Internal__V1__KvRow *kv =
            curia__internal__v1__kv_row__unpack(NULL, row.value.len, row.value.data);
        CU_ASSERT(kv && kv->value.len < sizeof value);
        memcpy(value, kv->value.data, kv->value.len);
        curia__internal__v1__kv_row__free_unpacked(kv, NULL);
        request->cas_index = row.modify_index;
    }
    sim_client_answer(server->sim, request, CU_OK, true, err ? NULL : value);
    cu_arena_free(arena);
}

static void write_done(struct sim_server *server, const struct catalog_action *act)
{
    struct sim_request *request = take_request(server, act->tag);
    if (!request)
        return;
    bool applied_it =
        !act->err && act->outcome.fate == CATALOG_APPLIED && act->outcome.result->applied;
    sim_client_answer(server->sim, request, act->err, applied_it, NULL);
}

static void read_done(struct sim_server *server, const struct catalog_action *act)
{
    struct sim_request *request = take_request(server, act->tag);
    if (!request)
        return;
    if (act->kind == CATALOG_ACT_READ_READY)
        answer_read(server, request);
    else
        sim_client_answer(server->sim, request, act->err, false, NULL);
}

/* ---- proposals of a turn ---- */

static void end_of_turn(struct sim_server *server, void *data)
{
    struct sim_batch *batch = server->catalogd.batch;
    (void)data;
    server->catalogd.batch = NULL;
    if (batch)
        sim_call_propose(server, batch);
}

static void propose(struct sim_server *server, const struct raft_proposal *proposal)
{
    struct sim_catalogd *catalogd = &server->catalogd;
    if (!catalogd->batch) {
        catalogd->batch = sim_batch_new();
        sim_deliver(server, SIM_CATALOGD, catalogd->life, sim_between(server->sim, 0, 20 * SIM_US),
                    end_of_turn, NULL, NULL);
    }
    sim_batch_add(catalogd->batch, proposal);
}

static struct raft_id raft_id_of(struct catalog_id id)
{
    struct raft_id raft_id;
    memcpy(raft_id.bytes, id.bytes, sizeof raft_id.bytes);
    return raft_id;
}

static struct raft_body *body_of(const ProtobufCMessage *message)
{
    struct cu_buf buf = {0};
    (void)protobuf_c_message_pack(message,
                                  cu_buf_extend(&buf, protobuf_c_message_get_packed_size(message)));
    struct raft_body *body = raft_body_new(cu_buf_bytes(&buf));
    cu_buf_deinit(&buf);
    return body;
}

static void propose_write(struct sim_server *server, const struct catalog_action *act)
{
    struct sim_request *request = cu_map_get_u64(&server->catalogd.requests, act->tag);
    CU_ASSERT(request);
    propose(server, &(struct raft_proposal){.proposer = raft_id_of(act->proposer),
                                            .seq = act->seq,
                                            .level = 1,
                                            .body = raft_body_new(cu_buf_bytes(&request->command)),
                                            .kind = RAFT_COMMAND});
}

static void propose_open(struct sim_server *server, const struct catalog_action *act)
{
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__OpenProposer open = CURIA__INTERNAL__V1__OPEN_PROPOSER__INIT;
    struct raft_id proposer = raft_id_of(act->proposer);
    open.proposer = (ProtobufCBinaryData){sizeof proposer.bytes, proposer.bytes};
    open.applied_index = act->applied_index;
    command.open = &open;
    propose(server, &(struct raft_proposal){.proposer = proposer,
                                            .level = 1,
                                            .body = body_of(&command.base),
                                            .kind = RAFT_COMMAND});
}

/* What a duty proposes: whoever believes to be on duty, paused and outdated ones too
 * (contracts 5.2). */
static void duty_works(struct sim_server *server, void *data)
{
    struct sim_catalogd *catalogd = &server->catalogd;
    (void)data;
    if (!catalogd->is_on_duty || !server->is_connected || server->sim->is_quiet)
        return;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__ReapTombstones reap = CURIA__INTERNAL__V1__REAP_TOMBSTONES__INIT;
    reap.before_lease_ms = catalog_store_lease_ms(catalogd->store);
    command.cause = (char *)"duty";
    command.reap_tombstones = &reap;
    struct sim_batch *batch = sim_batch_new();
    sim_batch_add(batch, &(struct raft_proposal){.if_term = catalogd->duty_term,
                                                 .ticket = raft_id_of(catalogd->ticket),
                                                 .level = 1,
                                                 .body = body_of(&command.base),
                                                 .kind = RAFT_COMMAND});
    sim_call_propose(server, batch);
    sim_deliver(server, SIM_CATALOGD, catalogd->life, sim_between(server->sim, 100, 900) * SIM_MS,
                duty_works, NULL, NULL);
}

static void duty_begins(struct sim_server *server, const struct catalog_action *act)
{
    server->catalogd.is_on_duty = true;
    server->catalogd.ticket = act->ticket;
    server->catalogd.duty_term = act->term;
    duty_works(server, NULL);
}

/* ---- actions and steps ---- */

static void perform(struct sim_server *server, const struct catalog_action *act)
{
    switch (act->kind) {
    case CATALOG_ACT_ATTACH:
        sim_call_attach(server, act);
        break;
    case CATALOG_ACT_FOLLOW:
        sim_call_follow(server, act);
        break;
    case CATALOG_ACT_APPLY:
        apply_later(server);
        break;
    case CATALOG_ACT_PROPOSE:
        propose_write(server, act);
        break;
    case CATALOG_ACT_OPEN:
        propose_open(server, act);
        break;
    case CATALOG_ACT_READ_INDEX:
        sim_call_read_index(server, act);
        break;
    case CATALOG_ACT_READ_READY:
    case CATALOG_ACT_READ_FAILED:
        read_done(server, act);
        break;
    case CATALOG_ACT_WRITE_DONE:
        write_done(server, act);
        break;
    case CATALOG_ACT_PULL:
        pull_later(server, act->was_diverged);
        break;
    case CATALOG_ACT_DUTY:
        sim_call_duty(server, act);
        break;
    case CATALOG_ACT_DUTY_BEGIN:
        duty_begins(server, act);
        break;
    case CATALOG_ACT_DUTY_END:
        server->catalogd.is_on_duty = false;
        break;
    case CATALOG_ACT_STOP:
        sim_fail(server->sim, "one cluster (I28)", "catalogd %u stops before an unrelated cluster",
                 server->number);
        break;
    case CATALOG_ACTION_COUNT:
        break;
    }
}

struct tick {
    uint64_t number;
};

static void tick(struct sim_server *server, void *data)
{
    struct tick *t = data;
    bool counts = t->number == server->catalogd.timer;
    free(t);
    if (counts)
        sim_catalogd_step(server, &(struct catalog_event){.kind = CATALOG_EV_TICK});
}

static void arm(struct sim_server *server)
{
    struct cu_mono deadline = catalog_replica_next_deadline(server->catalogd.replica);
    uint64_t number = ++server->catalogd.timer;
    if (deadline.ns == UINT64_MAX)
        return;
    struct tick *t = cu_alloc(sizeof *t);
    t->number = number;
    sim_deliver(server, SIM_CATALOGD, server->catalogd.life, sim_delay_until(server, deadline),
                tick, t, free);
}

void sim_catalogd_step(struct sim_server *server, struct catalog_event *event)
{
    struct sim_catalogd *catalogd = &server->catalogd;
    if (server->sim->failure || !catalogd->replica)
        return;
    event->now = sim_clock(server);
    struct catalog_actions actions = {0};
    catalog_replica_step(catalogd->replica, event, &actions);
    uint64_t life = catalogd->life;
    for (uint32_t i = 0; i < actions.count && catalogd->life == life; i++)
        perform(server, &actions.items[i]);
    catalog_actions_deinit(&actions);
    if (catalogd->life == life)
        arm(server);
}
