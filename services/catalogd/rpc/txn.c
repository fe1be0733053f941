/* Kv.Txn: several operations of the KV, all or none (http-api 2.13). */
#include "proto/curia/v1/kv.pb-c.h"
#include "services/catalogd/io/acl.h"
#include "services/catalogd/rpc/read.h"
#include "services/catalogd/rpc/table.h"
#include "services/catalogd/rpc/write.h"

enum { TXN_OPERATIONS_MAX = 64 };

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

/* Without what the caller may not read. */
static bool fill_results(struct cu_rq *rq, const Curia__Internal__V1__CommandResult *result,
                         Curia__V1__KvTxnReply *reply)
{
    struct cu_arena *arena = rq->arena;
    size_t kept = 0;
    reply->results = cu_arena_alloc(arena, (result->n_results + 1) * sizeof(*reply->results));
    reply->with_value = cu_arena_alloc(arena, (result->n_results + 1) * sizeof(*reply->with_value));
    if (!reply->results || !reply->with_value)
        return false;
    for (size_t i = 0; i < result->n_results; i++) {
        const Curia__Internal__V1__TxnResult *from = result->results[i];
        if (cu_rq_permit(rq, KEY_READ, (struct cu_bytes){from->key.data, from->key.len}, NULL))
            continue;
        reply->results[kept] = pair_of(arena, from);
        if (!reply->results[kept])
            return false;
        reply->with_value[kept++] = from->with_value;
    }
    reply->n_results = reply->n_with_value = kept;
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
    if (catalog_write_refused(rq, outcome))
        return;
    if (!fill_results(rq, result, &reply) || !fill_errors(rq->arena, result, &reply))
        cu_rq_fail(rq, CU_E_TOO_LARGE, "the transaction was applied, but its answer is too large");
    else
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

/* What no operation may do is told of all of them, and nothing else then (http-api.md 2.13).
 * Returns false when there was something: the request is answered. */
static bool check_rights(struct catalog_shell *shell, struct cu_rq *rq,
                         const Curia__V1__KvTxnRequest *in)
{
    struct catalog_caller caller;
    struct cu_diag diag = {0};
    Curia__V1__KvTxnReply reply = CURIA__V1__KV_TXN_REPLY__INIT;
    enum cu_err err = catalog_acl_caller(shell, rq->token, &caller, &diag);
    if (!err)
        err = catalog_kv_txn_precheck(caller.authorizer, in, rq->arena, &reply);
    if (err)
        cu_rq_fail(rq, err, "%s", *diag.text ? diag.text : "the transaction is too large");
    else if (reply.n_errors > 0 && !catalog_refuse_later(shell, rq))
        cu_rq_reply(rq, &reply.base, 0);
    return !err && reply.n_errors == 0;
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

void catalog_kv_txn(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    const Curia__V1__KvTxnRequest *in = (const void *)rq->in;
    if (in->n_operations > TXN_OPERATIONS_MAX) {
        cu_rq_fail(rq, CU_E_TOO_LARGE, "Transaction contains too many operations (%zu > %d)",
                   in->n_operations, TXN_OPERATIONS_MAX);
        return;
    }
    if (catalog_kv_txn_is_read_only(in)) {
        catalog_read_serve(shell, rq, &txn_query);
        return;
    }
    if (!check_rights(shell, rq, in))
        return;
    Curia__Internal__V1__TxnCommand wire = CURIA__INTERNAL__V1__TXN_COMMAND__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    catalog_command_init(rq, "", &origin, &command);
    command.txn = &wire;
    if (fill_txn(rq->arena, in, &wire))
        catalog_write_serve(shell, rq, &command, txn_answer);
    else
        cu_rq_fail(rq, CU_E_TOO_LARGE, "the transaction is too large");
}
