#include "services/agentd/core/connect.h"

#include <string.h>

#include "tests/lib/suite.h"

#define WEB "spiffe://1234.consul/ns/default/dc/dc1/svc/web"

static struct cu_arena *arena;
static struct agent_fault fault;

static bool authorize(const char *body, struct agent_presented *ret_presented)
{
    if (!arena)
        arena = cu_arena_new(1 << 20);
    fault = (struct agent_fault){0};
    return agent_authorize_parse(cu_bytes_of(body), arena, ret_presented, &fault);
}

static bool set_config(const char *body, Curia__V1__CaConfig *ret_config)
{
    if (!arena)
        arena = cu_arena_new(1 << 20);
    fault = (struct agent_fault){0};
    return agent_ca_config_parse(cu_bytes_of(body), arena, ret_config, &fault);
}

START_TEST(who_presents_a_certificate_is_in_it) /* http 226 */
{
    struct agent_presented presented;
    ck_assert(authorize("{\"Target\":\"db\",\"ClientCertURI\":\"" WEB "\",\"ClientCertSerial\":"
                        "\"08\",\"TargetNamespace\":\"default\"}",
                        &presented));
    ck_assert_str_eq(presented.source, "web");
    ck_assert_str_eq(presented.target, "db");
}
END_TEST

static const char *const refused[][2] = {
    {"{", "Bad request: Request decode failed: unexpected EOF"},
    {"{\"Bogus\":1}", "Bad request: Request decode failed: json: unknown field \"Bogus\""},
    {"{\"ClientCertURI\":\"" WEB "\"}", "Bad request: Target service must be specified"},
    {"{\"Target\":\"db\"}", "Bad request: ClientCertURI not a valid Connect identifier"},
    {"{\"Target\":\"db\",\"ClientCertURI\":\"http://x\"}",
     "Bad request: ClientCertURI not a valid Connect identifier"},
    {"{\"Target\":\"db\",\"ClientCertURI\":\"spiffe://1234.consul/agent/client/dc/dc1/id/n\"}",
     "Bad request: ClientCertURI not a valid Service identifier"},
    {"{\"Target\":\"db\",\"TargetNamespace\":\"x\",\"ClientCertURI\":\"" WEB "\"}",
     "Bad request: Invalid TargetNamespace(x): Namespaces is a Consul Enterprise feature"},
};

START_TEST(what_is_no_certificate_of_a_service_is_refused) /* http 226 */
{
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        struct agent_presented presented;
        ck_assert_msg(!authorize(refused[i][0], &presented), "%s", refused[i][0]);
        ck_assert_str_eq(fault.text, refused[i][1]);
        ck_assert_uint_eq(fault.status, 400);
    }
}
END_TEST

START_TEST(what_is_printed_of_the_ca_may_be_sent_back) /* mesh 12 */
{
    Curia__V1__CaConfig config;
    struct cu_buf out = {0};
    static const char printed[] =
        "{\"Provider\":\"consul\",\"Config\":{\"LeafCertTTL\":\"72h\"},\"State\":null,"
        "\"ForceWithoutCrossSigning\":true,\"CreateIndex\":5,\"ModifyIndex\":6}";
    ck_assert_msg(set_config(printed, &config), "%s", fault.text);
    ck_assert_uint_eq(config.modify_index, 0);
    config.create_index = 5;
    config.modify_index = 6;
    agent_ca_config_write(&out, &config);
    cu_buf_u8(&out, 0);
    ck_assert_str_eq((const char *)out.data, printed);
    cu_buf_deinit(&out);
    ck_assert(set_config("{\"Provider\":\"consul\",\"force_without_cross_signing\":true,\"State\":"
                         "{}}",
                         &config));
    ck_assert(config.force_without_cross_signing);
    agent_ca_config_write(&out, &config);
    cu_buf_u8(&out, 0);
    ck_assert_ptr_nonnull(strstr((const char *)out.data, "\"Config\":{},"));
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(the_state_of_a_provider_cannot_be_set) /* mesh 16 */
{
    Curia__V1__CaConfig config;
    ck_assert(!set_config("{\"Provider\":\"consul\",\"State\":{\"a\":\"b\"}}", &config));
    ck_assert_str_eq(fault.text, "Bad request: Provider State is read-only. It must be omitted or "
                                 "identical to the current value");
    ck_assert(!set_config("{\"Nope\":1}", &config));
    ck_assert_str_eq(fault.text,
                     "Bad request: Request decode failed: json: unknown field \"Nope\"");
}
END_TEST

SUITE_MAIN("services/agentd/core/connect", who_presents_a_certificate_is_in_it,
           what_is_no_certificate_of_a_service_is_refused,
           what_is_printed_of_the_ca_may_be_sent_back, the_state_of_a_provider_cannot_be_set)
