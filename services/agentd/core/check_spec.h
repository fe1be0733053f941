/* check_spec.h - the rules for one check's definition (agent.md 7, http-api.md 2.4). */
#ifndef AGENT_CHECK_SPEC_H
#define AGENT_CHECK_SPEC_H

#include <stdbool.h>

#include "common/base/err.h"
#include "curia/v1/agent.pb-c.h"

enum {
    AGENT_INTERVAL_MIN_MS = 1000,
    AGENT_DEREGISTER_MIN_MS = 60 * 1000,
    AGENT_TIMEOUT_MS = 10 * 1000,
    AGENT_SCRIPT_TIMEOUT_MS = 30 * 1000
};

/* What runs for a check; the order is that in which a definition with several is understood when it
 * runs. */
enum agent_check_kind {
    AGENT_CHECK_TTL,
    AGENT_CHECK_HTTP,
    AGENT_CHECK_TCP,
    AGENT_CHECK_GRPC,
    AGENT_CHECK_DOCKER,
    AGENT_CHECK_SCRIPT,
    AGENT_CHECK_ALIAS,
    AGENT_CHECK_NONE, /* maintenance */
    AGENT_CHECK_KIND_COUNT
};
enum agent_check_kind agent_check_kind(const Curia__V1__CheckSpec *spec);

/* "http", "ttl", ...: the Type of the check in the catalog, where another order holds. */
const char *agent_check_type(const Curia__V1__CheckSpec *spec);

/* No field of it is set: of a service's `Check`, as good as not there. */
bool agent_check_is_empty(const Curia__V1__CheckSpec *spec);

/* The reference's sentence, without "Invalid check: ". */
CU_MUST_USE enum cu_err agent_check_validate(const Curia__V1__CheckSpec *spec,
                                             struct cu_diag *diag);

/* What it runs with: values below their minimum are raised, a missing timeout is the kind's. */
int64_t agent_check_interval_ms(const Curia__V1__CheckSpec *spec);
int64_t agent_check_timeout_ms(const Curia__V1__CheckSpec *spec);
int64_t agent_check_deregister_ms(const Curia__V1__CheckSpec *spec); /* 0: never */

#endif
