/* Writes: the proposer of this life, its seqs, and the fate of each (contracts 3.3, consensus 15).
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/replica_state.h"

/* ---- the queue of what is to be sent ---- */

static void enqueue(struct catalog_replica *r, struct replica_write *write)
{
    CU_ASSERT(!write->is_queued);
    write->is_queued = true;
    write->next = NULL;
    write->prev = r->queue_last;
    if (r->queue_last)
        r->queue_last->next = write;
    else
        r->queue_first = write;
    r->queue_last = write;
}

static void dequeue(struct catalog_replica *r, struct replica_write *write)
{
    if (!write->is_queued)
        return;
    write->is_queued = false;
    if (write->prev)
        write->prev->next = write->next;
    else
        r->queue_first = write->next;
    if (write->next)
        write->next->prev = write->prev;
    else
        r->queue_last = write->prev;
}

/* ---- seqs ---- */

static struct replica_write **slot(struct catalog_replica *r, uint64_t seq)
{
    return &r->ring[seq & (REPLICA_RING - 1)];
}

static struct replica_write *by_seq(struct catalog_replica *r, uint64_t seq)
{
    return seq >= r->oldest && seq < r->next_seq ? *slot(r, seq) : NULL;
}

static void release_seq(struct catalog_replica *r, struct replica_write *write)
{
    if (write->seq == 0)
        return;
    *slot(r, write->seq) = NULL;
    write->seq = 0;
    while (r->oldest < r->next_seq && !*slot(r, r->oldest))
        r->oldest++;
}

static void forget(struct catalog_replica *r, struct replica_write *write)
{
    dequeue(r, write);
    release_seq(r, write);
    (void)cu_map_del_u64(&r->writes, write->tag);
    free(write);
}

static void finish(struct catalog_replica *r, struct replica_write *write, enum cu_err err,
                   struct catalog_actions *out)
{
    struct catalog_action *act = replica_act(out, CATALOG_ACT_WRITE_DONE);
    act->tag = write->tag;
    act->err = err;
    forget(r, write);
}

/* What a write is told that will not be tried again. */
static enum cu_err verdict(const struct replica_write *write, enum cu_err otherwise)
{
    return write->is_maybe ? CU_E_UNKNOWN : otherwise;
}

/* ---- events ---- */

void replica_write_add(struct catalog_replica *r, const struct catalog_event *ev,
                       struct catalog_actions *out)
{
    enum cu_err err = CU_OK;
    if (r->is_stopped || r->is_reader)
        err = CU_E_NOT_READY;
    else if (r->writes.count >= REPLICA_WRITES_MAX)
        err = CU_E_OVERLOADED;
    if (err) {
        struct catalog_action *act = replica_act(out, CATALOG_ACT_WRITE_DONE);
        act->tag = ev->tag;
        act->err = err;
        return;
    }
    struct replica_write *write = cu_alloc(sizeof(*write));
    write->tag = ev->tag;
    write->deadline = ev->deadline;
    write->ends_on_retry = ev->ends_on_retry;
    write->refused = CU_E_NO_LEADER;
    void *replaced = cu_map_put_u64(&r->writes, ev->tag, write);
    CU_ASSERT(!replaced);
    r->writes_due = cu_mono_min(r->writes_due, ev->deadline);
    enqueue(r, write);
}

void replica_write_gone(struct catalog_replica *r, uint64_t tag, struct catalog_actions *out)
{
    struct replica_write *write = cu_map_get_u64(&r->writes, tag);
    if (!write)
        return;
    write->is_gone = true;
    if (write->is_queued && !write->is_maybe)
        finish(r, write, CU_E_DEADLINE, out);
}

/* One seq was refused: nothing of this copy is in any log. */
static void refused(struct catalog_replica *r, uint64_t seq, enum cu_err err,
                    struct catalog_actions *out)
{
    struct replica_write *write = by_seq(r, seq);
    if (!write || write->is_queued)
        return;
    if (err == CU_E_DISCONNECTED || err == CU_E_UNKNOWN || err == CU_E_DEADLINE ||
        err == CU_E_INTERNAL)
        write->is_maybe = true;
    bool is_passing = write->is_maybe || err == CU_E_NO_LEADER || err == CU_E_NOT_READY;
    write->refused = err;
    if (is_passing)
        enqueue(r, write);
    else
        finish(r, write, err, out);
}

static void pause_proposing(struct catalog_replica *r)
{
    r->propose_at = cu_mono_add_ms(r->last, replica_backoff_ms(r, &r->propose_backoff_ms));
}

void replica_write_proposed(struct catalog_replica *r, const struct catalog_event *ev,
                            struct catalog_actions *out)
{
    if (ev->err == CU_OK && ev->proposed.refused_count == 0 && ev->proposed.lost_count == 0) {
        r->propose_backoff_ms = 0;
        return;
    }
    for (uint32_t i = 0; i < ev->proposed.refused_count; i++) {
        uint64_t seq = ev->proposed.refused[i];
        if (seq == 0)
            r->is_open_sent = false;
        refused(r, seq, ev->proposed.refused_err[i], out);
    }
    for (uint32_t i = 0; i < ev->proposed.lost_count; i++) {
        if (ev->proposed.lost[i] == 0)
            r->is_open_sent = false;
        struct replica_write *write = by_seq(r, ev->proposed.lost[i]);
        if (!write || write->is_queued)
            continue;
        write->is_maybe = true; /* a server that is down may still hold this copy */
        enqueue(r, write);
    }
    if (ev->err != CU_OK && ev->proposed.refused_count == 0)
        replica_write_resend(r, ev->err != CU_E_NO_LEADER && ev->err != CU_E_NOT_READY);
    if (ev->err != CU_OK || ev->proposed.refused_count > 0)
        pause_proposing(r);
}

/* All of it under its old names and in its old order, before what has no seq yet. */
void replica_write_resend(struct catalog_replica *r, bool is_maybe)
{
    struct replica_write *first = r->queue_first, *last = r->queue_last;
    r->queue_first = r->queue_last = NULL;
    for (uint64_t seq = r->oldest; seq < r->next_seq; seq++) {
        struct replica_write *write = *slot(r, seq);
        if (!write || write->is_queued)
            continue;
        write->is_maybe = write->is_maybe || is_maybe;
        enqueue(r, write);
    }
    if (first) {
        first->prev = r->queue_last;
        if (r->queue_last)
            r->queue_last->next = first;
        else
            r->queue_first = first;
        r->queue_last = last;
    }
    r->is_open_sent = false;
}

/* A new name for all that is open. Only right when no copy under the old one can take effect any
 * more. */
static void renew_proposer(struct catalog_replica *r)
{
    replica_write_resend(r, false);
    for (uint64_t seq = r->oldest; seq < r->next_seq; seq++) {
        struct replica_write *write = *slot(r, seq);
        *slot(r, seq) = NULL;
        if (!write)
            continue;
        write->seq = 0;
        write->is_maybe = false;
    }
    r->next_seq = r->oldest = 1;
    r->proposer = PROPOSER_NONE;
}

/* Seen or too old without our having seen its first copy: we do not know what became of it. */
static void resolve(struct catalog_replica *r, struct replica_write *write,
                    const struct catalog_outcome *outcome, struct catalog_actions *out)
{
    switch (outcome->fate) {
    case CATALOG_APPLIED: {
        struct catalog_action *act = replica_act(out, CATALOG_ACT_WRITE_DONE);
        act->tag = write->tag;
        act->outcome = *outcome;
        forget(r, write);
    } break;
    case CATALOG_RETRY:
        release_seq(r, write);
        write->is_maybe = false;
        write->refused = CU_E_OVERLOADED;
        if (write->ends_on_retry)
            finish(r, write, CU_E_RETRY, out);
        else if (write->is_gone || ++write->retries > REPLICA_RETRIES_MAX)
            finish(r, write, CU_E_OVERLOADED, out);
        else if (!write->is_queued)
            enqueue(r, write);
        break;
    case CATALOG_SEEN:
    case CATALOG_TOO_OLD:
        finish(r, write, CU_E_UNKNOWN, out);
        break;
    case CATALOG_NO_COMMAND:
    case CATALOG_OPENED:
    case CATALOG_OPEN_REFUSED:
    case CATALOG_DROPPED:
    case CATALOG_FATE_COUNT:
        break;
    }
}

void replica_write_outcome(struct catalog_replica *r, const struct catalog_outcome *outcome,
                           struct catalog_actions *out)
{
    if (r->proposer == PROPOSER_NONE ||
        memcmp(outcome->proposer.bytes, r->proposer_id.bytes, CATALOG_ID_BYTES) != 0)
        return;
    if (outcome->fate == CATALOG_OPENED) {
        r->proposer = PROPOSER_OPEN;
        return;
    }
    /* Dropped: every earlier copy has come by on this feed, every later one has no effect. */
    if (outcome->fate == CATALOG_OPEN_REFUSED || outcome->fate == CATALOG_DROPPED) {
        if (r->proposer == PROPOSER_OPEN || outcome->fate == CATALOG_OPEN_REFUSED)
            renew_proposer(r);
        return;
    }
    struct replica_write *write = by_seq(r, outcome->seq);
    if (write)
        resolve(r, write, outcome, out);
}

/* Calls back for every write; it may finish the one it is given. */
static void each(struct catalog_replica *r, struct catalog_actions *out,
                 void (*fn)(struct catalog_replica *r, struct replica_write *write,
                            struct catalog_actions *out))
{
    struct cu_bytes key;
    void *value;
    for (size_t at = 0; cu_map_next(&r->writes, &at, &key, &value);)
        fn(r, value, out);
}

static void unknown_if_proposed(struct catalog_replica *r, struct replica_write *write,
                                struct catalog_actions *out)
{
    if (write->seq && (write->is_maybe || !write->is_queued))
        finish(r, write, CU_E_UNKNOWN, out);
}

void replica_write_skipped(struct catalog_replica *r, struct catalog_actions *out)
{
    each(r, out, unknown_if_proposed);
    renew_proposer(r);
}

static void refuse(struct catalog_replica *r, struct replica_write *write,
                   struct catalog_actions *out)
{
    bool is_open = write->seq && (write->is_maybe || !write->is_queued);
    finish(r, write, is_open ? CU_E_UNKNOWN : CU_E_NOT_READY, out);
}

void replica_write_stop(struct catalog_replica *r, struct catalog_actions *out)
{
    each(r, out, refuse);
}

static void expire(struct catalog_replica *r, struct replica_write *write,
                   struct catalog_actions *out)
{
    if (cu_mono_before(r->last, write->deadline)) {
        r->writes_due = cu_mono_min(r->writes_due, write->deadline);
        return;
    }
    bool is_sent = write->seq && !write->is_queued;
    finish(r, write, is_sent ? CU_E_UNKNOWN : verdict(write, write->refused), out);
}

void replica_write_expire(struct catalog_replica *r, struct catalog_actions *out)
{
    r->writes_due = CU_MONO_NEVER;
    each(r, out, expire);
}

/* ---- sending ---- */

static void new_id(struct catalog_replica *r)
{
    for (int i = 0; i < CATALOG_ID_BYTES; i += 8) {
        uint64_t bits = cu_random_u64(&r->random);
        memcpy(r->proposer_id.bytes + i, &bits, sizeof(bits));
    }
}

static void advance_open(struct catalog_replica *r, struct catalog_actions *out)
{
    if (r->proposer == PROPOSER_NONE) {
        new_id(r);
        r->open_index = r->applied.index;
        r->proposer = PROPOSER_OPENING;
        r->is_open_sent = false;
    }
    if (r->is_open_sent)
        return;
    r->is_open_sent = true;
    struct catalog_action *act = replica_act(out, CATALOG_ACT_OPEN);
    act->proposer = r->proposer_id;
    act->applied_index = r->open_index;
}

static bool give_seq(struct catalog_replica *r, struct replica_write *write)
{
    if (write->seq)
        return true;
    if (r->next_seq - r->oldest >= CATALOG_OPEN_SEQS_MAX)
        return false;
    write->seq = r->next_seq++;
    *slot(r, write->seq) = write;
    return true;
}

void replica_write_advance(struct catalog_replica *r, struct catalog_actions *out)
{
    if (r->is_reader || r->is_stopped || !r->is_attached || r->wants_pull ||
        cu_mono_before(r->last, r->propose_at))
        return;
    if (r->proposer != PROPOSER_OPEN) {
        advance_open(r, out);
        return;
    }
    while (r->queue_first && give_seq(r, r->queue_first)) {
        struct replica_write *write = r->queue_first;
        dequeue(r, write);
        struct catalog_action *act = replica_act(out, CATALOG_ACT_PROPOSE);
        act->tag = write->tag;
        act->proposer = r->proposer_id;
        act->seq = write->seq;
    }
}

static void drop(struct catalog_replica *r, struct replica_write *write,
                 struct catalog_actions *out)
{
    forget(r, write);
}

void replica_write_free(struct catalog_replica *r)
{
    each(r, NULL, drop);
    cu_map_deinit(&r->writes);
}
