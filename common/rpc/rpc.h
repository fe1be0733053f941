/* rpc.h - the dispatcher: services exported on the bus, and requests being answered. One per
 * daemon. */
#ifndef CU_RPC_RPC_H
#define CU_RPC_RPC_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/mono.h"
#include "common/loop/loop.h"
#include "common/rpc/method.h"

struct cu_rpc;
struct cu_client;
struct cu_log;
struct cu_metrics;

enum cu_local_driver {
    CU_LOCAL_LOOP, /* ipc:// sockets read by the loop itself */
    CU_LOCAL_NNG   /* ipc:// by nng's streams: the same bytes */
};

struct cu_rpc_options {
    struct cu_loop *loop;
    struct cu_log *log;         /* may be NULL */
    struct cu_metrics *metrics; /* may be NULL */
    const char *daemon;         /* all strings borrowed, for the life of the rpc */
    const char *node_id;
    const char *node_name;
    const char *datacenter;
    uint32_t feature_level;
    enum cu_local_driver local; /* `bus { local }` */
};

/* Who is at the other end of a connection. */
struct cu_peer {
    const char *daemon;  /* as its HELLO says: information, never a right */
    const char *node_id; /* likewise */
    const char *address; /* "127.0.0.2:41234", or "" on a local socket */
    bool is_local;       /* ipc:// */
    unsigned uid;        /* of a local peer, from the kernel */
    uint8_t cluster_id[16];
    bool has_cluster_id;
};

struct cu_origin {
    const char *node, *daemon, *address;
};

/* One request being answered. Lives until it is replied to or its end was told. */
struct cu_rq {
    const struct cu_service *service;
    const struct cu_method *method;
    const ProtobufCMessage *in; /* decoded, in the arena */
    struct cu_arena
        *arena; /* reset when the request ends; limit: 2 x request limit + 64 KiB, may be raised */
    struct cu_mono arrived, deadline;
    const char *token, *datacenter;
    const char *actor; /* whose token it is, as the permission check has found; NULL: not asked */
    uint32_t hops;
    struct cu_bytes trace_id, request_id;
    struct cu_origin origin;
    const struct cu_peer *peer; /* NULL once the connection is gone */
    struct cu_rpc *rpc;
    void *user; /* the handler's own */
};

struct cu_rpc *cu_rpc_new(const struct cu_rpc_options *options);
/* Closes listeners, connections, and the clients made from it. No callback runs from within and
 * none after it: whoever holds a request or waits for an answer has let go before. Takes NULL. */
void cu_rpc_free(struct cu_rpc *rpc);

/* Exports a service; `service` is borrowed. Asserts that rows and descriptor agree. Before
 * listening. */
void cu_rpc_add_service(struct cu_rpc *rpc, const struct cu_service *service, void *context);

/* Listens on "ipc:///path" (mode 0660, a stale socket is replaced, a path over 107 bytes refused)
 * or "tcp://ip:port". May be called again for further addresses. Errors: CU_E_INVALID the URL,
 * CU_E_CONFLICT somebody listens there (diag names it), CU_E_IO. */
CU_MUST_USE enum cu_err cu_rpc_listen(struct cu_rpc *rpc, const char *url, struct cu_diag *diag);

/* Sent in HELLO from here on; NULL: none yet. A raftd also refuses peers of another non-zero
 * cluster with GOAWAY (contracts 1.5) when `strict`. */
void cu_rpc_set_cluster_id(struct cu_rpc *rpc, const uint8_t *cluster_id, bool strict);

/* Earlier ids of the same log, newest last; copied, at most CU_HELLO_PRIORS_MAX. */
void cu_rpc_set_prior_ids(struct cu_rpc *rpc, const uint8_t (*ids)[16], size_t count);

/* The ip that tcp:// connections dialled from here on leave from, so that peers on one loopback
 * network can tell servers apart by address (contracts 2.3). NULL, "" or "0.0.0.0": the system's
 * choice. Copied. */
void cu_rpc_set_source_address(struct cu_rpc *rpc, const char *ip);

/* The daemon's own say in a few questions; each may stay unset.
 *   classify  the class of a peer; default: local uid 0 or our own: CALLER_CATALOGD, all others:
 *             CALLER_AGENT
 *   permit    the one permission check (contracts 2.4), called for every row that names a right;
 *             default: CU_OK. An error with a sentence ("Permission denied") is the answer
 *   doubt     whether a denial of the row's right may be for want of news: true where it will call
 *             cu_rq_resume() when it knows more, once a request; cu_rq_on_gone() tells it until
 * then route     where a request for a routed row goes: CU_OK and *ret_client = NULL (here) or the
 *             client to forward to; or an error with a sentence, which is the answer */
struct cu_rpc_hooks {
    void *context;
    enum cu_caller (*classify)(void *context, const struct cu_peer *peer);
    enum cu_err (*permit)(void *context, struct cu_rq *rq, enum cu_right right,
                          struct cu_bytes resource, struct cu_diag *diag);
    bool (*doubt)(void *context, struct cu_rq *rq);
    enum cu_err (*route)(void *context, const struct cu_rq *rq, enum cu_route route,
                         struct cu_client **ret_client, struct cu_diag *diag);
    /* The connection of `peer` is lost (after the on_gone of its requests); the pointer names
     * nobody from here on. */
    void (*peer_gone)(void *context, const struct cu_peer *peer);
};
/* A request that was doubted begins anew; not from within the hook. */
void cu_rq_resume(struct cu_rq *rq);
void cu_rpc_set_hooks(struct cu_rpc *rpc, const struct cu_rpc_hooks *hooks);

/* From here on new calls get NotReady (those of the service Daemon do not); those under way go on.
 */
void cu_rpc_drain(struct cu_rpc *rpc);
size_t cu_rpc_open_calls(const struct cu_rpc *rpc);

/* ---- inside a handler, or later ---- */

/* Replies and ends the request; `reply` is packed before this returns. Over the row's limit:
 * TooLarge instead. */
void cu_rq_reply(struct cu_rq *rq, const ProtobufCMessage *reply, uint64_t index);
void cu_rq_reply_packed(struct cu_rq *rq, struct cu_bytes body, uint64_t index);
void cu_rq_fail(struct cu_rq *rq, enum cu_err err, const char *fmt, ...) CU_PRINTF(3, 4);

/* fn(arg) runs once if the request ends without a reply of ours: cancelled, disconnected, deadline
 * (contracts 1.3). Within it the request is still readable, after it it is gone; no reply may
 * follow. NULL unsets. */
void cu_rq_on_gone(struct cu_rq *rq, cu_callback *fn, void *arg);

/* The one permission check, for handlers that ask per row; an error's sentence is in diag. */
CU_MUST_USE enum cu_err cu_rq_permit(struct cu_rq *rq, enum cu_right right,
                                     struct cu_bytes resource, struct cu_diag *diag);

#endif
