/* How long an edge trusts what it was told of a token (http-api.md 4.1). */
#include "common/view/rights_conf.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static struct cu_conf *parse(const char *keys)
{
    char text[512];
    struct cu_conf *conf = NULL;
    struct cu_diag diag = {0};
    (void)snprintf(text, sizeof text, "{\"data_dir\":\"/d\"%s%s}", *keys ? "," : "", keys);
    ck_assert_msg(!cu_conf_parse(text, strlen(text), "t.json", &conf, &diag), "%s", diag.text);
    return conf;
}

static enum cu_err read_keys(const char *keys, struct cu_rights_conf *ret_rights,
                             struct cu_diag *diag)
{
    struct cu_conf *conf = parse(keys);
    enum cu_err err = cu_rights_conf_read(conf, ret_rights, diag);
    cu_conf_free(conf);
    return err;
}

START_TEST(reads_the_new_names_before_the_old_ones)
{
#define ACL(more) "\"acl\":{\"enabled\":true" more "}"
    static const struct {
        const char *keys;
        struct cu_rights_conf want; /* enabled, allowed, down, ttl */
    } cases[] = {
        {"", {false, true, CU_DOWN_EXTEND_CACHE, 30000}},
        {ACL(), {true, true, CU_DOWN_EXTEND_CACHE, 30000}},
        {ACL(",\"default_policy\":\"deny\""), {true, false, CU_DOWN_EXTEND_CACHE, 30000}},
        {ACL(",\"token_ttl\":\"2s\",\"down_policy\":\"deny\"") ",\"acl_ttl\":\"9s\"",
         {true, true, CU_DOWN_DENY, 2000}},
        {ACL() ",\"acl_ttl\":\"9s\",\"acl_down_policy\":\"async-cache\"",
         {true, true, CU_DOWN_ASYNC_CACHE, 9000}},
        {ACL(",\"token_ttl\":\"0s\""), {true, true, CU_DOWN_EXTEND_CACHE, 0}},
        /* one answer tells of all three: the strictest counts */
        {ACL(",\"policy_ttl\":\"3s\""), {true, true, CU_DOWN_EXTEND_CACHE, 3000}},
        {ACL(",\"policy_ttl\":\"60s\",\"role_ttl\":\"1s\""),
         {true, true, CU_DOWN_EXTEND_CACHE, 1000}},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_rights_conf got;
        struct cu_diag diag = {0};
        ck_assert_msg(!read_keys(cases[i].keys, &got, &diag), "%s: %s", cases[i].keys, diag.text);
        ck_assert_msg(got.is_enabled == cases[i].want.is_enabled &&
                          got.is_allowed_by_default == cases[i].want.is_allowed_by_default &&
                          got.down_policy == cases[i].want.down_policy &&
                          got.token_ttl_ms == cases[i].want.token_ttl_ms,
                      "%s", cases[i].keys);
    }
}
END_TEST

START_TEST(names_a_down_policy_that_is_none)
{
    struct cu_rights_conf rights;
    struct cu_diag diag = {0};
    ck_assert_int_eq(read_keys("\"acl\":{\"down_policy\":\"Deny\"}", &rights, &diag), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "acl.down_policy must be"));
    ck_assert_int_eq(read_keys("\"acl_down_policy\":\"\"", &rights, &diag), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "acl_down_policy must be"));
}
END_TEST

START_TEST(a_daemons_own_token_is_the_default_one_while_acls_are_on)
{
    static const char *const cases[][2] = {
        {"", ""},
        {ACL(), ""},
        {ACL(",\"tokens\":{\"default\":\"t\"}"), "t"},
        {ACL() ",\"acl_token\":\"old\"", "old"},
        {ACL(",\"tokens\":{\"default\":\"t\"}") ",\"acl_token\":\"old\"", "t"},
        {"\"acl\":{\"tokens\":{\"default\":\"t\"}}", ""},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_conf *conf = parse(cases[i][0]);
        ck_assert_str_eq(cu_rights_own_token(conf), cases[i][1]);
        cu_conf_free(conf);
    }
}
END_TEST

SUITE_MAIN("common/view/rights_conf", reads_the_new_names_before_the_old_ones,
           names_a_down_policy_that_is_none,
           a_daemons_own_token_is_the_default_one_while_acls_are_on)
