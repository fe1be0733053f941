#include "common/bus/parts.h"

#include <stdlib.h>

#include "common/base/assert.h"

enum { ALLOC_AHEAD_MAX_BYTES = 2 * 1024 * 1024 }; /* on the peer's word alone */

static void free_part(struct cu_part *part)
{
    cu_buf_deinit(&part->bytes);
    free(part);
}

void cu_parts_deinit(struct cu_parts *parts)
{
    size_t at = 0;
    struct cu_bytes key;
    void *part;
    while (cu_map_next(&parts->by_id, &at, &key, &part))
        free_part(part);
    cu_map_deinit(&parts->by_id);
}

struct cu_part *cu_parts_begin(struct cu_parts *parts, uint64_t id, size_t whole_len,
                               uint32_t reserved)
{
    struct cu_part *part = cu_alloc(sizeof *part);
    *part = (struct cu_part){.whole_len = whole_len, .reserved = reserved};
    cu_buf_reserve(&part->bytes,
                   whole_len < ALLOC_AHEAD_MAX_BYTES ? whole_len : ALLOC_AHEAD_MAX_BYTES);
    void *old = cu_map_put_u64(&parts->by_id, id, part);
    CU_ASSERT(!old);
    parts->reserved += reserved;
    return part;
}

struct cu_part *cu_parts_begin_discard(struct cu_parts *parts, uint64_t id)
{
    struct cu_part *part = cu_parts_begin(parts, id, 0, 0);
    part->discard = true;
    return part;
}

struct cu_part *cu_parts_find(const struct cu_parts *parts, uint64_t id)
{
    return parts->by_id.count ? cu_map_get_u64(&parts->by_id, id) : NULL;
}

void cu_parts_end(struct cu_parts *parts, uint64_t id)
{
    struct cu_part *part = cu_map_del_u64(&parts->by_id, id);
    if (!part)
        return;
    parts->reserved -= part->reserved;
    free_part(part);
}

void cu_parts_discard(struct cu_parts *parts, uint64_t id)
{
    struct cu_part *part = cu_parts_find(parts, id);
    if (!part)
        return;
    part->discard = true;
    parts->reserved -= part->reserved;
    part->reserved = 0;
    cu_buf_deinit(&part->bytes);
}

bool cu_part_add(struct cu_part *part, struct cu_bytes bytes)
{
    if (part->discard)
        return true;
    if (bytes.len > part->whole_len - part->bytes.len)
        return false;
    cu_buf_append(&part->bytes, bytes.data, bytes.len);
    return true;
}
