#include "services/agentd/core/options.h"

#include "tests/lib/suite.h"

static const struct agent_waits waits = {300000, 600000};

static const struct {
    const char *query, *cache_control;
    struct agent_options want;
} good[] = {
    {"", NULL, {AGENT_DEFAULT, 0, 300000, 0}},
    {"stale", NULL, {AGENT_STALE, 0, 300000, 0}},
    {"stale=false", NULL, {AGENT_STALE, 0, 300000, 0}}, /* a presence flag */
    {"consistent", NULL, {AGENT_CONSISTENT, 0, 300000, 0}},
    {"leader", NULL, {AGENT_DEFAULT, 0, 300000, 0}},
    {"max_stale=5s", NULL, {AGENT_STALE, 0, 300000, 5000}}, /* http 35 */
    {"max_stale=0", NULL, {AGENT_DEFAULT, 0, 300000, 0}},
    {"index=12&wait=1s", NULL, {AGENT_DEFAULT, 12, 1000, 0}},
    {"wait=1500ms", NULL, {AGENT_DEFAULT, 0, 1500, 0}},
    {"index=18446744073709551615&wait=20m", NULL, {AGENT_DEFAULT, UINT64_MAX, 600000, 0}},
    {"wait=-1s", NULL, {AGENT_DEFAULT, 0, 300000, 0}},
    {"wait=0", NULL, {AGENT_DEFAULT, 0, 300000, 0}},
    {"wait=&index=", NULL, {AGENT_DEFAULT, 0, 300000, 0}},
    {"cached", "max-age=5, Stale-If-Error=10,must-revalidate", {AGENT_DEFAULT, 0, 300000, 0}},
};

static const struct {
    const char *query, *cache_control, *sentence;
} bad[] = {
    {"stale&consistent", NULL,
     "Cannot specify ?stale with ?consistent, conflicting semantics."}, /* http 36 */
    {"cached&consistent", NULL,
     "Cannot specify ?cached with ?consistent, conflicting semantics."}, /* http 37 */
    {"max_stale=abc", NULL, "Invalid max_stale value \"abc\""},          /* http 38 */
    {"index=abc", NULL, "Invalid index"},                                /* http 39 */
    {"index=-1", NULL, "Invalid index"},
    {"index=18446744073709551616", NULL, "Invalid index"},
    {"wait=abc", NULL, "Invalid wait time"}, /* http 40 */
    {"wait=5", NULL, "Invalid wait time"},
    {"", "max-age=abc", "Invalid Cache-Control header."}, /* http 41 */
};

START_TEST(reads_mode_index_and_wait)
{
    for (size_t i = 0; i < CU_COUNT(good); i++) {
        struct cu_arena *arena = cu_arena_new(1024);
        struct agent_query query;
        struct agent_options options;
        struct agent_fault fault;
        ck_assert_int_eq(agent_query_parse(cu_bytes_of(good[i].query), arena, &query), CU_OK);
        ck_assert_msg(agent_options_parse(&query, good[i].cache_control, &waits, &options, &fault),
                      "%s", good[i].query);
        ck_assert_int_eq(options.mode, good[i].want.mode);
        ck_assert(options.index == good[i].want.index);
        ck_assert_uint_eq(options.wait_ms, good[i].want.wait_ms);
        ck_assert_uint_eq(options.max_stale_ms, good[i].want.max_stale_ms);
        cu_arena_free(arena);
    }
}
END_TEST

START_TEST(refuses_with_the_sentences_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        struct cu_arena *arena = cu_arena_new(1024);
        struct agent_query query;
        struct agent_options options;
        struct agent_fault fault;
        ck_assert_int_eq(agent_query_parse(cu_bytes_of(bad[i].query), arena, &query), CU_OK);
        ck_assert(!agent_options_parse(&query, bad[i].cache_control, &waits, &options, &fault));
        ck_assert_uint_eq(fault.status, 400);
        ck_assert_str_eq(fault.text, bad[i].sentence);
        cu_arena_free(arena);
    }
}
END_TEST

SUITE_MAIN("services/agentd/core/options", reads_mode_index_and_wait,
           refuses_with_the_sentences_of_the_reference)
