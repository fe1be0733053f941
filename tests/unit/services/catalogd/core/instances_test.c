#include "services/catalogd/core/instances.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

/* A request in a test's words. */
struct ask {
    const char *service, *meta;
    const char *tags[3];
    bool connect, passing;
};

static Curia__V1__ServiceNodesRequest request_of(struct state *state, const struct ask *ask)
{
    Curia__V1__ServiceNodesRequest request = CURIA__V1__SERVICE_NODES_REQUEST__INIT;
    Curia__V1__StringMap *meta = reg_map(state->arena, ask->meta ? ask->meta : "");
    request.service = (char *)(uintptr_t)ask->service;
    request.tags = (char **)(uintptr_t)ask->tags;
    while (request.n_tags < 3 && ask->tags[request.n_tags])
        request.n_tags++;
    memcpy(&request.node_meta, &meta->entries, sizeof meta->entries);
    request.n_node_meta = meta->n_entries;
    request.connect = ask->connect;
    request.passing = ask->passing;
    return request;
}

/* "node/id" of each instance. */
static const char *catalog(struct state *state, const struct ask *ask, uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__ServiceNodesRequest request = request_of(state, ask);
    Curia__V1__ServiceNodesReply reply = CURIA__V1__SERVICE_NODES_REPLY__INIT;
    const char *text = "";
    ck_assert_int_eq(catalog_service_nodes(&view, &request, state->arena, &reply, ret_index),
                     CU_OK);
    for (size_t i = 0; i < reply.n_services; i++)
        text = cu_arena_printf(state->arena, "%s%s/%s ", text, reply.services[i]->node,
                               reply.services[i]->service_id);
    return text;
}

/* "node/id(checks)" of each instance. */
static const char *health(struct state *state, const struct ask *ask, uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__ServiceNodesRequest request = request_of(state, ask);
    Curia__V1__HealthServiceReply reply = CURIA__V1__HEALTH_SERVICE_REPLY__INIT;
    const char *text = "";
    ck_assert_int_eq(catalog_service_health(&view, &request, state->arena, &reply, ret_index),
                     CU_OK);
    for (size_t i = 0; i < reply.n_entries; i++) {
        const Curia__V1__HealthEntry *entry = reply.entries[i];
        text =
            cu_arena_printf(state->arena, "%s%s/%s(", text, entry->node->node, entry->service->id);
        for (size_t j = 0; j < entry->n_checks; j++)
            text = cu_arena_printf(state->arena, "%s%s%s", text, j ? "," : "",
                                   entry->checks[j]->check_id);
        text = cu_arena_printf(state->arena, "%s) ", text);
    }
    return text;
}

/* ---- Catalog ---- */

STATE_TEST(instances_come_by_node_and_id_under_any_case_CAT_132_136)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n2", .service = "Web", .service_id = "w"});
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .service_id = "w2"});
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .service_id = "w1"});
    uint64_t at = state_index(state);
    state_registers(state, &(struct reg){.node = "n1", .service = "web2"});
    ck_assert_str_eq(catalog(state, &(struct ask){.service = "WEB"}, &index), "n1/w1 n1/w2 n2/w ");
    ck_assert_uint_eq(index, at);
}

STATE_TEST(an_instance_has_all_of_its_node_and_service_CAT_132)
{
    state_registers(state, &(struct reg){.node = "n1",
                                         .id = "11111111-2222-3333-4444-555555555555",
                                         .node_meta = "k=v",
                                         .service = "web",
                                         .service_address = "10.1.1.1",
                                         .service_meta = "a=b",
                                         .tags = "t",
                                         .port = 80});
    uint64_t created = state_index(state), index;
    struct catalog_view view = state_view(state);
    Curia__V1__ServiceNodesRequest request = request_of(state, &(struct ask){.service = "web"});
    Curia__V1__ServiceNodesReply reply = CURIA__V1__SERVICE_NODES_REPLY__INIT;
    ck_assert_int_eq(catalog_service_nodes(&view, &request, state->arena, &reply, &index), CU_OK);
    const Curia__V1__CatalogService *got = reply.services[0];
    ck_assert_str_eq(got->id, "11111111-2222-3333-4444-555555555555");
    ck_assert_str_eq(got->address, "10.0.0.1");
    ck_assert_str_eq(got->datacenter, "dc1");
    ck_assert_str_eq(got->node_meta->entries[0]->value, "v");
    ck_assert_str_eq(got->service_name, "web");
    ck_assert_str_eq(got->service_address, "10.1.1.1");
    ck_assert_str_eq(got->service_meta->entries[0]->value, "b");
    ck_assert_str_eq(got->service_tags[0], "t");
    ck_assert_int_eq(got->service_port, 80);
    ck_assert_int_eq(got->service_weights->passing, 1);
    ck_assert_uint_eq(got->create_index, created);
    ck_assert_uint_eq(got->modify_index, created);
}

STATE_TEST(tags_must_all_be_there_under_any_case_CAT_135)
{
    uint64_t index, at;
    state_registers(state, &(struct reg){.node = "n1", .service = "db", .tags = "Master,v1"});
    state_registers(state, &(struct reg){.node = "n2", .service = "db", .tags = "v1"});
    at = state_index(state);
    ck_assert_str_eq(
        catalog(state, &(struct ask){.service = "db", .tags = {"master", "V1"}}, &index), "n1/db ");
    ck_assert_str_eq(catalog(state, &(struct ask){.service = "db", .tags = {"v1"}}, &index),
                     "n1/db n2/db ");
    ck_assert_str_eq(catalog(state, &(struct ask){.service = "db", .tags = {"zz"}}, &index), "");
    ck_assert_uint_eq(index, at); /* there is such a service (3.4) */
    ck_assert_str_eq(catalog(state, &(struct ask){.service = "db", .tags = {""}}, &index), "");
    ck_assert_str_eq(health(state, &(struct ask){.service = "db", .tags = {"MASTER"}}, &index),
                     "n1/db() ");
}

STATE_TEST(metadata_of_nodes_selects_instances_CAT_144)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1", .node_meta = "k=v", .service = "db"});
    state_registers(state, &(struct reg){.node = "n2", .node_meta = "k=w", .service = "db"});
    ck_assert_str_eq(catalog(state, &(struct ask){.service = "db", .meta = "k=v"}, &index),
                     "n1/db ");
    ck_assert_str_eq(health(state, &(struct ask){.service = "db", .meta = "k=w"}, &index),
                     "n2/db() ");
}

STATE_TEST(what_is_gone_has_the_index_of_the_last_extinction_CAT_137_147)
{
    uint64_t index;
    ck_assert_str_eq(catalog(state, &(struct ask){.service = "db"}, &index), "");
    ck_assert_uint_eq(index, 1);
    state_registers(state, &(struct reg){.node = "n1", .service = "db"});
    state_deregister(state, "n1", "db", NULL);
    uint64_t at = state_index(state);
    state_registers(state, &(struct reg){.node = "n1", .service = "other"});
    ck_assert_str_eq(health(state, &(struct ask){.service = "db"}, &index), "");
    ck_assert_uint_eq(index, at);
    ck_assert_str_eq(catalog(state, &(struct ask){.service = "never"}, &index), "");
    ck_assert_uint_eq(index, at);
}

/* ---- Connect ---- */

STATE_TEST(proxies_and_native_instances_stand_for_a_service_CAT_155_156)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .tags = "t"});
    state_registers(state, &(struct reg){.node = "n1",
                                         .service = "web-proxy",
                                         .kind = "connect-proxy",
                                         .destination = "web",
                                         .port = 1});
    uint64_t at = state_index(state);
    state_registers(state, &(struct reg){.node = "n2", .service = "nat", .is_native = true});
    ck_assert_str_eq(catalog(state, &(struct ask){.service = "Web", .connect = true}, &index),
                     "n1/web-proxy ");
    ck_assert_uint_eq(index, at);
    ck_assert_str_eq(health(state, &(struct ask){.service = "nat", .connect = true}, &index),
                     "n2/nat() ");
    /* Tags are not asked of proxies (2.6). */
    ck_assert_str_eq(
        catalog(state, &(struct ask){.service = "web", .tags = {"zz"}, .connect = true}, &index),
        "n1/web-proxy ");
    state_deregister(state, "n1", "web-proxy", NULL);
    ck_assert_str_eq(catalog(state, &(struct ask){.service = "web", .connect = true}, &index), "");
    ck_assert_uint_eq(index, state_index(state)); /* its loss is not missed (3.4) */
}

/* ---- Health ---- */

static void check(struct state *state, const char *node, const char *id, const char *service,
                  const char *status)
{
    state_registers(
        state,
        &(struct reg){.node = node, .check = id, .check_service = service, .status = status});
}

STATE_TEST(checks_of_the_node_come_first_then_those_of_the_instance_CAT_148)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .service_id = "a"});
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .service_id = "b"});
    state_registers(state, &(struct reg){.node = "n2", .service = "web", .service_id = "a"});
    check(state, "n1", "z-node", NULL, "passing");
    check(state, "n1", "b-node", NULL, "passing");
    check(state, "n1", "a2", "a", "passing");
    check(state, "n1", "a1", "A", "passing");
    check(state, "n1", "b1", "b", "passing");
    check(state, "n2", "other", "a", "passing");
    ck_assert_str_eq(health(state, &(struct ask){.service = "web"}, &index),
                     "n1/a(b-node,z-node,a1,a2) n1/b(b-node,z-node,b1) n2/a(other) ");
    ck_assert_uint_eq(index, state_index(state));
}

STATE_TEST(passing_keeps_those_whose_checks_all_pass_CAT_149)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1", .service = "web"});
    state_registers(state, &(struct reg){.node = "n2", .service = "web"});
    state_registers(state, &(struct reg){.node = "n3", .service = "web"});
    check(state, "n1", "c", "web", "warning");
    check(state, "n2", "c", NULL, "critical");
    check(state, "n3", "c", "web", "passing");
    ck_assert_str_eq(health(state, &(struct ask){.service = "web", .passing = true}, &index),
                     "n3/web(c) ");
    ck_assert_str_eq(health(state, &(struct ask){.service = "web"}, &index),
                     "n1/web(c) n2/web(c) n3/web(c) ");
}

STATE_TEST(an_answer_beyond_the_arena_is_too_large)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1", .service = "web", .check = "c"});
    struct catalog_view view = state_view(state);
    Curia__V1__ServiceNodesRequest request = request_of(state, &(struct ask){.service = "web"});
    Curia__V1__HealthServiceReply reply = CURIA__V1__HEALTH_SERVICE_REPLY__INIT;
    enum cu_err err = CU_E_TOO_LARGE;
    size_t limit = 0;
    for (; err == CU_E_TOO_LARGE; limit += 64) { /* at every step of the way */
        struct cu_arena *arena = cu_arena_new(limit);
        err = catalog_service_health(&view, &request, arena, &reply, &index);
        cu_arena_free(arena);
    }
    ck_assert_int_eq(err, CU_OK);
    ck_assert_uint_gt(limit, 1024);
}

SUITE_MAIN("catalogd/core/instances", instances_come_by_node_and_id_under_any_case_CAT_132_136,
           an_instance_has_all_of_its_node_and_service_CAT_132,
           tags_must_all_be_there_under_any_case_CAT_135,
           metadata_of_nodes_selects_instances_CAT_144,
           what_is_gone_has_the_index_of_the_last_extinction_CAT_137_147,
           proxies_and_native_instances_stand_for_a_service_CAT_155_156,
           checks_of_the_node_come_first_then_those_of_the_instance_CAT_148,
           passing_keeps_those_whose_checks_all_pass_CAT_149,
           an_answer_beyond_the_arena_is_too_large)
