#include "services/agentd/core/shapes.h"

#include <string.h>

#include "curia/v1/kv.pb-c.h"
#include "curia/v1/status.pb-c.h"
#include "tests/lib/shaped.h"
#include "tests/lib/suite.h"

START_TEST(no_field_of_any_message_is_missing_by_accident) /* contracts 8.1 */
{
    for (size_t i = 0; i < agent_shape_count; i++) {
        struct cu_diag diag = {0};
        enum cu_err err = cu_json_shape_agrees(agent_shapes[i], &diag);
        ck_assert_msg(!err, "%s: %s", agent_shapes[i]->go_name, diag.text);
    }
}
END_TEST

START_TEST(prints_a_pair_in_the_order_of_the_reference) /* http 65, 66 */
{
    Curia__V1__KvPair pair = CURIA__V1__KV_PAIR__INIT;
    pair.key = (ProtobufCBinaryData){3, (uint8_t *)"a/b"};
    pair.create_index = pair.modify_index = 7;
    ck_assert_str_eq(shaped_text(&agent_shape_kv_pair, &pair.base),
                     "{\"LockIndex\":0,\"Key\":\"a/b\",\"Flags\":0,\"Value\":null,"
                     "\"CreateIndex\":7,\"ModifyIndex\":7}");
    pair.value = (ProtobufCBinaryData){5, (uint8_t *)"hello"};
    pair.session = "s";
    pair.flags = UINT64_MAX;
    ck_assert_str_eq(shaped_text(&agent_shape_kv_pair, &pair.base),
                     "{\"LockIndex\":0,\"Key\":\"a/b\",\"Flags\":18446744073709551615,"
                     "\"Value\":\"aGVsbG8=\",\"Session\":\"s\",\"CreateIndex\":7,"
                     "\"ModifyIndex\":7}");
}
END_TEST

START_TEST(prints_lists_of_messages) /* http 231 */
{
    Curia__V1__RaftServer server = CURIA__V1__RAFT_SERVER__INIT;
    Curia__V1__RaftServer *servers[] = {&server};
    Curia__V1__RaftConfigurationReply reply = CURIA__V1__RAFT_CONFIGURATION_REPLY__INIT;
    ck_assert_str_eq(shaped_text(&agent_shape_raft_configuration, &reply.base),
                     "{\"Servers\":[],\"Index\":0}");
    server.id = "i";
    server.leader = true;
    server.protocol_version = "3";
    reply.servers = servers;
    reply.n_servers = 1;
    ck_assert_str_eq(shaped_text(&agent_shape_raft_configuration, &reply.base),
                     "{\"Servers\":[{\"ID\":\"i\",\"Node\":\"\",\"Address\":\"\",\"Leader\":true,"
                     "\"ProtocolVersion\":\"3\",\"Voter\":false}],\"Index\":0}");
}
END_TEST

START_TEST(prints_any_number_of_messages_as_a_list)
{
    Curia__V1__KvTxnError first = CURIA__V1__KV_TXN_ERROR__INIT, second = first;
    Curia__V1__KvTxnError *errors[] = {&first, &second};
    static const char *const lists[] = {
        "[]", "[{\"OpIndex\":0,\"What\":\"a\"}]",
        "[{\"OpIndex\":0,\"What\":\"a\"},{\"OpIndex\":1,\"What\":\"b\"}]"};
    first.what = "a";
    second.op_index = 1;
    second.what = "b";
    for (size_t count = 0; count < CU_COUNT(lists); count++) {
        struct cu_buf out = {0};
        cu_json_write_list(&out, &agent_shape_txn_error, count ? errors : NULL, count);
        ck_assert_msg(cu_bytes_equal(cu_buf_bytes(&out), cu_bytes_of(lists[count])), "%.*s",
                      (int)out.len, (const char *)out.data);
        cu_buf_deinit(&out);
    }
}
END_TEST

static enum cu_err read_operation(const char *text, struct cu_arena *arena,
                                  Curia__V1__KvOperation *op, struct cu_diag *diag)
{
    *diag = (struct cu_diag){0};
    curia__v1__kv_operation__init(op);
    return cu_json_read_text(cu_bytes_of(text), &agent_shape_kv_operation, arena, &op->base, diag);
}

START_TEST(reads_names_in_any_case_and_leaves_nulls_alone)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct cu_diag diag;
    Curia__V1__KvOperation op;
    ck_assert_int_eq(
        read_operation("{\"verb\":\"cas\",\"KEY\":\"k\",\"Value\":\"aGk=\",\"flags\":null,"
                       "\"Index\":9,\"namespace\":\"x\"}",
                       arena, &op, &diag),
        CU_OK);
    ck_assert_int_eq(op.verb, CURIA__V1__KV_VERB__KV_CAS);
    ck_assert_uint_eq(op.key.len, 1);
    ck_assert_uint_eq(op.value.len, 2);
    ck_assert_mem_eq(op.value.data, "hi", 2);
    ck_assert_uint_eq(op.flags, 0);
    ck_assert_uint_eq(op.index, 9);
    cu_arena_free(arena);
}
END_TEST

static const struct {
    const char *text, *sentence;
} refused[] = {
    {"{\"Verb\":b}", "invalid character 'b' looking for beginning of value"},
    {"{\"Foo\":1}", "json: unknown field \"Foo\""}, /* http 116 */
    {"{\"Value\":\"!!\"}", "illegal base64 data at input byte 0"},
    {"{\"Flags\":\"x\"}",
     "json: cannot unmarshal string into Go struct field KVTxnOp.Flags of type uint64"},
    {"{\"Flags\":-1}",
     "json: cannot unmarshal number -1 into Go struct field KVTxnOp.Flags of type uint64"},
    {"{\"Key\":{}}",
     "json: cannot unmarshal object into Go struct field KVTxnOp.Key of type string"},
    {"{\"Key\":1,\"Foo\":2}",
     "json: cannot unmarshal number 1 into Go struct field KVTxnOp.Key of type string"},
    {"{\"Session\":\"a\\u0000b\"}", "json: invalid NUL in field Session"},
};

START_TEST(names_the_first_field_that_does_not_fit)
{
    struct cu_arena *arena = cu_arena_new(4096);
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        struct cu_diag diag;
        Curia__V1__KvOperation op;
        ck_assert_int_eq(read_operation(refused[i].text, arena, &op, &diag), CU_E_INVALID);
        ck_assert_str_eq(diag.text, refused[i].sentence);
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_full_arena_is_told)
{
    struct cu_arena *arena = cu_arena_new(64);
    struct cu_diag diag;
    Curia__V1__KvOperation op;
    char text[300];
    memset(text, 'k', sizeof text);
    memcpy(text, "{\"Key\":\"", 8);
    memcpy(text + sizeof text - 3, "\"}", 3);
    ck_assert_int_eq(read_operation(text, arena, &op, &diag), CU_E_TOO_LARGE);
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("services/agentd/core/shapes", no_field_of_any_message_is_missing_by_accident,
           prints_a_pair_in_the_order_of_the_reference, prints_lists_of_messages,
           prints_any_number_of_messages_as_a_list, reads_names_in_any_case_and_leaves_nulls_alone,
           names_the_first_field_that_does_not_fit, a_full_arena_is_told)
