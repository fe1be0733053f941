/* Who is attached and on duty, and who may call what from where. */
#include "services/raftd/rpc/service.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/raftd/rpc/fixture.h"

/* ---- duty ---- */

static Curia__Internal__V1__DutyReply *poll_duty(struct fixture *fixture, unsigned number,
                                                 ProtobufCBinaryData ticket, uint32_t wait_ms)
{
    Curia__Internal__V1__DutyRequest in = CURIA__INTERNAL__V1__DUTY_REQUEST__INIT;
    Curia__Internal__V1__DutyReply *reply = NULL;
    in.ticket = ticket;
    in.wait_ms = wait_ms;
    in.gossip_well = in.apply_well = true;
    ck_assert_uint_eq(
        fixture_call(fixture, fixture->servers[number - 1].catalogd, "Duty", &in.base, &reply),
        CU_OK);
    return reply;
}

START_TEST(the_leader_grants_duty_and_a_new_attach_ends_it) /* contracts 5.1, consensus 83 */
{
    struct fixture *fixture = fixture_sole("");
    ProtobufCBinaryData none = {0, NULL};
    Curia__Internal__V1__DutyReply *first = poll_duty(fixture, 1, none, 500);
    ck_assert(first->on);
    ck_assert_uint_eq(first->ticket.len, 16);
    ck_assert_uint_gt(first->noop_index, 0);
    fixture_attach(fixture, 1);
    Curia__Internal__V1__DutyReply *second = poll_duty(fixture, 1, none, 500);
    ck_assert(second->on);
    ck_assert(memcmp(second->ticket.data, first->ticket.data, 16) != 0);
    Curia__Internal__V1__DutyReply *held = poll_duty(fixture, 1, second->ticket, 50);
    ck_assert(held->on); /* nothing changed: the poll ended by its wait */
    protobuf_c_message_free_unpacked(&held->base, NULL);
    protobuf_c_message_free_unpacked(&second->base, NULL);
    protobuf_c_message_free_unpacked(&first->base, NULL);
    fixture_free(fixture);
}
END_TEST

START_TEST(duty_is_for_the_attached_catalogd_alone) /* contracts 3.8 */
{
    struct fixture *fixture = fixture_new(1, "");
    fixture_start(fixture, 1);
    Curia__Internal__V1__DutyRequest in = CURIA__INTERNAL__V1__DUTY_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    ck_assert_uint_eq(fixture_call(fixture, fixture->servers[0].catalogd, "Duty", &in.base, &reply),
                      CU_E_NOT_READY);
    fixture_free(fixture);
}
END_TEST

static bool is_detached(void *arg)
{
    struct fixture *fixture = arg;
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, 1);
    bool detached = !*status->attached_address;
    protobuf_c_message_free_unpacked(&status->base, NULL);
    return detached;
}

START_TEST(a_lost_connection_detaches_its_catalogd)
{
    struct fixture *fixture = fixture_new(1, "");
    char url[300];
    fixture_start(fixture, 1);
    fixture_attach(fixture, 1);
    ck_assert(!is_detached(fixture));
    snprintf(url, sizeof url, "ipc://%s/raftd.sock", fixture->servers[0].dir);
    struct cu_client *old = fixture->servers[0].catalogd;
    fixture->servers[0].catalogd = cu_client_new(fixture->rpc, url, NULL, NULL);
    cu_client_free(old);
    while (!cu_client_is_up(fixture->servers[0].catalogd))
        cu_loop_turn(fixture->loop, true);
    fixture_wait(fixture, is_detached, fixture, "the detach");
    fixture_free(fixture);
}
END_TEST

/* ---- callers ---- */

struct remote {
    struct cu_rpc *rpc;
    struct cu_client *client;
};

static struct remote dial_from(struct fixture *fixture, unsigned host)
{
    char ip[32], url[64];
    struct remote remote;
    remote.rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = fixture->loop,
                                                     .daemon = "catalogd",
                                                     .node_id = "",
                                                     .node_name = "",
                                                     .datacenter = "dc1"});
    cu_rpc_set_source_address(remote.rpc, fixture_ip(host, ip));
    snprintf(url, sizeof url, "tcp://%s:8310", fixture->servers[0].ip);
    remote.client = cu_client_new(remote.rpc, url, NULL, NULL);
    while (!cu_client_is_up(remote.client))
        cu_loop_turn(fixture->loop, true);
    return remote;
}

START_TEST(an_address_says_what_a_remote_peer_may_call) /* contracts 2.3, 3.8 */
{
    /* clang-format off */
    enum { SERVER = 2, READER = 9, STRANGER = 10 };
    static const struct { unsigned from; const char *method; enum cu_err want; } cases[] = {
        {SERVER,   "Status",    CU_OK},
        {SERVER,   "Propose",   CU_E_INVALID}, /* heard: it proposes nothing */
        {SERVER,   "Duty",      CU_E_DENIED},
        {READER,   "Status",    CU_OK},
        {READER,   "ReadIndex", CU_OK},
        {READER,   "Propose",   CU_E_DENIED},
        {READER,   "Hold",      CU_E_DENIED},
        {READER,   "Attach",    CU_E_DENIED}, /* but as a reader, below */
        {STRANGER, "Status",    CU_E_DENIED},
        {STRANGER, "Follow",    CU_E_DENIED},
    };
    /* clang-format on */
    char server[32], reader[32], extra[300];
    snprintf(extra, sizeof extra,
             "\"raftd\":{\"readers\":[\"%s\"],\"peers\":[{\"id\":\"00000000-0000-0000-0000-"
             "0000000000ff\",\"address\":\"%s\"}]}",
             fixture_ip(READER, reader), fixture_ip(SERVER, server));
    struct fixture *fixture = fixture_sole(extra);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        static const ProtobufCBinaryData none;
        struct remote remote = dial_from(fixture, cases[i].from);
        const ProtobufCMethodDescriptor *method = protobuf_c_service_descriptor_get_method_by_name(
            &curia__internal__v1__log__descriptor, cases[i].method);
        ProtobufCMessage *in = protobuf_c_message_unpack(method->input, NULL, 0, none.data),
                         *reply = NULL;
        ck_assert_msg(fixture_call(fixture, remote.client, cases[i].method, in, &reply) ==
                          cases[i].want,
                      "%s from %u", cases[i].method, cases[i].from);
        if (reply)
            protobuf_c_message_free_unpacked(reply, NULL);
        protobuf_c_message_free_unpacked(in, NULL);
        cu_rpc_free(remote.rpc);
    }
    fixture_free(fixture);
}
END_TEST

START_TEST(a_reader_follows_and_learns_where_writes_go) /* contracts 3.8 */
{
    char reader[32], extra[200];
    snprintf(extra, sizeof extra, "\"raftd\":{\"readers\":[\"%s\"]}", fixture_ip(9, reader));
    struct fixture *fixture = fixture_sole(extra);
    struct remote remote = dial_from(fixture, 9);
    Curia__Internal__V1__AttachRequest attach = CURIA__INTERNAL__V1__ATTACH_REQUEST__INIT;
    Curia__Internal__V1__AttachReply *attached = NULL;
    Curia__Internal__V1__FollowRequest in = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
    Curia__Internal__V1__FollowReply *reply = NULL;
    attach.reader = true;
    ck_assert_uint_eq(fixture_call(fixture, remote.client, "Attach", &attach.base, &attached),
                      CU_OK);
    ck_assert_str_eq(attached->attached_address, fixture->servers[0].ip);
    ck_assert_uint_eq(attached->cluster_id.len, 16);
    in.wait_ms = 1000;
    ck_assert_uint_eq(fixture_call(fixture, remote.client, "Follow", &in.base, &reply), CU_OK);
    ck_assert_int_eq(reply->outcome, CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_ENTRIES);
    ck_assert_str_eq(reply->attached_address, fixture->servers[0].ip);
    protobuf_c_message_free_unpacked(&reply->base, NULL);
    protobuf_c_message_free_unpacked(&attached->base, NULL);
    cu_rpc_free(remote.rpc);
    fixture_propose(fixture, 1, 1, "undisturbed");
    fixture_free(fixture);
}
END_TEST

static Curia__Internal__V1__FollowReply *follow_as(struct fixture *fixture,
                                                   const struct remote *remote, uint64_t index)
{
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, 1);
    Curia__Internal__V1__FollowRequest in = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
    Curia__Internal__V1__Position after = CURIA__INTERNAL__V1__POSITION__INIT, durable;
    Curia__Internal__V1__FollowReply *reply = NULL;
    after.cluster_id = status->cluster_id;
    after.index = index;
    after.term = status->term;
    durable = after;
    durable.index = status->last_index; /* what only the attached one may say */
    in.after = &after;
    in.durable = &durable;
    ck_assert_uint_eq(fixture_call(fixture, remote->client, "Follow", &in.base, &reply), CU_OK);
    protobuf_c_message_free_unpacked(&status->base, NULL);
    return reply;
}

START_TEST(consensus_90_readers_hold_no_duty_and_do_not_hold_back_the_log)
{
    enum { READERS = 5 };
    char first[32], extra[200];
    snprintf(extra, sizeof extra, "\"raft_trailing_logs\":10,\"raftd\":{\"readers\":[\"%s/28\"]}",
             fixture_ip(16, first));
    struct fixture *fixture = fixture_sole(extra);
    struct remote readers[READERS];
    for (unsigned i = 0; i < READERS; i++) {
        Curia__Internal__V1__AttachRequest attach = CURIA__INTERNAL__V1__ATTACH_REQUEST__INIT;
        Curia__Internal__V1__AttachReply *attached = NULL;
        Curia__Internal__V1__DutyRequest duty = CURIA__INTERNAL__V1__DUTY_REQUEST__INIT;
        ProtobufCMessage *none = NULL;
        readers[i] = dial_from(fixture, 17 + i);
        attach.reader = true;
        ck_assert_uint_eq(
            fixture_call(fixture, readers[i].client, "Attach", &attach.base, &attached), CU_OK);
        protobuf_c_message_free_unpacked(&attached->base, NULL);
        duty.gossip_well = duty.apply_well = true;
        ck_assert_uint_eq(fixture_call(fixture, readers[i].client, "Duty", &duty.base, &none),
                          CU_E_DENIED);
    }
    for (uint64_t seq = 1; seq <= 50; seq++)
        fixture_propose(fixture, 1, seq, "x");
    Curia__Internal__V1__FollowReply *reply;
    for (unsigned i = 0; i < READERS; i++) { /* so far they have come, and no further */
        reply = follow_as(fixture, &readers[i], 2);
        ck_assert_int_eq(reply->outcome, CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_ENTRIES);
        protobuf_c_message_free_unpacked(&reply->base, NULL);
    }
    reply = fixture_follow(fixture, 20, 40, 0); /* the attached one is durable at 40 */
    protobuf_c_message_free_unpacked(&reply->base, NULL);
    for (unsigned i = 0; i < READERS; i++) {
        reply = follow_as(fixture, &readers[i], 2);
        ck_assert_int_eq(reply->outcome, CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_COMPACTED);
        ck_assert_uint_eq(reply->floor, 30);
        protobuf_c_message_free_unpacked(&reply->base, NULL);
        cu_rpc_free(readers[i].rpc);
    }
    fixture_free(fixture);
}
END_TEST

SUITE_MAIN("services/raftd/rpc/callers", the_leader_grants_duty_and_a_new_attach_ends_it,
           duty_is_for_the_attached_catalogd_alone, a_lost_connection_detaches_its_catalogd,
           an_address_says_what_a_remote_peer_may_call, a_reader_follows_and_learns_where_writes_go,
           consensus_90_readers_hold_no_duty_and_do_not_hold_back_the_log)
