#include "services/catalogd/core/acl_policy.h"

#include <string.h>

#include "common/acl/rules.h"
#include "common/base/assert.h"
#include "services/catalogd/core/acl_name.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/sentence.h"
#include "services/catalogd/core/store_state.h"

typedef Curia__V1__AclPolicy policy_t;

const char catalog_acl_management_rules[] = "\n"
                                            "acl = \"write\"\n"
                                            "agent_prefix \"\" {\n\tpolicy = \"write\"\n}\n"
                                            "event_prefix \"\" {\n\tpolicy = \"write\"\n}\n"
                                            "key_prefix \"\" {\n\tpolicy = \"write\"\n}\n"
                                            "keyring = \"write\"\n"
                                            "node_prefix \"\" {\n\tpolicy = \"write\"\n}\n"
                                            "operator = \"write\"\n"
                                            "query_prefix \"\" {\n\tpolicy = \"write\"\n}\n"
                                            "service_prefix \"\" {\n\tpolicy = \"write\"\n"
                                            "\tintentions = \"write\"\n}\n"
                                            "session_prefix \"\" {\n\tpolicy = \"write\"\n}";

static bool refuse(struct catalog_refusal *refusal, const char *sentence)
{
    return catalog_acl_refuse(refusal, CU_E_INVALID, sentence);
}

/* ---- what one must hold ---- */

static bool check(const policy_t *policy, struct catalog_refusal *refusal)
{
    if (!*policy->name)
        return refuse(refusal, "Invalid Policy: no Name is set");
    if (!catalog_acl_name_is_valid(policy->name, CATALOG_ACL_POLICY_NAME_BYTES_MAX))
        return refuse(refusal, "Invalid Policy: invalid Name. Only alphanumeric characters, '-' "
                               "and '_' are allowed");
    if (strlen(policy->rules) > CU_RULES_BYTES_MAX)
        return catalog_acl_refuse(refusal, CU_E_TOO_LARGE, "Rules exceed maximum length 524288");
    return catalog_acl_check_description(policy->description, refusal) &&
           catalog_acl_check_datacenters(policy->datacenters, policy->n_datacenters, refusal);
}
_Static_assert(CU_RULES_BYTES_MAX == 524288, "named in the sentence above");

bool catalog_acl_policy_prepare(Curia__Internal__V1__AclPolicyCommand *command,
                                struct cu_arena *arena, struct catalog_refusal *refusal)
{
    policy_t *policy = command->policy;
    if (!policy)
        return refuse(refusal, "there is no policy in it");
    if (!command->is_delete && !check(policy, refusal))
        return false;
    char *id = catalog_acl_id(arena, policy->id);
    if (!id)
        return refuse(refusal, "Policy ID invalid UUID");
    policy->id = id;
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
static enum cu_err get(struct catalog_store *store, const char *id, policy_t **ret_policy)
{
    struct catalog_row row;
    enum cu_err err = catalog_store_get(store, CATALOG_ACL_POLICIES, key_of(store, id), &row);
    *ret_policy = NULL;
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    *ret_policy = curia__v1__acl_policy__unpack(cu_arena_allocator(store->scratch), row.value.len,
                                                row.value.data);
    if (!*ret_policy)
        return CU_E_CORRUPT;
    (*ret_policy)->create_index = row.create_index;
    (*ret_policy)->modify_index = row.modify_index;
    return CU_OK;
}

static enum cu_err put(struct catalog_store *store, policy_t *policy)
{
    static char nothing[] = "";
    policy_t content = *policy;
    content.id = nothing;
    content.hash = (ProtobufCBinaryData){0};
    content.create_index = content.modify_index = 0;
    bool hashed = catalog_acl_hash(&content, store->scratch, &policy->hash);
    policy->create_index = policy->modify_index = 0;
    uint8_t *packed =
        cu_arena_alloc(store->scratch, curia__v1__acl_policy__get_packed_size(policy));
    CU_ASSERT(hashed && packed);
    struct cu_bytes value = {packed, curia__v1__acl_policy__pack(policy, packed)};
    return store_put(store, CATALOG_ACL_POLICIES, key_of(store, policy->id), value, NULL);
}

static bool check_builtin(const policy_t *policy, struct catalog_refusal *refusal)
{
    if (strcmp(policy->id, CATALOG_ACL_MANAGEMENT_ID) != 0)
        return true;
    if (policy->n_datacenters)
        return refuse(refusal, "Changing the Datacenters of the builtin global-management policy "
                               "is not permitted");
    return strcmp(policy->rules, catalog_acl_management_rules) == 0 ||
           refuse(refusal, "Changing the Rules for the builtin global-management policy is not "
                           "permitted");
}

/* That nobody else has the name. */
static enum cu_err check_name(struct catalog_store *store,
                              const Curia__Internal__V1__AclPolicyCommand *command,
                              struct catalog_refusal *refusal)
{
    const policy_t *policy = command->policy;
    struct cu_bytes holder;
    enum cu_err err = catalog_acl_find(store->backend, CATALOG_ACL_POLICIES, policy->name,
                                       store->scratch, &holder);
    if (err || !holder.data || cu_bytes_equal(holder, key_of(store, policy->id)))
        return err;
    (void)refuse(refusal,
                 catalog_sentence(store->scratch,
                                  command->is_create ? "Invalid Policy: A Policy with Name \"%s\" "
                                                       "already exists"
                                                     : "Invalid Policy: A policy with name \"%s\" "
                                                       "already exists",
                                  policy->name));
    return CU_OK;
}

static enum cu_err set(struct catalog_store *store,
                       const Curia__Internal__V1__AclPolicyCommand *command,
                       struct catalog_acl_done *done)
{
    policy_t *policy = command->policy, *now;
    enum cu_err err = get(store, policy->id, &now);
    if (err)
        return err;
    if (command->is_create && (now || catalog_acl_id_is_reserved(policy->id)))
        (void)refuse(&done->refusal, "Invalid Policy: the ID is already in use");
    else if (!command->is_create && !now)
        (void)refuse(&done->refusal,
                     catalog_sentence(store->scratch, "cannot find policy %s", policy->id));
    else
        err = check_name(store, command, &done->refusal);
    if (err || done->refusal.text || !check_builtin(policy, &done->refusal))
        return err;
    err = put(store, policy);
    if (!err)
        err = get(store, policy->id, &now);
    done->made = err ? NULL : &now->base;
    return err;
}

enum cu_err catalog_acl_policy_apply(struct catalog_store *store,
                                     Curia__Internal__V1__AclPolicyCommand *command,
                                     struct catalog_acl_done *ret_done)
{
    *ret_done = (struct catalog_acl_done){0};
    if (!catalog_acl_policy_prepare(command, store->scratch, &ret_done->refusal))
        return CU_OK;
    if (!command->is_delete)
        return set(store, command, ret_done);
    if (strcmp(command->policy->id, CATALOG_ACL_MANAGEMENT_ID) == 0) {
        (void)refuse(&ret_done->refusal,
                     "Delete operation not permitted on the builtin global-management policy");
        return CU_OK;
    }
    return store_del(store, CATALOG_ACL_POLICIES, key_of(store, command->policy->id), NULL);
}

/* ---- the built-in one ---- */

enum cu_err catalog_acl_policy_ensure(struct catalog_store *store)
{
    static char id[] = CATALOG_ACL_MANAGEMENT_ID, name[] = "global-management",
                description[] = "Builtin Policy that grants unlimited access";
    policy_t made = CURIA__V1__ACL_POLICY__INIT, *now;
    enum cu_err err = get(store, id, &now);
    if (err || (now && strcmp(now->rules, catalog_acl_management_rules) == 0))
        return err;
    made.id = id;
    made.name = now ? now->name : name;
    made.description = now ? now->description : description;
    made.rules = (char *)(uintptr_t)catalog_acl_management_rules;
    return put(store, &made);
}
