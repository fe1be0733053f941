/* What the tokens of requests may do with what is the agent's own, and its own tokens. */
#include "services/agentd/rpc/permit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/assert.h"
#include "services/agentd/io/node.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/agentd/fixture.h"

#define ACLS    "\"acl\":{\"enabled\":true,\"default_policy\":\"deny\"%s}"
#define MISSING "Permission denied: Missing "

static const struct fake_acl_token known[] = {
    {"", "", 1001, 0},
    {"web", "service_prefix \"web\" { policy = \"write\" }", 1002, 0},
    {"side", "service \"side\" { policy = \"write\" } service \"web\" { policy = \"write\" }", 1003,
     0},
    {"agent", "agent \"" FAKE_NODE "\" { policy = \"write\" }", 1004, 0},
    {"node", "node \"" FAKE_NODE "\" { policy = \"write\" }", 1005, 0},
    {"op", "operator = \"write\"", 1006, 0},
};

/* `more`: further members of `acl`. */
static void open_with_acls(const char *more)
{
    char json[512];
    _Static_assert(CU_COUNT(known) <= FAKE_ACL_TOKENS, "they have a place");
    (void)snprintf(json, sizeof json, ACLS, more);
    open_agent(json);
    memcpy(fake->acl.tokens, known, sizeof known);
}

static const char *body(void)
{
    return web_body(client);
}

static void put(const char *target, const char *text)
{
    ask("PUT", target, "", text);
}

#define REGISTER "/v1/agent/service/register"
#define CHECK    "/v1/agent/check/"

/* Asked in this order of one agent. NULL answer: not looked at. */
static const struct {
    const char *method, *target, *sent;
    unsigned status;
    const char *answer;
} steps[] = {
    // clang-format off
    {"PUT", REGISTER, "{\"Name\":\"web\"}", 403, MISSING "service:write on web"}, /* 260 */
    {"PUT", REGISTER "?token=nope", "{\"Name\":\"web\"}", 403, "ACL not found"}, /* 240 */
    {"PUT", REGISTER "?token=deny", "{\"Name\":\"web\"}", 500, "Cannot resolve root ACL"}, /* 242 */
    {"PUT", REGISTER "?token=web", "{\"Name\":\"w\"}", 403, MISSING "service:write on w"},
    {"PUT", REGISTER "?token=web", "{\"Name\":\"web\",\"Check\":{\"TTL\":\"1h\"}}", 200, ""},
    {"PUT", REGISTER "?token=side", "{\"ID\":\"web\",\"Name\":\"side\"}", 200, ""}, /* what it replaces, too */
    {"PUT", REGISTER "?token=web", "{\"Name\":\"web\"}", 403, MISSING "service:write on side"},
    {"PUT", REGISTER "?token=side", "{\"Name\":\"web\"}", 200, ""},
    {"PUT", REGISTER "?token=side", "{\"Name\":\"side\",\"Connect\":{\"SidecarService\":{}}}", 403,
     MISSING "service:write on side-sidecar-proxy"},
    {"PUT", REGISTER "?token=side", "{\"Name\":\"side\",\"Connect\":{\"SidecarService\":{\"Token\":\"nope\"}}}", 403,
     "ACL not found"},
    {"PUT", REGISTER "?token=web", "{\"Name\":\"web\",\"Connect\":{\"SidecarService\":{\"Token\":\"side\"}}}", 403,
     MISSING "service:write on web-sidecar-proxy"},
    {"PUT", REGISTER "?token=side", "{\"Name\":\"web\",\"Connect\":{\"SidecarService\":{\"Token\":\"web\"}}}", 200, ""},
    {"PUT", CHECK "register?token=web", "{\"Name\":\"mem\",\"TTL\":\"1h\"}", 403, MISSING "node:write on " FAKE_NODE}, /* 260 */
    {"PUT", CHECK "register?token=node", "{\"Name\":\"mem\",\"TTL\":\"1h\"}", 200, ""},
    {"PUT", CHECK "register?token=node", "{\"Name\":\"x\",\"TTL\":\"1h\",\"ServiceID\":\"web\"}", 403,
     MISSING "service:write on web"},
    {"PUT", CHECK "pass/mem?token=web", "", 403, MISSING "node:write on " FAKE_NODE},
    {"PUT", CHECK "pass/mem?token=node", "", 200, ""},
    {"PUT", CHECK "pass/service:web?token=node", "", 403, MISSING "service:write on web"},
    {"PUT", CHECK "update/service:web?token=web", "{\"Status\":\"passing\"}", 200, ""},
    {"PUT", CHECK "deregister/nope?token=web", "", 500, "Unknown check \"nope\""},
    {"PUT", "/v1/agent/service/deregister/unknown?token=web", "", 500, "Unknown service \"unknown\""}, /* 261 */
    {"PUT", "/v1/agent/service/deregister/web", "", 403, MISSING "service:write on web"},
    {"PUT", "/v1/agent/service/maintenance/web?enable=1&token=node", "", 403, MISSING "service:write on web"},
    {"PUT", "/v1/agent/maintenance?enable=1&token=web", "", 403, "Permission denied"},
    {"PUT", "/v1/agent/maintenance?enable=0&token=node", "", 200, ""},
    {"GET", "/v1/agent/services", "", 200, "{}"}, /* 4.9 */
    {"GET", "/v1/agent/checks?token=op", "", 200, "{}"},
    {"GET", "/v1/agent/services?token=nope", "", 403, "ACL not found"},
    {"GET", "/v1/agent/service/web", "", 403, "Permission denied"},
    {"GET", "/v1/agent/service/nope", "", 404, "unknown service ID: nope"},
    {"GET", "/v1/agent/health/service/id/web?format=text", "", 403, "Permission denied"},
    {"GET", "/v1/agent/health/service/id/web?format=text&token=web", "", 200, "passing"},
    {"GET", "/v1/agent/health/service/name/nope", "", 403, "Permission denied"},
    {"GET", "/v1/agent/self?token=web", "", 403, "Permission denied"},
    {"GET", "/v1/agent/self?token=agent", "", 200, NULL},
    {"GET", "/v1/agent/metrics", "", 403, "Permission denied"},
    {"GET", "/v1/agent/host?token=agent", "", 403, "Permission denied"},
    {"GET", "/v1/agent/host?token=op", "", 200, NULL},
    {"GET", "/v1/agent/monitor?loglevel=zz", "", 403, "Permission denied"}, /* 190 */
    {"GET", "/v1/agent/monitor?loglevel=zz&token=agent", "", 400, "Bad request: Unknown log level: zz"},
    {"PUT", "/v1/agent/reload?token=op", "", 403, "Permission denied"},
    {"PUT", "/v1/agent/join/1.2.3.4", "", 403, "Permission denied"},
    {"PUT", "/v1/agent/leave", "", 403, "Permission denied"},
    {"PUT", "/v1/agent/force-leave/x?token=agent", "", 403, "Permission denied"},
    {"PUT", "/v1/agent/token/default", "{\"Token\":\"x\"}", 403, "Permission denied"}, /* 191 */
    {"PUT", "/v1/agent/token/zz?token=agent", "{\"Token\":\"x\"}", 404, "Token \"zz\" is unknown"},
    {"PUT", "/v1/agent/token/default?token=agent", "{\"token\":", 400, NULL},
    {"GET", "/v1/agent/connect/ca/leaf/web", "", 403, "Permission denied"}, /* also of one that is kept here */
    {"GET", "/v1/agent/connect/ca/leaf/web?token=nope", "", 403, "ACL not found"},
    {"POST", "/v1/agent/connect/authorize", "{\"Target\":\"web\",\"ClientCertURI\":\"spiffe://x.consul/ns/default/dc/dc1/svc/a\"}",
     403, "Permission denied"},
    {"GET", "/v1/status/leader?token=nope", "", 200, NULL}, /* 240: it asks for none */
    {"PUT", "/v1/agent/service/deregister/web?token=side", "", 200, ""},
    // clang-format on
};

START_TEST(http_260_261_each_endpoint_asks_for_its_right)
{
    open_with_acls("");
    for (size_t i = 0; i < CU_COUNT(steps); i++) {
        ask(steps[i].method, steps[i].target, "", steps[i].sent);
        ck_assert_msg(status() == steps[i].status, "%s %s: %u %s", steps[i].target, steps[i].sent,
                      status(), body());
        if (steps[i].answer)
            ck_assert_msg(strcmp(body(), steps[i].answer) == 0, "%s: %s", steps[i].target, body());
        ck_assert(has("X-Consul-Default-ACL-Policy: deny")); /* 237 */
    }
    close_agent();
}
END_TEST

START_TEST(http_4_1_without_acls_no_token_is_looked_at)
{
    open_agent("\"acl\":{\"default_policy\":\"deny\"}");
    put(REGISTER "?token=deny", "{\"Name\":\"web\"}");
    ck_assert_uint_eq(status(), 200);
    ask("GET", "/v1/agent/self?token=nope", "", "");
    ck_assert_uint_eq(status(), 200);
    ck_assert_ptr_nonnull(strstr(body(), "\"ACLsEnabled\":false"));
    ck_assert(has("X-Consul-Default-ACL-Policy: deny")); /* 1.5: also when they are off */
    put("/v1/agent/token/default", "{\"Token\":\"x\"}");
    ck_assert_uint_eq(status(), 401); /* 191 */
    ck_assert_str_eq(body(), "ACL support disabled");
    ck_assert_uint_eq(fake->acl.asked, 0);
    close_agent();
}
END_TEST

START_TEST(http_241_a_token_comes_by_parameter_or_head)
{
    open_with_acls("");
    ask("GET", "/v1/agent/self", "X-Consul-Token: agent\r\n", "");
    ck_assert_uint_eq(status(), 200);
    ck_assert_ptr_nonnull(strstr(body(), "\"ACLsEnabled\":true"));
    ck_assert_ptr_nonnull(strstr(body(), "\"acl\":\"enabled\""));
    ask("GET", "/v1/agent/self?token=", "Authorization: bearer agent\r\n", "");
    ck_assert_uint_eq(status(), 200);
    ask("GET", "/v1/agent/self", "Authorization: Basic agent\r\n", "");
    ck_assert_uint_eq(status(), 403);
    ask("GET", "/v1/agent/self?token=web", "X-Consul-Token: agent\r\n", "");
    ck_assert_uint_eq(status(), 403);
    close_agent();
}
END_TEST

START_TEST(http_275_the_agents_master_token_needs_no_catalog)
{
    open_with_acls(",\"tokens\":{\"agent_master\":\"master\"}");
    fake_catalog_stop(fake);
    ask("GET", "/v1/agent/self?token=master", "", "");
    ck_assert_uint_eq(status(), 200);
    put("/v1/agent/token/agent_master?token=master", "{\"Token\":\"other\"}");
    ck_assert_uint_eq(status(), 200);
    ask("GET", "/v1/agent/self?token=other", "", "");
    ck_assert_uint_eq(status(), 200);
    fake_catalog_start(fake);
    ask("GET", "/v1/agent/self?token=master", "", "");
    ck_assert_uint_eq(status(), 403);
    close_agent();
}
END_TEST

START_TEST(a_client_may_go_while_its_token_is_asked)
{
    open_with_acls("");
    fake->acl.holds = true;
    web_forget(client);
    web_say(client, "GET /v1/agent/self?token=agent HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(env.loop, fake->acl.held_count == 1);
    web_hang_up(client);
    client = web_dial(env.loop);
    fake_acl_let_go(&fake->acl);
    ask("GET", "/v1/agent/self?token=agent", "", "");
    ck_assert_uint_eq(status(), 200);
    close_agent();
}
END_TEST

/* ---- the agent's own ---- */

static bool in_sync(void)
{
    return agent_local_is_in_sync(agent_node_local(((struct agent *)agent)->node));
}

START_TEST(agent_88_each_write_to_the_catalog_has_its_token)
{
    open_with_acls(",\"tokens\":{\"default\":\"side\",\"agent\":\"node\"}");
    FAKE_WAIT(env.loop, fake->node.node && in_sync());
    ck_assert_str_eq(fake->node.token, "node"); /* of the node itself */
    ck_assert_str_eq(fake->node.read_token, "node");
    put(REGISTER "?token=web", "{\"Name\":\"web\"}");
    ck_assert_uint_eq(status(), 200);
    ck_assert_str_eq(fake->node.token, "web");
    put(REGISTER, "{\"Name\":\"side\"}"); /* by the default token, which is not kept with it */
    ck_assert_uint_eq(status(), 200);
    ck_assert_str_eq(fake->node.token, "side");
    ck_assert_str_eq(
        agent_local_service(agent_node_local(((struct agent *)agent)->node), "side")->token, "");
    put("/v1/agent/service/deregister/web?token=side", "");
    ck_assert_uint_eq(status(), 200);
    ck_assert_str_eq(fake->node.token, "web");
    put("/v1/agent/service/deregister/side", "");
    ck_assert_uint_eq(status(), 200);
    ck_assert_str_eq(fake->node.token, "node");
    close_agent();
}
END_TEST

START_TEST(http_191_a_token_that_is_set_counts_at_once_and_brings_a_full_sync)
{
    open_with_acls("");
    FAKE_WAIT(env.loop, fake->node.node && in_sync());
    unsigned reads = fake->node.read;
    put("/v1/agent/token/acl_token?token=agent", "{\"Token\":\"agent\"}");
    ck_assert_uint_eq(status(), 200);
    ck_assert_str_eq(body(), "");
    ask("GET", "/v1/agent/self", "", "");
    ck_assert_uint_eq(status(), 200);
    FAKE_WAIT(env.loop, fake->node.read > reads);
    ck_assert_str_eq(fake->node.read_token, "agent"); /* it has none of its own */
    close_agent();
}
END_TEST

START_TEST(agent_50_88_what_is_set_outlives_a_restart_where_that_is_wanted)
{
    char path[512];
    struct stat status_of;
    const char *keys = ",\"enable_token_persistence\":true,\"tokens\":{\"default\":\"web\"}";
    open_with_acls(keys);
    (void)snprintf(path, sizeof path, "%s/acl-tokens.json", env.data_dir);
    ck_assert_int_ne(stat(path, &status_of), 0); /* what is configured is in no file */
    put("/v1/agent/token/default?token=agent", "{\"Token\":\"agent\"}");
    ck_assert_uint_eq(status(), 200);
    ck_assert_int_eq(stat(path, &status_of), 0);
    ck_assert_uint_eq(status_of.st_mode & 0777, 0600);
    close_agent();
    keeps_data_dir = true;
    open_with_acls(keys);
    ask("GET", "/v1/agent/self", "", "");
    ck_assert_uint_eq(status(), 200);
    close_agent();
}
END_TEST

START_TEST(agent_3_a_reload_brings_other_tokens)
{
    static const char text[] =
        "{\"node_name\":\"" FAKE_NODE "\",\"server\":true,\"data_dir\":\"/tmp\",\"acl\":{"
        "\"enabled\":true,\"default_policy\":\"deny\",\"tokens\":{\"agent_master\":\"master\"}},"
        "\"acl_token\":\"agent\"}";
    struct cu_conf *conf;
    struct cu_diag diag = {0};
    open_with_acls(",\"tokens\":{\"default\":\"web\"}");
    put("/v1/agent/token/replication?token=agent", "{\"Token\":\"x\"}");
    ck_assert_uint_eq(status(), 200);
    ask("GET", "/v1/agent/self", "", "");
    ck_assert_uint_eq(status(), 403);
    ck_assert_int_eq(cu_conf_parse(text, strlen(text), "test", &conf, &diag), CU_OK);
    agent_reload(agent, conf);
    cu_conf_free(conf);
    ask("GET", "/v1/agent/self", "", ""); /* the older name, where the newer is not given */
    ck_assert_uint_eq(status(), 200);
    ask("GET", "/v1/agent/self?token=master", "", "");
    ck_assert_uint_eq(status(), 200);
    close_agent();
}
END_TEST

SUITE_MAIN("services/agentd/rpc/permit", http_260_261_each_endpoint_asks_for_its_right,
           http_4_1_without_acls_no_token_is_looked_at, http_241_a_token_comes_by_parameter_or_head,
           http_275_the_agents_master_token_needs_no_catalog,
           a_client_may_go_while_its_token_is_asked,
           agent_88_each_write_to_the_catalog_has_its_token,
           http_191_a_token_that_is_set_counts_at_once_and_brings_a_full_sync,
           agent_50_88_what_is_set_outlives_a_restart_where_that_is_wanted,
           agent_3_a_reload_brings_other_tokens)
