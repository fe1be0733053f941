/* Kv: reads through rpc/read, writes through rpc/write (http-api 2.12); transactions are in txn.c.
 */

#include "proto/curia/v1/kv.pb-c.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/rpc/read.h"
#include "services/catalogd/rpc/table.h"
#include "services/catalogd/rpc/write.h"

static struct cu_bytes bytes_of(ProtobufCBinaryData data)
{
    return (struct cu_bytes){data.data, data.len};
}

/* ---- Get ---- */

static const Curia__V1__ReadOptions *get_options(const ProtobufCMessage *in)
{
    return ((const Curia__V1__KvGetRequest *)in)->read;
}

static void get_set_options(ProtobufCMessage *in, Curia__V1__ReadOptions *options)
{
    ((Curia__V1__KvGetRequest *)in)->read = options;
}

static void get_set_meta(ProtobufCMessage *reply, Curia__V1__ReadMeta *meta)
{
    ((Curia__V1__KvGetReply *)reply)->meta = meta;
}

static enum cu_err get_evaluate(const struct catalog_view *view, const ProtobufCMessage *in,
                                struct cu_arena *arena, ProtobufCMessage *reply,
                                uint64_t *ret_index)
{
    return catalog_kv_get(view, bytes_of(((const Curia__V1__KvGetRequest *)in)->key), arena,
                          &((Curia__V1__KvGetReply *)reply)->pair, ret_index);
}

static size_t get_topics(const ProtobufCMessage *in, struct cu_arena *arena,
                         struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    struct cu_bytes key =
        catalog_key_of(arena, bytes_of(((const Curia__V1__KvGetRequest *)in)->key));
    topics[0] = (struct catalog_topic){CATALOG_KV, false, key};
    return key.data ? 1 : 0;
}

static const struct catalog_query get_query = {
    .name = "Kv.Get",
    .request = &curia__v1__kv_get_request__descriptor,
    .reply = &curia__v1__kv_get_reply__descriptor,
    .is_point = true,
    .is_blocking = true,
    .options = get_options,
    .set_options = get_set_options,
    .set_meta = get_set_meta,
    .evaluate = get_evaluate,
    .topics = get_topics,
};

static struct cu_bytes get_resource(const ProtobufCMessage *in)
{
    return bytes_of(((const Curia__V1__KvGetRequest *)in)->key);
}

static void get(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &get_query);
}

/* ---- List ---- */

static const Curia__V1__ReadOptions *list_options(const ProtobufCMessage *in)
{
    return ((const Curia__V1__KvListRequest *)in)->read;
}

static void list_set_options(ProtobufCMessage *in, Curia__V1__ReadOptions *options)
{
    ((Curia__V1__KvListRequest *)in)->read = options;
}

static void list_set_meta(ProtobufCMessage *reply, Curia__V1__ReadMeta *meta)
{
    ((Curia__V1__KvListReply *)reply)->meta = meta;
}

static enum cu_err list_evaluate(const struct catalog_view *view, const ProtobufCMessage *in,
                                 struct cu_arena *arena, ProtobufCMessage *reply,
                                 uint64_t *ret_index)
{
    return catalog_kv_list(view, (const Curia__V1__KvListRequest *)in, arena,
                           (Curia__V1__KvListReply *)reply, ret_index);
}

static size_t list_topics(const ProtobufCMessage *in, struct cu_arena *arena,
                          struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    struct cu_bytes prefix =
        catalog_key_of(arena, bytes_of(((const Curia__V1__KvListRequest *)in)->prefix));
    topics[0] = (struct catalog_topic){CATALOG_KV, true, prefix};
    return prefix.data ? 1 : 0;
}

/* Only where that is configured (http-api.md 4.3). */
static enum cu_err list_permit(struct catalog_shell *shell, struct cu_rq *rq, struct cu_diag *diag)
{
    const Curia__V1__KvListRequest *in = (const Curia__V1__KvListRequest *)rq->in;
    return shell->conf.acl.needs_key_list ? cu_rq_permit(rq, KEY_LIST, bytes_of(in->prefix), diag)
                                          : CU_OK;
}

static const struct catalog_query list_query = {
    .name = "Kv.List",
    .request = &curia__v1__kv_list_request__descriptor,
    .reply = &curia__v1__kv_list_reply__descriptor,
    .is_blocking = true,
    .permit = list_permit,
    .options = list_options,
    .set_options = list_set_options,
    .set_meta = list_set_meta,
    .evaluate = list_evaluate,
    .topics = list_topics,
};

static void list(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &list_query);
}

/* ---- Put ---- */

static void put_answer(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__KvPutReply reply = CURIA__V1__KV_PUT_REPLY__INIT;
    if (catalog_write_refused(rq, outcome))
        return;
    reply.applied = outcome->result->applied;
    cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

/* Whether the verb writes one key, or a tree: those that Put takes. */
static bool is_put_verb(unsigned verb)
{
    return verb <= CURIA__V1__KV_VERB__KV_DELETE_TREE;
}

static void put(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    const Curia__V1__KvPutRequest *in = (const void *)rq->in;
    if (!is_put_verb(in->verb)) {
        cu_rq_fail(rq, CU_E_INVALID, "unknown KV verb");
        return;
    }
    if (in->key.len == 0 && in->verb != CURIA__V1__KV_VERB__KV_DELETE_TREE) {
        cu_rq_fail(rq, CU_E_INVALID, "Missing key name");
        return;
    }
    if (in->value.len > (size_t)shell->conf.value_max_bytes) {
        cu_rq_fail(rq, CU_E_TOO_LARGE, "Value exceeds %lld byte limit",
                   (long long)shell->conf.value_max_bytes);
        return;
    }
    struct cu_diag diag = {0};
    bool is_tree = in->verb == CURIA__V1__KV_VERB__KV_DELETE_TREE;
    enum cu_err err =
        cu_rq_permit(rq, is_tree ? KEY_WRITE_BELOW : KEY_WRITE, bytes_of(in->key), &diag);
    if (err) {
        catalog_refuse(shell, rq, err, diag.text);
        return;
    }
    Curia__Internal__V1__KvCommand kv = CURIA__INTERNAL__V1__KV_COMMAND__INIT;
    kv.verb = in->verb;
    kv.key = in->key;
    kv.value = in->value;
    kv.flags = in->flags;
    kv.index = in->index;
    kv.session = in->session;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    catalog_command_init(rq, in->reason, &origin, &command);
    command.kv = &kv;
    catalog_write_serve(shell, rq, &command, put_answer);
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method kind     route           caller        permission                      request     reply       handler */
    CU_METHOD(Get,   CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(KEY_READ, get_resource),   16 * KIB,   1472 * KIB, get),
    CU_METHOD(List,  CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL),         16 * KIB,   64 * MIB,   list),
    CU_METHOD(Put,   CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ANY_TOKEN, NULL),         1472 * KIB, 4 * KIB,    put),
    CU_METHOD(Txn,   CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ANY_TOKEN, NULL),          1472 * KIB, 64 * MIB,   catalog_kv_txn),
};
/* clang-format on */

const struct cu_service catalog_kv_service = {&curia__v1__kv__descriptor, methods,
                                              CU_COUNT(methods)};
