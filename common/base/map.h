/* map.h - a hash table from bytes (copied) to a pointer (borrowed). */
#ifndef CU_BASE_MAP_H
#define CU_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Zero-initialise; cu_map_deinit frees the table, never the values. */
struct cu_map {
    struct cu_map_slot *slots;
    size_t count, cap, used; /* used: count and tombstones */
};

void cu_map_deinit(struct cu_map *map);

void *cu_map_get(const struct cu_map *map, struct cu_bytes key); /* NULL: not there */
/* `value` must not be NULL. Returns the value it replaced, or NULL. */
void *cu_map_put(struct cu_map *map, struct cu_bytes key, void *value);
void *cu_map_del(struct cu_map *map,
                 struct cu_bytes key); /* returns the value that was there, or NULL */

/* Walks all pairs, in no order: start with *at = 0, ends with false. Nothing may be put meanwhile;
 * the current pair may be deleted. */
bool cu_map_next(const struct cu_map *map, size_t *at, struct cu_bytes *ret_key, void **ret_value);

/* The same with a number as key. */
void *cu_map_get_u64(const struct cu_map *map, uint64_t key);
void *cu_map_put_u64(struct cu_map *map, uint64_t key, void *value);
void *cu_map_del_u64(struct cu_map *map, uint64_t key);

#endif
