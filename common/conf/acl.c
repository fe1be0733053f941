#include "common/conf/acl.h"

#include <string.h>

static enum cu_err read_policy(const struct cu_conf *conf, const char *key, bool *ret_allows,
                               struct cu_diag *diag)
{
    const char *policy = cu_conf_text(conf, key);
    *ret_allows = strcmp(policy, "allow") == 0;
    if (*ret_allows || strcmp(policy, "deny") == 0)
        return CU_OK;
    return cu_fail(diag, CU_E_INVALID, "%s must be \"allow\" or \"deny\"", key);
}

/* The key to read: the old name only where it alone is set. */
static const char *either(const struct cu_conf *conf, const char *key, const char *old)
{
    return !cu_conf_is_set(conf, key) && cu_conf_is_set(conf, old) ? old : key;
}

enum cu_err cu_conf_acl(const struct cu_conf *conf, struct cu_conf_acl *ret_acl,
                        struct cu_diag *diag)
{
    static const char intentions[] = "default_intention_policy";
    struct cu_conf_acl acl = {.is_enabled = cu_conf_bool(conf, "acl.enabled")};
    const char *policy = either(conf, "acl.default_policy", "acl_default_policy");
    const char *list = either(conf, "acl.enable_key_list_policy", "acl_enable_key_list_policy");
    enum cu_err err = read_policy(conf, policy, &acl.allows_by_default, diag);
    if (!acl.is_enabled)
        acl.allows_by_default = true;
    acl.needs_key_list = acl.is_enabled && cu_conf_bool(conf, list);
    acl.intentions_by_default = acl.allows_by_default;
    if (!err && cu_conf_is_set(conf, intentions))
        err = read_policy(conf, intentions, &acl.intentions_by_default, diag);
    if (!err)
        *ret_acl = acl;
    return err;
}
