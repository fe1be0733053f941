/* reconcile.h - the duty that mirrors gossip's members into the catalog (agent.md 12, contracts
 * 5.5): follows the member feed from a cursor, looks at what the catalog holds, proposes what is
 * missing; all of it anew every 60 s. On the loop's thread; looks run on a reader worker. */
#ifndef CATALOG_IO_RECONCILE_H
#define CATALOG_IO_RECONCILE_H

#include "services/catalogd/io/shell.h"

struct catalog_reconciler;

enum {
    CATALOG_RECONCILE_MS = 60 * 1000,
    CATALOG_RECONCILE_RETRY_MS = 1000, /* after a look or a write that failed */
    CATALOG_RECONCILE_BATCH = 64,      /* members looked at together, and writes under way */
};

struct catalog_reconciler *catalog_reconciler_new(struct catalog_shell *shell);
/* When no reader works any more. Takes NULL. */
void catalog_reconciler_free(struct catalog_reconciler *reconciler);

/* Start, run and stop of the duty. */
void catalog_reconcile_start(void *shell);
void catalog_reconcile_all(void *shell);
void catalog_reconcile_stop(void *shell);

/* This host's gossipd is there, or there again. */
void catalog_reconcile_gossip_up(void *shell);

#endif
