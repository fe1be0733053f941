#include "services/catalogd/io/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/tls/cert.h"
#include "proto/curia/internal/v1/members.pb-c.h"
#include "proto/curia/v1/connect.pb-c.h"
#include "proto/curia/v1/status.pb-c.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

enum { WAIT_MS = 40000 };

#define CLUSTER "11111111-2222-3333-4444-555555555555"

/* A catalogd with a state but no raftd: what it proposes waits. Beside it a gossipd that never
 * answers, and a caller. */
struct fixture {
    struct cu_env env;
    void *shell;
    struct cu_rpc *gossipd, *caller;
    struct cu_client *client;
    unsigned parked, answers;
    enum cu_err err; /* of the last answer */
};

/* ---- what common/daemon would do ---- */

void cu_env_ready(struct cu_env *env)
{
    (void)env;
}

void cu_env_fail(struct cu_env *env, const char *fmt, ...)
{
    (void)env;
    ck_abort_msg("it gave up: %s", fmt);
}

char *cu_env_local_url(const struct cu_env *env, const char *daemon)
{
    char url[300];
    (void)snprintf(url, sizeof url, "ipc://%s/%s.sock", env->run_dir, daemon);
    return cu_strdup(url);
}

/* ---- a state with a root ---- */

static void put_root(struct state *state)
{
    Curia__Internal__V1__CaSetCommand body = CURIA__INTERNAL__V1__CA_SET_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__V1__CaConfig config = CURIA__V1__CA_CONFIG__INIT;
    Curia__V1__CaRoot root = CURIA__V1__CA_ROOT__INIT, *roots[] = {&root};
    root.id = (char *)(uintptr_t) "r";
    root.root_cert = (char *)(uintptr_t) "PEM\n";
    root.active = true;
    config.provider = (char *)(uintptr_t) "consul";
    config.cluster_id = (char *)(uintptr_t)CLUSTER;
    body.config = &config;
    body.roots = roots;
    body.n_roots = 1;
    body.signing_key = (ProtobufCBinaryData){3, (uint8_t *)(uintptr_t) "KEY"};
    command.ca_set = &body;
    ck_assert(state_command(state, &command).result->applied);
}

static void make_state(void)
{
    struct state *state = state_new(STATE_SQLITE);
    char from[300], folder[300], to[310];
    put_root(state);
    state_reopen(state); /* commits */
    (void)snprintf(from, sizeof from, "%s", state->path);
    state_free(state); /* the last connection: no log beside the database any more */
    (void)snprintf(folder, sizeof folder, "%s/catalog", suite_tmpdir());
    (void)snprintf(to, sizeof to, "%s/state.db", folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    ck_assert_int_eq(rename(from, to), 0);
}

/* ---- a gossipd that never answers ---- */

static void park(void *context, struct cu_rq *rq)
{
    struct fixture *f = context;
    (void)rq;
    f->parked++;
}

/* clang-format off */
static const struct cu_method members_methods[] = {
    CU_METHOD(List,       CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 1 * KIB, 1 * KIB, park),
    CU_METHOD(Follow,     CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 1 * KIB, 1 * KIB, park),
    CU_METHOD(Join,       CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 1 * KIB, 1 * KIB, park),
    CU_METHOD(Leave,      CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 1 * KIB, 1 * KIB, park),
    CU_METHOD(ForceLeave, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 1 * KIB, 1 * KIB, park),
    CU_METHOD(SetTags,    CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 1 * KIB, 1 * KIB, park),
    CU_METHOD(Stats,      CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 1 * KIB, 1 * KIB, park),
};
/* clang-format on */

static const struct cu_service members = {&curia__internal__v1__members__descriptor,
                                          members_methods, CU_COUNT(members_methods)};

/* ---- the fixture ---- */

static struct cu_rpc *new_rpc(struct fixture *f, const char *daemon)
{
    return cu_rpc_new(&(struct cu_rpc_options){.loop = f->env.loop,
                                               .daemon = daemon,
                                               .node_id = "",
                                               .node_name = "n1",
                                               .datacenter = "dc1"});
}

static void listen_at(struct fixture *f, struct cu_rpc *rpc, const char *daemon)
{
    struct cu_diag diag = {0};
    char *url = cu_env_local_url(&f->env, daemon);
    enum cu_err err = cu_rpc_listen(rpc, url, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    free(url);
}

static struct cu_conf *read_conf(void)
{
    static const char text[] = "{\"server\":true,\"bootstrap\":true,\"data_dir\":\"/tmp\","
                               "\"connect\":{\"enabled\":true},\"catalogd\":{\"grpc_port\":-1}}";
    struct cu_conf *conf = NULL;
    struct cu_diag diag = {0};
    enum cu_err err = cu_conf_parse(text, sizeof text - 1, "test.json", &conf, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    return conf;
}

/* Whoever signs, it is signed here. */
static enum cu_err route_here(void *context, const struct cu_rq *rq, enum cu_route where,
                              struct cu_client **ret_client, struct cu_diag *diag)
{
    (void)context, (void)rq, (void)where, (void)diag;
    *ret_client = NULL;
    return CU_OK;
}

static const char *own_address(void)
{
    static char ip[32];
    unsigned number = (unsigned)getpid();
    (void)snprintf(ip, sizeof ip, "127.%u.%u.1", 100 + number % 100, number / 100 % 250);
    return ip;
}

/* Turns the loop until *count is `want`. */
static void wait_for(struct fixture *f, const unsigned *count, unsigned want)
{
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), WAIT_MS);
    while (*count < want) {
        ck_assert(cu_mono_before(cu_mono_now(), until));
        cu_loop_turn(f->env.loop, true);
    }
}

static void on_state(void *arg, struct cu_client *client, bool is_up)
{
    (void)client;
    *(unsigned *)arg = is_up;
}

static void begin(struct fixture *f)
{
    struct cu_diag diag = {0};
    unsigned is_up = 0;
    *f = (struct fixture){.env = {.loop = cu_loop_new(),
                                  .conf = read_conf(),
                                  .log = cu_log_new("catalogd", 2, CU_LOG_ERROR, false),
                                  .metrics = cu_metrics_new(),
                                  .data_dir = suite_tmpdir(),
                                  .run_dir = suite_tmpdir(),
                                  .node_id = "",
                                  .node_name = "n1",
                                  .datacenter = "dc1",
                                  .advertise_address = own_address(),
                                  .bind_address = own_address(),
                                  .client_address = own_address()}};
    f->env.rpc = new_rpc(f, "catalogd");
    f->gossipd = new_rpc(f, "gossipd");
    f->caller = new_rpc(f, "agentd");
    cu_rpc_add_service(f->gossipd, &members, f);
    listen_at(f, f->gossipd, "gossipd");
    enum cu_err err = catalog_shell_start(&f->env, &f->shell, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    cu_rpc_set_hooks(f->env.rpc, &(struct cu_rpc_hooks){.route = route_here});
    listen_at(f, f->env.rpc, "catalogd");
    char *url = cu_env_local_url(&f->env, "catalogd");
    f->client = cu_client_new(f->caller, url, on_state, &is_up);
    free(url);
    wait_for(f, &is_up, 1);
}

static void end(struct fixture *f)
{
    cu_client_free(f->client);
    cu_rpc_free(f->env.rpc);
    cu_rpc_free(f->caller);
    cu_rpc_free(f->gossipd);
    cu_log_free(f->env.log);
    cu_metrics_free(f->env.metrics);
    cu_loop_free(f->env.loop);
    cu_conf_free((struct cu_conf *)(uintptr_t)f->env.conf);
}

static void on_answer(void *arg, const struct cu_answer *answer)
{
    struct fixture *f = arg;
    f->answers++;
    f->err = answer->err;
}

static void call(struct fixture *f, const ProtobufCServiceDescriptor *service, const char *method,
                 const ProtobufCMessage *in)
{
    (void)cu_client_call(f->client,
                         &(struct cu_call_spec){
                             .service = service, .method = method, .in = in, .timeout_ms = WAIT_MS},
                         on_answer, f);
}

/* Turns the loop until catalogd has the request. */
static void wait_open(struct fixture *f)
{
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), WAIT_MS);
    while (cu_rpc_open_calls(f->env.rpc) == 0) {
        ck_assert(cu_mono_before(cu_mono_now(), until));
        cu_loop_turn(f->env.loop, true);
    }
}

/* ---- tests ---- */

static char *request_for_web(void)
{
    struct cu_diag diag = {0};
    char *key = cu_key_new(), *csr = NULL;
    enum cu_err err = cu_csr_new(key, "spiffe://" CLUSTER ".consul/ns/default/dc/dc1/svc/web",
                                 "web", &csr, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    cu_secret_free(key);
    return csr;
}

static uint64_t proposals_waiting(struct fixture *f)
{
    struct catalog_replica_status status;
    catalog_replica_status(((struct catalog_shell *)f->shell)->replica, &status);
    return status.open_writes;
}

START_TEST(a_leaf_that_waits_for_the_log_is_answered_at_the_stop)
{
    struct fixture f;
    Curia__V1__CaSignRequest in = CURIA__V1__CA_SIGN_REQUEST__INIT;
    make_state();
    begin(&f);
    in.csr = request_for_web();
    call(&f, &curia__v1__connect_ca__descriptor, "Sign", &in.base);
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), WAIT_MS);
    while (proposals_waiting(&f) == 0) {
        ck_assert_msg(f.answers == 0, "%s", cu_err_name(f.err));
        ck_assert(cu_mono_before(cu_mono_now(), until));
        cu_loop_turn(f.env.loop, true);
    }
    catalog_shell_stop(f.shell);
    wait_for(&f, &f.answers, 1);
    ck_assert_int_eq(f.err, CU_E_UNKNOWN);
    free(in.csr);
    end(&f);
}
END_TEST

START_TEST(a_request_that_waits_for_names_of_gossip_is_answered_at_the_stop)
{
    struct fixture f;
    Curia__V1__RaftConfigurationRequest in = CURIA__V1__RAFT_CONFIGURATION_REQUEST__INIT;
    begin(&f);
    call(&f, &curia__v1__status__descriptor, "RaftConfiguration", &in.base);
    wait_open(&f);
    wait_for(&f, &f.parked, 1);
    catalog_shell_stop(f.shell);
    wait_for(&f, &f.answers, 1);
    ck_assert_int_eq(f.err, CU_E_NOT_READY);
    end(&f);
}
END_TEST

struct reading {
    struct catalog_shell *shell;
    struct catalog_read_job job;
    unsigned done;
};

static void run_reading(void *arg, const struct catalog_backend *backend,
                        const struct cu_diag *diag)
{
    ck_assert_msg(backend != NULL, "%s", diag->text);
}

static void end_reading(void *arg)
{
    struct reading *reading = arg;
    ck_assert_uint_eq(catalog_shell_facts(reading->shell)->position.index, 0);
    reading->done++;
}

START_TEST(what_a_job_reads_is_there_until_it_is_done_at_the_stop_as_well)
{
    struct fixture f;
    begin(&f);
    struct reading reading = {.shell = f.shell};
    reading.job = (struct catalog_read_job){run_reading, end_reading, &reading, NULL, false};
    catalog_readers_submit(reading.shell->readers, &reading.job);
    catalog_shell_stop(f.shell); /* the sanitizer would tell */
    ck_assert_uint_eq(reading.done, 1);
    end(&f);
}
END_TEST

SUITE_MAIN("services/catalogd/io/shell",
           what_a_job_reads_is_there_until_it_is_done_at_the_stop_as_well,
           a_leaf_that_waits_for_the_log_is_answered_at_the_stop,
           a_request_that_waits_for_names_of_gossip_is_answered_at_the_stop)
