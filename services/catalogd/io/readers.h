/* readers.h - the connections that read the state, through the memtables over it (memtables.h): one
 * of the loop, in a snapshot kept until the applied index moves or 100 ms pass, and a pool of
 * workers with one each (contracts 6.7).
 *
 * All functions are for the loop's thread. */
#ifndef CATALOG_READERS_H
#define CATALOG_READERS_H

#include <stdbool.h>

#include "common/loop/worker.h"
#include "services/catalogd/core/backend.h"

struct catalog_readers;
struct catalog_memtables;

enum { CATALOG_READERS_POOL = 2, CATALOG_SNAPSHOT_MS = 100 };

/* Work for the pool; lives in its owner until `done` has run. */
struct catalog_read_job {
    /* On a worker, inside a read transaction of its own. `backend` NULL: the connection failed,
     * `diag` says how. */
    void (*run)(void *arg, const struct catalog_backend *backend, const struct cu_diag *diag);
    void (*done)(void *arg); /* on the loop */
    void *arg;
    struct catalog_read_job *next;
    bool has_started; /* from here on its snapshot may be older than a read that arrives now */
};

/* Opens all connections to the database at `path` (copied), which exists. `memtables` lives
 * until the readers are released or freed. Blocks a little. */
CU_MUST_USE enum cu_err catalog_readers_open(struct cu_loop *loop, const char *path,
                                             struct catalog_memtables *memtables,
                                             struct catalog_readers **ret_readers,
                                             struct cu_diag *diag);
/* Waits for the jobs under way, whose `done` still runs; what has not started is forgotten. Takes
 * NULL. */
void catalog_readers_free(struct catalog_readers *readers);

/* The loop's snapshot; NULL while gated or when it cannot be had (use a job then). */
const struct catalog_backend *catalog_readers_snapshot(struct catalog_readers *readers);
/* Rises with each new snapshot of the loop's. */
uint64_t catalog_readers_generation(const struct catalog_readers *readers);
/* The applied index has moved: the next snapshot is a new one. */
void catalog_readers_moved(struct catalog_readers *readers);
/* The database has moved, too: the loop stands on nothing older any more. */
void catalog_readers_rebase(struct catalog_readers *readers);

void catalog_readers_submit(struct catalog_readers *readers, struct catalog_read_job *job);

/* Starts nothing more and, as soon as nothing reads any longer, calls `when_closed` once (never
 * from inside this function). */
void catalog_readers_gate(struct catalog_readers *readers, cu_callback *when_closed, void *arg);
void catalog_readers_ungate(struct catalog_readers *readers);
bool catalog_readers_is_gated(const struct catalog_readers *readers);

/* While gated and closed: lets go of the file, and opens what lies there now. */
void catalog_readers_release(struct catalog_readers *readers);
CU_MUST_USE enum cu_err catalog_readers_reopen(struct catalog_readers *readers,
                                               struct catalog_memtables *memtables,
                                               struct cu_diag *diag);

#endif
