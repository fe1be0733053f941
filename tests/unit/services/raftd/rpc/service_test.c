#include "services/raftd/rpc/service.h"

#include <stdio.h>
#include <string.h>

#include "curia/internal/v1/raft.pb-c.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/raftd/rpc/fixture.h"

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
    struct fixture *fixture = fixture_sole("");
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
    struct fixture *fixture = fixture_sole("");
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
    struct fixture *fixture = fixture_sole("");
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
    struct fixture *fixture = fixture_sole("");
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
    struct fixture *fixture = fixture_sole("\"raft_trailing_logs\":10");
    for (uint64_t seq = 1; seq <= 50; seq++)
        fixture_propose(fixture, 1, seq, "x");
    Curia__Internal__V1__FollowReply *reply = fixture_follow(fixture, 20, 30, 0);
    ck_assert_uint_ne(reply->outcome, CURIA__INTERNAL__V1__FOLLOW_OUTCOME__FOLLOW_COMPACTED);
    protobuf_c_message_free_unpacked(&reply->base, NULL);
    reply = fixture_follow(fixture, 19, 0, 0);
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
    struct fixture *fixture = fixture_sole("");
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
    struct fixture *fixture = fixture_sole("");
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
    struct fixture *fixture = fixture_sole("");
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
    struct fixture *fixture = fixture_sole("");
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
    struct fixture *fixture = fixture_sole("");
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
           malformed_requests_are_refused_with_words, a_peer_that_sends_nonsense_is_refused)
