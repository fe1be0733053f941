#include "services/raftd/io/row.h"

#include <inttypes.h>
#include <string.h>

void raft_row_write(struct cu_buf *buf, const struct raft_entry *entry)
{
    struct cu_bytes body = raft_entry_body(entry);
    cu_buf_reserve(buf, RAFT_ROW_HEAD_BYTES + body.len);
    cu_buf_u8(buf, RAFT_ROW_FORMAT);
    cu_buf_u8(buf, (uint8_t)entry->kind);
    cu_buf_u16le(buf, 0);
    cu_buf_u32le(buf, raft_entry_checksum(entry));
    cu_buf_u64le(buf, entry->term);
    cu_buf_u64le(buf, entry->wall_ms);
    cu_buf_u64le(buf, entry->lease_ms);
    cu_buf_append(buf, entry->proposer.bytes, sizeof entry->proposer.bytes);
    cu_buf_u64le(buf, entry->seq);
    cu_buf_u64le(buf, entry->if_term);
    cu_buf_u32le(buf, entry->level);
    cu_buf_append(buf, body.data, body.len);
}

static enum cu_err corrupt(uint64_t index, const char *what, struct cu_diag *diag)
{
    return cu_fail(diag, CU_E_CORRUPT, "entry %" PRIu64 ": %s", index, what);
}

static void read_head(struct cu_reader *r, struct raft_entry *ret_entry)
{
    ret_entry->term = cu_read_u64le(r);
    ret_entry->wall_ms = cu_read_u64le(r);
    ret_entry->lease_ms = cu_read_u64le(r);
    struct cu_bytes proposer = cu_read_bytes(r, sizeof ret_entry->proposer.bytes);
    if (proposer.len == sizeof ret_entry->proposer.bytes)
        memcpy(ret_entry->proposer.bytes, proposer.data, proposer.len);
    ret_entry->seq = cu_read_u64le(r);
    ret_entry->if_term = cu_read_u64le(r);
    ret_entry->level = cu_read_u32le(r);
}

enum cu_err raft_row_read(struct cu_bytes row, uint64_t index, struct raft_entry *ret_entry,
                          struct cu_diag *diag)
{
    if (row.len > RAFT_ROW_HEAD_BYTES + (size_t)RAFT_ENTRY_LIMIT_BYTES)
        return corrupt(index, "longer than an entry can be", diag);
    struct cu_reader r = cu_reader_of(row);
    uint8_t format = cu_read_u8(&r), kind = cu_read_u8(&r);
    uint16_t zero = cu_read_u16le(&r);
    uint32_t checksum = cu_read_u32le(&r);
    struct raft_entry entry = {.index = index, .kind = (enum raft_kind)kind};
    read_head(&r, &entry);
    if (r.failed)
        return corrupt(index, "cut short", diag);
    if (format != RAFT_ROW_FORMAT || zero)
        return corrupt(index, "of an unknown format", diag);
    if (kind < RAFT_COMMAND || kind > RAFT_BARRIER)
        return corrupt(index, "of an unknown kind", diag);
    size_t len = cu_reader_left(&r);
    if (len)
        entry.body = raft_body_new(cu_read_bytes(&r, len));
    if (raft_entry_checksum(&entry) != checksum) {
        raft_body_unref(entry.body);
        return corrupt(index, "its checksum does not match", diag);
    }
    *ret_entry = entry;
    return CU_OK;
}
