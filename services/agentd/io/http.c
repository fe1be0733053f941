#include "services/agentd/io/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/base/num.h"
#include "services/agentd/io/hangups.h"
#include "services/agentd/io/response.h"

enum {
    POOL_MAX = 8192,
    ROUNDS_MAX = 64, /* of the library in one turn */
    AGAIN_MS = 1,    /* when something stays pending that is nobody's unanswered request */
    DATE_BYTES = 32,
    TARGET_KEPT_BYTES = 4096,
    CONNECTIONS_MAX = 1000000,
    STREAM_BLOCK_BYTES = 16 * 1024,
};

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
    char date[DATE_BYTES];
};

static void run_soon(struct agent_http *http)
{
    cu_loop_at_turn_end(http->loop, &http->run_hook);
}

/* ---- requests ---- */

static struct agent_rq *new_rq(struct agent_http *http)
{
    struct agent_rq *rq = http->pool;
    if (rq) {
        http->pool = rq->next;
        http->pool_count--;
    } else {
        rq = cu_alloc(http->rq_size);
        rq->arena = cu_arena_new(AGENT_RQ_ARENA_BYTES);
        rq->http = http;
    }
    rq->next = http->all;
    rq->at = &http->all;
    if (rq->next)
        rq->next->at = &rq->next;
    http->all = rq;
    return rq;
}

static void free_rq(struct agent_rq *rq)
{
    cu_buf_deinit(&rq->stream);
    cu_arena_free(rq->arena);
    cu_buf_deinit(&rq->body);
    free(rq->target_copy);
    free(rq);
}

static void recycle(struct agent_rq *rq)
{
    struct agent_http *http = rq->http;
    *rq->at = rq->next;
    if (rq->next)
        rq->next->at = rq->at;
    http->handler->end(http->context, rq);
    if (http->pool_count >= POOL_MAX) {
        free_rq(rq);
        return;
    }
    cu_arena_reset(rq->arena);
    cu_arena_set_limit(rq->arena, AGENT_RQ_ARENA_BYTES);
    cu_buf_deinit(&rq->body);
    cu_buf_deinit(&rq->stream);
    if (rq->target_cap > TARGET_KEPT_BYTES) {
        free(rq->target_copy);
        rq->target_copy = NULL;
        rq->target_cap = 0;
    }
    struct agent_rq kept = {.http = http,
                            .arena = rq->arena,
                            .target_copy = rq->target_copy,
                            .target_cap = rq->target_cap,
                            .next = http->pool};
    *rq = kept;
    http->pool = rq;
    http->pool_count++;
}

/* The library would put the parameters into the memory of the connection, one record each, and
 * 0.9.75 hangs when that is full. We parse them ourselves, so it is shown none: the text lies in
 * the buffer that it is about to take apart in place (all versions to 1.0.1). */
static void hide_parameters(const char *uri)
{
    char *mark = strchr(uri, '?');
    if (mark)
        mark[1] = 0;
}

/* The only place that has the target as it was sent (libraries.md 7); none is NULL. */
static void *on_target(void *arg, const char *sent, struct MHD_Connection *connection)
{
    struct agent_http *http = arg;
    struct agent_rq *rq = new_rq(http);
    const char *uri = sent ? sent : "";
    size_t len = strlen(uri);

    if (rq->target_cap < len + 1) {
        rq->target_cap = len + 1 > 256 ? len + 1 : 256;
        rq->target_copy = cu_realloc(rq->target_copy, rq->target_cap);
    }
    memcpy(rq->target_copy, uri, len + 1);
    hide_parameters(uri);
    cu_arena_set_limit(rq->arena, AGENT_RQ_ARENA_BYTES + AGENT_TARGET_COPIES * len);
    rq->target = (struct cu_bytes){(uint8_t *)rq->target_copy, len};
    rq->connection = connection;
    rq->state = AGENT_RQ_NEW;
    return rq;
}

static const char *const header_names[] = {
    [AGENT_H_CONTENT_LENGTH] = "Content-Length",
    [AGENT_H_TRANSFER_ENCODING] = "Transfer-Encoding",
    [AGENT_H_ACCEPT] = "Accept",
    [AGENT_H_ACCEPT_ENCODING] = "Accept-Encoding",
    [AGENT_H_CACHE_CONTROL] = "Cache-Control",
    [AGENT_H_TOKEN] = "X-Consul-Token",
    [AGENT_H_AUTHORIZATION] = "Authorization",
    [AGENT_H_NAMESPACE] = "X-Consul-Namespace",
};
_Static_assert(CU_COUNT(header_names) == AGENT_HEADER_COUNT, "a name for each header");

static enum MHD_Result take_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct agent_rq *rq = arg;
    (void)kind;
    for (int i = 0; i < AGENT_HEADER_COUNT; i++)
        if ((header_names[i][0] | 0x20) == (name[0] | 0x20) && !rq->headers[i] &&
            strcasecmp(header_names[i], name) == 0)
            rq->headers[i] = value ? value : "";
    return MHD_YES;
}

static void begin(struct agent_rq *rq, const char *method)
{
    struct agent_http *http = rq->http;
    rq->method = method;
    rq->state = AGENT_RQ_BODY;
    rq->arrived = http->ran_at;
    (void)MHD_get_connection_values(rq->connection, MHD_HEADER_KIND, take_header, rq);
    rq->is_chunked = rq->headers[AGENT_H_TRANSFER_ENCODING] != NULL;
    const char *length = rq->headers[AGENT_H_CONTENT_LENGTH];
    if (length && cu_parse_u64(length, strlen(length), &rq->content_length))
        rq->content_length = UINT64_MAX; /* the library has refused what is no number */
    http->handler->begin(http->context, rq);
}

static void take_body(struct agent_rq *rq, const char *data, size_t len)
{
    rq->body_seen += len;
    if (rq->body_seen > rq->body_limit)
        return;
    if (rq->body.len == 0 && rq->content_length <= rq->body_limit)
        cu_buf_reserve(&rq->body, (size_t)rq->content_length);
    cu_buf_append(&rq->body, data, len);
}

static void handle(struct agent_rq *rq)
{
    struct agent_http *http = rq->http;
    rq->state = AGENT_RQ_HANDLED;
    http->unanswered++;
    rq->handled_turn = cu_loop_turns(http->loop);
    http->handler->handle(http->context, rq);
}

/* ---- suspending ---- */

static int fd_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void resume(struct agent_rq *rq)
{
    if (!rq->suspended)
        return;
    agent_hangups_forget(rq->http->hangups, fd_of(rq->connection));
    rq->suspended = false;
    rq->http->suspended -= !rq->is_stream;
    MHD_resume_connection(rq->connection);
}

static void lose(struct agent_rq *rq)
{
    if (rq->is_stream && !rq->stream_gone) {
        rq->stream_gone = true;
        rq->http->handler->gone(rq->http->context, rq);
    }
    if (rq->state != AGENT_RQ_HANDLED)
        return;
    rq->state = AGENT_RQ_GONE;
    rq->http->unanswered--;
    rq->http->handler->gone(rq->http->context, rq);
}

static void hung_up(void *arg, void *waiter)
{
    struct agent_rq *rq = waiter;
    (void)arg;
    lose(rq);
    resume(rq); /* its handler then ends the connection */
    run_soon(rq->http);
}

static void suspend(struct agent_rq *rq)
{
    struct agent_http *http = rq->http;
    MHD_suspend_connection(rq->connection);
    rq->suspended = true;
    http->suspended += !rq->is_stream; /* of those without an answer */
    agent_hangups_watch(http->hangups, fd_of(rq->connection), rq);
}

static bool is_due_for_suspension(const struct agent_rq *rq)
{
    const struct agent_http *http = rq->http;
    return rq->will_wait ||
           (cu_loop_turns(http->loop) - rq->handled_turn >= (uint64_t)AGENT_SUSPEND_AFTER_TURNS &&
            cu_mono_ms_between(rq->arrived, http->ran_at) >= AGENT_SUSPEND_AFTER_MS);
}

/* ---- answering ---- */

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

static void answered(struct agent_rq *rq, unsigned status)
{
    struct agent_http *http = rq->http;
    CU_ASSERT(rq->state == AGENT_RQ_HANDLED || rq->state == AGENT_RQ_BODY);
    http->unanswered -= rq->state == AGENT_RQ_HANDLED;
    rq->status = status;
    rq->state = AGENT_RQ_ANSWERED;
    http->moves++;
    resume(rq);
    run_soon(http);
}

void agent_rq_answer(struct agent_rq *rq, unsigned status, struct MHD_Response *response)
{
    (void)agent_http_add_date(rq->http, response);
    rq->response = response;
    answered(rq, status);
}

void agent_rq_answer_shared(struct agent_rq *rq, unsigned status,
                            struct agent_shared_response *shared)
{
    rq->shared = agent_shared_ref(shared);
    answered(rq, status);
}

static bool has_answer(const struct agent_rq *rq)
{
    return rq->response || rq->shared;
}

static void drop_answer(struct agent_rq *rq)
{
    if (rq->response)
        MHD_destroy_response(rq->response); /* once queued, the library has its own reference */
    agent_shared_unref(rq->shared);
    rq->response = NULL;
    rq->shared = NULL;
}

static enum MHD_Result queue_answer(struct agent_rq *rq)
{
    struct MHD_Response *response = rq->shared ? rq->shared->response : rq->response;
    enum MHD_Result result = MHD_queue_response(rq->connection, rq->status, response);
    drop_answer(rq);
    return result;
}

/* ---- answers without an end ---- */

static ssize_t read_stream(void *arg, uint64_t position, char *to, size_t max)
{
    struct agent_rq *rq = arg;
    (void)position;
    /* For a client that has gone, too: the library closes at its next write or read, while after
     * an error 0.9.75 waits for an event that does not come. */
    if (rq->stream_gone || (!rq->stream.len && rq->stream_ends))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!rq->stream.len) {
        if (!rq->suspended)
            suspend(rq);
        return 0;
    }
    size_t len = rq->stream.len < max ? rq->stream.len : max;
    memcpy(to, rq->stream.data, len);
    cu_buf_drop_front(&rq->stream, len);
    rq->http->moves++;
    return (ssize_t)len;
}

struct MHD_Response *agent_rq_stream(struct agent_rq *rq)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, rq, NULL);
    CU_ASSERT(response); /* else out of memory */
    resume(rq);
    rq->is_stream = true;
    return response;
}

void agent_rq_push(struct agent_rq *rq, struct cu_bytes bytes)
{
    if (rq->stream.len + bytes.len > AGENT_STREAM_BYTES || !bytes.len)
        return;
    cu_buf_append(&rq->stream, bytes.data, bytes.len);
    resume(rq);
    run_soon(rq->http);
}

void agent_rq_end_stream(struct agent_rq *rq)
{
    rq->stream_ends = true;
    resume(rq);
    run_soon(rq->http);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **context)
{
    struct agent_rq *rq = *context;
    (void)connection;
    (void)url;
    (void)version;
    if (rq->state == AGENT_RQ_NEW) {
        rq->http->moves++;
        begin(rq, method);
        return has_answer(rq) ? queue_answer(rq) : MHD_YES;
    }
    if (*data_len) {
        rq->http->moves++;
        if (rq->state == AGENT_RQ_BODY)
            take_body(rq, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    if (rq->state == AGENT_RQ_BODY)
        handle(rq);
    if (has_answer(rq))
        return queue_answer(rq);
    if (rq->state == AGENT_RQ_GONE)
        return MHD_NO;
    if (rq->state == AGENT_RQ_HANDLED && !rq->suspended && is_due_for_suspension(rq))
        suspend(rq);
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct agent_rq *rq = *context;
    (void)connection;
    (void)code;
    if (!rq)
        return;
    *context = NULL;
    rq->http->moves++;
    lose(rq);
    drop_answer(rq);
    recycle(rq);
}

/* ---- connections ---- */

static void on_connection(void *arg, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct agent_http *http = arg;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = cu_map_del_u64(&http->arriving, (uint64_t)fd_of(connection));
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
    run_soon(http);
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
    run_soon(arg);
}

static void ran_again(void *arg)
{
    run_soon(arg);
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
        0, NULL, NULL, on_request, http, MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory_bytes,
        MHD_OPTION_CONNECTION_LIMIT, connection_limit(), MHD_OPTION_URI_LOG_CALLBACK, on_target,
        http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, http, MHD_OPTION_EXTERNAL_LOGGER, on_complaint, http, MHD_OPTION_END);
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
    enum cu_err err = agent_hangups_open(http->loop, hung_up, http, &http->hangups, diag);
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
        lose(rq);
        resume(rq); /* the library does not stop over a suspended connection */
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
        free_rq(rq);
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
