#include "services/agentd/core/local.h"

#include <stdio.h>
#include <string.h>

#include "services/agentd/core/action.h"
#include "services/agentd/core/compare.h"
#include "services/agentd/core/copy.h"
#include "tests/lib/suite.h"

static const struct cu_mono start = {1000000000};

static struct agent_local fresh(void)
{
    struct agent_local local;
    Curia__V1__Node node = CURIA__V1__NODE__INIT;
    agent_local_init(&local, "n1", 7);
    local.update_interval_ms = 300000;
    node.node = "n1";
    node.id = "11111111-2222-3333-4444-555555555555";
    node.address = "10.0.0.1";
    agent_local_set_node(&local, &node);
    return local;
}

static void put_service(struct agent_local *local, const char *id, int port)
{
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    service.id = (char *)id;
    service.service = "web";
    service.port = port;
    agent_local_put_service(local, &service, "", AGENT_FROM_API);
}

static bool put_check(struct agent_local *local, const char *id, const char *service,
                      const char *status)
{
    Curia__V1__Check check = CURIA__V1__CHECK__INIT;
    Curia__V1__CheckSpec spec = CURIA__V1__CHECK_SPEC__INIT;
    check.check_id = check.name = (char *)id;
    check.service_id = (char *)service;
    check.status = (char *)status;
    spec.deregister_critical_service_after_ns = 60000000000;
    return agent_local_put_check(local, &check, &spec, "", AGENT_FROM_API, start);
}

/* A catalog of one node, to which the actions are done. */
struct catalog {
    Curia__V1__Node *node;
    Curia__V1__Service *services[16];
    Curia__V1__Check *checks[16];
    size_t service_count, check_count, writes, node_writes;
};

static void catalog_free(struct catalog *catalog)
{
    agent_copy_free(catalog->node);
    for (size_t i = 0; i < catalog->service_count; i++)
        agent_copy_free(catalog->services[i]);
    for (size_t i = 0; i < catalog->check_count; i++)
        agent_copy_free(catalog->checks[i]);
}

static void catalog_put_check(struct catalog *catalog, const Curia__V1__Check *check)
{
    size_t at = 0;
    while (at < catalog->check_count && strcmp(catalog->checks[at]->check_id, check->check_id) != 0)
        at++;
    if (at == catalog->check_count)
        catalog->check_count++;
    else
        agent_copy_free(catalog->checks[at]);
    catalog->checks[at] = agent_copy(check);
}

static void catalog_put(struct catalog *catalog, const Curia__V1__RegisterRequest *put)
{
    if (!put->skip_node_update) {
        agent_copy_free(catalog->node);
        catalog->node = agent_copy(put->node);
        catalog->node_writes++;
    }
    if (put->service) {
        size_t at = 0;
        while (at < catalog->service_count &&
               strcmp(catalog->services[at]->id, put->service->id) != 0)
            at++;
        if (at == catalog->service_count)
            catalog->service_count++;
        else
            agent_copy_free(catalog->services[at]);
        catalog->services[at] = agent_copy(put->service);
        catalog->services[at]->modify_index = 9;
    }
    for (size_t i = 0; i < put->n_checks; i++)
        catalog_put_check(catalog, put->checks[i]);
}

static void catalog_del_check(struct catalog *catalog, size_t at)
{
    agent_copy_free(catalog->checks[at]);
    catalog->checks[at] = catalog->checks[--catalog->check_count];
}

static void catalog_del(struct catalog *catalog, const Curia__V1__DeregisterRequest *del)
{
    ck_assert_str_eq(del->node, "n1");
    for (size_t i = 0; i < catalog->service_count; i++)
        if (*del->service_id && strcmp(catalog->services[i]->id, del->service_id) == 0) {
            agent_copy_free(catalog->services[i]);
            catalog->services[i] = catalog->services[--catalog->service_count];
        }
    for (size_t i = catalog->check_count; i-- > 0;)
        if (*del->service_id ? strcmp(catalog->checks[i]->service_id, del->service_id) == 0
                             : strcmp(catalog->checks[i]->check_id, del->check_id) == 0)
            catalog_del_check(catalog, i);
}

/* Writes until nothing is left; returns the number of writes. */
static size_t write_all(struct agent_local *local, struct catalog *catalog)
{
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    size_t before = catalog->writes;
    for (bool any = true; any;) {
        struct agent_action action;
        cu_arena_reset(arena);
        ck_assert_int_eq(agent_action_next(local, arena, &action, &any), CU_OK);
        if (!any)
            break;
        if (action.put)
            catalog_put(catalog, action.put);
        else
            catalog_del(catalog, action.del);
        catalog->writes++;
        ck_assert_uint_lt(catalog->writes, 100);
        agent_action_done(local, &action);
    }
    ck_assert(agent_local_is_in_sync(local));
    cu_arena_free(arena);
    return catalog->writes - before;
}

static size_t full_sync(struct agent_local *local, struct catalog *catalog)
{
    agent_compare(local,
                  &(struct agent_remote){catalog->node, catalog->services, catalog->service_count,
                                         catalog->checks, catalog->check_count});
    return write_all(local, catalog);
}

START_TEST(a_service_and_its_checks_travel_together) /* agent 59 */
{
    struct agent_local local = fresh();
    struct catalog catalog = {0};
    put_service(&local, "web1", 80);
    ck_assert(put_check(&local, "c1", "web1", "passing"));
    ck_assert(put_check(&local, "c2", "web1", "passing"));
    ck_assert(put_check(&local, "mem", "", "passing"));
    ck_assert_uint_eq(full_sync(&local, &catalog), 3); /* node, service with two, check */
    ck_assert_uint_eq(catalog.node_writes, 1);
    ck_assert_uint_eq(catalog.service_count, 1);
    ck_assert_uint_eq(catalog.check_count, 3);
    ck_assert_uint_eq(full_sync(&local, &catalog), 0); /* nothing differs */
    agent_local_deinit(&local);
    catalog_free(&catalog);
}
END_TEST

START_TEST(what_is_removed_behind_its_back_comes_back) /* agent 53, http 192 */
{
    struct agent_local local = fresh();
    struct catalog catalog = {0};
    Curia__V1__DeregisterRequest del = CURIA__V1__DEREGISTER_REQUEST__INIT;
    put_service(&local, "web1", 80);
    ck_assert(put_check(&local, "c1", "web1", "passing"));
    (void)full_sync(&local, &catalog);
    del.node = "n1";
    del.service_id = "web1";
    catalog_del(&catalog, &del);
    ck_assert_uint_eq(catalog.check_count, 0);
    ck_assert_uint_eq(full_sync(&local, &catalog), 1);
    ck_assert_uint_eq(catalog.service_count, 1);
    ck_assert_uint_eq(catalog.check_count, 1);
    catalog.services[0]->port = 81; /* an edit is undone */
    ck_assert_uint_eq(full_sync(&local, &catalog), 1);
    ck_assert_int_eq(catalog.services[0]->port, 80);
    agent_local_deinit(&local);
    catalog_free(&catalog);
}
END_TEST

START_TEST(what_is_only_there_goes_but_what_is_the_servers) /* agent 54 */
{
    struct agent_local local = fresh();
    struct catalog catalog = {0};
    struct agent_local other = fresh();
    put_service(&other, "ghost", 1);
    put_service(&other, "consul", 8300);
    ck_assert(put_check(&other, "serfHealth", "", "passing"));
    ck_assert(put_check(&other, "stray", "", "passing"));
    ck_assert(put_check(&other, "g", "ghost", "passing"));
    (void)full_sync(&other, &catalog);
    ck_assert_uint_eq(full_sync(&local, &catalog), 2); /* the service with its check; the check */
    ck_assert_uint_eq(catalog.service_count, 1);
    ck_assert_str_eq(catalog.services[0]->id, "consul");
    ck_assert_uint_eq(catalog.check_count, 1);
    ck_assert_str_eq(catalog.checks[0]->check_id, "serfHealth");
    ck_assert_uint_eq(local.services.count + local.checks.count, 0);
    agent_local_deinit(&local);
    agent_local_deinit(&other);
    catalog_free(&catalog);
}
END_TEST

START_TEST(what_is_removed_here_leaves_the_catalog)
{
    struct agent_local local = fresh();
    struct catalog catalog = {0};
    put_service(&local, "web1", 80);
    put_service(&local, "web2", 80);
    ck_assert(put_check(&local, "c1", "web1", "passing"));
    ck_assert(put_check(&local, "mem", "", "passing"));
    (void)full_sync(&local, &catalog);
    ck_assert(agent_local_remove_service(&local, "web1"));
    ck_assert(!agent_local_remove_service(&local, "web1"));
    ck_assert_ptr_null(agent_local_service(&local, "web1"));
    ck_assert_ptr_null(agent_local_check(&local, "c1"));
    ck_assert(agent_local_remove_check(&local, "mem"));
    ck_assert_uint_eq(write_all(&local, &catalog), 2); /* its check needs no word of its own */
    ck_assert_uint_eq(catalog.service_count, 1);
    ck_assert_uint_eq(catalog.check_count, 0);
    ck_assert_uint_eq(agent_local_service_count(&local), 1);
    ck_assert_uint_eq(agent_local_check_count(&local), 0);
    agent_local_deinit(&local);
    catalog_free(&catalog);
}
END_TEST

START_TEST(tags_are_the_servers_where_it_says_so) /* agent 55 */
{
    struct agent_local local = fresh();
    struct catalog catalog = {0};
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    char *tags[] = {"mine"};
    service.id = service.service = "db";
    service.tags = tags;
    service.n_tags = 1;
    service.enable_tag_override = true;
    agent_local_put_service(&local, &service, "", AGENT_FROM_API);
    (void)full_sync(&local, &catalog);
    catalog.services[0]->tags[0][0] = 'M';
    ck_assert_uint_eq(full_sync(&local, &catalog), 0);
    ck_assert_str_eq(agent_local_service(&local, "db")->service->tags[0], "Mine");
    service.enable_tag_override = false;
    agent_local_put_service(&local, &service, "", AGENT_FROM_API);
    (void)full_sync(&local, &catalog);
    catalog.services[0]->tags[0][0] = 'M';
    ck_assert_uint_eq(full_sync(&local, &catalog), 1);
    ck_assert_str_eq(catalog.services[0]->tags[0], "mine");
    agent_local_deinit(&local);
    catalog_free(&catalog);
}
END_TEST

START_TEST(an_absent_part_is_an_empty_one)
{
    struct agent_local local = fresh();
    struct catalog catalog = {0};
    put_service(&local, "web1", 80);
    (void)full_sync(&local, &catalog);
    Curia__V1__Service *remote = catalog.services[0];
    Curia__V1__Service full = *remote;
    Curia__V1__Weights weights = CURIA__V1__WEIGHTS__INIT;
    Curia__V1__Proxy proxy = CURIA__V1__PROXY__INIT;
    Curia__V1__MeshGatewayConfig gateway = CURIA__V1__MESH_GATEWAY_CONFIG__INIT;
    Curia__V1__ExposeConfig expose = CURIA__V1__EXPOSE_CONFIG__INIT;
    Curia__V1__Connect connect = CURIA__V1__CONNECT__INIT;
    Curia__V1__StringMap meta = CURIA__V1__STRING_MAP__INIT;
    Curia__V1__ServiceAddresses addresses = CURIA__V1__SERVICE_ADDRESSES__INIT;
    weights.passing = weights.warning = 1;
    proxy.mesh_gateway = &gateway;
    proxy.expose = &expose;
    full.weights = &weights;
    full.proxy = &proxy;
    full.connect = &connect;
    full.meta = &meta;
    full.tagged_addresses = &addresses;
    catalog.services[0] = &full;
    agent_compare(&local, &(struct agent_remote){catalog.node, catalog.services, 1, NULL, 0});
    ck_assert(agent_local_is_in_sync(&local));
    weights.warning = 2;
    agent_compare(&local, &(struct agent_remote){catalog.node, catalog.services, 1, NULL, 0});
    ck_assert(!agent_local_is_in_sync(&local));
    catalog.services[0] = remote;
    agent_local_deinit(&local);
    catalog_free(&catalog);
}
END_TEST

START_TEST(an_answer_to_an_older_write_confirms_nothing)
{
    struct agent_local local = fresh();
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    struct agent_action action;
    bool any;
    agent_compare(&local, &(struct agent_remote){0});
    local.node_standing.in_sync = true;
    put_service(&local, "web1", 80);
    ck_assert_int_eq(agent_action_next(&local, arena, &action, &any), CU_OK);
    put_service(&local, "web1", 81); /* while the write is on its way */
    agent_action_done(&local, &action);
    ck_assert(!agent_local_is_in_sync(&local));
    ck_assert_int_eq(agent_action_next(&local, arena, &action, &any), CU_OK);
    ck_assert_int_eq(action.put->service->port, 81);
    ck_assert(agent_local_remove_service(&local, "web1"));
    agent_action_done(&local, &action);
    ck_assert_int_eq(agent_action_next(&local, arena, &action, &any), CU_OK);
    ck_assert_int_eq(action.kind, AGENT_ACT_DEL_SERVICE);
    put_service(&local, "web1", 82); /* back again: the removal must not make it forgotten */
    agent_action_done(&local, &action);
    ck_assert_ptr_nonnull(agent_local_service(&local, "web1"));
    ck_assert(!agent_local_is_in_sync(&local));
    cu_arena_free(arena);
    agent_local_deinit(&local);
}
END_TEST

START_TEST(an_output_alone_is_deferred_a_status_is_not) /* agent 56 */
{
    uint64_t min = UINT64_MAX, max = 0;
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct agent_local local = fresh();
        local.random.state = seed;
        ck_assert(put_check(&local, "c", "", "passing"));
        agent_local_check(&local, "c")->standing.in_sync = true;
        ck_assert_int_eq(agent_local_update_check(&local, "c", AGENT_PASSING, "x", start),
                         AGENT_DEFERRED);
        uint64_t ms = cu_mono_ms_between(start, agent_local_next_deferred(&local));
        min = ms < min ? ms : min;
        max = ms > max ? ms : max;
        ck_assert_int_eq(agent_local_update_check(&local, "c", AGENT_PASSING, "y", start),
                         AGENT_DEFERRED); /* it rides along */
        ck_assert_uint_eq(cu_mono_ms_between(start, agent_local_next_deferred(&local)), ms);
        ck_assert(agent_local_check(&local, "c")->standing.in_sync);
        ck_assert(!agent_local_release_deferred(&local, cu_mono_add_ms(start, ms - 1)));
        ck_assert(agent_local_release_deferred(&local, cu_mono_add_ms(start, ms + 1)));
        ck_assert(!agent_local_check(&local, "c")->standing.in_sync);
        ck_assert_uint_eq(agent_local_next_deferred(&local).ns, UINT64_MAX);
        agent_local_deinit(&local);
    }
    ck_assert_uint_ge(min, 150000);
    ck_assert_uint_lt(min, 156000);
    ck_assert_uint_lt(max, 450000);
    ck_assert_uint_gt(max, 444000);
}
END_TEST

START_TEST(a_status_goes_at_once_and_takes_the_output_along)
{
    struct agent_local local = fresh();
    struct catalog catalog = {0};
    ck_assert(put_check(&local, "c", "", "passing"));
    (void)full_sync(&local, &catalog);
    ck_assert_int_eq(agent_local_update_check(&local, "c", AGENT_PASSING, "x", start),
                     AGENT_DEFERRED);
    ck_assert_uint_eq(full_sync(&local, &catalog), 0); /* a pending output is no difference */
    ck_assert_int_eq(agent_local_update_check(&local, "c", AGENT_WARNING, "y", start),
                     AGENT_CHANGED);
    ck_assert_uint_eq(write_all(&local, &catalog), 1);
    ck_assert_str_eq(catalog.checks[0]->output, "y");
    ck_assert_uint_eq(agent_local_next_deferred(&local).ns, UINT64_MAX);
    ck_assert_int_eq(agent_local_update_check(&local, "c", AGENT_WARNING, "y", start),
                     AGENT_UNCHANGED);
    ck_assert_int_eq(agent_local_update_check(&local, "none", AGENT_WARNING, "y", start),
                     AGENT_UNCHANGED);
    local.update_interval_ms = 0;
    ck_assert_int_eq(agent_local_update_check(&local, "c", AGENT_WARNING, "z", start),
                     AGENT_CHANGED);
    agent_local_deinit(&local);
    catalog_free(&catalog);
}
END_TEST

START_TEST(outputs_can_be_discarded) /* agent 41 */
{
    struct agent_local local = fresh();
    local.discards_output = true;
    ck_assert(put_check(&local, "c", "", "passing"));
    ck_assert_int_eq(agent_local_update_check(&local, "c", AGENT_PASSING, "x", start),
                     AGENT_UNCHANGED);
    ck_assert_int_eq(agent_local_update_check(&local, "c", AGENT_CRITICAL, "x", start),
                     AGENT_CHANGED);
    ck_assert_str_eq(agent_local_check(&local, "c")->check->output, "");
    agent_local_deinit(&local);
}
END_TEST

START_TEST(a_service_is_overdue_when_a_check_was_critical_for_too_long) /* agent 42 */
{
    struct agent_local local = fresh();
    put_service(&local, "web1", 80);
    ck_assert(put_check(&local, "c", "web1", "critical"));
    ck_assert(put_check(&local, "n", "", "critical")); /* of no service */
    ck_assert_ptr_null(agent_local_overdue(&local, cu_mono_add_ms(start, 60000)));
    ck_assert_str_eq(agent_local_overdue(&local, cu_mono_add_ms(start, 60001)), "web1");
    struct cu_mono later = cu_mono_add_ms(start, 50000);
    (void)agent_local_update_check(&local, "c", AGENT_PASSING, "", later);
    ck_assert_ptr_null(agent_local_overdue(&local, cu_mono_add_ms(start, 90000)));
    (void)agent_local_update_check(&local, "c", AGENT_CRITICAL, "", later);
    (void)agent_local_update_check(&local, "c", AGENT_CRITICAL, "new output",
                                   cu_mono_add_ms(later, 30000));
    ck_assert_str_eq(agent_local_overdue(&local, cu_mono_add_ms(later, 60001)), "web1");
    agent_local_deinit(&local);
}
END_TEST

START_TEST(a_check_needs_its_service) /* http 180 */
{
    struct agent_local local = fresh();
    ck_assert(!put_check(&local, "c", "nosvc", "passing"));
    put_service(&local, "web1", 80);
    ck_assert(put_check(&local, "c", "web1", "passing"));
    ck_assert_str_eq(agent_local_check(&local, "c")->check->service_name, "web");
    ck_assert_str_eq(agent_local_check(&local, "c")->check->node, "n1");
    agent_local_deinit(&local);
}
END_TEST

START_TEST(a_change_of_the_node_is_written) /* agent 58 */
{
    struct agent_local local = fresh();
    struct catalog catalog = {0};
    (void)full_sync(&local, &catalog);
    Curia__V1__Node *node = agent_copy(local.node);
    agent_local_set_node(&local, node);
    ck_assert(agent_local_is_in_sync(&local)); /* the same again */
    Curia__V1__StringMap meta = CURIA__V1__STRING_MAP__INIT;
    Curia__V1__StringMap__EntriesEntry entry = CURIA__V1__STRING_MAP__ENTRIES_ENTRY__INIT;
    Curia__V1__StringMap__EntriesEntry *entries[] = {&entry};
    Curia__V1__Node changed = *node;
    entry.key = "rack";
    entry.value = "7";
    meta.entries = entries;
    meta.n_entries = 1;
    changed.meta = &meta;
    agent_local_set_node(&local, &changed);
    ck_assert_uint_eq(write_all(&local, &catalog), 1);
    ck_assert_str_eq(catalog.node->meta->entries[0]->value, "7");
    agent_copy_free(node);
    agent_local_deinit(&local);
    catalog_free(&catalog);
}
END_TEST

START_TEST(a_restart_flaps_no_check)
{
    struct agent_local local = fresh(), again = fresh();
    struct catalog catalog = {0};
    ck_assert(put_check(&local, "c", "", "passing"));
    (void)agent_local_update_check(&local, "c", AGENT_WARNING, "so so", start);
    (void)full_sync(&local, &catalog);
    ck_assert(put_check(&again, "c", "", "critical")); /* as it comes back from its file */
    ck_assert(put_check(&again, "new", "", "critical"));
    agent_local_check(&again, "c")->awaits_result = true;
    agent_local_check(&again, "new")->awaits_result = true;
    ck_assert_uint_eq(full_sync(&again, &catalog), 1); /* only the new one */
    ck_assert_str_eq(agent_local_check(&again, "c")->check->status, "warning");
    ck_assert_str_eq(agent_local_check(&again, "c")->check->output, "so so");
    ck_assert_str_eq(agent_local_check(&again, "new")->check->status, "critical");
    ck_assert_int_eq(agent_local_update_check(&again, "c", AGENT_WARNING, "so so", start),
                     AGENT_UNCHANGED);
    catalog.checks[0]->status[0] = 'W';
    (void)full_sync(&again, &catalog); /* it has run: what the catalog says is nothing to it */
    ck_assert_str_eq(agent_local_check(&again, "c")->check->status, "warning");
    agent_local_deinit(&local);
    agent_local_deinit(&again);
    catalog_free(&catalog);
}
END_TEST

START_TEST(there_is_a_limit_to_what_a_node_has)
{
    struct agent_local local = fresh();
    char id[16];
    ck_assert(agent_local_has_room(&local, AGENT_SERVICES_MAX, AGENT_CHECKS_MAX));
    ck_assert(!agent_local_has_room(&local, AGENT_SERVICES_MAX + 1, 0));
    ck_assert(!agent_local_has_room(&local, 0, AGENT_CHECKS_MAX + 1));
    for (int i = 0; i < AGENT_SERVICES_MAX; i++) {
        (void)snprintf(id, sizeof id, "s%06d", i);
        put_service(&local, id, 1);
    }
    ck_assert(agent_local_has_room(&local, 0, 1));
    ck_assert(!agent_local_has_room(&local, 1, 0));
    ck_assert_uint_eq(agent_local_service_count(&local), AGENT_SERVICES_MAX);
    agent_local_deinit(&local);
}
END_TEST

START_TEST(a_full_arena_is_told)
{
    struct agent_local local = fresh();
    put_service(&local, "web1", 80);
    ck_assert(put_check(&local, "c", "web1", "passing"));
    for (int pass = 0; pass < 2; pass++) {
        enum cu_err err = CU_E_TOO_LARGE;
        local.node_standing.in_sync = pass == 1;
        for (size_t limit = 16; err; limit += 16) {
            struct cu_arena *arena = cu_arena_new(limit);
            struct agent_action action;
            bool any;
            err = agent_action_next(&local, arena, &action, &any);
            ck_assert(!err || err == CU_E_TOO_LARGE);
            cu_arena_free(arena);
        }
    }
    agent_local_deinit(&local);
}
END_TEST

START_TEST(what_is_put_over_a_service_counts_and_what_was_registered_stays)
{
    struct agent_local local;
    agent_local_init(&local, "n1", 1);
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    service.id = service.service = "web";
    agent_local_put_service(&local, &service, "", AGENT_FROM_API);
    struct agent_local_service *slot = agent_local_service(&local, "web");
    ck_assert(!agent_local_overlay(&local, "web", &service)); /* it counts already */
    slot->standing.in_sync = true;
    service.port = 7;
    ck_assert(agent_local_overlay(&local, "web", &service));
    ck_assert(!slot->standing.in_sync);
    ck_assert_int_eq(slot->service->port, 7);
    ck_assert_int_eq(agent_local_registered(slot)->port, 0);
    ck_assert(agent_local_overlay(&local, "web", agent_local_registered(slot)));
    ck_assert_int_eq(slot->service->port, 0);
    ck_assert(!agent_local_overlay(&local, "nope", &service));
    agent_local_put_service(&local, &service, "", AGENT_FROM_API);
    ck_assert_int_eq(agent_local_registered(slot)->port, 7);
    agent_local_deinit(&local);
}
END_TEST

/* The next write, of which that is asked. */
static struct agent_action next_action(struct agent_local *local, struct cu_arena *arena)
{
    struct agent_action action;
    bool any;
    cu_arena_reset(arena);
    ck_assert_int_eq(agent_action_next(local, arena, &action, &any), CU_OK);
    ck_assert(any);
    return action;
}

#define CHECK_TOKEN(action, kind_, token_, fallback_)                                              \
    do {                                                                                           \
        ck_assert_int_eq((action).kind, kind_);                                                    \
        ck_assert_str_eq((action).token, token_);                                                  \
        ck_assert_int_eq((action).fallback, fallback_);                                            \
    } while (0)

START_TEST(each_write_goes_with_its_token) /* agent 59, 88 */
{
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    struct agent_local local = fresh();
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    service.id = service.service = "web";
    agent_local_put_service(&local, &service, "own", AGENT_FROM_API);
    ck_assert(
        put_check(&local, "other", "web", "passing")); /* without a token: does not go along */
    struct agent_action action = next_action(&local, arena);
    CHECK_TOKEN(action, AGENT_ACT_NODE, "", AGENT_TOKEN_AGENT);
    agent_action_done(&local, &action);
    action = next_action(&local, arena);
    CHECK_TOKEN(action, AGENT_ACT_PUT_SERVICE, "own", AGENT_TOKEN_DEFAULT);
    ck_assert_uint_eq(action.check_count, 0);
    agent_action_done(&local, &action);
    action = next_action(&local, arena);
    CHECK_TOKEN(action, AGENT_ACT_PUT_CHECK, "", AGENT_TOKEN_DEFAULT);
    agent_action_done(&local, &action);
    ck_assert(agent_local_remove_check(&local, "other"));
    action = next_action(&local, arena);
    CHECK_TOKEN(action, AGENT_ACT_DEL_CHECK, "", AGENT_TOKEN_AGENT);
    agent_action_done(&local, &action);
    ck_assert(agent_local_remove_service(&local, "web"));
    action = next_action(&local, arena);
    CHECK_TOKEN(action, AGENT_ACT_DEL_SERVICE, "own", AGENT_TOKEN_AGENT);
    agent_action_done(&local, &action);
    ck_assert(agent_local_is_in_sync(&local));
    cu_arena_free(arena);
    agent_local_deinit(&local);
}
END_TEST

START_TEST(what_rights_forbid_rests_until_the_next_full_sync) /* agent 57, 26 */
{
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    struct agent_local local = fresh();
    struct catalog catalog = {0};
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    service.id = service.service = "web";
    agent_local_put_service(&local, &service, "own", AGENT_FROM_API);
    (void)full_sync(&local, &catalog);
    ck_assert(agent_local_remove_service(&local, "web"));
    struct agent_action action = next_action(&local, arena);
    agent_action_denied(&local, &action);
    ck_assert(agent_local_is_in_sync(&local)); /* nothing is tried again */
    struct agent_remote remote = {
        .node = catalog.node, .services = catalog.services, .service_count = catalog.service_count};
    agent_compare(&local, &remote);
    action = next_action(&local, arena);
    CHECK_TOKEN(action, AGENT_ACT_DEL_SERVICE, "own", AGENT_TOKEN_AGENT);
    agent_action_denied(&local, &action);
    remote.service_count = 0; /* somebody else has removed it */
    agent_compare(&local, &remote);
    ck_assert(agent_local_is_in_sync(&local));
    ck_assert_uint_eq(local.services.count, 0);
    cu_arena_free(arena);
    agent_local_deinit(&local);
    catalog_free(&catalog);
}
END_TEST

SUITE_MAIN("services/agentd/core/local", a_service_and_its_checks_travel_together,
           what_is_removed_behind_its_back_comes_back,
           what_is_only_there_goes_but_what_is_the_servers, what_is_removed_here_leaves_the_catalog,
           tags_are_the_servers_where_it_says_so, an_absent_part_is_an_empty_one,
           an_answer_to_an_older_write_confirms_nothing,
           an_output_alone_is_deferred_a_status_is_not,
           a_status_goes_at_once_and_takes_the_output_along, outputs_can_be_discarded,
           a_service_is_overdue_when_a_check_was_critical_for_too_long, a_check_needs_its_service,
           a_change_of_the_node_is_written, a_restart_flaps_no_check,
           there_is_a_limit_to_what_a_node_has, a_full_arena_is_told,
           what_is_put_over_a_service_counts_and_what_was_registered_stays,
           each_write_goes_with_its_token, what_rights_forbid_rests_until_the_next_full_sync)
