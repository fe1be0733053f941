#include "services/dnsd/io/catalog.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curia/v1/catalog.pb-c.h"
#include "curia/v1/feed.pb-c.h"

#include "common/base/assert.h"
#include "common/base/endpoint.h"
#include "common/view/servers.h"
#include "common/view/sight.h"
#include "common/view/view.h"
#include "services/dnsd/core/row.h"

enum {
    KEPT_BYTES = 4096, /* of the view's own answers: we ask for none twice */
    POLL_AGAIN_MS = 5, /* a catalogd that has not applied yet what another one told us of */
    SAVED_SERVERS = 16,
};

/* What is asked to confirm: first where the log is, then for changes up to there. */
enum step { IDLE, READING, LOOKING, CATCHING_UP };

struct dns_catalog {
    struct cu_env *env;
    struct dns_view *view;
    struct cu_view *catalogs;
    struct view_servers *servers;
    struct cu_mirror *mirror;
    struct cu_rights *rights;
    struct cu_sight *sight;
    char *token;            /* its own; empty: none */
    struct cu_arena *arena; /* of a row */
    uint64_t bad_rows;
    struct cu_log_limit said;
    bool was_live, has_said_kept;

    enum step step;
    struct cu_view_call call;
    Curia__V1__NodeServicesRequest read;
    Curia__V1__FeedFollowRequest follow;
    Curia__V1__FeedPosition after;
    uint8_t cluster_id[CU_MIRROR_ID_BYTES];
    uint64_t target; /* shown index that the view has to reach */
    struct cu_timer deadline, again;
    dns_confirmed *done;
    void *arg;
};

static void look(void *arg);

/* ---- rows ---- */

static void put(void *arg, const struct cu_mirror_row *row, const struct cu_mirror_row *before)
{
    struct dns_catalog *c = arg;
    (void)before;
    if (!dns_row_put(c->view, (enum dns_topic)row->topic, row->key, row->row, c->arena))
        return;
    c->bad_rows++;
    cu_log_limited(c->env->log, &c->said, CU_LOG_WARN, "view.bad_row", "topic=%s",
                   dns_topics[row->topic]);
}

static void del(void *arg, const struct cu_mirror_row *row)
{
    struct dns_catalog *c = arg;
    dns_row_del(c->view, (enum dns_topic)row->topic, row->key);
}

/* ---- trust ---- */

enum dns_trust dns_catalog_trust(struct dns_catalog *c, const struct dns_freshness *freshness)
{
    if (!cu_mirror_is_filled(c->mirror) || cu_mirror_is_denied(c->mirror))
        return DNS_UNTRUSTED;
    if (!freshness->allow_stale)
        return DNS_UNCONFIRMED;
    if (cu_mirror_is_live(c->mirror))
        return DNS_TRUSTED;
    uint64_t age_ms = cu_mirror_age_ms(c->mirror);
    if (age_ms > freshness->max_age_ms)
        return DNS_UNCONFIRMED;
    return age_ms > DNS_STALE_MS ? DNS_TRUSTED_STALE : DNS_TRUSTED;
}

/* ---- confirming ---- */

static void finish(struct dns_catalog *c, bool is_good)
{
    c->step = IDLE;
    cu_timer_cancel(&c->deadline);
    cu_timer_cancel(&c->again);
    cu_view_call_cancel(&c->call);
    c->done(c->arg, is_good);
}

static void too_late(void *arg)
{
    finish(arg, false);
}

static void call(struct dns_catalog *c, const ProtobufCServiceDescriptor *service,
                 const char *method, const ProtobufCMessage *request, cu_on_answer *done)
{
    c->call = (struct cu_view_call){.service = service,
                                    .method = method,
                                    .request = request,
                                    .timeout_ms = DNS_CONFIRM_MS,
                                    .repeatable = true,
                                    .token = c->token,
                                    .done = done,
                                    .arg = c};
    cu_view_call(c->catalogs, &c->call);
}

/* The view catches up by itself; then it has what was so. */
static void catch_up(struct dns_catalog *c)
{
    c->step = CATCHING_UP;
    if (cu_mirror_is_live(c->mirror) && cu_mirror_position(c->mirror).index >= c->target)
        finish(c, true);
}

static void looked(void *arg, const struct cu_answer *answer)
{
    struct dns_catalog *c = arg;
    const Curia__V1__FeedFollowReply *reply = (const void *)answer->message;
    if (answer->err || !reply->upto) {
        finish(c, false);
    } else if (reply->outcome == CURIA__V1__FEED_OUTCOME__FEED_CHANGES) {
        c->target = reply->changes[0]->index;
        for (size_t i = 0; i < reply->n_changes; i++)
            if (reply->changes[i]->index > c->target)
                c->target = reply->changes[i]->index;
        catch_up(c);
    } else if (reply->outcome != CURIA__V1__FEED_OUTCOME__FEED_NOTHING) {
        catch_up(c); /* it is being filled anew, and will be there or not before the deadline */
    } else if (reply->upto->index >= c->target) {
        finish(c, true);
    } else {
        cu_timer_set_ms(&c->again, POLL_AGAIN_MS);
    }
}

static void look(void *arg)
{
    struct dns_catalog *c = arg;
    struct cu_mirror_position position = cu_mirror_position(c->mirror);
    c->step = LOOKING;
    memcpy(c->cluster_id, position.cluster_id, sizeof c->cluster_id);
    curia__v1__feed_position__init(&c->after);
    c->after.cluster_id = (ProtobufCBinaryData){sizeof c->cluster_id, c->cluster_id};
    c->after.epoch = position.epoch;
    c->after.index = position.index;
    curia__v1__feed_follow_request__init(&c->follow);
    c->follow.topics = (char **)(uintptr_t)dns_topics;
    c->follow.n_topics = DNS_TOPIC_COUNT;
    c->follow.after = &c->after;
    call(c, &curia__v1__feed__descriptor, "Follow", &c->follow.base, looked);
}

static void read_log_place(void *arg, const struct cu_answer *answer)
{
    struct dns_catalog *c = arg;
    const Curia__V1__NodeServicesReply *reply = (const void *)answer->message;
    if (answer->err || !reply->meta || !reply->meta->have) {
        finish(c, false);
        return;
    }
    c->target = reply->meta->have->read_at;
    look(c);
}

/* Any read in default mode says, beside its answer, at which index it was made; this one is refused
 * to no token that is known, and finds nothing. */
void dns_catalog_confirm(struct dns_catalog *c, dns_confirmed *done, void *arg)
{
    static char no_node[] = ".";
    CU_ASSERT(c->step == IDLE);
    c->step = READING;
    c->done = done;
    c->arg = arg;
    cu_timer_set_ms(&c->deadline, DNS_CONFIRM_MS);
    curia__v1__node_services_request__init(&c->read);
    c->read.node = no_node;
    call(c, &curia__v1__catalog__descriptor, "NodeServices", &c->read.base, read_log_place);
}

/* ---- where catalogds are (contracts 7.1) ---- */

static void print_url(const struct dns_instance *instance, char url[CU_ENDPOINT_BYTES])
{
    char ip[INET6_ADDRSTRLEN];
    const struct dns_address *address = &instance->at.plain;
    url[0] = '\0';
    if (!address->kind)
        address = &instance->node->at.plain;
    if (!dns_address_is_ip(address))
        return;
    bool is_v6 = address->kind == DNS_IPV6;
    (void)inet_ntop(is_v6 ? AF_INET6 : AF_INET, address->ip, ip, sizeof ip);
    (void)cu_endpoint_url(ip, instance->port, url);
}

/* The service `consul`, as it is known: the last hint where nobody else knows of a server. */
static void offer_saved(struct dns_catalog *c)
{
    static const struct cu_bytes no_tag;
    const struct dns_group *group =
        dns_view_group(c->view, DNS_BY_SERVICE, cu_bytes_of("consul"), no_tag);
    char texts[SAVED_SERVERS][CU_ENDPOINT_BYTES];
    const char *urls[SAVED_SERVERS];
    size_t count = 0;
    for (uint32_t i = 0; group && i < group->ends[DNS_CRITICAL] && count < SAVED_SERVERS; i++) {
        print_url(group->members[i].instance, texts[count]);
        urls[count] = texts[count];
        count += texts[count][0] != '\0';
    }
    cu_view_offer(c->catalogs, CU_VIEW_SAVED, urls, count);
}

static void open_servers(struct dns_catalog *c)
{
    char *url = cu_env_local_url(c->env, "gossipd");
    c->servers = view_servers_new(&(struct view_servers_options){.view = c->catalogs,
                                                                 .rpc = c->env->rpc,
                                                                 .loop = c->env->loop,
                                                                 .log = c->env->log,
                                                                 .url = url,
                                                                 .datacenter = c->env->datacenter,
                                                                 .node_name = c->env->node_name});
    free(url);
}

/* ---- the mirror ---- */

static void moved(void *arg)
{
    struct dns_catalog *c = arg;
    bool is_live = c->mirror && cu_mirror_is_live(c->mirror);
    if (is_live != c->was_live)
        cu_info(c->env->log, is_live ? "view.live" : "view.kept", "rows=%zu age_ms=%llu",
                cu_mirror_count(c->mirror), (unsigned long long)cu_mirror_age_ms(c->mirror));
    if (is_live != c->was_live)
        offer_saved(c);
    c->was_live = is_live;
    if (c->step == CATCHING_UP)
        catch_up(c);
}

static char *view_path(const struct cu_env *env)
{
    char path[4200];
    (void)snprintf(path, sizeof path, "%s/dns/view", env->data_dir);
    return cu_strdup(path);
}

static void open_rights(struct dns_catalog *c, const struct cu_rights_conf *conf)
{
    c->token = cu_strdup(cu_rights_own_token(c->env->conf));
    c->rights = cu_rights_new(
        &(struct cu_rights_options){.view = c->catalogs,
                                    .loop = c->env->loop,
                                    .log = c->env->log,
                                    .metrics = c->env->metrics,
                                    .is_enabled = conf->is_enabled,
                                    .is_allowed_by_default = conf->is_allowed_by_default,
                                    .down_policy = conf->down_policy,
                                    .token_ttl_ms = conf->token_ttl_ms});
}

static void open_mirror(struct dns_catalog *c)
{
    char *path = view_path(c->env);
    c->mirror =
        cu_mirror_new(&(struct cu_mirror_options){.view = c->catalogs,
                                                  .loop = c->env->loop,
                                                  .log = c->env->log,
                                                  .metrics = c->env->metrics,
                                                  .topics = dns_topics,
                                                  .topic_count = DNS_TOPIC_COUNT,
                                                  .token = c->token,
                                                  .is_filtered = cu_rights_is_enabled(c->rights),
                                                  .path = path,
                                                  .save_ms = DNS_SAVE_MS,
                                                  .put = put,
                                                  .del = del,
                                                  .moved = moved,
                                                  .arg = c});
    free(path);
    offer_saved(c);
    if (cu_mirror_is_filled(c->mirror))
        cu_info(c->env->log, "view.kept", "rows=%zu age_ms=%llu text=\"%s\"",
                cu_mirror_count(c->mirror), (unsigned long long)cu_mirror_age_ms(c->mirror),
                "answering from what was known, until a catalogd is found");
}

struct dns_catalog *dns_catalog_new(const struct dns_catalog_options *options)
{
    struct dns_catalog *c = cu_alloc(sizeof *c);
    const struct dns_conf *conf = options->conf;
    c->env = options->env;
    c->view = dns_view_new(&conf->zone);
    c->arena = cu_arena_new(DNS_ROW_ARENA_BYTES);
    cu_timer_init(&c->deadline, c->env->loop, too_late, c);
    cu_timer_init(&c->again, c->env->loop, look, c);
    c->catalogs = cu_view_new(&(struct cu_view_options){
        .rpc = c->env->rpc,
        .loop = c->env->loop,
        .log = c->env->log,
        .metrics = c->env->metrics,
        .catalogs = (const char *const *)conf->catalogs,
        .catalog_count = conf->catalog_count,
        .hold_ms = conf->hold_ms,
        .kept_limit_bytes = KEPT_BYTES,
    });
    open_servers(c);
    open_rights(c, &conf->rights);
    open_mirror(c);
    c->sight = cu_sight_new(c->rights, c->env->loop, c->mirror, c->token);
    return c;
}

static void forget_token(struct dns_catalog *c)
{
    explicit_bzero(c->token, strlen(c->token));
    free(c->token);
}

void dns_catalog_set_token(struct dns_catalog *c, const char *token)
{
    char *next = cu_strdup(token);
    if (c->step != IDLE)
        c->call.token = next; /* it may be sent again */
    forget_token(c);
    c->token = next;
    cu_sight_set_token(c->sight, token);
}

void dns_catalog_free(struct dns_catalog *c)
{
    if (!c)
        return;
    cu_view_call_cancel(&c->call);
    cu_sight_free(c->sight);
    cu_mirror_free(c->mirror);
    cu_rights_free(c->rights);
    view_servers_free(c->servers);
    cu_view_free(c->catalogs);
    cu_timer_close(&c->deadline);
    cu_timer_close(&c->again);
    dns_view_free(c->view);
    cu_arena_free(c->arena);
    forget_token(c);
    free(c);
}

const struct dns_view *dns_catalog_view(const struct dns_catalog *c)
{
    return c->view;
}

const struct cu_mirror *dns_catalog_mirror(const struct dns_catalog *c)
{
    return c->mirror;
}

uint64_t dns_catalog_bad_rows(const struct dns_catalog *c)
{
    return c->bad_rows;
}
