#include "services/xdsd/xdsd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { ADDRESS_BYTES = 128 };

enum cu_err xds_check(const struct cu_conf *conf, struct cu_diag *diag)
{
    struct xds_conf read;
    enum cu_err err = xds_conf_read(conf, "ipc:///", &read, diag);
    if (!err)
        xds_conf_deinit(&read);
    return err;
}

/* ---- what moves whom ---- */

static void on_view(void *arg)
{
    struct xdsd *xdsd = arg;
    xds_leaves_moved(xdsd->leaves);
    xds_hub_moved(xdsd->hub);
}

static void on_leaf(void *arg)
{
    struct xdsd *xdsd = arg;
    xds_hub_moved(xdsd->hub);
}

/* ---- gauges ---- */

static double streams(void *arg)
{
    struct xdsd *xdsd = arg;
    return (double)xds_ads_streams(xdsd->ads);
}

static double proxies(void *arg)
{
    struct xdsd *xdsd = arg;
    return (double)xds_hub_counts(xdsd->hub).proxies;
}

static double snapshot_bytes(void *arg)
{
    struct xdsd *xdsd = arg;
    return (double)xds_hub_counts(xdsd->hub).bytes;
}

static void add_gauges(struct xdsd *xdsd)
{
    cu_metrics_gauge(xdsd->env->metrics, "xds.streams", streams, xdsd);
    cu_metrics_gauge(xdsd->env->metrics, "xds.proxies", proxies, xdsd);
    cu_metrics_gauge(xdsd->env->metrics, "xds.snapshot_bytes", snapshot_bytes, xdsd);
}

/* ---- life ---- */

static enum cu_err listen_all(struct xdsd *xdsd, struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && xdsd->conf.port && i < xdsd->conf.address_count; i++) {
        char address[ADDRESS_BYTES];
        const char *ip = xdsd->conf.addresses[i];
        (void)snprintf(address, sizeof address, strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip,
                       xdsd->conf.port);
        err = xds_ads_listen(xdsd->ads, address, diag);
        if (!err)
            cu_info(xdsd->env->log, "xds.listen", "address=%s", address);
    }
    return err;
}

static void open_all(struct xdsd *xdsd)
{
    struct cu_env *env = xdsd->env;
    xdsd->catalog = xds_catalog_new(&(struct xds_catalog_options){
        .env = env, .conf = &xdsd->conf, .moved = on_view, .arg = xdsd});
    xdsd->leaves =
        xds_leaves_new(&(struct xds_leaves_options){.env = env,
                                                    .calls = xds_catalog_calls(xdsd->catalog),
                                                    .view = xds_catalog_view(xdsd->catalog),
                                                    .signed_one = on_leaf,
                                                    .arg = xdsd});
    xdsd->hub = xds_hub_new(&(struct xds_hub_options){.env = env,
                                                      .catalog = xdsd->catalog,
                                                      .leaves = xdsd->leaves,
                                                      .is_guarded = xdsd->conf.rights.is_enabled});
    xdsd->ads = xds_ads_new(&(struct xds_ads_options){
        .env = env, .hub = xdsd->hub, .rights = xds_catalog_rights(xdsd->catalog)});
    add_gauges(xdsd);
}

enum cu_err xds_start(struct cu_env *env, void **ret_xdsd, struct cu_diag *diag)
{
    struct xdsd *xdsd = cu_alloc(sizeof *xdsd);
    char *local = cu_env_local_url(env, "catalogd");
    xdsd->env = env;
    enum cu_err err = xds_conf_read(env->conf, local, &xdsd->conf, diag);
    free(local);
    if (!err) {
        open_all(xdsd);
        err = listen_all(xdsd, diag);
    }
    if (err) {
        xds_stop(xdsd);
        return err;
    }
    xds_ads_start(xdsd->ads);
    *ret_xdsd = xdsd;
    cu_env_ready(env);
    return CU_OK;
}

void xds_reload(void *arg, const struct cu_conf *conf)
{
    struct xdsd *xdsd = arg;
    if (!xdsd->is_told)
        xds_catalog_set_token(xdsd->catalog, cu_rights_own_token(conf));
}

/* Without ACLs no token is looked at. */
void xds_set_token(void *arg, const char *token)
{
    struct xdsd *xdsd = arg;
    xdsd->is_told = true;
    if (xdsd->conf.rights.is_enabled)
        xds_catalog_set_token(xdsd->catalog, token);
}

void xds_drain(void *arg)
{
    struct xdsd *xdsd = arg;
    xds_ads_drain(xdsd->ads);
}

void xds_stop(void *arg)
{
    struct xdsd *xdsd = arg;
    xds_ads_free(xdsd->ads);
    xds_hub_free(xdsd->hub);
    xds_leaves_free(xdsd->leaves);
    xds_catalog_free(xdsd->catalog);
    xds_conf_deinit(&xdsd->conf);
    free(xdsd);
}
