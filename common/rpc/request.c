/* Requests: let in, decoded, forwarded or handed to their handler, answered (contracts 2). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/rpc/internal.h"

enum { ARENA_EXTRA_BYTES = 64 * 1024 }; /* over twice the request's limit */

static struct rpc_request *of(struct cu_rq *rq)
{
    return (struct rpc_request *)((char *)rq - offsetof(struct rpc_request, rq));
}

/* ---- admission ---- */

static enum cu_caller default_class(const struct cu_peer *peer)
{
    return peer->is_local && (peer->uid == 0 || peer->uid == getuid()) ? CALLER_CATALOGD
                                                                       : CALLER_AGENT;
}

static enum cu_caller class_of(const struct cu_rpc *rpc, const struct cu_peer *peer)
{
    return rpc->hooks.classify ? rpc->hooks.classify(rpc->hooks.context, peer)
                               : default_class(peer);
}

static const struct rpc_row *find_row(const struct cu_rpc *rpc, struct cu_bytes method)
{
    return cu_map_get(&rpc->rows, method);
}

static bool is_daemon_service(const struct rpc_row *row)
{
    return strcmp(row->service->descriptor->short_name, "Daemon") == 0;
}

static enum cu_err check_admission(struct rpc_session *s, const struct rpc_row *row,
                                   struct cu_bytes method)
{
    struct cu_rpc *rpc = s->rpc;
    if (!row)
        return cu_fail(&rpc->refusal, CU_E_NOT_FOUND, "%s has no method %.*s", rpc->o.daemon,
                       (int)(method.len < RPC_METHOD_MAX_BYTES ? method.len : RPC_METHOD_MAX_BYTES),
                       (const char *)method.data);
    /* A daemon that drains still says how it is and takes its orders. */
    if (rpc->draining && !is_daemon_service(row))
        return cu_fail(&rpc->refusal, CU_E_NOT_READY, "%s is being stopped", rpc->o.daemon);
    if (class_of(rpc, &s->peer) < row->method->caller)
        return cu_fail(&rpc->refusal, CU_E_DENIED, "%s is not open to this caller", row->name);
    return CU_OK;
}

static const uint32_t credits[] = {
    [CU_CALL] = CU_BUS_CALL_CREDIT, [CU_FOLLOW] = CU_BUS_FOLLOW_CREDIT};

void rpc_admit(void *arg, struct cu_conn *conn, const struct cu_envelope *head,
               struct cu_admission *ret_admission)
{
    struct rpc_session *s = arg;
    const struct rpc_row *row = find_row(s->rpc, head->method);
    ret_admission->err = check_admission(s, row, head->method);
    if (ret_admission->err) {
        cu_count(s->rpc->count.refused, 1);
        ret_admission->text = s->rpc->refusal.text;
        return;
    }
    ret_admission->body_limit = row->method->request_limit_bytes;
    if (s->open[row->method->kind] >= credits[row->method->kind])
        cu_conn_goaway(conn, CU_E_OVERLOADED,
                       row->method->kind == CU_CALL ? "more open calls than the credit given"
                                                    : "more open follows than the credit given");
}

/* ---- life of a request ---- */

static struct rpc_request *new_request(struct cu_rpc *rpc)
{
    struct rpc_request *request = (struct rpc_request *)rpc->free_requests;
    if (request) {
        rpc_link_take(&request->link);
        rpc->free_request_count--;
        return request;
    }
    request = cu_alloc(sizeof *request);
    request->rq.arena = cu_arena_new(0);
    return request;
}

static void free_request(struct rpc_request *request)
{
    struct cu_rpc *rpc = request->rq.rpc;
    struct cu_arena *arena = request->rq.arena;
    rpc_link_take(&request->link);
    cu_deadline_clear(&rpc->deadlines, &request->deadline);
    rpc->open_calls--;
    if (rpc->free_request_count >= RPC_POOL_MAX) {
        cu_arena_free(arena);
        free(request);
        return;
    }
    cu_arena_reset(arena);
    *request = (struct rpc_request){.rq.arena = arena};
    rpc_link_put(&rpc->free_requests, &request->link);
    rpc->free_request_count++;
}

/* From here on no reply leaves; the request lives on for a handler that was not told. */
static void detach(struct rpc_request *request)
{
    request->session->open[request->row->method->kind]--;
    request->session = NULL;
    rpc_link_take(&request->link);
    rpc_link_put(&request->rq.rpc->orphans, &request->link);
}

static void stop_forwarding(struct rpc_request *request)
{
    cu_call_cancel(request->forwarded);
    request->forwarded = NULL;
}

/* The end without a reply of the handler's: tells it and frees, or leaves the rest to its reply. */
static void tell_gone(struct rpc_request *request)
{
    cu_callback *gone = request->gone;
    cu_count(request->rq.rpc->count.gone, 1);
    request->gone = NULL;
    cu_deadline_clear(&request->rq.rpc->deadlines, &request->deadline);
    if (request->forwarded)
        stop_forwarding(request);
    else if (gone)
        gone(request->gone_arg);
    else
        return;
    free_request(request);
}

static void send_reply(struct rpc_request *request, enum cu_err err, const char *text,
                       uint64_t index, const struct cu_body *body, size_t body_len)
{
    struct rpc_session *session = request->session;
    struct cu_reply reply = {.error = cu_err_to_wire(err),
                             .text = cu_bytes_of(text),
                             .index = index,
                             .body_len = body_len};
    detach(request);
    if (session->answered) {
        session->answered(session, &reply, body);
        return;
    }
    enum cu_err failed = cu_conn_reply(session->conn, request->id, &reply, body);
    if (!failed)
        return;
    /* Over what the peer takes in one message. */
    reply = (struct cu_reply){.error = cu_err_to_wire(CU_E_TOO_LARGE),
                              .text = cu_bytes_of("the reply is over the limit of a message")};
    failed = cu_conn_reply(session->conn, request->id, &reply, &(struct cu_body){0});
    CU_ASSERT(!failed);
}

static void finish(struct rpc_request *request, enum cu_err err, const char *text, uint64_t index,
                   const struct cu_body *body)
{
    CU_ASSERT(!request->forwarded);
    if (request->session) {
        size_t len = cu_body_len(body);
        if (len > request->row->method->reply_limit_bytes)
            send_reply(request, CU_E_TOO_LARGE, "the reply is over its limit", 0,
                       &(struct cu_body){0}, 0);
        else
            send_reply(request, err, text, index, body, len);
    }
    free_request(request);
}

static void deadline_passed(void *arg)
{
    struct rpc_request *request = arg;
    cu_count(request->rq.rpc->count.late, 1);
    send_reply(request, CU_E_DEADLINE, "the deadline passed before there was an answer", 0,
               &(struct cu_body){0}, 0);
    tell_gone(request);
}

void rpc_cancelled(void *arg, struct cu_conn *conn, uint64_t id)
{
    struct rpc_session *s = arg;
    (void)conn;
    /* Cancels are rare: a walk over the open ones costs less than a map for each request. */
    for (struct rpc_link *link = s->requests; link; link = link->next) {
        struct rpc_request *request = (struct rpc_request *)link;
        if (request->id != id)
            continue;
        detach(request);
        tell_gone(request);
        return;
    }
}

void rpc_requests_lost(struct rpc_session *s)
{
    struct rpc_link *lost = NULL;
    for (struct rpc_link *link = s->requests; link; link = link->next) {
        struct rpc_request *request = (struct rpc_request *)link;
        request->session = NULL;
        request->rq.peer = NULL;
    }
    rpc_link_move(&lost, &s->requests);
    while (lost) { /* a handler that is told may end others of the list: each time from the front */
        struct rpc_request *request = (struct rpc_request *)lost;
        rpc_link_take(&request->link);
        rpc_link_put(&s->rpc->orphans, &request->link);
        tell_gone(request);
    }
    /* Answered for their deadline, but still held by a handler: they point to the peer, too. */
    for (struct rpc_link *link = s->rpc->orphans; link; link = link->next)
        if (((struct rpc_request *)link)->rq.peer == &s->peer)
            ((struct rpc_request *)link)->rq.peer = NULL;
}

void rpc_requests_forget(struct rpc_link **requests)
{
    while (*requests)
        free_request((struct rpc_request *)*requests);
}

/* ---- a new request ---- */

static const char *text_of(struct rpc_request *request, struct cu_bytes text)
{
    if (!text.len)
        return "";
    char *copy = cu_arena_alloc(request->rq.arena, text.len + 1);
    CU_ASSERT(copy); /* a head is far below the arena's limit */
    memcpy(copy, text.data, text.len);
    return copy;
}

static struct cu_bytes bytes_of(struct rpc_request *request, struct cu_bytes bytes)
{
    if (!bytes.len)
        return (struct cu_bytes){0};
    uint8_t *copy = cu_arena_memdup(request->rq.arena, bytes.data, bytes.len);
    CU_ASSERT(copy); /* as above */
    return (struct cu_bytes){copy, bytes.len};
}

static void fill(struct rpc_request *request, struct rpc_session *s, const struct rpc_row *row,
                 const struct cu_envelope *call)
{
    struct cu_rq *rq = &request->rq;
    request->row = row;
    cu_arena_set_limit(rq->arena, 2 * (size_t)row->method->request_limit_bytes + ARENA_EXTRA_BYTES);
    rq->service = row->service;
    rq->method = row->method;
    rq->arrived = s->conn ? cu_conn_received_at(s->conn) : cu_loop_now(s->rpc->loop);
    rq->deadline = cu_mono_add_ms(rq->arrived, call->timeout_ms);
    rq->token = text_of(request, call->token);
    rq->datacenter = text_of(request, call->datacenter);
    rq->hops = call->hops;
    rq->trace_id = bytes_of(request, call->trace_id);
    rq->request_id = bytes_of(request, call->request_id);
    rq->origin.node = text_of(request, call->origin_node);
    rq->origin.daemon = text_of(request, call->origin_daemon);
    rq->origin.address = text_of(request, call->origin_address);
    rq->peer = &s->peer;
    rq->rpc = s->rpc;
}

static struct rpc_request *open_request(struct rpc_session *s, const struct rpc_row *row,
                                        uint64_t id, const struct cu_envelope *call)
{
    struct rpc_request *request = new_request(s->rpc);
    fill(request, s, row, call);
    request->session = s;
    request->id = id;
    rpc_link_put(&s->requests, &request->link);
    s->open[row->method->kind]++;
    s->rpc->open_calls++;
    request->deadline =
        (struct cu_deadline){.at = request->rq.deadline, .fn = deadline_passed, .arg = request};
    cu_deadline_set(&s->rpc->deadlines, &request->deadline);
    return request;
}

static bool decode(struct rpc_request *request, struct cu_bytes body)
{
    request->rq.in = protobuf_c_message_unpack(request->row->descriptor->input,
                                               cu_arena_allocator(request->rq.arena), body.len,
                                               body.len ? body.data : (const uint8_t *)"");
    return request->rq.in != NULL;
}

static enum cu_err check_permission(struct rpc_request *request, struct cu_diag *diag)
{
    const struct cu_permission *permission = &request->row->method->permission;
    struct cu_bytes resource = {0};
    if (permission->right == RIGHT_NONE)
        return CU_OK;
    if (permission->resource)
        resource = permission->resource(request->rq.in);
    return cu_rq_permit(&request->rq, permission->right, resource, diag);
}

/* ---- forwarding ---- */

static void forwarded_answer(void *arg, const struct cu_answer *answer)
{
    struct rpc_request *request = arg;
    enum cu_err err = answer->err;
    const char *text = answer->text;
    request->forwarded = NULL;
    if (err == CU_E_DISCONNECTED) {
        /* Our caller's own connection is well: say what it may do. */
        err = answer->sent ? CU_E_UNKNOWN : CU_E_NOT_READY;
        text = answer->sent ? "the connection to who answers it closed under way"
                            : "no connection to who answers it";
    }
    finish(request, err, text, answer->index, &(struct cu_body){.packed = answer->body});
}

static void forward(struct rpc_request *request, struct cu_client *client, struct cu_bytes body)
{
    struct cu_rq *rq = &request->rq;
    if (rq->hops >= RPC_HOPS_MAX) {
        cu_rq_fail(rq, CU_E_NOT_READY, "%s: forwarded %u times and still not where it is answered",
                   request->row->name, rq->hops);
        return;
    }
    uint64_t left_ms = cu_mono_ms_between(cu_loop_now(rq->rpc->loop), rq->deadline);
    struct cu_call_spec spec = {
        .service = request->row->service->descriptor,
        .method = request->row->method->name,
        .packed = body,
        .timeout_ms = left_ms > 0 ? (uint32_t)left_ms : 1,
        .token = rq->token,
        .datacenter = rq->datacenter,
        .hops = rq->hops + 1,
        .trace_id = rq->trace_id,
        .request_id = rq->request_id,
        .origin = rq->origin,
        .raw = true,
    };
    request->forwarded = cu_client_call(client, &spec, forwarded_answer, request);
}

/* Whether the request stays here; if not it is forwarded or answered. */
static bool is_for_us(struct rpc_request *request, struct cu_bytes body)
{
    const struct cu_rpc_hooks *hooks = &request->rq.rpc->hooks;
    struct cu_client *client = NULL;
    struct cu_diag diag = {0};
    if (request->row->method->route == ROUTE_ANY || !hooks->route)
        return true;
    enum cu_err err =
        hooks->route(hooks->context, &request->rq, request->row->method->route, &client, &diag);
    if (err)
        cu_rq_fail(&request->rq, err, "%s", diag.text);
    else if (client)
        forward(request, client, body);
    return !err && !client;
}

/* Whether somebody holds it who will resume it. A body for which there is no room is not kept. */
static bool is_doubted(struct rpc_request *request, struct cu_bytes body)
{
    const struct cu_rpc_hooks *hooks = &request->rq.rpc->hooks;
    if (!hooks->doubt || request->was_doubted)
        return false;
    request->was_doubted = true;
    request->body =
        (struct cu_bytes){cu_arena_memdup(request->rq.arena, body.data, body.len), body.len};
    return (request->body.data || !body.len) && hooks->doubt(hooks->context, &request->rq);
}

static void go_on(struct rpc_request *request, struct cu_bytes body)
{
    struct cu_diag diag = {0};
    enum cu_err err = check_permission(request, &diag);
    if (err == CU_E_DENIED && is_doubted(request, body))
        return;
    if (err)
        cu_rq_fail(&request->rq, err, "%s", diag.text);
    else if (is_for_us(request, body))
        request->row->method->handler(request->row->context, &request->rq);
}

void cu_rq_resume(struct cu_rq *rq)
{
    struct rpc_request *request = of(rq);
    CU_ASSERT(request->was_doubted);
    request->gone = NULL;
    go_on(request, request->body);
}

void rpc_serve(void *arg, struct cu_conn *conn, uint64_t id, const struct cu_envelope *call)
{
    struct rpc_session *s = arg;
    (void)conn;
    const struct rpc_row *row = find_row(s->rpc, call->method);
    CU_ASSERT(row); /* it was there when the first part was admitted, and rows stay */
    struct rpc_request *request = open_request(s, row, id, call);
    cu_count(s->rpc->count.requests, 1);
    if (decode(request, call->body))
        go_on(request, call->body);
    else
        cu_rq_fail(&request->rq, CU_E_INVALID, "%s: the request does not parse", row->name);
}

/* ---- what handlers call ---- */

void cu_rq_reply(struct cu_rq *rq, const ProtobufCMessage *reply, uint64_t index)
{
    finish(of(rq), CU_OK, "", index, &(struct cu_body){.message = reply});
}

void cu_rq_reply_packed(struct cu_rq *rq, struct cu_bytes body, uint64_t index)
{
    finish(of(rq), CU_OK, "", index, &(struct cu_body){.packed = body});
}

void cu_rq_fail(struct cu_rq *rq, enum cu_err err, const char *fmt, ...)
{
    char text[CU_DIAG_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* cut at the limit on purpose */
    va_end(args);
    finish(of(rq), err, text, 0, &(struct cu_body){0});
}

void cu_rq_on_gone(struct cu_rq *rq, cu_callback *fn, void *arg)
{
    of(rq)->gone = fn;
    of(rq)->gone_arg = arg;
}

enum cu_err cu_rq_permit(struct cu_rq *rq, enum cu_right right, struct cu_bytes resource,
                         struct cu_diag *diag)
{
    const struct cu_rpc_hooks *hooks = &rq->rpc->hooks;
    return hooks->permit ? hooks->permit(hooks->context, rq, right, resource, diag) : CU_OK;
}
