/* catalog.c - /v1/catalog (http-api.md 2.6). */
#include "curia/v1/catalog.pb-c.h"

#include "common/json/text.h"
#include "services/agentd/core/registration.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

/* ---- rendering ---- */

static unsigned encode_nodes(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__ListNodesReply *reply = (const Curia__V1__ListNodesReply *)message;
    size_t start = out->len;
    cu_json_write_list(out, &agent_shape_node, reply->nodes, reply->n_nodes);
    return agent_read_finish(200, format, start, out);
}

static void write_tags(struct cu_buf *out, const Curia__V1__ServiceTags *service)
{
    cu_json_cstr(out, service->name);
    cu_buf_text(out, ":[");
    for (size_t i = 0; i < service->n_tags; i++) {
        if (i)
            cu_buf_u8(out, ',');
        cu_json_cstr(out, service->tags[i]);
    }
    cu_buf_u8(out, ']');
}

static unsigned encode_services(const ProtobufCMessage *message, unsigned format,
                                struct cu_buf *out)
{
    const Curia__V1__ListServicesReply *reply = (const Curia__V1__ListServicesReply *)message;
    size_t start = out->len;
    cu_buf_u8(out, '{');
    for (size_t i = 0; i < reply->n_services; i++) {
        if (i)
            cu_buf_u8(out, ',');
        write_tags(out, reply->services[i]);
    }
    cu_buf_u8(out, '}');
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_instances(const ProtobufCMessage *message, unsigned format,
                                 struct cu_buf *out)
{
    const Curia__V1__ServiceNodesReply *reply = (const Curia__V1__ServiceNodesReply *)message;
    size_t start = out->len;
    cu_json_write_list(out, &agent_shape_catalog_service, reply->services, reply->n_services);
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_node(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__NodeServicesReply *reply = (const Curia__V1__NodeServicesReply *)message;
    size_t start = out->len;
    if (!reply->node) {
        cu_buf_text(out, "null");
        return agent_read_finish(200, format, start, out);
    }
    cu_buf_text(out, "{\"Node\":");
    cu_json_write(out, &agent_shape_node, &reply->node->base);
    cu_buf_text(out, ",\"Services\":{");
    for (size_t i = 0; i < reply->n_services; i++) {
        if (i)
            cu_buf_u8(out, ',');
        cu_json_cstr(out, reply->services[i]->id);
        cu_buf_u8(out, ':');
        cu_json_write(out, &agent_shape_node_service, &reply->services[i]->base);
    }
    cu_buf_text(out, "}}");
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_node_services(const ProtobufCMessage *message, unsigned format,
                                     struct cu_buf *out)
{
    const Curia__V1__NodeServicesReply *reply = (const Curia__V1__NodeServicesReply *)message;
    size_t start = out->len;
    if (!reply->node) {
        cu_buf_text(out, "{\"Node\":null,\"Services\":null}");
        return agent_read_finish(200, format, start, out);
    }
    cu_buf_text(out, "{\"Node\":");
    cu_json_write(out, &agent_shape_node, &reply->node->base);
    cu_buf_text(out, ",\"Services\":[");
    for (size_t i = 0; i < reply->n_services; i++) {
        if (i)
            cu_buf_u8(out, ',');
        cu_json_write(out, &agent_shape_node_service, &reply->services[i]->base);
    }
    cu_buf_text(out, "]}");
    return agent_read_finish(200, format, start, out);
}

/* ---- reads ---- */

// clang-format off
#define AT(type, member)  offsetof(Curia__V1__##type, member)
#define METHOD(name, encode) {&curia__v1__catalog__descriptor, name, encode}
#define META(type, entry)                                                                          \
    .meta = AT(type, node_meta), .n_meta = AT(type, n_node_meta),                                  \
    .meta_entry = &curia__v1__##entry##__node_meta_entry__descriptor
#define FLAGS  (AGENT_SAYS_CONSISTENCY | AGENT_META_ON_ERROR | AGENT_MAY_BE_STALE)
#define CACHED (FLAGS | AGENT_TAKES_CACHED)

static const struct agent_read_row nodes = {
    METHOD("ListNodes", encode_nodes), FLAGS, NULL,
    .params = {.request = &curia__v1__list_nodes_request__descriptor,
               .near = AT(ListNodesRequest, near), .filter = AT(ListNodesRequest, filter),
               META(ListNodesRequest, list_nodes_request)}};
static const struct agent_read_row services = {
    METHOD("ListServices", encode_services), CACHED, NULL,
    .params = {.request = &curia__v1__list_services_request__descriptor,
               META(ListServicesRequest, list_services_request)}};
#define INSTANCES                                                                                  \
    .request = &curia__v1__service_nodes_request__descriptor,                                      \
    .tail = AT(ServiceNodesRequest, service), .near = AT(ServiceNodesRequest, near),               \
    .filter = AT(ServiceNodesRequest, filter), META(ServiceNodesRequest, service_nodes_request)
static const struct agent_read_row service = {
    METHOD("ServiceNodes", encode_instances), CACHED, "Missing service name",
    .params = {INSTANCES, .tags = AT(ServiceNodesRequest, tags),
               .n_tags = AT(ServiceNodesRequest, n_tags)}};
static const struct agent_read_row proxies = {
    METHOD("ServiceNodes", encode_instances), CACHED, "Missing service name",
    .params = {INSTANCES, .flag = AT(ServiceNodesRequest, connect)}};
#define ONE_NODE                                                                                   \
    .request = &curia__v1__node_services_request__descriptor,                                      \
    .tail = AT(NodeServicesRequest, node), .filter = AT(NodeServicesRequest, filter)
static const struct agent_read_row node = {
    METHOD("NodeServices", encode_node), FLAGS, "Missing node name",
    .params = {ONE_NODE, .flag = AT(NodeServicesRequest, rights_by_id)}};
static const struct agent_read_row node_services = {
    METHOD("NodeServices", encode_node_services), FLAGS, "Missing node name",
    .params = {ONE_NODE}};

#define READ(name, row)                                                                            \
    void agent_catalog_##name##_get(struct agent_call *call)                                       \
    {                                                                                              \
        agent_read_bound(call, &(row));                                                            \
    }
/* clang-format on */

READ(nodes, nodes)
READ(services, services)
READ(service, service)
READ(connect, proxies)
READ(node, node)
READ(node_services, node_services)

/* ---- writes ---- */

void agent_catalog_register_put(struct agent_call *call)
{
    Curia__V1__RegisterRequest *request = agent_new_request(call, sizeof *request);
    if (!request)
        return;
    if (agent_registration_parse(cu_buf_bytes(&call->rq.body), call->agent->env->datacenter,
                                 call->rq.arena, request, &call->fault))
        agent_write_start(call, &curia__v1__catalog__descriptor, "RegisterNode", &request->base,
                          agent_write_true);
    else
        agent_answer_fault(call);
}

void agent_catalog_deregister_put(struct agent_call *call)
{
    Curia__V1__DeregisterRequest *request = agent_new_request(call, sizeof *request);
    if (!request)
        return;
    if (agent_deregistration_parse(cu_buf_bytes(&call->rq.body), call->agent->env->datacenter,
                                   call->rq.arena, request, &call->fault))
        agent_write_start(call, &curia__v1__catalog__descriptor, "DeregisterNode", &request->base,
                          agent_write_true);
    else
        agent_answer_fault(call);
}
