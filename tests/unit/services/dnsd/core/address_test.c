#include "services/dnsd/core/address.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/message.h"

START_TEST(an_address_is_an_ip_or_a_name_or_nothing)
{
    static const struct {
        const char *text;
        enum dns_address_kind kind;
    } rows[] = {{"10.0.0.1", DNS_IPV4},        {"::1", DNS_IPV6},
                {"::ffff:10.0.0.1", DNS_IPV4}, {"db.example.test", DNS_HOST_NAME},
                {"", DNS_NO_ADDRESS},          {"a..b", DNS_NO_ADDRESS}};
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        struct dns_address address;
        dns_address_init(&address, rows[i].text);
        ck_assert_msg(address.kind == rows[i].kind, "%s", rows[i].text);
        dns_address_deinit(&address);
    }
}
END_TEST

START_TEST(v4_within_v6_is_v4)
{
    struct dns_address a, b;
    dns_address_init(&a, "::ffff:10.0.0.1");
    dns_address_init(&b, "10.0.0.1");
    ck_assert(dns_address_equal(&a, &b));
    dns_address_init(&b, "10.0.0.2");
    ck_assert(!dns_address_equal(&a, &b));
}
END_TEST

START_TEST(tagged_addresses_of_the_family_come_first) /* dns 74 */
{
    struct dns_endpoint at = {0};
    dns_address_init(&at.plain, "10.0.0.1");
    ck_assert_ptr_eq(dns_endpoint_pick(&at, DNS_AAAA), &at.plain);
    dns_address_init(&at.ipv4, "10.0.0.2");
    dns_address_init(&at.ipv6, "2001:db8::2");
    ck_assert_ptr_eq(dns_endpoint_pick(&at, DNS_A), &at.ipv4);
    ck_assert_ptr_eq(dns_endpoint_pick(&at, DNS_AAAA), &at.ipv6);
    ck_assert_ptr_eq(dns_endpoint_pick(&at, DNS_SRV), &at.ipv6);
    dns_address_deinit(&at.ipv6);
    ck_assert_ptr_eq(dns_endpoint_pick(&at, DNS_SRV), &at.ipv4);
    ck_assert_ptr_eq(dns_endpoint_pick(&at, DNS_AAAA), &at.plain);
    dns_endpoint_deinit(&at);
}
END_TEST

START_TEST(types_suit_as_the_table_says) /* dns.md 5.1 */
{
    static const struct {
        unsigned type;
        bool v4, v6;
    } rows[] = {{DNS_A, true, false},  {DNS_AAAA, false, true}, {DNS_SRV, true, true},
                {DNS_ANY, true, true}, {DNS_NS, true, true},    {DNS_TXT, true, true},
                {15, false, false}};
    struct dns_address v4, v6, host;
    dns_address_init(&v4, "10.0.0.1");
    dns_address_init(&v6, "::1");
    dns_address_init(&host, "h");
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        ck_assert(dns_address_suits(&v4, rows[i].type) == rows[i].v4);
        ck_assert(dns_address_suits(&v6, rows[i].type) == rows[i].v6);
        ck_assert(!dns_address_suits(&host, rows[i].type));
    }
    dns_address_deinit(&host);
}
END_TEST

static bool reverse(const char *text, const char *want_ip)
{
    struct dns_name name = message_name(text);
    struct dns_address ip, want;
    if (!dns_reverse_parse(&name, &ip))
        return false;
    dns_address_init(&want, want_ip);
    return dns_address_equal(&ip, &want);
}

START_TEST(reverse_names_are_ips_in_the_one_form_they_have) /* dns 50 */
{
    static const char *const bad[] = {
        "9.10.in-addr.arpa",
        "01.9.9.10.in-addr.arpa",
        "256.9.9.10.in-addr.arpa",
        "1.1.9.9.10.in-addr.arpa",
        "a.9.9.10.in-addr.arpa",
        "in-addr.arpa",
        "arpa",
        "1.9.9.10.in-addr.example",
        "1.2.3.4.ip6.arpa",
        "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.g.ip6.arpa",
        "77.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"};
    ck_assert(reverse("1.9.9.10.in-addr.arpa", "10.9.9.1"));
    ck_assert(reverse("0.0.0.0.in-addr.arpa", "0.0.0.0"));
    ck_assert(reverse("7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                      "2001:db8::7"));
    for (size_t i = 0; i < CU_COUNT(bad); i++)
        ck_assert_msg(!reverse(bad[i], "::"), "%s", bad[i]);
}
END_TEST

SUITE_MAIN("services/dnsd/core/address", an_address_is_an_ip_or_a_name_or_nothing,
           v4_within_v6_is_v4, tagged_addresses_of_the_family_come_first,
           types_suit_as_the_table_says, reverse_names_are_ips_in_the_one_form_they_have)
