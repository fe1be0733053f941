/* What a row says of its method (contracts 2.3 to 2.5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/common/rpc/fixture.h"

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

START_TEST(only_callers_of_the_rows_class_get_in_contracts_2_3)
{
    FOR_PAIRINGS(p)
    {
        struct pair *pair = pair_new(p);
        struct outcome out;
        txn(pair, &out, pair_note_error);
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

static enum cu_err only_key_a(void *context, struct cu_rq *rq, enum cu_right right,
                              struct cu_bytes resource, struct cu_diag *diag)
{
    (*(unsigned *)context)++;
    ck_assert_str_eq(rq->token, "secret");
    ck_assert_int_eq(right, KEY_WRITE);
    return cu_bytes_equal(resource, cu_bytes_of("a"))
               ? CU_OK
               : cu_fail(diag, CU_E_DENIED, "Permission denied");
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

/* Doubts each denial once; allows everything when there is news. */
struct doubter {
    unsigned asked, doubted, gone;
    bool has_news;
    struct cu_rq *rq;
};

static enum cu_err by_the_news(void *context, struct cu_rq *rq, enum cu_right right,
                               struct cu_bytes resource, struct cu_diag *diag)
{
    struct doubter *doubter = context;
    doubter->asked++;
    return doubter->has_news ? CU_OK : cu_fail(diag, CU_E_DENIED, "Permission denied");
}

static void doubted_is_gone(void *arg)
{
    struct doubter *doubter = arg;
    doubter->gone++;
    doubter->rq = NULL;
}

static bool hold(void *context, struct cu_rq *rq)
{
    struct doubter *doubter = context;
    doubter->doubted++;
    doubter->rq = rq;
    cu_rq_on_gone(rq, doubted_is_gone, doubter);
    return true;
}

static void set_doubter(struct pair *pair, struct doubter *doubter)
{
    cu_rpc_set_hooks(pair->server, &(struct cu_rpc_hooks){
                                       .context = doubter, .permit = by_the_news, .doubt = hold});
}

START_TEST(a_denial_that_is_doubted_is_decided_anew_once)
{
    for (int has_news = 0; has_news <= 1; has_news++) {
        struct pair *pair = pair_new(plain);
        struct doubter doubter = {.asked = 0};
        struct outcome put;
        set_doubter(pair, &doubter);
        pair_put(pair, "a", 3, &put);
        PAIR_WAIT(pair, doubter.doubted == 1);
        ck_assert_uint_eq(put.answers, 0);
        doubter.has_news = has_news;
        cu_rq_resume(doubter.rq);
        PAIR_WAIT(pair, put.answers == 1);
        ck_assert_int_eq(put.err, has_news ? CU_OK : CU_E_DENIED);
        ck_assert_uint_eq(put.index, has_news ? 3 : 0); /* the request is as it came */
        ck_assert_uint_eq(doubter.asked, 2);
        ck_assert_uint_eq(doubter.doubted, 1);
        ck_assert_uint_eq(doubter.gone, 0);
        pair_free(pair);
    }
}
END_TEST

START_TEST(who_doubts_a_request_is_told_when_nobody_waits_for_it_any_more)
{
    struct pair *pair = pair_new(plain);
    struct doubter doubter = {.asked = 0};
    struct outcome put;
    set_doubter(pair, &doubter);
    struct cu_call *call = pair_put(pair, "a", 3, &put);
    PAIR_WAIT(pair, doubter.doubted == 1);
    cu_call_cancel(call);
    PAIR_WAIT(pair, doubter.gone == 1);
    ck_assert_uint_eq(pair->handled, 0);
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
    cu_client_call(pair->client, &spec, pair_note_error, &out);
    PAIR_WAIT(pair, out.answers == 1);
    ck_assert_int_eq(out.err, CU_E_NOT_FOUND);
    ck_assert_str_eq(out.text, "catalogd has no method Kv.Fly");
    spec = (struct cu_call_spec){.service = &curia__v1__kv__descriptor,
                                 .method = "Put",
                                 .packed = cu_bytes_of("\x0a\x7f"),
                                 .timeout_ms = 1000};
    cu_client_call(pair->client, &spec, pair_note_error, &out);
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

SUITE_MAIN("common/rpc/request",
           requests_and_replies_over_the_rows_limits_are_refused_contracts_2_5,
           only_callers_of_the_rows_class_get_in_contracts_2_3,
           a_daemon_may_classify_its_peers_itself,
           the_permission_of_a_row_is_asked_with_its_resource_contracts_2_4,
           a_denial_that_is_doubted_is_decided_anew_once,
           who_doubts_a_request_is_told_when_nobody_waits_for_it_any_more,
           a_handler_sees_who_asks_and_what_came_with_it_contracts_1_8,
           an_unknown_method_or_request_is_refused,
           a_daemon_that_drains_refuses_new_calls_and_ends_old_ones)
