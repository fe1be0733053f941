#include "services/catalogd/core/health.h"

#include <string.h>

#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

static const char *words(struct state *state, const Curia__V1__ChecksReply *reply)
{
    const char *text = "";
    for (size_t i = 0; i < reply->n_checks; i++)
        text = cu_arena_printf(state->arena, "%s%s/%s ", text, reply->checks[i]->node,
                               reply->checks[i]->check_id);
    return text;
}

static void set_meta(struct state *state, const char *pairs, void *ret_entries, size_t *ret_count)
{
    Curia__V1__StringMap *map = reg_map(state->arena, pairs);
    memcpy(ret_entries, &map->entries, sizeof map->entries);
    *ret_count = map->n_entries;
}

static const char *of_node(struct state *state, const char *node, uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__NodeChecksRequest request = CURIA__V1__NODE_CHECKS_REQUEST__INIT;
    Curia__V1__ChecksReply reply = CURIA__V1__CHECKS_REPLY__INIT;
    request.node = (char *)(uintptr_t)node;
    ck_assert_int_eq(catalog_node_checks(&view, &request, state->arena, &reply, ret_index), CU_OK);
    return words(state, &reply);
}

static const char *of_service(struct state *state, const char *service, const char *meta,
                              uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__ServiceChecksRequest request = CURIA__V1__SERVICE_CHECKS_REQUEST__INIT;
    Curia__V1__ChecksReply reply = CURIA__V1__CHECKS_REPLY__INIT;
    request.service = (char *)(uintptr_t)service;
    set_meta(state, meta, &request.node_meta, &request.n_node_meta);
    ck_assert_int_eq(catalog_service_checks(&view, &request, state->arena, &reply, ret_index),
                     CU_OK);
    return words(state, &reply);
}

static const char *in_state(struct state *state, const char *which, const char *meta,
                            uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__StateChecksRequest request = CURIA__V1__STATE_CHECKS_REQUEST__INIT;
    Curia__V1__ChecksReply reply = CURIA__V1__CHECKS_REPLY__INIT;
    request.state = (char *)(uintptr_t)which;
    set_meta(state, meta, &request.node_meta, &request.n_node_meta);
    ck_assert_int_eq(catalog_state_checks(&view, &request, state->arena, &reply, ret_index), CU_OK);
    return words(state, &reply);
}

static void check(struct state *state, const char *node, const char *id, const char *service,
                  const char *status)
{
    state_registers(state, &(struct reg){.node = node,
                                         .node_meta = node[1] == '1' ? "k=v" : NULL,
                                         .check = id,
                                         .check_service = service,
                                         .status = status});
}

static void set_up(struct state *state)
{
    state_registers(state, &(struct reg){.node = "n1", .node_meta = "k=v", .service = "db"});
    state_registers(state, &(struct reg){.node = "n2", .service = "db", .service_id = "d2"});
    check(state, "n1", "mem", NULL, "passing");
    check(state, "n1", "ping", "db", "critical");
    check(state, "n2", "ping", "d2", "warning");
}

STATE_TEST(checks_of_a_node_are_those_of_its_services_too_CAT_124)
{
    uint64_t index;
    ck_assert_str_eq(of_node(state, "nosuch", &index), "");
    ck_assert_uint_eq(index, 1);
    set_up(state);
    uint64_t at = state_index(state);
    ck_assert_str_eq(of_node(state, "N1", &index), "n1/mem n1/ping ");
    ck_assert_uint_eq(index, at - 1); /* n2's is none of them */
    state_deregister(state, "n1", NULL, NULL);
    ck_assert_str_eq(of_node(state, "n1", &index), "");
    ck_assert_uint_eq(index, state_index(state));
}

STATE_TEST(checks_of_a_service_are_those_bound_to_it_CAT_151)
{
    uint64_t index;
    set_up(state);
    uint64_t at = state_index(state);
    ck_assert_str_eq(of_service(state, "DB", "", &index), "n1/ping n2/ping ");
    check(state, "n1", "mem", NULL, "critical");
    ck_assert_str_eq(of_service(state, "db", "", &index), "n1/ping n2/ping ");
    ck_assert_uint_eq(index, at); /* one of the node is none of them */
    ck_assert_str_eq(of_service(state, "db", "k=v", &index), "n1/ping ");
    ck_assert_uint_eq(index, state_index(state)); /* nodes count then, and those move with checks */
    ck_assert_str_eq(of_service(state, "none", "", &index), "");
    ck_assert_uint_eq(index, 1);
    state_deregister(state, "n1", NULL, "ping");
    state_deregister(state, "n2", NULL, "ping");
    ck_assert_str_eq(of_service(state, "db", "", &index), "");
    ck_assert_uint_eq(index, state_index(state));
}

STATE_TEST(a_check_is_found_by_the_name_it_bears_until_it_is_rewritten)
{
    uint64_t index;
    set_up(state);
    state_registers(
        state,
        &(struct reg){.node = "n1", .node_meta = "k=v", .service_id = "db", .service = "sql"});
    ck_assert_str_eq(of_service(state, "db", "", &index), "n1/ping n2/ping ");
    ck_assert_str_eq(of_service(state, "sql", "", &index), "");
    check(state, "n1", "ping", "db", "passing");
    ck_assert_str_eq(of_service(state, "db", "", &index), "n2/ping ");
    ck_assert_uint_eq(index, state_index(state));
    ck_assert_str_eq(of_service(state, "sql", "", &index), "n1/ping ");
}

STATE_TEST(checks_are_found_by_their_status_CAT_150)
{
    uint64_t index;
    set_up(state);
    uint64_t at = state_index(state);
    ck_assert_str_eq(in_state(state, "any", "", &index), "n1/mem n1/ping n2/ping ");
    ck_assert_uint_eq(index, at);
    ck_assert_str_eq(in_state(state, "passing", "", &index), "n1/mem ");
    ck_assert_str_eq(in_state(state, "warning", "", &index), "n2/ping ");
    ck_assert_str_eq(in_state(state, "critical", "", &index), "n1/ping ");
    ck_assert_str_eq(in_state(state, "bogus", "", &index), "");
    ck_assert_str_eq(in_state(state, "any", "k=v", &index), "n1/mem n1/ping ");
    check(state, "n1", "ping", "db", "passing");
    ck_assert_str_eq(in_state(state, "critical", "", &index), "");
    ck_assert_uint_eq(index, state_index(state));
    ck_assert_str_eq(in_state(state, "passing", "", &index), "n1/mem n1/ping ");
    /* With metadata a node that changes may change the answer. */
    state_registers(state, &(struct reg){.node = "n3", .node_meta = "k=v"});
    ck_assert_str_eq(in_state(state, "any", "k=v", &index), "n1/mem n1/ping ");
    ck_assert_uint_eq(index, state_index(state));
    (void)in_state(state, "any", "", &index);
    ck_assert_uint_lt(index, state_index(state));
}

SUITE_MAIN("catalogd/core/health", checks_of_a_node_are_those_of_its_services_too_CAT_124,
           checks_of_a_service_are_those_bound_to_it_CAT_151,
           a_check_is_found_by_the_name_it_bears_until_it_is_rewritten,
           checks_are_found_by_their_status_CAT_150)
