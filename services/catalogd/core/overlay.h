/* overlay.h - memtables over a backend, read and written as one backend.
 *
 * What stands in a memtable hides what lies below it, row by row. So it does not matter whether
 * what lies below has that memtable's content already: a reader opens the backend first and takes
 * the memtables then, and sees the state at `seq` as long as none of them was let go in between.
 *
 * A backend like any other: the tests hold it against the other two. */
#ifndef CATALOG_OVERLAY_H
#define CATALOG_OVERLAY_H

#include "services/catalogd/core/memtable.h"

enum { CATALOG_MEMTABLES_MAX = 2 }; /* the one written to and the one being folded */

struct catalog_overlay {
    struct catalog_backend backend;
    const struct catalog_backend *below;
    struct catalog_memtable *memtables[CATALOG_MEMTABLES_MAX]; /* the newest first; held by it */
    size_t count;
    uint64_t seq; /* what is newer is not seen; a write's own number */

    /* the writer's */
    uint64_t marked_seq;
    uint64_t hidden_index; /* all values below up to (index, hash) are hidden */
    struct cu_u128 hidden_hash;
};

/* Empty, over `below`, which it borrows. Overlays do not move: their backend points back. */
void catalog_overlay_init(struct catalog_overlay *overlay, const struct catalog_backend *below);
/* Lets go of its memtables. */
void catalog_overlay_clear(struct catalog_overlay *overlay);
/* Takes a hold of `memtable`, below those it has; NULL is passed over. */
void catalog_overlay_add(struct catalog_overlay *overlay, struct catalog_memtable *memtable);

#endif
