/* world.h - a whole pool of gossip cores in one process on virtual time, one seed a run.
 *
 * A node is a core, its snapshot file, and a process that may be paused, killed and started again.
 * The network loses, delays and cuts, one way or both. After every event the core that moved checks
 * itself (gossip_check), once a virtual second the pool's promises are checked (check.c). */
#ifndef TESTS_GOSSIP_SIM_WORLD_H
#define TESTS_GOSSIP_SIM_WORLD_H

#include "common/base/arena.h"
#include "common/base/map.h"
#include "common/base/random.h"
#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/gossip.h"
#include "services/gossipd/core/packet.h"

enum {
    SIM_NODES_MAX = 1000,
    SIM_LARGE = 400,     /* from here on a run is short and simple */
    SIM_INBOX_MAX = 256, /* packets that wait in the socket of a paused process */
    SIM_NAME_BYTES = 16,
};

enum sim_life { SIM_NEVER, SIM_UP, SIM_PAUSED, SIM_DOWN, SIM_LEFT };

struct sim_node {
    struct gossip *gossip; /* while UP or PAUSED */
    enum sim_life life;
    uint32_t lives;             /* how often it was started */
    uint32_t moves;             /* how often with a new address; nobody is at the old ones */
    uint32_t group;             /* partition; only equal ones reach each other */
    unsigned loss_in, loss_out; /* of 1000 packets */
    struct cu_buf snapshot;
    uint64_t timer_ns;       /* of the entry in the queue that counts */
    uint64_t since_ms;       /* of the last change of life, group or loss that it felt */
    uint64_t join_due_ms;    /* asks to join then, until it is answered; 0: no more */
    struct sim_item **inbox; /* while paused */
    uint32_t inbox_count;
    bool is_leaving;
    unsigned tag; /* value of its tag "n" */
    uint64_t tag_since_ms;
    uint64_t bytes, packets;
};

enum sim_kind {
    SIM_TIMER,
    SIM_PACKET,
    SIM_REQUEST, /* of a stream, arrives at its acceptor */
    SIM_REPLY,   /* arrives at who opened it */
};

struct sim_item {
    uint64_t at_ns, order;
    enum sim_kind kind;
    uint32_t node, lives; /* whom it reaches, in that life only */
    uint32_t from;
    uint64_t stream;
    struct cu_buf bytes;
    const char *failure; /* of a REPLY: why there is none */
};

/* A stream from its dial to its end. */
struct sim_stream {
    uint64_t id, exchange;
    uint32_t from, from_lives, to;
};

/* How this seed's weather is. */
struct sim_plan {
    uint32_t nodes;
    uint32_t duration_ms;
    unsigned loss; /* of 1000 packets, everywhere */
    bool kills, moves, pauses, partitions, one_way, leaves, tags, compress, jitter;
};

/* What the promises are measured by: check.c says how each comes about. */
struct sim_bounds {
    uint64_t spread_ms, refute_ms, death_ms, settle_ms, calm_bytes_per_s;
};

struct sim_options {
    uint64_t seed;
    uint32_t nodes; /* 0: by the seed */
    bool trace, calm;
};

struct sim {
    struct sim_plan plan;
    struct sim_bounds bounds;
    struct cu_random random;
    uint64_t now_ns, order;
    bool trace;
    const char *failure; /* the claim that does not hold; NULL: all do */
    char failure_text[256];

    struct sim_node *nodes;
    struct sim_item **queue; /* a heap */
    size_t queue_count, queue_cap;
    struct cu_map streams;
    uint64_t last_stream;
    struct cu_arena *arena;
    struct gossip_actions actions;
    const struct gossip_timing *timing;

    bool has_harmed; /* a large pool */
    uint64_t nemesis_due_ms, check_due_ms, partition_until_ms;
    struct {
        uint32_t node;
        uint64_t at_ms;
        enum { SIM_HEAL_NONE, SIM_RESUME, SIM_RESTART, SIM_CLEAR_LOSS } what;
    } * repairs;
    uint32_t repair_count;
    uint64_t settled_ms; /* nothing has been disturbed since */

    uint8_t *seen;       /* status of [subject] as [observer] tells it */
    uint32_t *failed_ms; /* since when it calls it failed; 0: it does not */
    unsigned *seen_tag;

    /* what the run was like */
    uint64_t steps, false_deaths, deaths, worst_death_ms, worst_refute_ms, converged_ms;
    uint64_t death_ms_sum, calm_bytes, calm_ms;
};

/* Runs one seed to its end; the claim that broke, or NULL. */
const char *sim_run(struct sim *sim, const struct sim_options *options);
void sim_deinit(struct sim *sim);

/* ---- what the files offer each other ---- */

static inline uint64_t sim_ms(const struct sim *sim)
{
    return sim->now_ns / 1000000;
}

void sim_fail(struct sim *sim, const char *claim, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sim_tell(const struct sim *sim, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool sim_chance(struct sim *sim, unsigned of_1000);

/* queue.c */
void sim_push(struct sim *sim, struct sim_item *item);
struct sim_item *sim_pop(struct sim *sim);
void sim_item_free(struct sim_item *item);

/* net.c */
void sim_send(struct sim *sim, uint32_t from, const struct gossip_outgoing *packet);
void sim_dial(struct sim *sim, uint32_t from, const struct gossip_action *dial);
void sim_answer(struct sim *sim, uint32_t from, uint64_t stream, struct cu_buf *bytes);
void sim_deliver(struct sim *sim, struct sim_item *item); /* takes it */

/* node.c */
void sim_start(struct sim *sim, uint32_t node);
void sim_kill(struct sim *sim, uint32_t node);
void sim_pause(struct sim *sim, uint32_t node);
void sim_resume(struct sim *sim, uint32_t node);
void sim_leave(struct sim *sim, uint32_t node);
void sim_set_tag(struct sim *sim, uint32_t node);
void sim_step(struct sim *sim, uint32_t node, struct gossip_event event); /* fills in the time */
void sim_join(struct sim *sim, uint32_t node);
struct gossip_addr sim_addr(const struct sim *sim, uint32_t node);
uint32_t sim_node_at(const struct sim *sim, struct gossip_addr addr); /* UINT32_MAX: nobody */

/* nemesis.c */
void sim_plan(struct sim *sim, const struct sim_options *options);
void sim_disturb(struct sim *sim); /* what is due of it */

/* check.c */
void sim_note_member(struct sim *sim, uint32_t observer, const struct gossip_action *member);
void sim_check(struct sim *sim);     /* once a virtual second */
void sim_check_end(struct sim *sim); /* at the end, after the last repair had its time */
void sim_set_bounds(struct sim *sim);

#endif
