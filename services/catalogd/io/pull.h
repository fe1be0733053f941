/* pull.h - the taker's side of a state transfer: asks the peers in turn, fetches chunk by chunk,
 * installs into a new file and puts it in the place of the old one (contracts 3.6). */
#ifndef CATALOG_PULL_H
#define CATALOG_PULL_H

#include "services/catalogd/io/shell.h"

struct catalog_taker;

enum {
    CATALOG_OFFER_TIMEOUT_MS = 120 * 1000, /* the giver copies its whole state meanwhile */
    CATALOG_CHUNK_TIMEOUT_MS = 10 * 1000,
    CATALOG_CHUNK_TRIES = 20,            /* of one chunk, over lost connections, 250 ms apart */
    CATALOG_STATE_BYTES_MAX = INT64_MAX, /* a state is as large as it is: the disk says no */
};

struct catalog_taker *catalog_taker_new(struct catalog_shell *shell);
void catalog_taker_free(struct catalog_taker *taker); /* takes NULL */

/* Gets a state; ends with catalog_shell_pulled(). `was_diverged`: it replaces the local one even
 * where that is newer; otherwise only a newer one is taken. */
void catalog_taker_start(struct catalog_taker *taker, bool was_diverged);

/* Whether there is another catalogd to get one from. */
bool catalog_taker_has_peer(struct catalog_taker *taker);

/* What is installed is durable: a replaced database that was kept is removed. */
void catalog_taker_tidy(struct catalog_taker *taker);

#endif
