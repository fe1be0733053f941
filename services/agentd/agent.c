#include "services/agentd/agent.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "common/view/cache.h"
#include "common/view/rights.h"
#include "common/view/servers.h"
#include "services/agentd/credentials.h"
#include "services/agentd/io/gossip.h"
#include "services/agentd/io/leaves.h"
#include "services/agentd/io/node.h"
#include "services/agentd/io/own_token.h"
#include "services/agentd/rpc/dispatch.h"
#include "services/agentd/rpc/last.h"
#include "services/agentd/rpc/metrics.h"
#include "services/agentd/settings.h"

/* Id and address are not known before a start. */
static enum cu_err check_settings(const struct cu_conf *conf, struct cu_diag *diag)
{
    struct agent_settings settings;
    struct agent_about about = {.id = "",
                                .name = cu_conf_text(conf, "node_name"),
                                .datacenter = cu_conf_text(conf, "datacenter"),
                                .address = ""};
    enum cu_err err = agent_settings_read(conf, &about, &settings, diag);
    if (!err)
        agent_settings_deinit(&settings);
    return err;
}

enum cu_err agent_check(const struct cu_conf *conf, struct cu_diag *diag)
{
    struct agent_conf read;
    enum cu_err err = agent_conf_read(conf, "ipc:///", &read, diag);
    if (err)
        return err;
    agent_conf_deinit(&read);
    return check_settings(conf, diag);
}

static double waiters(void *arg)
{
    struct agent *agent = arg;
    return (double)cu_view_waiter_count(agent->view);
}

static double connections(void *arg)
{
    struct agent *agent = arg;
    return agent->http ? (double)agent_http_connections(agent->http) : 0;
}

static double refused(void *arg)
{
    struct agent *agent = arg;
    return agent->http ? (double)agent_http_refused(agent->http) : 0;
}

static double complaints(void *arg)
{
    struct agent *agent = arg;
    return agent->http ? (double)agent_http_complaints(agent->http) : 0;
}

static void add_gauges(struct agent *agent)
{
    struct cu_metrics *metrics = agent->env->metrics;
    cu_metrics_gauge(metrics, "view.waiters", waiters, agent);
    cu_metrics_gauge(metrics, "http.connections", connections, agent);
    cu_metrics_gauge(metrics, "http.connections_refused", refused, agent);
    cu_metrics_gauge(metrics, "http.malformed", complaints, agent);
}

static void open_view(struct agent *agent)
{
    agent->view = cu_view_new(&(struct cu_view_options){
        .rpc = agent->env->rpc,
        .loop = agent->env->loop,
        .log = agent->env->log,
        .metrics = agent->env->metrics,
        .catalogs = (const char *const *)agent->conf.catalogs,
        .catalog_count = agent->conf.catalog_count,
        .hold_ms = agent->conf.hold_ms,
        .kept_limit_bytes = AGENT_KEPT_BYTES,
    });
}

static void open_leaves(struct agent *agent)
{
    const struct cu_env *env = agent->env;
    agent->leaves = agent_leaves_new(&(struct agent_leaves_options){
        .view = agent->view,
        .loop = env->loop,
        .log = env->log,
        .metrics = env->metrics,
        .datacenter = env->datacenter,
        .node_name = env->node_name,
        .limit = AGENT_LEAVES_MAX,
    });
}

static void open_rights(struct agent *agent)
{
    const struct cu_rights_conf *conf = &agent->conf.rights;
    agent->rights = cu_rights_new(&(struct cu_rights_options){
        .view = agent->view,
        .loop = agent->env->loop,
        .log = agent->env->log,
        .metrics = agent->env->metrics,
        .is_enabled = conf->is_enabled,
        .is_allowed_by_default = conf->is_allowed_by_default,
        .down_policy = conf->down_policy,
        .token_ttl_ms = conf->token_ttl_ms,
        .node = agent->env->node_name,
        .agent_master = agent_tokens_get(&agent->tokens, AGENT_TOKEN_AGENT_MASTER),
    });
}

static void open_servers(struct agent *agent)
{
    struct cu_env *env = agent->env;
    char *url = cu_env_local_url(env, "gossipd");
    agent->servers = view_servers_new(&(struct view_servers_options){
        .view = agent->view,
        .rpc = env->rpc,
        .loop = env->loop,
        .log = env->log,
        .url = url,
        .datacenter = env->datacenter,
        .node_name = env->node_name,
    });
    free(url);
}

static enum cu_err read_settings(struct agent *agent, const struct cu_conf *conf,
                                 struct agent_settings *ret_settings, struct cu_diag *diag)
{
    const struct cu_env *env = agent->env;
    struct agent_about about = {env->node_id, env->node_name, env->datacenter,
                                env->advertise_address};
    return agent_settings_read(conf, &about, ret_settings, diag);
}

static size_t member_count(void *arg)
{
    struct agent *agent = arg;
    return agent_gossip_count(agent->gossip);
}

static enum cu_err open_node(struct agent *agent, struct cu_diag *diag)
{
    struct cu_env *env = agent->env;
    struct agent_settings settings;
    char *url = cu_env_local_url(env, "gossipd");
    agent->gossip = agent_gossip_new(env->rpc, env->loop, url);
    free(url);
    enum cu_err err = read_settings(agent, env->conf, &settings, diag);
    if (err)
        return err;
    struct agent_node_options options = {
        .loop = env->loop,
        .log = env->log,
        .metrics = env->metrics,
        .view = agent->view,
        .data_dir = env->data_dir,
        .tokens = &agent->tokens,
        .member_count = member_count,
        .arg = agent,
    };
    err = agent_node_open(&options, &settings.node, &agent->node, diag);
    agent->may_run_remote_scripts = settings.node.may_run_remote_scripts;
    agent_settings_deinit(&settings);
    return err;
}

static enum cu_err open_http(struct agent *agent, struct cu_diag *diag)
{
    const struct agent_conf *conf = &agent->conf;
    struct agent_http_options options = {
        .loop = agent->env->loop,
        .memory_bytes = conf->header_bytes > AGENT_MEMORY_MIN_BYTES ? conf->header_bytes
                                                                    : AGENT_MEMORY_MIN_BYTES,
        .max_per_client = conf->max_per_client,
        .rq_size = sizeof(struct agent_call),
        .handler = &agent_dispatch,
        .context = agent,
    };
    enum cu_err err = agent_http_new(&options, &agent->http, diag);
    for (size_t i = 0; !err && conf->has_http && i < conf->address_count; i++)
        err = agent_http_bind(agent->http, conf->addresses[i], conf->port, diag);
    return err;
}

enum cu_err agent_start(struct cu_env *env, void **ret_agent, struct cu_diag *diag)
{
    struct agent *agent = cu_alloc(sizeof *agent);
    char *local = cu_env_local_url(env, "catalogd");
    agent->env = env;
    enum cu_err err = agent_conf_read(env->conf, local, &agent->conf, diag);
    free(local);
    if (!err) {
        agent_credentials_open(agent);
        open_view(agent);
        open_rights(agent);
        open_servers(agent);
        if (agent->conf.use_cache)
            agent->cache =
                cu_view_cache_new(agent->view, env->loop, env->metrics, AGENT_KEPT_BYTES);
        open_leaves(agent);
        agent_dispatch_open(agent);
        agent->metrics = agent_metrics_new(env->loop, env->metrics);
        agent->last = agent_last_new();
        add_gauges(agent);
        err = open_node(agent, diag);
    }
    if (!err && agent->conf.rights.is_enabled)
        agent->own_token =
            agent_own_token_new(env, agent_tokens_get(&agent->tokens, AGENT_TOKEN_DEFAULT));
    if (!err)
        err = open_http(agent, diag);
    if (err) {
        agent_stop(agent);
        return err;
    }
    for (size_t i = 0; i < agent->conf.address_count; i++)
        cu_info(env->log, "http.listen", "address=%s port=%u", agent->conf.addresses[i],
                agent->conf.port);
    *ret_agent = agent;
    cu_env_ready(env);
    return CU_OK;
}

void agent_reload(void *arg, const struct cu_conf *conf)
{
    struct agent *agent = arg;
    agent->conf.max_per_client = (unsigned)cu_conf_int(conf, "limits.http_max_conns_per_client");
    agent_http_set_limit(agent->http, agent->conf.max_per_client);
    struct agent_settings settings;
    struct cu_diag diag = {0};
    if (read_settings(agent, conf, &settings, &diag)) { /* agent_check() has seen all but a race */
        cu_error(agent->env->log, "node.reload", "reason=\"%s\"", diag.text);
        return;
    }
    agent_credentials_reload(agent, conf);
    agent_node_reload(agent->node, &settings.node);
    agent_settings_deinit(&settings);
}

void agent_end_node_after(struct agent *agent, struct agent_call *call)
{
    agent->leaving = call;
}

void agent_drain(void *arg)
{
    struct agent *agent = arg;
    agent_http_stop_listening(agent->http);
}

void agent_stop(void *arg)
{
    struct agent *agent = arg;
    agent_http_free(agent->http);
    agent->http = NULL;
    agent_own_token_free(agent->own_token);
    agent_node_close(agent->node);
    agent_gossip_free(agent->gossip);
    view_servers_free(agent->servers);
    agent_leaves_free(agent->leaves);
    cu_rights_free(agent->rights);
    cu_view_cache_free(agent->cache);
    cu_view_free(agent->view);
    agent_metrics_free(agent->metrics);
    agent_last_free(agent->last);
    agent_tokens_deinit(&agent->tokens);
    free(agent->samples);
    agent_conf_deinit(&agent->conf);
    free(agent);
}

void agent_status(void *arg, cu_status_add *add, void *to)
{
    struct agent *agent = arg;
    const char *url = cu_view_url(agent->view);
    add(to, "catalog", "%s", url ? url : "not reachable");
    add(to, "http.connections", "%zu", agent_http_connections(agent->http));
    add(to, "http.suspended", "%zu", agent_http_suspended(agent->http));
    add(to, "view.waits", "%zu", cu_view_wait_count(agent->view));
    add(to, "view.waiters", "%zu", cu_view_waiter_count(agent->view));
    const struct agent_local *local = agent_node_local(agent->node);
    add(to, "node.services", "%zu", agent_local_service_count(local));
    add(to, "node.checks", "%zu", agent_local_check_count(local));
    add(to, "node.in_sync", "%s", agent_local_is_in_sync(local) ? "yes" : "no");
}
