#include "services/gossipd/core/suspicion.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "common/base/hash.h"

struct gossip_suspicion {
    struct gossip_suspicion_limits limits;
    struct cu_mono start;
    uint32_t confirmed;
    uint64_t accusers[]; /* hashes: the first, then those who confirmed */
};

struct gossip_suspicion_limits gossip_suspicion_limits(uint32_t mult, uint32_t max_mult,
                                                       uint32_t interval_ms, uint32_t members)
{
    double scale = members > 10 ? trunc(log10(members) * 1000) / 1000 : 1;
    uint32_t min_ms = (uint32_t)(mult * scale * interval_ms);
    uint32_t expected = mult > 2 ? mult - 2 : 0;
    if (members < expected + 2)
        expected = 0;
    return (struct gossip_suspicion_limits){expected, min_ms, max_mult * min_ms};
}

uint32_t gossip_suspicion_ms(const struct gossip_suspicion_limits *limits, uint32_t confirmed)
{
    if (confirmed >= limits->expected)
        return limits->min_ms;
    double evidence = log(confirmed + 1.0) / log(limits->expected + 1.0);
    double wait = limits->max_ms - evidence * (limits->max_ms - limits->min_ms);
    return wait < limits->min_ms ? limits->min_ms : (uint32_t)floor(wait);
}

struct gossip_suspicion *gossip_suspicion_new(const struct gossip_suspicion_limits *limits,
                                              struct cu_bytes from, struct cu_mono now)
{
    struct gossip_suspicion *suspicion =
        cu_alloc(sizeof *suspicion + (limits->expected + 1) * sizeof suspicion->accusers[0]);
    suspicion->limits = *limits;
    suspicion->start = now;
    suspicion->accusers[0] = cu_table_hash(from.data, from.len);
    return suspicion;
}

void gossip_suspicion_free(struct gossip_suspicion *suspicion)
{
    free(suspicion);
}

bool gossip_suspicion_confirm(struct gossip_suspicion *suspicion, struct cu_bytes from)
{
    if (suspicion->confirmed >= suspicion->limits.expected)
        return false;
    uint64_t accuser = cu_table_hash(from.data, from.len);
    for (uint32_t i = 0; i <= suspicion->confirmed; i++)
        if (suspicion->accusers[i] == accuser)
            return false;
    suspicion->accusers[++suspicion->confirmed] = accuser;
    return true;
}

struct cu_mono gossip_suspicion_deadline(const struct gossip_suspicion *suspicion)
{
    return cu_mono_add_ms(suspicion->start,
                          gossip_suspicion_ms(&suspicion->limits, suspicion->confirmed));
}

void gossip_suspicion_extend(struct gossip_suspicion *suspicion, uint64_t ms)
{
    suspicion->start = cu_mono_add_ms(suspicion->start, ms);
}
