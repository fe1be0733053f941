#include "services/agentd/core/definition.h"

#include <string.h>

#include "services/agentd/core/check_spec.h"
#include "services/agentd/core/shapes.h"
#include "common/base/err.h"
#include "tests/lib/shaped.h"
#include "tests/lib/suite.h"

static struct cu_arena *arena;
static struct agent_fault fault;
static struct agent_definition_rules rules = {.node = "n1", .is_remote = true};

static bool define(const char *body, struct agent_service_def *ret_def)
{
    Curia__V1__ServiceDefinition *definition;
    if (!arena)
        arena = cu_arena_new(1024 * 1024);
    definition = cu_arena_alloc(arena, sizeof *definition);
    return agent_service_read(cu_bytes_of(body), arena, definition, &fault) &&
           agent_service_define(definition, &rules, arena, ret_def, &fault);
}

static bool define_check(const char *body, struct agent_check_def *ret_def)
{
    Curia__V1__CheckSpec *spec;
    if (!arena)
        arena = cu_arena_new(1024 * 1024);
    spec = cu_arena_alloc(arena, sizeof *spec);
    return agent_check_read(cu_bytes_of(body), arena, spec, &fault) &&
           agent_check_define(spec, &rules, arena, ret_def, &fault);
}

static const char *printed(const struct agent_service_def *def)
{
    return shaped_text(&agent_shape_node_service, def->service);
}

START_TEST(a_name_is_enough) /* http 160, agent 17, 19 */
{
    struct agent_service_def def;
    ck_assert(define("{\"Name\":\"web\"}", &def));
    ck_assert_str_eq(printed(&def),
                     "{\"ID\":\"web\",\"Service\":\"web\",\"Tags\":[],\"Address\":\"\",\"Meta\":"
                     "null,\"Port\":0,\"Weights\":{\"Passing\":1,\"Warning\":1},"
                     "\"EnableTagOverride\":false,\"Proxy\":{\"MeshGateway\":{},\"Expose\":{}},"
                     "\"Connect\":{},\"CreateIndex\":0,\"ModifyIndex\":0}");
    ck_assert_uint_eq(def.check_count, 0);
}
END_TEST

START_TEST(an_ip_address_is_tagged_by_its_family) /* http 164 */
{
    struct agent_service_def def;
    ck_assert(define("{\"Name\":\"w\",\"Address\":\"10.1.1.1\",\"Port\":80,\"TaggedAddresses\":"
                     "{\"wan\":{\"Address\":\"1.2.3.4\",\"Port\":9},\"lan_ipv4\":{\"Address\":"
                     "\"10.0.0.9\",\"Port\":1}}}",
                     &def));
    ck_assert_ptr_nonnull(strstr(
        printed(&def), "\"TaggedAddresses\":{\"lan_ipv4\":{\"Address\":\"10.0.0.9\",\"Port\":1},"
                       "\"wan\":{\"Address\":\"1.2.3.4\",\"Port\":9},\"wan_ipv4\":{\"Address\":"
                       "\"10.1.1.1\",\"Port\":80}}"));
    ck_assert(define("{\"Name\":\"w\",\"Address\":\"fd00::1\",\"Port\":80}", &def));
    ck_assert_ptr_nonnull(strstr(
        printed(&def), "\"TaggedAddresses\":{\"lan_ipv6\":{\"Address\":\"fd00::1\",\"Port\":80},"
                       "\"wan_ipv6\":{\"Address\":\"fd00::1\",\"Port\":80}}"));
    ck_assert(define("{\"Name\":\"w\",\"Address\":\"db.example\",\"Port\":80}", &def));
    ck_assert_ptr_null(strstr(printed(&def), "TaggedAddresses"));
}
END_TEST

START_TEST(checks_get_ids_and_names_by_their_service) /* http 165, agent 18 */
{
    struct agent_service_def def;
    ck_assert(define("{\"ID\":\"web1\",\"Name\":\"web\",\"Tags\":[\"a\"],\"Check\":{\"TTL\":"
                     "\"10s\"}}",
                     &def));
    ck_assert_uint_eq(def.check_count, 1);
    ck_assert_str_eq(def.checks[0].check->check_id, "service:web1");
    ck_assert_str_eq(def.checks[0].check->name, "Service 'web' check");
    ck_assert_str_eq(def.checks[0].check->status, "critical");
    ck_assert_str_eq(def.checks[0].check->type, "ttl");
    ck_assert_str_eq(def.checks[0].check->service_name, "web");
    ck_assert_str_eq(def.checks[0].check->service_tags[0], "a");
    ck_assert(define("{\"Name\":\"web\",\"Check\":{},\"Checks\":[{\"TTL\":\"1s\",\"CheckID\":\"x\","
                     "\"Name\":\"X\",\"Status\":\"passing\"},{\"HTTP\":\"http://h\",\"Interval\":"
                     "\"5s\"}]}",
                     &def));
    ck_assert_uint_eq(def.check_count, 2);
    ck_assert_str_eq(def.checks[0].check->check_id, "x");
    ck_assert_str_eq(def.checks[0].check->name, "X");
    ck_assert_str_eq(def.checks[0].check->status, "passing");
    ck_assert_str_eq(def.checks[1].check->check_id, "service:web:2");
    ck_assert_str_eq(def.checks[1].check->type, "http");
    ck_assert(define("{\"Name\":\"web\",\"Check\":{\"TTL\":\"1s\"},\"Checks\":[{\"TTL\":\"2s\"}]}",
                     &def));
    ck_assert_str_eq(def.checks[0].check->check_id, "service:web:1");
    ck_assert_str_eq(def.checks[1].check->check_id, "service:web:2");
}
END_TEST

static const struct {
    unsigned status;
    const char *body, *text;
} refused[] = {
    {400, "", "Request decode failed: EOF"},
    {400, "{\"Name\":", "Request decode failed: unexpected EOF"},
    {400, "[]",
     "Request decode failed: json: cannot unmarshal array into Go value of type "
     "structs.ServiceDefinition"},
    {400, "{\"Name\":\"\"}", "Missing service name"}, /* http 159 */
    {400, "{\"Name\":\"w\",\"Bogus\":1}", "Request decode failed: json: unknown field \"Bogus\""},
    {400, "{\"Name\":\"w\",\"Address\":\"0.0.0.0\"}", "Invalid service address"},
    {400, "{\"Name\":\"w\",\"Address\":\"[::]\"}", "Invalid service address"},
    {400, "{\"Name\":\"w\",\"Weights\":{\"Passing\":0,\"Warning\":1}}",
     "Invalid Weights: Passing must be greater than 0"}, /* http 161 */
    {400, "{\"Name\":\"w\",\"Weights\":{\"Passing\":1,\"Warning\":-1}}",
     "Invalid Weights: Warning must be greater or equal than 0"},
    {400, "{\"Name\":\"w\",\"Weights\":{\"Passing\":65536}}",
     "Invalid Weights: DNS Weight must be between 0 and 65535"},
    {400, "{\"Name\":\"w\",\"Meta\":{\"consul-x\":\"\"}}", /* http 162 */
     "Invalid Service Meta: Couldn't load metadata pair ('consul-x', ''): Key prefix 'consul-' is "
     "reserved for internal use"},
    {400, "{\"Name\":\"p\",\"Kind\":\"connect-proxy\"}", /* http 163 */
     "2 errors occurred:\n\t* Proxy.DestinationServiceName must be non-empty for Connect proxy "
     "services\n\t* Port must be set for a Connect proxy\n\n"},
    {400,
     "{\"Name\":\"p\",\"Kind\":\"connect-proxy\",\"Port\":1,\"Proxy\":{\"DestinationServiceName\":"
     "\"w\",\"Upstreams\":[{\"DestinationName\":\"db\",\"LocalBindPort\":9191},"
     "{\"DestinationName\":\"db\",\"LocalBindPort\":9191}]}}",
     "1 error occurred:\n\t* upstreams cannot contain duplicates of [type=\"service\", "
     "name=\"db\", namespace=\"\", datacenter=\"\"]\n\n"},
    {400, "{\"Name\":\"p\",\"Kind\":\"mesh-gateway\",\"Proxy\":{\"DestinationServiceName\":\"w\"}}",
     "2 errors occurred:\n\t* Port must be non-zero for a mesh-gateway\n\t* The "
     "Proxy.DestinationServiceName configuration is invalid for a mesh-gateway\n\n"},
    {400, "{\"Name\":\"w\",\"Check\":{\"HTTP\":\"http://h\"}}", /* http 171 */
     "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks"},
    {400, "{\"Name\":\"w\",\"Checks\":[{}]}", "Invalid check: TTL must be > 0 for TTL checks"},
    {400, "{\"Name\":\"w\",\"Check\":{\"TTL\":\"1s\",\"Status\":\"zz\"}}",
     "Status for checks must 'passing', 'warning', 'critical'"},
    {500, "{\"Name\":\"w\",\"Check\":{\"Args\":[\"x\"],\"Interval\":\"1s\"}}", /* agent 23 */
     "Scripts are disabled on this agent from remote calls; to enable, configure "
     "'enable_script_checks' to true"},
    {500,
     "{\"Name\":\"w\",\"TaggedAddresses\":{\"lan_ipv4\":{\"Address\":\"::1\"}}}", /* agent 20 */
     "Service tagged address \"lan_ipv4\" must be a valid ipv4 address"},
    {500, "{\"Name\":\"w\",\"TaggedAddresses\":{\"wan_ipv6\":{\"Address\":\"1.2.3.4\"}}}",
     "Service tagged address \"wan_ipv6\" must be a valid ipv6 address"},
};

START_TEST(refuses_with_the_words_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        struct agent_service_def def;
        ck_assert_msg(!define(refused[i].body, &def), "%s", refused[i].body);
        ck_assert_str_eq(fault.text, refused[i].text);
        ck_assert_uint_eq(fault.status, refused[i].status);
    }
}
END_TEST

static const struct {
    unsigned status;
    const char *body, *text;
} refused_checks[] = {
    /* http 178, agent 22 */
    {400, "{}", "Missing check name"},
    {400, "{\"Name\":\"m\"}", "Invalid check: TTL must be > 0 for TTL checks"},
    {400, "{\"Name\":\"m\",\"TTL\":\"1s\",\"Interval\":\"1s\"}",
     "Invalid check: Interval and TTL cannot both be specified"},
    {400, "{\"Name\":\"m\",\"TTL\":\"1s\",\"Status\":\"unknown\"}", "Bad check status"},
    {400, "{\"Name\":\"m\",\"AliasService\":\"a\",\"TTL\":\"1s\"}",
     "Invalid check: TTL must be not be set for Alias checks"},
    {400, "{\"Name\":\"m\",\"AliasService\":\"a\",\"TCP\":\"x:1\",\"Interval\":\"1s\"}",
     "Invalid check: Interval cannot be set for Alias checks"},
    {400, "{\"Name\":\"m\",\"TTL\":\"1s\",\"OutputMaxSize\":-1}",
     "Invalid check: MaxOutputMaxSize must be positive"},
    {400, "{\"Name\":\"m\",\"TTL\":\"5\"}",
     "Request decode failed: time: missing unit in duration \"5\""},
    {500, "{\"Name\":\"m\",\"DockerContainerID\":\"c\",\"Args\":[\"x\"],\"Interval\":\"1s\"}",
     "Docker checks are not part of this build"},
};

START_TEST(refuses_checks_with_the_words_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(refused_checks); i++) {
        struct agent_check_def def;
        ck_assert_msg(!define_check(refused_checks[i].body, &def), "%s", refused_checks[i].body);
        ck_assert_str_eq(fault.text, refused_checks[i].text);
        ck_assert_uint_eq(fault.status, refused_checks[i].status);
    }
}
END_TEST

START_TEST(a_check_is_called_by_its_name_unless_it_has_an_id)
{
    struct agent_check_def def;
    ck_assert(define_check("{\"Name\":\"m\",\"TTL\":15}", &def)); /* http 179 */
    ck_assert_str_eq(def.check->check_id, "m");
    ck_assert_int_eq(def.spec->ttl_ns, 15);
    ck_assert(define_check("{\"ID\":\"i\",\"Name\":\"m\",\"AliasNode\":\"n2\",\"Interval\":\"1s\"}",
                           &def)); /* a bare interval is accepted */
    ck_assert_str_eq(def.check->check_id, "i");
    ck_assert_str_eq(def.check->type, "alias");
}
END_TEST

START_TEST(files_have_their_own_rule_for_scripts) /* agent 23 */
{
    static const char body[] = "{\"Name\":\"m\",\"Args\":[\"x\"],\"Interval\":\"1s\"}";
    struct agent_check_def def;
    struct agent_definition_rules before = rules;
    rules.is_remote = false;
    ck_assert(!define_check(body, &def));
    ck_assert_str_eq(fault.text, "Scripts are disabled on this agent; to enable, configure "
                                 "'enable_script_checks' or 'enable_local_script_checks' to true");
    rules.may_run_scripts = true;
    ck_assert(define_check(body, &def));
    ck_assert_str_eq(def.check->type, "script");
    rules = before;
}
END_TEST

START_TEST(times_below_their_minimum_are_raised) /* agent 24 */
{
    Curia__V1__CheckSpec spec = CURIA__V1__CHECK_SPEC__INIT;
    spec.tcp = "x:1";
    spec.interval_ns = 1000;
    ck_assert_int_eq(agent_check_interval_ms(&spec), 1000);
    ck_assert_int_eq(agent_check_timeout_ms(&spec), 10000);
    ck_assert_int_eq(agent_check_deregister_ms(&spec), 0);
    spec.deregister_critical_service_after_ns = 1;
    ck_assert_int_eq(agent_check_deregister_ms(&spec), 60000);
    spec.deregister_critical_service_after_ns = 90000000000;
    ck_assert_int_eq(agent_check_deregister_ms(&spec), 90000);
    spec.timeout_ns = 1;
    ck_assert_int_eq(agent_check_timeout_ms(&spec), 1);
    spec.tcp = "";
    spec.timeout_ns = 0;
    spec.script_args = (char *[]){"x"};
    spec.n_script_args = 1;
    ck_assert_int_eq(agent_check_timeout_ms(&spec), 30000);
}
END_TEST

SUITE_MAIN("services/agentd/core/definition", a_name_is_enough,
           an_ip_address_is_tagged_by_its_family, checks_get_ids_and_names_by_their_service,
           refuses_with_the_words_of_the_reference, refuses_checks_with_the_words_of_the_reference,
           a_check_is_called_by_its_name_unless_it_has_an_id, files_have_their_own_rule_for_scripts,
           times_below_their_minimum_are_raised)
