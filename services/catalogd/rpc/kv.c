/* Kv: reads through rpc/read, writes through the log (http-api 2.12, 2.13). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "proto/curia/v1/kv.pb-c.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/rpc/read.h"
#include "services/catalogd/rpc/table.h"

enum { TXN_OPERATIONS_MAX = 64, WRITE_MARGIN_MS = 20 };

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

static const struct catalog_query list_query = {
    .name = "Kv.List",
    .request = &curia__v1__kv_list_request__descriptor,
    .reply = &curia__v1__kv_list_reply__descriptor,
    .is_blocking = true,
    .options = list_options,
    .set_options = list_set_options,
    .set_meta = list_set_meta,
    .evaluate = list_evaluate,
    .topics = list_topics,
};

static struct cu_bytes list_resource(const ProtobufCMessage *in)
{
    return bytes_of(((const Curia__V1__KvListRequest *)in)->prefix);
}

static void list(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &list_query);
}

/* ---- writes ---- */

/* A request whose command is on its way through the log. */
struct writing {
    struct catalog_shell *shell;
    struct cu_rq *rq;
    struct catalog_write *write;
    void (*answer)(struct cu_rq *rq, const struct catalog_outcome *outcome);
};

static void writer_gone(void *arg)
{
    struct writing *writing = arg;
    catalog_write_let_go(writing->shell, writing->write);
    free(writing);
}

static void on_written(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
    struct writing *writing = arg;
    struct cu_rq *rq = writing->rq;
    if (err) {
        cu_rq_fail(rq, err, "%s", catalog_error_text(writing->shell, err));
    } else {
        cu_sample_add(
            writing->shell->count.kv_apply,
            (double)cu_mono_ms_between(rq->arrived, cu_loop_now(writing->shell->env->loop)));
        writing->answer(rq, outcome);
    }
    free(writing);
}

static void fill_command(const struct cu_rq *rq, const char *reason,
                         Curia__Internal__V1__Origin *origin, Curia__Internal__V1__Command *command)
{
    curia__internal__v1__origin__init(origin);
    origin->node = (char *)(uintptr_t)rq->origin.node;
    origin->daemon = (char *)(uintptr_t)rq->origin.daemon;
    origin->address = (char *)(uintptr_t)rq->origin.address;
    curia__internal__v1__command__init(command);
    command->origin = origin;
    command->actor = "anonymous";
    command->cause = "api";
    command->reason = (char *)(uintptr_t)reason;
}

/* Held as long as a leader may be missing, and answered before the caller gives up by itself. */
static struct cu_mono write_deadline(const struct catalog_shell *shell, const struct cu_rq *rq)
{
    struct cu_mono hold =
        cu_mono_add_ms(cu_loop_now(shell->env->loop), (uint64_t)shell->conf.hold_ms);
    struct cu_mono given = rq->deadline;
    if (given.ns > WRITE_MARGIN_MS * 1000000ull)
        given.ns -= WRITE_MARGIN_MS * 1000000ull;
    return cu_mono_min(hold, given);
}

static void start(struct catalog_shell *shell, struct cu_rq *rq,
                  const Curia__Internal__V1__Command *command,
                  void (*answer)(struct cu_rq *rq, const struct catalog_outcome *outcome))
{
    struct writing *writing = cu_alloc(sizeof(*writing));
    *writing = (struct writing){.shell = shell, .rq = rq, .answer = answer};
    struct catalog_write *write =
        catalog_write_start(shell, command, write_deadline(shell, rq), false, on_written, writing);
    if (!write) /* answered, and `writing` with it */
        return;
    writing->write = write;
    cu_rq_on_gone(rq, writer_gone, writing);
}

/* ---- Put ---- */

static struct cu_bytes put_resource(const ProtobufCMessage *in)
{
    return bytes_of(((const Curia__V1__KvPutRequest *)in)->key);
}

static void put_answer(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    const Curia__Internal__V1__CommandResult *result = outcome->result;
    if (result->error) {
        cu_rq_fail(rq, cu_err_from_wire(result->error), "%s", result->text);
        return;
    }
    Curia__V1__KvPutReply reply = CURIA__V1__KV_PUT_REPLY__INIT;
    reply.applied = result->applied;
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
    Curia__Internal__V1__KvCommand kv = CURIA__INTERNAL__V1__KV_COMMAND__INIT;
    kv.verb = in->verb;
    kv.key = in->key;
    kv.value = in->value;
    kv.flags = in->flags;
    kv.index = in->index;
    kv.session = in->session;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    fill_command(rq, in->reason, &origin, &command);
    command.kv = &kv;
    start(shell, rq, &command, put_answer);
}

/* ---- Txn ---- */

static const Curia__V1__ReadOptions *txn_options(const ProtobufCMessage *in)
{
    return ((const Curia__V1__KvTxnRequest *)in)->read;
}

static void txn_set_options(ProtobufCMessage *in, Curia__V1__ReadOptions *options)
{
    ((Curia__V1__KvTxnRequest *)in)->read = options;
}

static void txn_set_meta(ProtobufCMessage *reply, Curia__V1__ReadMeta *meta)
{
    ((Curia__V1__KvTxnReply *)reply)->meta = meta;
}

static enum cu_err txn_evaluate(const struct catalog_view *view, const ProtobufCMessage *in,
                                struct cu_arena *arena, ProtobufCMessage *reply,
                                uint64_t *ret_index)
{
    *ret_index = 0;
    return catalog_kv_txn_read(view, (const Curia__V1__KvTxnRequest *)in, arena,
                               (Curia__V1__KvTxnReply *)reply);
}

static const struct catalog_query txn_query = {
    .name = "Kv.Txn",
    .request = &curia__v1__kv_txn_request__descriptor,
    .reply = &curia__v1__kv_txn_reply__descriptor,
    .options = txn_options,
    .set_options = txn_set_options,
    .set_meta = txn_set_meta,
    .evaluate = txn_evaluate,
};

static Curia__V1__KvPair *pair_of(struct cu_arena *arena,
                                  const Curia__Internal__V1__TxnResult *result)
{
    Curia__V1__KvPair *pair = cu_arena_alloc(arena, sizeof(*pair));
    Curia__Internal__V1__KvRow *row = curia__internal__v1__kv_row__unpack(
        cu_arena_allocator(arena), result->row.len, result->row.data);
    if (!pair || !row)
        return NULL;
    curia__v1__kv_pair__init(pair);
    pair->key = result->key;
    pair->value = row->value;
    pair->flags = row->flags;
    pair->lock_index = row->lock_index;
    pair->session = row->session;
    pair->create_index = result->create_index;
    pair->modify_index = result->modify_index;
    return pair;
}

static bool fill_results(struct cu_arena *arena, const Curia__Internal__V1__CommandResult *result,
                         Curia__V1__KvTxnReply *reply)
{
    reply->results = cu_arena_alloc(arena, (result->n_results + 1) * sizeof(*reply->results));
    reply->with_value = cu_arena_alloc(arena, (result->n_results + 1) * sizeof(*reply->with_value));
    if (!reply->results || !reply->with_value)
        return false;
    for (size_t i = 0; i < result->n_results; i++) {
        reply->results[i] = pair_of(arena, result->results[i]);
        if (!reply->results[i])
            return false;
        reply->with_value[i] = result->results[i]->with_value;
    }
    reply->n_results = reply->n_with_value = result->n_results;
    return true;
}

static bool fill_errors(struct cu_arena *arena, const Curia__Internal__V1__CommandResult *result,
                        Curia__V1__KvTxnReply *reply)
{
    reply->errors = cu_arena_alloc(arena, (result->n_failures + 1) * sizeof(*reply->errors));
    for (size_t i = 0; reply->errors && i < result->n_failures; i++) {
        Curia__V1__KvTxnError *error = cu_arena_alloc(arena, sizeof(*error));
        if (!error)
            return false;
        curia__v1__kv_txn_error__init(error);
        error->op_index = result->failures[i]->op_index;
        error->what = result->failures[i]->what;
        reply->errors[i] = error;
    }
    reply->n_errors = result->n_failures;
    return reply->errors != NULL;
}

static void txn_answer(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    const Curia__Internal__V1__CommandResult *result = outcome->result;
    Curia__V1__KvTxnReply reply = CURIA__V1__KV_TXN_REPLY__INIT;
    cu_arena_set_limit(rq->arena, CATALOG_READ_ARENA_BYTES);
    if (result->error)
        cu_rq_fail(rq, cu_err_from_wire(result->error), "%s", result->text);
    else if (!fill_results(rq->arena, result, &reply) || !fill_errors(rq->arena, result, &reply))
        cu_rq_fail(rq, CU_E_TOO_LARGE, "the transaction was applied, but its answer is too large");
    else
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

/* The right of each operation, by verb; verbs above the table are told by apply. */
static enum cu_right txn_right(unsigned verb)
{
    bool is_read = verb == CURIA__V1__KV_VERB__KV_GET || verb == CURIA__V1__KV_VERB__KV_GET_TREE ||
                   verb == CURIA__V1__KV_VERB__KV_CHECK_SESSION ||
                   verb == CURIA__V1__KV_VERB__KV_CHECK_INDEX;
    return is_read ? KEY_READ : KEY_WRITE;
}

static bool txn_permitted(struct cu_rq *rq, const Curia__V1__KvTxnRequest *in)
{
    for (size_t i = 0; i < in->n_operations; i++) {
        const Curia__V1__KvOperation *op = in->operations[i];
        if (!cu_rq_permit(rq, txn_right(op->verb), bytes_of(op->key)))
            return false;
    }
    return true;
}

static bool fill_txn(struct cu_arena *arena, const Curia__V1__KvTxnRequest *in,
                     Curia__Internal__V1__TxnCommand *txn)
{
    txn->kv = cu_arena_alloc(arena, (in->n_operations + 1) * sizeof(*txn->kv));
    for (size_t i = 0; txn->kv && i < in->n_operations; i++) {
        const Curia__V1__KvOperation *op = in->operations[i];
        Curia__Internal__V1__KvCommand *kv = cu_arena_alloc(arena, sizeof(*kv));
        if (!kv)
            return false;
        curia__internal__v1__kv_command__init(kv);
        kv->verb = op->verb;
        kv->key = op->key;
        kv->value = op->value;
        kv->flags = op->flags;
        kv->index = op->index;
        kv->session = op->session;
        txn->kv[i] = kv;
    }
    txn->n_kv = in->n_operations;
    return txn->kv != NULL;
}

static void txn(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    const Curia__V1__KvTxnRequest *in = (const void *)rq->in;
    if (in->n_operations > TXN_OPERATIONS_MAX) {
        cu_rq_fail(rq, CU_E_TOO_LARGE, "Transaction contains too many operations (%zu > %d)",
                   in->n_operations, TXN_OPERATIONS_MAX);
        return;
    }
    if (!txn_permitted(rq, in)) {
        cu_rq_fail(rq, CU_E_DENIED, "Permission denied");
        return;
    }
    if (catalog_kv_txn_is_read_only(in)) {
        catalog_read_serve(shell, rq, &txn_query);
        return;
    }
    Curia__Internal__V1__TxnCommand wire = CURIA__INTERNAL__V1__TXN_COMMAND__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    fill_command(rq, "", &origin, &command);
    command.txn = &wire;
    if (fill_txn(rq->arena, in, &wire))
        start(shell, rq, &command, txn_answer);
    else
        cu_rq_fail(rq, CU_E_TOO_LARGE, "the transaction is too large");
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method kind     route           caller        permission                      request     reply       handler */
    CU_METHOD(Get,   CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(KEY_READ, get_resource),   16 * KIB,   1472 * KIB, get),
    CU_METHOD(List,  CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(KEY_LIST, list_resource),  16 * KIB,   64 * MIB,   list),
    CU_METHOD(Put,   CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(KEY_WRITE, put_resource),  1472 * KIB, 4 * KIB,    put),
    CU_METHOD(Txn,   CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, NO_PERM,                        1472 * KIB, 64 * MIB,   txn),
};
/* clang-format on */

const struct cu_service catalog_kv_service = {&curia__v1__kv__descriptor, methods,
                                              CU_COUNT(methods)};
