#include "services/agentd/core/query.h"

#include "tests/lib/suite.h"

static struct cu_arena *arena;
static struct agent_query query;

static enum cu_err parse(const char *raw)
{
    arena = arena ? arena : cu_arena_new(4096);
    return agent_query_parse(cu_bytes_of(raw), arena, &query);
}

START_TEST(the_first_of_equal_names_is_used)
{
    ck_assert_int_eq(parse("a=1&b&a=2;c=x%20y+z&&=q"), CU_OK);
    ck_assert_uint_eq(query.count, 5);
    ck_assert(cu_bytes_equal(agent_query_value(&query, "a"), cu_bytes_of("1")));
    ck_assert(agent_query_has(&query, "b"));
    ck_assert(cu_bytes_equal(agent_query_value(&query, "c"), cu_bytes_of("x y z")));
    ck_assert(!agent_query_has(&query, "d"));
    ck_assert_uint_eq(agent_query_count(&query, "a"), 2);
    ck_assert_uint_eq(agent_query_count(&query, "d"), 0);
    ck_assert(cu_bytes_equal(agent_query_value(&query, ""), cu_bytes_of("q")));
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_bad_escape_is_refused) /* http 12 */
{
    ck_assert_int_eq(parse("%zz"), CU_E_INVALID);
    ck_assert_int_eq(parse("a=%4"), CU_E_INVALID);
    ck_assert_int_eq(parse(""), CU_OK);
    ck_assert_uint_eq(query.count, 0);
    cu_arena_free(arena);
}
END_TEST

START_TEST(encodes_sorted_by_name_and_keeps_the_order_of_equal_names) /* http 75, 76 */
{
    struct cu_buf out = {0};
    ck_assert_int_eq(parse("recurse&cas=1&b=%20%2F&b=2&a~=\xc3\xa9"), CU_OK);
    agent_query_encode(&out, &query);
    cu_buf_u8(&out, 0);
    ck_assert_str_eq((char *)out.data, "a~=%C3%A9&b=+%2F&b=2&cas=1&recurse=");
    cu_buf_deinit(&out);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/agentd/core/query", the_first_of_equal_names_is_used, a_bad_escape_is_refused,
           encodes_sorted_by_name_and_keeps_the_order_of_equal_names)
