#include "common/filter/pattern.h"

#include <string.h>

#include "tests/lib/suite.h"

static bool finds(const char *expression, const char *text)
{
    struct cu_filter_pattern *pattern;
    struct cu_diag diag = {0};
    bool found;
    ck_assert_int_eq(cu_pattern_new(expression, &pattern, &diag), CU_OK);
    ck_assert_int_eq(cu_pattern_find(pattern, text, &found), CU_OK);
    cu_pattern_free(pattern);
    return found;
}

START_TEST(is_found_anywhere_unless_it_says_where)
{
    ck_assert(finds("b+", "abbc") && !finds("^b+", "abbc") && finds("^a.*c$", "abbc"));
    ck_assert(finds("(?i)ABB", "abbc") && !finds("ABB", "abbc"));
    ck_assert(finds("\\d{2}\\pL", "42\xc3\xa9") && finds("^.$", "\xc3\xa9"));
    ck_assert(!finds("a$", "a\n")); /* the end is the end of the text */
    ck_assert(finds("b", "\xff"
                         "b") &&
              finds("", ""));
}
END_TEST

START_TEST(what_is_no_expression_is_said)
{
    struct cu_filter_pattern *pattern = NULL;
    struct cu_diag diag = {0};
    ck_assert_int_eq(cu_pattern_new("[", &pattern, &diag), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "missing terminating ]"));
    ck_assert_int_eq(cu_pattern_new("(a", &pattern, &diag), CU_E_INVALID);
    ck_assert_ptr_null(pattern);
    cu_pattern_free(NULL);
}
END_TEST

START_TEST(one_that_costs_too_much_is_given_up)
{
    struct cu_filter_pattern *pattern;
    char text[64] = {0};
    bool found = true;
    memset(text, 'a', sizeof text - 2);
    text[sizeof text - 2] = 'b'; /* what it needs is there, but not where it would help */
    ck_assert_int_eq(cu_pattern_new("^(a+)+$|^(a|aa)+$", &pattern, NULL), CU_OK);
    ck_assert_int_eq(cu_pattern_find(pattern, "aab", &found), CU_OK);
    ck_assert(!found);
    ck_assert_int_eq(cu_pattern_find(pattern, text, &found), CU_E_OVERLOADED);
    cu_pattern_free(pattern);
}
END_TEST

SUITE_MAIN("common/filter/pattern", is_found_anywhere_unless_it_says_where,
           what_is_no_expression_is_said, one_that_costs_too_much_is_given_up)
