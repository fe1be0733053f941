/* internal.h - what the files of common/rpc share; nobody else includes it. */
#ifndef CU_RPC_INTERNAL_H
#define CU_RPC_INTERNAL_H

#include "common/base/map.h"
#include "common/base/random.h"
#include "common/bus/conn.h"
#include "common/log/log.h"
#include "common/metric/metric.h"
#include "common/rpc/client.h"
#include "common/rpc/deadline.h"
#include "common/rpc/rpc.h"

enum {
    RPC_SESSIONS_MAX = 4096, /* accepted connections */
    RPC_HOPS_MAX = 3,        /* dc, attached, duty or leader: one of each kind (contracts 2.2) */
    RPC_POOL_MAX = 256,      /* requests and arenas kept for reuse */
    RPC_WAITING_MAX = 4096,  /* calls of one client that wait for call credit */
    RPC_GRACE_MS = 100,      /* the callee enforces the deadline; after this much more we do */
    RPC_METHOD_MAX_BYTES = 128,
    RPC_DIAL_MS = 1000,
};

/* A method as it is found by name. */
struct rpc_row {
    const struct cu_service *service;
    const struct cu_method *method;
    const ProtobufCMethodDescriptor *descriptor;
    void *context;
    char name[RPC_METHOD_MAX_BYTES]; /* "Kv.Put" */
};

/* A link of an intrusive list; an element can leave without knowing which list it is in. */
struct rpc_link {
    struct rpc_link *next, **at;
};

static inline void rpc_link_put(struct rpc_link **list, struct rpc_link *link)
{
    link->next = *list;
    link->at = list;
    if (link->next)
        link->next->at = &link->next;
    *list = link;
}

static inline void rpc_link_take(struct rpc_link *link)
{
    if (!link->at)
        return;
    *link->at = link->next;
    if (link->next)
        link->next->at = link->at;
    link->at = NULL;
}

/* Moves a whole list; order is kept. */
static inline void rpc_link_move(struct rpc_link **to, struct rpc_link **from)
{
    *to = *from;
    if (*to)
        (*to)->at = to;
    *from = NULL;
}

struct cu_inlet_call;

/* An accepted connection. */
struct rpc_session {
    struct rpc_link link; /* first; in rpc->sessions */
    struct cu_rpc *rpc;
    struct cu_conn *conn;
    struct cu_peer peer;
    struct rpc_link *requests;
    uint32_t open[2]; /* by enum cu_method_kind */
    /* Of an inlet: no connection, one request. The session may be gone after it. */
    struct cu_inlet_call *inlet;
    void (*answered)(struct rpc_session *session, const struct cu_reply *reply,
                     const struct cu_body *body);
};

/* A request being answered. */
struct rpc_request {
    struct rpc_link link; /* first; in its session's requests, or in rpc->orphans */
    struct cu_rq rq;
    const struct rpc_row *row;
    struct rpc_session
        *session; /* NULL: answered or disconnected, the handler has not let go yet */
    uint64_t id;
    cu_callback *gone;
    void *gone_arg;
    struct cu_deadline deadline;
    struct cu_call *forwarded;
    struct cu_bytes body; /* of one that was doubted, in its arena */
    bool was_doubted;
};

struct cu_rpc {
    struct cu_rpc_options o;
    struct cu_loop *loop;
    struct cu_map rows; /* name -> struct rpc_row */
    char *follows[CU_HELLO_FOLLOWS_MAX];
    size_t follow_count;
    struct rpc_listener {
        struct rpc_listener *next;
        const struct cu_driver *driver;
        struct cu_listener *listener;
    } * listeners;
    struct rpc_link *sessions, *orphans, *clients;
    size_t session_count, open_calls;
    struct cu_rpc_hooks hooks;
    char source_address[64]; /* "": the system's choice */
    uint8_t cluster_id[16];
    uint8_t prior_ids[CU_HELLO_PRIORS_MAX][16];
    size_t prior_count;
    bool has_cluster_id, strict, draining;
    struct cu_deadlines deadlines;
    struct cu_random random; /* of request ids and of jitter */
    struct rpc_link *free_requests, *free_calls;
    size_t free_request_count, free_call_count;
    struct cu_arena *reply_arena; /* of the answer being handed out */
    bool reply_arena_busy;
    struct rpc_link *failed; /* calls to be answered with an error at the end of the turn */
    struct cu_turn_hook failed_hook;
    struct cu_diag refusal; /* the sentence of the last one, borrowed by the bus */
    struct cu_log_limit log_limit;
    struct {
        struct cu_counter *accepted, *requests, *refused, *gone, *late, *goaways, *calls;
    } count;
};

const struct cu_driver *rpc_driver(const struct cu_rpc *rpc, const struct cu_url *url);
struct cu_hello rpc_hello(const struct cu_rpc *rpc);
void rpc_fill_peer(struct cu_peer *peer, const struct cu_conn *conn);

/* request.c: the bus' events of an accepted connection. */
void rpc_admit(void *session, struct cu_conn *conn, const struct cu_envelope *head,
               struct cu_admission *ret_admission);
void rpc_serve(void *session, struct cu_conn *conn, uint64_t id, const struct cu_envelope *call);
void rpc_cancelled(void *session, struct cu_conn *conn, uint64_t id);
void rpc_requests_lost(struct rpc_session *session);  /* tells all handlers */
void rpc_requests_forget(struct rpc_link **requests); /* frees without telling */

/* client.c, call.c */
void rpc_client_forget(struct rpc_link *client); /* frees without telling */
void rpc_answer_failed(void *rpc);               /* the hook of rpc->failed */
void rpc_calls_free(struct cu_rpc *rpc);         /* the pool */

#endif
