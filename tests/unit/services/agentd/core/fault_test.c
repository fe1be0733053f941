#include "services/agentd/core/fault.h"

#include "tests/lib/suite.h"

START_TEST(every_error_of_the_bus_has_a_row) /* contracts 1.9 */
{
    for (int err = CU_E_INVALID; err < CU_ERR_COUNT; err++)
        ck_assert_msg(agent_fault_has_row((enum cu_err)err), "%s", cu_err_name((enum cu_err)err));
    ck_assert(!agent_fault_has_row(CU_OK));
    ck_assert(!agent_fault_has_row(CU_ERR_COUNT));
}
END_TEST

static const struct {
    enum cu_err err;
    const char *text;
    unsigned status;
    const char *want;
} cases[] = {
    {CU_E_INVALID, "bad thing", 400, "bad thing"},
    {CU_E_DENIED, "Permission denied", 403, "Permission denied"},
    {CU_E_INTERNAL, "ACL not found", 403, "ACL not found"}, /* the text decides */
    {CU_E_INTERNAL, "x: Permission denied: y", 403, "x: Permission denied: y"},
    {CU_E_OVERLOADED, "RPC rate limit exceeded", 429, ""},
    {CU_E_OVERLOADED, "busy", 429, "busy"},
    {CU_E_TOO_LARGE, "too big", 413, "too big"},
    {CU_E_NO_LEADER, "whatever", 500, "No cluster leader"},
    {CU_E_UNKNOWN, "", 500, "leadership lost while committing log"},
    {CU_E_INTERNAL, "", 500, "our own state is wrong"},
    {CU_ERR_COUNT, "news", 500, "news"},
};

START_TEST(maps_errors_to_the_status_and_sentence_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct agent_fault fault;
        agent_fault_of(&fault, cases[i].err, cases[i].text, 400);
        ck_assert_uint_eq(fault.status, cases[i].status);
        ck_assert_str_eq(fault.text, cases[i].want);
    }
}
END_TEST

SUITE_MAIN("services/agentd/core/fault", every_error_of_the_bus_has_a_row,
           maps_errors_to_the_status_and_sentence_of_the_reference)
