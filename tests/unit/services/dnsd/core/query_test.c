#include "services/dnsd/core/query.h"

#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/message.h"

static struct dns_query query;

static enum dns_verdict parse(const struct cu_buf *bytes)
{
    return dns_query_parse(cu_buf_bytes(bytes), &query);
}

static enum dns_verdict ask(const char *question, const char *options)
{
    struct cu_buf bytes = {0};
    message_ask(&bytes, question, options);
    enum dns_verdict verdict = parse(&bytes);
    cu_buf_deinit(&bytes);
    return verdict;
}

static bool is_same(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

START_TEST(reads_a_question_as_asked_and_lower_cased) /* dns 7, 8 */
{
    struct dns_name asked = message_name("WEB.Service.consul");
    struct dns_name lower = message_name("web.service.consul");
    ck_assert_int_eq(ask("WEB.Service.consul SRV", ""), DNS_GOOD);
    ck_assert(is_same(&query.name, &asked));
    ck_assert(is_same(&query.lower, &lower));
    ck_assert_uint_eq(query.type, DNS_SRV);
    ck_assert_uint_eq(query.id, MESSAGE_ID);
    ck_assert(!query.has_edns && !query.has_subnet);
}
END_TEST

START_TEST(reads_edns_and_the_clients_subnet)
{
    ck_assert_int_eq(ask("a.consul A", "+bufsize=1400 +subnet=192.0.2.77/25"), DNS_GOOD);
    ck_assert(query.has_edns && query.has_subnet);
    ck_assert_uint_eq(query.udp_bytes, 1400);
    ck_assert_uint_eq(query.subnet.bits, 25);
    ck_assert_uint_eq(query.subnet.len, 4);
    ck_assert_uint_eq(query.subnet.address[3],
                      0); /* bits behind the prefix are nobody's business */
}
END_TEST

START_TEST(an_answer_or_a_stump_gets_no_answer) /* dns 2 */
{
    struct cu_buf bytes = {0};
    message_ask(&bytes, "a.consul A", "");
    bytes.data[2] |= 0x80;
    ck_assert_int_eq(parse(&bytes), DNS_IGNORE);
    bytes.data[2] &= 0x7f;
    bytes.len = DNS_HEADER_BYTES - 1;
    ck_assert_int_eq(parse(&bytes), DNS_IGNORE);
    bytes.len = DNS_HEADER_BYTES;
    ck_assert_int_eq(parse(&bytes), DNS_MALFORMED);
    cu_buf_deinit(&bytes);
}
END_TEST

START_TEST(other_opcodes_are_unknown_but_notify_is_not) /* dns 3 */
{
    for (unsigned op = 0; op < 16; op++) {
        struct cu_buf bytes = {0};
        message_ask(&bytes, "a.consul A", "");
        bytes.data[2] = (uint8_t)(op << 3);
        bool known = op == DNS_OP_QUERY || op == DNS_OP_NOTIFY;
        ck_assert_int_eq(parse(&bytes), known ? DNS_GOOD : DNS_UNKNOWN_OP);
        ck_assert_uint_eq(query.opcode, op);
        cu_buf_deinit(&bytes);
    }
}
END_TEST

START_TEST(counts_keep_to_their_limits) /* dns 4 */
{
    static const struct {
        int at;
        uint8_t count;
    } rows[] = {{5, 0}, {5, 2}, {7, 2}, {9, 2}, {11, 3}};
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        struct cu_buf bytes = {0};
        message_ask(&bytes, "a.consul A", "");
        bytes.data[rows[i].at] = rows[i].count;
        for (int n = 0; n < 4; n++) /* records enough, so that the number alone is wrong */
            cu_buf_append(&bytes, "\0\0\1\0\1\0\0\0\0\0\0", 11);
        ck_assert_msg(parse(&bytes) == DNS_MALFORMED, "row %zu", i);
        cu_buf_deinit(&bytes);
    }
}
END_TEST

START_TEST(takes_one_answer_one_authority_and_two_additional_records)
{
    struct cu_buf bytes = {0};
    message_ask(&bytes, "a.consul A", "");
    bytes.data[7] = bytes.data[9] = 1;
    bytes.data[11] = 2;
    for (int n = 0; n < 4; n++)
        cu_buf_append(&bytes, "\xc0\x0c\0\1\0\1\0\0\0\0\0\0", 12);
    ck_assert_int_eq(parse(&bytes), DNS_GOOD);
    cu_buf_u8(&bytes, 0);
    ck_assert_msg(parse(&bytes) == DNS_MALFORMED, "a byte is left over");
    cu_buf_deinit(&bytes);
}
END_TEST

START_TEST(a_second_opt_or_one_in_another_place_is_malformed) /* RFC 6891 6.1.1 */
{
    static const uint8_t opt[] = {0, 0, DNS_OPT, 4, 0, 0, 0, 0, 0, 0, 0};
    struct cu_buf bytes = {0};
    message_ask(&bytes, "a.consul A", "");
    cu_buf_append(&bytes, opt, sizeof opt);
    bytes.data[7] = 1;
    ck_assert_int_eq(parse(&bytes), DNS_MALFORMED);
    bytes.data[7] = 0;
    bytes.data[11] = 1;
    ck_assert_int_eq(parse(&bytes), DNS_GOOD);
    ck_assert_uint_eq(query.udp_bytes, 1024);
    cu_buf_append(&bytes, opt, sizeof opt);
    bytes.data[11] = 2;
    ck_assert_int_eq(parse(&bytes), DNS_MALFORMED);
    cu_buf_deinit(&bytes);
}
END_TEST

/* A query with one option: code 8, `value`. */
static enum dns_verdict with_subnet(const char *value, uint8_t len)
{
    struct cu_buf bytes = {0};
    const uint8_t head[] = {0, 0, DNS_OPT, 4, 0, 0, 0, 0, 0, 0, (uint8_t)(len + 4), 0, 8, 0, len};
    message_ask(&bytes, "a.consul A", "");
    bytes.data[11] = 1;
    cu_buf_append(&bytes, head, sizeof head);
    cu_buf_append(&bytes, value, len);
    enum dns_verdict verdict = parse(&bytes);
    cu_buf_deinit(&bytes);
    return verdict;
}

START_TEST(a_subnet_keeps_to_its_family) /* RFC 7871 6 */
{
    ck_assert_int_eq(with_subnet("\0\1\x18\0\1\2\3", 7), DNS_GOOD);
    ck_assert_int_eq(with_subnet("\0\1\x20\0\1\2\3\4", 8), DNS_GOOD);
    ck_assert_int_eq(with_subnet("\0\1\x21\0\1\2\3\4\5", 9), DNS_MALFORMED); /* 33 bits */
    ck_assert_int_eq(with_subnet("\0\2\x80\0aaaabbbbccccdddd", 20), DNS_GOOD);
    ck_assert_int_eq(with_subnet("\0\2\x81\0aaaabbbbccccddddd", 21), DNS_MALFORMED);
    ck_assert_int_eq(with_subnet("\0\1\x18\0\1\2", 6), DNS_MALFORMED); /* too few bytes */
    ck_assert_int_eq(with_subnet("\0\1\x18\0\1\2\3\4", 8), DNS_MALFORMED);
    ck_assert_int_eq(with_subnet("\0\3\1\0a", 5), DNS_MALFORMED);
    ck_assert_int_eq(with_subnet("\0\0\0\0", 4), DNS_GOOD);
    ck_assert_int_eq(with_subnet("\0\1", 2), DNS_MALFORMED);
}
END_TEST

START_TEST(a_query_of_4096_bytes_is_taken_and_a_longer_one_not)
{
    struct cu_buf bytes = {0};
    message_ask(&bytes, "a.consul A", "+bufsize=512");
    size_t value = DNS_QUERY_MAX_BYTES - bytes.len - 4;
    bytes.data[bytes.len - 2] = (uint8_t)((value + 4) >> 8);
    bytes.data[bytes.len - 1] = (uint8_t)(value + 4);
    const uint8_t head[] = {0, 12, (uint8_t)(value >> 8), (uint8_t)value}; /* padding, RFC 7830 */
    cu_buf_append(&bytes, head, sizeof head);
    memset(cu_buf_extend(&bytes, value), 0, value);
    ck_assert_uint_eq(bytes.len, DNS_QUERY_MAX_BYTES);
    ck_assert_int_eq(parse(&bytes), DNS_GOOD);
    cu_buf_u8(&bytes, 0);
    ck_assert_int_eq(parse(&bytes), DNS_MALFORMED);
    cu_buf_deinit(&bytes);
}
END_TEST

SUITE_MAIN("services/dnsd/core/query", reads_a_question_as_asked_and_lower_cased,
           reads_edns_and_the_clients_subnet, an_answer_or_a_stump_gets_no_answer,
           other_opcodes_are_unknown_but_notify_is_not, counts_keep_to_their_limits,
           takes_one_answer_one_authority_and_two_additional_records,
           a_second_opt_or_one_in_another_place_is_malformed, a_subnet_keeps_to_its_family,
           a_query_of_4096_bytes_is_taken_and_a_longer_one_not)
