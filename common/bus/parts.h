/* parts.h - messages that arrive in parts, put together in buffers of their own (contracts 1.4).
 * Owned by conn.c. */
#ifndef CU_BUS_PARTS_H
#define CU_BUS_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/map.h"

struct cu_part {
    struct cu_buf bytes;
    size_t whole_len;
    uint32_t reserved;
    bool discard; /* refused or no longer wanted: its parts are passed over */
};

/* Zero-initialise; cu_parts_deinit frees. */
struct cu_parts {
    struct cu_map by_id;
    uint64_t reserved; /* bytes, of all */
};

void cu_parts_deinit(struct cu_parts *parts);

static inline size_t cu_parts_count(const struct cu_parts *parts)
{
    return parts->by_id.count;
}

/* Begins one; `reserved` counts against the total until it ends. */
struct cu_part *cu_parts_begin(struct cu_parts *parts, uint64_t id, size_t whole_len,
                               uint32_t reserved);
struct cu_part *cu_parts_begin_discard(struct cu_parts *parts, uint64_t id);
struct cu_part *cu_parts_find(const struct cu_parts *parts, uint64_t id); /* NULL: none */
void cu_parts_end(struct cu_parts *parts, uint64_t id);                   /* frees it, if any */

/* From here on its parts are passed over; frees what it held. Nothing if there is none. */
void cu_parts_discard(struct cu_parts *parts, uint64_t id);

/* Adds the next part. False: more bytes than its first part announced. */
bool cu_part_add(struct cu_part *part, struct cu_bytes bytes);

#endif
