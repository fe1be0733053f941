#include "services/catalogd/core/bookmark.h"

#include <string.h>

/* u8 format, u8 tables, then the fields in the order of the struct, little-endian. A format with
 * more tables adds them at the end of their list: a reader that knows more sees 0 for those. */
enum { FORMAT = 1 };

struct catalog_bookmark catalog_bookmark_empty(void)
{
    return (struct catalog_bookmark){.floor_index = 1, .epoch = 1};
}

uint64_t catalog_bookmark_shown_index(const struct catalog_bookmark *bookmark)
{
    return bookmark->position.index + bookmark->index_base;
}

static void put_u64s(struct cu_buf *out, const uint64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cu_buf_u64le(out, values[i]);
}

void catalog_bookmark_encode(const struct catalog_bookmark *b, struct cu_buf *ret_bytes)
{
    const uint64_t front[] = {b->position.index, b->position.term, b->wall_ms,     b->lease_ms,
                              b->index_base,     b->epoch,         b->floor_index, b->reaped_index};
    const uint64_t back[] = {b->hash.lo,       b->hash.hi,      b->change_rows,
                             b->change_bytes,  b->value_bytes,  b->oldest_lease_ms,
                             b->trimmed_index, b->dropped_index};
    cu_buf_u8(ret_bytes, FORMAT);
    cu_buf_u8(ret_bytes, CATALOG_TABLE_COUNT);
    cu_buf_u32le(ret_bytes, b->level);
    cu_buf_append(ret_bytes, b->position.cluster.bytes, CATALOG_ID_BYTES);
    put_u64s(ret_bytes, front, CU_COUNT(front));
    put_u64s(ret_bytes, b->table_index, CATALOG_TABLE_COUNT);
    put_u64s(ret_bytes, back, CU_COUNT(back));
    cu_buf_u32le(ret_bytes, b->lineage_count);
    for (uint32_t i = 0; i < b->lineage_count; i++) {
        cu_buf_append(ret_bytes, b->lineage[i].cluster.bytes, CATALOG_ID_BYTES);
        cu_buf_u64le(ret_bytes, b->lineage[i].last_index);
    }
}

static struct catalog_id read_id(struct cu_reader *r)
{
    struct catalog_id id = {0};
    struct cu_bytes bytes = cu_read_bytes(r, CATALOG_ID_BYTES);
    if (!r->failed)
        memcpy(id.bytes, bytes.data, CATALOG_ID_BYTES);
    return id;
}

static void read_u64s(struct cu_reader *r, uint64_t *const *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *fields[i] = cu_read_u64le(r);
}

static void read_fields(struct cu_reader *r, size_t tables, struct catalog_bookmark *b)
{
    uint64_t *const front[] = {&b->position.index, &b->position.term, &b->wall_ms,
                               &b->lease_ms,       &b->index_base,    &b->epoch,
                               &b->floor_index,    &b->reaped_index};
    uint64_t *const back[] = {&b->hash.lo,       &b->hash.hi,      &b->change_rows,
                              &b->change_bytes,  &b->value_bytes,  &b->oldest_lease_ms,
                              &b->trimmed_index, &b->dropped_index};
    b->level = cu_read_u32le(r);
    b->position.cluster = read_id(r);
    read_u64s(r, front, CU_COUNT(front));
    for (size_t i = 0; i < tables; i++)
        b->table_index[i] = cu_read_u64le(r);
    read_u64s(r, back, CU_COUNT(back));
}

enum cu_err catalog_bookmark_decode(struct cu_bytes bytes, struct catalog_bookmark *ret_bookmark)
{
    struct cu_reader r = cu_reader_of(bytes);
    struct catalog_bookmark b = {0};
    uint8_t format = cu_read_u8(&r), tables = cu_read_u8(&r);
    if (r.failed || format != FORMAT || tables > CATALOG_TABLE_COUNT)
        return CU_E_CORRUPT;
    read_fields(&r, tables, &b);
    b.lineage_count = cu_read_u32le(&r);
    if (b.lineage_count > CATALOG_LINEAGE_MAX)
        return CU_E_CORRUPT;
    for (uint32_t i = 0; i < b.lineage_count; i++) {
        b.lineage[i].cluster = read_id(&r);
        b.lineage[i].last_index = cu_read_u64le(&r);
    }
    if (r.failed || cu_reader_left(&r) > 0)
        return CU_E_CORRUPT;
    *ret_bookmark = b;
    return CU_OK;
}

enum cu_err catalog_bookmark_read(const struct catalog_backend *backend, struct cu_arena *arena,
                                  struct catalog_bookmark *ret_bookmark)
{
    struct cu_bytes bytes;
    enum cu_err err = backend->meta_get(backend->context, CATALOG_META_STATE, arena, &bytes);
    if (err == CU_E_NOT_FOUND) {
        *ret_bookmark = catalog_bookmark_empty();
        return CU_OK;
    }
    return err ? err : catalog_bookmark_decode(bytes, ret_bookmark);
}
