#include "services/catalogd/core/backend.h"

const char *catalog_operation_name(enum catalog_operation operation)
{
    static const char *const names[] = {
        [CATALOG_CREATE] = "create", [CATALOG_UPDATE] = "update", [CATALOG_DELETE] = "delete"};
    _Static_assert(CU_COUNT(names) == CATALOG_OPERATION_COUNT, "a name for each");
    return names[operation];
}

void catalog_hash_to_bytes(struct cu_u128 hash, uint8_t ret_bytes[CATALOG_HASH_BYTES])
{
    for (int i = 0; i < 8; i++) {
        ret_bytes[i] = (uint8_t)(hash.lo >> (8 * i));
        ret_bytes[8 + i] = (uint8_t)(hash.hi >> (8 * i));
    }
}

struct cu_u128 catalog_hash_of_bytes(const uint8_t bytes[CATALOG_HASH_BYTES])
{
    struct cu_reader r = cu_reader_of((struct cu_bytes){bytes, CATALOG_HASH_BYTES});
    struct cu_u128 hash = {.lo = cu_read_u64le(&r)};
    hash.hi = cu_read_u64le(&r);
    return hash;
}

enum cu_err catalog_copy_out(struct cu_arena *arena, struct cu_bytes from, struct cu_bytes *ret_to)
{
    uint8_t *bytes = cu_arena_memdup(arena, from.data, from.len);
    if (!bytes && from.len)
        return CU_E_TOO_LARGE;
    *ret_to = (struct cu_bytes){bytes, from.len};
    return CU_OK;
}
