#include "services/catalogd/io/sqlite.h"

#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "tests/lib/backend_twin.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"
#include "tests/lib/fault_vfs.h"

static const char *new_path(void)
{
    static char path[300];
    static int number;
    (void)snprintf(path, sizeof path, "%s/sqlite-%d.db", suite_tmpdir(), number++);
    return path;
}

static struct catalog_sqlite *open_writer(const char *path)
{
    struct catalog_sqlite *db = NULL;
    struct cu_diag diag = {0};
    ck_assert_msg(catalog_sqlite_open_writer(path, &db, &diag) == CU_OK, "%s", diag.text);
    return db;
}

static struct catalog_sqlite *open_reader(const char *path)
{
    struct catalog_sqlite *db = NULL;
    struct cu_diag diag = {0};
    ck_assert_msg(catalog_sqlite_open_reader(path, &db, &diag) == CU_OK, "%s", diag.text);
    return db;
}

static enum cu_err put(struct catalog_sqlite *db, const char *key, const char *value)
{
    const struct catalog_backend *backend = catalog_sqlite_backend(db);
    struct catalog_row row = {cu_bytes_of(key), cu_bytes_of(value), 1, 2, {3, 4}};
    return backend->put(backend->context, CATALOG_KV, &row);
}

static void put_committed(struct catalog_sqlite *db, const char *key, const char *value)
{
    ck_assert_int_eq(catalog_sqlite_begin(db, NULL), CU_OK);
    ck_assert_int_eq(put(db, key, value), CU_OK);
    ck_assert_int_eq(catalog_sqlite_commit(db, NULL), CU_OK);
}

/* "" when it is not there. */
static const char *get(struct catalog_sqlite *db, const char *key)
{
    static char text[64];
    const struct catalog_backend *backend = catalog_sqlite_backend(db);
    struct cu_arena *arena = cu_arena_new(4096);
    struct catalog_row row;
    enum cu_err err = backend->get(backend->context, CATALOG_KV, cu_bytes_of(key), arena, &row);
    ck_assert(err == CU_OK || err == CU_E_NOT_FOUND);
    (void)snprintf(text, sizeof text, "%.*s", err ? 0 : (int)row.value.len,
                   err ? "" : (const char *)row.value.data);
    cu_arena_free(arena);
    return text;
}

static int64_t pragma(struct catalog_sqlite *db, const char *text)
{
    sqlite3_stmt *stmt = NULL;
    ck_assert_int_eq(sqlite3_prepare_v2(cu_db_handle(catalog_sqlite_db(db)), text, -1, &stmt, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt); /* of a read that went well */
    return value;
}

START_TEST(a_snapshot_stands_still_while_the_writer_goes_on_contracts_6_7)
{
    const char *path = new_path();
    struct catalog_sqlite *writer = open_writer(path);
    put_committed(writer, "k", "1");
    struct catalog_sqlite *reader = open_reader(path);
    ck_assert_int_eq(catalog_sqlite_begin_read(reader, NULL), CU_OK);
    put_committed(writer, "k", "2"); /* before the snapshot's first own read */
    ck_assert_str_eq(get(reader, "k"), "1");
    put_committed(writer, "new", "1");
    ck_assert_str_eq(get(reader, "new"), "");
    catalog_sqlite_end_read(reader);
    catalog_sqlite_end_read(reader); /* outside of one: nothing */
    ck_assert_str_eq(get(reader, "k"), "2");
    ck_assert_int_eq(catalog_sqlite_begin_read(reader, NULL), CU_OK);
    ck_assert_str_eq(get(reader, "new"), "1");
    catalog_sqlite_close(reader);
    catalog_sqlite_close(writer);
    catalog_sqlite_close(NULL);
}
END_TEST

START_TEST(what_was_not_committed_is_gone)
{
    const char *path = new_path();
    struct catalog_sqlite *writer = open_writer(path), *reader;
    put_committed(writer, "k", "1");
    ck_assert_int_eq(catalog_sqlite_begin(writer, NULL), CU_OK);
    ck_assert_int_eq(put(writer, "k", "2"), CU_OK);
    reader = open_reader(path);
    ck_assert_str_eq(get(reader, "k"), "1");
    catalog_sqlite_rollback(writer);
    catalog_sqlite_rollback(writer);
    ck_assert_str_eq(get(writer, "k"), "1");
    ck_assert_int_eq(catalog_sqlite_begin(writer, NULL), CU_OK);
    ck_assert_int_eq(put(writer, "k", "3"), CU_OK);
    catalog_sqlite_close(writer);
    writer = open_writer(path);
    ck_assert_str_eq(get(writer, "k"), "1");
    catalog_sqlite_close(writer);
    catalog_sqlite_close(reader);
}
END_TEST

static enum cu_err add_change(struct catalog_sqlite *db, uint64_t index, uint32_t number)
{
    const struct catalog_backend *backend = catalog_sqlite_backend(db);
    struct catalog_change change = {.index = index,
                                    .number = number,
                                    .key = cu_bytes_of("k"),
                                    .actor = "",
                                    .node = "",
                                    .daemon = "",
                                    .address = "",
                                    .cause = "",
                                    .reason = ""};
    return backend->change_add(backend->context, &change);
}

static bool keep_last(void *arg, const struct catalog_change *change)
{
    struct catalog_change *last = arg;
    last->index = change->index;
    last->number = change->number;
    return true;
}

START_TEST(one_change_more_than_an_entry_can_hold_is_refused_and_so_is_a_higher_index)
{
    static const uint32_t number_max = (1u << 24) - 1;
    static const uint64_t index_max = (1ull << 39) - 1;
    struct catalog_sqlite *writer = open_writer(new_path());
    const struct catalog_backend *backend = catalog_sqlite_backend(writer);
    ck_assert_int_eq(catalog_sqlite_begin(writer, NULL), CU_OK);
    ck_assert_int_eq(add_change(writer, 7, number_max), CU_OK);
    ck_assert_int_eq(add_change(writer, 7, number_max + 1), CU_E_TOO_LARGE);
    ck_assert_int_eq(add_change(writer, index_max, number_max), CU_OK);
    ck_assert_int_eq(add_change(writer, index_max + 1, 0), CU_E_TOO_LARGE);
    struct catalog_change last = {0};
    ck_assert_int_eq(backend->changes(backend->context, 7, UINT32_MAX, keep_last, &last), CU_OK);
    ck_assert(last.index == index_max && last.number == number_max);
    catalog_sqlite_close(writer);
}
END_TEST

START_TEST(runs_wal_normal_and_never_checkpoints_by_itself)
{
    struct catalog_sqlite *writer = open_writer(new_path());
    ck_assert_int_eq(pragma(writer, "PRAGMA synchronous"), 1);
    ck_assert_int_eq(pragma(writer, "PRAGMA wal_autocheckpoint"), 0);
    ck_assert_int_eq(pragma(writer, "PRAGMA mmap_size"), 0);
    char text[16];
    for (int i = 0; i < 1500; i++) { /* more pages than the default of 1,000 */
        (void)snprintf(text, sizeof text, "%d", i);
        put_committed(writer, text, text);
    }
    ck_assert_uint_gt(cu_db_wal_bytes(catalog_sqlite_db(writer)), 1500 * 4096);
    catalog_sqlite_close(writer);
}
END_TEST

START_TEST(a_reader_needs_a_file_and_cannot_write)
{
    const char *path = new_path();
    struct catalog_sqlite *db = NULL;
    struct cu_diag diag = {0};
    ck_assert_int_eq(catalog_sqlite_open_reader(path, &db, &diag), CU_E_IO);
    ck_assert_ptr_null(db);
    struct catalog_sqlite *writer = open_writer(path), *reader = open_reader(path);
    ck_assert_str_eq(catalog_sqlite_message(reader), "");
    ck_assert_int_eq(put(reader, "k", "1"), CU_E_IO);
    ck_assert_ptr_nonnull(strstr(catalog_sqlite_message(reader), "readonly"));
    catalog_sqlite_close(reader);
    catalog_sqlite_close(writer);
}
END_TEST

START_TEST(a_file_of_a_newer_version_is_refused_and_left_alone)
{
    const char *path = new_path();
    struct catalog_sqlite *writer = open_writer(path), *db = NULL;
    struct cu_diag diag = {0};
    put_committed(writer, "k", "1");
    char newer[64];
    (void)snprintf(newer, sizeof newer, "PRAGMA user_version=%d", CATALOG_SCHEMA_VERSION + 1);
    ck_assert_int_eq(cu_db_exec(catalog_sqlite_db(writer), newer, &diag), CU_OK);
    catalog_sqlite_close(writer);
    ck_assert_int_eq(catalog_sqlite_open_writer(path, &db, &diag), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "newer version"));
    ck_assert_int_eq(catalog_sqlite_open_reader(path, &db, &diag), CU_E_INVALID);
    ck_assert_ptr_null(db);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_corrupt)
{
    const char *path = new_path();
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        ck_assert_int_gt(fprintf(file, "no database "), 0);
    ck_assert_int_eq(fclose(file), 0);
    struct catalog_sqlite *db = NULL;
    struct cu_diag diag = {0};
    ck_assert_int_eq(catalog_sqlite_open_writer(path, &db, &diag), CU_E_CORRUPT);
    ck_assert_str_ne(diag.text, "");
}
END_TEST

START_TEST(a_failing_disk_leaves_the_old_or_the_new_state)
{
    ck_assert_int_eq(sqlite3_vfs_register(sqlite3_vfs_find(fault_vfs()), 1), SQLITE_OK);
    static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE};
    for (unsigned n = 1;; n++) {
        const char *path = new_path();
        struct catalog_sqlite *db = open_writer(path);
        put_committed(db, "k", "old");
        struct fault fault = {.at = n};
        fault_vfs_arm(&fault, codes[n % 2]);
        struct cu_diag diag = {0};
        int frames, copied;
        enum cu_err err = catalog_sqlite_begin(db, &diag);
        if (!err)
            err = put(db, "k", "new");
        if (!err)
            err = catalog_sqlite_commit(db, &diag);
        bool is_new = !err;
        if (!err)
            err = cu_db_checkpoint(catalog_sqlite_db(db), CU_CHECKPOINT_PASSIVE, &frames, &copied,
                                   &diag);
        bool fired = fault_fired(&fault);
        fault_vfs_arm(NULL, 0);
        ck_assert_int_eq(err, fired ? CU_E_IO : CU_OK);
        catalog_sqlite_rollback(db);
        catalog_sqlite_close(db);
        db = open_writer(path);
        ck_assert_str_eq(get(db, "k"), is_new ? "new" : "old");
        catalog_sqlite_close(db);
        if (!fired)
            break;
    }
}
END_TEST

START_TEST(does_what_the_twin_in_memory_does_over_random_calls)
{
    struct memory_backend *memory = memory_backend_new(NULL);
    struct catalog_sqlite *db = open_writer(new_path());
    struct backend_twin twin = {.one = memory_backend_get(memory),
                                .other = catalog_sqlite_backend(db),
                                .random = {suite_seed()}};
    ck_assert_int_eq(catalog_sqlite_begin(db, NULL), CU_OK);
    for (int step = 0; step < 4000; step++) {
        backend_twin_step(&twin);
        if (step % 4 == 0)
            backend_twin_compare(&twin);
    }
    catalog_sqlite_close(db);
    memory_backend_free(memory);
}
END_TEST

START_TEST(an_update_of_what_is_not_there_is_told)
{
    struct catalog_sqlite *db = open_writer(new_path());
    const struct catalog_backend *backend = catalog_sqlite_backend(db);
    struct catalog_row row = {cu_bytes_of("k"), cu_bytes_of("2"), 1, 2, {3, 4}};
    ck_assert_int_eq(backend->update(backend->context, CATALOG_KV, &row), CU_E_CORRUPT);
    ck_assert_ptr_nonnull(strstr(catalog_sqlite_message(db), "kv"));
    put_committed(db, "k", "1");
    ck_assert_int_eq(backend->update(backend->context, CATALOG_KV, &row), CU_OK);
    ck_assert_str_eq(get(db, "k"), "2");
    catalog_sqlite_close(db);
}
END_TEST

START_TEST(a_full_arena_is_too_large)
{
    struct catalog_sqlite *db = open_writer(new_path());
    const struct catalog_backend *b = catalog_sqlite_backend(db);
    struct cu_arena *arena = cu_arena_new(4);
    struct catalog_row row;
    struct cu_bytes value;
    put_committed(db, "k", "0123456789");
    ck_assert_int_eq(b->get(b->context, CATALOG_KV, cu_bytes_of("k"), arena, &row), CU_E_TOO_LARGE);
    ck_assert_int_eq(b->meta_put(b->context, "m", cu_bytes_of("0123456789")), CU_OK);
    ck_assert_int_eq(b->meta_get(b->context, "m", arena, &value), CU_E_TOO_LARGE);
    cu_arena_free(arena);
    catalog_sqlite_close(db);
}
END_TEST

SUITE_MAIN("catalogd/io/sqlite", a_snapshot_stands_still_while_the_writer_goes_on_contracts_6_7,
           what_was_not_committed_is_gone,
           one_change_more_than_an_entry_can_hold_is_refused_and_so_is_a_higher_index,
           runs_wal_normal_and_never_checkpoints_by_itself, a_reader_needs_a_file_and_cannot_write,
           a_file_of_a_newer_version_is_refused_and_left_alone,
           a_file_that_is_no_database_is_corrupt, a_failing_disk_leaves_the_old_or_the_new_state,
           does_what_the_twin_in_memory_does_over_random_calls,
           an_update_of_what_is_not_there_is_told, a_full_arena_is_too_large)
