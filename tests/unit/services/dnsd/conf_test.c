#include "services/dnsd/conf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct dns_conf conf;
static struct cu_diag diag;

static enum cu_err read_conf(const char *json)
{
    char text[4096];
    struct cu_conf *all = NULL;
    diag = (struct cu_diag){0};
    int len = snprintf(text, sizeof text,
                       "{\"node_id\":\"11111111-2222-3333-4444-555555555555\",\"server\":true,"
                       "\"data_dir\":\"/tmp\"%s%s}",
                       *json ? "," : "", json);
    enum cu_err err = cu_conf_parse(text, (size_t)len, "test", &all, &diag);
    if (!err)
        err = dns_conf_read(all, "ipc:///run/catalogd.sock", &conf, &diag);
    cu_conf_free(all);
    return err;
}

static void read_good(const char *json)
{
    ck_assert_msg(!read_conf(json), "%s", diag.text);
}

START_TEST(defaults_are_those_of_the_reference) /* dns.md 13 */
{
    read_good("");
    const struct dns_settings *settings = &conf.live.settings;
    ck_assert_uint_eq(conf.port, 8600);
    ck_assert_uint_eq(conf.address_count, 1);
    ck_assert_str_eq(conf.addresses[0], "127.0.0.1");
    ck_assert_str_eq(conf.catalogs[0], "ipc:///run/catalogd.sock");
    ck_assert_uint_eq(settings->udp_answer_limit, 3);
    ck_assert_uint_eq(settings->soa_refresh_s, 3600);
    ck_assert_uint_eq(settings->soa_retry_s, 600);
    ck_assert_uint_eq(settings->soa_expire_s, 86400);
    ck_assert_uint_eq(settings->soa_min_ttl_s, 0);
    ck_assert(settings->compresses && settings->adds_node_meta && !settings->truncates);
    ck_assert(!settings->only_passing && !settings->has_recursors);
    ck_assert(conf.live.freshness.allow_stale);
    ck_assert_uint_eq(conf.live.freshness.max_age_ms, 87600ull * 3600 * 1000);
    ck_assert_uint_eq(conf.live.recursor_timeout_ms, 2000);
    dns_conf_deinit(&conf);
}
END_TEST

START_TEST(ttls_are_durations)
{
    read_good(
        "\"dns_config\":{\"node_ttl\":\"1m5s\",\"service_ttl\":{\"web\":\"10s\",\"*\":\"1h\"}}");
    ck_assert_uint_eq(conf.live.settings.node_ttl_s, 65);
    ck_assert_uint_eq(dns_settings_ttl(&conf.live.settings, cu_bytes_of("web")), 10);
    ck_assert_uint_eq(dns_settings_ttl(&conf.live.settings, cu_bytes_of("db")), 3600);
    dns_conf_deinit(&conf);
    ck_assert_int_eq(read_conf("\"dns_config\":{\"service_ttl\":{\"web\":\"10\"}}"), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "dns_config.service_ttl[web]"));
    ck_assert_int_eq(read_conf("\"dns_config\":{\"service_ttl\":{\"web\":\"-1s\"}}"), CU_E_INVALID);
    read_good("\"dns_config\":{\"service_ttl\":{\"web\":\"2147483647s\"}}");
    dns_conf_deinit(&conf);
    ck_assert_int_eq(read_conf("\"dns_config\":{\"service_ttl\":{\"web\":\"2147483648s\"}}"),
                     CU_E_INVALID);
}
END_TEST

START_TEST(a_cache_bounds_the_age_only_where_it_is_used) /* dns 69 */
{
    read_good("\"dns_config\":{\"cache_max_age\":\"10s\",\"max_stale\":\"60s\"}");
    ck_assert_uint_eq(conf.live.freshness.max_age_ms, 60000);
    dns_conf_deinit(&conf);
    read_good(
        "\"dns_config\":{\"cache_max_age\":\"10s\",\"max_stale\":\"60s\",\"use_cache\":true}");
    ck_assert_uint_eq(conf.live.freshness.max_age_ms, 10000);
    dns_conf_deinit(&conf);
}
END_TEST

static unsigned port_of(size_t i)
{
    const struct sockaddr_storage *address = &conf.live.recursors[i].address;
    return ntohs(address->ss_family == AF_INET ? ((const struct sockaddr_in *)address)->sin_port
                                               : ((const struct sockaddr_in6 *)address)->sin6_port);
}

START_TEST(recursors_are_ips_with_or_without_a_port)
{
    static const char *const bad[] = {"host.example", "10.0.0.1:0", "10.0.0.1:65536", "[::1",
                                      "[::1]53",      "10.0.0.1:",  "::1:x",          ""};
    read_good("\"recursors\":[\"10.0.0.1\",\"10.0.0.1:5353\",\"::1\",\"[::1]:54\",\"[::1]\"]");
    static const unsigned ports[] = {53, 5353, 53, 54, 53};
    ck_assert_uint_eq(conf.live.recursor_count, CU_COUNT(ports));
    ck_assert(conf.live.settings.has_recursors);
    for (size_t i = 0; i < CU_COUNT(ports); i++)
        ck_assert_uint_eq(port_of(i), ports[i]);
    dns_conf_deinit(&conf);
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        char json[64];
        (void)snprintf(json, sizeof json, "\"recursors\":[\"%s\"]", bad[i]);
        ck_assert_msg(read_conf(json) == CU_E_INVALID, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(diag.text, "recursors"));
    }
}
END_TEST

/* `count` times the word in a list. */
static void repeat(char *to, const char *key, const char *word, int count)
{
    to += sprintf(to, "\"%s\":[", key);
    for (int i = 0; i < count; i++)
        to += sprintf(to, "%s\"%s\"", i ? "," : "", word);
    (void)sprintf(to, "]");
}

START_TEST(sixteen_recursors_and_addresses_are_taken_and_no_more)
{
    char json[2048], words[1024] = "";
    repeat(json, "recursors", "10.0.0.1", DNS_RECURSORS_MAX);
    read_good(json);
    dns_conf_deinit(&conf);
    repeat(json, "recursors", "10.0.0.1", DNS_RECURSORS_MAX + 1);
    ck_assert_int_eq(read_conf(json), CU_E_INVALID);
    for (int i = 0; i < DNS_LISTENERS_MAX + 1; i++) {
        if (i == DNS_LISTENERS_MAX) {
            (void)snprintf(json, sizeof json, "\"addresses\":{\"dns\":\"%s\"}", words);
            read_good(json);
            ck_assert_uint_eq(conf.address_count, DNS_LISTENERS_MAX);
            dns_conf_deinit(&conf);
        }
        (void)sprintf(words + strlen(words), "127.0.0.%d ", i + 1);
    }
    (void)snprintf(json, sizeof json, "\"addresses\":{\"dns\":\"%s\"}", words);
    ck_assert_int_eq(read_conf(json), CU_E_INVALID);
}
END_TEST

START_TEST(catalogs_have_the_servers_port_unless_they_say_another)
{
    read_good("\"dnsd\":{\"catalog\":[\"10.0.0.1\",\"10.0.0.2:8301\",\"ipc:///x.sock\"]}");
    ck_assert_uint_eq(conf.catalog_count, 3);
    ck_assert_str_eq(conf.catalogs[0], "tcp://10.0.0.1:8300");
    ck_assert_str_eq(conf.catalogs[1], "tcp://10.0.0.2:8301");
    ck_assert_str_eq(conf.catalogs[2], "ipc:///x.sock");
    dns_conf_deinit(&conf);
}
END_TEST

START_TEST(a_domain_is_a_domain_name_of_bounded_length)
{
    char json[512], label[64];
    read_good("\"domain\":\"Corp.Example\",\"alt_domain\":\"alt\"");
    ck_assert_int_eq(memcmp(conf.zone.domain.bytes, "\4corp\7example", 14), 0);
    dns_conf_deinit(&conf);
    ck_assert_int_eq(read_conf("\"domain\":\"a..b\""), CU_E_INVALID);
    ck_assert_int_eq(read_conf("\"domain\":\".\""), CU_E_INVALID);
    memset(label, 'x', 63);
    label[63] = '\0';
    (void)snprintf(json, sizeof json, "\"domain\":\"%s.%.62s\"", label, label);
    read_good(json); /* 128 bytes in wire form */
    dns_conf_deinit(&conf);
    (void)snprintf(json, sizeof json, "\"domain\":\"%s.%s\"", label, label);
    ck_assert_int_eq(read_conf(json), CU_E_INVALID);
}
END_TEST

START_TEST(no_port_is_no_dns)
{
    read_good("\"ports\":{\"dns\":-1}");
    ck_assert_uint_eq(conf.port, 0);
    dns_conf_deinit(&conf);
}
END_TEST

SUITE_MAIN("services/dnsd/conf", defaults_are_those_of_the_reference, ttls_are_durations,
           a_cache_bounds_the_age_only_where_it_is_used, recursors_are_ips_with_or_without_a_port,
           sixteen_recursors_and_addresses_are_taken_and_no_more,
           catalogs_have_the_servers_port_unless_they_say_another,
           a_domain_is_a_domain_name_of_bounded_length, no_port_is_no_dns)
