#include "services/catalogd/core/tombstone.h"

#include "services/catalogd/core/key.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* One step of the walk over prefix tombstones, by the bytes users wrote. */
struct cover {
    const struct catalog_backend *backend;
    struct cu_arena *arena;
    struct cu_bytes key; /* whose prefixes are looked for */
    uint64_t index;      /* highest found */
    size_t kind_bytes;   /* of a tombstone's key, before what the user wrote */
};

static size_t common_len(struct cu_bytes a, struct cu_bytes b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.data[len] == b.data[len])
        len++;
    return len;
}

static enum cu_err see_prefix(struct cover *cover, size_t len)
{
    const struct catalog_backend *backend = cover->backend;
    struct catalog_row row;
    struct cu_bytes key = catalog_key_of_tombstone(cover->arena, CATALOG_TOMBSTONE_PREFIX,
                                                   (struct cu_bytes){cover->key.data, len});
    if (!key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = backend->get(backend->context, CATALOG_TOMBSTONES, key, cover->arena, &row);
    if (!err)
        cover->index = larger(cover->index, row.modify_index);
    return err == CU_E_NOT_FOUND ? CU_OK : err;
}

struct step {
    struct cover *cover;
    bool is_found;
    size_t len, common;
    bool is_below; /* sorts before the key, so prefixes of it may follow */
};

static bool see_row(void *arg, const struct catalog_row *row)
{
    struct step *step = arg;
    struct cover *cover = step->cover;
    struct cu_bytes found = {row->key.data + cover->kind_bytes, row->key.len - cover->kind_bytes};
    step->is_found = true;
    step->len = found.len;
    step->common = common_len(found, cover->key);
    step->is_below = cu_bytes_compare(found, cover->key) < 0;
    if (step->common == found.len)
        cover->index = larger(cover->index, row->modify_index);
    return false;
}

/* Highest index of a prefix tombstone that covers the key (0: none), in as many steps as there are
 * such, or prefixes that differ from it late, not as many as it has bytes: a found row that is no
 * prefix shares `common` bytes, so the next candidate has one more. */
static enum cu_err covering_index(struct cover *cover)
{
    const struct catalog_backend *backend = cover->backend;
    struct cu_bytes all = catalog_key_of_tombstone(cover->arena, CATALOG_TOMBSTONE_PREFIX,
                                                   (struct cu_bytes){NULL, 0});
    struct cu_bytes after = all;
    cover->kind_bytes = all.len;
    while (after.data) {
        struct step step = {.cover = cover};
        enum cu_err err =
            backend->scan(backend->context, CATALOG_TOMBSTONES, all, after, see_row, &step);
        if (err || !step.is_found || (!step.is_below && step.common < step.len))
            return err;
        bool is_prefix = step.common == step.len;
        size_t next = is_prefix ? step.len : step.common + 1;
        if (next >= cover->key.len + is_prefix)
            return is_prefix ? CU_OK : see_prefix(cover, cover->key.len);
        if (!is_prefix)
            err = see_prefix(cover, next);
        if (err)
            return err;
        after = catalog_key_of_tombstone(cover->arena, CATALOG_TOMBSTONE_PREFIX,
                                         (struct cu_bytes){cover->key.data, next});
    }
    return CU_E_TOO_LARGE;
}

static bool raise_index(void *arg, const struct catalog_row *row)
{
    uint64_t *index = arg;
    *index = larger(*index, row->modify_index);
    return true;
}

static enum cu_err under_index(const struct catalog_backend *backend,
                               enum catalog_tombstone_kind kind, struct cu_bytes prefix,
                               struct cu_arena *arena, uint64_t *index)
{
    struct cu_bytes key = catalog_key_of_tombstone(arena, kind, prefix);
    if (!key.data)
        return CU_E_TOO_LARGE;
    return backend->scan(backend->context, CATALOG_TOMBSTONES, key, (struct cu_bytes){NULL, 0},
                         raise_index, index);
}

enum cu_err catalog_tombstone_of_key(const struct catalog_backend *backend, struct cu_bytes key,
                                     struct cu_arena *arena, uint64_t *ret_index)
{
    struct cover cover = {.backend = backend, .arena = arena, .key = key};
    struct cu_bytes own = catalog_key_of_tombstone(arena, CATALOG_TOMBSTONE_KEY, key);
    struct catalog_row row;
    if (!own.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = backend->get(backend->context, CATALOG_TOMBSTONES, own, arena, &row);
    if (!err)
        cover.index = row.modify_index;
    if (err == CU_E_NOT_FOUND)
        err = CU_OK;
    if (!err)
        err = covering_index(&cover);
    if (!err)
        *ret_index = cover.index;
    return err;
}

enum cu_err catalog_tombstone_of_prefix(const struct catalog_backend *backend,
                                        struct cu_bytes prefix, struct cu_arena *arena,
                                        uint64_t *ret_index)
{
    struct cover cover = {.backend = backend, .arena = arena, .key = prefix};
    enum cu_err err = under_index(backend, CATALOG_TOMBSTONE_KEY, prefix, arena, &cover.index);
    if (!err)
        err = under_index(backend, CATALOG_TOMBSTONE_PREFIX, prefix, arena, &cover.index);
    if (!err)
        err = covering_index(&cover);
    if (!err)
        *ret_index = cover.index;
    return err;
}
