#include "tests/lib/acl_state.h"

#include <stdio.h>
#include <string.h>

#include "common/acl/authorizer.h"
#include "tests/lib/suite.h"

typedef Curia__Internal__V1__Command command_t;

static char *text(const char *given)
{
    return (char *)(uintptr_t)(given ? given : "");
}

const char *acl_id(unsigned number)
{
    static char ids[16][40];
    ck_assert_uint_lt(number, 16);
    (void)snprintf(ids[number], sizeof ids[number], "%08x-1111-4111-8111-111111111111", number);
    return ids[number];
}

static size_t count_of(const char *const names[ACL_NAMES])
{
    size_t count = 0;
    while (count < ACL_NAMES && names[count])
        count++;
    return count;
}

static Curia__V1__AclLink **links_of(struct state *state, const char *const names[ACL_NAMES])
{
    Curia__V1__AclLink **links = cu_arena_alloc(state->arena, ACL_NAMES * sizeof *links);
    for (size_t i = 0; i < count_of(names); i++) {
        links[i] = cu_arena_alloc(state->arena, sizeof **links);
        curia__v1__acl_link__init(links[i]);
        if (names[i][0] == '#')
            links[i]->id = text(names[i] + 1);
        else
            links[i]->name = text(names[i]);
    }
    return links;
}

static Curia__V1__AclServiceIdentity **services_of(struct state *state, const struct acl *acl)
{
    Curia__V1__AclServiceIdentity **all = cu_arena_alloc(state->arena, ACL_NAMES * sizeof *all);
    char **datacenters = cu_arena_alloc(state->arena, sizeof *datacenters);
    datacenters[0] = text(acl->datacenter);
    for (size_t i = 0; i < count_of(acl->services); i++) {
        all[i] = cu_arena_alloc(state->arena, sizeof **all);
        curia__v1__acl_service_identity__init(all[i]);
        all[i]->service_name = text(acl->services[i]);
        all[i]->datacenters = datacenters;
        all[i]->n_datacenters = acl->datacenter != NULL;
    }
    return all;
}

static Curia__V1__AclNodeIdentity **nodes_of(struct state *state, const struct acl *acl)
{
    Curia__V1__AclNodeIdentity **all = cu_arena_alloc(state->arena, ACL_NAMES * sizeof *all);
    for (size_t i = 0; i < count_of(acl->nodes); i++) {
        all[i] = cu_arena_alloc(state->arena, sizeof **all);
        curia__v1__acl_node_identity__init(all[i]);
        all[i]->node_name = text(acl->nodes[i]);
        all[i]->datacenter = text(acl->datacenter);
    }
    return all;
}

static acl_result *run(struct state *state, command_t *command, const char *actor)
{
    command->actor = text(actor ? actor : "anonymous");
    command->cause = text("api");
    struct catalog_outcome outcome = state_command(state, command);
    ck_assert_int_eq(outcome.fate, CATALOG_APPLIED);
    return outcome.result;
}

acl_result *acl_policy(struct state *state, const struct acl *acl)
{
    Curia__Internal__V1__AclPolicyCommand body = CURIA__INTERNAL__V1__ACL_POLICY_COMMAND__INIT;
    Curia__V1__AclPolicy policy = CURIA__V1__ACL_POLICY__INIT;
    command_t command = CURIA__INTERNAL__V1__COMMAND__INIT;
    char *datacenters[] = {text(acl->datacenter)};
    policy.id = text(acl->id);
    policy.name = text(acl->name);
    policy.description = text(acl->description);
    policy.rules = text(acl->rules);
    policy.datacenters = datacenters;
    policy.n_datacenters = acl->datacenter != NULL;
    body.policy = &policy;
    body.is_create = acl->is_create;
    body.is_delete = acl->is_delete;
    command.acl_policy = &body;
    return run(state, &command, acl->actor);
}

acl_result *acl_role(struct state *state, const struct acl *acl)
{
    Curia__Internal__V1__AclRoleCommand body = CURIA__INTERNAL__V1__ACL_ROLE_COMMAND__INIT;
    Curia__V1__AclRole role = CURIA__V1__ACL_ROLE__INIT;
    command_t command = CURIA__INTERNAL__V1__COMMAND__INIT;
    role.id = text(acl->id);
    role.name = text(acl->name);
    role.description = text(acl->description);
    role.policies = links_of(state, acl->policies);
    role.n_policies = count_of(acl->policies);
    role.service_identities = services_of(state, acl);
    role.n_service_identities = count_of(acl->services);
    role.node_identities = nodes_of(state, acl);
    role.n_node_identities = count_of(acl->nodes);
    body.role = &role;
    body.is_create = acl->is_create;
    body.is_delete = acl->is_delete;
    command.acl_role = &body;
    return run(state, &command, acl->actor);
}

acl_result *acl_token(struct state *state, const struct acl *acl)
{
    Curia__Internal__V1__AclTokenCommand body = CURIA__INTERNAL__V1__ACL_TOKEN_COMMAND__INIT;
    Curia__V1__AclToken token = CURIA__V1__ACL_TOKEN__INIT;
    command_t command = CURIA__INTERNAL__V1__COMMAND__INIT;
    token.accessor_id = text(acl->id);
    token.secret_id = text(acl->secret);
    token.description = text(acl->description);
    token.policies = links_of(state, acl->policies);
    token.n_policies = count_of(acl->policies);
    token.roles = links_of(state, acl->roles);
    token.n_roles = count_of(acl->roles);
    token.service_identities = services_of(state, acl);
    token.n_service_identities = count_of(acl->services);
    token.node_identities = nodes_of(state, acl);
    token.n_node_identities = count_of(acl->nodes);
    token.local = acl->local;
    token.expiration_time_ms = acl->expires_ms;
    body.token = &token;
    body.is_create = acl->is_create;
    body.is_delete = acl->is_delete;
    body.clone_of = text(acl->clone_of);
    body.has_expiration_ttl = acl->ttl_ms != 0;
    body.expiration_ttl_ms = acl->ttl_ms;
    command.acl_token = &body;
    return run(state, &command, acl->actor);
}

acl_result *acl_token_of(struct state *state, Curia__V1__AclToken *token, bool is_create)
{
    Curia__Internal__V1__AclTokenCommand body = CURIA__INTERNAL__V1__ACL_TOKEN_COMMAND__INIT;
    command_t command = CURIA__INTERNAL__V1__COMMAND__INIT;
    body.token = token;
    body.is_create = is_create;
    command.acl_token = &body;
    return run(state, &command, NULL);
}

static void *made(struct state *state, acl_result *result, const ProtobufCMessageDescriptor *type)
{
    ck_assert_str_eq(result->text, "");
    ck_assert_uint_gt(result->made.len, 0);
    void *message = protobuf_c_message_unpack(type, cu_arena_allocator(state->arena),
                                              result->made.len, result->made.data);
    ck_assert_ptr_nonnull(message);
    return message;
}

Curia__V1__AclPolicy *acl_made_policy(struct state *state, acl_result *result)
{
    return made(state, result, &curia__v1__acl_policy__descriptor);
}

Curia__V1__AclRole *acl_made_role(struct state *state, acl_result *result)
{
    return made(state, result, &curia__v1__acl_role__descriptor);
}

Curia__V1__AclToken *acl_made_token(struct state *state, acl_result *result)
{
    return made(state, result, &curia__v1__acl_token__descriptor);
}

static struct catalog_view view_of(struct state *state)
{
    struct catalog_view view = state_view(state);
    view.authorizer = cu_authorizer_all();
    return view;
}

Curia__V1__AclPolicy *acl_get_policy(struct state *state, const char *id)
{
    struct catalog_view view = view_of(state);
    Curia__V1__AclPolicyGetRequest request = CURIA__V1__ACL_POLICY_GET_REQUEST__INIT;
    Curia__V1__AclPolicyGetReply reply = CURIA__V1__ACL_POLICY_GET_REPLY__INIT;
    uint64_t index;
    request.id = text(id);
    ck_assert_int_eq(catalog_acl_policy_read(&view, &request, state->arena, &reply, &index), CU_OK);
    return reply.policy;
}

Curia__V1__AclRole *acl_get_role(struct state *state, const char *id)
{
    struct catalog_view view = view_of(state);
    Curia__V1__AclRoleGetRequest request = CURIA__V1__ACL_ROLE_GET_REQUEST__INIT;
    Curia__V1__AclRoleGetReply reply = CURIA__V1__ACL_ROLE_GET_REPLY__INIT;
    uint64_t index;
    request.id = text(id);
    ck_assert_int_eq(catalog_acl_role_read(&view, &request, state->arena, &reply, &index), CU_OK);
    return reply.role;
}

Curia__V1__AclToken *acl_get_token(struct state *state, const char *accessor_id)
{
    struct catalog_view view = view_of(state);
    Curia__V1__AclTokenGetRequest request = CURIA__V1__ACL_TOKEN_GET_REQUEST__INIT;
    Curia__V1__AclTokenGetReply reply = CURIA__V1__ACL_TOKEN_GET_REPLY__INIT;
    uint64_t index;
    request.accessor_id = text(accessor_id);
    ck_assert_int_eq(
        catalog_acl_token_read(&view, &request, state->wall_ms, state->arena, &reply, &index),
        CU_OK);
    return reply.token;
}

void acl_builtins(struct state *state, const char *master)
{
    Curia__Internal__V1__AclBuiltinsCommand body = CURIA__INTERNAL__V1__ACL_BUILTINS_COMMAND__INIT;
    command_t command = CURIA__INTERNAL__V1__COMMAND__INIT;
    body.master_secret_id = text(master);
    body.master_accessor_id = text(acl_id(15));
    command.acl_builtins = &body;
    ck_assert(run(state, &command, NULL)->applied);
}

void acl_hash_holds(struct state *state)
{
    struct cu_u128 sum = state_sum(state), hash = catalog_store_hash(state->store);
    ck_assert(sum.lo == hash.lo && sum.hi == hash.hi);
}
