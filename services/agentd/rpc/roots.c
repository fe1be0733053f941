/* roots.c - /v1/connect/ca (http-api.md 2.16, mesh.md 1.8). */
#include "services/agentd/core/mesh.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"

static unsigned encode_roots(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__CaRootsReply *reply = (const Curia__V1__CaRootsReply *)message;
    size_t start = out->len;
    if (!*reply->trust_domain)
        return 404;
    cu_json_write(out, &agent_shape_ca_roots, &reply->base);
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_pem(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__CaRootsReply *reply = (const Curia__V1__CaRootsReply *)message;
    size_t start = out->len;
    if (!*reply->trust_domain)
        return 404;
    for (size_t i = 0; i < reply->n_roots; i++) {
        cu_buf_text(out, reply->roots[i]->root_cert);
        for (size_t k = 0; k < reply->roots[i]->n_intermediate_certs; k++)
            cu_buf_text(out, reply->roots[i]->intermediate_certs[k]);
    }
    return agent_read_finish(200, format, start, out);
}

/* No CA: it is off, or has not begun. */
static void no_ca(struct agent_call *call)
{
    (void)agent_refuse(&call->fault, 500, "Connect must be enabled in order to use this endpoint");
}

/* clang-format off */
#define ROOTS(encode) \
    .method = {&curia__v1__connect_ca__descriptor, "Roots", encode}, .absent = no_ca, \
    .params = {.request = &curia__v1__ca_roots_request__descriptor}
static const struct agent_read_row as_json = {ROOTS(encode_roots)};
static const struct agent_read_row as_pem  = {ROOTS(encode_pem), .raw_type = "application/pem-certificate-chain"};
static const struct agent_read_row own_as_json = {ROOTS(encode_roots), .flags = AGENT_IS_CACHED};
static const struct agent_read_row own_as_pem  = {ROOTS(encode_pem), .flags = AGENT_IS_CACHED,
                                                  .raw_type = "application/pem-certificate-chain"};
/* clang-format on */

static void get(struct agent_call *call, const struct agent_read_row *json,
                const struct agent_read_row *text)
{
    struct cu_bytes pem = agent_query_value(&call->query, "pem");
    bool wants_pem = false;
    if (pem.len && !agent_bool_parse(pem, &wants_pem)) {
        agent_answer_text(call, 400,
                          "Bad request: The 'pem' query parameter must be a boolean value");
        return;
    }
    if (wants_pem)
        call->format = AGENT_RAW | (call->format & AGENT_GZIP);
    agent_read_bound(call, wants_pem ? text : json);
}

void agent_ca_roots_get(struct agent_call *call)
{
    get(call, &as_json, &as_pem);
}

/* /v1/agent/connect/ca/roots: what the agent keeps (http-api.md 2.5). */
void agent_own_roots_get(struct agent_call *call)
{
    get(call, &own_as_json, &own_as_pem);
}
