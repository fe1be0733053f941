/* call.h - a request to Members that waits, and what the handlers share. Private to rpc/. */
#ifndef GOSSIP_RPC_CALL_H
#define GOSSIP_RPC_CALL_H

#include "curia/internal/v1/members.pb-c.h"
#include "services/gossipd/rpc/service.h"

enum {
    FOLLOW_RECORDS = 512,                /* in one answer */
    FOLLOW_WAIT_MS = 600000,             /* at most */
    LIST_ARENA_BYTES = 64 * 1024 * 1024, /* of all members there can be */
    FEED_ID_BYTES = 16
};

typedef Curia__Internal__V1__Member gossip_pb_member;

/* One that waits for the core or for the feed. On the heap: names are looked up meanwhile. */
struct gossip_call {
    struct gossip_service *service;
    struct cu_rq *rq;                /* NULL: gone */
    struct gossip_call *prev, *next; /* in service->follows or ->commands */
    struct gossip_call **list;
    uint64_t tag;          /* of the command; 0: not given yet */
    uint64_t after;        /* follow */
    struct cu_timer timer; /* follow */
    char **errors;         /* join: what could not be resolved; in rq->arena */
    size_t error_count;
};

struct gossip_service {
    struct gossip_service_options options;
    const struct gossip *core;
    uint8_t feed_id[FEED_ID_BYTES]; /* of this life: indexes of another mean nothing */
    bool was_complete;
    struct gossip_call *follows, *commands;
};

struct gossip_call *gossip_call_open(struct gossip_call **list, struct gossip_service *service,
                                     struct cu_rq *rq);
/* Before the reply: out of its list and freed. Returns the request; NULL: gone. */
struct cu_rq *gossip_call_close(struct gossip_call *call);

/* All of it in the arena; NULL: no room. */
gossip_pb_member *gossip_member_message(struct cu_arena *arena,
                                        const struct gossip_member_view *view);

cu_handler gossip_handle_list, gossip_handle_follow, gossip_handle_join, gossip_handle_leave,
    gossip_handle_force_leave, gossip_handle_set_tags, gossip_handle_stats;
void gossip_follow_retry(struct gossip_service *service);
void gossip_follow_expire(struct gossip_call *call);

#endif
