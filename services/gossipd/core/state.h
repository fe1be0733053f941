/* state.h - inside of the core: its state, and what its files offer each other. */
#ifndef GOSSIP_STATE_H
#define GOSSIP_STATE_H

#include "common/base/arena.h"
#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/gossip.h"
#include "services/gossipd/core/member.h"
#include "services/gossipd/core/queue.h"
#include "services/gossipd/core/suspicion.h"

/* ---- state ---- */

enum gossip_probe_phase { GOSSIP_PROBE_NONE, GOSSIP_PROBE_DIRECT, GOSSIP_PROBE_INDIRECT };

struct gossip_probe {
    enum gossip_probe_phase phase;
    struct gossip_member *target;
    uint32_t seq, incarnation; /* the target's when the probe began */
    struct cu_mono sent, direct_until, deadline;
    uint32_t nacks_expected, nacks;
    uint64_t tcp_exchange; /* 0: none on its way */
    bool tcp_answered;
};

/* An indirect ping that we carry out; all wait equally long, so the oldest comes first. */
struct gossip_relay {
    uint32_t seq, asked_seq;
    struct gossip_addr asker;
    bool wants_nack;
    struct cu_mono until;
};

enum gossip_exchange_kind {
    GOSSIP_EXCHANGE_JOIN,      /* for the command `tag` */
    GOSSIP_EXCHANGE_PUSH_PULL, /* the periodic one */
    GOSSIP_EXCHANGE_RECONNECT,
    GOSSIP_EXCHANGE_REJOIN, /* with somebody from the snapshot */
    GOSSIP_EXCHANGE_PING,
};

struct gossip_exchange {
    enum gossip_exchange_kind kind;
    uint64_t id, tag;
    struct gossip_addr to;
    struct cu_bytes name; /* owned; of REJOIN */
    bool ignore_old;
};

/* A command that waits: for exchanges (join), or for a broadcast to be through. */
enum gossip_wait_kind { GOSSIP_WAIT_JOIN, GOSSIP_WAIT_FORCE_LEAVE, GOSSIP_WAIT_TAGS };

struct gossip_wait {
    enum gossip_wait_kind kind;
    uint64_t tag, ticket;
    struct cu_mono until; /* broadcasts only */
    uint32_t left, joined;
    struct cu_buf text;
};

enum gossip_leave_phase {
    GOSSIP_STAYS,
    GOSSIP_LEAVE_INTENT, /* the leave intent spreads */
    GOSSIP_LEAVE_DEAD,   /* the dead message about ourselves spreads */
    GOSSIP_LEAVE_LINGER, /* time for the others to hear it, while we answer probes */
    GOSSIP_HAS_LEFT
};

struct gossip_leave {
    enum gossip_leave_phase phase;
    uint64_t tag, ticket;
    struct cu_mono until;
};

struct gossip_seen_intent {
    uint8_t type; /* GOSSIP_SERF_JOIN or _LEAVE */
    uint64_t ltime;
    struct cu_mono at;
    struct cu_bytes name; /* owned */
};

/* A member that the snapshot calls alive and nobody has shown us yet. */
struct gossip_unseen {
    struct cu_bytes name; /* owned */
    struct gossip_addr addr;
    bool is_asked, is_unreachable;
};

struct gossip {
    struct cu_bytes name; /* owned */
    struct gossip_timing timing;
    enum gossip_pool pool;
    char *datacenter, *segment, *node_id;
    uint32_t packet_budget, members_max;
    bool rejoin_after_leave;

    struct cu_random random;
    struct cu_mono now; /* of this step */
    uint64_t wall_ms;
    struct gossip_actions *out;
    struct gossip_addr heard_from; /* who sent the packet that is being read; none: no packet is */
    struct cu_arena *arena;        /* scratch of this step */
    struct gossip_parts parts;     /* scratch */
    struct cu_buf scratch;

    struct gossip_members members;
    struct gossip_member *self;
    uint32_t health; /* 0: well */

    struct gossip_queue broadcasts, intents, queries, events;
    uint64_t last_ticket;

    uint32_t last_seq, probe_at;
    struct gossip_probe probe;
    struct gossip_relay relays[GOSSIP_RELAYS_MAX]; /* a ring */
    uint32_t relay_first, relay_count;

    struct gossip_exchange *exchanges;
    uint32_t exchange_count;
    uint64_t last_exchange;
    struct gossip_wait *waits;
    uint32_t wait_count;
    struct gossip_leave leave;

    /* timers */
    struct cu_mono probe_due, gossip_due, push_pull_due, reap_due, reconnect_due, clock_due;
    struct cu_mono suspicion_due; /* no suspicion or prune is due before */

    /* serf */
    uint64_t member_time, event_time, query_time; /* Lamport clocks */
    uint64_t event_min, query_min;
    struct cu_map seen_intents;   /* name -> gossip_seen_intent */
    struct gossip_replay *replay; /* user events and queries seen */
    bool is_complete;

    /* snapshot */
    uint64_t written_member, written_event, written_query;
    bool snapshot_closed;
    struct gossip_unseen *unseen;
    uint32_t unseen_count;
    struct cu_mono rejoin_due;

    bool has_begun;
    uint32_t bad_lines; /* of the snapshot, to be told at the first step */
    uint64_t probes, probes_failed, refuted, dropped;
};

/* ---- act.c: actions ---- */

struct gossip_action *gossip_act(struct gossip *g, enum gossip_action_kind kind);
void gossip_tell(struct gossip *g, enum gossip_note note, struct cu_bytes name,
                 const struct gossip_addr *addr, const char *text);
void gossip_line(struct gossip *g, const char *fmt, ...) CU_PRINTF(2, 3);
void gossip_done(struct gossip *g, uint64_t tag, enum cu_err err, uint32_t count, const char *text);
/* Sends g->parts. */
void gossip_send_parts(struct gossip *g, struct gossip_addr to, bool with_crc);
/* One message, and with it what waits to be told and fits. */
void gossip_send(struct gossip *g, struct gossip_addr to, const struct gossip_message *message);
/* Opens a stream; 0: too many are open. `bytes` is taken. */
uint64_t gossip_dial(struct gossip *g, const struct gossip_exchange *exchange, struct cu_buf *bytes,
                     uint32_t timeout_ms);
/* The exchange, taken out of the table: free its name; false: unknown. */
bool gossip_exchange_take(struct gossip *g, uint64_t id, struct gossip_exchange *ret_exchange);

/* ---- spread.c: broadcasts (gossip.md 11) ---- */

/* Tells everybody; the key is the node it is about. */
void gossip_broadcast(struct gossip *g, struct cu_bytes key, const struct gossip_message *message,
                      uint64_t ticket);
/* A serf message of our own making, or as it came. */
void gossip_broadcast_serf(struct gossip *g, const struct gossip_serf *serf, uint64_t ticket);
void gossip_rebroadcast(struct gossip *g, struct gossip_queue *queue, struct cu_bytes whole);
/* Adds what waits to g->parts. */
void gossip_fill(struct gossip *g);
void gossip_spread(struct gossip *g); /* the gossip tick */

/* ---- alive.c, suspect.c: what memberlist believes (gossip.md 8) ---- */

void gossip_hear_alive(struct gossip *g, const struct gossip_alive *alive);
void gossip_hear_suspect(struct gossip *g, const struct gossip_accusation *suspect);
void gossip_hear_dead(struct gossip *g, const struct gossip_accusation *dead, uint64_t ticket);
void gossip_announce_self(struct gossip *g, uint64_t ticket); /* alive, as we are now */
void gossip_refute(struct gossip *g, uint32_t accused, struct cu_bytes from);
void gossip_end_suspicion(struct gossip_member *member);
void gossip_run_suspicions(struct gossip *g); /* those due, and prunes */
/* Look again at `at` at the latest. */
void gossip_suspicion_due(struct gossip *g, struct cu_mono at);
struct gossip_alive gossip_alive_of(const struct gossip_member *member);
bool gossip_others_alive(const struct gossip *g);

/* ---- probe.c, ping.c (gossip.md 7.1, 9, 10.1) ---- */

void gossip_health(struct gossip *g, int delta);
void gossip_probe_tick(struct gossip *g);
void gossip_probe_run(struct gossip *g); /* what of the running probe is due */
struct cu_mono gossip_probe_due(const struct gossip *g);
void gossip_probe_acked(struct gossip *g);
void gossip_probe_send_failed(struct gossip *g, struct gossip_addr to);
void gossip_probe_tcp(struct gossip *g, uint64_t exchange, bool answered);
void gossip_probe_drop(struct gossip *g); /* no blame */
void gossip_hear_ping(struct gossip *g, const struct gossip_ping *ping, struct gossip_addr from);
void gossip_hear_indirect(struct gossip *g, const struct gossip_indirect_ping *ping,
                          struct gossip_addr from);
void gossip_hear_ack(struct gossip *g, uint32_t seq);
void gossip_hear_nack(struct gossip *g, uint32_t seq);
void gossip_run_relays(struct gossip *g);
struct cu_mono gossip_relay_due(const struct gossip *g);
struct gossip_source gossip_own_source(const struct gossip *g);

/* ---- push_pull.c, join.c, leave.c (gossip.md 12, 13) ---- */

struct cu_buf *gossip_local_state(struct gossip *g, bool is_join);
/* NULL: merged; else why it was refused, in the arena. */
const char *gossip_merge(struct gossip *g, const struct gossip_push_pull *remote, bool ignore_old);
void gossip_push_pull_tick(struct gossip *g);
uint64_t gossip_push_pull_ms(uint32_t interval_ms, uint32_t members);
uint64_t gossip_push_pull(struct gossip *g, const struct gossip_exchange *exchange, bool is_join);
void gossip_hear_stream(struct gossip *g, const struct gossip_event *event);
void gossip_hear_reply(struct gossip *g, const struct gossip_event *event);
void gossip_stream_failed(struct gossip *g, const struct gossip_event *event);
void gossip_join(struct gossip *g, const struct gossip_event *event);
void gossip_join_progress(struct gossip *g, const struct gossip_exchange *exchange,
                          const char *failure); /* NULL: it succeeded */
void gossip_leave(struct gossip *g, uint64_t tag);
void gossip_leave_through(struct gossip *g, uint64_t ticket);
void gossip_leave_run(struct gossip *g);
void gossip_force_leave(struct gossip *g, const struct gossip_event *event);
void gossip_set_tags(struct gossip *g, const struct gossip_event *event);
void gossip_run_waits(struct gossip *g); /* done broadcasts and deadlines */
struct cu_mono gossip_waits_due(const struct gossip *g);
bool gossip_is_leaving(const struct gossip *g);

/* ---- pool.c: who may be in (gossip.md 23.3) ---- */

bool gossip_pool_admits(const struct gossip *g, const struct gossip_alive *alive,
                        struct cu_diag *diag);
bool gossip_pool_merges(const struct gossip *g, const struct gossip_push_pull *remote,
                        struct cu_diag *diag);
bool gossip_versions_merge(const struct gossip *g, const struct gossip_push_pull *remote,
                           struct cu_diag *diag);

/* ---- status.c, intent.c, event.c, reap.c: the serf layer (gossip.md 15 to 18) ---- */

void gossip_member_joined(struct gossip *g, struct gossip_member *member);
void gossip_member_updated(struct gossip *g, struct gossip_member *member);
void gossip_member_gone(struct gossip *g, struct gossip_member *member);
void gossip_member_leaving(struct gossip *g, struct gossip_member *member);
void gossip_member_stays(struct gossip *g, struct gossip_member *member); /* after all */
void gossip_member_left(struct gossip *g, struct gossip_member *member);
void gossip_member_failed(struct gossip *g, struct gossip_member *member);
void gossip_member_erase(struct gossip *g, struct gossip_member *member);
uint32_t gossip_member_count(const struct gossip *g); /* of those that serf lists */
struct gossip_member_view gossip_view_of(const struct gossip_member *member);
void gossip_record(struct gossip *g, struct gossip_member *member, enum gossip_change change);
bool gossip_is_member(const struct gossip_member *member); /* serf lists it */

void gossip_witness(uint64_t *clock, uint64_t seen);
void gossip_hear_serf(struct gossip *g, struct cu_bytes body);
bool gossip_hear_leave_intent(struct gossip *g, const struct gossip_intent *intent);
bool gossip_hear_join_intent(struct gossip *g, const struct gossip_intent *intent);
void gossip_broadcast_join(struct gossip *g);
const struct gossip_seen_intent *gossip_seen_intent(const struct gossip *g, struct cu_bytes name);
void gossip_intents_deinit(struct gossip *g);
void gossip_reap_intents(struct gossip *g);
void gossip_run_prunes(struct gossip *g);
void gossip_ask_leaving(struct gossip *g);
void gossip_serf_state(struct gossip *g, struct cu_buf *out);
void gossip_merge_serf(struct gossip *g, struct cu_bytes body, bool is_join, bool ignore_old);
/* True: to be passed on. */
bool gossip_hear_event(struct gossip *g, struct cu_bytes body);
bool gossip_hear_query(struct gossip *g, struct cu_bytes body);
void gossip_merge_events(struct gossip *g, struct cu_bytes events);
struct gossip_replay *gossip_replay_new(void);
void gossip_replay_free(struct gossip_replay *replay);

uint64_t gossip_reap_after_ms(const struct gossip *g, const struct gossip_member *member);
void gossip_reap(struct gossip *g);
void gossip_reconnect(struct gossip *g);

/* ---- snapshot.c (gossip.md 20) ---- */

void gossip_restore(struct gossip *g, struct cu_bytes snapshot);
void gossip_write_record(struct gossip *g, const struct gossip_member *member);
void gossip_write_clocks(struct gossip *g);
bool gossip_has_clocks_to_write(const struct gossip *g);
void gossip_write_leave(struct gossip *g);

/* ---- rejoin.c ---- */

void gossip_unseen_add(struct gossip *g, struct cu_bytes name, struct gossip_addr addr);
void gossip_unseen_seen(struct gossip *g, struct cu_bytes name); /* it has shown itself */
void gossip_unseen_deinit(struct gossip *g);
void gossip_rejoin_tick(struct gossip *g);
void gossip_rejoin_progress(struct gossip *g, const struct gossip_exchange *exchange,
                            const char *failure);

#endif
