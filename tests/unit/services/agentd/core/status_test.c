#include "services/agentd/core/status.h"

#include "common/base/err.h"
#include "tests/lib/suite.h"

/* Results as letters, p w c; what comes of each: its letter, or '.' for no change. */
static const struct {
    int success, warning, critical;
    const char *results, *effects;
} cases[] = {
    {0, 0, 0, "pcwpc", "pcwpc"},
    {1, 1, 1, "pcwpc", "pcwpc"},
    {2, 0, 0, "ppcpp", "ppc.p"},   /* agent 39 */
    {2, 0, 0, "cpp", "c.p"},       /* agent 39: the first result counts at once */
    {3, 0, 0, "pcwwwp", "pc..wp"}, /* a warning is a success */
    {0, 0, 3, "pcccp", "p..cp"},   /* agent 40 */
    {0, 0, 3, "cpccpccc", "cp..p..c"},
    {0, 2, 3, "pccc", "p.wc"}, /* agent 44 */
    {0, 0, -1, "pc", "pc"},
};

START_TEST(a_change_needs_as_many_results_in_a_row_as_it_says)
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct agent_threshold threshold =
            agent_threshold_of(cases[i].success, cases[i].warning, cases[i].critical);
        for (size_t at = 0; cases[i].results[at]; at++) {
            static const char letters[] = "pwc";
            enum agent_status result =
                (enum agent_status)(strchr(letters, cases[i].results[at]) - letters);
            enum agent_status status = AGENT_MAINTENANCE;
            char got = agent_threshold_add(&threshold, result, &status) ? letters[status] : '.';
            ck_assert_msg(got == cases[i].effects[at], "%s at %zu: %c", cases[i].results, at, got);
        }
    }
}
END_TEST

START_TEST(maintenance_is_worse_than_critical) /* http 187 */
{
    Curia__V1__Check check = CURIA__V1__CHECK__INIT;
    check.status = "passing";
    check.check_id = "web";
    ck_assert_int_eq(agent_status_of(&check), AGENT_PASSING);
    check.status = "bogus";
    ck_assert_int_eq(agent_status_of(&check), AGENT_CRITICAL);
    check.check_id = "_node_maintenance";
    ck_assert_int_eq(agent_status_of(&check), AGENT_MAINTENANCE);
    check.check_id = "_service_maintenance:web";
    ck_assert_int_eq(agent_status_of(&check), AGENT_MAINTENANCE);
    ck_assert_int_gt(AGENT_MAINTENANCE, AGENT_CRITICAL);
    ck_assert_str_eq(agent_status_name(AGENT_MAINTENANCE), "maintenance");
}
END_TEST

START_TEST(only_three_words_are_a_status)
{
    enum agent_status status;
    ck_assert(agent_status_parse("warning", &status));
    ck_assert_int_eq(status, AGENT_WARNING);
    ck_assert(!agent_status_parse("maintenance", &status));
    ck_assert(!agent_status_parse("Passing", &status));
    ck_assert(!agent_status_parse("", &status));
}
END_TEST

SUITE_MAIN("services/agentd/core/status", a_change_needs_as_many_results_in_a_row_as_it_says,
           maintenance_is_worse_than_critical, only_three_words_are_a_status)
