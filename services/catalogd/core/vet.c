#include "services/catalogd/core/vet.h"

#include <string.h>

#include "common/acl/authorizer.h"
#include "common/base/assert.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/lookup.h"
#include "services/catalogd/core/sentence.h"

typedef Curia__V1__Node node_t;
typedef Curia__V1__Service service_t;
typedef Curia__V1__Check check_t;

/* A request being vetted; the first refusal stays. */
struct vetting {
    const struct catalog_view *view;
    struct catalog_vetted *vetted;
    struct catalog_refusal refusal;
};

enum cu_err catalog_vetted_add(struct catalog_vetted *vetted, enum catalog_table table,
                               struct cu_bytes key, uint64_t modify_index)
{
    Curia__Internal__V1__Checked *row = cu_arena_alloc(vetted->arena, sizeof *row);
    if (!row || vetted->rows.count >= CATALOG_VET_ROWS_MAX)
        return CU_E_TOO_LARGE;
    curia__internal__v1__checked__init(row);
    row->table = (char *)(uintptr_t)catalog_table_name(table);
    row->key = (ProtobufCBinaryData){key.len, (uint8_t *)(uintptr_t)key.data};
    row->modify_index = modify_index;
    return catalog_list_add(&vetted->rows, vetted->arena, row) ? CU_OK : CU_E_TOO_LARGE;
}

static void refuse(struct vetting *v, enum cu_err err, const char *sentence)
{
    if (!v->refusal.text)
        v->refusal = (struct catalog_refusal){err, sentence};
}

static bool permits(const struct vetting *v, enum cu_right right, const char *name)
{
    return cu_authorizer_permits(v->view->authorizer, right, cu_bytes_of(name));
}

static void ask(struct vetting *v, enum cu_right right, const char *name)
{
    if (!permits(v, right, name))
        refuse(v, CU_E_DENIED, "Permission denied");
}

/* What is there now, NULL: nothing; either is named. */
static enum cu_err find_node(struct vetting *v, const char *name, node_t **ret_node)
{
    struct cu_bytes key = catalog_key_of_node(v->vetted->arena, name, NULL);
    enum cu_err err = catalog_view_get(v->view, CATALOG_NODES, key, v->vetted->arena, ret_node);
    uint64_t index = !err && *ret_node ? (*ret_node)->modify_index : 0;
    return err ? err : catalog_vetted_add(v->vetted, CATALOG_NODES, key, index);
}

static enum cu_err find_service(struct vetting *v, const char *node, const char *id,
                                service_t **ret_service)
{
    struct cu_bytes key = catalog_key_of_node(v->vetted->arena, node, id);
    enum cu_err err =
        catalog_view_get(v->view, CATALOG_SERVICES, key, v->vetted->arena, ret_service);
    uint64_t index = !err && *ret_service ? (*ret_service)->modify_index : 0;
    return err ? err : catalog_vetted_add(v->vetted, CATALOG_SERVICES, key, index);
}

static enum cu_err find_check(struct vetting *v, const char *node, const char *id,
                              check_t **ret_check)
{
    struct cu_bytes key = catalog_key_of_node(v->vetted->arena, node, id);
    enum cu_err err = catalog_view_get(v->view, CATALOG_CHECKS, key, v->vetted->arena, ret_check);
    uint64_t index = !err && *ret_check ? (*ret_check)->modify_index : 0;
    return err ? err : catalog_vetted_add(v->vetted, CATALOG_CHECKS, key, index);
}

/* ---- registrations ---- */

/* Indexes are not the caller's to change. */
static bool is_same_node(const node_t *a, const node_t *b, struct cu_arena *arena)
{
    node_t x = *a, y = *b;
    x.create_index = x.modify_index = y.create_index = y.modify_index = 0;
    size_t len = curia__v1__node__get_packed_size(&x);
    if (len != curia__v1__node__get_packed_size(&y))
        return false;
    uint8_t *left = cu_arena_alloc(arena, len + 1), *right = cu_arena_alloc(arena, len + 1);
    if (!left || !right)
        return false; /* then it takes the right to the node */
    (void)curia__v1__node__pack(&x, left);
    (void)curia__v1__node__pack(&y, right);
    return memcmp(left, right, len) == 0;
}

struct target {
    struct cu_arena *arena;
    struct cu_bytes key;
};

static bool take_target(void *arg, const struct catalog_row *row)
{
    struct target *target = arg;
    target->key = catalog_lookup_target(target->arena, row->key);
    return false;
}

/* Who bears the id under another name would go, with all that is on it, or be written otherwise.
 * The reference does not ask for the right to that. */
static enum cu_err vet_renamed(struct vetting *v, const node_t *node)
{
    static const struct cu_bytes all = {NULL, 0};
    const struct catalog_backend *backend = v->view->backend;
    struct target target = {.arena = v->vetted->arena};
    char digits[CATALOG_NODE_ID_DIGITS + 1];
    node_t *now = NULL;
    if (!catalog_lookup_node_id(node->id, digits))
        return CU_OK;
    struct cu_bytes prefix = catalog_lookup_key(target.arena, CATALOG_LOOKUP_NODE_ID, digits, all);
    if (!prefix.data)
        return CU_E_TOO_LARGE;
    enum cu_err err =
        backend->scan(backend->context, CATALOG_INDEXES, prefix, all, take_target, &target);
    if (!err && target.key.data)
        err = catalog_view_get(v->view, CATALOG_NODES, target.key, target.arena, &now);
    if (err || !now || strcmp(now->node, node->node) == 0)
        return err;
    ask(v, NODE_WRITE, now->node);
    return catalog_vetted_add(v->vetted, CATALOG_NODES, target.key, now->modify_index);
}

/* A service may be registered with the node as it is by who may not change the node. */
static enum cu_err vet_node(struct vetting *v, const Curia__Internal__V1__RegisterCommand *command)
{
    node_t *now;
    enum cu_err err = find_node(v, command->node->node, &now);
    if (err)
        return err;
    bool changes =
        !now || (!command->skip_node_update && !is_same_node(command->node, now, v->vetted->arena));
    if (changes)
        ask(v, NODE_WRITE, command->node->node);
    if (changes && now) /* whose name may be written in other letters */
        ask(v, NODE_WRITE, now->node);
    return vet_renamed(v, command->node);
}

static enum cu_err vet_service(struct vetting *v, const char *node, const service_t *service)
{
    service_t *now;
    enum cu_err err = find_service(v, node, service->id, &now);
    if (err)
        return err;
    ask(v, SERVICE_WRITE, service->service);
    if (strcmp(service->kind, "connect-proxy") == 0 && service->proxy)
        ask(v, SERVICE_WRITE, service->proxy->destination_service_name);
    if (now)
        ask(v, SERVICE_WRITE, now->service);
    return CU_OK;
}

static enum cu_err vet_foreign(struct vetting *v, const check_t *check)
{
    service_t *other;
    enum cu_err err = find_service(v, check->node, check->service_id, &other);
    if (!err && !other)
        refuse(v, CU_E_INVALID,
               catalog_sentence(v->vetted->arena, "Unknown service '%s' for check '%s'",
                                check->service_id, check->check_id));
    else if (!err)
        ask(v, SERVICE_WRITE, other->service);
    return err;
}

/* What its id names now may be another service's, or the node's own: to take that away is no less
 * than to write there. The reference does not ask. */
static enum cu_err vet_replaced(struct vetting *v, const char *node, const check_t *check)
{
    check_t *now;
    enum cu_err err = find_check(v, node, check->check_id, &now);
    if (err || !now || catalog_name_equal(now->service_id, check->service_id))
        return err;
    if (*now->service_id)
        ask(v, SERVICE_WRITE, now->service_name);
    else
        ask(v, NODE_WRITE, node);
    return CU_OK;
}

static enum cu_err vet_check(struct vetting *v, const Curia__Internal__V1__RegisterCommand *command,
                             const check_t *check)
{
    const char *node = command->node->node;
    if (!catalog_name_equal(check->node, node)) {
        refuse(v, CU_E_INVALID,
               catalog_sentence(v->vetted->arena,
                                "Node '%s' for check '%s' doesn't match register request node '%s'",
                                check->node, check->check_id, node));
        return CU_OK;
    }
    enum cu_err err = vet_replaced(v, node, check);
    if (err)
        return err;
    if (!*check->service_id) {
        ask(v, NODE_WRITE, node);
        return CU_OK;
    }
    if (command->service && catalog_name_equal(command->service->id, check->service_id))
        return CU_OK;
    return vet_foreign(v, check);
}

enum cu_err catalog_vet_register(const struct catalog_view *view,
                                 const Curia__Internal__V1__RegisterCommand *command,
                                 struct catalog_vetted *vetted, struct catalog_refusal *ret_refusal)
{
    struct vetting v = {.view = view, .vetted = vetted};
    enum cu_err err = vet_node(&v, command);
    if (!err && command->service)
        err = vet_service(&v, command->node->node, command->service);
    for (size_t i = 0; !err && !v.refusal.text && i < command->n_checks; i++)
        err = vet_check(&v, command, command->checks[i]);
    *ret_refusal = v.refusal;
    return err;
}

/* ---- deregistrations ---- */

static enum cu_err vet_service_gone(struct vetting *v, const char *node, const char *id)
{
    service_t *now;
    enum cu_err err = find_service(v, node, id, &now);
    if (!err && !now)
        refuse(v, CU_E_INVALID, catalog_sentence(v->vetted->arena, "Unknown service '%s'", id));
    else if (!err)
        ask(v, SERVICE_WRITE, now->service);
    return err;
}

static enum cu_err vet_check_gone(struct vetting *v, const char *node, const char *id)
{
    check_t *now;
    enum cu_err err = find_check(v, node, id, &now);
    if (!err && !now)
        refuse(v, CU_E_INVALID, catalog_sentence(v->vetted->arena, "Unknown check '%s'", id));
    else if (!err && *now->service_id)
        ask(v, SERVICE_WRITE, now->service_name);
    else if (!err)
        refuse(v, CU_E_DENIED, "Permission denied"); /* the right to the node would have done */
    return err;
}

enum cu_err catalog_vet_deregister(const struct catalog_view *view,
                                   const Curia__Internal__V1__DeregisterCommand *command,
                                   struct catalog_vetted *vetted,
                                   struct catalog_refusal *ret_refusal)
{
    struct vetting v = {.view = view, .vetted = vetted};
    node_t *now;
    enum cu_err err = find_node(&v, command->node, &now);
    if (err)
        return err;
    if (permits(&v, NODE_WRITE, command->node) && (!now || permits(&v, NODE_WRITE, now->node)))
        (void)0; /* that does for anything on it; its name may be written in other letters */
    else if (*command->service_id)
        err = vet_service_gone(&v, command->node, command->service_id);
    else if (*command->check_id)
        err = vet_check_gone(&v, command->node, command->check_id);
    else
        refuse(&v, CU_E_DENIED, "Permission denied");
    *ret_refusal = v.refusal;
    return err;
}
