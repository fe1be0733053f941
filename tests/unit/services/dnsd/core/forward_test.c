#include "services/dnsd/core/forward.h"

#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/sample.h"

static struct cu_buf sent, reply;

static void make(enum dns_rcode rcode)
{
    cu_buf_clear(&sent);
    cu_buf_clear(&reply);
    message_ask(&sent, "www.example.test A", "+bufsize=1232");
    sample_reply(&reply, cu_buf_bytes(&sent), rcode, NULL, 0);
}

static enum dns_reply_kind check(void)
{
    return dns_reply_check(cu_buf_bytes(&sent), cu_buf_bytes(&reply));
}

START_TEST(an_answer_is_good_or_failed_by_its_rcode) /* dns 47 */
{
    for (int rcode = DNS_NOERROR; rcode < DNS_RCODE_COUNT; rcode++) {
        make((enum dns_rcode)rcode);
        ck_assert_int_eq(check(), rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN ? DNS_REPLY_GOOD
                                                                                : DNS_REPLY_FAILED);
    }
}
END_TEST

START_TEST(a_truncated_answer_is_good)
{
    make(DNS_NOERROR);
    reply.data[2] |= DNS_TC >> 8;
    ck_assert_int_eq(check(), DNS_REPLY_GOOD);
}
END_TEST

START_TEST(an_answer_to_something_else_is_foreign)
{
    static const struct {
        size_t at;
        const char *what;
    } rows[] = {{0, "another id"},
                {2, "no answer, or another opcode"},
                {5, "no question"},
                {13, "another name"},
                {29, "another type"}};
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        make(DNS_NOERROR);
        reply.data[rows[i].at] ^= rows[i].at == 2 ? 0x80 : 1;
        ck_assert_msg(check() == DNS_REPLY_FOREIGN, "%s", rows[i].what);
    }
    make(DNS_NOERROR);
    reply.data[2] ^= 0x08; /* opcode */
    ck_assert_int_eq(check(), DNS_REPLY_FOREIGN);
    make(DNS_NOERROR);
    reply.len = DNS_HEADER_BYTES;
    ck_assert_int_eq(check(), DNS_REPLY_FOREIGN);
    cu_buf_deinit(&sent);
    cu_buf_deinit(&reply);
}
END_TEST

SUITE_MAIN("services/dnsd/core/forward", an_answer_is_good_or_failed_by_its_rcode,
           a_truncated_answer_is_good, an_answer_to_something_else_is_foreign)
