#include "services/catalogd/core/lookup.h"

#include <string.h>

#include "services/catalogd/core/key.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

START_TEST(a_lookup_leads_to_the_key_it_holds)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct cu_bytes service = catalog_key_of_node(arena, "N1", "Web-1");
    struct cu_bytes key = catalog_lookup_key(arena, CATALOG_LOOKUP_SERVICE_NAME, "Web", service);
    struct cu_bytes all =
        catalog_lookup_key(arena, CATALOG_LOOKUP_SERVICE_NAME, "WEB", (struct cu_bytes){NULL, 0});

    struct cu_bytes node = catalog_key_of_node(arena, "N1", NULL);
    struct cu_bytes id = catalog_lookup_key(arena, CATALOG_LOOKUP_NODE_ID, "ab", node);

    ck_assert_int_eq(memcmp(key.data + 16, "web\0Nn1\0web-1", 13), 0);
    ck_assert_int_eq(memcmp(id.data + 16, "\0Iab\0n1", 7), 0);
    ck_assert(cu_bytes_equal(catalog_lookup_target(arena, id), node));
    ck_assert(cu_bytes_has_prefix(key, all));
    ck_assert(cu_bytes_equal(catalog_lookup_target(arena, key), service));
    ck_assert_ptr_null(catalog_lookup_target(arena, catalog_key_of(arena, cu_bytes_of("n"))).data);
    cu_arena_free(arena);
}
END_TEST

START_TEST(an_id_of_a_node_is_its_digits_CAT_126)
{
    char digits[CATALOG_NODE_ID_DIGITS + 1];
    ck_assert(catalog_lookup_node_id("40E4A748-2192-161a-0510-9bf59fe950b5", digits));
    ck_assert_str_eq(digits, "40e4a7482192161a05109bf59fe950b5");
    ck_assert(!catalog_lookup_node_id("", digits));
    ck_assert(!catalog_lookup_node_id("40e4a748-2192-161a-0510-9bf59fe950b", digits));
    ck_assert(!catalog_lookup_node_id("40e4a748-2192-161a-0510-9bf59fe950b5a", digits));
    ck_assert(!catalog_lookup_node_id("40e4a748+2192-161a-0510-9bf59fe950b5", digits));
    ck_assert(!catalog_lookup_node_id("40e4a748-2192-161a-0510-9bf59fe950bg", digits));
    ck_assert(!catalog_lookup_node_id("-0e4a748-2192-161a-0510-9bf59fe950b5", digits));
}
END_TEST

static bool count(void *arg, const struct catalog_row *row)
{
    (void)row;
    ++*(size_t *)arg;
    return true;
}

static size_t rows(struct state *state, enum catalog_lookup kind, const char *by)
{
    size_t found = 0;
    struct cu_bytes none = {NULL, 0}, key = catalog_lookup_key(state->arena, kind, by, none);
    ck_assert_int_eq(
        state->backend->scan(state->backend->context, CATALOG_INDEXES, key, none, count, &found),
        CU_OK);
    bool any;
    ck_assert_int_eq(catalog_lookup_any(state->backend, key, &any), CU_OK);
    ck_assert(any == (found > 0));
    return found;
}

STATE_TEST(rows_are_found_every_way_and_by_none_once_they_are_gone)
{
    struct reg reg = {.node = "n",
                      .id = "40e4a748-2192-161a-0510-9bf59fe950b5",
                      .service = "web",
                      .kind = "connect-proxy",
                      .destination = "db",
                      .port = 1,
                      .check = "c",
                      .check_service = "web"};
    state_registers(state, &reg);
    static const struct {
        enum catalog_lookup kind;
        const char *by;
    } ways[] = {
        {CATALOG_LOOKUP_NODE_ID, "40e4a7482192161a05109bf59fe950b5"},
        {CATALOG_LOOKUP_SERVICE_NAME, "web"},
        {CATALOG_LOOKUP_DESTINATION, "db"},
        {CATALOG_LOOKUP_CHECK_SERVICE, "web"},
        {CATALOG_LOOKUP_CHECK_STATUS, "critical"},
    };
    for (size_t i = 0; i < CU_COUNT(ways); i++)
        ck_assert_uint_eq(rows(state, ways[i].kind, ways[i].by), 1);
    reg.status = "passing";
    state_registers(state, &reg);
    ck_assert_uint_eq(rows(state, CATALOG_LOOKUP_CHECK_STATUS, "critical"), 0);
    ck_assert_uint_eq(rows(state, CATALOG_LOOKUP_CHECK_STATUS, "passing"), 0); /* as promised */
    /* Only while a check keeps a name that its instance has no longer. */
    ck_assert_uint_eq(rows(state, CATALOG_LOOKUP_CHECK_NAME, "web"), 0);
    state_registers(state, &(struct reg){.node = "n", .service_id = "web", .service = "site"});
    ck_assert_uint_eq(rows(state, CATALOG_LOOKUP_CHECK_NAME, "web"), 1);
    state_registers(state, &(struct reg){.node = "n", .service_id = "web", .service = "Web"});
    ck_assert_uint_eq(rows(state, CATALOG_LOOKUP_CHECK_NAME, "web"), 0);
    state_registers(state, &(struct reg){.node = "n", .service_id = "web", .service = "site"});
    state_registers(state, &(struct reg){.node = "n", .check = "c", .check_service = "web"});
    ck_assert_uint_eq(rows(state, CATALOG_LOOKUP_CHECK_NAME, "web"), 0);
    state_registers(state, &(struct reg){.node = "n", .service_id = "web", .service = "last"});
    ck_assert_uint_eq(rows(state, CATALOG_LOOKUP_CHECK_NAME, "site"), 1);
    state_deregister(state, "n", NULL, NULL);
    for (size_t i = 0; i < CU_COUNT(ways); i++)
        ck_assert_uint_eq(rows(state, ways[i].kind, ways[i].by), 0);
    ck_assert_uint_eq(rows(state, CATALOG_LOOKUP_CHECK_NAME, "site"), 0);
    ck_assert_uint_eq(rows(state, CATALOG_LOOKUP_SERVICE_NAME, "last"), 0);
}

SUITE_MAIN("catalogd/core/lookup", a_lookup_leads_to_the_key_it_holds,
           an_id_of_a_node_is_its_digits_CAT_126,
           rows_are_found_every_way_and_by_none_once_they_are_gone)
