/* Roles (http-api.md 4.6; checklist 247). */
#include "services/catalogd/core/acl_role.h"

#include <string.h>

#include "tests/lib/acl_state.h"
#include "tests/lib/suite.h"

#define TEXT(call) ((call)->text)

static acl_result *make(struct state *state, unsigned number, const char *name)
{
    return acl_role(state, &(struct acl){.id = acl_id(number), .name = name, .is_create = true});
}

static void make_policies(struct state *state)
{
    static const char *const names[] = {"p1", "p2"};
    for (unsigned i = 0; i < 2; i++)
        (void)acl_made_policy(state, acl_policy(state, &(struct acl){.id = acl_id(1 + i),
                                                                     .name = names[i],
                                                                     .is_create = true}));
}

STATE_TEST(a_role_is_made_and_read_with_the_names_of_its_policies)
{
    make_policies(state);
    Curia__V1__AclRole *made =
        acl_made_role(state, acl_role(state, &(struct acl){.id = acl_id(5),
                                                           .name = "r1",
                                                           .description = "d",
                                                           .policies = {"P2",
                                                                        "#00000001-1111-4111-8111-"
                                                                        "111111111111",
                                                                        "p2"},
                                                           .services = {"web", "api"},
                                                           .nodes = {"n1"},
                                                           .datacenter = "dc1",
                                                           .is_create = true}));
    ck_assert_uint_eq(made->n_policies, 2); /* each once, in the order given */
    ck_assert_str_eq(made->policies[0]->id, acl_id(2));
    ck_assert_str_eq(made->policies[0]->name, "p2");
    ck_assert_str_eq(made->policies[1]->name, "p1");
    ck_assert_uint_eq(made->create_index, state_index(state));
    Curia__V1__AclRole *read = acl_get_role(state, acl_id(5));
    ck_assert_str_eq(read->policies[1]->name, "p1");
    ck_assert_str_eq(read->service_identities[0]->service_name, "api");
    ck_assert_str_eq(read->node_identities[0]->node_name, "n1");
    ck_assert_mem_eq(read->hash.data, made->hash.data, 32);
    acl_hash_holds(state);
}

STATE_TEST(a_renamed_policy_stays_linked_and_a_deleted_one_does_not)
{
    make_policies(state);
    (void)acl_made_role(state, acl_role(state, &(struct acl){.id = acl_id(5),
                                                             .name = "r1",
                                                             .policies = {"p1", "p2"},
                                                             .is_create = true}));
    ck_assert_str_eq(TEXT(acl_policy(state, &(struct acl){.id = acl_id(1), .name = "new"})), "");
    ck_assert_str_eq(acl_get_role(state, acl_id(5))->policies[0]->name, "new");
    ck_assert(acl_policy(state, &(struct acl){.id = acl_id(1), .is_delete = true})->applied);
    Curia__V1__AclRole *role = acl_get_role(state, acl_id(5));
    ck_assert_uint_eq(role->n_policies, 1);
    ck_assert_str_eq(role->policies[0]->name, "p2");
}

STATE_TEST(a_role_without_a_good_name_is_refused)
{
    char longest[CATALOG_ACL_ROLE_NAME_BYTES_MAX + 2] = "";
    ck_assert_str_eq(TEXT(make(state, 1, "")), "Invalid Role: no Name is set");
    ck_assert_str_eq(TEXT(make(state, 1, "a.b")),
                     "Invalid Role: invalid Name. Only alphanumeric characters, '-' and '_' are "
                     "allowed");
    memset(longest, 'a', CATALOG_ACL_ROLE_NAME_BYTES_MAX);
    ck_assert_str_eq(TEXT(make(state, 1, longest)), "");
    longest[CATALOG_ACL_ROLE_NAME_BYTES_MAX] = 'a';
    ck_assert_str_ne(TEXT(make(state, 2, longest)), "");
}

STATE_TEST(names_are_unique_and_apart_from_those_of_policies)
{
    make_policies(state);
    ck_assert_str_eq(TEXT(make(state, 5, "p1")), "");
    ck_assert_str_eq(TEXT(make(state, 6, "p1")),
                     "Invalid Role: A Role with Name \"p1\" already exists");
    ck_assert_str_eq(TEXT(make(state, 6, "r2")), "");
    ck_assert_str_eq(TEXT(acl_role(state, &(struct acl){.id = acl_id(6), .name = "p1"})),
                     "Invalid Role: A role with name \"p1\" already exists");
    ck_assert_str_eq(TEXT(acl_role(state, &(struct acl){.id = acl_id(7), .name = "r3"})),
                     "cannot find role 00000007-1111-4111-8111-111111111111");
    ck_assert_str_eq(TEXT(acl_role(state, &(struct acl){.id = "x", .name = "r3"})),
                     "Role ID invalid UUID");
}

STATE_TEST(what_it_links_must_be_there)
{
    struct acl role = {.id = acl_id(5), .name = "r", .policies = {"nope"}, .is_create = true};
    ck_assert_str_eq(TEXT(acl_role(state, &role)), "No such ACL policy with name \"nope\"");
    role.policies[0] = "#00000001-1111-4111-8111-111111111111";
    ck_assert_str_eq(TEXT(acl_role(state, &role)),
                     "No such ACL policy with ID \"00000001-1111-4111-8111-111111111111\"");
    ck_assert_ptr_null(acl_get_role(state, acl_id(5)));
}

STATE_TEST(identities_are_checked)
{
    struct acl role = {.id = acl_id(5), .name = "r", .services = {"WEB"}, .is_create = true};
    ck_assert_str_eq(TEXT(acl_role(state, &role)),
                     "Service identity \"WEB\" has an invalid name. Only alphanumeric characters, "
                     "'-' and '_' are allowed");
}

STATE_TEST(a_deleted_role_is_gone_247)
{
    ck_assert_str_eq(TEXT(make(state, 5, "r1")), "");
    ck_assert(acl_role(state, &(struct acl){.id = acl_id(5), .is_delete = true})->applied);
    ck_assert(acl_role(state, &(struct acl){.id = acl_id(5), .is_delete = true})->applied);
    ck_assert_ptr_null(acl_get_role(state, acl_id(5)));
    ck_assert_str_eq(TEXT(make(state, 6, "r1")), "");
    acl_hash_holds(state);
}

SUITE_MAIN("catalogd/core/acl_role", a_role_is_made_and_read_with_the_names_of_its_policies,
           a_renamed_policy_stays_linked_and_a_deleted_one_does_not,
           a_role_without_a_good_name_is_refused, names_are_unique_and_apart_from_those_of_policies,
           what_it_links_must_be_there, identities_are_checked, a_deleted_role_is_gone_247)
