#include "services/catalogd/io/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/catalogd/core/acl.h"
#include "tests/lib/suite.h"

static struct cu_conf *parse(const char *text)
{
    struct cu_conf *conf = NULL;
    struct cu_diag diag = {0};
    ck_assert_msg(cu_conf_parse(text, strlen(text), "test.json", &conf, &diag) == CU_OK, "%s",
                  diag.text);
    return conf;
}

START_TEST(a_peers_catalog_is_at_its_ip_and_our_port_unless_it_names_one)
{
    struct cu_conf *conf =
        parse("{\"data_dir\":\"/d\",\"ports\":{\"server\":9300},\"raftd\":{\"peers\":["
              "{\"id\":\"11111111-1111-4111-8111-111111111111\",\"address\":\"10.0.0.1\"},"
              "{\"id\":\"22222222-1111-4111-8111-111111111111\",\"address\":\"10.0.0.2\","
              "\"catalog_address\":\"10.0.0.9:8300\"}]},"
              "\"catalogd\":{\"catalogs\":[\"10.0.0.3:8300\"]}}");
    struct catalog_conf read;
    struct cu_diag diag = {0};
    ck_assert_msg(catalog_conf_read(conf, &read, &diag) == CU_OK, "%s", diag.text);
    ck_assert_uint_eq(read.peer_count, 3);
    ck_assert_str_eq(read.peers[0].address, "10.0.0.1:9300");
    ck_assert_str_eq(read.peers[1].address, "10.0.0.9:8300");
    ck_assert_str_eq(read.peers[2].address, "10.0.0.3:8300");
    static const struct {
        const char *id, *raft, *want;
    } cases[] = {
        {"22222222-1111-4111-8111-111111111111", "10.0.0.2:8310", "10.0.0.9:8300"},
        {"unknown", "10.0.0.7:8310", "10.0.0.7:9300"},
        {"unknown", "[::1]:8310", "[::1]:9300"},
        {"unknown", "::1", "[::1]:9300"},
        {"", "", ""},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        char *got = catalog_conf_address_of(&read, cases[i].id, cases[i].raft);
        ck_assert_str_eq(got, cases[i].want);
        free(got);
    }
    catalog_conf_deinit(&read);
    cu_conf_free(conf);
}
END_TEST

START_TEST(one_catalog_more_than_the_limit_is_refused)
{
    for (int count = CATALOG_PEERS_MAX; count <= CATALOG_PEERS_MAX + 1; count++) {
        json_t *list = json_array();
        for (int i = 0; i < count; i++)
            (void)json_array_append_new(list, json_string("10.0.0.3:8300"));
        json_t *root = json_pack("{s:s,s:{s:o}}", "data_dir", "/d", "catalogd", "catalogs", list);
        char *text = json_dumps(root, 0);
        struct cu_conf *conf = parse(text);
        ck_assert_int_eq(catalog_conf_check(conf, NULL),
                         count > CATALOG_PEERS_MAX ? CU_E_TOO_LARGE : CU_OK);
        cu_conf_free(conf);
        free(text);
        json_decref(root);
    }
}
END_TEST

START_TEST(readers_are_addresses_and_networks_and_have_a_limit)
{
    for (int count = CATALOG_READERS_MAX; count <= CATALOG_READERS_MAX + 1; count++) {
        json_t *list = json_array();
        for (int i = 0; i < count; i++)
            (void)json_array_append_new(list, json_string(i % 2 ? "10.0.0.3" : "10.1.0.0/16"));
        json_t *root = json_pack("{s:s,s:{s:o}}", "data_dir", "/d", "raftd", "readers", list);
        char *text = json_dumps(root, 0);
        struct cu_conf *conf = parse(text);
        ck_assert_int_eq(catalog_conf_check(conf, NULL),
                         count > CATALOG_READERS_MAX ? CU_E_INVALID : CU_OK);
        cu_conf_free(conf);
        free(text);
        json_decref(root);
    }
    struct cu_conf *conf = parse("{\"data_dir\":\"/d\",\"raftd\":{\"readers\":[\"here\"]}}");
    ck_assert_int_eq(catalog_conf_check(conf, NULL), CU_E_INVALID);
    cu_conf_free(conf);
}
END_TEST

static const char *refusal_of(const char *ca_config, struct cu_diag *diag)
{
    char text[512];
    (void)snprintf(text, sizeof text, "{\"data_dir\":\"/d\",\"connect\":{\"ca_config\":{%s}}}",
                   ca_config);
    struct cu_conf *conf = parse(text);
    *diag = (struct cu_diag){0};
    enum cu_err err = catalog_conf_check(conf, diag);
    cu_conf_free(conf);
    return err ? diag->text : "";
}

START_TEST(an_unknown_key_of_the_ca_is_refused_by_name)
{
    static const struct {
        const char *given, *want;
    } cases[] = {
        {"\"leaf_cert_ttl\":\"2h\",\"csr_max_per_second\":7", ""},
        {"\"LeafCertTTL\":\"2h\"", ""}, /* as the HTTP API spells it */
        {"\"cluster_id\":\"11111111-2222-3333-4444-555555555555\"", ""},
        {"\"leaf_cert_tll\":\"2h\"", "invalid config key connect.ca_config.leaf_cert_tll"},
        {"\"LeafCertTTL\":\"1s\"",
         "error configuring provider: leaf cert TTL must be greater or equal than 1h0m0s"},
    };
    struct cu_diag diag;
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        ck_assert_str_eq(refusal_of(cases[i].given, &diag), cases[i].want);
}
END_TEST

/* The secret as it is read; NULL: refused. */
static char *master_of(const char *key, size_t bytes)
{
    char secret[CATALOG_ACL_SECRET_BYTES_MAX + 2] = "", *text = NULL, *got = NULL;
    memset(secret, 'a', bytes);
    ck_assert_int_gt(asprintf(&text, "{\"data_dir\":\"/d\",%s\"%s\"}", key, secret), 0);
    if (strstr(key, "tokens")) {
        free(text);
        ck_assert_int_gt(asprintf(&text, "{\"data_dir\":\"/d\",%s\"%s\"}}}", key, secret), 0);
    }
    struct cu_conf *conf = parse(text);
    struct catalog_conf read;
    if (catalog_conf_read(conf, &read, NULL) == CU_OK) {
        got = strdup(read.acl_master);
        catalog_conf_deinit(&read);
    }
    cu_conf_free(conf);
    free(text);
    return got;
}

START_TEST(a_master_token_goes_by_either_name_and_has_a_limit)
{
    static const char *const keys[] = {"\"acl\":{\"tokens\":{\"master\":", "\"acl_master_token\":"};
    for (size_t i = 0; i < CU_COUNT(keys); i++) {
        char *most = master_of(keys[i], CATALOG_ACL_SECRET_BYTES_MAX);
        ck_assert_ptr_nonnull(most);
        ck_assert_uint_eq(strlen(most), CATALOG_ACL_SECRET_BYTES_MAX);
        ck_assert_ptr_null(master_of(keys[i], CATALOG_ACL_SECRET_BYTES_MAX + 1));
        free(most);
    }
}
END_TEST

SUITE_MAIN("services/catalogd/io/conf",
           a_peers_catalog_is_at_its_ip_and_our_port_unless_it_names_one,
           one_catalog_more_than_the_limit_is_refused,
           readers_are_addresses_and_networks_and_have_a_limit,
           an_unknown_key_of_the_ca_is_refused_by_name,
           a_master_token_goes_by_either_name_and_has_a_limit)
