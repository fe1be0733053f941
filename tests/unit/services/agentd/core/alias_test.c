#include "services/agentd/core/alias.h"

#include <stdio.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

struct one {
    const char *id, *service, *status;
};

static const struct {
    const char *service;
    bool has_service;
    struct one checks[4];
    enum agent_status status;
    const char *output;
} cases[] = {
    /* agent 38 */
    {"web", true, {{0}}, AGENT_PASSING, "No checks found."},
    {"web", false, {{0}}, AGENT_CRITICAL, "Service web could not be found on node n1"},
    {"web",
     false,
     {{"mem", "", "passing"}},
     AGENT_CRITICAL,
     "Service web could not be found on node n1"},
    {"web", false, {{"a", "web", "passing"}}, AGENT_PASSING, "All checks passing."},
    {"web",
     true,
     {{"a", "web", "passing"}, {"b", "db", "critical"}},
     AGENT_PASSING,
     "All checks passing."},
    {"web",
     true,
     {{"mem", "", "warning"}, {"a", "web", "warning"}},
     AGENT_WARNING,
     "Aliased check \"a\" failing: out of a"},
    {"web",
     true,
     {{"a", "web", "critical"}, {"mem", "", "critical"}},
     AGENT_CRITICAL,
     "Aliased check \"a\" failing: out of a"},
    {"web",
     true,
     {{"a", "web", "warning"}, {"mem", "", "critical"}},
     AGENT_CRITICAL,
     "Aliased check \"mem\" failing: out of mem"},
    {"",
     false,
     {{"a", "web", "critical"}, {"mem", "", "warning"}},
     AGENT_WARNING,
     "Aliased check \"mem\" failing: out of mem"},
    {"web", true, {{"own", "web", "critical"}}, AGENT_PASSING, "No checks found."},
};

START_TEST(says_what_the_worst_of_its_target_says)
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        Curia__V1__Check checks[4], *list[4];
        char outputs[4][16];
        struct cu_buf output = {0};
        size_t count = 0;
        for (; count < 4 && cases[i].checks[count].id; count++) {
            const struct one *one = &cases[i].checks[count];
            curia__v1__check__init(&checks[count]);
            checks[count].check_id = checks[count].name = (char *)one->id;
            checks[count].service_id = (char *)one->service;
            checks[count].status = (char *)one->status;
            (void)snprintf(outputs[count], sizeof outputs[count], "out of %s", one->id);
            checks[count].output = outputs[count];
            list[count] = &checks[count];
        }
        enum agent_status status = agent_alias_status("n1", cases[i].service, "own",
                                                      cases[i].has_service, list, count, &output);
        cu_buf_u8(&output, 0);
        ck_assert_int_eq(status, cases[i].status);
        ck_assert_str_eq((const char *)output.data, cases[i].output);
        cu_buf_deinit(&output);
    }
}
END_TEST

SUITE_MAIN("services/agentd/core/alias", says_what_the_worst_of_its_target_says)
