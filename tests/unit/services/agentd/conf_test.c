#include "services/agentd/conf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct agent_conf conf;

static bool is_client;

static enum cu_err read_conf(const char *json, struct cu_diag *diag)
{
    char text[1024];
    struct cu_conf *all = NULL;
    *diag = (struct cu_diag){0};
    int len = snprintf(text, sizeof text,
                       "{\"node_id\":\"11111111-2222-3333-4444-555555555555\",\"server\":%s,"
                       "\"data_dir\":\"/tmp\"%s%s}",
                       is_client ? "false" : "true", *json ? "," : "", json);
    enum cu_err err = cu_conf_parse(text, (size_t)len, "test", &all, diag);
    ck_assert_msg(!err, "%s", diag->text);
    err = agent_conf_read(all, "ipc:///run/catalogd.sock", &conf, diag);
    cu_conf_free(all);
    return err;
}

static bool may_write(const char *ip)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
        return agent_conf_may_write(&conf, (struct sockaddr *)&v4);
    ck_assert_int_eq(inet_pton(AF_INET6, ip, &v6.sin6_addr), 1);
    return agent_conf_may_write(&conf, (struct sockaddr *)&v6);
}

START_TEST(only_named_networks_may_write) /* http 25 */
{
    struct cu_diag diag;
    ck_assert_int_eq(
        read_conf("\"http_config\":{\"allow_write_http_from\":[\"10.0.0.0/8\",\"fd00::/9\","
                  "\"192.168.1.5/32\"]}",
                  &diag),
        CU_OK);
    ck_assert(may_write("10.255.0.1"));
    ck_assert(!may_write("11.0.0.1"));
    ck_assert(may_write("192.168.1.5"));
    ck_assert(!may_write("192.168.1.4"));
    ck_assert(may_write("fd00::1"));
    ck_assert(may_write("fd7f::1"));
    ck_assert(!may_write("fd80::1"));
    ck_assert(agent_conf_may_write(&conf, NULL));
    agent_conf_deinit(&conf);
}
END_TEST

START_TEST(everybody_may_write_when_none_is_named)
{
    struct cu_diag diag;
    ck_assert_int_eq(read_conf("", &diag), CU_OK);
    ck_assert(may_write("8.8.8.8"));
    agent_conf_deinit(&conf);
}
END_TEST

START_TEST(a_network_that_is_none_is_named)
{
    static const char *const bad[] = {"10.0.0.0", "10.0.0.0/33", "x/8", "::/129", "10.0.0.0/"};
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        char json[128];
        struct cu_diag diag;
        (void)snprintf(json, sizeof json, "\"http_config\":{\"allow_write_http_from\":[\"%s\"]}",
                       bad[i]);
        ck_assert_int_eq(read_conf(json, &diag), CU_E_INVALID);
        ck_assert_ptr_nonnull(strstr(diag.text, bad[i]));
    }
}
END_TEST

START_TEST(what_no_intention_decides_is_allowed_unless_it_is_denied) /* mesh 3.5 */
{
    struct cu_diag diag;
    ck_assert_int_eq(read_conf("", &diag), CU_OK);
    ck_assert(conf.allows_by_default);
    agent_conf_deinit(&conf);
    ck_assert_int_eq(read_conf("\"default_intention_policy\":\"deny\"", &diag), CU_OK);
    ck_assert(!conf.allows_by_default);
    agent_conf_deinit(&conf);
    ck_assert_int_eq(read_conf("\"default_intention_policy\":\"maybe\"", &diag), CU_E_INVALID);
    ck_assert_str_eq(diag.text, "default_intention_policy must be \"allow\" or \"deny\"");
}
END_TEST

START_TEST(tokens_are_looked_at_only_where_that_is_said) /* http-api.md 4.1 */
{
    struct cu_diag diag;
    ck_assert_int_eq(read_conf("", &diag), CU_OK);
    ck_assert(!conf.acl_enabled);
    ck_assert_str_eq(conf.default_policy, "allow");
    agent_conf_deinit(&conf);
    ck_assert_int_eq(read_conf("\"acl\":{\"enabled\":true,\"default_policy\":\"deny\"}", &diag),
                     CU_OK);
    ck_assert(conf.acl_enabled);
    ck_assert_str_eq(conf.default_policy, "deny");
    agent_conf_deinit(&conf);
    ck_assert_int_eq(read_conf("\"acl\":{\"default_policy\":\"maybe\"}", &diag), CU_E_INVALID);
    ck_assert_str_eq(diag.text, "acl.default_policy must be \"allow\" or \"deny\"");
}
END_TEST

START_TEST(endpoints_are_blocked_by_prefix) /* http 24 */
{
    struct cu_diag diag;
    ck_assert_int_eq(
        read_conf("\"http_config\":{\"block_endpoints\":[\"/v1/agent/service\"]}", &diag), CU_OK);
    ck_assert(agent_conf_blocks(&conf, cu_bytes_of("/v1/agent/services")));
    ck_assert(!agent_conf_blocks(&conf, cu_bytes_of("/v1/agent/self")));
    agent_conf_deinit(&conf);
}
END_TEST

START_TEST(catalogs_are_the_setting_or_else_this_host)
{
    struct cu_diag diag;
    ck_assert_int_eq(read_conf("", &diag), CU_OK);
    ck_assert_uint_eq(conf.catalog_count, 1);
    ck_assert_str_eq(conf.catalogs[0], "ipc:///run/catalogd.sock");
    agent_conf_deinit(&conf);
    is_client = true; /* its servers come from gossip */
    ck_assert_int_eq(read_conf("", &diag), CU_OK);
    ck_assert_uint_eq(conf.catalog_count, 0);
    agent_conf_deinit(&conf);
    ck_assert_int_eq(
        read_conf("\"agentd\":{\"catalog\":[\"10.0.0.1\",\"10.0.0.2:8301\",\"ipc:///x\"]}", &diag),
        CU_OK);
    ck_assert_uint_eq(conf.catalog_count, 3);
    ck_assert_str_eq(conf.catalogs[0], "tcp://10.0.0.1:8300");
    ck_assert_str_eq(conf.catalogs[1], "tcp://10.0.0.2:8301");
    ck_assert_str_eq(conf.catalogs[2], "ipc:///x");
    agent_conf_deinit(&conf);
}
END_TEST

START_TEST(a_transaction_may_be_as_long_as_a_value)
{
    struct cu_diag diag;
    ck_assert_int_eq(read_conf("\"limits\":{\"kv_max_value_size\":600000}", &diag), CU_OK);
    ck_assert_uint_eq(conf.txn_max_bytes, 600000);
    agent_conf_deinit(&conf);
}
END_TEST

SUITE_MAIN("services/agentd/conf", only_named_networks_may_write,
           everybody_may_write_when_none_is_named, a_network_that_is_none_is_named,
           what_no_intention_decides_is_allowed_unless_it_is_denied,
           tokens_are_looked_at_only_where_that_is_said, endpoints_are_blocked_by_prefix,
           catalogs_are_the_setting_or_else_this_host, a_transaction_may_be_as_long_as_a_value)
