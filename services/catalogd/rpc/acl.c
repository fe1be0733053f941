/* Acl: policies, roles and tokens (http-api.md 2.20, 4). */
#include "services/catalogd/rpc/acl.h"

#include "common/acl/rules.h"
#include "common/base/mono.h"
#include "common/base/random.h"
#include "proto/curia/v1/acl.pb-c.h"
#include "services/catalogd/core/acl_builtin.h"
#include "services/catalogd/core/acl_policy.h"
#include "services/catalogd/core/acl_read.h"
#include "services/catalogd/core/acl_role.h"
#include "services/catalogd/core/acl_token.h"
#include "services/catalogd/io/acl_duty.h"
#include "services/catalogd/rpc/discovery.h"
#include "services/catalogd/rpc/table.h"
#include "services/catalogd/rpc/write.h"

enum { WRITE_ARENA_BYTES = 16 * 1024 * 1024, RULES_ARENA_BYTES = 64 * 1024 * 1024 };

static bool is_on(const struct catalog_shell *shell, struct cu_rq *rq)
{
    if (!shell->conf.acl.is_enabled)
        cu_rq_fail(rq, CU_E_DENIED, "ACL support disabled");
    return shell->conf.acl.is_enabled;
}

static char *new_id(struct cu_rq *rq)
{
    char text[CU_UUID_BYTES];
    uint8_t bytes[16];
    cu_uuid_random(bytes);
    return cu_arena_strdup(rq->arena, cu_format_uuid(bytes, text));
}

/* ---- reads ---- */

// clang-format off
DISCOVERY_EVALUATE(evaluate_policy, catalog_acl_policy_read, Curia__V1__AclPolicyGetRequest, Curia__V1__AclPolicyGetReply)
DISCOVERY_EVALUATE(evaluate_policies, catalog_acl_policy_list, Curia__V1__AclPolicyListRequest, Curia__V1__AclPolicyListReply)
DISCOVERY_EVALUATE(evaluate_role, catalog_acl_role_read, Curia__V1__AclRoleGetRequest, Curia__V1__AclRoleGetReply)
DISCOVERY_EVALUATE(evaluate_roles, catalog_acl_role_list, Curia__V1__AclRoleListRequest, Curia__V1__AclRoleListReply)
// clang-format on

/* What has expired by this server's own clock is gone (contracts 3.2). */
static enum cu_err evaluate_token(const struct catalog_view *view, const ProtobufCMessage *in,
                                  struct cu_arena *arena, ProtobufCMessage *out,
                                  uint64_t *ret_index)
{
    return catalog_acl_token_read(view, (const Curia__V1__AclTokenGetRequest *)in, cu_wall_ms(),
                                  arena, (Curia__V1__AclTokenGetReply *)out, ret_index);
}

static enum cu_err evaluate_tokens(const struct catalog_view *view, const ProtobufCMessage *in,
                                   struct cu_arena *arena, ProtobufCMessage *out,
                                   uint64_t *ret_index)
{
    return catalog_acl_token_list(view, (const Curia__V1__AclTokenListRequest *)in, cu_wall_ms(),
                                  arena, (Curia__V1__AclTokenListReply *)out, ret_index);
}

DISCOVERY_TOPICS_OF_TABLE(topics_of_policies, CATALOG_ACL_POLICIES)

/* What links are called counts, too. */
static size_t topics_of_roles(const ProtobufCMessage *in, struct cu_arena *arena,
                              struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    (void)in, (void)arena;
    topics[0] = catalog_topic_of_table(CATALOG_ACL_POLICIES);
    topics[1] = catalog_topic_of_table(CATALOG_ACL_ROLES);
    return 2;
}

static size_t topics_of_tokens(const ProtobufCMessage *in, struct cu_arena *arena,
                               struct catalog_topic topics[CATALOG_READ_TOPICS_MAX])
{
    size_t count = topics_of_roles(in, arena, topics);
    topics[count] = catalog_topic_of_table(CATALOG_ACL_TOKENS);
    return count + 1;
}

/* At each look: one's own takes no right. */
static enum cu_err token_permit(struct catalog_shell *shell, struct cu_rq *rq, struct cu_diag *diag)
{
    (void)shell;
    return ((const Curia__V1__AclTokenGetRequest *)rq->in)->self
               ? CU_OK
               : cu_rq_permit(rq, ACL_READ, (struct cu_bytes){NULL, 0}, diag);
}

// clang-format off
static const struct catalog_query
    policy_query = {DISCOVERY_QUERY("Acl.GetPolicy", acl_policy_get_request, acl_policy_get_reply, evaluate_policy, topics_of_policies), .is_point = true},
    policies_query = {DISCOVERY_QUERY("Acl.ListPolicies", acl_policy_list_request, acl_policy_list_reply, evaluate_policies, topics_of_policies)},
    role_query = {DISCOVERY_QUERY("Acl.GetRole", acl_role_get_request, acl_role_get_reply, evaluate_role, topics_of_roles)},
    roles_query = {DISCOVERY_QUERY("Acl.ListRoles", acl_role_list_request, acl_role_list_reply, evaluate_roles, topics_of_roles)},
    token_query = {DISCOVERY_QUERY("Acl.GetToken", acl_token_get_request, acl_token_get_reply, evaluate_token, topics_of_tokens), .permit = token_permit},
    tokens_query = {DISCOVERY_QUERY("Acl.ListTokens", acl_token_list_request, acl_token_list_reply, evaluate_tokens, topics_of_tokens)};
// clang-format on

static void read_with(void *daemon, struct cu_rq *rq, const struct catalog_query *query)
{
    if (is_on(daemon, rq))
        catalog_read_serve(daemon, rq, query);
}

static void get_policy(void *daemon, struct cu_rq *rq)
{
    read_with(daemon, rq, &policy_query);
}

static void list_policies(void *daemon, struct cu_rq *rq)
{
    read_with(daemon, rq, &policies_query);
}

static void get_role(void *daemon, struct cu_rq *rq)
{
    read_with(daemon, rq, &role_query);
}

static void list_roles(void *daemon, struct cu_rq *rq)
{
    read_with(daemon, rq, &roles_query);
}

/* One's own is asked for by its secret, which from here on is part of the question: nobody else's
 * is the same. */
static void get_token(void *daemon, struct cu_rq *rq)
{
    Curia__V1__AclTokenGetRequest *in = (Curia__V1__AclTokenGetRequest *)(uintptr_t)rq->in;
    if (!is_on(daemon, rq))
        return;
    if (in->self)
        in->accessor_id = (char *)(uintptr_t)rq->token;
    catalog_read_serve(daemon, rq, &token_query);
}

static void list_tokens(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__AclTokenListRequest *in = (const Curia__V1__AclTokenListRequest *)rq->in;
    if (!is_on(daemon, rq))
        return;
    if (*in->policy_id && *in->role_id)
        cu_rq_fail(rq, CU_E_INVALID,
                   "can only filter by one of policy, role, or methodName at a time");
    else
        catalog_read_serve(daemon, rq, &tokens_query);
}

/* ---- writes ---- */

/* What apply has made; NULL: `rq` has ended with why there is nothing. */
static void *made_of(struct cu_rq *rq, const struct catalog_outcome *outcome,
                     const ProtobufCMessageDescriptor *type)
{
    const ProtobufCBinaryData *made = &outcome->result->made;
    if (catalog_write_refused(rq, outcome))
        return NULL;
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, cu_arena_allocator(rq->arena), made->len, made->data);
    if (!message)
        cu_rq_fail(rq, CU_E_TOO_LARGE, "it is done, but the answer is too large");
    return message;
}

static void refuse(struct cu_rq *rq, const struct catalog_refusal *refusal)
{
    cu_rq_fail(rq, refusal->err, "%s", refusal->text);
}

/* ---- policies ---- */

static void answer_set_policy(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__AclPolicySetReply reply = CURIA__V1__ACL_POLICY_SET_REPLY__INIT;
    reply.policy = made_of(rq, outcome, &curia__v1__acl_policy__descriptor);
    if (reply.policy)
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

static void answer_delete_policy(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__AclPolicyDeleteReply reply = CURIA__V1__ACL_POLICY_DELETE_REPLY__INIT;
    if (!catalog_write_refused(rq, outcome))
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

static enum cu_err check_rules(const char *text, struct cu_diag *diag)
{
    struct cu_arena *arena = cu_arena_new(RULES_ARENA_BYTES);
    struct cu_rules rules;
    enum cu_err err = cu_rules_parse(cu_bytes_of(text), arena, &rules, diag);
    cu_arena_free(arena);
    return err;
}

static void set_policy(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__AclPolicySetRequest *in = (const Curia__V1__AclPolicySetRequest *)rq->in;
    Curia__Internal__V1__AclPolicyCommand body = CURIA__INTERNAL__V1__ACL_POLICY_COMMAND__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    Curia__V1__AclPolicy policy;
    struct catalog_refusal refusal = {CU_OK, NULL};
    struct cu_diag diag = {0};
    if (!is_on(daemon, rq))
        return;
    cu_arena_set_limit(rq->arena, WRITE_ARENA_BYTES);
    if (in->policy) {
        policy = *in->policy; /* the request stays as it came: it may have to begin anew */
        body.policy = &policy;
        body.is_create = !*policy.id;
    }
    if (body.is_create)
        policy.id = new_id(rq);
    if (!catalog_acl_policy_prepare(&body, rq->arena, &refusal)) {
        refuse(rq, &refusal);
        return;
    }
    enum cu_err err = check_rules(in->policy->rules, &diag);
    if (err) {
        cu_rq_fail(rq, err, "%s", *diag.text ? diag.text : cu_err_words(err));
        return;
    }
    catalog_command_init(rq, in->reason, &origin, &command);
    command.acl_policy = &body;
    catalog_write_serve(daemon, rq, &command, answer_set_policy);
}

static void delete_policy(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__AclPolicyDeleteRequest *in = (const Curia__V1__AclPolicyDeleteRequest *)rq->in;
    Curia__Internal__V1__AclPolicyCommand body = CURIA__INTERNAL__V1__ACL_POLICY_COMMAND__INIT;
    Curia__V1__AclPolicy policy = CURIA__V1__ACL_POLICY__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    if (!is_on(daemon, rq))
        return;
    catalog_command_init(rq, in->reason, &origin, &command);
    policy.id = in->id;
    body.policy = &policy;
    body.is_delete = true;
    command.acl_policy = &body;
    catalog_write_serve(daemon, rq, &command, answer_delete_policy);
}

/* ---- roles ---- */

static void answer_set_role(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__AclRoleSetReply reply = CURIA__V1__ACL_ROLE_SET_REPLY__INIT;
    reply.role = made_of(rq, outcome, &curia__v1__acl_role__descriptor);
    if (reply.role)
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

static void answer_delete_role(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__AclRoleDeleteReply reply = CURIA__V1__ACL_ROLE_DELETE_REPLY__INIT;
    if (!catalog_write_refused(rq, outcome))
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

static void set_role(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__AclRoleSetRequest *in = (const Curia__V1__AclRoleSetRequest *)rq->in;
    Curia__Internal__V1__AclRoleCommand body = CURIA__INTERNAL__V1__ACL_ROLE_COMMAND__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    Curia__V1__AclRole role;
    struct catalog_refusal refusal = {CU_OK, NULL};
    if (!is_on(daemon, rq))
        return;
    cu_arena_set_limit(rq->arena, WRITE_ARENA_BYTES);
    if (in->role) {
        role = *in->role;
        body.role = &role;
        body.is_create = !*role.id;
    }
    if (body.is_create)
        role.id = new_id(rq);
    if (!catalog_acl_role_prepare(&body, rq->arena, &refusal)) {
        refuse(rq, &refusal);
        return;
    }
    catalog_command_init(rq, in->reason, &origin, &command);
    command.acl_role = &body;
    catalog_write_serve(daemon, rq, &command, answer_set_role);
}

static void delete_role(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__AclRoleDeleteRequest *in = (const Curia__V1__AclRoleDeleteRequest *)rq->in;
    Curia__Internal__V1__AclRoleCommand body = CURIA__INTERNAL__V1__ACL_ROLE_COMMAND__INIT;
    Curia__V1__AclRole role = CURIA__V1__ACL_ROLE__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    if (!is_on(daemon, rq))
        return;
    catalog_command_init(rq, in->reason, &origin, &command);
    role.id = in->id;
    body.role = &role;
    body.is_delete = true;
    command.acl_role = &body;
    catalog_write_serve(daemon, rq, &command, answer_delete_role);
}

/* ---- tokens ---- */

static void answer_set_token(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__AclTokenSetReply reply = CURIA__V1__ACL_TOKEN_SET_REPLY__INIT;
    reply.token = made_of(rq, outcome, &curia__v1__acl_token__descriptor);
    if (reply.token)
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

static void answer_delete_token(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__AclTokenDeleteReply reply = CURIA__V1__ACL_TOKEN_DELETE_REPLY__INIT;
    if (!catalog_write_refused(rq, outcome))
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

/* A copy takes nothing of the request but a description. */
static void begin_copy(struct cu_rq *rq, const Curia__V1__AclTokenSetRequest *in,
                       Curia__V1__AclToken *copy)
{
    curia__v1__acl_token__init(copy);
    copy->accessor_id = new_id(rq);
    copy->secret_id = new_id(rq);
    if (in->has_description && in->token)
        copy->description = in->token->description;
}

static void begin_token(struct cu_rq *rq, const Curia__V1__AclTokenSetRequest *in,
                        Curia__V1__AclToken *token, Curia__Internal__V1__AclTokenCommand *body)
{
    body->is_create = in->is_create || (in->token && !*in->token->accessor_id);
    body->has_expiration_ttl = in->has_expiration_ttl;
    body->expiration_ttl_ms = in->expiration_ttl_ms;
    if (!in->token)
        return;
    *token = *in->token;
    body->token = token;
    if (body->is_create && !*token->accessor_id)
        token->accessor_id = new_id(rq);
    if (body->is_create && !*token->secret_id)
        token->secret_id = new_id(rq);
}

static void set_token(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__AclTokenSetRequest *in = (const Curia__V1__AclTokenSetRequest *)rq->in;
    Curia__Internal__V1__AclTokenCommand body = CURIA__INTERNAL__V1__ACL_TOKEN_COMMAND__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    Curia__V1__AclToken token;
    struct catalog_refusal refusal = {CU_OK, NULL};
    if (!is_on(daemon, rq))
        return;
    cu_arena_set_limit(rq->arena, WRITE_ARENA_BYTES);
    if (*in->clone_of) {
        begin_copy(rq, in, &token);
        body.token = &token;
        body.is_create = true;
        body.clone_of = in->clone_of;
    } else {
        begin_token(rq, in, &token, &body);
    }
    if (!catalog_acl_token_prepare(&body, rq->arena, &refusal)) {
        refuse(rq, &refusal);
        return;
    }
    catalog_command_init(rq, in->reason, &origin, &command);
    command.acl_token = &body;
    catalog_write_serve(daemon, rq, &command, answer_set_token);
}

static void delete_token(void *daemon, struct cu_rq *rq)
{
    const Curia__V1__AclTokenDeleteRequest *in = (const Curia__V1__AclTokenDeleteRequest *)rq->in;
    Curia__Internal__V1__AclTokenCommand body = CURIA__INTERNAL__V1__ACL_TOKEN_COMMAND__INIT;
    Curia__V1__AclToken token = CURIA__V1__ACL_TOKEN__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    if (!is_on(daemon, rq))
        return;
    catalog_command_init(rq, in->reason, &origin, &command);
    token.accessor_id = in->accessor_id;
    body.token = &token;
    body.is_delete = true;
    command.acl_token = &body;
    catalog_write_serve(daemon, rq, &command, answer_delete_token);
}

/* ---- the first token ---- */

static void answer_bootstrap(struct cu_rq *rq, const struct catalog_outcome *outcome)
{
    Curia__V1__AclBootstrapReply reply = CURIA__V1__ACL_BOOTSTRAP_REPLY__INIT;
    reply.token = made_of(rq, outcome, &curia__v1__acl_token__descriptor);
    if (reply.token)
        cu_rq_reply(rq, &reply.base, outcome->shown_index);
}

/* Anybody may ask, so what is refused for sure never gets as far as the log. */
static struct catalog_refusal may_bootstrap(struct catalog_shell *shell, struct cu_arena *arena,
                                            uint64_t *ret_written)
{
    const struct catalog_backend *snapshot = catalog_readers_snapshot(shell->readers);
    uint64_t reset_index;
    *ret_written = 0;
    if (!snapshot || catalog_acl_reset_index(snapshot, arena, &reset_index))
        return (struct catalog_refusal){CU_E_NOT_READY, "the state cannot be read now"};
    if (reset_index)
        *ret_written = catalog_acl_reset_file_read(shell);
    return catalog_acl_bootstrap_refusal(reset_index, *ret_written, arena);
}

static void bootstrap(void *daemon, struct cu_rq *rq)
{
    struct catalog_shell *shell = daemon;
    Curia__Internal__V1__AclBootstrapCommand body =
        CURIA__INTERNAL__V1__ACL_BOOTSTRAP_COMMAND__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    if (!is_on(shell, rq))
        return;
    cu_arena_set_limit(rq->arena, WRITE_ARENA_BYTES);
    struct catalog_refusal refusal = may_bootstrap(shell, rq->arena, &body.reset_index);
    if (refusal.text) {
        refuse(rq, &refusal);
        return;
    }
    /* Whatever comes of it: it must not lie there until a state is restored. */
    catalog_acl_reset_file_remove(shell);
    catalog_command_init(rq, "", &origin, &command);
    body.accessor_id = new_id(rq);
    body.secret_id = new_id(rq);
    command.acl_bootstrap = &body;
    catalog_write_serve(shell, rq, &command, answer_bootstrap);
}

// clang-format off
static const struct cu_method methods[] = {
    /*        method        kind     route           caller        permission             request    reply      handler */
    CU_METHOD(Bootstrap,    CU_CALL, ROUTE_DUTY,     CALLER_AGENT, NO_PERM,               4 * KIB,   16 * KIB,  bootstrap),
    CU_METHOD(SetToken,     CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ACL_WRITE, NULL), 768 * KIB, 2 * MIB,   set_token),
    CU_METHOD(DeleteToken,  CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ACL_WRITE, NULL), 16 * KIB,  4 * KIB,   delete_token),
    CU_METHOD(GetToken,     CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL), 16 * KIB,  2 * MIB,   get_token),
    CU_METHOD(ListTokens,   CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ACL_READ, NULL),  16 * KIB,  64 * MIB,  list_tokens),
    CU_METHOD(SetPolicy,    CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ACL_WRITE, NULL), 768 * KIB, 1 * MIB,   set_policy),
    CU_METHOD(DeletePolicy, CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ACL_WRITE, NULL), 16 * KIB,  4 * KIB,   delete_policy),
    CU_METHOD(GetPolicy,    CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ACL_READ, NULL),  16 * KIB,  1 * MIB,   get_policy),
    CU_METHOD(ListPolicies, CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ACL_READ, NULL),  16 * KIB,  64 * MIB,  list_policies),
    CU_METHOD(SetRole,      CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ACL_WRITE, NULL), 768 * KIB, 2 * MIB,   set_role),
    CU_METHOD(DeleteRole,   CU_CALL, ROUTE_ATTACHED, CALLER_AGENT, PERM(ACL_WRITE, NULL), 16 * KIB,  4 * KIB,   delete_role),
    CU_METHOD(GetRole,      CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ACL_READ, NULL),  16 * KIB,  2 * MIB,   get_role),
    CU_METHOD(ListRoles,    CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ACL_READ, NULL),  16 * KIB,  64 * MIB,  list_roles),
    CU_METHOD(Resolve,      CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL), 4 * KIB,   64 * MIB,  catalog_acl_resolve_serve),
    CU_METHOD(Authorize,    CU_CALL, ROUTE_ANY,      CALLER_AGENT, PERM(ANY_TOKEN, NULL), 256 * KIB, 256 * KIB, catalog_acl_authorize_serve),
};
// clang-format on

const struct cu_service catalog_acl_service = {&curia__v1__acl__descriptor, methods,
                                               CU_COUNT(methods)};
