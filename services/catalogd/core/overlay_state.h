/* overlay_state.h - shared by what reads and what writes an overlay; private to core/. */
#ifndef CATALOG_OVERLAY_STATE_H
#define CATALOG_OVERLAY_STATE_H

#include "services/catalogd/core/overlay.h"

/* The newest version that is seen from here, in whichever memtable; NULL: ask below. */
const struct catalog_version *catalog_overlay_find(const struct catalog_overlay *overlay, int space,
                                                   struct cu_bytes key);

/* What writes, put in by init. */
void catalog_overlay_write_functions(struct catalog_backend *backend);

#endif
