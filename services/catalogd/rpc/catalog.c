/* Catalog: nodes, services and checks registered, and read by node and by service
 * (http-api.md 2.6).
 */
#include <string.h>

#include "proto/curia/v1/catalog.pb-c.h"
#include "services/catalogd/core/browse.h"
#include "services/catalogd/core/index.h"
#include "services/catalogd/core/instances.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/registration.h"
#include "services/catalogd/core/vet.h"
#include "services/catalogd/io/acl.h"
#include "services/catalogd/rpc/discovery.h"
#include "services/catalogd/rpc/table.h"
#include "services/catalogd/rpc/write.h"

enum { REGISTER_ARENA_BYTES = 32 * 1024 * 1024 }; /* what a request of the limit unpacks to */

/* ---- reads ---- */

// clang-format off
DISCOVERY_EVALUATE(evaluate_nodes, catalog_list_nodes, Curia__V1__ListNodesRequest, Curia__V1__ListNodesReply)
DISCOVERY_EVALUATE(evaluate_services, catalog_list_services, Curia__V1__ListServicesRequest, Curia__V1__ListServicesReply)
DISCOVERY_EVALUATE(evaluate_instances, catalog_service_nodes, Curia__V1__ServiceNodesRequest, Curia__V1__ServiceNodesReply)
DISCOVERY_EVALUATE(evaluate_node, catalog_node_services, Curia__V1__NodeServicesRequest, Curia__V1__NodeServicesReply)
// clang-format on

DISCOVERY_TOPICS_OF_TABLE(topics_of_nodes, CATALOG_NODES)

static size_t topics_of_services(const ProtobufCMessage *in, struct cu_arena *arena,
                                 struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    topics[0] = catalog_topic_of_table(CATALOG_SERVICES);
    topics[1] = catalog_topic_of_table(CATALOG_NODES);
    return ((const Curia__V1__ListServicesRequest *)in)->n_node_meta > 0 ? 2 : 1;
}

/* What may be the beginning of an id may be that of any node, now or later. */
static size_t topics_of_node(const ProtobufCMessage *in, struct cu_arena *arena,
                             struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    const Curia__V1__NodeServicesRequest *request = (const Curia__V1__NodeServicesRequest *)in;
    char digits[CATALOG_ID_PREFIX_BYTES];
    topics[0] = catalog_topic_of_index(arena, CATALOG_INDEX_NODE, request->node);
    topics[1] = catalog_topic_of_table(CATALOG_NODES);
    topics[2] = catalog_topic_of_table(CATALOG_SERVICES);
    if (!topics[0].key.data)
        return 0;
    return catalog_id_prefix(request->node, digits, sizeof digits) ? 3 : 1;
}

// clang-format off
static const struct catalog_query
    nodes = {DISCOVERY_QUERY("Catalog.ListNodes", list_nodes_request, list_nodes_reply, evaluate_nodes, topics_of_nodes)},
    services = {DISCOVERY_QUERY("Catalog.ListServices", list_services_request, list_services_reply, evaluate_services, topics_of_services)},
    instances = {DISCOVERY_QUERY("Catalog.ServiceNodes", service_nodes_request, service_nodes_reply, evaluate_instances, catalog_topics_of_service)},
    node = {DISCOVERY_QUERY("Catalog.NodeServices", node_services_request, node_services_reply, evaluate_node, topics_of_node)};
// clang-format on

static void list_nodes(void *daemon, struct cu_rq *rq)
{
    catalog_discovery_serve(
        daemon, rq, &nodes,
        (struct catalog_filtered){((const Curia__V1__ListNodesRequest *)rq->in)->filter,
                                  &cu_filter_node});
}

static void list_services(void *daemon, struct cu_rq *rq)
{
    catalog_read_serve(daemon, rq, &services);
}

static void service_nodes(void *daemon, struct cu_rq *rq)
{
    catalog_discovery_serve(
        daemon, rq, &instances,
        (struct catalog_filtered){((const Curia__V1__ServiceNodesRequest *)rq->in)->filter,
                                  &cu_filter_catalog_service});
}

static void node_services(void *daemon, struct cu_rq *rq)
{
    catalog_discovery_serve(
        daemon, rq, &node,
        (struct catalog_filtered){((const Curia__V1__NodeServicesRequest *)rq->in)->filter,
                                  &cu_filter_service});
}

/* ---- writes ---- */

/* Who may be the cause of a registration (contracts 6.2). */
static const char *cause_of(const char *given)
{
    static const char *const causes[] = {"api", "sync", "check", "ttl", "gossip"};
    if (given[0] == '\0')
        return "api";
    for (size_t i = 0; i < CU_COUNT(causes); i++)
        if (strcmp(given, causes[i]) == 0)
            return causes[i];
    return NULL;
}

/* False: the request has been answered. */
static bool begin_command(struct cu_rq *rq, const char *cause, const char *reason,
                          Curia__Internal__V1__Origin *origin,
                          Curia__Internal__V1__Command *command)
{
    const char *known = cause_of(cause);
    if (!known) {
        cu_rq_fail(rq, CU_E_INVALID, "unknown cause of a registration");
        return false;
    }
    catalog_command_init(rq, reason, origin, command);
    command->cause = (char *)(uintptr_t)known;
    return true;
}

#define ANSWER(name, type, init)                                                                   \
    static void name(struct cu_rq *rq, const struct catalog_outcome *outcome)                      \
    {                                                                                              \
        type reply = init;                                                                         \
        if (!catalog_write_refused(rq, outcome))                                                   \
            cu_rq_reply(rq, &reply.base, outcome->shown_index);                                    \
    }
ANSWER(answer_register, Curia__V1__RegisterReply, CURIA__V1__REGISTER_REPLY__INIT)
ANSWER(answer_deregister, Curia__V1__DeregisterReply, CURIA__V1__DEREGISTER_REPLY__INIT)

/* Decides for the caller and names what that rests on; all of it in the request's arena. */
static enum cu_err vet_in(const struct catalog_view *view, struct cu_arena *arena,
                          Curia__Internal__V1__Command *command,
                          struct catalog_refusal *ret_refusal)
{
    struct catalog_vetted vetted = {.arena = arena};
    enum cu_err err = command->register_node
                          ? catalog_vet_register(view, command->register_node, &vetted, ret_refusal)
                          : catalog_vet_deregister(view, command->deregister, &vetted, ret_refusal);
    command->checked = (Curia__Internal__V1__Checked **)vetted.rows.items;
    command->n_checked = vetted.rows.count;
    return err;
}

static enum cu_err look_and_vet(struct catalog_shell *shell, struct cu_rq *rq,
                                Curia__Internal__V1__Command *command,
                                struct catalog_refusal *ret_refusal, struct cu_diag *diag)
{
    struct catalog_bookmark bookmark;
    struct catalog_caller caller;
    enum cu_err err = catalog_acl_caller(shell, rq->token, &caller, diag);
    if (err)
        return err;
    const struct catalog_backend *snapshot = catalog_readers_snapshot(shell->readers);
    cu_arena_set_limit(rq->arena, REGISTER_ARENA_BYTES);
    if (!snapshot || catalog_bookmark_read(snapshot, rq->arena, &bookmark))
        return cu_fail(diag, CU_E_NOT_READY, "the state cannot be read now");
    struct catalog_view view = catalog_view_of(snapshot, &bookmark);
    view.authorizer = caller.authorizer;
    err = vet_in(&view, rq->arena, command, ret_refusal);
    return err ? cu_fail(diag, err, "the rights to it cannot be checked: %s", cu_err_words(err))
               : CU_OK;
}

/* Asks what the request needs of the state (http-api.md 4.8). False: it has been answered. */
static bool vet(struct catalog_shell *shell, struct cu_rq *rq,
                Curia__Internal__V1__Command *command)
{
    struct catalog_refusal refusal = {CU_OK, NULL};
    struct cu_diag diag = {0};
    if (!shell->conf.acl.is_enabled)
        return true;
    enum cu_err err = look_and_vet(shell, rq, command, &refusal, &diag);
    if (err || refusal.text)
        catalog_refuse(shell, rq, err ? err : refusal.err, err ? diag.text : refusal.text);
    return !err && !refusal.text;
}

static void register_node(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    const Curia__V1__RegisterRequest *in = (const Curia__V1__RegisterRequest *)rq->in;
    Curia__Internal__V1__RegisterCommand body = CURIA__INTERNAL__V1__REGISTER_COMMAND__INIT;
    struct catalog_refusal refusal;
    body.node = in->node;
    body.service = in->service;
    body.checks = in->checks;
    body.n_checks = in->n_checks;
    body.skip_node_update = in->skip_node_update;
    if (body.node && body.node->datacenter[0] == '\0')
        body.node->datacenter = (char *)(uintptr_t)shell->env->datacenter;
    cu_arena_set_limit(rq->arena, REGISTER_ARENA_BYTES);
    enum cu_err err = catalog_registration_prepare(&body, rq->arena, &refusal);
    if (err || refusal.text) {
        cu_rq_fail(rq, err ? err : refusal.err, "%s",
                   err ? "the registration is too large" : refusal.text);
        return;
    }
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    if (!begin_command(rq, in->cause, in->reason, &origin, &command))
        return;
    command.register_node = &body;
    if (vet(shell, rq, &command))
        catalog_write_serve(shell, rq, &command, answer_register);
}

static void deregister_node(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__DeregisterRequest *in = (const Curia__V1__DeregisterRequest *)rq->in;
    Curia__Internal__V1__DeregisterCommand body = CURIA__INTERNAL__V1__DEREGISTER_COMMAND__INIT;
    body.node = in->node;
    body.service_id = in->service_id;
    body.check_id = in->check_id;
    struct catalog_refusal refusal = catalog_deregistration_check(&body);
    if (refusal.text) {
        cu_rq_fail(rq, refusal.err, "%s", refusal.text);
        return;
    }
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    if (!begin_command(rq, in->cause, in->reason, &origin, &command))
        return;
    command.deregister = &body;
    if (vet(daemon, rq, &command))
        catalog_write_serve(daemon, rq, &command, answer_deregister);
}

/* ---- the table ---- */

// clang-format off
static const struct cu_method methods[] = {
    /*        method          kind     route           caller        permission                               request     reply    handler */
    CU_METHOD(RegisterNode,   CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ANY_TOKEN, NULL),                   1472 * KIB, 4 * KIB, register_node),
    CU_METHOD(DeregisterNode, CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ANY_TOKEN, NULL),                   16 * KIB,   4 * KIB, deregister_node),
    CU_METHOD(ListNodes,      CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL),                   64 * KIB,  64 * MIB, list_nodes),
    CU_METHOD(ListServices,   CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL),                   64 * KIB,  64 * MIB, list_services),
    CU_METHOD(ServiceNodes,   CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL),                   64 * KIB,  64 * MIB, service_nodes),
    CU_METHOD(NodeServices,   CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL),                   64 * KIB,  64 * MIB, node_services),
};
// clang-format on

const struct cu_service catalog_catalog_service = {&curia__v1__catalog__descriptor, methods,
                                                   CU_COUNT(methods)};
