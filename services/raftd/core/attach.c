#include "services/raftd/core/state.h"

static void answer(struct raft *r, uint64_t tag, enum cu_err err, bool adopted)
{
    raft_emit(r, (struct raft_action){.kind = RAFT_ACT_ATTACHED,
                                      .after = adopted ? raft_after(r, r->entries_persist) : 0,
                                      .attached = {.tag = tag, .err = err, .adopted = adopted}});
}

/* A raftd that never had a log may take up the state's; one that has promised only that of the
 * promised cluster, whose entry 1 is then long written. */
static bool is_foreign(const struct raft *r, const struct raft_header *header)
{
    struct raft_id cluster = header->position.cluster;
    if (!header->position.index)
        return false;
    if (!raft_id_is_none(
            raft_own_cluster(r))) /* also one that was set aside: nothing of it comes back */
        return !raft_in_lineage(r, cluster, header->position.index);
    if (r->promise.round)
        return !raft_id_equal(cluster, r->promise.cluster);
    return raft_id_is_none(cluster);
}

/* Whether the state stands where this log does not, or not so (contracts 3.6). What is committed
 * here and differs is for Follow to call Diverged. After a recovery a state under the earlier id is
 * no reason to give up what may have been acknowledged since; one of the recovered cluster takes
 * the place of a log that does not know of it. */
static bool is_beyond(struct raft *r, const struct raft_position *at)
{
    if (!raft_id_is_none(r->cluster) && !raft_id_equal(at->cluster, r->cluster))
        return at->index && raft_id_equal(at->cluster, r->recovery.cluster);
    if (at->index <= r->start.position.index)
        return false;
    if (at->index > r->last_index)
        return true;
    uint64_t term;
    if (at->index <= r->commit)
        return false;
    if (raft_term_at(r, at->index, &term)) {
        raft_store_failed(r);
        return false;
    }
    return term != at->term;
}

static bool matches(struct raft *r, const struct raft_position *at)
{
    uint64_t term;
    if (at->index < r->start.position.index || at->index > r->last_index)
        return false;
    if (raft_term_at(r, at->index, &term)) {
        raft_store_failed(r);
        return false;
    }
    return term == at->term;
}

static void adopt(struct raft *r, const struct raft_header *header)
{
    /* What it was voted for was another log. */
    raft_become_follower(r, header->position.term, r->leader);
    if (r->promise.round) {
        r->promise = (struct raft_promise){0};
        raft_write_promise(r);
    }
    raft_log_restart(r, header);
    if (raft_id_equal(r->recovery.cluster, header->position.cluster))
        raft_recovery_end(r);
    r->need_state = 0;
    raft_tell(r, RAFT_NOTE_ADOPTED,
              (struct raft_note_args){.cluster = r->cluster, .index = header->position.index});
}

/* Whatever a catalogd holds durably was committed. */
static void learn_commit(struct raft *r, const struct raft_position *at)
{
    if (at->index <= r->commit || r->role == RAFT_LEADER || !matches(r, at))
        return;
    r->commit = at->index;
    raft_calls_committed(r);
}

void raft_on_attach(struct raft *r, const struct raft_event *event)
{
    const struct raft_header *header = event->attach;
    if (is_foreign(r, header)) {
        answer(r, event->tag, CU_E_CONFLICT, false);
        return;
    }
    bool adopts = r->role != RAFT_LEADER && is_beyond(r, &header->position);
    if (adopts)
        adopt(r, header);
    else
        learn_commit(r, &header->position);
    r->is_attached = r->has_attached = true;
    r->has_state = header->position.index > 0;
    r->durable = header->position.index;
    r->has_polled = false;
    r->ticket_term = 0; /* a grant ends at another Attach (contracts 5.1) */
    answer(r, event->tag, CU_OK, adopts);
    raft_bootstrap_attached(r);
    raft_maybe_lead_alone(r);
    raft_advance_commit(r);
}

void raft_on_durable(struct raft *r, struct raft_position position)
{
    if (!r->is_attached || position.index <= r->durable || position.index > r->commit ||
        !raft_in_lineage(r, position.cluster, position.index))
        return;
    if (position.index >= r->start.position.index && !matches(r, &position))
        return;
    r->durable = position.index;
    raft_maybe_lead_alone(r); /* it may just have reached the floor */
    raft_advance_commit(r);
    raft_compact(r);
}
