#include "services/agentd/io/node.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/agentd/core/persisted.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/agentd/io/node_fixture.h"

START_TEST(a_registration_is_in_the_catalog_when_it_is_answered) /* http 160 */
{
    open_all();
    register_service("{\"Name\":\"web\",\"Port\":80,\"Check\":{\"TTL\":\"30s\"}}", false);
    ck_assert_ptr_nonnull(fake_node_service(&fake->node, "web"));
    ck_assert(remote_is("service:web", "critical"));
    ck_assert_str_eq(fake->node.node->address, "10.0.0.1");
    ck_assert(service_file("web") && check_file("service:web"));
    pass("service:web", AGENT_PASSING, "hi"); /* http 181 */
    ck_assert(remote_is("service:web", "passing"));
    ck_assert_str_eq(local_output("service:web"), "hi");
    is_done = false;
    (void)agent_node_deregister(node, "web", done, NULL);
    wait_done();
    ck_assert_uint_eq(fake->node.service_count + fake->node.check_count, 0);
    ck_assert(!service_file("web") && !check_file("service:web"));
    close_all();
}
END_TEST

START_TEST(a_restart_keeps_everything) /* http 193, agent 45 to 47 */
{
    open_all();
    register_service("{\"Name\":\"web\",\"Tags\":[\"a\"],\"Check\":{\"TTL\":\"30s\"},\"Checks\":["
                     "{\"CheckID\":\"s\",\"Args\":[\"/bin/true\"],\"Interval\":\"10h\"}]}",
                     false);
    register_check("{\"Name\":\"mem\",\"TTL\":\"1h\"}");
    pass("mem", AGENT_WARNING, "so so");
    (void)agent_node_maintain(node, &(struct agent_maintenance){true, "why", NULL}, done, NULL);
    wait_done();
    unsigned before = fake->node.registered;
    restart();
    ck_assert_str_eq(local_status("mem"), "warning");
    ck_assert_str_eq(local_output("mem"), "so so");
    ck_assert_str_eq(local_status("service:web:1"), "critical");
    ck_assert_str_eq(
        agent_local_check(agent_node_local(node), AGENT_NODE_MAINTENANCE)->check->notes, "why");
    FAKE_WAIT(loop, agent_local_is_in_sync(agent_node_local(node)));
    ck_assert_uint_eq(fake->node.registered, before); /* nothing to say */
    ck_assert_uint_eq(agent_node_ttl_count(node), 2);
    ck_assert_uint_eq(agent_node_monitor_count(node), 1);
    close_all();
}
END_TEST

START_TEST(a_restart_flaps_no_check_that_runs)
{
    open_all();
    register_check("{\"Name\":\"s\",\"Args\":[\"/bin/sh\",\"-c\",\"echo fine\"],\"Interval\":"
                   "\"1s\"}");
    FAKE_WAIT(loop, remote_is("s", "passing"));
    unsigned before = fake->node.registered;
    restart();
    FAKE_WAIT(loop, agent_local_is_in_sync(agent_node_local(node)));
    ck_assert_str_eq(local_status("s"), "passing"); /* as the catalog had it, or by a run of its own
                                                     */
    ck_assert_uint_eq(fake->node.registered, before);
    close_all();
}
END_TEST

START_TEST(a_ttl_expires_once_and_recovers) /* agent 35, http 179, 181 */
{
    open_all();
    register_check("{\"Name\":\"x\",\"TTL\":15,\"Status\":\"passing\"}");
    FAKE_WAIT(loop, strcmp(local_status("x"), "critical") == 0);
    ck_assert_str_eq(local_output("x"), "TTL expired");
    register_check("{\"Name\":\"y\",\"TTL\":\"200ms\"}");
    pass("y", AGENT_PASSING, "hi");
    FAKE_WAIT(loop, strcmp(local_status("y"), "critical") == 0);
    ck_assert_str_eq(local_output("y"), "TTL expired (last output before timeout follows): hi");
    pass("y", AGENT_PASSING, "again");
    ck_assert_str_eq(local_status("y"), "passing");
    FAKE_WAIT(loop, strcmp(local_status("y"), "critical") == 0);
    close_all();
}
END_TEST

START_TEST(only_a_ttl_check_takes_notes) /* http 182, agent 36 */
{
    struct agent_fault fault;
    struct agent_task *task;
    open_all();
    ck_assert(!agent_node_update_ttl(node, "nope", AGENT_PASSING, cu_bytes_of(""), done, NULL,
                                     &task, &fault));
    ck_assert_str_eq(fault.text, "CheckID \"nope\" does not have associated TTL");
    ck_assert_uint_eq(fault.status, 500);
    register_check("{\"Name\":\"a\",\"AliasService\":\"x\"}");
    ck_assert(!agent_node_update_ttl(node, "a", AGENT_PASSING, cu_bytes_of(""), done, NULL, &task,
                                     &fault));
    register_check("{\"Name\":\"t\",\"TTL\":\"1h\",\"OutputMaxSize\":3}");
    pass("t", AGENT_PASSING, "abcdef");
    ck_assert_str_eq(local_output("t"), "abc ... (captured 3 of 6 bytes)");
    close_all();
}
END_TEST

START_TEST(an_alias_follows_its_target) /* agent 38 */
{
    open_all();
    register_check("{\"Name\":\"a\",\"AliasService\":\"web\"}");
    FAKE_WAIT(loop,
              strcmp(local_output("a"), "Service web could not be found on node " FAKE_NODE) == 0);
    register_service("{\"Name\":\"web\"}", false);
    FAKE_WAIT(loop, strcmp(local_output("a"), "No checks found.") == 0);
    register_check("{\"Name\":\"t\",\"TTL\":\"1h\",\"ServiceID\":\"web\"}");
    FAKE_WAIT(loop, strcmp(local_output("a"), "Aliased check \"t\" failing: ") == 0);
    pass("t", AGENT_WARNING, "hm");
    FAKE_WAIT(loop, strcmp(local_status("a"), "warning") == 0);
    ck_assert_str_eq(local_output("a"), "Aliased check \"t\" failing: hm");
    pass("t", AGENT_PASSING, "");
    FAKE_WAIT(loop, remote_is("a", "passing"));
    close_all();
}
END_TEST

START_TEST(two_aliases_of_each_other_do_not_grow_for_ever)
{
    open_all();
    register_service("{\"Name\":\"a\",\"Check\":{\"AliasService\":\"b\"}}", false);
    register_service("{\"Name\":\"b\",\"Check\":{\"AliasService\":\"a\"}}", false);
    for (int i = 0; i < 10; i++)
        fake_turn(loop);
    ck_assert_uint_le(strlen(local_output("service:a")), 4096);
    close_all();
}
END_TEST

START_TEST(re_registration_keeps_what_checks_last_said) /* http 172, 173 */
{
    open_all();
    register_service("{\"Name\":\"web\",\"Checks\":[{\"TTL\":\"1h\",\"CheckID\":\"a\"},{\"TTL\":"
                     "\"1h\",\"CheckID\":\"b\"}]}",
                     false);
    pass("a", AGENT_PASSING, "fine");
    register_service("{\"Name\":\"web\",\"Port\":81,\"Checks\":[{\"TTL\":\"1h\",\"CheckID\":\"a\","
                     "\"Status\":\"warning\"}]}",
                     false);
    ck_assert_str_eq(local_status("a"), "passing");
    ck_assert_str_eq(local_output("a"), "fine");
    ck_assert_str_eq(local_status("b"), "critical"); /* still there */
    ck_assert_int_eq(fake_node_service(&fake->node, "web")->port, 81);
    register_service("{\"Name\":\"web\",\"Checks\":[{\"TTL\":\"1h\",\"CheckID\":\"a\"}]}", true);
    ck_assert_str_eq(local_status("b"), "");
    ck_assert_ptr_null(fake_node_check(&fake->node, "b"));
    ck_assert(!check_file("b"));
    close_all();
}
END_TEST

START_TEST(maintenance_is_a_check) /* agent 43, http 185, 186 */
{
    struct agent_fault fault;
    struct agent_task *task;
    open_all();
    (void)agent_node_maintain(node, &(struct agent_maintenance){true, "", NULL}, done, NULL);
    wait_done();
    const Curia__V1__Check *check = fake_node_check(&fake->node, "_node_maintenance");
    ck_assert_str_eq(check->name, "Node Maintenance Mode");
    ck_assert_str_eq(check->notes, "Maintenance mode is enabled for this node, but no reason was "
                                   "provided. This is a default message.");
    ck_assert_str_eq(check->type, "maintenance");
    ck_assert_str_eq(check->status, "critical");
    (void)agent_node_maintain(node, &(struct agent_maintenance){true, "another reason", NULL}, done,
                              NULL);
    wait_done();
    ck_assert_ptr_null(strstr(
        agent_local_check(agent_node_local(node), "_node_maintenance")->check->notes, "another"));
    (void)agent_node_maintain(node, &(struct agent_maintenance){false, "", NULL}, done, NULL);
    wait_done();
    ck_assert_uint_eq(fake->node.check_count, 0);
    ck_assert(!agent_node_maintain_service(
        node, "nope", &(struct agent_maintenance){true, "", NULL}, done, NULL, &task, &fault));
    ck_assert_str_eq(fault.text, "No service registered with ID \"nope\"");
    ck_assert_uint_eq(fault.status, 404);
    register_service("{\"Name\":\"web\"}", false);
    ck_assert(agent_node_maintain_service(
        node, "web", &(struct agent_maintenance){true, "why", NULL}, done, NULL, &task, &fault));
    wait_done();
    check = fake_node_check(&fake->node, "_service_maintenance:web");
    ck_assert_str_eq(check->notes, "why");
    ck_assert_str_eq(check->name, "Service Maintenance Mode");
    ck_assert(agent_node_maintain_service(node, "web", &(struct agent_maintenance){false, "", NULL},
                                          done, NULL, &task, &fault));
    wait_done();
    ck_assert_uint_eq(fake->node.check_count, 0);
    close_all();
}
END_TEST

START_TEST(a_definition_of_a_file_wins_over_a_registration) /* agent 46 */
{
    open_all();
    register_service("{\"Name\":\"web\",\"Port\":1,\"Check\":{\"TTL\":\"1h\"}}", false);
    file_services[0] = parse("{\"Name\":\"web\",\"Port\":2}", false);
    file_service_count = 1;
    restart();
    FAKE_WAIT(loop, agent_local_is_in_sync(agent_node_local(node)));
    ck_assert_int_eq(fake_node_service(&fake->node, "web")->port, 2);
    ck_assert_str_eq(local_status("service:web"), "critical"); /* the registered check is kept */
    FAKE_WAIT(loop, !service_file("web"));
    close_all();
}
END_TEST

START_TEST(a_reload_changes_what_changed) /* agent 58, 60 */
{
    open_all();
    file_services[0] =
        parse("{\"Name\":\"one\",\"Check\":{\"TTL\":\"1h\",\"CheckID\":\"c1\"}}", false);
    file_services[1] =
        parse("{\"Name\":\"two\",\"Check\":{\"TTL\":\"1h\",\"CheckID\":\"c2\"}}", false);
    file_service_count = 2;
    struct agent_node_settings now = settings();
    agent_node_reload(node, &now);
    FAKE_WAIT(loop, fake->node.service_count == 2);
    pass("c1", AGENT_PASSING, "fine");
    register_service("{\"Name\":\"api\"}", false);
    unsigned deregistered = fake->node.deregistered;
    file_services[1] = parse("{\"Name\":\"three\"}", false);
    now = settings();
    agent_node_reload(node, &now);
    FAKE_WAIT(loop,
              fake_node_service(&fake->node, "three") && !fake_node_service(&fake->node, "two"));
    ck_assert_uint_eq(fake->node.deregistered, deregistered + 1);
    ck_assert_str_eq(local_status("c1"), "passing");
    ck_assert_str_eq(local_status("c2"), "");
    ck_assert_ptr_nonnull(fake_node_service(&fake->node, "api"));
    ck_assert(!service_file("one"));
    close_all();
}
END_TEST

static void spoil(const char *name, const char *text)
{
    char path[400];
    (void)snprintf(path, sizeof path, "%s/%s", data_dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

START_TEST(damaged_files_are_passed_over_and_kept) /* agent.md 10, agent 48 */
{
    char name[AGENT_FILE_NAME_BYTES];
    open_all();
    register_service("{\"Name\":\"good\"}", false);
    register_service("{\"Name\":\"bad\",\"Check\":{\"TTL\":\"1h\"}}", false);
    agent_node_close(node);
    spoil(agent_service_file("bad", name), "{\"Token\":\"\",\"Serv");
    spoil("checks/half.tmp", "{");
    open_node();
    ck_assert_ptr_nonnull(agent_local_service(agent_node_local(node), "good"));
    ck_assert_ptr_null(agent_local_service(agent_node_local(node), "bad"));
    ck_assert(service_file("bad"));
    ck_assert(check_file("service:bad")); /* its service may be mended */
    ck_assert(!file_exists("checks/half.tmp"));
    close_all();
}
END_TEST

START_TEST(a_removal_behind_its_back_is_mended) /* agent 53 */
{
    open_all();
    register_service("{\"Name\":\"web\",\"Check\":{\"TTL\":\"1h\"}}", false);
    fake_node_drop_service(&fake->node, "web");
    restart(); /* begins with a full sync */
    FAKE_WAIT(loop, fake_node_service(&fake->node, "web") != NULL);
    ck_assert(remote_is("service:web", "critical"));
    close_all();
}
END_TEST

START_TEST(without_a_catalog_a_registration_is_answered_and_kept)
{
    open_all();
    FAKE_WAIT(loop, agent_local_is_in_sync(agent_node_local(node)));
    fake_catalog_stop(fake);
    FAKE_WAIT(loop, !cu_view_is_up(view));
    register_service("{\"Name\":\"web\"}", false);
    ck_assert(service_file("web"));
    ck_assert_ptr_null(fake_node_service(&fake->node, "web"));
    fake_catalog_start(fake);
    FAKE_WAIT(loop, fake_node_service(&fake->node, "web") != NULL);
    close_all();
}
END_TEST

START_TEST(rights_that_forbid_a_write_stop_no_other) /* agent 57 */
{
    open_all();
    FAKE_WAIT(loop, agent_local_is_in_sync(agent_node_local(node)));
    fake->node.fail_with = CU_E_DENIED;
    unsigned before = fake->node.registered;
    register_service("{\"Name\":\"web\"}", false);
    for (int i = 0; i < 5; i++)
        fake_turn(loop);
    ck_assert_uint_eq(fake->node.registered, before + 1); /* no hot loop */
    ck_assert_uint_eq(cu_metrics_counter(metrics, "acl.blocked.service.registration")->value, 1);
    fake->node.fail_with = CU_OK;
    register_service("{\"Name\":\"api\"}", false);
    ck_assert_ptr_nonnull(fake_node_service(&fake->node, "api"));
    close_all();
}
END_TEST

SUITE_MAIN("services/agentd/io/node", a_registration_is_in_the_catalog_when_it_is_answered,
           a_restart_keeps_everything, a_restart_flaps_no_check_that_runs,
           a_ttl_expires_once_and_recovers, only_a_ttl_check_takes_notes,
           an_alias_follows_its_target, two_aliases_of_each_other_do_not_grow_for_ever,
           re_registration_keeps_what_checks_last_said, maintenance_is_a_check,
           a_definition_of_a_file_wins_over_a_registration, a_reload_changes_what_changed,
           damaged_files_are_passed_over_and_kept, a_removal_behind_its_back_is_mended,
           without_a_catalog_a_registration_is_answered_and_kept,
           rights_that_forbid_a_write_stop_no_other)
