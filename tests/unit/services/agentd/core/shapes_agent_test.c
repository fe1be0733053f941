#include "services/agentd/core/shapes.h"

#include "common/json/scan.h"
#include "curia/internal/v1/members.pb-c.h"
#include "curia/v1/agent.pb-c.h"
#include "tests/lib/shaped.h"
#include "tests/lib/suite.h"

START_TEST(prints_a_service_of_the_agent_as_observed) /* http-api.md 8 */
{
    static const char text[] =
        "{\"Kind\":\"connect-proxy\",\"ID\":\"web1-sidecar-proxy\",\"Service\":\"web-sidecar-"
        "proxy\",\"Tags\":[\"a\",\"B\"],\"Meta\":{\"k\":\"v\"},\"Port\":21000,\"Address\":"
        "\"10.1.1.1\",\"TaggedAddresses\":{\"lan_ipv4\":{\"Address\":\"10.1.1.1\",\"Port\":21000},"
        "\"wan_ipv4\":{\"Address\":\"10.1.1.1\",\"Port\":21000}},\"Weights\":{\"Passing\":1,"
        "\"Warning\":1},\"EnableTagOverride\":false,\"Proxy\":{\"DestinationServiceName\":\"web\","
        "\"DestinationServiceID\":\"web1\",\"LocalServiceAddress\":\"127.0.0.1\","
        "\"LocalServicePort\":80,\"MeshGateway\":{},\"Expose\":{}},\"Datacenter\":\"dc1\"}";
    ck_assert_str_eq(
        shaped_text(&agent_shape_agent_service, shaped_message(&agent_shape_agent_service, text)),
        text);
    ck_assert_str_eq(
        shaped_text(&agent_shape_agent_service, shaped_message(&agent_shape_agent_service, "{}")),
        "{\"ID\":\"\",\"Service\":\"\",\"Tags\":[],\"Meta\":{},\"Port\":0,\"Address\":\"\","
        "\"Weights\":{\"Passing\":0,\"Warning\":0},\"EnableTagOverride\":false,"
        "\"Datacenter\":\"\"}");
}
END_TEST

START_TEST(prints_a_member_as_observed) /* http 158 */
{
    static const char text[] =
        "{\"Name\":\"n1\",\"Addr\":\"127.0.0.1\",\"Port\":8301,\"Tags\":{\"acls\":\"0\",\"dc\":"
        "\"dc1\"},\"Status\":1,\"ProtocolMin\":1,\"ProtocolMax\":5,\"ProtocolCur\":2,"
        "\"DelegateMin\":2,\"DelegateMax\":5,\"DelegateCur\":4}";
    ck_assert_str_eq(shaped_text(&agent_shape_member, shaped_message(&agent_shape_member, text)),
                     text);
}
END_TEST

START_TEST(reads_a_definition_in_snake_case) /* http 166 */
{
    Curia__V1__ServiceDefinition *service = shaped_message(
        &agent_shape_service_definition,
        "{\"id\":\"web1\",\"name\":\"web\",\"tags\":[\"a\",\"B\"],\"port\":80,\"address\":"
        "\"10.1.1.1\",\"meta\":{\"k\":\"v\"},\"enable_tag_override\":true,\"tagged_addresses\":"
        "{\"wan\":{\"address\":\"1.2.3.4\",\"port\":99}},\"check\":{\"ttl\":\"30s\","
        "\"deregister_critical_service_after\":\"90m\"},\"checks\":[{\"name\":\"second\",\"args\":"
        "[\"/bin/true\"],\"interval\":\"10s\",\"timeout\":1000000000,\"service_id\":\"x\"}],"
        "\"connect\":{\"bogus\":1,\"sidecar_service\":{\"port\": 5}}}");
    ck_assert_str_eq(service->id, "web1");
    ck_assert(service->enable_tag_override);
    ck_assert_int_eq(service->tagged_addresses->entries[0]->value->port, 99);
    ck_assert_int_eq(service->check->ttl_ns, 30000000000);
    ck_assert_int_eq(service->check->deregister_critical_service_after_ns, 5400000000000);
    ck_assert_uint_eq(service->n_checks, 1);
    ck_assert_str_eq(service->checks[0]->script_args[0], "/bin/true");
    ck_assert_int_eq(service->checks[0]->timeout_ns, 1000000000);
    ck_assert_str_eq(service->checks[0]->service_id, ""); /* accepted and ignored (1.3) */
    ck_assert_uint_eq(service->connect->sidecar_service.len, strlen("{\"port\":5}"));
    ck_assert_mem_eq(service->connect->sidecar_service.data, "{\"port\":5}", 10);
}
END_TEST

START_TEST(an_alias_fills_only_what_is_empty) /* http-api.md 1.3 */
{
    static const char *const orders[] = {"{\"ScriptArgs\":[\"x\"],\"args\":[\"y\"]}",
                                         "{\"args\":[\"y\"],\"ScriptArgs\":[\"x\"]}",
                                         "{\"ScriptArgs\":[],\"script_args\":[\"x\"]}",
                                         "{\"script_args\":[\"x\"],\"ScriptArgs\":null}"};
    for (size_t i = 0; i < CU_COUNT(orders); i++) {
        Curia__V1__CheckSpec *check = shaped_message(&agent_shape_check_spec, orders[i]);
        ck_assert_uint_eq(check->n_script_args, 1);
        ck_assert_str_eq(check->script_args[0], "x");
    }
    Curia__V1__CheckSpec *check =
        shaped_message(&agent_shape_check_spec, "{\"service_id\":\"a\",\"ServiceID\":\"\"}");
    ck_assert_str_eq(check->service_id, "a");
}
END_TEST

static const struct {
    const struct cu_json_shape *shape;
    const char *text, *sentence;
} refused[] = {
    {&agent_shape_service_definition, "{\"Name\":\"w\",\"Bogus\":1}",
     "json: unknown field \"Bogus\""}, /* http 159 */
    {&agent_shape_service_definition, "{\"Namespace\":\"x\"}", "json: unknown field \"Namespace\""},
    {&agent_shape_check_spec, "{\"Script\":\"x\"}", "json: unknown field \"Script\""},
    {&agent_shape_check_type, "{\"ID\":\"x\"}", "json: unknown field \"ID\""},
    {&agent_shape_service_definition, "{\"Check\":{\"TTL\":\"abc\"}}",
     "time: invalid duration \"abc\""},
    {&agent_shape_service_definition, "{\"Connect\":{\"SidecarService\":[]}}",
     "json: cannot unmarshal array into Go struct field ServiceConnect.SidecarService of type "
     "map[string]interface {}"},
    {&agent_shape_check_spec, "{\"Header\":{\"A\":\"b\"}}",
     "json: cannot unmarshal string into Go struct field CheckDefinition.Header of type []string"},
};

START_TEST(refuses_what_the_strict_decoder_refuses)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++)
        ck_assert_str_eq(shaped_refusal(refused[i].shape, refused[i].text), refused[i].sentence);
}
END_TEST

SUITE_MAIN("services/agentd/core/shapes_agent", prints_a_service_of_the_agent_as_observed,
           prints_a_member_as_observed, reads_a_definition_in_snake_case,
           an_alias_fills_only_what_is_empty, refuses_what_the_strict_decoder_refuses)
