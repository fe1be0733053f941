#include "services/catalogd/core/browse.h"

#include <stdio.h>
#include <string.h>

#include "services/catalogd/core/view.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

#define ID_1 "11111111-2222-3333-4444-555555555555"
#define ID_2 "11117777-2222-3333-4444-555555555555"

/* ---- in words ---- */

/* The entries of a node_meta field, which all look alike. */
static void set_meta(struct state *state, const char *pairs, void *ret_entries, size_t *ret_count)
{
    Curia__V1__StringMap *map = reg_map(state->arena, pairs);
    memcpy(ret_entries, &map->entries, sizeof map->entries);
    *ret_count = map->n_entries;
}

static const char *nodes(struct state *state, const char *meta, uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__ListNodesRequest request = CURIA__V1__LIST_NODES_REQUEST__INIT;
    Curia__V1__ListNodesReply reply = CURIA__V1__LIST_NODES_REPLY__INIT;
    const char *text = "";
    set_meta(state, meta, &request.node_meta, &request.n_node_meta);
    ck_assert_int_eq(catalog_list_nodes(&view, &request, state->arena, &reply, ret_index), CU_OK);
    for (size_t i = 0; i < reply.n_nodes; i++)
        text = cu_arena_printf(state->arena, "%s%s ", text, reply.nodes[i]->node);
    return text;
}

static const char *services(struct state *state, const char *meta, uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__ListServicesRequest request = CURIA__V1__LIST_SERVICES_REQUEST__INIT;
    Curia__V1__ListServicesReply reply = CURIA__V1__LIST_SERVICES_REPLY__INIT;
    const char *text = "";
    set_meta(state, meta, &request.node_meta, &request.n_node_meta);
    ck_assert_int_eq(catalog_list_services(&view, &request, state->arena, &reply, ret_index),
                     CU_OK);
    for (size_t i = 0; i < reply.n_services; i++) {
        text = cu_arena_printf(state->arena, "%s%s[", text, reply.services[i]->name);
        for (size_t j = 0; j < reply.services[i]->n_tags; j++)
            text = cu_arena_printf(state->arena, "%s%s%s", text, j ? "," : "",
                                   reply.services[i]->tags[j]);
        text = cu_arena_printf(state->arena, "%s] ", text);
    }
    return text;
}

static const char *on_node(struct state *state, const char *node, uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__NodeServicesRequest request = CURIA__V1__NODE_SERVICES_REQUEST__INIT;
    Curia__V1__NodeServicesReply reply = CURIA__V1__NODE_SERVICES_REPLY__INIT;
    request.node = (char *)(uintptr_t)node;
    ck_assert_int_eq(catalog_node_services(&view, &request, state->arena, &reply, ret_index),
                     CU_OK);
    if (!reply.node)
        return "unknown";
    const char *text = cu_arena_printf(state->arena, "%s: ", reply.node->node);
    for (size_t i = 0; i < reply.n_services; i++)
        text = cu_arena_printf(state->arena, "%s%s ", text, reply.services[i]->id);
    return text;
}

/* ---- nodes and services ---- */

STATE_TEST(lists_nodes_by_name_with_the_index_of_the_table_QRY_49)
{
    uint64_t index;
    ck_assert_str_eq(nodes(state, "", &index), "");
    ck_assert_uint_eq(index, 1);
    state_registers(state, &(struct reg){.node = "b"});
    state_registers(state, &(struct reg){.node = "A"});
    uint64_t at = state_index(state);
    state_registers(state, &(struct reg){.node = "b", .service = "s", .check = "c"});
    ck_assert_str_eq(nodes(state, "", &index), "A b ");
    ck_assert_uint_eq(index, at); /* a service is no change of it */
}

STATE_TEST(metadata_of_nodes_selects_and_two_pairs_must_both_match_CAT_144)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1", .node_meta = "a=1,b=2", .service = "x"});
    state_registers(state, &(struct reg){.node = "n2", .node_meta = "a=1", .service = "y"});
    state_registers(state, &(struct reg){.node = "n3", .service = "z"});
    ck_assert_str_eq(nodes(state, "a=1", &index), "n1 n2 ");
    ck_assert_str_eq(nodes(state, "a=1,b=2", &index), "n1 ");
    ck_assert_str_eq(nodes(state, "a=2", &index), "");
    ck_assert_str_eq(services(state, "a=1", &index), "x[] y[] ");
    ck_assert_str_eq(services(state, "a=1,b=2", &index), "x[] ");
    state_registers(state, &(struct reg){.node = "n3", .address = "10.9.9.9"});
    ck_assert_str_eq(services(state, "a=1", &index), "x[] y[] ");
    ck_assert_uint_eq(index, state_index(state)); /* max(services, nodes), 3.3 */
}

STATE_TEST(services_come_with_the_tags_of_all_their_instances_each_once_CAT_124)
{
    uint64_t index;
    char name[16];
    ck_assert_str_eq(services(state, "", &index), "");
    ck_assert_uint_eq(index, 1);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        state_registers(
            state, &(struct reg){.node = name, .service = "web", .tags = i == 7 ? "v1,a" : "v1,b"});
    }
    state_registers(state, &(struct reg){.node = "n1", .service = "consul"});
    ck_assert_str_eq(services(state, "", &index), "consul[] web[a,b,v1] ");
    ck_assert_uint_eq(index, state_index(state));
}

/* ---- one node ---- */

STATE_TEST(a_node_comes_with_its_services_and_its_own_index_CAT_139)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1", .id = ID_1, .service = "web"});
    state_registers(state, &(struct reg){.node = "n1", .id = ID_1, .service = "db"});
    uint64_t at = state_index(state);
    state_registers(state, &(struct reg){.node = "n2", .service = "other"});
    state_registers(state, &(struct reg){.node = "n1", .id = ID_1, .check = "c"});
    ck_assert_str_eq(on_node(state, "N1", &index), "n1: db web ");
    ck_assert_uint_eq(index, at); /* neither other nodes nor checks count */
}

STATE_TEST(a_node_that_is_not_there_has_the_index_of_the_last_removal_CAT_138_SUI_287)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1"});
    ck_assert_str_eq(on_node(state, "nosuch", &index), "unknown");
    ck_assert_uint_eq(index, 1);
    state_deregister(state, "n1", NULL, NULL);
    uint64_t at = state_index(state);
    state_registers(state, &(struct reg){.node = "n2"});
    ck_assert_str_eq(on_node(state, "n1", &index), "unknown");
    ck_assert_uint_eq(index, at);
}

STATE_TEST(a_node_is_found_by_what_only_its_id_begins_with)
{
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1", .id = ID_1, .service = "s"});
    state_registers(state, &(struct reg){.node = "n2", .id = ID_2});
    uint64_t at = state_index(state);
    ck_assert_str_eq(on_node(state, ID_1, &index), "n1: s ");
    ck_assert_uint_lt(index, at);
    ck_assert_str_eq(on_node(state, "111111", &index), "n1: s ");
    ck_assert_str_eq(on_node(state, "1111777", &index), "n2: "); /* an odd one is left out */
    ck_assert_str_eq(on_node(state, "1111", &index), "unknown"); /* ambiguous */
    ck_assert_str_eq(on_node(state, "2", &index), "unknown");
    state_registers(state, &(struct reg){.node = "1111"}); /* a name goes first */
    ck_assert_str_eq(on_node(state, "1111", &index), "1111: ");
}

START_TEST(only_some_texts_may_begin_an_id)
{
    char digits[CATALOG_ID_PREFIX_BYTES];
    ck_assert(catalog_id_prefix("DEadB", digits, sizeof digits));
    ck_assert_str_eq(digits, "dead");
    ck_assert(catalog_id_prefix(ID_1, digits, sizeof digits));
    ck_assert_str_eq(digits, "11111111222233334444555555555555");
    ck_assert(catalog_id_prefix("11-1-1", digits, sizeof digits));
    ck_assert(!catalog_id_prefix("1", digits, sizeof digits));
    ck_assert(!catalog_id_prefix("", digits, sizeof digits));
    ck_assert(!catalog_id_prefix("web", digits, sizeof digits));
    ck_assert(!catalog_id_prefix("11-111", digits, sizeof digits)); /* an odd count of digits */
    ck_assert(!catalog_id_prefix("1-1-1-1-1-11", digits, sizeof digits));
    ck_assert(!catalog_id_prefix(ID_1 "55", digits, sizeof digits));
    ck_assert(!catalog_id_prefix("----", digits, sizeof digits));
}
END_TEST

STATE_TEST(an_answer_beyond_the_arena_is_too_large)
{
    struct catalog_view view;
    Curia__V1__ListNodesRequest request = CURIA__V1__LIST_NODES_REQUEST__INIT;
    Curia__V1__ListNodesReply reply = CURIA__V1__LIST_NODES_REPLY__INIT;
    uint64_t index;
    state_registers(state, &(struct reg){.node = "n1"});
    view = state_view(state);
    struct cu_arena *arena = cu_arena_new(64);
    ck_assert_int_eq(catalog_list_nodes(&view, &request, arena, &reply, &index), CU_E_TOO_LARGE);
    cu_arena_free(arena);
}

SUITE_MAIN("catalogd/core/browse", lists_nodes_by_name_with_the_index_of_the_table_QRY_49,
           metadata_of_nodes_selects_and_two_pairs_must_both_match_CAT_144,
           services_come_with_the_tags_of_all_their_instances_each_once_CAT_124,
           a_node_comes_with_its_services_and_its_own_index_CAT_139,
           a_node_that_is_not_there_has_the_index_of_the_last_removal_CAT_138_SUI_287,
           a_node_is_found_by_what_only_its_id_begins_with, only_some_texts_may_begin_an_id,
           an_answer_beyond_the_arena_is_too_large)
