/* How long everything takes, by profile (gossip.md 14). */
#include "services/gossipd/core/gossip.h"

#define HOURS(n) ((uint64_t)(n)*60 * 60 * 1000)

/* What is serf's and the same in every profile of a serf agent. */
#define SERF                                                                                       \
    .broadcast_timeout_ms = 5000, .leave_propagate_ms = 1000, .reap_interval_ms = 15000,           \
    .recent_intent_ms = 5 * 60 * 1000, .reconnect_interval_ms = 30000,                             \
    .reconnect_timeout_ms = HOURS(24), .tombstone_timeout_ms = HOURS(24)

/* Consul's changes to that. */
#define CONSUL                                                                                     \
    .broadcast_timeout_ms = 5000, .leave_propagate_ms = 3000, .reap_interval_ms = 15000,           \
    .recent_intent_ms = 5 * 60 * 1000, .reconnect_interval_ms = 30000,                             \
    .reconnect_timeout_ms = HOURS(72), .tombstone_timeout_ms = HOURS(24), .dead_reclaim_ms = 30000

#define LAN                                                                                        \
    .tcp_timeout_ms = 10000, .indirect_checks = 3, .retransmit_mult = 4, .suspicion_mult = 4,      \
    .suspicion_max_mult = 6, .push_pull_interval_ms = 30000, .probe_interval_ms = 1000,            \
    .probe_timeout_ms = 500, .awareness_max = 8, .gossip_nodes = 3, .gossip_interval_ms = 200,     \
    .gossip_to_dead_ms = 30000

#define WAN                                                                                        \
    .tcp_timeout_ms = 30000, .indirect_checks = 3, .retransmit_mult = 4, .suspicion_mult = 6,      \
    .suspicion_max_mult = 6, .push_pull_interval_ms = 60000, .probe_interval_ms = 5000,            \
    .probe_timeout_ms = 3000, .awareness_max = 8, .gossip_interval_ms = 500,                       \
    .gossip_to_dead_ms = 60000

const struct gossip_timing gossip_timing_profiles[GOSSIP_PROFILE_COUNT] = {
    [GOSSIP_PROFILE_LAN] = {LAN, SERF},
    [GOSSIP_PROFILE_WAN] = {WAN, .gossip_nodes = 4, SERF},
    [GOSSIP_PROFILE_LOCAL] = {.tcp_timeout_ms = 1000,
                              .indirect_checks = 1,
                              .retransmit_mult = 2,
                              .suspicion_mult = 3,
                              .suspicion_max_mult = 6,
                              .push_pull_interval_ms = 15000,
                              .probe_interval_ms = 1000,
                              .probe_timeout_ms = 200,
                              .awareness_max = 8,
                              .gossip_nodes = 3,
                              .gossip_interval_ms = 100,
                              .gossip_to_dead_ms = 15000,
                              SERF},
    [GOSSIP_PROFILE_CONSUL_LAN] = {LAN, CONSUL},
    /* The configuration's default for the WAN takes the LAN's number of nodes. */
    [GOSSIP_PROFILE_CONSUL_WAN] = {WAN, .gossip_nodes = 3, CONSUL},
    [GOSSIP_PROFILE_CONSUL_DEV] = {.tcp_timeout_ms = 10000,
                                   .indirect_checks = 3,
                                   .retransmit_mult = 4,
                                   .suspicion_mult = 3,
                                   .suspicion_max_mult = 6,
                                   .push_pull_interval_ms = 30000,
                                   .probe_interval_ms = 100,
                                   .probe_timeout_ms = 100,
                                   .awareness_max = 8,
                                   .gossip_nodes = 3,
                                   .gossip_interval_ms = 100,
                                   .gossip_to_dead_ms = 30000,
                                   CONSUL},
};
