#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/raftd/core/state.h"

/* ---- the tail: a ring of the newest entries ---- */

static struct raft_entry *slot(const struct raft_tail *tail, uint32_t i)
{
    return &tail->ring[(tail->head + i) & (tail->cap - 1)];
}

const struct raft_entry *raft_tail_at(const struct raft *r, uint64_t index)
{
    const struct raft_tail *tail = &r->tail;
    if (!tail->count || index < tail->first || index - tail->first >= tail->count)
        return NULL;
    return slot(tail, (uint32_t)(index - tail->first));
}

static void tail_widen(struct raft_tail *tail)
{
    uint32_t cap = tail->cap ? tail->cap * 2 : 1024;
    struct raft_entry *ring = cu_alloc(cap * sizeof *ring);
    for (uint32_t i = 0; i < tail->count; i++)
        ring[i] = *slot(tail, i);
    free(tail->ring);
    tail->ring = ring;
    tail->cap = cap;
    tail->head = 0;
}

void raft_tail_push(struct raft *r, const struct raft_entry *entry)
{
    struct raft_tail *tail = &r->tail;
    if (tail->count == tail->cap)
        tail_widen(tail);
    if (!tail->count)
        tail->first = entry->index;
    CU_ASSERT(entry->index == tail->first + tail->count);
    *slot(tail, tail->count++) = *entry;
    tail->bytes += raft_entry_body(entry).len;
}

static void tail_drop_front(struct raft_tail *tail)
{
    struct raft_entry *entry = slot(tail, 0);
    tail->bytes -= raft_entry_body(entry).len;
    raft_body_unref(entry->body);
    tail->head = (tail->head + 1) & (tail->cap - 1);
    tail->first++;
    tail->count--;
}

static void tail_drop_back(struct raft_tail *tail)
{
    struct raft_entry *entry = slot(tail, tail->count - 1);
    tail->bytes -= raft_entry_body(entry).len;
    raft_body_unref(entry->body);
    tail->count--;
}

void raft_log_trim(struct raft *r)
{
    struct raft_tail *tail = &r->tail;
    while (tail->count && tail->first <= r->start.position.index)
        tail_drop_front(tail);
    while (tail->count && tail->first <= r->synced &&
           (tail->count > RAFT_CACHE_ENTRIES || tail->bytes > RAFT_CACHE_BYTES))
        tail_drop_front(tail);
}

/* ---- questions ---- */

static enum cu_err read_one(const struct raft *r, uint64_t index, struct raft_entry *ret_entry)
{
    const struct raft_entry *cached = raft_tail_at(r, index);
    if (cached) {
        *ret_entry = *cached;
        raft_body_ref(ret_entry->body);
        return CU_OK;
    }
    uint32_t count = 0;
    enum cu_err err = r->store.read(r->store.context, index, 1, SIZE_MAX, ret_entry, &count);
    return err ? err : count == 1 ? CU_OK : CU_E_CORRUPT;
}

enum cu_err raft_term_at(const struct raft *r, uint64_t index, uint64_t *ret_term)
{
    CU_ASSERT(index >= r->start.position.index && index <= r->last_index);
    const struct raft_entry *cached = raft_tail_at(r, index);
    if (cached || index == r->start.position.index || index == r->last_index) {
        *ret_term = index == r->last_index ? r->last_term
                    : cached               ? cached->term
                                           : r->start.position.term;
        return CU_OK;
    }
    struct raft_entry entry;
    enum cu_err err = read_one(r, index, &entry);
    if (err)
        return err;
    *ret_term = entry.term;
    raft_body_unref(entry.body);
    return CU_OK;
}

enum cu_err raft_last_at_most(const struct raft *r, uint64_t upper, uint64_t term,
                              uint64_t *ret_index)
{
    uint64_t low = r->start.position.index; /* terms never fall along a log: halve */
    uint64_t high = upper < r->last_index ? upper : r->last_index;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2, there;
        enum cu_err err = raft_term_at(r, middle, &there);
        if (err)
            return err;
        if (there <= term)
            low = middle;
        else
            high = middle - 1;
    }
    *ret_index = low;
    return CU_OK;
}

enum cu_err raft_stamps_at(const struct raft *r, uint64_t index, struct raft_header *ret_header)
{
    if (index == r->start.position.index) {
        ret_header->wall_ms = r->start.wall_ms;
        ret_header->lease_ms = r->start.lease_ms;
        return CU_OK;
    }
    struct raft_entry entry;
    enum cu_err err = read_one(r, index, &entry);
    if (err)
        return err;
    ret_header->wall_ms = entry.wall_ms;
    ret_header->lease_ms = entry.lease_ms;
    raft_body_unref(entry.body);
    return CU_OK;
}

/* ---- changes ---- */

static void set_last(struct raft *r, const struct raft_entry *entry)
{
    r->last_index = entry->index;
    r->last_term = entry->term;
    r->last_wall_ms = entry->wall_ms;
    r->last_lease_ms = entry->lease_ms;
}

void raft_log_append(struct raft *r, const struct raft_entry *entry)
{
    CU_ASSERT(entry->index == r->last_index + 1 && entry->term >= r->last_term);
    struct raft_persist *persist = raft_write(r);
    persist->entries = raft_grow(persist->entries, &r->open_cap, persist->entry_count + 1,
                                 sizeof *persist->entries);
    persist->entries[persist->entry_count++] = *entry;
    r->entries_persist = persist->id;
    raft_body_ref(entry->body); /* one for the disk, one for the tail */
    raft_tail_push(r, entry);
    r->bytes_appended += raft_entry_body(entry).len;
    set_last(r, entry);
    if (entry->kind == RAFT_CONFIGURATION)
        raft_log_note_change(r, entry);
}

static void clip_pending(struct raft *r, uint64_t last_index)
{
    if (r->synced > last_index)
        r->synced = last_index;
    for (uint32_t i = 0; i < r->pending_count; i++) {
        if (r->pending[i].last_index > last_index)
            r->pending[i].last_index = last_index;
    }
}

/* What is left of the log ends in an entry on disk or in the tail, or at the floor. */
static void find_last(struct raft *r, uint64_t index)
{
    struct raft_entry entry;
    if (index == r->start.position.index) {
        set_last(r, &(struct raft_entry){.index = index,
                                         .term = r->start.position.term,
                                         .wall_ms = r->start.wall_ms,
                                         .lease_ms = r->start.lease_ms});
        return;
    }
    if (read_one(r, index, &entry)) {
        raft_store_failed(r);
        return;
    }
    set_last(r, &entry);
    raft_body_unref(entry.body);
}

void raft_log_truncate(struct raft *r, uint64_t from)
{
    CU_ASSERT(from > r->commit && from > r->start.position.index && from <= r->last_index);
    struct raft_persist *persist = raft_write(r);
    CU_ASSERT(!persist->entry_count); /* the transaction truncates before it appends */
    persist->truncate_from = from;
    raft_calls_replaced(r, from);
    clip_pending(r, from - 1);
    find_last(r, from - 1);
    while (r->tail.count && r->tail.first + r->tail.count > from)
        tail_drop_back(&r->tail);
    uint32_t kept = r->change_count;
    while (kept && r->changes[kept - 1].configuration.index >= from)
        kept--;
    if (kept != r->change_count) {
        r->change_count = kept;
        raft_configuration_changed(r);
    }
}

void raft_log_restart(struct raft *r, const struct raft_header *start)
{
    struct raft_persist *persist = raft_write(r);
    persist->has_start = true;
    persist->start = *start;
    r->entries_persist = persist->id;
    raft_calls_replaced(r, start->position.index + 1);
    clip_pending(r, 0);
    while (r->tail.count)
        tail_drop_back(&r->tail);
    r->start = *start;
    r->change_count = 0;
    r->commit = start->position.index;
    find_last(r, start->position.index);
    raft_configuration_changed(r);
}

void raft_log_drop_front(struct raft *r, const struct raft_header *floor)
{
    struct raft_persist *persist = raft_write(r);
    persist->has_floor = true;
    persist->floor = *floor;
    r->floor_persist = persist->id;
    r->start = *floor;
    uint32_t gone = 0;
    while (gone < r->change_count && r->changes[gone].configuration.index <= floor->position.index)
        gone++;
    r->change_count -= gone;
    if (r->change_count)
        memmove(r->changes, r->changes + gone, r->change_count * sizeof *r->changes);
    raft_log_trim(r);
}

void raft_log_persisted(struct raft *r, uint64_t persist)
{
    uint32_t done = 0;
    while (done < r->pending_count && r->pending[done].persist <= persist) {
        if (r->pending[done].last_index > r->synced)
            r->synced = r->pending[done].last_index;
        done++;
    }
    r->pending_count -= done;
    if (done && r->pending_count)
        memmove(r->pending, r->pending + done, r->pending_count * sizeof *r->pending);
    if (persist > r->synced_persist)
        r->synced_persist = persist;
    raft_log_trim(r);
}

/* Configurations are not beside the log but in it, so all of it is read once; what was read last
 * stays in memory. */
void raft_log_load(struct raft *r)
{
    uint64_t next = r->start.position.index + 1;
    while (next <= r->last_index && !r->has_failed) {
        struct raft_entry batch[RAFT_ENTRY_BATCH];
        uint32_t count = 0;
        if (r->store.read(r->store.context, next, RAFT_ENTRY_BATCH, RAFT_APPEND_BYTES, batch,
                          &count) ||
            !count) {
            r->has_failed = true;
            return;
        }
        for (uint32_t i = 0; i < count; i++) {
            raft_tail_push(r, &batch[i]);
            if (batch[i].kind == RAFT_CONFIGURATION)
                raft_log_note_change(r, &batch[i]);
        }
        next += count;
        raft_log_trim(r);
    }
}
