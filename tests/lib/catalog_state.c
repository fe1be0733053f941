#include "tests/lib/catalog_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/layers.h"
#include "tests/lib/suite.h"

enum {
    ARENA_BYTES = 512 * 1024 * 1024,
    ENTRIES_A_LAYER = 3, /* then what they wrote is moved down */
};

static void open_overlay(struct state *state)
{
    catalog_overlay_init(&state->overlay, state->backend);
    layers_rotate(&state->overlay);
    state->backend = &state->overlay.backend;
}

static void open_backend(struct state *state)
{
    if (state->kind != STATE_MEMORY) {
        struct cu_diag diag = {0};
        ck_assert_int_eq(catalog_sqlite_open_writer(state->path, &state->sqlite, &diag), CU_OK);
        ck_assert_int_eq(catalog_sqlite_begin(state->sqlite, &diag), CU_OK);
        state->backend = catalog_sqlite_backend(state->sqlite);
    } else {
        if (!state->memory)
            state->memory = memory_backend_new(NULL);
        state->backend = memory_backend_get(state->memory);
    }
    if (state->kind == STATE_OVERLAY)
        open_overlay(state);
    ck_assert_int_eq(catalog_store_open(state->backend, &state->store, NULL), CU_OK);
}

static void open_proposer(struct state *state)
{
    Curia__Internal__V1__OpenProposer open = CURIA__INTERNAL__V1__OPEN_PROPOSER__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    memset(state->proposer.bytes, 7, sizeof state->proposer.bytes);
    open.proposer = (ProtobufCBinaryData){CATALOG_ID_BYTES, state->proposer.bytes};
    command.open = &open;
    ck_assert_int_eq(state_command(state, &command).fate, CATALOG_OPENED);
    state->seq = 1;
}

struct state *state_new(enum state_kind kind)
{
    static int number;
    struct state *state = cu_alloc(sizeof *state);
    state->kind = kind;
    state->arena = cu_arena_new(ARENA_BYTES);
    state->lease_ms = 1000;
    state->wall_ms = 1700000000000;
    state->level = 1;
    (void)snprintf(state->path, sizeof state->path, "%s/state-%d.db", suite_tmpdir(), number++);
    open_backend(state);
    open_proposer(state);
    return state;
}

static void close_backend(struct state *state)
{
    catalog_store_free(state->store);
    catalog_overlay_clear(&state->overlay);
    catalog_sqlite_close(state->sqlite);
}

void state_free(struct state *state)
{
    close_backend(state);
    memory_backend_free(state->memory);
    cu_arena_free(state->arena);
    free(state);
}

void state_reopen(struct state *state)
{
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK);
    if (state->kind == STATE_OVERLAY)
        layers_flatten(&state->overlay);
    if (state->sqlite)
        ck_assert_int_eq(catalog_sqlite_commit(state->sqlite, NULL), CU_OK);
    close_backend(state);
    open_backend(state);
}

static void move_down(struct state *state)
{
    if (state->kind != STATE_OVERLAY || ++state->entries % ENTRIES_A_LAYER)
        return;
    layers_fold(&state->overlay);
    layers_drop(&state->overlay);
    layers_rotate(&state->overlay);
}

enum cu_err state_entry(struct state *state, Curia__Internal__V1__Entry entry,
                        struct catalog_outcome *ret_outcome)
{
    entry.index = catalog_store_position(state->store).index + 1;
    entry.term = entry.term ? entry.term : 1;
    entry.kind = entry.kind ? entry.kind : 1;
    entry.wall_ms = entry.wall_ms ? entry.wall_ms : state->wall_ms;
    entry.lease_ms = entry.lease_ms ? entry.lease_ms : state->lease_ms;
    entry.level = entry.level ? entry.level : state->level;
    struct cu_diag diag = {0};
    move_down(state);
    return catalog_apply(state->store, &entry, state->arena, ret_outcome, &diag);
}

struct catalog_outcome state_command(struct state *state,
                                     const Curia__Internal__V1__Command *command)
{
    size_t len = curia__internal__v1__command__get_packed_size(command);
    uint8_t *body = cu_arena_alloc(state->arena, len + 1);
    ck_assert_ptr_nonnull(body);
    Curia__Internal__V1__Entry entry = CURIA__INTERNAL__V1__ENTRY__INIT;
    entry.body = (ProtobufCBinaryData){curia__internal__v1__command__pack(command, body), body};
    entry.proposer = (ProtobufCBinaryData){CATALOG_ID_BYTES, state->proposer.bytes};
    entry.seq = command->open ? 0 : state->seq++;
    struct catalog_outcome outcome;
    ck_assert_int_eq(state_entry(state, entry, &outcome), CU_OK);
    return outcome;
}

static char *text(const char *given)
{
    return (char *)(uintptr_t)(given ? given : "");
}

static Curia__Internal__V1__KvCommand command_of(const struct kv *kv)
{
    Curia__Internal__V1__KvCommand command = CURIA__INTERNAL__V1__KV_COMMAND__INIT;
    size_t value_len = kv->value_len || !kv->value ? kv->value_len : strlen(kv->value);
    command.verb = (uint32_t)kv->verb;
    command.key = (ProtobufCBinaryData){strlen(text(kv->key)), (uint8_t *)text(kv->key)};
    command.value = (ProtobufCBinaryData){value_len, (uint8_t *)text(kv->value)};
    command.flags = kv->flags;
    command.index = kv->index;
    command.session = text(kv->session);
    command.unknown_verb = text(kv->unknown_verb);
    return command;
}

static const Curia__Internal__V1__CommandResult *run(struct state *state,
                                                     Curia__Internal__V1__Command *command)
{
    command->actor = text("anonymous");
    command->cause = text("api");
    command->reason = text(state->reason);
    struct catalog_outcome outcome = state_command(state, command);
    ck_assert_int_eq(outcome.fate, CATALOG_APPLIED);
    ck_assert_uint_eq(outcome.shown_index, state_index(state));
    ck_assert_ptr_nonnull(outcome.result);
    return outcome.result;
}

const Curia__Internal__V1__CommandResult *state_kv(struct state *state, const struct kv *kv)
{
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__KvCommand body = command_of(kv);
    command.kv = &body;
    return run(state, &command);
}

const Curia__Internal__V1__CommandResult *state_txn(struct state *state, const struct kv *ops,
                                                    size_t count)
{
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__TxnCommand txn = CURIA__INTERNAL__V1__TXN_COMMAND__INIT;
    Curia__Internal__V1__KvCommand *bodies = cu_alloc((count + 1) * sizeof *bodies);
    txn.kv = cu_alloc((count + 1) * sizeof *txn.kv);
    txn.n_kv = count;
    for (size_t i = 0; i < count; i++) {
        bodies[i] = command_of(&ops[i]);
        txn.kv[i] = &bodies[i];
    }
    command.txn = &txn;
    const Curia__Internal__V1__CommandResult *result = run(state, &command);
    free(txn.kv);
    free(bodies);
    return result;
}

void state_set(struct state *state, const char *key, const char *value)
{
    ck_assert(state_kv(state, &(struct kv){.key = key, .value = value})->applied);
}

struct catalog_view state_view(const struct state *state)
{
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK); /* indexes are written then */
    return catalog_view_of(state->backend, &state->store->bookmark);
}

static Curia__V1__KvPair *read_key(struct state *state, const char *key, uint64_t *ret_index)
{
    struct catalog_view view = state_view(state);
    Curia__V1__KvPair *pair;
    ck_assert_int_eq(catalog_kv_get(&view, cu_bytes_of(key), state->arena, &pair, ret_index),
                     CU_OK);
    return pair;
}

Curia__V1__KvPair *state_get(struct state *state, const char *key)
{
    uint64_t index;
    return read_key(state, key, &index);
}

uint64_t state_index_of(struct state *state, const char *key)
{
    uint64_t index;
    (void)read_key(state, key, &index);
    return index;
}

uint64_t state_list_index(struct state *state, const char *prefix)
{
    struct catalog_view view = state_view(state);
    Curia__V1__KvListRequest request = CURIA__V1__KV_LIST_REQUEST__INIT;
    Curia__V1__KvListReply reply = CURIA__V1__KV_LIST_REPLY__INIT;
    uint64_t index;
    request.prefix = (ProtobufCBinaryData){strlen(prefix), (uint8_t *)text(prefix)};
    ck_assert_int_eq(catalog_kv_list(&view, &request, state->arena, &reply, &index), CU_OK);
    return index;
}

uint64_t state_index(const struct state *state)
{
    return catalog_store_shown_index(state->store);
}

struct sum {
    enum catalog_table table;
    struct cu_u128 hash;
};

static bool add_row(void *arg, const struct catalog_row *row)
{
    struct sum *sum = arg;
    const struct cu_bytes parts[] = {cu_bytes_of(catalog_table_name(sum->table)), row->key,
                                     row->value};
    struct cu_u128 hash = cu_blake2b_128(parts, 3);
    ck_assert(hash.lo == row->hash.lo && hash.hi == row->hash.hi);
    sum->hash = cu_u128_add(sum->hash, hash);
    return true;
}

struct cu_u128 state_sum(struct state *state)
{
    struct sum sum = {.table = CATALOG_KV};
    ck_assert_int_eq(catalog_store_flush(state->store), CU_OK); /* indexes are written then */
    struct cu_bytes all = {NULL, 0};
    for (int table = 0; table < CATALOG_TABLE_COUNT; table++) {
        sum.table = (enum catalog_table)table;
        ck_assert_int_eq(
            state->backend->scan(state->backend->context, sum.table, all, all, add_row, &sum),
            CU_OK);
    }
    return sum.hash;
}

void on_each(void (*body)(struct state *state))
{
    for (int kind = 0; kind < STATE_KIND_COUNT; kind++) {
        struct state *state = state_new((enum state_kind)kind);
        body(state);
        state_free(state);
    }
}
