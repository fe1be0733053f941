/* scrub.h - adds up the rows of the own state after the start, once an hour, and when another
 * replica has a different one: what was damaged behind our back is found here, by itself
 * (core/verify.h). On a thread and a connection of its own, in one snapshot. */
#ifndef CATALOG_SCRUB_H
#define CATALOG_SCRUB_H

#include "services/catalogd/io/shell.h"

enum {
    CATALOG_SCRUB_FIRST_MS = 500, /* after the start */
    CATALOG_SCRUB_MS = 3600 * 1000,
    CATALOG_SCRUB_WAL_MAX = 1024 * 1024 * 1024, /* given up above it, as a copy (contracts 6.7) */
};

struct catalog_scrub *catalog_scrub_new(struct catalog_shell *shell);
void catalog_scrub_free(struct catalog_scrub *scrub); /* takes NULL; ends what is under way */

/* At once, if none is under way. */
void catalog_scrub_now(struct catalog_scrub *scrub);
/* The file of the state is about to be replaced: asks what is under way to end. True: nothing is
 * under way, nor will be before the loop's next turn. */
bool catalog_scrub_quiesce(struct catalog_scrub *scrub);

/* Of the last one that ended: the index it looked at, 0 for none yet. */
uint64_t catalog_scrub_index(const struct catalog_scrub *scrub);

#endif
