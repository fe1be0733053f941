#include "services/raftd/core/state.h"

/* ---- what an append may hold ---- */

static bool is_sound_entry(const struct raft_message *m, const struct raft_entry *entry,
                           uint64_t index, uint64_t least_term)
{
    struct raft_configuration_body body;
    if (entry->index != index || entry->term < least_term || entry->term > m->term)
        return false;
    if (entry->kind < RAFT_COMMAND || entry->kind > RAFT_BARRIER ||
        raft_entry_body(entry).len > RAFT_ENTRY_LIMIT_BYTES)
        return false;
    return entry->kind != RAFT_CONFIGURATION ||
           !raft_configuration_decode(raft_entry_body(entry), &body);
}

static bool is_sound(const struct raft_message *m)
{
    uint64_t term = m->log_term;
    for (uint32_t i = 0; i < m->entry_count; i++) {
        if (!is_sound_entry(m, &m->entries[i], m->index + 1 + i, term))
            return false;
        term = m->entries[i].term;
    }
    return m->index < UINT64_MAX - RAFT_ENTRY_LIMIT_BYTES;
}

/* False: refused, and `hint` filled in. */
struct hint {
    uint64_t index, term;
};

static bool fits(struct raft *r, const struct raft_message *m, struct hint *ret_hint)
{
    uint64_t floor = r->start.position.index, term = 0;
    if (m->index < floor)
        return true; /* what lies at or below the floor is committed, so it is the same */
    if (m->index <= r->last_index && raft_term_at(r, m->index, &term)) {
        raft_store_failed(r);
        return false;
    }
    if (m->index <= r->last_index && term == m->log_term)
        return true;
    if (raft_last_at_most(r, m->index ? m->index - (m->index <= r->last_index) : 0, m->log_term,
                          &ret_hint->index) ||
        raft_term_at(r, ret_hint->index, &ret_hint->term))
        raft_store_failed(r);
    return false;
}

/* ---- taking entries ---- */

/* Entries that match are never deleted: a late or doubled message must not truncate. False: what
 * would have to go is committed, so the sender is no leader of this cluster. */
static bool find_new(struct raft *r, const struct raft_message *m, uint32_t *ret_first)
{
    uint32_t i = 0;
    for (; i < m->entry_count; i++) {
        uint64_t index = m->entries[i].index, term;
        if (index <= r->start.position.index)
            continue;
        if (index > r->last_index)
            break;
        if (raft_term_at(r, index, &term)) {
            raft_store_failed(r);
            return false;
        }
        if (term == m->entries[i].term)
            continue;
        if (index <= r->commit)
            return false;
        raft_log_truncate(r, index);
        break;
    }
    *ret_first = i;
    return true;
}

static void take(struct raft *r, const struct raft_message *m, uint32_t first)
{
    for (uint32_t i = first; i < m->entry_count; i++) {
        struct raft_entry entry = m->entries[i];
        raft_body_ref(entry.body);
        raft_log_append(r, &entry);
    }
    if (first < m->entry_count && r->promise.round) { /* entry 1 takes the promise's place */
        r->promise = (struct raft_promise){0};
        raft_write_promise(r);
    }
}

static bool follow_leader(struct raft *r, const struct raft_message *m)
{
    if (m->term < r->term || (m->term == r->term && r->role == RAFT_LEADER))
        return false;
    raft_become_follower(r, m->term, m->from);
    raft_heard_leader(r);
    return true;
}

static void refuse(struct raft *r, const struct raft_message *m, struct hint hint)
{
    struct raft_message *answer = raft_answer_to(r, m);
    answer->index = r->last_index;
    answer->conflict_index = hint.index;
    answer->conflict_term = hint.term;
    raft_send(r, answer, r->vote_persist);
}

/* Entries below the one of a recovery are not handed out before their lineage is known. */
static bool tells_lineage(const struct raft *r, uint64_t index)
{
    return !raft_has_recovery_row(r) ||
           raft_id_equal(raft_cluster_at(r, index), r->recovery.cluster);
}

static void accept(struct raft *r, const struct raft_message *m)
{
    uint64_t verified = m->index + m->entry_count; /* not the own last index (consensus.md 6.5) */
    uint64_t commit = m->commit < verified ? m->commit : verified;
    if (commit > r->commit && tells_lineage(r, commit)) {
        r->commit = commit;
        raft_calls_committed(r);
    }
    struct raft_message *answer = raft_answer_to(r, m);
    answer->ok = true;
    answer->index = verified;
    bool is_synced = verified <= r->synced;
    raft_send(r, answer,
              is_synced || r->entries_persist < r->vote_persist ? r->vote_persist
                                                                : r->entries_persist);
}

void raft_on_append(struct raft *r, const struct raft_message *m)
{
    struct hint hint = {.index = m->index, .term = m->log_term};
    uint32_t first = 0;
    if (!is_sound(m)) {
        raft_ignore(r, m, RAFT_IGN_MALFORMED);
        return;
    }
    /* Below its floor it acknowledges nothing; the hint asks for the same again, later. */
    bool follows = follow_leader(r, m);
    if (follows && raft_is_overturned(r, m))
        raft_set_aside(r, m);
    if (!follows || raft_lacks_state(r) || !fits(r, m, &hint)) {
        if (!r->has_failed)
            refuse(r, m, hint);
        return;
    }
    if (!find_new(r, m, &first)) {
        raft_ignore(r, m, RAFT_IGN_MALFORMED);
        return;
    }
    take(r, m, first);
    r->need_state = 0;
    accept(r, m);
}

/* ---- the other words of a leader ---- */

void raft_on_heartbeat(struct raft *r, const struct raft_message *m)
{
    bool follows = follow_leader(r, m);
    if (follows && m->round >= r->heard_round) { /* not one that was overtaken */
        r->heard_round = m->round;
        r->heard_transfer = m->transfer;
    }
    struct raft_message *answer = raft_answer_to(r, m);
    answer->ok = follows && !raft_lacks_state(r);
    answer->well = raft_is_well(r);
    raft_send(r, answer, r->vote_persist);
}

void raft_on_need_state(struct raft *r, const struct raft_message *m)
{
    bool follows = follow_leader(r, m);
    if (follows && raft_is_outrun(r, m))
        raft_set_aside(r, m);
    struct raft_message *answer = raft_answer_to(r, m);
    answer->index = r->last_index;
    answer->ok =
        follows && !raft_lacks_state(r) && r->durable >= m->index && r->last_index >= m->index;
    if (follows && !r->recovery.is_aside)
        r->need_state = answer->ok ? 0 : m->index;
    raft_send(r, answer, r->vote_persist);
}
