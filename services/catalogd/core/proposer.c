#include "services/catalogd/core/proposer.h"

#include <string.h>

#include "common/base/planted.h"

static struct catalog_window *find(struct catalog_proposers *proposers,
                                   const struct catalog_id *proposer)
{
    for (size_t i = 0; i < CATALOG_PROPOSERS_MAX; i++) {
        struct catalog_window *w = &proposers->windows[i];
        if (w->last_index && memcmp(&w->proposer, proposer, sizeof *proposer) == 0)
            return w;
    }
    return NULL;
}

/* A free slot, else the one whose latest entry lies farthest back. */
static struct catalog_window *oldest(struct catalog_proposers *proposers)
{
    struct catalog_window *found = &proposers->windows[0];
    for (size_t i = 1; i < CATALOG_PROPOSERS_MAX; i++)
        if (proposers->windows[i].last_index < found->last_index)
            found = &proposers->windows[i];
    return found;
}

static void touch(struct catalog_window *window, uint64_t index)
{
    window->last_index = index;
    window->is_dirty = true;
}

enum catalog_fate catalog_proposers_open(struct catalog_proposers *proposers,
                                         const struct catalog_id *proposer, uint64_t applied_index,
                                         uint64_t index)
{
    struct catalog_window *w = find(proposers, proposer);
    if (w) {
        touch(w, index);
        return CATALOG_OPENED;
    }
    /* This may be a late copy of the Open of one that was dropped since: its seqs are forgotten,
     * so opening it anew would apply them twice. */
    if (applied_index < proposers->dropped_index)
        return CATALOG_OPEN_REFUSED;
    w = oldest(proposers);
    if (w->last_index)
        proposers->dropped_index = index;
    *w = (struct catalog_window){.proposer = *proposer};
    touch(w, index);
    return CATALOG_OPENED;
}

static bool is_marked(const struct catalog_window *w, uint64_t seq)
{
    return w->seen[seq % CATALOG_WINDOW_SEQS / 8] >> (seq % 8) & 1;
}

/* Clears what lies between the highest so far and `seq`: the ring is about to mean those. */
static void advance(struct catalog_window *w, uint64_t seq)
{
    if (seq - w->highest >= CATALOG_WINDOW_SEQS)
        memset(w->seen, 0, sizeof w->seen);
    else
        for (uint64_t s = w->highest + 1; s <= seq; s++)
            w->seen[s % CATALOG_WINDOW_SEQS / 8] &= (uint8_t) ~(1u << (s % 8));
    w->highest = seq;
}

enum catalog_fate catalog_proposers_mark(struct catalog_proposers *proposers,
                                         const struct catalog_id *proposer, uint64_t seq,
                                         uint64_t index)
{
    struct catalog_window *w = find(proposers, proposer);
    if (!w || seq == 0)
        return CATALOG_DROPPED;
    touch(w, index);
    if (w->highest >= CATALOG_WINDOW_SEQS && seq <= w->highest - CATALOG_WINDOW_SEQS)
        return CATALOG_TOO_OLD;
    if (cu_planted("dedup-by-evictable-id") && seq + 2 <= w->highest)
        return CATALOG_APPLIED; /* only the last two are remembered */
    if (seq <= w->highest && is_marked(w, seq))
        return CATALOG_SEEN;
    if (seq > w->highest)
        advance(w, seq);
    w->seen[seq % CATALOG_WINDOW_SEQS / 8] |= (uint8_t)(1u << (seq % 8));
    return CATALOG_APPLIED;
}

void catalog_window_encode(const struct catalog_window *window, struct cu_buf *ret_bytes)
{
    cu_buf_append(ret_bytes, window->proposer.bytes, CATALOG_ID_BYTES);
    cu_buf_u64le(ret_bytes, window->last_index);
    cu_buf_u64le(ret_bytes, window->highest);
    cu_buf_append(ret_bytes, window->seen, sizeof window->seen);
}

enum cu_err catalog_window_decode(struct cu_bytes bytes, struct catalog_window *ret_window)
{
    struct catalog_window w = {0};
    struct cu_reader r = cu_reader_of(bytes);
    struct cu_bytes id = cu_read_bytes(&r, CATALOG_ID_BYTES);
    w.last_index = cu_read_u64le(&r);
    w.highest = cu_read_u64le(&r);
    struct cu_bytes seen = cu_read_bytes(&r, sizeof w.seen);
    if (r.failed || cu_reader_left(&r) > 0)
        return CU_E_CORRUPT;
    memcpy(w.proposer.bytes, id.data, id.len);
    memcpy(w.seen, seen.data, seen.len);
    *ret_window = w;
    return CU_OK;
}
