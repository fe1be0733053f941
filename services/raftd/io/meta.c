#include "services/raftd/io/meta.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "services/raftd/io/wire.h"

enum { META_FORMAT = 1 };

static uint32_t seal_of(const char *name, const uint8_t *data, size_t len)
{
    return cu_crc32c(cu_crc32c(0, name, strlen(name)), data, len);
}

/* The place of the checksum is left open until the record is complete. */
static size_t open_record(struct cu_buf *buf)
{
    size_t mark = buf->len;
    cu_buf_u32le(buf, 0);
    cu_buf_u8(buf, META_FORMAT);
    return mark;
}

static void seal_record(struct cu_buf *buf, size_t mark, const char *name)
{
    uint32_t crc = seal_of(name, buf->data + mark + 4, buf->len - mark - 4);
    for (int i = 0; i < 4; i++)
        buf->data[mark + (size_t)i] = (uint8_t)(crc >> (8 * i));
}

static enum cu_err open_sealed(struct cu_bytes bytes, const char *name,
                               struct cu_reader *ret_reader, struct cu_diag *diag)
{
    struct cu_reader r = cu_reader_of(bytes);
    uint32_t crc = cu_read_u32le(&r);
    if (r.failed || seal_of(name, r.at, cu_reader_left(&r)) != crc)
        return cu_fail(diag, CU_E_CORRUPT, "record \"%s\": its checksum does not match", name);
    if (cu_read_u8(&r) != META_FORMAT)
        return cu_fail(diag, CU_E_CORRUPT, "record \"%s\": of an unknown format", name);
    *ret_reader = r;
    return CU_OK;
}

static void write_id(struct cu_buf *buf, const struct raft_id *id)
{
    cu_buf_append(buf, id->bytes, sizeof id->bytes);
}

static struct raft_id read_id(struct cu_reader *r)
{
    struct raft_id id = {{0}};
    struct cu_bytes bytes = cu_read_bytes(r, sizeof id.bytes);
    if (bytes.len == sizeof id.bytes)
        memcpy(id.bytes, bytes.data, bytes.len);
    return id;
}

static void write_message(struct cu_buf *buf, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    (void)protobuf_c_message_pack(message, cu_buf_extend(buf, len)); /* returns len again */
}

static enum cu_err malformed(const char *name, struct cu_diag *diag)
{
    return cu_fail(diag, CU_E_CORRUPT, "record \"%s\": malformed", name);
}

/* ---- term ---- */

void raft_meta_write_term(struct cu_buf *buf, const struct raft_term_record *record)
{
    size_t mark = open_record(buf);
    cu_buf_u64le(buf, record->term);
    write_id(buf, &record->vote);
    cu_buf_u64le(buf, record->incarnation);
    seal_record(buf, mark, "term");
}

enum cu_err raft_meta_read_term(struct cu_bytes bytes, struct raft_term_record *ret_record,
                                struct cu_diag *diag)
{
    struct cu_reader r;
    enum cu_err err = open_sealed(bytes, "term", &r, diag);
    if (err)
        return err;
    struct raft_term_record record = {.term = cu_read_u64le(&r)};
    record.vote = read_id(&r);
    record.incarnation = cu_read_u64le(&r);
    if (r.failed || cu_reader_left(&r) || !record.incarnation)
        return malformed("term", diag);
    *ret_record = record;
    return CU_OK;
}

/* ---- start ---- */

void raft_meta_write_start(struct cu_buf *buf, const struct raft_header *start)
{
    struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
    size_t mark = open_record(buf);
    write_message(buf, &raft_wire_header(arena, start)->base);
    seal_record(buf, mark, "start");
    cu_arena_free(arena);
}

enum cu_err raft_meta_read_start(struct cu_bytes bytes, struct raft_header *ret_start,
                                 struct cu_diag *diag)
{
    struct cu_reader r;
    enum cu_err err = open_sealed(bytes, "start", &r, diag);
    if (err)
        return err;
    struct raft_header start;
    struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
    raft_pb_header *header = curia__internal__v1__state_header__unpack(cu_arena_allocator(arena),
                                                                       cu_reader_left(&r), r.at);
    if (!header || raft_wire_read_header(header, &start, diag))
        err = malformed("start", diag);
    cu_arena_free(arena);
    if (!err)
        *ret_start = start;
    return err;
}

/* ---- promise ---- */

void raft_meta_write_promise(struct cu_buf *buf, const struct raft_promise *promise)
{
    struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
    size_t mark = open_record(buf);
    cu_buf_u64le(buf, promise->round);
    write_id(buf, &promise->proposer);
    write_id(buf, &promise->cluster);
    write_message(buf, &raft_wire_configuration(arena, &promise->configuration)->base);
    seal_record(buf, mark, "promise");
    cu_arena_free(arena);
}

/* Of all that is left of the record. */
static enum cu_err read_configuration(struct cu_reader *r, const char *name,
                                      struct raft_configuration *ret_configuration,
                                      struct cu_diag *diag)
{
    struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
    raft_pb_configuration *configuration = curia__internal__v1__configuration__unpack(
        cu_arena_allocator(arena), cu_reader_left(r), r->at);
    enum cu_err err = CU_OK;
    if (r->failed || !configuration ||
        raft_wire_read_configuration(configuration, ret_configuration, diag))
        err = malformed(name, diag);
    cu_arena_free(arena);
    return err;
}

enum cu_err raft_meta_read_promise(struct cu_bytes bytes, struct raft_promise *ret_promise,
                                   struct cu_diag *diag)
{
    struct cu_reader r;
    enum cu_err err = open_sealed(bytes, "promise", &r, diag);
    if (err)
        return err;
    struct raft_promise promise = {.round = cu_read_u64le(&r)};
    promise.proposer = read_id(&r);
    promise.cluster = read_id(&r);
    err = read_configuration(&r, "promise", &promise.configuration, diag);
    if (!err)
        *ret_promise = promise;
    return err;
}

/* ---- recovery ---- */

void raft_meta_write_recovery(struct cu_buf *buf, const struct raft_recovery *recovery)
{
    struct cu_arena *arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
    size_t mark = open_record(buf);
    write_id(buf, &recovery->cluster);
    cu_buf_u8(buf, recovery->is_aside);
    write_message(buf, &raft_wire_configuration(arena, &recovery->configuration)->base);
    seal_record(buf, mark, "recovery");
    cu_arena_free(arena);
}

enum cu_err raft_meta_read_recovery(struct cu_bytes bytes, struct raft_recovery *ret_recovery,
                                    struct cu_diag *diag)
{
    struct cu_reader r;
    enum cu_err err = open_sealed(bytes, "recovery", &r, diag);
    if (err)
        return err;
    struct raft_recovery recovery = {.cluster = read_id(&r)};
    uint8_t aside = cu_read_u8(&r);
    recovery.is_aside = aside == 1;
    err = read_configuration(&r, "recovery", &recovery.configuration, diag);
    if (!err && (aside > 1 || raft_id_is_none(recovery.cluster)))
        err = malformed("recovery", diag);
    if (!err)
        *ret_recovery = recovery;
    return err;
}
