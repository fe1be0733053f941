/* state.h - what one raft knows; shared by the files of core/, by nobody else.
 *
 * One step: raft_step() copies the event's time into the raft, a handler changes the state and
 * emits actions, and at the end whatever must be durable leaves as one RAFT_ACT_PERSIST. */
#ifndef RAFT_STATE_H
#define RAFT_STATE_H

#include "common/base/random.h"
#include "services/raftd/core/raft.h"

enum {
    RAFT_CACHE_ENTRIES = 512,              /* synced entries kept in memory (consensus.md 3) */
    RAFT_CACHE_BYTES = 16 * 1024 * 1024,   /* and at most this much of their bodies */
    RAFT_APPEND_BYTES = 1024 * 1024,       /* of bodies in one message, but at least one entry */
    RAFT_PIPELINE_MESSAGES = 4,            /* appends on their way to one peer */
    RAFT_PIPELINE_BYTES = 4 * 1024 * 1024, /* and their bodies */
    RAFT_OPEN_BYTES = 64 * 1024 * 1024,    /* of entries not yet committed, then Overloaded */
    RAFT_OPEN_ENTRIES = 65536,
    RAFT_READS_MAX = 4096, /* questions waiting for an index */
    RAFT_HOLDS_MAX = 16,
    RAFT_COMPACT_SLICE = 4096,   /* entries deleted in one transaction (hops.md 6) */
    RAFT_ROUNDS = 64,            /* heartbeat rounds whose send time is remembered */
    RAFT_NOOP_MS = 60 * 1000,    /* a leader writes at least this often (contracts 3.2) */
    RAFT_LIFE_MS = 2000,         /* a catalogd silent for this long is not well (contracts 5.1) */
    RAFT_GIVE_UP_MS = 10 * 1000, /* of a promise round that is not answered (contracts 4.2) */
    RAFT_ASK_MS = 300,           /* between questions to servers that are silent */
    RAFT_CHANGE_MS = 10 * 1000,  /* a change of the servers that makes no progress is given up */
    RAFT_CHANGE_ROUNDS = 10,     /* in which a new server may catch up (Raft dissertation 4.2.1) */
};

/* A recovery raises the term to the next multiple, so that no entry of the recovered cluster has
 * the index and term of one that the lost servers still hold. */
#define RAFT_TERM_SPAN ((uint64_t)1 << 32)

/* A hold falls when this many bytes were appended after it (consensus.md 13). */
#define RAFT_HOLD_BYTES ((uint64_t)1 << 30)

/* ---- the log in memory ---- */

/* The newest entries, contiguous and ending at the last index: all that are not yet synced, and
 * some that are. A ring; `first` is the index of the oldest. */
struct raft_tail {
    struct raft_entry *ring;
    uint32_t cap, head, count; /* cap is a power of two */
    uint64_t first;            /* meaningful when count > 0 */
    size_t bytes;
};

/* Where the log will end once the write `persist` is synced. */
struct raft_pending {
    uint64_t persist, last_index;
};

/* A configuration entry above the floor. */
struct raft_change {
    struct raft_configuration configuration;
    struct raft_id cluster, prior; /* none: the entry did not bring one */
    uint64_t prior_last_index;
};

struct raft_hold {
    uint64_t index, bytes_before;
    struct cu_mono until;
};

/* ---- a peer, as seen by anybody; the second half by the leader ---- */

struct raft_flight {
    uint64_t seq, prev, last, commit;
    struct cu_mono sent_at;
    size_t bytes;
};

enum raft_stream {
    RAFT_PROBE,     /* one append at a time, until one is accepted */
    RAFT_PIPELINE,  /* several */
    RAFT_NEED_STATE /* what it needs is deleted: it pulls a state */
};

struct raft_peer {
    struct raft_id id;
    uint64_t incarnation;
    bool is_voter;
    bool told_refused, told_other_cluster;
    struct raft_id prior; /* the earlier id that it said to stand under; none: not said */

    bool has_granted;          /* this election round */
    bool has_promised;         /* bootstrap: the round at hand */
    uint64_t told_incarnation; /* bootstrap: 0 until it has answered */

    enum raft_stream stream;
    uint64_t next, match;
    uint64_t commit_told; /* and acknowledged */
    struct raft_flight flights[RAFT_PIPELINE_MESSAGES];
    uint32_t flight_count;
    bool is_silent; /* an append timed out: only probes without entries until it answers */
    struct cu_mono paused_until; /* after a refusal that brought nothing new */
    struct cu_mono state_at;     /* next NEED_STATE */
    uint64_t acked_round;
    struct cu_mono acked_at; /* when the newest acknowledged heartbeat was SENT (consensus.md 8) */
    bool is_well;
};

/* A call of proposals whose fate is open: entries first .. last, as appended here. */
struct raft_call {
    uint64_t tag, first, last;
    uint64_t *seqs; /* of first .. last */
    size_t bytes;
};

struct raft_read {
    uint64_t tag;
    enum raft_read_mode mode;
};

/* A change of the servers under way: one at a time (consensus.md 10). */
enum raft_change_step {
    RAFT_CHANGE_NONE,
    RAFT_CHANGE_ASK,      /* the new server's incarnation */
    RAFT_CHANGE_ENTER,    /* it is to be written as a non-voter */
    RAFT_CHANGE_CATCH_UP, /* it is to hold what is committed, then to be written as a voter */
    RAFT_CHANGE_REMOVE,   /* to be written without it */
    RAFT_CHANGE_COMMIT,   /* written: to be committed */
};

struct raft_membership {
    enum raft_change_step step;
    uint64_t tag;
    struct raft_id server;
    uint64_t incarnation, index, match;
    uint64_t goal; /* of the round: the last index as it began */
    uint32_t rounds;
    struct cu_mono ask_at, until, round_at;
};

struct raft_reads {
    struct raft_read *items;
    uint32_t count, cap;
};

struct raft {
    struct raft_id self;
    struct raft_timing timing;
    struct raft_store store;
    struct cu_random random;
    uint32_t batch; /* entries a message */
    struct cu_mono now, born_at;
    uint64_t wall_ms;
    bool has_failed, has_told_failure, is_stopping;

    /* persistent (consensus.md 2) */
    uint64_t term, incarnation;
    struct raft_id vote;
    struct raft_header start;
    struct raft_promise promise;
    struct raft_recovery recovery;

    /* log */
    struct raft_tail tail;
    uint64_t last_index, last_term, last_wall_ms, last_lease_ms;
    uint64_t commit, synced;
    uint64_t bytes_appended;
    struct raft_change *changes;
    uint32_t change_count, change_cap;
    struct raft_configuration latest; /* of the last change, or of the start */
    struct raft_id cluster;           /* likewise */
    struct raft_id prior;             /* the newest earlier id; told in every message */

    /* writes on their way to the disk */
    struct raft_persist *open; /* of this step */
    uint32_t open_cap;
    uint64_t last_persist;     /* id of the newest */
    uint64_t synced_persist;   /* newest reported */
    uint64_t vote_persist;     /* newest with a term */
    uint64_t entries_persist;  /* newest with entries or a start */
    uint64_t floor_persist;    /* newest with a floor */
    uint64_t promise_persist;  /* newest with a promise */
    uint64_t recovery_persist; /* newest with a recovery */
    struct raft_pending *pending;
    uint32_t pending_count, pending_cap;

    /* role */
    enum raft_role role;
    struct raft_id leader;
    struct cu_mono heard_at; /* a leader, last; {0}: never in this life */
    struct raft_id heard_from;
    uint64_t heard_round;      /* newest heartbeat of this term's leader */
    bool heard_transfer;       /* and whether it said that its lease is void */
    struct cu_mono lease_from; /* as leader: only what was sent after it makes a lease */
    struct cu_mono election_at;
    uint64_t election_round;
    bool told_no_peers, told_outsider, told_refused, told_below_floor;
    struct raft_peer peers[RAFT_SERVERS_MAX];
    uint32_t peer_count;

    /* leader */
    struct cu_mono led_from, awake_from; /* awake_from: after the last pause of this process */
    uint64_t noop_index, lease_base_ms;
    struct cu_mono noop_at, heartbeat_at;
    uint64_t round, append_seq;
    struct cu_mono round_sent[RAFT_ROUNDS];
    struct raft_call *calls;
    uint32_t call_count, call_cap;
    size_t open_bytes;
    struct raft_reads reads_next, reads_round;
    uint64_t read_round, read_index;

    /* transfer (consensus.md 14) */
    bool is_transferring, has_sent_timeout_now;
    struct raft_id transfer_to;
    struct cu_mono transfer_until, transfer_retry_at;

    struct raft_membership change;

    /* catalogd */
    bool is_attached, has_attached, has_state;
    uint64_t durable;
    uint64_t need_state; /* floor of the leader that has deleted what this log needs; 0: none */
    struct raft_hold holds[RAFT_HOLDS_MAX];
    uint32_t hold_count;
    uint64_t trailing;
    struct cu_mono polled_at;
    bool has_polled, gossip_well, apply_well;
    struct raft_id ticket;
    uint64_t ticket_term;

    /* bootstrap */
    uint32_t bootstrap_count;
    struct raft_id bootstrap[RAFT_SERVERS_MAX];
    struct cu_mono bootstrap_at, give_up_at;
    bool is_told_off; /* a leader's configuration holds another incarnation for this server */

    uint64_t ignored[RAFT_IGN_COUNT];
    struct raft_actions *out;
};

/* ---- out.c: actions ---- */
struct raft_message *raft_message_to(struct raft *r, struct raft_id to,
                                     enum raft_message_kind kind);
struct raft_message *raft_answer_to(struct raft *r, const struct raft_message *request);
void raft_send(struct raft *r, struct raft_message *message, uint64_t after);
void raft_ignore(struct raft *r, const struct raft_message *message, enum raft_ignored why);
void raft_emit(struct raft *r, struct raft_action action);
struct raft_note_args {
    struct raft_id peer, cluster;
    uint64_t index;
};
void raft_tell(struct raft *r, enum raft_note note, struct raft_note_args args);
struct raft_persist *raft_write(struct raft *r); /* this step's transaction */
void raft_write_vote(struct raft *r);            /* term and vote as they are now */
void raft_write_promise(struct raft *r);
void raft_write_recovery(struct raft *r);
void raft_flush(struct raft *r);
uint64_t raft_after(const struct raft *r, uint64_t persist); /* 0 when it is synced already */
void *raft_grow(void *items, uint32_t *cap, uint32_t need, size_t size);

/* ---- log.c ---- */
const struct raft_entry *raft_tail_at(const struct raft *r, uint64_t index); /* NULL: not there */
/* The term at an index from the floor to the last. Errors: what the store said. */
CU_MUST_USE enum cu_err raft_term_at(const struct raft *r, uint64_t index, uint64_t *ret_term);
/* The last index at or below `upper` whose term is at most `term`; the floor if there is none. */
CU_MUST_USE enum cu_err raft_last_at_most(const struct raft *r, uint64_t upper, uint64_t term,
                                          uint64_t *ret_index);
/* Takes the entry (its body); it must follow the last. */
void raft_log_append(struct raft *r, const struct raft_entry *entry);
void raft_log_truncate(struct raft *r, uint64_t from);
void raft_log_restart(struct raft *r, const struct raft_header *start);
void raft_log_load(struct raft *r); /* at boot: reads what the disk holds */
void raft_log_persisted(struct raft *r, uint64_t persist);
void raft_log_trim(struct raft *r); /* the cache, to its limits */
void raft_tail_push(struct raft *r, const struct raft_entry *entry);
CU_MUST_USE enum cu_err raft_stamps_at(const struct raft *r, uint64_t index,
                                       struct raft_header *ret_header);
void raft_log_drop_front(struct raft *r, const struct raft_header *floor);
void raft_store_failed(struct raft *r);

/* ---- peer.c: the configuration in force ---- */
void raft_log_note_change(struct raft *r, const struct raft_entry *entry);
void raft_configuration_changed(struct raft *r); /* recomputes latest, cluster, peers */
struct raft_header raft_header_at(const struct raft *r, uint64_t index, uint64_t term);
struct raft_peer *raft_peer_find(struct raft *r, struct raft_id id);
const struct raft_server *raft_server_find(const struct raft_configuration *configuration,
                                           struct raft_id id);
bool raft_is_member(const struct raft *r); /* with a vote or without */
bool raft_is_voter(const struct raft *r);
uint32_t raft_quorum(const struct raft *r);
bool raft_is_sole_voter(const struct raft *r);
bool raft_is_below_floor(const struct raft *r);
bool raft_lacks_state(const struct raft *r);
bool raft_counts_itself(const struct raft *r);
bool raft_is_own_incarnation(const struct raft *r);
struct raft_id raft_own_cluster(const struct raft *r);
struct raft_id raft_spoken_cluster(const struct raft *r);
struct raft_id raft_cluster_at(const struct raft *r, uint64_t index);
bool raft_in_lineage(const struct raft *r, struct raft_id cluster, uint64_t index);

/* ---- election.c ---- */
void raft_become_follower(struct raft *r, uint64_t term, struct raft_id leader);
void raft_arm_election(struct raft *r);
void raft_heard_leader(struct raft *r);
bool raft_may_campaign(const struct raft *r);
void raft_election_tick(struct raft *r);
void raft_campaign(struct raft *r, bool is_transfer);
void raft_maybe_lead_alone(struct raft *r);
void raft_on_vote_answer(struct raft *r, const struct raft_message *m);
void raft_on_prevote_answer(struct raft *r, const struct raft_message *m);
void raft_on_timeout_now(struct raft *r, const struct raft_message *m);

/* ---- vote.c ---- */
void raft_on_vote(struct raft *r, const struct raft_message *m);
void raft_on_prevote(struct raft *r, const struct raft_message *m);

/* ---- receive.c, obey.c ---- */
void raft_on_message(struct raft *r, struct raft_message *m); /* takes it */
void raft_on_append(struct raft *r, const struct raft_message *m);
void raft_on_heartbeat(struct raft *r, const struct raft_message *m);
void raft_on_need_state(struct raft *r, const struct raft_message *m);

/* ---- replicate.c ---- */
void raft_replicate(struct raft *r); /* sends what the peers lack */
void raft_replicate_tick(struct raft *r);
void raft_on_append_answer(struct raft *r, const struct raft_message *m);
void raft_on_need_state_answer(struct raft *r, const struct raft_message *m);
void raft_replicate_reset(struct raft *r); /* at the start of a term */
void raft_advance_commit(struct raft *r);

/* ---- propose.c ---- */
void raft_stamp_and_append(struct raft *r, struct raft_entry entry);
void raft_append_noop(struct raft *r);
void raft_on_propose(struct raft *r, const struct raft_event *event);
void raft_calls_committed(struct raft *r);
void raft_calls_replaced(struct raft *r, uint64_t from);

/* ---- lease.c ---- */
void raft_broadcast_heartbeat(struct raft *r);
void raft_on_heartbeat_answer(struct raft *r, const struct raft_message *m);
bool raft_lease_is_valid(const struct raft *r, struct cu_mono now);
void raft_lease_tick(struct raft *r);
void raft_notice_pause(struct raft *r); /* before anything else of a step */
struct cu_mono
raft_lease_end(const struct raft *r); /* when a leader that hears nothing steps down */

/* ---- read_index.c ---- */
void raft_on_read_index(struct raft *r, const struct raft_event *event);
void raft_reads_tick(struct raft *r);
void raft_reads_fail(struct raft *r);

/* ---- bootstrap.c ---- */
void raft_bootstrap_restarted(struct raft *r);
void raft_bootstrap_tick(struct raft *r);
struct cu_mono raft_bootstrap_deadline(const struct raft *r);
void raft_bootstrap_attached(struct raft *r);
void raft_on_promise(struct raft *r, const struct raft_message *m);
void raft_on_promise_answer(struct raft *r, const struct raft_message *m);
void raft_on_give_up(struct raft *r, const struct raft_message *m);

void raft_on_forget_promise(struct raft *r, uint64_t tag);
void raft_on_expect(struct raft *r, const struct raft_event *event);

/* ---- membership.c ---- */
void raft_on_change(struct raft *r, const struct raft_event *event);
void raft_change_tick(struct raft *r);
void raft_change_end_reign(struct raft *r);
struct cu_mono raft_change_deadline(const struct raft *r);
/* True: the answer was to its question. */
bool raft_change_told(struct raft *r, const struct raft_message *m);

/* ---- recover.c ---- */
void raft_on_recover(struct raft *r, const struct raft_event *event);
bool raft_has_recovery_row(const struct raft *r); /* no entry known to be committed says so yet */
bool raft_lacks_recovery_entry(const struct raft *r); /* ... and none in this log at all */
void raft_append_recovery(struct raft *r);
void raft_recovery_end(struct raft *r); /* what the row says is done */
void raft_recovery_tick(struct raft *r);
void raft_set_aside(struct raft *r, const struct raft_message *m);
bool raft_is_overturned(struct raft *r, const struct raft_message *m);
bool raft_is_outrun(struct raft *r, const struct raft_message *m);
void raft_follow_aside(const struct raft *r, const struct raft_position *after,
                       struct raft_follow_answer *ret_answer);

/* ---- attach.c, compact.c ---- */
void raft_on_attach(struct raft *r, const struct raft_event *event);
void raft_on_durable(struct raft *r, struct raft_position position);
void raft_on_hold(struct raft *r, uint64_t index, uint32_t ttl_ms);
void raft_compact(struct raft *r);

/* ---- duty.c, transfer.c ---- */
void raft_on_duty_poll(struct raft *r, bool gossip_well, bool apply_well);
void raft_duty_begin(struct raft *r); /* a new term, or life after silence: a new ticket */
bool raft_is_well(const struct raft *r);
bool raft_ticket_is_current(const struct raft *r, struct raft_id ticket);
void raft_transfer_tick(struct raft *r);
void raft_transfer_start(struct raft *r, bool needs_well);
void raft_transfer_end(struct raft *r);
void raft_on_timeout_now_answer(struct raft *r, const struct raft_message *m);
struct cu_mono raft_transfer_deadline(const struct raft *r);

struct raft_id raft_random_id(struct raft *r);

#endif
