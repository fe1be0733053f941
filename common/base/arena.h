/* arena.h - memory for one request: many allocations, one reset, a limit in bytes. */
#ifndef CU_BASE_ARENA_H
#define CU_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

struct cu_arena;

/* An arena that gives out at most `limit_bytes` between two resets (headroom for padding included).
 */
struct cu_arena *cu_arena_new(size_t limit_bytes);
void cu_arena_free(struct cu_arena *arena); /* takes NULL */

/* Zeroed, aligned for any type; NULL when the limit would be passed. Valid until reset or free. */
void *cu_arena_alloc(struct cu_arena *arena, size_t size);
void *cu_arena_memdup(struct cu_arena *arena, const void *data, size_t size);
char *cu_arena_strdup(struct cu_arena *arena, const char *text);
char *cu_arena_printf(struct cu_arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Forgets all that was given out; keeps at most one block, of the default size. */
void cu_arena_reset(struct cu_arena *arena);

/* Raises or lowers the limit from here on; what was given out stays counted. */
void cu_arena_set_limit(struct cu_arena *arena, size_t limit_bytes);

/* Bytes given out since the last reset. */
size_t cu_arena_used(const struct cu_arena *arena);

/* For protobuf-c's unpack: draws from the arena, its free does nothing. The pointer lives as long
 * as the arena. A message that would pass the limit is not unpacked (unpack returns NULL). */
ProtobufCAllocator *cu_arena_allocator(struct cu_arena *arena);

#endif
