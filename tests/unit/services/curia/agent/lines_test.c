#include "services/curia/agent/lines.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/suite.h"

START_TEST(keeps_the_newest_by_number)
{
    struct lines lines = {0};
    char text[32];
    ck_assert_uint_eq(lines_first(&lines), 1);
    ck_assert_ptr_null(lines_get(&lines, 1));
    for (unsigned i = 1; i <= LINES_KEPT + 3; i++) {
        int len = snprintf(text, sizeof text, "line %u", i);
        lines_add(&lines, text, (size_t)len);
    }
    ck_assert_uint_eq(lines_first(&lines), 4);
    ck_assert_ptr_null(lines_get(&lines, 3));
    ck_assert_str_eq(lines_get(&lines, 4), "line 4");
    ck_assert_str_eq(lines_get(&lines, lines.last), "line 515");
    ck_assert_ptr_null(lines_get(&lines, lines.last + 1));
    lines_deinit(&lines);
}
END_TEST

START_TEST(a_line_that_is_too_long_is_cut)
{
    static char text[LINES_BYTES + 1];
    struct lines lines = {0};
    memset(text, 'x', sizeof text);
    lines_add(&lines, text, LINES_BYTES + 1);
    ck_assert_uint_eq(strlen(lines_get(&lines, 1)), LINES_BYTES);
    lines_deinit(&lines);
}
END_TEST

SUITE_MAIN("services/curia/agent/lines", keeps_the_newest_by_number, a_line_that_is_too_long_is_cut)
