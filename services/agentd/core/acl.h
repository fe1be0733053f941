/* acl.h - tokens, policies and roles, to JSON and from it, and questions about what a token may
 * (http-api.md 2.19, 2.20). */
#ifndef AGENT_ACL_H
#define AGENT_ACL_H

#include "common/base/arena.h"
#include "common/json/shape.h"
#include "curia/v1/acl.pb-c.h"
#include "services/agentd/core/fault.h"

enum { AGENT_QUESTIONS_MAX = 64 }; /* of one request */

extern const struct cu_json_shape agent_shape_acl_token;
extern const struct cu_json_shape agent_shape_acl_token_stub; /* of lists */
extern const struct cu_json_shape agent_shape_acl_token_body; /* as it is sent; times aside */
extern const struct cu_json_shape agent_shape_acl_policy;
extern const struct cu_json_shape agent_shape_acl_policy_stub;
extern const struct cu_json_shape agent_shape_acl_policy_body;
extern const struct cu_json_shape agent_shape_acl_role;
extern const struct cu_json_shape agent_shape_acl_role_body;
extern const struct cu_json_shape agent_shape_acl_question;
extern const struct cu_json_shape agent_shape_acl_question_body;

/* The token with its secret named twice, as the bootstrap answers. */
void agent_acl_bootstrap_write(struct cu_buf *out, const Curia__V1__AclToken *token);

/* Bodies, in the arena; the request or row was initialised. False: a 400, or a 500 for what no
 * token may have. */
bool agent_acl_token_parse(struct cu_bytes body, struct cu_arena *arena,
                           Curia__V1__AclTokenSetRequest *ret_set, struct agent_fault *fault);
bool agent_acl_policy_parse(struct cu_bytes body, struct cu_arena *arena,
                            Curia__V1__AclPolicy *ret_policy, struct agent_fault *fault);
bool agent_acl_role_parse(struct cu_bytes body, struct cu_arena *arena,
                          Curia__V1__AclRole *ret_role, struct agent_fault *fault);
/* A list of questions; each asks for what there is to ask. */
bool agent_acl_questions_parse(struct cu_bytes body, struct cu_arena *arena,
                               Curia__V1__AclAuthorizeRequest *ret_request,
                               struct agent_fault *fault);

#endif
