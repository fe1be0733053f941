#include "services/dnsd/core/scratch.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

struct dns_scratch *dns_scratch_new(void)
{
    return cu_alloc(sizeof(struct dns_scratch));
}

void dns_scratch_free(struct dns_scratch *scratch)
{
    if (scratch)
        free(scratch->order);
    free(scratch);
}

void dns_scratch_begin(struct dns_scratch *scratch, size_t items)
{
    CU_ASSERT(items <= DNS_ITEMS_MAX);
    size_t slots = 8;
    while (slots < 2 * items)
        slots *= 2;
    scratch->seen_mask = slots - 1;
    for (size_t kind = 0; kind < DNS_SEEN_KINDS; kind++)
        memset(scratch->seen[kind], 0, slots * sizeof scratch->seen[kind][0]);
    scratch->count = scratch->chain_count = scratch->ip_count = 0;
}

void dns_scratch_shuffle(struct dns_scratch *scratch, uint32_t count)
{
    if (count > scratch->order_cap) {
        scratch->order = cu_realloc(scratch->order, count * sizeof *scratch->order);
        scratch->order_cap = count;
    }
    for (uint32_t i = 0; i < count; i++)
        scratch->order[i] = i;
    scratch->order_len = count;
    scratch->drawn = 0;
}

bool dns_scratch_draw(struct dns_scratch *scratch, struct cu_random *random, uint32_t *ret_index)
{
    uint32_t *order = scratch->order;
    if (scratch->drawn == scratch->order_len)
        return false;
    size_t at = scratch->drawn++;
    size_t other = at + (size_t)cu_random_below(random, scratch->order_len - at);
    *ret_index = order[other];
    order[other] = order[at];
    return true;
}

bool dns_scratch_seen(struct dns_scratch *scratch, enum dns_seen_kind kind, uint64_t hash,
                      dns_same *same, const struct dns_item *item, size_t index)
{
    uint16_t *slots = scratch->seen[kind];
    size_t at = hash & scratch->seen_mask;
    for (; slots[at]; at = (at + 1) & scratch->seen_mask)
        if (same(&scratch->items[slots[at] - 1], item))
            return true;
    slots[at] = (uint16_t)(index + 1);
    return false;
}
