/* The two processes of a server: delivery to each, and the stream between them. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

struct letter {
    struct sim_server *server;
    enum sim_process to;
    uint64_t life, number;
    void (*handle)(struct sim_server *server, void *data);
    void *data;
    void (*drop)(void *data);
};

static void letter_free(void *data)
{
    struct letter *letter = data;
    if (letter->drop && letter->data)
        letter->drop(letter->data);
    free(letter);
}

static void deliver(struct sim *sim, void *data)
{
    struct letter *letter = data;
    struct sim_server *server = letter->server;
    bool to_raftd = letter->to == SIM_RAFTD;
    bool runs = to_raftd ? server->raftd.raft != NULL : server->catalogd.replica != NULL;
    uint64_t life = to_raftd ? server->raftd.life : server->catalogd.life;
    uint64_t paused = to_raftd ? server->raftd.paused_until_ns : server->catalogd.paused_until_ns;
    if (sim->failure || !runs || (letter->life && letter->life != life)) {
        letter_free(letter);
        return;
    }
    if (paused > sim->now) {
        sim_again(sim, paused - sim->now, letter->number, deliver, letter, letter_free);
        return;
    }
    letter->handle(server, letter->data);
    free(letter);
}

void sim_deliver(struct sim_server *server, enum sim_process to, uint64_t life, uint64_t delay_ns,
                 void (*handle)(struct sim_server *server, void *data), void *data,
                 void (*drop)(void *data))
{
    struct letter *letter = cu_alloc(sizeof *letter);
    *letter = (struct letter){server, to, life, server->sim->next_number, handle, data, drop};
    sim_after(server->sim, delay_ns, deliver, letter, letter_free);
}

/* A frame over the connection `connection`; it dies with it, and keeps the order of its direction.
 */
struct frame {
    uint64_t connection;
    void (*handle)(struct sim_server *server, void *data);
    void *data;
    void (*drop)(void *data);
};

static void frame_free(void *data)
{
    struct frame *frame = data;
    if (frame->drop && frame->data)
        frame->drop(frame->data);
    free(frame);
}

static void open_frame(struct sim_server *server, void *data)
{
    struct frame *frame = data;
    if (frame->connection != server->connection || !server->is_connected) {
        frame_free(frame);
        return;
    }
    frame->handle(server, frame->data);
    free(frame);
}

void sim_local_send(struct sim_server *server, enum sim_process to,
                    void (*handle)(struct sim_server *server, void *data), void *data,
                    void (*drop)(void *data))
{
    struct sim *sim = server->sim;
    uint64_t at = sim->now + sim_between(sim, 10 * SIM_US, 80 * SIM_US);
    if (!sim->is_calm && sim_chance(sim, 20))
        at += sim_between(sim, 0, 5 * SIM_MS);
    if (at <= server->local_last_ns[to])
        at = server->local_last_ns[to] + 1;
    server->local_last_ns[to] = at;
    struct frame *frame = cu_alloc(sizeof *frame);
    *frame = (struct frame){server->connection, handle, data, drop};
    sim_deliver(server, to, 0, at - sim->now, open_frame, frame, frame_free);
}

static void raftd_sees_loss(struct sim_server *server, void *data)
{
    (void)data;
    server->raftd.follow.is_set = server->raftd.duty.is_set = false;
    sim_raftd_step(server, &(struct raft_event){.kind = RAFT_EV_DETACH});
}

static void catalogd_sees_loss(struct sim_server *server, void *data)
{
    (void)data;
    struct cu_bytes key;
    void *value;
    for (size_t at = 0; cu_map_next(&server->catalogd.calls, &at, &key, &value);)
        (void)cu_map_del(&server->catalogd.calls, key);
    sim_catalogd_step(server, &(struct catalog_event){.kind = CATALOG_EV_DISCONNECTED});
    if (server->raftd.raft)
        sim_local_connect(server);
}

void sim_local_break(struct sim_server *server)
{
    if (!server->is_connected)
        return;
    server->is_connected = false;
    if (server->raftd.raft)
        sim_deliver(server, SIM_RAFTD, server->raftd.life, 20 * SIM_US, raftd_sees_loss, NULL,
                    NULL);
    if (server->catalogd.replica)
        sim_deliver(server, SIM_CATALOGD, server->catalogd.life, 20 * SIM_US, catalogd_sees_loss,
                    NULL, NULL);
}

static void connected(struct sim_server *server, void *data)
{
    (void)data;
    if (server->is_connected || !server->raftd.raft)
        return;
    server->connection++;
    server->is_connected = true;
    sim_trace(server->sim, "catalogd %u connects", server->number);
    sim_catalogd_step(server, &(struct catalog_event){.kind = CATALOG_EV_CONNECTED});
}

void sim_local_connect(struct sim_server *server)
{
    if (server->catalogd.replica && server->raftd.raft && !server->is_connected)
        sim_deliver(server, SIM_CATALOGD, server->catalogd.life,
                    sim_between(server->sim, 1, 60) * SIM_MS, connected, NULL, NULL);
}
