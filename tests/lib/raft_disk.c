#include "tests/lib/raft_disk.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

static void drop_back(struct raft_disk *disk, uint64_t from)
{
    while (disk->entry_count && raft_disk_last(disk) >= from)
        raft_body_unref(disk->entries[--disk->entry_count].body);
}

static void drop_front(struct raft_disk *disk, const struct raft_header *floor)
{
    uint64_t gone = floor->position.index - disk->start.position.index;
    CU_ASSERT(gone <= disk->entry_count);
    for (uint64_t i = 0; i < gone; i++)
        raft_body_unref(disk->entries[i].body);
    disk->entry_count -= (uint32_t)gone;
    memmove(disk->entries, disk->entries + gone, disk->entry_count * sizeof *disk->entries);
    disk->start = *floor;
}

static void append(struct raft_disk *disk, const struct raft_entry *entry)
{
    CU_ASSERT(entry->index == raft_disk_last(disk) + 1); /* a hole is for nobody to write */
    if (disk->entry_count == disk->entry_cap) {
        disk->entry_cap = disk->entry_cap ? disk->entry_cap * 2 : 64;
        disk->entries = cu_realloc(disk->entries, disk->entry_cap * sizeof *disk->entries);
    }
    disk->entries[disk->entry_count] = *entry;
    raft_body_ref(disk->entries[disk->entry_count++].body);
}

static void apply(struct raft_disk *disk, struct raft_persist *persist)
{
    if (persist->has_vote) {
        disk->term = persist->term;
        disk->vote = persist->vote;
    }
    if (persist->has_start) {
        drop_back(disk, 0);
        disk->start = persist->start;
    }
    if (persist->truncate_from)
        drop_back(disk, persist->truncate_from);
    for (uint32_t i = 0; i < persist->entry_count; i++)
        append(disk, &persist->entries[i]);
    if (persist->has_floor)
        drop_front(disk, &persist->floor);
    if (persist->has_promise)
        disk->promise = persist->promise;
    if (persist->has_recovery)
        disk->recovery = persist->recovery;
    disk->syncs++;
    raft_persist_free(persist);
}

void raft_disk_deinit(struct raft_disk *disk)
{
    raft_disk_crash(disk, 0);
    drop_back(disk, 0);
    free(disk->entries);
    free(disk->waiting);
    *disk = (struct raft_disk){0};
}

void raft_disk_write(struct raft_disk *disk, struct raft_persist *persist)
{
    if (disk->waiting_count == disk->waiting_cap) {
        disk->waiting_cap = disk->waiting_cap ? disk->waiting_cap * 2 : 16;
        disk->waiting = cu_realloc(disk->waiting, disk->waiting_cap * sizeof(void *));
    }
    disk->waiting[disk->waiting_count++] = persist;
}

void raft_disk_sync(struct raft_disk *disk, uint64_t id)
{
    uint32_t done = 0;
    while (done < disk->waiting_count && disk->waiting[done]->id <= id)
        apply(disk, disk->waiting[done++]);
    disk->waiting_count -= done;
    if (done && disk->waiting_count)
        memmove(disk->waiting, disk->waiting + done, disk->waiting_count * sizeof(void *));
}

void raft_disk_crash(struct raft_disk *disk, uint32_t kept)
{
    for (uint32_t i = 0; i < disk->waiting_count; i++) {
        if (i < kept)
            apply(disk, disk->waiting[i]);
        else
            raft_persist_free(disk->waiting[i]);
    }
    disk->waiting_count = 0;
}

uint64_t raft_disk_last(const struct raft_disk *disk)
{
    return disk->start.position.index + disk->entry_count;
}

const struct raft_entry *raft_disk_at(const struct raft_disk *disk, uint64_t index)
{
    if (index <= disk->start.position.index || index > raft_disk_last(disk))
        return NULL;
    return &disk->entries[index - disk->start.position.index - 1];
}

struct raft_boot raft_disk_boot(const struct raft_disk *disk)
{
    struct raft_boot boot = {.term = disk->term,
                             .vote = disk->vote,
                             .incarnation = disk->incarnation,
                             .start = disk->start,
                             .last_index = raft_disk_last(disk),
                             .last_term = disk->start.position.term,
                             .last_wall_ms = disk->start.wall_ms,
                             .last_lease_ms = disk->start.lease_ms,
                             .promise = disk->promise,
                             .recovery = disk->recovery,
                             .trailing = 10240};
    const struct raft_entry *last = raft_disk_at(disk, boot.last_index);
    if (last) {
        boot.last_term = last->term;
        boot.last_wall_ms = last->wall_ms;
        boot.last_lease_ms = last->lease_ms;
    }
    return boot;
}

static enum cu_err read_entries(void *context, uint64_t first, uint32_t max_count, size_t max_bytes,
                                struct raft_entry *ret_entries, uint32_t *ret_count)
{
    const struct raft_disk *disk = context;
    size_t bytes = 0;
    uint32_t count = 0;
    if (disk->fails_to_read)
        return CU_E_IO;
    while (count < max_count) {
        const struct raft_entry *entry = raft_disk_at(disk, first + count);
        if (!entry)
            break;
        bytes += raft_entry_body(entry).len;
        if (count && bytes > max_bytes)
            break;
        ret_entries[count] = *entry;
        raft_body_ref(ret_entries[count++].body);
    }
    *ret_count = count;
    return CU_OK;
}

struct raft_store raft_disk_store(struct raft_disk *disk)
{
    return (struct raft_store){.context = disk, .read = read_entries};
}
