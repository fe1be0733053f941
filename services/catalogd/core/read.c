#include "services/catalogd/core/read.h"

#include <string.h>

#include "services/catalogd/core/key.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/look.h"
#include "services/catalogd/core/may.h"
#include "services/catalogd/core/tombstone.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What says of missing keys when they went: tombstones, else the highest that was reaped. */
static uint64_t settle(const struct catalog_view *view, uint64_t rows, uint64_t tombstones)
{
    uint64_t index = larger(rows, tombstones ? tombstones : view->reaped_index);
    return larger(index, larger(view->floor_index, 1));
}

/* ---- pairs ---- */

static bool copy(struct cu_arena *arena, struct cu_bytes from, ProtobufCBinaryData *ret_to)
{
    uint8_t *bytes = from.len ? cu_arena_memdup(arena, from.data, from.len) : NULL;
    *ret_to = (ProtobufCBinaryData){from.len, bytes};
    return bytes || from.len == 0;
}

enum pair_part { PAIR_WHOLE, PAIR_WITHOUT_VALUE };

/* The row as the public message, all of it in the arena. */
static enum cu_err make_pair(const struct catalog_row *row, enum pair_part part,
                             struct cu_arena *arena, Curia__V1__KvPair **ret_pair)
{
    struct cu_bytes user;
    Curia__V1__KvPair *pair = cu_arena_alloc(arena, sizeof *pair);
    Curia__Internal__V1__KvRow *kv = curia__internal__v1__kv_row__unpack(
        cu_arena_allocator(arena), row->value.len, row->value.data);
    if (!pair || !kv)
        return CU_E_TOO_LARGE;
    if (!catalog_key_user(row->key, &user))
        return CU_E_CORRUPT;
    curia__v1__kv_pair__init(pair);
    if (!copy(arena, user, &pair->key))
        return CU_E_TOO_LARGE;
    if (part == PAIR_WHOLE)
        pair->value = kv->value;
    pair->flags = kv->flags;
    pair->lock_index = kv->lock_index;
    pair->session = kv->session;
    pair->create_index = row->create_index;
    pair->modify_index = row->modify_index;
    *ret_pair = pair;
    return CU_OK;
}

enum cu_err catalog_kv_get(const struct catalog_view *view, struct cu_bytes key,
                           struct cu_arena *arena, Curia__V1__KvPair **ret_pair,
                           uint64_t *ret_index)
{
    struct cu_bytes row_key = catalog_key_of(arena, key);
    struct catalog_row row;
    if (!row_key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = view->backend->get(view->backend->context, CATALOG_KV, row_key, arena, &row);
    if (err == CU_E_NOT_FOUND) {
        uint64_t tombstones;
        err = catalog_tombstone_of_key(view->backend, key, arena, &tombstones);
        if (err)
            return err;
        *ret_pair = NULL;
        *ret_index = settle(view, 0, tombstones);
        return CU_OK;
    }
    if (!err)
        err = make_pair(&row, PAIR_WHOLE, arena, ret_pair);
    if (!err)
        *ret_index = larger(row.modify_index, larger(view->floor_index, 1));
    return err;
}

/* ---- lists ---- */

struct listing {
    const struct cu_authorizer *who;
    const Curia__V1__KvListRequest *request;
    struct cu_arena *arena;
    struct catalog_list pairs, keys; /* of ProtobufCBinaryData, for keys */
    uint64_t rows_index;
    enum cu_err err;
};

static enum cu_err add_pair(struct listing *listing, const struct catalog_row *row)
{
    Curia__V1__KvPair *pair;
    enum cu_err err = make_pair(row, PAIR_WHOLE, listing->arena, &pair);
    if (!err && !catalog_list_add(&listing->pairs, listing->arena, pair))
        err = CU_E_TOO_LARGE;
    return err;
}

/* Up to and with the first separator behind the prefix. */
static struct cu_bytes cut(const Curia__V1__KvListRequest *request, struct cu_bytes user)
{
    ProtobufCBinaryData separator = request->separator;
    if (separator.len == 0 || user.len <= request->prefix.len)
        return user;
    const uint8_t *from = user.data + request->prefix.len;
    const uint8_t *found =
        memmem(from, user.len - request->prefix.len, separator.data, separator.len);
    if (found)
        user.len = (size_t)(found - user.data) + separator.len;
    return user;
}

static enum cu_err add_key(struct listing *listing, const struct catalog_row *row)
{
    struct cu_bytes user;
    if (!catalog_key_user(row->key, &user))
        return CU_E_CORRUPT;
    user = cut(listing->request, user);
    if (listing->keys.count > 0) {
        ProtobufCBinaryData *last = listing->keys.items[listing->keys.count - 1];
        if (cu_bytes_equal(user, (struct cu_bytes){last->data, last->len}))
            return CU_OK;
    }
    ProtobufCBinaryData *key = cu_arena_alloc(listing->arena, sizeof *key);
    if (!key || !copy(listing->arena, user, key) ||
        !catalog_list_add(&listing->keys, listing->arena, key))
        return CU_E_TOO_LARGE;
    return CU_OK;
}

static bool is_visible(const struct cu_authorizer *who, const struct catalog_row *row)
{
    struct cu_bytes user;
    return catalog_key_user(row->key, &user) && catalog_may_see_key(who, user);
}

/* What is left out still counts for the index: the reference's does. */
static bool add_row(void *arg, const struct catalog_row *row)
{
    struct listing *listing = arg;
    listing->rows_index = larger(listing->rows_index, row->modify_index);
    if (!is_visible(listing->who, row))
        return true;
    listing->err = listing->request->keys_only ? add_key(listing, row) : add_pair(listing, row);
    return !listing->err;
}

static enum cu_err list_index(const struct catalog_view *view, struct cu_bytes prefix,
                              struct cu_arena *arena, uint64_t rows_index, uint64_t *ret_index)
{
    if (prefix.len == 0) {
        *ret_index = larger(view->kv_index, larger(view->floor_index, 1));
        return CU_OK;
    }
    uint64_t tombstones;
    enum cu_err err = catalog_tombstone_of_prefix(view->backend, prefix, arena, &tombstones);
    if (!err)
        *ret_index = settle(view, rows_index, tombstones);
    return err;
}

static enum cu_err put_keys(struct listing *listing, Curia__V1__KvListReply *reply)
{
    size_t count = listing->keys.count;
    reply->keys = cu_arena_alloc(listing->arena, (count + 1) * sizeof *reply->keys);
    if (!reply->keys)
        return CU_E_TOO_LARGE;
    for (size_t i = 0; i < count; i++)
        reply->keys[i] = *(ProtobufCBinaryData *)listing->keys.items[i];
    reply->n_keys = count;
    return CU_OK;
}

enum cu_err catalog_kv_list(const struct catalog_view *view,
                            const Curia__V1__KvListRequest *request, struct cu_arena *arena,
                            Curia__V1__KvListReply *reply, uint64_t *ret_index)
{
    struct cu_bytes prefix = {request->prefix.data, request->prefix.len};
    struct cu_bytes key = catalog_key_of(arena, prefix);
    struct listing listing = {.who = view->authorizer, .request = request, .arena = arena};
    if (!key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = view->backend->scan(view->backend->context, CATALOG_KV, key,
                                          (struct cu_bytes){NULL, 0}, add_row, &listing);
    if (listing.err)
        return listing.err;
    if (!err)
        err = list_index(view, prefix, arena, listing.rows_index, ret_index);
    if (!err && request->keys_only)
        err = put_keys(&listing, reply);
    if (err)
        return err;
    reply->pairs = (Curia__V1__KvPair **)listing.pairs.items;
    reply->n_pairs = listing.pairs.count;
    return CU_OK;
}

/* ---- transactions that only read ---- */

static bool is_permitted(const struct cu_authorizer *who, const struct catalog_kv_op *op)
{
    if (*op->unknown_verb)
        return cu_authorizer_permits(who, KEY_WRITE, op->key);
    switch (op->verb) {
    case CATALOG_KV_GET:
    case CATALOG_KV_GET_TREE:
        return true; /* what it finds is left out */
    case CATALOG_KV_CHECK_SESSION:
    case CATALOG_KV_CHECK_INDEX:
        return cu_authorizer_permits(who, KEY_READ, op->key);
    case CATALOG_KV_DELETE_TREE:
        return cu_authorizer_permits(who, KEY_WRITE_BELOW, op->key);
    default: /* not to exist is asked by who wants to write */
        return cu_authorizer_permits(who, KEY_WRITE, op->key);
    }
}

struct reading {
    const struct cu_authorizer *who;
    struct cu_arena *arena;
    struct catalog_list results, errors;
    protobuf_c_boolean *with_value;
    size_t with_value_cap;
};

static enum cu_err add_with_value(struct reading *reading, bool with_value)
{
    size_t at = reading->results.count - 1;
    if (at == reading->with_value_cap) {
        size_t cap = at ? at * 2 : 32;
        protobuf_c_boolean *grown = cu_arena_alloc(reading->arena, cap * sizeof *grown);
        if (!grown)
            return CU_E_TOO_LARGE;
        if (at)
            memcpy(grown, reading->with_value, at * sizeof *grown);
        reading->with_value = grown;
        reading->with_value_cap = cap;
    }
    reading->with_value[at] = with_value;
    return CU_OK;
}

static enum cu_err add_result(void *arg, const struct catalog_row *row, bool with_value)
{
    struct reading *reading = arg;
    Curia__V1__KvPair *pair;
    if (!is_visible(reading->who, row))
        return CU_OK;
    enum cu_err err =
        make_pair(row, with_value ? PAIR_WHOLE : PAIR_WITHOUT_VALUE, reading->arena, &pair);
    if (!err && !catalog_list_add(&reading->results, reading->arena, pair))
        err = CU_E_TOO_LARGE;
    return err ? err : add_with_value(reading, with_value);
}

static enum cu_err add_error(struct reading *reading, size_t op_index, const char *what)
{
    Curia__V1__KvTxnError *error = cu_arena_alloc(reading->arena, sizeof *error);
    char *text = cu_arena_strdup(reading->arena, what);
    if (!error || !text || !catalog_list_add(&reading->errors, reading->arena, error))
        return CU_E_TOO_LARGE;
    curia__v1__kv_txn_error__init(error);
    error->op_index = (uint32_t)op_index;
    error->what = text;
    return CU_OK;
}

static enum cu_err precheck(struct reading *reading, const Curia__V1__KvTxnRequest *request)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < request->n_operations; i++) {
        struct catalog_kv_op op = catalog_kv_op_of_request(request->operations[i]);
        const char *what = catalog_look_precheck(&op);
        if (!what && !is_permitted(reading->who, &op))
            what = "Permission denied";
        if (what)
            err = add_error(reading, i, what);
    }
    return err;
}

enum cu_err catalog_kv_txn_precheck(const struct cu_authorizer *who,
                                    const Curia__V1__KvTxnRequest *request, struct cu_arena *arena,
                                    Curia__V1__KvTxnReply *reply)
{
    struct reading reading = {.who = who, .arena = arena};
    enum cu_err err = precheck(&reading, request);
    reply->errors = (Curia__V1__KvTxnError **)reading.errors.items;
    reply->n_errors = err ? 0 : reading.errors.count;
    return err;
}

static enum cu_err run_all(struct reading *reading, const struct catalog_view *view,
                           const Curia__V1__KvTxnRequest *request)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < request->n_operations; i++) {
        struct catalog_kv_op op = catalog_kv_op_of_request(request->operations[i]);
        const char *failure = NULL;
        err = catalog_look(view->backend, &op, reading->arena, add_result, reading, &failure);
        if (!err && failure)
            err = add_error(reading, i, failure);
    }
    return err;
}

enum cu_err catalog_kv_txn_read(const struct catalog_view *view,
                                const Curia__V1__KvTxnRequest *request, struct cu_arena *arena,
                                Curia__V1__KvTxnReply *reply)
{
    struct reading reading = {.who = view->authorizer, .arena = arena};
    enum cu_err err = precheck(&reading, request);
    if (!err && reading.errors.count == 0)
        err = run_all(&reading, view, request);
    if (err)
        return err;
    reply->errors = (Curia__V1__KvTxnError **)reading.errors.items;
    reply->n_errors = reading.errors.count;
    if (reading.errors.count > 0)
        return CU_OK;
    reply->results = (Curia__V1__KvPair **)reading.results.items;
    reply->n_results = reading.results.count;
    reply->with_value = reading.with_value;
    reply->n_with_value = reading.results.count;
    return CU_OK;
}

int catalog_kv_txn_is_read_only(const Curia__V1__KvTxnRequest *request)
{
    for (size_t i = 0; i < request->n_operations; i++) {
        struct catalog_kv_op op = catalog_kv_op_of_request(request->operations[i]);
        if (catalog_kv_is_write(&op))
            return 0;
    }
    return 1;
}
