/* bookmark.h - the bookkeeping of the state: where it stands, beside its rows (contracts 6.1).
 *
 * Kept in memory by the apply worker and written once a transaction, as the meta row "state". A
 * reader finds in it what its own snapshot is worth. Plain data: a copy is a way back. */
#ifndef CATALOG_BOOKMARK_H
#define CATALOG_BOOKMARK_H

#include "services/catalogd/core/store.h"

/* Names of meta rows. Windows are one row a slot: "window.00" to "window.63". */
#define CATALOG_META_STATE         "state"
#define CATALOG_META_CONFIGURATION "configuration"
#define CATALOG_META_WINDOW        "window."

struct catalog_bookmark {
    uint32_t level; /* highest level of an entry applied */
    struct catalog_position position;
    uint64_t wall_ms, lease_ms; /* of the last applied entry */
    uint64_t index_base, epoch;
    uint64_t floor_index;  /* shown: of the last restore or recovery, at least 1 */
    uint64_t reaped_index; /* shown: highest of a tombstone reaped */
    uint64_t table_index[CATALOG_TABLE_COUNT]; /* shown; 0: never */
    struct cu_u128 hash;
    /* the change log */
    uint64_t change_rows, change_bytes, value_bytes;
    uint64_t oldest_lease_ms; /* of the oldest change row; no row is older */
    uint64_t trimmed_index;   /* shown: highest of a change row dropped; history begins above it */
    uint64_t dropped_index;   /* raw: at which a proposer was dropped last */
    uint32_t lineage_count;
    struct {
        struct catalog_id cluster;
        uint64_t last_index;
    } lineage[CATALOG_LINEAGE_MAX];
};

/* Of a state that has applied nothing. */
struct catalog_bookmark catalog_bookmark_empty(void);

void catalog_bookmark_encode(const struct catalog_bookmark *bookmark, struct cu_buf *ret_bytes);
/* CORRUPT: does not decode. */
CU_MUST_USE enum cu_err catalog_bookmark_decode(struct cu_bytes bytes,
                                                struct catalog_bookmark *ret_bookmark);

/* The one that lies in `backend`; the empty one where nothing was ever written. The arena is used
 * in passing. Errors: CORRUPT, what the backend returned, TOO_LARGE: the arena is full. */
CU_MUST_USE enum cu_err catalog_bookmark_read(const struct catalog_backend *backend,
                                              struct cu_arena *arena,
                                              struct catalog_bookmark *ret_bookmark);

uint64_t catalog_bookmark_shown_index(const struct catalog_bookmark *bookmark);

#endif
