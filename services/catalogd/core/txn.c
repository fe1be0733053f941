#include "services/catalogd/core/txn.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/quote.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/look.h"
#include "services/catalogd/core/store_state.h"

typedef Curia__Internal__V1__TxnResult txn_result;
typedef Curia__Internal__V1__TxnFailure txn_failure;
typedef Curia__Internal__V1__CommandResult command_result;

struct txn {
    struct catalog_store *store;
    struct cu_arena *arena; /* of the results: too small, they are lost, and nothing else changes */
    bool is_lost;
    uint64_t result_bytes;
    txn_result **results;
    size_t result_count, result_cap;
    txn_failure **failures; /* one an operation at most */
    size_t failure_count;
};

static void add_failure(struct txn *txn, size_t op_index, const char *what)
{
    size_t at = txn->failure_count++;
    txn_failure *failure = cu_arena_alloc(txn->arena, sizeof *failure);
    char *copy = cu_arena_strdup(txn->arena, what);
    if (!failure || !copy || !txn->failures) {
        txn->is_lost = true;
        return;
    }
    curia__internal__v1__txn_failure__init(failure);
    failure->op_index = (uint32_t)op_index;
    failure->what = copy;
    txn->failures[at] = failure;
}

/* ---- results ---- */

static txn_result **result_slot(struct txn *txn)
{
    if (txn->result_count == txn->result_cap) {
        size_t cap = txn->result_cap ? txn->result_cap * 2 : 16;
        txn_result **grown = cu_arena_alloc(txn->arena, cap * sizeof(txn_result *));
        if (!grown)
            return NULL;
        if (txn->result_count)
            memcpy(grown, txn->results, txn->result_count * sizeof(txn_result *));
        txn->results = grown;
        txn->result_cap = cap;
    }
    return &txn->results[txn->result_count];
}

/* The row as results carry it: its value only where it was asked for. */
static struct cu_bytes row_bytes(struct txn *txn, const struct catalog_row *row, bool with_value)
{
    struct cu_arena *scratch = txn->store->scratch;
    if (with_value)
        return row->value;
    Curia__Internal__V1__KvRow *kv = curia__internal__v1__kv_row__unpack(
        cu_arena_allocator(scratch), row->value.len, row->value.data);
    CU_ASSERT(kv);
    kv->value = (ProtobufCBinaryData){0, NULL};
    uint8_t *packed = cu_arena_alloc(scratch, curia__internal__v1__kv_row__get_packed_size(kv) + 1);
    CU_ASSERT(packed);
    return (struct cu_bytes){packed, curia__internal__v1__kv_row__pack(kv, packed)};
}

static bool copy_bytes(struct cu_arena *arena, struct cu_bytes from, ProtobufCBinaryData *ret_to)
{
    uint8_t *copy = cu_arena_memdup(arena, from.data, from.len);
    if (!copy && from.len)
        return false;
    *ret_to = (ProtobufCBinaryData){from.len, copy};
    return true;
}

static void keep_result(struct txn *txn, const struct catalog_row *row, struct cu_bytes user,
                        struct cu_bytes bytes, bool with_value)
{
    txn_result **slot = result_slot(txn);
    txn_result *result = slot ? cu_arena_alloc(txn->arena, sizeof *result) : NULL;
    if (!result) {
        txn->is_lost = true;
        return;
    }
    curia__internal__v1__txn_result__init(result);
    result->create_index = row->create_index;
    result->modify_index = row->modify_index;
    result->with_value = with_value;
    if (!copy_bytes(txn->arena, user, &result->key) || !copy_bytes(txn->arena, bytes, &result->row))
        txn->is_lost = true;
    *slot = result;
    txn->result_count++;
}

/* CONFLICT: more than a transaction may give back. Counted the same on every replica. */
static enum cu_err add_result(void *arg, const struct catalog_row *row, bool with_value)
{
    struct txn *txn = arg;
    struct cu_bytes user, bytes = row_bytes(txn, row, with_value);
    if (!catalog_key_user(row->key, &user))
        return CU_E_CORRUPT;
    txn->result_bytes += CATALOG_TXN_RESULT_OVERHEAD_BYTES + user.len + bytes.len;
    if (txn->result_bytes > CATALOG_TXN_RESULT_BYTES_MAX)
        return CU_E_CONFLICT;
    if (!txn->is_lost)
        keep_result(txn, row, user, bytes, with_value);
    return CU_OK;
}

/* ---- operations ---- */

/* Why a write that did not apply fails a transaction, around the key. */
/* clang-format off */
static const struct { const char *before, *after; } refusals[CATALOG_KV_VERB_COUNT] = {
    [CATALOG_KV_CAS]        = {"failed to set key ",    ", index is stale"},
    [CATALOG_KV_LOCK]       = {"failed to lock key ",   ", lock is already held"},
    [CATALOG_KV_UNLOCK]     = {"failed to unlock key ",
                               ", lock isn't held, or is held by another session"},
    [CATALOG_KV_DELETE_CAS] = {"failed to delete key ", ", index is stale"},
};
/* clang-format on */

static const char *refusal_of(struct txn *txn, const struct catalog_kv_op *op,
                              const struct catalog_kv_done *done)
{
    if (done->refusal)
        return done->refusal;
    struct cu_arena *scratch = txn->store->scratch;
    const char *what = cu_arena_printf(scratch, "%s%s%s", refusals[op->verb].before,
                                       cu_quote(scratch, op->key), refusals[op->verb].after);
    CU_ASSERT(what);
    return what;
}

static enum cu_err run_write(struct txn *txn, const struct catalog_kv_op *op,
                             const char **ret_failure)
{
    struct catalog_kv_done done;
    enum cu_err err = catalog_kv_write(txn->store, op, &done);
    if (err)
        return err;
    if (!done.applied)
        *ret_failure = refusal_of(txn, op, &done);
    return done.has_row ? add_result(txn, &done.row, false) : CU_OK;
}

static enum cu_err run_op(struct txn *txn, size_t at, const struct catalog_kv_op *op)
{
    const char *failure = NULL;
    enum cu_err err =
        catalog_kv_is_write(op)
            ? run_write(txn, op, &failure)
            : catalog_look(txn->store->backend, op, txn->store->scratch, add_result, txn, &failure);
    if (err == CU_E_CONFLICT) {
        failure = "the results of the transaction are larger than 8388608 bytes";
        err = CU_OK;
    }
    if (!err && failure)
        add_failure(txn, at, failure);
    return err;
}
_Static_assert(CATALOG_TXN_RESULT_BYTES_MAX == 8388608, "named in the sentence above");

/* ---- the whole ---- */

static const command_result *lost(bool applied)
{
    static const command_result took_effect = {
        .base = PROTOBUF_C_MESSAGE_INIT(&curia__internal__v1__command_result__descriptor),
        .applied = true,
        .error = CU_E_UNKNOWN,
        .text = "the transaction took effect, its answer is larger than the memory for it"};
    static const command_result had_none = {
        .base = PROTOBUF_C_MESSAGE_INIT(&curia__internal__v1__command_result__descriptor),
        .error = CU_E_TOO_LARGE,
        .text = "the answer is larger than the memory for it"};
    return applied ? &took_effect : &had_none;
}

static const command_result *finish(struct txn *txn)
{
    bool applied = txn->failure_count == 0;
    command_result *result = cu_arena_alloc(txn->arena, sizeof *result);
    if (!result || txn->is_lost)
        return lost(applied);
    curia__internal__v1__command_result__init(result);
    result->applied = applied;
    result->failures = txn->failures;
    result->n_failures = txn->failure_count;
    if (applied) {
        result->results = txn->results;
        result->n_results = txn->result_count;
    }
    return result;
}

static bool precheck(struct txn *txn, const struct catalog_kv_op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *what = catalog_look_precheck(&ops[i]);
        if (what)
            add_failure(txn, i, what);
    }
    return txn->failure_count == 0;
}

static enum cu_err run_all(struct txn *txn, const struct catalog_kv_op *ops, size_t count)
{
    enum cu_err err = catalog_store_mark(txn->store);
    for (size_t i = 0; !err && i < count; i++)
        err = run_op(txn, i, &ops[i]);
    if (err)
        return err; /* the edge drops the whole transaction */
    return txn->failure_count ? catalog_store_undo(txn->store) : catalog_store_keep(txn->store);
}

enum cu_err catalog_txn_apply(struct catalog_store *store,
                              const Curia__Internal__V1__TxnCommand *command,
                              struct cu_arena *arena,
                              const Curia__Internal__V1__CommandResult **ret_result)
{
    struct catalog_kv_op ops[CATALOG_TXN_OPS_MAX];
    CU_ASSERT(command->n_kv <= CATALOG_TXN_OPS_MAX);
    for (size_t i = 0; i < command->n_kv; i++)
        ops[i] = catalog_kv_op_of_command(command->kv[i]);
    struct txn txn = {.store = store, .arena = arena};
    txn.failures = cu_arena_alloc(arena, (command->n_kv + 1) * sizeof(txn_failure *));
    enum cu_err err = CU_OK;
    if (precheck(&txn, ops, command->n_kv))
        err = run_all(&txn, ops, command->n_kv);
    if (!err)
        *ret_result = finish(&txn);
    return err;
}
