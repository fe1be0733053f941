#include "services/catalogd/io/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/io/statements.h"

enum { READER_CACHE_KIB = 8 * 1024, WRITER_CACHE_KIB = 64 * 1024 };
#define MMAP_BYTES (1ull << 30) /* hops.md 4: 0.6 us less a read */

struct catalog_sqlite {
    struct catalog_backend backend;
    struct cu_db *db;
    bool is_reader;
    struct cu_diag diag; /* of the last error */
};

static struct sqlite3_stmt *table_stmt(struct catalog_sqlite *s, enum catalog_table table,
                                       enum catalog_table_stmt which)
{
    return cu_db_stmt(s->db, catalog_statement(table, which));
}

static enum cu_err run(struct catalog_sqlite *s, struct sqlite3_stmt *stmt)
{
    return cu_run(stmt, &s->diag);
}

static struct cu_u128 hash_at(struct sqlite3_stmt *stmt, int at)
{
    struct cu_bytes bytes = cu_column_bytes(stmt, at);
    return bytes.len == CATALOG_HASH_BYTES ? catalog_hash_of_bytes(bytes.data)
                                           : (struct cu_u128){0, 0};
}

static void bind_hash(struct sqlite3_stmt *stmt, int at, struct cu_u128 hash,
                      uint8_t bytes[CATALOG_HASH_BYTES])
{
    catalog_hash_to_bytes(hash, bytes);
    cu_bind_bytes(stmt, at, (struct cu_bytes){bytes, CATALOG_HASH_BYTES});
}

/* One row at most: steps, lets `take` read it, resets. NOT_FOUND where there is none. */
typedef enum cu_err take_row(struct sqlite3_stmt *stmt, struct cu_arena *arena, void *ret);

static enum cu_err read_one(struct catalog_sqlite *s, struct sqlite3_stmt *stmt, take_row *take,
                            struct cu_arena *arena, void *ret)
{
    bool is_there;
    enum cu_err err = cu_step(stmt, &is_there, &s->diag);
    if (err || !is_there)
        return err ? err : CU_E_NOT_FOUND;
    err = take(stmt, arena, ret);
    cu_reset(stmt);
    return err;
}

/* ---- tables ---- */

static enum cu_err take_get(struct sqlite3_stmt *stmt, struct cu_arena *arena, void *ret)
{
    struct catalog_row *row = ret;
    enum cu_err err = catalog_copy_out(arena, cu_column_bytes(stmt, 0), &row->value);
    if (err)
        return err;
    row->create_index = cu_column_u64(stmt, 1);
    row->modify_index = cu_column_u64(stmt, 2);
    row->hash = hash_at(stmt, 3);
    return CU_OK;
}

static enum cu_err get(void *context, enum catalog_table table, struct cu_bytes key,
                       struct cu_arena *arena, struct catalog_row *ret_row)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = table_stmt(s, table, CATALOG_SQL_GET);
    struct catalog_row row = {.create_index = 0};
    cu_bind_bytes(stmt, 1, key);
    enum cu_err err = read_one(s, stmt, take_get, arena, &row);
    if (!err)
        err = catalog_copy_out(arena, key, &row.key);
    if (!err)
        *ret_row = row;
    return err;
}

static enum cu_err scan(void *context, enum catalog_table table, struct cu_bytes prefix,
                        struct cu_bytes after, catalog_visit *visit, void *arg)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = table_stmt(s, table, CATALOG_SQL_SCAN);
    cu_bind_bytes(stmt, 1, cu_bytes_compare(prefix, after) > 0 ? prefix : after);
    bool is_there, goes_on = true;
    enum cu_err err;
    while (!(err = cu_step(stmt, &is_there, &s->diag)) && is_there && goes_on) {
        struct catalog_row row = {cu_column_bytes(stmt, 0), cu_column_bytes(stmt, 1),
                                  cu_column_u64(stmt, 2), cu_column_u64(stmt, 3), hash_at(stmt, 4)};
        goes_on = cu_bytes_has_prefix(row.key, prefix);
        if (goes_on && !(after.len && cu_bytes_equal(row.key, after)))
            goes_on = visit(arg, &row);
        if (!goes_on)
            break;
    }
    if (!err)
        cu_reset(stmt);
    return err;
}

static enum cu_err write_row(struct catalog_sqlite *s, enum catalog_table table,
                             enum catalog_table_stmt which, const struct catalog_row *row)
{
    struct sqlite3_stmt *stmt = table_stmt(s, table, which);
    uint8_t hash[CATALOG_HASH_BYTES];
    cu_bind_bytes(stmt, 1, row->key);
    cu_bind_bytes(stmt, 2, row->value);
    cu_bind_u64(stmt, 3, row->create_index);
    cu_bind_u64(stmt, 4, row->modify_index);
    bind_hash(stmt, 5, row->hash, hash);
    return run(s, stmt);
}

static enum cu_err put(void *context, enum catalog_table table, const struct catalog_row *row)
{
    return write_row(context, table, CATALOG_SQL_PUT, row);
}

static enum cu_err update(void *context, enum catalog_table table, const struct catalog_row *row)
{
    struct catalog_sqlite *s = context;
    enum cu_err err = write_row(s, table, CATALOG_SQL_UPDATE, row);
    if (err || cu_db_changed(s->db) == 1)
        return err;
    return cu_fail(&s->diag, CU_E_CORRUPT, "a row of %s that was read is not there",
                   catalog_table_name(table));
}

static enum cu_err del(void *context, enum catalog_table table, struct cu_bytes key)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = table_stmt(s, table, CATALOG_SQL_DEL);
    cu_bind_bytes(stmt, 1, key);
    return run(s, stmt);
}

/* ---- changes ---- */

/* Where a change lies: its index, then its number; both in order in one integer. */
enum { NUMBER_BITS = 24, INDEX_BITS = 63 - NUMBER_BITS };
static const uint64_t number_max = (1u << NUMBER_BITS) - 1, index_max = (1ull << INDEX_BITS) - 1;

/* Of the last place at or before the given one: more changes in one entry, or a higher index, are
 * refused when they are added. */
static uint64_t place_of(uint64_t index, uint32_t number)
{
    uint64_t within = number < number_max ? number : number_max;
    return index <= index_max ? index << NUMBER_BITS | within : INT64_MAX;
}

/* A row of another program's making, with numbers that name nothing here, is not handed out. */
static enum cu_err change_at(struct sqlite3_stmt *stmt, struct catalog_change *ret_change)
{
    uint64_t table = cu_column_u64(stmt, 1), operation = cu_column_u64(stmt, 3);
    uint64_t place = cu_column_u64(stmt, 0);
    if (table >= CATALOG_TABLE_COUNT || operation >= CATALOG_OPERATION_COUNT)
        return CU_E_CORRUPT;
    *ret_change = (struct catalog_change){
        .index = place >> NUMBER_BITS,
        .number = (uint32_t)(place & number_max),
        .table = (enum catalog_table)table,
        .key = cu_column_bytes(stmt, 2),
        .operation = (enum catalog_operation)operation,
        .before = cu_column_bytes(stmt, 4),
        .before_hash = hash_at(stmt, 5),
        .before_by_hash = !cu_column_is_null(stmt, 5),
        .actor = cu_column_text(stmt, 6),
        .node = cu_column_text(stmt, 7),
        .daemon = cu_column_text(stmt, 8),
        .address = cu_column_text(stmt, 9),
        .cause = cu_column_text(stmt, 10),
        .reason = cu_column_text(stmt, 11),
        .wall_ms = cu_column_u64(stmt, 12),
        .lease_ms = cu_column_u64(stmt, 13),
        .size_bytes = (uint32_t)cu_column_u64(stmt, 14),
    };
    return CU_OK;
}

static enum cu_err changes(void *context, uint64_t after_index, uint32_t after_number,
                           catalog_visit_change *visit, void *arg)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_CHANGES);
    cu_bind_u64(stmt, 1, place_of(after_index, after_number));
    bool is_there, goes_on = true;
    enum cu_err err;
    while (!(err = cu_step(stmt, &is_there, &s->diag)) && is_there) {
        struct catalog_change change;
        err = change_at(stmt, &change);
        if (!err)
            goes_on = visit(arg, &change);
        if (err || !goes_on)
            break;
    }
    cu_reset(stmt);
    return err;
}

static enum cu_err change_add(void *context, const struct catalog_change *change)
{
    struct catalog_sqlite *s = context;
    if (change->number > number_max || change->index > index_max)
        return cu_fail(&s->diag, CU_E_TOO_LARGE, "change %llu.%u is beyond what the log can hold",
                       (unsigned long long)change->index, change->number);
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_CHANGE_ADD);
    const char *const texts[] = {change->actor,   change->node,  change->daemon,
                                 change->address, change->cause, change->reason};
    uint8_t hash[CATALOG_HASH_BYTES];
    cu_bind_u64(stmt, 1, place_of(change->index, change->number));
    cu_bind_u64(stmt, 2, (uint64_t)change->table);
    cu_bind_bytes(stmt, 3, change->key);
    cu_bind_u64(stmt, 4, (uint64_t)change->operation);
    cu_bind_bytes(stmt, 5, change->before);
    if (change->before_by_hash)
        bind_hash(stmt, 6, change->before_hash, hash);
    else
        cu_bind_null(stmt, 6);
    for (int i = 0; i < (int)CU_COUNT(texts); i++)
        cu_bind_text(stmt, 7 + i, texts[i]);
    cu_bind_u64(stmt, 13, change->wall_ms);
    cu_bind_u64(stmt, 14, change->lease_ms);
    cu_bind_u64(stmt, 15, change->size_bytes);
    return run(s, stmt);
}

static enum cu_err change_drop(void *context, uint64_t index, uint32_t number)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_CHANGE_DROP);
    cu_bind_u64(stmt, 1, place_of(index, number));
    return run(s, stmt);
}

/* ---- values ---- */

static enum cu_err take_bytes(struct sqlite3_stmt *stmt, struct cu_arena *arena, void *ret)
{
    return arena ? catalog_copy_out(arena, cu_column_bytes(stmt, 0), ret) : CU_OK;
}

static enum cu_err value_get(void *context, struct cu_u128 hash, struct cu_arena *arena,
                             struct cu_bytes *ret_value)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_VALUE_GET);
    uint8_t bytes[CATALOG_HASH_BYTES];
    struct cu_bytes value;
    bind_hash(stmt, 1, hash, bytes);
    enum cu_err err = read_one(s, stmt, take_bytes, arena, &value);
    if (!err && arena)
        *ret_value = value;
    return err;
}

struct aged {
    struct cu_u128 hash;
    uint64_t index;
    uint32_t size_bytes;
};

static enum cu_err take_aged(struct sqlite3_stmt *stmt, struct cu_arena *arena, void *ret)
{
    (void)arena; /* nothing of it is borrowed */
    *(struct aged *)ret =
        (struct aged){hash_at(stmt, 0), cu_column_u64(stmt, 1), (uint32_t)cu_column_u64(stmt, 2)};
    return CU_OK;
}

static enum cu_err value_oldest(void *context, uint64_t after_index, struct cu_u128 after_hash,
                                struct cu_u128 *ret_hash, uint64_t *ret_index,
                                uint32_t *ret_size_bytes)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_VALUE_OLDEST);
    uint8_t bytes[CATALOG_HASH_BYTES];
    struct aged aged;
    cu_bind_u64(stmt, 1, after_index);
    bind_hash(stmt, 2, after_hash, bytes);
    enum cu_err err = read_one(s, stmt, take_aged, NULL, &aged);
    if (err)
        return err;
    *ret_hash = aged.hash;
    *ret_index = aged.index;
    *ret_size_bytes = aged.size_bytes;
    return CU_OK;
}

static enum cu_err values(void *context, catalog_visit_value *visit, void *arg)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_VALUES);
    bool is_there;
    enum cu_err err;
    while (!(err = cu_step(stmt, &is_there, &s->diag)) && is_there)
        if (!visit(arg, hash_at(stmt, 0), cu_column_u64(stmt, 1), cu_column_bytes(stmt, 2)))
            break;
    if (!err)
        cu_reset(stmt);
    return err;
}

static enum cu_err value_put(void *context, struct cu_u128 hash, struct cu_bytes value,
                             uint64_t index, bool *ret_is_new)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_VALUE_MOVE);
    uint8_t bytes[CATALOG_HASH_BYTES];
    bool is_there;
    bind_hash(stmt, 1, hash, bytes);
    cu_bind_u64(stmt, 2, index);
    enum cu_err err = cu_step(stmt, &is_there, &s->diag);
    if (err)
        return err;
    cu_reset(stmt);
    *ret_is_new = !is_there;
    if (is_there)
        return CU_OK;
    stmt = cu_db_stmt(s->db, CATALOG_SQL_VALUE_ADD);
    bind_hash(stmt, 1, hash, bytes);
    cu_bind_u64(stmt, 2, index);
    cu_bind_bytes(stmt, 3, value);
    return run(s, stmt);
}

static enum cu_err value_drop(void *context, struct cu_u128 hash)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_VALUE_DROP);
    uint8_t bytes[CATALOG_HASH_BYTES];
    bind_hash(stmt, 1, hash, bytes);
    return run(s, stmt);
}

/* ---- bookkeeping and marks ---- */

static enum cu_err meta_get(void *context, const char *name, struct cu_arena *arena,
                            struct cu_bytes *ret_value)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_META_GET);
    struct cu_bytes value;
    cu_bind_text(stmt, 1, name);
    enum cu_err err = read_one(s, stmt, take_bytes, arena, &value);
    if (!err)
        *ret_value = value;
    return err;
}

static enum cu_err metas(void *context, catalog_visit_meta *visit, void *arg)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_METAS);
    bool is_there;
    enum cu_err err;
    while (!(err = cu_step(stmt, &is_there, &s->diag)) && is_there)
        if (!visit(arg, cu_column_text(stmt, 0), cu_column_bytes(stmt, 1)))
            break;
    if (!err)
        cu_reset(stmt);
    return err;
}

static enum cu_err meta_put(void *context, const char *name, struct cu_bytes value)
{
    struct catalog_sqlite *s = context;
    struct sqlite3_stmt *stmt = cu_db_stmt(s->db, CATALOG_SQL_META_PUT);
    cu_bind_text(stmt, 1, name);
    cu_bind_bytes(stmt, 2, value);
    return run(s, stmt);
}

static enum cu_err mark(void *context)
{
    struct catalog_sqlite *s = context;
    return run(s, cu_db_stmt(s->db, CATALOG_SQL_MARK));
}

static enum cu_err keep(void *context)
{
    struct catalog_sqlite *s = context;
    return run(s, cu_db_stmt(s->db, CATALOG_SQL_KEEP));
}

/* Rolling back leaves the savepoint standing. */
static enum cu_err undo(void *context)
{
    struct catalog_sqlite *s = context;
    enum cu_err err = run(s, cu_db_stmt(s->db, CATALOG_SQL_UNDO));
    return err ? err : keep(context);
}

/* ---- the connection ---- */

static const struct catalog_backend functions = {
    .get = get,
    .scan = scan,
    .changes = changes,
    .value_get = value_get,
    .value_oldest = value_oldest,
    .values = values,
    .meta_get = meta_get,
    .metas = metas,
    .put = put,
    .update = update,
    .del = del,
    .change_add = change_add,
    .change_drop = change_drop,
    .value_put = value_put,
    .value_drop = value_drop,
    .meta_put = meta_put,
    .mark = mark,
    .undo = undo,
    .keep = keep,
};

static enum cu_err open_db(const char *path, bool is_reader, struct catalog_sqlite **ret_db,
                           struct cu_diag *diag)
{
    struct cu_db_options options = {
        .path = path,
        .read_only = is_reader,
        .sync = CU_DB_NORMAL,
        .autocheckpoint_pages = 0,
        .mmap_bytes = is_reader ? MMAP_BYTES : 0,
        .cache_kib = is_reader ? READER_CACHE_KIB : WRITER_CACHE_KIB,
        .migrations = catalog_migrations,
        .migration_count = CATALOG_SCHEMA_VERSION,
        .statements = catalog_statements,
        .statement_count = CATALOG_SQL_STMT_COUNT,
    };
    struct cu_db *db;
    enum cu_err err = cu_db_open(&options, &db, diag);
    if (err)
        return err;
    struct catalog_sqlite *s = cu_alloc(sizeof *s);
    s->db = db;
    s->is_reader = is_reader;
    s->backend = functions;
    s->backend.context = s;
    *ret_db = s;
    return CU_OK;
}

enum cu_err catalog_sqlite_open_writer(const char *path, struct catalog_sqlite **ret_db,
                                       struct cu_diag *diag)
{
    return open_db(path, false, ret_db, diag);
}

enum cu_err catalog_sqlite_open_reader(const char *path, struct catalog_sqlite **ret_db,
                                       struct cu_diag *diag)
{
    return open_db(path, true, ret_db, diag);
}

void catalog_sqlite_close(struct catalog_sqlite *db)
{
    if (!db)
        return;
    cu_db_close(db->db);
    free(db);
}

const struct catalog_backend *catalog_sqlite_backend(struct catalog_sqlite *db)
{
    return &db->backend;
}

enum cu_err catalog_sqlite_begin(struct catalog_sqlite *db, struct cu_diag *diag)
{
    CU_ASSERT(!db->is_reader);
    return cu_db_begin(db->db, diag);
}

enum cu_err catalog_sqlite_commit(struct catalog_sqlite *db, struct cu_diag *diag)
{
    return cu_db_commit(db->db, diag);
}

void catalog_sqlite_rollback(struct catalog_sqlite *db)
{
    cu_db_rollback(db->db);
}

enum cu_err catalog_sqlite_begin_read(struct catalog_sqlite *db, struct cu_diag *diag)
{
    enum cu_err err = cu_db_begin_read(db->db, diag);
    if (err)
        return err;
    /* The snapshot is taken by the first read, whatever it reads. */
    struct sqlite3_stmt *stmt = cu_db_stmt(db->db, CATALOG_SQL_META_GET);
    bool is_there;
    cu_bind_text(stmt, 1, "");
    err = cu_step(stmt, &is_there, diag);
    cu_reset(stmt);
    if (err)
        cu_db_rollback(db->db);
    return err;
}

void catalog_sqlite_end_read(struct catalog_sqlite *db)
{
    cu_db_rollback(db->db);
}

struct cu_db *catalog_sqlite_db(struct catalog_sqlite *db)
{
    return db->db;
}

const char *catalog_sqlite_message(const struct catalog_sqlite *db)
{
    return db->diag.text;
}
