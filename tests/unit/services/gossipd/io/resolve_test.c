#include "services/gossipd/io/resolve.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static const struct {
    const char *text, *name, *host;
    unsigned port;
    enum cu_err err;
} entries[] = {
    {"10.0.0.1", "", "10.0.0.1", 0, CU_OK},
    {"10.0.0.1:99", "", "10.0.0.1", 99, CU_OK},
    {"host.example", "", "host.example", 0, CU_OK},
    {"host:65535", "", "host", 65535, CU_OK},
    {"n1/10.0.0.1:99", "n1", "10.0.0.1", 99, CU_OK},
    {"::1", "", "::1", 0, CU_OK},
    {"[::1]", "", "::1", 0, CU_OK},
    {"[fe80::1]:7", "", "fe80::1", 7, CU_OK},
    {"", "", "", 0, CU_E_INVALID},
    {"/10.0.0.1", "", "", 0, CU_E_INVALID},
    {"n1/", "", "", 0, CU_E_INVALID},
    {":99", "", "", 0, CU_E_INVALID},
    {"host:", "", "", 0, CU_E_INVALID},
    {"host:0", "", "", 0, CU_E_INVALID},
    {"host:65536", "", "", 0, CU_E_INVALID},
    {"[::1", "", "", 0, CU_E_INVALID},
    {"[::1]x", "", "", 0, CU_E_INVALID},
    {"[]:1", "", "", 0, CU_E_INVALID},
    {"provider=aws", "", "", 0, CU_E_INVALID},
    {"{{ GetPrivateIP }}", "", "", 0, CU_E_INVALID},
};

START_TEST(entries_are_names_hosts_and_ports)
{
    for (size_t i = 0; i < CU_COUNT(entries); i++) {
        struct gossip_entry entry = {.host = "untouched"};
        struct cu_diag diag = {0};
        ck_assert_msg(gossip_entry_parse(entries[i].text, &entry, &diag) == entries[i].err, "%s",
                      entries[i].text);
        ck_assert_int_eq(*diag.text != 0, entries[i].err != CU_OK);
        if (entries[i].err) {
            ck_assert_str_eq(entry.host, "untouched");
            continue;
        }
        ck_assert_str_eq(entry.name, entries[i].name);
        ck_assert_str_eq(entry.host, entries[i].host);
        ck_assert_uint_eq(entry.port, entries[i].port);
    }
}
END_TEST

START_TEST(a_host_is_as_long_as_it_may_be)
{
    char text[258];
    struct gossip_entry entry;
    struct cu_diag diag = {0};
    memset(text, 'h', sizeof text);
    text[256] = '\0';
    ck_assert_int_eq(gossip_entry_parse(text, &entry, &diag), CU_E_INVALID);
    text[255] = '\0';
    ck_assert_int_eq(gossip_entry_parse(text, &entry, &diag), CU_OK);
}
END_TEST

struct outcome {
    struct cu_loop *loop;
    unsigned calls, count, failed_count;
    uint16_t last_port;
};

static void on_resolved(void *arg, const struct gossip_resolved *resolved)
{
    struct outcome *outcome = arg;
    outcome->calls++;
    outcome->count = resolved->count;
    outcome->failed_count = resolved->failed_count;
    if (resolved->count)
        outcome->last_port = resolved->targets[resolved->count - 1].address.port;
    cu_loop_stop(outcome->loop);
}

START_TEST(each_address_comes_once_and_failures_are_said)
{
    static const char *const list[] = {"127.0.0.1", "127.0.0.1:8301", "127.0.0.1:9", "host:0"};
    struct outcome outcome = {.loop = cu_loop_new()};
    struct gossip_resolver *resolver = gossip_resolver_new(outcome.loop);
    gossip_resolve(resolver, list, CU_COUNT(list), 8301, on_resolved, &outcome);
    ck_assert_uint_eq(outcome.calls, 0); /* never from within */
    cu_loop_run(outcome.loop);
    ck_assert_uint_eq(outcome.calls, 1);
    ck_assert_uint_eq(outcome.count, 2);
    ck_assert_uint_eq(outcome.last_port, 9);
    ck_assert_uint_eq(outcome.failed_count, 1);
    gossip_resolver_free(resolver);
    cu_loop_free(outcome.loop);
}
END_TEST

START_TEST(who_frees_it_hears_no_more)
{
    static const char *const list[] = {"127.0.0.1"};
    struct outcome outcome = {.loop = cu_loop_new()};
    struct gossip_resolver *resolver = gossip_resolver_new(outcome.loop);
    gossip_resolve(resolver, list, CU_COUNT(list), 8301, on_resolved, &outcome);
    gossip_resolver_free(resolver);
    ck_assert_uint_eq(outcome.calls, 0);
    cu_loop_free(outcome.loop);
}
END_TEST

START_TEST(so_many_targets_and_no_more)
{
    static char texts[GOSSIP_JOIN_MAX + 1][24];
    static const char *list[GOSSIP_JOIN_MAX + 1];
    struct outcome outcome = {.loop = cu_loop_new()};
    struct gossip_resolver *resolver = gossip_resolver_new(outcome.loop);
    for (int i = 0; i <= GOSSIP_JOIN_MAX; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "10.0.0.1:%d", 1000 + i);
        list[i] = texts[i];
    }
    gossip_resolve(resolver, list, CU_COUNT(list), 8301, on_resolved, &outcome);
    cu_loop_run(outcome.loop);
    ck_assert_uint_eq(outcome.count, GOSSIP_JOIN_MAX);
    gossip_resolver_free(resolver);
    cu_loop_free(outcome.loop);
}
END_TEST

SUITE_MAIN("services/gossipd/io/resolve", entries_are_names_hosts_and_ports,
           a_host_is_as_long_as_it_may_be, each_address_comes_once_and_failures_are_said,
           who_frees_it_hears_no_more, so_many_targets_and_no_more)
