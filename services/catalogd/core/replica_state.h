/* replica_state.h - what a replica remembers between two events; private to core/replica*.c. */
#ifndef CATALOG_REPLICA_STATE_H
#define CATALOG_REPLICA_STATE_H

#include "common/base/map.h"
#include "common/base/random.h"
#include "services/catalogd/core/replica.h"

enum {
    REPLICA_BATCHES_MAX = 4, /* followed but not applied yet: each up to one Follow answer */
    REPLICA_WRITES_MAX = 16384,
    REPLICA_READS_MAX = 65536,
    REPLICA_RETRIES_MAX = 8, /* new seqs after Retry (contracts 3.4) */
    REPLICA_RING = 4096,     /* power of two, at least twice the window of open seqs */
    REPLICA_FOLLOW_WAIT_MS = 1000,
    REPLICA_BACKOFF_MIN_MS = 10,
    REPLICA_BACKOFF_MAX_MS = 200,
    REPLICA_DUTY_LIFE_MS = 2000, /* contracts 5.1 */
};
_Static_assert(REPLICA_RING >= 2 * CATALOG_OPEN_SEQS_MAX, "an open seq has a slot of its own");

struct replica_write {
    uint64_t tag, seq; /* seq 0: none given yet */
    struct cu_mono deadline;
    bool is_queued;     /* in `queue`, to be sent (again) */
    bool is_maybe;      /* a copy may lie in a log */
    bool is_gone;       /* nobody waits for the answer: not sent for the first time any more */
    bool ends_on_retry; /* the edge makes it anew */
    uint8_t retries;
    enum cu_err refused;               /* why it is not sent: what its deadline will answer */
    struct replica_write *prev, *next; /* of the queue */
};

struct replica_read {
    uint64_t tag, index, term;
    struct cu_mono deadline;
};

struct replica_reads {
    struct replica_read *items;
    uint32_t count, cap;
};

/* One kind of read: those that wait for the next round, those in the round under way. */
struct replica_round {
    struct replica_reads waiting, asked;
    uint64_t number; /* of the round under way; 0: none */
    struct cu_mono at;
    uint32_t backoff_ms;
};

enum replica_proposer { PROPOSER_NONE, PROPOSER_OPENING, PROPOSER_OPEN };

struct catalog_replica {
    struct cu_random random;
    bool is_reader;
    struct cu_mono last; /* time of the latest event */

    /* position */
    struct catalog_position applied, durable;
    struct catalog_position cursor; /* of the last entry handed to the apply worker */
    uint64_t batch_ends[REPLICA_BATCHES_MAX];
    uint32_t batch_count;
    uint64_t known_commit, top_term;

    /* raftd */
    bool is_connected, is_attaching, is_attached, is_following, is_pulling, is_stopped;
    bool wants_pull, was_diverged, is_disowned;
    struct cu_mono attach_at, follow_at;

    /* writes */
    enum replica_proposer proposer;
    struct catalog_id proposer_id;
    uint64_t open_index; /* applied when the Open was made */
    bool is_open_sent;
    uint64_t next_seq, oldest; /* oldest unresolved; next_seq when there is none */
    struct replica_write *ring[REPLICA_RING];
    struct cu_map writes; /* by tag */
    struct replica_write *queue_first, *queue_last;
    struct cu_mono propose_at, writes_due;
    uint32_t propose_backoff_ms;

    /* reads */
    struct replica_round rounds[CATALOG_READ_MODE_COUNT];
    struct replica_reads applying; /* know their index */
    uint64_t last_round, applying_low;
    struct cu_mono reads_due;

    /* duty */
    bool is_polling, is_granted, is_on_duty;
    uint64_t duty_term, duty_noop;
    struct catalog_id ticket;
    struct cu_mono poll_at, poll_sent, duty_until;
};

struct catalog_action *replica_act(struct catalog_actions *out, enum catalog_action_kind kind);
/* The next pause: doubles from the least to the most, with jitter. */
uint64_t replica_backoff_ms(struct catalog_replica *r, uint32_t *backoff_ms);

/* replica_write.c */
void replica_write_add(struct catalog_replica *r, const struct catalog_event *ev,
                       struct catalog_actions *out);
void replica_write_gone(struct catalog_replica *r, uint64_t tag, struct catalog_actions *out);
void replica_write_proposed(struct catalog_replica *r, const struct catalog_event *ev,
                            struct catalog_actions *out);
void replica_write_outcome(struct catalog_replica *r, const struct catalog_outcome *outcome,
                           struct catalog_actions *out);
/* Sends all that is open once more under its name. */
void replica_write_resend(struct catalog_replica *r, bool is_maybe);
/* A state was pulled over: what was proposed before may or may not be in it. */
void replica_write_skipped(struct catalog_replica *r, struct catalog_actions *out);
void replica_write_stop(struct catalog_replica *r, struct catalog_actions *out);
void replica_write_expire(struct catalog_replica *r, struct catalog_actions *out);
void replica_write_advance(struct catalog_replica *r, struct catalog_actions *out);
void replica_write_free(struct catalog_replica *r);

/* replica_read.c */
void replica_read_add(struct catalog_replica *r, const struct catalog_event *ev,
                      struct catalog_actions *out);
void replica_read_gone(struct catalog_replica *r, uint64_t tag);
void replica_read_answered(struct catalog_replica *r, const struct catalog_event *ev,
                           struct catalog_actions *out);
/* Whoever was asked for an index is not waited for any more. */
void replica_read_again(struct catalog_replica *r);
void replica_read_stop(struct catalog_replica *r, struct catalog_actions *out);
void replica_read_applied(struct catalog_replica *r, struct catalog_actions *out);
void replica_read_expire(struct catalog_replica *r, struct catalog_actions *out);
bool replica_read_wants_round(const struct catalog_replica *r, const struct replica_round *round);
void replica_read_advance(struct catalog_replica *r, struct catalog_actions *out);
void replica_read_free(struct catalog_replica *r);

/* replica_duty.c */
void replica_duty_answered(struct catalog_replica *r, const struct catalog_event *ev,
                           struct catalog_actions *out);
void replica_duty_end(struct catalog_replica *r, struct catalog_actions *out);
void replica_duty_advance(struct catalog_replica *r, struct catalog_actions *out);

#endif
