/* The raftd of a simulated server: its life, its core, its messages. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

/* ---- life ---- */

static void free_writes(struct sim_raftd *raftd)
{
    while (raftd->writes) {
        struct sim_write *next = raftd->writes->next;
        raft_persist_free(raftd->writes->persist);
        free(raftd->writes);
        raftd->writes = next;
    }
    raftd->writes_tail = &raftd->writes;
}

static void free_action(struct raft_action *action)
{
    struct raft_actions one = {action, 1, 1};
    struct raft_action *copy = cu_memdup(action, sizeof *action);
    one.items = copy;
    raft_actions_deinit(&one);
}

static void free_held(struct sim_raftd *raftd)
{
    while (raftd->held) {
        struct sim_held *next = raftd->held->next;
        free_action(&raftd->held->action);
        free(raftd->held);
        raftd->held = next;
    }
    raftd->held_tail = &raftd->held;
}

static void free_tags(struct sim_raftd *raftd)
{
    struct cu_bytes key;
    void *value;
    for (size_t at = 0; cu_map_next(&raftd->tags, &at, &key, &value);)
        free(value);
    cu_map_deinit(&raftd->tags);
}

void sim_raftd_init(struct sim_server *server)
{
    struct sim_raftd *raftd = &server->raftd;
    raftd->writes_tail = &raftd->writes;
    raftd->held_tail = &raftd->held;
    raftd->log.incarnation = cu_random_u64(&server->sim->random) | 1;
}

void sim_raftd_start(struct sim_server *server)
{
    struct sim *sim = server->sim;
    struct sim_raftd *raftd = &server->raftd;
    CU_ASSERT(!raftd->raft);
    struct sim_log *log = &raftd->log;
    const struct raft_entry *last = log->count ? &log->entries[log->count - 1] : NULL;
    struct raft_boot boot = {
        .term = log->term,
        .vote = log->vote,
        .incarnation = log->incarnation,
        .start = log->start,
        .last_index = last ? last->index : log->start.position.index,
        .last_term = last ? last->term : log->start.position.term,
        .last_wall_ms = last ? last->wall_ms : log->start.wall_ms,
        .last_lease_ms = last ? last->lease_ms : log->start.lease_ms,
        .promise = log->promise,
        .recovery = log->recovery,
        .trailing = sim_between(sim, 0, 30),
    };
    struct raft_options options = {
        .self = server->id,
        .timing = raft_timing_default,
        .store = {server, sim_log_read},
        .seed = cu_random_u64(&sim->random),
        .batch = sim->batch,
        .now = sim_clock(server),
        .bootstrap_count = sim->server_count,
    };
    for (unsigned i = 0; i < sim->server_count; i++)
        options.bootstrap[i] = sim->servers[i].id;
    raftd->raft = raft_new(&options, &boot);
    raftd->life++;
    raftd->paused_until_ns = 0;
    raftd->is_leader_seen = false;
    raftd->checked_commit = 0;
    raftd->checked_lineage = -1;
    raftd->checked_term = log->term; /* what was not synced told nobody */
    sim_trace(sim, "raftd %u starts: term %llu last %llu floor %llu", server->number,
              (unsigned long long)boot.term, (unsigned long long)boot.last_index,
              (unsigned long long)boot.start.position.index);
    sim_raftd_step(server, &(struct raft_event){.kind = RAFT_EV_TICK});
    if (server->has_peers_file)
        sim_take_peers_file(server);
    sim_local_connect(server);
}

void sim_raftd_crash(struct sim_server *server)
{
    struct sim *sim = server->sim;
    struct sim_raftd *raftd = &server->raftd;
    if (!raftd->raft)
        return;
    /* Commits reach the disk in order; any prefix of those under way has. A torn one never
     * happened. */
    for (struct sim_write *write = raftd->writes; write && sim_chance(sim, 500);
         write = write->next)
        sim_log_write(server, write->persist);
    raft_free(raftd->raft);
    raftd->raft = NULL;
    raftd->life++;
    free_writes(raftd);
    free_held(raftd);
    free_tags(raftd);
    raftd->follow.is_set = raftd->duty.is_set = false;
    sim_trace(sim, "raftd %u crashes: last on disk %llu", server->number,
              (unsigned long long)(raftd->log.start.position.index + raftd->log.count));
    sim_local_break(server);
}

void sim_raftd_wipe(struct sim_server *server)
{
    struct sim_log *log = &server->raftd.log;
    sim_log_drop_from(log, 0);
    free(log->entries);
    *log = (struct sim_log){.incarnation = cu_random_u64(&server->sim->random) | 1};
    sim_trace(server->sim, "raftd %u loses its whole disk", server->number);
}

void sim_raftd_deinit(struct sim_server *server)
{
    struct sim_raftd *raftd = &server->raftd;
    raft_free(raftd->raft);
    free_writes(raftd);
    free_held(raftd);
    free_tags(raftd);
    sim_log_drop_from(&raftd->log, 0);
    free(raftd->log.entries);
}

/* ---- actions ---- */

static void message_free(void *data)
{
    raft_message_deinit(data);
    free(data);
}

static void *message_copy(const void *data)
{
    struct raft_message *copy = cu_memdup(data, sizeof *copy);
    if (copy->entry_count)
        copy->entries = cu_memdup(copy->entries, copy->entry_count * sizeof *copy->entries);
    for (uint32_t i = 0; i < copy->entry_count; i++)
        raft_body_ref(copy->entries[i].body);
    return copy;
}

static void hear(struct sim_server *server, void *data)
{
    struct raft_message *message = data;
    sim_raftd_step(server, &(struct raft_event){.kind = RAFT_EV_MESSAGE, .message = message});
}

struct arrival {
    struct sim_server *to;
    struct raft_message *message;
};

static void arrival_free(void *data)
{
    struct arrival *arrival = data;
    message_free(arrival->message);
    free(arrival);
}

static void *arrival_copy(const void *data)
{
    const struct arrival *from = data;
    struct arrival *copy = cu_memdup(from, sizeof *from);
    copy->message = message_copy(from->message);
    return copy;
}

static void arrive(struct sim *sim, void *data)
{
    struct arrival *arrival = data;
    sim_deliver(arrival->to, SIM_RAFTD, 0, 0, hear, arrival->message, message_free);
    free(arrival);
    (void)sim;
}

static void send_message(struct sim_server *server, struct raft_message *message)
{
    struct sim *sim = server->sim;
    sim_check_message(server, message);
    for (unsigned to = 0; to < sim->server_count; to++) {
        if (!raft_id_equal(sim->servers[to].id, message->to))
            continue;
        struct arrival *arrival = cu_alloc(sizeof *arrival);
        *arrival = (struct arrival){&sim->servers[to], message};
        sim_send(sim, server->number, to, arrive, arrival, arrival_free, arrival_copy);
        return;
    }
    sim_fail(sim, "messages go to servers", "server %u sends to a stranger", server->number);
    message_free(message);
}

static void written(struct sim_server *server, void *data);

static void sync_later(struct sim_server *server, struct raft_persist *persist)
{
    struct sim *sim = server->sim;
    struct sim_write *write = cu_alloc(sizeof *write);
    write->persist = persist;
    *server->raftd.writes_tail = write;
    server->raftd.writes_tail = &write->next;
    uint64_t delay = sim_between(sim, 100 * SIM_US, 1500 * SIM_US) + server->raftd.slow_ns;
    sim_deliver(server, SIM_RAFTD, server->raftd.life, delay, written, NULL, NULL);
}

static const char *const note_names[RAFT_NOTE_COUNT] = {
    [RAFT_NOTE_ROLE] = "role",
    [RAFT_NOTE_LEADER] = "leader",
    [RAFT_NOTE_REFUSED] = "refused",
    [RAFT_NOTE_REFUSES] = "refuses",
    [RAFT_NOTE_OTHER_CLUSTER] = "other cluster",
    [RAFT_NOTE_NO_PEERS] = "no peers",
    [RAFT_NOTE_OUTSIDER] = "outsider",
    [RAFT_NOTE_PROMISED] = "promised",
    [RAFT_NOTE_GAVE_UP] = "gave up",
    [RAFT_NOTE_BOOTSTRAPPED] = "bootstrapped",
    [RAFT_NOTE_ADOPTED] = "adopted",
    [RAFT_NOTE_NEED_STATE] = "need state",
    [RAFT_NOTE_TRANSFER] = "transfer",
    [RAFT_NOTE_LEASE_LOST] = "lease lost",
    [RAFT_NOTE_STORE_FAILED] = "store failed",
    [RAFT_NOTE_RECOVERY] = "recovery",
    [RAFT_NOTE_RECOVERED] = "recovered",
    [RAFT_NOTE_SET_ASIDE] = "set aside",
    [RAFT_NOTE_BELOW_FLOOR] = "below floor",
};

/* Takes what the action holds. */
static void perform(struct sim_server *server, struct raft_action *action)
{
    switch (action->kind) {
    case RAFT_ACT_SEND:
        send_message(server, action->send);
        break;
    case RAFT_ACT_PERSIST:
        sync_later(server, action->persist);
        break;
    case RAFT_ACT_PROPOSED:
    case RAFT_ACT_READ:
    case RAFT_ACT_ATTACHED:
        sim_raftd_answer(server, action);
        free_action(action);
        break;
    case RAFT_ACT_RECOVERED:
    case RAFT_ACT_FORGOTTEN:
        sim_raftd_done(server, action);
        break;
    case RAFT_ACT_CHANGED:
        sim_raftd_changed(server, action);
        break;
    case RAFT_ACT_NOTE:
        sim_trace(server->sim, "raftd %u: %s %s index %llu", server->number,
                  note_names[action->note.note], raft_role_name(action->note.role),
                  (unsigned long long)action->note.index);
        break;
    case RAFT_ACTION_COUNT:
        break;
    }
}

static uint64_t synced_id(const struct sim_raftd *raftd, uint64_t newest)
{
    return raftd->writes ? raftd->writes->persist->id - 1 : newest;
}

static void hold(struct sim_raftd *raftd, const struct raft_action *action)
{
    struct sim_held *held = cu_alloc(sizeof *held);
    held->action = *action;
    *raftd->held_tail = held;
    raftd->held_tail = &held->next;
}

static void release(struct sim_server *server, uint64_t synced)
{
    struct sim_raftd *raftd = &server->raftd;
    struct sim_held **at = &raftd->held;
    while (*at) {
        struct sim_held *held = *at;
        if (held->action.after > synced) {
            at = &held->next;
            continue;
        }
        *at = held->next;
        perform(server, &held->action);
        free(held);
    }
    raftd->held_tail = at;
}

static void written(struct sim_server *server, void *data)
{
    struct sim_raftd *raftd = &server->raftd;
    struct sim_write *write = raftd->writes;
    (void)data;
    uint64_t id = write->persist->id;
    sim_log_write(server, write->persist);
    raftd->writes = write->next;
    if (!raftd->writes)
        raftd->writes_tail = &raftd->writes;
    raft_persist_free(write->persist);
    free(write);
    release(server, id);
    sim_raftd_step(server, &(struct raft_event){.kind = RAFT_EV_PERSISTED, .persist_id = id});
}

/* ---- steps ---- */

struct tick {
    uint64_t number;
};

static void tick(struct sim_server *server, void *data)
{
    struct tick *t = data;
    bool counts = t->number == server->raftd.timer;
    free(t);
    if (counts)
        sim_raftd_step(server, &(struct raft_event){.kind = RAFT_EV_TICK});
}

static void arm(struct sim_server *server)
{
    struct cu_mono deadline = raft_next_deadline(server->raftd.raft);
    uint64_t delay = sim_delay_until(server, deadline);
    struct tick *t = cu_alloc(sizeof *t);
    t->number = ++server->raftd.timer;
    sim_deliver(server, SIM_RAFTD, server->raftd.life, delay, tick, t, free);
}

void sim_raftd_step(struct sim_server *server, struct raft_event *event)
{
    struct sim_raftd *raftd = &server->raftd;
    if (server->sim->failure)
        return;
    event->now = sim_clock(server);
    event->wall_ms = sim_wall_ms(server);
    struct raft_actions actions = {0};
    raft_step(raftd->raft, event, &actions);
    uint64_t life = raftd->life, newest = 0;
    for (uint32_t i = 0; i < actions.count; i++)
        if (actions.items[i].kind == RAFT_ACT_PERSIST)
            newest = actions.items[i].persist->id;
    for (uint32_t i = 0; i < actions.count && raftd->life == life; i++) {
        struct raft_action *action = &actions.items[i];
        uint64_t synced = synced_id(raftd, newest ? newest - 1 : UINT64_MAX);
        if (action->after && action->after > synced)
            hold(raftd, action);
        else
            perform(server, action);
    }
    free(actions.items);
    const char *broken = raft_check(raftd->raft);
    if (broken)
        sim_fail(server->sim, broken, "server %u", server->number);
    sim_check_server(server);
    sim_raftd_answer_parked(server);
    arm(server);
}
