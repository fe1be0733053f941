/* store_state.h - what the store remembers between two entries; private to core/. */
#ifndef CATALOG_STORE_STATE_H
#define CATALOG_STORE_STATE_H

#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/core/proposer.h"
#include "services/catalogd/core/store.h"

/* How much of the change log is kept: the settings row "retention", else the defaults. */
struct catalog_retention {
    uint64_t max_age_ms, max_rows, max_bytes;
};

struct catalog_store {
    const struct catalog_backend *backend;
    struct catalog_bookmark bookmark;
    struct catalog_retention retention;
    struct catalog_proposers proposers;
    struct cu_buf configuration; /* packed, "" before the first */
    bool is_configuration_dirty;

    /* of the entry being applied */
    uint64_t index; /* shown */
    uint32_t change_number;
    struct catalog_cause cause;
    struct cu_arena *scratch; /* reset by each entry */

    /* the row read last: a condition reads it, the write that follows needs it again */
    struct {
        bool is_set, is_found;
        enum catalog_table table;
        struct cu_bytes key; /* in scratch */
        struct catalog_row row;
    } held;

    struct catalog_wakes wakes;
    struct cu_buf encoded; /* of flush */

    /* the way back of a transaction */
    bool is_marked;
    struct catalog_bookmark marked_bookmark;
    struct catalog_retention marked_retention;
    uint32_t marked_number;
    size_t marked_wakes;
};

/* The settings row; its key is catalog_key_of() this name. */
#define CATALOG_SETTING_RETENTION "retention"

/* Begins the entry at `raw_index`: store_put and store_del write at it from here on. */
void catalog_store_begin(struct catalog_store *store, uint64_t raw_index,
                         const struct catalog_cause *cause);

/* The row as it is inside this transaction, in the scratch arena; NOT_FOUND. */
CU_MUST_USE enum cu_err catalog_store_get(struct catalog_store *store, enum catalog_table table,
                                          struct cu_bytes key, struct catalog_row *ret_row);

/* All rows under the prefix `key` are about to move: one wake instead of one for each. */
void catalog_store_wake_prefix(struct catalog_store *store, enum catalog_table table,
                               struct cu_bytes key);

/* Undo goes back to where mark was called, in the backend and here. They do not nest. */
CU_MUST_USE enum cu_err catalog_store_mark(struct catalog_store *store);
CU_MUST_USE enum cu_err catalog_store_undo(struct catalog_store *store);
CU_MUST_USE enum cu_err catalog_store_keep(struct catalog_store *store);

#endif
