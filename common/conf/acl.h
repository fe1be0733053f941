/* acl.h - what the configuration says of access control (http-api.md 4.1, mesh.md 3.5). */
#ifndef CU_CONF_ACL_H
#define CU_CONF_ACL_H

#include "common/conf/conf.h"

struct cu_conf_acl {
    bool is_enabled;
    bool allows_by_default;     /* what no rule decides; without ACLs: true */
    bool needs_key_list;        /* acl.enable_key_list_policy, while ACLs are on */
    bool intentions_by_default; /* what no intention decides */
};

/* The deprecated names count where the others are not set. Errors: CU_E_INVALID: a policy is
 * neither "allow" nor "deny". */
CU_MUST_USE enum cu_err cu_conf_acl(const struct cu_conf *conf, struct cu_conf_acl *ret_acl,
                                    struct cu_diag *diag);

#endif
