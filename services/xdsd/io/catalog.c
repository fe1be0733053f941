#include "services/xdsd/io/catalog.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "common/view/servers.h"
#include "common/view/sight.h"

enum { KEPT_BYTES = 4096 /* of the calls' own answers: we ask for none twice */ };

struct xds_catalog {
    struct xds_catalog_options o;
    struct xds_view *view;
    struct cu_view *calls;
    struct view_servers *servers;
    struct cu_mirror *mirror;
    struct cu_rights *rights;
    struct cu_sight *sight;
    uint64_t bad_rows;
    struct cu_log_limit said;
    bool was_live;
};

static void put(void *arg, const struct cu_mirror_row *row, const struct cu_mirror_row *before)
{
    struct xds_catalog *c = arg;
    (void)before;
    if (!xds_view_put(c->view, (enum xds_topic)row->topic, row->key, row->row))
        return;
    c->bad_rows++;
    cu_log_limited(c->o.env->log, &c->said, CU_LOG_WARN, "view.bad_row", "topic=%s",
                   xds_topics[row->topic]);
}

static void del(void *arg, const struct cu_mirror_row *row)
{
    struct xds_catalog *c = arg;
    xds_view_del(c->view, (enum xds_topic)row->topic, row->key);
}

static void moved(void *arg)
{
    struct xds_catalog *c = arg;
    bool is_live = c->mirror && cu_mirror_is_live(c->mirror);
    if (is_live != c->was_live)
        cu_info(c->o.env->log, is_live ? "view.live" : "view.kept", "rows=%zu",
                cu_mirror_count(c->mirror));
    c->was_live = is_live;
    if (xds_catalog_is_filled(c))
        c->o.moved(c->o.arg);
}

static void open_servers(struct xds_catalog *c)
{
    struct cu_env *env = c->o.env;
    char *url = cu_env_local_url(env, "gossipd");
    c->servers = view_servers_new(&(struct view_servers_options){.view = c->calls,
                                                                 .rpc = env->rpc,
                                                                 .loop = env->loop,
                                                                 .log = env->log,
                                                                 .url = url,
                                                                 .datacenter = env->datacenter,
                                                                 .node_name = env->node_name});
    free(url);
}

static void open_rights(struct xds_catalog *c)
{
    const struct cu_rights_conf *conf = &c->o.conf->rights;
    c->rights = cu_rights_new(
        &(struct cu_rights_options){.view = c->calls,
                                    .loop = c->o.env->loop,
                                    .log = c->o.env->log,
                                    .metrics = c->o.env->metrics,
                                    .is_enabled = conf->is_enabled,
                                    .is_allowed_by_default = conf->is_allowed_by_default,
                                    .down_policy = conf->down_policy,
                                    .token_ttl_ms = conf->token_ttl_ms});
}

struct xds_catalog *xds_catalog_new(const struct xds_catalog_options *options)
{
    struct xds_catalog *c = cu_alloc(sizeof *c);
    struct cu_env *env = options->env;
    c->o = *options;
    c->view = xds_view_new(env->datacenter, options->conf->default_allow);
    c->calls = cu_view_new(&(struct cu_view_options){
        .rpc = env->rpc,
        .loop = env->loop,
        .log = env->log,
        .metrics = env->metrics,
        .catalogs = (const char *const *)options->conf->catalogs,
        .catalog_count = options->conf->catalog_count,
        .hold_ms = options->conf->hold_ms,
        .kept_limit_bytes = KEPT_BYTES,
    });
    open_servers(c);
    open_rights(c);
    const char *token = cu_rights_own_token(env->conf);
    /* No file: without a catalogd there are no certificates, and keys are never kept. */
    c->mirror = cu_mirror_new(&(struct cu_mirror_options){.view = c->calls,
                                                          .loop = env->loop,
                                                          .log = env->log,
                                                          .metrics = env->metrics,
                                                          .topics = xds_topics,
                                                          .topic_count = XDS_TOPIC_COUNT,
                                                          .token = token,
                                                          .is_filtered = true,
                                                          .put = put,
                                                          .del = del,
                                                          .moved = moved,
                                                          .arg = c});
    c->sight = cu_sight_new(c->rights, env->loop, c->mirror, token);
    return c;
}

void xds_catalog_free(struct xds_catalog *c)
{
    if (!c)
        return;
    cu_sight_free(c->sight);
    cu_mirror_free(c->mirror);
    cu_rights_free(c->rights);
    view_servers_free(c->servers);
    cu_view_free(c->calls);
    xds_view_free(c->view);
    free(c);
}

bool xds_catalog_is_filled(const struct xds_catalog *c)
{
    return c->mirror && cu_mirror_is_filled(c->mirror);
}

const struct xds_view *xds_catalog_view(const struct xds_catalog *c)
{
    return c->view;
}

const struct cu_mirror *xds_catalog_mirror(const struct xds_catalog *c)
{
    return c->mirror;
}

struct cu_rights *xds_catalog_rights(struct xds_catalog *c)
{
    return c->rights;
}

void xds_catalog_set_token(struct xds_catalog *c, const char *token)
{
    cu_sight_set_token(c->sight, token);
}

struct cu_view *xds_catalog_calls(struct xds_catalog *c)
{
    return c->calls;
}

uint64_t xds_catalog_bad_rows(const struct xds_catalog *c)
{
    return c->bad_rows;
}
