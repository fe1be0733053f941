/* acl_policy.h - policies: what one must hold, and setting and deleting one (http-api.md 4.4, 4.6).
 */
#ifndef CATALOG_ACL_POLICY_H
#define CATALOG_ACL_POLICY_H

#include "services/catalogd/core/acl.h"
#include "services/catalogd/core/store.h"

extern const char catalog_acl_management_rules[]; /* of the built-in policy */

/* What can be said without the state; ids get their one spelling. Whether the rules parse is for
 * the caller to ask. False: refused. */
bool catalog_acl_policy_prepare(Curia__Internal__V1__AclPolicyCommand *command,
                                struct cu_arena *arena, struct catalog_refusal *refusal);

/* ---- inside catalog_apply() only ---- */

CU_MUST_USE enum cu_err catalog_acl_policy_apply(struct catalog_store *store,
                                                 Curia__Internal__V1__AclPolicyCommand *command,
                                                 struct catalog_acl_done *ret_done);

/* The built-in policy, as it is in this version; what users have made of its name and description
 * stays. */
CU_MUST_USE enum cu_err catalog_acl_policy_ensure(struct catalog_store *store);

#endif
