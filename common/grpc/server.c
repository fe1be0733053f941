#include "common/grpc/server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>

#include "common/base/assert.h"

enum { PEER_BYTES = 128 };

enum op_kind { OP_NEW, OP_CLOSE, OP_RECV, OP_SEND, OP_SHUTDOWN };

/* A tag of the completion queue. Lives in what it is about. */
struct op {
    enum op_kind kind;
    bool success;
    struct cu_grpc_server *server;
    struct cu_grpc_call *call;
};

struct cu_grpc_call {
    struct cu_grpc_call *next, **at;
    struct cu_grpc_server *server;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array metadata;
    char peer[PEER_BYTES];
    void *user;
    struct op close, recv, send;
    unsigned outstanding; /* batches: the call lives until there is none */
    int cancelled;
    grpc_byte_buffer *received, *sending;
    bool has_started, has_sent_metadata, is_sending, is_finished;
    bool recv_waits; /* for what is on its way out: who does not read is not read */
    /* A finish that waits for what is on its way out. */
    bool finish_waits;
    enum cu_grpc_status status;
    grpc_slice text;
};

struct cu_grpc_server {
    struct cu_grpc_options o;
    grpc_server *server;
    grpc_completion_queue *queue;
    pthread_t thread;
    bool is_started, is_down;
    struct op incoming, shutdown;
    struct cu_grpc_call *fresh; /* waits for its caller */
    struct cu_grpc_call *calls;
    struct cu_counter *started, *received, *sent;
};

/* clang-format off */
static const enum cu_grpc_status statuses[] = {
    [CU_OK]             = CU_GRPC_OK,
    [CU_E_INVALID]      = CU_GRPC_INVALID_ARGUMENT,
    [CU_E_DENIED]       = CU_GRPC_PERMISSION_DENIED,
    [CU_E_NOT_FOUND]    = CU_GRPC_NOT_FOUND,
    [CU_E_CONFLICT]     = CU_GRPC_FAILED_PRECONDITION,
    [CU_E_TOO_LARGE]    = CU_GRPC_RESOURCE_EXHAUSTED,
    [CU_E_OVERLOADED]   = CU_GRPC_RESOURCE_EXHAUSTED,
    [CU_E_NOT_READY]    = CU_GRPC_UNAVAILABLE,
    [CU_E_NO_LEADER]    = CU_GRPC_UNAVAILABLE,
    [CU_E_RETRY]        = CU_GRPC_ABORTED,
    [CU_E_UNKNOWN]      = CU_GRPC_UNKNOWN, /* never repeat a write */
    [CU_E_DEADLINE]     = CU_GRPC_DEADLINE_EXCEEDED,
    [CU_E_DISCONNECTED] = CU_GRPC_UNAVAILABLE,
    [CU_E_INTERNAL]     = CU_GRPC_INTERNAL,
    [CU_E_IO]           = CU_GRPC_INTERNAL,
    [CU_E_CORRUPT]      = CU_GRPC_INTERNAL,
};
/* clang-format on */

enum cu_grpc_status cu_grpc_status_of(enum cu_err err)
{
    CU_ASSERT((size_t)err < CU_COUNT(statuses));
    return statuses[err];
}

static struct cu_bytes bytes_of(const grpc_slice *slice)
{
    return (struct cu_bytes){GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
}

/* ---- life of a call ---- */

static void request_next(struct cu_grpc_server *server)
{
    struct cu_grpc_call *call = cu_alloc(sizeof *call);
    call->server = server;
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    server->fresh = call;
    grpc_call_error error =
        grpc_server_request_call(server->server, &call->call, &call->details, &call->metadata,
                                 server->queue, server->queue, &server->incoming);
    CU_ASSERT(error == GRPC_CALL_OK);
}

static void free_call(struct cu_grpc_call *call)
{
    if (call->at) {
        *call->at = call->next;
        if (call->next)
            call->next->at = call->at;
    }
    if (call->call)
        grpc_call_unref(call->call);
    if (call->received)
        grpc_byte_buffer_destroy(call->received);
    if (call->sending)
        grpc_byte_buffer_destroy(call->sending);
    grpc_call_details_destroy(&call->details);
    grpc_metadata_array_destroy(&call->metadata);
    free(call);
}

static void start_batch(struct cu_grpc_call *call, const grpc_op *ops, size_t count, struct op *tag)
{
    grpc_call_error error = grpc_call_start_batch(call->call, ops, count, tag, NULL);
    CU_ASSERT(error == GRPC_CALL_OK);
    call->outstanding++;
}

static void start_recv(struct cu_grpc_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &call->received;
    start_batch(call, &op, 1, &call->recv);
}

static void release(struct cu_grpc_call *call)
{
    if (--call->outstanding > 0)
        return;
    const struct cu_grpc_events *events = call->server->o.events;
    if (call->has_started)
        events->gone(call->user, call);
    free_call(call);
}

/* ---- sending ---- */

/* At most: initial metadata, a message, the status. */
enum { SEND_OPS = 3 };

static size_t add_metadata(struct cu_grpc_call *call, grpc_op ops[SEND_OPS], size_t count)
{
    if (call->has_sent_metadata)
        return count;
    call->has_sent_metadata = true;
    ops[count] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    return count + 1;
}

static size_t add_message(struct cu_grpc_call *call, struct cu_bytes message, grpc_op ops[SEND_OPS],
                          size_t count)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)message.data, message.len);
    call->sending = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    ops[count] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
    ops[count].data.send_message.send_message = call->sending;
    cu_count(call->server->sent, 1);
    return count + 1;
}

static size_t add_status(struct cu_grpc_call *call, grpc_op ops[SEND_OPS], size_t count)
{
    ops[count] = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    ops[count].data.send_status_from_server.status = (grpc_status_code)call->status;
    ops[count].data.send_status_from_server.status_details = &call->text;
    return count + 1;
}

static void start_send(struct cu_grpc_call *call, const grpc_op *ops, size_t count)
{
    call->is_sending = true;
    start_batch(call, ops, count, &call->send);
}

bool cu_grpc_call_can_send(const struct cu_grpc_call *call)
{
    return !call->is_sending && !call->is_finished;
}

void cu_grpc_call_send(struct cu_grpc_call *call, struct cu_bytes message)
{
    grpc_op ops[SEND_OPS];
    CU_ASSERT(cu_grpc_call_can_send(call));
    size_t count = add_metadata(call, ops, 0);
    start_send(call, ops, add_message(call, message, ops, count));
}

static void finish_now(struct cu_grpc_call *call, struct cu_bytes message)
{
    grpc_op ops[SEND_OPS];
    size_t count = add_metadata(call, ops, 0);
    if (message.data)
        count = add_message(call, message, ops, count);
    start_send(call, ops, add_status(call, ops, count));
    grpc_slice_unref(call->text); /* the batch has its own reference */
}

void cu_grpc_call_finish(struct cu_grpc_call *call, enum cu_grpc_status status, const char *text,
                         struct cu_bytes message)
{
    if (call->is_finished)
        return;
    CU_ASSERT(!message.data || !call->is_sending);
    call->is_finished = true;
    call->status = status;
    call->text = grpc_slice_from_copied_string(text);
    call->finish_waits = call->is_sending;
    if (!call->is_sending)
        finish_now(call, message);
}

void cu_grpc_call_cancel(struct cu_grpc_call *call)
{
    grpc_call_error error = grpc_call_cancel(call->call, NULL);
    CU_ASSERT(error == GRPC_CALL_OK);
}

/* ---- events, on the loop ---- */

static void on_new(struct cu_grpc_server *server, bool success)
{
    struct cu_grpc_call *call = server->fresh;
    server->fresh = NULL;
    if (!success) { /* shutting down */
        free_call(call);
        return;
    }
    request_next(server);
    call->next = server->calls;
    call->at = &server->calls;
    if (call->next)
        call->next->at = &call->next;
    server->calls = call;
    cu_count(server->started, 1);
    call->close = (struct op){OP_CLOSE, false, server, call};
    call->recv = (struct op){OP_RECV, false, server, call};
    call->send = (struct op){OP_SEND, false, server, call};
    char *peer = grpc_call_get_peer(call->call), *colon = strchr(peer, ':');
    (void)snprintf(call->peer, sizeof call->peer, "%s", colon ? colon + 1 : peer);
    gpr_free(peer);
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    op.data.recv_close_on_server.cancelled = &call->cancelled;
    start_batch(call, &op, 1, &call->close);
    call->has_started = true;
    call->outstanding++; /* ours, until the first receive is asked for */
    call->user = server->o.events->start(server->o.arg, call);
    if (!call->is_finished)
        start_recv(call);
    release(call);
}

static void on_recv(struct cu_grpc_call *call, bool success)
{
    const struct cu_grpc_events *events = call->server->o.events;
    grpc_byte_buffer *received = call->received;
    call->received = NULL;
    if (success && received) {
        grpc_byte_buffer_reader reader;
        int good = grpc_byte_buffer_reader_init(&reader, received);
        if (good) {
            grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
            cu_count(call->server->received, 1);
            if (!call->is_finished)
                events->message(call->user, call, bytes_of(&all));
            grpc_slice_unref(all);
            grpc_byte_buffer_reader_destroy(&reader);
        } else {
            cu_grpc_call_finish(call, CU_GRPC_INTERNAL, "the message cannot be decompressed",
                                (struct cu_bytes){0});
        }
        call->recv_waits = !call->is_finished && call->is_sending;
        if (!call->is_finished && !call->is_sending)
            start_recv(call);
    } else if (!call->is_finished) {
        events->half_closed(call->user, call);
    }
    if (received)
        grpc_byte_buffer_destroy(received);
}

static void on_send(struct cu_grpc_call *call, bool success)
{
    const struct cu_grpc_events *events = call->server->o.events;
    call->is_sending = false;
    if (call->sending)
        grpc_byte_buffer_destroy(call->sending);
    call->sending = NULL;
    if (call->recv_waits && !call->is_finished) {
        call->recv_waits = false;
        start_recv(call);
    }
    if (call->finish_waits) {
        call->finish_waits = false;
        finish_now(call, (struct cu_bytes){0});
    } else if (success && !call->is_finished && events->sent) {
        events->sent(call->user, call);
    }
}

/* The client is gone, or has our status: nothing more can be said. */
static void on_close(struct cu_grpc_call *call)
{
    if (!call->is_finished)
        cu_grpc_call_finish(call, CU_GRPC_CANCELLED, "", (struct cu_bytes){0});
}

static void on_event(void *arg)
{
    struct op *op = arg;
    struct cu_grpc_call *call = op->call;
    switch (op->kind) {
    case OP_NEW:
        on_new(op->server, op->success);
        return;
    case OP_SHUTDOWN:
        op->server->is_down = true;
        return;
    case OP_RECV:
        on_recv(call, op->success);
        break;
    case OP_SEND:
        on_send(call, op->success);
        break;
    case OP_CLOSE:
        on_close(call);
        break;
    }
    release(call);
}

/* The queue's own thread: hands every event over to the loop, touches nothing else. */
static void *watch_queue(void *arg)
{
    struct cu_grpc_server *server = arg;
    (void)pthread_setname_np(pthread_self(), "grpc-queue"); /* a name only helps */
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(server->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.type != GRPC_OP_COMPLETE)
            continue;
        struct op *op = event.tag;
        op->success = event.success;
        cu_loop_post(server->o.loop, on_event, op);
    }
}

/* ---- the server ---- */

static grpc_arg number(const char *key, int value)
{
    return (grpc_arg){
        .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

/* gRPC writes lines of its own kind to stderr, of what we say ourselves (a port in use) or peers do
 * (bytes that are no HTTP/2). Who looks into gRPC itself sets GRPC_VERBOSITY and sees them. */
static void say_nothing(gpr_log_func_args *args)
{
    (void)args;
}

struct cu_grpc_server *cu_grpc_server_new(const struct cu_grpc_options *options)
{
    struct cu_grpc_server *server = cu_alloc(sizeof *server);
    server->o = *options;
    server->started = cu_metrics_counter(options->metrics, "grpc.server.calls");
    server->received = cu_metrics_counter(options->metrics, "grpc.server.messages.received");
    server->sent = cu_metrics_counter(options->metrics, "grpc.server.messages.sent");
    server->incoming = (struct op){OP_NEW, false, server, NULL};
    server->shutdown = (struct op){OP_SHUTDOWN, false, server, NULL};
    if (!getenv("GRPC_VERBOSITY"))
        gpr_set_log_function(say_nothing);
    grpc_init();
    /* Without the first, a second daemon would bind the same port in silence. */
    grpc_arg list[] = {
        number(GRPC_ARG_ALLOW_REUSEPORT, 0),
        number(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, CU_GRPC_MESSAGE_BYTES),
        number(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        number(GRPC_ARG_MAX_CONCURRENT_STREAMS, CU_GRPC_STREAMS_MAX),
        number(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, CU_GRPC_PING_MIN_MS),
        number(GRPC_ARG_KEEPALIVE_TIME_MS, CU_GRPC_ALIVE_MS),
        number(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, CU_GRPC_DEAD_MS),
        number(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0), /* streams are silent for hours */
    };
    grpc_channel_args args = {CU_COUNT(list), list};
    server->server = grpc_server_create(&args, NULL);
    server->queue = grpc_completion_queue_create_for_next(NULL);
    grpc_server_register_completion_queue(server->server, server->queue, NULL);
    return server;
}

enum cu_err cu_grpc_server_listen(struct cu_grpc_server *server, const char *address,
                                  struct cu_diag *diag)
{
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
    int port = grpc_server_add_http2_port(server->server, address, credentials);
    grpc_server_credentials_release(credentials);
    if (port == 0)
        return cu_fail(diag, CU_E_CONFLICT, "cannot listen on %s for gRPC: is it in use?", address);
    return CU_OK;
}

void cu_grpc_server_start(struct cu_grpc_server *server)
{
    grpc_server_start(server->server);
    server->is_started = true;
    request_next(server);
    int failed = pthread_create(&server->thread, NULL, watch_queue, server);
    CU_ASSERT(!failed);
}

void cu_grpc_server_free(struct cu_grpc_server *server)
{
    if (!server)
        return;
    if (server->is_started) {
        grpc_server_shutdown_and_notify(server->server, server->queue, &server->shutdown);
        grpc_server_cancel_all_calls(server->server);
        while (!server->is_down || server->calls || server->fresh)
            cu_loop_turn(server->o.loop, true);
    }
    grpc_completion_queue_shutdown(server->queue);
    if (server->is_started) {
        int failed = pthread_join(server->thread, NULL);
        CU_ASSERT(!failed);
    }
    grpc_server_destroy(server->server);
    grpc_completion_queue_destroy(server->queue);
    grpc_shutdown_blocking();
    free(server);
}

/* ---- questions ---- */

struct cu_bytes cu_grpc_call_method(const struct cu_grpc_call *call)
{
    return bytes_of(&call->details.method);
}

struct cu_bytes cu_grpc_call_metadata(const struct cu_grpc_call *call, const char *name)
{
    struct cu_bytes wanted = cu_bytes_of(name);
    for (size_t i = 0; i < call->metadata.count; i++)
        if (cu_bytes_equal(bytes_of(&call->metadata.metadata[i].key), wanted))
            return bytes_of(&call->metadata.metadata[i].value);
    return (struct cu_bytes){0};
}

const char *cu_grpc_call_peer(const struct cu_grpc_call *call)
{
    return call->peer;
}

uint64_t cu_grpc_call_left_ms(const struct cu_grpc_call *call)
{
    gpr_timespec forever = gpr_inf_future(call->details.deadline.clock_type);
    if (gpr_time_cmp(call->details.deadline, forever) == 0)
        return UINT64_MAX;
    gpr_timespec now = gpr_now(call->details.deadline.clock_type);
    int32_t left = gpr_time_to_millis(gpr_time_sub(call->details.deadline, now));
    return left > 0 ? (uint64_t)left : 0;
}
