#include "services/raftd/core/state.h"

static void answer(struct raft *r, uint64_t tag, enum cu_err err, uint64_t index)
{
    raft_emit(
        r, (struct raft_action){.kind = RAFT_ACT_READ,
                                .read = {.tag = tag, .err = err, .index = index, .term = r->term}});
}

static void queue(struct raft_reads *reads, struct raft_read read)
{
    reads->items = raft_grow(reads->items, &reads->cap, reads->count + 1, sizeof *reads->items);
    reads->items[reads->count++] = read;
}

/* Nothing is known of the present before an entry of the own term is committed (consensus.md 9). */
static bool knows_present(const struct raft *r)
{
    return r->commit >= r->noop_index;
}

static bool is_answered_by_lease(const struct raft *r, enum raft_read_mode mode)
{
    return mode == RAFT_READ_DEFAULT && raft_lease_is_valid(r, r->now);
}

void raft_on_read_index(struct raft *r, const struct raft_event *event)
{
    if (r->role != RAFT_LEADER || r->has_failed) {
        answer(r, event->tag, CU_E_NO_LEADER, 0);
        return;
    }
    if (knows_present(r) && is_answered_by_lease(r, event->read_mode)) {
        answer(r, event->tag, CU_OK, r->commit);
        return;
    }
    if (r->reads_next.count + r->reads_round.count >= RAFT_READS_MAX) {
        answer(r, event->tag, CU_E_OVERLOADED, 0);
        return;
    }
    queue(&r->reads_next, (struct raft_read){.tag = event->tag, .mode = event->read_mode});
}

static bool round_is_confirmed(const struct raft *r)
{
    uint32_t count = raft_counts_itself(r);
    for (uint32_t i = 0; i < r->peer_count; i++)
        count += r->peers[i].is_voter && r->peers[i].acked_round >= r->read_round;
    return count >= raft_quorum(r);
}

static void finish_round(struct raft *r)
{
    for (uint32_t i = 0; i < r->reads_round.count; i++)
        answer(r, r->reads_round.items[i].tag, CU_OK, r->read_index);
    r->reads_round.count = 0;
}

/* Takes all that wait: they share one round, sent after the last of them came. */
static void start_round(struct raft *r)
{
    struct raft_reads taken = r->reads_next;
    r->reads_next = r->reads_round;
    r->reads_round = taken;
    r->read_index = r->commit;
    if (!raft_is_sole_voter(r))
        raft_broadcast_heartbeat(r);
    r->read_round = r->round;
}

static void answer_under_lease(struct raft *r)
{
    struct raft_reads *reads = &r->reads_next;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < reads->count; i++) {
        if (is_answered_by_lease(r, reads->items[i].mode))
            answer(r, reads->items[i].tag, CU_OK, r->commit);
        else
            reads->items[kept++] = reads->items[i];
    }
    reads->count = kept;
}

void raft_reads_tick(struct raft *r)
{
    if (r->role != RAFT_LEADER)
        return;
    if (r->reads_round.count && round_is_confirmed(r))
        finish_round(r);
    if (r->reads_round.count || !r->reads_next.count || !knows_present(r))
        return;
    answer_under_lease(r);
    if (!r->reads_next.count)
        return;
    start_round(r);
    if (round_is_confirmed(r))
        finish_round(r);
}

void raft_reads_fail(struct raft *r)
{
    for (uint32_t i = 0; i < r->reads_round.count; i++)
        answer(r, r->reads_round.items[i].tag, CU_E_NO_LEADER, 0);
    for (uint32_t i = 0; i < r->reads_next.count; i++)
        answer(r, r->reads_next.items[i].tag, CU_E_NO_LEADER, 0);
    r->reads_round.count = r->reads_next.count = 0;
}
