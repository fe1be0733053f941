#include "common/store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "common/base/assert.h"
#include "common/store/gather.h"
#include "common/store/pages.h"

/* Only a program that opens our file by hand (sqlite3, a backup) can hold a lock against us; it
 * gets this long. */
enum { LOCK_WAIT_MS = 1000 };

enum fixed { BEGIN, BEGIN_READ, COMMIT, ROLLBACK, FIXED_COUNT };

static const struct cu_sql fixed_sql[] = {
    [BEGIN] = {"begin", "BEGIN IMMEDIATE"},
    [BEGIN_READ] = {"begin_read", "BEGIN DEFERRED"},
    [COMMIT] = {"commit", "COMMIT"},
    [ROLLBACK] = {"rollback", "ROLLBACK"},
};
_Static_assert(CU_COUNT(fixed_sql) == FIXED_COUNT, "a text for each");

struct cu_db {
    sqlite3 *handle;
    sqlite3_stmt *fixed[FIXED_COUNT];
    sqlite3_stmt **stmts;
    size_t stmt_count;
};

static enum cu_err err_of(int code)
{
    /* clang-format off */
    static const struct { int code; enum cu_err err; } rows[] = {
        {SQLITE_CORRUPT,    CU_E_CORRUPT},
        {SQLITE_NOTADB,     CU_E_CORRUPT},
        {SQLITE_FULL,       CU_E_IO},
        {SQLITE_IOERR,      CU_E_IO},
        {SQLITE_CANTOPEN,   CU_E_IO},
        {SQLITE_READONLY,   CU_E_IO},
        {SQLITE_PERM,       CU_E_IO},
        {SQLITE_AUTH,       CU_E_IO},
        {SQLITE_BUSY,       CU_E_IO},
        {SQLITE_LOCKED,     CU_E_IO},
        {SQLITE_PROTOCOL,   CU_E_IO},
        {SQLITE_NOLFS,      CU_E_IO},
        {SQLITE_CONSTRAINT, CU_E_CONFLICT},
        {SQLITE_TOOBIG,     CU_E_TOO_LARGE},
    };
    /* clang-format on */
    for (size_t i = 0; i < CU_COUNT(rows); i++)
        if (rows[i].code == (code & 0xff))
            return rows[i].err;
    return CU_E_INTERNAL;
}

enum cu_err cu_db_translate(sqlite3 *handle, int code, const char *what, struct cu_diag *diag)
{
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        return CU_OK;
    CU_ASSERT((code & 0xff) != SQLITE_NOMEM);
    const char *path = handle ? sqlite3_db_filename(handle, "main") : NULL;
    int first = (int)strcspn(what, ";"); /* of several statements */
    return cu_fail(diag, err_of(code), "%s: %.*s: %s (%d)", path && *path ? path : "database",
                   first, what, handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code), code);
}

enum cu_err cu_db_exec(struct cu_db *db, const char *text, struct cu_diag *diag)
{
    int code = sqlite3_exec(db->handle, text, NULL, NULL, NULL);
    return cu_db_translate(db->handle, code, text, diag);
}

static enum cu_err prepare(struct cu_db *db, const struct cu_sql *rows, size_t count,
                           sqlite3_stmt **ret_stmts, struct cu_diag *diag)
{
    for (size_t i = 0; i < count; i++) {
        int code = sqlite3_prepare_v3(db->handle, rows[i].text, -1, SQLITE_PREPARE_PERSISTENT,
                                      &ret_stmts[i], NULL);
        enum cu_err err = cu_db_translate(db->handle, code, rows[i].name, diag);
        if (err)
            return err;
    }
    return CU_OK;
}

/* SQLite counts what it allocates, under one lock for all threads, unless it is told before it is
 * first used that nobody asks. Too late is no harm, here and for the page cache. */
static void configure_once(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    cu_pages_install();
}

static enum cu_err open_file(struct cu_db *db, const struct cu_db_options *o, struct cu_diag *diag)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, configure_once); /* cannot fail with these arguments */
    int flags = o->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    /* One thread at a time uses a connection, so SQLite need not lock it. */
    const char *gather = o->read_only ? NULL : cu_gather_vfs(o->vfs);
    int code = sqlite3_open_v2(o->path, &db->handle, flags | SQLITE_OPEN_NOMUTEX,
                               gather ? gather : o->vfs);
    if (code != SQLITE_OK)
        return cu_fail(diag, err_of(code), "%s: open: %s", o->path,
                       db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code));
    (void)sqlite3_extended_result_codes(db->handle, 1); /* cannot fail on an open handle */
    (void)sqlite3_busy_timeout(db->handle, LOCK_WAIT_MS);
    return CU_OK;
}

static enum cu_err set_pragmas(struct cu_db *db, const struct cu_db_options *o,
                               struct cu_diag *diag)
{
    static const char *const sync_names[] = {
        [CU_DB_NORMAL] = "NORMAL", [CU_DB_FULL] = "FULL", [CU_DB_OFF] = "OFF"};
    char text[256];
    (void)snprintf(text, sizeof text,
                   "%sPRAGMA synchronous=%s;PRAGMA wal_autocheckpoint=%u;PRAGMA mmap_size=%llu;"
                   "PRAGMA trusted_schema=OFF;PRAGMA temp_store=MEMORY;",
                   o->read_only ? "" : "PRAGMA journal_mode=WAL;", sync_names[o->sync],
                   o->autocheckpoint_pages, (unsigned long long)o->mmap_bytes);
    enum cu_err err = cu_db_exec(db, text, diag);
    if (err || !o->cache_kib)
        return err;
    (void)snprintf(text, sizeof text, "PRAGMA cache_size=-%u", o->cache_kib);
    return cu_db_exec(db, text, diag);
}

static enum cu_err read_version(struct cu_db *db, size_t *ret_version, struct cu_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    int version = code == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
    enum cu_err err = cu_db_translate(db->handle, code, "user_version", diag);
    (void)sqlite3_finalize(stmt); /* repeats the step's error */
    if (!err)
        *ret_version = (size_t)(version < 0 ? 0 : version);
    return err;
}

static enum cu_err migrate_one(struct cu_db *db, const struct cu_sql *step, size_t to,
                               struct cu_diag *diag)
{
    char text[64];
    (void)snprintf(text, sizeof text, "PRAGMA user_version=%zu", to);
    enum cu_err err = cu_db_begin(db, diag);
    if (!err)
        err = cu_db_exec(db, step->text, diag);
    if (!err)
        err = cu_db_exec(db, text, diag);
    if (!err)
        err = cu_db_commit(db, diag);
    if (err)
        cu_db_rollback(db);
    return err;
}

static enum cu_err migrate(struct cu_db *db, const struct cu_db_options *o, struct cu_diag *diag)
{
    size_t version = 0;
    enum cu_err err = read_version(db, &version, diag);
    if (err)
        return err;
    if (version > o->migration_count)
        return cu_fail(diag, CU_E_INVALID,
                       "%s: was written by a newer version of curia (format %zu, this one knows "
                       "%zu): start that version, or give an empty data directory",
                       o->path, version, o->migration_count);
    for (; !err && version < o->migration_count && !o->read_only; version++)
        err = migrate_one(db, &o->migrations[version], version + 1, diag);
    return err;
}

enum cu_err cu_db_open(const struct cu_db_options *options, struct cu_db **ret_db,
                       struct cu_diag *diag)
{
    struct cu_db *db = cu_alloc(sizeof *db);
    db->stmt_count = options->statement_count;
    db->stmts = cu_alloc((options->statement_count + 1) * sizeof *db->stmts);
    enum cu_err err = open_file(db, options, diag);
    if (!err)
        err = set_pragmas(db, options, diag);
    if (!err)
        err = prepare(db, fixed_sql, FIXED_COUNT, db->fixed, diag);
    if (!err)
        err = migrate(db, options, diag);
    if (!err)
        err = prepare(db, options->statements, options->statement_count, db->stmts, diag);
    if (err) {
        cu_db_close(db);
        return err;
    }
    *ret_db = db;
    return CU_OK;
}

void cu_db_close(struct cu_db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->stmt_count; i++)
        (void)sqlite3_finalize(db->stmts[i]); /* repeats an error told before */
    for (size_t i = 0; i < FIXED_COUNT; i++)
        (void)sqlite3_finalize(db->fixed[i]);
    int code = sqlite3_close(db->handle);
    CU_ASSERT(code == SQLITE_OK); /* BUSY: somebody kept a statement */
    free(db->stmts);
    free(db);
}

sqlite3 *cu_db_handle(struct cu_db *db)
{
    return db->handle;
}

enum cu_err cu_db_begin(struct cu_db *db, struct cu_diag *diag)
{
    return cu_run(db->fixed[BEGIN], diag);
}

enum cu_err cu_db_begin_read(struct cu_db *db, struct cu_diag *diag)
{
    return cu_run(db->fixed[BEGIN_READ], diag);
}

enum cu_err cu_db_commit(struct cu_db *db, struct cu_diag *diag)
{
    return cu_run(db->fixed[COMMIT], diag);
}

void cu_db_rollback(struct cu_db *db)
{
    if (cu_db_in_transaction(db)) {
        (void)sqlite3_step(db->fixed[ROLLBACK]); /* after an I/O error SQLite has rolled back */
        cu_reset(db->fixed[ROLLBACK]);
    }
}

bool cu_db_in_transaction(const struct cu_db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

sqlite3_stmt *cu_db_stmt(struct cu_db *db, size_t which)
{
    CU_ASSERT(which < db->stmt_count);
    sqlite3_stmt *stmt = db->stmts[which];
    if (sqlite3_stmt_busy(stmt))
        cu_reset(stmt);
    (void)sqlite3_clear_bindings(stmt); /* always OK */
    return stmt;
}

/* A bind fails only for a wrong parameter number, a statement not reset, or no memory: all ours. */
static void bound(int code)
{
    CU_ASSERT(code == SQLITE_OK);
}

void cu_bind_u64(sqlite3_stmt *stmt, int at, uint64_t value)
{
    bound(sqlite3_bind_int64(stmt, at, (int64_t)value));
}

void cu_bind_bytes(sqlite3_stmt *stmt, int at, struct cu_bytes value)
{
    /* A NULL pointer would bind null, which is not the empty blob. */
    bound(sqlite3_bind_blob64(stmt, at, value.len ? (const void *)value.data : "", value.len,
                              SQLITE_STATIC));
}

void cu_bind_text(sqlite3_stmt *stmt, int at, const char *value)
{
    bound(sqlite3_bind_text(stmt, at, value, -1, SQLITE_STATIC));
}

void cu_bind_null(sqlite3_stmt *stmt, int at)
{
    bound(sqlite3_bind_null(stmt, at));
}

enum cu_err cu_step(sqlite3_stmt *stmt, bool *ret_row, struct cu_diag *diag)
{
    int code = sqlite3_step(stmt);
    enum cu_err err =
        cu_db_translate(sqlite3_db_handle(stmt), code, sqlite3_sql(stmt), code ? diag : NULL);
    if (code != SQLITE_ROW)
        cu_reset(stmt);
    if (!err)
        *ret_row = code == SQLITE_ROW;
    return err;
}

enum cu_err cu_run(sqlite3_stmt *stmt, struct cu_diag *diag)
{
    bool row = true;
    enum cu_err err = CU_OK;
    while (!err && row)
        err = cu_step(stmt, &row, diag);
    return err;
}

uint64_t cu_db_changed(const struct cu_db *db)
{
    return (uint64_t)sqlite3_changes(db->handle);
}

void cu_reset(sqlite3_stmt *stmt)
{
    (void)sqlite3_reset(stmt); /* repeats the last step's error */
}

uint64_t cu_column_u64(sqlite3_stmt *stmt, int at)
{
    return (uint64_t)sqlite3_column_int64(stmt, at);
}

struct cu_bytes cu_column_bytes(sqlite3_stmt *stmt, int at)
{
    const void *data = sqlite3_column_blob(stmt, at); /* before _bytes: it may convert */
    return (struct cu_bytes){data, (size_t)sqlite3_column_bytes(stmt, at)};
}

const char *cu_column_text(sqlite3_stmt *stmt, int at)
{
    const char *text = (const char *)sqlite3_column_text(stmt, at);
    return text ? text : "";
}

bool cu_column_is_null(sqlite3_stmt *stmt, int at)
{
    return sqlite3_column_type(stmt, at) == SQLITE_NULL;
}

enum cu_err cu_db_checkpoint(struct cu_db *db, enum cu_checkpoint mode, int *ret_frames,
                             int *ret_copied, struct cu_diag *diag)
{
    static const int modes[] = {[CU_CHECKPOINT_PASSIVE] = SQLITE_CHECKPOINT_PASSIVE,
                                [CU_CHECKPOINT_RESTART] = SQLITE_CHECKPOINT_RESTART,
                                [CU_CHECKPOINT_TRUNCATE] = SQLITE_CHECKPOINT_TRUNCATE};
    int frames = 0, copied = 0;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, modes[mode], &frames, &copied);
    enum cu_err err = cu_db_translate(db->handle, code, "checkpoint", diag);
    if (!err) {
        *ret_frames = frames < 0 ? 0 : frames; /* -1: not in WAL mode, as ":memory:" */
        *ret_copied = copied < 0 ? 0 : copied;
    }
    return err;
}

bool cu_db_sync_failed(const struct cu_db *db)
{
    int code = sqlite3_extended_errcode(db->handle);
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

uint64_t cu_db_wal_bytes(const struct cu_db *db)
{
    const char *path = sqlite3_filename_wal(sqlite3_db_filename(db->handle, "main"));
    struct stat st;
    return path && *path && stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}
