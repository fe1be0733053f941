/* gossip.h - the rules of membership as one pure state machine: an event in, actions out.
 *
 * No I/O, no clock, no thread; time comes with each event, randomness from a seed. The edge (io/,
 * or the simulator) performs the actions in order. Nothing here logs: what an operator should read
 * comes out as GOSSIP_ACT_NOTE. What a remote peer can make grow has a limit named below.
 * Source: gossip.md (sections cited where a rule is applied); contracts 5.5, 5.6. */
#ifndef GOSSIP_GOSSIP_H
#define GOSSIP_GOSSIP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mono.h"
#include "services/gossipd/core/message.h"

struct gossip;

/* ---- what it is made from ---- */

/* gossip.md 14. Durations in ms. */
struct gossip_timing {
    uint32_t probe_interval_ms, probe_timeout_ms;
    uint32_t gossip_interval_ms, gossip_nodes;
    uint32_t push_pull_interval_ms;
    uint32_t tcp_timeout_ms;
    uint32_t indirect_checks;
    uint32_t retransmit_mult, suspicion_mult, suspicion_max_mult;
    uint32_t awareness_max; /* health scores 0 .. awareness_max - 1 */
    uint32_t gossip_to_dead_ms;
    uint32_t dead_reclaim_ms; /* 0: the address of a dead member is never taken over */
    uint32_t broadcast_timeout_ms, leave_propagate_ms;
    uint32_t reap_interval_ms, recent_intent_ms;
    uint32_t reconnect_interval_ms;
    uint64_t reconnect_timeout_ms, tombstone_timeout_ms;
};

enum gossip_profile {
    GOSSIP_PROFILE_LAN,
    GOSSIP_PROFILE_WAN,
    GOSSIP_PROFILE_LOCAL,
    GOSSIP_PROFILE_CONSUL_LAN,
    GOSSIP_PROFILE_CONSUL_WAN,
    GOSSIP_PROFILE_CONSUL_DEV,
    GOSSIP_PROFILE_COUNT
};
extern const struct gossip_timing gossip_timing_profiles[GOSSIP_PROFILE_COUNT];

/* What a peer can make us hold. */
enum {
    GOSSIP_MEMBERS_MAX = 16384,  /* known by name, reaped ones included */
    GOSSIP_QUEUE_MAX = 4096,     /* messages in each broadcast queue (gossip.md 14 MaxQueueDepth) */
    GOSSIP_INTENTS_MAX = 1024,   /* about members not known yet */
    GOSSIP_RELAYS_MAX = 1024,    /* indirect pings we carry out for others at a time */
    GOSSIP_EXCHANGES_MAX = 1024, /* streams we opened and wait for */
    GOSSIP_JOIN_MAX = 256,       /* addresses in one join */
    GOSSIP_PAUSE_MS = 1000,      /* a step later than its deadline by this much was a pause */
};

/* Which members may be in the pool (gossip.md 23.3). */
enum gossip_pool { GOSSIP_POOL_OPEN, GOSSIP_POOL_LAN, GOSSIP_POOL_WAN };

struct gossip_options {
    const char *name; /* this member's; borrowed, like all strings and tags here, for gossip_new */
    struct gossip_addr address; /* advertised */
    const struct gossip_tags *tags;
    struct gossip_versions versions;
    struct gossip_timing timing;
    uint64_t seed;
    struct cu_mono now;
    uint64_t wall_ms;
    uint32_t packet_overhead; /* bytes encryption and label take from GOSSIP_PACKET_BUDGET */
    uint32_t members_max;     /* 0: GOSSIP_MEMBERS_MAX */
    bool rejoin_after_leave;
    bool resolve_conflicts; /* gossip.md 21: later; until then a conflict about us is only told */
    enum gossip_pool pool;
    const char *datacenter, *segment, *node_id; /* of the pool's checks; NULL for OPEN */
    struct cu_bytes snapshot;                   /* the file as it was found; empty: none */
};

/* Starts the life of this member: alive, incarnation 1, alone. Errors: CU_E_INVALID, CU_E_TOO_LARGE
 * (the tags; the sentence of gossip.md 22 in diag). */
CU_MUST_USE enum cu_err gossip_new(const struct gossip_options *options, struct gossip **ret_gossip,
                                   struct cu_diag *diag);
void gossip_free(struct gossip *gossip); /* takes NULL */

/* ---- events ---- */

enum gossip_event_kind {
    GOSSIP_EV_TICK,           /* time has come: see gossip_next_deadline() */
    GOSSIP_EV_PACKET,         /* the messages of one datagram, in order, decrypted and split */
    GOSSIP_EV_STREAM_REQUEST, /* the first message of a stream somebody opened; answered by
                                 GOSSIP_ACT_ANSWER */
    GOSSIP_EV_STREAM_REPLY,   /* to a GOSSIP_ACT_DIAL */
    GOSSIP_EV_STREAM_FAILED,  /* a GOSSIP_ACT_DIAL came to nothing */
    GOSSIP_EV_SEND_FAILED,    /* a packet to `from` could not be written */
    GOSSIP_EV_JOIN,           /* answered by GOSSIP_ACT_DONE: count of exchanges done */
    GOSSIP_EV_LEAVE,          /* answered when the leave has spread or timed out */
    GOSSIP_EV_FORCE_LEAVE,    /* answered when its broadcast is through or timed out */
    GOSSIP_EV_SET_TAGS,       /* answered when the new tags have spread or timed out */
    GOSSIP_EVENT_COUNT
};

struct gossip_join_target {
    struct gossip_addr address;
    const char *name; /* optional: the member it must be */
};

struct gossip_event {
    enum gossip_event_kind kind;
    struct cu_mono now;
    uint64_t wall_ms;
    struct gossip_addr from; /* of packets, stream requests, failed sends */
    uint64_t tag; /* commands: the edge's name of the call; streams: the exchange (ours) or call
                     (theirs) */
    union {
        struct {
            const struct gossip_message *messages; /* borrowed */
            uint32_t count;
        } packet;
        const struct gossip_message *stream; /* borrowed; REQUEST, REPLY */
        const char *failure;                 /* FAILED: words for a log line */
        struct {
            const struct gossip_join_target *targets; /* at most GOSSIP_JOIN_MAX */
            uint32_t count;
            bool ignore_old;
        } join;
        struct {
            const char *name;
            bool prune;
        } force_leave;
        const struct gossip_tags *set_tags; /* the whole new set */
    };
};

/* ---- members, and the feed of what became of them ---- */

/* Numbers and words of gossip.md 16; the last is ours. */
enum gossip_status {
    GOSSIP_STATUS_NONE,
    GOSSIP_STATUS_ALIVE,
    GOSSIP_STATUS_LEAVING,
    GOSSIP_STATUS_LEFT,
    GOSSIP_STATUS_FAILED,
    GOSSIP_STATUS_REAPED, /* in no list any more, but the feed remembers */
    GOSSIP_STATUS_COUNT
};
const char *gossip_status_name(enum gossip_status status); /* "none", "alive", ... */

/* Borrowed: strings and meta are good until the next step. */
struct gossip_member_view {
    const char *name;
    struct gossip_addr address;
    struct cu_bytes meta;
    struct gossip_versions versions;
    uint32_t incarnation;
    enum gossip_status status;
    bool is_suspect;
    uint64_t since_wall_ms; /* of the status */
    uint64_t index;         /* of its newest record in the feed */
};

enum gossip_change {
    GOSSIP_CHANGE_NONE,
    GOSSIP_CHANGE_ALIVE,
    GOSSIP_CHANGE_FAILED,
    GOSSIP_CHANGE_LEFT,
    GOSSIP_CHANGE_REAPED,
    GOSSIP_CHANGE_UPDATED, /* address or tags of one that is alive */
    GOSSIP_CHANGE_COUNT
};
const char *gossip_change_name(enum gossip_change change);

/* The member whose newest record comes next after index `after`; false: none. Records carry an
 * index each; of a member only the newest is kept, so a follower sees every member's last state,
 * not each step to it. Indexes are good within one life of the core. */
bool gossip_feed_next(const struct gossip *gossip, uint64_t after,
                      struct gossip_member_view *ret_member, enum gossip_change *ret_change);
uint64_t gossip_feed_index(const struct gossip *gossip); /* of the newest record */
bool gossip_is_complete(const struct gossip *gossip);    /* joined, and one push/pull done */

/* ---- actions ---- */

enum gossip_action_kind {
    GOSSIP_ACT_PACKET,   /* send; several parts travel as one compound */
    GOSSIP_ACT_DIAL,     /* connect, write, read one reply within timeout_ms, close; report by
                            GOSSIP_EV_STREAM_REPLY or _FAILED with the exchange as tag */
    GOSSIP_ACT_ANSWER,   /* write to the accepted stream `call`, if there are bytes, and close it */
    GOSSIP_ACT_MEMBER,   /* a record of the feed has been made */
    GOSSIP_ACT_SNAPSHOT, /* append the line to the snapshot file; `sync`: flush and fsync after it
                          */
    GOSSIP_ACT_DONE,     /* the answer to a command */
    GOSSIP_ACT_NOTE,     /* something an operator should read */
    GOSSIP_ACTION_COUNT
};

/* One allocation: the parts point behind it. */
struct gossip_outgoing {
    struct gossip_addr to;
    bool with_crc; /* the receiver is known to understand it (gossip.md 3.3) */
    uint32_t part_count;
    struct cu_bytes parts[]; /* encoded messages, as gossip_packet_join() takes them */
};

enum gossip_note {
    GOSSIP_NOTE_SUSPECT,           /* Suspect NAME has failed, no acks received */
    GOSSIP_NOTE_REFUTED,           /* we were accused by `text`, and said we live */
    GOSSIP_NOTE_TCP_ONLY,          /* only the TCP ping reached NAME: network misconfigured */
    GOSSIP_NOTE_CONFLICT,          /* NAME has another address than we know */
    GOSSIP_NOTE_CONFLICT_SELF,     /* somebody else bears our name */
    GOSSIP_NOTE_REFUSED,           /* a member was not let in; `text` says why */
    GOSSIP_NOTE_MERGE_REFUSED,     /* a push/pull was refused; `text` says why */
    GOSSIP_NOTE_WRONG_NODE,        /* ping for an unexpected node NAME */
    GOSSIP_NOTE_BAD_VERSION,       /* NAME names an impossible range of protocol versions */
    GOSSIP_NOTE_EXCHANGE_FAILED,   /* with `address`; `text` says why */
    GOSSIP_NOTE_RECONNECT,         /* trying to reach failed NAME again */
    GOSSIP_NOTE_REFUTED_INTENT,    /* an old leave intent about us */
    GOSSIP_NOTE_LEAVE_TIMEOUT,     /* a leave or prune went on without its broadcast done */
    GOSSIP_NOTE_MEMBERS_FULL,      /* NAME was not taken in: members_max */
    GOSSIP_NOTE_QUEUE_FULL,        /* a broadcast queue dropped messages */
    GOSSIP_NOTE_BAD_SNAPSHOT_LINE, /* Unrecognized snapshot line; `text` */
    GOSSIP_NOTE_PAUSED,            /* this process was held up */
    GOSSIP_NOTE_COUNT
};
const char *gossip_note_name(enum gossip_note note); /* for the event's name: "suspect", ... */

enum { GOSSIP_TEXT_BYTES = 256 };

/* What an action points at lives until its list is cleared. */
struct gossip_action {
    enum gossip_action_kind kind;
    union {
        struct gossip_outgoing *packet;
        struct {
            uint64_t exchange;
            struct gossip_addr to;
            uint32_t timeout_ms;
            struct cu_buf *bytes; /* the stream from its type byte on */
        } dial;
        struct {
            uint64_t call;
            struct cu_buf *bytes; /* NULL: close without an answer */
        } answer;
        struct {
            enum gossip_change change;
            struct gossip_member_view view;
        } member;
        struct {
            char *line; /* without the newline */
            bool sync;
        } snapshot;
        struct {
            uint64_t tag;
            enum cu_err err;
            uint32_t count;
            char *text; /* NULL, or why; of a join one sentence a line */
        } done;
        struct {
            enum gossip_note note;
            struct gossip_addr address;
            char *name; /* NULL, or whom it is about */
            char *text; /* NULL, or more words */
        } note;
    };
};

struct gossip_actions {
    struct gossip_action *items;
    uint32_t count, cap;
};
void gossip_actions_deinit(struct gossip_actions *actions);
/* Empties it for the next step, and frees what its actions hold; the list's own memory is kept. */
void gossip_actions_clear(struct gossip_actions *actions);

/* Applies one event, appends to `out`. The edge performs `out` in order. */
void gossip_step(struct gossip *gossip, const struct gossip_event *event,
                 struct gossip_actions *out);

/* When to send GOSSIP_EV_TICK at the latest. */
struct cu_mono gossip_next_deadline(const struct gossip *gossip);

/* ---- questions: pure, change nothing ---- */

/* The members that lists show (all but reaped), in no order: start with *at = 0, ends with false.
 */
bool gossip_member_next(const struct gossip *gossip, size_t *at,
                        struct gossip_member_view *ret_member);
bool gossip_member_find(const struct gossip *gossip, const char *name,
                        struct gossip_member_view *ret_member);

/* The whole snapshot as it stands: what compaction writes in place of the file's lines. */
void gossip_snapshot_write(const struct gossip *gossip, struct cu_buf *out);
/* Compact when the file is longer than this (gossip.md 20). */
uint64_t gossip_snapshot_limit(const struct gossip *gossip);

/* The numbers of `serf info` and /v1/agent/self. */
struct gossip_stats {
    uint32_t members, failed, left, health_score;
    uint64_t member_time, event_time, query_time; /* Lamport clocks */
    uint32_t intent_queue, event_queue, query_queue, broadcast_queue;
    uint64_t probes, probes_failed, refuted, dropped; /* in this life */
    bool is_leaving, has_left;
};
void gossip_stats(const struct gossip *gossip, struct gossip_stats *ret_stats);

/* The simulator's eye: checks what must hold inside one core; the claim that does not, or NULL. */
const char *gossip_check(const struct gossip *gossip);

#endif
