#include "services/gossipd/core/pack.h"

#include <msgpack/pack.h>
#include <string.h>

static int append(void *buf, const char *data, size_t len)
{
    cu_buf_append(buf, data, len);
    return 0;
}

static msgpack_packer packer(struct cu_buf *out)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, out, append);
    return pk;
}

/* Every result below is ignored: the only failure msgpack-c knows is that of `append`. */

void gossip_pack_nil(struct cu_buf *out)
{
    msgpack_packer pk = packer(out);
    (void)msgpack_pack_nil(&pk);
}

void gossip_pack_bool(struct cu_buf *out, bool value)
{
    msgpack_packer pk = packer(out);
    (void)(value ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk));
}

void gossip_pack_uint(struct cu_buf *out, uint64_t value)
{
    msgpack_packer pk = packer(out);
    (void)msgpack_pack_uint64(&pk, value);
}

void gossip_pack_raw(struct cu_buf *out, struct cu_bytes raw)
{
    msgpack_packer pk = packer(out);
    (void)msgpack_pack_v4raw(&pk, raw.len);
    (void)msgpack_pack_v4raw_body(&pk, raw.data, raw.len);
}

void gossip_pack_text(struct cu_buf *out, const char *text)
{
    gossip_pack_raw(out, cu_bytes_of(text));
}

void gossip_pack_list(struct cu_buf *out, size_t count)
{
    msgpack_packer pk = packer(out);
    (void)msgpack_pack_array(&pk, count);
}

void gossip_pack_map(struct cu_buf *out, size_t count)
{
    msgpack_packer pk = packer(out);
    (void)msgpack_pack_map(&pk, count);
}
