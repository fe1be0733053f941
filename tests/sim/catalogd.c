/* The catalogd of a simulated server: its life, its replica machine, its clients' requests. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "tests/lib/memory_backend.h"
#include "tests/sim/world.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, BATCHES_FROM = 1ull << 40 };

/* ---- life ---- */

void sim_catalogd_init(struct sim_server *server)
{
    server->catalogd.next_call = BATCHES_FROM;
}

void sim_catalogd_start(struct sim_server *server)
{
    struct sim *sim = server->sim;
    struct sim_catalogd *catalogd = &server->catalogd;
    CU_ASSERT(!catalogd->replica);
    sim_state_open(server, catalogd->applied);
    struct catalog_replica_options options = {
        .now = sim_clock(server),
        .seed = cu_random_u64(&sim->random),
        .applied = sim_position_at(sim, catalogd->lineage, catalogd->applied),
        .durable = sim_position_at(sim, catalogd->lineage, catalogd->durable),
    };
    catalogd->replica = catalog_replica_new(&options);
    catalogd->life++;
    catalogd->paused_until_ns = 0;
    catalogd->apply_after_ns = 0;
    sim_trace(sim, "catalogd %u starts: applied %llu durable %llu", server->number,
              (unsigned long long)catalogd->applied, (unsigned long long)catalogd->durable);
    sim_deliver(server, SIM_CATALOGD, catalogd->life, sim_between(sim, 50, 1000) * SIM_MS,
                sim_checkpoint_begins, NULL, NULL);
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
    sim_state_close(catalogd);
    sim_entries_free(catalogd->followed);
    catalogd->followed = NULL;
    sim_batch_free(catalogd->batch);
    catalogd->batch = NULL;
    cu_map_deinit(&catalogd->calls);
    catalogd->is_on_duty = false;
    catalogd->life++;
}

void sim_catalogd_crash(struct sim_server *server)
{
    struct sim *sim = server->sim;
    struct sim_catalogd *catalogd = &server->catalogd;
    if (!catalogd->replica)
        return;
    close_process(server);
    catalogd->applied = sim_catalogd_folded(sim, catalogd);
    sim_trace(sim, "catalogd %u crashes: left at %llu", server->number,
              (unsigned long long)catalogd->applied);
    disconnect_clients(server);
    sim_local_break(server);
}

void sim_catalogd_wipe(struct sim_server *server)
{
    server->catalogd.applied = server->catalogd.durable = 0;
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
        sim_apply_later(server);
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
        sim_pull_later(server, act->was_diverged);
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
