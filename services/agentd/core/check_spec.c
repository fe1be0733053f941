#include "services/agentd/core/check_spec.h"

#include <string.h>

#include "services/agentd/core/copy.h"

enum { NS_PER_MS = 1000000 };

static bool is_script(const Curia__V1__CheckSpec *spec)
{
    return spec->n_script_args > 0;
}

static bool is_alias(const Curia__V1__CheckSpec *spec)
{
    return *spec->alias_node || *spec->alias_service;
}

static bool has_interval(const Curia__V1__CheckSpec *spec)
{
    return is_script(spec) || *spec->http || *spec->tcp || *spec->grpc;
}

enum agent_check_kind agent_check_kind(const Curia__V1__CheckSpec *spec)
{
    if (spec->ttl_ns > 0)
        return AGENT_CHECK_TTL;
    if (*spec->http)
        return AGENT_CHECK_HTTP;
    if (*spec->tcp)
        return AGENT_CHECK_TCP;
    if (*spec->grpc)
        return AGENT_CHECK_GRPC;
    if (is_script(spec))
        return *spec->docker_container_id ? AGENT_CHECK_DOCKER : AGENT_CHECK_SCRIPT;
    return is_alias(spec) ? AGENT_CHECK_ALIAS : AGENT_CHECK_NONE;
}

const char *agent_check_type(const Curia__V1__CheckSpec *spec)
{
    if (*spec->grpc)
        return "grpc";
    if (*spec->http)
        return "http";
    if (spec->ttl_ns > 0)
        return "ttl";
    if (*spec->tcp)
        return "tcp";
    if (is_alias(spec))
        return "alias";
    if (is_script(spec))
        return *spec->docker_container_id ? "docker" : "script";
    return "";
}

bool agent_check_is_empty(const Curia__V1__CheckSpec *spec)
{
    static const Curia__V1__CheckSpec empty = CURIA__V1__CHECK_SPEC__INIT;
    return agent_same(spec, &empty);
}

enum cu_err agent_check_validate(const Curia__V1__CheckSpec *spec, struct cu_diag *diag)
{
    if (spec->interval_ns > 0 && spec->ttl_ns > 0)
        return cu_fail(diag, CU_E_INVALID, "Interval and TTL cannot both be specified");
    if (has_interval(spec) && spec->interval_ns <= 0)
        return cu_fail(diag, CU_E_INVALID, "Interval must be > 0 for Script, HTTP, or TCP checks");
    if (has_interval(spec) && is_alias(spec))
        return cu_fail(diag, CU_E_INVALID, "Interval cannot be set for Alias checks");
    if (is_alias(spec) && spec->ttl_ns > 0)
        return cu_fail(diag, CU_E_INVALID, "TTL must be not be set for Alias checks");
    if (!has_interval(spec) && !is_alias(spec) && spec->ttl_ns <= 0)
        return cu_fail(diag, CU_E_INVALID, "TTL must be > 0 for TTL checks");
    if (spec->output_max_size < 0)
        return cu_fail(diag, CU_E_INVALID, "MaxOutputMaxSize must be positive");
    return CU_OK;
}

static int64_t at_least(int64_t ns, int64_t min_ms)
{
    return ns / NS_PER_MS < min_ms ? min_ms : ns / NS_PER_MS;
}

int64_t agent_check_interval_ms(const Curia__V1__CheckSpec *spec)
{
    return at_least(spec->interval_ns, AGENT_INTERVAL_MIN_MS);
}

int64_t agent_check_timeout_ms(const Curia__V1__CheckSpec *spec)
{
    enum agent_check_kind kind = agent_check_kind(spec);
    if (spec->timeout_ns > 0)
        return at_least(spec->timeout_ns, 1);
    return kind == AGENT_CHECK_SCRIPT || kind == AGENT_CHECK_DOCKER ? AGENT_SCRIPT_TIMEOUT_MS
                                                                    : AGENT_TIMEOUT_MS;
}

int64_t agent_check_deregister_ms(const Curia__V1__CheckSpec *spec)
{
    return spec->deregister_critical_service_after_ns > 0
               ? at_least(spec->deregister_critical_service_after_ns, AGENT_DEREGISTER_MIN_MS)
               : 0;
}
