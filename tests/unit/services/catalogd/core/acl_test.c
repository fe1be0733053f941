/* What policies, roles and tokens have in common (http-api.md 4.5, 4.6). */
#include "services/catalogd/core/acl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)borrowed;
}

START_TEST(an_id_is_a_uuid_in_lower_case)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    ck_assert_str_eq(catalog_acl_id(arena, "ABCDEF01-1111-2222-3333-444444444444"),
                     "abcdef01-1111-2222-3333-444444444444");
    ck_assert_ptr_null(catalog_acl_id(arena, "abcdef01-1111-2222-3333-44444444444"));
    ck_assert_ptr_null(catalog_acl_id(arena, ""));
    ck_assert(catalog_acl_id_is_reserved(CATALOG_ACL_MANAGEMENT_ID));
    ck_assert(catalog_acl_id_is_reserved("00000000-0000-0000-0000-0000000000ff"));
    ck_assert(!catalog_acl_id_is_reserved("00000000-0000-0000-0000-000000000100"));
    cu_arena_free(arena);
}
END_TEST

START_TEST(names_are_letters_digits_and_two_signs)
{
    char longest[CATALOG_ACL_POLICY_NAME_BYTES_MAX + 2] = "";
    memset(longest, 'a', CATALOG_ACL_POLICY_NAME_BYTES_MAX);
    ck_assert(catalog_acl_name_is_valid("A-b_9", CATALOG_ACL_POLICY_NAME_BYTES_MAX));
    ck_assert(catalog_acl_name_is_valid(longest, CATALOG_ACL_POLICY_NAME_BYTES_MAX));
    longest[CATALOG_ACL_POLICY_NAME_BYTES_MAX] = 'a';
    ck_assert(!catalog_acl_name_is_valid(longest, CATALOG_ACL_POLICY_NAME_BYTES_MAX));
    ck_assert(!catalog_acl_name_is_valid("", CATALOG_ACL_POLICY_NAME_BYTES_MAX));
    ck_assert(!catalog_acl_name_is_valid("a b", CATALOG_ACL_POLICY_NAME_BYTES_MAX));
    ck_assert(!catalog_acl_name_is_valid("\xc3\xa4", CATALOG_ACL_POLICY_NAME_BYTES_MAX));
}
END_TEST

START_TEST(names_of_identities_are_lower_case_and_end_in_no_sign)
{
    static const struct {
        const char *name;
        bool is_valid;
    } cases[] = {{"web", true},  {"w", true},   {"a-b_c", true}, {"7", true},    {"", false},
                 {"WEB", false}, {"-a", false}, {"a-", false},   {"a.b", false}, {"_", false}};
    char longest[CATALOG_ACL_IDENTITY_NAME_BYTES_MAX + 2] = "";
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        ck_assert_int_eq(catalog_acl_identity_is_valid(cases[i].name), cases[i].is_valid);
    memset(longest, 'a', CATALOG_ACL_IDENTITY_NAME_BYTES_MAX);
    ck_assert(catalog_acl_identity_is_valid(longest));
    longest[CATALOG_ACL_IDENTITY_NAME_BYTES_MAX] = 'a';
    ck_assert(!catalog_acl_identity_is_valid(longest));
}
END_TEST

START_TEST(a_description_has_a_limit)
{
    struct catalog_refusal refusal = {CU_OK, NULL};
    char *longest = cu_alloc(CATALOG_ACL_DESCRIPTION_BYTES_MAX + 2);
    memset(longest, 'a', CATALOG_ACL_DESCRIPTION_BYTES_MAX);
    ck_assert(catalog_acl_check_description(longest, &refusal));
    longest[CATALOG_ACL_DESCRIPTION_BYTES_MAX] = 'a';
    ck_assert(!catalog_acl_check_description(longest, &refusal));
    ck_assert_int_eq(refusal.err, CU_E_TOO_LARGE);
    free(longest);
}
END_TEST

START_TEST(datacenters_have_limits)
{
    struct catalog_refusal refusal = {CU_OK, NULL};
    char longest[CATALOG_ACL_DATACENTER_BYTES_MAX + 2] = "", *all[CATALOG_ACL_DATACENTERS_MAX + 1];
    memset(longest, 'a', CATALOG_ACL_DATACENTER_BYTES_MAX);
    for (size_t i = 0; i < CU_COUNT(all); i++)
        all[i] = longest;
    ck_assert(catalog_acl_check_datacenters(all, CATALOG_ACL_DATACENTERS_MAX, &refusal));
    ck_assert(!catalog_acl_check_datacenters(all, CATALOG_ACL_DATACENTERS_MAX + 1, &refusal));
    longest[CATALOG_ACL_DATACENTER_BYTES_MAX] = 'a';
    ck_assert(!catalog_acl_check_datacenters(all, 1, &refusal));
}
END_TEST

/* ---- identities ---- */

enum { MANY = CATALOG_ACL_IDENTITIES_MAX + 1 };

struct identities {
    struct cu_arena *arena;
    Curia__V1__AclServiceIdentity services[MANY], *service_list[MANY];
    Curia__V1__AclNodeIdentity nodes[MANY], *node_list[MANY];
    size_t service_count, node_count;
    bool is_local;
};

static struct identities *identities_new(void)
{
    struct identities *ids = cu_alloc(sizeof *ids);
    ids->arena = cu_arena_new(ARENA_BYTES);
    return ids;
}

static void identities_free(struct identities *ids)
{
    cu_arena_free(ids->arena);
    free(ids);
}

static Curia__V1__AclServiceIdentity *add_service(struct identities *ids, const char *name)
{
    Curia__V1__AclServiceIdentity *service = &ids->services[ids->service_count];
    curia__v1__acl_service_identity__init(service);
    service->service_name = text(name);
    ids->service_list[ids->service_count++] = service;
    return service;
}

static void add_node(struct identities *ids, const char *name, const char *datacenter)
{
    Curia__V1__AclNodeIdentity *node = &ids->nodes[ids->node_count];
    curia__v1__acl_node_identity__init(node);
    node->node_name = text(name);
    node->datacenter = text(datacenter);
    ids->node_list[ids->node_count++] = node;
}

/* NULL: they are taken. */
static const char *prepare(struct identities *ids)
{
    struct catalog_refusal refusal = {CU_OK, NULL};
    struct catalog_acl_identities all = {
        "role",         ids->is_local,   ids->service_list, &ids->service_count,
        ids->node_list, &ids->node_count};
    bool is_good = catalog_acl_prepare_identities(&all, ids->arena, &refusal);
    ck_assert_int_eq(is_good, refusal.text == NULL);
    return refusal.text;
}

static void refuses(struct identities *ids, const char *sentence)
{
    const char *said = prepare(ids);
    ck_assert_ptr_nonnull(said);
    ck_assert_str_eq(said, sentence);
    identities_free(ids);
}

START_TEST(identities_are_refused_with_the_references_sentences)
{
    static char dc[] = "dc1", *datacenters[] = {dc};
    struct identities *ids = identities_new();
    add_service(ids, "");
    refuses(ids, "Service identity is missing the service name field on this role");
    ids = identities_new();
    add_service(ids, "WEB");
    refuses(ids, "Service identity \"WEB\" has an invalid name. Only alphanumeric characters, '-' "
                 "and '_' are allowed");
    ids = identities_new();
    ids->is_local = true;
    Curia__V1__AclServiceIdentity *service = add_service(ids, "x");
    service->datacenters = datacenters;
    service->n_datacenters = 1;
    refuses(ids, "Service identity \"x\" cannot specify a list of datacenters on a local token");
    ids = identities_new();
    add_node(ids, "", "dc1");
    refuses(ids, "Node identity is missing the node name field on this role");
    ids = identities_new();
    add_node(ids, "n1", "");
    refuses(ids, "Node identity is missing the datacenter field on this role");
    ids = identities_new();
    add_node(ids, "N 1", "dc1");
    refuses(ids, "Node identity has an invalid name. Only alphanumeric characters, '-' and '_' are "
                 "allowed");
}
END_TEST

START_TEST(identities_have_a_limit)
{
    struct identities *ids = identities_new();
    for (size_t i = 0; i < CATALOG_ACL_IDENTITIES_MAX; i++)
        add_service(ids, "web");
    ck_assert_ptr_null(prepare(ids));
    identities_free(ids);
    ids = identities_new();
    for (size_t i = 0; i < MANY; i++)
        add_service(ids, "web");
    refuses(ids, "too many identities on this role");
    ids = identities_new();
    for (size_t i = 0; i < MANY; i++)
        add_node(ids, "n1", "dc1");
    refuses(ids, "too many identities on this role");
}
END_TEST

START_TEST(equal_identities_are_merged)
{
    static char a[] = "a", b[] = "b", c[] = "c", *ba[] = {b, a}, *cb[] = {c, b};
    struct identities *ids = identities_new();
    Curia__V1__AclServiceIdentity *web = add_service(ids, "web"), *api;
    web->datacenters = ba;
    web->n_datacenters = 2;
    api = add_service(ids, "api");
    api->datacenters = ba;
    api->n_datacenters = 2;
    add_service(ids, "api");
    web = add_service(ids, "web");
    web->datacenters = cb;
    web->n_datacenters = 2;
    add_node(ids, "n2", "dc1");
    add_node(ids, "n1", "dc2");
    add_node(ids, "n2", "dc1");
    ck_assert_ptr_null(prepare(ids));
    ck_assert_uint_eq(ids->service_count, 2);
    ck_assert_str_eq(ids->service_list[0]->service_name, "api");
    ck_assert_uint_eq(ids->service_list[0]->n_datacenters, 0); /* everywhere */
    ck_assert_uint_eq(ids->service_list[1]->n_datacenters, 3);
    ck_assert_str_eq(ids->service_list[1]->datacenters[0], "a");
    ck_assert_str_eq(ids->service_list[1]->datacenters[2], "c");
    ck_assert_uint_eq(ids->node_count, 2);
    ck_assert_str_eq(ids->node_list[0]->node_name, "n1");
    identities_free(ids);
}
END_TEST

START_TEST(merging_goes_past_no_limit)
{
    static char names[2 * CATALOG_ACL_DATACENTERS_MAX][8], *list[2 * CATALOG_ACL_DATACENTERS_MAX];
    struct identities *ids = identities_new();
    for (size_t i = 0; i < CU_COUNT(list); i++) {
        (void)snprintf(names[i], sizeof names[i], "dc%zu", i);
        list[i] = names[i];
    }
    for (size_t i = 0; i < 2; i++) {
        Curia__V1__AclServiceIdentity *web = add_service(ids, "web");
        web->datacenters = list + i * CATALOG_ACL_DATACENTERS_MAX;
        web->n_datacenters = CATALOG_ACL_DATACENTERS_MAX;
    }
    refuses(ids, "too many Datacenters");
}
END_TEST

START_TEST(equal_contents_have_equal_hashes)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    Curia__V1__AclToken one = CURIA__V1__ACL_TOKEN__INIT, other = CURIA__V1__ACL_TOKEN__INIT;
    ProtobufCBinaryData a, b;
    ck_assert(catalog_acl_hash(&one, arena, &a));
    ck_assert(catalog_acl_hash(&other, arena, &b));
    ck_assert_uint_eq(a.len, 32);
    ck_assert_mem_eq(a.data, b.data, 32);
    other.local = true;
    ck_assert(catalog_acl_hash(&other, arena, &b));
    ck_assert_mem_ne(a.data, b.data, 32);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("catalogd/core/acl", an_id_is_a_uuid_in_lower_case,
           names_are_letters_digits_and_two_signs,
           names_of_identities_are_lower_case_and_end_in_no_sign, a_description_has_a_limit,
           datacenters_have_limits, identities_are_refused_with_the_references_sentences,
           identities_have_a_limit, equal_identities_are_merged, merging_goes_past_no_limit,
           equal_contents_have_equal_hashes)
