/* duties.h - what the catalogd on duty does: the rows of core/duty and how they propose. */
#ifndef CATALOG_DUTIES_H
#define CATALOG_DUTIES_H

#include "services/catalogd/io/shell.h"

enum {
    /* http-api 3.7: tombstones live this long in lease time, looked at with this grain. */
    CATALOG_TOMBSTONE_TTL_MS = 15 * 60 * 1000,
    CATALOG_TOMBSTONE_GRAIN_MS = 30 * 1000,
};

void catalog_duties_start(struct catalog_shell *shell);
/* When no reader works any more. */
void catalog_duties_stop(struct catalog_shell *shell);
void catalog_duties_on(struct catalog_shell *shell, uint64_t term, const struct catalog_id *ticket);
void catalog_duties_off(struct catalog_shell *shell);

#endif
