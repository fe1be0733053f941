/* The table of routes and its order. */
#include "services/agentd/rpc/routes.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static void check_same(const char *path)
{
    struct cu_bytes bytes = cu_bytes_of(path);
    bool slash, want_slash;
    const struct agent_route *want =
        agent_route_find(agent_routes, agent_route_count, bytes, &want_slash);
    ck_assert_msg(agent_routes_find(bytes, &slash) == want && slash == want_slash, "%s", path);
}

START_TEST(rows_are_ordered_by_the_letter_behind_v1)
{
    for (size_t i = 0; i < agent_route_count; i++) {
        const char *pattern = agent_routes[i].pattern;
        ck_assert_msg(strncmp(pattern, "/v1/", 4) == 0 && pattern[4] > 0, "%s", pattern);
        ck_assert_msg(i == 0 || pattern[4] >= agent_routes[i - 1].pattern[4], "%s", pattern);
    }
}
END_TEST

START_TEST(what_is_found_by_letter_is_what_is_found_among_all)
{
    char path[128];
    for (size_t i = 0; i < agent_route_count; i++) {
        const char *pattern = agent_routes[i].pattern;
        check_same(pattern);
        (void)snprintf(path, sizeof path, "%sx", pattern);
        check_same(path);
        for (size_t len = 0; len < strlen(pattern); len++) { /* and where a slash is missing */
            (void)snprintf(path, sizeof path, "%.*s", (int)len, pattern);
            check_same(path);
        }
    }
    check_same("/v1/\xff");
    check_same("/v2/kv/a");
    check_same("xxxxkv/a");
}
END_TEST

SUITE_MAIN("services/agentd/rpc/routes", rows_are_ordered_by_the_letter_behind_v1,
           what_is_found_by_letter_is_what_is_found_among_all)
