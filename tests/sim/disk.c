/* raftd's simulated disk: what is synced, a transaction at a time. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/sim/world.h"

void sim_log_drop_from(struct sim_log *log, uint64_t from)
{
    for (uint64_t i = from; i < log->count; i++)
        raft_body_unref(log->entries[i].body);
    log->count = from;
}

static void drop_front(struct sim_log *log, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        raft_body_unref(log->entries[i].body);
    log->count -= n;
    memmove(log->entries, log->entries + n, log->count * sizeof *log->entries);
}

static void append(struct sim_server *server, const struct raft_entry *entry)
{
    struct sim_log *log = &server->raftd.log;
    if (entry->index != log->start.position.index + log->count + 1)
        sim_fail(server->sim, "log has no gap (I13)", "server %u appends %llu after %llu",
                 server->number, (unsigned long long)entry->index,
                 (unsigned long long)(log->start.position.index + log->count));
    if (log->count == log->cap) {
        log->cap = log->cap ? log->cap * 2 : 64;
        log->entries = cu_realloc(log->entries, log->cap * sizeof *log->entries);
    }
    log->entries[log->count] = *entry;
    raft_body_ref(entry->body);
    log->count++;
}

void sim_log_write(struct sim_server *server, const struct raft_persist *persist)
{
    struct sim_log *log = &server->raftd.log;
    if (persist->has_vote) {
        if (persist->term < log->term)
            sim_fail(server->sim, "terms rise (I7)", "server %u", server->number);
        log->term = persist->term;
        log->vote = persist->vote;
    }
    if (persist->has_start) {
        sim_log_drop_from(log, 0);
        log->start = persist->start;
    }
    if (persist->truncate_from) {
        uint64_t keep = persist->truncate_from - 1 - log->start.position.index;
        if (keep < log->count)
            sim_log_drop_from(log, keep);
    }
    for (uint32_t i = 0; i < persist->entry_count; i++)
        append(server, &persist->entries[i]);
    if (persist->has_floor) {
        uint64_t gone = persist->floor.position.index - log->start.position.index;
        drop_front(log, gone < log->count ? gone : log->count);
        log->start = persist->floor;
    }
    if (persist->has_promise)
        log->promise = persist->promise;
    if (persist->has_recovery)
        log->recovery = persist->recovery;
}

enum cu_err sim_log_read(void *context, uint64_t first, uint32_t max_count, size_t max_bytes,
                         struct raft_entry *ret_entries, uint32_t *ret_count)
{
    const struct sim_log *log = &((struct sim_server *)context)->raftd.log;
    uint32_t count = 0;
    size_t bytes = 0;
    uint64_t at = first - log->start.position.index - 1;
    for (; count < max_count && at + count < log->count; count++) {
        const struct raft_entry *entry = &log->entries[at + count];
        bytes += entry->body ? entry->body->len : 0;
        if (count && bytes > max_bytes)
            break;
        ret_entries[count] = *entry;
        raft_body_ref(entry->body);
    }
    *ret_count = count;
    return count ? CU_OK : CU_E_CORRUPT;
}
