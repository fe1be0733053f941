#include "common/view/rights_conf.h"

#include "common/conf/acl.h"

static const char *either(const struct cu_conf *conf, const char *key, const char *old)
{
    return !cu_conf_is_set(conf, key) && cu_conf_is_set(conf, old) ? old : key;
}

/* One answer tells of the token, its policies and its roles: it is as old as the strictest of the
 * three allows. */
static uint64_t read_ttl(const struct cu_conf *conf)
{
    static const char *const parts[] = {"acl.policy_ttl", "acl.role_ttl"};
    bool has_ttl = cu_conf_is_set(conf, "acl.token_ttl");
    int64_t ttl = cu_conf_ms(conf, has_ttl ? "acl.token_ttl" : "acl_ttl");
    for (size_t i = 0; i < CU_COUNT(parts); i++)
        if (cu_conf_is_set(conf, parts[i]) && cu_conf_ms(conf, parts[i]) < ttl)
            ttl = cu_conf_ms(conf, parts[i]);
    return ttl > 0 ? (uint64_t)ttl : 0;
}

enum cu_err cu_rights_conf_read(const struct cu_conf *conf, struct cu_rights_conf *ret_conf,
                                struct cu_diag *diag)
{
    const char *key = either(conf, "acl.down_policy", "acl_down_policy");
    struct cu_conf_acl acl;
    struct cu_rights_conf out = {.token_ttl_ms = read_ttl(conf)};
    enum cu_err err = cu_conf_acl(conf, &acl, diag);
    if (!err && !cu_down_policy_find(cu_conf_text(conf, key), &out.down_policy))
        err = cu_fail(diag, CU_E_INVALID,
                      "%s must be \"allow\", \"deny\", \"extend-cache\" or \"async-cache\"", key);
    if (err)
        return err;
    out.is_enabled = acl.is_enabled;
    out.is_allowed_by_default = acl.allows_by_default;
    *ret_conf = out;
    return CU_OK;
}

const char *cu_rights_own_token(const struct cu_conf *conf)
{
    const char *token = cu_conf_text(conf, either(conf, "acl.tokens.default", "acl_token"));
    return cu_conf_bool(conf, "acl.enabled") && token ? token : "";
}
