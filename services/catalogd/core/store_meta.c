/* The bookkeeping of the store: read when it is opened, written once a transaction. */
#include <stdio.h>

#include "services/catalogd/core/apply.h"
#include "services/catalogd/core/change.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/store_state.h"

enum { META_NAME_BYTES = 16 };

/* ---- reading ---- */

static void window_name(size_t slot, char name[META_NAME_BYTES])
{
    (void)snprintf(name, META_NAME_BYTES, CATALOG_META_WINDOW "%02u", (unsigned)slot);
}

static enum cu_err load_windows(struct catalog_store *store)
{
    const struct catalog_backend *backend = store->backend;
    for (size_t i = 0; i < CATALOG_PROPOSERS_MAX; i++) {
        char name[META_NAME_BYTES];
        struct cu_bytes bytes;
        window_name(i, name);
        enum cu_err err = backend->meta_get(backend->context, name, store->scratch, &bytes);
        if (err == CU_E_NOT_FOUND)
            continue;
        if (!err)
            err = catalog_window_decode(bytes, &store->proposers.windows[i]);
        if (err)
            return err;
    }
    store->proposers.dropped_index = store->bookmark.dropped_index;
    return CU_OK;
}

static enum cu_err load_configuration(struct catalog_store *store)
{
    struct cu_bytes bytes;
    enum cu_err err = store->backend->meta_get(store->backend->context, CATALOG_META_CONFIGURATION,
                                               store->scratch, &bytes);
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    cu_buf_append(&store->configuration, bytes.data, bytes.len);
    return CU_OK;
}

enum cu_err catalog_store_load_retention(struct catalog_store *store)
{
    struct cu_bytes key = catalog_key_of(store->scratch, cu_bytes_of(CATALOG_SETTING_RETENTION));
    struct catalog_row row;
    store->retention = catalog_retention_default();
    enum cu_err err = catalog_store_get(store, CATALOG_SETTINGS, key, &row);
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    store->retention = catalog_retention_of(store->scratch, row.value);
    return CU_OK;
}

enum cu_err catalog_store_load(struct catalog_store *store, struct cu_diag *diag)
{
    enum cu_err err = catalog_bookmark_read(store->backend, store->scratch, &store->bookmark);
    if (!err && store->bookmark.level > CATALOG_LEVEL)
        return cu_fail(diag, CU_E_INVALID,
                       "the state is of feature level %u, this program knows %d: install a newer "
                       "one",
                       store->bookmark.level, CATALOG_LEVEL);
    if (!err)
        err = load_windows(store);
    if (!err)
        err = load_configuration(store);
    if (!err)
        err = catalog_store_load_retention(store);
    return err ? cu_fail(diag, err, "the bookkeeping of the state cannot be read: %s",
                         cu_err_words(err))
               : CU_OK;
}

/* ---- writing ---- */

static enum cu_err flush_windows(struct catalog_store *store)
{
    for (size_t i = 0; i < CATALOG_PROPOSERS_MAX; i++) {
        struct catalog_window *w = &store->proposers.windows[i];
        if (!w->is_dirty)
            continue;
        char name[META_NAME_BYTES];
        window_name(i, name);
        cu_buf_clear(&store->encoded);
        catalog_window_encode(w, &store->encoded);
        enum cu_err err =
            store->backend->meta_put(store->backend->context, name, cu_buf_bytes(&store->encoded));
        if (err)
            return err;
        w->is_dirty = false;
    }
    return CU_OK;
}

static enum cu_err flush_configuration(struct catalog_store *store)
{
    if (!store->is_configuration_dirty)
        return CU_OK;
    store->is_configuration_dirty = false;
    return store->backend->meta_put(store->backend->context, CATALOG_META_CONFIGURATION,
                                    cu_buf_bytes(&store->configuration));
}

enum cu_err catalog_store_flush(struct catalog_store *store)
{
    enum cu_err err = flush_windows(store);
    if (!err)
        err = flush_configuration(store);
    if (!err)
        err = catalog_indexes_flush(store);
    if (err)
        return err;
    store->bookmark.dropped_index = store->proposers.dropped_index;
    cu_buf_clear(&store->encoded);
    catalog_bookmark_encode(&store->bookmark, &store->encoded);
    return store->backend->meta_put(store->backend->context, CATALOG_META_STATE,
                                    cu_buf_bytes(&store->encoded));
}
