#include "services/gossipd/core/message.h"

#include <string.h>

#include "tests/lib/suite.h"

static const uint8_t plain[4] = {127, 0, 0, 1};
static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1};
static const uint8_t loopback6[16] = {[15] = 1};

START_TEST(an_ipv4_mapped_address_equals_the_ipv4_one) /* gossip 84 */
{
    struct gossip_ip a = gossip_ip_of((struct cu_bytes){plain, 4});
    struct gossip_ip b = gossip_ip_of((struct cu_bytes){mapped, 16});
    struct gossip_ip c = gossip_ip_of((struct cu_bytes){loopback6, 16});
    ck_assert_uint_eq(a.len, 4);
    ck_assert_uint_eq(c.len, 16);
    ck_assert(gossip_ip_equal(a, b));
    ck_assert(!gossip_ip_equal(a, c));
}
END_TEST

START_TEST(an_address_of_another_length_is_none)
{
    for (size_t len = 0; len < sizeof mapped; len++)
        if (len != 4)
            ck_assert_uint_eq(gossip_ip_of((struct cu_bytes){mapped, len}).len, 0);
}
END_TEST

START_TEST(versions_that_are_not_known_equal_only_each_other)
{
    struct gossip_versions serf = GOSSIP_VERSIONS_SERF, consul = GOSSIP_VERSIONS_CONSUL;
    struct gossip_versions none = {0};
    ck_assert(gossip_versions_equal(serf, serf));
    ck_assert(!gossip_versions_equal(serf, consul));
    ck_assert(!gossip_versions_equal(serf, none));
    ck_assert(gossip_versions_equal(none, (struct gossip_versions){.pmin = 1}));
}
END_TEST

START_TEST(names_are_one_line_and_one_string)
{
    char longest[GOSSIP_NAME_MAX_BYTES + 1];
    memset(longest, 'n', sizeof longest);
    ck_assert(gossip_name_is_fit((struct cu_bytes){(uint8_t *)longest, GOSSIP_NAME_MAX_BYTES}));
    ck_assert(!gossip_name_is_fit((struct cu_bytes){(uint8_t *)longest, sizeof longest}));
    ck_assert(gossip_name_is_fit(cu_bytes_of("a b")));
    ck_assert(!gossip_name_is_fit(cu_bytes_of("")));
    ck_assert(!gossip_name_is_fit(cu_bytes_of("a\nb")));
    ck_assert(!gossip_name_is_fit((struct cu_bytes){(const uint8_t *)"a\0b", 3}));
}
END_TEST

SUITE_MAIN("services/gossipd/core/message", an_ipv4_mapped_address_equals_the_ipv4_one,
           an_address_of_another_length_is_none, versions_that_are_not_known_equal_only_each_other,
           names_are_one_line_and_one_string)
