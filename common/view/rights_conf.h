/* rights_conf.h - how long an edge trusts what it was told of a token, and which token is its own
 * (http-api.md 4.1). */
#ifndef CU_VIEW_RIGHTS_CONF_H
#define CU_VIEW_RIGHTS_CONF_H

#include "common/conf/conf.h"
#include "common/view/rights.h"

struct cu_rights_conf {
    bool is_enabled;
    bool is_allowed_by_default;
    enum cu_down_policy down_policy;
    uint64_t token_ttl_ms;
};

/* The deprecated names count where the others are not set. Errors: CU_E_INVALID, `diag` names the
 * key. */
CU_MUST_USE enum cu_err cu_rights_conf_read(const struct cu_conf *conf,
                                            struct cu_rights_conf *ret_conf, struct cu_diag *diag);

/* acl.tokens.default: with which a daemon asks on its own account. Empty: none, or ACLs are off.
 * Borrowed from `conf`. */
const char *cu_rights_own_token(const struct cu_conf *conf);

#endif
