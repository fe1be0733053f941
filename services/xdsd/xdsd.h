/* xdsd.h - xdsd itself. */
#ifndef XDS_XDSD_H
#define XDS_XDSD_H

#include "services/xdsd/conf.h"
#include "services/xdsd/rpc/ads.h"

struct xdsd {
    struct cu_env *env;
    struct xds_conf conf;
    struct xds_catalog *catalog;
    struct xds_leaves *leaves;
    struct xds_hub *hub;
    struct xds_ads *ads;
    bool is_told; /* its token, by the agent: the configuration's counts no more */
};

CU_MUST_USE enum cu_err xds_check(const struct cu_conf *conf, struct cu_diag *diag);
CU_MUST_USE enum cu_err xds_start(struct cu_env *env, void **ret_xdsd, struct cu_diag *diag);
void xds_reload(void *xdsd, const struct cu_conf *conf);
void xds_set_token(void *xdsd, const char *token);
void xds_drain(void *xdsd);
void xds_stop(void *xdsd);
void xds_status(void *xdsd, cu_status_add *add, void *to); /* rpc/status.c */

#endif
