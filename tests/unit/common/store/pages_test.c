#include "common/store/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/store/store.h"
#include "tests/lib/suite.h"

enum { NUMBERS = 64, FAR = 262145, PAGE_BYTES = 1024, STEPS = 3000, ROWS = 4000, TURNS = 40 };

/* ---- what SQLite is handed, against a model ---- */

static sqlite3_pcache_methods2 methods;
static sqlite3_pcache *cache;
static bool is_there[NUMBERS + 1];

static unsigned number_at(unsigned i)
{
    return i == NUMBERS ? FAR : i + 1;
}

static sqlite3_pcache_page *look(unsigned i)
{
    return methods.xFetch(cache, number_at(i), 0);
}

static void let_go(sqlite3_pcache_page *page)
{
    methods.xUnpin(cache, page, 0);
}

static void agrees(void)
{
    int count = 0;
    for (unsigned i = 0; i <= NUMBERS; i++) {
        sqlite3_pcache_page *page = look(i);
        ck_assert_msg(!!page == is_there[i], "page %u", number_at(i));
        count += is_there[i];
        if (page)
            let_go(page);
    }
    ck_assert_int_eq(methods.xPagecount(cache), count);
}

static void move(unsigned from, unsigned to)
{
    if (!is_there[from] || is_there[to])
        return;
    sqlite3_pcache_page *page = look(from);
    methods.xRekey(cache, page, number_at(from), number_at(to));
    let_go(page);
    is_there[from] = false;
    is_there[to] = true;
}

static void forget_from(unsigned at)
{
    methods.xTruncate(cache, number_at(at));
    for (unsigned i = at; i <= NUMBERS; i++)
        is_there[i] = false;
}

static unsigned any(unsigned below)
{
    return (unsigned)rand() % below;
}

static void step(void)
{
    unsigned at = any(NUMBERS + 1);
    switch (any(8)) {
    case 0:
        forget_from(at);
        break;
    case 1: /* as balancing does: away, and another one in its place, and back */
        move(at, NUMBERS);
        move(any(NUMBERS), at);
        move(NUMBERS, any(NUMBERS));
        break;
    case 2:
        move(at, any(NUMBERS + 1));
        break;
    case 3: {
        sqlite3_pcache_page *page = look(at);
        if (page)
            methods.xUnpin(cache, page, 1);
        is_there[at] = false;
        break;
    }
    default: {
        sqlite3_pcache_page *page = methods.xFetch(cache, number_at(at), 2);
        ck_assert_ptr_nonnull(page);
        let_go(page);
        is_there[at] = true;
    }
    }
}

START_TEST(a_page_that_is_to_be_forgotten_is_and_no_other)
{
    cu_pages_install();
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &methods), SQLITE_OK);
    ck_assert_int_eq(sqlite3_initialize(), SQLITE_OK);
    cache = methods.xCreate(PAGE_BYTES, 64, 0);
    methods.xCachesize(cache, 1000);
    srand(7);
    for (int i = 0; i < STEPS; i++) {
        step();
        agrees();
    }
    methods.xDestroy(cache);
}
END_TEST

/* ---- what of it comes through ---- */

static sqlite3_pcache_methods2 real;
static unsigned walks;

static void count_walk(sqlite3_pcache *below, unsigned from)
{
    walks++;
    real.xTruncate(below, from);
}

/* Under the layer: its pages are SQLite's own, and what arrives is counted. */
static void count_walks(void)
{
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &real), SQLITE_OK);
    sqlite3_pcache_methods2 counting = real;
    counting.xTruncate = count_walk;
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_PCACHE2, &counting), SQLITE_OK);
}

enum { PUT, SUM, STMT_COUNT };
static const struct cu_sql steps[] = {
    {"first", "CREATE TABLE t (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID"}};
static const struct cu_sql stmts[] = {
    [PUT] = {"put", "INSERT OR REPLACE INTO t VALUES (?1, ?2)"},
    [SUM] = {"sum", "SELECT count(*) FROM t"},
};

static struct cu_db *open_db(void)
{
    char path[300];
    struct cu_db *db = NULL;
    struct cu_diag diag = {0};
    (void)snprintf(path, sizeof path, "%s/%d-pages", suite_tmpdir(), (int)getpid());
    enum cu_err err = cu_db_open(&(struct cu_db_options){.path = path,
                                                         .migrations = steps,
                                                         .migration_count = 1,
                                                         .statements = stmts,
                                                         .statement_count = STMT_COUNT},
                                 &db, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    return db;
}

static void put_some(struct cu_db *db, unsigned count)
{
    uint8_t value[200];
    char key[32];
    ck_assert_int_eq(cu_db_begin(db, NULL), CU_OK);
    for (unsigned i = 0; i < count; i++) {
        struct sqlite3_stmt *stmt = cu_db_stmt(db, PUT);
        unsigned n = any(ROWS);
        (void)snprintf(key, sizeof key, "%08u", n);
        memset(value, (int)(n % 256), sizeof value);
        cu_bind_bytes(stmt, 1, cu_bytes_of(key));
        cu_bind_bytes(stmt, 2, (struct cu_bytes){value, 50 + any(150)});
        ck_assert_int_eq(cu_run(stmt, NULL), CU_OK);
    }
}

static uint64_t rows(struct cu_db *db)
{
    bool is_row;
    struct sqlite3_stmt *stmt = cu_db_stmt(db, SUM);
    ck_assert_int_eq(cu_step(stmt, &is_row, NULL), CU_OK);
    uint64_t count = cu_column_u64(stmt, 0);
    cu_reset(stmt);
    return count;
}

static void is_sound(struct cu_db *db)
{
    sqlite3_stmt *stmt = NULL;
    ck_assert_int_eq(
        sqlite3_prepare_v2(cu_db_handle(db), "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    ck_assert_str_eq((const char *)sqlite3_column_text(stmt, 0), "ok");
    ck_assert_int_eq(sqlite3_finalize(stmt), SQLITE_OK);
}

START_TEST(commits_that_balance_trees_walk_through_no_cache)
{
    count_walks();
    struct cu_db *db = open_db();
    srand(7);
    walks = 0;
    for (int i = 0; i < TURNS; i++) {
        put_some(db, ROWS / TURNS);
        ck_assert_int_eq(cu_db_commit(db, NULL), CU_OK);
    }
    ck_assert_uint_eq(walks, 0); /* without the layer: one for nearly each commit */
    is_sound(db);
    cu_db_close(db);
}
END_TEST

START_TEST(pages_of_a_transaction_that_was_undone_are_forgotten)
{
    count_walks();
    struct cu_db *db = open_db();
    srand(7);
    put_some(db, 100);
    ck_assert_int_eq(cu_db_commit(db, NULL), CU_OK);
    uint64_t before = rows(db);
    for (int i = 0; i < TURNS; i++) {
        put_some(db, ROWS / TURNS);
        cu_db_rollback(db);
        ck_assert_uint_eq(rows(db), before);
    }
    is_sound(db);
    put_some(db, ROWS);
    ck_assert_int_eq(cu_db_commit(db, NULL), CU_OK);
    is_sound(db);
    ck_assert_int_eq(cu_db_exec(db, "DELETE FROM t WHERE k > '00000100'", NULL), CU_OK);
    ck_assert_int_eq(cu_db_exec(db, "VACUUM", NULL), CU_OK);
    put_some(db, ROWS);
    ck_assert_int_eq(cu_db_commit(db, NULL), CU_OK);
    is_sound(db);
    cu_db_close(db);
}
END_TEST

SUITE_MAIN("common/store/pages", a_page_that_is_to_be_forgotten_is_and_no_other,
           commits_that_balance_trees_walk_through_no_cache,
           pages_of_a_transaction_that_was_undone_are_forgotten)
