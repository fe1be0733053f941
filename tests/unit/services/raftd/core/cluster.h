/* cluster.h - several rafts on virtual time with a network that loses, doubles, delays and
 * reorders; beside each a catalogd that is no more than a position. For properties of the core
 * alone; pairs with a real catalogd are in tests/sim. */
#ifndef TESTS_RAFT_CLUSTER_H
#define TESTS_RAFT_CLUSTER_H

#include "common/base/random.h"
#include "tests/lib/raft_disk.h"

enum { CLUSTER_MAX = 5 };

struct cluster_node {
    struct raft *raft; /* NULL: down */
    struct raft_disk disk;
    struct raft_header state;   /* what the catalogd holds: applied */
    struct raft_header durable; /* and what of it survives */
    bool is_attached;
    uint64_t life, synced;     /* newest write that is durable */
    struct cluster_held *held; /* messages that wait for a write */
    uint32_t held_count, held_cap;
};

struct cluster {
    uint64_t seed;
    struct cu_random random;
    struct cu_mono now;
    unsigned count;
    struct cluster_node nodes[CLUSTER_MAX];
    bool is_cut[CLUSTER_MAX][CLUSTER_MAX]; /* [from][to] */
    unsigned drop_permille, double_permille;
    uint64_t delay_max_us, sync_max_us, trailing;
    bool holds_pulls; /* no transfer of a state comes to its end */
    struct cluster_event *events;
    uint32_t event_count, event_cap;
    uint64_t next_tag, steps;

    struct raft_entry *committed; /* [index - 1], by the first that handed it out */
    uint64_t committed_count, committed_cap;
    struct raft_id leader_of[4096]; /* by term */
    struct cluster_call *calls;
    uint32_t call_count, call_cap;
    uint64_t acknowledged; /* proposals answered as committed */
    uint64_t reads;
    char failure[256]; /* the first claim that did not hold; empty: none */
};

void cluster_open(struct cluster *c, unsigned count, uint64_t seed);
void cluster_close(struct cluster *c);

void cluster_run(struct cluster *c, uint64_t ms); /* stops early when a claim fails */
void cluster_start(struct cluster *c, unsigned node);
void cluster_crash(struct cluster *c, unsigned node, bool loses_state); /* loses_state: also the
                                                                          catalogd's database */
void cluster_cut(struct cluster *c, unsigned node, bool is_cut);
void cluster_heal(struct cluster *c);
void cluster_propose(struct cluster *c, unsigned node);
void cluster_read(struct cluster *c, unsigned node, enum raft_read_mode mode);
unsigned cluster_leader(const struct cluster *c); /* of the highest term; count: none */
/* ---- between cluster.c and cluster_check.c ---- */
struct raft_id cluster_id(unsigned node);
void cluster_fail(struct cluster *c, const char *fmt, ...) CU_PRINTF(2, 3);
void cluster_check_committed(struct cluster *c, unsigned node, const struct raft_entry *entry);
void cluster_check_leader(struct cluster *c, unsigned node);

struct raft_status cluster_status(const struct cluster *c, unsigned node);

#endif
