#include "services/agentd/io/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "services/agentd/io/hangups.h"
#include "services/agentd/io/http_state.h"

enum {
    ROUNDS_MAX = 64, /* of the library in one turn */
    AGAIN_MS = 1,    /* when something stays pending that is nobody's unanswered request */
    CONNECTIONS_MAX = 1000000,
};

void agent_http_run_soon(struct agent_http *http)
{
    cu_loop_at_turn_end(http->loop, &http->run_hook);
}

int64_t agent_http_second(struct agent_http *http)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != http->second) {
        struct tm parts;
        http->second = now.tv_sec;
        (void)strftime(http->date, sizeof http->date, "%a, %d %b %Y %H:%M:%S GMT",
                       gmtime_r(&now.tv_sec, &parts));
    }
    return http->second;
}

int64_t agent_http_add_date(struct agent_http *http, struct MHD_Response *response)
{
    int64_t second = agent_http_second(http);
    (void)MHD_add_response_header(response, "Date", http->date);
    return second;
}

/* ---- connections ---- */

int agent_connection_fd(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct agent_http *http = arg;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context =
            cu_map_del_u64(&http->arriving, (uint64_t)agent_connection_fd(connection));
        CU_ASSERT(*socket_context);
        http->connections++;
    } else {
        http->connections--;
        agent_client_leave(http->listener, *socket_context);
    }
}

/* libmicrohttpd 0.9.75 begins a connection inside MHD_add_connection(), 1.0 may do so at its next
 * run; it closes the descriptor itself when it refuses. */
static bool accepted(void *arg, int fd, const struct sockaddr *address, socklen_t len,
                     struct agent_client *client)
{
    struct agent_http *http = arg;
    (void)cu_map_put_u64(&http->arriving, (uint64_t)fd, client);
    agent_http_run_soon(http);
    if (MHD_add_connection(http->daemon, fd, address, len) == MHD_YES)
        return true;
    return !cu_map_del_u64(&http->arriving,
                           (uint64_t)fd); /* begun and ended: on_connection() has told */
}

/* ---- the library in the loop ---- */

/* The library is edge-triggered, and its timeout is 0 while it has unread bytes, but also while a
 * request has no answer. Where there is none of those it has work; else it has if something went on
 * in its last round. Returns whether it is to be run again. */
static bool has_work(const struct agent_http *http, uint64_t moves_before)
{
    MHD_UNSIGNED_LONG_LONG timeout = 1;
    if (MHD_get_timeout(http->daemon, &timeout) != MHD_YES || timeout > 0)
        return false;
    return http->unanswered == http->suspended || http->moves != moves_before;
}

static void run(void *arg)
{
    struct agent_http *http = arg;
    uint64_t before;
    unsigned rounds = 0;

    http->ran_at = cu_loop_now(http->loop);
    do {
        before = http->moves;
        (void)MHD_run(http->daemon); /* MHD_NO only for a daemon with threads */
    } while (has_work(http, before) && ++rounds < ROUNDS_MAX);
    if (rounds == ROUNDS_MAX)
        cu_timer_set_ms(&http->again, 0); /* others have a turn in between */
    else if (http->unanswered > http->suspended && !cu_timer_is_set(&http->again))
        cu_timer_set_ms(&http->again, AGAIN_MS);
}

static void readable(void *arg, unsigned what)
{
    (void)what;
    agent_http_run_soon(arg);
}

static void ran_again(void *arg)
{
    agent_http_run_soon(arg);
}

/* What a client did wrong it is told in the answer; here it is counted. */
static void CU_PRINTF(2, 0) on_complaint(void *arg, const char *fmt, va_list args)
{
    struct agent_http *http = arg;
    (void)fmt;
    (void)args;
    http->complaints++;
}

/* As many as the system lets us have descriptors. */
static unsigned connection_limit(void)
{
    struct rlimit limit = {.rlim_cur = 1024, .rlim_max = 1024};
    (void)getrlimit(RLIMIT_NOFILE, &limit); /* cannot fail for this resource */
    limit.rlim_cur = limit.rlim_max < CONNECTIONS_MAX ? limit.rlim_max : CONNECTIONS_MAX;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* up to the hard limit is always allowed */
    return (unsigned)limit.rlim_cur;
}

static struct MHD_Daemon *start_daemon(struct agent_http *http, size_t memory_bytes)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
            MHD_USE_SUPPRESS_DATE_NO_CLOCK,
        0, NULL, NULL, agent_request_on_data, http, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        memory_bytes, MHD_OPTION_CONNECTION_LIMIT, connection_limit(), MHD_OPTION_URI_LOG_CALLBACK,
        agent_request_on_target, http, MHD_OPTION_NOTIFY_COMPLETED, agent_request_on_completed,
        http, MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_EXTERNAL_LOGGER,
        on_complaint, http, MHD_OPTION_END);
}

enum cu_err agent_http_new(const struct agent_http_options *options, struct agent_http **ret_http,
                           struct cu_diag *diag)
{
    struct agent_http *http = cu_alloc(sizeof *http);
    CU_ASSERT(options->rq_size >= sizeof(struct agent_rq));
    http->loop = options->loop;
    http->handler = options->handler;
    http->context = options->context;
    http->rq_size = options->rq_size;
    enum cu_err err =
        agent_hangups_open(http->loop, agent_request_hung_up, http, &http->hangups, diag);
    if (!err)
        http->daemon = start_daemon(http, options->memory_bytes);
    if (!err && !http->daemon)
        err = cu_fail(diag, CU_E_IO, "cannot start the HTTP server: %s", strerror(errno));
    if (err) {
        agent_hangups_close(http->hangups);
        free(http);
        return err;
    }
    http->listener = agent_listener_new(options->loop, options->max_per_client, accepted, http);
    http->run_hook = (struct cu_turn_hook){.fn = run, .arg = http};
    cu_timer_init(&http->again, http->loop, ran_again, http);
    cu_fd_watch_init(&http->watch, http->loop,
                     MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                     readable, http);
    cu_fd_watch_set(&http->watch, CU_FD_READ);
    *ret_http = http;
    return CU_OK;
}

enum cu_err agent_http_bind(struct agent_http *http, const char *address, unsigned port,
                            struct cu_diag *diag)
{
    return agent_listener_bind(http->listener, address, port, diag);
}

void agent_http_set_limit(struct agent_http *http, unsigned max_per_client)
{
    agent_listener_set_limit(http->listener, max_per_client);
}

void agent_http_stop_listening(struct agent_http *http)
{
    agent_listener_close(http->listener);
}

/* The library may stop before it has begun what it was given. */
static void forget_arriving(struct agent_http *http)
{
    struct cu_bytes key;
    void *client;
    for (size_t at = 0; cu_map_next(&http->arriving, &at, &key, &client);)
        agent_client_leave(http->listener, client);
    cu_map_deinit(&http->arriving);
}

void agent_http_free(struct agent_http *http)
{
    if (!http)
        return;
    agent_listener_close(http->listener);
    for (struct agent_rq *rq = http->all; rq; rq = rq->next) {
        agent_request_lose(rq);
        agent_request_resume(rq); /* the library does not stop over a suspended connection */
    }
    cu_fd_watch_close(&http->watch);
    cu_timer_close(&http->again);
    MHD_stop_daemon(http->daemon);
    cu_turn_hook_cancel(http->loop, &http->run_hook);
    forget_arriving(http);
    agent_listener_free(http->listener);
    agent_hangups_close(http->hangups);
    while (http->pool) {
        struct agent_rq *rq = http->pool;
        http->pool = rq->next;
        agent_request_free(rq);
    }
    free(http);
}

size_t agent_http_connections(const struct agent_http *http)
{
    return http->connections;
}

size_t agent_http_suspended(const struct agent_http *http)
{
    return http->suspended;
}

uint64_t agent_http_refused(const struct agent_http *http)
{
    return agent_listener_refused(http->listener);
}

uint64_t agent_http_complaints(const struct agent_http *http)
{
    return http->complaints;
}
