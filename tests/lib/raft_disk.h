/* raft_disk.h - raftd's log.db in memory: transactions wait until they are synced, and a crash
 * loses those that were not.
 *
 * A transaction is all or nothing and they sync in order, as SQLite's WAL promises: what a crash
 * leaves is what was synced and then some first ones of those that waited (a torn one never
 * happened). */
#ifndef TESTS_LIB_RAFT_DISK_H
#define TESTS_LIB_RAFT_DISK_H

#include "services/raftd/core/raft.h"

struct raft_disk {
    uint64_t term, incarnation;
    struct raft_id vote;
    struct raft_header start;
    struct raft_promise promise;
    struct raft_recovery recovery;
    struct raft_entry *entries; /* start.position.index + 1 ... */
    uint32_t entry_count, entry_cap;
    struct raft_persist **waiting;
    uint32_t waiting_count, waiting_cap;
    uint64_t syncs;     /* transactions made durable */
    bool fails_to_read; /* every read is CU_E_IO from now on */
};

/* Zero-initialise and set the incarnation. */
void raft_disk_deinit(struct raft_disk *disk);

void raft_disk_write(struct raft_disk *disk, struct raft_persist *persist); /* takes it */
void raft_disk_sync(struct raft_disk *disk, uint64_t id); /* all transactions up to `id` */
/* Power loss: the first `kept` of the waiting transactions made it. */
void raft_disk_crash(struct raft_disk *disk, uint32_t kept);

uint64_t raft_disk_last(const struct raft_disk *disk);
const struct raft_entry *raft_disk_at(const struct raft_disk *disk, uint64_t index);
struct raft_boot raft_disk_boot(const struct raft_disk *disk);
struct raft_store raft_disk_store(struct raft_disk *disk);

#endif
