#include "common/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/lib/fault_vfs.h"
#include "tests/lib/suite.h"

enum { PUT, GET, ALL, STMT_COUNT };

static const struct cu_sql steps[] = {
    {"first", "CREATE TABLE kv (k BLOB PRIMARY KEY, v BLOB, n INTEGER) WITHOUT ROWID"},
    {"second", "CREATE UNIQUE INDEX kv_n ON kv (n)"},
};
static const struct cu_sql stmts[] = {
    [PUT] = {"put", "INSERT INTO kv (k, v, n) VALUES (?1, ?2, ?3)"},
    [GET] = {"get", "SELECT v, n FROM kv WHERE k = ?1"},
    [ALL] = {"all", "SELECT k FROM kv ORDER BY k"},
};

static const char *path(void)
{
    static char text[300];
    snprintf(text, sizeof text, "%s/%d.db", suite_tmpdir(), (int)getpid());
    return text;
}

static struct cu_db_options options(size_t migrations)
{
    return (struct cu_db_options){.path = path(),
                                  .sync = CU_DB_FULL,
                                  .migrations = steps,
                                  .migration_count = migrations,
                                  .statements = migrations ? stmts : NULL,
                                  .statement_count = migrations ? STMT_COUNT : 0};
}

static struct cu_db *open_db(size_t migrations)
{
    struct cu_db *db = NULL;
    struct cu_diag diag = {0};
    struct cu_db_options o = options(migrations);
    enum cu_err err = cu_db_open(&o, &db, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    return db;
}

static enum cu_err put(struct cu_db *db, const char *key, const char *value, uint64_t n,
                       struct cu_diag *diag)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(db, PUT);
    cu_bind_bytes(stmt, 1, cu_bytes_of(key));
    cu_bind_bytes(stmt, 2, cu_bytes_of(value));
    cu_bind_u64(stmt, 3, n);
    return cu_run(stmt, diag);
}

static unsigned count(struct cu_db *db)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(db, ALL);
    bool row = true;
    unsigned rows = 0;
    for (;; rows++) {
        ck_assert_int_eq(cu_step(stmt, &row, NULL), CU_OK);
        if (!row)
            return rows;
    }
}

START_TEST(keeps_what_was_put_over_a_close)
{
    struct cu_db *db = open_db(2);
    bool row = false;
    ck_assert_int_eq(put(db, "a", "one", UINT64_MAX, NULL), CU_OK);
    ck_assert_int_eq(put(db, "", "", 1, NULL), CU_OK);
    cu_db_close(db);
    db = open_db(2);
    struct sqlite3_stmt *stmt = cu_db_stmt(db, GET);
    cu_bind_bytes(stmt, 1, cu_bytes_of("a"));
    ck_assert_int_eq(cu_step(stmt, &row, NULL), CU_OK);
    ck_assert(row);
    ck_assert(cu_bytes_equal(cu_column_bytes(stmt, 0), cu_bytes_of("one")));
    ck_assert_uint_eq(cu_column_u64(stmt, 1), UINT64_MAX);
    stmt = cu_db_stmt(db, GET);
    cu_bind_bytes(stmt, 1, (struct cu_bytes){0}); /* the empty key is not null */
    ck_assert_int_eq(cu_step(stmt, &row, NULL), CU_OK);
    ck_assert(row && !cu_column_is_null(stmt, 0));
    cu_reset(stmt);
    cu_db_close(db);
}
END_TEST

START_TEST(takes_an_older_database_step_by_step_to_its_own_version)
{
    cu_db_close(open_db(0));
    struct cu_db *db = open_db(1);
    ck_assert_int_eq(put(db, "a", "x", 1, NULL), CU_OK);
    ck_assert_int_eq(put(db, "b", "x", 1, NULL), CU_OK); /* the index is not there yet */
    ck_assert_int_eq(cu_db_exec(db, "DELETE FROM kv", NULL), CU_OK);
    cu_db_close(db);
    db = open_db(2);
    ck_assert_int_eq(put(db, "a", "x", 1, NULL), CU_OK);
    ck_assert_int_eq(put(db, "b", "x", 1, NULL), CU_E_CONFLICT);
    cu_db_close(db);
}
END_TEST

START_TEST(a_step_that_fails_leaves_the_version_before_it)
{
    static const struct cu_sql broken[] = {
        {"first", "CREATE TABLE t (x)"},
        {"second", "CREATE TABLE u (x); CREATE TABLE t (x)"},
    };
    struct cu_db_options o = {.path = path(), .migrations = broken, .migration_count = 2};
    struct cu_db *db = NULL;
    struct cu_diag diag = {0};
    ck_assert_int_eq(cu_db_open(&o, &db, &diag), CU_E_INTERNAL);
    ck_assert_ptr_null(db);
    o.migration_count = 1;
    ck_assert_int_eq(cu_db_open(&o, &db, &diag), CU_OK);
    ck_assert_int_eq(cu_db_exec(db, "SELECT * FROM u", NULL), CU_E_INTERNAL); /* rolled back */
    cu_db_close(db);
}
END_TEST

START_TEST(refuses_a_database_of_a_newer_version_untouched)
{
    cu_db_close(open_db(2));
    struct cu_db *db = NULL;
    struct cu_diag diag = {0};
    struct cu_db_options o = options(1);
    ck_assert_int_eq(cu_db_open(&o, &db, &diag), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "newer version of curia"));
    cu_db_close(open_db(2));
}
END_TEST

START_TEST(says_what_is_wrong_with_a_file_that_is_no_database)
{
    FILE *file = fopen(path(), "w");
    fputs("this is some text that is longer than a header of a database, by far, yes, over 100 "
          "bytes of it, really",
          file);
    fclose(file);
    struct cu_db *db = NULL;
    struct cu_diag diag = {0};
    struct cu_db_options o = options(2);
    ck_assert_int_eq(cu_db_open(&o, &db, &diag), CU_E_CORRUPT);
    ck_assert_ptr_nonnull(strstr(diag.text, path()));
}
END_TEST

START_TEST(says_so_when_the_folder_is_not_there)
{
    struct cu_db *db = NULL;
    struct cu_diag diag = {0};
    struct cu_db_options o = {.path = "/nonexistent/x.db"};
    ck_assert_int_eq(cu_db_open(&o, &db, &diag), CU_E_IO);
    ck_assert_ptr_nonnull(strstr(diag.text, "/nonexistent/x.db"));
}
END_TEST

START_TEST(a_rollback_undoes_and_is_fine_outside_of_a_transaction)
{
    struct cu_db *db = open_db(2);
    cu_db_rollback(db);
    ck_assert_int_eq(cu_db_begin(db, NULL), CU_OK);
    ck_assert(cu_db_in_transaction(db));
    ck_assert_int_eq(put(db, "a", "x", 1, NULL), CU_OK);
    cu_db_rollback(db);
    ck_assert(!cu_db_in_transaction(db));
    ck_assert_uint_eq(count(db), 0);
    cu_db_close(db);
}
END_TEST

START_TEST(a_read_transaction_sees_one_state)
{
    struct cu_db *db = open_db(2), *reader = NULL;
    struct cu_db_options o = options(2);
    o.read_only = true;
    ck_assert_int_eq(cu_db_open(&o, &reader, NULL), CU_OK);
    ck_assert_int_eq(cu_db_begin_read(reader, NULL), CU_OK);
    ck_assert_uint_eq(count(reader), 0);
    ck_assert_int_eq(put(db, "a", "x", 1, NULL), CU_OK);
    ck_assert_uint_eq(count(reader), 0);
    ck_assert_int_eq(cu_db_commit(reader, NULL), CU_OK);
    ck_assert_uint_eq(count(reader), 1);
    ck_assert_int_eq(put(reader, "b", "x", 2, NULL), CU_E_IO); /* read-only */
    cu_db_close(reader);
    cu_db_close(db);
}
END_TEST

START_TEST(a_passive_checkpoint_tells_what_a_reader_held_back)
{
    struct cu_db *db = open_db(2), *reader = NULL;
    struct cu_db_options o = options(2);
    int frames = -1, copied = -1;
    o.read_only = true;
    ck_assert_int_eq(put(db, "a", "x", 1, NULL), CU_OK);
    ck_assert_int_eq(cu_db_open(&o, &reader, NULL), CU_OK);
    ck_assert_int_eq(cu_db_begin_read(reader, NULL), CU_OK);
    ck_assert_uint_eq(count(reader), 1);
    ck_assert_int_eq(put(db, "b", "x", 2, NULL), CU_OK);
    ck_assert_int_eq(cu_db_checkpoint(db, CU_CHECKPOINT_PASSIVE, &frames, &copied, NULL), CU_OK);
    ck_assert_int_lt(copied, frames);
    ck_assert_uint_gt(cu_db_wal_bytes(db), 0);
    cu_db_rollback(reader);
    ck_assert_int_eq(cu_db_checkpoint(db, CU_CHECKPOINT_TRUNCATE, &frames, &copied, NULL), CU_OK);
    ck_assert_uint_eq(cu_db_wal_bytes(db), 0);
    cu_db_close(reader);
    cu_db_close(db);
}
END_TEST

START_TEST(a_full_disk_is_an_error_and_what_was_committed_stays)
{
    struct cu_db *db = open_db(2);
    struct cu_diag diag = {0};
    char *large = calloc(1, 200001);
    memset(large, 'x', 200000);
    ck_assert_int_eq(put(db, "a", "x", 1, NULL), CU_OK);
    ck_assert_int_eq(cu_db_exec(db, "PRAGMA max_page_count=8", NULL), CU_OK);
    ck_assert_int_eq(put(db, "b", large, 2, &diag), CU_E_IO);
    ck_assert_ptr_nonnull(strstr(diag.text, "full"));
    ck_assert_uint_eq(count(db), 1);
    free(large);
    cu_db_close(db);
}
END_TEST

/* Whether the nth write or sync of a checkpoint, failing with `code`, is told as a failed sync. */
static bool checkpoint_fails(unsigned n, int code, bool *ret_sync_failed)
{
    struct cu_db *db = NULL;
    struct cu_diag diag = {0};
    struct cu_db_options o = options(2);
    o.vfs = fault_vfs();
    ck_assert_int_eq(cu_db_open(&o, &db, &diag), CU_OK);
    ck_assert_int_eq(put(db, "k", "v", n + 100, &diag), CU_OK);
    struct fault fault = {.at = n};
    int frames, copied;
    fault_vfs_arm(&fault, code);
    enum cu_err err = cu_db_checkpoint(db, CU_CHECKPOINT_PASSIVE, &frames, &copied, &diag);
    *ret_sync_failed = err && cu_db_sync_failed(db);
    fault_vfs_arm(NULL, 0);
    cu_db_close(db);
    (void)unlink(path());
    return err != CU_OK;
}

START_TEST(a_failed_sync_is_told_from_a_full_disk_consensus_56)
{
    bool sync_failed;
    unsigned n = 1;
    for (; checkpoint_fails(n, SQLITE_IOERR_FSYNC, &sync_failed); n++)
        ck_assert(sync_failed);
    ck_assert_uint_gt(n, 1);
    ck_assert(checkpoint_fails(1, SQLITE_FULL, &sync_failed));
    ck_assert(!sync_failed);
}
END_TEST

SUITE_MAIN("common/store/store", keeps_what_was_put_over_a_close,
           takes_an_older_database_step_by_step_to_its_own_version,
           a_step_that_fails_leaves_the_version_before_it,
           refuses_a_database_of_a_newer_version_untouched,
           says_what_is_wrong_with_a_file_that_is_no_database, says_so_when_the_folder_is_not_there,
           a_rollback_undoes_and_is_fine_outside_of_a_transaction,
           a_read_transaction_sees_one_state, a_passive_checkpoint_tells_what_a_reader_held_back,
           a_full_disk_is_an_error_and_what_was_committed_stays,
           a_failed_sync_is_told_from_a_full_disk_consensus_56)
