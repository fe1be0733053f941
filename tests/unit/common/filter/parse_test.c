#include "common/filter/parse.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/filter/filter.h"
#include "tests/lib/suite.h"

static struct cu_arena *arena;

/* The tree as text: (or a (not b)). */
static void print(const struct cu_filter_node *node, struct cu_buf *to)
{
    static const char *const kinds[] = {"or", "and", "not"};
    if (node->kind == CU_FILTER_MATCH) {
        cu_buf_printf(to, "%s[%s]", cu_filter_selector_text(node->selector, NULL, arena),
                      cu_filter_operator_name(node->op));
        if (node->value)
            cu_buf_printf(to, "%s", node->value);
        return;
    }
    cu_buf_printf(to, "(%s", kinds[node->kind]);
    for (const struct cu_filter_node *child = node->children; child; child = child->next) {
        cu_buf_text(to, " ");
        print(child, to);
    }
    cu_buf_text(to, ")");
}

/* What it parses to, or the sentence. */
static const char *parsed(const char *text)
{
    static char said[1024];
    struct cu_filter_node *node;
    struct cu_diag diag = {0};
    struct cu_buf to = {0};
    arena = cu_arena_new(1024 * 1024);
    enum cu_err err = cu_filter_parse(text, arena, &node, &diag);
    if (!err)
        print(node, &to);
    (void)snprintf(said, sizeof said, "%.*s", err ? (int)strlen(diag.text) : (int)to.len,
                   err ? diag.text : (const char *)to.data);
    cu_buf_deinit(&to);
    cu_arena_free(arena);
    return said;
}

START_TEST(operators_are_read_with_their_spaces)
{
    /* clang-format off */
    static const struct { const char *text, *want; } cases[] = {
        {"a==b", "a[Equal]b"}, {" a \t== \n b ", "a[Equal]b"}, {"a!=1", "a[Not Equal]1"},
        {"a contains b", "a[In]b"}, {"a not contains b", "a[Not In]b"},
        {"b in a", "a[In]b"}, {"b not in a", "a[Not In]b"},
        {"a matches `x.*`", "a[Matches]x.*"}, {"a not matches \"x\"", "a[Not Matches]x"},
        {"a is empty", "a[Is Empty]"}, {"a is not empty", "a[Is Not Empty]"},
        {"a.b_2.C == -1.50", "a.b_2.C[Equal]-1.50"}, {"a == x.y", "a[Equal]x.y"},
        {"Meta[\"external-node\"]==true", "Meta.external-node[Equal]true"},
        {"a[ `k` ].b == 0", "a.k.b[Equal]0"}, {"nothing == 1", "nothing[Equal]1"},
        {"a == \"\"", "a[Equal]"}, {"(a == 1)", "a[Equal]1"}, {"( ( a == 1 ) )", "a[Equal]1"},
        {"in == in", "in[Equal]in"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(parsed(cases[i].text), cases[i].want);
}
END_TEST

START_TEST(and_binds_tighter_than_or_and_not_tightest)
{
    /* clang-format off */
    static const struct { const char *text, *want; } cases[] = {
        {"a==1 or b==2 and c==3", "(or a[Equal]1 (and b[Equal]2 c[Equal]3))"},
        {"a==1 and b==2 or c==3", "(or (and a[Equal]1 b[Equal]2) c[Equal]3)"},
        {"(a==1 or b==2) and c==3", "(and (or a[Equal]1 b[Equal]2) c[Equal]3)"},
        {"(a==1) or (b==2)", "(or a[Equal]1 b[Equal]2)"},
        {"not a==1 and b==2", "(and (not a[Equal]1) b[Equal]2)"},
        {"not not a==1", "(not (not a[Equal]1))"},
        {"not (a==1 or b==2)", "(not (or a[Equal]1 b[Equal]2))"},
        {"a==1 or b==2 or c==3", "(or a[Equal]1 b[Equal]2 c[Equal]3)"},
        {"\"v1\" in ServiceTags and not ServiceTags is empty",
         "(and ServiceTags[In]v1 (not ServiceTags[Is Empty]))"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(parsed(cases[i].text), cases[i].want);
}
END_TEST

START_TEST(says_where_it_stopped_and_what_it_wanted_there_QRY_52_57_59)
{
    /* clang-format off */
    static const struct { const char *text, *want; } cases[] = {
        {"bogus", "1:6 (5): no match found, expected: \"!=\", \".\", \"==\", \"[\", [ \\t\\r\\n] or [a-zA-Z0-9_]"},
        {"", "1:1 (0): no match found, expected: \"(\", \"-\", \"0\", \"\\\"\", \"`\", \"not\", [ \\t\\r\\n], [1-9] or [a-zA-Z]"},
        {"a == 1 x", "1:8 (7): no match found, expected: \"and\", \"or\", [ \\t\\r\\n] or EOF"},
        {"a == \"x\" AND b == 1", "1:10 (9): no match found, expected: \"and\", \"or\", [ \\t\\r\\n] or EOF"},
        {"ServicePort > 1", "1:13 (12): no match found, expected: \"!=\", \"==\", \"contains\", \"in\", \"is\", \"matches\", \"not\" or [ \\t\\r\\n]"},
        {"a ==", "1:5 (4): no match found, expected: \"-\", \"0\", \"\\\"\", \"`\", [ \\t\\r\\n], [1-9] or [a-zA-Z]"},
        {"a\nbogus", "2:1 (2): no match found, expected: \"!=\", \"==\", \"contains\", \"in\", \"is\", \"matches\", \"not\" or [ \\t\\r\\n]"},
        {"(a == 1", "1:8 (7): rule \"grouping\": Unmatched parentheses"},
        {"a == 1x", "1:7 (6): rule \"number\": Invalid number literal"},
        {"a == 01", "1:7 (6): rule \"number\": Invalid number literal"},
        {"a == \"x", "1:8 (7): rule \"string\": Unterminated string literal"},
        {"a == \"\\q\"", "1:6 (5): rule \"string\": invalid syntax"},
        {"a[1] == 2", "1:3 (2): rule \"index\": Invalid index"},
        {"a[\"x\" == 2", "1:7 (6): rule \"index\": Unclosed index expression"},
        {"\"x\" in 5", "1:8 (7): rule \"match\": Invalid selector"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_str_eq(parsed(cases[i].text), cases[i].want);
}
END_TEST

/* ---- limits ---- */

static void fill(char *to, size_t count, const char *with)
{
    for (size_t i = 0; i < count; i++, to += strlen(with))
        memcpy(to, with, strlen(with));
    *to = '\0';
}

START_TEST(an_expression_ends_at_its_length)
{
    static char text[CU_FILTER_BYTES_MAX + 2];
    fill(text, CU_FILTER_BYTES_MAX - 4, " ");
    memcpy(text + CU_FILTER_BYTES_MAX - 4, "a==1", 5);
    ck_assert_str_eq(parsed(text), "a[Equal]1");
    memmove(text + 1, text, CU_FILTER_BYTES_MAX + 1);
    ck_assert_str_eq(parsed(text), "the filter is longer than 16384 bytes");
}
END_TEST

START_TEST(an_expression_ends_at_its_depth)
{
    static char text[CU_FILTER_DEPTH_MAX * 4 + 64];
    fill(text, CU_FILTER_DEPTH_MAX - 1, "not ");
    (void)snprintf(text + strlen(text), 32, "a==1");
    ck_assert_ptr_nonnull(strstr(parsed(text), "a[Equal]1"));
    fill(text, CU_FILTER_DEPTH_MAX, "not ");
    (void)snprintf(text + strlen(text), 32, "a==1");
    ck_assert_str_eq(parsed(text), "the filter is too large");
    fill(text, CU_FILTER_DEPTH_MAX, "(");
    ck_assert_str_eq(parsed(text), "the filter is too large");
}
END_TEST

START_TEST(many_operands_are_no_depth)
{
    static char text[CU_FILTER_BYTES_MAX + 1];
    fill(text, 1800, "a==1 or ");
    (void)snprintf(text + strlen(text), 32, "b==2");
    ck_assert_ptr_nonnull(strstr(parsed(text), "(or a[Equal]1 a[Equal]1"));
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    struct cu_filter_node *node;
    enum cu_err err = CU_E_TOO_LARGE;
    for (size_t limit = 0; err == CU_E_TOO_LARGE; limit += 16) {
        struct cu_arena *small = cu_arena_new(limit);
        struct cu_diag diag = {0};
        err =
            cu_filter_parse("not a.b == \"x\" or (c is empty and \"d\" in e)", small, &node, &diag);
        cu_arena_free(small);
    }
    ck_assert_int_eq(err, CU_OK);
}
END_TEST

SUITE_MAIN("common/filter/parse", operators_are_read_with_their_spaces,
           and_binds_tighter_than_or_and_not_tightest,
           says_where_it_stopped_and_what_it_wanted_there_QRY_52_57_59,
           an_expression_ends_at_its_length, an_expression_ends_at_its_depth,
           many_operands_are_no_depth, a_full_arena_is_said)
