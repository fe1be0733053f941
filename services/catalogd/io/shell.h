/* shell.h - catalogd around its replica: performs the machine's actions, feeds it events, and
 * offers writes and reads to rpc/. One a process; all of it on the loop's thread. */
#ifndef CATALOG_SHELL_H
#define CATALOG_SHELL_H

#include "common/base/map.h"
#include "common/base/num.h"
#include "common/daemon/daemon.h"
#include "proto/curia/internal/v1/state.pb-c.h"
#include "services/catalogd/core/duty.h"
#include "services/catalogd/core/replica.h"
#include "services/catalogd/core/topics.h"
#include "services/catalogd/io/applier.h"
#include "services/catalogd/io/conf.h"
#include "services/catalogd/io/readers.h"

struct catalog_acl;
struct catalog_acl_duty;
struct catalog_checkpoints;
struct catalog_giver;
struct catalog_comparer;
struct catalog_scrub;
struct catalog_taker;
struct catalog_proposals;
struct catalog_writes;
struct catalog_reading;
struct catalog_reaping;
struct catalog_reconciler;
struct catalog_gossip;
struct doubt;
struct feed;
struct rows_call;

/* What raftd said of itself last. */
enum { CATALOG_ADDRESS_BYTES = 128, CATALOG_IP_BYTES = 64, CATALOG_BOOK_MAX = 64 };

/* Where the servers of the cluster are, by ip (io/callers.h). */
struct catalog_servers {
    char ips[CATALOG_BOOK_MAX][CATALOG_IP_BYTES];
    size_t count;
};

struct catalog_log_status {
    struct cu_mono at; /* {0}: never */
    bool known_leader, is_leader;
    int64_t last_contact_ms;                                              /* -1: never */
    char leader_id[CU_UUID_BYTES], leader_address[CATALOG_ADDRESS_BYTES]; /* "": none */
};

struct catalog_shell {
    struct cu_env *env;
    struct catalog_conf conf;
    char *folder, *path; /* DATA_DIR/catalog, and state.db in it */
    struct catalog_crash *crash;
    struct catalog_applier *applier;
    struct catalog_readers *readers;
    struct catalog_checkpoints *checkpoints;
    struct catalog_topics *topics;
    struct catalog_duties duties;
    uint64_t duty_term;
    struct catalog_id duty_ticket;
    struct catalog_giver *giver;
    struct catalog_taker *taker;
    struct catalog_scrub *scrub;
    struct catalog_comparer *comparer;
    char wrong[CU_DIAG_BYTES]; /* what is wrong with the state, until another is in its place; "" */
    struct cu_buf durable_header; /* packed StateHeader */

    struct catalog_replica *replica;
    struct catalog_actions actions;
    bool is_stopping;
    const char *stopped; /* why (contracts 6.6); NULL: not */
    char stopped_text[CU_DIAG_BYTES];
    struct cu_timer timer;
    struct cu_mono timer_at;
    struct cu_turn_hook hook;

    struct cu_client *raftd;
    struct cu_log_limit attach_limit;
    bool is_unwritable; /* nothing could be committed since the last try: a full disk, as a rule */
    struct cu_mono complained; /* {0}: never, or all has been well since */
    uint64_t replica_cursor;   /* after which index, and in which cluster, Follow was asked last */
    struct catalog_id replica_cluster;
    struct catalog_id log_cluster; /* raftd's, as it said last; none: it has none yet */
    struct catalog_id log_prior;   /* an earlier one, a state of which does as well; none: no */
    struct cu_arena *followed;     /* of the answer being handed to the applier */
    const Curia__Internal__V1__FollowReply *followed_reply;
    struct catalog_proposals *proposals;
    struct catalog_log_status log_status;
    struct catalog_servers servers;
    struct cu_timer status_timer;
    char *attached_address; /* readers: where writes go */
    struct cu_client *attached;
    char *duty_address; /* of the catalogd on duty, as rpc/table.c dialled it last; NULL: never */
    struct cu_client *duty_client;

    struct catalog_acl *acl; /* io/acl.h */
    struct catalog_writes *writes;
    struct cu_map index_reads; /* by tag */
    uint64_t last_tag;
    struct catalog_reading *reading;       /* rpc/read.h */
    struct feed *feeds;                    /* rpc/feed.c: the open ones */
    struct doubt *doubts;                  /* rpc/doubt.c: requests that wait for news */
    struct rows_call *row_pages;           /* rpc/rows.c: under way */
    struct catalog_reaping *reaping;       /* io/duties.c */
    struct catalog_acl_duty *acl_duty;     /* io/acl_duty.h */
    struct catalog_ca *ca;                 /* io/ca.h */
    struct catalog_gossip *gossip;         /* io/gossip.h */
    struct catalog_reconciler *reconciler; /* io/reconcile.h */
    struct cu_grpc_export *grpc;           /* rpc/grpc.h; NULL: switched off */

    /* Ready: what was committed at the start is applied, or time is up (contracts 9.4). */
    bool is_ready, knows_target;
    uint64_t ready_index;
    struct cu_timer ready_timer;

    struct catalog_counters {
        struct cu_counter *woken, *unchanged, *evaluated, *joined, *feed, *feed_rows, *pulls,
            *pull_failures, *applied, *commits, *commit_failures, *folds, *proposed, *proposals,
            *rounds, *refused, *scrubs, *scrub_damaged, *compare_agreed, *compare_differs;
        struct cu_sample *batch;
        struct cu_sample *kv_apply, *catalog_register, *catalog_deregister;
    } count;
};

enum cu_err catalog_shell_start(struct cu_env *env, void **ret_state, struct cu_diag *diag);
void catalog_shell_stop(void *state);
/* report.c */
void catalog_shell_status(void *state, cu_status_add *add, void *to);
void catalog_shell_count(struct catalog_shell *shell); /* names the metrics */

/* Feeds one event (its time is set here) and performs what comes out. Not from within itself. */
void catalog_shell_step(struct catalog_shell *shell, struct catalog_event *event);

const struct catalog_facts *catalog_shell_facts(const struct catalog_shell *shell);

/* Says once a minute that the state cannot be written, however often that is found. */
void catalog_shell_complain(struct catalog_shell *shell, const char *event, const char *text);
/* The state was replaced by one that was pulled, or that failed. */
void catalog_shell_pulled(struct catalog_shell *shell, enum cu_err err);
/* The state is wrong, and this is what shows it: says so, and gets another where there is somebody
 * to get it from. */
void catalog_shell_disown(struct catalog_shell *shell, const char *why);
/* A checkpoint ended: all up to `position` is durable, `header` (packed) is its header. */
void catalog_shell_durable(struct catalog_shell *shell, struct catalog_position position,
                           struct cu_bytes header);
/* Closes and opens the state: `between` runs while no connection to it is open. */
CU_MUST_USE enum cu_err catalog_shell_reopen(struct catalog_shell *shell,
                                             enum cu_err (*between)(void *arg,
                                                                    struct cu_diag *diag),
                                             void *arg, struct cu_diag *diag);

/* ---- writes ---- */

struct catalog_write;
/* err CU_OK: `outcome` (borrowed) says what apply made of it. RETRY: what it rests on (`checked`)
 * has changed, and it has had no effect. UNKNOWN, NO_LEADER, OVERLOADED, ... otherwise. */
typedef void catalog_on_written(void *arg, enum cu_err err, const struct catalog_outcome *outcome);

/* Proposes the command. `is_duty`: under the grant held now, CONFLICT if there is none. on_written
 * is called exactly once unless the write is let go before; it may be called before this
 * returns, which then is NULL. */
struct catalog_write *catalog_write_start(struct catalog_shell *shell,
                                          const Curia__Internal__V1__Command *command,
                                          struct cu_mono deadline, bool is_duty,
                                          catalog_on_written *on_written, void *arg);
/* Nobody waits for the answer any more; the write itself may still happen. */
void catalog_write_let_go(struct catalog_shell *shell, struct catalog_write *write);

/* ---- reads ---- */

/* err CU_OK: the state now holds all that was acknowledged before the read began. */
typedef void catalog_on_readable(void *arg, enum cu_err err);

/* Returns the read's number; never calls back from inside. */
uint64_t catalog_read_start(struct catalog_shell *shell, enum catalog_read_mode mode,
                            struct cu_mono deadline, catalog_on_readable *on_readable, void *arg);
void catalog_read_let_go(struct catalog_shell *shell, uint64_t number);

#endif
