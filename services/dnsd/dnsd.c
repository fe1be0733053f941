#include "services/dnsd/dnsd.h"

#include <stdlib.h>

#include "common/base/assert.h"

enum cu_err dns_check(const struct cu_conf *conf, struct cu_diag *diag)
{
    struct dns_conf read;
    enum cu_err err = dns_conf_read(conf, "ipc:///", &read, diag);
    if (!err)
        dns_conf_deinit(&read);
    return err;
}

static enum dns_trust trust(void *arg)
{
    struct dnsd *dnsd = arg;
    return dns_catalog_trust(dnsd->catalog, &dnsd->conf.live.freshness);
}

static void confirmed(void *arg, bool is_good)
{
    struct dnsd *dnsd = arg;
    dns_server_confirmed(dnsd->server, is_good);
}

static void confirm(void *arg)
{
    struct dnsd *dnsd = arg;
    dns_catalog_confirm(dnsd->catalog, confirmed, dnsd);
}

static double view_age_ms(void *arg)
{
    struct dnsd *dnsd = arg;
    uint64_t age_ms = cu_mirror_age_ms(dns_catalog_mirror(dnsd->catalog));
    return age_ms == UINT64_MAX ? -1 : (double)age_ms;
}

/* 1: what is answered comes from an earlier time, since no catalogd is reached. */
static double serves_kept(void *arg)
{
    struct dnsd *dnsd = arg;
    const struct cu_mirror *mirror = dns_catalog_mirror(dnsd->catalog);
    return cu_mirror_is_filled(mirror) && !cu_mirror_is_live(mirror);
}

static double parked(void *arg)
{
    struct dnsd *dnsd = arg;
    return (double)dns_server_parked(dnsd->server);
}

static double connections(void *arg)
{
    struct dnsd *dnsd = arg;
    return (double)dns_server_connections(dnsd->server);
}

static double asking(void *arg)
{
    struct dnsd *dnsd = arg;
    return (double)dns_server_asking(dnsd->server);
}

static void add_gauges(struct dnsd *dnsd)
{
    static const struct {
        const char *name;
        cu_gauge *read;
    } gauges[] = {{"dns.view_age_ms", view_age_ms},
                  {"dns.serves_kept_view", serves_kept},
                  {"dns.parked", parked},
                  {"dns.tcp_connections", connections},
                  {"dns.upstream_open", asking}};
    for (size_t i = 0; i < CU_COUNT(gauges); i++)
        cu_metrics_gauge(dnsd->env->metrics, gauges[i].name, gauges[i].read, dnsd);
}

static enum cu_err listen_all(struct dnsd *dnsd, struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && dnsd->conf.port && i < dnsd->conf.address_count; i++) {
        err = dns_server_listen(dnsd->server, dnsd->conf.addresses[i], dnsd->conf.port, diag);
        if (!err)
            cu_info(dnsd->env->log, "dns.listen", "address=%s port=%u", dnsd->conf.addresses[i],
                    dnsd->conf.port);
    }
    return err;
}

enum cu_err dns_start(struct cu_env *env, void **ret_dnsd, struct cu_diag *diag)
{
    struct dnsd *dnsd = cu_alloc(sizeof *dnsd);
    char *local = cu_env_local_url(env, "catalogd");
    dnsd->env = env;
    enum cu_err err = dns_conf_read(env->conf, local, &dnsd->conf, diag);
    free(local);
    if (!err) {
        dnsd->catalog =
            dns_catalog_new(&(struct dns_catalog_options){.env = env, .conf = &dnsd->conf});
        dnsd->server =
            dns_server_new(&(struct dns_server_options){.loop = env->loop,
                                                        .metrics = env->metrics,
                                                        .node_name = env->node_name,
                                                        .zone = &dnsd->conf.zone,
                                                        .view = dns_catalog_view(dnsd->catalog),
                                                        .live = &dnsd->conf.live,
                                                        .trust = trust,
                                                        .confirm = confirm,
                                                        .arg = dnsd});
        add_gauges(dnsd);
        err = listen_all(dnsd, diag);
    }
    if (err) {
        dns_stop(dnsd);
        return err;
    }
    *ret_dnsd = dnsd;
    cu_env_ready(env);
    return CU_OK;
}

void dns_reload(void *arg, const struct cu_conf *conf)
{
    struct dnsd *dnsd = arg;
    struct dns_live_conf live;
    struct cu_diag diag = {0};
    enum cu_err err = dns_live_conf_read(conf, &live, &diag);
    CU_ASSERT(!err); /* dns_check() has read it */
    dns_live_conf_deinit(&dnsd->conf.live);
    dnsd->conf.live = live;
    if (!dnsd->is_told)
        dns_catalog_set_token(dnsd->catalog, cu_rights_own_token(conf));
}

/* Without ACLs no token is looked at. */
void dns_set_token(void *arg, const char *token)
{
    struct dnsd *dnsd = arg;
    dnsd->is_told = true;
    if (dnsd->conf.rights.is_enabled)
        dns_catalog_set_token(dnsd->catalog, token);
}

void dns_drain(void *arg)
{
    struct dnsd *dnsd = arg;
    dns_server_drain(dnsd->server);
}

void dns_stop(void *arg)
{
    struct dnsd *dnsd = arg;
    dns_server_free(dnsd->server);
    dns_catalog_free(dnsd->catalog);
    dns_conf_deinit(&dnsd->conf);
    free(dnsd);
}
