#include "common/json/reflect/reflect.h"

#include <stdlib.h>
#include <string.h>

#include "curia/internal/v1/daemon.pb-c.h"
#include "curia/v1/feed.pb-c.h"
#include "curia/v1/kv.pb-c.h"

#include "tests/lib/suite.h"

static struct cu_diag diag;
static struct cu_arena *arena;

static enum cu_err parse(const ProtobufCMessageDescriptor *type, const char *text,
                         ProtobufCMessage **ret)
{
    json_t *json = json_loads(text, 0, NULL);
    ck_assert_ptr_nonnull(json);
    arena = cu_arena_new(64 * 1024);
    enum cu_err err = cu_reflect_from_json(type, json, arena, ret, &diag);
    json_decref(json);
    return err;
}

START_TEST(what_is_read_prints_the_same)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *text;
    } cases[] = {
        {&curia__v1__kv_put_request__descriptor,
         "{\"verb\":\"KV_CAS\",\"key\":\"YS9i\",\"value\":\"AAEC/"
         "w==\",\"flags\":9223372036854775807,"
         "\"index\":\"18446744073709551615\",\"session\":\"s\",\"reason\":\"\"}"},
        {&curia__v1__kv_txn_request__descriptor, "{\"operations\":[{\"verb\":\"KV_SET\",\"key\":"
                                                 "\"YQ==\",\"value\":\"\",\"flags\":0,\"index\":0,"
                                                 "\"session\":\"\",\"unknown_verb\":\"\"}]}"},
        {&curia__v1__feed_follow_request__descriptor,
         "{\"topics\":[\"kv\",\"x\"],\"after\":{\"cluster_id\":\"\",\"epoch\":1,\"index\":2,"
         "\"rights\":0},"
         "\"wait_ms\":5,\"max_rows\":0,\"with_rows\":false,\"brief\":false}"},
        {&curia__internal__v1__metric__descriptor,
         "{\"name\":\"n\",\"kind\":\"gauge\",\"value\":1.5,\"count\":0,\"sum\":0.0,\"min\":0.0,"
         "\"max\":0.0}"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        ProtobufCMessage *message = NULL;
        enum cu_err err = parse(cases[i].type, cases[i].text, &message);
        ck_assert_msg(!err, "%s: %s", cases[i].text, diag.text);
        json_t *json = cu_reflect_to_json(message);
        char *text = json_dumps(json, JSON_COMPACT);
        ck_assert_str_eq(text, cases[i].text);
        free(text);
        json_decref(json);
        cu_arena_free(arena);
    }
}
END_TEST

START_TEST(what_does_not_fit_is_refused_with_the_fields_name) /* cli 89 */
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"[]", "KvPutRequest must be an object"},
        {"{\"nope\":1}", "KvPutRequest has no field \"nope\""},
        {"{\"key\":1}", "field \"key\" must be base64 in a string"},
        {"{\"key\":\"***\"}", "field \"key\" must be base64 in a string"},
        {"{\"verb\":\"NOPE\"}", "field \"verb\" must be one of its names"},
        {"{\"flags\":-1}", "field \"flags\" must be within the range of its type"},
        {"{\"flags\":\"x\"}", "field \"flags\" must be a whole number"},
        {"{\"session\":3}", "field \"session\" must be a string"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        ProtobufCMessage *message = NULL;
        ck_assert_int_eq(parse(&curia__v1__kv_put_request__descriptor, cases[i].text, &message),
                         CU_E_INVALID);
        ck_assert_str_eq(diag.text, cases[i].sentence);
        cu_arena_free(arena);
    }
}
END_TEST

START_TEST(a_message_over_the_arenas_limit_is_too_large)
{
    char *text = malloc(100032);
    memcpy(text, "{\"session\":\"", 12);
    memset(text + 12, 'x', 100000);
    memcpy(text + 100012, "\"}", 3);
    ProtobufCMessage *message = NULL;
    ck_assert_int_eq(parse(&curia__v1__kv_put_request__descriptor, text, &message), CU_E_TOO_LARGE);
    cu_arena_free(arena);
    free(text);
}
END_TEST

START_TEST(an_absent_message_and_null_are_left_out)
{
    ProtobufCMessage *message = NULL;
    ck_assert_int_eq(parse(&curia__v1__kv_get_reply__descriptor, "{\"pair\":null}", &message),
                     CU_OK);
    json_t *json = cu_reflect_to_json(message);
    ck_assert_uint_eq(json_object_size(json), 0);
    json_decref(json);
    cu_arena_free(arena);
}
END_TEST

START_TEST(an_enum_number_of_a_newer_peer_prints_as_a_number)
{
    Curia__V1__KvPutRequest request = CURIA__V1__KV_PUT_REQUEST__INIT;
    request.verb = (Curia__V1__KvVerb)99;
    json_t *json = cu_reflect_to_json(&request.base);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "verb")), 99);
    json_decref(json);
}
END_TEST

SUITE_MAIN("common/json/reflect", what_is_read_prints_the_same,
           what_does_not_fit_is_refused_with_the_fields_name,
           a_message_over_the_arenas_limit_is_too_large, an_absent_message_and_null_are_left_out,
           an_enum_number_of_a_newer_peer_prints_as_a_number)
