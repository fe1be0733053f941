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

SUITE_MAIN("common/rpc/rpc", answers_a_call, hands_on_error_and_text,
           carries_long_messages_in_parts_contracts_1_1, replies_come_in_any_order_contracts_1_2,
           a_lost_connection_ends_calls_on_both_sides_contracts_1_3,
           dials_again_when_the_server_comes_back)
