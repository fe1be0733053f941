#include "services/gossipd/gossipd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "services/gossipd/conf.h"
#include "services/gossipd/core/address.h"
#include "services/gossipd/io/joiner.h"
#include "services/gossipd/io/notes.h"
#include "services/gossipd/io/resolve.h"
#include "services/gossipd/io/shell.h"
#include "services/gossipd/rpc/service.h"

struct gossipd {
    struct cu_env *env;
    struct gossip_conf conf;
    struct gossip_notes notes;
    struct gossip_resolver *resolver;
    struct gossip_shell *shell;
    struct gossip_service *service;
    struct gossip_joiner *joiner;
};

/* ---- what the shell tells ---- */

static struct gossip_stats stats_of(const struct gossipd *gossipd)
{
    struct gossip_stats stats;
    gossip_stats(gossip_shell_core(gossipd->shell), &stats);
    return stats;
}

static void on_member(void *context, enum gossip_change change,
                      const struct gossip_member_view *view)
{
    gossip_notes_member(&((struct gossipd *)context)->notes, change, view);
}

static void on_note(void *context, const struct gossip_action *action)
{
    gossip_notes_write(&((struct gossipd *)context)->notes, action);
}

static void on_moved(void *context)
{
    struct gossipd *gossipd = context;
    struct gossip_stats stats = stats_of(gossipd);
    gossip_notes_stats(&gossipd->notes, &stats);
    gossip_service_moved(gossipd->service);
}

static void on_gave_up(void *context, const char *sentence)
{
    cu_env_give_up(((struct gossipd *)context)->env, "%s", sentence);
}

/* ---- metrics ---- */

static double read_health(void *arg)
{
    return stats_of(arg).health_score;
}

static double read_members(void *arg)
{
    return stats_of(arg).members;
}

static double read_intents(void *arg)
{
    return stats_of(arg).intent_queue;
}

static double read_broadcasts(void *arg)
{
    return stats_of(arg).broadcast_queue;
}

static void add_gauges(struct gossipd *gossipd)
{
    static const struct {
        const char *name;
        cu_gauge *read;
    } rows[] = {
        {"memberlist.health.score", read_health},
        {"serf.members", read_members},
        {"serf.queue.Intent", read_intents},
        {"memberlist.queue.broadcasts", read_broadcasts},
    };
    for (size_t i = 0; i < CU_COUNT(rows); i++)
        cu_metrics_gauge(gossipd->env->metrics, rows[i].name, rows[i].read, gossipd);
}

/* ---- start ---- */

/* Before the node knows its own id or address: as long as they will be. */
enum cu_err gossip_check_conf(const struct cu_conf *conf, struct cu_diag *diag)
{
    static const char any_id[] = "00000000-0000-0000-0000-000000000000";
    const char *bind_ip = cu_conf_text(conf, "bind_addr");
    struct gossip_conf *read = cu_alloc(sizeof *read);
    struct gossip_identity identity = {.name = cu_conf_text(conf, "node_name"),
                                       .node_id = any_id,
                                       .advertise_ip = "127.0.0.1",
                                       .bind_ip = *bind_ip ? bind_ip : "0.0.0.0"};
    enum cu_err err = gossip_conf_read(conf, &identity, read, diag);
    free(read);
    return err;
}

static enum cu_err open_shell(struct gossipd *gossipd, struct cu_diag *diag)
{
    struct cu_env *env = gossipd->env;
    const struct gossip_conf *conf = &gossipd->conf;
    struct gossip_options core = {.name = env->node_name,
                                  .address = conf->advertise,
                                  .tags = &conf->tags,
                                  .versions = GOSSIP_VERSIONS_CONSUL,
                                  .timing = conf->timing,
                                  .rejoin_after_leave = conf->rejoin_after_leave,
                                  .pool = GOSSIP_POOL_LAN,
                                  .datacenter = conf->datacenter,
                                  .segment = "",
                                  .node_id = env->node_id};
    return gossip_shell_open(
        &(struct gossip_shell_options){
            .loop = env->loop,
            .log = env->log,
            .metrics = env->metrics,
            .data_dir = env->data_dir,
            .bind = conf->bind,
            .compress = conf->compress,
            .core = &core,
            .out = {.context = gossipd, .member = on_member, .note = on_note, .moved = on_moved}},
        &gossipd->shell, diag);
}

static void begin(struct gossipd *gossipd)
{
    struct cu_env *env = gossipd->env;
    char address[GOSSIP_ADDR_TEXT_BYTES];
    gossipd->resolver = gossip_resolver_new(env->loop);
    gossipd->service = gossip_service_new(&(struct gossip_service_options){
        .loop = env->loop,
        .rpc = env->rpc,
        .shell = gossipd->shell,
        .resolver = gossipd->resolver,
        .self = env->node_name,
        .port = gossipd->conf.advertise.port,
    });
    gossipd->joiner = gossip_joiner_new(&(struct gossip_joiner_options){
        .loop = env->loop,
        .log = env->log,
        .shell = gossipd->shell,
        .resolver = gossipd->resolver,
        .conf = &gossipd->conf,
        .context = gossipd,
        .gave_up = on_gave_up,
    });
    add_gauges(gossipd);
    cu_info(env->log, "gossip.start", "name=\"%s\" address=%s compression=%s", env->node_name,
            gossip_addr_format(gossipd->conf.advertise, address),
            gossipd->conf.compress ? "on" : "off");
}

enum cu_err gossip_start(struct cu_env *env, void **ret_state, struct cu_diag *diag)
{
    struct gossipd *gossipd = cu_alloc(sizeof *gossipd);
    struct gossip_identity identity = {env->node_name, env->node_id, env->advertise_address,
                                       env->bind_address};
    gossipd->env = env;
    gossip_notes_init(&gossipd->notes, env->log, env->metrics);
    enum cu_err err = gossip_conf_read(env->conf, &identity, &gossipd->conf, diag);
    if (!err)
        err = open_shell(gossipd, diag);
    if (err) {
        gossip_stop(gossipd);
        return err;
    }
    begin(gossipd);
    cu_env_ready(env);
    *ret_state = gossipd;
    return CU_OK;
}

/* ---- stop ---- */

void gossip_stop(void *state)
{
    struct gossipd *gossipd = state;
    gossip_resolver_free(gossipd->resolver); /* first: nobody is told of its answers any more */
    gossip_joiner_free(gossipd->joiner);
    gossip_service_free(gossipd->service);
    gossip_shell_close(gossipd->shell);
    free(gossipd);
}

void gossip_add_status(void *state, cu_status_add *add, void *to)
{
    const struct gossipd *gossipd = state;
    const struct gossip *core = gossip_shell_core(gossipd->shell);
    struct gossip_stats stats = stats_of(gossipd);
    add(to, "members", "%u", stats.members);
    add(to, "failed", "%u", stats.failed);
    add(to, "left", "%u", stats.left);
    add(to, "health_score", "%u", stats.health_score);
    add(to, "feed_index", "%" PRIu64, gossip_feed_index(core));
    add(to, "feed_complete", "%s", gossip_is_complete(core) ? "true" : "false");
    add(to, "has_left", "%s", stats.has_left ? "true" : "false");
}
