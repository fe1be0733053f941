/* method.h - one row a method: what it is, where it is answered, who may call it, how big it may be
 * (contracts 2). */
#ifndef CU_RPC_METHOD_H
#define CU_RPC_METHOD_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "common/acl/right.h"
#include "common/base/buf.h"

#define KIB 1024u
#define MIB (1024u * KIB)

enum cu_method_kind {
    CU_CALL,  /* one request, one reply */
    CU_FOLLOW /* a long poll: counted apart, the handler keeps it open as long as the request says
               */
};

/* Where a method is answered (contracts 2.2). The dispatcher forwards; handlers never do. */
enum cu_route {
    ROUTE_ANY,
    ROUTE_ATTACHED, /* a write: at the catalogd attached to its raftd */
    ROUTE_DUTY,     /* the catalogd on duty */
    ROUTE_LEADER,   /* the leading raftd */
    ROUTE_NODE,     /* the agentd of a named node */
    ROUTE_DC,       /* a named datacenter */
    CU_ROUTE_COUNT
};

/* Who may call at all (contracts 2.3), weakest first: a peer's class must be at least the row's. */
enum cu_caller {
    CALLER_NONE,
    CALLER_AGENT,    /* any daemon on this host; without TLS any remote peer */
    CALLER_READER,   /* a further catalogd that follows a raftd */
    CALLER_SERVER,   /* another server */
    CALLER_CATALOGD, /* this host's catalogd (or root) on the local socket */
    CU_CALLER_COUNT
};

/* What the row asks of a token (contracts 2.4). */
struct cu_permission {
    enum cu_right right;
    /* Names the resource of a request; NULL: the right has none, or the handler asks per row. */
    struct cu_bytes (*resource)(const ProtobufCMessage *request);
};

struct cu_rq;
/* Ends the request now or later by exactly one cu_rq_reply*() or cu_rq_fail(). `daemon` is the
 * context given to cu_rpc_set_context(). */
typedef void cu_handler(void *daemon, struct cu_rq *rq);

struct cu_method {
    const char *name; /* as in the proto: "Put" */
    enum cu_method_kind kind;
    enum cu_route route;
    enum cu_caller caller;
    struct cu_permission permission;
    uint32_t request_limit_bytes,
        reply_limit_bytes; /* of the packed message; tested at limit + 1 */
    cu_handler *handler;
};

#define PERM(right, resource)                                                                      \
    {                                                                                              \
        right, resource                                                                            \
    }
#define NO_PERM                                                                                    \
    {                                                                                              \
        RIGHT_NONE, NULL                                                                           \
    }
/* clang-format off */
#define CU_METHOD(name, kind, route, caller, permission, request_limit, reply_limit, handler) \
    {#name, kind, route, caller, permission, request_limit, reply_limit, handler}
/* clang-format on */

/* A protobuf service and its rows; every method of the descriptor has exactly one row (asserted at
 * start). */
struct cu_service {
    const ProtobufCServiceDescriptor *descriptor;
    const struct cu_method *methods;
    size_t count;
};

#endif
