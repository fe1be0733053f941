/* inlet.h - requests that do not come over the bus (gRPC) and go through the same method rows:
 * caller, permission, limits, route, deadline (contracts 2). */
#ifndef CU_RPC_INLET_H
#define CU_RPC_INLET_H

#include "common/rpc/rpc.h"

struct cu_inlet_answer {
    enum cu_err err;
    const char *text;
    uint64_t index;
    struct cu_bytes body; /* the packed reply; borrowed */
};

/* One request. Lives in its owner until `done` or cu_inlet_cancel(); zero-initialise, fill the
 * first part, which is borrowed during cu_inlet_serve() only. */
struct cu_inlet_call {
    struct cu_bytes method; /* "Kv.Put" */
    struct cu_bytes body;   /* the packed request */
    uint32_t timeout_ms;
    const char *token, *address; /* of the caller: "127.0.0.1:4711" */
    void (*done)(void *arg, const struct cu_inlet_answer *answer);
    void *arg;

    struct rpc_session *session;
};

/* `done` is called once, perhaps before this returns. */
void cu_inlet_serve(struct cu_rpc *rpc, struct cu_inlet_call *call);
/* Forgets a request: its handler is told. Does nothing when it is not under way. */
void cu_inlet_cancel(struct cu_inlet_call *call);

/* What a method is; false: there is none of that name, or it is not open to callers from outside.
 */
bool cu_inlet_find(const struct cu_rpc *rpc, struct cu_bytes method, enum cu_method_kind *ret_kind,
                   const ProtobufCMethodDescriptor **ret_descriptor);

#endif
