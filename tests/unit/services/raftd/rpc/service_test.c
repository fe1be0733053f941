#include "services/raftd/rpc/service.h"

#include <stdio.h>
#include <string.h>

#include "curia/internal/v1/raft.pb-c.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/raftd/rpc/fixture.h"

static struct fixture *sole(const char *extra)
{
    struct fixture *fixture = fixture_new(1, extra);
    fixture_start(fixture, 1);
    fixture_attach(fixture, 1);
    fixture_wait_leader(fixture);
    return fixture;
}

START_TEST(a_sole_server_leads_at_once_after_the_first_attach) /* consensus 95 */
{
    struct fixture *fixture = fixture_new(1, "");
    fixture_start(fixture, 1);
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, 1);
    ck_assert_str_eq(status->role, "follower");
    ck_assert_uint_eq(status->last_index, 0);
    protobuf_c_message_free_unpacked(&status->base, NULL);
    fixture_attach(fixture, 1);
    ck_assert_uint_eq(fixture_wait_leader(fixture), 1);
    fixture_propose(fixture, 1, 1, "first");
    ck_assert_uint_gt(fixture_wait_entry(fixture, 1, "first"), 0);
    fixture_free(fixture);
}
END_TEST

START_TEST(what_was_acknowledged_is_there_after_a_restart)
{
    struct fixture *fixture = sole("");
    fixture_propose(fixture, 1, 1, "kept");
    uint64_t index = fixture_wait_entry(fixture, 1, "kept");
    fixture_stop(fixture, 1);
    fixture_start(fixture, 1);
    fixture_attach(fixture, 1);
    ck_assert_uint_eq(fixture_wait_leader(fixture), 1);
    ck_assert_uint_eq(fixture_wait_entry(fixture, 1, "kept"), index);
    fixture_free(fixture);
}
END_TEST

static enum cu_err read_index(struct fixture *fixture, unsigned number,
                              Curia__Internal__V1__ReadMode mode, uint64_t *ret_index)
{
    Curia__Internal__V1__ReadIndexRequest in = CURIA__INTERNAL__V1__READ_INDEX_REQUEST__INIT;
    Curia__Internal__V1__ReadIndexReply *reply = NULL;
    in.mode = mode;
    enum cu_err err =
        fixture_call(fixture, fixture->servers[number - 1].catalogd, "ReadIndex", &in.base, &reply);
    if (!err)
        *ret_index = reply->index;
    if (reply)
        protobuf_c_message_free_unpacked(&reply->base, NULL);
    return err;
}

START_TEST(a_read_index_covers_every_acknowledged_write) /* contracts 3.7 */
{
    struct fixture *fixture = sole("");
    for (uint64_t seq = 1; seq <= 3; seq++) {
        uint64_t index = 0;
        fixture_propose(fixture, 1, seq, "x");
        ck_assert_uint_eq(
            read_index(fixture, 1, CURIA__INTERNAL__V1__READ_MODE__READ_DEFAULT, &index), CU_OK);
        ck_assert_uint_ge(index, seq + 1);
        ck_assert_uint_eq(
            read_index(fixture, 1, CURIA__INTERNAL__V1__READ_MODE__READ_CONSISTENT, &index), CU_OK);
        ck_assert_uint_ge(index, seq + 1);
    }
    fixture_free(fixture);
}
END_TEST

static bool is_done(void *arg)
{
    return ((struct fixture_answer *)arg)->is_done;
}

START_TEST(a_follow_parks_until_there_is_more) /* consensus 75 */
{
    struct fixture *fixture = sole("");
    struct cu_client *client = fixture->servers[0].catalogd;
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, 1);
    Curia__Internal__V1__Position after = CURIA__INTERNAL__V1__POSITION__INIT;
    Curia__Internal__V1__FollowRequest in = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
    struct fixture_answer answer;
    after.cluster_id = status->cluster_id;
    after.index = status->commit_index;
    after.term = status->term;
    in.after = &after;
    in.wait_ms = 5000;
    (void)fixture_begin(fixture, client, "Follow", &in.base, &answer);
    protobuf_c_message_free_unpacked(&fixture_status(fixture, 1)->base, NULL);
    ck_assert(!is_done(&answer));
    fixture_propose(fixture, 1, 1, "wakes");
    fixture_end(fixture, &answer);
    ck_assert_uint_eq(answer.err, CU_OK);
    Curia__Internal__V1__FollowReply *reply = (Curia__Internal__V1__FollowReply *)answer.reply;
    ck_assert_int_eq(reply->outcome, CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_ENTRIES);
    ck_assert_uint_eq(reply->entries[0]->index, after.index + 1);
    fixture_answer_deinit(&answer);

    after.index += 1; /* nothing more: the wait ends by itself */
    in.wait_ms = 50;
    (void)fixture_begin(fixture, client, "Follow", &in.base, &answer);
    fixture_end(fixture, &answer);
    reply = (Curia__Internal__V1__FollowReply *)answer.reply;
    ck_assert_int_eq(reply->outcome, CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_NOTHING);
    ck_assert_uint_eq(reply->upto, after.index);
    fixture_answer_deinit(&answer);
    protobuf_c_message_free_unpacked(&status->base, NULL);
    fixture_free(fixture);
}
END_TEST

START_TEST(a_position_of_another_cluster_has_diverged) /* consensus 76 */
{
    struct fixture *fixture = sole("");
    uint8_t other[16] = {42};
    Curia__Internal__V1__Position after = CURIA__INTERNAL__V1__POSITION__INIT;
    Curia__Internal__V1__FollowRequest in = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
    Curia__Internal__V1__FollowReply *reply = NULL;
    after.cluster_id = (ProtobufCBinaryData){sizeof other, other};
    after.index = after.term = 1;
    in.after = &after;
    in.wait_ms = 5000;
    ck_assert_uint_eq(
        fixture_call(fixture, fixture->servers[0].catalogd, "Follow", &in.base, &reply), CU_OK);
    ck_assert_int_eq(reply->outcome, CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_DIVERGED);
    ck_assert_uint_eq(reply->cluster_id.len, 16);
    protobuf_c_message_free_unpacked(&reply->base, NULL);
    fixture_free(fixture);
}
END_TEST

static Curia__Internal__V1__FollowReply *follow(struct fixture *fixture, uint64_t after,
                                                uint64_t durable, uint32_t wait_ms)
{
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, 1);
    Curia__Internal__V1__Position at[2];
    Curia__Internal__V1__FollowRequest in = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
    Curia__Internal__V1__FollowReply *reply = NULL;
    for (int i = 0; i < 2; i++) {
        curia__internal__v1__position__init(&at[i]);
        at[i].index = i ? durable : after;
        if (!at[i].index)
            continue;
        at[i].cluster_id = status->cluster_id;
        at[i].term = status->term;
    }
    in.after = &at[0];
    in.durable = &at[1];
    in.wait_ms = wait_ms;
    ck_assert_uint_eq(
        fixture_call(fixture, fixture->servers[0].catalogd, "Follow", &in.base, &reply), CU_OK);
    protobuf_c_message_free_unpacked(&status->base, NULL);
    return reply;
}

static bool is_written(void *arg)
{
    struct fixture *fixture = arg;
    static uint64_t before;
    uint64_t now = cu_metrics_counter(fixture->servers[0].env.metrics, "raft.fsyncs")->value;
    if (!before)
        before = now;
    return now > before;
}

START_TEST(the_log_is_cut_below_the_durable_index_less_the_trailing) /* consensus 48, 76, 77 */
{
    struct fixture *fixture = sole("\"raft_trailing_logs\":10");
    for (uint64_t seq = 1; seq <= 50; seq++)
        fixture_propose(fixture, 1, seq, "x");
    Curia__Internal__V1__FollowReply *reply = follow(fixture, 20, 30, 0);
    ck_assert_uint_ne(reply->outcome, CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_COMPACTED);
    protobuf_c_message_free_unpacked(&reply->base, NULL);
    reply = follow(fixture, 19, 0, 0);
    ck_assert_int_eq(reply->outcome, CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_COMPACTED);
    ck_assert_uint_eq(reply->floor, 20);
    protobuf_c_message_free_unpacked(&reply->base, NULL);
    (void)is_written(fixture);
    fixture_wait(fixture, is_written, fixture, "the floor on disk");
    fixture_stop(fixture, 1);
    fixture_start(fixture, 1);
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, 1);
    ck_assert_uint_eq(status->floor, 20);
    ck_assert_uint_gt(status->last_index, 50);
    protobuf_c_message_free_unpacked(&status->base, NULL);
    fixture_free(fixture);
}
END_TEST

static void fill(uint8_t *bytes, Curia__Internal__V1__Proposal *row, uint64_t seq, size_t len)
{
    static uint8_t proposer[16] = {1};
    curia__internal__v1__proposal__init(row);
    row->proposer = (ProtobufCBinaryData){sizeof proposer, proposer};
    row->seq = seq;
    row->body = (ProtobufCBinaryData){len, bytes};
}

START_TEST(a_refusal_is_answered_at_once_and_the_rest_is_in_the_feed) /* consensus 93 */
{
    struct fixture *fixture = sole("");
    static uint8_t big[RAFT_ENTRY_LIMIT_BYTES + 1];
    Curia__Internal__V1__Proposal rows[3], *list[3] = {&rows[0], &rows[1], &rows[2]};
    Curia__Internal__V1__ProposeRequest in = CURIA__INTERNAL__V1__PROPOSE_REQUEST__INIT;
    Curia__Internal__V1__ProposeReply *reply = NULL;
    fill((uint8_t *)"one", &rows[0], 1, 3);
    fill(big, &rows[1], 2, sizeof big);
    fill((uint8_t *)"three", &rows[2], 3, 5);
    in.n_proposals = 3;
    in.proposals = list;
    ck_assert_uint_eq(
        fixture_call(fixture, fixture->servers[0].catalogd, "Propose", &in.base, &reply), CU_OK);
    ck_assert_uint_eq(reply->n_refusals, 1);
    ck_assert_uint_eq(reply->refusals[0]->seq, 2);
    ck_assert_uint_eq(cu_err_from_wire(reply->refusals[0]->error), CU_E_TOO_LARGE);
    protobuf_c_message_free_unpacked(&reply->base, NULL);
    fixture_wait_entry(fixture, 1, "one");
    fixture_wait_entry(fixture, 1, "three");
    fixture_free(fixture);
}
END_TEST

static uint64_t last_index(struct fixture *fixture, unsigned number)
{
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, number);
    uint64_t index = status->last_index;
    protobuf_c_message_free_unpacked(&status->base, NULL);
    return index;
}

START_TEST(a_server_that_stops_does_not_call_an_open_proposal_undone) /* contracts 1.9 */
{
    struct fixture *fixture = fixture_new(3, "");
    for (unsigned i = 1; i <= 3; i++)
        fixture_start(fixture, i);
    for (unsigned i = 1; i <= 3; i++)
        fixture_attach(fixture, i);
    unsigned leader = fixture_wait_leader(fixture);
    for (unsigned i = 1; i <= 3; i++)
        if (i != leader)
            fixture_stop(fixture, i);
    Curia__Internal__V1__Proposal row, *list[1] = {&row};
    Curia__Internal__V1__ProposeRequest in = CURIA__INTERNAL__V1__PROPOSE_REQUEST__INIT;
    fill((uint8_t *)"open", &row, 1, 4);
    in.n_proposals = 1;
    in.proposals = list;
    struct fixture_answer answer;
    struct fixture_server *server = &fixture->servers[leader - 1];
    uint64_t before = last_index(fixture, leader);
    (void)fixture_begin(fixture, server->catalogd, "Propose", &in.base, &answer);
    while (last_index(fixture, leader) == before)
        continue;
    fixture_stop(fixture, leader);
    fixture_end(fixture, &answer);
    ck_assert(answer.err == CU_E_UNKNOWN || answer.err == CU_E_DISCONNECTED);
    fixture_answer_deinit(&answer);
    fixture_free(fixture);
}
END_TEST

START_TEST(an_entry_of_full_size_goes_through) /* consensus 65 */
{
    struct fixture *fixture = sole("");
    static char body[RAFT_ENTRY_LIMIT_BYTES + 1];
    memset(body, 'x', RAFT_ENTRY_LIMIT_BYTES);
    fixture_propose(fixture, 1, 1, body);
    fixture_wait_entry(fixture, 1, body);
    fixture_free(fixture);
}
END_TEST

START_TEST(a_call_over_its_limit_is_refused_whole)
{
    enum { LIMIT = 3 * 1024 * 1024 };
    struct fixture *fixture = sole("");
    static uint8_t bytes[LIMIT];
    Curia__Internal__V1__Proposal row, *list = &row;
    Curia__Internal__V1__ProposeRequest in = CURIA__INTERNAL__V1__PROPOSE_REQUEST__INIT;
    Curia__Internal__V1__ProposeReply *reply = NULL;
    in.n_proposals = 1;
    in.proposals = &list;
    fill(bytes, &row, 1, 0);
    size_t heads =
        protobuf_c_message_get_packed_size(&in.base) + 8; /* lengths grow, a body has a tag */
    for (size_t over = 0; over < 2; over++) {
        fill(bytes, &row, 1, LIMIT - heads - 16);
        while (protobuf_c_message_get_packed_size(&in.base) < LIMIT + over)
            row.body.len++;
        enum cu_err err =
            fixture_call(fixture, fixture->servers[0].catalogd, "Propose", &in.base, &reply);
        ck_assert_uint_eq(err, over ? CU_E_TOO_LARGE : CU_OK);
        if (reply) { /* heard, but no entry may be that long */
            ck_assert_uint_eq(cu_err_from_wire(reply->refusals[0]->error), CU_E_TOO_LARGE);
            protobuf_c_message_free_unpacked(&reply->base, NULL);
        }
    }
    fixture_free(fixture);
}
END_TEST

START_TEST(malformed_requests_are_refused_with_words)
{
    struct fixture *fixture = sole("");
    struct cu_client *client = fixture->servers[0].catalogd;
    Curia__Internal__V1__ProposeRequest none = CURIA__INTERNAL__V1__PROPOSE_REQUEST__INIT;
    Curia__Internal__V1__Proposal row = CURIA__INTERNAL__V1__PROPOSAL__INIT, *list = &row;
    Curia__Internal__V1__Position after = CURIA__INTERNAL__V1__POSITION__INIT;
    Curia__Internal__V1__FollowRequest follow = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    ck_assert_uint_eq(fixture_call(fixture, client, "Propose", &none.base, &reply), CU_E_INVALID);
    none.n_proposals = 1;
    none.proposals = &list; /* without a proposer */
    ck_assert_uint_eq(fixture_call(fixture, client, "Propose", &none.base, &reply), CU_E_INVALID);
    after.cluster_id = (ProtobufCBinaryData){3, (uint8_t *)"abc"};
    follow.after = &after;
    ck_assert_uint_eq(fixture_call(fixture, client, "Follow", &follow.base, &reply), CU_E_INVALID);
    fixture_free(fixture);
}
END_TEST

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
    struct fixture *fixture = sole("");
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
    struct fixture *fixture = sole(extra);
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
    struct fixture *fixture = sole(extra);
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
    struct fixture *fixture = sole(extra);
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
    reply = follow(fixture, 20, 40, 0); /* the attached one is durable at 40 */
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

static void note_error(void *arg, const struct cu_answer *answer)
{
    struct fixture_answer *to = arg;
    to->is_done = true;
    to->err = answer->err;
}

START_TEST(a_peer_that_sends_nonsense_is_refused)
{
    /* clang-format off */
    static const struct { uint32_t kind; const char *to; } cases[] = {
        {RAFT_MSG_VOTE_ANSWER, "00000000-0000-0000-0000-000000000001"}, /* nobody asked */
        {RAFT_MSG_IGNORED,     "00000000-0000-0000-0000-000000000001"},
        {RAFT_MSG_VOTE,        "00000000-0000-0000-0000-000000000002"}, /* not us */
        {99,                   "00000000-0000-0000-0000-000000000001"},
        {RAFT_MSG_VOTE,        "nobody"},
    };
    /* clang-format on */
    struct fixture *fixture = sole("");
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct fixture_answer answer = {.fixture = fixture, .method = "Step"};
        Curia__Internal__V1__RaftMessage in = CURIA__INTERNAL__V1__RAFT_MESSAGE__INIT;
        in.kind = cases[i].kind;
        in.from = "00000000-0000-0000-0000-0000000000ff";
        in.to = (char *)cases[i].to;
        (void)cu_client_call(
            fixture->servers[0].catalogd,
            &(struct cu_call_spec){.service = &curia__internal__v1__raft__descriptor,
                                   .method = "Step",
                                   .in = &in.base,
                                   .timeout_ms = 1000},
            note_error, &answer);
        fixture_end(fixture, &answer);
        ck_assert_uint_eq(answer.err, CU_E_INVALID);
    }
    fixture_propose(fixture, 1, 1, "unharmed");
    fixture_free(fixture);
}
END_TEST

SUITE_MAIN("services/raftd/rpc/service", a_sole_server_leads_at_once_after_the_first_attach,
           what_was_acknowledged_is_there_after_a_restart,
           a_read_index_covers_every_acknowledged_write, a_follow_parks_until_there_is_more,
           a_position_of_another_cluster_has_diverged,
           the_log_is_cut_below_the_durable_index_less_the_trailing,
           a_refusal_is_answered_at_once_and_the_rest_is_in_the_feed,
           a_server_that_stops_does_not_call_an_open_proposal_undone,
           an_entry_of_full_size_goes_through, a_call_over_its_limit_is_refused_whole,
           malformed_requests_are_refused_with_words,
           the_leader_grants_duty_and_a_new_attach_ends_it, duty_is_for_the_attached_catalogd_alone,
           a_lost_connection_detaches_its_catalogd, an_address_says_what_a_remote_peer_may_call,
           a_reader_follows_and_learns_where_writes_go,
           consensus_90_readers_hold_no_duty_and_do_not_hold_back_the_log,
           a_peer_that_sends_nonsense_is_refused)
