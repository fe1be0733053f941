/* User events and queries: passed on once each, in the window that serf keeps (gossip.md 17, 18).
 * Delivering and answering them is not built yet; a pool with serf agents stays whole. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "services/gossipd/core/state.h"
#include "services/gossipd/core/unpack.h"

enum { SAME_TIME_MAX = 64, NO_REBROADCAST = 2 };

/* What was seen at one Lamport time; slots are taken by time modulo the window. */
struct slot {
    uint64_t ltime;
    uint32_t count;
    uint64_t *seen;
};

struct gossip_replay {
    struct slot events[GOSSIP_EVENT_SLOTS], queries[GOSSIP_EVENT_SLOTS];
};

struct gossip_replay *gossip_replay_new(void)
{
    return cu_alloc(sizeof(struct gossip_replay));
}

void gossip_replay_free(struct gossip_replay *replay)
{
    if (!replay)
        return;
    for (size_t i = 0; i < GOSSIP_EVENT_SLOTS; i++) {
        free(replay->events[i].seen);
        free(replay->queries[i].seen);
    }
    free(replay);
}

static bool is_in_window(uint64_t ltime, uint64_t clock, uint64_t least)
{
    return ltime >= least && !(clock > GOSSIP_EVENT_SLOTS && ltime < clock - GOSSIP_EVENT_SLOTS);
}

/* True: the first time that this is seen at that time. */
static bool is_first(struct slot *slots, uint64_t ltime, uint64_t what)
{
    struct slot *slot = &slots[ltime % GOSSIP_EVENT_SLOTS];
    if (slot->ltime != ltime) {
        slot->ltime = ltime;
        slot->count = 0;
    }
    for (uint32_t i = 0; i < slot->count; i++)
        if (slot->seen[i] == what)
            return false;
    if (slot->count == SAME_TIME_MAX)
        return false;
    slot->seen = cu_realloc(slot->seen, (slot->count + 1) * sizeof *slot->seen);
    slot->seen[slot->count++] = what;
    return true;
}

/* ---- events ---- */

static uint64_t hash_event(struct cu_bytes name, struct cu_bytes payload)
{
    struct cu_bytes parts[] = {name, payload};
    return cu_blake2b_128(parts, CU_COUNT(parts)).lo;
}

static bool take_event(struct gossip *g, uint64_t ltime, struct cu_bytes name,
                       struct cu_bytes payload)
{
    gossip_witness(&g->event_time, ltime);
    return is_in_window(ltime, g->event_time, g->event_min) &&
           is_first(g->replay->events, ltime, hash_event(name, payload));
}

bool gossip_hear_event(struct gossip *g, struct cu_bytes body)
{
    struct gossip_unpack in = gossip_unpack_of(body);
    struct cu_bytes name = {0}, payload = {0};
    uint64_t ltime = 0;
    for (uint32_t n = gossip_unpack_map(&in); n && in.state == GOSSIP_UNPACK_FINE; n--) {
        struct cu_bytes key = gossip_unpack_raw(&in);
        if (cu_bytes_equal(key, cu_bytes_of("LTime")))
            ltime = gossip_unpack_uint(&in, UINT64_MAX);
        else if (cu_bytes_equal(key, cu_bytes_of("Name")))
            name = gossip_unpack_raw(&in);
        else if (cu_bytes_equal(key, cu_bytes_of("Payload")))
            payload = gossip_unpack_raw(&in);
        else
            gossip_unpack_skip(&in);
    }
    if (in.state != GOSSIP_UNPACK_FINE) {
        g->dropped++;
        return false;
    }
    return take_event(g, ltime, name, payload);
}

/* One slot of a push/pull: nil, or {Events: [{Name, Payload}...], LTime}; the time may come last.
 */
static void merge_slot(struct gossip *g, struct gossip_unpack *in)
{
    struct cu_bytes events = {0};
    uint64_t ltime = 0;
    for (uint32_t n = gossip_unpack_map(in); n && in->state == GOSSIP_UNPACK_FINE; n--) {
        struct cu_bytes key = gossip_unpack_raw(in);
        if (cu_bytes_equal(key, cu_bytes_of("LTime")))
            ltime = gossip_unpack_uint(in, UINT64_MAX);
        else if (cu_bytes_equal(key, cu_bytes_of("Events")))
            events = gossip_unpack_whole(in);
        else
            gossip_unpack_skip(in);
    }
    struct gossip_unpack list = gossip_unpack_of(events);
    for (uint32_t n = events.len ? gossip_unpack_list(&list) : 0;
         n && list.state == GOSSIP_UNPACK_FINE; n--) {
        struct cu_bytes name = {0}, payload = {0};
        for (uint32_t f = gossip_unpack_map(&list); f && list.state == GOSSIP_UNPACK_FINE; f--) {
            struct cu_bytes key = gossip_unpack_raw(&list);
            if (cu_bytes_equal(key, cu_bytes_of("Name")))
                name = gossip_unpack_raw(&list);
            else if (cu_bytes_equal(key, cu_bytes_of("Payload")))
                payload = gossip_unpack_raw(&list);
            else
                gossip_unpack_skip(&list);
        }
        if (list.state == GOSSIP_UNPACK_FINE)
            (void)take_event(g, ltime, name, payload); /* replayed, never broadcast again */
    }
}

void gossip_merge_events(struct gossip *g, struct cu_bytes events)
{
    if (!events.len)
        return;
    struct gossip_unpack in = gossip_unpack_of(events);
    for (uint32_t n = gossip_unpack_list(&in); n && in.state == GOSSIP_UNPACK_FINE; n--)
        merge_slot(g, &in);
}

/* ---- queries ---- */

bool gossip_hear_query(struct gossip *g, struct cu_bytes body)
{
    struct gossip_unpack in = gossip_unpack_of(body);
    uint64_t ltime = 0, id = 0, flags = 0;
    for (uint32_t n = gossip_unpack_map(&in); n && in.state == GOSSIP_UNPACK_FINE; n--) {
        struct cu_bytes key = gossip_unpack_raw(&in);
        if (cu_bytes_equal(key, cu_bytes_of("LTime")))
            ltime = gossip_unpack_uint(&in, UINT64_MAX);
        else if (cu_bytes_equal(key, cu_bytes_of("ID")))
            id = gossip_unpack_uint(&in, UINT32_MAX);
        else if (cu_bytes_equal(key, cu_bytes_of("Flags")))
            flags = gossip_unpack_uint(&in, UINT32_MAX);
        else
            gossip_unpack_skip(&in);
    }
    if (in.state != GOSSIP_UNPACK_FINE) {
        g->dropped++;
        return false;
    }
    gossip_witness(&g->query_time, ltime);
    return is_in_window(ltime, g->query_time, g->query_min) &&
           is_first(g->replay->queries, ltime, id) && !(flags & NO_REBROADCAST);
}
