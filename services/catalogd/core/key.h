/* key.h - the keys of rows: partition, namespace, then what the user wrote (contracts 2.6).
 *
 *   "default" NUL "default" NUL KEY            tables kv and settings
 *   "default" NUL "default" NUL KIND KEY       tombstones: 'k' of one key, 'p' of a prefix
 *
 * Neither partition nor namespace may hold a NUL, so keys of one never run into another's, and
 * byte order of rows is byte order of what users wrote. */
#ifndef CATALOG_KEY_H
#define CATALOG_KEY_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"

enum catalog_tombstone_kind { CATALOG_TOMBSTONE_KEY = 'k', CATALOG_TOMBSTONE_PREFIX = 'p' };

/* The row's key for a user's (or for a user's prefix); data is NULL when the arena is full. */
struct cu_bytes catalog_key_of(struct cu_arena *arena, struct cu_bytes user);
struct cu_bytes catalog_key_of_tombstone(struct cu_arena *arena, enum catalog_tombstone_kind kind,
                                         struct cu_bytes user);

/* What the user wrote, borrowed from `key`; false: no key of this layout. */
bool catalog_key_user(struct cu_bytes key, struct cu_bytes *ret_user);

#endif
