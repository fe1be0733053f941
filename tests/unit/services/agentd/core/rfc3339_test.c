/* Times as clients write them. */
#include "services/agentd/core/rfc3339.h"

#include "common/base/err.h"
#include "tests/lib/suite.h"

static const struct {
    const char *text;
    uint64_t ms;
} times[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:01Z", 1000},
    {"2026-11-20T10:38:10.370035905Z", 1795171090370},
    {"2026-11-20T10:38:10.3Z", 1795171090300},
    {"2026-11-20T12:38:10.3+02:00", 1795171090300},
    {"2026-11-20T10:08:10.3-00:30", 1795171090300},
    {"2000-02-29T00:00:00Z", 951782400000},
    {"2024-03-01T00:00:00Z", 1709251200000},
    {"2100-03-01T00:00:00Z", 4107542400000},
    {"9999-12-31T23:59:59Z", 253402300799000},
    {"0000-01-01T00:00:00Z", 1},
    {"0001-01-01T00:00:00Z", 0}, /* Go's zero time */
    {"1969-12-31T23:59:59Z", 1}, /* long ago, and yet a time */
};

START_TEST(a_time_is_read_to_the_ms)
{
    for (size_t i = 0; i < CU_COUNT(times); i++) {
        uint64_t ms = 7;
        ck_assert_msg(agent_time_parse(times[i].text, &ms), "%s", times[i].text);
        ck_assert_msg(ms == times[i].ms, "%s: %llu", times[i].text, (unsigned long long)ms);
    }
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
    static const char *const bad[] = {
        "",
        "tomorrow",
        "2026-11-20",
        "2026-11-20T10:38:10",
        "2026-11-20T10:38:10.Z",
        "2026-11-20T10:38:10z",
        "2026-11-20T10:38:10Z ",
        "2026-11-20T10:38:10+0200",
        "2026-11-20T10:38:10+2:00",
        "2026-11-20T10:38:10+25:00",
        "2026-13-20T10:38:10Z",
        "2026-00-20T10:38:10Z",
        "2026-02-29T10:38:10Z",
        "2026-02-20T24:38:10Z",
        "2026-1-20T10:38:10Z",
        "2026-11-20 10:38:10Z",
        " 2026-11-20T10:38:10Z",
    };
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        uint64_t ms;
        ck_assert_msg(!agent_time_parse(bad[i], &ms), "%s", bad[i]);
    }
}
END_TEST

SUITE_MAIN("services/agentd/core/rfc3339", a_time_is_read_to_the_ms, what_is_no_time_is_refused)
