/* conf.h - what xdsd takes from the configuration. */
#ifndef XDS_CONF_H
#define XDS_CONF_H

#include "common/conf/conf.h"
#include "common/view/rights_conf.h"

enum { XDS_LISTENERS_MAX = 16 };

struct xds_conf {
    unsigned port;    /* ports.grpc; 0: nobody is served */
    char **addresses; /* addresses.grpc, else client_addr */
    size_t address_count;
    char **catalogs; /* xdsd.catalog as URLs, else this host's */
    size_t catalog_count;
    uint64_t hold_ms;
    struct cu_rights_conf rights;
    bool default_allow; /* what no intention decides (mesh.md 3.5) */
};

/* `local_catalog` is the URL of this host's catalogd, copied. Errors: CU_E_INVALID, `diag` names
 * the key. */
CU_MUST_USE enum cu_err xds_conf_read(const struct cu_conf *conf, const char *local_catalog,
                                      struct xds_conf *ret_conf, struct cu_diag *diag);
void xds_conf_deinit(struct xds_conf *conf);

#endif
