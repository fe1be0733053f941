#include "services/catalogd/core/view.h"

#include <string.h>

#include "common/acl/authorizer.h"
#include "common/base/assert.h"
#include "services/catalogd/core/index.h"

struct catalog_view catalog_view_of(const struct catalog_backend *backend,
                                    const struct catalog_bookmark *bookmark)
{
    return (struct catalog_view){
        .backend = backend,
        .kv_index = bookmark->table_index[CATALOG_KV],
        .nodes_index = bookmark->table_index[CATALOG_NODES],
        .services_index = bookmark->table_index[CATALOG_SERVICES],
        .checks_index = bookmark->table_index[CATALOG_CHECKS],
        .config_entries_index = bookmark->table_index[CATALOG_CONFIG_ENTRIES],
        .roots_index = bookmark->table_index[CATALOG_CONNECT_ROOTS],
        .connect_config_index = bookmark->table_index[CATALOG_CONNECT_CONFIG],
        .acl_policies_index = bookmark->table_index[CATALOG_ACL_POLICIES],
        .acl_roles_index = bookmark->table_index[CATALOG_ACL_ROLES],
        .acl_tokens_index = bookmark->table_index[CATALOG_ACL_TOKENS],
        .reaped_index = bookmark->reaped_index,
        .floor_index = bookmark->floor_index,
        .authorizer = cu_authorizer_all(),
    };
}

uint64_t catalog_view_index(const struct catalog_view *view, uint64_t index)
{
    uint64_t least = view->floor_index > 1 ? view->floor_index : 1;
    return index > least ? index : least;
}

enum cu_err catalog_view_named_index(const struct catalog_view *view, struct cu_arena *arena,
                                     const char *head, const char *name, const char *absent,
                                     uint64_t *ret_index)
{
    uint64_t index = 0;
    enum cu_err err = catalog_index_read(view->backend, arena, head, name, &index);
    if (!err && index == 0)
        err = catalog_index_read(view->backend, arena, absent, "", &index);
    if (!err)
        *ret_index = catalog_view_index(view, index);
    return err;
}

/* ---- rows ---- */

static const struct shape {
    const ProtobufCMessageDescriptor *type;
    size_t create_index, modify_index;
} shapes[CATALOG_TABLE_COUNT] = {
    [CATALOG_NODES] = {&curia__v1__node__descriptor, offsetof(Curia__V1__Node, create_index),
                       offsetof(Curia__V1__Node, modify_index)},
    [CATALOG_SERVICES] = {&curia__v1__service__descriptor,
                          offsetof(Curia__V1__Service, create_index),
                          offsetof(Curia__V1__Service, modify_index)},
    [CATALOG_CHECKS] = {&curia__v1__check__descriptor, offsetof(Curia__V1__Check, create_index),
                        offsetof(Curia__V1__Check, modify_index)},
    [CATALOG_CONFIG_ENTRIES] = {&curia__v1__config_entry__descriptor,
                                offsetof(Curia__V1__ConfigEntry, create_index),
                                offsetof(Curia__V1__ConfigEntry, modify_index)},
    [CATALOG_CONNECT_ROOTS] = {&curia__v1__ca_root__descriptor,
                               offsetof(Curia__V1__CaRoot, create_index),
                               offsetof(Curia__V1__CaRoot, modify_index)},
    [CATALOG_CONNECT_CONFIG] = {&curia__v1__ca_config__descriptor,
                                offsetof(Curia__V1__CaConfig, create_index),
                                offsetof(Curia__V1__CaConfig, modify_index)},
    [CATALOG_ACL_POLICIES] = {&curia__v1__acl_policy__descriptor,
                              offsetof(Curia__V1__AclPolicy, create_index),
                              offsetof(Curia__V1__AclPolicy, modify_index)},
    [CATALOG_ACL_ROLES] = {&curia__v1__acl_role__descriptor,
                           offsetof(Curia__V1__AclRole, create_index),
                           offsetof(Curia__V1__AclRole, modify_index)},
    [CATALOG_ACL_TOKENS] = {&curia__v1__acl_token__descriptor,
                            offsetof(Curia__V1__AclToken, create_index),
                            offsetof(Curia__V1__AclToken, modify_index)},
};

enum cu_err catalog_view_unpack(enum catalog_table table, const struct catalog_row *row,
                                struct cu_arena *arena, void *ret_message)
{
    const struct shape *shape = &shapes[table];
    CU_ASSERT(shape->type);
    /* Rows are our own: only a full arena makes it fail. */
    uint8_t *message = (uint8_t *)protobuf_c_message_unpack(shape->type, cu_arena_allocator(arena),
                                                            row->value.len, row->value.data);
    if (!message)
        return CU_E_TOO_LARGE;
    memcpy(message + shape->create_index, &row->create_index, sizeof row->create_index);
    memcpy(message + shape->modify_index, &row->modify_index, sizeof row->modify_index);
    memcpy(ret_message, &message, sizeof message);
    return CU_OK;
}

enum cu_err catalog_view_get(const struct catalog_view *view, enum catalog_table table,
                             struct cu_bytes key, struct cu_arena *arena, void *ret_message)
{
    static const void *const none = NULL;
    struct catalog_row row;
    if (!key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = view->backend->get(view->backend->context, table, key, arena, &row);
    if (!err)
        return catalog_view_unpack(table, &row, arena, ret_message);
    if (err == CU_E_NOT_FOUND)
        memcpy(ret_message, &none, sizeof none);
    return err == CU_E_NOT_FOUND ? CU_OK : err;
}

struct listing {
    enum catalog_table table;
    struct cu_arena *arena;
    struct catalog_list *list;
    enum cu_err err;
};

static bool add_row(void *arg, const struct catalog_row *row)
{
    struct listing *listing = arg;
    void *message;
    listing->err = catalog_view_unpack(listing->table, row, listing->arena, &message);
    if (!listing->err && !catalog_list_add(listing->list, listing->arena, message))
        listing->err = CU_E_TOO_LARGE;
    return !listing->err;
}

enum cu_err catalog_view_list(const struct catalog_view *view, enum catalog_table table,
                              struct cu_bytes prefix, struct cu_arena *arena,
                              struct catalog_list *list)
{
    struct listing listing = {.table = table, .arena = arena, .list = list};
    enum cu_err err = view->backend->scan(view->backend->context, table, prefix,
                                          (struct cu_bytes){NULL, 0}, add_row, &listing);
    return err ? err : listing.err;
}

/* Entries of maps of strings all look the same, whichever message they are of. */
bool catalog_view_meta_matches(const Curia__V1__Node *node, void *pairs, size_t count)
{
    Curia__V1__StringMap__EntriesEntry *const *wanted = pairs;
    for (size_t i = 0; i < count; i++) {
        bool is_there = false;
        for (size_t j = 0; node->meta && !is_there && j < node->meta->n_entries; j++)
            is_there = strcmp(node->meta->entries[j]->key, wanted[i]->key) == 0 &&
                       strcmp(node->meta->entries[j]->value, wanted[i]->value) == 0;
        if (!is_there)
            return false;
    }
    return true;
}
