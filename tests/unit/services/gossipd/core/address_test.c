/* Addresses as text: gossip.md 20, checklist 84. */
#include "tests/lib/suite.h"

#include <string.h>

#include "common/base/err.h"
#include "services/gossipd/core/address.h"

START_TEST(an_address_is_written_as_it_is_read)
{
    static const char *const texts[] = {"10.0.0.1:8301", "0.0.0.0:0", "255.255.255.255:65535",
                                        "[fe80::1]:7946", "[::]:1"};
    for (size_t i = 0; i < CU_COUNT(texts); i++) {
        struct gossip_addr addr;
        char text[GOSSIP_ADDR_TEXT_BYTES];
        ck_assert_msg(gossip_addr_parse(cu_bytes_of(texts[i]), &addr), "%s", texts[i]);
        ck_assert_str_eq(gossip_addr_format(addr, text), texts[i]);
    }
}
END_TEST

START_TEST(a_mapped_address_is_the_ipv4_one) /* 84 */
{
    struct gossip_addr mapped, plain;
    ck_assert(gossip_addr_parse(cu_bytes_of("[::ffff:10.0.0.1]:8301"), &mapped));
    ck_assert(gossip_addr_parse(cu_bytes_of("10.0.0.1:8301"), &plain));
    ck_assert(gossip_addr_equal(mapped, plain));
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
    static const char *const texts[] = {
        "",
        ":",
        "10.0.0.1",
        "10.0.0.1:",
        "10.0.0.1:65536",
        "10.0.0.1:-1",
        "10.0.0:1",
        "fe80::1:8301",
        "[fe80::1:8301",
        "[]:1",
        "host:1",
        "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%lo00]:65535"};
    for (size_t i = 0; i < CU_COUNT(texts); i++) {
        struct gossip_addr addr = {.port = 7};
        ck_assert_msg(!gossip_addr_parse(cu_bytes_of(texts[i]), &addr), "%s", texts[i]);
        ck_assert_uint_eq(addr.port, 7);
    }
    ck_assert(!gossip_addr_parse((struct cu_bytes){(const uint8_t *)"1.2.3.4\0:1", 10},
                                 &(struct gossip_addr){0}));
}
END_TEST

SUITE_MAIN("services/gossipd/core/address", an_address_is_written_as_it_is_read,
           a_mapped_address_is_the_ipv4_one, what_is_no_address_is_refused)
