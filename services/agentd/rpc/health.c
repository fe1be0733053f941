/* health.c - /v1/health (http-api.md 2.7). */
#include "curia/v1/health.pb-c.h"

#include "services/agentd/core/shapes.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"

static unsigned encode_checks(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__ChecksReply *reply = (const Curia__V1__ChecksReply *)message;
    size_t start = out->len;
    cu_json_write_list(out, &agent_shape_check, reply->checks, reply->n_checks);
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_entries(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__HealthServiceReply *reply = (const Curia__V1__HealthServiceReply *)message;
    size_t start = out->len;
    cu_json_write_list(out, &agent_shape_health_entry, reply->entries, reply->n_entries);
    return agent_read_finish(200, format, start, out);
}

// clang-format off
#define AT(type, member)  offsetof(Curia__V1__##type, member)
#define METHOD(name, encode) {&curia__v1__health__descriptor, name, encode}
#define META(type, entry)                                                                          \
    .meta = AT(type, node_meta), .n_meta = AT(type, n_node_meta),                                  \
    .meta_entry = &curia__v1__##entry##__node_meta_entry__descriptor
#define CHECKS_FLAGS  (AGENT_SAYS_CONSISTENCY | AGENT_META_ON_ERROR | AGENT_MAY_BE_STALE)
#define ENTRIES_FLAGS (AGENT_SAYS_CONSISTENCY | AGENT_TAKES_CACHED | AGENT_MAY_BE_STALE)

static const struct agent_read_row of_node = {
    METHOD("NodeChecks", encode_checks), CHECKS_FLAGS, "Missing node name",
    .params = {.request = &curia__v1__node_checks_request__descriptor,
               .tail = AT(NodeChecksRequest, node), .filter = AT(NodeChecksRequest, filter)}};
static const struct agent_read_row of_service = {
    METHOD("ServiceChecks", encode_checks), CHECKS_FLAGS, "Missing service name",
    .params = {.request = &curia__v1__service_checks_request__descriptor,
               .tail = AT(ServiceChecksRequest, service), .near = AT(ServiceChecksRequest, near),
               .filter = AT(ServiceChecksRequest, filter),
               META(ServiceChecksRequest, service_checks_request)}};
static const struct agent_read_row in_state = {
    METHOD("StateChecks", encode_checks), CHECKS_FLAGS, "Missing check state",
    .params = {.request = &curia__v1__state_checks_request__descriptor,
               .tail = AT(StateChecksRequest, state), .near = AT(StateChecksRequest, near),
               .filter = AT(StateChecksRequest, filter), META(StateChecksRequest, state_checks_request)}};
#define ENTRIES                                                                                    \
    .request = &curia__v1__service_nodes_request__descriptor,                                      \
    .tail = AT(ServiceNodesRequest, service), .near = AT(ServiceNodesRequest, near),               \
    .filter = AT(ServiceNodesRequest, filter),                                                     \
    .tags = AT(ServiceNodesRequest, tags), .n_tags = AT(ServiceNodesRequest, n_tags),              \
    .passing = AT(ServiceNodesRequest, passing), META(ServiceNodesRequest, service_nodes_request)
static const struct agent_read_row instances = {
    METHOD("ServiceNodes", encode_entries), ENTRIES_FLAGS, "Missing service name",
    .params = {ENTRIES}};
static const struct agent_read_row proxies = {
    METHOD("ServiceNodes", encode_entries), ENTRIES_FLAGS, "Missing service name",
    .params = {ENTRIES, .flag = AT(ServiceNodesRequest, connect)}};

#define READ(name, row)                                                                            \
    void agent_health_##name##_get(struct agent_call *call)                                        \
    {                                                                                              \
        agent_read_bound(call, &(row));                                                            \
    }
/* clang-format on */

READ(node, of_node)
READ(checks, of_service)
READ(state, in_state)
READ(service, instances)
READ(connect, proxies)
