#include "services/catalogd/core/sieve.h"

#include <string.h>

#include "common/filter/shapes.h"
#include "services/catalogd/core/browse.h"
#include "services/catalogd/core/health.h"
#include "services/catalogd/core/instances.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

static char *text(const char *given)
{
    return (char *)(uintptr_t)given;
}

START_TEST(keeps_what_is_meant_in_its_order)
{
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    Curia__V1__Node nodes[] = {CURIA__V1__NODE__INIT, CURIA__V1__NODE__INIT, CURIA__V1__NODE__INIT};
    static const char *const names[] = {"b", "a", "c"};
    struct catalog_list list = {0};
    for (int i = 0; i < 3; i++) {
        nodes[i].node = text(names[i]);
        ck_assert(catalog_list_add(&list, arena, &nodes[i]));
    }
    ck_assert_int_eq(catalog_sieve("", &cu_filter_node, arena, &list), CU_OK);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_int_eq(catalog_sieve("Node != a", &cu_filter_node, arena, &list), CU_OK);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_ptr_eq(list.items[0], &nodes[0]);
    ck_assert_ptr_eq(list.items[1], &nodes[2]);
    ck_assert_int_eq(catalog_sieve("bogus", &cu_filter_node, arena, &list), CU_E_INVALID);
    cu_arena_free(arena);
}
END_TEST

STATE_TEST(every_read_with_a_filter_goes_through_it_QRY_55_56_58)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1",
                                         .node_meta = "env=prod",
                                         .service = "web",
                                         .tags = "v1",
                                         .check = "c",
                                         .check_service = "web",
                                         .status = "passing"});
    state_registers(
        state, &(struct reg){.node = "n2", .service = "web", .check = "c", .check_service = "web"});
    struct catalog_view view = state_view(state);
    struct cu_arena *arena = state->arena;

    Curia__V1__ListNodesRequest nodes = CURIA__V1__LIST_NODES_REQUEST__INIT;
    Curia__V1__ListNodesReply nodes_reply = CURIA__V1__LIST_NODES_REPLY__INIT;
    nodes.filter = text("Meta.env == prod");
    ck_assert_int_eq(catalog_list_nodes(&view, &nodes, arena, &nodes_reply, &index), CU_OK);
    ck_assert_uint_eq(nodes_reply.n_nodes, 1);

    Curia__V1__ServiceNodesRequest service = CURIA__V1__SERVICE_NODES_REQUEST__INIT;
    Curia__V1__ServiceNodesReply service_reply = CURIA__V1__SERVICE_NODES_REPLY__INIT;
    service.service = text("web");
    service.filter = text("\"v1\" in ServiceTags and not ServiceTags is empty");
    ck_assert_int_eq(catalog_service_nodes(&view, &service, arena, &service_reply, &index), CU_OK);
    ck_assert_uint_eq(service_reply.n_services, 1);
    ck_assert_uint_eq(index, state_index(state)); /* a filter changes no index */

    Curia__V1__HealthServiceReply health = CURIA__V1__HEALTH_SERVICE_REPLY__INIT;
    service.filter = text("Checks.Status == critical");
    ck_assert_int_eq(catalog_service_health(&view, &service, arena, &health, &index), CU_OK);
    ck_assert_uint_eq(health.n_entries, 1);
    ck_assert_str_eq(health.entries[0]->node->node, "n2");

    Curia__V1__NodeServicesRequest node = CURIA__V1__NODE_SERVICES_REQUEST__INIT;
    Curia__V1__NodeServicesReply node_reply = CURIA__V1__NODE_SERVICES_REPLY__INIT;
    node.node = text("n1");
    node.filter = text("Port == 1");
    ck_assert_int_eq(catalog_node_services(&view, &node, arena, &node_reply, &index), CU_OK);
    ck_assert(node_reply.node && node_reply.n_services == 0);

    Curia__V1__NodeChecksRequest of_node = CURIA__V1__NODE_CHECKS_REQUEST__INIT;
    Curia__V1__ServiceChecksRequest of_service = CURIA__V1__SERVICE_CHECKS_REQUEST__INIT;
    Curia__V1__StateChecksRequest in_state = CURIA__V1__STATE_CHECKS_REQUEST__INIT;
    Curia__V1__ChecksReply checks[] = {CURIA__V1__CHECKS_REPLY__INIT, CURIA__V1__CHECKS_REPLY__INIT,
                                       CURIA__V1__CHECKS_REPLY__INIT};
    of_node.node = text("n1");
    of_service.service = text("web");
    in_state.state = text("any");
    of_node.filter = text("Status == critical");
    of_service.filter = in_state.filter = text("Node == n2");
    ck_assert_int_eq(catalog_node_checks(&view, &of_node, arena, &checks[0], &index), CU_OK);
    ck_assert_int_eq(catalog_service_checks(&view, &of_service, arena, &checks[1], &index), CU_OK);
    ck_assert_int_eq(catalog_state_checks(&view, &in_state, arena, &checks[2], &index), CU_OK);
    ck_assert_uint_eq(checks[0].n_checks, 0);
    ck_assert_uint_eq(checks[1].n_checks, 1);
    ck_assert_uint_eq(checks[2].n_checks, 1);
}

SUITE_MAIN("catalogd/core/sieve", keeps_what_is_meant_in_its_order,
           every_read_with_a_filter_goes_through_it_QRY_55_56_58)
