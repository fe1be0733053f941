/* fetch.h - requests to what is checked, through libcurl's multi interface on our loop (agent.md
 * 8). */
#ifndef AGENT_FETCH_H
#define AGENT_FETCH_H

#include "common/base/err.h"
#include "common/loop/loop.h"

#include "services/agentd/core/output.h"

struct agent_fetches; /* all that are under way */
struct agent_fetch;   /* one */

struct agent_fetches *agent_fetches_new(struct cu_loop *loop);
void agent_fetches_free(struct agent_fetches *fetches); /* every fetch is closed before; takes NULL
                                                         */

struct agent_fetch_header {
    const char *name, *value;
};

struct agent_fetch_request {
    const char *url;    /* http:// or https:// */
    const char *method; /* "GET" */
    struct cu_bytes body;
    const struct agent_fetch_header *headers;
    size_t header_count;
    bool only_connects; /* TCP: up to the connection, and no further */
    bool is_http2;      /* from the first byte (gRPC) */
    bool skips_verify;
    bool follows; /* up to 10 redirections */
    int64_t timeout_ms;
    size_t output_limit; /* the last bytes of the body are kept */
};

struct agent_fetch_result {
    const char *failure; /* in the reference's words; NULL: there is an answer */
    unsigned status;
    const char *status_line; /* "200 OK" */
    struct agent_output *body;
    const char *grpc_status; /* trailer or header; "": none */
};

typedef void agent_fetch_done(void *arg, const struct agent_fetch_result *result);

/* `done` is called once, never from inside. What the request points to is copied. */
struct agent_fetch *agent_fetch_new(struct agent_fetches *fetches,
                                    const struct agent_fetch_request *request,
                                    agent_fetch_done *done, void *arg);
void agent_fetch_free(struct agent_fetch *fetch); /* ends it without a word; takes NULL */

#endif
