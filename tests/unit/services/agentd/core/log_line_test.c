#include "services/agentd/core/log_line.h"

#include <string.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

static const char line[] =
    "2026-11-20T09:35:05.607Z [WARN]  agentd: member.state: name=\"n7\" from=alive";

static const char *shown(const char *text, bool as_json)
{
    static struct cu_buf out;
    cu_buf_clear(&out);
    agent_log_line_show(text, as_json, &out);
    cu_buf_u8(&out, 0);
    return (const char *)out.data;
}

START_TEST(only_what_is_grave_enough_is_shown)
{
    ck_assert(agent_log_line_counts(line, agent_log_gravity("WARN")));
    ck_assert(agent_log_line_counts(line, agent_log_gravity("trace")));
    ck_assert(!agent_log_line_counts(line, agent_log_gravity("error")));
    ck_assert(!agent_log_line_counts("{\"@level\":\"debug\",\"@message\":\"x\"}",
                                     agent_log_gravity("Info")));
    ck_assert(agent_log_line_counts("{\"@level\":\"info\",\"@message\":\"x\"}",
                                    agent_log_gravity("Info")));
    ck_assert(agent_log_line_counts("a bare line", agent_log_gravity("error")));
    ck_assert_int_eq(agent_log_gravity("zz"), -1);
    ck_assert_int_eq(agent_log_gravity("err"), agent_log_gravity("ERROR"));
    ck_assert(agent_log_line_counts("[averylongword] x", agent_log_gravity("error")));
}
END_TEST

START_TEST(a_line_is_shown_as_it_is_or_as_json)
{
    ck_assert_str_eq(shown("abc", false), "abc\n");
    ck_assert_str_eq(shown(line, true),
                     "{\"@level\":\"warn\",\"@message\":\"member.state: name=\\\"n7\\\" "
                     "from=alive\",\"@module\":\"agentd\",\"@timestamp\":"
                     "\"2026-11-20T09:35:05.607Z\"}\n");
    ck_assert_str_eq(shown("{\"@level\":\"info\"}", true), "{\"@level\":\"info\"}\n");
    ck_assert_str_eq(shown("a bare: line", true), "{\"@message\":\"a bare: line\"}\n");
    ck_assert_str_eq(shown("[x", true), "{\"@message\":\"[x\"}\n");
    ck_assert_str_eq(shown("", true), "{\"@message\":\"\"}\n");
}
END_TEST

SUITE_MAIN("services/agentd/core/log_line", only_what_is_grave_enough_is_shown,
           a_line_is_shown_as_it_is_or_as_json)
