/* call.h - a request that waits for the core: named by a tag, listed by what it waits for. Private
 * to rpc/. */
#ifndef RAFT_CALL_H
#define RAFT_CALL_H

#include "common/base/map.h"
#include "curia/internal/v1/log.pb-c.h"
#include "curia/internal/v1/raft.pb-c.h"
#include "services/raftd/rpc/service.h"

enum {
    RAFT_HOLD_MS = 7000,     /* a call without a leader (consensus.md 3) */
    RAFT_DUTY_WAIT_MS = 500, /* a duty poll at most: the grant ends after 2 s without one */
    RAFT_FOLLOW_WAIT_MS = 600000,
    RAFT_FOLLOW_BYTES = 1024 * 1024, /* of bodies in one answer, but at least one entry */
    RAFT_FOLLOW_COUNT = 1024,
};

enum raft_wait {
    RAFT_WAIT_CORE,    /* an action with its tag */
    RAFT_WAIT_FOLLOW,  /* progress of the log */
    RAFT_WAIT_DUTY,    /* a change of the grant */
    RAFT_WAIT_LEADER,  /* a leader */
    RAFT_WAIT_FORWARD, /* the answer of the leader */
    RAFT_WAIT_COUNT
};

/* Lives in the request's arena. */
struct raft_call {
    struct raft_service *service;
    struct cu_rq *rq;
    uint64_t tag;
    enum raft_wait wait;
    struct raft_call *prev, *next;
    struct cu_mono until; /* NEVER: only the request's own deadline */
    union {
        struct {
            struct raft_position after;
            uint32_t max_bytes;
        } follow;
        struct raft_id ticket;   /* duty */
        struct cu_call *forward; /* under way at the leader */
    };
};

struct raft_service {
    struct raft_service_options options;
    struct raft_shell *shell;
    struct raft_peers *peers;
    const struct raft *core;
    uint64_t last_tag;
    struct cu_map calls; /* tag -> struct raft_call */
    struct raft_call *lists[RAFT_WAIT_COUNT];
    struct cu_timer timer;
    struct cu_mono timer_at; /* NEVER: not set */

    const struct cu_peer *attached; /* whose Attach came last; NULL: none */
    char attached_address[80];
    struct raft_position durable; /* last told to the core */

    struct raft_status seen;  /* at the end of the last turn */
    struct raft_entry *batch; /* RAFT_FOLLOW_COUNT: room for one answer */
    struct cu_counter *ignored[RAFT_IGN_COUNT];
    struct cu_counter *malformed, *follows, *held;
    struct cu_log_limit limit;
};

/* NULL: the arena is full, the request was failed. The call waits for nothing yet. */
struct raft_call *raft_call_open(struct raft_service *service, struct cu_rq *rq);
/* Moves it to a list; `wait_ms` 0: no end of its own. */
void raft_call_park(struct raft_call *call, enum raft_wait wait, uint64_t wait_ms);
/* Before every reply: out of all lists, its end no longer of interest. Returns the request. */
struct cu_rq *raft_call_close(struct raft_call *call);
struct raft_call *raft_call_find(struct raft_service *service, uint64_t tag);

/* A call with no leader to serve it waits for one, then is served here or by the leader. */
void raft_call_hold(struct raft_call *call);
void raft_calls_release(struct raft_service *service); /* a leader is known */

enum cu_caller raft_classify(void *service, const struct cu_peer *peer);
bool raft_is_attached(const struct raft_service *service, const struct cu_rq *rq);

/* Handlers; context is the service. */
cu_handler raft_handle_attach, raft_handle_follow, raft_handle_propose, raft_handle_read_index,
    raft_handle_hold, raft_handle_duty, raft_handle_status, raft_handle_recover,
    raft_handle_forget_promise, raft_handle_add_server, raft_handle_remove_server, raft_handle_step;

/* When a parked call's time is up, or something moved. */
void raft_follow_expire(struct raft_call *call);
void raft_follow_retry(struct raft_service *service);
void raft_duty_expire(struct raft_call *call);
void raft_duty_retry(struct raft_service *service);
/* What only a leader answers, told to the core anew. */
void raft_propose_again(struct raft_call *call);
void raft_read_again(struct raft_call *call);
void raft_change_again(struct raft_call *call);
/* It does not lead: the call waits for who does, or its forwarder does. */
void raft_call_hold_or_fail(struct raft_call *call);

#endif
