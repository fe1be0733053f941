/* place.h - the files of the catalog's folder: a new state takes the place of the old one
 * (contracts 3.1, 3.6). Blocks. */
#ifndef CATALOG_PLACE_H
#define CATALOG_PLACE_H

#include "services/catalogd/core/store.h"

/* Renames `new_path` to state.db in `folder` and syncs the folder; no connection to either is
 * open. `replaced`: the old one is kept as state.db.<cluster id>; NULL: it is not. Errors: IO. */
CU_MUST_USE enum cu_err catalog_place(const char *folder, const char *new_path,
                                      const struct catalog_id *replaced, struct cu_diag *diag);

/* Moves a state that cannot be read away, as state.db.damaged. */
CU_MUST_USE enum cu_err catalog_place_damaged(const char *folder, struct cu_diag *diag);

/* Removes the kept states of replaced clusters; one that cannot be removed stays. */
void catalog_place_forget(const char *folder);

#endif
