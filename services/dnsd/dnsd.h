/* dnsd.h - dnsd itself. */
#ifndef DNS_DNSD_H
#define DNS_DNSD_H

#include "common/daemon/daemon.h"
#include "services/dnsd/conf.h"
#include "services/dnsd/io/catalog.h"
#include "services/dnsd/io/serve.h"

struct dnsd {
    struct cu_env *env;
    struct dns_conf conf;
    struct dns_catalog *catalog;
    struct dns_server *server;
    bool is_told; /* its token, by the agent: the configuration's counts no more */
};

CU_MUST_USE enum cu_err dns_check(const struct cu_conf *conf, struct cu_diag *diag);
CU_MUST_USE enum cu_err dns_start(struct cu_env *env, void **ret_dnsd, struct cu_diag *diag);
void dns_reload(void *dnsd, const struct cu_conf *conf);
void dns_set_token(void *dnsd, const char *token);
void dns_drain(void *dnsd);
void dns_stop(void *dnsd);
void dns_status(void *dnsd, cu_status_add *add, void *to); /* rpc/status.c */

#endif
