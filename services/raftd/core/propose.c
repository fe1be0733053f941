#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/planted.h"
#include "services/raftd/core/state.h"

/* ---- appending as a leader ---- */

void raft_stamp_and_append(struct raft *r, struct raft_entry entry)
{
    uint64_t lease_ms = r->lease_base_ms + cu_mono_ms_between(r->led_from, r->now);
    entry.index = r->last_index + 1;
    entry.term = r->term;
    entry.wall_ms = r->wall_ms > r->last_wall_ms ? r->wall_ms : r->last_wall_ms;
    entry.lease_ms = lease_ms > r->last_lease_ms ? lease_ms : r->last_lease_ms;
    raft_log_append(r, &entry);
    r->noop_at = cu_mono_add_ms(r->now, RAFT_NOOP_MS);
}

void raft_append_noop(struct raft *r)
{
    raft_stamp_and_append(r, (struct raft_entry){.kind = RAFT_NOOP});
}

/* ---- what is refused at once ---- */

static struct raft_refusal check(const struct raft *r, const struct raft_proposal *p)
{
    struct raft_refusal no = {.seq = p->seq, .err = CU_OK, .text = ""};
    if (p->if_term && (p->if_term != r->term || !raft_ticket_is_current(r, p->ticket))) {
        no.err = CU_E_CONFLICT; /* first: nobody is to wait for another leader with it */
        no.text = "the duty has ended";
    } else if (r->role != RAFT_LEADER || r->has_failed) {
        no.err = CU_E_NO_LEADER;
        no.text = "node is not the leader";
    } else if (r->is_transferring) {
        no.err = CU_E_NOT_READY;
        no.text = "leadership transfer in progress";
    } else if (p->body && p->body->len > RAFT_ENTRY_LIMIT_BYTES) {
        no.err = CU_E_TOO_LARGE;
        no.text = "an entry is at most 1.5 MiB";
    } else if (r->last_index - r->commit >= RAFT_OPEN_ENTRIES || r->open_bytes >= RAFT_OPEN_BYTES) {
        no.err = CU_E_OVERLOADED;
        no.text = "too many entries wait to be committed";
    }
    return no;
}

/* ---- calls whose fate is open ---- */

static void answer(struct raft *r, struct raft_action action)
{
    action.kind = RAFT_ACT_PROPOSED;
    raft_emit(r, action);
}

static void remember(struct raft *r, struct raft_call call)
{
    r->calls = raft_grow(r->calls, &r->call_cap, r->call_count + 1, sizeof *r->calls);
    r->calls[r->call_count++] = call;
    r->open_bytes += call.bytes;
}

static void append_one(struct raft *r, struct raft_proposal *p, struct raft_call *call)
{
    call->seqs[r->last_index + 1 - call->first] = p->seq;
    call->bytes += p->body ? p->body->len : 0;
    raft_stamp_and_append(r, (struct raft_entry){.kind = p->kind,
                                                 .proposer = p->proposer,
                                                 .seq = p->seq,
                                                 .if_term = p->if_term,
                                                 .level = p->level,
                                                 .body = p->body});
    call->last = r->last_index;
}

void raft_on_propose(struct raft *r, const struct raft_event *event)
{
    uint32_t count = event->propose.count, refused = 0;
    struct raft_refusal *refusals = NULL;
    struct raft_call call = {.tag = event->tag, .first = r->last_index + 1};
    call.seqs = cu_alloc((count ? count : 1) * sizeof *call.seqs);
    for (uint32_t i = 0; i < count; i++) {
        struct raft_proposal *p = &event->propose.items[i];
        struct raft_refusal refusal = check(r, p);
        if (!refusal.err) {
            append_one(r, p, &call);
            continue;
        }
        raft_body_unref(p->body);
        if (!refusals)
            refusals = cu_alloc(count * sizeof *refusals);
        refusals[refused++] = refusal;
    }
    if (call.last && !refused && !cu_planted("answer-before-commit")) {
        remember(r, call);
        return;
    }
    free(call.seqs);
    answer(r, (struct raft_action){.proposed = {.tag = event->tag,
                                                .refusal_count = refused,
                                                .refusals = refusals,
                                                .is_final = !call.last}});
}

static void forget(struct raft *r, uint32_t at, uint32_t count)
{
    for (uint32_t i = at; i < at + count; i++) {
        r->open_bytes -= r->calls[i].bytes;
        free(r->calls[i].seqs);
    }
    r->call_count -= count;
    if (count && r->call_count > at)
        memmove(r->calls + at, r->calls + at + count, (r->call_count - at) * sizeof *r->calls);
}

/* Answers leave with the feed entries: committed, and synced here. */
void raft_calls_committed(struct raft *r)
{
    uint64_t upto = r->commit < r->synced ? r->commit : r->synced;
    uint32_t done = 0;
    while (done < r->call_count && r->calls[done].last <= upto) {
        answer(r, (struct raft_action){.proposed = {.tag = r->calls[done].tag, .is_final = true}});
        done++;
    }
    forget(r, 0, done);
}

void raft_calls_replaced(struct raft *r, uint64_t from)
{
    uint32_t kept = r->call_count;
    while (kept && r->calls[kept - 1].last >= from)
        kept--;
    for (uint32_t i = kept; i < r->call_count; i++) {
        struct raft_call *call = &r->calls[i];
        uint64_t first = call->first > from ? call->first : from;
        uint32_t lost = (uint32_t)(call->last - first + 1);
        uint64_t *seqs = cu_memdup(call->seqs + (first - call->first), lost * sizeof *seqs);
        answer(r, (struct raft_action){.proposed = {.tag = call->tag,
                                                    .lost_count = lost,
                                                    .lost = seqs,
                                                    .is_final = first == call->first}});
    }
    forget(r, kept, r->call_count - kept);
}
