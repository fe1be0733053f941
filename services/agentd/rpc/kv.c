/* kv.c - /v1/kv/ (http-api.md 2.12). */
#include "services/agentd/core/kv.h"

#include <string.h>

#include "common/base/random.h"
#include "common/json/text.h"
#include "curia/v1/kv.pb-c.h"
#include "services/agentd/core/gzip.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/routes.h"

/* ---- rendering: what the view keeps ---- */

/* Indents and compresses what was appended since `start`, as the format says. */
static unsigned finish_format(unsigned status, unsigned format, size_t start, struct cu_buf *out)
{
    if ((format & AGENT_PRETTY) && !(format & AGENT_RAW) && out->len > start) {
        struct cu_buf pretty = {0};
        cu_json_indent(&pretty, (struct cu_bytes){out->data + start, out->len - start});
        out->len = start;
        cu_buf_append(out, pretty.data, pretty.len);
        cu_buf_deinit(&pretty);
    }
    if (!(format & AGENT_GZIP) || out->len - start < AGENT_GZIP_MIN_BYTES)
        return status;
    agent_gzip(out, start);
    return status | AGENT_IS_GZIPPED;
}

static unsigned encode_pair(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__KvGetReply *reply = (const Curia__V1__KvGetReply *)message;
    size_t start = out->len;
    if (!reply->pair)
        return 404;
    if (format & AGENT_RAW) {
        cu_buf_append(out, reply->pair->value.data, reply->pair->value.len);
    } else {
        cu_buf_u8(out, '[');
        cu_json_write(out, &agent_shape_kv_pair, &reply->pair->base);
        cu_buf_u8(out, ']');
    }
    return finish_format(200, format, start, out);
}

static unsigned encode_tree(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__KvListReply *reply = (const Curia__V1__KvListReply *)message;
    size_t start = out->len;
    if (!reply->n_pairs)
        return 404;
    for (size_t i = 0; i < reply->n_pairs; i++) {
        cu_buf_u8(out, i ? ',' : '[');
        cu_json_write(out, &agent_shape_kv_pair, &reply->pairs[i]->base);
    }
    cu_buf_u8(out, ']');
    return finish_format(200, format, start, out);
}

/* No keys is "[]" for the root alone; who asked knows which it was. */
static unsigned encode_keys(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__KvListReply *reply = (const Curia__V1__KvListReply *)message;
    size_t start = out->len;
    cu_buf_u8(out, '[');
    for (size_t i = 0; i < reply->n_keys; i++) {
        if (i)
            cu_buf_u8(out, ',');
        cu_json_text(out, (struct cu_bytes){reply->keys[i].data, reply->keys[i].len});
    }
    cu_buf_u8(out, ']');
    return finish_format(reply->n_keys ? 200 : 404, format, start, out);
}

static const struct cu_view_method get_pair = {&curia__v1__kv__descriptor, "Get", encode_pair};
static const struct cu_view_method get_tree = {&curia__v1__kv__descriptor, "List", encode_tree};
static const struct cu_view_method get_keys = {&curia__v1__kv__descriptor, "List", encode_keys};

/* ---- reading ---- */

static enum cu_view_mode view_mode(enum agent_mode mode)
{
    switch (mode) {
    case AGENT_CONSISTENT:
        return CU_VIEW_CONSISTENT;
    case AGENT_STALE:
        return CU_VIEW_STALE;
    case AGENT_DEFAULT:
    case AGENT_MODE_COUNT:
        break;
    }
    return CU_VIEW_DEFAULT;
}

/* A little more than asked, so that a herd does not come back together (http-api.md 1.8). */
static uint64_t with_jitter(uint64_t wait_ms)
{
    uint64_t number;
    cu_random_bytes(&number, sizeof number);
    return wait_ms + number % (wait_ms / AGENT_JITTER_SHARE + 1);
}

static void read_done(void *arg, const struct cu_view_answer *answer);

static void start_read(struct agent_call *call)
{
    struct cu_view_read *read = &call->read;
    Curia__V1__KvGetRequest get = CURIA__V1__KV_GET_REQUEST__INIT;
    Curia__V1__KvListRequest list = CURIA__V1__KV_LIST_REQUEST__INIT;
    ProtobufCBinaryData key = {call->tail.len, (uint8_t *)call->tail.data};
    bool one = call->kind == AGENT_KV_ONE || call->kind == AGENT_KV_RAW;

    *read = (struct cu_view_read){
        .mode = view_mode(call->options.mode),
        .index = call->options.index,
        .wait_ms = call->options.index ? with_jitter(call->options.wait_ms) : 0,
        .format = call->format,
        .token = call->token,
        .done = read_done,
        .arg = call,
    };
    if (one) {
        get.key = key;
        read->method = &get_pair;
        read->request = &get.base;
    } else {
        list.prefix = key;
        list.keys_only = call->kind == AGENT_KV_KEYS;
        if (list.keys_only) {
            struct cu_bytes separator = agent_kv_separator(&call->query);
            list.separator = (ProtobufCBinaryData){separator.len, (uint8_t *)separator.data};
        }
        read->method = list.keys_only ? &get_keys : &get_tree;
        read->request = &list.base;
    }
    call->rq.will_wait = read->index > 0;
    cu_view_read(call->agent->view, read);
}

/* ?max_stale: an answer from too far behind is asked for again in default mode, once. */
static bool is_too_stale(struct agent_call *call, const struct cu_view_answer *answer)
{
    return call->options.max_stale_ms && answer->last_contact_ms > call->options.max_stale_ms;
}

static void read_done(void *arg, const struct cu_view_answer *answer)
{
    struct agent_call *call = arg;
    struct agent_meta meta = {answer->index ? answer->index : 1, answer->known_leader,
                              answer->last_contact_ms};
    if (answer->err) {
        agent_answer_error(call, answer->err, answer->text, 500);
        return;
    }
    if (is_too_stale(call, answer)) {
        call->options.mode = AGENT_DEFAULT;
        call->options.max_stale_ms = 0;
        start_read(call);
        return;
    }
    unsigned status = answer->body->number & AGENT_STATUS_MASK;
    if (status == 404 && call->kind == AGENT_KV_KEYS && call->tail.len == 0)
        status = 200;
    if (status == 404)
        agent_answer_empty(call, 404, &meta);
    else
        agent_answer_body(call, status, answer->body->number & AGENT_IS_GZIPPED,
                          call->format & AGENT_RAW ? "text/plain" : "application/json",
                          answer->body, &meta);
}

static void get(struct agent_call *call)
{
    enum agent_kv_read kind;
    if (!agent_kv_read_parse(&call->query, call->tail, &kind, &call->fault)) {
        agent_answer_fault(call);
        return;
    }
    call->kind = kind;
    if (kind == AGENT_KV_RAW)
        call->format = AGENT_RAW | (call->format & AGENT_GZIP);
    start_read(call);
}

/* ---- writing ---- */

static void write_done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (answer->err) {
        agent_answer_error(call, answer->err, answer->text, 500);
        return;
    }
    const Curia__V1__KvPutReply *reply = (const Curia__V1__KvPutReply *)answer->message;
    cu_buf_text(&json, reply->applied ? "true" : "false");
    agent_answer_json(call, 200, &json, NULL);
}

static void start_write(struct agent_call *call, const Curia__V1__KvPutRequest *request)
{
    call->upstream = (struct cu_view_call){
        .service = &curia__v1__kv__descriptor,
        .method = "Put",
        .request = &request->base,
        .timeout_ms = AGENT_WRITE_MS,
        .token = call->token,
        .origin = {call->agent->env->node_name, "agentd",
                   agent_rq_address(&call->rq, call->address)},
        .done = write_done,
        .arg = call,
    };
    cu_view_call(call->agent->view, &call->upstream);
}

static void put_or_delete(struct agent_call *call)
{
    /* In the arena, since a write that waits for a catalogd is packed later. */
    Curia__V1__KvPutRequest *request = cu_arena_alloc(call->rq.arena, sizeof *request);
    bool good = request != NULL;
    if (good) {
        curia__v1__kv_put_request__init(request);
        good = call->rq.method[0] == 'P'
                   ? agent_kv_put_parse(&call->query, call->tail, cu_buf_bytes(&call->rq.body),
                                        request, &call->fault)
                   : agent_kv_delete_parse(&call->query, call->tail, request, &call->fault);
    } else {
        (void)agent_refuse(&call->fault, 500, "request is too large");
    }
    if (good)
        start_write(call, request);
    else
        agent_answer_fault(call);
}

void agent_kv_handle(struct agent_call *call)
{
    if (call->rq.method[0] == 'G')
        get(call);
    else
        put_or_delete(call);
}
