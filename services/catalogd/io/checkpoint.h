/* checkpoint.h - moves the write-ahead log of the state into its database and says what is durable
 * (contracts 3.5, 6.7).
 *
 * PASSIVE on a thread and a connection of its own from 4,000 pages on, and at leisure, after a
 * fold, when little is written. Above 64 MiB readers are gated for one checkpoint after which the
 * log begins anew. */
#ifndef CATALOG_CHECKPOINT_H
#define CATALOG_CHECKPOINT_H

#include "services/catalogd/io/shell.h"

enum {
    /* Since the last one. With 100,000 keys of 128 bytes a put's share of it is 4.2 us with 1,000
     * pages, 2.6 with 4,000 and 2.3 with 8,000, for pages are copied less often; with the last so
     * much is synced at once that the p99 of puts doubles. */
    CATALOG_CHECKPOINT_PAGES = 4000,
    CATALOG_RESTART_PAGES = 64 * 1024 * 1024 / 4096,
    CATALOG_CHECKPOINT_LEISURE_MS = 5000, /* what is applied is folded after this, at the latest */
    CATALOG_CHECKPOINT_AGAIN_MS = 200,    /* after one that readers cut short: older than any of
                                             their snapshots that do not scan */
};

CU_MUST_USE enum cu_err catalog_checkpoints_open(struct catalog_shell *shell,
                                                 struct catalog_checkpoints **ret_checkpoints,
                                                 struct cu_diag *diag);
void catalog_checkpoints_free(struct catalog_checkpoints *checkpoints); /* takes NULL; waits */

/* The applied index has moved, or the database. */
void catalog_checkpoints_moved(struct catalog_checkpoints *checkpoints);
/* While somebody holds it the log is not begun anew: they read for long (contracts 6.7). */
void catalog_checkpoints_hold(struct catalog_checkpoints *checkpoints);
void catalog_checkpoints_let_go(struct catalog_checkpoints *checkpoints);

#endif
