/* Calls and replies between two daemons, by each pairing of drivers (contracts 1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        ck_assert_int_eq(cu_rpc_listen(again->server, "tcp://localhost:8300", &diag), CU_E_INVALID);
        ck_assert_int_eq(cu_rpc_listen(again->server, pair->url, &diag), CU_OK);
        PAIR_WAIT(pair, pair->ups == 2);
        pair_put(pair, "a", 7, &put);
        PAIR_WAIT(pair, put.answers == 1);
        ck_assert_uint_eq(put.index, 7);
        pair_free(pair);
    }
}
END_TEST

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
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), 40000);
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

SUITE_MAIN("common/rpc/rpc", answers_a_call, hands_on_error_and_text,
           carries_long_messages_in_parts_contracts_1_1, replies_come_in_any_order_contracts_1_2,
           a_lost_connection_ends_calls_on_both_sides_contracts_1_3,
           dials_again_when_the_server_comes_back,
           a_call_not_yet_handed_over_is_not_sent_contracts_1_3,
           a_cancelled_call_is_never_answered_and_its_handler_is_told_contracts_1_3,
           a_call_may_be_cancelled_before_it_leaves_or_while_it_waits_to_be_told,
           the_callee_enforces_the_deadline_contracts_1_3,
           a_handler_that_was_not_told_may_still_reply_into_the_void,
           the_caller_gives_up_soon_after_the_deadline_when_the_peer_is_silent)
