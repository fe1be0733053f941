/* kv.c - /v1/kv/ (http-api.md 2.12). */
#include "services/agentd/core/kv.h"

#include <string.h>

#include "common/json/text.h"
#include "curia/v1/kv.pb-c.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

/* ---- rendering: what the view keeps ---- */

static unsigned encode_pair(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__KvGetReply *reply = (const Curia__V1__KvGetReply *)message;
    size_t start = out->len;
    if (!reply->pair)
        return 404;
    if (format & AGENT_RAW) {
        cu_buf_append(out, reply->pair->value.data, reply->pair->value.len);
    } else {
        cu_json_write_list(out, &agent_shape_kv_pair, &reply->pair, 1);
    }
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_tree(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__KvListReply *reply = (const Curia__V1__KvListReply *)message;
    size_t start = out->len;
    if (!reply->n_pairs)
        return 404;
    cu_json_write_list(out, &agent_shape_kv_pair, reply->pairs, reply->n_pairs);
    return agent_read_finish(200, format, start, out);
}

static void write_keys(struct cu_buf *out, const Curia__V1__KvListReply *reply)
{
    cu_buf_u8(out, '[');
    for (size_t i = 0; i < reply->n_keys; i++) {
        if (i)
            cu_buf_u8(out, ',');
        cu_json_text(out, (struct cu_bytes){reply->keys[i].data, reply->keys[i].len});
    }
    cu_buf_u8(out, ']');
}

static unsigned encode_keys(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__KvListReply *reply = (const Curia__V1__KvListReply *)message;
    size_t start = out->len;
    if (!reply->n_keys)
        return 404;
    write_keys(out, reply);
    return agent_read_finish(200, format, start, out);
}

/* No keys at all is "[]", for the root alone. */
static unsigned encode_all_keys(const ProtobufCMessage *message, unsigned format,
                                struct cu_buf *out)
{
    size_t start = out->len;
    write_keys(out, (const Curia__V1__KvListReply *)message);
    return agent_read_finish(200, format, start, out);
}

/* ---- reading ---- */

// clang-format off
#define METHOD(name, encode) {&curia__v1__kv__descriptor, name, encode}
static const struct agent_read_row get_pair     = {.method = METHOD("Get",  encode_pair)};
static const struct agent_read_row get_tree     = {.method = METHOD("List", encode_tree)};
static const struct agent_read_row get_keys     = {.method = METHOD("List", encode_keys)};
static const struct agent_read_row get_all_keys = {.method = METHOD("List", encode_all_keys)};
/* clang-format on */

static void read_pair(struct agent_call *call)
{
    Curia__V1__KvGetRequest *get = cu_arena_alloc(call->rq.arena, sizeof *get);
    if (!get) {
        agent_answer_text(call, 500, "request is too large");
        return;
    }
    curia__v1__kv_get_request__init(get);
    get->key = (ProtobufCBinaryData){call->tail.len, (uint8_t *)call->tail.data};
    agent_read_start(call, &get_pair, &get->base);
}

static void read_list(struct agent_call *call, bool keys_only)
{
    Curia__V1__KvListRequest *list = cu_arena_alloc(call->rq.arena, sizeof *list);
    if (!list) {
        agent_answer_text(call, 500, "request is too large");
        return;
    }
    curia__v1__kv_list_request__init(list);
    list->prefix = (ProtobufCBinaryData){call->tail.len, (uint8_t *)call->tail.data};
    list->keys_only = keys_only;
    if (keys_only) {
        struct cu_bytes separator = agent_kv_separator(&call->query);
        list->separator = (ProtobufCBinaryData){separator.len, (uint8_t *)separator.data};
    }
    const struct agent_read_row *keys = call->tail.len ? &get_keys : &get_all_keys;
    agent_read_start(call, keys_only ? keys : &get_tree, &list->base);
}

static void get(struct agent_call *call)
{
    enum agent_kv_read kind;
    if (!agent_kv_read_parse(&call->query, call->tail, &kind, &call->fault)) {
        agent_answer_fault(call);
        return;
    }
    if (kind == AGENT_KV_RAW)
        call->format = AGENT_RAW | (call->format & AGENT_GZIP);
    if (kind == AGENT_KV_ONE || kind == AGENT_KV_RAW)
        read_pair(call);
    else
        read_list(call, kind == AGENT_KV_KEYS);
}

/* ---- writing ---- */

static void write_done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (agent_answer_failed(call, answer))
        return;
    const Curia__V1__KvPutReply *reply = (const Curia__V1__KvPutReply *)answer->message;
    cu_buf_text(&json, reply->applied ? "true" : "false");
    agent_answer_json(call, 200, &json, NULL);
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
        agent_write_start(call, &curia__v1__kv__descriptor, "Put", &request->base, write_done);
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
