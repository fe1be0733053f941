#include "common/conf/network.h"

#include "tests/lib/suite.h"

START_TEST(an_address_is_in_a_network_by_its_first_bits)
{
    static const struct {
        const char *network, *ip;
        bool has;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.128.0.0/9", "10.127.255.255", false},
        {"10.128.0.0/9", "10.128.0.0", true},
        {"192.168.1.5/32", "192.168.1.5", true},
        {"192.168.1.5/32", "192.168.1.4", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "::1", false},
        {"fd00::/9", "fd7f::1", true},
        {"fd00::/9", "fd80::1", false},
        {"127.0.0.9", "127.0.0.9", true},
        {"127.0.0.9", "127.0.0.8", false},
        {"::1", "::1", true},
        {"::1", "::2", false},
        {"::/0", "10.0.0.1", false},
        {"0.0.0.0/0", "host", false},
        {"0.0.0.0/0", "", false},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_network network;
        ck_assert_int_eq(cu_network_parse(cases[i].network, &network), CU_OK);
        ck_assert_msg(cu_network_has_text(&network, cases[i].ip) == cases[i].has, "%s in %s",
                      cases[i].ip, cases[i].network);
    }
}
END_TEST

START_TEST(what_is_no_network_is_refused)
{
    static const char *const bad[] = {
        "",
        "host",
        "10.0.0.0/",
        "10.0.0.0/33",
        "::/129",
        "10.0.0/8",
        "10.0.0.0/x",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "/8",
        "1.2.3.4.5",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa",
    };
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        struct cu_network network;
        ck_assert_msg(cu_network_parse(bad[i], &network) == CU_E_INVALID, "%s", bad[i]);
    }
}
END_TEST

SUITE_MAIN("common/conf/network", an_address_is_in_a_network_by_its_first_bits,
           what_is_no_network_is_refused)
