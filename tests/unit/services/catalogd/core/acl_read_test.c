/* Reads of policies, roles and tokens (http-api.md 2.20; checklist 249, 251). */
#include "services/catalogd/core/acl_read.h"

#include "common/acl/authorizer.h"
#include "tests/lib/acl_state.h"
#include "tests/lib/suite.h"

#define SECRET "aaaaaaaa-2222-4222-8222-222222222222"
#define OTHER  "bbbbbbbb-2222-4222-8222-222222222222"

enum { HOUR_MS = 60 * 60 * 1000 };

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)borrowed;
}

/* Policies p1 and p2, role r1 of p1, token 5 of p1, token 6 of r1 that lasts for an hour. */
static void arrange(struct state *state)
{
    const struct acl
        p1 = {.id = acl_id(1), .name = "p1", .rules = "acl = \"read\"", .is_create = true},
        p2 = {.id = acl_id(2), .name = "p2", .is_create = true},
        r1 = {.id = acl_id(3), .name = "r1", .policies = {"p1"}, .is_create = true},
        one = {.id = acl_id(5), .secret = SECRET, .policies = {"p1"}, .is_create = true},
        other = {.id = acl_id(6),
                 .secret = OTHER,
                 .roles = {"r1"},
                 .ttl_ms = HOUR_MS,
                 .is_create = true};
    (void)acl_made_policy(state, acl_policy(state, &p1));
    (void)acl_made_policy(state, acl_policy(state, &p2));
    (void)acl_made_role(state, acl_role(state, &r1));
    (void)acl_made_token(state, acl_token(state, &one));
    (void)acl_made_token(state, acl_token(state, &other));
}

/* ---- policies and roles ---- */

static Curia__V1__AclPolicy *policy(struct state *state, const char *id, const char *name,
                                    uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__AclPolicyGetRequest request = CURIA__V1__ACL_POLICY_GET_REQUEST__INIT;
    Curia__V1__AclPolicyGetReply reply = CURIA__V1__ACL_POLICY_GET_REPLY__INIT;
    request.id = text(id);
    request.name = text(name);
    ck_assert_int_eq(catalog_acl_policy_read(&view, &request, state->arena, &reply, ret_index),
                     CU_OK);
    return reply.policy;
}

STATE_TEST(a_policy_is_found_by_id_and_by_name)
{
    uint64_t index;
    arrange(state);
    ck_assert_str_eq(policy(state, acl_id(1), "", &index)->name, "p1");
    ck_assert_uint_lt(index, state_index(state)); /* its own: no other policy moves it */
    ck_assert_str_eq(policy(state, "", "P2", &index)->id, acl_id(2));
    ck_assert_ptr_null(policy(state, acl_id(9), "", &index));
    ck_assert_ptr_null(policy(state, "x", "", &index));
    ck_assert_ptr_null(policy(state, "", "p9", &index));
}

STATE_TEST(policies_are_listed_by_id_without_their_rules)
{
    struct catalog_view view;
    Curia__V1__AclPolicyListRequest request = CURIA__V1__ACL_POLICY_LIST_REQUEST__INIT;
    Curia__V1__AclPolicyListReply reply = CURIA__V1__ACL_POLICY_LIST_REPLY__INIT;
    uint64_t index;
    arrange(state);
    view = state_view(state);
    ck_assert_int_eq(catalog_acl_policy_list(&view, &request, state->arena, &reply, &index), CU_OK);
    ck_assert_uint_eq(reply.n_policies, 2);
    ck_assert_str_eq(reply.policies[0]->name, "p1");
    ck_assert_str_eq(reply.policies[0]->rules, "");
    ck_assert_uint_eq(reply.policies[0]->hash.len, 32);
    ck_assert_uint_gt(reply.policies[1]->create_index, reply.policies[0]->create_index);
    ck_assert_uint_eq(index, reply.policies[1]->modify_index);
}

static size_t roles(struct state *state, const char *policy_id, uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__AclRoleListRequest request = CURIA__V1__ACL_ROLE_LIST_REQUEST__INIT;
    Curia__V1__AclRoleListReply reply = CURIA__V1__ACL_ROLE_LIST_REPLY__INIT;
    request.policy_id = text(policy_id);
    ck_assert_int_eq(catalog_acl_role_list(&view, &request, state->arena, &reply, ret_index),
                     CU_OK);
    for (size_t i = 0; i < reply.n_roles; i++)
        ck_assert_str_eq(reply.roles[i]->policies[0]->name, "p1");
    return reply.n_roles;
}

STATE_TEST(roles_are_listed_all_or_those_of_a_policy)
{
    uint64_t index, before;
    arrange(state);
    ck_assert_uint_eq(roles(state, "", &before), 1);
    ck_assert_uint_eq(roles(state, acl_id(1), &index), 1);
    ck_assert_uint_eq(roles(state, acl_id(2), &index), 0);
    ck_assert_uint_eq(roles(state, "x", &index), 0);
    ck_assert_str_eq(acl_policy(state, &(struct acl){.id = acl_id(2), .name = "p3"})->text, "");
    (void)roles(state, "", &index);
    ck_assert_uint_eq(index, state_index(state)); /* a name in it could be another */
    ck_assert_uint_gt(index, before);
}

STATE_TEST(a_role_is_found_by_name)
{
    struct catalog_view view;
    Curia__V1__AclRoleGetRequest request = CURIA__V1__ACL_ROLE_GET_REQUEST__INIT;
    Curia__V1__AclRoleGetReply reply = CURIA__V1__ACL_ROLE_GET_REPLY__INIT;
    uint64_t index;
    arrange(state);
    view = state_view(state);
    request.name = text("r1");
    ck_assert_int_eq(catalog_acl_role_read(&view, &request, state->arena, &reply, &index), CU_OK);
    ck_assert_str_eq(reply.role->id, acl_id(3));
}

/* ---- tokens ---- */

static Curia__V1__AclToken *token(struct state *state, const char *id, bool self,
                                  struct cu_authorizer *authorizer)
{
    struct catalog_view view = state_view(state);
    Curia__V1__AclTokenGetRequest request = CURIA__V1__ACL_TOKEN_GET_REQUEST__INIT;
    Curia__V1__AclTokenGetReply reply = CURIA__V1__ACL_TOKEN_GET_REPLY__INIT;
    uint64_t index;
    view.authorizer = authorizer;
    request.accessor_id = text(id);
    request.self = self;
    ck_assert_int_eq(
        catalog_acl_token_read(&view, &request, state->wall_ms, state->arena, &reply, &index),
        CU_OK);
    return reply.token;
}

static struct cu_authorizer *may_read(void)
{
    struct cu_rule rule = {.resource = CU_RESOURCE_ACL, .access = CU_ACCESS_READ};
    struct cu_rules rules = {&rule, 1};
    return cu_authorizer_new(&rules, 1, true, 77);
}

STATE_TEST(a_secret_is_shown_to_who_may_write_251)
{
    struct cu_authorizer *reader = may_read();
    arrange(state);
    ck_assert_str_eq(token(state, acl_id(5), false, cu_authorizer_all())->secret_id, SECRET);
    ck_assert_str_eq(token(state, acl_id(5), false, reader)->secret_id, "<hidden>");
    ck_assert_str_eq(token(state, acl_id(5), false, cu_authorizer_none())->secret_id, "<hidden>");
    ck_assert_str_eq(token(state, acl_id(5), false, NULL)->secret_id, "<hidden>");
    ck_assert_str_eq(token(state, acl_id(5), false, reader)->policies[0]->name, "p1");
    cu_authorizer_unref(reader);
}

STATE_TEST(ones_own_token_is_shown_whole)
{
    arrange(state);
    Curia__V1__AclToken *own = token(state, OTHER, true, cu_authorizer_none());
    ck_assert_str_eq(own->accessor_id, acl_id(6));
    ck_assert_str_eq(own->secret_id, OTHER);
    ck_assert_str_eq(own->roles[0]->name, "r1");
    ck_assert_ptr_null(token(state, "", true, cu_authorizer_none()));
    ck_assert_ptr_null(token(state, acl_id(5), true, cu_authorizer_none()));
    ck_assert_ptr_null(token(state, acl_id(9), false, cu_authorizer_all()));
    state->wall_ms += HOUR_MS;
    ck_assert_ptr_null(token(state, OTHER, true, cu_authorizer_none()));
}

static size_t tokens(struct state *state, const char *policy_id, const char *role_id)
{
    struct catalog_view view = state_view(state);
    Curia__V1__AclTokenListRequest request = CURIA__V1__ACL_TOKEN_LIST_REQUEST__INIT;
    Curia__V1__AclTokenListReply reply = CURIA__V1__ACL_TOKEN_LIST_REPLY__INIT;
    uint64_t index;
    view.authorizer = cu_authorizer_all();
    request.policy_id = text(policy_id);
    request.role_id = text(role_id);
    ck_assert_int_eq(
        catalog_acl_token_list(&view, &request, state->wall_ms, state->arena, &reply, &index),
        CU_OK);
    for (size_t i = 0; i < reply.n_tokens; i++)
        ck_assert_str_eq(reply.tokens[i]->secret_id, "");
    return reply.n_tokens;
}

STATE_TEST(tokens_are_listed_without_secrets_and_without_expired_ones_249)
{
    arrange(state);
    ck_assert_uint_eq(tokens(state, "", ""), 2);
    state->wall_ms += HOUR_MS;
    ck_assert_uint_eq(tokens(state, "", ""), 1);
}

STATE_TEST(tokens_are_listed_by_policy_and_by_role)
{
    arrange(state);
    ck_assert_uint_eq(tokens(state, acl_id(1), ""), 1);
    ck_assert_uint_eq(tokens(state, acl_id(2), ""), 0);
    ck_assert_uint_eq(tokens(state, "", acl_id(3)), 1);
    ck_assert(acl_policy(state, &(struct acl){.id = acl_id(1), .is_delete = true})->applied);
    ck_assert_uint_eq(tokens(state, acl_id(1), ""), 0); /* detached */
    ck_assert_uint_eq(tokens(state, "", "x"), 0);
}

SUITE_MAIN("catalogd/core/acl_read", a_policy_is_found_by_id_and_by_name,
           policies_are_listed_by_id_without_their_rules, roles_are_listed_all_or_those_of_a_policy,
           a_role_is_found_by_name, a_secret_is_shown_to_who_may_write_251,
           ones_own_token_is_shown_whole,
           tokens_are_listed_without_secrets_and_without_expired_ones_249,
           tokens_are_listed_by_policy_and_by_role)
