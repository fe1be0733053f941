#include "services/agentd/core/renewal.h"

static uint64_t at_least(uint64_t ms)
{
    return ms > AGENT_RENEWAL_MIN_MS ? ms : AGENT_RENEWAL_MIN_MS;
}

uint64_t agent_renewal_after_ms(struct cu_random *random, int64_t not_before_s, int64_t not_after_s,
                                int64_t now_ms)
{
    int64_t life_s = not_after_s - not_before_s;
    if (life_s <= 0)
        return AGENT_RENEWAL_MIN_MS;
    int64_t from_ms = not_before_s * 1000 + life_s * 600,
            to_ms = not_before_s * 1000 + life_s * 900;
    if (from_ms < now_ms)
        from_ms = now_ms;
    if (to_ms <= from_ms)
        return at_least(from_ms > now_ms ? (uint64_t)(from_ms - now_ms) : 0);
    uint64_t extra_ms = cu_random_below(random, (uint64_t)(to_ms - from_ms));
    return at_least((uint64_t)(from_ms - now_ms) + extra_ms);
}

uint64_t agent_renewal_spread_ms(struct cu_random *random)
{
    return cu_random_below(random, AGENT_RENEWAL_SPREAD_MS);
}

uint64_t agent_renewal_retry_ms(struct cu_random *random, unsigned failures)
{
    uint64_t step_ms = cu_random_below(random, AGENT_RENEWAL_SPREAD_MS);
    uint64_t ms = (failures < 1000 ? failures : 1000) * step_ms;
    return at_least(ms < AGENT_RENEWAL_RETRY_MAX_MS ? ms : AGENT_RENEWAL_RETRY_MAX_MS);
}
