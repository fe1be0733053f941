#include "services/agentd/core/route.h"

#include "common/base/err.h"
#include "tests/lib/suite.h"

static const struct agent_route routes[] = {
    {.pattern = "/", .methods = "GET"},
    {.pattern = "/v1/kv/", .methods = "GET,PUT,DELETE"},
    {.pattern = "/v1/status/leader", .methods = "GET"},
    {.pattern = "/v1/query", .methods = "GET"},
    {.pattern = "/v1/query/", .methods = "GET"},
    {.pattern = "/v1/kv/special", .methods = "GET"},
};

static const struct {
    const char *path, *pattern; /* "+": sent to the path with a slash */
} cases[] = {
    {"/v1/kv/a/b", "/v1/kv/"},
    {"/v1/kv/", "/v1/kv/"},
    {"/v1/kv/special", "/v1/kv/special"}, /* the longest wins */
    {"/v1/kv/specialer", "/v1/kv/"},
    {"/v1/kv", "+"}, /* http 9 */
    {"/v1/query", "/v1/query"},
    {"/v1/query/x", "/v1/query/"},
    {"/v1/status/leader", "/v1/status/leader"},
    {"/v1/status/leader/x", "/"},
    {"/v1/nope", "/"},
    {"/", "/"},
};

START_TEST(the_longest_pattern_wins_and_exact_ones_take_nothing_more)
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        bool slash;
        const struct agent_route *row =
            agent_route_find(routes, CU_COUNT(routes), cu_bytes_of(cases[i].path), &slash);
        ck_assert_msg(slash == (cases[i].pattern[0] == '+'), "%s", cases[i].path);
        if (!slash)
            ck_assert_str_eq(row->pattern, cases[i].pattern);
    }
}
END_TEST

START_TEST(only_whole_method_names_are_allowed)
{
    ck_assert(agent_route_allows(&routes[1], "GET"));
    ck_assert(agent_route_allows(&routes[1], "DELETE"));
    ck_assert(!agent_route_allows(&routes[1], "DEL"));
    ck_assert(!agent_route_allows(&routes[1], ""));
    ck_assert(!agent_route_allows(&routes[1], "HEAD")); /* http 14 */
    ck_assert(!agent_route_allows(&routes[2], "PUT"));
}
END_TEST

SUITE_MAIN("services/agentd/core/route", the_longest_pattern_wins_and_exact_ones_take_nothing_more,
           only_whole_method_names_are_allowed)
