/* replica.h - the catalogd side of the seam with raftd, as a pure state machine (contracts 3, 5):
 * when to attach, follow, apply, pull, propose and propose again, ask for a read index, be on duty.
 * An event in, actions out; no I/O, no clock.
 *
 * Command bytes, requests and rows stay with the edge: the machine knows tags (the edge's names of
 * writes and reads), seqs and positions. The production edge is io/; the simulator drives the same
 * functions. */
#ifndef CATALOG_REPLICA_H
#define CATALOG_REPLICA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mono.h"
#include "services/catalogd/core/apply.h"
#include "services/catalogd/core/store.h"

struct catalog_replica;

struct catalog_replica_options {
    struct cu_mono now;
    uint64_t seed;  /* proposer ids and jitter come from it */
    bool is_reader; /* contracts 3.8: follows, reads, passes writes on, holds no duty */
    struct catalog_position applied, durable; /* of the state as opened */
};

struct catalog_replica *catalog_replica_new(const struct catalog_replica_options *options);
void catalog_replica_free(struct catalog_replica *replica);

enum catalog_read_mode { CATALOG_READ_DEFAULT, CATALOG_READ_CONSISTENT, CATALOG_READ_MODE_COUNT };

enum catalog_event_kind {
    CATALOG_EV_TICK,
    CATALOG_EV_CONNECTED,    /* to raftd */
    CATALOG_EV_DISCONNECTED, /* all calls to it have failed with it */
    CATALOG_EV_ATTACHED,     /* answer to ATTACH */
    CATALOG_EV_FOLLOWED,     /* answer to FOLLOW */
    CATALOG_EV_APPLIED, /* the apply worker committed up to `position`; outcomes came before, one by
                           one */
    CATALOG_EV_OUTCOME, /* what apply said of one entry with a proposer */
    CATALOG_EV_DURABLE, /* a checkpoint ended */
    CATALOG_EV_STOPPED, /* apply refused to go on (contracts 6.6) */
    CATALOG_EV_WRITE,   /* a write wants in: tag, deadline */
    CATALOG_EV_WRITE_GONE, /* its caller left: what was not proposed yet never will be; WRITE_DONE
                              comes all the same, once */
    CATALOG_EV_PROPOSED,   /* answer to PROPOSE */
    CATALOG_EV_READ,       /* a read wants an index: tag, mode, deadline */
    CATALOG_EV_READ_GONE,
    CATALOG_EV_READ_INDEX, /* answer to READ_INDEX */
    CATALOG_EV_PULLED,     /* a state was installed durably, or not */
    CATALOG_EV_DUTY,       /* answer to DUTY */
    CATALOG_EV_DISOWNED,   /* the state is not the one that the others have, or does not add up:
                              another is to take its place (compare.h, verify.h) */
    CATALOG_EVENT_COUNT
};

struct catalog_event {
    enum catalog_event_kind kind;
    struct cu_mono now;
    uint64_t
        tag; /* WRITE*, READ*: the edge's name; PROPOSED, READ_INDEX: the batch or round number */
    enum cu_err err; /* answers: CU_OK or why not */
    struct cu_mono deadline;
    bool ends_on_retry; /* WRITE: when what it rests on has changed, the edge makes it anew */
    union {
        struct {
            bool adopted;
            struct catalog_id cluster; /* raftd's; zero: none yet */
        } attached;
        struct {
            enum catalog_follow {
                CATALOG_NOTHING,
                CATALOG_ENTRIES,
                CATALOG_COMPACTED,
                CATALOG_DIVERGED
            } outcome;
            struct catalog_position last; /* of the last entry handed over (ENTRIES) */
            bool is_own_lineage; /* DIVERGED: whether the raftd's lineage knows our cluster id */
            struct catalog_id cluster;
            uint64_t upto;
        } followed;
        struct catalog_position position; /* APPLIED, DURABLE, PULLED */
        struct catalog_outcome outcome;   /* OUTCOME */
        enum catalog_read_mode mode;      /* READ */
        struct {
            const uint64_t *refused; /* seqs; `err` of each beside it */
            const enum cu_err *refused_err;
            uint32_t refused_count;
            const uint64_t *lost;
            uint32_t lost_count;
        } proposed;
        struct {
            uint64_t index, term; /* of the entry that must be applied before */
        } read;                   /* READ_INDEX */
        struct {
            bool on;
            uint64_t term, noop_index;
            struct catalog_id ticket;
        } duty;
    };
};

enum catalog_action_kind {
    CATALOG_ACT_ATTACH,     /* call Log.Attach with the header of the durable state */
    CATALOG_ACT_FOLLOW,     /* call Log.Follow(after, durable, wait_ms): one in flight */
    CATALOG_ACT_APPLY,      /* give the entries just followed to the apply worker */
    CATALOG_ACT_PROPOSE,    /* add the write `tag` under (proposer, seq) to the batch that leaves at
                               the end of the turn */
    CATALOG_ACT_OPEN,       /* likewise an Open entry of `proposer` made at `applied_index` */
    CATALOG_ACT_READ_INDEX, /* call Log.ReadIndex(mode); `tag` is the round */
    CATALOG_ACT_READ_READY, /* the read `tag` may read now */
    CATALOG_ACT_READ_FAILED, /* err: NO_LEADER, NOT_READY, DEADLINE */
    CATALOG_ACT_WRITE_DONE,  /* the write `tag`: err CU_OK and its outcome; or UNKNOWN, NO_LEADER
                                (never proposed) ... */
    CATALOG_ACT_PULL,        /* get a state from a peer; report PULLED */
    CATALOG_ACT_DUTY,        /* poll Log.Duty(ticket) */
    CATALOG_ACT_DUTY_BEGIN,  /* duties start: term, ticket */
    CATALOG_ACT_DUTY_END,
    CATALOG_ACT_STOP, /* an unrelated cluster: stop and name both (contracts 3.1) */
    CATALOG_ACTION_COUNT
};

struct catalog_action {
    enum catalog_action_kind kind;
    uint64_t tag;
    enum cu_err err;
    struct catalog_position after, durable; /* FOLLOW */
    uint32_t wait_ms;
    struct catalog_id proposer;
    uint64_t seq, applied_index;
    enum catalog_read_mode mode;
    struct catalog_outcome
        outcome; /* WRITE_DONE with CU_OK: only valid during the step that carried the OUTCOME */
    uint64_t term;
    struct catalog_id ticket, cluster, other_cluster;
    bool was_diverged; /* PULL: the local state may be newer, and is to be replaced */
};

struct catalog_actions {
    struct catalog_action *items;
    uint32_t count, cap;
};
void catalog_actions_deinit(struct catalog_actions *actions);

void catalog_replica_step(struct catalog_replica *replica, const struct catalog_event *event,
                          struct catalog_actions *out);

/* When to send CATALOG_EV_TICK at the latest. A time that has passed: at the end of this turn, when
 * all of its reads are in (they share a round). */
struct cu_mono catalog_replica_next_deadline(const struct catalog_replica *replica);

struct catalog_replica_status {
    struct catalog_position applied, durable;
    uint64_t known_commit; /* highest `upto` or read index seen */
    bool is_attached, is_stopped, is_pulling, is_on_duty;
    uint32_t open_writes, waiting_reads;
};
void catalog_replica_status(const struct catalog_replica *replica,
                            struct catalog_replica_status *ret_status);

#endif
