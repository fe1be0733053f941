#include "common/bus/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "curia/internal/v1/bus.pb-c.h"
#include "tests/lib/suite.h"

/* Bytes of a constant text that contains NULs. */
#define BYTES(text)                                                                                \
    (struct cu_bytes)                                                                              \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static struct cu_envelope sample(void)
{
    return (struct cu_envelope){
        .method = cu_bytes_of("Kv.Put"),
        .timeout_ms = 10000,
        .hops = 2,
        .token = cu_bytes_of("4f2b"),
        .datacenter = cu_bytes_of("dc1"),
        .trace_id = BYTES("trace\0trace\0four"),
        .request_id = BYTES("0123456789abcdef"),
        .origin_node = cu_bytes_of("n1"),
        .origin_daemon = cu_bytes_of("agentd"),
        .origin_address = cu_bytes_of("127.0.0.1:53412"),
        .body_len = 5,
    };
}

static struct cu_buf write_envelope(const struct cu_envelope *m, const char *body)
{
    struct cu_buf out = {0};
    cu_buf_reserve(&out, cu_envelope_head_max(m) + m->body_len);
    out.len = (size_t)(cu_envelope_write_head(out.data, m) - out.data);
    ck_assert_uint_le(out.len, cu_envelope_head_max(m));
    cu_buf_append(&out, body, m->body_len);
    return out;
}

static void same(struct cu_bytes a, struct cu_bytes b)
{
    ck_assert(cu_bytes_equal(a, b));
}

START_TEST(protobuf_reads_what_we_write_contracts_1_8)
{
    struct cu_envelope m = sample();
    struct cu_buf out = write_envelope(&m, "hello");
    Curia__Internal__V1__Envelope *got =
        curia__internal__v1__envelope__unpack(NULL, out.len, out.data);
    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got->method, "Kv.Put");
    ck_assert_uint_eq(got->timeout_ms, 10000);
    ck_assert_uint_eq(got->hops, 2);
    ck_assert_str_eq(got->token, "4f2b");
    ck_assert_str_eq(got->datacenter, "dc1");
    same((struct cu_bytes){got->trace_id.data, got->trace_id.len}, m.trace_id);
    same((struct cu_bytes){got->request_id.data, got->request_id.len}, m.request_id);
    ck_assert_str_eq(got->origin->node, "n1");
    ck_assert_str_eq(got->origin->daemon, "agentd");
    ck_assert_str_eq(got->origin->address, "127.0.0.1:53412");
    same((struct cu_bytes){got->body.data, got->body.len}, cu_bytes_of("hello"));
    curia__internal__v1__envelope__free_unpacked(got, NULL);
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(we_read_what_protobuf_writes)
{
    Curia__Internal__V1__Envelope m = CURIA__INTERNAL__V1__ENVELOPE__INIT;
    Curia__Internal__V1__Origin origin = CURIA__INTERNAL__V1__ORIGIN__INIT;
    uint8_t bytes[256];
    struct cu_envelope got;
    char method[] = "Log.Follow", node[] = "n9";
    m.method = method;
    m.timeout_ms = UINT32_MAX;
    m.origin = &origin;
    origin.node = node;
    m.body = (ProtobufCBinaryData){3, (uint8_t *)method};
    size_t len = curia__internal__v1__envelope__pack(&m, bytes);
    ck_assert(cu_envelope_parse((struct cu_bytes){bytes, len}, false, &got));
    same(got.method, cu_bytes_of("Log.Follow"));
    same(got.origin_node, cu_bytes_of("n9"));
    same(got.body, cu_bytes_of("Log"));
    ck_assert_uint_eq(got.timeout_ms, UINT32_MAX);
    ck_assert_uint_eq(got.body_len, 3);
    ck_assert_uint_eq(got.whole_len, len);
}
END_TEST

START_TEST(a_reply_goes_through_protobuf_and_back)
{
    struct cu_reply m = {.error = 3, .text = cu_bytes_of("no"), .index = UINT64_MAX, .body_len = 2};
    struct cu_reply got;
    uint8_t bytes[128];
    uint8_t *end = cu_reply_write_head(bytes, &m);
    memcpy(end, "ok", 2);
    size_t len = (size_t)(end - bytes) + 2;
    Curia__Internal__V1__Reply *p = curia__internal__v1__reply__unpack(NULL, len, bytes);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(p->error, 3);
    ck_assert_uint_eq(p->index, UINT64_MAX);
    len = curia__internal__v1__reply__pack(p, bytes);
    curia__internal__v1__reply__free_unpacked(p, NULL);
    ck_assert(cu_reply_parse((struct cu_bytes){bytes, len}, false, &got));
    ck_assert_uint_eq(got.error, 3);
    ck_assert_uint_eq(got.index, UINT64_MAX);
    same(got.text, cu_bytes_of("no"));
    same(got.body, cu_bytes_of("ok"));
}
END_TEST

START_TEST(an_empty_message_is_one)
{
    struct cu_envelope envelope;
    struct cu_reply reply;
    ck_assert(cu_envelope_parse((struct cu_bytes){0}, false, &envelope));
    ck_assert(cu_reply_parse((struct cu_bytes){0}, false, &reply));
    ck_assert_uint_eq(envelope.whole_len, 0);
}
END_TEST

START_TEST(the_first_part_tells_the_length_of_the_whole)
{
    struct cu_envelope m = sample(), got;
    m.body_len = 100000;
    uint8_t head[512];
    size_t head_len = (size_t)(cu_envelope_write_head(head, &m) - head);
    memcpy(head + head_len, "begin", 5);
    ck_assert(cu_envelope_parse((struct cu_bytes){head, head_len + 5}, true, &got));
    ck_assert_uint_eq(got.body_len, 100000);
    ck_assert_uint_eq(got.whole_len, head_len + 100000);
    same(got.body, cu_bytes_of("begin"));
    ck_assert(!cu_envelope_parse((struct cu_bytes){head, head_len + 5}, false, &got));
}
END_TEST

START_TEST(every_cut_of_a_head_is_refused_or_ends_at_a_field)
{
    struct cu_envelope m = sample(), got;
    struct cu_buf out = write_envelope(&m, "hello");
    for (size_t len = 0; len < out.len; len++) {
        uint8_t *copy = malloc(len ? len : 1);
        memcpy(copy, out.data, len);
        if (cu_envelope_parse((struct cu_bytes){copy, len}, false, &got))
            ck_assert_uint_eq(got.whole_len, len);
        free(copy);
    }
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(refuses_what_is_no_message)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool first_part;
    } cases[] = {
        {"\x0a\x05Kv", 4, false},                                    /* a text cut short */
        {"\x0a\x05Kv", 4, true},                                     /* also in a first part */
        {"\x00\x01", 2, false},                                      /* field number 0 */
        {"\x0b", 1, false},                                          /* a group */
        {"\x10", 1, false},                                          /* a number cut short */
        {"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11, false}, /* over ten bytes */
        {"\x42\x02\x0a\x05", 4, false},                              /* an origin cut short */
        {"\x7a\x05xy\x08\x01", 6, true},                             /* too short a body */
        {"\x7a\x02xy\x08\x01", 6, true}, /* in parts, and the body is not the last field */
        {"\x7a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, true}, /* a body of 2^64 - 1 bytes */
        {"\x19\x01", 2, false},                                     /* a fixed64 cut short */
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_envelope got;
        struct cu_bytes in = {(const uint8_t *)cases[i].bytes, cases[i].len};
        bool parsed = cu_envelope_parse(in, cases[i].first_part, &got);
        /* A body that swallows what follows it is a body that goes on. */
        if (i == 7)
            ck_assert(parsed && got.body_len == 5);
        else
            ck_assert_msg(!parsed, "case %zu", i);
    }
}
END_TEST

START_TEST(passes_over_fields_of_a_later_version)
{
    static const char bytes[] = "\x82\x01\x03new\x0a\x01K\xa8\x01\x05\xb1\x01"
                                "12345678\xbd\x01"
                                "1234";
    struct cu_envelope got;
    ck_assert(cu_envelope_parse(BYTES(bytes), false, &got));
    same(got.method, cu_bytes_of("K"));
}
END_TEST

SUITE_MAIN("common/bus/envelope", protobuf_reads_what_we_write_contracts_1_8,
           we_read_what_protobuf_writes, a_reply_goes_through_protobuf_and_back,
           an_empty_message_is_one, the_first_part_tells_the_length_of_the_whole,
           every_cut_of_a_head_is_refused_or_ends_at_a_field, refuses_what_is_no_message,
           passes_over_fields_of_a_later_version)
