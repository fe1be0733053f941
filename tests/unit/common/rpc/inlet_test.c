/* Requests of another transport go through the same rows (contracts 2.1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rpc/inlet.h"
#include "tests/lib/suite.h"
#include "tests/unit/common/rpc/fixture.h"

struct heard {
    unsigned answers;
    enum cu_err err;
    uint64_t index;
    char text[200];
};

static void hear(void *arg, const struct cu_inlet_answer *answer)
{
    struct heard *heard = arg;
    heard->answers++;
    heard->err = answer->err;
    heard->index = answer->index;
    (void)snprintf(heard->text, sizeof heard->text, "%s", answer->text);
}

/* `value_len` bytes are put under `key`; the packed request is freed by the caller. */
static uint8_t *pack_put(const char *key, size_t value_len, size_t *ret_len)
{
    Curia__V1__KvPutRequest in = CURIA__V1__KV_PUT_REQUEST__INIT;
    in.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
    in.value = (ProtobufCBinaryData){value_len, calloc(1, value_len + 1)};
    uint8_t *packed = malloc(curia__v1__kv_put_request__get_packed_size(&in));
    *ret_len = curia__v1__kv_put_request__pack(&in, packed);
    free(in.value.data);
    return packed;
}

static void serve(struct pair *pair, struct cu_inlet_call *call, struct heard *heard,
                  const char *method, const char *key, size_t value_len)
{
    size_t len;
    uint8_t *packed = pack_put(key, value_len, &len);
    *heard = (struct heard){0};
    *call = (struct cu_inlet_call){.method = cu_bytes_of(method),
                                   .body = {packed, len},
                                   .timeout_ms = 60000,
                                   .address = "192.0.2.1:7",
                                   .done = hear,
                                   .arg = heard};
    cu_inlet_serve(pair->server, call);
    free(packed);
}

START_TEST(is_answered_by_the_rows_handler_with_its_index)
{
    struct pair *pair = pair_new_server(plain);
    struct cu_inlet_call call;
    struct heard heard;
    serve(pair, &call, &heard, "Kv.Put", "a", 5);
    ck_assert_uint_eq(heard.answers, 1);
    ck_assert_int_eq(heard.err, CU_OK);
    ck_assert_uint_eq(heard.index, 5);
    serve(pair, &call, &heard, "Kv.Put", "fail", 0);
    ck_assert_int_eq(heard.err, CU_E_NOT_FOUND);
    ck_assert_str_eq(heard.text, "no such key");
    pair_free(pair);
}
END_TEST

START_TEST(is_refused_by_the_rows_caller_limit_and_name_contracts_2_3_2_5)
{
    struct pair *pair = pair_new_server(plain);
    struct cu_inlet_call call;
    struct heard heard;
    serve(pair, &call, &heard, "Kv.Txn", "a", 0);
    ck_assert_int_eq(heard.err, CU_E_DENIED);
    serve(pair, &call, &heard, "Kv.Nope", "a", 0);
    ck_assert_int_eq(heard.err, CU_E_NOT_FOUND);
    const size_t head = 3 + 4; /* key "a" with its tag; tag and length of a long value */
    serve(pair, &call, &heard, "Kv.Put", "a", PUT_LIMIT - head);
    ck_assert_int_eq(heard.err, CU_OK);
    serve(pair, &call, &heard, "Kv.Put", "a", PUT_LIMIT - head + 1);
    ck_assert_int_eq(heard.err, CU_E_TOO_LARGE);
    pair_free(pair);
}
END_TEST

START_TEST(is_answered_later_when_the_handler_holds_it)
{
    struct pair *pair = pair_new_server(plain);
    struct cu_inlet_call call;
    struct heard heard;
    serve(pair, &call, &heard, "Kv.Put", "hold", 0);
    ck_assert_uint_eq(heard.answers, 0);
    ck_assert_str_eq(pair->held[0]->peer->address, "192.0.2.1:7");
    pair_release(pair, 0, 9);
    ck_assert_uint_eq(heard.answers, 1);
    ck_assert_uint_eq(heard.index, 9);
    cu_inlet_cancel(&call); /* nothing is under way */
    pair_free(pair);
}
END_TEST

START_TEST(a_cancelled_one_tells_its_handler_and_is_never_answered_contracts_1_3)
{
    struct pair *pair = pair_new_server(plain);
    struct cu_inlet_call call;
    struct heard heard;
    serve(pair, &call, &heard, "Kv.Put", "hold", 0);
    cu_inlet_cancel(&call);
    ck_assert_uint_eq(pair->gone, 1);
    serve(pair, &call, &heard, "Kv.Put", "keep", 0); /* its handler is not told */
    cu_inlet_cancel(&call);
    ck_assert_uint_eq(cu_rpc_open_calls(pair->server), 1);
    ck_assert_ptr_null(pair->held[1]->peer);
    pair_release(pair, 1, 1);
    ck_assert_uint_eq(heard.answers, 0);
    ck_assert_uint_eq(cu_rpc_open_calls(pair->server), 0);
    pair_free(pair);
}
END_TEST

START_TEST(one_that_is_late_is_answered_with_deadline)
{
    struct pair *pair = pair_new_server(plain);
    struct heard heard = {0};
    struct cu_inlet_call call = {.method = cu_bytes_of("Kv.Put"),
                                 .timeout_ms = 20,
                                 .address = "x",
                                 .done = hear,
                                 .arg = &heard};
    size_t len;
    uint8_t *packed = pack_put("hold", 0, &len);
    call.body = (struct cu_bytes){packed, len};
    cu_inlet_serve(pair->server, &call);
    free(packed);
    PAIR_WAIT(pair, heard.answers == 1);
    ck_assert_int_eq(heard.err, CU_E_DEADLINE);
    ck_assert_uint_eq(pair->gone, 1);
    pair_free(pair);
}
END_TEST

SUITE_MAIN("common/rpc/inlet", is_answered_by_the_rows_handler_with_its_index,
           is_refused_by_the_rows_caller_limit_and_name_contracts_2_3_2_5,
           is_answered_later_when_the_handler_holds_it,
           a_cancelled_one_tells_its_handler_and_is_never_answered_contracts_1_3,
           one_that_is_late_is_answered_with_deadline)
