#include "services/agentd/core/sidecar.h"

#include <string.h>

#include "services/agentd/core/shapes.h"
#include "common/base/err.h"
#include "tests/lib/suite.h"

static struct cu_arena *arena;
static struct agent_fault fault;
static struct agent_definition_rules rules = {.node = "n1", .is_remote = true};
static const struct agent_ports few = {21000, 21002};

static bool read_sidecar(const char *body, Curia__V1__ServiceDefinition **ret_sidecar)
{
    Curia__V1__ServiceDefinition *definition;
    struct agent_service_def parent;
    if (!arena)
        arena = cu_arena_new(1024 * 1024);
    fault = (struct agent_fault){0};
    definition = cu_arena_alloc(arena, sizeof *definition);
    return agent_service_read(cu_bytes_of(body), arena, definition, &fault) &&
           agent_service_define(definition, &rules, arena, &parent, &fault) &&
           agent_sidecar_read(definition, &rules, arena, ret_sidecar, &fault);
}

static struct agent_service_def define(const char *body, int32_t port)
{
    Curia__V1__ServiceDefinition *sidecar;
    struct agent_service_def def;
    ck_assert_msg(read_sidecar(body, &sidecar), "%s", fault.text);
    ck_assert_ptr_nonnull(sidecar);
    ck_assert_msg(agent_sidecar_define(sidecar, port, &rules, arena, &def, &fault), "%s",
                  fault.text);
    return def;
}

static const char *printed(const struct agent_service_def *def)
{
    static struct cu_buf out;
    cu_buf_clear(&out);
    cu_json_write(&out, &agent_shape_node_service, &def->service->base);
    cu_buf_u8(&out, 0);
    return (const char *)out.data;
}

START_TEST(takes_from_its_parent_what_it_does_not_say) /* http 167, mesh 26, 28, 29 */
{
    struct agent_service_def def =
        define("{\"ID\":\"web1\",\"Name\":\"web\",\"Tags\":[\"a\"],\"Meta\":{\"k\":\"v\"},"
               "\"Address\":\"10.1.1.1\",\"Port\":80,\"EnableTagOverride\":true,"
               "\"connect\":{\"sidecar_service\":{}}}",
               21000);
    ck_assert_str_eq(
        printed(&def),
        "{\"Kind\":\"connect-proxy\",\"ID\":\"web1-sidecar-proxy\",\"Service\":"
        "\"web-sidecar-proxy\",\"Tags\":[\"a\"],\"Address\":\"10.1.1.1\",\"TaggedAddresses\":{"
        "\"lan_ipv4\":{\"Address\":\"10.1.1.1\",\"Port\":21000},\"wan_ipv4\":{\"Address\":"
        "\"10.1.1.1\",\"Port\":21000}},\"Meta\":{\"k\":\"v\"},\"Port\":21000,\"Weights\":{"
        "\"Passing\":1,\"Warning\":1},\"EnableTagOverride\":false,\"Proxy\":{"
        "\"DestinationServiceName\":\"web\",\"DestinationServiceID\":\"web1\","
        "\"LocalServiceAddress\":\"127.0.0.1\",\"LocalServicePort\":80,\"MeshGateway\":{},"
        "\"Expose\":{}},\"Connect\":{},\"CreateIndex\":0,\"ModifyIndex\":0}");
    ck_assert_uint_eq(def.check_count, 2);
    ck_assert_str_eq(def.checks[0].check->check_id, "service:web1-sidecar-proxy:1");
    ck_assert_str_eq(def.checks[0].check->name, "Connect Sidecar Listening");
    ck_assert_str_eq(def.checks[0].spec->tcp, "127.0.0.1:21000");
    ck_assert_int_eq(def.checks[0].spec->interval_ns, 10000000000);
    ck_assert_str_eq(def.checks[1].check->check_id, "service:web1-sidecar-proxy:2");
    ck_assert_str_eq(def.checks[1].check->name, "Connect Sidecar Aliasing web1");
    ck_assert_str_eq(def.checks[1].spec->alias_service, "web1");
}
END_TEST

START_TEST(keeps_what_it_says_itself) /* mesh 28 */
{
    struct agent_service_def def =
        define("{\"Name\":\"web\",\"Tags\":[\"a\"],\"Port\":80,\"Connect\":{\"SidecarService\":{"
               "\"Name\":\"p\",\"Tags\":[\"b\"],\"Address\":\"10.0.0.2\",\"Port\":7,\"proxy\":{"
               "\"local_service_address\":\"fd00::1\",\"LocalServicePort\":9,\"Config\":{\"a\":1},"
               "\"Upstreams\":[{\"DestinationName\":\"db\",\"LocalBindPort\":1}]}}}}",
               7);
    const Curia__V1__Service *service = def.service;
    ck_assert_str_eq(service->id, "web-sidecar-proxy");
    ck_assert_str_eq(service->service, "p");
    ck_assert_str_eq(service->tags[0], "b");
    ck_assert_str_eq(service->address, "10.0.0.2");
    ck_assert_int_eq(service->proxy->local_service_port, 9);
    ck_assert_str_eq(service->proxy->upstreams[0]->destination_type, "service");
    ck_assert_str_eq(def.checks[0].spec->tcp, "[fd00::1]:7");
    def = define("{\"Name\":\"web\",\"Connect\":{\"SidecarService\":{\"Check\":{\"TTL\":\"1s\"}}}}",
                 1);
    ck_assert_uint_eq(def.check_count, 1);
    ck_assert_str_eq(def.checks[0].check->check_id, "service:web-sidecar-proxy");
}
END_TEST

START_TEST(is_not_there_unless_it_is_asked_for)
{
    static const char *const bodies[] = {"{\"Name\":\"w\"}", "{\"Name\":\"w\",\"Connect\":{}}",
                                         "{\"Name\":\"w\",\"Connect\":{\"Native\":true}}",
                                         "{\"Name\":\"w\",\"Connect\":{\"SidecarService\":null}}"};
    for (size_t i = 0; i < CU_COUNT(bodies); i++) {
        Curia__V1__ServiceDefinition *sidecar;
        ck_assert_msg(read_sidecar(bodies[i], &sidecar), "%s: %s", bodies[i], fault.text);
        ck_assert_ptr_null(sidecar);
    }
}
END_TEST

#define SIDECAR(text) "{\"Name\":\"w\",\"Connect\":{\"SidecarService\":" text "}}"
static const struct {
    unsigned status;
    const char *body, *text;
} refused[] = {
    {400, SIDECAR("{\"ID\":\"x\"}"), /* http 170, mesh 31 */
     "1 error occurred:\n\t* A SidecarService cannot specify an ID as this is managed by the "
     "agent\n\n"},
    {400, SIDECAR("{\"ID\":\"x\",\"Connect\":{\"SidecarService\":{}}}"),
     "2 errors occurred:\n\t* A SidecarService cannot specify an ID as this is managed by the "
     "agent\n\t* A SidecarService cannot have a nested SidecarService\n\n"},
    {400, SIDECAR("{\"Bogus\":1}"), "Request decode failed: json: unknown field \"Bogus\""},
    {400,
     "{\"Name\":\"g\",\"Kind\":\"mesh-gateway\",\"Port\":1,\"Connect\":{\"SidecarService\":{}}}",
     "1 error occurred:\n\t* A mesh-gateway cannot have a sidecar service defined\n\n"},
    {400, SIDECAR("{\"Proxy\":{\"Upstreams\":[{\"DestinationName\":\"db\"}]}}"),
     "1 error occurred:\n\t* upstream local bind port cannot be zero\n\n"},
    {400, SIDECAR("{\"Connect\":{\"Native\":true}}"),
     "1 error occurred:\n\t* A Proxy cannot also be Connect Native, only typical services\n\n"},
    {500, SIDECAR("{\"Check\":{\"HTTP\":\"http://h\"}}"),
     "Bad request: Invalid check in sidecar_service: Interval must be > 0 for Script, HTTP, or TCP "
     "checks"},
    {500, SIDECAR("{\"Check\":{\"TTL\":\"1s\",\"Status\":\"zz\"}}"),
     "Bad request: Status for checks must 'passing', 'warning', 'critical'"},
};

START_TEST(refuses_with_the_words_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        Curia__V1__ServiceDefinition *sidecar;
        ck_assert_msg(!read_sidecar(refused[i].body, &sidecar), "%s", refused[i].body);
        ck_assert_str_eq(fault.text, refused[i].text);
        ck_assert_uint_eq(fault.status, refused[i].status);
    }
}
END_TEST

/* ---- ports ---- */

static void put(struct agent_local *local, const char *id, int32_t port)
{
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    service.id = service.service = (char *)id;
    service.port = port;
    agent_local_put_service(local, &service, "", AGENT_FROM_API);
}

static int32_t port_of(const struct agent_local *local, const char *name,
                       const struct agent_ports *ports)
{
    Curia__V1__ServiceDefinition sidecar = CURIA__V1__SERVICE_DEFINITION__INIT;
    int32_t port;
    sidecar.id = (char *)name;
    return agent_sidecar_port(local, &sidecar, ports, &port, &fault) ? port : 0;
}

START_TEST(gets_the_lowest_port_that_is_free) /* http 168, mesh 26, 27 */
{
    struct agent_local local;
    agent_local_init(&local, "n1", 1);
    ck_assert_int_eq(port_of(&local, "a", &few), 21000);
    put(&local, "a", 21000);
    put(&local, "other", 21001);
    ck_assert_int_eq(port_of(&local, "a", &few), 21000); /* its own */
    ck_assert_int_eq(port_of(&local, "b", &few), 21002);
    put(&local, "b", 21002);
    ck_assert_int_eq(port_of(&local, "c", &few), 0);
    ck_assert_str_eq(fault.text, "Bad request: Invalid SidecarService: no port provided for "
                                 "sidecar_service and none left in the configured range [21000, "
                                 "21002]");
    ck_assert_uint_eq(fault.status, 500);
    ck_assert(agent_local_remove_service(&local, "other"));
    ck_assert_int_eq(port_of(&local, "c", &few), 21001);
    put(&local, "a", 80); /* one outside the range is not kept */
    ck_assert_int_eq(port_of(&local, "a", &few), 21000);
    agent_local_deinit(&local);
}
END_TEST

START_TEST(gets_no_port_where_none_are_given_out)
{
    static const struct agent_ports off[] = {{0, 0}, {-1, -1}, {0, 21255}};
    struct agent_local local;
    agent_local_init(&local, "n1", 1);
    for (size_t i = 0; i < CU_COUNT(off); i++) {
        ck_assert_int_eq(port_of(&local, "a", &off[i]), 0);
        ck_assert_str_eq(fault.text, "Bad request: Invalid SidecarService: no port provided for "
                                     "sidecar_service and auto-assignment disabled in config");
    }
    agent_local_deinit(&local);
}
END_TEST

SUITE_MAIN("services/agentd/core/sidecar", takes_from_its_parent_what_it_does_not_say,
           keeps_what_it_says_itself, is_not_there_unless_it_is_asked_for,
           refuses_with_the_words_of_the_reference, gets_the_lowest_port_that_is_free,
           gets_no_port_where_none_are_given_out)
