/* proposals.h - the proposals of one turn, sent as one Log.Propose (contracts 3.3), and the writes
 * behind them. */
#ifndef CATALOG_PROPOSALS_H
#define CATALOG_PROPOSALS_H

#include "services/catalogd/io/shell.h"

enum {
    CATALOG_ENTRY_BYTES_MAX = 1536 * 1024, /* contracts 1.1: of a command */
    CATALOG_PROPOSE_BYTES = 1024 * 1024,   /* a call is cut after this many, at a whole proposal */
    CATALOG_PROPOSE_COUNT = 1024,
};

struct catalog_proposals *catalog_proposals_new(void);
void catalog_proposals_free(struct catalog_proposals *proposals);

/* PROPOSE and OPEN: added to the turn's. */
void catalog_proposals_add(struct catalog_shell *shell, const struct catalog_action *act);
/* The end of the turn. */
void catalog_proposals_flush(struct catalog_shell *shell);

struct catalog_writes *catalog_writes_new(void);
void catalog_writes_free(struct catalog_writes *writes); /* tells all that are open UNKNOWN */
/* WRITE_DONE. */
void catalog_write_done(struct catalog_shell *shell, const struct catalog_action *act);

#endif
