#include "services/catalogd/core/acl_name.h"

#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/lookup.h"
#include "services/catalogd/core/sentence.h"
#include "services/catalogd/core/store_state.h"

typedef Curia__V1__AclLink link_t;

enum { ROW_ARENA_BYTES = 8 * 1024 * 1024 }; /* one row, twice */

static bool is_policy(enum catalog_table table)
{
    return table == CATALOG_ACL_POLICIES;
}

static enum catalog_lookup lookup_of(enum catalog_table table)
{
    return is_policy(table) ? CATALOG_LOOKUP_POLICY_NAME : CATALOG_LOOKUP_ROLE_NAME;
}

/* In the arena; NULL: it does not decode, or the arena is full. */
static const char *name_of(enum catalog_table table, struct cu_bytes value, struct cu_arena *arena)
{
    if (is_policy(table)) {
        const Curia__V1__AclPolicy *policy =
            curia__v1__acl_policy__unpack(cu_arena_allocator(arena), value.len, value.data);
        return policy ? policy->name : NULL;
    }
    const Curia__V1__AclRole *role =
        curia__v1__acl_role__unpack(cu_arena_allocator(arena), value.len, value.data);
    return role ? role->name : NULL;
}

/* ---- by name ---- */

static enum cu_err move_name(struct catalog_store *store, struct cu_bytes to,
                             enum catalog_table table, const char *name,
                             enum cu_err (*write)(struct catalog_store *, struct cu_bytes))
{
    struct cu_bytes key = catalog_lookup_key(store->scratch, lookup_of(table), name, to);
    CU_ASSERT(key.data);
    return write(store, key);
}

static enum cu_err derive(struct catalog_store *store, const struct catalog_moved *moved)
{
    bool is_gone = moved->operation == CATALOG_DELETE;
    const char *was = NULL, *is = NULL;
    if (moved->before && !(was = name_of(moved->table, moved->before->value, store->scratch)))
        return CU_E_CORRUPT;
    if (!is_gone && !(is = name_of(moved->table, moved->after, store->scratch)))
        return CU_E_CORRUPT;
    if (was && is && catalog_name_equal(was, is))
        return CU_OK;
    enum cu_err err = CU_OK;
    if (was)
        err = move_name(store, moved->key, moved->table, was, catalog_store_drop_lookup);
    if (!err && is)
        err = move_name(store, moved->key, moved->table, is, catalog_store_add_lookup);
    return err;
}

enum cu_err catalog_acl_derive_policy(struct catalog_store *store,
                                      const struct catalog_moved *moved, bool *ret_is_quiet)
{
    (void)ret_is_quiet;
    return derive(store, moved);
}

enum cu_err catalog_acl_derive_role(struct catalog_store *store, const struct catalog_moved *moved,
                                    bool *ret_is_quiet)
{
    (void)ret_is_quiet;
    return derive(store, moved);
}

enum cu_err catalog_acl_find(const struct catalog_backend *backend, enum catalog_table table,
                             const char *name, struct cu_arena *arena, struct cu_bytes *ret_key)
{
    struct catalog_list keys = {0};
    struct cu_bytes prefix =
        catalog_lookup_key(arena, lookup_of(table), name, (struct cu_bytes){NULL, 0});
    enum cu_err err = catalog_lookup_targets(backend, prefix, arena, &keys);
    *ret_key = (struct cu_bytes){NULL, 0};
    if (!err && keys.count)
        *ret_key = *(const struct cu_bytes *)keys.items[0];
    return err;
}

/* ---- links of a request ---- */

static const char *thing(enum catalog_table table)
{
    return is_policy(table) ? "policy" : "role";
}

/* What one link is resolved with; `small` is for a moment. */
struct resolving {
    struct catalog_store *store;
    enum catalog_table table;
    struct cu_arena *small;
    struct catalog_refusal *refusal;
};

static enum cu_err no_such(const struct resolving *r, const char *by, const char *what)
{
    (void)catalog_acl_refuse(r->refusal, CU_E_INVALID,
                             catalog_sentence(r->store->scratch, "No such ACL %s with %s \"%s\"",
                                              thing(r->table), by, what));
    return CU_OK;
}

static enum cu_err resolve_name(const struct resolving *r, link_t *link)
{
    struct cu_bytes key, id;
    enum cu_err err = catalog_acl_find(r->store->backend, r->table, link->name, r->small, &key);
    CU_ASSERT(err != CU_E_TOO_LARGE); /* a name is one row of a lookup */
    if (err)
        return err;
    if (!key.data)
        return no_such(r, "name", link->name);
    if (!catalog_key_user(key, &id))
        return CU_E_CORRUPT;
    link->id = cu_arena_alloc(r->store->scratch, id.len + 1);
    CU_ASSERT(link->id);
    memcpy(link->id, id.data, id.len);
    return CU_OK;
}

static enum cu_err resolve_id(const struct resolving *r, link_t *link)
{
    const struct catalog_backend *backend = r->store->backend;
    struct catalog_row row;
    char *id = catalog_acl_id(r->store->scratch, link->id);
    if (!id)
        return no_such(r, "ID", link->id);
    struct cu_bytes key = catalog_key_of(r->small, cu_bytes_of(id));
    CU_ASSERT(key.data);
    enum cu_err err = backend->get(backend->context, r->table, key, r->small, &row);
    if (err == CU_E_NOT_FOUND)
        return no_such(r, "ID", link->id);
    link->id = id;
    return err;
}

static bool is_linked(link_t *const *links, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(links[i]->id, id) == 0)
            return true;
    return false;
}

enum cu_err catalog_acl_resolve_links(struct catalog_store *store,
                                      const struct catalog_acl_links *links,
                                      struct catalog_refusal *refusal)
{
    static char nothing[] = "";
    struct resolving r = {store, links->table, cu_arena_new(ROW_ARENA_BYTES), refusal};
    size_t kept = 0;
    enum cu_err err = CU_OK;
    if (*links->count > CATALOG_ACL_LINKS_EACH_MAX)
        (void)catalog_acl_refuse(refusal, CU_E_TOO_LARGE, "too many links");
    for (size_t i = 0; !err && !refusal->text && i < *links->count; i++) {
        link_t *link = links->items[i];
        cu_arena_reset(r.small);
        err = (*link->id ? resolve_id : resolve_name)(&r, link);
        link->name = nothing;
        if (!err && !refusal->text && !is_linked(links->items, kept, link->id))
            links->items[kept++] = link;
    }
    cu_arena_free(r.small);
    *links->count = kept;
    return err;
}

/* ---- links of an answer ---- */

void catalog_acl_names_deinit(struct catalog_acl_names *names)
{
    cu_map_deinit(&names->policies);
    cu_map_deinit(&names->roles);
}

/* `small` holds one row, rules and all, for a moment. */
static enum cu_err read_name(struct catalog_acl_names *names, enum catalog_table table,
                             const char *id, struct cu_arena *small, char **ret_name)
{
    const struct catalog_backend *backend = names->backend;
    struct catalog_row row;
    struct cu_bytes key = catalog_key_of(small, cu_bytes_of(id));
    if (!key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = backend->get(backend->context, table, key, small, &row);
    if (err && err != CU_E_NOT_FOUND)
        return err;
    const char *name = err ? "" : name_of(table, row.value, small);
    *ret_name = name ? cu_arena_strdup(names->arena, name) : NULL;
    return *ret_name ? CU_OK : CU_E_TOO_LARGE;
}

static enum cu_err find_name(struct catalog_acl_names *names, enum catalog_table table,
                             const char *id, char **ret_name)
{
    struct cu_map *known = is_policy(table) ? &names->policies : &names->roles;
    *ret_name = cu_map_get(known, cu_bytes_of(id));
    if (*ret_name)
        return CU_OK;
    struct cu_arena *small = cu_arena_new(ROW_ARENA_BYTES);
    enum cu_err err = read_name(names, table, id, small, ret_name);
    cu_arena_free(small);
    if (!err)
        (void)cu_map_put(known, cu_bytes_of(id), *ret_name);
    return err;
}

enum cu_err catalog_acl_name_links(struct catalog_acl_names *names,
                                   const struct catalog_acl_links *links)
{
    size_t kept = 0;
    for (size_t i = 0; i < *links->count; i++) {
        link_t *link = links->items[i];
        enum cu_err err = find_name(names, links->table, link->id, &link->name);
        if (err)
            return err;
        if (*link->name)
            links->items[kept++] = link;
    }
    *links->count = kept;
    return CU_OK;
}
