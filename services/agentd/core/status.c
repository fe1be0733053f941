#include "services/agentd/core/status.h"

#include <string.h>

#include "common/base/err.h"

static const char *const names[] = {"passing", "warning", "critical", "maintenance"};
_Static_assert(CU_COUNT(names) == AGENT_STATUS_COUNT, "a name for each status");

const char *agent_status_name(enum agent_status status)
{
    return names[status];
}

bool agent_status_parse(const char *text, enum agent_status *ret_status)
{
    for (enum agent_status status = AGENT_PASSING; status < AGENT_MAINTENANCE; status++)
        if (strcmp(text, names[status]) == 0) {
            *ret_status = status;
            return true;
        }
    return false;
}

bool agent_is_maintenance(const char *check_id)
{
    return strcmp(check_id, AGENT_NODE_MAINTENANCE) == 0 ||
           strncmp(check_id, AGENT_SERVICE_MAINTENANCE, strlen(AGENT_SERVICE_MAINTENANCE)) == 0;
}

enum agent_status agent_status_of(const Curia__V1__Check *check)
{
    enum agent_status status = AGENT_CRITICAL;
    if (agent_is_maintenance(check->check_id))
        return AGENT_MAINTENANCE;
    (void)agent_status_parse(check->status, &status); /* what nobody knows is critical */
    return status;
}

struct agent_threshold agent_threshold_of(int success, int warning, int critical)
{
    return (struct agent_threshold){
        .success = success, .critical = critical, .warning = warning > 0 ? warning : critical};
}

/* No further than what is asked for. */
static int count_up(int count, int limit)
{
    return count < limit ? count + 1 : limit;
}

bool agent_threshold_add(struct agent_threshold *t, enum agent_status result,
                         enum agent_status *ret_status)
{
    if (!t->has_begun) {
        t->has_begun = true;
        t->successes = t->success;
        t->failures = t->critical;
    }
    if (result != AGENT_CRITICAL) {
        t->failures = 0;
        t->successes = count_up(t->successes, t->success);
        *ret_status = result;
        return t->successes >= t->success;
    }
    t->successes = 0;
    t->failures = count_up(t->failures, t->critical);
    *ret_status = t->failures >= t->critical ? AGENT_CRITICAL : AGENT_WARNING;
    return t->failures >= t->critical || t->failures >= t->warning;
}
