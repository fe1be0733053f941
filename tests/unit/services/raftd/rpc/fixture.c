#include "tests/unit/services/raftd/rpc/fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "services/raftd/raftd.h"
#include "tests/lib/suite.h"

/* ---- what common/daemon would do ---- */

static struct fixture_server *server_of(struct cu_env *env)
{
    return (struct fixture_server *)((char *)env - offsetof(struct fixture_server, env));
}

void cu_env_ready(struct cu_env *env)
{
    server_of(env)->is_ready = true;
}

/* Nobody listens there: gossip is away. */
char *cu_env_local_url(const struct cu_env *env, const char *daemon)
{
    struct cu_buf url = {0};
    size_t len;
    cu_buf_printf(&url, "ipc://%s/%s.sock", env->run_dir ? env->run_dir : "/nonexistent", daemon);
    cu_buf_u8(&url, 0);
    return (char *)cu_buf_take(&url, &len);
}

void cu_env_fail(struct cu_env *env, const char *fmt, ...)
{
    struct fixture_server *server = server_of(env);
    va_list args;
    va_start(args, fmt);
    vsnprintf(server->failed, sizeof server->failed, fmt, args);
    va_end(args);
}

static struct cu_conf *conf_of(struct fixture *fixture, const struct fixture_server *server)
{
    struct cu_buf text = {0};
    struct cu_conf *conf = NULL;
    struct cu_diag diag = {{0}};
    cu_buf_printf(&text,
                  "{\"node_id\":\"%s\",\"node_name\":\"n%u\",\"data_dir\":\"%s\",\"server\":true,"
                  "\"bind_addr\":\"%s\"",
                  server->node_id, server->number, server->dir, server->ip);
    if (fixture->count > 1) {
        cu_buf_printf(&text, ",\"bootstrap_expect\":%u,\"raftd\":{\"peers\":[", fixture->count);
        for (unsigned i = 0; i < fixture->count; i++)
            cu_buf_printf(&text, "%s{\"id\":\"%s\",\"address\":\"%s\"}", i ? "," : "",
                          fixture->servers[i].node_id, fixture->servers[i].ip);
        cu_buf_text(&text, "]}");
    } else {
        cu_buf_text(&text, ",\"bootstrap\":true");
    }
    cu_buf_printf(&text, "%s%s}", *fixture->extra ? "," : "", fixture->extra);
    enum cu_err err = cu_conf_parse((const char *)text.data, text.len, "test.json", &conf, &diag);
    ck_assert_msg(err == CU_OK, "%s", diag.text);
    cu_buf_deinit(&text);
    return conf;
}

static void close_env(struct cu_env *env)
{
    cu_rpc_free(env->rpc);
    cu_metrics_free(env->metrics);
    cu_log_free(env->log);
    cu_conf_free((struct cu_conf *)(uintptr_t)env->conf);
}

static void open_env(struct fixture *fixture, struct fixture_server *server)
{
    struct cu_env *env = &server->env;
    bool is_loud = getenv("LOUD") != NULL;
    *env = (struct cu_env){
        .loop = fixture->loop,
        .conf = conf_of(fixture, server),
        .log = cu_log_new("raftd", is_loud ? 1 : 2, is_loud ? CU_LOG_DEBUG : CU_LOG_ERROR, false),
        .metrics = cu_metrics_new(),
        .data_dir = server->dir,
        .run_dir = server->dir,
        .node_id = server->node_id,
        .node_name = "n",
        .datacenter = "dc1",
        .advertise_address = server->ip,
        .bind_address = server->ip,
        .client_address = "127.0.0.1"};
    env->rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = fixture->loop,
                                                   .log = env->log,
                                                   .metrics = env->metrics,
                                                   .daemon = "raftd",
                                                   .node_id = server->node_id,
                                                   .node_name = "n",
                                                   .datacenter = "dc1"});
}

static bool is_up(void *arg)
{
    return cu_client_is_up(((struct fixture_server *)arg)->catalogd);
}

enum cu_err fixture_try_start(struct fixture *fixture, unsigned number, struct cu_diag *diag)
{
    struct fixture_server *server = &fixture->servers[number - 1];
    char url[300];
    server->is_ready = false;
    server->failed[0] = '\0';
    open_env(fixture, server);
    enum cu_err err = raft_start(&server->env, &server->state, diag);
    snprintf(url, sizeof url, "ipc://%s/raftd.sock", server->dir);
    if (!err)
        err = cu_rpc_listen(server->env.rpc, url, diag);
    if (err) {
        close_env(&server->env);
        return err;
    }
    server->catalogd = cu_client_new(fixture->rpc, url, NULL, NULL);
    fixture_wait(fixture, is_up, server, "the local socket");
    return CU_OK;
}

void fixture_start(struct fixture *fixture, unsigned number)
{
    struct cu_diag diag = {{0}};
    enum cu_err err = fixture_try_start(fixture, number, &diag);
    ck_assert_msg(err == CU_OK, "%s", diag.text);
    ck_assert(fixture->servers[number - 1].is_ready);
}

void fixture_stop(struct fixture *fixture, unsigned number)
{
    struct fixture_server *server = &fixture->servers[number - 1];
    if (!server->state)
        return;
    cu_client_free(server->catalogd);
    raft_stop(server->state);
    close_env(&server->env);
    server->state = NULL;
    server->catalogd = NULL;
}

const char *fixture_ip(unsigned host, char ip[32])
{
    snprintf(ip, 32, "127.%d.%d.%u", 64 + getpid() / 250 % 128, 1 + getpid() % 250, host);
    return ip;
}

struct fixture *fixture_new(unsigned count, const char *extra)
{
    struct fixture *fixture = cu_alloc(sizeof *fixture);
    static unsigned made;
    fixture->loop = cu_loop_new();
    fixture->rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = fixture->loop,
                                                       .daemon = "catalogd",
                                                       .node_id = "",
                                                       .node_name = "",
                                                       .datacenter = "dc1"});
    fixture->count = count;
    fixture->extra = extra;
    made++;
    for (unsigned i = 0; i < count; i++) {
        struct fixture_server *server = &fixture->servers[i];
        server->fixture = fixture;
        server->number = i + 1;
        snprintf(server->dir, sizeof server->dir, "%s/%d-%u-%u", suite_tmpdir(), (int)getpid(),
                 made, i + 1);
        ck_assert_int_eq(mkdir(server->dir, 0700), 0);
        snprintf(server->node_id, sizeof server->node_id, "00000000-0000-0000-0000-%012x", i + 1);
        (void)fixture_ip(i + 1, server->ip);
    }
    return fixture;
}

void fixture_free(struct fixture *fixture)
{
    for (unsigned i = 0; i < fixture->count; i++)
        fixture_stop(fixture, i + 1);
    cu_rpc_free(fixture->rpc);
    cu_loop_free(fixture->loop);
    free(fixture);
}

/* ---- waiting ---- */

static void nothing(void *arg)
{
    (void)arg;
}

void fixture_wait(struct fixture *fixture, bool (*condition)(void *arg), void *arg,
                  const char *what)
{
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), FIXTURE_WAIT_MS);
    struct cu_timer tick = {0};
    cu_timer_init(&tick, fixture->loop, nothing, NULL);
    while (!condition(arg)) {
        ck_assert_msg(cu_mono_before(cu_mono_now(), until), "waited too long for %s", what);
        cu_timer_set_ms(&tick, 20);
        cu_loop_turn(fixture->loop, true);
    }
    cu_timer_close(&tick);
}

static bool is_done(void *arg)
{
    return ((struct fixture_answer *)arg)->is_done;
}

static void on_answer(void *arg, const struct cu_answer *from)
{
    struct fixture_answer *answer = arg;
    answer->is_done = true;
    answer->err = from->err;
    snprintf(answer->text, sizeof answer->text, "%s", from->text);
    if (from->err)
        return;
    const ProtobufCMethodDescriptor *method = protobuf_c_service_descriptor_get_method_by_name(
        &curia__internal__v1__log__descriptor, answer->method);
    answer->reply = protobuf_c_message_unpack(method->output, NULL, from->body.len,
                                              from->body.len ? from->body.data : (uint8_t *)"");
    ck_assert_ptr_nonnull(answer->reply);
}

struct cu_call *fixture_begin(struct fixture *fixture, struct cu_client *client, const char *method,
                              const ProtobufCMessage *in, struct fixture_answer *answer)
{
    *answer = (struct fixture_answer){.fixture = fixture, .method = method};
    return cu_client_call(client,
                          &(struct cu_call_spec){.service = &curia__internal__v1__log__descriptor,
                                                 .method = method,
                                                 .in = in,
                                                 .timeout_ms = FIXTURE_WAIT_MS,
                                                 .raw = true},
                          on_answer, answer);
}

void fixture_end(struct fixture *fixture, struct fixture_answer *answer)
{
    fixture_wait(fixture, is_done, answer, answer->method);
}

void fixture_answer_deinit(struct fixture_answer *answer)
{
    if (answer->reply)
        protobuf_c_message_free_unpacked(answer->reply, NULL);
    answer->reply = NULL;
}

enum cu_err fixture_call(struct fixture *fixture, struct cu_client *client, const char *method,
                         const ProtobufCMessage *in, void *ret_reply)
{
    struct fixture_answer answer;
    (void)fixture_begin(fixture, client, method, in, &answer);
    fixture_end(fixture, &answer);
    *(ProtobufCMessage **)ret_reply = answer.reply;
    return answer.err;
}

/* ---- what tests say over and over ---- */

void fixture_attach(struct fixture *fixture, unsigned number)
{
    Curia__Internal__V1__AttachRequest in = CURIA__INTERNAL__V1__ATTACH_REQUEST__INIT;
    Curia__Internal__V1__AttachReply *reply = NULL;
    in.bus_address = fixture->servers[number - 1].ip;
    ck_assert_uint_eq(
        fixture_call(fixture, fixture->servers[number - 1].catalogd, "Attach", &in.base, &reply),
        CU_OK);
    ck_assert_str_eq(reply->node_id, fixture->servers[number - 1].node_id);
    protobuf_c_message_free_unpacked(&reply->base, NULL);
}

Curia__Internal__V1__LogStatusReply *fixture_status(struct fixture *fixture, unsigned number)
{
    Curia__Internal__V1__LogStatusRequest in = CURIA__INTERNAL__V1__LOG_STATUS_REQUEST__INIT;
    Curia__Internal__V1__LogStatusReply *reply = NULL;
    ck_assert_uint_eq(
        fixture_call(fixture, fixture->servers[number - 1].catalogd, "Status", &in.base, &reply),
        CU_OK);
    return reply;
}

unsigned fixture_wait_leader(struct fixture *fixture)
{
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), FIXTURE_WAIT_MS);
    while (cu_mono_before(cu_mono_now(), until))
        for (unsigned i = 0; i < fixture->count; i++) {
            if (!fixture->servers[i].state)
                continue;
            Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, i + 1);
            bool leads = !strcmp(status->role, "leader") && status->commit_index > 0;
            protobuf_c_message_free_unpacked(&status->base, NULL);
            if (leads)
                return i + 1;
        }
    ck_abort_msg("no leader");
    return 0;
}

void fixture_propose(struct fixture *fixture, unsigned number, uint64_t seq, const char *body)
{
    uint8_t proposer[16] = {1};
    Curia__Internal__V1__Proposal row = CURIA__INTERNAL__V1__PROPOSAL__INIT, *list = &row;
    Curia__Internal__V1__ProposeRequest in = CURIA__INTERNAL__V1__PROPOSE_REQUEST__INIT;
    Curia__Internal__V1__ProposeReply *reply = NULL;
    row.proposer = (ProtobufCBinaryData){sizeof proposer, proposer};
    row.seq = seq;
    row.body = (ProtobufCBinaryData){strlen(body), (uint8_t *)body};
    in.n_proposals = 1;
    in.proposals = &list;
    ck_assert_uint_eq(
        fixture_call(fixture, fixture->servers[number - 1].catalogd, "Propose", &in.base, &reply),
        CU_OK);
    ck_assert_msg(!reply->n_refusals, "refused: %s",
                  reply->n_refusals ? reply->refusals[0]->text : "");
    ck_assert_uint_eq(reply->n_lost, 0);
    protobuf_c_message_free_unpacked(&reply->base, NULL);
}

uint64_t fixture_wait_entry(struct fixture *fixture, unsigned number, const char *want)
{
    Curia__Internal__V1__Position after = CURIA__INTERNAL__V1__POSITION__INIT;
    uint8_t cluster[16];
    uint64_t found = 0;
    while (!found) {
        Curia__Internal__V1__FollowRequest in = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
        Curia__Internal__V1__FollowReply *reply = NULL;
        in.after = &after;
        in.wait_ms = FIXTURE_WAIT_MS / 2;
        ck_assert_uint_eq(fixture_call(fixture, fixture->servers[number - 1].catalogd, "Follow",
                                       &in.base, &reply),
                          CU_OK);
        ck_assert_msg(reply->outcome == CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_ENTRIES,
                      "waiting for \"%s\": outcome %d after %u", want, (int)reply->outcome,
                      (unsigned)after.index);
        memcpy(cluster, reply->cluster_id.data, sizeof cluster);
        after.cluster_id = (ProtobufCBinaryData){sizeof cluster, cluster};
        for (size_t i = 0; i < reply->n_entries; i++) {
            const Curia__Internal__V1__Entry *entry = reply->entries[i];
            ck_assert_uint_eq(entry->index, after.index + 1);
            after.index = entry->index;
            after.term = entry->term;
            if (entry->body.len == strlen(want) && !memcmp(entry->body.data, want, strlen(want)))
                found = entry->index;
        }
        protobuf_c_message_free_unpacked(&reply->base, NULL);
    }
    return found;
}

struct fixture *fixture_sole(const char *extra)
{
    struct fixture *fixture = fixture_new(1, extra);
    fixture_start(fixture, 1);
    fixture_attach(fixture, 1);
    fixture_wait_leader(fixture);
    return fixture;
}

Curia__Internal__V1__FollowReply *fixture_follow(struct fixture *fixture, uint64_t after,
                                                 uint64_t durable, uint32_t wait_ms)
{
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, 1);
    Curia__Internal__V1__Position at[2];
    Curia__Internal__V1__FollowRequest in = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
    Curia__Internal__V1__FollowReply *reply = NULL;
    for (int i = 0; i < 2; i++) {
        curia__internal__v1__position__init(&at[i]);
        at[i].index = i ? durable : after;
        if (!at[i].index)
            continue;
        at[i].cluster_id = status->cluster_id;
        at[i].term = status->term;
    }
    in.after = &at[0];
    in.durable = &at[1];
    in.wait_ms = wait_ms;
    ck_assert_uint_eq(
        fixture_call(fixture, fixture->servers[0].catalogd, "Follow", &in.base, &reply), CU_OK);
    protobuf_c_message_free_unpacked(&status->base, NULL);
    return reply;
}
