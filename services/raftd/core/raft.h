/* raft.h - the rules of consensus as one pure state machine: an event in, actions out.
 *
 * No I/O, no clock, no thread; time comes with each event, randomness from a seed. The edge (io/,
 * or the simulator) performs the actions in order. Nothing here logs: what an operator should read
 * comes out as RAFT_ACT_NOTE. Sources: Raft dissertation; contracts 3, 4.2, 5; consensus.md
 * (sections cited where a rule is applied). */
#ifndef RAFT_RAFT_H
#define RAFT_RAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mono.h"
#include "services/raftd/core/entry.h"

struct raft;

/* ---- what it is made from ---- */

/* consensus.md 3 */
struct raft_timing {
    uint32_t heartbeat_ms;        /* a leader sends one this often */
    uint32_t heartbeat_spread_ms; /* plus a random 0 .. spread */
    uint32_t contact_ms;          /* H: the least election timeout */
    uint32_t election_ms;         /* T: timeouts are uniform in [T, 2T) */
    uint32_t lease_ms;            /* < H with the drift bound of section 8 */
};

extern const struct raft_timing raft_timing_default; /* 50, 0, 300, 300, 200 */
/* multiplier 1..10 */
struct raft_timing raft_timing_reference(unsigned multiplier);
/* Errors: CU_E_INVALID, the rule broken in diag (consensus.md 3 "Validation", 22). */
CU_MUST_USE enum cu_err raft_timing_check(const struct raft_timing *timing, struct cu_diag *diag);

/* A promise to bootstrap (consensus.md 11). round 0: none. */
struct raft_promise {
    uint64_t round;
    struct raft_id proposer, cluster;
    struct raft_configuration configuration;
};

/* An unsafe recovery under way (consensus.md 17): a row beside the log. cluster none: there is
 * none.
 */
struct raft_recovery {
    struct raft_id cluster; /* the id that goes on */
    /* The log stands under an earlier id and gives way to a state of `cluster`; the configuration
     * is empty. Else the configuration is what the first leader is to write. */
    bool is_aside;
    struct raft_configuration configuration;
};

/* What the disk held when this life began. */
struct raft_boot {
    uint64_t term;
    struct raft_id vote;      /* none: not voted in `term` */
    uint64_t incarnation;     /* taken with the empty database */
    struct raft_header start; /* position of the floor, configuration and lineage there; index 0:
                                 the log's beginning */
    uint64_t last_index, last_term; /* equal to the floor's when there are no entries */
    uint64_t last_wall_ms, last_lease_ms;
    struct raft_promise promise;
    struct raft_recovery recovery;
    uint64_t trailing; /* raft_trailing_logs: entries kept below the durable index */
};

/* Reading entries that were synced: synchronous, first..first+max_count-1, at most max_bytes of
 * bodies (but at least one). The caller owns the bodies' references. An error is fatal to the raft:
 * it steps down and says so. */
struct raft_store {
    void *context;
    enum cu_err (*read)(void *context, uint64_t first, uint32_t max_count, size_t max_bytes,
                        struct raft_entry *ret_entries, uint32_t *ret_count);
};

struct raft_options {
    struct raft_id self;
    struct raft_timing timing;
    struct raft_store store;
    uint64_t seed;
    uint32_t batch; /* entries a message, at most RAFT_ENTRY_BATCH; 0: that many */
    struct cu_mono now;
    /* The set to bootstrap: {self} for bootstrap, -dev and bootstrap_expect = 1; all of raftd.peers
     * when bootstrap_expect waits for that many; count 0: join only. Ignored when the disk holds a
     * log. */
    uint32_t bootstrap_count;
    struct raft_id bootstrap[RAFT_SERVERS_MAX];
};

struct raft *raft_new(const struct raft_options *options, const struct raft_boot *boot);
void raft_free(struct raft *raft);

/* ---- messages between servers ---- */

enum raft_message_kind {
    RAFT_MSG_PREVOTE = 1,
    RAFT_MSG_PREVOTE_ANSWER,
    RAFT_MSG_VOTE,
    RAFT_MSG_VOTE_ANSWER,
    RAFT_MSG_HEARTBEAT,
    RAFT_MSG_HEARTBEAT_ANSWER,
    RAFT_MSG_APPEND,
    RAFT_MSG_APPEND_ANSWER,
    RAFT_MSG_TIMEOUT_NOW,
    RAFT_MSG_TIMEOUT_NOW_ANSWER,
    RAFT_MSG_NEED_STATE,
    RAFT_MSG_NEED_STATE_ANSWER,
    RAFT_MSG_PROMISE, /* index = 0: ask for the incarnation; else the proposal of `round` */
    RAFT_MSG_PROMISE_ANSWER,
    RAFT_MSG_GIVE_UP, /* of a promise round */
    RAFT_MSG_GIVE_UP_ANSWER,
    RAFT_MSG_IGNORED, /* an answer: the request changed nothing, `reason` says why */
    RAFT_MSG_KIND_COUNT
};

/* Why something was ignored: counted by the edge, one counter a reason (contracts 3.9). */
enum raft_ignored {
    RAFT_HEARD,
    RAFT_IGN_CLUSTER,     /* of another cluster */
    RAFT_IGN_INCARNATION, /* sender is not the incarnation of the configuration */
    RAFT_IGN_NOT_MEMBER,
    RAFT_IGN_STALE, /* an answer to a question no longer asked */
    RAFT_IGN_MALFORMED,
    RAFT_IGN_COUNT
};
const char *raft_ignored_text(enum raft_ignored why); /* words for a log line */

/* Entries' bodies are references that belong to the message. */
struct raft_message {
    enum raft_message_kind kind;
    struct raft_id from, to;
    uint64_t incarnation;
    struct raft_id cluster, prior;
    uint64_t term;
    uint64_t index, log_term; /* votes: last entry; append: previous entry; answers: match, or hint
                                 on refusal */
    uint64_t commit;
    bool ok, transfer, well;
    uint64_t round; /* which heartbeat, election, promise or append; an answer repeats it */
    /* Answers to an append, refused: the hint. Requests of a leader: conflict_index is the
     * incarnation that its configuration holds for the receiver (0: none). Answers to a promise:
     * conflict_index is the round of an earlier promise to the asker that still stands. */
    uint64_t conflict_term, conflict_index;
    enum raft_ignored reason;
    struct raft_configuration configuration; /* promises */
    struct raft_id new_cluster;
    uint32_t entry_count;
    struct raft_entry *entries; /* malloc'd array, owned by the message */
    uint64_t
        call; /* the edge's: copied from a request into its answer; 0 in requests the core makes */
};

void raft_message_deinit(struct raft_message *message);

/* ---- events ---- */

struct raft_proposal {
    struct raft_id proposer;
    uint64_t seq, if_term;
    struct raft_id ticket; /* with if_term */
    uint32_t level;
    struct raft_body *body; /* reference given to the core */
    enum raft_kind kind;    /* RAFT_COMMAND or RAFT_BARRIER */
};

enum raft_read_mode { RAFT_READ_DEFAULT, RAFT_READ_CONSISTENT };

enum raft_event_kind {
    RAFT_EV_TICK,           /* time has come: see raft_next_deadline() */
    RAFT_EV_MESSAGE,        /* from a peer; the core takes the message */
    RAFT_EV_PERSISTED,      /* the write `id`, and all before it, are synced */
    RAFT_EV_PERSIST_FAILED, /* never retried: the edge ends the process right after */
    RAFT_EV_PROPOSE, /* tag names the call; answered by RAFT_ACT_PROPOSED, at once only for refusals
                      */
    RAFT_EV_READ_INDEX,     /* answered by RAFT_ACT_READ */
    RAFT_EV_ATTACH,         /* a catalogd with this header; answered by RAFT_ACT_ATTACHED */
    RAFT_EV_DETACH,         /* its connection is gone */
    RAFT_EV_DURABLE,        /* the attached catalogd's durable position */
    RAFT_EV_DUTY_POLL,      /* the attached catalogd shows life (contracts 5.1, 5.4) */
    RAFT_EV_HOLD,           /* keep entries above `index` until now + ttl_ms; 0: let go */
    RAFT_EV_STOP,           /* the node is stopping: hand leadership over where possible */
    RAFT_EV_RECOVER,        /* the quorum is lost for good; answered by RAFT_ACT_RECOVERED */
    RAFT_EV_FORGET_PROMISE, /* its proposer is gone; answered by RAFT_ACT_FORGOTTEN */
    RAFT_EV_EXPECT, /* the set to bootstrap, found by gossip; too late once one is promised */
    RAFT_EV_CHANGE, /* a server is to be added or removed; answered by RAFT_ACT_CHANGED */
    RAFT_EVENT_COUNT
};

struct raft_event {
    enum raft_event_kind kind;
    struct cu_mono now;
    uint64_t wall_ms; /* the edge's clock, for stamps */
    uint64_t tag;     /* of what is answered: the edge's name of the call */
    union {
        struct raft_message *message;
        uint64_t persist_id;
        struct {
            struct raft_proposal *items; /* borrowed array; bodies are taken */
            uint32_t count;
        } propose;
        enum raft_read_mode read_mode;
        const struct raft_header *attach; /* borrowed */
        struct raft_position durable;
        struct {
            bool gossip_well, apply_well;
        } duty;
        struct {
            const struct raft_id *ids; /* borrowed; at most RAFT_SERVERS_MAX, this server too */
            uint32_t count;
        } expect;
        struct {
            uint64_t index;
            uint32_t ttl_ms;
        } hold;
        struct {
            struct raft_id cluster; /* none: a random one, and the servers are {self} */
            /* Incarnations are filled in from the log. */
            struct raft_configuration configuration;
        } recover;
        struct {
            struct raft_id server;
            bool is_add; /* with the incarnation it tells, as a voter once it has caught up */
        } change;
    };
};

/* ---- actions ---- */

enum raft_action_kind {
    RAFT_ACT_SEND,      /* a request, or the answer to message.call */
    RAFT_ACT_PERSIST,   /* one transaction; report by RAFT_EV_PERSISTED */
    RAFT_ACT_PROPOSED,  /* the fate of a proposal call */
    RAFT_ACT_READ,      /* the answer to READ_INDEX */
    RAFT_ACT_ATTACHED,  /* the answer to ATTACH */
    RAFT_ACT_RECOVERED, /* the answer to RECOVER */
    RAFT_ACT_FORGOTTEN, /* the answer to FORGET_PROMISE */
    RAFT_ACT_CHANGED,   /* the answer to CHANGE */
    RAFT_ACT_NOTE,      /* something an operator should read */
    RAFT_ACTION_COUNT
};

/* One transaction, in this order. Entries' bodies are references that belong to the action. */
struct raft_persist {
    uint64_t id; /* rises by one with each */
    bool has_vote;
    uint64_t term; /* with has_vote: term and vote, one row */
    struct raft_id vote;
    bool has_start; /* adopt: drop every entry, the log starts here now */
    struct raft_header start;
    uint64_t truncate_from; /* > 0: delete entries at and above it */
    uint32_t entry_count;
    struct raft_entry *entries; /* appended */
    bool has_floor; /* compaction: delete entries at and below floor.position.index, it is the new
                       start */
    struct raft_header floor;
    bool has_promise; /* round 0 clears it */
    struct raft_promise promise;
    bool has_recovery; /* cluster none clears it */
    struct raft_recovery recovery;
};

enum raft_note {
    RAFT_NOTE_ROLE,          /* index = term; role in `role` */
    RAFT_NOTE_LEADER,        /* peer = leader or none */
    RAFT_NOTE_REFUSED,       /* this server is refused by its cluster: wiped under its old id
                                (consensus.md 10) */
    RAFT_NOTE_REFUSES,       /* this leader refuses `peer` for its incarnation */
    RAFT_NOTE_OTHER_CLUSTER, /* peer stands under `cluster` */
    RAFT_NOTE_NO_PEERS,      /* no known peers, aborting election */
    RAFT_NOTE_OUTSIDER,      /* no leader, and the log's `index` servers, `peer` the first of them,
                                are all others */
    RAFT_NOTE_PROMISED,
    RAFT_NOTE_GAVE_UP,
    RAFT_NOTE_BOOTSTRAPPED,
    RAFT_NOTE_ADOPTED,    /* the log starts at `index` now */
    RAFT_NOTE_NEED_STATE, /* entries at `index` are gone for `peer` */
    RAFT_NOTE_TRANSFER,   /* leadership is handed to `peer` */
    RAFT_NOTE_LEASE_LOST,
    RAFT_NOTE_RECOVERY,    /* this server goes on as `cluster`; index = the log's last */
    RAFT_NOTE_RECOVERED,   /* the entry that says so is committed, at `index` */
    RAFT_NOTE_SET_ASIDE,   /* this log gives way to a state of `cluster`, led by `peer` */
    RAFT_NOTE_BELOW_FLOOR, /* no leader, and this server may not help: its state ends before `index`
                            */
    RAFT_NOTE_STORE_FAILED,
    RAFT_NOTE_COUNT
};

enum raft_role { RAFT_FOLLOWER, RAFT_PRECANDIDATE, RAFT_CANDIDATE, RAFT_LEADER, RAFT_ROLE_COUNT };

enum { RAFT_REFUSALS_MAX = 2048 };

struct raft_refusal {
    uint64_t seq;
    enum cu_err err; /* NO_LEADER, TOO_LARGE, OVERLOADED, CONFLICT (ticket), NOT_READY (transfer) */
    const char *text; /* static */
};

struct raft_action {
    enum raft_action_kind kind;
    uint64_t after; /* an answer or SEND: not before this persist id is synced; 0: at once */
    union {
        struct raft_message *send;    /* taken by the edge: raft_message_deinit and free */
        struct raft_persist *persist; /* taken by the edge: raft_persist_free */
        struct {
            uint64_t tag;
            uint32_t refusal_count, lost_count;
            struct raft_refusal *refusals; /* taken: free() */
            uint64_t *lost;                /* seqs; taken: free() */
            bool is_final; /* false: refusals of a mixed call; the rest is in the feed, nothing more
                              will come */
        } proposed;
        struct {
            uint64_t tag;
            enum cu_err err; /* CU_OK, NO_LEADER */
            uint64_t index, term;
        } read;
        struct {
            uint64_t tag;
            enum cu_err err; /* CU_OK; CONFLICT: what it holds is of another cluster */
            bool adopted;
        } attached;
        struct {
            uint64_t tag;
            /* CU_OK; NOT_FOUND, CONFLICT, INVALID, NO_LEADER, NOT_READY: nothing was changed;
             * UNKNOWN: it may still be */
            enum cu_err err;
            const char *text; /* static: why not */
            struct raft_id
                cluster;    /* RECOVERED: the id that goes on; FORGOTTEN: the promised one */
            uint64_t index; /* CHANGED: of the configuration */
        } done;             /* RECOVERED, FORGOTTEN, CHANGED */
        struct {
            enum raft_note note;
            struct raft_id peer, cluster;
            uint64_t index;
            enum raft_role role;
        } note;
    };
};

struct raft_actions {
    struct raft_action *items;
    uint32_t count, cap;
};

void raft_persist_free(struct raft_persist *persist);
void raft_actions_deinit(struct raft_actions *actions); /* frees what the edge did not take */

/* Applies one event, appends to `out`. The edge performs `out` in order: sends go to the peers
 * before the persist of the same batch is waited for, unless `after` says otherwise (Raft
 * dissertation, 10.2.1). */
void raft_step(struct raft *raft, const struct raft_event *event, struct raft_actions *out);

/* When to send RAFT_EV_TICK at the latest. */
struct cu_mono raft_next_deadline(const struct raft *raft);

/* ---- questions: pure, change nothing ---- */

enum raft_follow_outcome {
    RAFT_FOLLOW_NOTHING,
    RAFT_FOLLOW_ENTRIES,
    RAFT_FOLLOW_COMPACTED,
    RAFT_FOLLOW_DIVERGED
};

struct raft_follow_answer {
    enum raft_follow_outcome outcome;
    uint64_t first, last; /* ENTRIES: read them with raft_read() */
    uint64_t upto, floor;
    struct raft_id cluster; /* ENTRIES: the id at `last`; else raftd's own */
    struct raft_id prior;   /* COMPACTED: a state under this id does, too; none: no other */
};

/* Contracts 3.1: Compacted tested first, terms compared only at committed indexes, never beyond
 * min(commit, synced). */
void raft_follow(const struct raft *raft, struct raft_position after,
                 struct raft_follow_answer *ret_answer);

/* Entries first..last of a follow, from memory or the store; at least one. Bodies' references are
 * the caller's. */
CU_MUST_USE enum cu_err raft_read(const struct raft *raft, uint64_t first, uint64_t last,
                                  size_t max_bytes, uint32_t max_count,
                                  struct raft_entry *ret_entries, uint32_t *ret_count);

struct raft_duty {
    bool on;
    uint64_t term, noop_index;
    struct raft_id ticket;
};

/* The grant as it stands (contracts 5.1); the edge answers a parked poll when it changes. */
struct raft_duty raft_duty(const struct raft *raft, struct cu_mono now);

struct raft_status {
    enum raft_role role;
    uint64_t term, last_index, last_term, commit, synced, floor, durable;
    struct raft_id leader;   /* none: not known */
    int64_t last_contact_ms; /* -1 never; 0 on the leader */
    struct raft_id cluster;  /* after a recovery its id, though no entry says so yet */
    uint64_t incarnation;
    bool lease_valid, is_attached, is_refused, below_floor;
    bool is_recovering; /* the entry of the recovery is not known to be committed */
    bool is_aside;
    uint64_t configuration_index, committed_configuration_index;
    struct raft_promise promise;
    uint64_t ignored[RAFT_IGN_COUNT]; /* messages, by reason, in this life */
};

void raft_status(const struct raft *raft, struct cu_mono now, struct raft_status *ret_status);
const struct raft_configuration *raft_configuration_latest(const struct raft *raft);
/* The earlier ids, as the log tells; also the log's own while its raftd stands under another. */
uint32_t raft_lineage(const struct raft *raft, struct raft_lineage ret_lineage[RAFT_LINEAGE_MAX]);
/* What RAFT_EV_RECOVER would answer; incarnations are filled in. *ret_text: static, why not. */
CU_MUST_USE enum cu_err raft_may_recover(const struct raft *raft,
                                         struct raft_configuration *configuration,
                                         const char **ret_text);
const char *raft_role_name(enum raft_role role); /* "follower", "candidate", "leader" */

/* The simulator's eye: checks what must hold inside one raft; the claim that does not, or NULL. */
const char *raft_check(const struct raft *raft);

#endif
