#include "services/catalogd/core/acl_role.h"

#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/sentence.h"
#include "services/catalogd/core/store_state.h"

typedef Curia__V1__AclRole role_t;

static bool refuse(struct catalog_refusal *refusal, const char *sentence)
{
    return catalog_acl_refuse(refusal, CU_E_INVALID, sentence);
}

/* ---- what one must hold ---- */

static bool check(role_t *role, struct cu_arena *arena, struct catalog_refusal *refusal)
{
    struct catalog_acl_identities identities = {.whose = "role",
                                                .services = role->service_identities,
                                                .service_count = &role->n_service_identities,
                                                .nodes = role->node_identities,
                                                .node_count = &role->n_node_identities};
    if (!*role->name)
        return refuse(refusal, "Invalid Role: no Name is set");
    if (!catalog_acl_name_is_valid(role->name, CATALOG_ACL_ROLE_NAME_BYTES_MAX))
        return refuse(refusal, "Invalid Role: invalid Name. Only alphanumeric characters, '-' and "
                               "'_' are allowed");
    return catalog_acl_check_description(role->description, refusal) &&
           catalog_acl_prepare_identities(&identities, arena, refusal);
}

bool catalog_acl_role_prepare(Curia__Internal__V1__AclRoleCommand *command, struct cu_arena *arena,
                              struct catalog_refusal *refusal)
{
    role_t *role = command->role;
    if (!role)
        return refuse(refusal, "there is no role in it");
    if (!command->is_delete && !check(role, arena, refusal))
        return false;
    char *id = catalog_acl_id(arena, role->id);
    if (!id)
        return refuse(refusal, "Role ID invalid UUID");
    role->id = id;
    return true;
}

/* ---- the state ---- */

static struct cu_bytes key_of(struct catalog_store *store, const char *id)
{
    struct cu_bytes key = catalog_key_of(store->scratch, cu_bytes_of(id));
    CU_ASSERT(key.data);
    return key;
}

/* NULL: there is none. */
static enum cu_err get(struct catalog_store *store, const char *id, role_t **ret_role)
{
    struct catalog_row row;
    enum cu_err err = catalog_store_get(store, CATALOG_ACL_ROLES, key_of(store, id), &row);
    *ret_role = NULL;
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    *ret_role = curia__v1__acl_role__unpack(cu_arena_allocator(store->scratch), row.value.len,
                                            row.value.data);
    if (!*ret_role)
        return CU_E_CORRUPT;
    (*ret_role)->create_index = row.create_index;
    (*ret_role)->modify_index = row.modify_index;
    return CU_OK;
}

static enum cu_err put(struct catalog_store *store, role_t *role, struct catalog_refusal *refusal)
{
    static char nothing[] = "";
    role_t content = *role;
    content.id = nothing;
    content.hash = (ProtobufCBinaryData){0};
    content.create_index = content.modify_index = 0;
    bool hashed = catalog_acl_hash(&content, store->scratch, &role->hash);
    role->create_index = role->modify_index = 0;
    size_t len = curia__v1__acl_role__get_packed_size(role);
    if (len > CATALOG_ROW_BYTES_MAX) {
        (void)catalog_acl_refuse(refusal, CU_E_TOO_LARGE, "the role is too large");
        return CU_OK;
    }
    uint8_t *packed = cu_arena_alloc(store->scratch, len);
    CU_ASSERT(hashed && packed);
    struct cu_bytes value = {packed, curia__v1__acl_role__pack(role, packed)};
    return store_put(store, CATALOG_ACL_ROLES, key_of(store, role->id), value, NULL);
}

/* That nobody else has the name. */
static enum cu_err check_name(struct catalog_store *store,
                              const Curia__Internal__V1__AclRoleCommand *command,
                              struct catalog_refusal *refusal)
{
    const role_t *role = command->role;
    struct cu_bytes holder;
    enum cu_err err =
        catalog_acl_find(store->backend, CATALOG_ACL_ROLES, role->name, store->scratch, &holder);
    if (err || !holder.data || cu_bytes_equal(holder, key_of(store, role->id)))
        return err;
    (void)refuse(refusal,
                 catalog_sentence(store->scratch,
                                  command->is_create
                                      ? "Invalid Role: A Role with Name \"%s\" already exists"
                                      : "Invalid Role: A role with name \"%s\" already exists",
                                  role->name));
    return CU_OK;
}

static struct catalog_acl_links links_of(role_t *role)
{
    return (struct catalog_acl_links){CATALOG_ACL_POLICIES, role->policies, &role->n_policies};
}

enum cu_err catalog_acl_role_name(struct catalog_acl_names *names, role_t *role)
{
    struct catalog_acl_links links = links_of(role);
    return catalog_acl_name_links(names, &links);
}

/* As it is now, for the answer. */
static enum cu_err show(struct catalog_store *store, const char *id, struct catalog_acl_done *done)
{
    struct catalog_acl_names names = {.backend = store->backend, .arena = store->scratch};
    role_t *now;
    enum cu_err err = get(store, id, &now);
    if (!err)
        err = catalog_acl_role_name(&names, now);
    catalog_acl_names_deinit(&names);
    done->made = err ? NULL : &now->base;
    return err;
}

static enum cu_err set(struct catalog_store *store,
                       const Curia__Internal__V1__AclRoleCommand *command,
                       struct catalog_acl_done *done)
{
    role_t *role = command->role, *now;
    struct catalog_acl_links links = links_of(role);
    enum cu_err err = get(store, role->id, &now);
    if (err)
        return err;
    if (command->is_create && (now || catalog_acl_id_is_reserved(role->id)))
        (void)refuse(&done->refusal, "Invalid Role: the ID is already in use");
    else if (!command->is_create && !now)
        (void)refuse(&done->refusal,
                     catalog_sentence(store->scratch, "cannot find role %s", role->id));
    else
        err = check_name(store, command, &done->refusal);
    if (!err && !done->refusal.text)
        err = catalog_acl_resolve_links(store, &links, &done->refusal);
    if (!err && !done->refusal.text)
        err = put(store, role, &done->refusal);
    return err || done->refusal.text ? err : show(store, role->id, done);
}

enum cu_err catalog_acl_role_apply(struct catalog_store *store,
                                   Curia__Internal__V1__AclRoleCommand *command,
                                   struct catalog_acl_done *ret_done)
{
    *ret_done = (struct catalog_acl_done){0};
    if (!catalog_acl_role_prepare(command, store->scratch, &ret_done->refusal))
        return CU_OK;
    return command->is_delete
               ? store_del(store, CATALOG_ACL_ROLES, key_of(store, command->role->id), NULL)
               : set(store, command, ret_done);
}
