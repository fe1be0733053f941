/* bookmark_fuzz.c - the bookkeeping of a state and the keys of its rows: what parses is written to
 * something that reads the same, and a key's parts lie within it. */
#include <stdlib.h>
#include <string.h>

#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/lookup.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 1024 * 1024 };

static bool try_bookmark(struct cu_bytes bytes)
{
    struct catalog_bookmark bookmark, again;
    struct cu_buf once = {0}, twice = {0};
    if (catalog_bookmark_decode(bytes, &bookmark))
        return false;
    catalog_bookmark_encode(&bookmark, &once);
    if (catalog_bookmark_decode(cu_buf_bytes(&once), &again))
        abort();
    catalog_bookmark_encode(&again, &twice);
    if (!cu_bytes_equal(cu_buf_bytes(&once), cu_buf_bytes(&twice)))
        abort();
    cu_buf_deinit(&once);
    cu_buf_deinit(&twice);
    return true;
}

static bool try_key(struct cu_bytes key)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_bytes user = {NULL, 0}, node = catalog_key_node_part(key);
    bool parsed = catalog_key_user(key, &user);
    if (parsed && !cu_bytes_equal(catalog_key_of(arena, user), key))
        abort();
    if (node.data && (!parsed || !cu_bytes_has_prefix(key, node)))
        abort();
    struct cu_bytes target = catalog_lookup_target(arena, key);
    if (target.data && !catalog_key_user(target, &user))
        abort(); /* what it leads to is a key */
    cu_arena_free(arena);
    return parsed;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_bytes bytes = {data, len};
    bool parsed = try_bookmark(bytes);
    return try_key(bytes) || parsed;
}
