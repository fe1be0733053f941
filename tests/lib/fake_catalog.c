#include "tests/lib/fake_catalog.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/v1/config.pb-c.h"
#include "curia/v1/health.pb-c.h"
#include "curia/v1/kv.pb-c.h"
#include "curia/v1/status.pb-c.h"

const struct cu_service *fake_catalog_acl;

/* ---- reads ---- */

static uint64_t newest(const struct fake_catalog *fake)
{
    return fake->newest > fake->index ? fake->newest : fake->index;
}

static void reply_get(struct fake_catalog *fake, struct cu_rq *rq)
{
    const Curia__V1__KvGetRequest *in = (const Curia__V1__KvGetRequest *)rq->in;
    Curia__V1__KvGetReply reply = CURIA__V1__KV_GET_REPLY__INIT;
    Curia__V1__ReadMeta meta = CURIA__V1__READ_META__INIT;
    Curia__V1__Have have = CURIA__V1__HAVE__INIT;
    Curia__V1__KvPair pair = CURIA__V1__KV_PAIR__INIT;
    bool stale = in->read && in->read->consistency == CURIA__V1__CONSISTENCY__CONSISTENCY_STALE;

    meta.index = fake->index;
    have.read_at = newest(fake);
    meta.known_leader = true;
    meta.last_contact_ms = stale ? fake->last_contact_ms : 0;
    meta.have = &have;
    reply.meta = &meta;
    if (in->read && in->read->have && in->read->have->read_at >= fake->index) {
        meta.unchanged = true;
        fake->unchanged++;
    } else if (fake->value) {
        pair.key = in->key;
        pair.value = (ProtobufCBinaryData){strlen(fake->value), (uint8_t *)fake->value};
        pair.create_index = pair.modify_index = fake->index;
        reply.pair = &pair;
    }
    cu_rq_reply(rq, &reply.base, fake->index);
}

static void wait_gone(void *arg)
{
    struct cu_rq *rq = arg;
    struct fake_catalog *fake = rq->user;
    for (size_t i = 0; i < fake->wait_count; i++)
        if (fake->waits[i] == rq) {
            fake->waits[i] = fake->waits[--fake->wait_count];
            fake->gone++;
            return;
        }
}

static void get(void *context, struct cu_rq *rq)
{
    struct fake_catalog *fake = context;
    const Curia__V1__KvGetRequest *in = (const Curia__V1__KvGetRequest *)rq->in;
    fake->gets++;
    if (fake->fail_with) {
        cu_rq_fail(rq, fake->fail_with, "as told");
    } else if (in->read && in->read->index >= fake->index && in->read->index <= newest(fake)) {
        ck_assert_uint_lt(fake->wait_count, FAKE_WAITS_MAX);
        rq->user = fake;
        fake->waits[fake->wait_count++] = rq;
        fake->wait_index = in->read->index;
        cu_rq_on_gone(rq, wait_gone, rq);
    } else {
        reply_get(fake, rq);
    }
}

static void list(void *context, struct cu_rq *rq)
{
    struct fake_catalog *fake = context;
    Curia__V1__KvListReply reply = CURIA__V1__KV_LIST_REPLY__INIT;
    Curia__V1__ReadMeta meta = CURIA__V1__READ_META__INIT;
    fake->lists++;
    meta.index = fake->index;
    meta.known_leader = true;
    reply.meta = &meta;
    cu_rq_reply(rq, &reply.base, fake->index);
}

/* ---- writes ---- */

static void put(void *context, struct cu_rq *rq)
{
    struct fake_catalog *fake = context;
    const Curia__V1__KvPutRequest *in = (const Curia__V1__KvPutRequest *)rq->in;
    Curia__V1__KvPutReply reply = CURIA__V1__KV_PUT_REPLY__INIT;
    fake->puts++;
    (void)snprintf(fake->last_origin, sizeof fake->last_origin, "%s", rq->origin.daemon);
    (void)snprintf(fake->last_session, sizeof fake->last_session, "%s", in->session);
    if (fake->fail_with) {
        cu_rq_fail(rq, fake->fail_with, "as told");
        return;
    }
    char *value = strndup((const char *)in->value.data, in->value.len);
    fake_catalog_change(fake, value);
    free(value);
    if (fake->swallows_puts)
        return;
    reply.applied = true;
    cu_rq_reply(rq, &reply.base, fake->index);
}

static void txn(void *context, struct cu_rq *rq)
{
    struct fake_catalog *fake = context;
    const Curia__V1__KvTxnRequest *in = (const Curia__V1__KvTxnRequest *)rq->in;
    Curia__V1__KvTxnReply reply = CURIA__V1__KV_TXN_REPLY__INIT;
    Curia__V1__KvTxnError error = CURIA__V1__KV_TXN_ERROR__INIT, *errors[] = {&error};
    fake->txns++;
    error.what = "key \"k\" doesn't exist";
    if (in->n_operations && in->operations[0]->verb == CURIA__V1__KV_VERB__KV_GET) {
        reply.errors = errors;
        reply.n_errors = 1;
    }
    cu_rq_reply(rq, &reply.base, fake->index);
}

/* ---- nodes, services, checks ---- */

static void ask_with(struct fake_catalog *fake, const char *fmt, ...) CU_PRINTF(2, 3);

static void ask_with(struct fake_catalog *fake, const char *fmt, ...)
{
    va_list args;
    size_t at = strlen(fake->asked);
    va_start(args, fmt);
    (void)vsnprintf(fake->asked + at, sizeof fake->asked - at, fmt, args);
    va_end(args);
}

struct meta_pair {
    ProtobufCMessage base;
    char *key, *value;
};

static void note(struct fake_catalog *fake, const char *what, const char *name)
{
    fake->asked[0] = 0;
    ask_with(fake, "%s(%s)", what, name);
}

static void note_more(struct fake_catalog *fake, size_t n_meta, void *meta, const char *near,
                      const char *filter)
{
    for (size_t i = 0; i < n_meta; i++) {
        const struct meta_pair *pair = ((struct meta_pair **)meta)[i];
        ask_with(fake, " meta=%s:%s", pair->key, pair->value);
    }
    if (*near)
        ask_with(fake, " near=%s", near);
    if (*filter)
        ask_with(fake, " filter=%s", filter);
}

static void note_service(struct fake_catalog *fake, const char *what,
                         const Curia__V1__ServiceNodesRequest *in)
{
    note(fake, what, in->service);
    for (size_t i = 0; i < in->n_tags; i++)
        ask_with(fake, " tag=%s", in->tags[i]);
    note_more(fake, in->n_node_meta, in->node_meta, in->near, in->filter);
    ask_with(fake, "%s%s", in->connect ? " connect" : "", in->passing ? " passing" : "");
}

/* The rows that every answer is made of. */
struct scene {
    Curia__V1__ReadMeta meta;
    Curia__V1__Node node, *nodes[1];
    Curia__V1__Service service, *services[1];
    Curia__V1__Check checks[2], *check_list[2];
};

static void set_scene(struct fake_catalog *fake, const Curia__V1__ReadOptions *read,
                      struct scene *scene)
{
    bool stale = read && read->consistency == CURIA__V1__CONSISTENCY__CONSISTENCY_STALE;
    curia__v1__read_meta__init(&scene->meta);
    scene->meta.index = fake->index;
    scene->meta.known_leader = true;
    scene->meta.last_contact_ms = stale ? fake->last_contact_ms : 0;
    curia__v1__node__init(&scene->node);
    scene->node.node = "n1";
    scene->node.address = "10.0.0.1";
    scene->node.datacenter = "dc1";
    scene->node.create_index = scene->node.modify_index = 7;
    curia__v1__service__init(&scene->service);
    scene->service.id = "web1";
    scene->service.service = "web";
    scene->service.port = 80;
    scene->service.create_index = scene->service.modify_index = 8;
    for (size_t i = 0; i < 2; i++) {
        curia__v1__check__init(&scene->checks[i]);
        scene->checks[i].node = "n1";
        scene->checks[i].check_id = i ? "service:web1" : "serfHealth";
        scene->checks[i].status = "passing";
        scene->checks[i].service_id = i ? "web1" : "";
        scene->check_list[i] = &scene->checks[i];
    }
    scene->nodes[0] = &scene->node;
    scene->services[0] = &scene->service;
}

static void left(void *arg)
{
    (void)arg; /* nothing is held for it */
}

/* Waits of these are never woken. */
static bool hangs(const struct fake_catalog *fake, struct cu_rq *rq,
                  const Curia__V1__ReadOptions *read)
{
    bool waits = read && read->index >= fake->index;
    if (waits)
        cu_rq_on_gone(rq, left, NULL);
    return waits;
}

static bool is_refused(struct fake_catalog *fake, struct cu_rq *rq)
{
    if (fake->refuses)
        cu_rq_fail(rq, CU_E_INVALID, "%s", fake->refuses);
    return fake->refuses != NULL;
}

#define ANSWER(In, Out, OUT)                                                                       \
    struct fake_catalog *fake = context;                                                           \
    const Curia__V1__##In *in = (const Curia__V1__##In *)rq->in;                                   \
    Curia__V1__##Out reply = CURIA__V1__##OUT##__INIT;                                             \
    struct scene scene;                                                                            \
    if (hangs(fake, rq, in->read))                                                                 \
        return;                                                                                    \
    set_scene(fake, in->read, &scene);                                                             \
    reply.meta = &scene.meta

static void list_nodes(void *context, struct cu_rq *rq)
{
    ANSWER(ListNodesRequest, ListNodesReply, LIST_NODES_REPLY);
    note(fake, "nodes", "");
    note_more(fake, in->n_node_meta, in->node_meta, in->near, in->filter);
    reply.nodes = scene.nodes;
    reply.n_nodes = 1;
    if (!is_refused(fake, rq))
        cu_rq_reply(rq, &reply.base, 0);
}

static void list_services(void *context, struct cu_rq *rq)
{
    ANSWER(ListServicesRequest, ListServicesReply, LIST_SERVICES_REPLY);
    char *tags[] = {"a", "b"};
    Curia__V1__ServiceTags consul = CURIA__V1__SERVICE_TAGS__INIT,
                           web = CURIA__V1__SERVICE_TAGS__INIT, *list[] = {&consul, &web};
    note(fake, "services", "");
    note_more(fake, in->n_node_meta, in->node_meta, "", "");
    consul.name = "consul";
    web.name = "web";
    web.tags = tags;
    web.n_tags = 2;
    reply.services = list;
    reply.n_services = 2;
    if (!is_refused(fake, rq))
        cu_rq_reply(rq, &reply.base, 0);
}

static void service_nodes(void *context, struct cu_rq *rq)
{
    ANSWER(ServiceNodesRequest, ServiceNodesReply, SERVICE_NODES_REPLY);
    Curia__V1__CatalogService web = CURIA__V1__CATALOG_SERVICE__INIT, *list[] = {&web};
    note_service(fake, "service", in);
    web.node = "n1";
    web.service_id = "web1";
    web.service_name = "web";
    reply.services = list;
    reply.n_services = 1;
    if (!is_refused(fake, rq))
        cu_rq_reply(rq, &reply.base, 0);
}

static bool is_kept(const char *node)
{
    return strcmp(node, FAKE_NODE) == 0;
}

static void node_services(void *context, struct cu_rq *rq)
{
    if (is_kept(((const Curia__V1__NodeServicesRequest *)rq->in)->node)) {
        fake_node_services(&((struct fake_catalog *)context)->node, rq);
        return;
    }
    ANSWER(NodeServicesRequest, NodeServicesReply, NODE_SERVICES_REPLY);
    note(fake, "node", in->node);
    note_more(fake, 0, NULL, "", in->filter);
    if (strcmp(in->node, "nosuch") != 0) {
        reply.node = &scene.node;
        reply.services = scene.services;
        reply.n_services = 1;
    }
    if (!is_refused(fake, rq))
        cu_rq_reply(rq, &reply.base, 0);
}

#define CHECKS(name, In, member, n_meta, meta, near_)                                              \
    static void name(void *context, struct cu_rq *rq)                                              \
    {                                                                                              \
        ANSWER(In, ChecksReply, CHECKS_REPLY);                                                     \
        note(fake, strcmp(#name, "other_node_checks") == 0 ? "node_checks" : #name, in->member);   \
        note_more(fake, n_meta, meta, near_, in->filter);                                          \
        reply.checks = scene.check_list;                                                           \
        reply.n_checks = 2;                                                                        \
        if (!is_refused(fake, rq))                                                                 \
            cu_rq_reply(rq, &reply.base, 0);                                                       \
    }
CHECKS(other_node_checks, NodeChecksRequest, node, 0, NULL, "")
CHECKS(service_checks, ServiceChecksRequest, service, in->n_node_meta, in->node_meta, in->near)
CHECKS(state_checks, StateChecksRequest, state, in->n_node_meta, in->node_meta, in->near)

static void node_checks(void *context, struct cu_rq *rq)
{
    if (is_kept(((const Curia__V1__NodeChecksRequest *)rq->in)->node))
        fake_node_checks(&((struct fake_catalog *)context)->node, rq);
    else
        other_node_checks(context, rq);
}

static void health_nodes(void *context, struct cu_rq *rq)
{
    ANSWER(ServiceNodesRequest, HealthServiceReply, HEALTH_SERVICE_REPLY);
    Curia__V1__HealthEntry entry = CURIA__V1__HEALTH_ENTRY__INIT, *list[] = {&entry};
    note_service(fake, "health", in);
    entry.node = &scene.node;
    entry.service = &scene.service;
    entry.checks = scene.check_list;
    entry.n_checks = 2;
    reply.entries = list;
    reply.n_entries = 1;
    if (!is_refused(fake, rq))
        cu_rq_reply(rq, &reply.base, 0);
}

static void register_node(void *context, struct cu_rq *rq)
{
    struct fake_catalog *fake = context;
    const Curia__V1__RegisterRequest *in = (const Curia__V1__RegisterRequest *)rq->in;
    Curia__V1__RegisterReply reply = CURIA__V1__REGISTER_REPLY__INIT;
    if (is_kept(in->node->node)) {
        fake_node_register(&fake->node, rq);
        return;
    }
    note(fake, "register", in->node->node);
    ask_with(fake, " %s in %s service=%s checks=%zu", in->node->address, in->node->datacenter,
             in->service ? in->service->service : "", in->n_checks);
    if (!is_refused(fake, rq))
        cu_rq_reply(rq, &reply.base, 0);
}

static void deregister_node(void *context, struct cu_rq *rq)
{
    struct fake_catalog *fake = context;
    const Curia__V1__DeregisterRequest *in = (const Curia__V1__DeregisterRequest *)rq->in;
    Curia__V1__DeregisterReply reply = CURIA__V1__DEREGISTER_REPLY__INIT;
    if (is_kept(in->node)) {
        fake_node_deregister(&fake->node, rq);
        return;
    }
    note(fake, "deregister", in->node);
    ask_with(fake, " service=%s check=%s", in->service_id, in->check_id);
    if (!is_refused(fake, rq))
        cu_rq_reply(rq, &reply.base, 0);
}

/* ---- config entries ---- */

static void list_config(void *context, struct cu_rq *rq)
{
    struct fake_catalog *fake = context;
    const Curia__V1__ConfigListRequest *in = (const Curia__V1__ConfigListRequest *)rq->in;
    Curia__V1__ConfigListReply reply = CURIA__V1__CONFIG_LIST_REPLY__INIT;
    Curia__V1__ReadMeta meta = CURIA__V1__READ_META__INIT;
    Curia__V1__ProxyDefaults defaults = CURIA__V1__PROXY_DEFAULTS__INIT;
    Curia__V1__ConfigEntry entry = CURIA__V1__CONFIG_ENTRY__INIT, *entries[] = {&entry};
    if (in->read && in->read->index)
        return; /* they never change */
    if (fake->refuses_config) {
        cu_rq_fail(rq, CU_E_DENIED, "Permission denied");
        return;
    }
    meta.index = fake->index;
    meta.known_leader = true;
    reply.meta = &meta;
    if (fake->proxy_config && strcmp(in->kind, "proxy-defaults") == 0) {
        defaults.config.data = (uint8_t *)fake->proxy_config;
        defaults.config.len = strlen(fake->proxy_config);
        entry.proxy_defaults = &defaults;
        reply.entries = entries;
        reply.n_entries = 1;
    }
    cu_rq_reply(rq, &reply.base, fake->index);
}

static void not_here(void *context, struct cu_rq *rq)
{
    (void)context;
    cu_rq_fail(rq, CU_E_INTERNAL, "the fake catalog does not do this");
}

/* ---- status ---- */

static void leader(void *context, struct cu_rq *rq)
{
    Curia__V1__LeaderReply reply = CURIA__V1__LEADER_REPLY__INIT;
    (void)context;
    reply.address = "127.0.0.1:8300";
    cu_rq_reply(rq, &reply.base, 0);
}

static void peers(void *context, struct cu_rq *rq)
{
    Curia__V1__PeersReply reply = CURIA__V1__PEERS_REPLY__INIT;
    char *addresses[] = {"127.0.0.1:8300", "127.0.0.2:8300"};
    (void)context;
    reply.addresses = addresses;
    reply.n_addresses = 2;
    cu_rq_reply(rq, &reply.base, 0);
}

static void configuration(void *context, struct cu_rq *rq)
{
    Curia__V1__RaftConfigurationReply reply = CURIA__V1__RAFT_CONFIGURATION_REPLY__INIT;
    (void)context;
    cu_rq_reply(rq, &reply.base, 0);
}

static void remove_peer(void *context, struct cu_rq *rq)
{
    Curia__V1__RemovePeerReply reply = CURIA__V1__REMOVE_PEER_REPLY__INIT;
    (void)context;
    cu_rq_reply(rq, &reply.base, 0);
}

static void stats(void *context, struct cu_rq *rq)
{
    Curia__V1__StatsReply reply = CURIA__V1__STATS_REPLY__INIT;
    (void)context;
    reply.role = "leader";
    reply.applied_index = 7;
    cu_rq_reply(rq, &reply.base, 0);
}

/* clang-format off */
static const struct cu_method kv_methods[] = {
    CU_METHOD(Get,  CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 64 * KIB, MIB, get),
    CU_METHOD(List, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 64 * KIB, MIB, list),
    CU_METHOD(Put,  CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, MIB, 64 * KIB, put),
    CU_METHOD(Txn,  CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, MIB, MIB, txn),
};
static const struct cu_method status_methods[] = {
    CU_METHOD(Leader,            CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB, leader),
    CU_METHOD(Peers,             CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB, peers),
    CU_METHOD(RaftConfiguration, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB, configuration),
    CU_METHOD(Stats,             CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB, stats),
    CU_METHOD(RemovePeer,        CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB, remove_peer),
};
static const struct cu_method catalog_methods[] = {
    CU_METHOD(RegisterNode,   CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 2 * MIB, KIB, register_node),
    CU_METHOD(DeregisterNode, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB, deregister_node),
    CU_METHOD(ListNodes,      CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, list_nodes),
    CU_METHOD(ListServices,   CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, list_services),
    CU_METHOD(ServiceNodes,   CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, service_nodes),
    CU_METHOD(NodeServices,   CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, node_services),
};
static const struct cu_method health_methods[] = {
    CU_METHOD(NodeChecks,    CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, node_checks),
    CU_METHOD(ServiceChecks, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, service_checks),
    CU_METHOD(StateChecks,   CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, state_checks),
    CU_METHOD(ServiceNodes,  CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, health_nodes),
};
static const struct cu_method config_methods[] = {
    CU_METHOD(Get,    CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB, not_here),
    CU_METHOD(List,   CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, MIB, list_config),
    CU_METHOD(Set,    CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, MIB, KIB, not_here),
    CU_METHOD(Delete, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB, not_here),
};
/* clang-format on */
static const struct cu_service config = {&curia__v1__config__descriptor, config_methods,
                                         CU_COUNT(config_methods)};
static const struct cu_service catalog = {&curia__v1__catalog__descriptor, catalog_methods,
                                          CU_COUNT(catalog_methods)};
static const struct cu_service health = {&curia__v1__health__descriptor, health_methods,
                                         CU_COUNT(health_methods)};
static const struct cu_service kv = {&curia__v1__kv__descriptor, kv_methods, CU_COUNT(kv_methods)};
static const struct cu_service status = {&curia__v1__status__descriptor, status_methods,
                                         CU_COUNT(status_methods)};

/* ---- its life ---- */

void fake_catalog_start(struct fake_catalog *fake)
{
    struct cu_diag diag = {0};
    fake->rpc =
        cu_rpc_new(&(struct cu_rpc_options){.loop = fake->loop,
                                            .daemon = "catalogd",
                                            .node_id = "11111111-1111-1111-1111-111111111111",
                                            .node_name = "n1",
                                            .datacenter = "dc1"});
    cu_rpc_add_service(fake->rpc, &kv, fake);
    cu_rpc_add_service(fake->rpc, &status, fake);
    cu_rpc_add_service(fake->rpc, &catalog, fake);
    cu_rpc_add_service(fake->rpc, &health, fake);
    cu_rpc_add_service(fake->rpc, &config, fake);
    cu_rpc_add_service(fake->rpc, fake_catalog_acl ? fake_catalog_acl : &fake_acl_service,
                       &fake->acl);
    enum cu_err err = cu_rpc_listen(fake->rpc, fake->url, &diag);
    ck_assert_msg(!err, "%s", diag.text);
}

void fake_catalog_stop(struct fake_catalog *fake)
{
    cu_rpc_free(fake->rpc);
    fake->rpc = NULL;
    fake->wait_count = 0;
    fake->acl.held_count = 0;
}

struct fake_catalog *fake_catalog_new(struct cu_loop *loop, const char *url)
{
    struct fake_catalog *fake = cu_alloc(sizeof *fake);
    fake->loop = loop;
    fake->url = cu_strdup(url);
    fake->index = 10;
    fake_catalog_start(fake);
    return fake;
}

void fake_catalog_free(struct fake_catalog *fake)
{
    fake_catalog_stop(fake);
    fake_node_deinit(&fake->node);
    free(fake->value);
    free(fake->url);
    free(fake);
}

void fake_catalog_change(struct fake_catalog *fake, const char *value)
{
    free(fake->value);
    fake->value = value ? cu_strdup(value) : NULL;
    fake->index++;
    for (size_t i = fake->wait_count; i-- > 0;) {
        struct cu_rq *rq = fake->waits[i];
        if (((const Curia__V1__KvGetRequest *)rq->in)->read->index >= fake->index)
            continue;
        fake->waits[i] = fake->waits[--fake->wait_count];
        cu_rq_on_gone(rq, NULL, NULL);
        reply_get(fake, rq);
    }
}

static void tick(void *arg)
{
    (void)arg; /* only so that a turn ends */
}

void fake_turn(struct cu_loop *loop)
{
    struct cu_timer timer;
    cu_timer_init(&timer, loop, tick, NULL);
    cu_timer_set_ms(&timer, 2);
    cu_loop_turn(loop, true);
    cu_timer_close(&timer);
}
