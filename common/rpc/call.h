/* call.h - calls of a client and the client itself, as client.c and call.c share them. */
#ifndef CU_RPC_CALL_H
#define CU_RPC_CALL_H

#include "common/rpc/internal.h"

/* QUEUED waits for call credit; FAILED for the end of the turn, to be told so. */
enum call_state { QUEUED, OPEN, FAILED };

struct cu_call {
    struct rpc_link link; /* first; in client->calls, client->queue, rpc->failed or a local list */
    struct cu_rpc *rpc;
    struct cu_client *client; /* NULL when it is freed and the call is still to be told */
    enum call_state state;
    bool is_follow, raw, sent;
    size_t raw_above_bytes;
    uint32_t slot;
    uint64_t id, mark;
    const ProtobufCMessageDescriptor *output;
    cu_on_answer *on_answer;
    void *arg;
    struct cu_deadline deadline;
    struct cu_buf queued; /* the whole Envelope */
    enum cu_err err;
    const char *why; /* constant, or its client's */
};

struct cu_client {
    struct rpc_link link; /* first; in rpc->clients */
    struct cu_rpc *rpc;
    char *text;
    struct cu_url url;
    const struct cu_driver *driver; /* NULL: the URL is none, see `why` */
    cu_client_state *on_state;
    void *arg;
    struct cu_dial *dial;
    struct cu_conn *conn;
    bool is_up, freed;
    unsigned busy;
    struct cu_timer redial;
    uint32_t redial_ms;
    struct cu_peer peer;
    struct cu_diag why; /* it is down */
    struct rpc_link *calls;
    struct rpc_link *queue, **queue_tail;
    size_t queue_count;
    uint32_t open[2], credit[2]; /* by enum cu_method_kind */
    struct cu_call **slots;
    uint32_t *free_slots, slot_count, free_count, generation;
};

/* The bus' events that are about calls. */
bool rpc_call_expects(void *client, struct cu_conn *conn, uint64_t id);
void rpc_call_replied(void *client, struct cu_conn *conn, uint64_t id,
                      const struct cu_reply *reply);

/* Moves all open and queued calls of a client whose connection is lost into a list, to be told
 * `why` (borrowed until then). They no longer know their client. */
void rpc_calls_collect(struct cu_client *client, struct rpc_link **ret_list, const char *why);
void rpc_calls_tell(struct rpc_link **list);   /* answers them all */
void rpc_calls_forget(struct rpc_link **list); /* frees them without */
/* Calls that failed before and are still to be told do not need their client any more. */
void rpc_calls_detach_failed(struct cu_client *client);

#endif
