#include "services/raftd/conf.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

#define SELF "00000000-0000-0000-0000-000000000001"

static enum cu_err read_text(const char *members, struct raft_conf *ret_conf, struct cu_diag *diag)
{
    char text[1024];
    struct cu_conf *conf = NULL;
    struct raft_id self = {{0}};
    self.bytes[15] = 1;
    snprintf(text, sizeof text, "{\"server\":true,\"data_dir\":\"/tmp\",\"node_id\":\"%s\"%s%s}",
             SELF, *members ? "," : "", members);
    enum cu_err err = cu_conf_parse(text, strlen(text), "t.json", &conf, diag);
    if (!err)
        err = raft_conf_read(conf, self, ret_conf, diag);
    cu_conf_free(conf);
    return err;
}

#define PEERS(n2, n3)                                                                              \
    "\"raftd\":{\"peers\":[{\"id\":\"" SELF                                                        \
    "\",\"address\":\"127.0.0.1\"},{\"id\":\"00000000-0000-0000-0000-0000000000" n2                \
    "\",\"address\":\"127.0.0.2\"},{\"id\":\"00000000-0000-0000-0000-0000000000" n3                \
    "\",\"address\":\"127.0.0.3\",\"port\":9000}]}"

START_TEST(the_set_to_bootstrap_follows_from_the_settings) /* contracts 4 */
{
    /* clang-format off */
    static const struct { const char *members; uint32_t want; bool warns; uint32_t by_gossip; } cases[] = {
        {"",                                            0, false, 0},
        {"\"bootstrap\":true",                          1, false, 0},
        {"\"bootstrap_expect\":1",                      1, false, 0},
        {"\"bootstrap_expect\":3," PEERS("02", "03"),   3, false, 0},
        {"\"bootstrap_expect\":5," PEERS("02", "03"),   0, true, 0},
        {"\"bootstrap_expect\":2," PEERS("02", "03"),   0, true, 0},
        {"\"bootstrap_expect\":3",                      0, false, 3},
        {PEERS("02", "03"),                             0, false, 0},
    };
    /* clang-format on */
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct raft_conf conf = {0};
        struct cu_diag diag = {{0}};
        ck_assert_msg(read_text(cases[i].members, &conf, &diag) == CU_OK, "%s", diag.text);
        ck_assert_msg(conf.bootstrap_count == cases[i].want, "case %zu: %u", i,
                      conf.bootstrap_count);
        ck_assert_int_eq(conf.warning[0] != '\0', cases[i].warns);
        ck_assert_uint_eq(conf.expect, cases[i].by_gossip);
        ck_assert_int_eq(conf.is_alone, cases[i].want == 1);
    }
}
END_TEST

START_TEST(peers_and_ports_are_read)
{
    struct raft_conf conf = {0};
    ck_assert_uint_eq(read_text(PEERS("02", "03"), &conf, NULL), CU_OK);
    ck_assert_uint_eq(conf.peer_count, 3);
    ck_assert_str_eq(conf.peers[2].ip, "127.0.0.3");
    ck_assert_uint_eq(conf.peers[2].port, 9000);
    ck_assert_uint_eq(conf.peers[1].port, 8310);
    ck_assert_uint_eq(conf.port, 8310);
    ck_assert_uint_eq(conf.trailing, 10240);
}
END_TEST

START_TEST(timings_follow_the_multiplier) /* consensus 11 */
{
    /* clang-format off */
    static const struct { const char *members; uint32_t election_ms, lease_ms; } cases[] = {
        {"",                                        300, 200},
        {"\"performance\":{\"raft_multiplier\":1}", 1000, 500},
        {"\"performance\":{\"raft_multiplier\":10}", 10000, 5000},
        {"\"dev_mode\":true,\"bootstrap\":true",    52, 20},
    };
    /* clang-format on */
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct raft_conf conf = {0};
        struct cu_diag diag = {{0}};
        ck_assert_msg(read_text(cases[i].members, &conf, &diag) == CU_OK, "%s", diag.text);
        ck_assert_uint_eq(conf.timing.election_ms, cases[i].election_ms);
        ck_assert_uint_eq(conf.timing.lease_ms, cases[i].lease_ms);
    }
}
END_TEST

START_TEST(a_reader_is_an_ip_address_or_a_network)
{
    struct raft_conf conf = {0};
    struct cu_diag diag = {{0}};
    ck_assert_uint_eq(
        read_text("\"raftd\":{\"readers\":[\"127.0.0.9\",\"::1\",\"10.8.0.0/16\"]}", &conf, &diag),
        CU_OK);
    ck_assert_uint_eq(conf.reader_count, 3);
    ck_assert(cu_network_has_text(&conf.readers[0], "127.0.0.9"));
    ck_assert(!cu_network_has_text(&conf.readers[0], "127.0.0.8"));
    ck_assert(cu_network_has_text(&conf.readers[2], "10.8.255.1"));
    ck_assert_uint_eq(read_text("\"raftd\":{\"readers\":[\"host\"]}", &conf, &diag), CU_E_INVALID);
    ck_assert_str_eq(diag.text, "raftd.readers: \"host\" is neither an IP address nor a network");
}
END_TEST

START_TEST(the_user_of_catalogd_is_a_name_or_a_number) /* contracts 2.3 */
{
    struct raft_conf conf = {0};
    struct cu_diag diag = {{0}};
    ck_assert_uint_eq(read_text("\"bootstrap\":true", &conf, &diag), CU_OK);
    ck_assert_uint_eq(conf.catalogd_uid, 0);
    ck_assert_uint_eq(read_text("\"raftd\":{\"catalogd_user\":\"1234\"}", &conf, &diag), CU_OK);
    ck_assert_uint_eq(conf.catalogd_uid, 1234);
    ck_assert_uint_eq(read_text("\"raftd\":{\"catalogd_user\":\"daemon\"}", &conf, &diag), CU_OK);
    ck_assert_uint_eq(conf.catalogd_uid, getpwnam("daemon")->pw_uid);
    ck_assert_uint_eq(read_text("\"raftd\":{\"catalogd_user\":\"no-such-user\"}", &conf, &diag),
                      CU_E_INVALID);
    ck_assert_str_eq(diag.text, "raftd.catalogd_user: this host has no user \"no-such-user\"");
}
END_TEST

SUITE_MAIN("services/raftd/conf", the_set_to_bootstrap_follows_from_the_settings,
           peers_and_ports_are_read, timings_follow_the_multiplier,
           a_reader_is_an_ip_address_or_a_network, the_user_of_catalogd_is_a_name_or_a_number)
