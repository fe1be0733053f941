/* What the configuration says of access control. */
#include "common/conf/acl.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

static enum cu_err read_acl(const char *keys, struct cu_conf_acl *ret_acl, struct cu_diag *diag)
{
    char text[512];
    struct cu_conf *conf = NULL;
    *diag = (struct cu_diag){0};
    (void)snprintf(text, sizeof text, "{\"data_dir\":\"/d\"%s%s}", *keys ? "," : "", keys);
    ck_assert_msg(!cu_conf_parse(text, strlen(text), "t.json", &conf, diag), "%s", diag->text);
    enum cu_err err = cu_conf_acl(conf, ret_acl, diag);
    cu_conf_free(conf);
    return err;
}

START_TEST(what_is_not_said_is_off_or_allowed) /* http-api 4.1, mesh 3.5 */
{
#define ON   "\"acl\":{\"enabled\":true}"
#define DENY "\"acl\":{\"enabled\":true,\"default_policy\":\"deny\"}"
    static const struct {
        const char *keys;
        struct cu_conf_acl want; /* enabled, allows, key list, intentions */
    } cases[] = {
        {"", {false, true, false, true}},
        {ON, {true, true, false, true}},
        {DENY, {true, false, false, false}},
        {DENY ",\"default_intention_policy\":\"allow\"", {true, false, false, true}},
        {ON ",\"default_intention_policy\":\"deny\"", {true, true, false, false}},
        /* without ACLs neither policy nor key lists mean anything */
        {"\"acl\":{\"default_policy\":\"deny\",\"enable_key_list_policy\":true}",
         {false, true, false, true}},
        {"\"acl\":{\"enabled\":true,\"enable_key_list_policy\":true}", {true, true, true, true}},
        /* old names, where the others are not set */
        {ON ",\"acl_default_policy\":\"deny\",\"acl_enable_key_list_policy\":true",
         {true, false, true, false}},
        {"\"acl\":{\"enabled\":true,\"default_policy\":\"allow\"},\"acl_default_policy\":\"deny\"",
         {true, true, false, true}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cu_conf_acl acl;
        struct cu_diag diag;
        ck_assert_msg(!read_acl(cases[i].keys, &acl, &diag), "%s: %s", cases[i].keys, diag.text);
        ck_assert_msg(acl.is_enabled == cases[i].want.is_enabled, "%s", cases[i].keys);
        ck_assert_msg(acl.allows_by_default == cases[i].want.allows_by_default, "%s",
                      cases[i].keys);
        ck_assert_msg(acl.needs_key_list == cases[i].want.needs_key_list, "%s", cases[i].keys);
        ck_assert_msg(acl.intentions_by_default == cases[i].want.intentions_by_default, "%s",
                      cases[i].keys);
    }
}
END_TEST

START_TEST(a_policy_is_allow_or_deny)
{
    static const struct {
        const char *keys, *sentence;
    } cases[] = {
        {"\"acl\":{\"default_policy\":\"maybe\"}",
         "acl.default_policy must be \"allow\" or \"deny\""},
        {"\"acl_default_policy\":\"\"", "acl_default_policy must be \"allow\" or \"deny\""},
        {"\"default_intention_policy\":\"Deny\"",
         "default_intention_policy must be \"allow\" or \"deny\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cu_conf_acl acl;
        struct cu_diag diag;
        ck_assert_int_eq(read_acl(cases[i].keys, &acl, &diag), CU_E_INVALID);
        ck_assert_str_eq(diag.text, cases[i].sentence);
    }
}
END_TEST

SUITE_MAIN("common/conf/acl", what_is_not_said_is_off_or_allowed, a_policy_is_allow_or_deny)
