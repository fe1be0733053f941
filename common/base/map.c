#include "common/base/map.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/hash.h"

enum { INLINE_BYTES = 16, FIRST_CAP = 16 };

/* value NULL and len != GONE: never used; len GONE: deleted. */
#define GONE SIZE_MAX

struct cu_map_slot {
    uint64_t hash;
    size_t len;
    void *value;
    union {
        uint8_t near[INLINE_BYTES];
        uint8_t *far;
    } key;
};

static const uint8_t *slot_key(const struct cu_map_slot *slot)
{
    return slot->len <= INLINE_BYTES ? slot->key.near : slot->key.far;
}

static void free_key(struct cu_map_slot *slot)
{
    if (slot->value && slot->len > INLINE_BYTES)
        free(slot->key.far);
}

void cu_map_deinit(struct cu_map *map)
{
    for (size_t i = 0; i < map->cap; i++)
        free_key(&map->slots[i]);
    free(map->slots);
    *map = (struct cu_map){0};
}

static struct cu_map_slot *find(const struct cu_map *map, struct cu_bytes key, uint64_t hash)
{
    if (!map->cap)
        return NULL;
    for (size_t i = hash & (map->cap - 1);; i = (i + 1) & (map->cap - 1)) {
        struct cu_map_slot *slot = &map->slots[i];
        if (!slot->value && slot->len != GONE)
            return NULL;
        if (slot->value && slot->hash == hash && slot->len == key.len &&
            (key.len == 0 || memcmp(slot_key(slot), key.data, key.len) == 0))
            return slot;
    }
}

static struct cu_map_slot *free_slot(struct cu_map *map, uint64_t hash)
{
    size_t i = hash & (map->cap - 1);
    while (map->slots[i].value)
        i = (i + 1) & (map->cap - 1);
    return &map->slots[i];
}

static void rehash(struct cu_map *map)
{
    struct cu_map old = *map;
    size_t cap = FIRST_CAP;
    while (cap < (old.count + 1) * 2)
        cap *= 2;
    *map = (struct cu_map){.slots = cu_alloc(cap * sizeof *map->slots), .cap = cap};
    for (size_t i = 0; i < old.cap; i++) {
        if (!old.slots[i].value)
            continue;
        *free_slot(map, old.slots[i].hash) = old.slots[i];
        map->count++;
    }
    map->used = map->count;
    free(old.slots);
}

void *cu_map_get(const struct cu_map *map, struct cu_bytes key)
{
    struct cu_map_slot *slot = find(map, key, cu_table_hash(key.data, key.len));
    return slot ? slot->value : NULL;
}

void *cu_map_put(struct cu_map *map, struct cu_bytes key, void *value)
{
    CU_ASSERT(value);
    uint64_t hash = cu_table_hash(key.data, key.len);
    struct cu_map_slot *slot = find(map, key, hash);
    if (slot) {
        void *old = slot->value;
        slot->value = value;
        return old;
    }
    if ((map->used + 1) * 4 > map->cap * 3)
        rehash(map);
    slot = free_slot(map, hash);
    map->used += slot->len != GONE;
    map->count++;
    *slot = (struct cu_map_slot){.hash = hash, .len = key.len, .value = value};
    if (key.len > INLINE_BYTES)
        slot->key.far = cu_memdup(key.data, key.len);
    else if (key.len)
        memcpy(slot->key.near, key.data, key.len);
    return NULL;
}

void *cu_map_del(struct cu_map *map, struct cu_bytes key)
{
    struct cu_map_slot *slot = find(map, key, cu_table_hash(key.data, key.len));
    if (!slot)
        return NULL;
    void *old = slot->value;
    free_key(slot);
    *slot = (struct cu_map_slot){.len = GONE};
    map->count--;
    return old;
}

bool cu_map_next(const struct cu_map *map, size_t *at, struct cu_bytes *ret_key, void **ret_value)
{
    for (; *at < map->cap; (*at)++) {
        struct cu_map_slot *slot = &map->slots[*at];
        if (!slot->value)
            continue;
        *ret_key = (struct cu_bytes){slot_key(slot), slot->len};
        *ret_value = slot->value;
        (*at)++;
        return true;
    }
    return false;
}

static struct cu_bytes number_key(const uint64_t *number)
{
    return (struct cu_bytes){(const uint8_t *)number, sizeof *number};
}

void *cu_map_get_u64(const struct cu_map *map, uint64_t key)
{
    return cu_map_get(map, number_key(&key));
}

void *cu_map_put_u64(struct cu_map *map, uint64_t key, void *value)
{
    return cu_map_put(map, number_key(&key), value);
}

void *cu_map_del_u64(struct cu_map *map, uint64_t key)
{
    return cu_map_del(map, number_key(&key));
}
