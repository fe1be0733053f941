#include "services/raftd/io/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"
#include "tests/lib/fault_vfs.h"

/* ---- builders ---- */

static struct raft_log *open_with(const char *dir, const char *vfs, struct raft_boot *boot)
{
    struct raft_log *log = NULL;
    struct cu_diag diag = {{0}};
    enum cu_err err = raft_log_open(
        &(struct raft_log_options){.dir = dir, .node_id = "n1", .vfs = vfs}, &log, boot, &diag);
    ck_assert_msg(err == CU_OK, "%s", diag.text);
    return log;
}

static struct raft_log *open_log(const char *dir, struct raft_boot *boot)
{
    return open_with(dir, NULL, boot);
}

static enum cu_err open_fails(const char *dir, struct cu_diag *diag)
{
    struct raft_log *log = NULL;
    struct raft_boot boot;
    enum cu_err err =
        raft_log_open(&(struct raft_log_options){.dir = dir, .node_id = "n1"}, &log, &boot, diag);
    ck_assert_ptr_null(log);
    return err;
}

static const char *new_dir(void)
{
    static char path[300];
    static int number;
    snprintf(path, sizeof path, "%s/raft%d-%d", suite_tmpdir(), (int)getpid(), ++number);
    return path;
}

/* A persist with entries first..last of `term`. */
static struct raft_persist *entries(uint64_t first, uint64_t last, uint64_t term)
{
    struct raft_persist *p = cu_alloc(sizeof *p);
    p->entry_count = (uint32_t)(last - first + 1);
    p->entries = cu_alloc(p->entry_count * sizeof *p->entries);
    for (uint32_t i = 0; i < p->entry_count; i++) {
        char text[32];
        snprintf(text, sizeof text, "entry %u", (unsigned)(first + i));
        p->entries[i] = (struct raft_entry){.index = first + i,
                                            .term = term,
                                            .kind = RAFT_COMMAND,
                                            .wall_ms = 1000 + first + i,
                                            .lease_ms = 10 * (first + i),
                                            .seq = first + i,
                                            .body = raft_body_new(cu_bytes_of(text))};
    }
    return p;
}

static struct raft_persist *vote(uint64_t term, uint8_t who)
{
    struct raft_persist *p = cu_alloc(sizeof *p);
    *p = (struct raft_persist){.has_vote = true, .term = term, .vote = {{who}}};
    return p;
}

static enum cu_err write_one(struct raft_log *log, struct raft_persist *p)
{
    struct cu_diag diag = {{0}};
    enum cu_err err = raft_log_write(log, &p, 1, &diag);
    raft_persist_free(p);
    return err;
}

static void damage(const char *dir, const char *sql)
{
    char path[400];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/log.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static uint32_t read_some(struct raft_log *log, uint64_t first, uint32_t max, size_t max_bytes)
{
    struct raft_entry got[16];
    uint32_t count = 0;
    ck_assert_uint_eq(raft_log_read(log, first, max, max_bytes, got, &count), CU_OK);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_uint_eq(got[i].index, first + i);
        raft_body_unref(got[i].body);
    }
    return count;
}

/* ---- what it keeps ---- */

START_TEST(an_empty_log_takes_an_incarnation_and_keeps_it)
{
    struct raft_boot boot, again;
    const char *dir = new_dir();
    raft_log_close(open_log(dir, &boot));
    ck_assert_uint_ne(boot.incarnation, 0);
    ck_assert_uint_eq(boot.term, 0);
    ck_assert_uint_eq(boot.last_index, 0);
    raft_log_close(open_log(dir, &again));
    ck_assert_uint_eq(boot.incarnation, again.incarnation);
    raft_log_close(open_log(new_dir(), &again));
    ck_assert_uint_ne(boot.incarnation, again.incarnation);
}
END_TEST

START_TEST(term_and_vote_survive) /* consensus 3 */
{
    struct raft_boot boot;
    const char *dir = new_dir();
    struct raft_log *log = open_log(dir, &boot);
    uint64_t incarnation = boot.incarnation;
    ck_assert_uint_eq(write_one(log, vote(4, 9)), CU_OK);
    raft_log_close(log);
    raft_log_close(open_log(dir, &boot));
    ck_assert_uint_eq(boot.term, 4);
    ck_assert_uint_eq(boot.vote.bytes[0], 9);
    ck_assert_uint_eq(boot.incarnation, incarnation);
}
END_TEST

START_TEST(entries_survive_and_read_in_batches)
{
    struct raft_boot boot;
    const char *dir = new_dir();
    struct raft_log *log = open_log(dir, &boot);
    ck_assert_uint_eq(write_one(log, entries(1, 10, 2)), CU_OK);
    raft_log_close(log);
    log = open_log(dir, &boot);
    ck_assert_uint_eq(boot.last_index, 10);
    ck_assert_uint_eq(boot.last_term, 2);
    ck_assert_uint_eq(boot.last_wall_ms, 1010);
    ck_assert_uint_eq(boot.last_lease_ms, 100);
    ck_assert_uint_eq(read_some(log, 1, 16, 1000), 10);
    ck_assert_uint_eq(read_some(log, 8, 16, 1000), 3);
    ck_assert_uint_eq(read_some(log, 3, 2, 1000), 2);
    ck_assert_uint_eq(read_some(log, 1, 16, 14), 2); /* two bodies of 7 bytes */
    ck_assert_uint_eq(read_some(log, 1, 16, 0), 1);  /* at least one */
    raft_log_close(log);
}
END_TEST

START_TEST(a_truncation_and_what_follows_are_one_write)
{
    struct raft_boot boot;
    const char *dir = new_dir();
    struct raft_log *log = open_log(dir, &boot);
    ck_assert_uint_eq(write_one(log, entries(1, 10, 2)), CU_OK);
    struct raft_persist *p = entries(6, 7, 3);
    p->truncate_from = 6;
    ck_assert_uint_eq(write_one(log, p), CU_OK);
    raft_log_close(log);
    raft_log_close(open_log(dir, &boot));
    ck_assert_uint_eq(boot.last_index, 7);
    ck_assert_uint_eq(boot.last_term, 3);
}
END_TEST

static struct raft_header header_at(uint64_t index, uint64_t term)
{
    return (struct raft_header){.position = {{{5}}, index, term},
                                .wall_ms = 1000 + index,
                                .lease_ms = 10 * index,
                                .configuration = {1, 1, {{{{7}}, 77, true}}},
                                .lineage_count = 1,
                                .lineage = {{{{4}}, 3}}};
}

START_TEST(a_floor_drops_what_is_below_and_keeps_log_time)
{
    struct raft_boot boot;
    const char *dir = new_dir();
    struct raft_log *log = open_log(dir, &boot);
    ck_assert_uint_eq(write_one(log, entries(1, 10, 2)), CU_OK);
    for (uint64_t floor = 4; floor <= 10; floor += 6) {
        struct raft_persist *p = cu_alloc(sizeof *p);
        p->has_floor = true;
        p->floor = header_at(floor, 2);
        ck_assert_uint_eq(write_one(log, p), CU_OK);
        raft_log_close(log);
        log = open_log(dir, &boot);
        ck_assert_uint_eq(boot.start.position.index, floor);
        ck_assert_uint_eq(boot.start.configuration.servers[0].incarnation, 77);
        ck_assert_uint_eq(boot.start.lineage[0].last_index, 3);
        ck_assert_uint_eq(boot.last_index, 10);
        ck_assert_uint_eq(boot.last_term, 2);
        ck_assert_uint_eq(boot.last_wall_ms, 1010);
        ck_assert_uint_eq(boot.last_lease_ms, 100);
    }
    raft_log_close(log);
}
END_TEST

START_TEST(an_adopted_start_drops_every_entry)
{
    struct raft_boot boot;
    const char *dir = new_dir();
    struct raft_log *log = open_log(dir, &boot);
    ck_assert_uint_eq(write_one(log, entries(1, 10, 2)), CU_OK);
    struct raft_persist *p = entries(51, 52, 6);
    p->has_start = true;
    p->start = header_at(50, 5);
    ck_assert_uint_eq(write_one(log, p), CU_OK);
    raft_log_close(log);
    raft_log_close(open_log(dir, &boot));
    ck_assert_uint_eq(boot.start.position.index, 50);
    ck_assert_uint_eq(boot.last_index, 52);
}
END_TEST

START_TEST(a_promise_survives_until_it_falls) /* consensus 94 */
{
    struct raft_boot boot;
    const char *dir = new_dir();
    struct raft_log *log = open_log(dir, &boot);
    struct raft_persist *p = cu_alloc(sizeof *p);
    p->has_promise = true;
    p->promise = (struct raft_promise){.round = 2,
                                       .proposer = {{1}},
                                       .cluster = {{8}},
                                       .configuration = {0, 1, {{{{7}}, 5, true}}}};
    ck_assert_uint_eq(write_one(log, p), CU_OK);
    raft_log_close(log);
    log = open_log(dir, &boot);
    ck_assert_uint_eq(boot.promise.round, 2);
    ck_assert_uint_eq(boot.promise.cluster.bytes[0], 8);
    ck_assert_uint_eq(boot.promise.configuration.servers[0].incarnation, 5);
    p = cu_alloc(sizeof *p);
    p->has_promise = true;
    ck_assert_uint_eq(write_one(log, p), CU_OK);
    raft_log_close(log);
    raft_log_close(open_log(dir, &boot));
    ck_assert_uint_eq(boot.promise.round, 0);
}
END_TEST

static void remember(void *arg, struct raft_id id, const char *address)
{
    snprintf(arg, 64, "%u=%s", id.bytes[0], address);
}

START_TEST(the_book_keeps_the_newest_address)
{
    struct raft_boot boot;
    char got[64] = "";
    struct raft_log *log = open_log(new_dir(), &boot);
    struct raft_id id = {{3}};
    ck_assert_uint_eq(raft_log_book_put(log, id, "127.0.0.2:8310", NULL), CU_OK);
    ck_assert_uint_eq(raft_log_book_put(log, id, "127.0.0.9:8310", NULL), CU_OK);
    ck_assert_uint_eq(raft_log_book(log, remember, got, NULL), CU_OK);
    ck_assert_str_eq(got, "3=127.0.0.9:8310");
    raft_log_close(log);
}
END_TEST

/* ---- damage ---- */

START_TEST(damage_is_refused_with_what_to_do) /* consensus 54, 55 */
{
    /* clang-format off */
    static const struct { const char *sql, *what; } cases[] = {
        {"UPDATE entry SET row = zeroblob(80) WHERE idx = 5",    "entry 5: of an unknown format"},
        {"UPDATE entry SET row = substr(row, 1, length(row)-1) WHERE idx = 5",
                                                                 "entry 5: its checksum does not match"},
        {"DELETE FROM entry WHERE idx = 5",                      "entries 1 to 10 are only 9 rows"},
        {"DELETE FROM entry WHERE idx = 1",                      "the first entry is 2 where the log begins after 0"},
        {"UPDATE meta SET value = zeroblob(37) WHERE name = 'term'", "record \"term\": its checksum does not match"},
        {"DELETE FROM meta WHERE name = 'term'",                 "record \"term\" is missing"},
    };
    /* clang-format on */
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct raft_boot boot;
        struct cu_diag diag = {{0}};
        const char *dir = new_dir();
        struct raft_log *log = open_log(dir, &boot);
        ck_assert_uint_eq(write_one(log, entries(1, 10, 2)), CU_OK);
        raft_log_close(log);
        damage(dir, cases[i].sql);
        ck_assert_uint_eq(open_fails(dir, &diag), CU_E_CORRUPT);
        ck_assert_msg(strstr(diag.text, cases[i].what) != NULL, "%s", diag.text);
        ck_assert_msg(strstr(diag.text, "the disk of n1") != NULL, "%s", diag.text);
    }
}
END_TEST

START_TEST(damage_that_comes_later_is_found_by_the_read)
{
    struct raft_boot boot;
    struct raft_entry got[16];
    uint32_t count = 0;
    const char *dir = new_dir();
    struct raft_log *log = open_log(dir, &boot);
    ck_assert_uint_eq(write_one(log, entries(1, 10, 2)), CU_OK);
    damage(dir, "UPDATE entry SET row = zeroblob(80) WHERE idx = 5");
    ck_assert_uint_eq(raft_log_read(log, 1, 16, 1000, got, &count), CU_E_CORRUPT);
    ck_assert_str_eq(raft_log_said(log), "entry 5: of an unknown format");
    ck_assert_uint_eq(raft_log_read(log, 11, 1, 1000, got, &count), CU_E_CORRUPT);
    raft_log_close(log);
}
END_TEST

START_TEST(a_newer_format_is_refused_and_left_alone)
{
    struct raft_boot boot;
    struct cu_diag diag = {{0}};
    const char *dir = new_dir();
    raft_log_close(open_log(dir, &boot));
    damage(dir, "PRAGMA user_version = 2");
    ck_assert_uint_eq(open_fails(dir, &diag), CU_E_INVALID);
    ck_assert_msg(strstr(diag.text, "newer version") != NULL, "%s", diag.text);
    damage(dir, "PRAGMA user_version = 1");
    raft_log_close(open_log(dir, &boot));
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
    struct cu_diag diag = {{0}};
    const char *dir = new_dir();
    char path[400];
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    snprintf(path, sizeof path, "%s/log.db", dir);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("no database", file);
    fclose(file);
    ck_assert_uint_eq(open_fails(dir, &diag), CU_E_CORRUPT);
    ck_assert_msg(strstr(diag.text, "file is not a database") != NULL, "%s", diag.text);
    ck_assert_msg(strstr(diag.text, "recover -help`") != NULL, "to its end: %s", diag.text);
}
END_TEST

/* ---- faults: every write and sync fails once ---- */

static enum cu_err write_second(struct raft_log *log)
{
    struct raft_persist *items[] = {vote(3, 2), entries(11, 14, 3)};
    items[1]->truncate_from = 9;
    for (uint32_t i = 0; i < 4; i++)
        items[1]->entries[i].index -= 2;
    struct cu_diag diag = {{0}};
    enum cu_err err = raft_log_write(log, items, 2, &diag);
    raft_persist_free(items[0]);
    raft_persist_free(items[1]);
    if (err)
        ck_assert_str_ne(diag.text, "");
    return err;
}

START_TEST(a_failed_write_leaves_the_old_or_the_new_log) /* consensus 3, 56 */
{
    for (unsigned n = 1;; n++) {
        struct fault fault = {.at = n};
        struct raft_boot boot;
        char dir[300];
        snprintf(dir, sizeof dir, "%s", new_dir());
        struct raft_log *log = open_with(dir, fault_vfs(), &boot);
        ck_assert_uint_eq(write_one(log, entries(1, 10, 2)), CU_OK);
        fault_vfs_arm(&fault, n % 2 ? SQLITE_FULL : SQLITE_IOERR_FSYNC);
        enum cu_err err = write_second(log);
        bool fired = fault_fired(&fault);
        fault_vfs_arm(NULL, 0);
        if (fired)
            ck_assert_uint_eq(err, CU_E_IO);
        else
            ck_assert_uint_eq(err, CU_OK);
        raft_log_close(log);
        raft_log_close(open_log(dir, &boot));
        bool is_old = boot.term == 0 && boot.last_index == 10 && boot.last_term == 2;
        bool is_new = boot.term == 3 && boot.last_index == 12 && boot.last_term == 3;
        ck_assert_msg(fired ? is_old || is_new : is_new, "fault %u: term %u last %u", n,
                      (unsigned)boot.term, (unsigned)boot.last_index);
        if (!fired)
            break;
    }
}
END_TEST

START_TEST(an_open_that_fails_can_be_repeated)
{
    for (unsigned n = 1;; n++) {
        struct fault fault = {.at = n};
        struct raft_log *log = NULL;
        struct raft_boot boot;
        struct cu_diag diag = {{0}};
        char dir[300];
        snprintf(dir, sizeof dir, "%s", new_dir());
        fault_vfs_arm(&fault, SQLITE_FULL);
        enum cu_err err =
            raft_log_open(&(struct raft_log_options){dir, "n1", fault_vfs()}, &log, &boot, &diag);
        bool fired = fault_fired(&fault);
        fault_vfs_arm(NULL, 0);
        if (err)
            ck_assert_uint_eq(err, CU_E_IO);
        raft_log_close(log);
        raft_log_close(open_log(dir, &boot));
        ck_assert_uint_ne(boot.incarnation, 0);
        if (!fired)
            break;
    }
}
END_TEST

START_TEST(a_batch_is_one_sync)
{
    struct raft_boot boot;
    struct raft_log *log = open_log(new_dir(), &boot);
    struct raft_persist *items[] = {vote(1, 1), entries(1, 5, 1), entries(6, 9, 1)};
    uint64_t before = raft_log_syncs(log);
    ck_assert_uint_eq(raft_log_write(log, items, 3, NULL), CU_OK);
    ck_assert_uint_eq(raft_log_syncs(log) - before, 1);
    for (size_t i = 0; i < CU_COUNT(items); i++)
        raft_persist_free(items[i]);
    raft_log_close(log);
}
END_TEST

SUITE_MAIN("services/raftd/io/log", an_empty_log_takes_an_incarnation_and_keeps_it,
           term_and_vote_survive, entries_survive_and_read_in_batches,
           a_truncation_and_what_follows_are_one_write,
           a_floor_drops_what_is_below_and_keeps_log_time, an_adopted_start_drops_every_entry,
           a_promise_survives_until_it_falls, the_book_keeps_the_newest_address,
           damage_is_refused_with_what_to_do, damage_that_comes_later_is_found_by_the_read,
           a_newer_format_is_refused_and_left_alone, a_file_that_is_no_database_is_refused,
           a_failed_write_leaves_the_old_or_the_new_log, an_open_that_fails_can_be_repeated,
           a_batch_is_one_sync)
