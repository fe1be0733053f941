/* tombstone.h - when what is missing went: tombstones of keys, and those of prefixes, which cover
 * all that begins with them (http-api.md 3.3, 3.7). */
#ifndef CATALOG_TOMBSTONE_H
#define CATALOG_TOMBSTONE_H

#include "services/catalogd/core/backend.h"

/* The highest index (shown) of the key's own tombstone and of those that cover it; 0: there is
 * none. Keys are as users write them. Errors: TOO_LARGE the arena is full; what the backend
 * returned. */
CU_MUST_USE enum cu_err catalog_tombstone_of_key(const struct catalog_backend *backend,
                                                 struct cu_bytes key, struct cu_arena *arena,
                                                 uint64_t *ret_index);

/* Likewise of all tombstones under the prefix and of those that cover it. */
CU_MUST_USE enum cu_err catalog_tombstone_of_prefix(const struct catalog_backend *backend,
                                                    struct cu_bytes prefix, struct cu_arena *arena,
                                                    uint64_t *ret_index);

#endif
