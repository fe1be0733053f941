#include "services/catalogd/core/derive.h"

#include <stdio.h>
#include <string.h>

#include "services/catalogd/core/index.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

#define SERVICE        CATALOG_INDEX_SERVICE
#define NODE           CATALOG_INDEX_NODE
#define NODE_CHECKS    CATALOG_INDEX_NODE_CHECKS
#define SERVICE_CHECKS CATALOG_INDEX_SERVICE_CHECKS
#define KIND           CATALOG_INDEX_SERVICE_KIND
#define CONNECT        CATALOG_INDEX_CONNECT

/* What moved with the last entry, of those named. */
struct name {
    const char *head, *name;
};

static void moved(struct state *state, const struct name *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t index = state_named_index(state, names[i].head, names[i].name);
        ck_assert_msg(index == state_index(state), "%s%s is %llu", names[i].head, names[i].name,
                      (unsigned long long)index);
    }
}

static void stayed(struct state *state, const struct name *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t index = state_named_index(state, names[i].head, names[i].name);
        ck_assert_msg(index != 0 && index < state_index(state), "%s%s is %llu", names[i].head,
                      names[i].name, (unsigned long long)index);
    }
}

#define MOVED(...)                                                                                 \
    moved(state, (const struct name[]){__VA_ARGS__}, CU_COUNT(((const struct name[]){__VA_ARGS__})))
#define STAYED(...)                                                                                \
    stayed(state, (const struct name[]){__VA_ARGS__},                                              \
           CU_COUNT(((const struct name[]){__VA_ARGS__})))

static uint64_t table(const struct state *state, enum catalog_table which)
{
    return catalog_store_table_index(state->store, which);
}

/* Two nodes, three services: web on both, db on the first. */
static void set_up(struct state *state)
{
    state_registers(
        state, &(struct reg){.node = "n1", .service = "web", .check = "w", .check_service = "web"});
    state_registers(
        state, &(struct reg){.node = "n1", .service = "db", .check = "d", .check_service = "db"});
    state_registers(state, &(struct reg){.node = "n2", .service = "web"});
    state_registers(state, &(struct reg){.node = "n2", .check = "nc", .status = "passing"});
}

STATE_TEST(a_service_moves_its_name_kind_and_node_and_no_other_CAT_153)
{
    set_up(state);
    state_registers(state, &(struct reg){.node = "n1", .service = "db", .port = 1});
    MOVED({SERVICE, "db"}, {KIND, "typical"}, {NODE, "n1"});
    STAYED({SERVICE, "web"}, {NODE, "n2"}, {NODE_CHECKS, "n1"}, {SERVICE_CHECKS, "db"});
    ck_assert_uint_eq(table(state, CATALOG_SERVICES), state_index(state));
    ck_assert_uint_lt(table(state, CATALOG_CHECKS), state_index(state));
    ck_assert_uint_lt(table(state, CATALOG_NODES), state_index(state));
}

STATE_TEST(a_check_of_a_service_moves_that_service_alone_CAT_153)
{
    set_up(state);
    state_registers(
        state,
        &(struct reg){.node = "n1", .check = "d", .check_service = "db", .status = "passing"});
    MOVED({SERVICE, "db"}, {KIND, "typical"}, {NODE_CHECKS, "n1"}, {SERVICE_CHECKS, "db"});
    STAYED({SERVICE, "web"}, {NODE, "n1"}, {SERVICE_CHECKS, "web"});
    ck_assert_uint_lt(table(state, CATALOG_SERVICES), state_index(state));
}

STATE_TEST(a_check_of_a_node_moves_every_service_on_it_CAT_154)
{
    set_up(state);
    state_registers(state, &(struct reg){.node = "n1", .check = "mem"});
    MOVED({SERVICE, "web"}, {SERVICE, "db"}, {NODE_CHECKS, "n1"}, {KIND, "typical"});
    STAYED({NODE, "n1"}, {SERVICE_CHECKS, "web"});
    ck_assert_uint_lt(table(state, CATALOG_SERVICES), state_index(state));
    state_deregister(state, "n1", NULL, "mem");
    MOVED({SERVICE, "web"}, {SERVICE, "db"}, {NODE_CHECKS, "n1"},
          {CATALOG_INDEX_CHECKS_REMOVAL, ""});
    ck_assert_uint_eq(table(state, CATALOG_SERVICES), state_index(state)); /* 3.2 */
    state_registers(state, &(struct reg){.node = "n2", .check = "nc"});
    STAYED({SERVICE, "db"});
    MOVED({SERVICE, "web"});
}

STATE_TEST(a_change_of_a_node_moves_every_service_on_it)
{
    set_up(state);
    state_registers(state, &(struct reg){.node = "n1", .address = "10.0.0.9"});
    MOVED({SERVICE, "web"}, {SERVICE, "db"}, {NODE, "n1"}, {KIND, "typical"});
    STAYED({NODE_CHECKS, "n1"}, {NODE, "n2"});
}

STATE_TEST(the_last_instance_takes_its_index_along_and_leaves_the_extinction_CAT_147)
{
    set_up(state);
    state_deregister(state, "n1", "web", NULL);
    MOVED({SERVICE, "web"}, {NODE, "n1"}, {NODE_CHECKS, "n1"});
    ck_assert_uint_eq(state_named_index(state, CATALOG_INDEX_EXTINCTION, ""), 0);
    MOVED({SERVICE_CHECKS, "web"});
    ck_assert_uint_eq(table(state, CATALOG_CHECKS), state_index(state));
    state_deregister(state, "n2", "web", NULL);
    ck_assert_uint_eq(state_named_index(state, SERVICE_CHECKS, "web"), 0);
    MOVED({CATALOG_INDEX_CHECKS_REMOVAL, ""});
    ck_assert_uint_eq(state_named_index(state, SERVICE, "web"), 0);
    MOVED({CATALOG_INDEX_EXTINCTION, ""});
    ck_assert_uint_eq(table(state, CATALOG_CHECKS), state_index(state)); /* though it had none */
}

STATE_TEST(an_id_that_moves_to_another_name_moves_both)
{
    set_up(state);
    state_registers(state, &(struct reg){.node = "n1", .service_id = "web", .service = "site"});
    MOVED({SERVICE, "web"}, {SERVICE, "site"});
    ck_assert_str_eq(state_check(state, "n1", "w")->service_name, "web"); /* until rewritten */
    state_registers(state, &(struct reg){.node = "n2", .service_id = "web", .service = "site"});
    ck_assert_uint_eq(state_named_index(state, SERVICE, "web"), 0);
    MOVED({CATALOG_INDEX_EXTINCTION, ""}, {SERVICE, "site"});
    STAYED({SERVICE_CHECKS, "web"});
    state_registers(state, &(struct reg){.node = "n1", .check = "w", .check_service = "web"});
    ck_assert_uint_eq(state_named_index(state, SERVICE_CHECKS, "web"), 0);
    MOVED({SERVICE, "site"}, {SERVICE_CHECKS, "site"});
    ck_assert_uint_eq(state_named_index(state, SERVICE, "web"), 0); /* nothing brought it back */
}

STATE_TEST(a_check_that_changes_sides_moves_both_services)
{
    set_up(state);
    state_registers(state, &(struct reg){.node = "n1", .check = "w", .check_service = "db"});
    MOVED({SERVICE, "web"}, {SERVICE, "db"}, {SERVICE_CHECKS, "db"}, {NODE_CHECKS, "n1"},
          {SERVICE_CHECKS, "web"});
}

STATE_TEST(a_node_takes_its_indexes_along_and_leaves_the_removal)
{
    set_up(state);
    state_deregister(state, "n2", NULL, NULL);
    ck_assert_uint_eq(state_named_index(state, NODE, "n2"), 0);
    ck_assert_uint_eq(state_named_index(state, NODE_CHECKS, "n2"), 0);
    MOVED({CATALOG_INDEX_NODES_REMOVAL, ""}, {CATALOG_INDEX_CHECKS_REMOVAL, ""}, {SERVICE, "web"});
    STAYED({NODE, "n1"}, {SERVICE, "db"});
}

STATE_TEST(proxies_and_native_instances_count_for_what_they_stand_for_CAT_155_156)
{
    struct reg proxy = {.node = "n1",
                        .service = "web-proxy",
                        .kind = "connect-proxy",
                        .port = 1,
                        .destination = "Web"};
    state_registers(state, &proxy);
    MOVED({CONNECT, "web"}, {SERVICE, "web-proxy"}, {KIND, "connect-proxy"});
    state_registers(state, &(struct reg){.node = "n2", .service = "web", .is_native = true});
    MOVED({CONNECT, "web"}, {SERVICE, "web"});
    proxy.destination = "db";
    state_registers(state, &proxy);
    MOVED({CONNECT, "web"}, {CONNECT, "db"});
    state_deregister(state, "n1", "web-proxy", NULL);
    ck_assert_uint_eq(state_named_index(state, CONNECT, "db"), 0);
    STAYED({CONNECT, "web"});
    state_registers(state, &(struct reg){.node = "n2", .service = "web"}); /* native no longer */
    ck_assert_uint_eq(state_named_index(state, CONNECT, "web"), 0);
    MOVED({CATALOG_INDEX_EXTINCTION, ""});
}

STATE_TEST(kinds_that_users_made_up_have_no_index)
{
    state_registers(state, &(struct reg){.node = "n1", .service = "x", .kind = "whatever"});
    ck_assert_uint_eq(state_named_index(state, KIND, "whatever"), 0);
    MOVED({SERVICE, "x"});
}

/* ---- wakes and the log ---- */

static bool count_row(void *arg, const struct catalog_change *change)
{
    (void)change;
    ++*(size_t *)arg;
    return true;
}

static size_t logged_since(struct state *state, uint64_t index)
{
    size_t count = 0;
    ck_assert_int_eq(
        state->backend->changes(state->backend->context, index, UINT32_MAX, count_row, &count),
        CU_OK);
    return count;
}

STATE_TEST(words_of_a_check_move_indexes_and_are_not_logged_contracts_6_2)
{
    set_up(state);
    uint64_t before = state_index(state);
    struct reg reg = {.node = "n1", .check = "d", .check_service = "db", .output = "load 0.3"};
    state_registers(state, &reg);
    MOVED({SERVICE, "db"}, {NODE_CHECKS, "n1"}, {SERVICE_CHECKS, "db"});
    ck_assert_uint_eq(table(state, CATALOG_CHECKS), state_index(state));
    ck_assert_uint_eq(logged_since(state, before), 0);
    reg.status = "passing";
    reg.output = "load 0.1";
    state_registers(state, &reg);
    ck_assert_uint_eq(logged_since(state, before), 1);
}

static bool woke(struct state *state, const struct catalog_wakes *wakes, const char *head,
                 const char *name)
{
    struct cu_bytes key = catalog_index_key(state->arena, head, name);
    for (size_t i = 0; i < wakes->count; i++)
        if (wakes->items[i].table == CATALOG_INDEXES && cu_bytes_equal(wakes->items[i].key, key))
            return true;
    return false;
}

STATE_TEST(wakes_the_service_that_moved_and_no_other_QRY_43)
{
    set_up(state);
    struct catalog_wakes wakes = catalog_store_take_wakes(state->store);
    catalog_wakes_deinit(&wakes);
    state_registers(state, &(struct reg){.node = "n1", .service = "db", .port = 2});
    wakes = catalog_store_take_wakes(state->store);
    ck_assert(woke(state, &wakes, SERVICE, "db"));
    ck_assert(woke(state, &wakes, NODE, "n1"));
    ck_assert(!woke(state, &wakes, SERVICE, "web"));
    catalog_wakes_deinit(&wakes);
    state_deregister(state, "n1", "db", NULL);
    wakes = catalog_store_take_wakes(state->store);
    ck_assert(woke(state, &wakes, SERVICE, "db")); /* removed: that is a move, too */
    catalog_wakes_deinit(&wakes);
}

STATE_TEST(indexes_are_found_again_after_a_restart)
{
    set_up(state);
    uint64_t web = state_named_index(state, SERVICE, "web");
    struct cu_u128 before = catalog_store_hash(state->store);
    state_reopen(state);
    struct cu_u128 after = catalog_store_hash(state->store);
    ck_assert(before.lo == after.lo && before.hi == after.hi);
    ck_assert_uint_eq(state_named_index(state, SERVICE, "web"), web);
    state_deregister(state, "n2", "web", NULL);
    MOVED({SERVICE, "web"});
    struct cu_u128 sum = state_sum(state), hash = catalog_store_hash(state->store);
    ck_assert(sum.lo == hash.lo && sum.hi == hash.hi);
}

SUITE_MAIN("catalogd/core/derive", a_service_moves_its_name_kind_and_node_and_no_other_CAT_153,
           a_check_of_a_service_moves_that_service_alone_CAT_153,
           a_check_of_a_node_moves_every_service_on_it_CAT_154,
           a_change_of_a_node_moves_every_service_on_it,
           the_last_instance_takes_its_index_along_and_leaves_the_extinction_CAT_147,
           an_id_that_moves_to_another_name_moves_both,
           a_check_that_changes_sides_moves_both_services,
           a_node_takes_its_indexes_along_and_leaves_the_removal,
           proxies_and_native_instances_count_for_what_they_stand_for_CAT_155_156,
           kinds_that_users_made_up_have_no_index,
           words_of_a_check_move_indexes_and_are_not_logged_contracts_6_2,
           wakes_the_service_that_moved_and_no_other_QRY_43,
           indexes_are_found_again_after_a_restart)
