#include "services/raftd/core/state.h"

static const struct raft_id none;

void raft_arm_election(struct raft *r)
{
    uint64_t spread_us = (uint64_t)r->timing.election_ms * 1000;
    uint64_t ns = (spread_us + cu_random_below(&r->random, spread_us)) * 1000;
    r->election_at = (struct cu_mono){r->now.ns + ns};
}

void raft_heard_leader(struct raft *r)
{
    r->heard_at = r->now;
    r->heard_from = r->leader;
    raft_arm_election(r);
}

static void set_role(struct raft *r, enum raft_role role)
{
    if (r->role == role)
        return;
    r->role = role;
    raft_tell(r, RAFT_NOTE_ROLE, (struct raft_note_args){.index = r->term});
}

static void set_leader(struct raft *r, struct raft_id leader)
{
    if (raft_id_equal(r->leader, leader))
        return;
    r->leader = leader;
    raft_tell(r, RAFT_NOTE_LEADER, (struct raft_note_args){.peer = leader, .index = r->term});
}

static void end_reign(struct raft *r)
{
    r->ticket_term = 0;
    raft_transfer_end(r);
    raft_change_end_reign(r);
    raft_reads_fail(r);
}

void raft_become_follower(struct raft *r, uint64_t term, struct raft_id leader)
{
    if (term > r->term) {
        r->term = term;
        r->vote = none;
        r->heard_round = 0;
        r->heard_transfer = false;
        raft_write_vote(r);
    }
    bool was_leader = r->role == RAFT_LEADER;
    if (r->role != RAFT_FOLLOWER)
        raft_arm_election(r);
    set_role(r, RAFT_FOLLOWER);
    set_leader(r, leader);
    if (was_leader)
        end_reign(r);
}

static void become_leader(struct raft *r)
{
    set_role(r, RAFT_LEADER);
    set_leader(r, r->self);
    r->led_from = r->awake_from = r->now;
    r->lease_from = (struct cu_mono){0};
    r->lease_base_ms = r->last_lease_ms;
    r->transfer_retry_at = r->now;
    raft_replicate_reset(r);
    if (raft_lacks_recovery_entry(r))
        raft_append_recovery(r);
    raft_append_noop(r);
    r->noop_index = r->last_index;
    raft_duty_begin(r);
    raft_broadcast_heartbeat(r);
}

/* ---- campaigns ---- */

bool raft_may_campaign(const struct raft *r)
{
    return r->has_attached && !raft_lacks_state(r) && !r->promise.round && raft_is_voter(r) &&
           raft_is_own_incarnation(r) && !r->has_failed && !r->is_stopping;
}

static void new_round(struct raft *r)
{
    r->election_round++;
    for (uint32_t i = 0; i < r->peer_count; i++)
        r->peers[i].has_granted = false;
}

static void stand(struct raft *r)
{
    r->term++;
    r->vote = r->self;
    raft_write_vote(r);
    set_role(r, RAFT_CANDIDATE);
    set_leader(r, none);
    new_round(r);
}

static void ask_all(struct raft *r, enum raft_message_kind kind, bool is_transfer)
{
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (!r->peers[i].is_voter)
            continue;
        struct raft_message *message = raft_message_to(r, r->peers[i].id, kind);
        message->term = kind == RAFT_MSG_PREVOTE ? r->term + 1 : r->term;
        message->index = r->last_index;
        message->log_term = r->last_term;
        message->round = r->election_round;
        message->transfer = is_transfer;
        raft_send(r, message, r->vote_persist);
    }
}

/* The no-op is in the same transaction as the vote, and nobody else is asked. */
void raft_maybe_lead_alone(struct raft *r)
{
    if (r->role == RAFT_LEADER || !raft_is_sole_voter(r) || !raft_may_campaign(r))
        return;
    stand(r);
    become_leader(r);
}

void raft_campaign(struct raft *r, bool is_transfer)
{
    raft_arm_election(r);
    if (!raft_may_campaign(r))
        return;
    if (raft_is_sole_voter(r)) {
        raft_maybe_lead_alone(r);
        return;
    }
    if (is_transfer) { /* consensus.md 5: a transfer skips pre-vote */
        stand(r);
        ask_all(r, RAFT_MSG_VOTE, true);
        return;
    }
    set_role(r, RAFT_PRECANDIDATE);
    set_leader(r, none);
    new_round(r);
    ask_all(r, RAFT_MSG_PREVOTE, false);
}

/* Why no election will come of it here, once: there is nobody to ask, or the log, which no leader
 * continues, speaks of others only. */
static void tell_why_none(struct raft *r)
{
    if (!r->latest.count && !r->told_no_peers && !r->bootstrap_count) {
        r->told_no_peers = true;
        raft_tell(r, RAFT_NOTE_NO_PEERS, (struct raft_note_args){0});
    }
    if (r->latest.count && !r->told_outsider && !raft_is_member(r)) {
        r->told_outsider = true;
        raft_tell(
            r, RAFT_NOTE_OUTSIDER,
            (struct raft_note_args){.peer = r->latest.servers[0].id, .index = r->latest.count});
    }
}

void raft_election_tick(struct raft *r)
{
    if (r->role == RAFT_LEADER || cu_mono_before(r->now, r->election_at))
        return;
    tell_why_none(r);
    raft_recovery_tick(r);
    raft_campaign(r, false);
}

/* ---- answers ---- */

static bool has_quorum(const struct raft *r)
{
    uint32_t grants = 1; /* its own */
    for (uint32_t i = 0; i < r->peer_count; i++)
        grants += r->peers[i].is_voter && r->peers[i].has_granted;
    return grants >= raft_quorum(r);
}

/* True when the answer belongs to the round at hand and grants. */
static bool count_grant(struct raft *r, const struct raft_message *m)
{
    struct raft_peer *peer = raft_peer_find(r, m->from);
    if (!peer || m->round != r->election_round || !m->ok)
        return false;
    peer->has_granted = true;
    return true;
}

void raft_on_prevote_answer(struct raft *r, const struct raft_message *m)
{
    if (!m->ok && m->term > r->term) {
        raft_become_follower(r, m->term, none);
        return;
    }
    if (r->role != RAFT_PRECANDIDATE || !count_grant(r, m) || !has_quorum(r))
        return;
    raft_arm_election(r);
    stand(r);
    ask_all(r, RAFT_MSG_VOTE, false);
}

void raft_on_vote_answer(struct raft *r, const struct raft_message *m)
{
    if (m->term > r->term) {
        raft_become_follower(r, m->term, none);
        return;
    }
    if (r->role != RAFT_CANDIDATE || m->term != r->term)
        return;
    if (count_grant(r, m) && has_quorum(r))
        become_leader(r);
}

void raft_on_timeout_now(struct raft *r, const struct raft_message *m)
{
    struct raft_message *answer = raft_answer_to(r, m);
    answer->ok = m->term == r->term && r->role == RAFT_FOLLOWER &&
                 raft_id_equal(r->leader, m->from) && raft_may_campaign(r);
    raft_send(r, answer, 0);
    if (answer->ok)
        raft_campaign(r, true);
}
