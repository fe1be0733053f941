/* store.h - one SQLite database: opened with its pragmas, migrated, its statements prepared by
 * table.
 *
 * A connection belongs to one thread at a time. Nobody outside common/store and io/ folders names
 * SQLite's codes: they become enum cu_err here, with a sentence in `diag`.
 *
 *   CU_E_CORRUPT    the file is damaged or no database
 *   CU_E_IO         disk full, I/O failed, may not be opened, another program holds a lock
 *   CU_E_CONFLICT   a constraint of the schema
 *   CU_E_TOO_LARGE  over SQLite's own limit of a value or row
 *   CU_E_INTERNAL   anything else: our statement is wrong
 *
 * Running out of memory ends the process. */
#ifndef CU_STORE_STORE_H
#define CU_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

struct cu_db;
struct sqlite3;
struct sqlite3_stmt;

/* A statement: its name for messages, its text. Tables of these are indexed by an enum. */
struct cu_sql {
    const char *name;
    const char *text;
};

enum cu_db_sync {
    CU_DB_NORMAL, /* a power cut may lose the last commits, never the database */
    CU_DB_FULL,   /* every commit is on disk when it returns */
    CU_DB_OFF     /* scratch files only */
};

struct cu_db_options {
    const char *path; /* borrowed; ":memory:" works */
    bool read_only;   /* must exist; no migration */
    enum cu_db_sync sync;
    unsigned autocheckpoint_pages; /* of the WAL; 0: never by itself */
    uint64_t mmap_bytes;           /* 0: none */
    unsigned cache_kib;            /* 0: SQLite's default */
    /* Step i takes a database at version i to i + 1, each in its own transaction. A database above
     * `migration_count` was made by a newer program: CU_E_INVALID, untouched. */
    const struct cu_sql *migrations;
    size_t migration_count;
    const struct cu_sql *statements; /* prepared once, after the migrations; borrowed */
    size_t statement_count;
    const char *vfs; /* NULL: the default one; tests put faults there */
};

/* WAL mode, foreign files refused. On failure everything is undone and *ret_db untouched. Blocks.
 */
CU_MUST_USE enum cu_err cu_db_open(const struct cu_db_options *options, struct cu_db **ret_db,
                                   struct cu_diag *diag);
void cu_db_close(struct cu_db *db); /* takes NULL; an open transaction is rolled back */

struct sqlite3 *cu_db_handle(struct cu_db *db); /* for what this header does not offer */

/* Text without parameters or results: schema, pragmas. */
CU_MUST_USE enum cu_err cu_db_exec(struct cu_db *db, const char *text, struct cu_diag *diag);

/* begin: a write transaction at once (IMMEDIATE); begin_read: a snapshot, taken at the first read.
 * rollback cannot fail and does nothing outside of a transaction. */
CU_MUST_USE enum cu_err cu_db_begin(struct cu_db *db, struct cu_diag *diag);
CU_MUST_USE enum cu_err cu_db_begin_read(struct cu_db *db, struct cu_diag *diag);
CU_MUST_USE enum cu_err cu_db_commit(struct cu_db *db, struct cu_diag *diag);
void cu_db_rollback(struct cu_db *db);
bool cu_db_in_transaction(const struct cu_db *db);

/* Row `which` of the table, reset and with nothing bound; valid until cu_db_close. */
struct sqlite3_stmt *cu_db_stmt(struct cu_db *db, size_t which);

/* Parameters count from 1. Bytes and text are borrowed until the statement is reset or bound anew.
 * A u64 is stored with its bits in SQLite's signed integer: order holds below 2^63. */
void cu_bind_u64(struct sqlite3_stmt *stmt, int at, uint64_t value);
void cu_bind_bytes(struct sqlite3_stmt *stmt, int at, struct cu_bytes value); /* empty: X'' */
void cu_bind_text(struct sqlite3_stmt *stmt, int at, const char *value);      /* NULL: null */
void cu_bind_null(struct sqlite3_stmt *stmt, int at);

/* One step: *ret_row says whether there is a row to read. After the last row or an error the
 * statement is reset. */
CU_MUST_USE enum cu_err cu_step(struct sqlite3_stmt *stmt, bool *ret_row, struct cu_diag *diag);
/* All steps of a statement that returns no rows (rows are passed over), then reset. */
CU_MUST_USE enum cu_err cu_run(struct sqlite3_stmt *stmt, struct cu_diag *diag);
/* Rows that the statement run last inserted, updated or deleted. */
uint64_t cu_db_changed(const struct cu_db *db);
/* Ends a read before its last row: an unfinished SELECT holds a snapshot open. */
void cu_reset(struct sqlite3_stmt *stmt);

/* Columns count from 0; bytes and text are borrowed until the next step or reset. */
uint64_t cu_column_u64(struct sqlite3_stmt *stmt, int at);
struct cu_bytes cu_column_bytes(struct sqlite3_stmt *stmt, int at);
const char *cu_column_text(struct sqlite3_stmt *stmt, int at); /* "" for null */
bool cu_column_is_null(struct sqlite3_stmt *stmt, int at);

/* Whether the last error was a sync that failed: what was written may be gone although a later sync
 * succeeds, so the process is to end (consensus.md 2, 51). */
bool cu_db_sync_failed(const struct cu_db *db);

enum cu_checkpoint {
    CU_CHECKPOINT_PASSIVE, /* never waits: copies what no reader holds back */
    CU_CHECKPOINT_RESTART, /* the next writer begins the WAL anew; readers must be gated */
    CU_CHECKPOINT_TRUNCATE /* as RESTART, and the file is cut */
};

/* Frames in the WAL, and how many of them are in the database now. A PASSIVE checkpoint that a
 * reader cut short is CU_OK with copied < frames; RESTART and TRUNCATE then give CU_E_IO. */
CU_MUST_USE enum cu_err cu_db_checkpoint(struct cu_db *db, enum cu_checkpoint mode, int *ret_frames,
                                         int *ret_copied, struct cu_diag *diag);
uint64_t cu_db_wal_bytes(const struct cu_db *db); /* 0 when there is none */

/* SQLite's result code as our error, with a sentence naming `what`, the database and its words. */
enum cu_err cu_db_translate(struct sqlite3 *handle, int code, const char *what,
                            struct cu_diag *diag);

#endif
