/* Policies and roles by name, and links to them. */
#include "services/catalogd/core/acl_name.h"

#include "services/catalogd/core/key.h"
#include "tests/lib/acl_state.h"
#include "tests/lib/suite.h"

static void make(struct state *state, unsigned number, const char *name, bool is_role)
{
    struct acl acl = {.id = acl_id(number), .name = name, .is_create = true};
    ck_assert_str_eq((is_role ? acl_role : acl_policy)(state, &acl)->text, "");
}

/* The id; "": there is none. */
static const char *find(struct state *state, enum catalog_table table, const char *name)
{
    struct cu_bytes key, id;
    ck_assert_int_eq(catalog_acl_find(state->backend, table, name, state->arena, &key), CU_OK);
    if (!key.data)
        return "";
    ck_assert(catalog_key_user(key, &id));
    return cu_arena_printf(state->arena, "%.*s", (int)id.len, (const char *)id.data);
}

STATE_TEST(a_name_leads_to_its_policy_or_its_role)
{
    make(state, 1, "one", false);
    make(state, 2, "ONE-more", false);
    make(state, 3, "one", true);
    ck_assert_str_eq(find(state, CATALOG_ACL_POLICIES, "One"), acl_id(1));
    ck_assert_str_eq(find(state, CATALOG_ACL_POLICIES, "one-more"), acl_id(2));
    ck_assert_str_eq(find(state, CATALOG_ACL_ROLES, "one"), acl_id(3));
    ck_assert_str_eq(find(state, CATALOG_ACL_ROLES, "one-more"), "");
    ck_assert_str_eq(find(state, CATALOG_ACL_POLICIES, "on"), "");
    ck_assert_str_eq(find(state, CATALOG_ACL_POLICIES, ""), "");
}

STATE_TEST(a_name_moves_with_its_policy)
{
    make(state, 1, "old", false);
    ck_assert_str_eq(acl_policy(state, &(struct acl){.id = acl_id(1), .name = "new"})->text, "");
    ck_assert_str_eq(find(state, CATALOG_ACL_POLICIES, "old"), "");
    ck_assert_str_eq(find(state, CATALOG_ACL_POLICIES, "new"), acl_id(1));
    ck_assert(acl_policy(state, &(struct acl){.id = acl_id(1), .is_delete = true})->applied);
    ck_assert_str_eq(find(state, CATALOG_ACL_POLICIES, "new"), "");
    acl_hash_holds(state);
}

STATE_TEST(links_are_named_and_those_to_nothing_left_out)
{
    Curia__V1__AclLink one = CURIA__V1__ACL_LINK__INIT, none = CURIA__V1__ACL_LINK__INIT,
                       two = CURIA__V1__ACL_LINK__INIT, *items[] = {&one, &none, &two};
    size_t count = 3;
    struct catalog_acl_names names = {.backend = state->backend, .arena = state->arena};
    struct catalog_acl_links links = {CATALOG_ACL_POLICIES, items, &count};
    make(state, 1, "one", false);
    make(state, 2, "two", false);
    one.id = (char *)(uintptr_t)acl_id(1);
    none.id = (char *)(uintptr_t)acl_id(9);
    two.id = (char *)(uintptr_t)acl_id(2);
    ck_assert_int_eq(catalog_acl_name_links(&names, &links), CU_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(items[0]->name, "one");
    ck_assert_str_eq(items[1]->name, "two");
    ck_assert_int_eq(catalog_acl_name_links(&names, &links), CU_OK); /* from memory now */
    ck_assert_uint_eq(count, 2);
    catalog_acl_names_deinit(&names);
}

SUITE_MAIN("catalogd/core/acl_name", a_name_leads_to_its_policy_or_its_role,
           a_name_moves_with_its_policy, links_are_named_and_those_to_nothing_left_out)
