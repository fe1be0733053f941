#include "services/catalogd/core/acl_builtin.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "services/catalogd/core/acl_policy.h"
#include "services/catalogd/core/acl_token.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/sentence.h"
#include "services/catalogd/core/store_state.h"

typedef Curia__V1__AclToken token_t;

#define SETTING_BOOTSTRAP "acl-bootstrap" /* in the table of settings */

/* ---- there has been one ---- */

enum cu_err catalog_acl_reset_index(const struct catalog_backend *backend, struct cu_arena *arena,
                                    uint64_t *ret_index)
{
    struct catalog_row row;
    struct cu_bytes key = catalog_key_of(arena, cu_bytes_of(SETTING_BOOTSTRAP));
    *ret_index = 0;
    if (!key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = backend->get(backend->context, CATALOG_SETTINGS, key, arena, &row);
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    *ret_index = row.modify_index;
    return CU_OK;
}

static enum cu_err note_bootstrap(struct catalog_store *store, const char *accessor_id)
{
    Curia__Internal__V1__AclBootstrapRow row = CURIA__INTERNAL__V1__ACL_BOOTSTRAP_ROW__INIT;
    row.accessor_id = (char *)(uintptr_t)accessor_id;
    struct cu_bytes key = catalog_key_of(store->scratch, cu_bytes_of(SETTING_BOOTSTRAP));
    uint8_t *packed = cu_arena_alloc(
        store->scratch, curia__internal__v1__acl_bootstrap_row__get_packed_size(&row) + 1);
    CU_ASSERT(key.data && packed);
    struct cu_bytes value = {packed, curia__internal__v1__acl_bootstrap_row__pack(&row, packed)};
    return store_put(store, CATALOG_SETTINGS, key, value, NULL);
}

struct catalog_refusal catalog_acl_bootstrap_refusal(uint64_t reset_index, uint64_t written,
                                                     struct cu_arena *arena)
{
    unsigned long long reset = reset_index, given = written;
    if (!reset || given == reset)
        return (struct catalog_refusal){CU_OK, NULL};
    if (!given)
        return (struct catalog_refusal){
            CU_E_DENIED, catalog_sentence(arena,
                                          "Permission denied: ACL bootstrap no longer allowed "
                                          "(reset index: %llu)",
                                          reset)};
    return (struct catalog_refusal){
        CU_E_INVALID,
        catalog_sentence(arena, "Invalid bootstrap reset index (specified %llu, reset index: %llu)",
                         given, reset)};
}

/* ---- tokens ---- */

/* What a token of the system looks like. */
struct maker {
    const char *accessor_id, *secret_id, *description;
    bool is_management;
};

static enum cu_err make(struct catalog_store *store, const struct maker *maker, token_t **ret_token)
{
    Curia__V1__AclLink link = CURIA__V1__ACL_LINK__INIT, *links[] = {&link};
    token_t token = CURIA__V1__ACL_TOKEN__INIT;
    link.id = CATALOG_ACL_MANAGEMENT_ID;
    token.accessor_id = (char *)(uintptr_t)maker->accessor_id;
    token.secret_id = (char *)(uintptr_t)maker->secret_id;
    token.description = (char *)(uintptr_t)maker->description;
    token.policies = links;
    token.n_policies = maker->is_management;
    return catalog_acl_token_make(store, &token, ret_token);
}

static enum cu_err make_anonymous(struct catalog_store *store)
{
    token_t *made; /* NULL: it is there already */
    return make(store,
                &(struct maker){CATALOG_ACL_ANONYMOUS_ID, CATALOG_ACL_ANONYMOUS_SECRET,
                                "Anonymous Token", false},
                &made);
}

static enum cu_err ensure(struct catalog_store *store)
{
    enum cu_err err = catalog_acl_policy_ensure(store);
    return err ? err : make_anonymous(store);
}

static enum cu_err make_master(struct catalog_store *store,
                               const Curia__Internal__V1__AclBuiltinsCommand *command)
{
    token_t *made;
    uint64_t reset_index;
    char *id = catalog_acl_id(store->scratch, command->master_accessor_id);
    size_t len = strlen(command->master_secret_id);
    if (len == 0 || len > CATALOG_ACL_SECRET_BYTES_MAX || !id || catalog_acl_id_is_reserved(id))
        return CU_OK;
    enum cu_err err =
        make(store, &(struct maker){id, command->master_secret_id, "Master Token", true}, &made);
    if (err || !made)
        return err;
    err = catalog_acl_reset_index(store->backend, store->scratch, &reset_index);
    return err || reset_index ? err : note_bootstrap(store, id);
}

/* ---- apply ---- */

enum cu_err catalog_acl_builtins_apply(struct catalog_store *store,
                                       const Curia__Internal__V1__AclBuiltinsCommand *command)
{
    enum cu_err err = ensure(store);
    return err ? err : make_master(store, command);
}

static bool check_bootstrap(const Curia__Internal__V1__AclBootstrapCommand *command,
                            struct catalog_refusal *refusal)
{
    return (cu_is_uuid(command->accessor_id) && cu_is_uuid(command->secret_id) &&
            strcmp(command->accessor_id, command->secret_id) != 0 &&
            !catalog_acl_id_is_reserved(command->accessor_id) &&
            !catalog_acl_id_is_reserved(command->secret_id)) ||
           catalog_acl_refuse(refusal, CU_E_INVALID, "there are no usable ids in it");
}

enum cu_err catalog_acl_bootstrap_apply(struct catalog_store *store,
                                        const Curia__Internal__V1__AclBootstrapCommand *command,
                                        struct catalog_acl_done *ret_done)
{
    uint64_t reset_index;
    token_t *made = NULL;
    *ret_done = (struct catalog_acl_done){0};
    if (!check_bootstrap(command, &ret_done->refusal))
        return CU_OK;
    enum cu_err err = catalog_acl_reset_index(store->backend, store->scratch, &reset_index);
    if (err)
        return err;
    ret_done->refusal =
        catalog_acl_bootstrap_refusal(reset_index, command->reset_index, store->scratch);
    if (ret_done->refusal.text)
        return CU_OK;
    char *id = catalog_acl_id(store->scratch, command->accessor_id);
    err = ensure(store);
    if (!err)
        err = make(
            store,
            &(struct maker){id, command->secret_id, "Bootstrap Token (Global Management)", true},
            &made);
    if (!err && !made)
        (void)catalog_acl_refuse(&ret_done->refusal, CU_E_CONFLICT, "the ids are in use");
    if (err || !made)
        return err;
    ret_done->made = &made->base;
    return note_bootstrap(store, id);
}

/* ---- what is missing ---- */

static enum cu_err is_policy_missing(const struct catalog_view *view, struct cu_arena *arena,
                                     bool *ret_missing)
{
    Curia__V1__AclPolicy *policy;
    struct cu_bytes key = catalog_key_of(arena, cu_bytes_of(CATALOG_ACL_MANAGEMENT_ID));
    enum cu_err err = catalog_view_get(view, CATALOG_ACL_POLICIES, key, arena, &policy);
    *ret_missing = !err && (!policy || strcmp(policy->rules, catalog_acl_management_rules) != 0);
    return err;
}

enum cu_err catalog_acl_builtins_missing(const struct catalog_view *view,
                                         const char *master_secret_id, struct cu_arena *arena,
                                         bool *ret_missing)
{
    char *found;
    enum cu_err err = is_policy_missing(view, arena, ret_missing);
    if (err || *ret_missing)
        return err;
    err = catalog_acl_secret_get(view->backend, CATALOG_ACL_BY_SECRET, CATALOG_ACL_ANONYMOUS_SECRET,
                                 arena, &found);
    *ret_missing = !err && !found;
    if (err || *ret_missing || !*master_secret_id)
        return err;
    err = catalog_acl_secret_get(view->backend, CATALOG_ACL_BY_SECRET, master_secret_id, arena,
                                 &found);
    *ret_missing = !err && !found;
    return err;
}
