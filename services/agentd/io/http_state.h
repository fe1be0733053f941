/* http_state.h - what http.c (the library in the loop) and request.c (each request) share. */
#ifndef AGENT_HTTP_STATE_H
#define AGENT_HTTP_STATE_H

#include <microhttpd.h>
#include <time.h>

#include "common/base/map.h"
#include "services/agentd/io/http.h"

enum { AGENT_DATE_BYTES = 32 };

struct agent_hangups;

struct agent_http {
    struct cu_loop *loop;
    struct agent_listener *listener;
    struct agent_hangups *hangups;
    struct MHD_Daemon *daemon;
    struct cu_fd_watch watch;
    struct cu_turn_hook run_hook;
    struct cu_timer again;
    uint64_t moves; /* things that went on: while there are any the library is run again */
    const struct agent_http_handler *handler;
    void *context;
    size_t rq_size;
    struct agent_rq *all, *pool;
    size_t pool_count, connections, suspended, unanswered;
    uint64_t complaints;
    struct cu_map arriving; /* descriptor -> client: added, and not yet begun by the library */
    struct cu_mono ran_at;  /* when the library was last run */
    time_t second;
    char date[AGENT_DATE_BYTES];
};

/* ---- http.c ---- */

void agent_http_run_soon(struct agent_http *http);
int agent_connection_fd(struct MHD_Connection *connection);

/* ---- request.c ---- */

/* Callbacks of the library; `arg` is the struct agent_http. */
void *agent_request_on_target(void *arg, const char *sent, struct MHD_Connection *connection);
enum MHD_Result agent_request_on_data(void *arg, struct MHD_Connection *connection, const char *url,
                                      const char *method, const char *version, const char *data,
                                      size_t *data_len, void **context);
void agent_request_on_completed(void *arg, struct MHD_Connection *connection, void **context,
                                enum MHD_RequestTerminationCode code);
/* Of hangups.h: the client of a suspended request has gone. */
void agent_request_hung_up(void *arg, void *waiter);

void agent_request_lose(struct agent_rq *rq);   /* gone() is told, where an answer is still owed */
void agent_request_resume(struct agent_rq *rq); /* does nothing where it is not suspended */
void agent_request_free(struct agent_rq *rq);

#endif
