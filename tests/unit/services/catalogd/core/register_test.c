#include "services/catalogd/core/register.h"

#include <stdio.h>
#include <string.h>

#include "services/catalogd/core/index.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

#define ID_1 "11111111-1111-1111-1111-111111111111"
#define ID_2 "22222222-2222-2222-2222-222222222222"

static void refused(struct state *state, const struct reg *reg, const char *want)
{
    struct cu_u128 before = catalog_store_hash(state->store);
    const Curia__Internal__V1__CommandResult *result = state_register(state, reg);
    ck_assert_str_eq(result->text, want);
    ck_assert_int_eq(result->error, CU_E_INVALID);
    struct cu_u128 after = catalog_store_hash(state->store);
    ck_assert(before.lo == after.lo && before.hi == after.hi);
}

static void checked(struct state *state)
{
    struct cu_u128 sum = state_sum(state), hash = catalog_store_hash(state->store);
    ck_assert(sum.lo == hash.lo && sum.hi == hash.hi);
}

/* ---- what is stored ---- */

STATE_TEST(registers_a_node_a_service_and_a_check_at_one_index_CAT_132)
{
    state_registers(state, &(struct reg){.node = "N1",
                                         .service = "Db",
                                         .tags = "Master,v1",
                                         .port = 8000,
                                         .check = "c",
                                         .check_service = "db",
                                         .status = "passing"});
    uint64_t at = state_index(state);
    Curia__V1__Service *service = state_service(state, "n1", "db");
    Curia__V1__Check *check = state_check(state, "n1", "C");

    ck_assert_uint_eq(state_node(state, "n1")->modify_index, at);
    ck_assert_str_eq(state_node(state, "n1")->node, "N1");
    ck_assert_uint_eq(service->create_index, at);
    ck_assert_str_eq(service->id, "Db");
    ck_assert_int_eq(service->weights->passing, 1);
    ck_assert_int_eq(service->weights->warning, 1);
    ck_assert_uint_eq(check->create_index, at);
    ck_assert_str_eq(check->service_name, "Db");
    ck_assert_uint_eq(check->n_service_tags, 2);
    ck_assert_str_eq(check->service_tags[1], "v1");
    checked(state);
}

STATE_TEST(an_equal_registration_changes_nothing_CAT_134)
{
    struct reg reg = {.node = "n",
                      .node_meta = "b=2,a=1",
                      .service = "s",
                      .service_meta = "y=1,x=2",
                      .check = "c",
                      .check_service = "s"};
    state_registers(state, &reg);
    uint64_t at = state_index(state);
    struct cu_u128 before = catalog_store_hash(state->store);
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    catalog_wakes_deinit(&wakes);

    reg.node_meta = "a=0,a=1,b=2"; /* the same in another order, one pair given twice */
    state_registers(state, &reg);
    wakes = catalog_store_take_wakes(state->store);
    ck_assert_uint_eq(wakes.count, 0);
    ck_assert_uint_eq(state_node(state, "n")->modify_index, at);
    ck_assert_uint_eq(state_service(state, "n", "s")->modify_index, at);
    ck_assert_uint_eq(state_check(state, "n", "c")->modify_index, at);
    struct cu_u128 after = catalog_store_hash(state->store);
    ck_assert(before.lo == after.lo && before.hi == after.hi);

    reg.node_meta = NULL;
    state_registers(state, &reg);
    ck_assert_uint_eq(state_node(state, "n")->modify_index, state_index(state));
    reg.node_meta = ""; /* no map and an empty one differ (3.5) */
    state_registers(state, &reg);
    ck_assert_uint_eq(state_node(state, "n")->modify_index, state_index(state));
    ck_assert_uint_eq(state_node(state, "n")->create_index, at);
}

STATE_TEST(skips_the_node_when_told_so_CAT_143)
{
    state_registers(state, &(struct reg){.node = "n", .address = "10.0.0.1"});
    uint64_t at = state_index(state);
    state_registers(
        state, &(struct reg){
                   .node = "n", .address = "10.9.9.9", .skip_node_update = true, .service = "s"});
    ck_assert_str_eq(state_node(state, "n")->address, "10.0.0.1");
    ck_assert_uint_eq(state_node(state, "n")->modify_index, at);
    ck_assert_ptr_nonnull(state_service(state, "n", "s"));
    /* One that is not there is made, even without an address (3.5). */
    state_registers(state,
                    &(struct reg){.node = "m", .without_address = true, .skip_node_update = true});
    ck_assert_str_eq(state_node(state, "m")->address, "");
}

STATE_TEST(spelling_is_as_last_written_and_names_one_thing)
{
    state_registers(state, &(struct reg){.node = "Node", .service = "Web", .check = "C"});
    uint64_t at = state_index(state);
    state_registers(state, &(struct reg){.node = "nODE", .service = "wEB", .check = "c"});
    ck_assert_str_eq(state_node(state, "node")->node, "nODE");
    ck_assert_uint_eq(state_node(state, "NODE")->create_index, at);
    ck_assert_str_eq(state_service(state, "node", "web")->service, "wEB");
    ck_assert_str_eq(state_check(state, "node", "C")->check_id, "c");
    checked(state);
}

/* ---- what is refused ---- */

STATE_TEST(refuses_with_the_words_of_the_reference_and_does_nothing_CAT_125_126_129_130_131)
{
    /* clang-format off */
    static const struct { struct reg reg; const char *want; } cases[] = {
        {{.node = NULL}, "Must provide node"},
        {{.node = "x", .without_address = true}, "Must provide address if SkipNodeUpdate is not set"},
        {{.node = "x", .id = "nope"}, "Bad node ID: uuid string is wrong length"},
        {{.node = "x", .id = "11111111x1111-1111-1111-111111111111"},
         "Bad node ID: uuid is improperly formatted"},
        {{.node = "x", .id = "1111111g-1111-1111-1111-111111111111"},
         "Bad node ID: encoding/hex: invalid byte: U+0067 'g'"},
        {{.node = "x", .service_id = "s"}, "Must provide service name with ID"},
        {{.node = "x", .service = "s", .service_address = "0.0.0.0"}, "Invalid service address"},
        {{.node = "x", .check = "c", .check_node = "y"},
         "check node \"y\" does not match node \"x\""},
        {{.node = "x", .check = "c", .check_service = "nope"},
         "failed inserting check: Missing service registration on node \"x\""},
        {{.node = "x", .service = "s", .service_meta = "a b=1"},
         "failed inserting service: Invalid Service Meta for node x and serviceID s: "
         "Couldn't load metadata pair ('a b', '1'): Key contains invalid characters"},
        {{.node = "x", .service = "s", .kind = "connect-proxy"},
         "2 errors occurred:\n"
         "\t* Proxy.DestinationServiceName must be non-empty for Connect proxy services\n"
         "\t* Port must be set for a Connect proxy\n\n"},
    };
    /* clang-format on */
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        refused(state, &cases[i].reg, cases[i].want);
    ck_assert_ptr_null(state_node(state, "x"));
}

STATE_TEST(a_check_may_name_a_service_that_is_there_already)
{
    state_registers(state, &(struct reg){.node = "n", .service = "web", .service_id = "w1"});
    state_registers(state, &(struct reg){.node = "n", .check = "c", .check_service = "W1"});
    ck_assert_str_eq(state_check(state, "n", "c")->service_name, "web");
    ck_assert_str_eq(state_check(state, "n", "c")->status, "critical");
    /* The same id on another node is another service. */
    refused(state, &(struct reg){.node = "m", .check = "c", .check_service = "w1"},
            "failed inserting check: Missing service registration on node \"m\"");
}

/* ---- which node it is ---- */

static void healthy(struct state *state, const char *node, const char *id, const char *status)
{
    state_registers(
        state,
        &(struct reg){.node = node, .id = id, .check = CATALOG_SERF_CHECK, .status = status});
}

STATE_TEST(a_known_id_under_another_name_is_a_rename_CAT_141)
{
    state_registers(state, &(struct reg){.node = "old", .id = ID_1, .service = "s", .check = "c"});
    uint64_t created = state_index(state);
    state_registers(state, &(struct reg){.node = "new", .id = ID_1});

    ck_assert_ptr_null(state_node(state, "old"));
    ck_assert_ptr_null(state_service(state, "old", "s"));
    ck_assert_ptr_null(state_check(state, "old", "c"));
    ck_assert_uint_eq(state_node(state, "new")->create_index, created);
    ck_assert_uint_eq(state_node(state, "new")->modify_index, state_index(state));
    /* By its id it is found under the new name: the next rename begins there. */
    state_registers(state, &(struct reg){.node = "newer", .id = ID_1});
    ck_assert_ptr_null(state_node(state, "new"));
    checked(state);
}

STATE_TEST(the_name_of_a_healthy_node_is_reserved_CAT_142)
{
    healthy(state, "n1", ID_1, "passing");
    refused(state, &(struct reg){.node = "N1", .id = ID_2},
            "failed inserting node: Error while renaming Node ID: \"" ID_2
            "\": Node name N1 is reserved by node " ID_1 " with name n1 (10.0.0.1)");
    healthy(state, "n2", ID_2, "passing");
    refused(state, &(struct reg){.node = "n1", .id = ID_2, .address = "10.0.0.2"},
            "failed inserting node: Error while renaming Node ID: \"" ID_2
            "\" (10.0.0.2): Node name n1 is reserved by node " ID_1 " with name n1 (10.0.0.1)");
    healthy(state, "n1", ID_1, "critical"); /* now it gives way */
    state_registers(state, &(struct reg){.node = "n1", .id = ID_2, .address = "10.0.0.2"});
    ck_assert_str_eq(state_node(state, "n1")->id, ID_2);
    ck_assert_ptr_null(state_node(state, "n2"));
    checked(state);
}

STATE_TEST(a_node_without_serf_health_gives_its_name_up)
{
    state_registers(state, &(struct reg){.node = "n", .id = ID_1, .service = "s"});
    uint64_t created = state_index(state);
    state_registers(state, &(struct reg){.node = "n", .id = ID_2});
    ck_assert_str_eq(state_node(state, "n")->id, ID_2);
    ck_assert_uint_eq(state_node(state, "n")->create_index, created); /* the record is taken over */
    ck_assert_ptr_nonnull(state_service(state, "n", "s"));
}

STATE_TEST(a_node_without_id_is_adopted_and_one_registered_without_loses_it)
{
    healthy(state, "n", NULL, "passing");
    state_registers(state, &(struct reg){.node = "n", .id = ID_1});
    ck_assert_str_eq(state_node(state, "n")->id, ID_1);
    state_registers(state, &(struct reg){.node = "n"});
    ck_assert_str_eq(state_node(state, "n")->id, "");
    state_registers(state, &(struct reg){.node = "n", .id = ID_2});
    ck_assert_str_eq(state_node(state, "n")->id, ID_2);
    /* Unless the id had another name before: a node without id is somebody, too. */
    healthy(state, "m", NULL, "passing");
    refused(state, &(struct reg){.node = "m", .id = ID_2},
            "failed inserting node: Error while renaming Node ID: \"" ID_2
            "\" (10.0.0.1): Node name m is reserved by node  with name m (10.0.0.1)");
    checked(state);
}

/* ---- deregistering ---- */

STATE_TEST(a_service_goes_with_its_checks_and_nothing_else_CAT_145)
{
    state_registers(state,
                    &(struct reg){.node = "x", .service = "s", .check = "c", .check_service = "s"});
    state_registers(state, &(struct reg){.node = "x", .check = "other"});
    state_registers(state, &(struct reg){.node = "x", .service = "t"});
    state_deregister(state, "X", "S", "other"); /* a service named: the check is not looked at */
    ck_assert_ptr_null(state_service(state, "x", "s"));
    ck_assert_ptr_null(state_check(state, "x", "c"));
    ck_assert_ptr_nonnull(state_check(state, "x", "other"));
    ck_assert_ptr_nonnull(state_service(state, "x", "t"));
    state_deregister(state, "x", NULL, "other");
    ck_assert_ptr_null(state_check(state, "x", "other"));
    ck_assert_ptr_nonnull(state_node(state, "x"));
    checked(state);
}

STATE_TEST(a_node_goes_with_all_it_has_however_much_that_is)
{
    enum { SERVICES = 600 };
    char name[16];
    for (int i = 0; i < SERVICES; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        state_registers(
            state,
            &(struct reg){.node = "x", .service = name, .check = name, .check_service = name});
    }
    state_registers(state, &(struct reg){.node = "xy", .service = "s1", .check = "n"});
    state_deregister(state, "x", NULL, NULL);
    ck_assert_ptr_null(state_node(state, "x"));
    ck_assert_ptr_null(state_service(state, "x", "s599"));
    ck_assert_ptr_null(state_check(state, "x", "s599"));
    ck_assert_ptr_nonnull(state_service(state, "xy", "s1"));
    ck_assert_ptr_nonnull(state_check(state, "xy", "n"));
    ck_assert_uint_eq(state_named_index(state, CATALOG_INDEX_SERVICE, "s1"), state_index(state));
    ck_assert_uint_eq(state_named_index(state, CATALOG_INDEX_SERVICE, "s2"), 0);
    checked(state);
}

STATE_TEST(what_is_not_there_deregisters_well_CAT_146)
{
    struct cu_u128 before = catalog_store_hash(state->store);
    state_deregister(state, "x", NULL, NULL);
    state_deregister(state, "x", "s", NULL);
    state_deregister(state, "x", NULL, "c");
    struct cu_u128 after = catalog_store_hash(state->store);
    ck_assert(before.lo == after.lo && before.hi == after.hi);
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__DeregisterCommand body = CURIA__INTERNAL__V1__DEREGISTER_COMMAND__INIT;
    command.deregister = &body;
    ck_assert_str_eq(state_command(state, &command).result->text, "Must provide node");
}

SUITE_MAIN("catalogd/core/register", registers_a_node_a_service_and_a_check_at_one_index_CAT_132,
           an_equal_registration_changes_nothing_CAT_134, skips_the_node_when_told_so_CAT_143,
           spelling_is_as_last_written_and_names_one_thing,
           refuses_with_the_words_of_the_reference_and_does_nothing_CAT_125_126_129_130_131,
           a_check_may_name_a_service_that_is_there_already,
           a_known_id_under_another_name_is_a_rename_CAT_141,
           the_name_of_a_healthy_node_is_reserved_CAT_142,
           a_node_without_serf_health_gives_its_name_up,
           a_node_without_id_is_adopted_and_one_registered_without_loses_it,
           a_service_goes_with_its_checks_and_nothing_else_CAT_145,
           a_node_goes_with_all_it_has_however_much_that_is,
           what_is_not_there_deregisters_well_CAT_146)
