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

void catalog_name_fold(uint8_t *to, const char *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] - 'A' + 'a' : from[i]);
}

int catalog_name_compare(const char *a, const char *b)
{
    uint8_t x, y;
    do {
        catalog_name_fold(&x, a++, 1);
        catalog_name_fold(&y, b++, 1);
    } while (x == y && x);
    return (int)x - (int)y;
}

bool catalog_name_equal(const char *a, const char *b)
{
    return catalog_name_compare(a, b) == 0;
}

struct cu_bytes catalog_key_of_node(struct cu_arena *arena, const char *node, const char *id)
{
    size_t node_len = strlen(node), id_len = id ? strlen(id) : 0;
    size_t len = node_len + (id ? 1 + id_len : 0);
    uint8_t *data = begin(arena, len);
    if (!data)
        return (struct cu_bytes){NULL, 0};
    catalog_name_fold(data + PLACE_BYTES, node, node_len);
    if (id)
        catalog_name_fold(data + PLACE_BYTES + node_len + 1, id, id_len);
    return (struct cu_bytes){data, PLACE_BYTES + len};
}

bool catalog_key_user(struct cu_bytes key, struct cu_bytes *ret_user)
{
    struct cu_bytes want = {(const uint8_t *)place, PLACE_BYTES};
    if (!cu_bytes_has_prefix(key, want))
        return false;
    *ret_user = (struct cu_bytes){key.data + PLACE_BYTES, key.len - PLACE_BYTES};
    return true;
}

struct cu_bytes catalog_key_node_part(struct cu_bytes key)
{
    struct cu_bytes user = {NULL, 0};
    const uint8_t *end = catalog_key_user(key, &user) ? memchr(user.data, '\0', user.len) : NULL;
    return end ? (struct cu_bytes){key.data, (size_t)(end + 1 - key.data)}
               : (struct cu_bytes){NULL, 0};
}
