#include "common/base/planted.h"
#include "services/raftd/core/state.h"

void raft_broadcast_heartbeat(struct raft *r)
{
    uint32_t spread = r->timing.heartbeat_spread_ms;
    uint64_t wait_ms =
        r->timing.heartbeat_ms + (spread ? cu_random_below(&r->random, spread + 1) : 0);
    r->heartbeat_at = cu_mono_add_ms(r->now, wait_ms);
    r->round++;
    r->round_sent[r->round % RAFT_ROUNDS] = r->now;
    for (uint32_t i = 0; i < r->peer_count; i++) {
        struct raft_message *message = raft_message_to(r, r->peers[i].id, RAFT_MSG_HEARTBEAT);
        message->round = r->round;
        message->transfer = r->is_transferring;
        message->conflict_index = r->peers[i].incarnation;
        raft_send(r, message, r->vote_persist);
    }
}

void raft_on_heartbeat_answer(struct raft *r, const struct raft_message *m)
{
    if (m->term > r->term) {
        raft_become_follower(r, m->term, (struct raft_id){{0}});
        return;
    }
    struct raft_peer *peer = raft_peer_find(r, m->from);
    bool is_remembered = m->round <= r->round && m->round + RAFT_ROUNDS > r->round;
    if (r->role != RAFT_LEADER || m->term != r->term || !peer || !is_remembered) {
        r->ignored[RAFT_IGN_STALE]++;
        return;
    }
    peer->is_well = m->well;
    if (!m->ok || m->round <= peer->acked_round)
        return;
    peer->acked_round = m->round;
    peer->acked_at = r->round_sent[m->round % RAFT_ROUNDS];
}

/* When a quorum was last known to follow: the quorum-th newest send time of what was answered. */
static struct cu_mono quorum_contact(const struct raft *r, struct cu_mono least)
{
    struct cu_mono times[RAFT_SERVERS_MAX];
    uint32_t count = 0, quorum = raft_quorum(r);
    if (raft_counts_itself(r))
        times[count++] = r->now;
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (!r->peers[i].is_voter)
            continue;
        struct cu_mono at = r->peers[i].acked_at;
        if (cu_mono_before(at, least))
            at = least;
        uint32_t k = count++;
        for (; k > 0 && cu_mono_before(times[k - 1], at); k--)
            times[k] = times[k - 1];
        times[k] = at;
    }
    return count >= quorum ? times[quorum - 1] : least;
}

bool raft_lease_is_valid(const struct raft *r, struct cu_mono now)
{
    if (r->role != RAFT_LEADER || r->is_transferring)
        return false;
    if (cu_planted("lease-without-check-quorum"))
        return true;
    if (raft_is_sole_voter(r))
        return raft_counts_itself(r);
    struct cu_mono contact = quorum_contact(r, (struct cu_mono){0});
    return cu_mono_before(r->lease_from, contact) &&
           cu_mono_before(now, cu_mono_add_ms(contact, r->timing.lease_ms));
}

struct cu_mono raft_lease_end(const struct raft *r)
{
    if (raft_is_sole_voter(r) || cu_planted("lease-without-check-quorum"))
        return CU_MONO_NEVER;
    struct cu_mono least = cu_mono_before(r->led_from, r->awake_from) ? r->awake_from : r->led_from;
    return cu_mono_add_ms(quorum_contact(r, least), r->timing.lease_ms);
}

/* Late for its own heartbeat by as much again: it was this process that did not run, and what it
 * was told meanwhile lies unread. The lease stays void, but it leads on if it is answered now; else
 * each pause would cost an election wherever no voter can be spared. After a longer silence than
 * any election takes to begin somebody else leads, however often it was late meanwhile: a slow
 * leader that is cut off must step down, too. */
void raft_notice_pause(struct raft *r)
{
    if (r->role != RAFT_LEADER)
        return;
    struct cu_mono late = cu_mono_add_ms(r->heartbeat_at, r->timing.heartbeat_ms);
    struct cu_mono over =
        cu_mono_add_ms(quorum_contact(r, r->led_from), 2 * (uint64_t)r->timing.election_ms);
    if (!cu_mono_before(r->now, late) && cu_mono_before(r->now, over))
        r->awake_from = r->now;
}

void raft_lease_tick(struct raft *r)
{
    if (r->role != RAFT_LEADER)
        return;
    if (!cu_mono_before(r->now, raft_lease_end(r))) {
        raft_become_follower(r, r->term, (struct raft_id){{0}});
        raft_tell(r, RAFT_NOTE_LEASE_LOST, (struct raft_note_args){.index = r->term});
        return;
    }
    if (!cu_mono_before(r->now, r->heartbeat_at))
        raft_broadcast_heartbeat(r);
}
