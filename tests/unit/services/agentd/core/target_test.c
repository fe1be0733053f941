#include "services/agentd/core/target.h"

#include "tests/lib/suite.h"

static const struct {
    const char *raw, *path, *query; /* path NULL: refused */
} targets[] = {
    {"/v1/kv/a?recurse", "/v1/kv/a", "recurse"},
    {"/v1/kv/enc%2Fkey", "/v1/kv/enc/key", ""}, /* http 81 */
    {"/v1/kv/a%20b?x=%20", "/v1/kv/a b", "x=%20"},
    {"http://host:8500/v1/kv/a?b", "/v1/kv/a", "b"},
    {"/a+b", "/a+b", ""},
    {"/a%zz", NULL, NULL},
    {"/a%4", NULL, NULL},
    {"/a%", NULL, NULL},
    {"", NULL, NULL},
    {"*", NULL, NULL},
    {"http://host", NULL, NULL},
    {"/a\x01", NULL, NULL},
};

START_TEST(decodes_the_path_once_and_leaves_the_query)
{
    for (size_t i = 0; i < CU_COUNT(targets); i++) {
        struct cu_arena *arena = cu_arena_new(1024);
        struct agent_target target;
        enum cu_err err = agent_target_parse(cu_bytes_of(targets[i].raw), arena, &target);
        ck_assert_int_eq(err, targets[i].path ? CU_OK : CU_E_INVALID);
        if (!err) {
            ck_assert(cu_bytes_equal(target.path, cu_bytes_of(targets[i].path)));
            ck_assert(cu_bytes_equal(target.query, cu_bytes_of(targets[i].query)));
        }
        cu_arena_free(arena);
    }
}
END_TEST

static const struct {
    const char *path;
    bool printable;
} paths[] = {
    {"/v1/kv/a b~", true}, {"/a\x01", false},           {"/a\x7f", false},
    {"/\xc3\xa9", true},   {"/\xc2\xa0", false},        {"/\xe2\x80\x8b", false},
    {"/\xff", true},       {"/\xf0\x9f\x98\x80", true}, {"/\xef\xbb\xbf", false},
};

START_TEST(tells_printable_paths) /* http 11 */
{
    for (size_t i = 0; i < CU_COUNT(paths); i++)
        ck_assert_msg(agent_path_is_printable(cu_bytes_of(paths[i].path)) == paths[i].printable,
                      "row %zu", i);
}
END_TEST

static const struct {
    const char *path, *clean; /* NULL: clean already */
} cleaned[] = {
    {"/", NULL},
    {"/v1/kv/", NULL},
    {"/v1/kv/a", NULL},
    {"/v1/kv/.a/..b/...", NULL},
    {"/v1//kv/a", "/v1/kv/a"}, /* http 10 */
    {"//", "/"},
    {"/a/./b", "/a/b"},
    {"/a/../b/", "/b/"},
    {"/../../a", "/a"},
    {"/a/..", "/"},
    {"/a/.", "/a"},
    {"/a/b//", "/a/b/"},
};

START_TEST(takes_double_slashes_and_dots_out_of_a_path)
{
    for (size_t i = 0; i < CU_COUNT(cleaned); i++) {
        struct cu_buf clean = {0};
        bool is_clean = agent_path_is_clean(cu_bytes_of(cleaned[i].path), &clean);
        ck_assert_msg(is_clean == !cleaned[i].clean, "%s", cleaned[i].path);
        if (!is_clean) {
            cu_buf_u8(&clean, 0);
            ck_assert_str_eq((char *)clean.data, cleaned[i].clean);
            struct cu_buf again = {0};
            ck_assert(agent_path_is_clean(cu_bytes_of((char *)clean.data), &again));
        }
        cu_buf_deinit(&clean);
    }
}
END_TEST

START_TEST(escapes_what_a_location_may_not_hold)
{
    struct cu_buf out = {0};
    agent_path_escape(&out, cu_bytes_of("/a b?%<\xc3\xa9:@"));
    cu_buf_u8(&out, 0);
    ck_assert_str_eq((char *)out.data, "/a%20b%3F%25%3C%C3%A9:@");
    cu_buf_deinit(&out);
}
END_TEST

SUITE_MAIN("services/agentd/core/target", decodes_the_path_once_and_leaves_the_query,
           tells_printable_paths, takes_double_slashes_and_dots_out_of_a_path,
           escapes_what_a_location_may_not_hold)
