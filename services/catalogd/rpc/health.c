/* Health: checks, and the instances of a service with theirs (http-api.md 2.7). */
#include "proto/curia/v1/health.pb-c.h"
#include "services/catalogd/core/health.h"
#include "services/catalogd/core/index.h"
#include "services/catalogd/core/instances.h"
#include "services/catalogd/rpc/discovery.h"
#include "services/catalogd/rpc/table.h"

// clang-format off
DISCOVERY_EVALUATE(evaluate_node, catalog_node_checks, Curia__V1__NodeChecksRequest, Curia__V1__ChecksReply)
DISCOVERY_EVALUATE(evaluate_service, catalog_service_checks, Curia__V1__ServiceChecksRequest, Curia__V1__ChecksReply)
DISCOVERY_EVALUATE(evaluate_state, catalog_state_checks, Curia__V1__StateChecksRequest, Curia__V1__ChecksReply)
DISCOVERY_EVALUATE(evaluate_instances, catalog_service_health, Curia__V1__ServiceNodesRequest, Curia__V1__HealthServiceReply)
// clang-format on

static size_t topics_of_node(const ProtobufCMessage *in, struct cu_arena *arena,
                             struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    const Curia__V1__NodeChecksRequest *request = (const Curia__V1__NodeChecksRequest *)in;
    topics[0] = catalog_topic_of_index(arena, CATALOG_INDEX_NODE_CHECKS, request->node);
    return topics[0].key.data ? 1 : 0;
}

/* With metadata of nodes also what moves with the nodes of its instances (http-api.md 3.3). */
static size_t topics_of_service(const ProtobufCMessage *in, struct cu_arena *arena,
                                struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    const Curia__V1__ServiceChecksRequest *request = (const Curia__V1__ServiceChecksRequest *)in;
    topics[0] = catalog_topic_of_index(arena, CATALOG_INDEX_SERVICE_CHECKS, request->service);
    topics[1] = catalog_topic_of_index(arena, CATALOG_INDEX_SERVICE, request->service);
    if (!topics[0].key.data || !topics[1].key.data)
        return 0;
    return request->n_node_meta > 0 ? 2 : 1;
}

static size_t topics_of_state(const ProtobufCMessage *in, struct cu_arena *arena,
                              struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    topics[0] = catalog_topic_of_table(CATALOG_CHECKS);
    topics[1] = catalog_topic_of_table(CATALOG_NODES);
    return ((const Curia__V1__StateChecksRequest *)in)->n_node_meta > 0 ? 2 : 1;
}

// clang-format off
static const struct catalog_query
    of_node = {DISCOVERY_QUERY("Health.NodeChecks", node_checks_request, checks_reply, evaluate_node, topics_of_node)},
    of_service = {DISCOVERY_QUERY("Health.ServiceChecks", service_checks_request, checks_reply, evaluate_service, topics_of_service)},
    in_state = {DISCOVERY_QUERY("Health.StateChecks", state_checks_request, checks_reply, evaluate_state, topics_of_state)},
    instances = {DISCOVERY_QUERY("Health.ServiceNodes", service_nodes_request, health_service_reply, evaluate_instances, catalog_topics_of_service)};
// clang-format on

static void node_checks(void *daemon, struct cu_rq *rq)
{
    catalog_discovery_serve(
        daemon, rq, &of_node,
        (struct catalog_filtered){((const Curia__V1__NodeChecksRequest *)rq->in)->filter,
                                  &cu_filter_check});
}

static void service_checks(void *daemon, struct cu_rq *rq)
{
    catalog_discovery_serve(
        daemon, rq, &of_service,
        (struct catalog_filtered){((const Curia__V1__ServiceChecksRequest *)rq->in)->filter,
                                  &cu_filter_check});
}

static void state_checks(void *daemon, struct cu_rq *rq)
{
    catalog_discovery_serve(
        daemon, rq, &in_state,
        (struct catalog_filtered){((const Curia__V1__StateChecksRequest *)rq->in)->filter,
                                  &cu_filter_check});
}

static void service_nodes(void *daemon, struct cu_rq *rq)
{
    catalog_discovery_serve(
        daemon, rq, &instances,
        (struct catalog_filtered){((const Curia__V1__ServiceNodesRequest *)rq->in)->filter,
                                  &cu_filter_health_entry});
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method         kind     route      caller        permission                            request    reply     handler */
    CU_METHOD(NodeChecks,    CU_CALL, ROUTE_ANY, CALLER_AGENT, PERM(ANY_TOKEN, NULL),                64 * KIB,  64 * MIB, node_checks),
    CU_METHOD(ServiceChecks, CU_CALL, ROUTE_ANY, CALLER_AGENT, PERM(ANY_TOKEN, NULL),                64 * KIB,  64 * MIB, service_checks),
    CU_METHOD(StateChecks,   CU_CALL, ROUTE_ANY, CALLER_AGENT, PERM(ANY_TOKEN, NULL),                64 * KIB,  64 * MIB, state_checks),
    CU_METHOD(ServiceNodes,  CU_CALL, ROUTE_ANY, CALLER_AGENT, PERM(ANY_TOKEN, NULL),                64 * KIB,  64 * MIB, service_nodes),
};
// clang-format on

const struct cu_service catalog_health_service = {&curia__v1__health__descriptor, methods,
                                                  CU_COUNT(methods)};
