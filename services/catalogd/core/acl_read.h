/* acl_read.h - reads of policies, roles and tokens (http-api.md 2.20). Links are shown with the
 * names that they have now; secrets only to who may write ACLs. */
#ifndef CATALOG_ACL_READ_H
#define CATALOG_ACL_READ_H

#include "services/catalogd/core/acl.h"
#include "services/catalogd/core/view.h"

/* All of it lies in the arena. Errors: TOO_LARGE the arena is full; what the backend returned. */

CU_MUST_USE enum cu_err catalog_acl_policy_read(const struct catalog_view *view,
                                                const Curia__V1__AclPolicyGetRequest *request,
                                                struct cu_arena *arena,
                                                Curia__V1__AclPolicyGetReply *reply,
                                                uint64_t *ret_index);
CU_MUST_USE enum cu_err catalog_acl_policy_list(const struct catalog_view *view,
                                                const Curia__V1__AclPolicyListRequest *request,
                                                struct cu_arena *arena,
                                                Curia__V1__AclPolicyListReply *reply,
                                                uint64_t *ret_index);
CU_MUST_USE enum cu_err catalog_acl_role_read(const struct catalog_view *view,
                                              const Curia__V1__AclRoleGetRequest *request,
                                              struct cu_arena *arena,
                                              Curia__V1__AclRoleGetReply *reply,
                                              uint64_t *ret_index);
CU_MUST_USE enum cu_err catalog_acl_role_list(const struct catalog_view *view,
                                              const Curia__V1__AclRoleListRequest *request,
                                              struct cu_arena *arena,
                                              Curia__V1__AclRoleListReply *reply,
                                              uint64_t *ret_index);

/* What has expired at `wall_ms` is not there. With `self` the accessor id of the request is the
 * secret of who asks: that is all it takes to see the token whole. */
CU_MUST_USE enum cu_err catalog_acl_token_read(const struct catalog_view *view,
                                               const Curia__V1__AclTokenGetRequest *request,
                                               uint64_t wall_ms, struct cu_arena *arena,
                                               Curia__V1__AclTokenGetReply *reply,
                                               uint64_t *ret_index);
CU_MUST_USE enum cu_err catalog_acl_token_list(const struct catalog_view *view,
                                               const Curia__V1__AclTokenListRequest *request,
                                               uint64_t wall_ms, struct cu_arena *arena,
                                               Curia__V1__AclTokenListReply *reply,
                                               uint64_t *ret_index);

#endif
