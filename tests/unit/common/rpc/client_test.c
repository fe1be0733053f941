/* Credit as a caller sees it, and lifetimes (contracts 1.3, 1.4, 1.5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/suite.h"
#include "tests/unit/common/rpc/fixture.h"

enum { CALL_CREDIT = 4096 }; /* common/bus/conn.h */

START_TEST(calls_over_the_credit_wait_and_follows_are_counted_apart_contracts_1_4)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct outcome *held = calloc(CALL_CREDIT + 1, sizeof *held);
        struct outcome follow;
        for (size_t i = 0; i <= CALL_CREDIT; i++)
            pair_put(pair, "hold", 0, &held[i]);
        PAIR_WAIT(pair, pair->held_count == CALL_CREDIT);
        pair_turn_for(pair, 10);
        ck_assert_uint_eq(pair->handled, CALL_CREDIT);
        pair_list(pair, &follow);
        PAIR_WAIT(pair, pair->handled == CALL_CREDIT + 1);
        pair_release(pair, 0, 1);
        PAIR_WAIT(pair, pair->handled == CALL_CREDIT + 2);
        ck_assert_uint_eq(held[0].answers, 1);
        cu_client_free(pair->client);
        pair->client = NULL;
        for (size_t i = 0; i <= CALL_CREDIT; i++)
            ck_assert_uint_eq(held[i].answers, 1);
        ck_assert_uint_eq(follow.answers, 1);
        pair_free(pair);
        free(held);
    }
}
END_TEST

START_TEST(a_queue_for_credit_has_a_limit)
{
    struct pair *pair = pair_new(plain);
    enum { WAITING = 4096, COUNT = CALL_CREDIT + WAITING + 1 };
    struct outcome *held = calloc(COUNT, sizeof *held);
    for (size_t i = 0; i < COUNT; i++)
        pair_put(pair, "hold", 0, &held[i]);
    PAIR_WAIT(pair, held[COUNT - 1].answers == 1);
    ck_assert_int_eq(held[COUNT - 1].err, CU_E_OVERLOADED);
    ck_assert_uint_eq(held[COUNT - 2].answers, 0);
    pair_free(pair);
    free(held);
}
END_TEST

START_TEST(a_call_that_waits_for_credit_can_be_cancelled_and_meets_its_deadline)
{
    struct pair *pair = pair_new(plain);
    struct outcome *held = calloc(CALL_CREDIT, sizeof *held);
    struct outcome cancelled, late;
    for (size_t i = 0; i < CALL_CREDIT; i++)
        pair_put(pair, "hold", 0, &held[i]);
    struct cu_call *call = pair_put(pair, "hold", 0, &cancelled);
    pair_put_within(pair, "hold", 0, 20, &late);
    cu_call_cancel(call);
    PAIR_WAIT(pair, late.answers == 1);
    ck_assert_int_eq(late.err, CU_E_DEADLINE);
    ck_assert_uint_eq(cancelled.answers, 0);
    pair_free(pair);
    free(held);
}
END_TEST

START_TEST(a_reader_that_takes_nothing_slows_only_itself)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        enum { COUNT = 40 };
        struct outcome get[COUNT];
        for (size_t i = 0; i < COUNT; i++)
            pair_get(pair, 1400 * KIB, &get[i]); /* 56 MB over a credit of 4 MiB */
        for (size_t i = 0; i < COUNT; i++)
            PAIR_WAIT(pair, get[i].answers == 1);
        for (size_t i = 0; i < COUNT; i++)
            ck_assert_uint_eq(get[i].value_len, 1400 * KIB);
        pair_free(pair);
    }
}
END_TEST

static void free_client(void *arg, const struct cu_answer *answer)
{
    struct pair *pair = arg;
    (void)answer;
    cu_client_free(pair->client);
    pair->client = NULL;
}

START_TEST(an_answer_may_free_its_client)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct outcome other;
        Curia__V1__KvGetRequest in = CURIA__V1__KV_GET_REQUEST__INIT;
        struct cu_call_spec spec = {.service = &curia__v1__kv__descriptor,
                                    .method = "Get",
                                    .in = &in.base,
                                    .timeout_ms = 1000};
        cu_client_call(pair->client, &spec, free_client, pair);
        pair_put(pair, "hold", 0, &other);
        PAIR_WAIT(pair, pair->client == NULL);
        ck_assert_uint_eq(other.answers, 1);
        ck_assert_int_eq(other.err, CU_E_DISCONNECTED);
        pair_free(pair);
    }
}
END_TEST

START_TEST(an_answer_of_a_lost_connection_may_free_its_client)
{
    struct pair *pair = pair_new(plain);
    struct outcome first, last;
    Curia__V1__KvPutRequest in = CURIA__V1__KV_PUT_REQUEST__INIT;
    struct cu_call_spec spec = {
        .service = &curia__v1__kv__descriptor, .method = "Put", .in = &in.base, .timeout_ms = 1000};
    in.key = (ProtobufCBinaryData){4, (uint8_t *)(uintptr_t) "hold"};
    pair_put(pair, "hold", 0, &first);
    cu_client_call(pair->client, &spec, free_client, pair);
    pair_put(pair, "hold", 0, &last);
    PAIR_WAIT(pair, pair->held_count == 3);
    cu_rpc_free(pair->server);
    pair->server = NULL;
    PAIR_WAIT(pair, pair->client == NULL);
    ck_assert_uint_eq(first.answers, 1);
    ck_assert_uint_eq(last.answers, 1);
    ck_assert_uint_eq(pair->downs, 0); /* its client is gone: nobody to tell */
    pair_free(pair);
}
END_TEST

START_TEST(all_goes_at_once_with_calls_open)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct outcome held[3];
        pair_put(pair, "hold", 0, &held[0]);
        pair_put(pair, "keep", 500000, &held[1]);
        pair_list(pair, &held[2]);
        PAIR_WAIT(pair, pair->held_count == 3);
        cu_rpc_free(pair->client_rpc); /* with the client in it: no callbacks */
        cu_rpc_free(pair->server);
        ck_assert_uint_eq(held[0].answers + held[1].answers + held[2].answers, 0);
        ck_assert_uint_eq(pair->gone, 0);
        cu_loop_free(pair->loop);
        free(pair);
    }
}
END_TEST

START_TEST(a_client_of_no_url_stays_down_and_says_so)
{
    struct pair *pair = pair_new(plain);
    struct outcome out = {0};
    cu_client_free(pair->client);
    pair->client = cu_client_new(pair->client_rpc, "smtp://x", NULL, NULL);
    struct cu_call_spec spec = {
        .service = &curia__v1__kv__descriptor, .method = "Put", .timeout_ms = 1000};
    cu_client_call(pair->client, &spec, pair_note_error, &out);
    PAIR_WAIT(pair, out.answers == 1);
    ck_assert_int_eq(out.err, CU_E_DISCONNECTED);
    ck_assert(!cu_client_is_up(pair->client));
    ck_assert_str_eq(cu_client_url(pair->client), "smtp://x");
    pair_free(pair);
}
END_TEST

START_TEST(raftds_of_two_clusters_part_with_a_reason_contracts_1_5)
{
    static const uint8_t ours[16] = {1}, theirs[16] = {2};
    struct cu_loop *loop = cu_loop_new();
    char url[128];
    struct cu_rpc *rpc[2];
    snprintf(url, sizeof url, "ipc://%s/raft-%d", suite_tmpdir(), (int)getpid());
    for (int i = 0; i < 2; i++)
        rpc[i] = cu_rpc_new(&(struct cu_rpc_options){.loop = loop, .daemon = "raftd"});
    ck_assert_int_eq(cu_rpc_listen(rpc[0], url, NULL), CU_OK);
    cu_rpc_set_cluster_id(rpc[0], ours, true);
    cu_rpc_set_cluster_id(rpc[1], theirs, true);
    struct pair pair = {.loop = loop};
    struct cu_client *client = cu_client_new(rpc[1], url, NULL, NULL);
    pair_turn_for(&pair, 100);
    ck_assert(!cu_client_is_up(client));
    cu_rpc_set_cluster_id(rpc[1], ours, true);
    PAIR_WAIT(&pair, cu_client_is_up(client));
    ck_assert_mem_eq(cu_client_peer(client)->cluster_id, ours, 16);
    cu_rpc_free(rpc[1]);
    cu_rpc_free(rpc[0]);
    cu_loop_free(loop);
}
END_TEST

struct seen {
    unsigned gone;
};

static void peer_gone(void *context, const struct cu_peer *peer)
{
    struct seen *seen = context;
    ck_assert_str_eq(peer->daemon, "agentd");
    seen->gone++;
}

START_TEST(a_daemon_hears_when_a_peer_that_said_hello_is_gone)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct seen seen = {0};
        cu_rpc_set_hooks(pair->server,
                         &(struct cu_rpc_hooks){.context = &seen, .peer_gone = peer_gone});
        cu_client_free(pair->client);
        pair->client = NULL;
        PAIR_WAIT(pair, seen.gone == 1);
        pair_free(pair);
    }
}
END_TEST

START_TEST(a_tcp_dial_leaves_from_the_address_that_was_chosen)
{
    const struct pairing *tcp = &pairings[pairing_count - 1];
    struct pair *pair = pair_new(tcp);
    struct outcome held;
    cu_client_free(pair->client);
    cu_rpc_set_source_address(pair->client_rpc, "127.77.1.9");
    pair->client = cu_client_new(pair->client_rpc, pair->url, NULL, NULL);
    PAIR_WAIT(pair, cu_client_is_up(pair->client));
    pair_put(pair, "hold", 0, &held);
    PAIR_WAIT(pair, pair->held_count == 1);
    ck_assert_int_eq(strncmp(pair->held[0]->peer->address, "127.77.1.9:", 11), 0);
    pair_free(pair);
}
END_TEST

START_TEST(connections_have_a_limit)
{
    enum { LIMIT = 4096 }; /* common/rpc/internal.h */
    struct rlimit files = {3 * LIMIT, 3 * LIMIT};
    struct pair *pair = pair_new_server(plain);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fds[LIMIT + 1];
    char byte;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
        pair_free(pair);
        return; /* this machine does not let us open so many */
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", pair->url + strlen("ipc://"));
    for (int i = 0; i <= LIMIT; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&address, sizeof address), 0);
        pair_turn(pair);
    }
    pair_turn_for(pair, 20);
    ck_assert_int_eq(recv(fds[LIMIT], &byte, 1, MSG_DONTWAIT), 0);     /* closed */
    ck_assert_int_eq(recv(fds[LIMIT - 1], &byte, 1, MSG_DONTWAIT), 1); /* was told HELLO */
    for (int i = 0; i <= LIMIT; i++)
        close(fds[i]);
    pair_free(pair);
}
END_TEST

SUITE_MAIN("common/rpc/client", connections_have_a_limit,
           a_daemon_hears_when_a_peer_that_said_hello_is_gone,
           a_tcp_dial_leaves_from_the_address_that_was_chosen,
           calls_over_the_credit_wait_and_follows_are_counted_apart_contracts_1_4,
           a_queue_for_credit_has_a_limit,
           a_call_that_waits_for_credit_can_be_cancelled_and_meets_its_deadline,
           a_reader_that_takes_nothing_slows_only_itself, an_answer_may_free_its_client,
           an_answer_of_a_lost_connection_may_free_its_client, all_goes_at_once_with_calls_open,
           a_client_of_no_url_stays_down_and_says_so,
           raftds_of_two_clusters_part_with_a_reason_contracts_1_5)
