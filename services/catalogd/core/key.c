#include "services/catalogd/core/key.h"

#include <string.h>

static const char place[] = "default\0default"; /* its own NUL ends the namespace */
enum { PLACE_BYTES = sizeof place };

static uint8_t *begin(struct cu_arena *arena, size_t more)
{
    uint8_t *data = cu_arena_alloc(arena, PLACE_BYTES + more);
    if (data)
        memcpy(data, place, PLACE_BYTES);
    return data;
}

struct cu_bytes catalog_key_of(struct cu_arena *arena, struct cu_bytes user)
{
    uint8_t *data = begin(arena, user.len);
    if (!data)
        return (struct cu_bytes){NULL, 0};
    if (user.len)
        memcpy(data + PLACE_BYTES, user.data, user.len);
    return (struct cu_bytes){data, PLACE_BYTES + user.len};
}

struct cu_bytes catalog_key_of_tombstone(struct cu_arena *arena, enum catalog_tombstone_kind kind,
                                         struct cu_bytes user)
{
    uint8_t *data = begin(arena, 1 + user.len);
    if (!data)
        return (struct cu_bytes){NULL, 0};
    data[PLACE_BYTES] = (uint8_t)kind;
    if (user.len)
        memcpy(data + PLACE_BYTES + 1, user.data, user.len);
    return (struct cu_bytes){data, PLACE_BYTES + 1 + user.len};
}

bool catalog_key_user(struct cu_bytes key, struct cu_bytes *ret_user)
{
    struct cu_bytes want = {(const uint8_t *)place, PLACE_BYTES};
    if (!cu_bytes_has_prefix(key, want))
        return false;
    *ret_user = (struct cu_bytes){key.data + PLACE_BYTES, key.len - PLACE_BYTES};
    return true;
}
