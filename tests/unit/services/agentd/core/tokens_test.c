#include "services/agentd/core/tokens.h"

#include <string.h>

#include "tests/lib/suite.h"

static struct agent_tokens tokens;

static const char *get(enum agent_token token)
{
    const char *text = agent_tokens_get(&tokens, token);
    return text ? text : "none";
}

START_TEST(each_token_has_its_names) /* http 2.2, agent 23 */
{
    static const struct {
        const char *name;
        enum agent_token token;
    } rows[] = {
        {"default", AGENT_TOKEN_DEFAULT},
        {"acl_token", AGENT_TOKEN_DEFAULT},
        {"agent", AGENT_TOKEN_AGENT},
        {"acl_agent_token", AGENT_TOKEN_AGENT},
        {"agent_master", AGENT_TOKEN_AGENT_MASTER},
        {"acl_agent_master_token", AGENT_TOKEN_AGENT_MASTER},
        {"replication", AGENT_TOKEN_REPLICATION},
        {"acl_replication_token", AGENT_TOKEN_REPLICATION},
    };
    enum agent_token found;
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        ck_assert(agent_token_find(rows[i].name, &found));
        ck_assert_int_eq(found, rows[i].token);
    }
    ck_assert(!agent_token_find("zz", &found));
    ck_assert(!agent_token_find("", &found));
    ck_assert(!agent_token_find("master", &found));
}
END_TEST

START_TEST(without_a_token_of_its_own_the_agent_uses_the_default_one) /* agent 88 */
{
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT), "none");
    ck_assert(agent_tokens_configure(&tokens, AGENT_TOKEN_DEFAULT, "d", false));
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT), "d");
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT_MASTER), "none");
    ck_assert(agent_tokens_configure(&tokens, AGENT_TOKEN_AGENT, "a", false));
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT), "a");
    ck_assert_str_eq(get(AGENT_TOKEN_DEFAULT), "d");
    ck_assert_ptr_null(agent_tokens_get(NULL, AGENT_TOKEN_AGENT));
    agent_tokens_deinit(&tokens);
}
END_TEST

START_TEST(a_change_is_told_once)
{
    ck_assert(agent_tokens_set(&tokens, AGENT_TOKEN_DEFAULT, "x"));
    ck_assert(!agent_tokens_set(&tokens, AGENT_TOKEN_DEFAULT, "x"));
    ck_assert(agent_tokens_set(&tokens, AGENT_TOKEN_DEFAULT, ""));
    ck_assert(!agent_tokens_set(&tokens, AGENT_TOKEN_DEFAULT, ""));
    ck_assert_str_eq(get(AGENT_TOKEN_DEFAULT), "none");
}
END_TEST

START_TEST(what_was_set_stays_before_the_configuration_where_it_is_kept) /* agent 88 */
{
    ck_assert(agent_tokens_set(&tokens, AGENT_TOKEN_AGENT, "set"));
    ck_assert(!agent_tokens_configure(&tokens, AGENT_TOKEN_AGENT, "file", true));
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT), "set");
    ck_assert(agent_tokens_is_set(&tokens, AGENT_TOKEN_AGENT));
    ck_assert(agent_tokens_configure(&tokens, AGENT_TOKEN_AGENT, "file", false));
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT), "file");
    /* what was taken away is not kept */
    ck_assert(agent_tokens_set(&tokens, AGENT_TOKEN_AGENT, ""));
    ck_assert(agent_tokens_configure(&tokens, AGENT_TOKEN_AGENT, "file", true));
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT), "file");
    agent_tokens_deinit(&tokens);
}
END_TEST

START_TEST(the_file_keeps_only_what_was_set) /* agent 50 */
{
    static const char text[] =
        "{\"replication\":\"r\",\"agent_master\":\"m\",\"default\":\"d\",\"agent\":\"a\"}";
    struct cu_buf out = {0};
    struct cu_diag diag = {0};
    ck_assert_int_eq(agent_tokens_read(&tokens, cu_bytes_of(text), &diag), CU_OK);
    ck_assert_str_eq(get(AGENT_TOKEN_DEFAULT), "d");
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT), "a");
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT_MASTER), "m");
    ck_assert_str_eq(get(AGENT_TOKEN_REPLICATION), "r");
    agent_tokens_write(&tokens, &out);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&out), cu_bytes_of(text)));
    cu_buf_clear(&out);
    (void)agent_tokens_configure(&tokens, AGENT_TOKEN_DEFAULT, "configured", false);
    (void)agent_tokens_set(&tokens, AGENT_TOKEN_AGENT, "");
    agent_tokens_write(&tokens, &out);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&out),
                             cu_bytes_of("{\"replication\":\"r\",\"agent_master\":\"m\"}")));
    cu_buf_deinit(&out);
    agent_tokens_deinit(&tokens);
}
END_TEST

START_TEST(a_damaged_file_sets_nothing)
{
    static const char *const texts[] = {"", "{", "[]", "{\"default\":7}",
                                        "{\"agent\":\"a\",\"default\":[]}"};
    struct cu_diag diag = {0};
    for (size_t i = 0; i < CU_COUNT(texts); i++) {
        ck_assert_int_eq(agent_tokens_read(&tokens, cu_bytes_of(texts[i]), &diag), CU_E_CORRUPT);
        ck_assert_str_eq(get(AGENT_TOKEN_AGENT), "none");
    }
    ck_assert_int_eq(
        agent_tokens_read(&tokens, cu_bytes_of("{\"newer\":1,\"agent\":\"a\"}"), &diag), CU_OK);
    ck_assert_str_eq(get(AGENT_TOKEN_AGENT), "a");
    agent_tokens_deinit(&tokens);
}
END_TEST

START_TEST(a_body_is_one_token)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct agent_fault fault = {0};
    const char *text;
    ck_assert(agent_token_read(cu_bytes_of("{\"Token\":\"t\"}"), arena, &text, &fault));
    ck_assert_str_eq(text, "t");
    ck_assert(agent_token_read(cu_bytes_of("{}"), arena, &text, &fault));
    ck_assert_str_eq(text, "");
    ck_assert(!agent_token_read(cu_bytes_of("{\"Bogus\":1}"), arena, &text, &fault));
    ck_assert_uint_eq(fault.status, 400);
    ck_assert_str_eq(fault.text, "Request decode failed: json: unknown field \"Bogus\"");
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/agentd/core/tokens", each_token_has_its_names,
           without_a_token_of_its_own_the_agent_uses_the_default_one, a_change_is_told_once,
           what_was_set_stays_before_the_configuration_where_it_is_kept,
           the_file_keeps_only_what_was_set, a_damaged_file_sets_nothing, a_body_is_one_token)
