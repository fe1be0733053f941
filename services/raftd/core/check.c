#include <stddef.h>

#include "services/raftd/core/state.h"

static const char *check_tail(const struct raft *r)
{
    const struct raft_tail *tail = &r->tail;
    uint64_t wall_ms = 0, lease_ms = 0, term = 0;
    if (!tail->count)
        return r->last_index > r->synced && r->last_index > r->start.position.index
                   ? "what is not synced is in memory"
                   : NULL;
    if (tail->first <= r->start.position.index)
        return "nothing at or below the floor is kept";
    if (tail->first + tail->count != r->last_index + 1)
        return "the tail ends at the last index (I13)";
    uint64_t floor = r->start.position.index;
    uint64_t on_disk = r->synced > floor ? r->synced : floor; /* after an adopt: soon */
    if (on_disk + 1 < tail->first && on_disk < r->last_index)
        return "what is not synced is in memory";
    for (uint32_t i = 0; i < tail->count; i++) {
        const struct raft_entry *entry = raft_tail_at(r, tail->first + i);
        if (entry->index != tail->first + i)
            return "indexes are contiguous (I13)";
        if (entry->term < term || entry->term > r->term)
            return "terms never decrease along the log, and none is above the own";
        if (entry->wall_ms < wall_ms || entry->lease_ms < lease_ms)
            return "wall and lease never decrease along the log (I26)";
        term = entry->term;
        wall_ms = entry->wall_ms;
        lease_ms = entry->lease_ms;
    }
    return NULL;
}

static const char *check_calls(const struct raft *r)
{
    for (uint32_t i = 0; i < r->call_count; i++) {
        if (r->calls[i].last > r->last_index || r->calls[i].first > r->calls[i].last)
            return "an open call names entries of the log";
        if (i && r->calls[i].first <= r->calls[i - 1].last)
            return "open calls are in the order of the log";
    }
    return NULL;
}

static const char *check_role(const struct raft *r)
{
    if (r->role != RAFT_LEADER)
        return r->reads_next.count + r->reads_round.count ? "only a leader keeps reads" : NULL;
    if (!raft_is_voter(r))
        return "a leader is a voter (I11)";
    if (!raft_is_own_incarnation(r))
        return "a leader is the incarnation of the configuration (I29)";
    if (r->last_term != r->term)
        return "a leader has an entry of its own term";
    for (uint32_t i = 0; i < r->peer_count; i++) {
        const struct raft_peer *peer = &r->peers[i];
        if (peer->match > r->last_index || peer->next > r->last_index + 1)
            return "no peer is ahead of its leader";
        if (peer->match >= peer->next)
            return "next is above match";
    }
    return NULL;
}

const char *raft_check(const struct raft *r)
{
    if (r->has_failed)
        return NULL;
    if (r->start.position.index > r->last_index || r->synced > r->last_index)
        return "floor and synced are within the log";
    if (r->commit > r->last_index || r->commit < r->start.position.index)
        return "commit is within the log";
    if (r->last_term > r->term)
        return "no entry is of a term above the own (I7)";
    if (r->promise.round && r->last_index)
        return "entry 1 takes the promise's place (I28)";
    const char *broken = check_tail(r);
    if (!broken)
        broken = check_calls(r);
    return broken ? broken : check_role(r);
}
