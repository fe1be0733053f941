#include "tests/unit/common/rpc/fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

#ifdef __SANITIZE_THREAD__
/* The reference counts of nng are not instrumented: its reaper seems to race with a free. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libnng.so";
}
#endif

/* clang-format off */
const struct pairing pairings[] = {
    {"ipc, loop to loop", IPC, CU_LOCAL_LOOP, CU_LOCAL_LOOP},
    {"ipc, nng to loop",  IPC, CU_LOCAL_LOOP, CU_LOCAL_NNG},
    {"ipc, loop to nng",  IPC, CU_LOCAL_NNG,  CU_LOCAL_LOOP},
    {"ipc, nng to nng",   IPC, CU_LOCAL_NNG,  CU_LOCAL_NNG},
    {"tcp",               TCP, CU_LOCAL_LOOP, CU_LOCAL_LOOP},
};
/* clang-format on */
const size_t pairing_count = CU_COUNT(pairings);
const struct pairing *const plain = &pairings[0];

/* ---- the daemon that answers ---- */

static void gone(void *arg)
{
    ((struct pair *)arg)->gone++;
}

static void hold(struct pair *pair, struct cu_rq *rq, bool tell)
{
    ck_assert_uint_lt(pair->held_count, HELD_MAX);
    pair->held[pair->held_count++] = rq;
    if (tell)
        cu_rq_on_gone(rq, gone, pair);
}

static bool begins(ProtobufCBinaryData key, const char *with)
{
    return key.len >= strlen(with) && memcmp(key.data, with, strlen(with)) == 0;
}

static void put(void *daemon, struct cu_rq *rq)
{
    struct pair *pair = daemon;
    const Curia__V1__KvPutRequest *in = (const Curia__V1__KvPutRequest *)rq->in;
    Curia__V1__KvPutReply reply = CURIA__V1__KV_PUT_REPLY__INIT;
    pair->handled++;
    if (begins(in->key, "hold")) {
        hold(pair, rq, true);
    } else if (begins(in->key, "keep")) {
        hold(pair, rq, false);
    } else if (begins(in->key, "fail")) {
        cu_rq_fail(rq, CU_E_NOT_FOUND, "no such key");
    } else {
        reply.applied = 1;
        cu_rq_reply(rq, &reply.base, in->value.len);
    }
}

static void get(void *daemon, struct cu_rq *rq)
{
    struct pair *pair = daemon;
    const Curia__V1__KvGetRequest *in = (const Curia__V1__KvGetRequest *)rq->in;
    Curia__V1__KvGetReply reply = CURIA__V1__KV_GET_REPLY__INIT;
    Curia__V1__KvPair row = CURIA__V1__KV_PAIR__INIT;
    char number[32] = "";
    pair->handled++;
    if (in->key.len && in->key.len < sizeof number)
        memcpy(number, in->key.data, in->key.len);
    row.value.len = strtoul(number, NULL, 10);
    row.value.data = malloc(row.value.len + 1);
    memset(row.value.data, 'v', row.value.len);
    reply.pair = &row;
    cu_rq_reply(rq, &reply.base, 1);
    free(row.value.data);
}

static void list(void *daemon, struct cu_rq *rq)
{
    ((struct pair *)daemon)->handled++;
    hold(daemon, rq, true);
}

static void txn(void *daemon, struct cu_rq *rq)
{
    ((struct pair *)daemon)->handled++;
    cu_rq_fail(rq, CU_E_INTERNAL, "broken");
}

static struct cu_bytes put_key(const ProtobufCMessage *request)
{
    const Curia__V1__KvPutRequest *in = (const Curia__V1__KvPutRequest *)request;
    return (struct cu_bytes){in->key.data, in->key.len};
}

/* clang-format off */
static const struct cu_method methods[] = {
    CU_METHOD(Get,  CU_CALL,   ROUTE_ANY,      CALLER_AGENT,    NO_PERM,                  SMALL_LIMIT, PUT_LIMIT,   get),
    CU_METHOD(List, CU_FOLLOW, ROUTE_ANY,      CALLER_AGENT,    NO_PERM,                  SMALL_LIMIT, PUT_LIMIT,   list),
    CU_METHOD(Put,  CU_CALL,   ROUTE_ATTACHED, CALLER_AGENT,    PERM(KEY_WRITE, put_key), PUT_LIMIT,   SMALL_LIMIT, put),
    CU_METHOD(Txn,  CU_CALL,   ROUTE_ANY,      CALLER_CATALOGD, NO_PERM,                  SMALL_LIMIT, SMALL_LIMIT, txn),
};
/* clang-format on */
const struct cu_service pair_service = {&curia__v1__kv__descriptor, methods, CU_COUNT(methods)};

/* ---- the pair ---- */

static void state(void *arg, struct cu_client *client, bool is_up)
{
    struct pair *pair = arg;
    ck_assert_int_eq(cu_client_is_up(client), is_up);
    ck_assert_int_eq(cu_client_peer(client) != NULL, is_up);
    if (is_up)
        pair->ups++;
    else
        pair->downs++;
}

static void tick(void *arg)
{
    (void)arg; /* only so that a turn ends */
}

void pair_turn(struct pair *pair)
{
    struct cu_timer timer;
    cu_timer_init(&timer, pair->loop, tick, NULL);
    cu_timer_set_ms(&timer, 2);
    cu_loop_turn(pair->loop, true);
    cu_timer_close(&timer);
}

void pair_turn_for(struct pair *pair, unsigned ms)
{
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), ms);
    while (cu_mono_before(cu_mono_now(), until))
        pair_turn(pair);
}

static struct cu_rpc *rpc_of(struct cu_loop *loop, const char *daemon, enum cu_local_driver local)
{
    return cu_rpc_new(&(struct cu_rpc_options){
        .loop = loop,
        .daemon = daemon,
        .node_id = "11111111-2222-3333-4444-555555555555",
        .node_name = "n1",
        .datacenter = "dc1",
        .feature_level = 1,
        .local = local,
    });
}

/* Each test program has its own address out of 127.0.0.0/8, by its process id. */
static void make_url(struct pair *pair, enum transport transport)
{
    static unsigned serial;
    unsigned pid = (unsigned)getpid();
    if (transport == IPC)
        snprintf(pair->url, sizeof pair->url, "ipc://%s/%u-%u.sock", suite_tmpdir(), pid, ++serial);
    else
        snprintf(pair->url, sizeof pair->url, "tcp://127.%u.%u.1:%u", 64 + (pid >> 8) % 128,
                 pid % 256, 21000 + ++serial);
}

struct pair *pair_new_server(const struct pairing *pairing)
{
    struct pair *pair = cu_alloc(sizeof *pair);
    struct cu_diag diag = {0};
    make_url(pair, pairing->transport);
    pair->loop = cu_loop_new();
    pair->server = rpc_of(pair->loop, "catalogd", pairing->server);
    cu_rpc_add_service(pair->server, &pair_service, pair);
    enum cu_err err = cu_rpc_listen(pair->server, pair->url, &diag);
    ck_assert_msg(!err, "%s: %s", pairing->name, diag.text);
    return pair;
}

void pair_connect(struct pair *pair, const struct pairing *pairing)
{
    pair->client_rpc = rpc_of(pair->loop, "agentd", pairing->client);
    pair->client = cu_client_new(pair->client_rpc, pair->url, state, pair);
}

struct pair *pair_new(const struct pairing *pairing)
{
    struct pair *pair = pair_new_server(pairing);
    pair_connect(pair, pairing);
    PAIR_WAIT(pair, pair->ups == 1);
    return pair;
}

void pair_free(struct pair *pair)
{
    cu_client_free(pair->client);
    cu_rpc_free(pair->client_rpc);
    cu_rpc_free(pair->server);
    cu_loop_free(pair->loop);
    free(pair);
}

/* ---- calls ---- */

static void note(struct outcome *outcome, const struct cu_answer *answer)
{
    outcome->answers++;
    outcome->err = answer->err;
    outcome->sent = answer->sent;
    outcome->index = answer->index;
    snprintf(outcome->text, sizeof outcome->text, "%s", answer->text);
}

static void put_answered(void *arg, const struct cu_answer *answer)
{
    struct outcome *outcome = arg;
    note(outcome, answer);
    if (!answer->err)
        outcome->applied = ((const Curia__V1__KvPutReply *)answer->message)->applied;
}

static void get_answered(void *arg, const struct cu_answer *answer)
{
    struct outcome *outcome = arg;
    note(outcome, answer);
    if (answer->err)
        return;
    const Curia__V1__KvGetReply *reply = (const Curia__V1__KvGetReply *)answer->message;
    outcome->value_len = reply->pair->value.len;
    for (size_t i = 0; i < outcome->value_len; i++)
        if (reply->pair->value.data[i] != 'v')
            ck_abort_msg("byte %zu of the value differs", i);
}

static struct cu_call *call(struct pair *pair, const char *method, const ProtobufCMessage *in,
                            uint32_t timeout_ms, cu_on_answer *answered, struct outcome *outcome)
{
    struct cu_call_spec spec = {.service = &curia__v1__kv__descriptor,
                                .method = method,
                                .in = in,
                                .timeout_ms = timeout_ms,
                                .token = "secret",
                                .datacenter = "dc1",
                                .origin = {"n1", "agentd", "127.0.0.1:5"}};
    *outcome = (struct outcome){0};
    struct cu_call *made = cu_client_call(pair->client, &spec, answered, outcome);
    ck_assert_uint_eq(outcome->answers, 0); /* never from inside */
    return made;
}

struct cu_call *pair_put_within(struct pair *pair, const char *key, size_t value_len,
                                uint32_t timeout_ms, struct outcome *outcome)
{
    Curia__V1__KvPutRequest in = CURIA__V1__KV_PUT_REQUEST__INIT;
    uint8_t *value = malloc(value_len + 1);
    memset(value, 'v', value_len);
    in.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
    in.value = (ProtobufCBinaryData){value_len, value};
    struct cu_call *made = call(pair, "Put", &in.base, timeout_ms, put_answered, outcome);
    free(value);
    return made;
}

struct cu_call *pair_put(struct pair *pair, const char *key, size_t value_len,
                         struct outcome *outcome)
{
    return pair_put_within(pair, key, value_len, 10000, outcome);
}

struct cu_call *pair_get(struct pair *pair, size_t value_len, struct outcome *outcome)
{
    char key[32];
    Curia__V1__KvGetRequest in = CURIA__V1__KV_GET_REQUEST__INIT;
    in.key.len = (size_t)snprintf(key, sizeof key, "%zu", value_len);
    in.key.data = (uint8_t *)key;
    return call(pair, "Get", &in.base, 10000, get_answered, outcome);
}

static void list_answered(void *arg, const struct cu_answer *answer)
{
    note(arg, answer);
}

struct cu_call *pair_list(struct pair *pair, struct outcome *outcome)
{
    Curia__V1__KvListRequest in = CURIA__V1__KV_LIST_REQUEST__INIT;
    return call(pair, "List", &in.base, 10000, list_answered, outcome);
}

void pair_release(struct pair *pair, size_t i, uint64_t index)
{
    Curia__V1__KvPutReply reply = CURIA__V1__KV_PUT_REPLY__INIT;
    struct cu_rq *rq = pair->held[i];
    ck_assert_ptr_nonnull(rq);
    pair->held[i] = NULL;
    reply.applied = 1;
    cu_rq_reply(rq, &reply.base, index);
}

void pair_note_error(void *arg, const struct cu_answer *answer)
{
    struct outcome *outcome = arg;
    outcome->answers++;
    outcome->err = answer->err;
    snprintf(outcome->text, sizeof outcome->text, "%s", answer->text);
}
