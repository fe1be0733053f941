#include "tests/lib/fake_catalog.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/v1/kv.pb-c.h"
#include "curia/v1/status.pb-c.h"

/* ---- reads ---- */

static void reply_get(struct fake_catalog *fake, struct cu_rq *rq)
{
    const Curia__V1__KvGetRequest *in = (const Curia__V1__KvGetRequest *)rq->in;
    Curia__V1__KvGetReply reply = CURIA__V1__KV_GET_REPLY__INIT;
    Curia__V1__ReadMeta meta = CURIA__V1__READ_META__INIT;
    Curia__V1__Have have = CURIA__V1__HAVE__INIT;
    Curia__V1__KvPair pair = CURIA__V1__KV_PAIR__INIT;
    bool stale = in->read && in->read->consistency == CURIA__V1__CONSISTENCY__CONSISTENCY_STALE;

    have.read_at = meta.index = fake->index;
    meta.known_leader = true;
    meta.last_contact_ms = stale ? fake->last_contact_ms : 0;
    meta.have = &have;
    reply.meta = &meta;
    if (in->read && in->read->have && in->read->have->read_at == fake->index) {
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
    } else if (in->read && in->read->index >= fake->index) {
        ck_assert_uint_lt(fake->wait_count, FAKE_WAITS_MAX);
        rq->user = fake;
        fake->waits[fake->wait_count++] = rq;
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
};
/* clang-format on */
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
    enum cu_err err = cu_rpc_listen(fake->rpc, fake->url, &diag);
    ck_assert_msg(!err, "%s", diag.text);
}

void fake_catalog_stop(struct fake_catalog *fake)
{
    cu_rpc_free(fake->rpc);
    fake->rpc = NULL;
    fake->wait_count = 0;
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
    free(fake->value);
    free(fake->url);
    free(fake);
}

void fake_catalog_change(struct fake_catalog *fake, const char *value)
{
    free(fake->value);
    fake->value = value ? cu_strdup(value) : NULL;
    fake->index++;
    while (fake->wait_count) {
        struct cu_rq *rq = fake->waits[--fake->wait_count];
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
