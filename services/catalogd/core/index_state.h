/* index_state.h - the indexes as the store keeps them between two transactions; private to core/.
 */
#ifndef CATALOG_INDEX_STATE_H
#define CATALOG_INDEX_STATE_H

#include "common/base/map.h"
#include "services/catalogd/core/index.h"

struct catalog_index_entry;

struct catalog_indexes {
    struct cu_map entries;               /* by the row's key */
    struct catalog_index_entry *changed; /* since the last flush */
    struct {
        struct catalog_index_entry *entry;
        uint64_t before, created;
    } * undo; /* since the store was marked, the latest last */
    size_t undo_count, undo_cap;
};

void catalog_indexes_deinit(struct catalog_indexes *indexes);

/* Writes what changed. */
CU_MUST_USE enum cu_err catalog_indexes_flush(struct catalog_store *store);
/* Brings the sum of the state's hash up to what has changed and is not written yet. */
void catalog_indexes_settle(struct catalog_store *store);

void catalog_indexes_undo(struct catalog_store *store);
void catalog_indexes_keep(struct catalog_store *store);

#endif
