#include "services/gossipd/core/stream.h"

#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/fields.h"
#include "services/gossipd/core/wire.h"

struct user_header {
    uint32_t len;
};

static const struct gossip_field user_rows[] = {
    {"UserMsgLen", GOSSIP_FIELD_U32, offsetof(struct user_header, len), false},
};

/* What may stand at the start of a stream. */
static const bool starts_stream[GOSSIP_TYPE_COUNT] = {
    [GOSSIP_PING] = true, [GOSSIP_ACK] = true,      [GOSSIP_PUSH_PULL] = true,
    [GOSSIP_USER] = true, [GOSSIP_COMPRESS] = true, [GOSSIP_ERR] = true,
};

void gossip_stream_encode(struct cu_buf *out, const struct gossip_message *message)
{
    if (message->type != GOSSIP_USER) {
        gossip_encode(out, message);
        return;
    }
    struct user_header header = {(uint32_t)message->user.body.len};
    cu_buf_u8(out, GOSSIP_USER);
    gossip_fields_write(out, GOSSIP_FIELDS(user_rows), &header);
    cu_buf_append(out, message->user.body.data, message->user.body.len);
}

void gossip_stream_wrap(struct cu_buf *out, struct cu_bytes inside, bool compress)
{
    if (compress)
        gossip_compress_write(out, inside);
    else
        cu_buf_append(out, inside.data, inside.len);
}

static enum cu_err read_user_header(struct gossip_unpack *in, uint32_t *ret_len)
{
    struct user_header header = {0};
    enum cu_err err = gossip_fields_read(in, GOSSIP_FIELDS(user_rows), NULL, &header);
    if (!err && header.len > GOSSIP_STREAM_MAX_BYTES)
        err = CU_E_TOO_LARGE;
    if (!err)
        *ret_len = header.len;
    return err;
}

/* What the first value, which is whole, says of what follows it. */
static enum cu_err read_header(struct gossip_stream *stream, struct cu_bytes got)
{
    struct gossip_unpack in = gossip_unpack_of((struct cu_bytes){got.data + 1, stream->at - 1});
    struct gossip_push_pull_header header = {0};
    uint32_t len = 0;
    enum cu_err err = CU_OK;
    stream->has_header = true;
    if (got.data[0] == GOSSIP_USER)
        err = read_user_header(&in, &len);
    if (got.data[0] == GOSSIP_PUSH_PULL)
        err = gossip_push_pull_header_read(&in, &header);
    stream->pending = header.nodes;
    stream->tail = len + header.user_state_len;
    return err;
}

/* Passes over what is pending; CU_E_RETRY: more bytes are needed. */
static enum cu_err pass(struct gossip_stream *stream, struct cu_bytes got)
{
    struct gossip_unpack in =
        gossip_unpack_of((struct cu_bytes){got.data + stream->at, got.len - stream->at});
    bool passed = gossip_unpack_pass(&in, &stream->pending);
    if (in.state)
        return CU_E_INVALID;
    stream->at = (size_t)(in.at - got.data);
    return passed ? CU_OK : CU_E_RETRY;
}

static enum cu_err measure(struct gossip_stream *stream, struct cu_bytes got)
{
    if (got.len > GOSSIP_STREAM_MAX_BYTES)
        return CU_E_TOO_LARGE;
    if (got.len == 0)
        return CU_E_RETRY;
    if (stream->at == 0) {
        if (got.data[0] >= GOSSIP_TYPE_COUNT || !starts_stream[got.data[0]])
            return CU_E_INVALID;
        stream->at = stream->pending = 1;
    }
    enum cu_err err = pass(stream, got);
    if (!err && !stream->has_header) {
        err = read_header(stream, got);
        if (!err)
            err = pass(stream, got);
    }
    if (!err && got.len - stream->at < stream->tail)
        err = CU_E_RETRY;
    return err;
}

enum cu_err gossip_stream_measure(struct gossip_stream *stream, struct cu_bytes got,
                                  bool *ret_whole)
{
    enum cu_err err = measure(stream, got);
    if (err && err != CU_E_RETRY)
        return err;
    *ret_whole = err == CU_OK;
    return CU_OK;
}

static enum cu_err decode_user(struct cu_bytes body, struct gossip_message *ret_message)
{
    struct gossip_unpack in = gossip_unpack_of(body);
    uint32_t len = 0;
    enum cu_err err = read_user_header(&in, &len);
    if (!err && len > gossip_unpack_left(&in))
        err = CU_E_INVALID;
    if (!err)
        *ret_message = (struct gossip_message){.type = GOSSIP_USER,
                                               .user.body = (struct cu_bytes){in.at, len}};
    return err;
}

enum cu_err gossip_stream_decode(struct cu_bytes whole, struct cu_arena *arena,
                                 struct gossip_message *ret_message)
{
    if (whole.len > GOSSIP_STREAM_MAX_BYTES)
        return CU_E_TOO_LARGE;
    if (whole.len > 0 && whole.data[0] == GOSSIP_COMPRESS) {
        struct cu_bytes body = {whole.data + 1, whole.len - 1};
        enum cu_err err = gossip_compress_expand(body, GOSSIP_STREAM_MAX_INFLATED, arena, &whole);
        if (err)
            return err;
    }
    if (whole.len == 0 || whole.data[0] >= GOSSIP_TYPE_COUNT || !starts_stream[whole.data[0]])
        return CU_E_INVALID;
    if (whole.data[0] == GOSSIP_USER)
        return decode_user((struct cu_bytes){whole.data + 1, whole.len - 1}, ret_message);
    return gossip_decode(whole, arena, ret_message);
}
