/* copy.h - a whole state to a spool file, and from one into a new database (contracts 3.6). For
 * worker threads: both block. */
#ifndef CATALOG_COPY_H
#define CATALOG_COPY_H

#include <stdbool.h>

#include "services/catalogd/core/store.h"

/* Files in the catalog's folder that a transfer makes; what begins so is removed at the start. */
#define CATALOG_SPOOL_PREFIX "spool-"
#define CATALOG_PULL_PREFIX  "pull-"

struct catalog_copy {
    const char *path; /* of the state */
    int fd;           /* the spool, written from its beginning */
    uint64_t wal_max_bytes;
    bool is_cancelled; /* set by another thread: ends with NOT_READY */

    /* what came of it */
    enum cu_err err; /* set before: nothing is done */
    struct cu_diag diag;
    struct catalog_position position;
    struct cu_buf header; /* packed StateHeader */
    struct cu_u128 hash;
    uint64_t size_bytes;
};

/* One read transaction. */
void catalog_copy_run(struct catalog_copy *copy);

struct catalog_install {
    const char *path;    /* of the new database; made anew */
    int fd;              /* the spool */
    struct cu_u128 hash; /* as offered: rows and bookkeeping must agree with it */

    enum cu_err err; /* CORRUPT: the file is not what was offered */
    struct cu_diag diag;
};

/* One write transaction, copied into the database file and synced. On failure the new file is
 * removed. */
void catalog_install_run(struct catalog_install *install);

#endif
