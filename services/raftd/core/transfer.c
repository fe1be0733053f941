#include "services/raftd/core/state.h"

static const struct raft_peer *best_target(const struct raft *r, bool needs_well)
{
    const struct raft_peer *best = NULL;
    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct raft_peer *peer = &r->peers[i];
        bool is_heard = cu_mono_before(r->now, cu_mono_add_ms(peer->acked_at, r->timing.lease_ms));
        if (!peer->is_voter || !peer->acked_at.ns || !is_heard || (needs_well && !peer->is_well))
            continue;
        if (!best || peer->match > best->match)
            best = peer;
    }
    return best;
}

/* A TimeoutNow may still be on its way: the lease begins anew, with heartbeats that say so. A
 * quorum that has answered one of them grants no transfer (vote.c). */
void raft_transfer_end(struct raft *r)
{
    if (r->is_transferring)
        r->lease_from = r->now;
    r->is_transferring = r->has_sent_timeout_now = false;
    r->transfer_retry_at = cu_mono_add_ms(r->now, r->timing.election_ms);
}

/* From here on nothing is appended and the lease is void, so the target can catch up and win. */
void raft_transfer_start(struct raft *r, bool needs_well)
{
    if (r->role != RAFT_LEADER || r->is_transferring)
        return;
    const struct raft_peer *target = best_target(r, needs_well);
    if (!target) {
        raft_transfer_end(r);
        return;
    }
    r->is_transferring = true;
    r->transfer_to = target->id;
    r->transfer_until = cu_mono_add_ms(r->now, r->timing.election_ms);
    raft_tell(r, RAFT_NOTE_TRANSFER, (struct raft_note_args){.peer = target->id});
    raft_broadcast_heartbeat(r); /* voters learn that the lease is void before they are asked */
    raft_transfer_tick(r);
}

static void hand_over(struct raft *r)
{
    const struct raft_peer *target = raft_peer_find(r, r->transfer_to);
    if (!target || target->match != r->last_index || r->has_sent_timeout_now)
        return;
    r->has_sent_timeout_now = true;
    r->transfer_until = cu_mono_add_ms(r->now, r->timing.election_ms);
    raft_send(r, raft_message_to(r, target->id, RAFT_MSG_TIMEOUT_NOW), r->vote_persist);
}

/* When a leader's catalogd was last known to be able to do its duties (contracts 5.4). */
static struct cu_mono unwell_at(const struct raft *r)
{
    if (r->is_attached && r->has_polled && !(r->gossip_well && r->apply_well))
        return r->led_from;
    struct cu_mono sign =
        r->has_polled && cu_mono_before(r->led_from, r->polled_at) ? r->polled_at : r->led_from;
    return cu_mono_add_ms(sign, RAFT_LIFE_MS);
}

static struct cu_mono start_at(const struct raft *r)
{
    struct cu_mono unwell = unwell_at(r);
    return cu_mono_before(unwell, r->transfer_retry_at) ? r->transfer_retry_at : unwell;
}

void raft_transfer_tick(struct raft *r)
{
    if (r->role != RAFT_LEADER || raft_is_sole_voter(r))
        return;
    if (r->is_transferring) {
        hand_over(r);
        if (!cu_mono_before(r->now, r->transfer_until))
            raft_transfer_end(r);
        return;
    }
    if (!cu_mono_before(r->now, start_at(r)))
        raft_transfer_start(r, true);
}

struct cu_mono raft_transfer_deadline(const struct raft *r)
{
    if (r->role != RAFT_LEADER || raft_is_sole_voter(r))
        return CU_MONO_NEVER;
    return r->is_transferring ? r->transfer_until : start_at(r);
}

/* A refusal ends nothing before its time: another copy of the message may have been obeyed. */
void raft_on_timeout_now_answer(struct raft *r, const struct raft_message *m)
{
    if (!r->is_transferring || !raft_id_equal(m->from, r->transfer_to))
        r->ignored[RAFT_IGN_STALE]++;
}
