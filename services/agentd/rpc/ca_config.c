/* ca_config.c - /v1/connect/ca/configuration (http-api.md 2.16, mesh.md 1.9). */
#include "services/agentd/core/connect.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

static unsigned encode_config(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__CaConfigReply *reply = (const Curia__V1__CaConfigReply *)message;
    size_t start = out->len;
    if (!reply->config)
        return 404;
    agent_ca_config_write(out, reply->config);
    return agent_read_finish(200, format, start, out);
}

static void no_ca(struct agent_call *call)
{
    (void)agent_refuse(&call->fault, 500, "Connect must be enabled in order to use this endpoint");
}

static const struct agent_read_row row = {
    .method = {&curia__v1__connect_ca__descriptor, "Config", encode_config},
    .flags = AGENT_SAYS_NO_STATE,
    .absent = no_ca,
    .params = {.request = &curia__v1__ca_config_request__descriptor}};

static void was_set(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    if (answer->err)
        agent_answer_error(call, answer->err, answer->text, 500);
    else
        agent_answer_empty(call, 200, NULL);
}

static void put(struct agent_call *call)
{
    Curia__V1__CaConfigSetRequest *set = agent_new_request(call, sizeof *set);
    Curia__V1__CaConfig *config = set ? agent_new_request(call, sizeof *config) : NULL;
    if (!config)
        return;
    curia__v1__ca_config_set_request__init(set);
    if (!agent_ca_config_parse(cu_buf_bytes(&call->rq.body), call->rq.arena, config,
                               &call->fault)) {
        agent_answer_fault(call);
        return;
    }
    set->config = config;
    agent_write_start(call, &curia__v1__connect_ca__descriptor, "SetConfig", &set->base, was_set);
}

void agent_ca_config_handle(struct agent_call *call)
{
    if (call->rq.method[0] == 'G')
        agent_read_bound(call, &row);
    else
        put(call);
}
