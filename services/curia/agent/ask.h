/* ask.h - one question put to several daemons of the node. */
#ifndef CLI_AGENT_ASK_H
#define CLI_AGENT_ASK_H

#include "common/rpc/client.h"

enum { ASK_DAEMONS = 8, ASK_LIMIT_MS = 5000 };

struct ask;

struct ask_options {
    struct cu_loop *loop;
    const char *run_dir;
    const char *const *daemons;                /* NULL-ended */
    const ProtobufCServiceDescriptor *service; /* NULL: Daemon, which all have */
    const char *method;
    uint32_t limit_ms; /* 0: ASK_LIMIT_MS */
    /* The request for one daemon; packed before it is called again. */
    const ProtobufCMessage *(*request)(void *arg, const char *daemon);
    /* A good answer of one; may be NULL. */
    void (*answer)(void *arg, const char *daemon, const ProtobufCMessage *message);
    /* Once, when all have answered, or the first has refused or the time is up: then `err` and the
     * daemon's sentence. ask_free() may be called in it. */
    void (*done)(void *arg, enum cu_err err, const char *text);
    void *arg;
};

/* All borrowed until `done`. */
struct ask *ask_new(const struct ask_options *options);
void ask_free(struct ask *ask); /* takes NULL; before `done`: it will not be called */

#endif
