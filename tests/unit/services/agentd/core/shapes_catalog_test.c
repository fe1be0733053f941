#include "services/agentd/core/shapes.h"

#include <stdlib.h>

#include "common/base/assert.h"
#include "common/json/scan.h"
#include "curia/v1/health.pb-c.h"
#include "tests/lib/shaped.h"
#include "tests/lib/suite.h"

/* Bodies of http-api.md 2.1 and its appendix; each reads and prints as itself. */
static const struct {
    const struct cu_json_shape *shape;
    const char *text;
} bodies[] = {
    {&agent_shape_catalog_service,
     "{\"ID\":\"\",\"Node\":\"ext1\",\"Address\":\"10.9.9.9\",\"Datacenter\":\"dc1\","
     "\"TaggedAddresses\":{\"wan\":\"8.8.8.8\"},\"NodeMeta\":{\"external-node\":\"true\"},"
     "\"ServiceKind\":\"\",\"ServiceID\":\"db\",\"ServiceName\":\"db\",\"ServiceTags\":[\"Master\","
     "\"v1\"],\"ServiceAddress\":\"\",\"ServiceTaggedAddresses\":{\"lan\":{\"Address\":\"1.2.3.4\","
     "\"Port\":1}},\"ServiceWeights\":{\"Passing\":3,\"Warning\":2},\"ServiceMeta\":{\"a\":\"b\"},"
     "\"ServicePort\":5432,\"ServiceEnableTagOverride\":false,\"ServiceProxy\":{\"MeshGateway\":{},"
     "\"Expose\":{}},\"ServiceConnect\":{},\"CreateIndex\":121,\"ModifyIndex\":121}"},
    {&agent_shape_health_entry,
     "{\"Node\":{\"ID\":\"\",\"Node\":\"ext1\",\"Address\":\"10.9.9.9\",\"Datacenter\":\"dc1\","
     "\"TaggedAddresses\":{\"wan\":\"8.8.8.8\"},\"Meta\":{\"external-node\":\"true\"},"
     "\"CreateIndex\":121,\"ModifyIndex\":121},\"Service\":{\"ID\":\"db\",\"Service\":\"db\","
     "\"Tags\":[\"Master\",\"v1\"],\"Address\":\"\",\"TaggedAddresses\":{\"lan\":{\"Address\":"
     "\"1.2.3.4\",\"Port\":1}},\"Meta\":{\"a\":\"b\"},\"Port\":5432,\"Weights\":{\"Passing\":3,"
     "\"Warning\":2},\"EnableTagOverride\":false,\"Proxy\":{\"MeshGateway\":{},\"Expose\":{}},"
     "\"Connect\":{},\"CreateIndex\":121,\"ModifyIndex\":121},\"Checks\":[{\"Node\":\"ext1\","
     "\"CheckID\":\"dbc\",\"Name\":\"dbc\",\"Status\":\"passing\",\"Notes\":\"\",\"Output\":\"\","
     "\"ServiceID\":\"db\",\"ServiceName\":\"db\",\"ServiceTags\":[\"Master\",\"v1\"],\"Type\":"
     "\"ttl\",\"Definition\":{\"Interval\":\"5s\",\"TCP\":\"x:1\",\"TTL\":3000000000},"
     "\"CreateIndex\":121,\"ModifyIndex\":121}]}"},
    {&agent_shape_node, "{\"ID\":\"\",\"Node\":\"tx1\",\"Address\":\"10.0.0.1\",\"Datacenter\":"
                        "\"dc1\",\"TaggedAddresses\":null,\"Meta\":{},\"CreateIndex\":95,"
                        "\"ModifyIndex\":95}"},
    {&agent_shape_bare_service,
     "{\"ID\":\"web\",\"Service\":\"web\",\"Tags\":null,\"Address\":\"\",\"Meta\":null,\"Port\":80,"
     "\"Weights\":{\"Passing\":1,\"Warning\":1},\"EnableTagOverride\":false,\"Proxy\":"
     "{\"MeshGateway\":{},\"Expose\":{}},\"Connect\":{},\"CreateIndex\":95,\"ModifyIndex\":95}"},
    {&agent_shape_bare_check,
     "{\"Node\":\"tx1\",\"CheckID\":\"c1\",\"Name\":\"c1\",\"Status\":\"passing\",\"Notes\":\"\","
     "\"Output\":\"\",\"ServiceID\":\"web\",\"ServiceName\":\"web\",\"ServiceTags\":null,\"Type\":"
     "\"\",\"Definition\":{\"Interval\":\"10s\",\"Timeout\":\"1s\",\"HTTP\":\"http://"
     "x\",\"Header\":"
     "{\"A\":[\"1\",\"2\"],\"B\":[]}},\"CreateIndex\":95,\"ModifyIndex\":95}"},
    {&agent_shape_agent_proxy,
     "{\"DestinationServiceName\":\"web\",\"Config\":{\"x\":\"y\"},\"Upstreams\":["
     "{\"DestinationType\":\"service\",\"DestinationName\":\"db\",\"LocalBindPort\":9191,"
     "\"MeshGateway\":{}},{\"DestinationType\":\"prepared_query\",\"DestinationName\":\"q1\","
     "\"Datacenter\":\"dc2\",\"LocalBindPort\":9192,\"Config\":{\"a\":1},\"MeshGateway\":{}}],"
     "\"MeshGateway\":{\"Mode\":\"local\"},\"Expose\":{\"Paths\":[{\"ListenerPort\":22,\"Path\":"
     "\"/m\",\"LocalPathPort\":1,\"Protocol\":\"http\",\"ParsedFromCheck\":false}]}}"},
    {&agent_shape_proxy,
     "{\"DestinationServiceName\":\"web\",\"Config\":{\"x\":\"y\"},\"Upstreams\":["
     "{\"DestinationType\":\"service\",\"DestinationName\":\"db\",\"Datacenter\":\"\","
     "\"LocalBindPort\":9191,\"MeshGateway\":{}}],\"MeshGateway\":{\"Mode\":\"local\"},\"Expose\":"
     "{\"Paths\":[{\"ListenerPort\":22,\"Path\":\"/m\",\"LocalPathPort\":1,\"Protocol\":\"http\"}]}"
     "}"},
};

START_TEST(prints_the_observed_bodies_as_they_are)
{
    for (size_t i = 0; i < CU_COUNT(bodies); i++)
        ck_assert_str_eq(
            shaped_text(bodies[i].shape, shaped_message(bodies[i].shape, bodies[i].text)),
            bodies[i].text);
}
END_TEST

START_TEST(prints_what_is_absent_as_if_it_were_empty)
{
    ck_assert_str_eq(
        shaped_text(&agent_shape_health_entry, shaped_message(&agent_shape_health_entry, "{}")),
        "{\"Node\":{\"ID\":\"\",\"Node\":\"\",\"Address\":\"\",\"Datacenter\":\"\","
        "\"TaggedAddresses\":null,\"Meta\":null,\"CreateIndex\":0,\"ModifyIndex\":0},"
        "\"Service\":{\"ID\":\"\",\"Service\":\"\",\"Tags\":[],\"Address\":\"\","
        "\"Meta\":null,\"Port\":0,\"Weights\":{\"Passing\":0,\"Warning\":0},"
        "\"EnableTagOverride\":false,\"Proxy\":{\"MeshGateway\":{},\"Expose\":{}},"
        "\"Connect\":{},\"CreateIndex\":0,\"ModifyIndex\":0},\"Checks\":[]}");
}
END_TEST

START_TEST(an_empty_map_is_not_an_absent_one) /* contracts 8.2 */
{
    void *service = shaped_message(&agent_shape_catalog_service,
                                   "{\"NodeMeta\":{},\"ServiceTaggedAddresses\":{}}");
    const char *text = shaped_text(&agent_shape_catalog_service, service);
    ck_assert_ptr_nonnull(strstr(text, "\"TaggedAddresses\":null,\"NodeMeta\":{}"));
    ck_assert_ptr_nonnull(strstr(text, "\"ServiceMeta\":{}"));      /* never null (2.1) */
    ck_assert_ptr_null(strstr(text, "\"ServiceTaggedAddresses\"")); /* omitted when empty */
}
END_TEST

START_TEST(prints_maps_sorted_whatever_their_order)
{
    Curia__V1__StringMap__EntriesEntry a = CURIA__V1__STRING_MAP__ENTRIES_ENTRY__INIT, b = a, c = a;
    Curia__V1__StringMap__EntriesEntry *entries[] = {&c, &a, &b};
    Curia__V1__StringMap map = CURIA__V1__STRING_MAP__INIT;
    a.key = "a";
    b.key = "b";
    c.key = "c";
    c.value = "<3";
    map.entries = entries;
    map.n_entries = 3;
    ck_assert_str_eq(shaped_text(&agent_shape_string_map, &map),
                     "{\"a\":\"\",\"b\":\"\",\"c\":\"\\u003c3\"}");
}
END_TEST

START_TEST(reads_maps_sorted_and_keeps_the_last_of_equal_keys)
{
    Curia__V1__Node *node =
        shaped_message(&agent_shape_node, "{\"meta\":{\"b\":\"1\",\"a\":null,\"b\":\"2\"}}");
    ck_assert_uint_eq(node->meta->n_entries, 2);
    ck_assert_str_eq(node->meta->entries[0]->key, "a");
    ck_assert_str_eq(node->meta->entries[0]->value, "");
    ck_assert_str_eq(node->meta->entries[1]->value, "2");
}
END_TEST

START_TEST(a_null_in_a_list_leaves_no_hole)
{
    Curia__V1__HealthEntry *entry =
        shaped_message(&agent_shape_health_entry, "{\"Checks\":[null,{\"ServiceTags\":[null]}]}");
    ck_assert_uint_eq(entry->n_checks, 2);
    ck_assert_ptr_nonnull(entry->checks[0]);
    ck_assert_str_eq(entry->checks[1]->service_tags[0], "");
    size_t size = protobuf_c_message_get_packed_size(&entry->base);
    uint8_t *packed = cu_alloc(size);
    ck_assert_uint_eq(protobuf_c_message_pack(&entry->base, packed), size);
    free(packed);
}
END_TEST

START_TEST(reads_durations_as_text_or_nanoseconds) /* http-api.md 1.3; agent 25 */
{
    Curia__V1__CheckDefinition *definition = shaped_message(
        &agent_shape_check_definition, "{\"Interval\":\"1m\",\"Timeout\":1500000000,\"TTL\":\"2s\","
                                       "\"DeregisterCriticalServiceAfter\":1.5e9,\"Bogus\":1}");
    ck_assert_int_eq(definition->interval_ns, 60000000000);
    ck_assert_str_eq(shaped_text(&agent_shape_check_definition, definition),
                     "{\"Interval\":\"1m0s\",\"Timeout\":\"1.5s\","
                     "\"DeregisterCriticalServiceAfter\":\"1.5s\",\"TTL\":2000000000}");
}
END_TEST

START_TEST(the_agents_health_prints_a_whole_definition) /* http-api.md 2.3 */
{
    Curia__V1__Check *check = shaped_message(&agent_shape_full_check, "{\"CheckID\":\"c\"}");
    ck_assert_str_eq(
        shaped_text(&agent_shape_full_check, check),
        "{\"Node\":\"\",\"CheckID\":\"c\",\"Name\":\"\",\"Status\":\"\",\"Notes\":\"\",\"Output\":"
        "\"\",\"ServiceID\":\"\",\"ServiceName\":\"\",\"ServiceTags\":[],\"Type\":\"\","
        "\"Definition\":{\"Interval\":\"0s\",\"Timeout\":\"0s\",\"DeregisterCriticalServiceAfter\":"
        "\"0s\",\"HTTP\":\"\",\"Header\":null,\"Method\":\"\",\"Body\":\"\",\"TLSSkipVerify\":"
        "false,"
        "\"TCP\":\"\"},\"CreateIndex\":0,\"ModifyIndex\":0}");
}
END_TEST

static const struct {
    const struct cu_json_shape *shape;
    const char *text, *sentence;
} refused[] = {
    {&agent_shape_node_service, "{\"Port\":\"80\"}",
     "json: cannot unmarshal string into Go struct field NodeService.Port of type int"},
    {&agent_shape_node_service, "{\"Port\":2147483648}",
     "json: cannot unmarshal number 2147483648 into Go struct field NodeService.Port of type int"},
    {&agent_shape_node_service, "{\"Tags\":\"a\"}",
     "json: cannot unmarshal string into Go struct field NodeService.Tags of type []string"},
    {&agent_shape_node_service, "{\"Tags\":[1]}",
     "json: cannot unmarshal number 1 into Go struct field NodeService.Tags of type string"},
    {&agent_shape_node_service, "{\"Meta\":[]}",
     "json: cannot unmarshal array into Go struct field NodeService.Meta of type "
     "map[string]string"},
    {&agent_shape_node_service, "{\"Meta\":{\"a\":true}}",
     "json: cannot unmarshal bool into Go struct field NodeService.Meta of type string"},
    {&agent_shape_node_service, "{\"Meta\":{\"a\\u0000\":\"\"}}",
     "json: invalid NUL in field Meta"},
    {&agent_shape_node_service, "{\"TaggedAddresses\":{\"lan\":{\"Port\":1.5}}}",
     "json: cannot unmarshal number 1.5 into Go struct field ServiceAddress.Port of type int"},
    {&agent_shape_node_service, "{\"Weights\":[]}",
     "json: cannot unmarshal array into Go struct field NodeService.Weights of type "
     "structs.Weights"},
    {&agent_shape_node_service, "{\"Proxy\":{\"Config\":\"x\"}}",
     "json: cannot unmarshal string into Go struct field ConnectProxyConfig.Config of type "
     "map[string]interface {}"},
    {&agent_shape_node_service, "{\"Proxy\":{\"Bogus\":1}}", "json: unknown field \"Bogus\""},
    {&agent_shape_check_definition, "{\"Interval\":\"5\"}", "time: missing unit in duration \"5\""},
    {&agent_shape_check_definition, "{\"Interval\":\"abc\"}", "time: invalid duration \"abc\""},
    {&agent_shape_check_definition, "{\"Interval\":true}",
     "json: cannot unmarshal bool into Go struct field HealthCheckDefinition.Interval of type "
     "time.Duration"},
    {&agent_shape_check_definition, "{\"TTL\":1e30}",
     "json: cannot unmarshal number 1e30 into Go struct field HealthCheckDefinition.TTL of type "
     "time.Duration"},
};

START_TEST(names_the_first_field_that_does_not_fit)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++)
        ck_assert_str_eq(shaped_refusal(refused[i].shape, refused[i].text), refused[i].sentence);
}
END_TEST

START_TEST(a_full_arena_leaves_no_half_read_list)
{
    static const char text[] =
        "{\"Tags\":[\"aaaaaaaaaaaaaaaaaaaa\",\"bbbbbbbbbbbbbbbbbbbbbbb\"],"
        "\"Meta\":{\"a\":\"1\",\"b\":\"2\"},\"Proxy\":{\"Config\":{\"a\":1}}}";
    struct cu_bytes value;
    enum cu_err err = CU_E_TOO_LARGE;
    ck_assert_int_eq(cu_json_check(cu_bytes_of(text), &value, NULL), CU_OK);
    for (size_t limit = 0; err; limit += 16) {
        struct cu_arena *small = cu_arena_new(limit);
        Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
        err = cu_json_read(value, &agent_shape_node_service, small, &service.base, NULL);
        ck_assert(!err || err == CU_E_TOO_LARGE);
        (void)protobuf_c_message_get_packed_size(&service.base); /* every pointer is good */
        cu_arena_free(small);
        ck_assert_uint_lt(limit, 8192);
    }
}
END_TEST

SUITE_MAIN("services/agentd/core/shapes_catalog", prints_the_observed_bodies_as_they_are,
           prints_what_is_absent_as_if_it_were_empty, an_empty_map_is_not_an_absent_one,
           prints_maps_sorted_whatever_their_order,
           reads_maps_sorted_and_keeps_the_last_of_equal_keys, a_null_in_a_list_leaves_no_hole,
           reads_durations_as_text_or_nanoseconds, the_agents_health_prints_a_whole_definition,
           names_the_first_field_that_does_not_fit, a_full_arena_leaves_no_half_read_list)
