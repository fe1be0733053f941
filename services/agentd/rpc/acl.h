/* acl.h - what the handlers of /v1/acl have in common (http-api.md 2.20). */
#ifndef AGENT_RPC_ACL_H
#define AGENT_RPC_ACL_H

#include "common/json/shape.h"
#include "curia/v1/acl.pb-c.h"
#include "services/agentd/agent.h"

/* As agent_answer_failed(); what the catalog finds wrong with a row is a 500 here, also one that is
 * not there. */
bool agent_acl_failed(struct agent_call *call, const struct cu_answer *answer);
/* "true", or the fault. */
void agent_acl_true(void *call, const struct cu_answer *answer);
/* 200 with the object. */
void agent_acl_answer(struct agent_call *call, const struct cu_json_shape *shape,
                      const ProtobufCMessage *message);

/* The path's tail in the arena, without its last `cut` bytes; NULL: the call is answered. */
char *agent_acl_tail(struct agent_call *call, size_t cut);
/* The id of a body, `*given`, and that of the path: both the same, or one of them. False:
 * `mismatch` was answered. */
bool agent_acl_choose_id(struct agent_call *call, char **given, char *from_path,
                         const char *mismatch);

/* The fault of a token or policy that is not there. */
void agent_acl_not_found(struct agent_call *call);

/* A query parameter in the arena; "" when it is not given. NULL: the call is answered. */
char *agent_acl_parameter(struct agent_call *call, const char *name);

#endif
