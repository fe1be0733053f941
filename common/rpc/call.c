/* Calls of a client: made, sent or kept for credit, answered. */
#include "common/rpc/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum {
    REPLY_ARENA_FACTOR = 8, /* small messages grow most when they are unpacked */
    REPLY_ARENA_EXTRA_BYTES = 64 * 1024,
    REQUEST_ID_BYTES = 16,
};

static struct cu_call *new_call(struct cu_rpc *rpc)
{
    struct cu_call *call = (struct cu_call *)rpc->free_calls;
    if (!call)
        return cu_alloc(sizeof *call);
    rpc_link_take(&call->link);
    rpc->free_call_count--;
    return call;
}

static void free_call(struct cu_call *call)
{
    struct cu_rpc *rpc = call->rpc;
    rpc_link_take(&call->link);
    cu_deadline_clear(&rpc->deadlines, &call->deadline);
    cu_buf_deinit(&call->queued);
    if (rpc->free_call_count >= RPC_POOL_MAX) {
        free(call);
        return;
    }
    *call = (struct cu_call){0};
    rpc_link_put(&rpc->free_calls, &call->link);
    rpc->free_call_count++;
}

void rpc_calls_free(struct cu_rpc *rpc)
{
    while (rpc->failed)
        free_call((struct cu_call *)rpc->failed);
    while (rpc->free_calls) {
        struct rpc_link *link = rpc->free_calls;
        rpc_link_take(link);
        free(link);
    }
}

static void take_slot(struct cu_client *c, struct cu_call *call)
{
    if (!c->free_count) {
        uint32_t old = c->slot_count, count = old ? 2 * old : 64;
        c->slots = cu_realloc(c->slots, count * sizeof(struct cu_call *));
        c->free_slots = cu_realloc(c->free_slots, count * sizeof(uint32_t));
        for (uint32_t slot = count; slot > old; slot--)
            c->free_slots[c->free_count++] = slot - 1;
        memset(c->slots + old, 0, (count - old) * sizeof(struct cu_call *));
        c->slot_count = count;
    }
    call->slot = c->free_slots[--c->free_count];
    c->slots[call->slot] = call;
    /* A late reply to a call that was cancelled must not find the slot's next one. */
    call->id = (uint64_t)++c->generation << 32 | call->slot;
}

static struct cu_call *find_call(const struct cu_client *c, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    struct cu_call *call = slot < c->slot_count ? c->slots[slot] : NULL;
    return call && call->id == id ? call : NULL;
}

/* Out of the client's books; the call itself stays. */
static void close_call(struct cu_call *call)
{
    struct cu_client *c = call->client;
    if (call->state == OPEN) {
        c->slots[call->slot] = NULL;
        c->free_slots[c->free_count++] = call->slot;
        c->open[call->is_follow]--;
        rpc_link_take(&call->link);
    } else if (call->state == QUEUED) {
        if (c->queue_tail == &call->link.next)
            c->queue_tail = call->link.at;
        rpc_link_take(&call->link);
        c->queue_count--;
    }
    cu_deadline_clear(&c->rpc->deadlines, &call->deadline);
}

/* The call is freed first: its callback may do anything but touch it. */
static void answer(struct cu_call *call, const struct cu_answer *answer)
{
    cu_on_answer *on_answer = call->on_answer;
    void *arg = call->arg;
    free_call(call);
    on_answer(arg, answer);
}

static void answer_error(struct cu_call *call)
{
    struct cu_diag why = {0};
    struct cu_answer a = {
        .err = cu_fail(&why, call->err, "%s", call->why), .text = why.text, .sent = call->sent};
    answer(call, &a);
}

/* To be answered at the end of the turn, not from within cu_client_call(). */
static void fail_later(struct cu_call *call, enum cu_err err, const char *why)
{
    struct cu_rpc *rpc = call->rpc;
    call->state = FAILED;
    call->err = err;
    call->why = why;
    rpc_link_put(&rpc->failed, &call->link);
    cu_loop_at_turn_end(rpc->loop, &rpc->failed_hook);
}

void rpc_calls_tell(struct rpc_link **list)
{
    while (*list) {
        struct cu_call *call = (struct cu_call *)*list;
        rpc_link_take(&call->link);
        answer_error(call);
    }
}

void rpc_answer_failed(void *arg)
{
    struct cu_rpc *rpc = arg;
    struct rpc_link *list = NULL;
    rpc_link_move(&list, &rpc->failed);
    rpc_calls_tell(&list);
}

static void release_queued(struct cu_client *c);

static void deadline_passed(void *arg)
{
    struct cu_call *call = arg;
    struct cu_client *c = call->client;
    if (call->state == OPEN)
        cu_conn_cancel(c->conn, call->id);
    close_call(call);
    release_queued(c);
    call->err = CU_E_DEADLINE;
    call->why = "the deadline passed and the peer has not answered";
    answer_error(call);
}

/* ---- sending ---- */

static bool is_follow(const struct cu_client *c, struct cu_bytes method)
{
    const struct cu_hello *hello = cu_conn_peer_hello(c->conn);
    for (size_t i = 0; i < hello->follow_count; i++)
        if (cu_bytes_equal(cu_bytes_of(hello->follows[i]), method))
            return true;
    return false;
}

static void send_call(struct cu_client *c, struct cu_call *call, const struct cu_envelope *head,
                      const struct cu_body *body)
{
    take_slot(c, call);
    call->state = OPEN;
    c->open[call->is_follow]++;
    rpc_link_put(&c->calls, &call->link);
    enum cu_err err = cu_conn_call(c->conn, call->id, head, body, &call->mark);
    if (!err)
        return;
    close_call(call);
    fail_later(call, err, "the request is over the limit of a message");
}

static void queue_call(struct cu_client *c, struct cu_call *call, const struct cu_envelope *head,
                       const struct cu_body *body)
{
    if (c->queue_count >= RPC_WAITING_MAX) {
        fail_later(call, CU_E_OVERLOADED, "too many calls wait for this peer");
        return;
    }
    cu_buf_reserve(&call->queued, cu_envelope_head_max(head) + head->body_len);
    uint8_t *at = cu_envelope_write_head(call->queued.data, head);
    if (body->message)
        at += protobuf_c_message_pack(body->message, at);
    else if (body->packed.len)
        at = (uint8_t *)memcpy(at, body->packed.data, body->packed.len) + body->packed.len;
    call->queued.len = (size_t)(at - call->queued.data);
    call->state = QUEUED;
    call->link.next = NULL;
    call->link.at = c->queue ? c->queue_tail : &c->queue;
    *call->link.at = &call->link;
    c->queue_tail = &call->link.next;
    c->queue_count++;
}

static void release_one(struct cu_client *c, struct cu_call *call)
{
    struct cu_envelope head;
    struct cu_buf bytes = call->queued;
    uint64_t left_ms = cu_mono_ms_between(cu_loop_now(c->rpc->loop), call->deadline.at);
    bool good = cu_envelope_parse(cu_buf_bytes(&bytes), false, &head);
    CU_ASSERT(good); /* we wrote it */
    if (c->queue_tail == &call->link.next)
        c->queue_tail = call->link.at;
    rpc_link_take(&call->link);
    c->queue_count--;
    call->queued = (struct cu_buf){0};
    head.timeout_ms = (uint32_t)(left_ms > RPC_GRACE_MS ? left_ms - RPC_GRACE_MS : 1);
    send_call(c, call, &head, &(struct cu_body){.packed = head.body});
    cu_buf_deinit(&bytes);
}

/* Calls that waited go on as others end; one kind out of credit does not hold the other up. */
static void release_queued(struct cu_client *c)
{
    for (struct rpc_link *link = c->queue, *next; link && c->is_up; link = next) {
        struct cu_call *call = (struct cu_call *)link;
        next = link->next;
        if (c->open[call->is_follow] < c->credit[call->is_follow])
            release_one(c, call);
        else if (c->open[CU_CALL] >= c->credit[CU_CALL] &&
                 c->open[CU_FOLLOW] >= c->credit[CU_FOLLOW])
            return;
    }
}

static struct cu_bytes text_bytes(const char *text)
{
    return text ? cu_bytes_of(text) : (struct cu_bytes){0};
}

static const ProtobufCMethodDescriptor *find_method(const ProtobufCServiceDescriptor *service,
                                                    const char *name)
{
    for (unsigned i = 0; i < service->n_methods; i++)
        if (service->methods[i].name == name || strcmp(service->methods[i].name, name) == 0)
            return &service->methods[i];
    return NULL;
}

static void make_request_id(struct cu_rpc *rpc, uint64_t id[2])
{
    id[0] = cu_random_u64(&rpc->random);
    id[1] = cu_random_u64(&rpc->random);
}

static void dispatch(struct cu_client *c, struct cu_call *call, const struct cu_call_spec *spec)
{
    char method[RPC_METHOD_MAX_BYTES];
    uint64_t id[2];
    struct cu_body body = {.message = spec->in, .packed = spec->packed};
    size_t service_len = strlen(spec->service->short_name), method_len = strlen(spec->method);
    CU_ASSERT(service_len + method_len + 1 <= sizeof method);
    memcpy(method, spec->service->short_name, service_len);
    method[service_len] = '.';
    memcpy(method + service_len + 1, spec->method, method_len);
    struct cu_envelope head = {
        .method = {(const uint8_t *)method, service_len + 1 + method_len},
        .timeout_ms = spec->timeout_ms,
        .hops = spec->hops,
        .token = text_bytes(spec->token),
        .datacenter = text_bytes(spec->datacenter),
        .trace_id = spec->trace_id,
        .request_id = spec->request_id,
        .origin_node = text_bytes(spec->origin.node),
        .origin_daemon = text_bytes(spec->origin.daemon),
        .origin_address = text_bytes(spec->origin.address),
        .body_len = cu_body_len(&body),
    };
    if (!head.request_id.len) {
        make_request_id(c->rpc, id);
        head.request_id = (struct cu_bytes){(const uint8_t *)id, REQUEST_ID_BYTES};
    }
    call->is_follow = is_follow(c, head.method);
    if (c->open[call->is_follow] < c->credit[call->is_follow])
        send_call(c, call, &head, &body);
    else
        queue_call(c, call, &head, &body);
}

struct cu_call *cu_client_call(struct cu_client *c, const struct cu_call_spec *spec,
                               cu_on_answer *on_answer, void *arg)
{
    CU_ASSERT(spec->timeout_ms > 0);
    const ProtobufCMethodDescriptor *method = find_method(spec->service, spec->method);
    CU_ASSERT(method);
    struct cu_call *call = new_call(c->rpc);
    call->rpc = c->rpc;
    call->client = c;
    call->on_answer = on_answer;
    call->arg = arg;
    call->raw = spec->raw;
    call->raw_above_bytes = spec->raw_above_bytes;
    call->output = method->output;
    cu_count(c->rpc->count.calls, 1);
    if (!c->is_up) {
        fail_later(call, CU_E_DISCONNECTED, "not connected");
        return call;
    }
    call->deadline = (struct cu_deadline){
        .at = cu_mono_add_ms(cu_loop_now(c->rpc->loop), (uint64_t)spec->timeout_ms + RPC_GRACE_MS),
        .fn = deadline_passed,
        .arg = call};
    dispatch(c, call, spec);
    if (call->state != FAILED)
        cu_deadline_set(&c->rpc->deadlines, &call->deadline);
    return call;
}

void cu_call_cancel(struct cu_call *call)
{
    struct cu_client *c = call->client;
    if (call->state == OPEN)
        cu_conn_cancel(c->conn, call->id);
    if (call->state != FAILED) {
        close_call(call);
        release_queued(c);
    }
    free_call(call);
}

/* ---- replies and losses ---- */

bool rpc_call_expects(void *arg, struct cu_conn *conn, uint64_t id)
{
    (void)conn;
    return find_call(arg, id) != NULL;
}

/* Unpacks into the one arena of replies, or a new one while an answer's callback runs below us. */
static struct cu_arena *borrow_arena(struct cu_rpc *rpc)
{
    if (rpc->reply_arena_busy)
        return cu_arena_new(0);
    rpc->reply_arena_busy = true;
    return rpc->reply_arena;
}

static void return_arena(struct cu_rpc *rpc, struct cu_arena *arena)
{
    if (arena != rpc->reply_arena) {
        cu_arena_free(arena);
        return;
    }
    cu_arena_reset(arena);
    rpc->reply_arena_busy = false;
}

static void unpack(struct cu_answer *a, struct cu_arena *arena,
                   const ProtobufCMessageDescriptor *output)
{
    cu_arena_set_limit(arena, REPLY_ARENA_FACTOR * a->body.len + REPLY_ARENA_EXTRA_BYTES);
    a->message = protobuf_c_message_unpack(output, cu_arena_allocator(arena), a->body.len,
                                           a->body.len ? a->body.data : (const uint8_t *)"");
    if (a->message)
        return;
    a->err = CU_E_INTERNAL;
    a->text = "the reply does not parse";
}

void rpc_call_replied(void *arg, struct cu_conn *conn, uint64_t id, const struct cu_reply *reply)
{
    struct cu_client *c = arg;
    struct cu_rpc *rpc = c->rpc;
    struct cu_call *call = find_call(c, id);
    char text[CU_DIAG_BYTES] = "";
    (void)conn;
    if (!call)
        return; /* cancelled meanwhile */
    if (reply->text.len)
        (void)snprintf(text, sizeof text, "%.*s",
                       (int)(reply->text.len < sizeof text ? reply->text.len : sizeof text - 1),
                       (const char *)reply->text.data);
    struct cu_answer a = {.err = cu_err_from_wire(reply->error),
                          .text = text,
                          .index = reply->index,
                          .body = reply->body,
                          .sent = true};
    close_call(call);
    release_queued(c);
    bool is_long = call->raw_above_bytes && a.body.len > call->raw_above_bytes;
    if (a.err || call->raw || is_long) {
        answer(call, &a);
        return;
    }
    struct cu_arena *arena = borrow_arena(rpc);
    unpack(&a, arena, call->output);
    answer(call, &a);
    return_arena(rpc, arena);
}

void rpc_calls_collect(struct cu_client *c, struct rpc_link **ret_list, const char *why)
{
    while (c->calls || c->queue) {
        struct cu_call *call = (struct cu_call *)(c->calls ? c->calls : c->queue);
        call->sent = call->state == OPEN && cu_conn_was_sent(c->conn, call->id, call->mark);
        close_call(call);
        call->state = FAILED;
        call->client = NULL;
        call->err = CU_E_DISCONNECTED;
        call->why = why;
        rpc_link_put(ret_list, &call->link);
    }
}

void rpc_calls_detach_failed(struct cu_client *c)
{
    for (struct rpc_link *link = c->rpc->failed; link; link = link->next)
        if (((struct cu_call *)link)->client == c)
            ((struct cu_call *)link)->client = NULL;
}

void rpc_calls_forget(struct rpc_link **list)
{
    while (*list)
        free_call((struct cu_call *)*list);
}
