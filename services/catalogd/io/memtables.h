/* memtables.h - the memtables over one database, as the threads of catalogd share them: the apply
 * worker writes to one, readers take what is published, and the fold worker puts the one before
 * into the database.
 *
 *   apply:   begin, write through the backend, publish or roll back, now and then rotate
 *   fold:    fold inside a transaction of the database, retire after its commit
 *   readers: note what is retired, open the database, take; once more when something was retired
 *            in between (core/overlay.h says why that is enough) */
#ifndef CATALOG_MEMTABLES_H
#define CATALOG_MEMTABLES_H

#include "services/catalogd/core/overlay.h"

struct catalog_memtables;

/* `below` is read by the apply worker: of a connection of its own. */
struct catalog_memtables *catalog_memtables_new(const struct catalog_backend *below);
void catalog_memtables_free(struct catalog_memtables *memtables); /* takes NULL */

/* ---- the apply worker's ---- */

/* Where the state is read, and written to, as it will be when it is published. */
const struct catalog_backend *catalog_memtables_backend(struct catalog_memtables *memtables);
/* Before anything is written: lets go of what has been folded. */
void catalog_memtables_begin(struct catalog_memtables *memtables);
void catalog_memtables_publish(struct catalog_memtables *memtables);
void catalog_memtables_rollback(struct catalog_memtables *memtables);
/* Of what is written to, bytes. */
size_t catalog_memtables_bytes(const struct catalog_memtables *memtables);
/* What was written until now, all published, is to be folded; an empty one takes its place. False:
 * there is nothing to fold, or the last one has not been yet. */
bool catalog_memtables_rotate(struct catalog_memtables *memtables);

/* ---- the fold worker's ---- */

/* Errors: what `below` returned. */
CU_MUST_USE enum cu_err catalog_memtables_fold(struct catalog_memtables *memtables,
                                               const struct catalog_backend *below);
void catalog_memtables_retire(struct catalog_memtables *memtables); /* it is committed there */

/* ---- readers', any thread ---- */

uint64_t catalog_memtables_retired(struct catalog_memtables *memtables); /* how many were */
/* Fills `overlay`, which holds nothing, with what is published. False: more than `retired` were
 * retired by now. */
bool catalog_memtables_take(struct catalog_memtables *memtables, uint64_t retired,
                            struct catalog_overlay *overlay);

#endif
