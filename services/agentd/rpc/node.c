/* node.c - /v1/agent/{members,join,leave,force-leave,maintenance} (http-api.md 2.2). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/members/members.h"
#include "services/agentd/core/guard.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/credentials.h"
#include "services/agentd/io/gossip.h"
#include "services/agentd/io/node.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/local.h"
#include "services/agentd/rpc/routes.h"

/* ---- gossipd ---- */

static void cancel(struct agent_call *call)
{
    cu_call_cancel(call->work);
}

static bool is_answer(struct agent_call *call, const struct cu_answer *answer)
{
    call->work = NULL;
    call->drop_work = NULL;
    return !agent_answer_failed(call, answer);
}

static void ask(struct agent_call *call, const char *method, const ProtobufCMessage *request,
                uint32_t timeout_ms, cu_on_answer *done)
{
    call->work = agent_gossip_call(call->agent->gossip, method, request, timeout_ms, done, call);
    call->drop_work = call->work ? cancel : NULL;
    if (call->work)
        return;
    (void)agent_refuse(&call->fault, 500, "gossipd of this node cannot be reached");
    agent_answer_fault(call);
}

static void done_empty(void *arg, const struct cu_answer *answer)
{
    if (is_answer(arg, answer))
        agent_answer_empty(arg, 200, NULL);
}

/* ---- members ---- */

static void put_member(struct agent_call *call, const Curia__Internal__V1__Member *member,
                       struct cu_buf *json)
{
    if (!agent_shows_node(call->authorizer, member->name))
        return;
    if (json->len > 1)
        cu_buf_u8(json, ',');
    cu_json_write(json, &agent_shape_member, &member->base);
}

static void put_members(struct agent_call *call, const Curia__Internal__V1__MembersListReply *reply,
                        struct cu_buf *json)
{
    cu_buf_u8(json, '[');
    for (size_t i = 0; i < reply->n_members; i++)
        put_member(call, reply->members[i], json);
    cu_buf_u8(json, ']');
}

static void members_done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (!is_answer(call, answer))
        return;
    const Curia__Internal__V1__MembersListReply *reply =
        (const Curia__Internal__V1__MembersListReply *)answer->message;
    put_members(call, reply, &json);
    agent_answer_json(call, 200, &json, NULL);
}

/* The wide pool comes with other datacenters; until then this datacenter's servers are it. */
static bool check_segment(struct agent_call *call)
{
    struct cu_bytes segment = agent_query_value(&call->query, "segment");
    bool wan = agent_query_value(&call->query, "wan").len > 0;
    if (!segment.len || cu_bytes_equal(segment, cu_bytes_of("_all")))
        return true;
    if (wan)
        return agent_refuse(&call->fault, 400, "Cannot provide a segment with wan=true");
    return agent_refuse(&call->fault, 500,
                        "Network segments are not supported in this version of Consul");
}

static void wan_members_done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct cu_buf json = {0};
    if (!is_answer(call, answer))
        return;
    const Curia__Internal__V1__MembersListReply *reply =
        (const Curia__Internal__V1__MembersListReply *)answer->message;
    cu_buf_u8(&json, '[');
    for (size_t i = 0; i < reply->n_members; i++) {
        Curia__Internal__V1__Member member = *reply->members[i];
        if (!cu_member_is_server(&member, NULL))
            continue;
        member.name =
            cu_arena_printf(call->rq.arena, "%s.%s", member.name, cu_member_tag(&member, "dc"));
        if (!member.name)
            break;
        put_member(call, &member, &json);
    }
    cu_buf_u8(&json, ']');
    agent_answer_json(call, 200, &json, NULL);
}

void agent_members_get(struct agent_call *call)
{
    static const Curia__Internal__V1__MembersListRequest request =
        CURIA__INTERNAL__V1__MEMBERS_LIST_REQUEST__INIT;
    bool wan = agent_query_value(&call->query, "wan").len > 0;
    if (check_segment(call))
        ask(call, "List", &request.base, AGENT_GOSSIP_MS, wan ? wan_members_done : members_done);
    else
        agent_answer_fault(call);
}

/* ---- join, leave, force-leave ---- */

static void join_done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    if (!is_answer(call, answer))
        return;
    const Curia__Internal__V1__JoinReply *reply =
        (const Curia__Internal__V1__JoinReply *)answer->message;
    if (reply->joined) {
        agent_answer_empty(call, 200, NULL);
        return;
    }
    (void)agent_refuse(&call->fault, 500, "1 error occurred:\n\t* %s\n\n",
                       reply->n_errors ? reply->errors[0] : "Failed to join");
    agent_answer_fault(call);
}

void agent_join(struct agent_call *call)
{
    char *addresses[] = {(char *)agent_tail_text(call)};
    Curia__Internal__V1__JoinRequest request = CURIA__INTERNAL__V1__JOIN_REQUEST__INIT;
    if (agent_query_value(&call->query, "wan").len) {
        (void)agent_refuse(&call->fault, 500, "the wide pool is not part of this build");
        agent_answer_fault(call);
        return;
    }
    request.addresses = addresses;
    request.n_addresses = 1;
    ask(call, "Join", &request.base, AGENT_GOSSIP_MS, join_done);
}

/* A name that nobody has is told; what gossipd does to a member is its own. */
static void force_leave_found(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    Curia__Internal__V1__ForceLeaveRequest request = CURIA__INTERNAL__V1__FORCE_LEAVE_REQUEST__INIT;
    bool found = false;
    if (!is_answer(call, answer))
        return;
    const Curia__Internal__V1__MembersListReply *reply =
        (const Curia__Internal__V1__MembersListReply *)answer->message;
    request.node = (char *)agent_tail_text(call);
    request.prune = agent_query_has(&call->query, "prune");
    for (size_t i = 0; i < reply->n_members; i++)
        found |= strcmp(reply->members[i]->name, request.node) == 0;
    if (found) {
        ask(call, "ForceLeave", &request.base, AGENT_GOSSIP_MS, done_empty);
        return;
    }
    (void)agent_refuse(&call->fault, 500, "agent: No node found with name '%s'", request.node);
    agent_answer_fault(call);
}

void agent_force_leave(struct agent_call *call)
{
    static const Curia__Internal__V1__MembersListRequest request =
        CURIA__INTERNAL__V1__MEMBERS_LIST_REQUEST__INIT;
    ask(call, "List", &request.base, AGENT_GOSSIP_MS, force_leave_found);
}

/* The node is told to go: it leaves the pool, then all of it ends (agent.md 13). */
static void leave_done(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    struct agent *agent = call->agent;
    if (!is_answer(call, answer))
        return;
    agent_end_node_after(agent, call);
    agent_answer_empty(call, 200, NULL);
}

void agent_leave(struct agent_call *call)
{
    static const Curia__Internal__V1__LeaveRequest request =
        CURIA__INTERNAL__V1__LEAVE_REQUEST__INIT;
    ask(call, "Leave", &request.base, AGENT_LEAVE_MS, leave_done);
}

/* ---- tokens ---- */

static bool read_token(struct agent_call *call, enum agent_token *ret_token, const char **ret_text)
{
    const char *name = agent_tail_text(call);
    return agent_token_read(cu_buf_bytes(&call->rq.body), call->rq.arena, ret_text, &call->fault) &&
           (agent_token_find(name, ret_token) ||
            agent_refuse(&call->fault, 404, "Token \"%s\" is unknown", name));
}

/* Its client may go before the file is written. */
struct saving {
    struct agent_call *call; /* NULL: it has gone */
};

static void forget_call(struct agent_call *call)
{
    struct saving *saving = call->work;
    saving->call = NULL;
}

static void saved(void *arg, enum cu_err err, const char *text)
{
    struct saving *saving = arg;
    if (saving->call)
        agent_call_task_done(saving->call, err, text);
    free(saving);
}

void agent_token_put(struct agent_call *call)
{
    enum agent_token token;
    const char *text;
    if (!read_token(call, &token, &text)) {
        agent_answer_fault(call);
        return;
    }
    struct saving *saving = cu_alloc(sizeof *saving);
    saving->call = call;
    call->work = saving;
    call->drop_work = forget_call;
    if (!agent_credentials_set(call->agent, token, text, saved, saving))
        saved(saving, CU_OK, "");
}

/* ---- maintenance ---- */

void agent_maintain(struct agent_call *call)
{
    struct agent_maintenance maintenance;
    if (agent_param_maintenance(call, &maintenance))
        agent_call_wait(
            call, agent_node_maintain(call->agent->node, &maintenance, agent_call_task_done, call));
}
