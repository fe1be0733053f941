/* Requests that are answered elsewhere (contracts 2.2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/common/rpc/fixture.h"

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
    cu_client_call(relay.near->client, &spec, pair_note_error, &out);
    RELAY_WAIT(&relay, out.answers == 1);
    ck_assert_int_eq(out.err, CU_E_NOT_READY);
    ck_assert_ptr_nonnull(strstr(out.text, "forwarded 3 times"));
    spec.hops = 2;
    cu_client_call(relay.near->client, &spec, pair_note_error, &out);
    RELAY_WAIT(&relay, out.answers == 2);
    ck_assert_int_eq(out.err, CU_OK);
    relay_close(&relay);
}
END_TEST

SUITE_MAIN("common/rpc/forward", the_dispatcher_forwards_and_hands_the_answer_back_contracts_2_2,
           a_forwarded_call_carries_its_head_and_one_hop_more,
           a_forwarded_call_ends_where_it_was_sent_when_its_caller_leaves_or_time_is_up,
           a_forwarded_call_whose_connection_is_lost_has_no_known_outcome,
           who_is_not_the_right_one_says_who_is, a_call_goes_over_at_most_three_hops)
