/* Proxies beside services, and what config entries say of them. */
#include "services/agentd/io/node.h"

#include <stdio.h>

#include "tests/unit/services/agentd/io/node_fixture.h"
#include "tests/lib/suite.h"

#define WITH_SIDECAR "\"Connect\":{\"SidecarService\":{}}"

static int32_t port_of(const char *id)
{
    const struct agent_local_service *service = agent_local_service(agent_node_local(node), id);
    return service ? service->service->port : 0;
}

START_TEST(a_sidecar_keeps_its_port_and_goes_with_its_service) /* http 167 to 169, agent 21 */
{
    open_all();
    register_service("{\"Name\":\"a\",\"Port\":80," WITH_SIDECAR "}", false);
    register_service("{\"Name\":\"b\",\"Port\":80," WITH_SIDECAR "}", false);
    ck_assert_int_eq(port_of("a-sidecar-proxy"), 21000);
    ck_assert_int_eq(port_of("b-sidecar-proxy"), 21001);
    const Curia__V1__Service *known = fake_node_service(&fake->node, "b-sidecar-proxy");
    ck_assert_ptr_nonnull(known);
    ck_assert_str_eq(known->proxy->destination_service_id, "b");
    ck_assert_ptr_nonnull(fake_node_check(&fake->node, "service:b-sidecar-proxy:1"));
    ck_assert_str_eq(local_output("service:b-sidecar-proxy:2"), "No checks found.");
    (void)agent_node_deregister(node, "a", done, NULL);
    wait_done();
    ck_assert_ptr_null(fake_node_service(&fake->node, "a-sidecar-proxy"));
    ck_assert(!service_file("a-sidecar-proxy") && !check_file("service:a-sidecar-proxy:1"));
    restart();
    register_service("{\"Name\":\"b\",\"Port\":81," WITH_SIDECAR "}", false);
    ck_assert_int_eq(port_of("b-sidecar-proxy"), 21001);
    (void)agent_node_deregister(node, "b", done, NULL); /* it knows its sidecar still */
    wait_done();
    ck_assert_uint_eq(fake->node.service_count + fake->node.check_count, 0);
    close_all();
}
END_TEST

START_TEST(a_proxy_that_was_registered_by_itself_stays)
{
    open_all();
    register_service("{\"Name\":\"a\"}", false);
    register_service("{\"ID\":\"a-sidecar-proxy\",\"Name\":\"p\",\"Kind\":\"connect-proxy\","
                     "\"Port\":1,\"Proxy\":{\"DestinationServiceName\":\"a\"}}",
                     false);
    (void)agent_node_deregister(node, "a", done, NULL);
    wait_done();
    ck_assert_ptr_nonnull(fake_node_service(&fake->node, "a-sidecar-proxy"));
    close_all();
}
END_TEST

START_TEST(sidecars_of_files_come_behind_those_that_have_a_port)
{
    open_all();
    register_service("{\"Name\":\"api\"," WITH_SIDECAR "}", false);
    file_services[0] = parse("{\"name\":\"one\",\"connect\":{\"sidecar_service\":{}}}", false);
    file_service_count = 1;
    restart();
    ck_assert_int_eq(port_of("api-sidecar-proxy"), 21000);
    ck_assert_int_eq(port_of("one-sidecar-proxy"), 21001);
    FAKE_WAIT(loop, agent_local_is_in_sync(agent_node_local(node)));
    unsigned before = fake->node.registered + fake->node.deregistered;
    struct agent_node_settings now = settings();
    agent_node_reload(node, &now); /* nothing has changed */
    fake_turn(loop);
    FAKE_WAIT(loop, agent_local_is_in_sync(agent_node_local(node)));
    ck_assert_int_eq(port_of("one-sidecar-proxy"), 21001);
    ck_assert_uint_eq(fake->node.registered + fake->node.deregistered, before);
    file_services[0] = parse("{\"name\":\"one\"}", false);
    now = settings();
    agent_node_reload(node, &now);
    ck_assert_int_eq(port_of("one-sidecar-proxy"), 0);
    ck_assert_str_eq(local_status("service:one-sidecar-proxy:1"), "");
    ck_assert_int_eq(port_of("api-sidecar-proxy"), 21000);
    close_all();
}
END_TEST

/* ---- what config entries say ---- */

static const char *config_of(const Curia__V1__Service *service)
{
    static char text[256];
    const ProtobufCBinaryData *config = &service->proxy->config;
    (void)snprintf(text, sizeof text, "%.*s", (int)config->len, (const char *)config->data);
    return text;
}

START_TEST(the_catalog_never_sees_a_proxy_without_what_entries_say) /* mesh 39 */
{
    static const char proxy[] = "{\"Name\":\"p\",\"Kind\":\"connect-proxy\",\"Port\":1,\"Proxy\":{"
                                "\"DestinationServiceName\":\"a\",\"Config\":{\"own\":1}}}";
    merges_central = true;
    open_all();
    fake->proxy_config = "{\"protocol\":\"http\"}";
    FAKE_WAIT(loop, agent_local_is_in_sync(agent_node_local(node)));
    unsigned before = fake->node.registered;
    register_service(proxy, false);
    ck_assert_str_eq(config_of(fake_node_service(&fake->node, "p")),
                     "{\"own\":1,\"protocol\":\"http\"}");
    ck_assert_uint_eq(fake->node.registered, before + 1);
    const struct agent_local_service *slot = agent_local_service(agent_node_local(node), "p");
    ck_assert_str_eq(config_of(agent_local_registered(slot)), "{\"own\":1}");
    restart(); /* what was registered comes from its file, the rest from the catalog */
    FAKE_WAIT(loop, agent_local_is_in_sync(agent_node_local(node)));
    slot = agent_local_service(agent_node_local(node), "p");
    ck_assert_str_eq(config_of(slot->service), "{\"own\":1,\"protocol\":\"http\"}");
    ck_assert_uint_eq(fake->node.registered, before + 1);
    close_all();
    merges_central = false;
}
END_TEST

START_TEST(proxies_go_on_as_they_are_where_entries_cannot_be_read)
{
    merges_central = true;
    open_all();
    fake->refuses_config = true;
    register_service("{\"Name\":\"a\",\"Port\":80," WITH_SIDECAR "}", false);
    ck_assert_ptr_nonnull(fake_node_service(&fake->node, "a-sidecar-proxy"));
    close_all();
    merges_central = false;
}
END_TEST

SUITE_MAIN("services/agentd/io/node_sidecar", a_sidecar_keeps_its_port_and_goes_with_its_service,
           a_proxy_that_was_registered_by_itself_stays,
           sidecars_of_files_come_behind_those_that_have_a_port,
           the_catalog_never_sees_a_proxy_without_what_entries_say,
           proxies_go_on_as_they_are_where_entries_cannot_be_read)
