/* compress.c - the compress message around LZW (gossip.md 5). */
#include "common/base/arena.h"
#include "services/gossipd/core/fields.h"
#include "services/gossipd/core/lzw.h"
#include "services/gossipd/core/wire.h"

enum { COMPRESS_LZW = 0 };

struct compress {
    uint8_t algo;
    struct cu_bytes buf;
};

static const struct gossip_field rows[] = {
    {"Algo", GOSSIP_FIELD_U8, offsetof(struct compress, algo), false},
    {"Buf", GOSSIP_FIELD_TEXT, offsetof(struct compress, buf), false},
};

enum cu_err gossip_compress_read(struct cu_bytes body, struct cu_bytes *ret_packed)
{
    struct compress compress = {0};
    struct gossip_unpack in = gossip_unpack_of(body);
    enum cu_err err = gossip_fields_read(&in, GOSSIP_FIELDS(rows), NULL, &compress);
    if (!err && compress.algo != COMPRESS_LZW)
        err = CU_E_INVALID;
    if (!err)
        *ret_packed = compress.buf;
    return err;
}

void gossip_compress_write(struct cu_buf *out, struct cu_bytes plain)
{
    struct cu_buf packed = {0};
    gossip_lzw_compress(&packed, plain);
    cu_buf_u8(out, GOSSIP_COMPRESS);
    gossip_fields_write(out, GOSSIP_FIELDS(rows), &(struct compress){.buf = cu_buf_bytes(&packed)});
    cu_buf_deinit(&packed);
}

enum cu_err gossip_compress_expand(struct cu_bytes body, size_t limit_bytes, struct cu_arena *arena,
                                   struct cu_bytes *ret_plain)
{
    struct cu_bytes packed;
    size_t size = 0;
    enum cu_err err = gossip_compress_read(body, &packed);
    if (!err)
        err = gossip_lzw_size(packed, limit_bytes, &size);
    if (err)
        return err;
    if (size == 0)
        return CU_E_INVALID;
    uint8_t *plain = cu_arena_alloc(arena, size);
    if (!plain)
        return CU_E_TOO_LARGE;
    gossip_lzw_expand(packed, plain, size);
    *ret_plain = (struct cu_bytes){plain, size};
    return CU_OK;
}
