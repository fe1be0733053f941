/* applier.h - the apply worker: owns the store, applies what was followed in the order given, and
 * commits everything that waited at once (contracts 6.7) into a memtable, where readers see it
 * (memtables.h). The log is what makes it durable.
 *
 * One job is under way at a time; what arrives meanwhile waits on the loop and makes the next one.
 * A memtable that is full, or asked for, is folded into the database, in one transaction and on a
 * thread of its own: what is written there is a whole state, some way behind, which is what
 * checkpoints make durable, copies give away and the next life begins with. Where the database
 * cannot be written the fold is tried again after a pause, and what others propose meanwhile is
 * applied until CATALOG_MEMTABLE_BYTES_MAX.
 *
 * All functions are for the loop's thread. */
#ifndef CATALOG_APPLIER_H
#define CATALOG_APPLIER_H

#include "common/loop/worker.h"
#include "proto/curia/internal/v1/log.pb-c.h"
#include "services/catalogd/core/apply.h"
#include "services/catalogd/core/marks.h"
#include "services/catalogd/core/store.h"
#include "services/catalogd/io/crash.h"
#include "services/catalogd/io/fold.h"

struct catalog_applier;

enum {
    CATALOG_COMMIT_AGAIN_MS = 500, /* after one that could not read */
    /* From here on a memtable is folded: a row that is written often, and rows that lie on one
     * page, are written once. */
    CATALOG_MEMTABLE_FOLD_BYTES = 16 * 1024 * 1024,
    /* Nothing more is applied while the one before is still not folded. */
    CATALOG_MEMTABLE_BYTES_MAX = 32 * 1024 * 1024,
};

/* What is known of the state as last committed. */
struct catalog_facts {
    struct catalog_position position;
    uint64_t shown_index, index_base, epoch, lease_ms;
    uint64_t kv_index, tombstones_index, acl_tokens_index, reaped_index, floor_index;
    struct cu_buf header; /* packed curia.internal.v1.StateHeader */
    struct cu_u128 hash;
};

/* One commit; valid during the callback. */
struct catalog_commit {
    enum cu_err err; /* CU_OK; NOT_READY: stopped at the entry after `facts.position` (contracts
                        6.6); IO, CORRUPT, ...: the process cannot go on */
    const char *text;
    bool is_tried_again; /* with IO: nothing was committed; once more after a pause */
    const struct catalog_outcome *outcomes; /* of entries with a proposer, in order */
    size_t outcome_count, entry_count;
    const struct catalog_wakes *wakes;
};

typedef void catalog_on_commit(void *arg, const struct catalog_commit *commit);

struct catalog_applier_options {
    struct cu_loop *loop;
    const char *path; /* of state.db; made when it does not exist */
    struct catalog_crash *crash;
    catalog_on_commit *on_commit;
    catalog_fold_done *on_fold;
    void *arg;
};

/* Opens the state; copies its write-ahead log into the database and syncs it, so that what is
 * found here is durable. Blocks: before the loop runs. Errors as cu_db_open and catalog_store_open;
 * diag says what to do. */
CU_MUST_USE enum cu_err catalog_applier_open(const struct catalog_applier_options *options,
                                             struct catalog_applier **ret_applier,
                                             struct cu_diag *diag);
/* Waits for the job under way, and folds what is left: where that fails `on_fold` is told, and the
 * log brings it again. Who waits for a fold is not called any more. Takes NULL. */
void catalog_applier_free(struct catalog_applier *applier);

/* Takes the arena, in which `reply` lies. */
void catalog_applier_submit(struct catalog_applier *applier, struct cu_arena *arena,
                            const Curia__Internal__V1__FollowReply *reply);
/* Neither applies nor folds, and nothing waits. */
bool catalog_applier_is_idle(const struct catalog_applier *applier);

/* Folds as soon as can be and calls `done` once: at once when all is in the database already. */
void catalog_applier_fold(struct catalog_applier *applier, struct catalog_fold_wait *wait);
void catalog_applier_fold_cancel(struct catalog_applier *applier, struct catalog_fold_wait *wait);
enum catalog_fold_state catalog_applier_fold_state(const struct catalog_applier *applier);
const struct catalog_stored *catalog_applier_stored(const struct catalog_applier *applier);
/* Live as long as the applier; for readers. */
struct catalog_memtables *catalog_applier_memtables(const struct catalog_applier *applier);

/* Of the last commit whose callback has run. */
const struct catalog_facts *catalog_applier_facts(const struct catalog_applier *applier);

/* The hashes of the state at round indexes since it was opened, as far as committed. */
const struct catalog_marks *catalog_applier_marks(const struct catalog_applier *applier);

/* A job on the same thread between two commits and two folds, with the writing connection for
 * itself: for the checkpoint that begins the write-ahead log anew. `done` runs on the loop. */
struct catalog_sqlite;
typedef enum cu_err catalog_exclusive(void *arg, struct catalog_sqlite *db, struct cu_diag *diag);
typedef void catalog_exclusive_done(void *arg, enum cu_err err, const struct cu_diag *diag);
void catalog_applier_exclusive(struct catalog_applier *applier, catalog_exclusive *run,
                               catalog_exclusive_done *done, void *arg);

#endif
