#include "services/agentd/core/options.h"

#include <string.h>
#include <strings.h>

#include "common/base/num.h"

enum { NS_PER_MS = 1000000 };

bool agent_number_parse(struct cu_bytes text, uint64_t *ret_number, struct agent_fault *fault)
{
    enum cu_err err = cu_parse_u64((const char *)text.data, text.len, ret_number);
    if (!err)
        return true;
    return agent_refuse(fault, 500, "strconv.ParseUint: parsing \"%.*s\": %s",
                        (int)(text.len < 200 ? text.len : 200), (const char *)text.data,
                        err == CU_E_TOO_LARGE ? "value out of range" : "invalid syntax");
}

static bool directive_is_good(const char *text, size_t len)
{
    static const char *const numbers[] = {"max-age=", "stale-if-error="};
    while (len && (*text == ' ' || *text == '\t')) {
        text++;
        len--;
    }
    while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    for (size_t i = 0; i < CU_COUNT(numbers); i++) {
        size_t name = strlen(numbers[i]);
        int64_t seconds;
        if (len >= name && strncasecmp(text, numbers[i], name) == 0)
            return cu_parse_i64(text + name, len - name, &seconds) == CU_OK;
    }
    return true; /* others are ignored */
}

static bool cache_control_is_good(const char *header)
{
    for (const char *at = header ? header : ""; *at;) {
        size_t len = strcspn(at, ",");
        if (!directive_is_good(at, len))
            return false;
        at += len + (at[len] == ',');
    }
    return true;
}

static bool parse_mode(const struct agent_query *query, struct agent_options *options,
                       struct agent_fault *fault)
{
    bool consistent = agent_query_has(query, "consistent");
    bool stale = agent_query_has(query, "stale");
    struct cu_bytes age = agent_query_value(query, "max_stale");

    if (age.len) {
        int64_t ns;
        if (cu_parse_duration_ns((const char *)age.data, &ns, NULL))
            return agent_refuse(fault, 400, "Invalid max_stale value \"%.*s\"",
                                (int)(age.len < 200 ? age.len : 200), (const char *)age.data);
        if (ns > 0) {
            options->max_stale_ms = (uint64_t)(ns + NS_PER_MS - 1) / NS_PER_MS;
            stale = true;
        }
    }
    if (stale && consistent)
        return agent_refuse(fault, 400,
                            "Cannot specify ?stale with ?consistent, conflicting semantics.");
    if (agent_query_has(query, "cached") && consistent)
        return agent_refuse(fault, 400,
                            "Cannot specify ?cached with ?consistent, conflicting semantics.");
    options->mode = stale ? AGENT_STALE : consistent ? AGENT_CONSISTENT : AGENT_DEFAULT;
    return true;
}

static bool parse_wait(const struct agent_query *query, const struct agent_waits *waits,
                       struct agent_options *options, struct agent_fault *fault)
{
    struct cu_bytes wait = agent_query_value(query, "wait");
    struct cu_bytes index = agent_query_value(query, "index");
    int64_t ns = 0;

    if (wait.len && cu_parse_duration_ns((const char *)wait.data, &ns, NULL))
        return agent_refuse(fault, 400, "Invalid wait time");
    if (index.len && cu_parse_u64((const char *)index.data, index.len, &options->index))
        return agent_refuse(fault, 400, "Invalid index");
    uint64_t ms = ns > 0 ? (uint64_t)(ns + NS_PER_MS - 1) / NS_PER_MS : waits->default_ms;
    options->wait_ms = ms < waits->max_ms ? ms : waits->max_ms;
    return true;
}

bool agent_options_parse(const struct agent_query *query, const char *cache_control,
                         const struct agent_waits *waits, struct agent_options *ret_options,
                         struct agent_fault *fault)
{
    struct agent_options options = {0};
    if (!cache_control_is_good(cache_control))
        return agent_refuse(fault, 400, "Invalid Cache-Control header.");
    if (!parse_mode(query, &options, fault) || !parse_wait(query, waits, &options, fault))
        return false;
    *ret_options = options;
    return true;
}
