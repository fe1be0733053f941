/* internal.h - what the files of common/grpc share; nobody else includes it. */
#ifndef CU_GRPC_INTERNAL_H
#define CU_GRPC_INTERNAL_H

#include "common/grpc/export.h"
#include "common/rpc/inlet.h"

enum {
    EXPORT_METHOD_BYTES = 128,
    EXPORT_TOKEN_BYTES = 520, /* one of the longest and a NUL */
    EXPORT_ARENA_BYTES = 64 * 1024 * 1024
};

struct exported;

/* What a method does with its messages. */
struct exported_kind {
    void (*message)(struct exported *x, struct cu_bytes bytes);
    void (*half_closed)(struct exported *x);
    void (*sent)(struct exported *x);
};

/* A call of a client. */
struct exported {
    struct exported *next, **at; /* of export->all */
    struct cu_grpc_export *export;
    struct cu_grpc_call *call;
    const struct exported_kind *kind;
    char method[EXPORT_METHOD_BYTES]; /* "Kv.Put" */
    char token[EXPORT_TOKEN_BYTES];
    const ProtobufCMethodDescriptor *descriptor;
    const struct cu_grpc_follow *follow;
    struct cu_inlet_call inlet;
    struct cu_buf request;    /* of a follow: the next poll */
    struct cu_turn_hook poll; /* the next poll of a follow */
    bool has_request;
    bool watches; /* of health: told when the server drains */
};

struct cu_grpc_export {
    struct cu_grpc_export_options o;
    struct cu_grpc_server *server;
    struct exported *all;
    bool is_draining;
};

extern const struct exported_kind exported_unary, exported_follow;
extern const struct exported_kind exported_health_check, exported_health_watch, exported_reflection;

void export_fail(struct exported *x, enum cu_grpc_status status, const char *text);
void export_send(struct exported *x, const ProtobufCMessage *message);
/* Sends the message and ends the call well. */
void export_finish(struct exported *x, const ProtobufCMessage *message);

void export_health_drained(struct exported *x);

#endif
