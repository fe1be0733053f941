/* status.h - what a check can say, and how often it must say it before it counts (agent.md 9). */
#ifndef AGENT_STATUS_H
#define AGENT_STATUS_H

#include <stdbool.h>

#include "curia/v1/catalog.pb-c.h"

#define AGENT_NODE_MAINTENANCE    "_node_maintenance"
#define AGENT_SERVICE_MAINTENANCE "_service_maintenance:"

/* In the order of a set's aggregated status: the worst counts. */
enum agent_status {
    AGENT_PASSING,
    AGENT_WARNING,
    AGENT_CRITICAL,
    AGENT_MAINTENANCE, /* of a set only: a check of it is one of maintenance */
    AGENT_STATUS_COUNT
};

const char *agent_status_name(enum agent_status status);
/* "passing", "warning" or "critical". */
bool agent_status_parse(const char *text, enum agent_status *ret_status);

/* What the check adds to the status of a set. */
enum agent_status agent_status_of(const Curia__V1__Check *check);
bool agent_is_maintenance(const char *check_id);

/* Results in a row that a change needs. The first result of all counts at once. */
struct agent_threshold {
    int success, warning, critical; /* from the definition; 0 and 1: at once */
    int successes, failures;
    bool has_begun;
};

/* From success_before_passing, failures_before_warning (0: as critical), failures_before_critical.
 */
struct agent_threshold agent_threshold_of(int success, int warning, int critical);

/* Counts a result. False: nothing changes, the output neither. Else *ret_status is the new one. */
bool agent_threshold_add(struct agent_threshold *threshold, enum agent_status result,
                         enum agent_status *ret_status);

#endif
