/* server.h - a gRPC server on the loop: calls begin, messages come and go, calls end. Knows no
 * service: whoever owns it looks at the method.
 *
 * Built on gRPC's C core. Its threads only hand events over to the loop; everything here is for the
 * loop's own thread. One message is being sent and one received a call at a time: who does not take
 * messages from us slows down nobody but itself. */
#ifndef CU_GRPC_SERVER_H
#define CU_GRPC_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/loop/loop.h"
#include "common/metric/metric.h"

struct cu_grpc_server;
struct cu_grpc_call;

enum {
    CU_GRPC_STREAMS_MAX = 2048,              /* concurrent ones of one connection (mesh.md 6.1) */
    CU_GRPC_MESSAGE_BYTES = 4 * 1024 * 1024, /* received at most; more is RESOURCE_EXHAUSTED */
    CU_GRPC_PING_MIN_MS = 15 * 1000,         /* between pings of a client without data */
    CU_GRPC_ALIVE_MS = 30 * 1000,            /* a silent client is asked whether it is there, ... */
    CU_GRPC_DEAD_MS = 20 * 1000,             /* and called gone when it does not answer */
};

/* Codes of google.rpc.Code that we send. */
enum cu_grpc_status {
    CU_GRPC_OK = 0,
    CU_GRPC_CANCELLED = 1,
    CU_GRPC_UNKNOWN = 2,
    CU_GRPC_INVALID_ARGUMENT = 3,
    CU_GRPC_DEADLINE_EXCEEDED = 4,
    CU_GRPC_NOT_FOUND = 5,
    CU_GRPC_PERMISSION_DENIED = 7,
    CU_GRPC_RESOURCE_EXHAUSTED = 8,
    CU_GRPC_FAILED_PRECONDITION = 9,
    CU_GRPC_ABORTED = 10,
    CU_GRPC_UNIMPLEMENTED = 12,
    CU_GRPC_INTERNAL = 13,
    CU_GRPC_UNAVAILABLE = 14,
    CU_GRPC_UNAUTHENTICATED = 16,
};

/* The one outward map of our errors (style 3.4). */
enum cu_grpc_status cu_grpc_status_of(enum cu_err err);

struct cu_grpc_events {
    /* A call has begun. The call may be finished in here. What is returned comes with its other
     * events. */
    void *(*start)(void *arg, struct cu_grpc_call *call);
    /* `bytes` is borrowed. The next one is read once this has returned. */
    void (*message)(void *user, struct cu_grpc_call *call, struct cu_bytes bytes);
    /* The client sends nothing more. */
    void (*half_closed)(void *user, struct cu_grpc_call *call);
    /* What was sent has left; another message may be sent. May be NULL. */
    void (*sent)(void *user, struct cu_grpc_call *call);
    /* The last event of a call, however it ended: `call` is gone after it. */
    void (*gone)(void *user, struct cu_grpc_call *call);
};

struct cu_grpc_options {
    struct cu_loop *loop;
    struct cu_metrics *metrics; /* may be NULL */
    const struct cu_grpc_events *events;
    void *arg;
};

struct cu_grpc_server *cu_grpc_server_new(const struct cu_grpc_options *options);

/* "ip:port"; before start. CU_E_CONFLICT: it cannot be bound. */
CU_MUST_USE enum cu_err cu_grpc_server_listen(struct cu_grpc_server *server, const char *address,
                                              struct cu_diag *diag);
void cu_grpc_server_start(struct cu_grpc_server *server);

/* Ends all calls (each gets its `gone`) and frees. The loop must not be running: it is turned here
 * until all is over. Takes NULL. */
void cu_grpc_server_free(struct cu_grpc_server *server);

/* ---- a call ---- */

struct cu_bytes
cu_grpc_call_method(const struct cu_grpc_call *call); /* "/package.Service/Method" */
/* The first value of that name, lower case; empty when there is none. Borrowed from the call. */
struct cu_bytes cu_grpc_call_metadata(const struct cu_grpc_call *call, const char *name);
const char *cu_grpc_call_peer(const struct cu_grpc_call *call); /* "127.0.0.1:4711" */
/* Milliseconds left of the client's deadline; UINT64_MAX: it has none. */
uint64_t cu_grpc_call_left_ms(const struct cu_grpc_call *call);

/* Nothing is on its way out: a message may be sent. */
bool cu_grpc_call_can_send(const struct cu_grpc_call *call);
void cu_grpc_call_send(struct cu_grpc_call *call, struct cu_bytes message);
/* Ends the call, after what is on its way out; `message` with data NULL: none (only with OK and
 * only where nothing is on its way out). Does nothing when the call has been finished. */
void cu_grpc_call_finish(struct cu_grpc_call *call, enum cu_grpc_status status, const char *text,
                         struct cu_bytes message);
/* Ends the call at once, also where its client takes nothing from us; its `gone` comes soon. */
void cu_grpc_call_cancel(struct cu_grpc_call *call);

#endif
