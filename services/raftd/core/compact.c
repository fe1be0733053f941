#include "common/base/planted.h"
#include "services/raftd/core/state.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void drop_hold(struct raft *r, uint32_t i)
{
    r->holds[i] = r->holds[--r->hold_count];
}

static void expire_holds(struct raft *r)
{
    for (uint32_t i = r->hold_count; i-- > 0;) {
        bool is_over = !cu_mono_before(r->now, r->holds[i].until) ||
                       r->bytes_appended - r->holds[i].bytes_before > RAFT_HOLD_BYTES;
        if (is_over)
            drop_hold(r, i);
    }
}

static struct raft_hold *find_hold(struct raft *r, uint64_t index)
{
    uint32_t soonest = 0;
    for (uint32_t i = 0; i < r->hold_count; i++) {
        if (r->holds[i].index == index)
            return &r->holds[i];
        if (cu_mono_before(r->holds[i].until, r->holds[soonest].until))
            soonest = i;
    }
    bool is_full = r->hold_count == RAFT_HOLDS_MAX; /* then the one that ends first gives way */
    struct raft_hold *hold = is_full ? &r->holds[soonest] : &r->holds[r->hold_count++];
    *hold = (struct raft_hold){.index = index, .bytes_before = r->bytes_appended};
    return hold;
}

void raft_on_hold(struct raft *r, uint64_t index, uint32_t ttl_ms)
{
    struct raft_hold *hold = find_hold(r, index);
    hold->until = cu_mono_add_ms(r->now, ttl_ms); /* 0: over at once */
    raft_compact(r);
}

static uint64_t limit(const struct raft *r)
{
    uint64_t to = r->durable > r->trailing ? r->durable - r->trailing : 0;
    if (cu_planted("compact-to-applied"))
        to = r->commit;
    for (uint32_t i = 0; i < r->hold_count; i++)
        to = least(to, r->holds[i].index);
    return least(to, least(r->commit, r->synced));
}

/* In slices, the next one when the last is on disk, so that no transaction grows without bound. */
void raft_compact(struct raft *r)
{
    expire_holds(r);
    uint64_t floor = r->start.position.index, to = limit(r), term;
    if (!r->is_attached || to <= floor || r->floor_persist > r->synced_persist)
        return;
    to = least(to, floor + RAFT_COMPACT_SLICE);
    if (raft_term_at(r, to, &term)) {
        raft_store_failed(r);
        return;
    }
    struct raft_header header = raft_header_at(r, to, term);
    if (raft_stamps_at(r, to, &header)) {
        raft_store_failed(r);
        return;
    }
    raft_log_drop_front(r, &header);
}
