#include "services/catalogd/core/kv.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/quote.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/store_state.h"

_Static_assert((int)CATALOG_KV_SET == (int)CURIA__V1__KV_VERB__KV_SET, "numbers of kv.proto");
_Static_assert((int)CATALOG_KV_LOCK == (int)CURIA__V1__KV_VERB__KV_LOCK, "numbers of kv.proto");
_Static_assert((int)CATALOG_KV_DELETE_TREE == (int)CURIA__V1__KV_VERB__KV_DELETE_TREE,
               "numbers of kv.proto");
_Static_assert((int)CATALOG_KV_CHECK_NOT_EXISTS == (int)CURIA__V1__KV_VERB__KV_CHECK_NOT_EXISTS,
               "numbers of kv.proto");

enum {
    UUID_CHARS = 36,
    SWEEP_ROWS =
        512 /* keys gathered before they are deleted: a walk must not see its own deletes */
};

static struct cu_bytes bytes_of(ProtobufCBinaryData data)
{
    return (struct cu_bytes){data.data, data.len};
}

struct catalog_kv_op catalog_kv_op_of_command(const Curia__Internal__V1__KvCommand *command)
{
    return (struct catalog_kv_op){.verb = command->verb,
                                  .key = bytes_of(command->key),
                                  .value = bytes_of(command->value),
                                  .flags = command->flags,
                                  .index = command->index,
                                  .session = command->session,
                                  .unknown_verb = command->unknown_verb};
}

struct catalog_kv_op catalog_kv_op_of_request(const Curia__V1__KvOperation *operation)
{
    return (struct catalog_kv_op){.verb = (uint32_t)operation->verb,
                                  .key = bytes_of(operation->key),
                                  .value = bytes_of(operation->value),
                                  .flags = operation->flags,
                                  .index = operation->index,
                                  .session = operation->session,
                                  .unknown_verb = operation->unknown_verb};
}

/* ---- one key ---- */

/* The key as it is now. */
struct current {
    struct cu_bytes key; /* of the row */
    bool is_there;
    struct catalog_row row;
    const Curia__Internal__V1__KvRow *kv; /* NULL when it is not there */
};

static enum cu_err look(struct catalog_store *store, const struct catalog_kv_op *op,
                        struct current *ret_now)
{
    struct current now = {.key = catalog_key_of(store->scratch, op->key)};
    enum cu_err err = catalog_store_get(store, CATALOG_KV, now.key, &now.row);
    if (err && err != CU_E_NOT_FOUND)
        return err;
    if (!err) {
        now.is_there = true;
        now.kv = curia__internal__v1__kv_row__unpack(cu_arena_allocator(store->scratch),
                                                     now.row.value.len, now.row.value.data);
        if (!now.kv)
            return CU_E_CORRUPT;
    }
    *ret_now = now;
    return CU_OK;
}

/* Writes value and flags of the request; what else the row holds is the caller's choice. */
static enum cu_err write_row(struct catalog_store *store, const struct catalog_kv_op *op,
                             const struct current *now, uint64_t lock_index, const char *session,
                             struct catalog_kv_done *done)
{
    Curia__Internal__V1__KvRow kv = CURIA__INTERNAL__V1__KV_ROW__INIT;
    kv.value = (ProtobufCBinaryData){op->value.len, (uint8_t *)(uintptr_t)op->value.data};
    kv.flags = op->flags;
    kv.lock_index = lock_index;
    kv.session = (char *)(uintptr_t)session;
    size_t len = curia__internal__v1__kv_row__get_packed_size(&kv);
    uint8_t *packed = cu_arena_alloc(store->scratch, len + 1);
    CU_ASSERT(packed);
    struct cu_bytes value = {packed, curia__internal__v1__kv_row__pack(&kv, packed)};
    bool is_changed;
    enum cu_err err = store_put(store, CATALOG_KV, now->key, value, &is_changed);
    if (err)
        return err;
    done->applied = done->has_row = true;
    done->row = (struct catalog_row){
        .key = now->key,
        .value = value,
        .create_index = now->is_there ? now->row.create_index : store->index,
        .modify_index = is_changed ? store->index : now->row.modify_index,
    };
    return CU_OK;
}

/* A plain write keeps the holder and forgets how often the lock was taken (http-api.md 3.1). */
static enum cu_err set(struct catalog_store *store, const struct catalog_kv_op *op,
                       const struct current *now, struct catalog_kv_done *done)
{
    return write_row(store, op, now, 0, now->is_there ? now->kv->session : "", done);
}

static enum cu_err cas(struct catalog_store *store, const struct catalog_kv_op *op,
                       const struct current *now, struct catalog_kv_done *done)
{
    bool holds =
        op->index == 0 ? !now->is_there : now->is_there && now->row.modify_index == op->index;
    return holds ? set(store, op, now, done) : CU_OK;
}

/* There are no sessions in this state: none can be named, each sentence says why not. */
static enum cu_err lock(struct catalog_store *store, const struct catalog_kv_op *op,
                        const struct current *now, struct catalog_kv_done *done)
{
    (void)now; /* who holds the key does not matter to one that is nobody */
    if (op->session[0] == '\0')
        done->refusal = "missing session";
    else if (strlen(op->session) != UUID_CHARS)
        done->refusal = "failed session lookup: index error: UUID must be 36 characters";
    else
        done->refusal = cu_arena_printf(store->scratch, "invalid session %s",
                                        cu_quote(store->scratch, cu_bytes_of(op->session)));
    return CU_OK;
}

static enum cu_err unlock(struct catalog_store *store, const struct catalog_kv_op *op,
                          const struct current *now, struct catalog_kv_done *done)
{
    if (op->session[0] == '\0') {
        done->refusal = "missing session";
        return CU_OK;
    }
    if (!now->is_there || strcmp(now->kv->session, op->session) != 0)
        return CU_OK;
    return write_row(store, op, now, now->kv->lock_index, "", done);
}

/* ---- deletes and their tombstones ---- */

static enum cu_err bury(struct catalog_store *store, enum catalog_tombstone_kind kind,
                        struct cu_bytes user)
{
    Curia__Internal__V1__TombstoneRow row = CURIA__INTERNAL__V1__TOMBSTONE_ROW__INIT;
    row.lease_ms = store->bookmark.lease_ms;
    row.prefix = kind == CATALOG_TOMBSTONE_PREFIX;
    uint8_t packed[32];
    CU_ASSERT(curia__internal__v1__tombstone_row__get_packed_size(&row) <= sizeof packed);
    struct cu_bytes value = {packed, curia__internal__v1__tombstone_row__pack(&row, packed)};
    struct cu_bytes key = catalog_key_of_tombstone(store->scratch, kind, user);
    CU_ASSERT(key.data);
    return store_put(store, CATALOG_TOMBSTONES, key, value, NULL);
}

static enum cu_err delete_key(struct catalog_store *store, const struct catalog_kv_op *op,
                              const struct current *now, struct catalog_kv_done *done)
{
    done->applied = true;
    if (!now->is_there)
        return CU_OK;
    enum cu_err err = store_del(store, CATALOG_KV, now->key, NULL);
    return err ? err : bury(store, CATALOG_TOMBSTONE_KEY, op->key);
}

static enum cu_err delete_cas(struct catalog_store *store, const struct catalog_kv_op *op,
                              const struct current *now, struct catalog_kv_done *done)
{
    if (now->is_there && now->row.modify_index != op->index)
        return CU_OK;
    return delete_key(store, op, now, done);
}

/* Some keys of a walk. */
struct sweep {
    struct cu_buf bytes;
    size_t lens[SWEEP_ROWS], count;
    /* of tombstones only */
    uint64_t before_lease_ms;
    uint64_t reaped_index;
    struct cu_arena *arena;
    struct cu_buf last; /* where the walk stopped */
};

static void gather_key(struct sweep *sweep, struct cu_bytes key)
{
    cu_buf_append(&sweep->bytes, key.data, key.len);
    sweep->lens[sweep->count++] = key.len;
}

static void sweep_deinit(struct sweep *sweep)
{
    cu_buf_deinit(&sweep->bytes);
    cu_buf_deinit(&sweep->last);
}

static bool gather(void *arg, const struct catalog_row *row)
{
    struct sweep *sweep = arg;
    gather_key(sweep, row->key);
    return sweep->count < SWEEP_ROWS;
}

static enum cu_err delete_gathered(struct catalog_store *store, enum catalog_table table,
                                   struct sweep *sweep)
{
    const uint8_t *at = sweep->bytes.data;
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < sweep->count; at += sweep->lens[i++])
        err = store_del(store, table, (struct cu_bytes){at, sweep->lens[i]}, NULL);
    cu_buf_clear(&sweep->bytes);
    sweep->count = 0;
    return err;
}

static enum cu_err delete_under(struct catalog_store *store, struct cu_bytes prefix, bool *ret_any)
{
    const struct catalog_backend *backend = store->backend;
    struct sweep sweep = {.count = 0};
    bool is_more = true, any = false;
    enum cu_err err = CU_OK;
    while (!err && is_more) {
        err = backend->scan(backend->context, CATALOG_KV, prefix, (struct cu_bytes){NULL, 0},
                            gather, &sweep);
        is_more = sweep.count == SWEEP_ROWS;
        if (!err && sweep.count > 0 && !any) {
            any = true;
            catalog_store_wake_prefix(store, CATALOG_KV, prefix);
        }
        if (!err)
            err = delete_gathered(store, CATALOG_KV, &sweep);
    }
    sweep_deinit(&sweep);
    *ret_any = any;
    return err;
}

static enum cu_err delete_tree(struct catalog_store *store, const struct catalog_kv_op *op,
                               const struct current *now, struct catalog_kv_done *done)
{
    bool any;
    done->applied = true;
    enum cu_err err = delete_under(store, now->key, &any);
    if (err || !any)
        return err;
    if (op->key.len > 0)
        return bury(store, CATALOG_TOMBSTONE_PREFIX, op->key);
    /* A tombstone of the empty prefix would cover every key; the index that stands in for reaped
     * ones says the same, and lasts. */
    store->bookmark.reaped_index = store->index;
    return CU_OK;
}

/* ---- reaping ---- */

static bool gather_old(void *arg, const struct catalog_row *row)
{
    struct sweep *sweep = arg;
    Curia__Internal__V1__TombstoneRow *stone = curia__internal__v1__tombstone_row__unpack(
        cu_arena_allocator(sweep->arena), row->value.len, row->value.data);
    bool is_old = !stone || stone->lease_ms < sweep->before_lease_ms;
    cu_arena_reset(sweep->arena);
    cu_buf_clear(&sweep->last);
    cu_buf_append(&sweep->last, row->key.data, row->key.len);
    if (!is_old)
        return true;
    if (row->modify_index > sweep->reaped_index)
        sweep->reaped_index = row->modify_index;
    gather_key(sweep, row->key);
    return sweep->count < SWEEP_ROWS;
}

enum cu_err catalog_kv_reap(struct catalog_store *store, uint64_t before_lease_ms)
{
    const struct catalog_backend *backend = store->backend;
    struct sweep sweep = {.before_lease_ms = before_lease_ms,
                          .reaped_index = store->bookmark.reaped_index,
                          .arena = cu_arena_new(64 * 1024)};
    struct cu_bytes all = {NULL, 0};
    bool is_more = true;
    enum cu_err err = CU_OK;
    while (!err && is_more) {
        err = backend->scan(backend->context, CATALOG_TOMBSTONES, all, cu_buf_bytes(&sweep.last),
                            gather_old, &sweep);
        is_more = sweep.count == SWEEP_ROWS;
        if (!err)
            err = delete_gathered(store, CATALOG_TOMBSTONES, &sweep);
    }
    store->bookmark.reaped_index = sweep.reaped_index;
    cu_arena_free(sweep.arena);
    sweep_deinit(&sweep);
    return err;
}

/* ---- the verbs ---- */

typedef enum cu_err write_verb(struct catalog_store *store, const struct catalog_kv_op *op,
                               const struct current *now, struct catalog_kv_done *done);

/* clang-format off */
static write_verb *const writes[CATALOG_KV_VERB_COUNT] = {
    [CATALOG_KV_SET]         = set,
    [CATALOG_KV_CAS]         = cas,
    [CATALOG_KV_LOCK]        = lock,
    [CATALOG_KV_UNLOCK]      = unlock,
    [CATALOG_KV_DELETE]      = delete_key,
    [CATALOG_KV_DELETE_CAS]  = delete_cas,
    [CATALOG_KV_DELETE_TREE] = delete_tree,
};
/* clang-format on */

bool catalog_kv_is_write(const struct catalog_kv_op *op)
{
    return op->verb < CATALOG_KV_VERB_COUNT && writes[op->verb] && op->unknown_verb[0] == '\0';
}

enum cu_err catalog_kv_write(struct catalog_store *store, const struct catalog_kv_op *op,
                             struct catalog_kv_done *ret_done)
{
    CU_ASSERT(catalog_kv_is_write(op));
    struct current now;
    *ret_done = (struct catalog_kv_done){.applied = false};
    enum cu_err err = look(store, op, &now);
    return err ? err : writes[op->verb](store, op, &now, ret_done);
}
