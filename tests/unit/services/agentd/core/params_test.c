#include "services/agentd/core/params.h"

#include <stddef.h>
#include <string.h>

#include "curia/v1/catalog.pb-c.h"
#include "tests/lib/suite.h"

#define AT(member) offsetof(Curia__V1__ServiceNodesRequest, member)

static const struct agent_params params = {
    .request = &curia__v1__service_nodes_request__descriptor,
    .tail = AT(service),
    .near = AT(near),
    .filter = AT(filter),
    .meta = AT(node_meta),
    .n_meta = AT(n_node_meta),
    .meta_entry = &curia__v1__service_nodes_request__node_meta_entry__descriptor,
    .tags = AT(tags),
    .n_tags = AT(n_tags),
    .passing = AT(passing),
};

static struct cu_arena *arena;
static bool bad_passing;

static Curia__V1__ServiceNodesRequest *bind(const char *tail, const char *query)
{
    struct agent_query parsed;
    ck_assert_int_eq(agent_query_parse(cu_bytes_of(query), arena, &parsed), CU_OK);
    struct agent_asked asked = {cu_bytes_of(tail), &parsed, "self"};
    return (Curia__V1__ServiceNodesRequest *)agent_params_bind(&params, &asked, arena,
                                                               &bad_passing);
}

START_TEST(what_is_not_there_stays_as_it_was)
{
    arena = cu_arena_new(65536);
    Curia__V1__ServiceNodesRequest *in = bind("web", "");
    ck_assert_str_eq(in->service, "web");
    ck_assert_str_eq(in->near, "");
    ck_assert_uint_eq(in->n_tags + in->n_node_meta, 0);
    ck_assert(!in->passing && !in->connect && !bad_passing);
    cu_arena_free(arena);
}
END_TEST

START_TEST(metadata_is_sorted_and_the_last_value_of_a_key_counts)
{
    arena = cu_arena_new(65536);
    Curia__V1__ServiceNodesRequest *in =
        bind("web", "node-meta=b:1&node-meta=c&node-meta=a:x:y&node-meta=b:2");
    ck_assert_uint_eq(in->n_node_meta, 3);
    ck_assert_str_eq(in->node_meta[0]->key, "a");
    ck_assert_str_eq(in->node_meta[0]->value, "x:y");
    ck_assert_str_eq(in->node_meta[1]->key, "b");
    ck_assert_str_eq(in->node_meta[1]->value, "2");
    ck_assert_str_eq(in->node_meta[2]->value, "");
    size_t size = curia__v1__service_nodes_request__get_packed_size(in);
    ck_assert_uint_gt(size, 0); /* its entries are messages of the right kind */
    cu_arena_free(arena);
}
END_TEST

static const struct {
    const char *query;
    bool is_bad, passing;
} booleans[] = {
    {"passing", false, true},        {"passing=", false, true},
    {"passing=t", false, true},      {"passing=True", false, true},
    {"passing=0", false, false},     {"passing=F", false, false},
    {"passing=FALSE", false, false}, {"passing=yes", true, false},
    {"passing=tRUE", true, false},   {"", false, false},
};

START_TEST(http_149_passing_is_present_or_a_boolean)
{
    arena = cu_arena_new(65536);
    for (size_t i = 0; i < CU_COUNT(booleans); i++) {
        Curia__V1__ServiceNodesRequest *in = bind("web", booleans[i].query);
        ck_assert_msg(bad_passing == booleans[i].is_bad, "%s", booleans[i].query);
        ck_assert_msg((bool)in->passing == booleans[i].passing, "%s", booleans[i].query);
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_full_arena_is_said_so_wherever_it_ends)
{
    size_t limit = 256;
    Curia__V1__ServiceNodesRequest *in = NULL;
    for (; !in && limit < 65536; limit += 64) {
        struct agent_query parsed;
        struct cu_arena *texts = cu_arena_new(65536);
        const char *query = "tag=a&tag=b&node-meta=a:1&node-meta=b:2&near=x&filter=y";
        ck_assert_int_eq(agent_query_parse(cu_bytes_of(query), texts, &parsed), CU_OK);
        struct agent_asked asked = {cu_bytes_of("web"), &parsed, "self"};
        arena = cu_arena_new(limit);
        in = (Curia__V1__ServiceNodesRequest *)agent_params_bind(&params, &asked, arena,
                                                                 &bad_passing);
        if (in)
            ck_assert_uint_eq(in->n_tags + in->n_node_meta, 4);
        cu_arena_free(arena);
        cu_arena_free(texts);
    }
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_gt(limit, 320); /* it was too small at first */
}
END_TEST

SUITE_MAIN("services/agentd/core/params", what_is_not_there_stays_as_it_was,
           metadata_is_sorted_and_the_last_value_of_a_key_counts,
           http_149_passing_is_present_or_a_boolean, a_full_arena_is_said_so_wherever_it_ends)
