/* From a secret to the policies that hold for it (http-api.md 4.2, 4.5; checklist 249, 258, 259).
 */
#include "services/catalogd/core/acl_resolve.h"

#include <string.h>

#include "common/acl/authorizer.h"
#include "services/catalogd/core/acl.h"
#include "tests/lib/acl_state.h"
#include "tests/lib/suite.h"

#define SECRET "aaaaaaaa-2222-4222-8222-222222222222"
#define OTHER  "bbbbbbbb-2222-4222-8222-222222222222"

static const struct catalog_acl_terms here = {"dc1", false, 1};

static enum cu_err resolve(struct state *state, const struct catalog_acl_terms *terms,
                           const char *secret, struct catalog_acl_worth *ret_worth,
                           struct cu_diag *diag)
{
    struct catalog_view view = state_view(state);
    *ret_worth = (struct catalog_acl_worth){0};
    *diag = (struct cu_diag){0};
    return catalog_acl_resolve(&view, terms, secret, state->arena, ret_worth, diag);
}

static struct catalog_acl_worth worth_of(struct state *state, const struct catalog_acl_terms *terms,
                                         const char *secret)
{
    struct catalog_acl_worth worth;
    struct cu_diag diag;
    ck_assert_msg(!resolve(state, terms, secret, &worth, &diag), "%s: %s", secret, diag.text);
    return worth;
}

/* "ID ID ...", short. */
static const char *policies(struct state *state, const struct catalog_acl_worth *worth)
{
    const char *text = "";
    for (size_t i = 0; i < worth->policy_count; i++)
        text = cu_arena_printf(state->arena, "%s%.*s ", text,
                               strchr(worth->policies[i].id, ':') ? 99 : 8, worth->policies[i].id);
    return text;
}

/* Policies 1 (of dc1), 2 (of dc9), 4; role 3 of 1 and 4 and of the service db. */
static void arrange(struct state *state)
{
    const struct acl p1 = {.id = acl_id(1), .name = "p1", .rules = "a", .is_create = true},
                     p4 = {.id = acl_id(4), .name = "p4", .rules = "d", .is_create = true},
                     r3 = {.id = acl_id(3),
                           .name = "r3",
                           .policies = {"p1", "p4"},
                           .services = {"db"},
                           .is_create = true};
    (void)acl_made_policy(state, acl_policy(state, &p1));
    (void)acl_made_policy(state, acl_policy(state, &p4));
    (void)acl_made_role(state, acl_role(state, &r3));
}

static void make_token(struct state *state, struct acl acl)
{
    acl.is_create = true;
    (void)acl_made_token(state, acl_token(state, &acl));
}

STATE_TEST(policies_of_the_token_and_of_its_roles_hold_each_once_by_id)
{
    arrange(state);
    make_token(state, (struct acl){.id = acl_id(5),
                                   .secret = SECRET,
                                   .policies = {"p4"},
                                   .roles = {"r3"},
                                   .services = {"web", "db"}});
    struct catalog_acl_worth worth = worth_of(state, &here, SECRET);
    ck_assert_str_eq(policies(state, &worth),
                     "00000001 00000004 service-identity:db service-identity:web ");
    ck_assert_str_eq(worth.accessor_id, acl_id(5));
    /* itself, its policy, its role and what that has */
    ck_assert_uint_eq(worth.rest_count, 5);
    ck_assert_int_eq(worth.rests[0].table, CATALOG_ACL_TOKENS);
    ck_assert_str_eq(worth.rests[0].id, acl_id(5));
    ck_assert_uint_eq(worth.rests[0].modify_index, acl_get_token(state, acl_id(5))->modify_index);
    ck_assert_int_eq(worth.rests[1].table, CATALOG_ACL_POLICIES);
    ck_assert_str_eq(worth.rests[1].id, acl_id(4));
    ck_assert_uint_eq(worth.rests[1].modify_index, acl_get_policy(state, acl_id(4))->modify_index);
    ck_assert_int_eq(worth.rests[2].table, CATALOG_ACL_ROLES);
}

STATE_TEST(identities_are_the_references_rules_ACL_258_259)
{
    make_token(state, (struct acl){.id = acl_id(5),
                                   .secret = SECRET,
                                   .services = {"web"},
                                   .nodes = {"n1"},
                                   .datacenter = "dc1"});
    struct catalog_acl_worth worth = worth_of(state, &here, SECRET);
    ck_assert_str_eq(policies(state, &worth), "node-identity:n1 service-identity:web ");
    ck_assert_str_eq(worth.policies[0].rules, "node \"n1\" { policy = \"write\" }\n"
                                              "service_prefix \"\" { policy = \"read\" }\n");
    ck_assert_str_eq(worth.policies[1].rules,
                     "service \"web\" { policy = \"write\" }\n"
                     "service \"web-sidecar-proxy\" { policy = \"write\" }\n"
                     "service_prefix \"\" { policy = \"read\" }\n"
                     "node_prefix \"\" { policy = \"read\" }\n");
    /* both are for dc1 alone */
    const struct catalog_acl_terms elsewhere = {"dc2", false, 1};
    worth = worth_of(state, &elsewhere, SECRET);
    ck_assert_uint_eq(worth.policy_count, 0);
}

STATE_TEST(a_policy_that_was_deleted_counts_for_nothing)
{
    arrange(state);
    make_token(state, (struct acl){.id = acl_id(5), .secret = SECRET, .policies = {"p1", "p4"}});
    struct catalog_acl_worth before = worth_of(state, &here, SECRET);
    ck_assert_uint_eq(before.policy_count, 2);
    (void)acl_policy(state, &(struct acl){.id = acl_id(1), .is_delete = true});
    struct catalog_acl_worth after = worth_of(state, &here, SECRET);
    ck_assert_str_eq(policies(state, &after), "00000004 ");
    ck_assert_uint_ne(before.rights, after.rights);
}

STATE_TEST(equal_sets_of_rules_have_equal_rights_and_others_have_not)
{
    arrange(state);
    make_token(state, (struct acl){.id = acl_id(5), .secret = SECRET, .policies = {"p1"}});
    make_token(state, (struct acl){.id = acl_id(6), .secret = OTHER, .policies = {"p1"}});
    struct catalog_acl_worth one = worth_of(state, &here, SECRET);
    struct catalog_acl_worth other = worth_of(state, &here, OTHER);
    ck_assert_uint_eq(one.rights, other.rights);
    ck_assert_uint_gt(one.rights, CU_RIGHTS_ALL);
    const struct catalog_acl_terms allowing = {"dc1", true, 1};
    ck_assert_uint_ne(worth_of(state, &allowing, SECRET).rights, one.rights);
    ck_assert_uint_ne(worth_of(state, &here, "").rights, one.rights);
}

STATE_TEST(who_has_no_token_is_anonymous_whether_that_is_made_yet_or_not_ACL_237)
{
    struct catalog_acl_worth worth = worth_of(state, &here, "");
    ck_assert_str_eq(worth.accessor_id, CATALOG_ACL_ANONYMOUS_ID);
    ck_assert_uint_eq(worth.rest_count, 1);
    ck_assert_uint_eq(worth.rests[0].modify_index, 0); /* that there is none */
    acl_builtins(state, "");
    arrange(state);
    worth = worth_of(state, &here, "");
    ck_assert_str_eq(worth.accessor_id, CATALOG_ACL_ANONYMOUS_ID);
    ck_assert_uint_gt(worth.rests[0].modify_index, 0);
    (void)acl_made_token(
        state, acl_token(state, &(struct acl){.id = CATALOG_ACL_ANONYMOUS_ID, .policies = {"p1"}}));
    worth = worth_of(state, &here, "anonymous");
    ck_assert_str_eq(policies(state, &worth), "00000001 ");
}

STATE_TEST(what_is_no_token_is_told_so_ACL_240_242_249)
{
    static const struct {
        const char *secret;
        enum cu_err err;
        const char *sentence;
    } cases[] = {
        {"deny", CU_E_INTERNAL, "Cannot resolve root ACL"},
        {"allow", CU_E_INTERNAL, "Cannot resolve root ACL"},
        {"manage", CU_E_INTERNAL, "Cannot resolve root ACL"},
        {OTHER, CU_E_DENIED, "ACL not found"},
        {"Deny", CU_E_DENIED, "ACL not found"},
        {SECRET "1", CU_E_DENIED, "ACL not found"},
    };
    struct catalog_acl_worth worth;
    struct cu_diag diag;
    state->wall_ms = 1000 * 1000;
    make_token(state, (struct acl){.id = acl_id(5), .secret = SECRET, .ttl_ms = 60 * 1000});
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        ck_assert_int_eq(resolve(state, &here, cases[i].secret, &worth, &diag), cases[i].err);
        ck_assert_str_eq(diag.text, cases[i].sentence);
    }
    /* it is good until its very end */
    uint64_t end = acl_get_token(state, acl_id(5))->expiration_time_ms;
    struct catalog_acl_terms then = {"dc1", false, end - 1};
    ck_assert_uint_eq(worth_of(state, &then, SECRET).expiration_time_ms, end);
    then.wall_ms = end;
    ck_assert_int_eq(resolve(state, &then, SECRET, &worth, &diag), CU_E_DENIED);
    ck_assert_str_eq(diag.text, "ACL not found");
}

SUITE_MAIN("catalogd/core/acl_resolve", policies_of_the_token_and_of_its_roles_hold_each_once_by_id,
           identities_are_the_references_rules_ACL_258_259,
           a_policy_that_was_deleted_counts_for_nothing,
           equal_sets_of_rules_have_equal_rights_and_others_have_not,
           who_has_no_token_is_anonymous_whether_that_is_made_yet_or_not_ACL_237,
           what_is_no_token_is_told_so_ACL_240_242_249)
