#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/planted.h"
#include "services/raftd/core/state.h"

/* ---- sending ---- */

void raft_replicate_reset(struct raft *r)
{
    for (uint32_t i = 0; i < r->peer_count; i++) {
        struct raft_peer *peer = &r->peers[i];
        peer->stream = RAFT_PROBE;
        peer->next = r->last_index + 1;
        peer->match = peer->commit_told = 0;
        peer->flight_count = 0;
        peer->is_silent = peer->is_well = false;
        peer->acked_round = r->round;
        peer->acked_at = peer->paused_until = (struct cu_mono){0};
    }
}

static size_t flying_bytes(const struct raft_peer *peer)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < peer->flight_count; i++)
        bytes += peer->flights[i].bytes;
    return bytes;
}

static bool has_news(const struct raft *r, const struct raft_peer *peer)
{
    if (peer->next <= r->last_index || peer->match + 1 != peer->next)
        return true;
    return !peer->flight_count && peer->commit_told < r->commit;
}

static bool may_send(const struct raft *r, const struct raft_peer *peer)
{
    switch (peer->stream) {
    case RAFT_NEED_STATE:
        return false;
    case RAFT_PROBE:
        return !peer->flight_count && !cu_mono_before(r->now, peer->paused_until) &&
               has_news(r, peer);
    case RAFT_PIPELINE:
        if (peer->flight_count == RAFT_PIPELINE_MESSAGES ||
            flying_bytes(peer) >= RAFT_PIPELINE_BYTES)
            return false;
        return peer->next <= r->last_index ||
               (!peer->flight_count && peer->commit_told < r->commit);
    }
    return false;
}

static void fill_entries(struct raft *r, struct raft_peer *peer, struct raft_message *message)
{
    if (peer->next > r->last_index || peer->is_silent)
        return;
    struct raft_entry batch[RAFT_ENTRY_BATCH];
    uint32_t count = 0;
    if (raft_read(r, peer->next, r->last_index, RAFT_APPEND_BYTES, r->batch, batch, &count)) {
        raft_store_failed(r);
        return;
    }
    message->entries = cu_memdup(batch, count * sizeof *batch);
    message->entry_count = count;
}

static struct raft_flight flight_of(struct raft *r, const struct raft_message *message)
{
    struct raft_flight flight = {.seq = message->round,
                                 .prev = message->index,
                                 .last = message->index + message->entry_count,
                                 .commit = message->commit,
                                 .sent_at = r->now};
    for (uint32_t i = 0; i < message->entry_count; i++)
        flight.bytes += raft_entry_body(&message->entries[i]).len;
    return flight;
}

static void send_append(struct raft *r, struct raft_peer *peer)
{
    /* Compaction overtook a peer that was silent: ask where it stands before it is told to pull. */
    if (peer->next <= r->start.position.index)
        peer->next = r->last_index + 1;
    uint64_t prev = peer->next - 1, prev_term;
    if (raft_term_at(r, prev, &prev_term)) {
        raft_store_failed(r);
        return;
    }
    struct raft_message *message = raft_message_to(r, peer->id, RAFT_MSG_APPEND);
    message->index = prev;
    message->log_term = prev_term;
    message->commit = r->commit;
    message->round = ++r->append_seq;
    message->conflict_index = peer->incarnation;
    fill_entries(r, peer, message);
    struct raft_flight flight = flight_of(r, message);
    peer->flights[peer->flight_count++] = flight;
    peer->next = flight.last + 1;
    /* Before its entries are on the own disk (Raft dissertation 10.2.1), but not before the term.
     */
    raft_send(r, message, r->vote_persist);
}

void raft_replicate(struct raft *r)
{
    if (r->role != RAFT_LEADER)
        return;
    for (uint32_t i = 0; i < r->peer_count; i++) {
        while (!r->has_failed && may_send(r, &r->peers[i]))
            send_append(r, &r->peers[i]);
    }
}

static void send_need_state(struct raft *r, struct raft_peer *peer)
{
    struct raft_message *message = raft_message_to(r, peer->id, RAFT_MSG_NEED_STATE);
    message->index = r->start.position.index;
    message->log_term = r->start.position.term;
    message->conflict_index = peer->incarnation;
    peer->state_at = cu_mono_add_ms(r->now, r->timing.contact_ms);
    raft_send(r, message, 0);
}

static void restart_probe(struct raft_peer *peer)
{
    peer->next = peer->match ? peer->match + 1 : peer->flights[0].prev + 1;
    peer->flight_count = 0;
    peer->stream = RAFT_PROBE;
}

void raft_replicate_tick(struct raft *r)
{
    if (r->role != RAFT_LEADER)
        return;
    if (!cu_mono_before(r->now, r->noop_at))
        raft_append_noop(r);
    for (uint32_t i = 0; i < r->peer_count; i++) {
        struct raft_peer *peer = &r->peers[i];
        if (peer->stream == RAFT_NEED_STATE) {
            if (!cu_mono_before(r->now, peer->state_at))
                send_need_state(r, peer);
        } else if (peer->flight_count &&
                   !cu_mono_before(
                       r->now, cu_mono_add_ms(peer->flights[0].sent_at, r->timing.contact_ms))) {
            restart_probe(peer);
            peer->is_silent = true;
        }
    }
}

/* ---- answers ---- */

static bool take_flight(struct raft_peer *peer, uint64_t seq, struct raft_flight *ret_flight)
{
    for (uint32_t i = 0; i < peer->flight_count; i++) {
        if (peer->flights[i].seq != seq)
            continue;
        *ret_flight = peer->flights[i];
        memmove(peer->flights + i, peer->flights + i + 1,
                (--peer->flight_count - i) * sizeof *peer->flights);
        return true;
    }
    return false;
}

/* Answers to older ones were lost, or will be late: this one says as much. Newer ones stay, or a
 * doubled answer would make room for a message that nobody asked for. */
static void drop_older_flights(struct raft_peer *peer, uint64_t seq)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < peer->flight_count; i++) {
        if (peer->flights[i].seq > seq || peer->flights[i].last > peer->match)
            peer->flights[kept++] = peer->flights[i];
    }
    peer->flight_count = kept;
}

/* Also counts when the question is no longer asked: what was verified in this term stays so. */
static void on_matched(struct raft *r, struct raft_peer *peer, const struct raft_message *m)
{
    struct raft_flight flight;
    if (take_flight(peer, m->round, &flight)) { /* a late answer has none any more */
        uint64_t told = flight.commit < flight.last ? flight.commit : flight.last;
        peer->commit_told = told > peer->commit_told ? told : peer->commit_told;
    }
    if (m->index > peer->match)
        peer->match = m->index;
    drop_older_flights(peer, m->round);
    if (peer->next <= peer->match)
        peer->next = peer->match + 1;
    if (!peer->flight_count || peer->stream != RAFT_PROBE)
        peer->stream = RAFT_PIPELINE;
    raft_advance_commit(r);
}

/* Where both logs can agree at the latest, by the follower's hint (consensus 18). */
static void on_refused(struct raft *r, struct raft_peer *peer, const struct raft_message *m)
{
    struct raft_flight flight;
    uint64_t agreed = 0, floor = r->start.position.index;
    if (!take_flight(peer, m->round, &flight)) {
        r->ignored[RAFT_IGN_STALE]++;
        return;
    }
    peer->flight_count = 0;
    peer->stream = RAFT_PROBE;
    bool is_below = m->conflict_index < floor || (m->conflict_term < r->start.position.term);
    if (is_below && peer->match < floor) {
        peer->stream = RAFT_NEED_STATE;
        raft_tell(r, RAFT_NOTE_NEED_STATE,
                  (struct raft_note_args){.peer = peer->id, .index = floor});
        send_need_state(r, peer);
        return;
    }
    if (raft_last_at_most(r, m->conflict_index, m->conflict_term, &agreed)) {
        raft_store_failed(r);
        return;
    }
    if (agreed < peer->match)
        agreed = peer->match;
    if (agreed >= flight.prev) { /* it cannot take entries now: below its floor */
        agreed = flight.prev < peer->match ? peer->match : flight.prev;
        peer->paused_until = cu_mono_add_ms(r->now, r->timing.heartbeat_ms);
    }
    peer->next = agreed + 1;
}

void raft_on_append_answer(struct raft *r, const struct raft_message *m)
{
    if (m->term > r->term) {
        raft_become_follower(r, m->term, (struct raft_id){{0}});
        return;
    }
    struct raft_peer *peer = raft_peer_find(r, m->from);
    if (r->role != RAFT_LEADER || m->term != r->term || !peer) {
        r->ignored[RAFT_IGN_STALE]++;
        return;
    }
    if (m->ok && m->index > r->last_index) {
        r->ignored[RAFT_IGN_MALFORMED]++;
        return;
    }
    peer->is_silent = false;
    if (peer->stream == RAFT_NEED_STATE && m->ok)
        peer->stream = RAFT_PROBE;
    if (m->ok)
        on_matched(r, peer, m);
    else
        on_refused(r, peer, m);
}

void raft_on_need_state_answer(struct raft *r, const struct raft_message *m)
{
    if (m->term > r->term) {
        raft_become_follower(r, m->term, (struct raft_id){{0}});
        return;
    }
    struct raft_peer *peer = raft_peer_find(r, m->from);
    if (r->role != RAFT_LEADER || m->term != r->term || !peer || peer->stream != RAFT_NEED_STATE ||
        !m->ok)
        return;
    peer->stream = RAFT_PROBE;
    peer->flight_count = 0;
    peer->next = (m->index < r->last_index ? m->index : r->last_index) + 1;
}

/* ---- commit ---- */

static int by_index(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void raft_advance_commit(struct raft *r)
{
    if (r->role != RAFT_LEADER)
        return;
    uint64_t match[RAFT_SERVERS_MAX];
    uint32_t count = 0;
    if (raft_is_voter(r))
        match[count++] = raft_counts_itself(r) ? r->synced : 0;
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (r->peers[i].is_voter)
            match[count++] = r->peers[i].match;
    }
    if (!count)
        return;
    qsort(match, count, sizeof *match, by_index);
    uint64_t held = match[(count - 1) / 2]; /* by a majority */
    /* Raft dissertation 3.6.2: an older term's entries are committed only beneath one's own. */
    if (held < r->noop_index && !cu_planted("commit-old-term"))
        return;
    if (held > r->commit) {
        r->commit = held;
        raft_calls_committed(r);
    }
}
