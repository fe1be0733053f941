/* dnsd and xdsd are told the node's default token (agent.md 23, dns.md 70). */
#include "services/agentd/io/own_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/internal/v1/daemon.pb-c.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/suite.h"

/* ---- a daemon that hears ---- */

struct hearer {
    struct cu_rpc *rpc;
    char url[128], token[64];
    unsigned told;
};

static void set_token(void *context, struct cu_rq *rq)
{
    struct hearer *hearer = context;
    const Curia__Internal__V1__SetTokenRequest *in = (const void *)rq->in;
    Curia__Internal__V1__SetTokenReply reply = CURIA__INTERNAL__V1__SET_TOKEN_REPLY__INIT;
    hearer->told++;
    (void)snprintf(hearer->token, sizeof hearer->token, "%s", in->token);
    cu_rq_reply(rq, &reply.base, 0);
}

static void not_here(void *context, struct cu_rq *rq)
{
    (void)context;
    cu_rq_fail(rq, CU_E_INTERNAL, "the hearer does not do this");
}

/* clang-format off */
#define NOT_HERE(name) CU_METHOD(name, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, KIB, KIB, not_here)
static const struct cu_method methods[] = {
    NOT_HERE(Status), NOT_HERE(Metrics), NOT_HERE(Check), NOT_HERE(Reload), NOT_HERE(Drain), NOT_HERE(Stop),
    CU_METHOD(SetToken, CU_CALL, ROUTE_ANY, CALLER_CATALOGD, NO_PERM, KIB, KIB, set_token),
};
/* clang-format on */
static const struct cu_service service = {&curia__internal__v1__daemon__descriptor, methods,
                                          CU_COUNT(methods)};

static struct cu_loop *loop;
static struct hearer dnsd, xdsd;
static struct cu_env env;
static struct agent_own_token *own;

static struct cu_rpc *new_rpc(const char *daemon)
{
    return cu_rpc_new(&(struct cu_rpc_options){.loop = loop,
                                               .daemon = daemon,
                                               .node_id = "11111111-1111-1111-1111-111111111111",
                                               .node_name = "n1",
                                               .datacenter = "dc1"});
}

static void hear(struct hearer *hearer, const char *daemon)
{
    struct cu_diag diag = {0};
    (void)snprintf(hearer->url, sizeof hearer->url, "ipc://%s/%s.sock", suite_tmpdir(), daemon);
    hearer->rpc = new_rpc(daemon);
    cu_rpc_add_service(hearer->rpc, &service, hearer);
    ck_assert_msg(!cu_rpc_listen(hearer->rpc, hearer->url, &diag), "%s", diag.text);
}

static void open_own(const char *keys, const char *token)
{
    char text[256];
    struct cu_conf *conf = NULL;
    struct cu_diag diag = {0};
    (void)snprintf(text, sizeof text, "{\"data_dir\":\"/d\",\"ports\":{%s}}", keys);
    ck_assert_msg(!cu_conf_parse(text, strlen(text), "t.json", &conf, &diag), "%s", diag.text);
    loop = cu_loop_new();
    env = (struct cu_env){
        .loop = loop, .conf = conf, .rpc = new_rpc("agentd"), .run_dir = suite_tmpdir()};
    own = agent_own_token_new(&env, token);
}

static void close_own(void)
{
    agent_own_token_free(own);
    cu_rpc_free(env.rpc);
    cu_rpc_free(dnsd.rpc);
    cu_rpc_free(xdsd.rpc);
    cu_conf_free((struct cu_conf *)(uintptr_t)env.conf);
    cu_loop_free(loop);
}

START_TEST(both_are_told_when_they_come_up_and_when_it_changes)
{
    open_own("\"dns\":8600,\"grpc\":8502", "a");
    hear(&dnsd, "dnsd");
    hear(&xdsd, "xdsd");
    FAKE_WAIT(loop, dnsd.told == 1 && xdsd.told == 1);
    ck_assert_str_eq(dnsd.token, "a");
    ck_assert_str_eq(xdsd.token, "a");
    agent_own_token_set(own, "a"); /* the same */
    agent_own_token_set(own, "b");
    FAKE_WAIT(loop, dnsd.told == 2 && xdsd.told == 2);
    ck_assert_str_eq(dnsd.token, "b");
    agent_own_token_set(own, NULL);
    FAKE_WAIT(loop, dnsd.told == 3 && xdsd.told == 3);
    ck_assert_str_eq(xdsd.token, "");
    close_own();
}
END_TEST

START_TEST(who_was_away_is_told_what_is_so_by_then)
{
    open_own("\"dns\":8600,\"grpc\":8502", "a");
    hear(&dnsd, "dnsd");
    FAKE_WAIT(loop, dnsd.told == 1);
    cu_rpc_free(dnsd.rpc);
    agent_own_token_set(own, "b");
    hear(&dnsd, "dnsd");
    FAKE_WAIT(loop, strcmp(dnsd.token, "b") == 0);
    close_own();
}
END_TEST

START_TEST(who_has_no_port_is_not_looked_for)
{
    open_own("\"dns\":-1,\"grpc\":8502", "a");
    hear(&dnsd, "dnsd");
    hear(&xdsd, "xdsd");
    FAKE_WAIT(loop, xdsd.told == 1);
    for (int i = 0; i < 100; i++)
        fake_turn(loop);
    ck_assert_uint_eq(dnsd.told, 0);
    agent_own_token_set(NULL, "b"); /* without ACLs there is nobody to tell */
    close_own();
}
END_TEST

SUITE_MAIN("services/agentd/io/own_token", both_are_told_when_they_come_up_and_when_it_changes,
           who_was_away_is_told_what_is_so_by_then, who_has_no_port_is_not_looked_for)
