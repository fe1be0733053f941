#include "services/catalogd/core/config_read.h"

#include "services/catalogd/core/config_entry.h"
#include "services/catalogd/core/may.h"

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

static void keep_visible(const struct cu_authorizer *who, struct catalog_list *entries)
{
    size_t kept = 0;
    for (size_t i = 0; i < entries->count; i++)
        if (catalog_may_see_entry(who, entries->items[i]))
            entries->items[kept++] = entries->items[i];
    entries->count = kept;
}

enum cu_err catalog_config_list(const struct catalog_view *view,
                                const Curia__V1__ConfigListRequest *request, struct cu_arena *arena,
                                Curia__V1__ConfigListReply *reply, uint64_t *ret_index)
{
    struct catalog_list found = {0};
    struct cu_bytes prefix = {NULL, 0};
    if (*request->kind)
        prefix = catalog_config_key(arena, request->kind, NULL);
    if (*request->kind && !prefix.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = catalog_view_list(view, CATALOG_CONFIG_ENTRIES, prefix, arena, &found);
    if (err)
        return err;
    keep_visible(view->authorizer, &found);
    reply->entries = (Curia__V1__ConfigEntry **)found.items;
    reply->n_entries = found.count;
    *ret_index = catalog_view_index(view, view->config_entries_index);
    return CU_OK;
}
