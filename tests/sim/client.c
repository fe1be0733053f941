/* Clients: each does one request after the other, at any server, and writes down what it saw. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/kv.h"
#include "tests/sim/world.h"

enum { PATIENCE_MS = 5000 };

void sim_key_name(unsigned key, char name[16])
{
    (void)snprintf(name, 16, "key/%u", key);
}

void sim_request_free(void *data)
{
    struct sim_request *request = data;
    cu_buf_deinit(&request->command);
    free(request);
}

static void next_request(struct sim *sim, void *data);

static void think(struct sim_client *client)
{
    uint64_t delay = sim_between(client->sim, 5, 120) * SIM_MS;
    sim_after(client->sim, delay, next_request, client, NULL);
}

/* Values are their number, so that every write is told apart; 0 is "no such key" (a delete). */
uint64_t sim_number_of(const char *value)
{
    return value ? strtoull(value, NULL, 10) : 0;
}

void sim_client_answer(struct sim *sim, struct sim_request *request, enum cu_err err, bool applied,
                       const char *value)
{
    struct sim_client *client = &sim->clients[request->client];
    struct history_operation *op = &sim->history.items[request->operation];
    bool is_late = client->request != request->number;
    bool is_open = err == CU_E_UNKNOWN || err == CU_E_DISCONNECTED || err == CU_E_DEADLINE;
    if (!is_late && !err) {
        op->is_known = true;
        op->end = sim->now;
        op->applied = applied;
        if (op->kind == HISTORY_READ) {
            op->value = sim_number_of(value);
            client->seen_index[request->key] = value ? request->cas_index : 0;
            client->seen_value[request->key] = op->value;
        }
    } else if (!is_late && !is_open) {
        op->kind = HISTORY_READ; /* refused: it had no effect, and is no part of the history */
        op->is_known = false;
    }
    sim_trace(sim, "client %u: %s %u -> %s %s (value %llu, expected %llu at %llu)", client->number,
              request->kind == SIM_PUT   ? "put"
              : request->kind == SIM_CAS ? "cas"
                                         : "get",
              request->key, cu_err_name(err), applied ? "yes" : "no", (unsigned long long)op->value,
              (unsigned long long)op->expected, (unsigned long long)request->cas_index);
    sim_request_free(request);
    if (is_late)
        return;
    client->request++;
    think(client);
}

struct patience {
    struct sim_client *client;
    uint64_t request;
};

static void gives_up(struct sim *sim, void *data)
{
    struct patience *patience = data;
    if (patience->client->request == patience->request) {
        patience->client->request++;
        think(patience->client);
    }
    free(patience);
    (void)sim;
}

static void pack_command(struct sim_request *request, Curia__Internal__V1__KvCommand *kv)
{
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    command.actor = (char *)"anonymous";
    command.cause = (char *)"api";
    command.kv = kv;
    size_t size = curia__internal__v1__command__get_packed_size(&command);
    (void)curia__internal__v1__command__pack(&command, cu_buf_extend(&request->command, size));
}

static void make_write(struct sim_client *client, struct sim_request *request,
                       struct history_operation *op)
{
    Curia__Internal__V1__KvCommand kv = CURIA__INTERNAL__V1__KV_COMMAND__INIT;
    char name[16];
    sim_key_name(request->key, name);
    kv.key = (ProtobufCBinaryData){strlen(name), (uint8_t *)name};
    bool deletes = request->kind == SIM_PUT && sim_chance(client->sim, 100);
    if (deletes) {
        kv.verb = CATALOG_KV_DELETE;
        op->value = 0;
    } else {
        op->value = ++client->sim->last_value;
        (void)snprintf(request->value, sizeof request->value, "%llu",
                       (unsigned long long)op->value);
        kv.value = (ProtobufCBinaryData){strlen(request->value), (uint8_t *)request->value};
        kv.verb = request->kind == SIM_CAS ? CATALOG_KV_CAS : CURIA__V1__KV_VERB__KV_SET;
    }
    op->kind = HISTORY_WRITE;
    if (request->kind == SIM_CAS) {
        op->kind = HISTORY_CAS;
        op->expected = client->seen_value[request->key];
        kv.index = request->cas_index = client->seen_index[request->key];
    }
    pack_command(request, &kv);
}

static void arrive(struct sim_server *server, void *data)
{
    struct sim_request *request = data;
    struct sim *sim = server->sim;
    uint64_t tag = ++server->catalogd.next_tag;
    (void)cu_map_put_u64(&server->catalogd.requests, tag, request);
    struct catalog_event event = {
        .tag = tag, .deadline = cu_mono_add_ms(sim_clock(server), sim_between(sim, 300, 3000))};
    switch (request->kind) {
    case SIM_PUT:
    case SIM_CAS:
        event.kind = CATALOG_EV_WRITE;
        break;
    case SIM_GET:
    case SIM_GET_CONSISTENT:
        event.kind = CATALOG_EV_READ;
        event.mode = request->kind == SIM_GET ? CATALOG_READ_DEFAULT : CATALOG_READ_CONSISTENT;
        break;
    }
    sim_catalogd_step(server, &event);
    /* The turn ends: reads of a turn share a round, which leaves with the next event. */
    if (event.kind == CATALOG_EV_READ)
        sim_catalogd_step(server, &(struct catalog_event){.kind = CATALOG_EV_TICK});
}

static enum sim_request_kind pick_kind(struct sim *sim)
{
    uint64_t dice = cu_random_below(&sim->random, 10);
    return dice < 3 ? SIM_PUT : dice < 5 ? SIM_CAS : dice < 9 ? SIM_GET : SIM_GET_CONSISTENT;
}

static void next_request(struct sim *sim, void *data)
{
    struct sim_client *client = data;
    if (sim->now >= sim->stop_clients_ns)
        return;
    struct sim_server *server = &sim->servers[cu_random_below(&sim->random, sim->server_count)];
    if (!server->catalogd.replica) {
        think(client);
        return;
    }
    struct sim_request *request = cu_alloc(sizeof *request);
    request->kind = pick_kind(sim);
    request->client = client->number;
    request->number = client->request;
    request->key = (unsigned)cu_random_below(&sim->random, SIM_KEYS);
    struct history_operation op = {
        .kind = HISTORY_READ, .key = request->key, .start = sim->now, .end = UINT64_MAX};
    if (request->kind == SIM_PUT || request->kind == SIM_CAS)
        make_write(client, request, &op);
    request->operation = history_begin(&sim->history, &op);
    struct patience *patience = cu_alloc(sizeof *patience);
    *patience = (struct patience){client, client->request};
    sim_after(sim, PATIENCE_MS * (uint64_t)SIM_MS, gives_up, patience, free);
    sim_deliver(server, SIM_CATALOGD, 0, sim_between(sim, 50 * SIM_US, 300 * SIM_US), arrive,
                request, sim_request_free);
}

void sim_clients_start(struct sim *sim)
{
    for (unsigned i = 0; i < sim->client_count; i++) {
        sim->clients[i] = (struct sim_client){.sim = sim, .number = i};
        think(&sim->clients[i]);
    }
}
