/* sqlite.h - the replicated state in SQLite: the backend of core/backend.h over one database.
 *
 * One writer (the apply worker's) and any number of readers, each connection used by one thread at
 * a time. WAL, synchronous=NORMAL, no checkpoint by itself: that is the checkpoint worker's,
 * through catalog_sqlite_db() of a connection of its own (contracts 6.7).
 *
 *   CU_E_IO, CU_E_CORRUPT  as common/store; the sentence is catalog_sqlite_message()
 *   CU_E_INVALID           at open: made by a newer program (the diag says so) */
#ifndef CATALOG_SQLITE_H
#define CATALOG_SQLITE_H

#include "common/store/store.h"
#include "services/catalogd/core/backend.h"

struct catalog_sqlite;

/* The schema this build makes; older ones are migrated, newer ones refused. */
enum { CATALOG_SCHEMA_VERSION = 4 };

/* Opens the database at `path` for writing, making it where there is none (its folder must exist).
 * Blocks. On failure *ret_db is untouched. */
CU_MUST_USE enum cu_err catalog_sqlite_open_writer(const char *path, struct catalog_sqlite **ret_db,
                                                   struct cu_diag *diag);
/* Opens it for reading only; it must exist with the schema of this build. */
CU_MUST_USE enum cu_err catalog_sqlite_open_reader(const char *path, struct catalog_sqlite **ret_db,
                                                   struct cu_diag *diag);
/* Takes NULL; an open transaction is rolled back. */
void catalog_sqlite_close(struct catalog_sqlite *db);

/* Lives as long as `db`. On a reader its functions that write fail with CU_E_IO. */
const struct catalog_backend *catalog_sqlite_backend(struct catalog_sqlite *db);

/* One write transaction. After a failed commit: rollback. */
CU_MUST_USE enum cu_err catalog_sqlite_begin(struct catalog_sqlite *db, struct cu_diag *diag);
CU_MUST_USE enum cu_err catalog_sqlite_commit(struct catalog_sqlite *db, struct cu_diag *diag);
void catalog_sqlite_rollback(struct catalog_sqlite *db); /* nothing outside of a transaction */

/* A snapshot from here to end_read: what was committed before begin_read returns, and nothing
 * later. Reads outside of one see the newest commit each. */
CU_MUST_USE enum cu_err catalog_sqlite_begin_read(struct catalog_sqlite *db, struct cu_diag *diag);
void catalog_sqlite_end_read(struct catalog_sqlite *db); /* nothing outside of a snapshot */

/* The connection: for checkpoints and the size of the WAL. */
struct cu_db *catalog_sqlite_db(struct catalog_sqlite *db);

/* The sentence of the last error of a backend function; "" when there was none. */
const char *catalog_sqlite_message(const struct catalog_sqlite *db);

#endif
