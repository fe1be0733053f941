#include "services/raftd/io/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "common/store/store.h"
#include "services/raftd/io/meta.h"
#include "services/raftd/io/row.h"

/* A short WAL is overwritten in place, a growing one commits its size with each sync (hops.md 6).
 */
enum { AUTOCHECKPOINT_PAGES = 1000 };

static const struct cu_sql migrations[] = {
    {"format 1", "CREATE TABLE entry (idx INTEGER PRIMARY KEY, row BLOB NOT NULL) STRICT;"
                 "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;"
                 "CREATE TABLE book (id BLOB PRIMARY KEY, address TEXT NOT NULL) STRICT;"},
};

enum statement {
    ENTRY_ADD,
    ENTRY_CUT,
    ENTRY_TRIM,
    ENTRY_CLEAR,
    ENTRY_FROM,
    ENTRY_SPAN,
    META_GET,
    META_PUT,
    META_DEL,
    BOOK_PUT,
    BOOK_ALL,
    STATEMENT_COUNT
};

/* clang-format off */
static const struct cu_sql statements[] = {
    [ENTRY_ADD]   = {"entry_add",   "INSERT INTO entry (idx, row) VALUES (?1, ?2)"},
    [ENTRY_CUT]   = {"entry_cut",   "DELETE FROM entry WHERE idx >= ?1"},
    [ENTRY_TRIM]  = {"entry_trim",  "DELETE FROM entry WHERE idx <= ?1"},
    [ENTRY_CLEAR] = {"entry_clear", "DELETE FROM entry"},
    [ENTRY_FROM]  = {"entry_from",  "SELECT idx, row FROM entry WHERE idx >= ?1 ORDER BY idx"},
    [ENTRY_SPAN]  = {"entry_span",  "SELECT count(*), coalesce(min(idx), 0), coalesce(max(idx), 0) FROM entry"},
    [META_GET]    = {"meta_get",    "SELECT value FROM meta WHERE name = ?1"},
    [META_PUT]    = {"meta_put",    "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)"},
    [META_DEL]    = {"meta_del",    "DELETE FROM meta WHERE name = ?1"},
    [BOOK_PUT]    = {"book_put",    "INSERT OR REPLACE INTO book (id, address) VALUES (?1, ?2)"},
    [BOOK_ALL]    = {"book_all",    "SELECT id, address FROM book"},
};
/* clang-format on */
_Static_assert(CU_COUNT(statements) == STATEMENT_COUNT, "a text for each");

struct raft_log {
    struct cu_db *writer, *reader;
    uint64_t incarnation; /* part of the term record, so each write of it needs it */
    struct cu_buf row;    /* of the writer's thread */
    uint64_t syncs;       /* atomic */
    struct cu_diag said;  /* of the last failed read */
};

/* ---- what it holds ---- */

/* *ret_value is copied: CU_E_NOT_FOUND leaves it empty. */
static enum cu_err get_meta(struct cu_db *db, const char *name, struct cu_buf *ret_value,
                            struct cu_diag *diag)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(db, META_GET);
    bool row = false;
    cu_bind_text(stmt, 1, name);
    enum cu_err err = cu_step(stmt, &row, diag);
    if (err || !row)
        return err ? err : CU_E_NOT_FOUND;
    struct cu_bytes value = cu_column_bytes(stmt, 0);
    cu_buf_clear(ret_value);
    cu_buf_append(ret_value, value.data, value.len);
    cu_reset(stmt);
    return CU_OK;
}

static enum cu_err put_meta(struct cu_db *db, const char *name, struct cu_bytes value,
                            struct cu_diag *diag)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(db, META_PUT);
    cu_bind_text(stmt, 1, name);
    cu_bind_bytes(stmt, 2, value);
    return cu_run(stmt, diag);
}

static enum cu_err del_meta(struct cu_db *db, const char *name, struct cu_diag *diag)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(db, META_DEL);
    cu_bind_text(stmt, 1, name);
    return cu_run(stmt, diag);
}

static enum cu_err read_records(struct raft_log *log, struct raft_boot *boot, bool *ret_has_term,
                                struct cu_diag *diag)
{
    struct cu_buf value = {0};
    struct raft_term_record term = {0};
    enum cu_err err = get_meta(log->writer, "term", &value, diag);
    *ret_has_term = !err;
    if (!err)
        err = raft_meta_read_term(cu_buf_bytes(&value), &term, diag);
    if (!err || err == CU_E_NOT_FOUND)
        err = get_meta(log->writer, "start", &value, diag);
    if (!err)
        err = raft_meta_read_start(cu_buf_bytes(&value), &boot->start, diag);
    if (!err || err == CU_E_NOT_FOUND)
        err = get_meta(log->writer, "promise", &value, diag);
    if (!err)
        err = raft_meta_read_promise(cu_buf_bytes(&value), &boot->promise, diag);
    if (!err || err == CU_E_NOT_FOUND)
        err = get_meta(log->writer, "recovery", &value, diag);
    if (!err)
        err = raft_meta_read_recovery(cu_buf_bytes(&value), &boot->recovery, diag);
    cu_buf_deinit(&value);
    boot->term = term.term;
    boot->vote = term.vote;
    log->incarnation = boot->incarnation = term.incarnation;
    return err == CU_E_NOT_FOUND ? CU_OK : err;
}

static enum cu_err first_life(struct raft_log *log, struct raft_boot *boot, struct cu_diag *diag)
{
    while (!log->incarnation) /* 0 means "not known" */
        cu_random_bytes(&log->incarnation, sizeof log->incarnation);
    boot->incarnation = log->incarnation;
    struct cu_buf value = {0};
    raft_meta_write_term(&value, &(struct raft_term_record){.incarnation = log->incarnation});
    enum cu_err err = put_meta(log->writer, "term", cu_buf_bytes(&value), diag);
    cu_buf_deinit(&value);
    return err;
}

/* Indexes must run on from the start without a hole. */
static enum cu_err check_span(struct raft_log *log, struct raft_boot *boot, struct cu_diag *diag)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(log->writer, ENTRY_SPAN);
    bool row = false;
    enum cu_err err = cu_step(stmt, &row, diag);
    if (err)
        return err;
    uint64_t count = cu_column_u64(stmt, 0), min = cu_column_u64(stmt, 1),
             max = cu_column_u64(stmt, 2), floor = boot->start.position.index;
    cu_reset(stmt);
    boot->last_index = floor;
    boot->last_term = boot->start.position.term;
    if (!count)
        return CU_OK;
    if (min != floor + 1)
        return cu_fail(diag, CU_E_CORRUPT,
                       "the first entry is %" PRIu64 " where the log begins after %" PRIu64, min,
                       floor);
    if (max - min + 1 != count)
        return cu_fail(diag, CU_E_CORRUPT,
                       "entries %" PRIu64 " to %" PRIu64 " are only %" PRIu64 " rows", min, max,
                       count);
    boot->last_index = max;
    return CU_OK;
}

/* Steps an ENTRY_FROM statement once; *ret_entry->index 0: no further row. */
static enum cu_err next_entry(struct sqlite3_stmt *stmt, uint64_t want,
                              struct raft_entry *ret_entry, struct cu_diag *diag)
{
    bool row = false;
    enum cu_err err = cu_step(stmt, &row, diag);
    ret_entry->index = 0;
    if (err || !row)
        return err;
    if (cu_column_u64(stmt, 0) != want)
        err = cu_fail(diag, CU_E_CORRUPT, "entry %" PRIu64 " is missing", want);
    else
        err = raft_row_read(cu_column_bytes(stmt, 1), want, ret_entry, diag);
    if (err)
        cu_reset(stmt);
    return err;
}

/* All rows: a log is short (raft_trailing_logs), and a bad row is to be told now, not in
 * mid-flight. */
static enum cu_err check_rows(struct raft_log *log, struct raft_boot *boot, struct cu_diag *diag)
{
    uint64_t at = boot->start.position.index + 1;
    struct sqlite3_stmt *stmt = cu_db_stmt(log->writer, ENTRY_FROM);
    cu_bind_u64(stmt, 1, at);
    enum cu_err err = CU_OK;
    struct raft_entry entry = {0};
    for (; !err && at <= boot->last_index; at++) {
        err = next_entry(stmt, at, &entry, diag);
        if (err)
            break;
        boot->last_term = entry.term;
        boot->last_wall_ms = entry.wall_ms;
        boot->last_lease_ms = entry.lease_ms;
        raft_body_unref(entry.body);
    }
    cu_reset(stmt);
    return err;
}

static enum cu_err load(struct raft_log *log, struct raft_boot *boot, struct cu_diag *diag)
{
    bool has_term = false;
    enum cu_err err = read_records(log, boot, &has_term, diag);
    boot->last_wall_ms = boot->start.wall_ms;
    boot->last_lease_ms = boot->start.lease_ms;
    if (!err)
        err = check_span(log, boot, diag);
    if (!err)
        err = check_rows(log, boot, diag);
    if (!err && !has_term && (boot->last_index || boot->promise.round))
        err = cu_fail(diag, CU_E_CORRUPT, "record \"term\" is missing");
    if (!err && !has_term)
        err = first_life(log, boot, diag);
    return err;
}

/* ---- open, close ---- */

static enum cu_err open_db(const char *path, bool read_only, const char *vfs, struct cu_db **ret_db,
                           struct cu_diag *diag)
{
    return cu_db_open(
        &(struct cu_db_options){
            .path = path,
            .read_only = read_only,
            .sync = CU_DB_FULL,
            .autocheckpoint_pages = AUTOCHECKPOINT_PAGES,
            .migrations = migrations,
            .migration_count = CU_COUNT(migrations),
            .statements = statements,
            .statement_count = STATEMENT_COUNT,
            .vfs = vfs,
        },
        ret_db, diag);
}

static enum cu_err make_dir(const char *dir, struct cu_diag *diag)
{
    if (mkdir(dir, 0700) == 0 || errno == EEXIST)
        return CU_OK;
    return cu_fail(diag, CU_E_IO, "%s: %s", dir, strerror(errno));
}

/* What an operator does with a log that cannot be trusted (consensus.md 16, 17). */
static void advise(const char *path, const char *node_id, struct cu_diag *diag)
{
    if (!diag)
        return;
    struct cu_diag what = *diag;
    size_t len = strlen(path); /* said once */
    const char *cause = what.text + (strncmp(what.text, path, len) == 0 && what.text[len] == ':'
                                         ? len + strspn(what.text + len, ": ")
                                         : 0);
    (void)cu_fail(
        diag, CU_E_CORRUPT,
        "%.70s is damaged and will not be served: %.58s. Bring back the disk of %s, or leave this "
        "server out: with an empty data directory it is ignored until it is removed and added anew "
        "(on another server `curia operator raft remove-peer -id=%s`, then add-peer). If too few "
        "are left for a leader: `curia operator raft recover -help`",
        path, cause, node_id, node_id);
}

enum cu_err raft_log_open(const struct raft_log_options *options, struct raft_log **ret_log,
                          struct raft_boot *ret_boot, struct cu_diag *diag)
{
    struct raft_log *log = cu_alloc(sizeof *log);
    struct raft_boot boot = {0};
    struct cu_buf path = {0};
    cu_buf_printf(&path, "%s/log.db", options->dir);
    cu_buf_u8(&path, 0);
    const char *name = (const char *)path.data;
    enum cu_err err = make_dir(options->dir, diag);
    if (!err)
        err = open_db(name, false, options->vfs, &log->writer, diag);
    if (!err)
        err = load(log, &boot, diag);
    if (!err)
        err = open_db(name, true, options->vfs, &log->reader, diag);
    if (err == CU_E_CORRUPT)
        advise(name, options->node_id, diag);
    cu_buf_deinit(&path);
    if (err) {
        raft_log_close(log);
        return err;
    }
    *ret_log = log;
    *ret_boot = boot;
    return CU_OK;
}

void raft_log_close(struct raft_log *log)
{
    if (!log)
        return;
    cu_db_close(log->reader);
    cu_db_close(log->writer);
    cu_buf_deinit(&log->row);
    free(log);
}

/* ---- writing ---- */

static enum cu_err run_at(struct raft_log *log, enum statement which, uint64_t index,
                          struct cu_diag *diag)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(log->writer, which);
    cu_bind_u64(stmt, 1, index);
    return cu_run(stmt, diag);
}

static enum cu_err write_vote(struct raft_log *log, const struct raft_persist *p,
                              struct cu_diag *diag)
{
    cu_buf_clear(&log->row);
    raft_meta_write_term(&log->row, &(struct raft_term_record){p->term, p->vote, log->incarnation});
    return put_meta(log->writer, "term", cu_buf_bytes(&log->row), diag);
}

static enum cu_err put_start(struct raft_log *log, const struct raft_header *start,
                             struct cu_diag *diag)
{
    cu_buf_clear(&log->row);
    raft_meta_write_start(&log->row, start);
    return put_meta(log->writer, "start", cu_buf_bytes(&log->row), diag);
}

static enum cu_err write_start(struct raft_log *log, const struct raft_persist *p,
                               struct cu_diag *diag)
{
    enum cu_err err = cu_run(cu_db_stmt(log->writer, ENTRY_CLEAR), diag);
    return err ? err : put_start(log, &p->start, diag);
}

static enum cu_err write_entries(struct raft_log *log, const struct raft_persist *p,
                                 struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    for (uint32_t i = 0; !err && i < p->entry_count; i++) {
        struct sqlite3_stmt *stmt = cu_db_stmt(log->writer, ENTRY_ADD);
        cu_buf_clear(&log->row);
        raft_row_write(&log->row, &p->entries[i]);
        cu_bind_u64(stmt, 1, p->entries[i].index);
        cu_bind_bytes(stmt, 2, cu_buf_bytes(&log->row));
        err = cu_run(stmt, diag);
    }
    return err;
}

static enum cu_err write_floor(struct raft_log *log, const struct raft_persist *p,
                               struct cu_diag *diag)
{
    enum cu_err err = run_at(log, ENTRY_TRIM, p->floor.position.index, diag);
    return err ? err : put_start(log, &p->floor, diag);
}

static enum cu_err write_promise(struct raft_log *log, const struct raft_persist *p,
                                 struct cu_diag *diag)
{
    if (!p->promise.round)
        return del_meta(log->writer, "promise", diag);
    cu_buf_clear(&log->row);
    raft_meta_write_promise(&log->row, &p->promise);
    return put_meta(log->writer, "promise", cu_buf_bytes(&log->row), diag);
}

static enum cu_err write_recovery(struct raft_log *log, const struct raft_persist *p,
                                  struct cu_diag *diag)
{
    if (raft_id_is_none(p->recovery.cluster))
        return del_meta(log->writer, "recovery", diag);
    cu_buf_clear(&log->row);
    raft_meta_write_recovery(&log->row, &p->recovery);
    return put_meta(log->writer, "recovery", cu_buf_bytes(&log->row), diag);
}

static enum cu_err write_one(struct raft_log *log, const struct raft_persist *p,
                             struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    if (p->has_vote)
        err = write_vote(log, p, diag);
    if (!err && p->has_start)
        err = write_start(log, p, diag);
    if (!err && p->truncate_from)
        err = run_at(log, ENTRY_CUT, p->truncate_from, diag);
    if (!err)
        err = write_entries(log, p, diag);
    if (!err && p->has_floor)
        err = write_floor(log, p, diag);
    if (!err && p->has_promise)
        err = write_promise(log, p, diag);
    if (!err && p->has_recovery)
        err = write_recovery(log, p, diag);
    return err;
}

enum cu_err raft_log_write(struct raft_log *log, struct raft_persist *const *persists, size_t count,
                           struct cu_diag *diag)
{
    enum cu_err err = cu_db_begin(log->writer, diag);
    for (size_t i = 0; !err && i < count; i++)
        err = write_one(log, persists[i], diag);
    if (!err)
        err = cu_db_commit(log->writer, diag);
    if (err)
        cu_db_rollback(log->writer);
    __atomic_fetch_add(&log->syncs, 1, __ATOMIC_RELAXED);
    return err;
}

uint64_t raft_log_syncs(const struct raft_log *log)
{
    return __atomic_load_n(&log->syncs, __ATOMIC_RELAXED);
}

/* ---- reading ---- */

enum cu_err raft_log_read(void *context, uint64_t first, uint32_t max_count, size_t max_bytes,
                          struct raft_entry *ret_entries, uint32_t *ret_count)
{
    struct raft_log *log = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(log->reader, ENTRY_FROM);
    cu_bind_u64(stmt, 1, first);
    uint32_t count = 0;
    size_t bytes = 0;
    enum cu_err err = CU_OK;
    while (!err && count < max_count) {
        struct raft_entry *entry = &ret_entries[count];
        err = next_entry(stmt, first + count, entry, &log->said);
        if (err || !entry->index)
            break;
        bytes += raft_entry_body(entry).len;
        if (count && bytes > max_bytes) {
            raft_body_unref(entry->body);
            break;
        }
        count++;
    }
    cu_reset(stmt);
    if (!err && !count && max_count)
        err = cu_fail(&log->said, CU_E_CORRUPT, "entry %" PRIu64 " is missing", first);
    for (uint32_t i = 0; err && i < count; i++)
        raft_body_unref(ret_entries[i].body);
    if (!err)
        *ret_count = count;
    return err;
}

const char *raft_log_said(const struct raft_log *log)
{
    return log->said.text;
}

/* ---- address book ---- */

enum cu_err raft_log_book_put(struct raft_log *log, struct raft_id id, const char *address,
                              struct cu_diag *diag)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(log->writer, BOOK_PUT);
    cu_bind_bytes(stmt, 1, (struct cu_bytes){id.bytes, sizeof id.bytes});
    cu_bind_text(stmt, 2, address);
    return cu_run(stmt, diag);
}

enum cu_err raft_log_book(struct raft_log *log,
                          void (*each)(void *arg, struct raft_id id, const char *address),
                          void *arg, struct cu_diag *diag)
{
    struct sqlite3_stmt *stmt = cu_db_stmt(log->reader, BOOK_ALL);
    bool row = false;
    enum cu_err err = cu_step(stmt, &row, diag);
    while (!err && row) {
        struct raft_id id = {{0}};
        struct cu_bytes bytes = cu_column_bytes(stmt, 0);
        if (bytes.len == sizeof id.bytes) {
            memcpy(id.bytes, bytes.data, bytes.len);
            each(arg, id, cu_column_text(stmt, 1));
        }
        err = cu_step(stmt, &row, diag);
    }
    return err;
}
