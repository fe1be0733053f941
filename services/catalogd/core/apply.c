#include "services/catalogd/core/apply.h"

#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/acl_builtin.h"
#include "services/catalogd/core/acl_policy.h"
#include "services/catalogd/core/acl_role.h"
#include "services/catalogd/core/acl_token.h"
#include "services/catalogd/core/ca.h"
#include "services/catalogd/core/change.h"
#include "services/catalogd/core/intention.h"
#include "services/catalogd/core/register.h"
#include "services/catalogd/core/store_state.h"
#include "services/catalogd/core/txn.h"

/* Entry.kind, as log.proto numbers them. */
enum kind { KIND_COMMAND = 1, KIND_NOOP, KIND_CONFIGURATION, KIND_BARRIER };

enum {
    CHECKED_MAX = 1024,      /* in one command */
    RECOVERY_RAISE_BITS = 24 /* contracts 6.4: no index after a recovery is below one ever shown */
};

typedef Curia__Internal__V1__Entry entry_t;
typedef Curia__Internal__V1__Command command_t;
typedef Curia__Internal__V1__CommandResult result_t;

/* ---- results that are the same each time ---- */

#define RESULT(...)                                                                                \
    {                                                                                              \
        .base = PROTOBUF_C_MESSAGE_INIT(&curia__internal__v1__command_result__descriptor),         \
        __VA_ARGS__                                                                                \
    }
static const result_t result_true = RESULT(.applied = true, .text = "");
static const result_t result_false = RESULT(.applied = false, .text = "");
static const result_t result_malformed = RESULT(.error = CU_E_INVALID, .text = "malformed command");
static const result_t result_no_key = RESULT(.error = CU_E_INVALID, .text = "Must provide key");
static const result_t result_no_verb =
    RESULT(.error = CU_E_INVALID, .text = "this verb belongs to transactions");
static const result_t result_many_ops =
    RESULT(.error = CU_E_TOO_LARGE, .text = "Transaction contains too many operations (> 64)");
_Static_assert(CATALOG_TXN_OPS_MAX == 64, "named in the sentence above");

static enum cu_err refuse(struct cu_arena *arena, enum cu_err error, const char *text,
                          const result_t **ret_result)
{
    result_t *result = cu_arena_alloc(arena, sizeof *result);
    char *copy = cu_arena_strdup(arena, text);
    *ret_result = &result_false; /* no room for the reason; the fact stays */
    if (!result || !copy)
        return CU_OK;
    curia__internal__v1__command_result__init(result);
    result->error = error;
    result->text = copy;
    *ret_result = result;
    return CU_OK;
}

/* ---- what a build does not know ---- */

static bool knows_all(const ProtobufCMessage *message);

static bool knows_members(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const uint8_t *at = (const uint8_t *)message;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return true;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        const ProtobufCMessage *member =
            *(ProtobufCMessage *const *)(const void *)(at + field->offset);
        return !member || knows_all(member);
    }
    size_t count = *(const size_t *)(const void *)(at + field->quantifier_offset);
    ProtobufCMessage *const *members =
        *(ProtobufCMessage *const *const *)(const void *)(at + field->offset);
    for (size_t i = 0; i < count; i++)
        if (!knows_all(members[i]))
            return false;
    return true;
}

/* No field anywhere in it that this build has no name for (contracts 6.6). */
static bool knows_all(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    if (message->n_unknown_fields > 0)
        return false;
    for (unsigned i = 0; i < type->n_fields; i++)
        if (!knows_members(message, &type->fields[i]))
            return false;
    return true;
}

static enum cu_err stop(struct cu_diag *diag, const entry_t *entry, const char *what)
{
    return cu_fail(diag, CU_E_NOT_READY,
                   "entry %llu %s: this server stops there until a newer version is installed",
                   (unsigned long long)entry->index, what);
}

/* ---- commands ---- */

static enum cu_err apply_kv(struct catalog_store *store,
                            const Curia__Internal__V1__KvCommand *command, struct cu_arena *arena,
                            const result_t **ret_result)
{
    struct catalog_kv_op op = catalog_kv_op_of_command(command);
    struct catalog_kv_done done;
    if (!catalog_kv_is_write(&op)) {
        *ret_result = &result_no_verb;
        return CU_OK;
    }
    if (op.key.len == 0 && op.verb != CATALOG_KV_DELETE_TREE) {
        *ret_result = &result_no_key;
        return CU_OK;
    }
    enum cu_err err = catalog_kv_write(store, &op, &done);
    if (err)
        return err;
    if (done.refusal)
        return refuse(arena, CU_E_INVALID, done.refusal, ret_result);
    *ret_result = done.applied ? &result_true : &result_false;
    return CU_OK;
}

static enum cu_err answer(enum cu_err err, const struct catalog_refusal *refusal,
                          struct cu_arena *arena, const result_t **ret_result)
{
    *ret_result = &result_true;
    return err || !refusal->text ? err : refuse(arena, refusal->err, refusal->text, ret_result);
}

static enum cu_err apply_register(struct catalog_store *store,
                                  Curia__Internal__V1__RegisterCommand *command,
                                  struct cu_arena *arena, const result_t **ret_result)
{
    struct catalog_refusal refusal = {CU_OK, NULL};
    enum cu_err err = catalog_register(store, command, &refusal);
    return answer(err, &refusal, arena, ret_result);
}

static enum cu_err apply_deregister(struct catalog_store *store,
                                    const Curia__Internal__V1__DeregisterCommand *command,
                                    struct cu_arena *arena, const result_t **ret_result)
{
    struct catalog_refusal refusal = {CU_OK, NULL};
    enum cu_err err = catalog_deregister(store, command, &refusal);
    return answer(err, &refusal, arena, ret_result);
}

static enum cu_err apply_config(struct catalog_store *store,
                                Curia__Internal__V1__ConfigCommand *command, struct cu_arena *arena,
                                const result_t **ret_result)
{
    struct catalog_refusal refusal;
    bool applied;
    enum cu_err err = catalog_config_apply(store, command, &applied, &refusal);
    err = answer(err, &refusal, arena, ret_result);
    if (!err && !applied)
        *ret_result = &result_false;
    return err;
}

static enum cu_err apply_intention(struct catalog_store *store,
                                   const Curia__Internal__V1__IntentionCommand *command,
                                   struct cu_arena *arena, const result_t **ret_result)
{
    struct catalog_refusal refusal;
    enum cu_err err = catalog_intention_apply(store, command, store->bookmark.wall_ms, &refusal);
    return answer(err, &refusal, arena, ret_result);
}

static enum cu_err apply_ca_set(struct catalog_store *store,
                                const Curia__Internal__V1__CaSetCommand *command,
                                struct cu_arena *arena, const result_t **ret_result)
{
    struct catalog_refusal refusal;
    bool applied;
    enum cu_err err = catalog_ca_set(store, command, &applied, &refusal);
    err = answer(err, &refusal, arena, ret_result);
    if (!err && !applied)
        *ret_result = &result_false;
    return err;
}

/* ---- access control ---- */

/* Without room for the answer the fact stays, as in refuse(). */
static void show_made(const ProtobufCMessage *made, struct cu_arena *arena,
                      const result_t **ret_result)
{
    result_t *result = cu_arena_alloc(arena, sizeof *result);
    uint8_t *packed = cu_arena_alloc(arena, protobuf_c_message_get_packed_size(made) + 1);
    if (!result || !packed)
        return;
    *result = result_true;
    result->made = (ProtobufCBinaryData){protobuf_c_message_pack(made, packed), packed};
    *ret_result = result;
}

static enum cu_err answer_acl(enum cu_err err, const struct catalog_acl_done *done,
                              struct cu_arena *arena, const result_t **ret_result)
{
    err = answer(err, &done->refusal, arena, ret_result);
    if (!err && done->made)
        show_made(done->made, arena, ret_result);
    return err;
}

static enum cu_err apply_acl(struct catalog_store *store, const command_t *command,
                             struct cu_arena *arena, const result_t **ret_result)
{
    struct catalog_acl_done done = {0};
    enum cu_err err;
    if (command->acl_policy)
        err = catalog_acl_policy_apply(store, command->acl_policy, &done);
    else if (command->acl_role)
        err = catalog_acl_role_apply(store, command->acl_role, &done);
    else if (command->acl_token)
        err = catalog_acl_token_apply(store, command->acl_token, &done);
    else if (command->acl_reap)
        err = catalog_acl_token_reap(store, command->acl_reap);
    else if (command->acl_builtins)
        err = catalog_acl_builtins_apply(store, command->acl_builtins);
    else
        err = catalog_acl_bootstrap_apply(store, command->acl_bootstrap, &done);
    return answer_acl(err, &done, arena, ret_result);
}

static bool is_acl(const command_t *command)
{
    return command->acl_policy || command->acl_role || command->acl_token || command->acl_reap ||
           command->acl_builtins || command->acl_bootstrap;
}

static enum cu_err apply_body(struct catalog_store *store, const command_t *command,
                              struct cu_arena *arena, const result_t **ret_result)
{
    if (command->kv)
        return apply_kv(store, command->kv, arena, ret_result);
    if (command->txn && command->txn->n_kv > CATALOG_TXN_OPS_MAX) {
        *ret_result = &result_many_ops;
        return CU_OK;
    }
    if (command->txn)
        return catalog_txn_apply(store, command->txn, arena, ret_result);
    if (command->register_node)
        return apply_register(store, command->register_node, arena, ret_result);
    if (command->deregister)
        return apply_deregister(store, command->deregister, arena, ret_result);
    if (command->config)
        return apply_config(store, command->config, arena, ret_result);
    if (command->intention)
        return apply_intention(store, command->intention, arena, ret_result);
    if (command->ca_set)
        return apply_ca_set(store, command->ca_set, arena, ret_result);
    if (is_acl(command))
        return apply_acl(store, command, arena, ret_result);
    *ret_result = &result_true;
    if (command->ca_issue) /* what counts is its place in the log */
        return CU_OK;
    return catalog_kv_reap(store, command->reap_tombstones->before_lease_ms);
}

static int count_bodies(const command_t *command)
{
    return !!command->open + !!command->kv + !!command->txn + !!command->reap_tombstones +
           !!command->register_node + !!command->deregister + !!command->config +
           !!command->intention + !!command->ca_set + !!command->ca_issue + !!command->acl_policy +
           !!command->acl_role + !!command->acl_token + !!command->acl_reap +
           !!command->acl_builtins + !!command->acl_bootstrap;
}

/* Whether what was read for authority is still so; a name this build does not know is not. */
static enum cu_err check(struct catalog_store *store, const Curia__Internal__V1__Checked *checked,
                         bool *ret_holds)
{
    enum catalog_table table;
    struct catalog_row row = {.modify_index = 0};
    *ret_holds = false;
    /* Indexes are not all in the backend before the transaction ends. */
    if (!catalog_table_find(checked->table, &table) || catalog_table_is_derived(table))
        return CU_OK;
    if (checked->key.len == 0) {
        *ret_holds = catalog_store_table_index(store, table) == checked->modify_index;
        return CU_OK;
    }
    struct cu_bytes key = {checked->key.data, checked->key.len};
    enum cu_err err = catalog_store_get(store, table, key, &row);
    if (err && err != CU_E_NOT_FOUND)
        return err;
    *ret_holds = row.modify_index == checked->modify_index;
    return CU_OK;
}

static enum cu_err check_all(struct catalog_store *store, const command_t *command, bool *ret_holds)
{
    enum cu_err err = CU_OK;
    *ret_holds = command->n_checked <= CHECKED_MAX;
    for (size_t i = 0; !err && *ret_holds && i < command->n_checked; i++)
        err = check(store, command->checked[i], ret_holds);
    return err;
}

static void set_cause(struct catalog_store *store, const entry_t *entry, const command_t *command)
{
    const Curia__Internal__V1__Origin *origin = command->origin;
    struct catalog_cause cause = {.actor = command->actor,
                                  .cause = command->cause,
                                  .reason = command->reason,
                                  .wall_ms = entry->wall_ms};
    if (origin) {
        cause.node = origin->node;
        cause.daemon = origin->daemon;
        cause.address = origin->address;
    }
    catalog_store_begin(store, entry->index, &cause);
}

static bool id_of(ProtobufCBinaryData bytes, struct catalog_id *ret_id)
{
    if (bytes.len != CATALOG_ID_BYTES)
        return false;
    memcpy(ret_id->bytes, bytes.data, CATALOG_ID_BYTES);
    return true;
}

static enum catalog_fate apply_open(struct catalog_store *store, const entry_t *entry,
                                    const Curia__Internal__V1__OpenProposer *open,
                                    struct catalog_outcome *outcome)
{
    struct catalog_id proposer;
    if (!id_of(open->proposer, &proposer))
        return CATALOG_OPEN_REFUSED;
    outcome->proposer = proposer;
    return catalog_proposers_open(&store->proposers, &proposer, open->applied_index, entry->index);
}

static enum cu_err run_command(struct catalog_store *store, const entry_t *entry,
                               const command_t *command, struct cu_arena *arena,
                               struct catalog_outcome *outcome)
{
    bool holds = false;
    set_cause(store, entry, command);
    enum cu_err err = check_all(store, command, &holds);
    if (err)
        return err;
    if (!holds) {
        outcome->fate = CATALOG_RETRY;
        return CU_OK;
    }
    return apply_body(store, command, arena, &outcome->result);
}

/* Names the entry's proposer and decides whether its command may run. */
static enum cu_err apply_command(struct catalog_store *store, const entry_t *entry,
                                 const command_t *command, struct cu_arena *arena,
                                 struct catalog_outcome *outcome)
{
    bool is_named = id_of(entry->proposer, &outcome->proposer);
    outcome->seq = entry->seq;
    if (command && command->open && count_bodies(command) == 1) {
        outcome->fate = apply_open(store, entry, command->open, outcome);
        return CU_OK;
    }
    outcome->fate = !is_named ? CATALOG_DROPPED
                              : catalog_proposers_mark(&store->proposers, &outcome->proposer,
                                                       entry->seq, entry->index);
    if (outcome->fate != CATALOG_APPLIED)
        return CU_OK;
    if (!command || count_bodies(command) != 1) {
        outcome->result = &result_malformed;
        return CU_OK;
    }
    return run_command(store, entry, command, arena, outcome);
}

/* ---- configurations ---- */

static void keep_lineage(struct catalog_bookmark *b, const struct catalog_id *prior,
                         uint64_t last_index)
{
    if (b->lineage_count == CATALOG_LINEAGE_MAX) {
        memmove(&b->lineage[0], &b->lineage[1], (CATALOG_LINEAGE_MAX - 1) * sizeof b->lineage[0]);
        b->lineage_count--;
    }
    b->lineage[b->lineage_count].cluster = *prior;
    b->lineage[b->lineage_count++].last_index = last_index;
}

/* An unsafe recovery goes on under another cluster id: to what anybody has seen it is a change of
 * everything (contracts 6.4). */
static void recover(struct catalog_store *store, const struct catalog_id *prior,
                    uint64_t prior_last_index, uint64_t raw_index)
{
    struct catalog_bookmark *b = &store->bookmark;
    keep_lineage(b, prior, prior_last_index);
    b->index_base += 1ull << RECOVERY_RAISE_BITS;
    b->epoch++;
    b->floor_index = raw_index + b->index_base;
    catalog_store_begin(store, raw_index, &(struct catalog_cause){.cause = "restore"});
    for (int table = 0; table < CATALOG_TABLE_COUNT; table++)
        catalog_store_wake_prefix(store, (enum catalog_table)table, (struct cu_bytes){NULL, 0});
}

static void take_configuration(struct catalog_store *store,
                               Curia__Internal__V1__Configuration *configuration, uint64_t index)
{
    configuration->index = index;
    cu_buf_clear(&store->configuration);
    size_t len = curia__internal__v1__configuration__get_packed_size(configuration);
    (void)curia__internal__v1__configuration__pack(configuration,
                                                   cu_buf_extend(&store->configuration, len));
    store->is_configuration_dirty = true;
}

static void apply_configuration(struct catalog_store *store, const entry_t *entry,
                                const Curia__Internal__V1__ConfigurationBody *body)
{
    static const struct catalog_id none;
    struct catalog_id cluster, prior = store->bookmark.position.cluster;
    if (body->configuration)
        take_configuration(store, body->configuration, entry->index);
    if (!id_of(body->cluster_id, &cluster) || memcmp(&cluster, &prior, sizeof cluster) == 0)
        return;
    store->bookmark.position.cluster = cluster;
    if (memcmp(&prior, &none, sizeof prior) != 0)
        recover(store, &prior, body->prior_last_index, entry->index);
}

/* ---- one entry ---- */

static enum cu_err check_entry(const entry_t *entry, struct cu_diag *diag)
{
    if (entry->level > CATALOG_LEVEL)
        return stop(diag, entry, "is of a higher feature level");
    if (entry->kind < KIND_COMMAND || entry->kind > KIND_BARRIER)
        return stop(diag, entry, "is of an unknown kind");
    return CU_OK;
}

static void advance(struct catalog_store *store, const entry_t *entry)
{
    struct catalog_bookmark *b = &store->bookmark;
    b->position.index = entry->index;
    b->position.term = entry->term;
    if (entry->level > b->level)
        b->level = entry->level;
    /* Neither clock goes back in a log; were it so, nothing here is to get younger by it. */
    if (entry->wall_ms > b->wall_ms)
        b->wall_ms = entry->wall_ms;
    if (entry->lease_ms > b->lease_ms)
        b->lease_ms = entry->lease_ms;
}

static const ProtobufCMessageDescriptor *body_type(const entry_t *entry)
{
    if (entry->kind == KIND_COMMAND)
        return &curia__internal__v1__command__descriptor;
    if (entry->kind == KIND_CONFIGURATION)
        return &curia__internal__v1__configuration_body__descriptor;
    return NULL;
}

/* Before anything is changed: NULL for kinds without a body, and for bytes that do not decode. */
static enum cu_err read_body(struct catalog_store *store, const entry_t *entry,
                             ProtobufCMessage **ret_body, struct cu_diag *diag)
{
    const ProtobufCMessageDescriptor *type = body_type(entry);
    *ret_body = type ? protobuf_c_message_unpack(type, cu_arena_allocator(store->scratch),
                                                 entry->body.len, entry->body.data)
                     : NULL;
    return *ret_body && !knows_all(*ret_body) ? stop(diag, entry, "has fields of a newer version")
                                              : CU_OK;
}

enum cu_err catalog_apply(struct catalog_store *store, const Curia__Internal__V1__Entry *entry,
                          struct cu_arena *arena, struct catalog_outcome *ret_outcome,
                          struct cu_diag *diag)
{
    CU_ASSERT(entry->index == store->bookmark.position.index + 1);
    ProtobufCMessage *body;
    cu_arena_reset(store->scratch);
    enum cu_err err = check_entry(entry, diag);
    if (!err)
        err = read_body(store, entry, &body, diag);
    if (err)
        return err;

    struct catalog_outcome outcome = {.fate = CATALOG_NO_COMMAND};
    advance(store, entry);
    if (entry->kind == KIND_COMMAND)
        err = apply_command(store, entry, (const command_t *)body, arena, &outcome);
    else if (entry->kind == KIND_CONFIGURATION && body)
        apply_configuration(store, entry, (const Curia__Internal__V1__ConfigurationBody *)body);
    if (!err)
        err = catalog_change_trim(store);
    if (err)
        return cu_fail(diag, err, "entry %llu could not be applied: %s",
                       (unsigned long long)entry->index, cu_err_words(err));
    outcome.shown_index = catalog_store_shown_index(store);
    *ret_outcome = outcome;
    return CU_OK;
}
