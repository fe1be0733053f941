#include "tests/unit/services/agentd/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

struct cu_env env;
struct fake_catalog *fake;
void *agent;
struct web_client *client;
bool has_left;
bool keeps_data_dir;
static struct cu_conf *conf;

void cu_env_ready(struct cu_env *of)
{
    (void)of;
}

void cu_env_leave(struct cu_env *of)
{
    (void)of;
    has_left = true;
}

char *cu_env_local_url(const struct cu_env *of, const char *daemon)
{
    char url[256];
    (void)snprintf(url, sizeof url, "ipc://%s/%s.sock", of->run_dir, daemon);
    return cu_strdup(url);
}

void open_agent(const char *json)
{
    char text[2048];
    struct cu_diag diag = {0};
    int len = snprintf(
        text, sizeof text,
        "{\"node_id\":\"11111111-2222-3333-4444-555555555555\",\"node_name\":\"" FAKE_NODE "\","
        "\"server\":true,\"data_dir\":\"/tmp\",\"client_addr\":\"%s\"%s%s}",
        web_address(), *json ? "," : "", json);
    enum cu_err err = cu_conf_parse(text, (size_t)len, "test", &conf, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    const char *data_dir = keeps_data_dir ? env.data_dir : suite_tmpdir();
    env = (struct cu_env){.loop = cu_loop_new(),
                          .conf = conf,
                          .metrics = cu_metrics_new(),
                          .data_dir = data_dir,
                          .run_dir = suite_tmpdir(),
                          .node_id = "11111111-2222-3333-4444-555555555555",
                          .node_name = FAKE_NODE,
                          .datacenter = "dc1",
                          .advertise_address = "127.0.0.1",
                          .bind_address = "127.0.0.1",
                          .client_address = "127.0.0.1"};
    env.rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = env.loop,
                                                  .metrics = env.metrics,
                                                  .daemon = "agentd",
                                                  .node_id = env.node_id,
                                                  .node_name = env.node_name,
                                                  .datacenter = env.datacenter});
    char *url = cu_env_local_url(&env, "catalogd");
    fake = fake_catalog_new(env.loop, url);
    free(url);
    fake->value = cu_strdup("hello");
    err = agent_start(&env, &agent, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    client = web_dial(env.loop);
}

void close_agent(void)
{
    web_hang_up(client);
    agent_stop(agent);
    cu_rpc_free(env.rpc);
    fake_catalog_free(fake);
    cu_metrics_free(env.metrics);
    cu_loop_free(env.loop);
    cu_conf_free(conf);
}

void ask(const char *method, const char *target, const char *headers, const char *body)
{
    char head[1024];
    web_forget(client);
    (void)snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n",
                   method, target, headers, strlen(body));
    web_say(client, head);
    web_say(client, body);
    FAKE_WAIT(env.loop, web_is_answered(client));
}

unsigned status(void)
{
    return (unsigned)strtoul(client->reply + strlen("HTTP/1.1 "), NULL, 10);
}

bool has(const char *header)
{
    return strstr(client->reply, header) != NULL;
}
