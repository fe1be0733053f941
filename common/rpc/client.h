/* client.h - calling a daemon: one address, one connection that is dialled again when it is lost.
 */
#ifndef CU_RPC_CLIENT_H
#define CU_RPC_CLIENT_H

#include "common/rpc/rpc.h"

struct cu_call;

/* "up" after HELLO both ways, "down" when the connection is lost (all its calls have been answered
 * by then). */
typedef void cu_client_state(void *arg, struct cu_client *client, bool is_up);

/* Dials "ipc:///path" or "tcp://ip:port" at once and again 10 to 100 ms after each loss, until
 * freed. `on_state` may be NULL and is never called from inside this function. */
struct cu_client *cu_client_new(struct cu_rpc *rpc, const char *url, cu_client_state *on_state,
                                void *arg);
void cu_client_free(struct cu_client *client); /* open calls end with Disconnected; takes NULL */

bool cu_client_is_up(const struct cu_client *client);
const char *cu_client_url(const struct cu_client *client);
const struct cu_peer *cu_client_peer(const struct cu_client *client); /* NULL while down */

struct cu_call_spec {
    const ProtobufCServiceDescriptor *service;
    const char *method;         /* "Put" */
    const ProtobufCMessage *in; /* packed before the call returns; or: */
    struct cu_bytes packed;     /* the request already packed, when `in` is NULL */
    uint32_t timeout_ms;        /* > 0 */
    const char *token, *datacenter;
    uint32_t hops;
    struct cu_bytes trace_id, request_id; /* request_id empty: one is made */
    struct cu_origin origin;
    bool raw;               /* do not unpack the reply: answer->body only */
    size_t raw_above_bytes; /* the same for a longer one; 0: however long it is */
};

struct cu_answer {
    enum cu_err err;
    const char *text; /* never NULL */
    uint64_t index;
    const ProtobufCMessage
        *message;         /* when err is CU_OK and not raw; lives until the callback returns */
    struct cu_bytes body; /* likewise */
    bool
        sent; /* with Disconnected: whether any byte of the call had been handed to the transport */
};

typedef void cu_on_answer(void *arg, const struct cu_answer *answer);

/* on_answer is called exactly once, never from inside this function, unless the call is cancelled
 * first. While the client is down: Disconnected, sent = false. */
struct cu_call *cu_client_call(struct cu_client *client, const struct cu_call_spec *spec,
                               cu_on_answer *on_answer, void *arg);

/* Sends CANCEL and forgets the call: on_answer will not be called. Not from within its own
 * on_answer. */
void cu_call_cancel(struct cu_call *call);

#endif
