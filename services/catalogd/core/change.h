/* change.h - the change log: a row for each change of the state, and how long it stays
 * (contracts 6.2). */
#ifndef CATALOG_CHANGE_H
#define CATALOG_CHANGE_H

#include "services/catalogd/core/store_state.h"

enum {
    CATALOG_CHANGE_VALUES_BYTES_MAX = 64 * 1024 * 1024, /* of old values kept by hash */
    CATALOG_TRIM_EVERY = 64,     /* entries: only at indexes that it divides */
    CATALOG_TRIM_ROWS_MAX = 4096 /* at one such entry */
};

/* What is kept where no settings row says otherwise: 72 h, 1,000,000 rows, 256 MiB. */
struct catalog_retention catalog_retention_default(void);
/* From a settings row's value; a member that is 0 or a row that does not decode: the default. */
struct catalog_retention catalog_retention_of(struct cu_arena *arena, struct cu_bytes value);

/* Logs that the row changed in this entry; `before` is NULL where it was created. */
CU_MUST_USE enum cu_err catalog_change_log(struct catalog_store *store, enum catalog_table table,
                                           struct cu_bytes key, enum catalog_operation operation,
                                           const struct catalog_row *before);

/* Drops what is beyond the retention, oldest first; counted from the log's time and index alone, so
 * that all replicas keep the same. */
CU_MUST_USE enum cu_err catalog_change_trim(struct catalog_store *store);

#endif
