/* store_state.h - what the store remembers between two entries; private to core/. */
#ifndef CATALOG_STORE_STATE_H
#define CATALOG_STORE_STATE_H

#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/core/index_state.h"
#include "services/catalogd/core/proposer.h"
#include "services/catalogd/core/rows.h"
#include "services/catalogd/core/store.h"

enum { CATALOG_HELD_ROWS = 4 };

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

    /* the rows read last: a condition reads one, the write that follows needs it again */
    struct catalog_held {
        bool is_set, is_found;
        enum catalog_table table;
        struct cu_bytes key; /* in scratch */
        struct catalog_row row;
    } held[CATALOG_HELD_ROWS];
    size_t held_next;
    struct catalog_rows *rows; /* of tables that keep theirs, from one entry to the next */

    struct catalog_indexes indexes;
    struct cu_bytes swept_node; /* in scratch: all services on it moved in this entry already */

    struct catalog_wakes wakes;
    struct cu_buf encoded; /* of flush */

    /* the way back of a transaction */
    bool is_marked;
    struct catalog_bookmark marked_bookmark;
    struct catalog_retention marked_retention;
    uint32_t marked_number;
    size_t marked_wakes;
    bool rows_moved; /* a kept one, since the store was marked */
};

/* The settings row; its key is catalog_key_of() this name. */
#define CATALOG_SETTING_RETENTION "retention"

/* What lies in the backend: INVALID it is of a newer program; CORRUPT; what the backend returned.
 */
CU_MUST_USE enum cu_err catalog_store_load(struct catalog_store *store, struct cu_diag *diag);
CU_MUST_USE enum cu_err catalog_store_load_retention(struct catalog_store *store);

/* Begins the entry at `raw_index`: store_put and store_del write at it from here on. */
void catalog_store_begin(struct catalog_store *store, uint64_t raw_index,
                         const struct catalog_cause *cause);

/* The row as it is inside this transaction, in the scratch arena; NOT_FOUND. */
CU_MUST_USE enum cu_err catalog_store_get(struct catalog_store *store, enum catalog_table table,
                                          struct cu_bytes key, struct catalog_row *ret_row);

/* As store_put(), but the row was created at `create_index`: it goes on for another one that was
 * under another key (http-api.md 3.5). */
CU_MUST_USE enum cu_err catalog_store_put_from(struct catalog_store *store,
                                               enum catalog_table table, struct cu_bytes key,
                                               struct cu_bytes value, uint64_t create_index);

/* Rows of core/lookup.h: known not to be there, or known to be, so nothing is read. */
CU_MUST_USE enum cu_err catalog_store_add_lookup(struct catalog_store *store, struct cu_bytes key);
CU_MUST_USE enum cu_err catalog_store_drop_lookup(struct catalog_store *store, struct cu_bytes key);

struct cu_u128 catalog_store_hash_of(enum catalog_table table, struct cu_bytes key,
                                     struct cu_bytes value);

/* Somebody may wait for the row; `key` is copied. */
void catalog_store_wake(struct catalog_store *store, enum catalog_table table, struct cu_bytes key);

/* All rows under the prefix `key` are about to move: one wake instead of one for each. */
void catalog_store_wake_prefix(struct catalog_store *store, enum catalog_table table,
                               struct cu_bytes key);

/* Undo goes back to where mark was called, in the backend and here. They do not nest. */
CU_MUST_USE enum cu_err catalog_store_mark(struct catalog_store *store);
CU_MUST_USE enum cu_err catalog_store_undo(struct catalog_store *store);
CU_MUST_USE enum cu_err catalog_store_keep(struct catalog_store *store);

#endif
