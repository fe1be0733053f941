/* Calls and replies between two daemons, by each pairing of drivers (contracts 1 and 2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/suite.h"
#include "tests/unit/common/rpc/fixture.h"

START_TEST(answers_a_call)
{
    for (size_t i = 0; i < pairing_count; i++) {
        struct pair *pair = pair_new(&pairings[i]);
        struct outcome put;
        pair_put(pair, "a", 100, &put);
        PAIR_WAIT(pair, put.answers == 1);
        ck_assert_msg(put.err == CU_OK && put.applied && put.index == 100, "%s: %s",
                      pairings[i].name, put.text);
        pair_free(pair);
    }
}
END_TEST

START_TEST(hands_on_error_and_text)
{
    for (size_t i = 0; i < pairing_count; i++) {
        struct pair *pair = pair_new(&pairings[i]);
        struct outcome put;
        pair_put(pair, "fail", 0, &put);
        PAIR_WAIT(pair, put.answers == 1);
        ck_assert_int_eq(put.err, CU_E_NOT_FOUND);
        ck_assert_str_eq(put.text, "no such key");
        pair_free(pair);
    }
}
END_TEST

START_TEST(carries_long_messages_in_parts_contracts_1_1)
{
    for (size_t i = 0; i < pairing_count; i++) {
        struct pair *pair = pair_new(&pairings[i]);
        struct outcome put, get;
        pair_put(pair, "a", 1400 * KIB, &put);
        pair_get(pair, 1400 * KIB, &get);
        PAIR_WAIT(pair, put.answers == 1 && get.answers == 1);
        ck_assert_int_eq(put.err, CU_OK);
        ck_assert_uint_eq(put.index, 1400 * KIB);
        ck_assert_int_eq(get.err, CU_OK);
        ck_assert_uint_eq(get.value_len, 1400 * KIB);
        pair_free(pair);
    }
}
END_TEST

START_TEST(replies_come_in_any_order_contracts_1_2)
{
    for (size_t i = 0; i < pairing_count; i++) {
        struct pair *pair = pair_new(&pairings[i]);
        struct outcome one, two;
        pair_put(pair, "hold", 0, &one);
        pair_put(pair, "hold", 0, &two);
        PAIR_WAIT(pair, pair->held_count == 2);
        pair_release(pair, 1, 2);
        PAIR_WAIT(pair, two.answers == 1);
        ck_assert_uint_eq(one.answers, 0);
        pair_release(pair, 0, 1);
        PAIR_WAIT(pair, one.answers == 1);
        ck_assert_uint_eq(one.index, 1);
        ck_assert_uint_eq(two.index, 2);
        pair_free(pair);
    }
}
END_TEST

START_TEST(a_lost_connection_ends_calls_on_both_sides_contracts_1_3)
{
    for (size_t i = 0; i < pairing_count; i++) {
        struct pair *pair = pair_new(&pairings[i]);
        struct outcome held;
        pair_put(pair, "hold", 0, &held);
        PAIR_WAIT(pair, pair->held_count == 1);
        cu_client_free(pair->client);
        pair->client = NULL;
        ck_assert_uint_eq(held.answers, 1);
        ck_assert_int_eq(held.err, CU_E_DISCONNECTED);
        ck_assert(held.sent);
        PAIR_WAIT(pair, pair->gone == 1);
        PAIR_WAIT(pair, cu_rpc_open_calls(pair->server) == 0);
        pair_free(pair);
    }
}
END_TEST

START_TEST(dials_again_when_the_server_comes_back)
{
    for (size_t i = 0; i < pairing_count; i++) {
        struct pair *pair = pair_new(&pairings[i]);
        struct outcome held, put;
        pair_put(pair, "hold", 0, &held);
        PAIR_WAIT(pair, pair->held_count == 1);
        cu_rpc_free(pair->server);
        pair->server = NULL;
        PAIR_WAIT(pair, pair->downs == 1);
        ck_assert_uint_eq(held.answers, 1);
        ck_assert_int_eq(held.err, CU_E_DISCONNECTED);
        pair_put(pair, "a", 0, &put);
        PAIR_WAIT(pair, put.answers == 1);
        ck_assert_int_eq(put.err, CU_E_DISCONNECTED);
        ck_assert(!put.sent);
        struct pair *again = pair;
        struct cu_diag diag = {0};
        again->server = cu_rpc_new(&(struct cu_rpc_options){
            .loop = pair->loop, .daemon = "catalogd", .local = pairings[i].server});
        cu_rpc_add_service(again->server, &pair_service, pair);
        ck_assert_int_eq(cu_rpc_listen(again->server, pair->url, &diag), CU_OK);
        PAIR_WAIT(pair, pair->ups == 2);
        pair_put(pair, "a", 7, &put);
        PAIR_WAIT(pair, put.answers == 1);
        ck_assert_uint_eq(put.index, 7);
        pair_free(pair);
    }
}
END_TEST

#define FOR_PAIRINGS(p) for (const struct pairing *p = pairings; p < pairings + pairing_count; p++)

static const struct pairing *const plain = &pairings[0];

START_TEST(a_call_not_yet_handed_over_is_not_sent_contracts_1_3)
{
    struct pair *pair = pair_new(plain);
    struct outcome put;
    pair_put(pair, "a", 0, &put); /* and no end of a turn before the connection goes */
    cu_client_free(pair->client);
    pair->client = NULL;
    ck_assert_int_eq(put.err, CU_E_DISCONNECTED);
    ck_assert(!put.sent);
    pair_free(pair);
}
END_TEST

START_TEST(a_cancelled_call_is_never_answered_and_its_handler_is_told_contracts_1_3)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct outcome held, put;
        struct cu_call *call = pair_put(pair, "hold", 0, &held);
        PAIR_WAIT(pair, pair->held_count == 1);
        cu_call_cancel(call);
        PAIR_WAIT(pair, pair->gone == 1);
        ck_assert_uint_eq(cu_rpc_open_calls(pair->server), 0);
        pair_put(pair, "a", 0, &put);
        PAIR_WAIT(pair, put.answers == 1);
        ck_assert_uint_eq(held.answers, 0);
        pair_free(pair);
    }
}
END_TEST

START_TEST(a_call_may_be_cancelled_before_it_leaves_or_while_it_waits_to_be_told)
{
    struct pair *pair = pair_new(plain);
    struct outcome one, two;
    cu_call_cancel(pair_put(pair, "hold", 0, &one));
    cu_rpc_free(pair->server);
    pair->server = NULL;
    PAIR_WAIT(pair, pair->downs == 1);
    cu_call_cancel(pair_put(pair, "hold", 0, &two)); /* Disconnected, not told yet */
    pair_turn_for(pair, 10);
    ck_assert_uint_eq(one.answers + two.answers, 0);
    pair_free(pair);
}
END_TEST

START_TEST(the_callee_enforces_the_deadline_contracts_1_3)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct outcome held;
        struct cu_mono start = cu_mono_now();
        pair_put_within(pair, "hold", 0, 50, &held);
        PAIR_WAIT(pair, held.answers == 1);
        ck_assert_int_eq(held.err, CU_E_DEADLINE);
        ck_assert_uint_ge(cu_mono_ms_between(start, cu_mono_now()), 49);
        ck_assert_uint_eq(pair->gone, 1);
        ck_assert_uint_eq(cu_rpc_open_calls(pair->server), 0);
        pair_free(pair);
    }
}
END_TEST

START_TEST(a_handler_that_was_not_told_may_still_reply_into_the_void)
{
    struct pair *pair = pair_new(plain);
    struct outcome late, cancelled, lost;
    pair_put_within(pair, "keep", 0, 20, &late);
    PAIR_WAIT(pair, late.answers == 1);
    ck_assert_int_eq(late.err, CU_E_DEADLINE);
    ck_assert_uint_eq(cu_rpc_open_calls(pair->server), 1);
    pair_release(pair, 0, 1);

    struct cu_call *call = pair_put(pair, "keep", 0, &cancelled);
    PAIR_WAIT(pair, pair->held_count == 2);
    cu_call_cancel(call);
    pair_turn_for(pair, 10);
    pair_release(pair, 1, 1);

    pair_put(pair, "keep", 0, &lost);
    PAIR_WAIT(pair, pair->held_count == 3);
    cu_client_free(pair->client);
    pair->client = NULL;
    PAIR_WAIT(pair, pair->held[2]->peer == NULL);
    pair_release(pair, 2, 1);
    ck_assert_uint_eq(cu_rpc_open_calls(pair->server), 0);
    ck_assert_uint_eq(pair->gone, 0);
    pair_free(pair);
}
END_TEST

START_TEST(the_caller_gives_up_soon_after_the_deadline_when_the_peer_is_silent)
{
    struct pair *pair = pair_new_server(plain);
    struct cu_loop *server_loop = pair->loop;
    pair->loop = cu_loop_new(); /* the client's: the server's stands still once it is up */
    pair_connect(pair, plain);
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), 5000);
    while (!pair->ups && cu_mono_before(cu_mono_now(), until)) {
        pair_turn(pair);
        cu_loop_turn(server_loop, false);
    }
    struct outcome put;
    pair_put_within(pair, "a", 0, 30, &put);
    PAIR_WAIT(pair, put.answers == 1);
    ck_assert_int_eq(put.err, CU_E_DEADLINE);
    ck_assert_uint_eq(pair->handled, 0);
    cu_client_free(pair->client);
    cu_rpc_free(pair->client_rpc);
    cu_rpc_free(pair->server);
    cu_loop_free(pair->loop);
    cu_loop_free(server_loop);
    free(pair);
}
END_TEST

/* ---- credit ---- */

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

/* ---- rows ---- */

START_TEST(requests_and_replies_over_the_rows_limits_are_refused_contracts_2_5)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct outcome good, bad;
        const size_t head = 3 + 4; /* key "a" with its tag; tag and length of a long value */
        pair_put(pair, "a", PUT_LIMIT - head, &good);
        pair_put(pair, "a", PUT_LIMIT - head + 1, &bad);
        PAIR_WAIT(pair, good.answers == 1 && bad.answers == 1);
        ck_assert_int_eq(good.err, CU_OK);
        ck_assert_int_eq(bad.err, CU_E_TOO_LARGE);
        const size_t reply_head = 2 * 4; /* tags and lengths of pair and value */
        pair_get(pair, PUT_LIMIT - reply_head, &good);
        pair_get(pair, PUT_LIMIT - reply_head + 1, &bad);
        PAIR_WAIT(pair, good.answers == 1 && bad.answers == 1);
        ck_assert_int_eq(good.err, CU_OK);
        ck_assert_int_eq(bad.err, CU_E_TOO_LARGE);
        pair_free(pair);
    }
}
END_TEST

static void txn(struct pair *pair, struct outcome *outcome, cu_on_answer *answered)
{
    Curia__V1__KvTxnRequest in = CURIA__V1__KV_TXN_REQUEST__INIT;
    struct cu_call_spec spec = {
        .service = &curia__v1__kv__descriptor, .method = "Txn", .in = &in.base, .timeout_ms = 1000};
    *outcome = (struct outcome){0};
    cu_client_call(pair->client, &spec, answered, outcome);
    PAIR_WAIT(pair, outcome->answers == 1);
}

static void note_error(void *arg, const struct cu_answer *answer)
{
    struct outcome *outcome = arg;
    outcome->answers++;
    outcome->err = answer->err;
    snprintf(outcome->text, sizeof outcome->text, "%s", answer->text);
}

START_TEST(only_callers_of_the_rows_class_get_in_contracts_2_3)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct outcome out;
        txn(pair, &out, note_error);
        if (p->transport == IPC) {
            ck_assert_int_eq(out.err, CU_E_INTERNAL); /* the handler's own answer */
        } else {
            ck_assert_int_eq(out.err, CU_E_DENIED);
            ck_assert_str_eq(out.text, "Kv.Txn is not open to this caller");
        }
        pair_free(pair);
    }
}
END_TEST

static enum cu_caller nobody(void *context, const struct cu_peer *peer)
{
    ck_assert_str_eq(peer->daemon, "agentd");
    (*(unsigned *)context)++;
    return CALLER_NONE;
}

START_TEST(a_daemon_may_classify_its_peers_itself)
{
    struct pair *pair = pair_new(plain);
    unsigned asked = 0;
    struct outcome put;
    cu_rpc_set_hooks(pair->server, &(struct cu_rpc_hooks){.context = &asked, .classify = nobody});
    pair_put(pair, "a", 0, &put);
    PAIR_WAIT(pair, put.answers == 1);
    ck_assert_int_eq(put.err, CU_E_DENIED);
    ck_assert_uint_eq(asked, 1);
    pair_free(pair);
}
END_TEST

static bool only_key_a(void *context, const struct cu_rq *rq, enum cu_right right,
                       struct cu_bytes resource)
{
    (*(unsigned *)context)++;
    ck_assert_str_eq(rq->token, "secret");
    ck_assert_int_eq(right, KEY_WRITE);
    return cu_bytes_equal(resource, cu_bytes_of("a"));
}

START_TEST(the_permission_of_a_row_is_asked_with_its_resource_contracts_2_4)
{
    struct pair *pair = pair_new(plain);
    unsigned asked = 0;
    struct outcome yes, no;
    cu_rpc_set_hooks(pair->server, &(struct cu_rpc_hooks){.context = &asked, .permit = only_key_a});
    pair_put(pair, "a", 0, &yes);
    pair_put(pair, "b", 0, &no);
    PAIR_WAIT(pair, yes.answers == 1 && no.answers == 1);
    ck_assert_int_eq(yes.err, CU_OK);
    ck_assert_int_eq(no.err, CU_E_DENIED);
    ck_assert_uint_eq(asked, 2);
    ck_assert_uint_eq(pair->handled, 1);
    pair_free(pair);
}
END_TEST

START_TEST(a_handler_sees_who_asks_and_what_came_with_it_contracts_1_8)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct outcome held;
        pair_put(pair, "hold", 3, &held);
        PAIR_WAIT(pair, pair->held_count == 1);
        const struct cu_rq *rq = pair->held[0];
        ck_assert_str_eq(rq->token, "secret");
        ck_assert_str_eq(rq->datacenter, "dc1");
        ck_assert_str_eq(rq->origin.address, "127.0.0.1:5");
        ck_assert_uint_eq(rq->request_id.len, 16);
        ck_assert_uint_eq(rq->hops, 0);
        ck_assert_str_eq(rq->peer->daemon, "agentd");
        ck_assert_int_eq(rq->peer->is_local, p->transport == IPC);
        ck_assert(cu_mono_before(cu_mono_now(), rq->deadline));
        pair_free(pair);
    }
}
END_TEST

START_TEST(an_unknown_method_or_request_is_refused)
{
    struct pair *pair = pair_new(plain);
    struct outcome out = {0};
    ProtobufCMethodDescriptor method = curia__v1__kv__descriptor.methods[0];
    ProtobufCServiceDescriptor service = curia__v1__kv__descriptor;
    method.name = "Fly";
    service.methods = &method;
    service.n_methods = 1;
    struct cu_call_spec spec = {.service = &service, .method = "Fly", .timeout_ms = 1000};
    cu_client_call(pair->client, &spec, note_error, &out);
    PAIR_WAIT(pair, out.answers == 1);
    ck_assert_int_eq(out.err, CU_E_NOT_FOUND);
    ck_assert_str_eq(out.text, "catalogd has no method Kv.Fly");
    spec = (struct cu_call_spec){.service = &curia__v1__kv__descriptor,
                                 .method = "Put",
                                 .packed = cu_bytes_of("\x0a\x7f"),
                                 .timeout_ms = 1000};
    cu_client_call(pair->client, &spec, note_error, &out);
    PAIR_WAIT(pair, out.answers == 2);
    ck_assert_int_eq(out.err, CU_E_INVALID);
    pair_free(pair);
}
END_TEST

START_TEST(a_daemon_that_drains_refuses_new_calls_and_ends_old_ones)
{
    struct pair *pair = pair_new(plain);
    struct outcome held, late;
    pair_put(pair, "hold", 0, &held);
    PAIR_WAIT(pair, pair->held_count == 1);
    cu_rpc_drain(pair->server);
    pair_put(pair, "a", 0, &late);
    PAIR_WAIT(pair, late.answers == 1);
    ck_assert_int_eq(late.err, CU_E_NOT_READY);
    pair_release(pair, 0, 9);
    PAIR_WAIT(pair, held.answers == 1);
    ck_assert_int_eq(held.err, CU_OK);
    pair_free(pair);
}
END_TEST

/* ---- forwarding: pair `far` answers, pair `near` passes on ---- */

struct forwarding {
    struct cu_client *to;
    enum cu_err err;
    unsigned asked;
};

static enum cu_err route(void *context, const struct cu_rq *rq, enum cu_route where,
                         struct cu_client **ret_client, struct cu_diag *diag)
{
    struct forwarding *f = context;
    f->asked++;
    ck_assert_int_eq(where, ROUTE_ATTACHED);
    ck_assert_ptr_nonnull(rq->in);
    *ret_client = f->to;
    return f->err ? cu_fail(diag, f->err, "ask 127.0.0.9:8300") : CU_OK;
}

struct relay {
    struct pair *near, *far;
    struct forwarding forwarding;
};

/* One loop for both: the far pair's client is what the near server forwards to. */
static void relay_open(struct relay *relay, const struct pairing *p)
{
    *relay = (struct relay){.near = pair_new(p), .far = pair_new(p)};
    relay->forwarding.to = relay->far->client;
    cu_rpc_set_hooks(relay->near->server,
                     &(struct cu_rpc_hooks){.context = &relay->forwarding, .route = route});
}

static void relay_turn(struct relay *relay)
{
    pair_turn(relay->near);
    pair_turn(relay->far);
}

#define RELAY_WAIT(relay, condition)                                                               \
    for (int rounds = 0; !(condition); rounds++) {                                                 \
        ck_assert_int_lt(rounds, 2000);                                                            \
        relay_turn(relay);                                                                         \
    }

static void relay_close(struct relay *relay)
{
    pair_free(relay->near);
    pair_free(relay->far);
}

START_TEST(the_dispatcher_forwards_and_hands_the_answer_back_contracts_2_2)
{
    FOR_PAIRINGS(p)
    {
        struct relay relay;
        struct outcome small, large, fail;
        relay_open(&relay, p);
        pair_put(relay.near, "a", 12, &small);
        pair_put(relay.near, "a", 300000, &large);
        pair_put(relay.near, "fail", 0, &fail);
        RELAY_WAIT(&relay, small.answers && large.answers && fail.answers);
        ck_assert(small.applied && small.index == 12);
        ck_assert(large.applied && large.index == 300000);
        ck_assert_int_eq(fail.err, CU_E_NOT_FOUND);
        ck_assert_str_eq(fail.text, "no such key");
        ck_assert_uint_eq(relay.near->handled, 0);
        ck_assert_uint_eq(relay.far->handled, 3);
        relay_close(&relay);
    }
}
END_TEST

START_TEST(a_forwarded_call_carries_its_head_and_one_hop_more)
{
    struct relay relay;
    struct outcome held;
    relay_open(&relay, plain);
    pair_put(relay.near, "hold", 0, &held);
    RELAY_WAIT(&relay, relay.far->held_count == 1);
    const struct cu_rq *rq = relay.far->held[0];
    ck_assert_uint_eq(rq->hops, 1);
    ck_assert_str_eq(rq->token, "secret");
    ck_assert_str_eq(rq->origin.address, "127.0.0.1:5");
    ck_assert_uint_eq(rq->request_id.len, 16);
    pair_release(relay.far, 0, 4);
    RELAY_WAIT(&relay, held.answers == 1);
    ck_assert_uint_eq(held.index, 4);
    relay_close(&relay);
}
END_TEST

START_TEST(a_forwarded_call_ends_where_it_was_sent_when_its_caller_leaves_or_time_is_up)
{
    struct relay relay;
    struct outcome one, two, three;
    relay_open(&relay, plain);
    struct cu_call *call = pair_put(relay.near, "hold", 0, &one);
    RELAY_WAIT(&relay, relay.far->held_count == 1);
    cu_call_cancel(call);
    RELAY_WAIT(&relay, relay.far->gone == 1);
    pair_put_within(relay.near, "hold", 0, 40, &two);
    RELAY_WAIT(&relay, two.answers == 1 && relay.far->gone == 2);
    ck_assert_int_eq(two.err, CU_E_DEADLINE);
    pair_put(relay.near, "hold", 0, &three);
    RELAY_WAIT(&relay, relay.far->held_count == 3);
    cu_client_free(relay.near->client);
    relay.near->client = NULL;
    RELAY_WAIT(&relay, relay.far->gone == 3);
    relay_close(&relay);
}
END_TEST

START_TEST(a_forwarded_call_whose_connection_is_lost_has_no_known_outcome)
{
    struct relay relay;
    struct outcome held, refused;
    relay_open(&relay, plain);
    pair_put(relay.near, "hold", 0, &held);
    RELAY_WAIT(&relay, relay.far->held_count == 1);
    cu_rpc_free(relay.far->server);
    relay.far->server = NULL;
    RELAY_WAIT(&relay, held.answers == 1);
    ck_assert_int_eq(held.err, CU_E_UNKNOWN);
    pair_put(relay.near, "a", 0, &refused);
    RELAY_WAIT(&relay, refused.answers == 1);
    ck_assert_int_eq(refused.err, CU_E_NOT_READY);
    relay_close(&relay);
}
END_TEST

START_TEST(who_is_not_the_right_one_says_who_is)
{
    struct relay relay;
    struct outcome put;
    relay_open(&relay, plain);
    relay.forwarding.err = CU_E_NOT_READY;
    pair_put(relay.near, "a", 0, &put);
    RELAY_WAIT(&relay, put.answers == 1);
    ck_assert_int_eq(put.err, CU_E_NOT_READY);
    ck_assert_str_eq(put.text, "ask 127.0.0.9:8300");
    relay_close(&relay);
}
END_TEST

START_TEST(a_call_goes_over_at_most_three_hops)
{
    struct relay relay;
    struct outcome out = {0};
    relay_open(&relay, plain);
    struct cu_call_spec spec = {
        .service = &curia__v1__kv__descriptor, .method = "Put", .timeout_ms = 1000, .hops = 3};
    cu_client_call(relay.near->client, &spec, note_error, &out);
    RELAY_WAIT(&relay, out.answers == 1);
    ck_assert_int_eq(out.err, CU_E_NOT_READY);
    ck_assert_ptr_nonnull(strstr(out.text, "forwarded 3 times"));
    spec.hops = 2;
    cu_client_call(relay.near->client, &spec, note_error, &out);
    RELAY_WAIT(&relay, out.answers == 2);
    ck_assert_int_eq(out.err, CU_OK);
    relay_close(&relay);
}
END_TEST

/* ---- lifetimes ---- */

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
    cu_client_call(pair->client, &spec, note_error, &out);
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

SUITE_MAIN("common/rpc/rpc", answers_a_call, hands_on_error_and_text,
           carries_long_messages_in_parts_contracts_1_1, replies_come_in_any_order_contracts_1_2,
           a_lost_connection_ends_calls_on_both_sides_contracts_1_3,
           dials_again_when_the_server_comes_back,
           a_call_not_yet_handed_over_is_not_sent_contracts_1_3,
           a_cancelled_call_is_never_answered_and_its_handler_is_told_contracts_1_3,
           a_call_may_be_cancelled_before_it_leaves_or_while_it_waits_to_be_told,
           the_callee_enforces_the_deadline_contracts_1_3,
           a_handler_that_was_not_told_may_still_reply_into_the_void,
           the_caller_gives_up_soon_after_the_deadline_when_the_peer_is_silent,
           calls_over_the_credit_wait_and_follows_are_counted_apart_contracts_1_4,
           a_queue_for_credit_has_a_limit,
           a_call_that_waits_for_credit_can_be_cancelled_and_meets_its_deadline,
           a_reader_that_takes_nothing_slows_only_itself,
           requests_and_replies_over_the_rows_limits_are_refused_contracts_2_5,
           only_callers_of_the_rows_class_get_in_contracts_2_3,
           a_daemon_may_classify_its_peers_itself,
           the_permission_of_a_row_is_asked_with_its_resource_contracts_2_4,
           a_handler_sees_who_asks_and_what_came_with_it_contracts_1_8,
           an_unknown_method_or_request_is_refused,
           a_daemon_that_drains_refuses_new_calls_and_ends_old_ones,
           the_dispatcher_forwards_and_hands_the_answer_back_contracts_2_2,
           a_forwarded_call_carries_its_head_and_one_hop_more,
           a_forwarded_call_ends_where_it_was_sent_when_its_caller_leaves_or_time_is_up,
           a_forwarded_call_whose_connection_is_lost_has_no_known_outcome,
           who_is_not_the_right_one_says_who_is, a_call_goes_over_at_most_three_hops,
           an_answer_may_free_its_client, an_answer_of_a_lost_connection_may_free_its_client,
           all_goes_at_once_with_calls_open, a_client_of_no_url_stays_down_and_says_so,
           raftds_of_two_clusters_part_with_a_reason_contracts_1_5)
