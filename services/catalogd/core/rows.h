/* rows.h - rows as they are, kept in memory beside the backend: who registers again what is there
 * already, or a part of it, need not search for it on pages that nobody else has touched since.
 *
 * Rows up to CATALOG_ROWS_ROW_BYTES_MAX, as many as fit in CATALOG_ROWS_BYTES_MAX; beyond that some
 * go, whichever comes next. What is not here may be in the backend all the same. Pure memory: the
 * owner says what was written, and clears it when that was undone. */
#ifndef CATALOG_ROWS_H
#define CATALOG_ROWS_H

#include "services/catalogd/core/backend.h"

enum {
    CATALOG_ROWS_BYTES_MAX = 16 * 1024 * 1024, /* 20,000 services with a check each: 9 MiB */
    CATALOG_ROWS_ROW_BYTES_MAX = 2048,         /* key and value */
};

struct catalog_rows;

struct catalog_rows *catalog_rows_new(void);
void catalog_rows_free(struct catalog_rows *rows); /* takes NULL */

/* The row with its bytes in `arena`. Errors: NOT_FOUND it is not kept; TOO_LARGE the arena is full.
 */
CU_MUST_USE enum cu_err catalog_rows_get(const struct catalog_rows *rows, enum catalog_table table,
                                         struct cu_bytes key, struct cu_arena *arena,
                                         struct catalog_row *ret_row);
/* The row is this from now on; it is copied, or nothing of it is kept. */
void catalog_rows_put(struct catalog_rows *rows, enum catalog_table table,
                      const struct catalog_row *row);
void catalog_rows_drop(struct catalog_rows *rows, enum catalog_table table, struct cu_bytes key);
void catalog_rows_clear(struct catalog_rows *rows);

size_t catalog_rows_bytes(const struct catalog_rows *rows); /* in use for rows */

#endif
