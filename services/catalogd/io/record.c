#include "services/catalogd/io/record.h"

#include <string.h>

#include "common/base/hash.h"

/* ---- writing ---- */

static void put_bytes(struct cu_buf *buf, struct cu_bytes bytes)
{
    cu_buf_u32le(buf, (uint32_t)bytes.len);
    cu_buf_append(buf, bytes.data, bytes.len);
}

static void put_text(struct cu_buf *buf, const char *text)
{
    put_bytes(buf, cu_bytes_of(text ? text : ""));
}

static void put_u128(struct cu_buf *buf, struct cu_u128 v)
{
    cu_buf_u64le(buf, v.lo);
    cu_buf_u64le(buf, v.hi);
}

static void put_row(struct cu_buf *buf, enum catalog_table table, const struct catalog_row *row)
{
    cu_buf_u8(buf, (uint8_t)table);
    put_bytes(buf, row->key);
    put_bytes(buf, row->value);
    cu_buf_u64le(buf, row->create_index);
    cu_buf_u64le(buf, row->modify_index);
    put_u128(buf, row->hash);
}

static void put_change(struct cu_buf *buf, const struct catalog_change *change)
{
    cu_buf_u64le(buf, change->index);
    cu_buf_u32le(buf, change->number);
    cu_buf_u8(buf, (uint8_t)change->table);
    cu_buf_u8(buf, (uint8_t)change->operation);
    cu_buf_u8(buf, change->before_by_hash);
    put_bytes(buf, change->key);
    put_bytes(buf, change->before);
    put_u128(buf, change->before_hash);
    put_text(buf, change->actor);
    put_text(buf, change->node);
    put_text(buf, change->daemon);
    put_text(buf, change->address);
    put_text(buf, change->cause);
    put_text(buf, change->reason);
    cu_buf_u64le(buf, change->wall_ms);
    cu_buf_u64le(buf, change->lease_ms);
    cu_buf_u32le(buf, change->size_bytes);
}

static void put_payload(struct cu_buf *buf, const struct catalog_record *record)
{
    switch (record->kind) {
    case CATALOG_RECORD_META:
        put_text(buf, record->meta.name);
        put_bytes(buf, record->meta.value);
        break;
    case CATALOG_RECORD_ROW:
        put_row(buf, record->row.table, &record->row.row);
        break;
    case CATALOG_RECORD_VALUE:
        put_u128(buf, record->value.hash);
        cu_buf_u64le(buf, record->value.index);
        put_bytes(buf, record->value.value);
        break;
    case CATALOG_RECORD_CHANGE:
        put_change(buf, &record->change);
        break;
    case CATALOG_RECORD_END:
        cu_buf_u64le(buf, record->count);
        break;
    case CATALOG_RECORD_KIND_COUNT:
        break;
    }
}

void catalog_record_encode(const struct catalog_record *record, struct cu_buf *ret_bytes)
{
    size_t at = ret_bytes->len;
    cu_buf_u32le(ret_bytes, 0);
    cu_buf_u8(ret_bytes, (uint8_t)record->kind);
    put_payload(ret_bytes, record);
    size_t len = ret_bytes->len - at - CATALOG_RECORD_HEAD_BYTES;
    for (int i = 0; i < 4; i++)
        ret_bytes->data[at + (size_t)i] = (uint8_t)(len >> (8 * i));
    cu_buf_u32le(ret_bytes, cu_crc32c(0, ret_bytes->data + at + 4, len + 1));
}

/* ---- reading ---- */

static struct cu_bytes get_bytes(struct cu_reader *r)
{
    return cu_read_bytes(r, cu_read_u32le(r));
}

static const char *get_text(struct cu_reader *r, struct cu_arena *arena)
{
    struct cu_bytes bytes = get_bytes(r);
    char *text = cu_arena_alloc(arena, bytes.len + 1);
    if (!text) {
        r->failed = true;
        return "";
    }
    if (bytes.len > 0)
        memcpy(text, bytes.data, bytes.len);
    r->failed = r->failed || strlen(text) != bytes.len; /* one text has one spelling */
    return text;
}

static struct cu_u128 get_u128(struct cu_reader *r)
{
    uint64_t lo = cu_read_u64le(r);
    return (struct cu_u128){lo, cu_read_u64le(r)};
}

static enum catalog_table get_table(struct cu_reader *r)
{
    uint8_t table = cu_read_u8(r);
    r->failed = r->failed || table >= CATALOG_TABLE_COUNT;
    return (enum catalog_table)(r->failed ? 0 : table);
}

static void get_row(struct cu_reader *r, struct catalog_record *record)
{
    struct catalog_row *row = &record->row.row;
    record->row.table = get_table(r);
    row->key = get_bytes(r);
    row->value = get_bytes(r);
    row->create_index = cu_read_u64le(r);
    row->modify_index = cu_read_u64le(r);
    row->hash = get_u128(r);
}

static void get_change(struct cu_reader *r, struct cu_arena *arena, struct catalog_change *change)
{
    change->index = cu_read_u64le(r);
    change->number = cu_read_u32le(r);
    change->table = get_table(r);
    uint8_t operation = cu_read_u8(r);
    r->failed = r->failed || operation >= CATALOG_OPERATION_COUNT;
    change->operation = (enum catalog_operation)(r->failed ? 0 : operation);
    uint8_t by_hash = cu_read_u8(r);
    r->failed = r->failed || by_hash > 1;
    change->before_by_hash = by_hash == 1;
    change->key = get_bytes(r);
    change->before = get_bytes(r);
    change->before_hash = get_u128(r);
    change->actor = get_text(r, arena);
    change->node = get_text(r, arena);
    change->daemon = get_text(r, arena);
    change->address = get_text(r, arena);
    change->cause = get_text(r, arena);
    change->reason = get_text(r, arena);
    change->wall_ms = cu_read_u64le(r);
    change->lease_ms = cu_read_u64le(r);
    change->size_bytes = cu_read_u32le(r);
}

static void get_payload(struct cu_reader *r, struct cu_arena *arena, struct catalog_record *record)
{
    switch (record->kind) {
    case CATALOG_RECORD_META:
        record->meta.name = get_text(r, arena);
        record->meta.value = get_bytes(r);
        break;
    case CATALOG_RECORD_ROW:
        get_row(r, record);
        break;
    case CATALOG_RECORD_VALUE:
        record->value.hash = get_u128(r);
        record->value.index = cu_read_u64le(r);
        record->value.value = get_bytes(r);
        break;
    case CATALOG_RECORD_CHANGE:
        get_change(r, arena, &record->change);
        break;
    case CATALOG_RECORD_END:
        record->count = cu_read_u64le(r);
        break;
    case CATALOG_RECORD_KIND_COUNT:
        r->failed = true;
        break;
    }
}

enum cu_err catalog_record_decode(struct cu_bytes bytes, struct cu_arena *arena,
                                  struct catalog_record *ret_record, size_t *ret_len)
{
    *ret_len = 0;
    if (bytes.len < CATALOG_RECORD_HEAD_BYTES)
        return CU_OK;
    struct cu_reader head = cu_reader_of(bytes);
    size_t len = cu_read_u32le(&head);
    uint8_t kind = cu_read_u8(&head);
    if (len > CATALOG_RECORD_BYTES_MAX || kind < CATALOG_RECORD_META ||
        kind >= CATALOG_RECORD_KIND_COUNT)
        return CU_E_CORRUPT;
    size_t whole = CATALOG_RECORD_HEAD_BYTES + len + CATALOG_RECORD_TAIL_BYTES;
    if (bytes.len < whole)
        return CU_OK;
    struct cu_reader tail = cu_reader_of((struct cu_bytes){
        bytes.data + whole - CATALOG_RECORD_TAIL_BYTES, CATALOG_RECORD_TAIL_BYTES});
    if (cu_read_u32le(&tail) != cu_crc32c(0, bytes.data + 4, len + 1))
        return CU_E_CORRUPT;
    struct catalog_record record = {.kind = (enum catalog_record_kind)kind};
    struct cu_reader r =
        cu_reader_of((struct cu_bytes){bytes.data + CATALOG_RECORD_HEAD_BYTES, len});
    get_payload(&r, arena, &record);
    if (r.failed || cu_reader_left(&r) != 0)
        return CU_E_CORRUPT;
    *ret_record = record;
    *ret_len = whole;
    return CU_OK;
}
