#include "services/catalogd/core/replica.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/planted.h"
#include "services/catalogd/core/replica_state.h"

enum {
    ATTACH_AGAIN_MS = 100,
    ATTACH_DISPUTED_MS = 1000,
    FOLLOW_AGAIN_MS = 50,
    PULL_AGAIN_MS = 500
};

struct catalog_action *replica_act(struct catalog_actions *out, enum catalog_action_kind kind)
{
    if (out->count == out->cap) {
        out->cap = out->cap ? out->cap * 2 : 64;
        out->items = cu_realloc(out->items, out->cap * sizeof(*out->items));
    }
    struct catalog_action *action = &out->items[out->count++];
    memset(action, 0, sizeof(*action));
    action->kind = kind;
    return action;
}

void catalog_actions_deinit(struct catalog_actions *actions)
{
    free(actions->items);
    *actions = (struct catalog_actions){0};
}

uint64_t replica_backoff_ms(struct catalog_replica *r, uint32_t *backoff_ms)
{
    uint32_t ms = *backoff_ms ? *backoff_ms * 2 : REPLICA_BACKOFF_MIN_MS;
    *backoff_ms = ms > REPLICA_BACKOFF_MAX_MS ? REPLICA_BACKOFF_MAX_MS : ms;
    return *backoff_ms + cu_random_below(&r->random, *backoff_ms / 2 + 1);
}

struct catalog_replica *catalog_replica_new(const struct catalog_replica_options *options)
{
    struct catalog_replica *r = cu_alloc(sizeof(*r));
    r->random.state = options->seed;
    r->is_reader = options->is_reader;
    r->last = options->now;
    r->applied = r->cursor = options->applied;
    r->durable = options->durable;
    r->known_commit = options->applied.index;
    r->top_term = options->applied.term;
    r->next_seq = r->oldest = 1;
    r->writes_due = r->reads_due = CU_MONO_NEVER;
    return r;
}

void catalog_replica_free(struct catalog_replica *replica)
{
    if (!replica)
        return;
    replica_write_free(replica);
    replica_read_free(replica);
    free(replica);
}

static void note_commit(struct catalog_replica *r, uint64_t index)
{
    if (index > r->known_commit)
        r->known_commit = index;
}

/* ---- raftd comes and goes ---- */

static void disconnected(struct catalog_replica *r, struct catalog_actions *out)
{
    r->is_connected = r->is_attaching = r->is_attached = r->is_following = false;
    replica_write_resend(r, true);
    replica_read_again(r);
    replica_duty_end(r, out);
}

/* CONFLICT: what raftd holds is of another cluster. Follow's answer tells which kind of other, so
 * that is asked next; nothing has been adopted (contracts 3.6). */
static void attached(struct catalog_replica *r, const struct catalog_event *ev)
{
    if (!r->is_attaching)
        return;
    r->is_attaching = false;
    r->is_attached = ev->err == CU_OK || ev->err == CU_E_CONFLICT;
    if (!r->is_attached)
        r->attach_at = cu_mono_add_ms(ev->now, ATTACH_AGAIN_MS);
}

static void stop(struct catalog_replica *r, struct catalog_actions *out)
{
    r->is_stopped = true;
    replica_write_stop(r, out);
    replica_read_stop(r, out);
    replica_duty_end(r, out);
}

/* ---- the feed ---- */

static void entries(struct catalog_replica *r, struct catalog_position last,
                    struct catalog_actions *out)
{
    CU_ASSERT(r->batch_count < REPLICA_BATCHES_MAX);
    r->cursor = last;
    r->batch_ends[r->batch_count++] = last.index;
    replica_act(out, CATALOG_ACT_APPLY)->after = last;
    if (last.term > r->top_term) { /* what an older leader took may be gone (consensus 15) */
        r->top_term = last.term;
        replica_write_resend(r, true);
        replica_read_again(r); /* it may be paused or cut off, and its answer far away */
    }
}

static void diverged(struct catalog_replica *r, const struct catalog_event *ev,
                     struct catalog_actions *out)
{
    if (ev->followed.is_own_lineage) {
        r->wants_pull = r->was_diverged = true;
        return;
    }
    struct catalog_action *act = replica_act(out, CATALOG_ACT_STOP);
    act->cluster = r->cursor.cluster;
    act->other_cluster = ev->followed.cluster;
    stop(r, out);
}

static void disown(struct catalog_replica *r)
{
    if (!r->is_stopped)
        r->is_disowned = r->wants_pull = r->was_diverged = true;
}

static void followed(struct catalog_replica *r, const struct catalog_event *ev,
                     struct catalog_actions *out)
{
    if (!r->is_following)
        return;
    r->is_following = false;
    if (ev->err == CU_E_CONFLICT || ev->err == CU_E_DENIED) { /* another one attached since */
        r->is_attached = false;
        r->attach_at = cu_mono_add_ms(ev->now, ATTACH_DISPUTED_MS);
        replica_duty_end(r, out);
        return;
    }
    if (ev->err != CU_OK) {
        r->follow_at = cu_mono_add_ms(ev->now, FOLLOW_AGAIN_MS);
        return;
    }
    note_commit(r, ev->followed.upto);
    switch (ev->followed.outcome) {
    case CATALOG_NOTHING:
        break;
    case CATALOG_ENTRIES:
        if (!r->is_stopped)
            entries(r, ev->followed.last, out);
        break;
    case CATALOG_COMPACTED:
        r->wants_pull = true;
        break;
    case CATALOG_DIVERGED:
        diverged(r, ev, out);
        break;
    }
    if (r->is_disowned) /* a pull failed, and what raftd says is known: once more */
        disown(r);
}

static void applied(struct catalog_replica *r, struct catalog_position position,
                    struct catalog_actions *out)
{
    r->applied = position;
    uint32_t done = 0;
    while (done < r->batch_count && r->batch_ends[done] <= position.index)
        done++;
    r->batch_count -= done;
    memmove(r->batch_ends, r->batch_ends + done, r->batch_count * sizeof(r->batch_ends[0]));
    note_commit(r, position.index);
    replica_read_applied(r, out);
}

/* The raftd is told by a new Attach: it may have to start its log at the new position. */
static void pulled(struct catalog_replica *r, const struct catalog_event *ev,
                   struct catalog_actions *out)
{
    r->is_pulling = false;
    r->wants_pull = r->was_diverged = false;
    if (ev->err != CU_OK) { /* raftd may have learned meanwhile which state is wanted */
        r->follow_at = cu_mono_add_ms(ev->now, PULL_AGAIN_MS);
        return;
    }
    r->is_disowned = false;
    r->applied = r->cursor = r->durable = ev->position;
    if (ev->position.term > r->top_term)
        r->top_term = ev->position.term;
    r->batch_count = 0;
    r->is_attached = false;
    r->attach_at = ev->now;
    note_commit(r, ev->position.index);
    replica_duty_end(r, out);
    replica_write_skipped(r, out);
    replica_read_applied(r, out);
}

static void advance_feed(struct catalog_replica *r, struct catalog_actions *out)
{
    if (r->is_connected && !r->is_attached && !r->is_attaching && !r->is_pulling &&
        !cu_mono_before(r->last, r->attach_at)) {
        r->is_attaching = true;
        replica_act(out, CATALOG_ACT_ATTACH)->durable =
            cu_planted("adopt-before-durable") ? r->applied : r->durable;
    }
    if (r->is_stopped)
        return;
    /* an answer to Follow that came after the pull would not follow the new state */
    if (r->wants_pull && !r->is_pulling && !r->is_following) {
        r->is_pulling = true;
        replica_act(out, CATALOG_ACT_PULL)->was_diverged = r->was_diverged;
    }
    if (r->is_attached && !r->is_following && !r->wants_pull &&
        r->batch_count < REPLICA_BATCHES_MAX && !cu_mono_before(r->last, r->follow_at)) {
        r->is_following = true;
        struct catalog_action *act = replica_act(out, CATALOG_ACT_FOLLOW);
        act->after = r->cursor;
        act->durable = cu_planted("compact-to-applied") ? r->applied : r->durable;
        act->wait_ms = REPLICA_FOLLOW_WAIT_MS;
    }
}

/* ---- one event ---- */

static void apply_event(struct catalog_replica *r, const struct catalog_event *ev,
                        struct catalog_actions *out)
{
    switch (ev->kind) {
    case CATALOG_EV_TICK:
    case CATALOG_EVENT_COUNT:
        break;
    case CATALOG_EV_CONNECTED:
        r->is_connected = true;
        r->attach_at = r->follow_at = r->propose_at = r->poll_at = ev->now;
        break;
    case CATALOG_EV_DISCONNECTED:
        disconnected(r, out);
        break;
    case CATALOG_EV_ATTACHED:
        attached(r, ev);
        break;
    case CATALOG_EV_FOLLOWED:
        followed(r, ev, out);
        break;
    case CATALOG_EV_APPLIED:
        applied(r, ev->position, out);
        break;
    case CATALOG_EV_OUTCOME:
        replica_write_outcome(r, &ev->outcome, out);
        break;
    case CATALOG_EV_DURABLE: /* a checkpoint that a pull overtook tells nothing */
        if (ev->position.index > r->durable.index)
            r->durable = ev->position;
        break;
    case CATALOG_EV_STOPPED:
        stop(r, out);
        break;
    case CATALOG_EV_WRITE:
        replica_write_add(r, ev, out);
        break;
    case CATALOG_EV_WRITE_GONE:
        replica_write_gone(r, ev->tag, out);
        break;
    case CATALOG_EV_PROPOSED:
        replica_write_proposed(r, ev, out);
        break;
    case CATALOG_EV_READ:
        replica_read_add(r, ev, out);
        break;
    case CATALOG_EV_READ_GONE:
        replica_read_gone(r, ev->tag);
        break;
    case CATALOG_EV_READ_INDEX:
        if (ev->err == CU_OK)
            note_commit(r, ev->read.index);
        replica_read_answered(r, ev, out);
        break;
    case CATALOG_EV_PULLED:
        pulled(r, ev, out);
        break;
    case CATALOG_EV_DUTY:
        replica_duty_answered(r, ev, out);
        break;
    case CATALOG_EV_DISOWNED:
        disown(r);
        break;
    }
}

void catalog_replica_step(struct catalog_replica *replica, const struct catalog_event *event,
                          struct catalog_actions *out)
{
    if (cu_mono_before(replica->last, event->now))
        replica->last = event->now;
    apply_event(replica, event, out);
    if (!cu_mono_before(replica->last, replica->writes_due))
        replica_write_expire(replica, out);
    if (!cu_mono_before(replica->last, replica->reads_due))
        replica_read_expire(replica, out);
    advance_feed(replica, out);
    if (event->kind != CATALOG_EV_READ) /* reads of one turn share a round */
        replica_read_advance(replica, out);
    replica_write_advance(replica, out);
    replica_duty_advance(replica, out);
}

/* Only pauses that somebody waits out count: a time that has passed means "as soon as what blocks
 * it is gone", and that will be an event. */
static void sooner(const struct catalog_replica *r, bool is_waited_for, struct cu_mono at,
                   struct cu_mono *due)
{
    if (is_waited_for && cu_mono_before(r->last, at))
        *due = cu_mono_min(*due, at);
}

struct cu_mono catalog_replica_next_deadline(const struct catalog_replica *replica)
{
    const struct catalog_replica *r = replica;
    struct cu_mono due = cu_mono_min(r->writes_due, r->reads_due);
    sooner(r, r->is_connected && !r->is_attached, r->attach_at, &due);
    sooner(r, r->is_attached && !r->is_following, r->follow_at, &due);
    sooner(r, r->is_attached && !r->is_reader, r->propose_at, &due);
    sooner(r, r->is_attached && !r->is_reader && !r->is_polling, r->poll_at, &due);
    sooner(r, r->is_granted, r->duty_until, &due);
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++)
        if (replica_read_wants_round(r, &r->rounds[mode]))
            due = cu_mono_min(due, r->rounds[mode].at);
    return due;
}

void catalog_replica_status(const struct catalog_replica *replica,
                            struct catalog_replica_status *ret_status)
{
    uint32_t reads = replica->applying.count;
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++)
        reads += replica->rounds[mode].waiting.count + replica->rounds[mode].asked.count;
    *ret_status = (struct catalog_replica_status){
        .applied = replica->applied,
        .durable = replica->durable,
        .known_commit = replica->known_commit,
        .is_attached = replica->is_attached,
        .is_stopped = replica->is_stopped,
        .is_pulling = replica->is_pulling,
        .is_on_duty = replica->is_on_duty,
        .open_writes = (uint32_t)replica->writes.count,
        .waiting_reads = reads,
    };
}
