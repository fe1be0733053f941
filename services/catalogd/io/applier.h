/* applier.h - the apply worker: owns the writing connection and the store, applies what was
 * followed in the order given, and commits everything that waited in one transaction (contracts
 * 6.7).
 *
 * One job is under way at a time; what arrives meanwhile waits on the loop and makes the next one.
 * All functions are for the loop's thread. */
#ifndef CATALOG_APPLIER_H
#define CATALOG_APPLIER_H

#include "common/loop/worker.h"
#include "proto/curia/internal/v1/log.pb-c.h"
#include "services/catalogd/core/apply.h"
#include "services/catalogd/core/marks.h"
#include "services/catalogd/core/store.h"
#include "services/catalogd/io/crash.h"

struct catalog_applier;

enum { CATALOG_COMMIT_AGAIN_MS = 500 };

/* What is known of the state as last committed. */
struct catalog_facts {
    struct catalog_position position;
    uint64_t shown_index, index_base, epoch, lease_ms;
    uint64_t kv_index, tombstones_index, acl_tokens_index, reaped_index, floor_index;
    uint64_t wal_pages;   /* in use: its file may be longer, and is written over from the front */
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
    void *arg;
};

/* Opens the state; copies its write-ahead log into the database and syncs it, so that what is
 * found here is durable. Blocks: before the loop runs. Errors as cu_db_open and catalog_store_open;
 * diag says what to do. */
CU_MUST_USE enum cu_err catalog_applier_open(const struct catalog_applier_options *options,
                                             struct catalog_applier **ret_applier,
                                             struct cu_diag *diag);
/* Waits for the job under way. Takes NULL. */
void catalog_applier_free(struct catalog_applier *applier);

/* Takes the arena, in which `reply` lies. */
void catalog_applier_submit(struct catalog_applier *applier, struct cu_arena *arena,
                            const Curia__Internal__V1__FollowReply *reply);
bool catalog_applier_is_idle(const struct catalog_applier *applier);

/* Of the last commit whose callback has run. */
const struct catalog_facts *catalog_applier_facts(const struct catalog_applier *applier);

/* The hashes of the state at round indexes since it was opened, as far as committed. */
const struct catalog_marks *catalog_applier_marks(const struct catalog_applier *applier);

/* A job on the same thread between two commits, with the writing connection for itself: for the
 * checkpoint that begins the write-ahead log anew, and for taking the state over by another file.
 * `done` runs on the loop. */
struct catalog_sqlite;
typedef enum cu_err catalog_exclusive(void *arg, struct catalog_sqlite *db, struct cu_diag *diag);
typedef void catalog_exclusive_done(void *arg, enum cu_err err, const struct cu_diag *diag);
void catalog_applier_exclusive(struct catalog_applier *applier, catalog_exclusive *run,
                               catalog_exclusive_done *done, void *arg);

#endif
