#include "services/raftd/io/peers.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/raftd/rpc/fixture.h"

static struct fixture *three(void)
{
    struct fixture *fixture = fixture_new(3, "");
    for (unsigned i = 1; i <= 3; i++)
        fixture_start(fixture, i);
    for (unsigned i = 1; i <= 3; i++)
        fixture_attach(fixture, i);
    return fixture;
}

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

static void fill(uint8_t *bytes, Curia__Internal__V1__Proposal *row, uint64_t seq, size_t len)
{
    static uint8_t proposer[16] = {1};
    curia__internal__v1__proposal__init(row);
    row->proposer = (ProtobufCBinaryData){sizeof proposer, proposer};
    row->seq = seq;
    row->body = (ProtobufCBinaryData){len, bytes};
}

START_TEST(three_servers_bootstrap_and_replicate)
{
    struct fixture *fixture = three();
    unsigned leader = fixture_wait_leader(fixture);
    fixture_propose(fixture, leader, 1, "everywhere");
    for (unsigned i = 1; i <= 3; i++)
        fixture_wait_entry(fixture, i, "everywhere");
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, leader % 3 + 1);
    ck_assert_str_eq(status->leader_id, fixture->servers[leader - 1].node_id);
    ck_assert_uint_eq(status->configuration->n_servers, 3);
    ck_assert_str_ne(status->configuration->servers[0]->address, "");
    protobuf_c_message_free_unpacked(&status->base, NULL);
    fixture_free(fixture);
}
END_TEST

START_TEST(a_follower_passes_proposals_and_reads_on_to_the_leader) /* contracts 2.2 */
{
    struct fixture *fixture = three();
    unsigned leader = fixture_wait_leader(fixture);
    for (unsigned i = 1; i <= 3; i++) {
        uint64_t index = 0;
        char body[32];
        snprintf(body, sizeof body, "through %u", i);
        fixture_propose(fixture, i, i, body);
        uint64_t at = fixture_wait_entry(fixture, leader, body);
        ck_assert_uint_eq(
            read_index(fixture, i, CURIA__INTERNAL__V1__READ_MODE__READ_DEFAULT, &index), CU_OK);
        ck_assert_uint_ge(index, at);
        ck_assert_uint_eq(
            read_index(fixture, i, CURIA__INTERNAL__V1__READ_MODE__READ_CONSISTENT, &index), CU_OK);
        ck_assert_uint_ge(index, at);
    }
    fixture_free(fixture);
}
END_TEST

START_TEST(without_a_leader_a_proposal_waits_for_the_next_one) /* consensus.md 3 */
{
    struct fixture *fixture = three();
    unsigned leader = fixture_wait_leader(fixture), other = leader % 3 + 1;
    fixture_propose(fixture, leader, 1, "before");
    fixture_wait_entry(fixture, other, "before");
    fixture_stop(fixture, leader);
    struct cu_mono from = cu_mono_now();
    uint64_t seq = 2;
    for (bool done = false; !done;
         seq++) { /* the old leader's connection may cut the first short */
        Curia__Internal__V1__Proposal row, *list = &row;
        Curia__Internal__V1__ProposeRequest in = CURIA__INTERNAL__V1__PROPOSE_REQUEST__INIT;
        Curia__Internal__V1__ProposeReply *reply = NULL;
        fill((uint8_t *)"after", &row, seq, 5);
        in.n_proposals = 1;
        in.proposals = &list;
        enum cu_err err = fixture_call(fixture, fixture->servers[other - 1].catalogd, "Propose",
                                       &in.base, &reply);
        done = !err && !reply->n_refusals && !reply->n_lost;
        if (reply)
            protobuf_c_message_free_unpacked(&reply->base, NULL);
    }
    fixture_wait_entry(fixture, other, "after");
    ck_assert_uint_lt(cu_mono_ms_between(from, cu_mono_now()), 5000);
    fixture_start(fixture, leader);
    fixture_attach(fixture, leader);
    fixture_wait_entry(fixture, leader, "after");
    fixture_free(fixture);
}
END_TEST

START_TEST(a_server_that_was_away_catches_up_from_its_own_disk)
{
    struct fixture *fixture = three();
    unsigned leader = fixture_wait_leader(fixture), other = leader % 3 + 1;
    fixture_propose(fixture, leader, 1, "before");
    fixture_wait_entry(fixture, other, "before");
    fixture_stop(fixture, other);
    for (uint64_t seq = 2; seq <= 200; seq++)
        fixture_propose(fixture, leader, seq, "meanwhile");
    fixture_propose(fixture, leader, 201, "last");
    fixture_start(fixture, other);
    fixture_attach(fixture, other);
    fixture_wait_entry(fixture, other, "last");
    fixture_free(fixture);
}
END_TEST

static bool is_refused(void *arg)
{
    struct fixture_server *server = arg;
    Curia__Internal__V1__LogStatusReply *status = fixture_status(server->fixture, server->number);
    bool refused = strstr(status->refused, "with other data") != NULL;
    protobuf_c_message_free_unpacked(&status->base, NULL);
    return refused;
}

START_TEST(a_server_wiped_under_its_old_id_is_refused_and_told_how_to_go_on) /* consensus 47 */
{
    struct fixture *fixture = three();
    unsigned leader = fixture_wait_leader(fixture), other = leader % 3 + 1;
    char path[400];
    fixture_propose(fixture, leader, 1, "before");
    fixture_wait_entry(fixture, other, "before");
    fixture_stop(fixture, other);
    for (const char *const *name =
             (const char *const[]){"log.db", "log.db-wal", "log.db-shm", NULL};
         *name; name++) {
        snprintf(path, sizeof path, "%s/raft/%s", fixture->servers[other - 1].dir, *name);
        (void)unlink(path); /* a log that was closed has no WAL */
    }
    fixture_start(fixture, other);
    fixture_attach(fixture, other);
    fixture_wait(fixture, is_refused, &fixture->servers[other - 1], "the refusal");
    fixture_propose(fixture, leader, 2, "goes on");
    fixture_free(fixture);
}
END_TEST

START_TEST(without_any_leader_the_hold_ends_after_seven_seconds) /* consensus 27 */
{
    struct fixture *fixture = fixture_new(3, "");
    uint64_t index = 0;
    fixture_start(fixture, 1);
    fixture_attach(fixture, 1);
    struct cu_mono from = cu_mono_now();
    ck_assert_uint_eq(read_index(fixture, 1, CURIA__INTERNAL__V1__READ_MODE__READ_DEFAULT, &index),
                      CU_E_NO_LEADER);
    uint64_t took_ms = cu_mono_ms_between(from, cu_mono_now());
    ck_assert_msg(took_ms >= 6900 && took_ms < 20000, "%u ms", (unsigned)took_ms);
    fixture_free(fixture);
}
END_TEST

static uint64_t term_of(struct fixture *fixture, unsigned server)
{
    Curia__Internal__V1__LogStatusReply *status = fixture_status(fixture, server);
    uint64_t term = status->term;
    protobuf_c_message_free_unpacked(&status->base, NULL);
    return term;
}

/* True: they cost nobody the leadership. */
static bool send_large_entries(struct fixture *fixture, uint64_t *seq)
{
    static char body[RAFT_ENTRY_LIMIT_BYTES + 1];
    unsigned leader = fixture_wait_leader(fixture), other = leader % 3 + 1;
    uint64_t before = term_of(fixture, leader);
    char last[32];
    memset(body, 'x', RAFT_ENTRY_LIMIT_BYTES);
    for (unsigned i = 1; i <= 12; i++)
        fixture_propose(fixture, i % 2 ? leader : other, ++*seq, body);
    snprintf(last, sizeof last, "last %u", (unsigned)++*seq);
    fixture_propose(fixture, other, *seq, last);
    for (unsigned i = 1; i <= 3; i++)
        fixture_wait_entry(fixture, i, last);
    return term_of(fixture, leader) == before;
}

START_TEST(large_entries_reach_everybody_and_cost_no_leader) /* consensus 65, 89 */
{
    struct fixture *fixture = three();
    uint64_t seq = 0;
    bool is_calm = false;
    for (unsigned tries = 0; !is_calm && tries < 5; tries++) /* the machine may be busy */
        is_calm = send_large_entries(fixture, &seq);
    ck_assert(is_calm);
    fixture_free(fixture);
}
END_TEST

/* ---- limits ---- */

static struct raft_id nth(unsigned n)
{
    return (struct raft_id){{0xee, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n}};
}

struct crowd {
    struct fixture *fixture;
    struct cu_log *log;
    struct cu_metrics *metrics;
    struct raft_peers *peers;
};

static void never_answered(void *context, struct raft_message *message)
{
    (void)context;
    (void)message;
    ck_abort_msg("nobody was asked");
}

/* As many servers as there is room for, all at one address. */
static struct crowd crowd_at(struct fixture *fixture, const char *ip)
{
    struct crowd crowd = {.fixture = fixture,
                          .log = cu_log_new("raftd", 2, CU_LOG_ERROR, false),
                          .metrics = cu_metrics_new()};
    crowd.peers = raft_peers_new(&(struct raft_peers_options){.rpc = fixture->rpc,
                                                              .log = crowd.log,
                                                              .metrics = crowd.metrics,
                                                              .answered = never_answered});
    for (unsigned i = 0; i < RAFT_PEERS_MAX; i++)
        raft_peers_put(crowd.peers, nth(i), ip, 8310);
    ck_assert_uint_eq(raft_peers_count(crowd.peers), RAFT_PEERS_MAX);
    return crowd;
}

static void crowd_close(struct crowd *crowd)
{
    raft_peers_free(crowd->peers);
    cu_metrics_free(crowd->metrics);
    cu_log_free(crowd->log);
    fixture_free(crowd->fixture);
}

static uint64_t passed_over(const struct crowd *crowd)
{
    return cu_metrics_counter(crowd->metrics, "raft.peers.passed_over")->value;
}

START_TEST(one_server_more_than_there_is_room_for_takes_the_place_of_the_oldest_that_is_away)
{
    char ip[32];
    struct fixture *fixture = fixture_new(1, "");
    struct crowd crowd = crowd_at(fixture, fixture_ip(200, ip));
    raft_peers_put(crowd.peers, nth(0), fixture_ip(201, ip), 8310); /* known: it only moves */
    ck_assert_str_ne(raft_peers_address(crowd.peers, nth(1)), "");
    raft_peers_put(crowd.peers, nth(RAFT_PEERS_MAX), ip, 8310);
    ck_assert_str_ne(raft_peers_address(crowd.peers, nth(RAFT_PEERS_MAX)), "");
    ck_assert_str_eq(raft_peers_address(crowd.peers, nth(0)), "");
    for (unsigned i = 1; i < RAFT_PEERS_MAX; i++)
        ck_assert_str_ne(raft_peers_address(crowd.peers, nth(i)), "");
    ck_assert_uint_eq(raft_peers_count(crowd.peers), RAFT_PEERS_MAX);
    ck_assert_uint_eq(passed_over(&crowd), 0);
    crowd_close(&crowd);
}
END_TEST

static bool all_are_up(void *arg)
{
    struct crowd *crowd = arg;
    for (unsigned i = 0; i < RAFT_PEERS_MAX; i++)
        if (!cu_client_is_up(raft_peers_client(crowd->peers, nth(i))))
            return false;
    return true;
}

START_TEST(one_server_more_than_there_is_room_for_is_passed_over_while_all_are_connected)
{
    struct fixture *fixture = fixture_new(1, "");
    fixture_start(fixture, 1);
    struct crowd crowd = crowd_at(fixture, fixture->servers[0].ip);
    fixture_wait(fixture, all_are_up, &crowd, "the connections");
    raft_peers_put(crowd.peers, nth(RAFT_PEERS_MAX), fixture->servers[0].ip, 8310);
    ck_assert_str_eq(raft_peers_address(crowd.peers, nth(RAFT_PEERS_MAX)), "");
    ck_assert_uint_eq(raft_peers_count(crowd.peers), RAFT_PEERS_MAX);
    ck_assert_uint_eq(passed_over(&crowd), 1);
    crowd_close(&crowd);
}
END_TEST

SUITE_MAIN("services/raftd/io/peers", three_servers_bootstrap_and_replicate,
           a_follower_passes_proposals_and_reads_on_to_the_leader,
           without_a_leader_a_proposal_waits_for_the_next_one,
           a_server_that_was_away_catches_up_from_its_own_disk,
           large_entries_reach_everybody_and_cost_no_leader,
           a_server_wiped_under_its_old_id_is_refused_and_told_how_to_go_on,
           without_any_leader_the_hold_ends_after_seven_seconds,
           one_server_more_than_there_is_room_for_takes_the_place_of_the_oldest_that_is_away,
           one_server_more_than_there_is_room_for_is_passed_over_while_all_are_connected)
