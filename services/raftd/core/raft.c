#include <stdlib.h>

#include "common/base/assert.h"
#include "services/raftd/core/state.h"

struct raft_id raft_random_id(struct raft *r)
{
    struct raft_id id;
    for (unsigned i = 0; i < sizeof id.bytes; i += 8) {
        uint64_t word = cu_random_u64(&r->random);
        for (unsigned k = 0; k < 8; k++)
            id.bytes[i + k] = (uint8_t)(word >> (8 * k));
    }
    return id;
}

static void take_options(struct raft *r, const struct raft_options *options)
{
    r->self = options->self;
    r->timing = options->timing;
    r->store = options->store;
    r->random.state = options->seed;
    r->batch = options->batch ? options->batch : RAFT_ENTRY_BATCH;
    CU_ASSERT(r->batch <= RAFT_ENTRY_BATCH);
    r->now = r->born_at = options->now;
    CU_ASSERT(options->bootstrap_count <= RAFT_SERVERS_MAX);
    r->bootstrap_count = options->bootstrap_count;
    for (uint32_t i = 0; i < options->bootstrap_count; i++)
        r->bootstrap[i] = options->bootstrap[i];
}

struct raft *raft_new(const struct raft_options *options, const struct raft_boot *boot)
{
    struct raft *r = cu_alloc(sizeof *r);
    take_options(r, options);
    r->term = boot->term;
    r->vote = boot->vote;
    r->incarnation = boot->incarnation;
    r->start = boot->start;
    r->promise = boot->promise;
    r->recovery = boot->recovery;
    r->trailing = boot->trailing;
    r->last_index = r->synced = boot->last_index;
    r->last_term = boot->last_term;
    r->last_wall_ms = boot->last_wall_ms;
    r->last_lease_ms = boot->last_lease_ms;
    r->commit = boot->start.position.index;
    raft_configuration_changed(r);
    raft_log_load(r);
    raft_arm_election(r);
    raft_bootstrap_restarted(r);
    return r;
}

static void free_calls(struct raft *r)
{
    for (uint32_t i = 0; i < r->call_count; i++)
        free(r->calls[i].seqs);
    free(r->calls);
}

void raft_free(struct raft *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->tail.count; i++)
        raft_body_unref(r->tail.ring[(r->tail.head + i) & (r->tail.cap - 1)].body);
    free(r->tail.ring);
    free_calls(r);
    free(r->changes);
    free(r->pending);
    free(r->reads_next.items);
    free(r->reads_round.items);
    free(r);
}

/* Read back wrong, or not at all: nothing that rests on this disk can be promised any more. */
void raft_store_failed(struct raft *r)
{
    r->has_failed = true;
}

static void fail(struct raft *r)
{
    if (r->has_told_failure)
        return;
    r->has_told_failure = true;
    raft_become_follower(r, r->term, (struct raft_id){{0}});
    raft_tell(r, RAFT_NOTE_STORE_FAILED, (struct raft_note_args){0});
}

static void on_persisted(struct raft *r, uint64_t persist)
{
    raft_log_persisted(r, persist);
    raft_advance_commit(r);
    raft_calls_committed(r);
    raft_compact(r);
}

static void on_tick(struct raft *r)
{
    raft_lease_tick(r);
    raft_election_tick(r);
    raft_replicate_tick(r);
    raft_transfer_tick(r);
    raft_bootstrap_tick(r);
    raft_compact(r); /* a hold may have ended */
}

static bool is_of_operator(enum raft_event_kind kind)
{
    return kind == RAFT_EV_RECOVER || kind == RAFT_EV_FORGET_PROMISE || kind == RAFT_EV_CHANGE;
}

static enum raft_action_kind answer_kind(enum raft_event_kind kind)
{
    if (kind == RAFT_EV_CHANGE)
        return RAFT_ACT_CHANGED;
    return kind == RAFT_EV_RECOVER ? RAFT_ACT_RECOVERED : RAFT_ACT_FORGOTTEN;
}

/* After a failed disk every question is still answered, with a refusal. */
static void refuse(struct raft *r, const struct raft_event *event)
{
    if (event->kind == RAFT_EV_MESSAGE) {
        raft_message_deinit(event->message);
        free(event->message);
    } else if (event->kind == RAFT_EV_PROPOSE) {
        raft_on_propose(r, event);
    } else if (event->kind == RAFT_EV_READ_INDEX) {
        raft_on_read_index(r, event);
    } else if (event->kind == RAFT_EV_ATTACH) {
        raft_emit(r, (struct raft_action){.kind = RAFT_ACT_ATTACHED,
                                          .attached = {.tag = event->tag, .err = CU_E_INTERNAL}});
    } else if (is_of_operator(event->kind)) {
        raft_emit(r, (struct raft_action){.kind = answer_kind(event->kind),
                                          .done = {.tag = event->tag,
                                                   .err = CU_E_INTERNAL,
                                                   .text = "the log cannot be written"}});
    }
}

static void handle(struct raft *r, const struct raft_event *event)
{
    switch (event->kind) {
    case RAFT_EV_TICK:
        on_tick(r);
        break;
    case RAFT_EV_MESSAGE:
        raft_on_message(r, event->message);
        break;
    case RAFT_EV_PERSISTED:
        on_persisted(r, event->persist_id);
        break;
    case RAFT_EV_PERSIST_FAILED:
        raft_store_failed(r);
        break;
    case RAFT_EV_PROPOSE:
        raft_on_propose(r, event);
        break;
    case RAFT_EV_READ_INDEX:
        raft_on_read_index(r, event);
        break;
    case RAFT_EV_ATTACH:
        raft_on_attach(r, event);
        break;
    case RAFT_EV_DETACH:
        r->is_attached = false;
        r->ticket_term = 0;
        break;
    case RAFT_EV_DURABLE:
        raft_on_durable(r, event->durable);
        break;
    case RAFT_EV_DUTY_POLL:
        raft_on_duty_poll(r, event->duty.gossip_well, event->duty.apply_well);
        break;
    case RAFT_EV_HOLD:
        raft_on_hold(r, event->hold.index, event->hold.ttl_ms);
        break;
    case RAFT_EV_STOP:
        r->is_stopping = true;
        raft_transfer_start(r, false);
        break;
    case RAFT_EV_RECOVER:
        raft_on_recover(r, event);
        break;
    case RAFT_EV_FORGET_PROMISE:
        raft_on_forget_promise(r, event->tag);
        break;
    case RAFT_EV_EXPECT:
        raft_on_expect(r, event);
        break;
    case RAFT_EV_CHANGE:
        raft_on_change(r, event);
        break;
    case RAFT_EVENT_COUNT:
        CU_ASSERT(!"an event");
    }
}

void raft_step(struct raft *r, const struct raft_event *event, struct raft_actions *out)
{
    r->out = out;
    if (cu_mono_before(r->now, event->now))
        r->now = event->now;
    if (event->wall_ms)
        r->wall_ms = event->wall_ms;
    raft_notice_pause(r);
    if (r->has_failed)
        refuse(r, event);
    else
        handle(r, event);
    if (!r->has_failed) {
        if (raft_has_recovery_row(r) &&
            raft_id_equal(raft_cluster_at(r, r->commit), r->recovery.cluster))
            raft_recovery_end(r);
        raft_change_tick(r);
        raft_replicate(r);
        raft_reads_tick(r);
        if (r->is_transferring)
            raft_transfer_tick(r);
    }
    if (r->has_failed)
        fail(r);
    raft_flush(r);
    r->out = NULL;
}

/* ---- timers ---- */

static struct cu_mono peer_deadline(const struct raft *r, const struct raft_peer *peer)
{
    if (peer->stream == RAFT_NEED_STATE)
        return peer->state_at;
    if (peer->flight_count)
        return cu_mono_add_ms(peer->flights[0].sent_at, r->timing.contact_ms);
    return cu_mono_before(r->now, peer->paused_until) ? peer->paused_until : CU_MONO_NEVER;
}

static struct cu_mono leader_deadline(const struct raft *r)
{
    struct cu_mono at = cu_mono_min(r->heartbeat_at, r->noop_at);
    at = cu_mono_min(at, raft_lease_end(r));
    for (uint32_t i = 0; i < r->peer_count; i++)
        at = cu_mono_min(at, peer_deadline(r, &r->peers[i]));
    at = cu_mono_min(at, raft_change_deadline(r));
    return cu_mono_min(at, raft_transfer_deadline(r));
}

struct cu_mono raft_next_deadline(const struct raft *r)
{
    if (r->has_failed)
        return CU_MONO_NEVER;
    struct cu_mono at = raft_bootstrap_deadline(r);
    if (r->role == RAFT_LEADER)
        at = cu_mono_min(at, leader_deadline(r));
    else
        at = cu_mono_min(at, r->election_at);
    for (uint32_t i = 0; i < r->hold_count; i++)
        at = cu_mono_min(at, r->holds[i].until);
    return at;
}
