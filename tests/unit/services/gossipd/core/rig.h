/* rig.h - one gossip core driven by hand, node "a"; what it did lies open until the next call.
 *
 * Nodes are single letters: "b" is 10.0.0.2:8301, and so on. */
#ifndef TESTS_GOSSIP_RIG_H
#define TESTS_GOSSIP_RIG_H

#include <check.h>

#include "common/base/arena.h"
#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/gossip.h"

struct rig {
    struct gossip *gossip;
    struct cu_mono now;
    uint64_t wall_ms;
    struct gossip_actions actions; /* of the last rig_ call */
    struct cu_arena *arena;
    struct cu_buf snapshot; /* lines written, all of them */
};

struct rig_seed {
    enum gossip_profile profile; /* default: serf's LAN */
    const char *snapshot;
    const char *peers; /* heard to be alive, incarnation 1: "bcd" */
    enum gossip_pool pool;
    uint32_t members_max;
    bool rejoin_after_leave, is_unborn; /* the latter: without the first step */
    uint64_t seed;
};

void rig_open(struct rig *rig, const struct rig_seed *seed);
void rig_close(struct rig *rig);

void rig_step(struct rig *rig, struct gossip_event event); /* now and wall are filled in */
void rig_wait(struct rig *rig, uint64_t ms);               /* with ticks at each deadline */

struct gossip_addr rig_addr(char node);
struct cu_bytes rig_tag_meta(const char *key, const char *value); /* static */

void rig_hear(struct rig *rig, const struct gossip_message *message, char from);
void rig_alive(struct rig *rig, const char *node, uint32_t incarnation);
void rig_alive_meta(struct rig *rig, const char *node, uint32_t incarnation, struct cu_bytes meta);
void rig_suspect(struct rig *rig, const char *node, uint32_t incarnation, const char *from);
void rig_dead(struct rig *rig, const char *node, uint32_t incarnation, const char *from);
void rig_intent(struct rig *rig, enum gossip_serf_type type, const char *node, uint64_t ltime,
                bool prune);
void rig_ack(struct rig *rig, uint32_t seq);
/* A push/pull somebody else opened, of the states given; the answer is in the actions. */
void rig_push_pull(struct rig *rig, const struct gossip_node_state *nodes, uint32_t count,
                   const struct gossip_serf_state *serf, bool is_join);
/* The reply to the exchange of the last dial in the actions; NULL nodes: it failed. */
void rig_reply(struct rig *rig, uint64_t exchange, const struct gossip_node_state *nodes,
               uint32_t count);

/* ---- what came of it ---- */

struct rig_sent {
    struct gossip_message message;
    struct gossip_addr to;
    bool with_crc;
    uint32_t part, parts; /* which of how many of its packet */
};

/* The n-th message of that type among the actions' packets (n from 0); false: there are fewer. */
bool rig_sent(struct rig *rig, enum gossip_type type, unsigned n, struct rig_sent *ret_sent);
unsigned rig_count(struct rig *rig, enum gossip_type type);
/* The same for a serf message inside a user message. */
bool rig_sent_serf(struct rig *rig, enum gossip_serf_type type, unsigned n,
                   struct gossip_serf *ret_serf);
const struct gossip_action *rig_action(const struct rig *rig, enum gossip_action_kind kind);
bool rig_noted(const struct rig *rig, enum gossip_note note);
unsigned rig_changed(const struct rig *rig, const char *node, enum gossip_change change);
enum gossip_status rig_status(const struct rig *rig, const char *node); /* NONE: not listed */
uint32_t rig_incarnation(const struct rig *rig, const char *node);
bool rig_is_suspect(const struct rig *rig, const char *node);
struct gossip_stats rig_stats(const struct rig *rig);

#endif
