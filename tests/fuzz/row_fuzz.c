/* row_fuzz.c - rows and records of raftd's log: what parses is written back as it was. */
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "services/raftd/io/meta.h"
#include "services/raftd/io/row.h"
#include "tests/fuzz/fuzz.h"

/* Rows lie at this index; a checksum that was meant for another one does not match. */
enum { INDEX = 7 };

static void same(const struct cu_buf *buf, const uint8_t *data, size_t len)
{
    if (buf->len != len || memcmp(buf->data, data, len) != 0)
        abort();
}

static bool try_row(const uint8_t *data, size_t len)
{
    struct raft_entry entry;
    struct cu_buf buf = {0};
    if (raft_row_read((struct cu_bytes){data, len}, INDEX, &entry, NULL))
        return false;
    raft_row_write(&buf, &entry);
    same(&buf, data, len);
    raft_body_unref(entry.body);
    cu_buf_deinit(&buf);
    return true;
}

static bool try_term(const uint8_t *data, size_t len)
{
    struct raft_term_record record;
    struct cu_buf buf = {0};
    if (raft_meta_read_term((struct cu_bytes){data, len}, &record, NULL))
        return false;
    raft_meta_write_term(&buf, &record);
    same(&buf, data, len);
    cu_buf_deinit(&buf);
    return true;
}

/* Protobuf has several spellings of one message: what is written must read again. */
static bool try_start(const uint8_t *data, size_t len)
{
    struct raft_header start, again;
    struct cu_buf buf = {0};
    if (raft_meta_read_start((struct cu_bytes){data, len}, &start, NULL))
        return false;
    raft_meta_write_start(&buf, &start);
    if (raft_meta_read_start(cu_buf_bytes(&buf), &again, NULL) ||
        again.position.index != start.position.index ||
        again.configuration.count != start.configuration.count)
        abort();
    cu_buf_deinit(&buf);
    return true;
}

static bool try_promise(const uint8_t *data, size_t len)
{
    struct raft_promise promise, again;
    struct cu_buf buf = {0};
    if (raft_meta_read_promise((struct cu_bytes){data, len}, &promise, NULL))
        return false;
    raft_meta_write_promise(&buf, &promise);
    if (raft_meta_read_promise(cu_buf_bytes(&buf), &again, NULL) || again.round != promise.round)
        abort();
    cu_buf_deinit(&buf);
    return true;
}

static bool try_all(const uint8_t *data, size_t len)
{
    bool parses = try_row(data, len);
    parses |= try_term(data, len);
    parses |= try_start(data, len);
    parses |= try_promise(data, len);
    return parses;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* What the bytes would need to pass as a row: index, term, kind, the rest (core/entry.h). */
static void seal_row(uint8_t *data, size_t len)
{
    uint8_t index[8] = {INDEX}, kind[4] = {data[1]};
    uint32_t crc = cu_crc32c(0, index, sizeof index);
    crc = cu_crc32c(crc, data + 8, 8);
    crc = cu_crc32c(crc, kind, sizeof kind);
    put_u32(data + 4, cu_crc32c(crc, data + 16, len - 16));
}

static void seal_record(uint8_t *data, size_t len, const char *name)
{
    put_u32(data, cu_crc32c(cu_crc32c(0, name, strlen(name)), data + 4, len - 4));
}

/* As it comes; then with a checksum that fits, else nothing mutated would get past it. */
bool fuzz_one(const uint8_t *data, size_t len)
{
    static const char *const names[] = {"term", "start", "promise"};
    bool parses = try_all(data, len);
    if (parses || len < RAFT_ROW_HEAD_BYTES / 2)
        return parses;
    uint8_t *copy = malloc(len);
    memcpy(copy, data, len);
    for (size_t i = 0; i < CU_COUNT(names); i++) {
        seal_record(copy, len, names[i]);
        parses |= try_all(copy, len);
    }
    memcpy(copy, data, len);
    seal_row(copy, len);
    parses |= try_all(copy, len);
    free(copy);
    return parses;
}
