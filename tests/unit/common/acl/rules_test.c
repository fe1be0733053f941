#include "common/acl/rules.h"

#include <stdio.h>
#include <string.h>

#include "common/hcl/hcl.h"
#include "tests/lib/suite.h"

enum { ARENA_BYTES = 8 * 1024 * 1024 };

/* Of the one test in this process; the end of it frees them. */
static struct cu_arena *arena;
static struct cu_rules rules;
static struct cu_diag diag;

static enum cu_err parse_bytes(struct cu_bytes text)
{
    arena = arena ? arena : cu_arena_new(ARENA_BYTES);
    cu_arena_reset(arena);
    rules = (struct cu_rules){0};
    diag = (struct cu_diag){0};
    return cu_rules_parse(text, arena, &rules, &diag);
}

static enum cu_err parse(const char *text)
{
    return parse_bytes(cu_bytes_of(text));
}

/* "key_prefix foo/ = write" a line. */
static const char *shown(void)
{
    static char text[4096];
    text[0] = '\0';
    for (size_t i = 0; i < rules.count; i++) {
        const struct cu_rule *rule = &rules.items[i];
        size_t at = strlen(text);
        (void)snprintf(text + at, sizeof text - at, "%s%s %.*s = %s\n",
                       cu_resource_name(rule->resource), rule->is_prefix ? "_prefix" : "",
                       (int)rule->segment.len, (const char *)rule->segment.data,
                       cu_access_name(rule->access));
    }
    return text;
}

static void takes(const char *text, const char *want)
{
    enum cu_err err = parse(text);
    ck_assert_msg(err == CU_OK, "%s: %s", text, diag.text);
    ck_assert_str_eq(shown(), want);
    cu_arena_free(arena);
    arena = NULL;
}

static void refuses(const char *text, const char *want)
{
    enum cu_err err = parse(text);
    ck_assert_msg(err == CU_E_INVALID, "%s: %s", text, cu_err_name(err));
    ck_assert_str_eq(diag.text, want);
    ck_assert_uint_eq(rules.count, 0);
    ck_assert_ptr_null(rules.items);
    cu_arena_free(arena);
    arena = NULL;
}

START_TEST(reads_each_resource_exact_and_by_prefix)
{
    takes("acl = \"read\"", "acl  = read\n");
    takes("keyring = \"write\"", "keyring  = write\n");
    takes("operator = \"deny\"", "operator  = deny\n");
    static const char *const names[] = {"agent", "event",   "key",    "node",
                                        "query", "service", "session"};
    for (size_t i = 0; i < CU_COUNT(names); i++) {
        char text[200], want[200];
        (void)snprintf(text, sizeof text,
                       "%s \"a\" { policy = \"write\" }\n%s_prefix \"b/\" { policy = \"read\" }",
                       names[i], names[i]);
        (void)snprintf(want, sizeof want, "%s a = write\n%s_prefix b/ = read\n", names[i],
                       names[i]);
        takes(text, want);
    }
}
END_TEST

START_TEST(no_rules_are_rules)
{
    takes("", "");
    takes(" \n# nothing\n", "");
    takes("{}", "");
    takes("acl = \"\"", "");
}
END_TEST

START_TEST(http_246_json_says_the_same)
{
    takes("{\"key_prefix\":{\"foo/\":{\"policy\":\"write\"}},\"operator\":\"read\"}",
          "key_prefix foo/ = write\noperator  = read\n");
    takes("{\"key\":{\"a\":{\"policy\":\"read\"},\"b\":{\"policy\":\"list\"}}}",
          "key a = read\nkey b = list\n");
    takes("{\"key\":[{\"a\":{\"policy\":\"read\"}},{\"b\":[{\"policy\":\"deny\"}]}]}",
          "key a = read\nkey b = deny\n");
}
END_TEST

START_TEST(a_block_may_come_again)
{
    takes("key \"a\" { policy = \"read\" }\nkey \"a\" { policy = \"deny\" }\nkey \"\" { policy = "
          "\"list\" }",
          "key a = read\nkey a = deny\nkey  = list\n");
    takes("acl = \"read\"\nacl = \"write\"", "acl  = write\n");
}
END_TEST

START_TEST(intentions_are_a_rule_of_their_own_where_written)
{
    takes("service \"web\" { policy = \"write\" intentions = \"deny\" }",
          "service web = write\nintention web = deny\n");
    takes("service_prefix \"\" { policy = \"deny\"\n intentions = \"write\" }",
          "service_prefix  = deny\nintention_prefix  = write\n");
    takes("service \"web\" { policy = \"write\" intentions = \"\" }", "service web = write\n");
    takes("node \"n\" { policy = \"write\" intentions = \"zz\" }", "node n = write\n");
}
END_TEST

START_TEST(words_are_known_in_any_case)
{
    takes("key \"x\" { policy = \"READ\" }", "key x = read\n");
    takes("Key_Prefix \"X\" { Policy = \"wrItE\" }", "key_prefix X = write\n");
    takes("operator = \"Deny\"", "operator  = deny\n");
}
END_TEST

START_TEST(http_245_what_nobody_knows_is_passed_over)
{
    takes("bogus \"x\" {}\nmesh = \"write\"\nid = \"a\"", "");
    takes("key \"x\" { policy = \"read\" colour = [1, 2] }", "key x = read\n");
    takes("key \"x\" { policy = \"write\"\n sentinel { code = \"main = rule { true }\"\n"
          "enforcementlevel = \"soft-mandatory\" } }",
          "key x = write\n");
}
END_TEST

START_TEST(http_245_says_where_a_text_is_no_rules)
{
    refuses("key \"a\" {",
            "Failed to parse ACL rules: At 1:11: object expected closing RBRACE got: EOF");
    refuses("key_prefix {",
            "Failed to parse ACL rules: At 1:14: object expected closing RBRACE got: EOF");
    refuses("key = \"read\"", "Failed to parse ACL rules: root.key: unknown slice type");
    refuses("key \"x\" { policy = true }",
            "Failed to parse ACL rules: root.key: unknown type for string");
    refuses("{\"key\":{\"x\":[]}}",
            "Failed to parse ACL rules: root.key: not an object type for struct");
    refuses("acl \"x\" { policy = \"read\" }",
            "Failed to parse ACL rules: root.acl: unknown type for string");
}
END_TEST

/* The structs are the reference's, as Go prints them. */
START_TEST(http_245_refuses_a_word_that_is_no_access)
{
    refuses("operator = \"list\"", "Invalid operator policy: \"list\"");
    refuses("acl = \"list\"", "Invalid acl policy: \"list\"");
    refuses("keyring = 5", "Invalid keyring policy: \"5\"");
    refuses("key \"x\" { policy = \"zz\" }",
            "Invalid key policy: &acl.KeyRule{Prefix:\"x\", Policy:\"zz\", "
            "EnterpriseRule:acl.EnterpriseRule{}}");
    refuses("key_prefix \"a\\\"b\" {}",
            "Invalid key_prefix policy: &acl.KeyRule{Prefix:\"a\\\"b\", Policy:\"\", "
            "EnterpriseRule:acl.EnterpriseRule{}}");
    refuses("agent_prefix \"n\" { policy = \"list\" }",
            "Invalid agent_prefix policy: &acl.AgentRule{Node:\"n\", Policy:\"list\"}");
    refuses("node \"n\" { policy = \"list\" }",
            "Invalid node policy: &acl.NodeRule{Name:\"n\", Policy:\"list\", "
            "EnterpriseRule:acl.EnterpriseRule{}}");
    refuses("session \"n\" { policy = \"list\" }",
            "Invalid session policy: &acl.SessionRule{Node:\"n\", Policy:\"list\"}");
    refuses("event \"e\" { policy = \"list\" }",
            "Invalid event policy: &acl.EventRule{Event:\"e\", Policy:\"list\"}");
    refuses("query_prefix \"q\" { policy = 1.5 }",
            "Invalid query_prefix policy: &acl.PreparedQueryRule{Prefix:\"q\", Policy:\"1.5\"}");
    refuses("service \"s\" { policy = \"list\" intentions = \"read\" }",
            "Invalid service policy: &acl.ServiceRule{Name:\"s\", Policy:\"list\", "
            "Intentions:\"read\", EnterpriseRule:acl.EnterpriseRule{}}");
    refuses("service_prefix \"s\" { policy = \"read\" intentions = \"list\" }",
            "Invalid service_prefix intentions policy: &acl.ServiceRule{Name:\"s\", "
            "Policy:\"read\", Intentions:\"list\", EnterpriseRule:acl.EnterpriseRule{}}");
}
END_TEST

START_TEST(of_two_mistakes_tells_the_one_that_the_reference_tells)
{
    refuses("operator = \"zz\"\nevent \"e\" { policy = \"\" }\nagent \"n\" { policy = \"no\" }",
            "Invalid agent policy: &acl.AgentRule{Node:\"n\", Policy:\"no\"}");
    refuses("acl = \"zz\"\noperator = [1]",
            "Failed to parse ACL rules: root.operator: unknown type for string");
}
END_TEST

/* What the reference makes of an attribute where it expects a block with a label. */
START_TEST(a_block_without_a_label_is_one_of_its_attributes_names)
{
    takes("key { policy = \"read\" }", "key policy = read\n");
    refuses("key { x = \"read\" }", "Invalid key policy: &acl.KeyRule{Prefix:\"x\", Policy:\"\", "
                                    "EnterpriseRule:acl.EnterpriseRule{}}");
    refuses("key \"a\" \"b\" { policy = \"read\" }",
            "Invalid key policy: &acl.KeyRule{Prefix:\"a\", Policy:\"\", "
            "EnterpriseRule:acl.EnterpriseRule{}}");
}
END_TEST

START_TEST(a_text_of_the_most_bytes_is_read_and_one_more_is_refused)
{
    struct cu_buf text = {0};
    cu_buf_text(&text, "acl = \"read\"\n");
    while (text.len < CU_RULES_BYTES_MAX)
        cu_buf_u8(&text, '\n');
    ck_assert_int_eq(parse_bytes(cu_buf_bytes(&text)), CU_OK);
    ck_assert_uint_eq(rules.count, 1);
    cu_buf_u8(&text, '\n');
    ck_assert_int_eq(parse_bytes(cu_buf_bytes(&text)), CU_E_TOO_LARGE);
    ck_assert_str_eq(diag.text, "the policy's rules have more than 524288 bytes");
    cu_buf_deinit(&text);
    cu_arena_free(arena);
}
END_TEST

static void append_rules(struct cu_buf *text, unsigned count)
{
    cu_buf_text(text, "{\"key\":{\"x\":[");
    for (unsigned i = 0; i < count; i++)
        cu_buf_printf(text, "%s{\"policy\":\"read\"}", i ? "," : "");
    cu_buf_text(text, "]}");
}

START_TEST(as_many_rules_as_a_policy_may_have_and_not_one_more)
{
    struct cu_buf text = {0};
    append_rules(&text, CU_RULES_MAX);
    cu_buf_text(&text, "}");
    ck_assert_int_eq(parse_bytes(cu_buf_bytes(&text)), CU_OK);
    ck_assert_uint_eq(rules.count, CU_RULES_MAX);
    ck_assert_uint_le(cu_arena_used(arena), CU_RULES_MAX * 64);

    cu_buf_clear(&text);
    append_rules(&text, CU_RULES_MAX);
    cu_buf_text(&text, ",\"acl\":\"read\"}");
    ck_assert_int_eq(parse_bytes(cu_buf_bytes(&text)), CU_E_TOO_LARGE);
    ck_assert_str_eq(diag.text, "the policy has more than 16384 rules");

    /* Intentions count. */
    cu_buf_clear(&text);
    append_rules(&text, CU_RULES_MAX - 1);
    cu_buf_text(&text, ",\"service\":{\"s\":{\"policy\":\"read\",\"intentions\":\"read\"}}}");
    ck_assert_int_eq(parse_bytes(cu_buf_bytes(&text)), CU_E_TOO_LARGE);
    cu_buf_deinit(&text);
    cu_arena_free(arena);
}
END_TEST

/* The arena grows until it does: each allocation fails once. */
START_TEST(a_full_arena_is_an_error)
{
    static const char text[] = "service \"web\" { policy = \"read\" intentions = \"write\" }\n"
                               "key \"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\" { policy = \"read\" }\n";
    enum cu_err err = CU_E_TOO_LARGE;
    unsigned failed = 0;
    for (size_t limit = 0; err; limit += 8) {
        struct cu_arena *small = cu_arena_new(limit);
        err = cu_rules_parse(cu_bytes_of(text), small, &rules, &diag);
        ck_assert(err == CU_OK || (err == CU_E_TOO_LARGE && !rules.items));
        failed += err != CU_OK;
        cu_arena_free(small);
        rules = err ? rules : (struct cu_rules){0};
    }
    ck_assert_uint_ge(failed, 3);
}
END_TEST

START_TEST(a_sentence_about_a_long_segment_is_cut)
{
    struct cu_buf text = {0};
    cu_buf_text(&text, "key \"");
    for (unsigned i = 0; i < 100000; i++)
        cu_buf_u8(&text, 'k');
    cu_buf_text(&text, "\" { policy = \"no\" }");
    ck_assert_int_eq(parse_bytes(cu_buf_bytes(&text)), CU_E_INVALID);
    ck_assert_int_eq(strncmp(diag.text, "Invalid key policy: &acl.KeyRule{Prefix:\"kkk", 44), 0);
    ck_assert_uint_eq(strlen(diag.text), CU_DIAG_BYTES - 1);
    cu_buf_deinit(&text);
    cu_arena_free(arena);
}
END_TEST

START_TEST(names_are_found_again)
{
    for (enum cu_resource i = 0; i < CU_RESOURCE_COUNT; i++) {
        enum cu_resource found = CU_RESOURCE_COUNT;
        ck_assert(cu_resource_find(cu_resource_name(i), &found));
        ck_assert_int_eq(found, i);
    }
    for (enum cu_access i = CU_ACCESS_DENY; i < CU_ACCESS_COUNT; i++) {
        enum cu_access found = CU_ACCESS_UNSET;
        ck_assert(cu_access_find(cu_access_name(i), &found));
        ck_assert_int_eq(found, i);
    }
    enum cu_resource resource = CU_RESOURCE_NODE;
    enum cu_access access = CU_ACCESS_LIST;
    ck_assert(!cu_resource_find("zz", &resource) && !cu_resource_find("Key", &resource));
    ck_assert(!cu_access_find("", &access) && !cu_access_find("reads", &access));
    ck_assert(resource == CU_RESOURCE_NODE && access == CU_ACCESS_LIST);
}
END_TEST

SUITE_MAIN("common/acl/rules", reads_each_resource_exact_and_by_prefix, no_rules_are_rules,
           http_246_json_says_the_same, a_block_may_come_again,
           intentions_are_a_rule_of_their_own_where_written, words_are_known_in_any_case,
           http_245_what_nobody_knows_is_passed_over, http_245_says_where_a_text_is_no_rules,
           http_245_refuses_a_word_that_is_no_access,
           of_two_mistakes_tells_the_one_that_the_reference_tells,
           a_block_without_a_label_is_one_of_its_attributes_names,
           a_text_of_the_most_bytes_is_read_and_one_more_is_refused,
           as_many_rules_as_a_policy_may_have_and_not_one_more, a_full_arena_is_an_error,
           a_sentence_about_a_long_segment_is_cut, names_are_found_again)
