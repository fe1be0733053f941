#include "services/catalogd/core/verify.h"

#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/core/store_state.h"

enum { LOOK_EVERY = 1024, SCRATCH_BYTES = 1024 * 1024 };

struct walk {
    catalog_verify_goes_on *goes_on;
    void *arg;
    enum catalog_table table;
    struct cu_u128 sum;
    bool is_ended;
    struct catalog_verification found;
};

static bool same(struct cu_u128 a, struct cu_u128 b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

static bool look(void *arg, const struct catalog_row *row)
{
    struct walk *walk = arg;
    struct catalog_verification *found = &walk->found;
    if (!same(catalog_store_hash_of(walk->table, row->key, row->value), row->hash) &&
        found->wrong_rows++ == 0)
        found->wrong_table = walk->table;
    walk->sum = cu_u128_add(walk->sum, row->hash);
    if (++found->rows % LOOK_EVERY == 0)
        walk->is_ended = !walk->goes_on(walk->arg);
    return !walk->is_ended;
}

static enum cu_err read_own_word(const struct catalog_backend *backend,
                                 struct catalog_bookmark *ret_bookmark)
{
    struct cu_arena *arena = cu_arena_new(SCRATCH_BYTES);
    enum cu_err err = catalog_bookmark_read(backend, arena, ret_bookmark);
    cu_arena_free(arena);
    return err;
}

enum cu_err catalog_verify(const struct catalog_backend *backend, catalog_verify_goes_on *goes_on,
                           void *arg, struct catalog_verification *ret_found)
{
    static const struct cu_bytes none = {NULL, 0};
    struct walk walk = {.goes_on = goes_on, .arg = arg};
    struct catalog_bookmark bookmark;
    enum cu_err err = read_own_word(backend, &bookmark);
    for (int table = 0; !err && !walk.is_ended && table < CATALOG_TABLE_COUNT; table++) {
        walk.table = (enum catalog_table)table;
        err = backend->scan(backend->context, walk.table, none, none, look, &walk);
    }
    if (!err && walk.is_ended)
        err = CU_E_NOT_READY;
    if (err)
        return err;
    walk.found.position = bookmark.position;
    walk.found.adds_up = same(walk.sum, bookmark.hash);
    *ret_found = walk.found;
    return CU_OK;
}

bool catalog_verification_is_good(const struct catalog_verification *found)
{
    return found->wrong_rows == 0 && found->adds_up;
}
