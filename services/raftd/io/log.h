/* log.h - the replicated log on disk: DATA_DIR/raft/log.db, one SQLite database.
 *
 * WAL, synchronous=FULL: what a write holds is on disk when it returns, all of it or nothing.
 * Entries are rows (row.h), the rest records (meta.h), each with its checksum; damage is never
 * repaired and never cut off silently (consensus 54, 55).
 *
 * Two connections: raft_log_write() may run on a worker, one call at a time; everything else is for
 * the loop's thread, at any time. */
#ifndef RAFT_LOG_H
#define RAFT_LOG_H

#include "common/base/err.h"
#include "services/raftd/core/raft.h"

struct raft_log;

struct raft_log_options {
    const char *dir;     /* DATA_DIR/raft, made when missing (0700); borrowed during the call */
    const char *node_id; /* named in the advice on damage; borrowed during the call */
    const char *vfs;     /* of SQLite; NULL: the default. Tests put faults there */
};

/* Opens or makes the log, checks every row and says what it holds; `trailing` of *ret_boot is the
 * caller's to set. A database that holds nothing takes a new random incarnation.
 *
 * Errors: CU_E_CORRUPT a checksum, a hole between rows, or the file itself (diag: what to do);
 * CU_E_INVALID made by a newer program; CU_E_IO. */
CU_MUST_USE enum cu_err raft_log_open(const struct raft_log_options *options,
                                      struct raft_log **ret_log, struct raft_boot *ret_boot,
                                      struct cu_diag *diag);
void raft_log_close(struct raft_log *log); /* takes NULL */

/* All of them in order, in one transaction, synced. On an error nothing of it may be relied on: the
 * process ends (consensus 56). Blocks. */
CU_MUST_USE enum cu_err raft_log_write(struct raft_log *log, struct raft_persist *const *persists,
                                       size_t count, struct cu_diag *diag);

/* The `read` of struct raft_store, with the log as context. Errors: CU_E_CORRUPT, CU_E_IO; also
 * CU_E_CORRUPT when `first` is not there. raft_log_said() has the sentence. */
enum cu_err raft_log_read(void *log, uint64_t first, uint32_t max_count, size_t max_bytes,
                          struct raft_entry *ret_entries, uint32_t *ret_count);
const char *raft_log_said(const struct raft_log *log);

uint64_t raft_log_syncs(const struct raft_log *log); /* transactions so far; any thread */

/* The address book (contracts 4.1): hints, never identity. `each` gets what was last stored. */
CU_MUST_USE enum cu_err raft_log_book_put(struct raft_log *log, struct raft_id id,
                                          const char *address, struct cu_diag *diag);
CU_MUST_USE enum cu_err
raft_log_book(struct raft_log *log, void (*each)(void *arg, struct raft_id id, const char *address),
              void *arg, struct cu_diag *diag);

#endif
