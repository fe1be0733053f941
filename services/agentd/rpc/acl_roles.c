/* acl_roles.c - /v1/acl/roles and role (http-api.md 2.20). */
#include "services/agentd/core/acl.h"
#include "services/agentd/rpc/acl.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/read.h"
#include "services/agentd/rpc/routes.h"
#include "services/agentd/rpc/write.h"

/* ---- reads ---- */

static unsigned encode_one(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__AclRoleGetReply *reply = (const Curia__V1__AclRoleGetReply *)message;
    size_t start = out->len;
    if (!reply->role)
        return 404;
    cu_json_write(out, &agent_shape_acl_role, &reply->role->base);
    return agent_read_finish(200, format, start, out);
}

static unsigned encode_all(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__AclRoleListReply *reply = (const Curia__V1__AclRoleListReply *)message;
    size_t start = out->len;
    cu_json_write_list(out, &agent_shape_acl_role, reply->roles, reply->n_roles);
    return agent_read_finish(200, format, start, out);
}

/* clang-format off */
enum { READS_ONE = AGENT_META_ON_ERROR | AGENT_BARE_404 };
#define METHOD(name, encode) .method = {&curia__v1__acl__descriptor, name, encode}
#define BY(member) .params = {.request = &curia__v1__acl_role_get_request__descriptor,             \
                              .tail = offsetof(Curia__V1__AclRoleGetRequest, member)}
static const struct agent_read_row
    by_id   = {METHOD("GetRole", encode_one), .flags = READS_ONE, BY(id),
               .missing = "Bad request: Missing role ID"},
    by_name = {METHOD("GetRole", encode_one), .flags = READS_ONE, BY(name),
               .missing = "Bad request: Missing role Name"},
    all     = {METHOD("ListRoles", encode_all), .flags = AGENT_META_ON_ERROR};
/* clang-format on */

void agent_acl_roles_get(struct agent_call *call)
{
    Curia__V1__AclRoleListRequest *list = agent_new_request(call, sizeof *list);
    char *policy = list ? agent_acl_parameter(call, "policy") : NULL;
    if (!policy)
        return;
    curia__v1__acl_role_list_request__init(list);
    list->policy_id = policy;
    agent_read_start(call, &all, &list->base);
}

void agent_acl_role_by_name_get(struct agent_call *call)
{
    agent_read_bound(call, &by_name);
}

/* ---- writes ---- */

static void was_set(void *arg, const struct cu_answer *answer)
{
    struct agent_call *call = arg;
    if (agent_acl_failed(call, answer))
        return;
    const Curia__V1__AclRoleSetReply *reply = (const Curia__V1__AclRoleSetReply *)answer->message;
    agent_acl_answer(call, &agent_shape_acl_role, &reply->role->base);
}

static void put_with(struct agent_call *call, char *id)
{
    Curia__V1__AclRoleSetRequest *set = agent_new_request(call, sizeof *set);
    Curia__V1__AclRole *role = set ? agent_new_request(call, sizeof *role) : NULL;
    if (!role)
        return;
    curia__v1__acl_role_set_request__init(set);
    curia__v1__acl_role__init(role);
    set->role = role;
    if (!agent_acl_role_parse(cu_buf_bytes(&call->rq.body), call->rq.arena, role, &call->fault))
        agent_answer_fault(call);
    else if (agent_acl_choose_id(call, &role->id, id,
                                 "Bad request: Role ID in URL and payload do not match"))
        agent_write_start(call, &curia__v1__acl__descriptor, "SetRole", &set->base, was_set);
}

void agent_acl_role_put(struct agent_call *call)
{
    put_with(call, (char *)(uintptr_t)protobuf_c_empty_string);
}

static void delete_by_id(struct agent_call *call, char *id)
{
    Curia__V1__AclRoleDeleteRequest *delete = agent_new_request(call, sizeof *delete);
    if (!delete)
        return;
    if (!*id) {
        agent_answer_text(call, 400, by_id.missing);
        return;
    }
    curia__v1__acl_role_delete_request__init(delete);
    delete->id = id;
    agent_write_start(call, &curia__v1__acl__descriptor, "DeleteRole", &delete->base,
                      agent_acl_true);
}

void agent_acl_role_handle(struct agent_call *call)
{
    if (call->rq.method[0] == 'G') {
        agent_read_bound(call, &by_id);
        return;
    }
    char *id = agent_acl_tail(call, 0);
    if (!id)
        return;
    if (call->rq.method[0] == 'D')
        delete_by_id(call, id);
    else
        put_with(call, id);
}
