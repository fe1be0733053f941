#include "services/catalogd/io/copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/file.h"
#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/record.h"
#include "services/catalogd/io/sqlite.h"

enum {
    WRITE_BYTES = 256 * 1024,
    LOOK_EVERY = 1024, /* records between two looks at the size of the WAL */
    SCRATCH_BYTES = 8 * 1024 * 1024,
};

/* ---- state to spool ---- */

struct writer {
    struct catalog_copy *copy;
    struct catalog_sqlite *db;
    struct cu_buf buf;
    uint64_t count;
    enum catalog_table table;
};

static void flush(struct writer *w)
{
    if (!w->copy->err && !cu_write_all(w->copy->fd, cu_buf_bytes(&w->buf)))
        w->copy->err =
            cu_fail(&w->copy->diag, CU_E_IO, "cannot write the copy: %s", strerror(errno));
    w->copy->size_bytes += w->buf.len;
    cu_buf_clear(&w->buf);
}

static bool add(struct writer *w, const struct catalog_record *record)
{
    struct catalog_copy *copy = w->copy;
    catalog_record_encode(record, &w->buf);
    if (w->buf.len >= WRITE_BYTES)
        flush(w);
    if (__atomic_load_n(&copy->is_cancelled, __ATOMIC_RELAXED) && !copy->err)
        copy->err = cu_fail(&copy->diag, CU_E_NOT_READY, "the catalog is being stopped");
    if (++w->count % LOOK_EVERY == 0 && !copy->err &&
        cu_db_wal_bytes(catalog_sqlite_db(w->db)) > copy->wal_max_bytes)
        copy->err = cu_fail(&copy->diag, CU_E_OVERLOADED,
                            "too much was written while the state was being copied");
    return !copy->err;
}

static bool add_meta(void *arg, const char *name, struct cu_bytes value)
{
    return add(arg, &(struct catalog_record){.kind = CATALOG_RECORD_META, .meta = {name, value}});
}

static bool add_row(void *arg, const struct catalog_row *row)
{
    struct writer *w = arg;
    return add(w, &(struct catalog_record){.kind = CATALOG_RECORD_ROW, .row = {w->table, *row}});
}

static bool add_value(void *arg, struct cu_u128 hash, uint64_t index, struct cu_bytes value)
{
    return add(
        arg, &(struct catalog_record){.kind = CATALOG_RECORD_VALUE, .value = {hash, index, value}});
}

static bool add_change(void *arg, const struct catalog_change *change)
{
    return add(arg, &(struct catalog_record){.kind = CATALOG_RECORD_CHANGE, .change = *change});
}

static enum cu_err walk(struct writer *w, const struct catalog_backend *b)
{
    struct cu_bytes none = {0};
    enum cu_err err = b->metas(b->context, add_meta, w);
    for (int table = 0; !err && !w->copy->err && table < CATALOG_TABLE_COUNT; table++) {
        w->table = (enum catalog_table)table;
        err = b->scan(b->context, w->table, none, none, add_row, w);
    }
    if (!err && !w->copy->err)
        err = b->values(b->context, add_value, w);
    if (!err && !w->copy->err)
        err = b->changes(b->context, 0, 0, add_change, w);
    return err;
}

/* What the snapshot says of itself. */
static enum cu_err read_header(struct catalog_copy *copy, const struct catalog_backend *backend)
{
    struct catalog_store *store;
    enum cu_err err = catalog_store_open(backend, &store, &copy->diag);
    if (err)
        return err;
    struct catalog_header header;
    catalog_store_header(store, &header);
    copy->position = header.position;
    copy->hash = catalog_store_hash(store);
    catalog_header_pack(&header, &copy->header);
    catalog_store_free(store);
    return CU_OK;
}

static enum cu_err copy_all(struct writer *w)
{
    const struct catalog_backend *backend = catalog_sqlite_backend(w->db);
    enum cu_err err = read_header(w->copy, backend);
    if (!err)
        err = walk(w, backend);
    if (err)
        return cu_fail(&w->copy->diag, err, "cannot read the state: %s",
                       catalog_sqlite_message(w->db));
    if (!w->copy->err) {
        struct catalog_record end = {.kind = CATALOG_RECORD_END, .count = w->count};
        catalog_record_encode(&end, &w->buf);
        flush(w);
    }
    return w->copy->err;
}

void catalog_copy_run(struct catalog_copy *copy)
{
    struct writer w = {.copy = copy};
    enum cu_err err = copy->err;
    if (!err)
        err = catalog_sqlite_open_reader(copy->path, &w.db, &copy->diag);
    if (!err)
        err = catalog_sqlite_begin_read(w.db, &copy->diag);
    if (!err) {
        err = copy_all(&w);
        catalog_sqlite_end_read(w.db);
    }
    catalog_sqlite_close(w.db);
    cu_buf_deinit(&w.buf);
    copy->err = err;
}

/* ---- spool to state ---- */

struct reader {
    struct catalog_install *install;
    struct catalog_sqlite *db;
    struct cu_arena *arena;
    struct cu_buf buf;
    uint64_t offset, count;
    struct cu_u128 sum; /* of the rows' hashes */
    bool has_ended;
};

static struct cu_u128 hash_of(enum catalog_table table, const struct catalog_row *row)
{
    struct cu_bytes parts[] = {cu_bytes_of(catalog_table_name(table)), row->key, row->value};
    return cu_blake2b_128(parts, CU_COUNT(parts));
}

static bool same(struct cu_u128 a, struct cu_u128 b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

static enum cu_err put_row(struct reader *r, const struct catalog_record *record)
{
    const struct catalog_backend *b = catalog_sqlite_backend(r->db);
    const struct catalog_row *row = &record->row.row;
    if (!same(hash_of(record->row.table, row), row->hash))
        return cu_fail(&r->install->diag, CU_E_CORRUPT, "a row of the copy fails its hash");
    r->sum = cu_u128_add(r->sum, row->hash);
    return b->put(b->context, record->row.table, row);
}

static enum cu_err put_record(struct reader *r, const struct catalog_record *record)
{
    const struct catalog_backend *b = catalog_sqlite_backend(r->db);
    bool is_new;
    switch (record->kind) {
    case CATALOG_RECORD_META:
        return b->meta_put(b->context, record->meta.name, record->meta.value);
    case CATALOG_RECORD_ROW:
        return put_row(r, record);
    case CATALOG_RECORD_VALUE:
        return b->value_put(b->context, record->value.hash, record->value.value,
                            record->value.index, &is_new);
    case CATALOG_RECORD_CHANGE:
        return b->change_add(b->context, &record->change);
    case CATALOG_RECORD_END:
        r->has_ended = true;
        return record->count == r->count
                   ? CU_OK
                   : cu_fail(&r->install->diag, CU_E_CORRUPT, "the copy lacks records");
    case CATALOG_RECORD_KIND_COUNT:
        break;
    }
    return CU_E_CORRUPT;
}

/* All whole records in the buffer. */
static enum cu_err put_records(struct reader *r)
{
    size_t at = 0;
    enum cu_err err = CU_OK;
    while (!err && !r->has_ended) {
        struct catalog_record record;
        size_t len;
        cu_arena_reset(r->arena);
        struct cu_bytes rest = {r->buf.data + at, r->buf.len - at};
        err = catalog_record_decode(rest, r->arena, &record, &len);
        if (err || len == 0)
            break;
        err = put_record(r, &record);
        r->count++;
        at += len;
    }
    if (at > 0)
        cu_buf_drop_front(&r->buf, at);
    return err;
}

static enum cu_err read_more(struct reader *r)
{
    uint8_t *data = cu_buf_extend(&r->buf, WRITE_BYTES);
    ssize_t got = pread(r->install->fd, data, WRITE_BYTES, (off_t)r->offset);
    r->buf.len -= WRITE_BYTES - (got > 0 ? (size_t)got : 0);
    if (got < 0)
        return cu_fail(&r->install->diag, CU_E_IO, "cannot read the copy: %s", strerror(errno));
    if (got == 0)
        return cu_fail(&r->install->diag, CU_E_CORRUPT, "the copy ends too early");
    r->offset += (uint64_t)got;
    return CU_OK;
}

static enum cu_err verify(struct reader *r)
{
    struct catalog_bookmark bookmark;
    cu_arena_reset(r->arena);
    enum cu_err err = catalog_bookmark_read(catalog_sqlite_backend(r->db), r->arena, &bookmark);
    if (err)
        return err;
    if (!same(bookmark.hash, r->sum) || !same(bookmark.hash, r->install->hash))
        return cu_fail(&r->install->diag, CU_E_CORRUPT,
                       "the copy's rows do not add up to the state that was offered");
    return CU_OK;
}

static enum cu_err install_all(struct reader *r)
{
    struct cu_diag *diag = &r->install->diag;
    enum cu_err err = catalog_sqlite_begin(r->db, diag);
    while (!err && !r->has_ended) {
        err = read_more(r);
        if (!err)
            err = put_records(r);
    }
    if (!err)
        err = verify(r);
    if (!err)
        err = catalog_sqlite_commit(r->db, diag);
    int frames, copied;
    if (!err)
        err = cu_db_checkpoint(catalog_sqlite_db(r->db), CU_CHECKPOINT_TRUNCATE, &frames, &copied,
                               diag);
    return err;
}

static void remove_database(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < CU_COUNT(tails); i++) {
        char name[4096];
        (void)snprintf(name, sizeof(name), "%s%s", path, tails[i]);
        (void)unlink(name); /* mostly not there */
    }
}

void catalog_install_run(struct catalog_install *install)
{
    struct reader r = {.install = install, .arena = cu_arena_new(SCRATCH_BYTES)};
    remove_database(install->path);
    install->err = catalog_sqlite_open_writer(install->path, &r.db, &install->diag);
    if (!install->err)
        install->err = install_all(&r);
    catalog_sqlite_close(r.db);
    if (install->err)
        remove_database(install->path);
    cu_buf_deinit(&r.buf);
    cu_arena_free(r.arena);
}
