#include "services/catalogd/core/register.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/quote.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/lookup.h"
#include "services/catalogd/core/remove.h"
#include "services/catalogd/core/store_state.h"

typedef Curia__V1__Node node_t;
typedef Curia__V1__Service service_t;
typedef Curia__V1__Check check_t;
typedef Curia__Internal__V1__RegisterCommand command_t;

/* A node's row as it is. */
struct found {
    bool is_there;
    struct catalog_row row;
    const node_t *node; /* NULL when it is not there */
};

/* What a registration will do; made before anything is written. */
struct plan {
    struct catalog_store *store;
    command_t *command;
    struct cu_bytes node_key, node_value;
    struct found by_name;
    bool writes_node;
    const char *renamed;   /* the node that bears the id under another name; NULL: none */
    uint64_t create_index; /* of that one; 0: none */
    const char *refusal;
};

static const char *sentence(const char *made)
{
    CU_ASSERT(made); /* scratch holds whatever an entry needs */
    return made;
}

static struct cu_bytes pack(struct catalog_store *store, const void *message)
{
    uint8_t *packed =
        cu_arena_alloc(store->scratch, protobuf_c_message_get_packed_size(message) + 1);
    CU_ASSERT(packed);
    return (struct cu_bytes){packed, protobuf_c_message_pack(message, packed)};
}

static const void *unpack(struct catalog_store *store, const ProtobufCMessageDescriptor *type,
                          struct cu_bytes value)
{
    return protobuf_c_message_unpack(type, cu_arena_allocator(store->scratch), value.len,
                                     value.data);
}

/* ---- which node it is ---- */

static enum cu_err find_node(struct catalog_store *store, struct cu_bytes key,
                             struct found *ret_found)
{
    struct found found = {.is_there = true};
    enum cu_err err = catalog_store_get(store, CATALOG_NODES, key, &found.row);
    if (err == CU_E_NOT_FOUND) {
        *ret_found = (struct found){.is_there = false};
        return CU_OK;
    }
    if (err)
        return err;
    found.node = unpack(store, &curia__v1__node__descriptor, found.row.value);
    if (!found.node)
        return CU_E_CORRUPT;
    *ret_found = found;
    return CU_OK;
}

struct target {
    struct cu_arena *arena;
    struct cu_bytes key;
};

static bool take_target(void *arg, const struct catalog_row *row)
{
    struct target *target = arg;
    target->key = catalog_lookup_target(target->arena, row->key);
    CU_ASSERT(target->key.data);
    return false;
}

static enum cu_err find_node_by_id(struct catalog_store *store, const char *digits,
                                   struct found *ret_found)
{
    struct target target = {.arena = store->scratch};
    struct cu_bytes prefix = catalog_lookup_key(store->scratch, CATALOG_LOOKUP_NODE_ID, digits,
                                                (struct cu_bytes){NULL, 0});
    CU_ASSERT(prefix.data);
    *ret_found = (struct found){.is_there = false};
    enum cu_err err = store->backend->scan(store->backend->context, CATALOG_INDEXES, prefix,
                                           (struct cu_bytes){NULL, 0}, take_target, &target);
    return err || !target.key.data ? err : find_node(store, target.key, ret_found);
}

/* Gossip holds it for alive. */
static enum cu_err is_healthy(struct catalog_store *store, const char *node, bool *ret_healthy)
{
    struct cu_bytes key = catalog_key_of_node(store->scratch, node, CATALOG_SERF_CHECK);
    struct catalog_row row;
    CU_ASSERT(key.data);
    *ret_healthy = false;
    enum cu_err err = catalog_store_get(store, CATALOG_CHECKS, key, &row);
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    const check_t *check = unpack(store, &curia__v1__check__descriptor, row.value);
    if (!check)
        return CU_E_CORRUPT;
    *ret_healthy = strcmp(check->status, "critical") != 0;
    return CU_OK;
}

static void refuse_name(struct plan *plan, bool is_rename)
{
    const node_t *node = plan->command->node, *holder = plan->by_name.node;
    struct cu_arena *scratch = plan->store->scratch;
    const char *id = sentence(cu_quote(scratch, cu_bytes_of(node->id)));
    const char *who = is_rename ? cu_arena_printf(scratch, "%s (%s)", id, node->address) : id;
    plan->refusal = sentence(
        cu_arena_printf(scratch,
                        "failed inserting node: Error while renaming Node ID: %s: Node name %s is "
                        "reserved by node %s with name %s (%s)",
                        sentence(who), node->node, holder->id, holder->node, holder->address));
}

/* The name is another node's: that one gives way only where gossip does not hold it for alive, or,
 * unless the id had a name already, where it has no id. */
static enum cu_err contest_name(struct plan *plan, bool is_rename)
{
    bool healthy;
    if (!plan->by_name.is_there || (!is_rename && plan->by_name.node->id[0] == '\0'))
        return CU_OK;
    enum cu_err err = is_healthy(plan->store, plan->by_name.node->node, &healthy);
    if (!err && healthy)
        refuse_name(plan, is_rename);
    return err;
}

static enum cu_err identify(struct plan *plan)
{
    char digits[CATALOG_NODE_ID_DIGITS + 1];
    struct found by_id;
    if (!catalog_lookup_node_id(plan->command->node->id, digits))
        return CU_OK; /* no id: the name is all */
    enum cu_err err = find_node_by_id(plan->store, digits, &by_id);
    if (err || (by_id.is_there && cu_bytes_equal(by_id.row.key, plan->node_key)))
        return err;
    if (by_id.is_there) {
        plan->renamed = by_id.node->node;
        plan->create_index = by_id.row.create_index;
    }
    return contest_name(plan, by_id.is_there);
}

static enum cu_err plan_node(struct plan *plan)
{
    struct catalog_store *store = plan->store;
    plan->node_key = catalog_key_of_node(store->scratch, plan->command->node->node, NULL);
    CU_ASSERT(plan->node_key.data);
    plan->node_value = pack(store, plan->command->node);
    enum cu_err err = find_node(store, plan->node_key, &plan->by_name);
    if (err)
        return err;
    bool is_same =
        plan->by_name.is_there && cu_bytes_equal(plan->by_name.row.value, plan->node_value);
    if (is_same || (plan->by_name.is_there && plan->command->skip_node_update))
        return CU_OK;
    plan->writes_node = true;
    return identify(plan);
}

/* ---- the checks ---- */

static const service_t *registered_now(const command_t *command, const char *id)
{
    bool is_it = command->service && catalog_name_equal(command->service->id, id);
    return is_it ? command->service : NULL;
}

/* The service a check is bound to: of this registration, or on the node already. */
static enum cu_err find_service(struct plan *plan, const char *id, const service_t **ret_service)
{
    struct catalog_store *store = plan->store;
    struct catalog_row row;
    *ret_service = registered_now(plan->command, id);
    if (*ret_service)
        return CU_OK;
    struct cu_bytes key = catalog_key_of_node(store->scratch, plan->command->node->node, id);
    CU_ASSERT(key.data);
    enum cu_err err = catalog_store_get(store, CATALOG_SERVICES, key, &row);
    if (err)
        return err == CU_E_NOT_FOUND ? CU_OK : err;
    *ret_service = unpack(store, &curia__v1__service__descriptor, row.value);
    return *ret_service ? CU_OK : CU_E_CORRUPT;
}

static enum cu_err bind_check(struct plan *plan, check_t *check)
{
    const service_t *service;
    if (check->service_id[0] == '\0')
        return CU_OK;
    enum cu_err err = find_service(plan, check->service_id, &service);
    if (err)
        return err;
    if (!service) {
        struct cu_arena *scratch = plan->store->scratch;
        const char *node = sentence(cu_quote(scratch, cu_bytes_of(check->node)));
        plan->refusal = sentence(cu_arena_printf(
            scratch, "failed inserting check: Missing service registration on node %s", node));
        return CU_OK;
    }
    check->service_name = service->service;
    check->service_tags = service->tags;
    check->n_service_tags = service->n_tags;
    return CU_OK;
}

static enum cu_err plan_checks(struct plan *plan)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && !plan->refusal && i < plan->command->n_checks; i++)
        err = bind_check(plan, plan->command->checks[i]);
    return err;
}

/* ---- writing ---- */

static enum cu_err write_node(struct plan *plan)
{
    enum cu_err err = CU_OK;
    if (!plan->writes_node)
        return CU_OK;
    if (plan->renamed)
        err = catalog_remove_node(plan->store, plan->renamed);
    return err ? err
               : catalog_store_put_from(plan->store, CATALOG_NODES, plan->node_key,
                                        plan->node_value, plan->create_index);
}

static enum cu_err write_on_node(struct plan *plan, enum catalog_table table, const char *id,
                                 const void *message)
{
    struct catalog_store *store = plan->store;
    struct cu_bytes key = catalog_key_of_node(store->scratch, plan->command->node->node, id);
    CU_ASSERT(key.data);
    return store_put(store, table, key, pack(store, message), NULL);
}

static enum cu_err write_all(struct plan *plan)
{
    const command_t *command = plan->command;
    enum cu_err err = write_node(plan);
    if (!err && command->service)
        err = write_on_node(plan, CATALOG_SERVICES, command->service->id, command->service);
    for (size_t i = 0; !err && i < command->n_checks; i++)
        err = write_on_node(plan, CATALOG_CHECKS, command->checks[i]->check_id, command->checks[i]);
    return err;
}

/* ---- the commands ---- */

enum cu_err catalog_register(struct catalog_store *store, command_t *command,
                             struct catalog_refusal *ret_refusal)
{
    struct plan plan = {.store = store, .command = command};
    enum cu_err err = catalog_registration_prepare(command, store->scratch, ret_refusal);
    CU_ASSERT(err != CU_E_TOO_LARGE);
    if (err || ret_refusal->text)
        return err;
    err = plan_node(&plan);
    if (!err && !plan.refusal)
        err = plan_checks(&plan);
    *ret_refusal = (struct catalog_refusal){CU_E_INVALID, plan.refusal};
    return err || plan.refusal ? err : write_all(&plan);
}

enum cu_err catalog_deregister(struct catalog_store *store,
                               const Curia__Internal__V1__DeregisterCommand *command,
                               struct catalog_refusal *ret_refusal)
{
    *ret_refusal = catalog_deregistration_check(command);
    if (ret_refusal->text)
        return CU_OK;
    if (command->service_id[0])
        return catalog_remove_service(store, command->node, command->service_id);
    if (command->check_id[0])
        return catalog_remove_check(store, command->node, command->check_id);
    return catalog_remove_node(store, command->node);
}
