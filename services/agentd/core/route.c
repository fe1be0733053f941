#include "services/agentd/core/route.h"

#include <string.h>

static bool matches(const char *pattern, size_t len, struct cu_bytes path)
{
    bool prefix = pattern[len - 1] == '/';
    return (prefix ? path.len >= len : path.len == len) && memcmp(pattern, path.data, len) == 0;
}

const struct agent_route *agent_route_find(const struct agent_route *routes, size_t count,
                                           struct cu_bytes path, bool *ret_slash)
{
    const struct agent_route *best = NULL;
    size_t best_len = 0;

    *ret_slash = false;
    for (const struct agent_route *row = routes; row < routes + count; row++) {
        size_t len = strlen(row->pattern);
        if (len > best_len && matches(row->pattern, len, path)) {
            best = row;
            best_len = len;
        }
        if (len == path.len + 1 && row->pattern[path.len] == '/' &&
            memcmp(row->pattern, path.data, path.len) == 0)
            *ret_slash = true;
    }
    /* An exact row for the path itself wins over the redirection. */
    if (best && best_len == path.len)
        *ret_slash = false;
    return *ret_slash ? NULL : best;
}

bool agent_route_allows(const struct agent_route *route, const char *method)
{
    size_t len = strlen(method);
    for (const char *at = route->methods; *at;) {
        size_t word = strcspn(at, ",");
        if (word == len && memcmp(at, method, len) == 0)
            return true;
        at += word + (at[word] == ',');
    }
    return false;
}
