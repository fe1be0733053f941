#include "services/catalogd/core/config_read.h"

#include "services/catalogd/core/config_entry.h"
#include "services/catalogd/core/list.h"

static const struct cu_bytes all = {NULL, 0};

enum cu_err catalog_config_read(const struct catalog_view *view,
                                const Curia__V1__ConfigGetRequest *request, struct cu_arena *arena,
                                Curia__V1__ConfigGetReply *reply, uint64_t *ret_index)
{
    enum cu_err err = catalog_view_get(view, CATALOG_CONFIG_ENTRIES,
                                       catalog_config_key(arena, request->kind, request->name),
                                       arena, &reply->entry);
    /* One that is missing may be woken by any removal: never late, perhaps early. */
    uint64_t index = !err && reply->entry ? reply->entry->modify_index : view->config_entries_index;
    *ret_index = catalog_view_index(view, index);
    return err;
}

struct listing {
    struct cu_arena *arena;
    struct catalog_list found;
    enum cu_err err;
};

static bool see_entry(void *arg, const struct catalog_row *row)
{
    struct listing *listing = arg;
    Curia__V1__ConfigEntry *entry;
    listing->err = catalog_view_unpack(CATALOG_CONFIG_ENTRIES, row, listing->arena, &entry);
    if (!listing->err && !catalog_list_add(&listing->found, listing->arena, entry))
        listing->err = CU_E_TOO_LARGE;
    return !listing->err;
}

enum cu_err catalog_config_list(const struct catalog_view *view,
                                const Curia__V1__ConfigListRequest *request, struct cu_arena *arena,
                                Curia__V1__ConfigListReply *reply, uint64_t *ret_index)
{
    struct listing listing = {.arena = arena};
    struct cu_bytes prefix = *request->kind ? catalog_config_key(arena, request->kind, NULL) : all;
    if (*request->kind && !prefix.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = view->backend->scan(view->backend->context, CATALOG_CONFIG_ENTRIES, prefix,
                                          all, see_entry, &listing);
    if (err || listing.err)
        return err ? err : listing.err;
    reply->entries = (Curia__V1__ConfigEntry **)listing.found.items;
    reply->n_entries = listing.found.count;
    *ret_index = catalog_view_index(view, view->config_entries_index);
    return CU_OK;
}
