/* world.h - a cluster on virtual time: an event queue, clocks, a network, and servers that are
 * pairs of processes.
 *
 * Everything that happens is a callback in one queue, ordered by (time, number); equal seed, equal
 * run. A server is raftd's core and catalogd's core: two processes that crash, pause and restart
 * independently, on two disks that lose their unsynced tails independently (consensus.md 20). */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/map.h"
#include "common/base/random.h"
#include "services/catalogd/core/replica.h"
#include "services/catalogd/core/store.h"
#include "services/raftd/core/raft.h"
#include "tests/sim/history.h"

enum {
    SIM_SERVERS_MAX = 5,
    SIM_CLIENTS_MAX = 6,
    SIM_KEYS = 3,
    SIM_US = 1000,
    SIM_MS = 1000000,
};

struct sim;
typedef void sim_callback(struct sim *sim, void *data);

/* ---- raftd's disk: what is synced; and writes on their way ---- */

struct sim_log {
    uint64_t term, incarnation;
    struct raft_id vote;
    struct raft_header start;
    struct raft_promise promise;
    struct raft_recovery recovery;
    struct raft_entry *entries; /* start.position.index + 1 and up */
    uint64_t count, cap;
};

struct sim_write { /* a persist under way, in order */
    struct raft_persist *persist;
    struct sim_write *next;
};

struct sim_parked { /* a call of the catalogd that waits inside raftd */
    bool is_set;
    uint64_t connection;
    struct raft_position after;
    struct raft_id ticket;
    uint64_t until_ns;
};

struct sim_held { /* an action that waits for a write */
    struct raft_action action;
    struct sim_held *next;
};

struct sim_raftd {
    struct raft *raft; /* NULL: not running */
    struct sim_log log;
    struct sim_write *writes, **writes_tail;
    struct sim_held *held, **held_tail;
    uint64_t life; /* rises with each start and crash */
    uint64_t paused_until_ns;
    uint64_t timer; /* number of the tick that counts */
    uint64_t next_tag;
    struct cu_map tags; /* tag -> struct sim_tag */
    struct sim_parked follow, duty;
    uint64_t slow_ns; /* added to each sync */
    bool is_leader_seen;
    uint64_t checked_commit, checked_term, led_commit;
    int checked_lineage;
};

/* ---- catalogd and its disk: the state is a function of the log, so a position says all ---- */

struct sim_catalogd {
    struct catalog_replica *replica; /* NULL: not running */
    struct catalog_store *store;
    struct memory_backend *memory;
    unsigned lineage;                      /* what it holds: a prefix of that one */
    struct raft_id log_cluster, log_prior; /* of its raftd, as it said last */
    unsigned pulls;                        /* so far: whose turn it is to give */
    uint64_t database;                     /* rises when a pull replaces it */
    uint64_t applied;
    uint64_t durable; /* index checkpointed: survives any crash, and some of what came after */
    uint64_t life;
    uint64_t paused_until_ns;
    uint64_t timer;
    uint64_t turn; /* a pending end of turn, 0: none */
    uint64_t apply_after_ns;
    uint64_t next_tag;
    struct cu_map requests;       /* tag -> struct sim_request */
    struct sim_entries *followed; /* what the last FOLLOWED brought */
    struct sim_batch *batch;      /* proposals of this turn */
    uint64_t next_call;
    struct cu_map calls; /* number of an open call -> itself: answered once, or timed out */
    struct catalog_id ticket;
    uint64_t duty_term;
    bool is_on_duty;
};

struct sim_server {
    struct sim *sim;
    unsigned number;
    struct raft_id id;
    struct sim_raftd raftd;
    struct sim_catalogd catalogd;
    uint64_t connection; /* between the two: rises when it breaks; 0: none yet */
    bool is_connected;
    uint64_t local_last_ns[2]; /* the last delivery each way: streams keep their order */
    bool is_wiped;             /* its log was lost: refused until it is added anew */
    bool is_gone;              /* lost with a majority: not started again before it is let back */
    bool was_lost;             /* so, at some time */
    bool is_unnamed;           /* and the recovered cluster does not know it */
    bool is_non_voter;
    bool has_peers_file;  /* an operator's, to be taken at the next start */
    bool is_catalog_lost; /* its database was deleted and has not caught up with the floor */
    uint64_t clock_offset_ns;
    double clock_rate; /* 0.98 .. 1.02 */
    int64_t wall_skew_ms;
};

/* What the checks remember about the committed log (invariants I3 to I5, I18, I26). */
struct sim_committed {
    struct raft_entry entry;
    struct cu_u128 state_hash;
    bool has_hash;
};

/* What was committed under one cluster id, from index 1 on: a recovery begins another one with what
 * its servers still have of the last. */
enum { SIM_LINEAGES_MAX = 3 };
struct sim_lineage {
    struct raft_id cluster;
    uint64_t recovered_at;           /* index of the entry that brought the id; 1 in the first */
    struct sim_committed *committed; /* [index - 1] */
    uint64_t count, cap;
    uint64_t begun;             /* time */
    uint64_t values[SIM_KEYS];  /* that the keys had when it began */
    uint64_t least_shown_index; /* above all that clients had seen before */
};

struct sim_options {
    uint64_t seed;
    bool trace;
    bool storm;   /* every run of three servers or more a storm, entries one at a time */
    bool losses;  /* every run of five servers, and their majority is lost */
    bool changes; /* servers are removed and added all the time */
};

struct sim {
    struct sim_options options;
    struct cu_random random;
    uint64_t now; /* ns */
    uint64_t next_number;
    struct sim_event *heap;
    size_t heap_count, heap_cap;
    uint64_t steps;

    unsigned server_count;
    struct sim_server servers[SIM_SERVERS_MAX];
    bool is_cut[SIM_SERVERS_MAX][SIM_SERVERS_MAX]; /* [from][to] */
    unsigned drop_permille, duplicate_permille, reorder_permille;
    uint64_t delay_max_ns;
    bool is_calm;   /* faults are over */
    bool is_quiet;  /* and nobody writes any more */
    bool is_storm;  /* leaders fall before they have settled */
    uint32_t batch; /* entries a message */

    unsigned client_count;
    struct history history;
    struct sim_client {
        struct sim *sim;
        unsigned number;
        uint64_t request; /* number of the one under way */
        uint64_t seen_index[SIM_KEYS],
            seen_value[SIM_KEYS]; /* of its last read: what a CAS expects */
    } clients[SIM_CLIENTS_MAX];
    uint64_t last_value;
    uint64_t stop_clients_ns;

    struct sim_lineage lineages[SIM_LINEAGES_MAX]; /* oldest first */
    unsigned lineage_count;
    uint64_t shown_max; /* of indexes that clients could see */
    struct sim_recovery {
        bool is_open;           /* until its entry is committed */
        bool is_asked;          /* online, of one survivor */
        struct raft_id cluster; /* that the file leads to */
        struct raft_configuration configuration;
        uint32_t old_quorum;
    } recovery;
    struct cu_map leaders; /* term -> server + 1 */
    struct cu_map votes;   /* (server, incarnation, term) -> candidate */
    struct cu_map effects; /* (proposer, seq) -> index + 1 */
    bool has_wiped;
    uint64_t changes;         /* of the servers, asked for; 0: nobody has come to ask */
    unsigned changed;         /* and done */
    unsigned judged, gave_up; /* histories, one a key and lineage; those too tangled to judge */

    const char *failure; /* the first claim that did not hold */
    char failure_text[512];
};

/* Runs one seed to its end. Returns NULL, or the claim that did not hold (owned by sim). */
const char *sim_run(struct sim *sim, const struct sim_options *options);
void sim_deinit(struct sim *sim);

/* ---- queue.c ---- */
/* fn(sim, data) at now + delay_ns; `drop` frees data that is never delivered (may be NULL). */
void sim_after(struct sim *sim, uint64_t delay_ns, sim_callback *fn, void *data,
               void (*drop)(void *data));
/* The same under a number given earlier: what waits for a pause to end keeps its place. */
void sim_again(struct sim *sim, uint64_t delay_ns, uint64_t number, sim_callback *fn, void *data,
               void (*drop)(void *data));
bool sim_next(struct sim *sim); /* runs the next event; false: none left */
void sim_queue_deinit(struct sim *sim);

/* ---- clocks ---- */
struct cu_mono sim_clock(const struct sim_server *server);
uint64_t sim_wall_ms(const struct sim_server *server);
uint64_t sim_delay_until(const struct sim_server *server,
                         struct cu_mono at); /* ns of world time from now */

/* ---- random ---- */
bool sim_chance(struct sim *sim, unsigned permille);
uint64_t sim_between(struct sim *sim, uint64_t low, uint64_t high); /* both included */

/* ---- net.c ---- */
/* Delivers fn(sim, data) at `to` after the network has had its way: dropped, delayed, twice
 * (copy(data) makes the second; NULL: never twice). */
void sim_send(struct sim *sim, unsigned from, unsigned to, sim_callback *fn, void *data,
              void (*drop)(void *data), void *(*copy)(const void *data));
bool sim_is_reachable(const struct sim *sim, unsigned from, unsigned to);

/* ---- disk.c ---- */
void sim_log_drop_from(struct sim_log *log,
                       uint64_t from); /* entries, counted from the log's start */
void sim_log_write(struct sim_server *server, const struct raft_persist *persist);
enum cu_err sim_log_read(void *context, uint64_t first, uint32_t max_count, size_t max_bytes,
                         struct raft_entry *ret_entries, uint32_t *ret_count);

/* ---- raftd.c ---- */
void sim_raftd_init(struct sim_server *server);
void sim_raftd_start(struct sim_server *server);
void sim_raftd_crash(struct sim_server *server); /* loses any suffix of what was not synced */
void sim_raftd_wipe(struct sim_server *server);  /* a new, empty disk: only while it is down */
void sim_raftd_deinit(struct sim_server *server);
void sim_raftd_step(struct sim_server *server, struct raft_event *event);

void sim_raftd_done(struct sim_server *server, const struct raft_action *action);

/* ---- catalogd.c ---- */
void sim_catalogd_init(struct sim_server *server);
void sim_catalogd_start(struct sim_server *server);
void sim_catalogd_crash(struct sim_server *server);
void sim_catalogd_wipe(struct sim_server *server);
void sim_catalogd_deinit(struct sim_server *server);
void sim_catalogd_step(struct sim_server *server, struct catalog_event *event);

/* ---- state.c ---- */
void sim_state_open(struct sim_server *server, uint64_t index);
void sim_state_close(struct sim_catalogd *catalogd);
/* An index that its database may be at now. */
uint64_t sim_catalogd_folded(struct sim *sim, const struct sim_catalogd *catalogd);
enum cu_err sim_state_apply(struct sim_server *server, struct raft_entry entry,
                            struct cu_arena *arena, struct catalog_outcome *ret_outcome);
struct catalog_position sim_position_at(const struct sim *sim, unsigned lineage, uint64_t index);
/* What the keys hold at an index of a lineage. */
void sim_values_at(struct sim *sim, unsigned lineage, uint64_t index, uint64_t values[SIM_KEYS]);
uint64_t sim_number_of(const char *value);
void sim_apply_later(struct sim_server *server); /* what was just followed */
void sim_checkpoint_begins(struct sim_server *server, void *data);
void sim_pull_later(struct sim_server *server, bool was_diverged);

/* ---- local.c: the bus between the two processes of a server, and calls forwarded to the leader
 * ---- */
enum sim_process { SIM_RAFTD, SIM_CATALOGD };
/* Delivers handle(server, data) to a process after delay_ns: not while it is paused (then after),
 * not when its life has changed (0: any life), not when it is down. */
void sim_deliver(struct sim_server *server, enum sim_process to, uint64_t life, uint64_t delay_ns,
                 void (*handle)(struct sim_server *server, void *data), void *data,
                 void (*drop)(void *data));
void sim_local_break(struct sim_server *server);   /* either process died */
void sim_local_connect(struct sim_server *server); /* both run: catalogd dials */

/* Over the stream, in order; lost with it. */
void sim_local_send(struct sim_server *server, enum sim_process to,
                    void (*handle)(struct sim_server *server, void *data), void *data,
                    void (*drop)(void *data));

/* ---- call.c, feed.c: calls of the catalogd, as actions of its replica say ---- */
void sim_call_attach(struct sim_server *server, const struct catalog_action *act);
void sim_call_follow(struct sim_server *server, const struct catalog_action *act);
void sim_call_duty(struct sim_server *server, const struct catalog_action *act);
void sim_call_read_index(struct sim_server *server, const struct catalog_action *act);
struct sim_batch *sim_batch_new(void);
void sim_batch_add(struct sim_batch *batch, const struct raft_proposal *proposal);
void sim_batch_free(void *batch);
void sim_call_propose(struct sim_server *server, struct sim_batch *batch); /* takes the batch */

/* What raftd's actions and progress give back. */
void sim_raftd_answer_parked(struct sim_server *server);
void sim_answer_attach(struct sim_server *server, const struct raft_action *action);
void sim_raftd_answer(struct sim_server *server,
                      const struct raft_action *action); /* PROPOSED, READ, ATTACHED */

struct sim_entries {
    enum raft_follow_outcome outcome;
    struct raft_entry *items;
    uint32_t count;
    uint64_t upto;
    struct raft_id cluster, prior;
    bool is_own_lineage;
};
void sim_entries_free(void *entries);

/* ---- client.c ---- */
enum sim_request_kind { SIM_PUT, SIM_CAS, SIM_GET, SIM_GET_CONSISTENT };
struct sim_request {
    enum sim_request_kind kind;
    unsigned client, key;
    uint64_t number;  /* of the client's request */
    size_t operation; /* in the history */
    char value[24];
    uint64_t cas_index;
    struct cu_buf command; /* packed, for writes */
};
void sim_clients_start(struct sim *sim);
void sim_key_name(unsigned key, char name[16]);
/* What the catalogd says of a request of its; takes it. `row` NULL: no such key. */
void sim_client_answer(struct sim *sim, struct sim_request *request, enum cu_err err, bool applied,
                       const char *value);
void sim_request_free(void *request);

/* ---- nemesis.c ---- */
void sim_nemesis_start(struct sim *sim);
void sim_nemesis_elected(struct sim_server *leader);
void sim_nemesis_committed(struct sim_server *leader);
void sim_heal(struct sim *sim);

/* ---- recovery.c: a majority is lost for good, and what is left goes on ---- */
void sim_lose_majority(struct sim *sim);
bool sim_had_recovery(const struct sim *sim); /* or has one under way */
void sim_recovered(struct sim *sim);          /* its entry was committed */
void sim_take_peers_file(struct sim_server *server);
void sim_let_back(struct sim *sim, void *data);

/* ---- operator.c: servers are removed and added ---- */
void sim_operator_comes(struct sim *sim);
void sim_operator_hastens(struct sim_server *leader); /* at the worst moment: it was just elected */
void sim_raftd_changed(struct sim_server *server, const struct raft_action *action);
bool sim_servers_settled(struct sim *sim); /* all are voters, for whoever leads */

/* ---- lineage.c ---- */
struct sim_lineage *sim_newest(struct sim *sim);
struct sim_committed *sim_committed_at(struct sim *sim, unsigned lineage, uint64_t index);
struct raft_id sim_cluster_at(const struct sim *sim, unsigned lineage, uint64_t index);
/* The header of a state: what the log said up to there (contracts 3.6). */
struct raft_header sim_header_at(const struct sim *sim, unsigned lineage, uint64_t index);
int sim_lineage_of(const struct sim *sim, struct raft_id cluster);     /* -1: not known */
void sim_lineage_add(struct sim *sim, const struct raft_entry *entry); /* to the newest */
/* The first that is known of a recovery: the newest up to `floor`, entries are added then. */
void sim_lineage_begin(struct sim *sim, struct raft_id cluster, uint64_t floor);
void sim_lineages_deinit(struct sim *sim);

/* ---- check.c ---- */
void sim_check_server(struct sim_server *server); /* after each event that touched it */
void sim_check_applied(struct sim_server *server, uint64_t index, const struct raft_entry *entry,
                       const struct catalog_outcome *outcome);
void sim_check_message(struct sim_server *from, const struct raft_message *message);
void sim_check_end(struct sim *sim);
void sim_check_deinit(struct sim *sim);

void sim_fail(struct sim *sim, const char *claim, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sim_trace(struct sim *sim, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
