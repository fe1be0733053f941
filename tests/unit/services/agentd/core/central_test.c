#include "services/agentd/core/central.h"

#include <string.h>

#include "common/json/canonical.h"
#include "common/json/scan.h"
#include "services/agentd/core/definition.h"
#include "services/agentd/core/mesh.h"
#include "services/agentd/core/shapes.h"
#include "tests/lib/suite.h"

static struct cu_arena *arena;
static Curia__V1__ConfigEntry entries[4], *list[4];
static struct agent_central central;

static void reset(void)
{
    if (!arena)
        arena = cu_arena_new(4 << 20);
    central = (struct agent_central){.services = list};
}

/* An entry as it is sent. */
static void entry(const char *body)
{
    struct agent_fault fault = {0};
    size_t at = central.service_count;
    bool good = agent_entry_parse(cu_bytes_of(body), arena, &entries[at], &fault);
    ck_assert_msg(good, "%s", fault.text);
    if (entries[at].proxy_defaults) {
        central.proxy_defaults = entries[at].proxy_defaults;
        return;
    }
    list[at] = &entries[at];
    central.service_count++;
}

static const Curia__V1__Service *service(const char *body)
{
    struct agent_definition_rules rules = {.node = "n1", .is_remote = true};
    struct agent_service_def def;
    struct agent_fault fault = {0};
    Curia__V1__ServiceDefinition *definition = cu_arena_alloc(arena, sizeof *definition);
    bool good = agent_service_read(cu_bytes_of(body), arena, definition, &fault) &&
                agent_service_define(definition, &rules, arena, &def, &fault);
    ck_assert_msg(good, "%s", fault.text);
    return def.service;
}

static const char *merged(const char *body)
{
    static struct cu_buf out;
    const Curia__V1__Service *made = agent_central_merge(&central, service(body), arena);
    ck_assert_ptr_nonnull(made);
    cu_buf_clear(&out);
    cu_json_write(&out, &agent_shape_agent_proxy, &made->proxy->base);
    cu_buf_u8(&out, 0);
    return (const char *)out.data;
}

#define PROXY(more)                                                                                \
    "{\"Name\":\"p\",\"Kind\":\"connect-proxy\",\"Port\":1,\"Proxy\":{\"DestinationServiceName\":" \
    "\"web\"" more "}}"

START_TEST(what_nobody_says_stays_away)
{
    reset();
    ck_assert_str_eq(merged(PROXY("")),
                     "{\"DestinationServiceName\":\"web\",\"MeshGateway\":{},\"Expose\":{}}");
    entry("{\"Kind\":\"service-defaults\",\"Name\":\"other\",\"Protocol\":\"http\"}");
    entry("{\"Kind\":\"service-defaults\",\"Name\":\"p\",\"Protocol\":\"http\"}");
    ck_assert_str_eq(merged(PROXY("")),
                     "{\"DestinationServiceName\":\"web\",\"MeshGateway\":{},\"Expose\":{}}");
}
END_TEST

START_TEST(its_own_word_comes_first_then_the_services_then_that_of_all) /* mesh 39, 40 */
{
    reset();
    entry("{\"Kind\":\"proxy-defaults\",\"Name\":\"global\",\"Config\":{\"protocol\":\"grpc\","
          "\"a\":1,\"b\":{\"x\":1,\"y\":2},\"c\":[1]},\"MeshGateway\":{\"Mode\":\"remote\"}}");
    ck_assert_ptr_nonnull(
        strstr(merged(PROXY("")),
               "\"Config\":{\"a\":1,\"b\":{\"x\":1,\"y\":2},\"c\":[1],\"protocol\":\"grpc\"}"));
    ck_assert_ptr_nonnull(strstr(merged(PROXY("")), "\"MeshGateway\":{\"Mode\":\"remote\"}"));
    entry("{\"Kind\":\"service-defaults\",\"Name\":\"web\",\"Protocol\":\"http\",\"MeshGateway\":{"
          "\"Mode\":\"local\"}}");
    ck_assert_ptr_nonnull(strstr(merged(PROXY("")), "\"protocol\":\"http\"}"));
    ck_assert_ptr_nonnull(strstr(merged(PROXY("")), "\"MeshGateway\":{\"Mode\":\"local\"}"));
    const char *own = merged(PROXY(",\"Config\":{\"protocol\":\"tcp\",\"a\":0,\"b\":{\"x\":\"\","
                                   "\"z\":3},\"c\":[]},\"MeshGateway\":{\"Mode\":\"none\"}"));
    ck_assert_ptr_nonnull(strstr(own, "\"Config\":{\"a\":1,\"b\":{\"x\":1,\"y\":2,\"z\":3},\"c\":["
                                      "1],\"protocol\":\"tcp\"}"));
    ck_assert_ptr_nonnull(strstr(own, "\"MeshGateway\":{\"Mode\":\"none\"}"));
}
END_TEST

START_TEST(upstreams_speak_as_their_services_do)
{
    reset();
    entry("{\"Kind\":\"proxy-defaults\",\"Name\":\"global\",\"Config\":{\"protocol\":\"http\"},"
          "\"MeshGateway\":{\"Mode\":\"local\"}}");
    entry("{\"Kind\":\"service-defaults\",\"Name\":\"db\",\"Protocol\":\"tcp\"}");
    const char *text = merged(PROXY(
        ",\"Upstreams\":[{\"DestinationName\":\"db\",\"LocalBindPort\":1},"
        "{\"DestinationName\":\"api\",\"LocalBindPort\":2,\"Config\":{\"k\":1}},"
        "{\"DestinationName\":\"own\",\"LocalBindPort\":3,\"Config\":{\"protocol\":\"grpc\"},"
        "\"MeshGateway\":{\"Mode\":\"none\"}},"
        "{\"DestinationType\":\"prepared_query\",\"DestinationName\":\"q\",\"LocalBindPort\":4}]"));
    ck_assert_ptr_nonnull(strstr(text,
                                 "\"DestinationName\":\"db\",\"LocalBindPort\":1,\"Config\":{"
                                 "\"protocol\":\"tcp\"},\"MeshGateway\":{\"Mode\":\"local\"}"));
    ck_assert_ptr_nonnull(strstr(text,
                                 "\"LocalBindPort\":2,\"Config\":{\"k\":1,\"protocol\":\"http\"},"
                                 "\"MeshGateway\":{\"Mode\":\"local\"}"));
    ck_assert_ptr_nonnull(strstr(text, "\"LocalBindPort\":3,\"Config\":{\"protocol\":\"grpc\"},"
                                       "\"MeshGateway\":{\"Mode\":\"none\"}"));
    ck_assert_ptr_nonnull(strstr(text, "\"LocalBindPort\":4,\"MeshGateway\":{}}"));
}
END_TEST

START_TEST(paths_are_exposed_as_a_whole)
{
    reset();
    entry(
        "{\"Kind\":\"proxy-defaults\",\"Name\":\"global\",\"Expose\":{\"Checks\":true,\"Paths\":[{"
        "\"Path\":\"/all\",\"ListenerPort\":1,\"LocalPathPort\":2}]}}");
    ck_assert_ptr_nonnull(strstr(merged(PROXY("")), "\"Expose\":{\"Checks\":true,\"Paths\":[{"
                                                    "\"ListenerPort\":1,\"Path\":\"/all\""));
    entry(
        "{\"Kind\":\"service-defaults\",\"Name\":\"web\",\"Expose\":{\"Paths\":[{\"Path\":\"/web\","
        "\"ListenerPort\":3,\"LocalPathPort\":4}]}}");
    const char *text = merged(PROXY(""));
    ck_assert(strstr(text, "/web") && !strstr(text, "/all") && strstr(text, "\"Checks\":true"));
    text = merged(PROXY(",\"Expose\":{\"Paths\":[{\"Path\":\"/own\",\"ListenerPort\":5,"
                        "\"LocalPathPort\":6}]}"));
    ck_assert(strstr(text, "/own") && !strstr(text, "/web"));
}
END_TEST

START_TEST(only_proxies_and_gateways_are_touched)
{
    reset();
    entry("{\"Kind\":\"proxy-defaults\",\"Name\":\"global\",\"Config\":{\"a\":1}}");
    entry("{\"Kind\":\"service-defaults\",\"Name\":\"web\",\"Protocol\":\"http\"}");
    const Curia__V1__Service *web = service("{\"Name\":\"web\"}");
    ck_assert_ptr_eq(agent_central_merge(&central, web, arena), web);
    entry("{\"Kind\":\"service-defaults\",\"Name\":\"gw\",\"Protocol\":\"grpc\"}");
    ck_assert_ptr_nonnull(strstr(merged("{\"Name\":\"gw\",\"Kind\":\"mesh-gateway\",\"Port\":1}"),
                                 "\"Config\":{\"a\":1,\"protocol\":\"grpc\"}"));
}
END_TEST

START_TEST(an_arena_that_is_full_is_told)
{
    reset();
    entry("{\"Kind\":\"proxy-defaults\",\"Name\":\"global\",\"Config\":{\"a\":1}}");
    struct cu_arena *small = cu_arena_new(64);
    ck_assert_ptr_null(agent_central_merge(&central, service(PROXY("")), small));
    cu_arena_free(small);
}
END_TEST

SUITE_MAIN("services/agentd/core/central", what_nobody_says_stays_away,
           its_own_word_comes_first_then_the_services_then_that_of_all,
           upstreams_speak_as_their_services_do, paths_are_exposed_as_a_whole,
           only_proxies_and_gateways_are_touched, an_arena_that_is_full_is_told)
