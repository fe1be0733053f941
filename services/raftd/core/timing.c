#include "services/raftd/core/raft.h"

const struct raft_timing raft_timing_default = {
    .heartbeat_ms = 50, .contact_ms = 300, .election_ms = 300, .lease_ms = 200};

enum { LEAST_MS = 5, DRIFT_PERCENT = 2 };

struct raft_timing raft_timing_reference(unsigned multiplier)
{
    uint32_t m = multiplier;
    return (struct raft_timing){.heartbeat_ms = 100 * m,
                                .heartbeat_spread_ms = 100 * m,
                                .contact_ms = 1000 * m,
                                .election_ms = 1000 * m,
                                .lease_ms = 500 * m};
}

enum cu_err raft_timing_check(const struct raft_timing *timing, struct cu_diag *diag)
{
    if (timing->contact_ms < LEAST_MS)
        return cu_fail(diag, CU_E_INVALID, "heartbeat timeout is less than %d ms", LEAST_MS);
    if (timing->election_ms < LEAST_MS)
        return cu_fail(diag, CU_E_INVALID, "election timeout is less than %d ms", LEAST_MS);
    if (timing->lease_ms < LEAST_MS)
        return cu_fail(diag, CU_E_INVALID, "leader lease timeout is less than %d ms", LEAST_MS);
    if (!timing->heartbeat_ms ||
        timing->heartbeat_ms + timing->heartbeat_spread_ms >= timing->contact_ms)
        return cu_fail(diag, CU_E_INVALID, "heartbeats are not sent within the heartbeat timeout");
    if (timing->election_ms < timing->contact_ms)
        return cu_fail(diag, CU_E_INVALID,
                       "election timeout (%u ms) is less than the heartbeat timeout (%u ms)",
                       timing->election_ms, timing->contact_ms);
    /* consensus.md 8: what the leader's clock calls the lease must end before what the slowest
     * voter's clock calls H. */
    if ((uint64_t)timing->lease_ms * (100 + DRIFT_PERCENT) >=
        (uint64_t)timing->contact_ms * (100 - DRIFT_PERCENT))
        return cu_fail(
            diag, CU_E_INVALID,
            "leader lease timeout (%u ms) must be less than the heartbeat timeout (%u ms) "
            "with %d %% of clock drift",
            timing->lease_ms, timing->contact_ms, DRIFT_PERCENT);
    return CU_OK;
}
