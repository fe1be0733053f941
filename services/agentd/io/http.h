/* http.h - the HTTP server: libmicrohttpd driven by the loop (http-api.md 1.1, hops.md 3).
 *
 * A request is begun when its head is there, handled when its body is, and answered then or later
 * by agent_rq_answer(). */
#ifndef AGENT_HTTP_H
#define AGENT_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/loop/loop.h"
#include "services/agentd/io/listener.h"

enum {
    AGENT_MEMORY_MIN_BYTES = 8 * 1024, /* of a connection: heads of requests and of answers */
    /* A request without an answer costs a visit in each turn; to suspend and to resume it costs
     * four system calls. So only one that takes long is suspended. */
    AGENT_SUSPEND_AFTER_TURNS = 2,
    AGENT_SUSPEND_AFTER_MS = 20,
    AGENT_RQ_ARENA_BYTES = 64 * 1024,
    AGENT_STREAM_BYTES = 1024 * 1024,
    AGENT_TARGET_COPIES = 4, /* of it that the arena has room for beside: path, parameters */
    AGENT_ADDRESS_BYTES = 64,
};

struct MHD_Connection;
struct MHD_Response;
struct agent_shared_response;
struct agent_http;

/* Heads that something here looks at. */
enum agent_header {
    AGENT_H_CONTENT_LENGTH,
    AGENT_H_TRANSFER_ENCODING,
    AGENT_H_ACCEPT,
    AGENT_H_ACCEPT_ENCODING,
    AGENT_H_CACHE_CONTROL,
    AGENT_H_TOKEN,
    AGENT_H_AUTHORIZATION,
    AGENT_H_NAMESPACE,
    AGENT_HEADER_COUNT
};

enum agent_rq_state {
    AGENT_RQ_NEW,
    AGENT_RQ_BODY,     /* is arriving */
    AGENT_RQ_HANDLED,  /* no answer yet */
    AGENT_RQ_ANSWERED, /* the answer is handed to the library, or about to be */
    AGENT_RQ_GONE      /* the client is */
};

struct agent_rq {
    const char *method;
    struct cu_bytes target;                  /* as in the request line */
    const char *headers[AGENT_HEADER_COUNT]; /* NULL: not there */
    struct cu_arena *arena;                  /* for as long as the request lives */
    uint64_t content_length;                 /* 0: none, or chunked */
    bool is_chunked;
    /* set by begin(): */
    uint64_t body_limit; /* a longer body is counted and dropped; 0: whatever comes is dropped */
    bool will_wait;      /* a long poll: suspended at once */
    /* for handle(): */
    struct cu_buf body;
    uint64_t body_seen; /* bytes that came, kept or not */
    struct cu_mono arrived;

    struct agent_http *http; /* the rest is the server's own */
    struct MHD_Connection *connection;
    enum agent_rq_state state;
    unsigned status;
    struct MHD_Response *response;
    struct agent_shared_response *shared; /* instead of it */
    uint64_t handled_turn;
    bool suspended;
    struct cu_buf stream; /* of an answer without an end: what waits to be sent */
    bool is_stream, stream_ends, stream_gone;
    struct agent_rq *next, **at;
    char *target_copy;
    size_t target_cap;
};

struct agent_http_handler {
    /* The head is there. May answer, which closes the connection after the answer (a body that is
     * too long); everything else is for handle(). */
    void (*begin)(void *context, struct agent_rq *rq);
    void (*handle)(void *context, struct agent_rq *rq);
    /* The client has gone before the answer: none may follow. Only after handle(). */
    void (*gone)(void *context, struct agent_rq *rq);
    /* The request is over; what the handler added to it is to be reset. */
    void (*end)(void *context, struct agent_rq *rq);
};

struct agent_http_options {
    struct cu_loop *loop;
    size_t memory_bytes;     /* of a connection */
    unsigned max_per_client; /* connections; 0: no limit */
    size_t rq_size;          /* of the struct that begins with struct agent_rq; zeroed at first */
    const struct agent_http_handler *handler;
    void *context;
};

CU_MUST_USE enum cu_err agent_http_new(const struct agent_http_options *options,
                                       struct agent_http **ret_http, struct cu_diag *diag);
void agent_http_free(struct agent_http *http); /* open requests are told gone(); takes NULL */
CU_MUST_USE enum cu_err agent_http_bind(struct agent_http *http, const char *address, unsigned port,
                                        struct cu_diag *diag);
void agent_http_set_limit(struct agent_http *http, unsigned max_per_client);
void agent_http_stop_listening(struct agent_http *http);

/* Answers once; takes the response over. */
void agent_rq_answer(struct agent_rq *rq, unsigned status, struct MHD_Response *response);

/* Likewise, with a reference to one that others get, too; it has its Date already. */
void agent_rq_answer_shared(struct agent_rq *rq, unsigned status,
                            struct agent_shared_response *shared);
/* Adds the head `Date`; it is that of the second returned. */
int64_t agent_http_add_date(struct agent_http *http, struct MHD_Response *response);
/* The second now. */
int64_t agent_http_second(struct agent_http *http);

/* An answer without an end: the response to answer with, then bytes as they come. What a slow
 * client does not take is dropped, the newest: what comes while AGENT_STREAM_BYTES wait. When the
 * client goes, gone() is told. */
struct MHD_Response *agent_rq_stream(struct agent_rq *rq);
void agent_rq_push(struct agent_rq *rq, struct cu_bytes bytes);
void agent_rq_end_stream(struct agent_rq *rq); /* what was pushed is still sent */

/* "127.0.0.1:4711", or "" of a local socket. */
const char *agent_rq_address(const struct agent_rq *rq, char text[AGENT_ADDRESS_BYTES]);
/* The address itself, or NULL. */
const struct sockaddr *agent_rq_sockaddr(const struct agent_rq *rq);

size_t agent_http_connections(const struct agent_http *http);
size_t agent_http_suspended(const struct agent_http *http);
uint64_t agent_http_refused(const struct agent_http *http);    /* connections over the limit */
uint64_t agent_http_complaints(const struct agent_http *http); /* what was no good HTTP */

#endif
