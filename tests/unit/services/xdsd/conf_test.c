#include "services/xdsd/conf.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct xds_conf conf;
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
        err = xds_conf_read(all, "ipc:///run/catalogd.sock", &conf, &diag);
    cu_conf_free(all);
    return err;
}

START_TEST(defaults_serve_nobody_and_allow)
{
    ck_assert_msg(!read_conf(""), "%s", diag.text);
    ck_assert_uint_eq(conf.port, 0);
    ck_assert_uint_eq(conf.address_count, 1);
    ck_assert_str_eq(conf.addresses[0], "127.0.0.1");
    ck_assert_str_eq(conf.catalogs[0], "ipc:///run/catalogd.sock");
    ck_assert(conf.default_allow);
    xds_conf_deinit(&conf);
}
END_TEST

START_TEST(everything_can_be_set)
{
    ck_assert_msg(!read_conf("\"ports\":{\"grpc\":8502},\"addresses\":{\"grpc\":\"10.0.0.1 ::1\"},"
                             "\"xdsd\":{\"catalog\":[\"10.0.0.2\",\"10.0.0.3:83\",\"fd00::2\"]},"
                             "\"default_intention_policy\":\"deny\""),
                  "%s", diag.text);
    ck_assert_uint_eq(conf.port, 8502);
    ck_assert_uint_eq(conf.address_count, 2);
    ck_assert_str_eq(conf.addresses[1], "::1");
    ck_assert_uint_eq(conf.catalog_count, 3);
    ck_assert_str_eq(conf.catalogs[0], "tcp://10.0.0.2:8300");
    ck_assert_str_eq(conf.catalogs[1], "tcp://10.0.0.3:83");
    ck_assert_str_eq(conf.catalogs[2], "tcp://[fd00::2]:8300");
    ck_assert(!conf.default_allow);
    xds_conf_deinit(&conf);
}
END_TEST

START_TEST(a_policy_is_allow_or_deny)
{
    ck_assert_int_eq(read_conf("\"default_intention_policy\":\"Maybe\""), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "default_intention_policy"));
}
END_TEST

START_TEST(addresses_have_a_limit)
{
    char json[1024] = "\"addresses\":{\"grpc\":\"";
    for (int i = 0; i < XDS_LISTENERS_MAX; i++)
        (void)strncat(json, "::1 ", sizeof json - strlen(json) - 1);
    char more[1024];
    (void)snprintf(more, sizeof more, "%s::1\"}", json);
    (void)strncat(json, "\"}", sizeof json - strlen(json) - 1);
    ck_assert_msg(!read_conf(json), "%s", diag.text);
    xds_conf_deinit(&conf);
    ck_assert_int_eq(read_conf(more), CU_E_INVALID);
}
END_TEST

SUITE_MAIN("services/xdsd/conf", defaults_serve_nobody_and_allow, everything_can_be_set,
           a_policy_is_allow_or_deny, addresses_have_a_limit)
