/* spool.h - the giver's side of a state transfer: a file of logical rows, copied in one read
 * transaction and served in checksummed chunks (contracts 3.6).
 *
 * One copy is under way at a time, on a thread of its own; whoever asks meanwhile gets the same
 * file. A file that nobody has read from for a minute is removed, those of an earlier life at the
 * start. */
#ifndef CATALOG_SPOOL_H
#define CATALOG_SPOOL_H

#include "services/catalogd/io/shell.h"

struct catalog_giver;

enum {
    CATALOG_CHUNK_BYTES = 512 * 1024,
    CATALOG_SPOOL_IDLE_MS = 60 * 1000,
    CATALOG_SPOOL_SHARE_MS = 10 * 1000, /* as young as this it is given to the next one, too */
    CATALOG_SPOOL_WAL_MAX = 1024 * 1024 * 1024, /* the copy is given up above it (contracts 6.7) */
    CATALOG_HOLD_MS = 30 * 1000, /* of the log behind the copy, renewed while chunks are read */
};

struct catalog_offer {
    enum cu_err err;
    const char *text;
    struct catalog_id transfer;
    struct cu_bytes header; /* packed StateHeader */
    uint64_t size_bytes;
    struct cu_u128 state_hash;
};

typedef void catalog_on_offer(void *arg, const struct catalog_offer *offer);
/* err NOT_FOUND: no such transfer (any more). */
typedef void catalog_on_chunk(void *arg, enum cu_err err, struct cu_bytes data);

struct catalog_giver *catalog_giver_new(struct catalog_shell *shell);
void catalog_giver_free(struct catalog_giver *giver); /* takes NULL; answers all with NOT_READY */

/* Both call back exactly once, never from inside. */
void catalog_giver_offer(struct catalog_giver *giver, catalog_on_offer *on_offer, void *arg);
void catalog_giver_chunk(struct catalog_giver *giver, const struct catalog_id *transfer,
                         uint64_t offset, catalog_on_chunk *on_chunk, void *arg);
/* While it copies the file of the state must not be replaced. */
bool catalog_giver_is_copying(const struct catalog_giver *giver);
/* The taker has all of it. */
void catalog_giver_done(struct catalog_giver *giver, const struct catalog_id *transfer);

/* Removes what transfers of an earlier life left in the folder. */
CU_MUST_USE enum cu_err catalog_spool_reap(const char *folder, struct cu_diag *diag);

#endif
