#include "services/catalogd/core/member.h"

#include <string.h>

#include "services/catalogd/core/register.h"
#include "tests/lib/members.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

#define ID_1 MEMBER_ID

static const struct catalog_member_self self = {"n1", "dc1"};

static enum catalog_member_deed decide(struct state *state, const struct member *given,
                                       Curia__Internal__V1__RegisterCommand **ret_command)
{
    struct catalog_view view = state_view(state);
    struct catalog_member_seen seen;
    enum catalog_member_deed deed;
    const catalog_member *member = member_of(state->arena, given);
    ck_assert_int_eq(catalog_member_look(&view, member->name, state->arena, &seen), CU_OK);
    ck_assert_int_eq(catalog_member_decide(&self, member, &seen, state->arena, &deed, ret_command),
                     CU_OK);
    return deed;
}

/* Does what is decided, as the duty would; what it was is returned. */
static enum catalog_member_deed reconcile(struct state *state, const struct member *given)
{
    Curia__Internal__V1__RegisterCommand *body = NULL;
    enum catalog_member_deed deed = decide(state, given, &body);
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    command.register_node = body;
    if (deed == CATALOG_MEMBER_REGISTER)
        ck_assert_str_eq(state_command(state, &command).result->text, "");
    if (deed == CATALOG_MEMBER_DEREGISTER)
        state_deregister(state, given->name, NULL, NULL);
    return deed;
}

static const struct member client = {.name = "c1", .address = "10.0.0.4", .tags = CLIENT_TAGS},
                           server = {.name = "s2", .address = "10.0.0.2", .tags = SERVER_TAGS};

/* The same member in another status. */
#define AS(of, status_)                                                                            \
    (struct member)                                                                                \
    {                                                                                              \
        (of).name, (of).address, (of).tags, CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_##status_   \
    }

STATE_TEST(an_alive_client_is_a_node_that_passes_agent_61)
{
    ck_assert_int_eq(reconcile(state, &client), CATALOG_MEMBER_REGISTER);
    Curia__V1__Check *check = state_check(state, "c1", "serfHealth");
    ck_assert_str_eq(state_node(state, "c1")->address, "10.0.0.4");
    ck_assert_str_eq(state_node(state, "c1")->id, ID_1);
    ck_assert_str_eq(state_node(state, "c1")->datacenter, "dc1");
    ck_assert_str_eq(check->name, "Serf Health Status");
    ck_assert_str_eq(check->status, "passing");
    ck_assert_str_eq(check->output, "Agent alive and reachable");
    ck_assert_ptr_null(state_service(state, "c1", "consul"));
    ck_assert_int_eq(reconcile(state, &client), CATALOG_MEMBER_KEEP); /* it is correct now */
}

STATE_TEST(a_server_bears_the_service_consul_with_its_meta_agent_62)
{
    static const char *const meta[][2] = {
        {"non_voter", "false"},         {"raft_version", "3"},      {"read_replica", "true"},
        {"serf_protocol_current", "2"}, {"serf_protocol_max", "5"}, {"serf_protocol_min", "1"},
        {"version", "1.9.8"},
    };
    ck_assert_int_eq(reconcile(state, &server), CATALOG_MEMBER_REGISTER);
    Curia__V1__Service *service = state_service(state, "s2", "consul");
    ck_assert_str_eq(service->service, "consul");
    ck_assert_int_eq(service->port, 8300);
    ck_assert_int_eq(service->weights->passing, 1);
    ck_assert_uint_eq(service->n_tags, 0);
    ck_assert_uint_eq(service->meta->n_entries, CU_COUNT(meta));
    for (size_t i = 0; i < CU_COUNT(meta); i++) {
        ck_assert_str_eq(service->meta->entries[i]->key, meta[i][0]);
        ck_assert_str_eq(service->meta->entries[i]->value, meta[i][1]);
    }
    ck_assert_int_eq(reconcile(state, &server), CATALOG_MEMBER_KEEP);
    struct member newer = server;
    newer.tags = "role=consul,dc=dc1,id=" ID_1 ",port=8300,vsn=2,build=2.0.0:,raft_vsn=3,"
                 "read_replica=1";
    ck_assert_int_eq(reconcile(state, &newer), CATALOG_MEMBER_REGISTER);
    ck_assert_int_eq(reconcile(state, &newer), CATALOG_MEMBER_KEEP);
}

STATE_TEST(what_the_agent_said_of_its_node_stays)
{
    state_registers(state, &(struct reg){.node = "c1", .id = ID_1, .node_meta = "k=v"});
    ck_assert_int_eq(reconcile(state, &client), CATALOG_MEMBER_REGISTER); /* no serfHealth yet */
    ck_assert_str_eq(state_node(state, "c1")->meta->entries[0]->value, "v");
    ck_assert_str_eq(state_node(state, "c1")->address, "10.0.0.4");
}

STATE_TEST(a_failed_member_turns_critical_and_keeps_its_node_agent_61)
{
    (void)reconcile(state, &client);
    struct member moved = AS(client, FAILED);
    moved.address = "10.9.9.9";
    ck_assert_int_eq(reconcile(state, &moved), CATALOG_MEMBER_REGISTER);
    ck_assert_str_eq(state_check(state, "c1", "serfHealth")->status, "critical");
    ck_assert_str_eq(state_check(state, "c1", "serfHealth")->output,
                     "Agent not live or unreachable");
    ck_assert_str_eq(state_node(state, "c1")->address, "10.0.0.4");
    ck_assert_int_eq(reconcile(state, &moved), CATALOG_MEMBER_KEEP);
    ck_assert_int_eq(reconcile(state, &client), CATALOG_MEMBER_REGISTER); /* it is back */
    ck_assert_str_eq(state_check(state, "c1", "serfHealth")->status, "passing");
}

STATE_TEST(a_failed_member_that_the_catalog_does_not_know_is_ignored)
{
    ck_assert_int_eq(reconcile(state, &AS(client, FAILED)), CATALOG_MEMBER_KEEP);
    ck_assert_ptr_null(state_node(state, "c1"));
}

STATE_TEST(who_left_or_was_reaped_is_deregistered_agent_61)
{
    (void)reconcile(state, &client);
    state_registers(state, &(struct reg){.node = "c1", .skip_node_update = true, .service = "web"});
    ck_assert_int_eq(reconcile(state, &AS(client, LEAVING)), CATALOG_MEMBER_KEEP);
    ck_assert_int_eq(reconcile(state, &AS(client, LEFT)), CATALOG_MEMBER_DEREGISTER);
    ck_assert_ptr_null(state_node(state, "c1"));
    ck_assert_int_eq(reconcile(state, &AS(client, LEFT)), CATALOG_MEMBER_KEEP);
    (void)reconcile(state, &server);
    ck_assert_int_eq(reconcile(state, &AS(server, REAPED)), CATALOG_MEMBER_DEREGISTER);
}

STATE_TEST(this_node_never_deregisters_itself)
{
    struct member own = server;
    own.name = "N1"; /* names are the same under any case */
    (void)reconcile(state, &own);
    ck_assert_int_eq(reconcile(state, &AS(own, LEFT)), CATALOG_MEMBER_KEEP);
    ck_assert_ptr_nonnull(state_node(state, "n1"));
}

STATE_TEST(others_than_agents_of_this_datacenter_are_left_alone)
{
    static const char *const tags[] = {
        "",
        "role=web,dc=dc1",
        "role=node,dc=dc2",
        "role=consul,dc=dc2,port=8300,vsn=2,build=1.9.8:",
        "role=consul,dc=dc1,port=0,vsn=2,build=1.9.8:", /* no server, nor a client */
        "role=consul,dc=dc1,port=65536,vsn=2,build=1.9.8:",
        "role=consul,dc=dc1,port=8300,vsn=x,build=1.9.8:",
        "role=consul,dc=dc1,port=8300,vsn=2",
    };
    for (size_t i = 0; i < CU_COUNT(tags); i++) {
        struct member other = client;
        other.tags = tags[i];
        ck_assert_int_eq(reconcile(state, &other), CATALOG_MEMBER_KEEP);
        state_registers(state, &(struct reg){.node = "c1"});
        ck_assert_int_eq(reconcile(state, &AS(other, LEFT)), CATALOG_MEMBER_KEEP);
        state_deregister(state, "c1", NULL, NULL);
    }
}

START_TEST(a_full_arena_is_said)
{
    struct cu_arena *arena = cu_arena_new(64 * 1024), *small;
    const catalog_member *member = member_of(arena, &server);
    struct catalog_member_seen seen = {NULL, NULL, NULL};
    Curia__Internal__V1__RegisterCommand *command;
    enum catalog_member_deed deed;
    enum cu_err err = CU_E_TOO_LARGE;
    for (size_t limit = 0; err == CU_E_TOO_LARGE; limit += 16) {
        small = cu_arena_new(limit);
        err = catalog_member_decide(&self, member, &seen, small, &deed, &command);
        cu_arena_free(small);
    }
    ck_assert_int_eq(err, CU_OK);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("catalogd/core/member", an_alive_client_is_a_node_that_passes_agent_61,
           a_server_bears_the_service_consul_with_its_meta_agent_62,
           what_the_agent_said_of_its_node_stays,
           a_failed_member_turns_critical_and_keeps_its_node_agent_61,
           a_failed_member_that_the_catalog_does_not_know_is_ignored,
           who_left_or_was_reaped_is_deregistered_agent_61, this_node_never_deregisters_itself,
           others_than_agents_of_this_datacenter_are_left_alone, a_full_arena_is_said)
