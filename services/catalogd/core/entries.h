/* entries.h - the entries of a map field in one order: protobuf gives them in any (text.proto). */
#ifndef CATALOG_ENTRIES_H
#define CATALOG_ENTRIES_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/err.h"

/* Sorts by key, bytewise; of equal keys the last one stays, as in JSON. `entries` is the array of a
 * protobuf-c map field whose key is a string. Errors: TOO_LARGE the arena is full. */
CU_MUST_USE enum cu_err catalog_entries_sort(void *entries, size_t *count, struct cu_arena *arena);

#endif
