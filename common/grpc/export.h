/* export.h - the public services over gRPC, from the same rows as on the bus (contracts 2.1), with
 * the standard health and reflection services beside them.
 *
 * A call is one request and one reply. A follow is a server stream: one poll is in flight, what it
 * brings is sent, and the next poll goes on from there. */
#ifndef CU_GRPC_EXPORT_H
#define CU_GRPC_EXPORT_H

#include "common/grpc/server.h"
#include "common/rpc/rpc.h"

struct cu_grpc_export;

enum {
    CU_GRPC_CALL_MS = 30 * 1000,   /* of a call whose client sets no deadline */
    CU_GRPC_FOLLOW_MS = 55 * 1000, /* of one poll of a follow */
};

/* How a follow goes on: a row for each exported method of kind CU_FOLLOW. */
struct cu_grpc_follow {
    const char *method; /* "Feed.Follow" */
    /* Makes `request` the next poll, waiting for `wait_ms`; `reply` NULL: the first one. What is
     * put into the request may be borrowed from the reply. */
    void (*next)(ProtobufCMessage *request, const ProtobufCMessage *reply, uint32_t wait_ms);
    /* Nothing came: it is not sent. */
    bool (*is_empty)(const ProtobufCMessage *reply);
};

struct cu_grpc_export_options {
    struct cu_loop *loop;
    struct cu_rpc *rpc; /* the services have been added to it */
    struct cu_metrics *metrics;
    const ProtobufCServiceDescriptor *const *services; /* the public ones; NULL-ended */
    const struct cu_grpc_follow *follows;              /* ended by a row without a method */
};

/* Everything in `options` is borrowed for its life. */
struct cu_grpc_export *cu_grpc_export_new(const struct cu_grpc_export_options *options);
CU_MUST_USE enum cu_err cu_grpc_export_listen(struct cu_grpc_export *export, const char *address,
                                              struct cu_diag *diag);
void cu_grpc_export_start(struct cu_grpc_export *export);
/* The health service says NOT_SERVING from here on. */
void cu_grpc_export_drain(struct cu_grpc_export *export);
void cu_grpc_export_free(struct cu_grpc_export *export); /* as cu_grpc_server_free() */

#endif
