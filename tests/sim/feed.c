/* Attach, follow and duty: the calls of a catalogd that stay with its own raftd. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

enum { DUTY_WAIT_MS = 400, FOLLOW_BYTES = 64 * 1024, FOLLOW_ENTRIES = 64 };

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

void sim_answer_attach(struct sim_server *server, const struct raft_action *action)
{
    struct raft_status status;
    raft_status(server->raftd.raft, sim_clock(server), &status);
    struct attach_answer *answer = cu_alloc(sizeof *answer);
    *answer =
        (struct attach_answer){action->attached.err, action->attached.adopted, status.cluster};
    if (server->is_connected && action->attached.tag == server->connection)
        sim_local_send(server, SIM_CATALOGD, attached, answer, free);
    else
        free(answer);
}

static void take_attach(struct sim_server *server, void *data)
{
    struct raft_header *header = data;
    sim_raftd_step(
        server,
        &(struct raft_event){.kind = RAFT_EV_ATTACH, .tag = server->connection, .attach = header});
    free(header);
}

void sim_call_attach(struct sim_server *server, const struct catalog_action *act)
{
    struct raft_header *header = cu_alloc(sizeof *header);
    *header = sim_header_at(server->sim, server->catalogd.lineage, act->durable.index);
    sim_local_send(server, SIM_RAFTD, take_attach, header, free);
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
    sim_local_send(server, SIM_RAFTD, take_follow, call, free);
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
    server->catalogd.log_cluster = entries->cluster;
    server->catalogd.log_prior = entries->prior;
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
    entries->cluster = found.cluster;
    entries->prior = found.prior;
    entries->is_own_lineage = is_in_lineage(raft, status.cluster, parked->after.cluster);
    if (found.outcome == RAFT_FOLLOW_ENTRIES) {
        entries->items = cu_alloc(FOLLOW_ENTRIES * sizeof *entries->items);
        enum cu_err err = raft_read(raft, found.first, found.last, FOLLOW_BYTES, FOLLOW_ENTRIES,
                                    entries->items, &entries->count);
        CU_ASSERT(!err && entries->count);
    }
    parked->is_set = false;
    sim_local_send(server, SIM_CATALOGD, followed, entries, sim_entries_free);
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
    sim_local_send(server, SIM_RAFTD, take_duty, ticket, free);
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
    sim_local_send(server, SIM_CATALOGD, duty_answered, cu_memdup(&duty, sizeof duty), free);
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
