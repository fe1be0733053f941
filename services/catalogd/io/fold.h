/* fold.h - the fold worker: owns the connection that writes the database, and puts into it, in one
 * transaction each, the memtables that the applier has set aside.
 *
 * One fold is under way at a time. Where the database cannot be written it is tried again after a
 * pause. All functions are for the loop's thread. */
#ifndef CATALOG_FOLD_H
#define CATALOG_FOLD_H

#include "common/base/buf.h"
#include "common/loop/worker.h"
#include "services/catalogd/core/store.h"
#include "services/catalogd/io/memtables.h"
#include "services/catalogd/io/sqlite.h"

enum { CATALOG_FOLD_AGAIN_MS = 500 };

enum catalog_fold_state { CATALOG_FOLDED, CATALOG_FOLDING, CATALOG_FOLD_FAILED };

/* What is known of the database. */
struct catalog_stored {
    struct catalog_position position; /* of the state in it: applied, or behind that */
    struct cu_buf header;             /* packed, of that state */
    uint64_t wal_pages; /* in use: its file may be longer, and is written over from the front */
};

/* Somebody who waits until what is applied now is in the database. Lives in its owner. */
struct catalog_fold_wait {
    void (*done)(void *arg,
                 enum cu_err err); /* IO: it could not be; it is tried again all the same */
    void *arg;
    bool is_waiting;
    uint64_t index;
    struct catalog_fold_wait *next;
};

struct catalog_fold;

/* A fold has ended. CU_OK; IO: it is tried again after a pause; anything else, with the text: the
 * process cannot go on. */
typedef void catalog_fold_done(void *arg, enum cu_err err, const char *text);

/* Opens the database at `path`, making it where there is none; copies its write-ahead log into it
 * and syncs it, so that what is found there is durable. Blocks. Errors as
 * catalog_sqlite_open_writer and cu_db_checkpoint. */
CU_MUST_USE enum cu_err catalog_fold_open(struct cu_loop *loop, const char *path,
                                          catalog_fold_done *done, void *arg,
                                          struct catalog_fold **ret_fold, struct cu_diag *diag);
/* What was found there; before the first fold. */
void catalog_fold_found(struct catalog_fold *fold, struct catalog_position position,
                        struct cu_bytes header);

enum catalog_fold_state catalog_fold_state(const struct catalog_fold *fold);
const struct catalog_stored *catalog_fold_stored(const struct catalog_fold *fold);

/* `memtables` were rotated when the state stood at `position`; only when all before are FOLDED. */
void catalog_fold_begin(struct catalog_fold *fold, struct catalog_memtables *memtables,
                        struct catalog_position position, struct cu_bytes header);

/* While something else uses the connection no fold begins: only while none is under way. */
struct catalog_sqlite *catalog_fold_borrow(struct catalog_fold *fold);
void catalog_fold_give_back(struct catalog_fold *fold);

/* Who waits for the state at `index`, and is told by tell(): once what it waits for is stored, or
 * with the error of the fold that just ended. */
void catalog_fold_wait(struct catalog_fold *fold, struct catalog_fold_wait *wait, uint64_t index);
void catalog_fold_cancel(struct catalog_fold *fold, struct catalog_fold_wait *wait);
bool catalog_fold_is_awaited(const struct catalog_fold *fold);
void catalog_fold_tell(struct catalog_fold *fold, enum cu_err err);

/* Waits for the fold under way, which still reports; tells nobody who waits. Takes NULL. */
void catalog_fold_stop(struct catalog_fold *fold);
/* After stop: what was rotated just now, on the caller's thread. */
CU_MUST_USE enum cu_err catalog_fold_now(struct catalog_fold *fold,
                                         struct catalog_memtables *memtables, struct cu_diag *diag);
void catalog_fold_free(struct catalog_fold *fold); /* after stop; takes NULL */

#endif
