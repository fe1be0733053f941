#include "services/gossipd/conf.h"

#include <stdlib.h>
#include <string.h>

#include "services/gossipd/core/codec.h"
#include "tests/lib/suite.h"

static const struct gossip_identity identity = {
    .name = "n1",
    .node_id = "11111111-2222-3333-4444-555555555555",
    .advertise_ip = "127.0.0.1",
    .bind_ip = "127.0.0.1",
};

static struct gossip_conf got;
static struct cu_conf *conf;
static struct cu_diag diag;

static enum cu_err read_as(const char *json, const struct gossip_identity *who)
{
    diag = (struct cu_diag){0};
    cu_conf_free(conf);
    conf = NULL;
    enum cu_err err = cu_conf_parse(json, strlen(json), "test", &conf, &diag);
    ck_assert_msg(!err, "%s", diag.text);
    return gossip_conf_read(conf, who, &got, &diag);
}

static void done(void)
{
    cu_conf_free(conf);
    conf = NULL;
}

static void ck_tag(const char *name, const char *value)
{
    struct cu_bytes tag = gossip_tags_get(&got.tags, name);
    if (!value)
        ck_assert_msg(!tag.data, "%s", name);
    else
        ck_assert_msg(tag.data && cu_bytes_equal(tag, cu_bytes_of(value)), "%s is not %s", name,
                      value);
}

#define NODE "\"data_dir\": \"/tmp\", \"node_name\": \"n1\""

START_TEST(a_client_says_that_it_is_a_node) /* gossip.md 23.2 */
{
    ck_assert_int_eq(read_as("{" NODE ", \"datacenter\": \"dc7\"}", &identity), CU_OK);
    ck_tag("role", "node");
    ck_tag("dc", "dc7");
    ck_tag("segment", "");
    ck_tag("id", "11111111-2222-3333-4444-555555555555");
    ck_tag("build", "1.9.8:");
    ck_tag("acls", "0");
    ck_tag("port", NULL);
    ck_tag("raft_port", NULL);
    ck_tag("rc_tm", NULL);
    ck_assert_int_eq(read_as("{" NODE ", \"acl\": {\"enabled\": true}}", &identity), CU_OK);
    ck_tag("acls", "1");
    done();
}
END_TEST

START_TEST(a_server_says_where_its_ports_are) /* gossip 86 */
{
    ck_assert_int_eq(read_as("{" NODE ", \"server\": true, \"bootstrap_expect\": 3, \"ports\": "
                             "{\"server\": 8400}, \"raftd\": {\"port\": 8410}}",
                             &identity),
                     CU_OK);
    ck_tag("role", "consul");
    ck_tag("port", "8400");
    ck_tag("raft_port", "8410");
    ck_tag("expect", "3");
    ck_tag("bootstrap", NULL);
    ck_tag("raft_vsn", "3");
    ck_tag("wan_join_port", NULL); /* there is no such pool yet */
    done();
}
END_TEST

START_TEST(expecting_one_server_is_bootstrapping)
{
    ck_assert_int_eq(read_as("{" NODE ", \"server\": true, \"bootstrap_expect\": 1}", &identity),
                     CU_OK);
    ck_tag("bootstrap", "1");
    ck_tag("expect", NULL);
    done();
}
END_TEST

START_TEST(a_client_may_ask_to_be_removed_sooner)
{
    ck_assert_int_eq(read_as("{" NODE ", \"advertise_reconnect_timeout\": \"90m\"}", &identity),
                     CU_OK);
    ck_tag("rc_tm", "1h30m0s");
    done();
}
END_TEST

START_TEST(timing_is_of_the_profile_where_nothing_is_set)
{
    ck_assert_int_eq(read_as("{" NODE ", \"gossip_lan\": {\"probe_interval\": \"2s\", "
                             "\"suspicion_mult\": 7}, \"reconnect_timeout\": \"9h\"}",
                             &identity),
                     CU_OK);
    const struct gossip_timing *lan = &gossip_timing_profiles[GOSSIP_PROFILE_CONSUL_LAN];
    ck_assert_uint_eq(got.timing.probe_interval_ms, 2000);
    ck_assert_uint_eq(got.timing.suspicion_mult, 7);
    ck_assert_uint_eq(got.timing.reconnect_timeout_ms, 9ull * 3600 * 1000);
    ck_assert_uint_eq(got.timing.probe_timeout_ms, lan->probe_timeout_ms);
    ck_assert_uint_eq(got.timing.gossip_nodes, lan->gossip_nodes);
    ck_assert_int_eq(read_as("{" NODE ", \"dev_mode\": true}", &identity), CU_OK);
    ck_assert_uint_eq(got.timing.probe_interval_ms, 100);
    ck_assert_uint_eq(got.timing.suspicion_mult, 3);
    done();
}
END_TEST

START_TEST(the_address_bound_may_be_of_its_own)
{
    ck_assert_int_eq(read_as("{" NODE ", \"serf_lan\": \"127.0.0.9\", \"ports\": {\"serf_lan\": "
                             "9301}}",
                             &identity),
                     CU_OK);
    ck_assert_uint_eq(got.bind.ip.bytes[3], 9);
    ck_assert_uint_eq(got.advertise.ip.bytes[3], 1);
    ck_assert_uint_eq(got.bind.port, 9301);
    ck_assert_uint_eq(got.advertise.port, 9301);
    done();
}
END_TEST

START_TEST(whom_to_join_is_read_and_checked) /* agent.md 24 */
{
    ck_assert_int_eq(read_as("{" NODE ", \"start_join\": [\"a\"], \"retry_join\": [\"10.0.0.1\", "
                             "\"[::1]:99\"], \"retry_interval\": \"5s\", \"retry_max\": 4}",
                             &identity),
                     CU_OK);
    ck_assert_uint_eq(got.start_count, 1);
    ck_assert_uint_eq(got.retry_count, 2);
    ck_assert_str_eq(got.retry_join[1], "[::1]:99");
    ck_assert_uint_eq(got.retry_interval_ms, 5000);
    ck_assert_int_eq(got.retry_max, 4);
    ck_assert_int_eq(read_as("{" NODE ", \"retry_join\": [\"provider=aws tag_key=x\"]}", &identity),
                     CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "retry_join"));
    done();
}
END_TEST

/* A datacenter of `len` letters. */
static enum cu_err read_datacenter(size_t len)
{
    char json[1200];
    (void)snprintf(json, sizeof json, "{" NODE ", \"datacenter\": \"%.*s\"}", (int)len,
                   "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
                   "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
                   "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
                   "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
                   "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
                   "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd");
    return read_as(json, &identity);
}

START_TEST(tags_over_the_limit_are_refused_with_the_sentence) /* gossip 74 */
{
    size_t len = 1;
    struct cu_buf meta = {0};
    while (read_datacenter(len + 1) == CU_OK)
        len++;
    ck_assert_str_eq(diag.text, "Encoded length of tags exceeds limit of 512 bytes");
    ck_assert_int_eq(read_datacenter(len), CU_OK);
    ck_assert_int_eq(gossip_tags_encode(&meta, &got.tags), CU_OK);
    ck_assert_uint_eq(meta.len, 512);
    cu_buf_deinit(&meta);
    done();
}
END_TEST

START_TEST(names_have_a_limit)
{
    char name[130];
    struct gossip_identity who = identity;
    memset(name, 'n', sizeof name);
    name[129] = '\0';
    who.name = name;
    ck_assert_int_eq(read_as("{" NODE "}", &who), CU_E_INVALID);
    name[128] = '\0';
    ck_assert_int_eq(read_as("{" NODE "}", &who), CU_OK);
    who.name = "a\nb";
    ck_assert_int_eq(read_as("{" NODE "}", &who), CU_E_INVALID);
    done();
}
END_TEST

SUITE_MAIN("services/gossipd/conf", a_client_says_that_it_is_a_node,
           a_server_says_where_its_ports_are, expecting_one_server_is_bootstrapping,
           a_client_may_ask_to_be_removed_sooner, timing_is_of_the_profile_where_nothing_is_set,
           the_address_bound_may_be_of_its_own, whom_to_join_is_read_and_checked,
           tags_over_the_limit_are_refused_with_the_sentence, names_have_a_limit)
