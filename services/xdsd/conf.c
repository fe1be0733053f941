#include "services/xdsd/conf.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/conf/acl.h"
#include "common/conf/texts.h"
#include "common/view/home.h"

static void read_addresses(const struct cu_conf *conf, struct xds_conf *out)
{
    const char *own = cu_conf_text(conf, "addresses.grpc");
    out->addresses =
        cu_texts_split(*own ? own : cu_conf_text(conf, "client_addr"), &out->address_count);
}

static enum cu_err read_policy(const struct cu_conf *conf, struct xds_conf *out,
                               struct cu_diag *diag)
{
    struct cu_conf_acl acl;
    enum cu_err err = cu_conf_acl(conf, &acl, diag);
    if (!err)
        out->default_allow = acl.intentions_by_default;
    return err ? err : cu_rights_conf_read(conf, &out->rights, diag);
}

enum cu_err xds_conf_read(const struct cu_conf *conf, const char *local_catalog,
                          struct xds_conf *ret_conf, struct cu_diag *diag)
{
    struct xds_conf out = {0};
    int64_t port = cu_conf_int(conf, "ports.grpc");
    out.port = port > 0 ? (unsigned)port : 0;
    out.hold_ms = (uint64_t)cu_conf_ms(conf, "performance.rpc_hold_timeout");
    read_addresses(conf, &out);
    out.catalogs = cu_home_urls(conf, "xdsd.catalog", local_catalog, &out.catalog_count);
    enum cu_err err = read_policy(conf, &out, diag);
    if (!err && out.address_count > XDS_LISTENERS_MAX)
        err = cu_fail(diag, CU_E_INVALID, "addresses.grpc: more than %d", XDS_LISTENERS_MAX);
    if (err)
        xds_conf_deinit(&out);
    else
        *ret_conf = out;
    return err;
}

void xds_conf_deinit(struct xds_conf *conf)
{
    cu_texts_free(conf->addresses, conf->address_count);
    cu_texts_free(conf->catalogs, conf->catalog_count);
    *conf = (struct xds_conf){0};
}
