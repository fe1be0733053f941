#include "common/store/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/store/store.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/suite.h"

enum { PUT, SUM, STMT_COUNT, ROW_BYTES = 3000 /* one a page */ };

static const struct cu_sql steps[] = {{"first", "CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)"}};
static const struct cu_sql stmts[] = {
    [PUT] = {"put", "INSERT OR REPLACE INTO t VALUES (?1, ?2)"},
    [SUM] = {"sum", "SELECT count(*), coalesce(sum(unicode(v)), 0) FROM t"},
};

static const char *path_of(const char *name)
{
    static char text[2][300];
    static unsigned turn;
    char *at = text[turn++ % 2];
    (void)snprintf(at, sizeof text[0], "%s/%d-%s", suite_tmpdir(), (int)getpid(), name);
    return at;
}

static struct cu_db *open_db(const char *name, const char *vfs, unsigned cache_kib)
{
    struct cu_db *db = NULL;
    struct cu_diag diag = {0};
    enum cu_err err = cu_db_open(&(struct cu_db_options){.path = path_of(name),
                                                         .sync = CU_DB_NORMAL,
                                                         .cache_kib = cache_kib,
                                                         .migrations = steps,
                                                         .migration_count = 1,
                                                         .statements = stmts,
                                                         .statement_count = STMT_COUNT,
                                                         .vfs = vfs},
                                 &db, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    return db;
}

/* Rows 0 to count - 1 become the letter. */
static enum cu_err fill(struct cu_db *db, unsigned count, char letter)
{
    uint8_t bytes[ROW_BYTES];
    enum cu_err err = CU_OK;
    memset(bytes, letter, sizeof bytes);
    for (unsigned i = 0; !err && i < count; i++) {
        struct sqlite3_stmt *stmt = cu_db_stmt(db, PUT);
        cu_bind_u64(stmt, 1, i);
        cu_bind_bytes(stmt, 2, (struct cu_bytes){bytes, sizeof bytes});
        err = cu_run(stmt, NULL);
    }
    return err;
}

static enum cu_err fill_and_commit(struct cu_db *db, unsigned count, char letter)
{
    enum cu_err err = cu_db_begin(db, NULL);
    if (!err)
        err = fill(db, count, letter);
    if (!err)
        err = cu_db_commit(db, NULL);
    cu_db_rollback(db);
    return err;
}

/* Whether there are `count` rows, all of the letter. */
static bool holds(struct cu_db *db, unsigned count, char letter)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(db, SUM);
    bool row;
    ck_assert_int_eq(cu_step(stmt, &row, NULL), CU_OK);
    bool same = cu_column_u64(stmt, 0) == count &&
                cu_column_u64(stmt, 1) == (uint64_t)count * (unsigned char)letter;
    cu_reset(stmt);
    return same;
}

START_TEST(a_commit_of_many_pages_is_a_few_writes)
{
    struct fault count = {.at = 0};
    struct cu_db *db = open_db("few", fault_vfs(), 0);
    ck_assert_int_eq(fill_and_commit(db, 1, 'a'), CU_OK);
    fault_vfs_arm(&count, SQLITE_FULL);
    ck_assert_int_eq(fill_and_commit(db, 50, 'b'), CU_OK);
    fault_vfs_arm(NULL, 0);
    /* 50 pages and some of the tree, 4,120 bytes each, in pieces of 124 KiB */
    ck_assert_uint_ge(count.calls, 2);
    ck_assert_uint_le(count.calls, 4);
    cu_db_close(db);
}
END_TEST

START_TEST(another_connection_sees_all_of_a_commit_once_it_has_returned)
{
    struct cu_db *db = open_db("seen", NULL, 0), *other = open_db("seen", NULL, 0);
    for (unsigned round = 0; round < 20; round++) {
        char letter = (char)('a' + round);
        ck_assert_int_eq(fill_and_commit(db, 1 + round * 7, letter), CU_OK);
        ck_assert(holds(other, 1 + round * 7, letter));
    }
    cu_db_close(other);
    cu_db_close(db);
}
END_TEST

START_TEST(what_spills_before_the_commit_is_read_back_and_undone)
{
    struct cu_db *db = open_db("spill", NULL, 64); /* 16 pages of cache */
    ck_assert_int_eq(fill_and_commit(db, 200, 'a'), CU_OK);
    ck_assert_int_eq(cu_db_begin(db, NULL), CU_OK);
    ck_assert_int_eq(fill(db, 200, 'b'), CU_OK);
    ck_assert(holds(db, 200, 'b'));
    ck_assert_int_eq(cu_db_exec(db, "SAVEPOINT s", NULL), CU_OK);
    ck_assert_int_eq(fill(db, 200, 'c'), CU_OK);
    ck_assert(holds(db, 200, 'c'));
    ck_assert_int_eq(cu_db_exec(db, "ROLLBACK TO s", NULL), CU_OK);
    ck_assert(holds(db, 200, 'b'));
    ck_assert_int_eq(cu_db_exec(db, "RELEASE s", NULL), CU_OK);
    ck_assert_int_eq(cu_db_commit(db, NULL), CU_OK);
    cu_db_close(db);
    db = open_db("spill", NULL, 0);
    ck_assert(holds(db, 200, 'b'));
    cu_db_close(db);
}
END_TEST

static void copy_file(const char *from, const char *to, const char *tail)
{
    char command[1024];
    (void)snprintf(command, sizeof command, "cp %s%s %s%s", path_of(from), tail, path_of(to), tail);
    ck_assert_int_eq(system(command), 0);
}

/* As a kill -9 would leave them: without the shared index, which recovery makes anew. */
static void snapshot(const char *from, const char *to)
{
    copy_file(from, to, "");
    copy_file(from, to, "-wal");
}

START_TEST(a_crash_leaves_the_state_of_the_last_commit)
{
    struct cu_db *db = open_db("crash", NULL, 64);
    ck_assert_int_eq(fill_and_commit(db, 100, 'a'), CU_OK);
    ck_assert_int_eq(cu_db_begin(db, NULL), CU_OK);
    ck_assert_int_eq(fill(db, 100, 'b'), CU_OK);
    snapshot("crash", "crash-before");
    ck_assert_int_eq(cu_db_commit(db, NULL), CU_OK);
    snapshot("crash", "crash-after");
    cu_db_close(db);
    db = open_db("crash-before", NULL, 0);
    ck_assert(holds(db, 100, 'a'));
    cu_db_close(db);
    db = open_db("crash-after", NULL, 0);
    ck_assert(holds(db, 100, 'b'));
    cu_db_close(db);
}
END_TEST

START_TEST(a_write_that_fails_leaves_the_last_commit_and_the_next_one_succeeds)
{
    for (unsigned n = 1;; n++) {
        struct fault fault = {.at = n};
        struct cu_db *db = open_db("fault", fault_vfs(), 64);
        ck_assert_int_eq(fill_and_commit(db, 100, 'a'), CU_OK);
        fault_vfs_arm(&fault, SQLITE_FULL);
        enum cu_err err = fill_and_commit(db, 100, 'b');
        fault_vfs_arm(NULL, 0);
        ck_assert(holds(db, 100, err ? 'a' : 'b'));
        ck_assert_int_eq(fill_and_commit(db, 100, 'c'), CU_OK);
        ck_assert(holds(db, 100, 'c'));
        cu_db_close(db);
        if (fault_fired(&fault)) {
            ck_assert_int_eq(err, CU_E_IO);
            continue;
        }
        ck_assert_int_eq(err, CU_OK);
        ck_assert_uint_gt(n, 3);
        return;
    }
}
END_TEST

START_TEST(knows_no_layer_over_one_that_is_not_there)
{
    ck_assert_ptr_null(cu_gather_vfs("no-such-layer"));
    ck_assert_ptr_eq(cu_gather_vfs(NULL), cu_gather_vfs(NULL));
    struct cu_db *db = NULL;
    struct cu_db_options o = {.path = path_of("none"), .vfs = "no-such-layer"};
    ck_assert_int_ne(cu_db_open(&o, &db, NULL), CU_OK);
}
END_TEST

SUITE_MAIN("common/store/gather", a_commit_of_many_pages_is_a_few_writes,
           another_connection_sees_all_of_a_commit_once_it_has_returned,
           what_spills_before_the_commit_is_read_back_and_undone,
           a_crash_leaves_the_state_of_the_last_commit,
           a_write_that_fails_leaves_the_last_commit_and_the_next_one_succeeds,
           knows_no_layer_over_one_that_is_not_there)
