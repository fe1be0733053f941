/* authorize.c - /v1/agent/connect/authorize (http-api.md 2.5, mesh.md 3.5). */
#include "common/json/text.h"
#include "services/agentd/core/connect.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/permit.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

#include "curia/v1/config.pb-c.h"

#define BY_ACLS "Default behavior configured by ACLs"

static unsigned encode(const ProtobufCMessage *message, unsigned format, bool allows_by_default,
                       const char *reason, struct cu_buf *out)
{
    const Curia__V1__IntentionCheckReply *reply = (const Curia__V1__IntentionCheckReply *)message;
    bool allowed = reply->matched ? reply->allowed : allows_by_default;
    size_t start = out->len;
    cu_buf_printf(out, "{\"Authorized\":%s,\"Reason\":", allowed ? "true" : "false");
    cu_json_cstr(out, reply->matched ? reply->reason : reason);
    cu_buf_u8(out, '}');
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_without_acls(const ProtobufCMessage *message, unsigned format,
                                    struct cu_buf *out)
{
    return encode(message, format, true, "ACLs disabled, access is allowed by default", out);
}

static unsigned encode_or_allow(const ProtobufCMessage *message, unsigned format,
                                struct cu_buf *out)
{
    return encode(message, format, true, BY_ACLS, out);
}

static unsigned encode_or_deny(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    return encode(message, format, false, BY_ACLS, out);
}

/* clang-format off */
#define CHECK(encode) .method = {&curia__v1__intentions__descriptor, "Check", encode}
static const struct agent_read_row
    without  = {CHECK(encode_without_acls), .flags = AGENT_IS_CACHED},
    or_allow = {CHECK(encode_or_allow), .flags = AGENT_IS_CACHED},
    or_deny  = {CHECK(encode_or_deny), .flags = AGENT_IS_CACHED};
/* clang-format on */

static const struct agent_read_row *row_of(const struct agent_conf *conf)
{
    if (!conf->allows_by_default)
        return &or_deny;
    return conf->acl_enabled ? &or_allow : &without;
}

void agent_authorize_post(struct agent_call *call)
{
    struct agent_presented presented;
    struct agent_guard guard = agent_guard_of(call);
    Curia__V1__IntentionCheckRequest *check = agent_new_request(call, sizeof *check);
    if (!check)
        return;
    if (!agent_authorize_parse(cu_buf_bytes(&call->rq.body), call->rq.arena, &presented,
                               &call->fault) ||
        !agent_guard_service_name(&guard, presented.target)) {
        agent_answer_fault(call);
        return;
    }
    curia__v1__intention_check_request__init(check);
    check->source = (char *)presented.source;
    check->destination = (char *)presented.target;
    agent_read_start(call, row_of(&call->agent->conf), &check->base);
}
