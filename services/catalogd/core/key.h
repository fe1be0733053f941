/* key.h - the keys of rows: partition, namespace, then what the user wrote (contracts 2.6).
 *
 *   "default" NUL "default" NUL KEY            tables kv and settings
 *   "default" NUL "default" NUL KIND KEY       tombstones: 'k' of one key, 'p' of a prefix
 *   "default" NUL "default" NUL NODE           nodes
 *   "default" NUL "default" NUL NODE NUL ID    services and checks
 *   "default" NUL "default" NUL KIND ...       lookups, see core/lookup.h
 *
 * Neither partition nor namespace may hold a NUL, so keys of one never run into another's, and
 * byte order of rows is byte order of what users wrote. Names are compared without regard to letter
 * case (of ASCII: what else is a letter differs between libraries), so keys have them lower-cased;
 * they hold no NUL. */
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

/* The key of a node (`id` NULL), of what is on it, or of all that is (`id` "": a prefix). */
struct cu_bytes catalog_key_of_node(struct cu_arena *arena, const char *node, const char *id);

/* Lower-case of ASCII, `len` bytes; whether two names are the same, and which comes first. */
void catalog_name_fold(uint8_t *to, const char *from, size_t len);
bool catalog_name_equal(const char *a, const char *b);
int catalog_name_compare(const char *a, const char *b); /* as their keys are ordered */

/* Of the key of what is on a node, what all keys of that node begin with: the key of the node and a
 * NUL, borrowed; data NULL: no such key. */
struct cu_bytes catalog_key_node_part(struct cu_bytes key);

/* What the user wrote, borrowed from `key`; false: no key of this layout. */
bool catalog_key_user(struct cu_bytes key, struct cu_bytes *ret_user);

#endif
