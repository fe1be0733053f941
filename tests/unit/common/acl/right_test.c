#include "common/acl/authorizer.h"

#include <string.h>

#include "tests/lib/suite.h"

enum { RIGHTS = 77 };

/* clang-format off */
static const struct {
    enum cu_right right;
    const char *resource, *access;
} words[] = {
    {RIGHT_NONE, "", ""},                      {ANY_TOKEN, "", ""},
    {ACL_READ, "acl", "read"},                 {ACL_WRITE, "acl", "write"},
    {AGENT_READ, "agent", "read"},             {AGENT_WRITE, "agent", "write"},
    {EVENT_READ, "event", "read"},             {EVENT_WRITE, "event", "write"},
    {INTENTION_READ, "intention", "read"},     {INTENTION_WRITE, "intention", "write"},
    {KEY_READ, "key", "read"},                 {KEY_WRITE, "key", "write"},
    {KEY_LIST, "key", "list"},                 {KEY_WRITE_BELOW, "key", "write"},
    {KEYRING_READ, "keyring", "read"},         {KEYRING_WRITE, "keyring", "write"},
    {NODE_READ, "node", "read"},               {NODE_WRITE, "node", "write"},
    {OPERATOR_READ, "operator", "read"},       {OPERATOR_WRITE, "operator", "write"},
    {QUERY_READ, "query", "read"},             {QUERY_WRITE, "query", "write"},
    {SERVICE_READ, "service", "read"},         {SERVICE_WRITE, "service", "write"},
    {SESSION_READ, "session", "read"},         {SESSION_WRITE, "session", "write"},
};
/* clang-format on */

START_TEST(every_right_has_its_words)
{
    ck_assert_uint_eq(CU_COUNT(words), CU_RIGHT_COUNT);
    for (size_t i = 0; i < CU_COUNT(words); i++) {
        const char *resource, *access;
        cu_right_words(words[i].right, &resource, &access);
        ck_assert_str_eq(resource, words[i].resource);
        ck_assert_str_eq(access, words[i].access);
    }
}
END_TEST

/* Who has the rule that a right's words name, and no other, is permitted that right, and all that
 * it implies, and nothing else. */
START_TEST(a_right_asks_for_the_resource_and_the_access_of_its_words)
{
    for (size_t i = 2; i < CU_COUNT(words); i++) {
        struct cu_rule rule = {.segment = cu_bytes_of("x")};
        ck_assert(cu_resource_find(words[i].resource, &rule.resource));
        ck_assert(cu_access_find(words[i].access, &rule.access));
        rule.is_prefix = words[i].right == KEY_WRITE_BELOW;
        const char *lone[] = {"acl", "keyring", "operator"};
        for (size_t k = 0; k < CU_COUNT(lone); k++)
            if (strcmp(words[i].resource, lone[k]) == 0)
                rule.segment.len = 0;
        struct cu_authorizer *who =
            cu_authorizer_new(&(struct cu_rules){&rule, 1}, 1, false, RIGHTS);
        for (size_t k = 2; k < CU_COUNT(words); k++) {
            enum cu_access asked = CU_ACCESS_UNSET;
            ck_assert(cu_access_find(words[k].access, &asked));
            bool is_same = strcmp(words[k].resource, words[i].resource) == 0;
            bool want = is_same && asked <= rule.access &&
                        (words[k].right != KEY_WRITE_BELOW || rule.is_prefix);
            /* A service's rule lets its intentions be read. */
            if (rule.resource == CU_RESOURCE_SERVICE && words[k].right == INTENTION_READ)
                want = true;
            ck_assert_msg(cu_authorizer_permits(who, words[k].right, cu_bytes_of("x")) == want,
                          "with %s:%s asked for right %u", words[i].resource, words[i].access,
                          (unsigned)words[k].right);
        }
        cu_authorizer_unref(who);
    }
}
END_TEST

START_TEST(what_is_open_to_all_asks_no_rule)
{
    struct cu_authorizer *none = cu_authorizer_none();
    ck_assert(cu_authorizer_permits(none, RIGHT_NONE, cu_bytes_of("x")));
    ck_assert(cu_authorizer_permits(none, ANY_TOKEN, cu_bytes_of("x")));
    for (enum cu_right right = ACL_READ; right < CU_RIGHT_COUNT; right++) {
        ck_assert(!cu_authorizer_permits(none, right, cu_bytes_of("x")));
        ck_assert(!cu_authorizer_permits(none, right, cu_bytes_of("*")));
    }
    for (enum cu_right right = 0; right < CU_RIGHT_COUNT; right++)
        ck_assert(cu_authorizer_permits(cu_authorizer_all(), right, cu_bytes_of("x")));
}
END_TEST

START_TEST(intentions_of_star_are_read_by_any_rule_and_written_by_all)
{
    struct cu_rule rules[] = {
        {CU_RESOURCE_INTENTION, CU_ACCESS_WRITE, true, cu_bytes_of("")},
        {CU_RESOURCE_INTENTION, CU_ACCESS_READ, false, cu_bytes_of("web")},
    };
    struct cu_bytes star = cu_bytes_of("*");
    struct cu_authorizer *both = cu_authorizer_new(&(struct cu_rules){rules, 2}, 1, false, RIGHTS);
    struct cu_authorizer *root = cu_authorizer_new(&(struct cu_rules){rules, 1}, 1, false, RIGHTS);
    struct cu_authorizer *web =
        cu_authorizer_new(&(struct cu_rules){rules + 1, 1}, 1, false, RIGHTS);
    ck_assert(cu_authorizer_permits(both, INTENTION_READ, star));
    ck_assert(!cu_authorizer_permits(both, INTENTION_WRITE, star));
    ck_assert(cu_authorizer_permits(root, INTENTION_WRITE, star));
    ck_assert(cu_authorizer_permits(web, INTENTION_READ, star));
    ck_assert(!cu_authorizer_permits(web, INTENTION_WRITE, star));
    cu_authorizer_unref(both);
    cu_authorizer_unref(root);
    cu_authorizer_unref(web);
}
END_TEST

SUITE_MAIN("common/acl/right", every_right_has_its_words,
           a_right_asks_for_the_resource_and_the_access_of_its_words,
           what_is_open_to_all_asks_no_rule,
           intentions_of_star_are_read_by_any_rule_and_written_by_all)
