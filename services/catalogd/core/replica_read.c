/* Reads: rounds of Log.ReadIndex, shared by all that waited when one was sent (consensus 9). */
#include <stdlib.h>

#include "common/base/assert.h"
#include "services/catalogd/core/replica_state.h"

static void push(struct replica_reads *reads, struct replica_read read)
{
    if (reads->count == reads->cap) {
        reads->cap = reads->cap ? reads->cap * 2 : 64;
        reads->items = cu_realloc(reads->items, reads->cap * sizeof(*reads->items));
    }
    reads->items[reads->count++] = read;
}

static void append(struct replica_reads *to, struct replica_reads *from)
{
    for (uint32_t i = 0; i < from->count; i++)
        push(to, from->items[i]);
    from->count = 0;
}

static void ready(struct catalog_actions *out, uint64_t tag)
{
    replica_act(out, CATALOG_ACT_READ_READY)->tag = tag;
}

static void failed(struct catalog_actions *out, uint64_t tag, enum cu_err err)
{
    struct catalog_action *act = replica_act(out, CATALOG_ACT_READ_FAILED);
    act->tag = tag;
    act->err = err;
}

static uint32_t total(const struct catalog_replica *r)
{
    uint32_t count = r->applying.count;
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++)
        count += r->rounds[mode].waiting.count + r->rounds[mode].asked.count;
    return count;
}

void replica_read_add(struct catalog_replica *r, const struct catalog_event *ev,
                      struct catalog_actions *out)
{
    if (r->is_stopped) {
        failed(out, ev->tag, CU_E_NOT_READY);
        return;
    }
    if (total(r) >= REPLICA_READS_MAX) {
        failed(out, ev->tag, CU_E_OVERLOADED);
        return;
    }
    push(&r->rounds[ev->mode].waiting,
         (struct replica_read){.tag = ev->tag, .deadline = ev->deadline});
    r->reads_due = cu_mono_min(r->reads_due, ev->deadline);
}

static bool forget(struct replica_reads *reads, uint64_t tag)
{
    for (uint32_t i = 0; i < reads->count; i++)
        if (reads->items[i].tag == tag) {
            reads->items[i] = reads->items[--reads->count];
            return true;
        }
    return false;
}

void replica_read_gone(struct catalog_replica *r, uint64_t tag)
{
    if (forget(&r->applying, tag))
        return;
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++)
        if (forget(&r->rounds[mode].waiting, tag) || forget(&r->rounds[mode].asked, tag))
            return;
}

static void round_failed(struct catalog_replica *r, struct replica_round *round)
{
    append(&round->waiting, &round->asked);
    round->number = 0;
    round->at = cu_mono_add_ms(r->last, replica_backoff_ms(r, &round->backoff_ms));
}

/* The term tells a state that a recovered cluster has lost: it may well be longer (contracts 3.10).
 */
static bool is_reached(const struct catalog_replica *r, uint64_t index, uint64_t term)
{
    return index <= r->applied.index && term <= r->applied.term;
}

static void round_done(struct catalog_replica *r, struct replica_round *round, uint64_t index,
                       uint64_t term, struct catalog_actions *out)
{
    for (uint32_t i = 0; i < round->asked.count; i++) {
        struct replica_read read = round->asked.items[i];
        read.index = index;
        read.term = term;
        if (is_reached(r, index, term))
            ready(out, read.tag);
        else
            push(&r->applying, read);
    }
    if (!is_reached(r, index, term) && (r->applying_low == 0 || index < r->applying_low))
        r->applying_low = index;
    round->asked.count = 0;
    round->number = 0;
    round->backoff_ms = 0;
}

void replica_read_answered(struct catalog_replica *r, const struct catalog_event *ev,
                           struct catalog_actions *out)
{
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++) {
        struct replica_round *round = &r->rounds[mode];
        if (round->number == 0 || round->number != ev->tag)
            continue;
        if (ev->err == CU_OK)
            round_done(r, round, ev->read.index, ev->read.term, out);
        else
            round_failed(r, round);
    }
}

void replica_read_again(struct catalog_replica *r)
{
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++)
        if (r->rounds[mode].number)
            round_failed(r, &r->rounds[mode]);
}

static void fail_all(struct replica_reads *reads, enum cu_err err, struct catalog_actions *out)
{
    for (uint32_t i = 0; i < reads->count; i++)
        failed(out, reads->items[i].tag, err);
    reads->count = 0;
}

void replica_read_stop(struct catalog_replica *r, struct catalog_actions *out)
{
    fail_all(&r->applying, CU_E_NOT_READY, out);
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++) {
        fail_all(&r->rounds[mode].waiting, CU_E_NOT_READY, out);
        fail_all(&r->rounds[mode].asked, CU_E_NOT_READY, out);
        r->rounds[mode].number = 0;
    }
}

void replica_read_applied(struct catalog_replica *r, struct catalog_actions *out)
{
    if (r->applying_low == 0 || r->applied.index < r->applying_low)
        return;
    uint32_t kept = 0;
    r->applying_low = 0;
    for (uint32_t i = 0; i < r->applying.count; i++) {
        struct replica_read read = r->applying.items[i];
        if (is_reached(r, read.index, read.term)) {
            ready(out, read.tag);
            continue;
        }
        r->applying.items[kept++] = read;
        if (r->applying_low == 0 || read.index < r->applying_low)
            r->applying_low = read.index;
    }
    r->applying.count = kept;
}

static void expire(struct catalog_replica *r, struct replica_reads *reads, enum cu_err err,
                   struct catalog_actions *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < reads->count; i++) {
        struct replica_read read = reads->items[i];
        if (cu_mono_before(r->last, read.deadline)) {
            reads->items[kept++] = read;
            r->reads_due = cu_mono_min(r->reads_due, read.deadline);
        } else {
            failed(out, read.tag, err);
        }
    }
    reads->count = kept;
}

/* Without an index there was no leader to ask; with one, this server lags: the edge asks another
 * (consensus 9). */
void replica_read_expire(struct catalog_replica *r, struct catalog_actions *out)
{
    r->reads_due = CU_MONO_NEVER;
    expire(r, &r->applying, CU_E_NOT_READY, out);
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++) {
        expire(r, &r->rounds[mode].waiting, CU_E_NO_LEADER, out);
        expire(r, &r->rounds[mode].asked, CU_E_NO_LEADER, out);
    }
}

bool replica_read_wants_round(const struct catalog_replica *r, const struct replica_round *round)
{
    return r->is_attached && !r->is_stopped && round->number == 0 && round->waiting.count > 0;
}

void replica_read_advance(struct catalog_replica *r, struct catalog_actions *out)
{
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++) {
        struct replica_round *round = &r->rounds[mode];
        if (!replica_read_wants_round(r, round) || cu_mono_before(r->last, round->at))
            continue;
        append(&round->asked, &round->waiting);
        round->number = ++r->last_round;
        struct catalog_action *act = replica_act(out, CATALOG_ACT_READ_INDEX);
        act->mode = (enum catalog_read_mode)mode;
        act->tag = round->number;
    }
}

void replica_read_free(struct catalog_replica *r)
{
    free(r->applying.items);
    for (int mode = 0; mode < CATALOG_READ_MODE_COUNT; mode++) {
        free(r->rounds[mode].waiting.items);
        free(r->rounds[mode].asked.items);
    }
}
