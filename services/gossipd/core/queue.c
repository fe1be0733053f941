#include "services/gossipd/core/queue.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

struct item {
    uint64_t id, ticket;
    uint32_t told, name_len, len;
    uint8_t bytes[]; /* name, then message */
};

/* What the order goes by lies side by side: searching touches no item. */
struct place {
    uint32_t len;
    uint64_t id;
    struct item *item;
};

struct gossip_queue_tier {
    struct place *places;
    uint32_t count, cap;
};

static struct cu_bytes name_of(const struct item *item)
{
    return (struct cu_bytes){item->bytes, item->name_len};
}

void gossip_queue_deinit(struct gossip_queue *queue)
{
    for (uint32_t t = 0; t < queue->tier_count; t++) {
        for (uint32_t i = 0; i < queue->tiers[t].count; i++)
            free(queue->tiers[t].places[i].item);
        free(queue->tiers[t].places);
    }
    free(queue->tiers);
    free(queue->done);
    cu_map_deinit(&queue->named);
    *queue = (struct gossip_queue){0};
}

/* ---- a tier: sorted, the longest first, of equal ones the newest ---- */

/* The first place whose item is not longer than `len`, and of those as long not newer than `id`. */
static uint32_t tier_find(const struct gossip_queue_tier *tier, uint32_t len, uint64_t id)
{
    uint32_t low = 0, high = tier->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct place *place = &tier->places[mid];
        if (place->len > len || (place->len == len && place->id > id))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void tier_insert(struct gossip_queue_tier *tier, struct item *item)
{
    if (tier->count == tier->cap) {
        tier->cap = tier->cap ? tier->cap * 2 : 8;
        tier->places = cu_realloc(tier->places, tier->cap * sizeof *tier->places);
    }
    uint32_t at = tier_find(tier, item->len, item->id);
    memmove(&tier->places[at + 1], &tier->places[at], (tier->count - at) * sizeof *tier->places);
    tier->places[at] = (struct place){item->len, item->id, item};
    tier->count++;
}

static struct item *tier_remove(struct gossip_queue_tier *tier, uint32_t at)
{
    struct item *item = tier->places[at].item;
    tier->count--;
    memmove(&tier->places[at], &tier->places[at + 1], (tier->count - at) * sizeof *tier->places);
    return item;
}

/* ---- items in and out ---- */

static void insert(struct gossip_queue *queue, struct item *item)
{
    if (item->told >= queue->tier_count) {
        queue->tiers = cu_realloc(queue->tiers, (item->told + 1) * sizeof *queue->tiers);
        memset(&queue->tiers[queue->tier_count], 0,
               (item->told + 1 - queue->tier_count) * sizeof *queue->tiers);
        queue->tier_count = item->told + 1;
    }
    tier_insert(&queue->tiers[item->told], item);
    queue->count++;
}

static struct item *take_out(struct gossip_queue *queue, uint32_t tier, uint32_t at)
{
    queue->count--;
    return tier_remove(&queue->tiers[tier], at);
}

static void finish(struct gossip_queue *queue, struct item *item)
{
    if (item->name_len && cu_map_get(&queue->named, name_of(item)) == item)
        (void)cu_map_del(&queue->named, name_of(item));
    if (item->ticket) {
        if (queue->done_count == queue->done_cap) {
            queue->done_cap = queue->done_cap ? queue->done_cap * 2 : 4;
            queue->done = cu_realloc(queue->done, queue->done_cap * sizeof *queue->done);
        }
        queue->done[queue->done_count++] = item->ticket;
    }
    free(item);
    if (!queue->count)
        queue->last_id = 0;
}

static void replace(struct gossip_queue *queue, struct cu_bytes name)
{
    struct item *old = name.len ? cu_map_get(&queue->named, name) : NULL;
    if (!old)
        return;
    uint32_t at = tier_find(&queue->tiers[old->told], old->len, old->id);
    CU_ASSERT(queue->tiers[old->told].places[at].item == old);
    finish(queue, take_out(queue, old->told, at));
}

void gossip_queue_put(struct gossip_queue *queue, struct cu_bytes name, struct cu_bytes message,
                      uint64_t ticket)
{
    replace(queue, name);
    struct item *item = cu_alloc(sizeof *item + name.len + message.len);
    item->id = ++queue->last_id;
    item->ticket = ticket;
    item->name_len = (uint32_t)name.len;
    item->len = (uint32_t)message.len;
    if (name.len)
        memcpy(item->bytes, name.data, name.len);
    memcpy(item->bytes + name.len, message.data, message.len);
    insert(queue, item);
    if (name.len)
        (void)cu_map_put(&queue->named, name_of(item), item);
}

uint32_t gossip_queue_prune(struct gossip_queue *queue, uint32_t max)
{
    uint32_t dropped = 0;
    for (uint32_t t = queue->tier_count; t && queue->count > max; t--)
        for (; queue->tiers[t - 1].count && queue->count > max; dropped++)
            finish(queue, take_out(queue, t - 1, queue->tiers[t - 1].count - 1));
    return dropped;
}

uint64_t gossip_queue_take_done(struct gossip_queue *queue)
{
    return queue->done_count ? queue->done[--queue->done_count] : 0;
}

uint32_t gossip_retransmit_limit(uint32_t mult, uint32_t members)
{
    uint32_t digits = 0; /* ceil(log10(members + 1)) is the number of digits of `members` */
    for (uint32_t n = members; n; n /= 10)
        digits++;
    return mult * digits;
}

/* ---- packets ---- */

void gossip_parts_begin(struct gossip_parts *parts, uint32_t budget)
{
    cu_buf_clear(&parts->bytes);
    parts->count = 0;
    parts->used = GOSSIP_COMPOUND_HEADER_BYTES;
    parts->budget = budget;
}

static uint32_t bytes_before(const struct gossip_parts *parts)
{
    return parts->count ? parts->ends[parts->count - 1] : 0;
}

void gossip_parts_end_one(struct gossip_parts *parts)
{
    CU_ASSERT(parts->count < GOSSIP_COMPOUND_MAX_PARTS);
    uint32_t len = (uint32_t)parts->bytes.len - bytes_before(parts);
    CU_ASSERT(len > 0);
    parts->ends[parts->count++] = (uint32_t)parts->bytes.len;
    parts->used += GOSSIP_COMPOUND_PART_BYTES + len;
}

static void add(struct gossip_parts *parts, int prefix, const struct item *item)
{
    if (prefix >= 0)
        cu_buf_u8(&parts->bytes, (uint8_t)prefix);
    cu_buf_append(&parts->bytes, item->bytes + item->name_len, item->len);
    gossip_parts_end_one(parts);
}

/* Longest message that still fits; 0: none. */
static uint32_t room(const struct gossip_parts *parts, int prefix)
{
    uint32_t need = parts->used + GOSSIP_COMPOUND_PART_BYTES + (prefix >= 0 ? 1 : 0);
    if (parts->count == GOSSIP_COMPOUND_MAX_PARTS || need >= parts->budget)
        return 0;
    return parts->budget - need;
}

/* Takes from one tier whatever fits; told ones wait in `again`, so that this packet does not meet
 * them in the next tier. */
static void fill_tier(struct gossip_queue *queue, uint32_t t, struct gossip_parts *parts,
                      int prefix, uint32_t transmit_limit, struct gossip_queue_tier *again)
{
    for (uint32_t len = 0; (len = room(parts, prefix)) != 0;) {
        uint32_t at = tier_find(&queue->tiers[t], len, UINT64_MAX);
        if (at == queue->tiers[t].count)
            return;
        struct item *item = take_out(queue, t, at);
        add(parts, prefix, item);
        item->told++;
        if (item->told >= transmit_limit)
            finish(queue, item);
        else
            tier_insert(again, item);
    }
}

void gossip_queue_fill(struct gossip_queue *queue, struct gossip_parts *parts, int prefix,
                       uint32_t transmit_limit)
{
    if (!queue->count)
        return;
    struct gossip_queue_tier again = {0};
    uint64_t last_id = queue->last_id;
    for (uint32_t t = 0; t < queue->tier_count; t++)
        fill_tier(queue, t, parts, prefix, transmit_limit, &again);
    for (uint32_t i = 0; i < again.count; i++)
        insert(queue, again.places[i].item);
    if (again.count)
        queue->last_id = last_id; /* it was empty for a moment only */
    free(again.places);
}
