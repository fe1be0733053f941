#include "common/bus/frame.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/err.h"

enum { FLAG_MORE = 1 };

/* clang-format off */
static const struct { const char *name; bool has_parts; } kinds[CU_FRAME_KIND_END] = {
    [CU_FRAME_HELLO]  = {"HELLO",  false},
    [CU_FRAME_CALL]   = {"CALL",   true},
    [CU_FRAME_REPLY]  = {"REPLY",  true},
    [CU_FRAME_CANCEL] = {"CANCEL", false},
    [CU_FRAME_PING]   = {"PING",   false},
    [CU_FRAME_PONG]   = {"PONG",   false},
    [CU_FRAME_CREDIT] = {"CREDIT", false},
    [CU_FRAME_GOAWAY] = {"GOAWAY", false},
};
/* clang-format on */

const char *cu_frame_kind_name(enum cu_frame_kind kind)
{
    CU_ASSERT(kind > 0 && kind < CU_FRAME_KIND_END);
    return kinds[kind].name;
}

/* Written out per byte, the compiler makes one load or store of it where the machine allows. */
static uint64_t load_le(const uint8_t *at, unsigned size)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)at[i] << (8 * i);
    return v;
}

static void store_le(uint8_t *at, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static enum cu_frame_outcome bad(const char **ret_why, const char *why)
{
    *ret_why = why;
    return CU_FRAME_BAD;
}

static enum cu_frame_outcome check_head(const uint8_t *at, uint64_t length, const char **ret_why)
{
    enum { REST_OF_HEAD = CU_FRAME_HEAD_BYTES - CU_FRAME_LENGTH_BYTES };
    if (length < REST_OF_HEAD)
        return bad(ret_why, "a frame shorter than its head");
    if (length > CU_FRAME_MAX_BYTES - CU_FRAME_LENGTH_BYTES)
        return bad(ret_why, "a frame over 64 KiB");
    if (at[4] == 0 || at[4] >= CU_FRAME_KIND_END)
        return bad(ret_why, "a frame of unknown kind");
    if (at[5] & ~FLAG_MORE || (at[5] && !kinds[at[4]].has_parts))
        return bad(ret_why, "a frame with unknown flags");
    if (at[6] || at[7])
        return bad(ret_why, "a frame whose zero bytes are not");
    return CU_FRAME_WHOLE;
}

enum cu_frame_outcome cu_frame_parse(struct cu_bytes in, struct cu_frame *ret_frame,
                                     size_t *ret_used, const char **ret_why)
{
    if (in.len < CU_FRAME_HEAD_BYTES)
        return CU_FRAME_PARTIAL;
    uint64_t length = load_le(in.data, 4);
    if (check_head(in.data, length, ret_why) == CU_FRAME_BAD)
        return CU_FRAME_BAD;
    size_t whole = (size_t)length + CU_FRAME_LENGTH_BYTES;
    if (in.len < whole)
        return CU_FRAME_PARTIAL;
    *ret_frame = (struct cu_frame){
        .kind = (enum cu_frame_kind)in.data[4],
        .more = in.data[5] & FLAG_MORE,
        .id = load_le(in.data + 8, 8),
        .payload = {in.data + CU_FRAME_HEAD_BYTES, whole - CU_FRAME_HEAD_BYTES},
    };
    *ret_used = whole;
    return CU_FRAME_WHOLE;
}

void cu_frame_write_head(uint8_t at[CU_FRAME_HEAD_BYTES], enum cu_frame_kind kind, bool more,
                         uint64_t id, size_t payload_len)
{
    CU_ASSERT(payload_len <= CU_FRAME_PAYLOAD_MAX_BYTES);
    store_le(at, payload_len + CU_FRAME_HEAD_BYTES - CU_FRAME_LENGTH_BYTES, 4);
    at[4] = (uint8_t)kind;
    at[5] = more ? FLAG_MORE : 0;
    at[6] = at[7] = 0;
    store_le(at + 8, id, 8);
}

void cu_frame_append(struct cu_buf *out, const struct cu_frame *frame)
{
    uint8_t *at = cu_buf_extend(out, CU_FRAME_HEAD_BYTES);
    cu_frame_write_head(at, frame->kind, frame->more, frame->id, frame->payload.len);
    cu_buf_append(out, frame->payload.data, frame->payload.len);
}
