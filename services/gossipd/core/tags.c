/* tags.c - a member's meta as tags and back (gossip.md 22). */
#include <stdlib.h>

#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/pack.h"
#include "services/gossipd/core/unpack.h"

enum { TAGS_MAGIC = 0xff };

static int by_name(const void *a, const void *b)
{
    return cu_bytes_compare(((const struct gossip_tag *)a)->name,
                            ((const struct gossip_tag *)b)->name);
}

enum cu_err gossip_tags_encode(struct cu_buf *out, const struct gossip_tags *tags)
{
    struct gossip_tags sorted = *tags;
    size_t start = out->len;
    qsort(sorted.tag, sorted.count, sizeof sorted.tag[0], by_name);
    cu_buf_u8(out, TAGS_MAGIC);
    gossip_pack_map(out, sorted.count);
    for (uint32_t i = 0; i < sorted.count; i++) {
        gossip_pack_raw(out, sorted.tag[i].name);
        gossip_pack_raw(out, sorted.tag[i].value);
    }
    if (out->len - start <= GOSSIP_META_MAX_BYTES)
        return CU_OK;
    out->len = start;
    return CU_E_TOO_LARGE;
}

static enum cu_err decode_map(struct cu_bytes map, struct gossip_tags *ret_tags)
{
    struct gossip_unpack in = gossip_unpack_of(map);
    uint32_t count = gossip_unpack_map(&in);
    if (count > GOSSIP_TAGS_MAX)
        return CU_E_TOO_LARGE;
    for (uint32_t i = 0; i < count; i++) {
        ret_tags->tag[i].name = gossip_unpack_raw(&in);
        ret_tags->tag[i].value = gossip_unpack_raw(&in);
    }
    if (in.state)
        return CU_E_INVALID;
    ret_tags->count = count;
    return CU_OK;
}

enum cu_err gossip_tags_decode(struct cu_bytes meta, struct gossip_tags *ret_tags)
{
    ret_tags->count = 0;
    if (meta.len == 0)
        return CU_OK;
    if (meta.data[0] == TAGS_MAGIC)
        return decode_map((struct cu_bytes){meta.data + 1, meta.len - 1}, ret_tags);
    ret_tags->tag[0] = (struct gossip_tag){cu_bytes_of("role"), meta};
    ret_tags->count = 1;
    return CU_OK;
}

struct cu_bytes gossip_tags_get(const struct gossip_tags *tags, const char *name)
{
    for (uint32_t i = 0; i < tags->count; i++)
        if (cu_bytes_equal(tags->tag[i].name, cu_bytes_of(name)))
            return tags->tag[i].value;
    return (struct cu_bytes){0};
}
