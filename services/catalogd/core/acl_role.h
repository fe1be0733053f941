/* acl_role.h - roles: what one must hold, and setting and deleting one (http-api.md 4.6). */
#ifndef CATALOG_ACL_ROLE_H
#define CATALOG_ACL_ROLE_H

#include "services/catalogd/core/acl_name.h"

/* What can be said without the state; the id and identities get their one spelling. False: refused.
 */
bool catalog_acl_role_prepare(Curia__Internal__V1__AclRoleCommand *command, struct cu_arena *arena,
                              struct catalog_refusal *refusal);

/* Inside catalog_apply() only. */
CU_MUST_USE enum cu_err catalog_acl_role_apply(struct catalog_store *store,
                                               Curia__Internal__V1__AclRoleCommand *command,
                                               struct catalog_acl_done *ret_done);

/* Names the role's policies, and leaves out those that there are no more. */
CU_MUST_USE enum cu_err catalog_acl_role_name(struct catalog_acl_names *names,
                                              Curia__V1__AclRole *role);

#endif
