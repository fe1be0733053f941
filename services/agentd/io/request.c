#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "services/agentd/io/hangups.h"
#include "services/agentd/io/http_state.h"
#include "services/agentd/io/response.h"

enum {
    POOL_MAX = 8192,
    TARGET_KEPT_BYTES = 4096,
    STREAM_BLOCK_BYTES = 16 * 1024,
};

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

void agent_request_free(struct agent_rq *rq)
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
        agent_request_free(rq);
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
void *agent_request_on_target(void *arg, const char *sent, struct MHD_Connection *connection)
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

void agent_request_resume(struct agent_rq *rq)
{
    if (!rq->suspended)
        return;
    agent_hangups_forget(rq->http->hangups, agent_connection_fd(rq->connection));
    rq->suspended = false;
    rq->http->suspended -= !rq->is_stream;
    MHD_resume_connection(rq->connection);
}

void agent_request_lose(struct agent_rq *rq)
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

void agent_request_hung_up(void *arg, void *waiter)
{
    struct agent_rq *rq = waiter;
    (void)arg;
    agent_request_lose(rq);
    agent_request_resume(rq); /* its handler then ends the connection */
    agent_http_run_soon(rq->http);
}

static void suspend(struct agent_rq *rq)
{
    struct agent_http *http = rq->http;
    MHD_suspend_connection(rq->connection);
    rq->suspended = true;
    http->suspended += !rq->is_stream; /* of those without an answer */
    agent_hangups_watch(http->hangups, agent_connection_fd(rq->connection), rq);
}

static bool is_due_for_suspension(const struct agent_rq *rq)
{
    const struct agent_http *http = rq->http;
    return rq->will_wait ||
           (cu_loop_turns(http->loop) - rq->handled_turn >= (uint64_t)AGENT_SUSPEND_AFTER_TURNS &&
            cu_mono_ms_between(rq->arrived, http->ran_at) >= AGENT_SUSPEND_AFTER_MS);
}

/* ---- answering ---- */

static void answered(struct agent_rq *rq, unsigned status)
{
    struct agent_http *http = rq->http;
    CU_ASSERT(rq->state == AGENT_RQ_HANDLED || rq->state == AGENT_RQ_BODY);
    http->unanswered -= rq->state == AGENT_RQ_HANDLED;
    rq->status = status;
    rq->state = AGENT_RQ_ANSWERED;
    http->moves++;
    agent_request_resume(rq);
    agent_http_run_soon(http);
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
    agent_request_resume(rq);
    rq->is_stream = true;
    return response;
}

void agent_rq_push(struct agent_rq *rq, struct cu_bytes bytes)
{
    if (rq->stream.len + bytes.len > AGENT_STREAM_BYTES || !bytes.len)
        return;
    cu_buf_append(&rq->stream, bytes.data, bytes.len);
    agent_request_resume(rq);
    agent_http_run_soon(rq->http);
}

void agent_rq_end_stream(struct agent_rq *rq)
{
    rq->stream_ends = true;
    agent_request_resume(rq);
    agent_http_run_soon(rq->http);
}

enum MHD_Result agent_request_on_data(void *arg, struct MHD_Connection *connection, const char *url,
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

void agent_request_on_completed(void *arg, struct MHD_Connection *connection, void **context,
                                enum MHD_RequestTerminationCode code)
{
    struct agent_rq *rq = *context;
    (void)connection;
    (void)code;
    if (!rq)
        return;
    *context = NULL;
    rq->http->moves++;
    agent_request_lose(rq);
    drop_answer(rq);
    recycle(rq);
}
