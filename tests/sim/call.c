/* Proposals and read indexes: at this raftd or forwarded to the leader's, answered once or timed
 * out. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

enum { CALL_TIMEOUT_MS = 800 };

/* Where an answer goes: kept by the raftd that took the event, under the event's tag. */
struct sim_tag {
    unsigned origin;
    uint64_t connection; /* of the origin's local stream */
    uint64_t call;
};

struct timeout {
    uint64_t call;
    bool is_read;
};

struct answer {
    uint64_t call;
    struct catalog_event event; /* PROPOSED or READ_INDEX */
    uint64_t *seqs, *lost;
    enum cu_err *errs;
};

static void answer_free(void *data)
{
    struct answer *answer = data;
    free(answer->seqs);
    free(answer->lost);
    free(answer->errs);
    free(answer);
}

static void take_answer(struct sim_server *server, void *data)
{
    struct answer *answer = data;
    if (cu_map_del_u64(&server->catalogd.calls, answer->call)) {
        answer->event.tag = answer->call;
        sim_catalogd_step(server, &answer->event);
    }
    answer_free(answer);
}

static void timed_out(struct sim_server *server, void *data)
{
    struct timeout *timeout = data;
    struct answer *answer = cu_alloc(sizeof *answer);
    answer->call = timeout->call;
    answer->event.kind = timeout->is_read ? CATALOG_EV_READ_INDEX : CATALOG_EV_PROPOSED;
    answer->event.err = CU_E_DISCONNECTED;
    free(timeout);
    take_answer(server, answer);
}

static void open_call(struct sim_server *server, uint64_t call, bool is_read)
{
    (void)cu_map_put_u64(&server->catalogd.calls, call, server);
    struct timeout *timeout = cu_alloc(sizeof *timeout);
    *timeout = (struct timeout){call, is_read};
    sim_deliver(server, SIM_CATALOGD, server->catalogd.life, CALL_TIMEOUT_MS * (uint64_t)SIM_MS,
                timed_out, timeout, free);
}

/* From the raftd that answered to the origin's raftd, and on to its catalogd. */
struct homeward {
    struct sim_server *origin;
    uint64_t connection;
    struct answer *answer;
};

static void homeward_free(void *data)
{
    struct homeward *homeward = data;
    answer_free(homeward->answer);
    free(homeward);
}

static void home(struct sim_server *server, void *data)
{
    struct homeward *homeward = data;
    if (server->is_connected && server->connection == homeward->connection)
        sim_local_send(server, SIM_CATALOGD, take_answer, homeward->answer, answer_free);
    else
        answer_free(homeward->answer);
    free(homeward);
}

static void home_over_network(struct sim *sim, void *data)
{
    struct homeward *homeward = data;
    sim_deliver(homeward->origin, SIM_RAFTD, 0, 0, home, homeward, homeward_free);
    (void)sim;
}

static void send_home(struct sim_server *server, const struct sim_tag *tag, struct answer *answer)
{
    struct sim *sim = server->sim;
    struct homeward *homeward = cu_alloc(sizeof *homeward);
    *homeward = (struct homeward){&sim->servers[tag->origin], tag->connection, answer};
    answer->call = tag->call;
    if (tag->origin == server->number)
        home(server, homeward);
    else
        sim_send(sim, server->number, tag->origin, home_over_network, homeward, homeward_free,
                 NULL);
}

static struct answer *proposed(const struct raft_action *action)
{
    struct answer *answer = cu_alloc(sizeof *answer);
    uint32_t refused = action->proposed.refusal_count, lost = action->proposed.lost_count;
    answer->event.kind = CATALOG_EV_PROPOSED;
    answer->seqs = cu_alloc((refused + 1) * sizeof *answer->seqs);
    answer->errs = cu_alloc((refused + 1) * sizeof *answer->errs);
    for (uint32_t i = 0; i < refused; i++) {
        answer->seqs[i] = action->proposed.refusals[i].seq;
        answer->errs[i] = action->proposed.refusals[i].err;
    }
    answer->lost = cu_memdup(action->proposed.lost, lost * sizeof *answer->lost);
    answer->event.proposed.refused = answer->seqs;
    answer->event.proposed.refused_err = answer->errs;
    answer->event.proposed.refused_count = refused;
    answer->event.proposed.lost = answer->lost;
    answer->event.proposed.lost_count = lost;
    return answer;
}

void sim_raftd_answer(struct sim_server *server, const struct raft_action *action)
{
    if (action->kind == RAFT_ACT_ATTACHED) {
        sim_answer_attach(server, action);
        return;
    }
    bool is_read = action->kind == RAFT_ACT_READ;
    uint64_t number = is_read ? action->read.tag : action->proposed.tag;
    struct sim_tag *tag = cu_map_del_u64(&server->raftd.tags, number);
    if (!tag) {
        sim_fail(server->sim, "a call is answered once", "server %u answers tag %llu again",
                 server->number, (unsigned long long)number);
        return;
    }
    struct answer *answer = is_read ? cu_alloc(sizeof *answer) : proposed(action);
    if (is_read) {
        answer->event.kind = CATALOG_EV_READ_INDEX;
        answer->event.err = action->read.err;
        answer->event.read.index = action->read.index;
        answer->event.read.term = action->read.term;
    }
    send_home(server, tag, answer);
    free(tag);
}

static uint64_t keep_tag(struct sim_server *server, const struct sim_tag *tag)
{
    uint64_t number = ++server->raftd.next_tag;
    (void)cu_map_put_u64(&server->raftd.tags, number, cu_memdup(tag, sizeof *tag));
    return number;
}

/* ---- proposals and read indexes, at this raftd or at the leader's ---- */

struct sim_batch {
    struct sim_tag tag;
    bool is_read;
    enum raft_read_mode mode;
    bool was_forwarded;
    struct raft_proposal *items;
    uint32_t count, cap;
};

struct sim_batch *sim_batch_new(void)
{
    return cu_alloc(sizeof(struct sim_batch));
}

void sim_batch_add(struct sim_batch *batch, const struct raft_proposal *proposal)
{
    if (batch->count == batch->cap) {
        batch->cap = batch->cap ? batch->cap * 2 : 8;
        batch->items = cu_realloc(batch->items, batch->cap * sizeof *batch->items);
    }
    batch->items[batch->count++] = *proposal;
}

void sim_batch_free(void *data)
{
    struct sim_batch *batch = data;
    if (!batch)
        return;
    for (uint32_t i = 0; i < batch->count; i++)
        raft_body_unref(batch->items[i].body);
    free(batch->items);
    free(batch);
}

static void take_batch(struct sim_server *server, void *data);

static void forwarded(struct sim *sim, void *data);

struct forward { /* over a connection, which dies with either process */
    struct sim_server *to;
    uint64_t life;
    struct sim_batch *batch;
};

static void forward_free(void *data)
{
    struct forward *forward = data;
    sim_batch_free(forward->batch);
    free(forward);
}

static void forwarded(struct sim *sim, void *data)
{
    struct forward *forward = data;
    sim_deliver(forward->to, SIM_RAFTD, forward->life, 0, take_batch, forward->batch,
                sim_batch_free);
    free(forward);
    (void)sim;
}

/* What a duty proposes is never forwarded (contracts 5.2). */
static bool may_forward(const struct sim_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->items[i].if_term)
            return false;
    return !batch->was_forwarded;
}

static bool forward_to_leader(struct sim_server *server, struct sim_batch *batch)
{
    struct raft_status status;
    raft_status(server->raftd.raft, sim_clock(server), &status);
    if (status.role == RAFT_LEADER || raft_id_is_none(status.leader) || !may_forward(batch))
        return false;
    for (unsigned to = 0; to < server->sim->server_count; to++) {
        if (to == server->number || !raft_id_equal(server->sim->servers[to].id, status.leader))
            continue;
        struct forward *forward = cu_alloc(sizeof *forward);
        batch->was_forwarded = true;
        struct sim_server *leader = &server->sim->servers[to];
        *forward = (struct forward){leader, leader->raftd.life, batch};
        sim_send(server->sim, server->number, to, forwarded, forward, forward_free, NULL);
        return true;
    }
    return false;
}

static void take_batch(struct sim_server *server, void *data)
{
    struct sim_batch *batch = data;
    if (forward_to_leader(server, batch))
        return;
    struct raft_event event = {.kind = batch->is_read ? RAFT_EV_READ_INDEX : RAFT_EV_PROPOSE,
                               .tag = keep_tag(server, &batch->tag)};
    if (batch->is_read) {
        event.read_mode = batch->mode;
    } else {
        event.propose.items = batch->items;
        event.propose.count = batch->count;
        batch->count = 0; /* the core takes the bodies */
    }
    sim_raftd_step(server, &event);
    sim_batch_free(batch);
}

void sim_call_propose(struct sim_server *server, struct sim_batch *batch)
{
    uint64_t call = ++server->catalogd.next_call;
    batch->tag = (struct sim_tag){server->number, server->connection, call};
    open_call(server, call, false);
    sim_local_send(server, SIM_RAFTD, take_batch, batch, sim_batch_free);
}

void sim_call_read_index(struct sim_server *server, const struct catalog_action *act)
{
    struct sim_batch *batch = sim_batch_new();
    batch->is_read = true;
    batch->mode = act->mode == CATALOG_READ_CONSISTENT ? RAFT_READ_CONSISTENT : RAFT_READ_DEFAULT;
    /* The replica's own number of the round names the call; proposals count from far above. */
    batch->tag = (struct sim_tag){server->number, server->connection, act->tag};
    open_call(server, act->tag, true);
    sim_local_send(server, SIM_RAFTD, take_batch, batch, sim_batch_free);
}
