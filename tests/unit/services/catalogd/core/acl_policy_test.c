/* Policies (http-api.md 4.4, 4.6; checklist 244, 245). */
#include "services/catalogd/core/acl_policy.h"

#include <stdlib.h>
#include <string.h>

#include "common/acl/rules.h"
#include "common/base/assert.h"
#include "tests/lib/acl_state.h"
#include "tests/lib/suite.h"

#define TEXT(call) ((call)->text)

static acl_result *make(struct state *state, unsigned number, const char *name)
{
    return acl_policy(state, &(struct acl){.id = acl_id(number), .name = name, .is_create = true});
}

STATE_TEST(a_policy_is_made_and_read_245)
{
    Curia__V1__AclPolicy *made = acl_made_policy(
        state, acl_policy(state, &(struct acl){.id = "ABCDEF01-1111-4111-8111-111111111111",
                                               .name = "p1",
                                               .description = "d",
                                               .rules = "acl = \"read\"",
                                               .datacenter = "dc1",
                                               .is_create = true}));
    ck_assert_str_eq(made->id, "abcdef01-1111-4111-8111-111111111111");
    ck_assert_uint_eq(made->create_index, state_index(state));
    ck_assert_uint_eq(made->modify_index, state_index(state));
    ck_assert_uint_eq(made->hash.len, 32);
    Curia__V1__AclPolicy *read = acl_get_policy(state, "ABCDEF01-1111-4111-8111-111111111111");
    ck_assert_str_eq(read->name, "p1");
    ck_assert_str_eq(read->rules, "acl = \"read\"");
    ck_assert_str_eq(read->datacenters[0], "dc1");
    acl_hash_holds(state);
}

STATE_TEST(every_accepted_write_moves_it_http_api_3_1)
{
    struct acl policy = {.id = acl_id(1), .name = "p1", .is_create = true};
    Curia__V1__AclPolicy *made = acl_made_policy(state, acl_policy(state, &policy));
    policy.is_create = false;
    Curia__V1__AclPolicy *again = acl_made_policy(state, acl_policy(state, &policy));
    ck_assert_uint_eq(again->create_index, made->create_index);
    ck_assert_uint_gt(again->modify_index, made->modify_index);
    ck_assert_mem_eq(again->hash.data, made->hash.data, 32);
}

STATE_TEST(a_policy_without_a_good_name_is_refused_245)
{
    char longest[CATALOG_ACL_POLICY_NAME_BYTES_MAX + 2] = "";
    ck_assert_str_eq(TEXT(make(state, 1, "")), "Invalid Policy: no Name is set");
    ck_assert_str_eq(TEXT(make(state, 1, "a b")),
                     "Invalid Policy: invalid Name. Only alphanumeric characters, '-' and '_' are "
                     "allowed");
    memset(longest, 'a', CATALOG_ACL_POLICY_NAME_BYTES_MAX);
    ck_assert_str_eq(TEXT(make(state, 1, longest)), "");
    longest[CATALOG_ACL_POLICY_NAME_BYTES_MAX] = 'a';
    ck_assert_str_ne(TEXT(make(state, 2, longest)), "");
    ck_assert_ptr_null(acl_get_policy(state, acl_id(2)));
}

STATE_TEST(names_are_unique_without_regard_to_case_245)
{
    ck_assert_str_eq(TEXT(make(state, 1, "p1")), "");
    ck_assert_str_eq(TEXT(make(state, 2, "P1")),
                     "Invalid Policy: A Policy with Name \"P1\" already exists");
    ck_assert_str_eq(TEXT(make(state, 2, "p2")), "");
    ck_assert_str_eq(TEXT(acl_policy(state, &(struct acl){.id = acl_id(2), .name = "p1"})),
                     "Invalid Policy: A policy with name \"p1\" already exists");
    ck_assert_str_eq(TEXT(acl_policy(state, &(struct acl){.id = acl_id(1), .name = "P1"})), "");
    ck_assert_str_eq(TEXT(acl_policy(state, &(struct acl){.id = acl_id(1), .name = "p3"})), "");
    ck_assert_str_eq(TEXT(acl_policy(state, &(struct acl){.id = acl_id(2), .name = "p1"})), "");
    acl_hash_holds(state);
}

STATE_TEST(a_policy_that_is_not_there_is_neither_changed_nor_missed)
{
    ck_assert_str_eq(TEXT(acl_policy(state, &(struct acl){.id = acl_id(1), .name = "p"})),
                     "cannot find policy 00000001-1111-4111-8111-111111111111");
    ck_assert_str_eq(TEXT(acl_policy(state, &(struct acl){.id = "x", .name = "p"})),
                     "Policy ID invalid UUID");
    ck_assert(acl_policy(state, &(struct acl){.id = acl_id(1), .is_delete = true})->applied);
}

STATE_TEST(an_id_is_used_once)
{
    ck_assert_str_eq(TEXT(make(state, 1, "p1")), "");
    ck_assert_str_eq(TEXT(make(state, 1, "p2")), "Invalid Policy: the ID is already in use");
    ck_assert_str_ne(TEXT(acl_policy(state, &(struct acl){.id = CATALOG_ACL_RESERVED "77",
                                                          .name = "p3",
                                                          .is_create = true})),
                     "");
}

STATE_TEST(rules_have_a_limit)
{
    char *rules = cu_alloc(CU_RULES_BYTES_MAX + 2);
    memset(rules, ' ', CU_RULES_BYTES_MAX);
    struct acl policy = {.id = acl_id(1), .name = "p1", .rules = rules, .is_create = true};
    ck_assert_str_eq(TEXT(acl_policy(state, &policy)), "");
    rules[CU_RULES_BYTES_MAX] = ' ';
    policy.id = acl_id(2);
    policy.name = "p2";
    ck_assert_uint_eq(acl_policy(state, &policy)->error, CU_E_TOO_LARGE);
    free(rules);
}

STATE_TEST(a_deleted_policy_is_gone_and_its_name_free)
{
    ck_assert_str_eq(TEXT(make(state, 1, "p1")), "");
    ck_assert(acl_policy(state, &(struct acl){.id = acl_id(1), .is_delete = true})->applied);
    ck_assert_ptr_null(acl_get_policy(state, acl_id(1)));
    ck_assert_str_eq(TEXT(make(state, 2, "p1")), "");
    acl_hash_holds(state);
    state_reopen(state);
    acl_hash_holds(state);
}

STATE_TEST(the_built_in_policy_gives_all_rights_and_keeps_them_244)
{
    acl_builtins(state, "");
    Curia__V1__AclPolicy *policy = acl_get_policy(state, CATALOG_ACL_MANAGEMENT_ID);
    ck_assert_str_eq(policy->name, "global-management");
    ck_assert_str_eq(policy->description, "Builtin Policy that grants unlimited access");
    ck_assert_str_eq(policy->rules, catalog_acl_management_rules);
    struct acl change = {.id = policy->id, .name = "all", .rules = policy->rules};
    ck_assert_str_eq(TEXT(acl_policy(state, &change)), ""); /* it may be renamed */
    change.rules = "acl = \"read\"";
    ck_assert_str_eq(TEXT(acl_policy(state, &change)),
                     "Changing the Rules for the builtin global-management policy is not "
                     "permitted");
    change.rules = policy->rules;
    change.datacenter = "dc1";
    ck_assert_str_eq(TEXT(acl_policy(state, &change)),
                     "Changing the Datacenters of the builtin global-management policy is not "
                     "permitted");
    change.is_delete = true;
    ck_assert_str_eq(TEXT(acl_policy(state, &change)),
                     "Delete operation not permitted on the builtin global-management policy");
    acl_builtins(state, "");
    ck_assert_str_eq(acl_get_policy(state, policy->id)->name, "all");
}

START_TEST(the_rules_of_the_built_in_policy_are_those_of_http_api_4_4)
{
    ck_assert_str_eq(catalog_acl_management_rules, "\n"
                                                   "acl = \"write\"\n"
                                                   "agent_prefix \"\" {\n"
                                                   "\tpolicy = \"write\"\n"
                                                   "}\n"
                                                   "event_prefix \"\" {\n"
                                                   "\tpolicy = \"write\"\n"
                                                   "}\n"
                                                   "key_prefix \"\" {\n"
                                                   "\tpolicy = \"write\"\n"
                                                   "}\n"
                                                   "keyring = \"write\"\n"
                                                   "node_prefix \"\" {\n"
                                                   "\tpolicy = \"write\"\n"
                                                   "}\n"
                                                   "operator = \"write\"\n"
                                                   "query_prefix \"\" {\n"
                                                   "\tpolicy = \"write\"\n"
                                                   "}\n"
                                                   "service_prefix \"\" {\n"
                                                   "\tpolicy = \"write\"\n"
                                                   "\tintentions = \"write\"\n"
                                                   "}\n"
                                                   "session_prefix \"\" {\n"
                                                   "\tpolicy = \"write\"\n"
                                                   "}");
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    struct cu_rules rules;
    ck_assert_int_eq(cu_rules_parse(cu_bytes_of(catalog_acl_management_rules), arena, &rules, NULL),
                     CU_OK);
    ck_assert_uint_eq(rules.count, 11); /* ten resources, and the intentions of services */
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("catalogd/core/acl_policy", a_policy_is_made_and_read_245,
           every_accepted_write_moves_it_http_api_3_1, a_policy_without_a_good_name_is_refused_245,
           names_are_unique_without_regard_to_case_245,
           a_policy_that_is_not_there_is_neither_changed_nor_missed, an_id_is_used_once,
           rules_have_a_limit, a_deleted_policy_is_gone_and_its_name_free,
           the_built_in_policy_gives_all_rights_and_keeps_them_244,
           the_rules_of_the_built_in_policy_are_those_of_http_api_4_4)
