/* The bus between the two processes of a server, and their calls that are forwarded to the leading
 * raftd. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

enum { CALL_TIMEOUT_MS = 800, DUTY_WAIT_MS = 400, FOLLOW_BYTES = 64 * 1024, FOLLOW_ENTRIES = 64 };

/* ---- delivery to a process ---- */

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

/* ---- the local stream ---- */

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

static void local_send(struct sim_server *server, enum sim_process to,
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

/* ---- calls and their answers; a call that is not answered in time is answered so ---- */

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
        local_send(server, SIM_CATALOGD, take_answer, homeward->answer, answer_free);
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

struct attach_answer {
    enum cu_err err;
    bool adopted;
    struct raft_id cluster;
};

static void attached(struct sim_server *server, void *data)
{
    struct attach_answer *answer = data;
    struct catalog_event event = {.kind = CATALOG_EV_ATTACHED, .err = answer->err};
    event.attached.adopted = answer->adopted;
    memcpy(event.attached.cluster.bytes, answer->cluster.bytes,
           sizeof event.attached.cluster.bytes);
    sim_trace(server->sim, "catalogd %u attached: %s%s", server->number, cu_err_name(answer->err),
              answer->adopted ? ", adopted" : "");
    free(answer);
    sim_catalogd_step(server, &event);
}

static void answer_attach(struct sim_server *server, const struct raft_action *action)
{
    struct raft_status status;
    raft_status(server->raftd.raft, sim_clock(server), &status);
    struct attach_answer *answer = cu_alloc(sizeof *answer);
    *answer =
        (struct attach_answer){action->attached.err, action->attached.adopted, status.cluster};
    if (server->is_connected && action->attached.tag == server->connection)
        local_send(server, SIM_CATALOGD, attached, answer, free);
    else
        free(answer);
}

void sim_raftd_answer(struct sim_server *server, const struct raft_action *action)
{
    if (action->kind == RAFT_ACT_ATTACHED) {
        answer_attach(server, action);
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
        answer->event.read_index = action->read.index;
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

struct forward {
    struct sim_server *to;
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
    sim_deliver(forward->to, SIM_RAFTD, 0, 0, take_batch, forward->batch, sim_batch_free);
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
        *forward = (struct forward){&server->sim->servers[to], batch};
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
    local_send(server, SIM_RAFTD, take_batch, batch, sim_batch_free);
}

void sim_call_read_index(struct sim_server *server, const struct catalog_action *act)
{
    struct sim_batch *batch = sim_batch_new();
    batch->is_read = true;
    batch->mode = act->mode == CATALOG_READ_CONSISTENT ? RAFT_READ_CONSISTENT : RAFT_READ_DEFAULT;
    /* The replica's own number of the round names the call; proposals count from far above. */
    batch->tag = (struct sim_tag){server->number, server->connection, act->tag};
    open_call(server, act->tag, true);
    local_send(server, SIM_RAFTD, take_batch, batch, sim_batch_free);
}

/* ---- attach ---- */

static void take_attach(struct sim_server *server, void *data)
{
    struct raft_header *header = data;
    sim_raftd_step(
        server,
        &(struct raft_event){.kind = RAFT_EV_ATTACH, .tag = server->connection, .attach = header});
    free(header);
}

/* The header of the durable state: what the log said up to there (contracts 3.6). */
static void fill_header(struct sim *sim, uint64_t index, struct raft_header *header)
{
    if (!index)
        return;
    const struct raft_entry *entry = &sim->committed[index - 1].entry;
    header->position = (struct raft_position){sim->cluster, index, entry->term};
    header->wall_ms = entry->wall_ms;
    header->lease_ms = entry->lease_ms;
    for (uint64_t i = index; i > 0; i--) {
        const struct raft_entry *change = &sim->committed[i - 1].entry;
        struct raft_configuration_body body;
        if (change->kind != RAFT_CONFIGURATION)
            continue;
        int err = raft_configuration_decode(raft_entry_body(change), &body);
        CU_ASSERT(!err);
        header->configuration = body.configuration;
        header->configuration.index = i;
        return;
    }
}

void sim_call_attach(struct sim_server *server, const struct catalog_action *act)
{
    struct raft_header *header = cu_alloc(sizeof *header);
    fill_header(server->sim, act->durable.index, header);
    local_send(server, SIM_RAFTD, take_attach, header, free);
}

/* ---- follow and duty: parked inside raftd ---- */

struct follow_call {
    struct raft_position after, durable;
    uint32_t wait_ms;
};

static void take_follow(struct sim_server *server, void *data)
{
    struct follow_call *call = data;
    server->raftd.follow =
        (struct sim_parked){.is_set = true,
                            .connection = server->connection,
                            .after = call->after,
                            .until_ns = server->sim->now + (uint64_t)call->wait_ms * SIM_MS};
    struct raft_event event = {.kind = RAFT_EV_DURABLE, .durable = call->durable};
    free(call);
    sim_raftd_step(server, &event);
}

static struct raft_position position_of(const struct catalog_position *from)
{
    struct raft_position position = {.index = from->index, .term = from->term};
    memcpy(position.cluster.bytes, from->cluster.bytes, sizeof position.cluster.bytes);
    return position;
}

void sim_call_follow(struct sim_server *server, const struct catalog_action *act)
{
    struct follow_call *call = cu_alloc(sizeof *call);
    *call =
        (struct follow_call){position_of(&act->after), position_of(&act->durable), act->wait_ms};
    local_send(server, SIM_RAFTD, take_follow, call, free);
}

void sim_entries_free(void *data)
{
    struct sim_entries *entries = data;
    if (!entries)
        return;
    for (uint32_t i = 0; i < entries->count; i++)
        raft_body_unref(entries->items[i].body);
    free(entries->items);
    free(entries);
}

static void followed(struct sim_server *server, void *data)
{
    struct sim_entries *entries = data;
    struct catalog_event event = {.kind = CATALOG_EV_FOLLOWED};
    event.followed.outcome = (enum catalog_follow)entries->outcome;
    event.followed.upto = entries->upto;
    event.followed.is_own_lineage = entries->is_own_lineage;
    memcpy(event.followed.cluster.bytes, entries->cluster.bytes, sizeof entries->cluster.bytes);
    if (entries->count) {
        const struct raft_entry *last = &entries->items[entries->count - 1];
        event.followed.last = (struct catalog_position){.index = last->index, .term = last->term};
        memcpy(event.followed.last.cluster.bytes, entries->cluster.bytes,
               sizeof entries->cluster.bytes);
    }
    sim_entries_free(server->catalogd.followed);
    server->catalogd.followed = entries;
    if (entries->outcome > RAFT_FOLLOW_ENTRIES)
        sim_trace(server->sim, "catalogd %u: %s", server->number,
                  entries->outcome == RAFT_FOLLOW_COMPACTED ? "compacted" : "diverged");
    sim_catalogd_step(server, &event);
}

static bool is_in_lineage(const struct raft *raft, struct raft_id own, struct raft_id cluster)
{
    struct raft_lineage lineage[RAFT_LINEAGE_MAX];
    uint32_t count = raft_lineage(raft, lineage);
    for (uint32_t i = 0; i < count; i++)
        if (raft_id_equal(lineage[i].cluster, cluster))
            return true;
    return raft_id_equal(own, cluster);
}

static void answer_follow(struct sim_server *server)
{
    struct sim_parked *parked = &server->raftd.follow;
    struct raft *raft = server->raftd.raft;
    struct raft_follow_answer found;
    raft_follow(raft, parked->after, &found);
    if (found.outcome == RAFT_FOLLOW_NOTHING && server->sim->now < parked->until_ns)
        return;
    struct raft_status status;
    raft_status(raft, sim_clock(server), &status);
    struct sim_entries *entries = cu_alloc(sizeof *entries);
    entries->outcome = found.outcome;
    entries->upto = found.upto;
    entries->cluster = status.cluster;
    entries->is_own_lineage = is_in_lineage(raft, status.cluster, parked->after.cluster);
    if (found.outcome == RAFT_FOLLOW_ENTRIES) {
        entries->items = cu_alloc(FOLLOW_ENTRIES * sizeof *entries->items);
        enum cu_err err = raft_read(raft, found.first, found.last, FOLLOW_BYTES, FOLLOW_ENTRIES,
                                    entries->items, &entries->count);
        CU_ASSERT(!err && entries->count);
    }
    parked->is_set = false;
    local_send(server, SIM_CATALOGD, followed, entries, sim_entries_free);
}

static void take_duty(struct sim_server *server, void *data)
{
    struct raft_id *ticket = data;
    server->raftd.duty =
        (struct sim_parked){.is_set = true,
                            .connection = server->connection,
                            .ticket = *ticket,
                            .until_ns = server->sim->now + DUTY_WAIT_MS * (uint64_t)SIM_MS};
    free(ticket);
    struct raft_event event = {.kind = RAFT_EV_DUTY_POLL};
    event.duty.gossip_well = event.duty.apply_well = true;
    sim_raftd_step(server, &event);
}

void sim_call_duty(struct sim_server *server, const struct catalog_action *act)
{
    struct raft_id *ticket = cu_alloc(sizeof *ticket);
    memcpy(ticket->bytes, act->ticket.bytes, sizeof ticket->bytes);
    local_send(server, SIM_RAFTD, take_duty, ticket, free);
}

static void duty_answered(struct sim_server *server, void *data)
{
    struct raft_duty *duty = data;
    struct catalog_event event = {.kind = CATALOG_EV_DUTY};
    event.duty.on = duty->on;
    event.duty.term = duty->term;
    event.duty.noop_index = duty->noop_index;
    memcpy(event.duty.ticket.bytes, duty->ticket.bytes, sizeof duty->ticket.bytes);
    free(duty);
    sim_catalogd_step(server, &event);
}

static void answer_duty(struct sim_server *server)
{
    struct raft_duty duty = raft_duty(server->raftd.raft, sim_clock(server));
    bool same =
        raft_id_equal(duty.on ? duty.ticket : (struct raft_id){{0}}, server->raftd.duty.ticket);
    if (same && server->sim->now < server->raftd.duty.until_ns)
        return;
    server->raftd.duty.is_set = false;
    local_send(server, SIM_CATALOGD, duty_answered, cu_memdup(&duty, sizeof duty), free);
}

static void look_again(struct sim_server *server, void *data)
{
    (void)data;
    sim_raftd_answer_parked(server);
}

void sim_raftd_answer_parked(struct sim_server *server)
{
    if (server->raftd.follow.is_set && server->raftd.follow.connection == server->connection)
        answer_follow(server);
    if (server->raftd.duty.is_set && server->raftd.duty.connection == server->connection)
        answer_duty(server);
    /* Heartbeats step every raftd many times a wait; a lone one is looked at by its own timer. */
    if (server->sim->server_count == 1 &&
        (server->raftd.follow.is_set || server->raftd.duty.is_set))
        sim_deliver(server, SIM_RAFTD, server->raftd.life, 100 * (uint64_t)SIM_MS, look_again, NULL,
                    NULL);
}
