/* Lists of texts. */
#include "common/conf/texts.h"

#include "tests/lib/suite.h"

START_TEST(words_are_what_is_between_blanks_and_tabs)
{
    static const struct {
        const char *text;
        size_t count;
        const char *last;
    } cases[] = {
        {"", 0, NULL}, {" \t ", 0, NULL}, {"::1", 1, "::1"}, {" 10.0.0.1\t ::1 ", 2, "::1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t count = 99;
        char **texts = cu_texts_split(cases[i].text, &count);
        ck_assert_uint_eq(count, cases[i].count);
        if (count)
            ck_assert_str_eq(texts[count - 1], cases[i].last);
        cu_texts_free(texts, count);
    }
    cu_texts_free(NULL, 3);
}
END_TEST

SUITE_MAIN("common/conf/texts", words_are_what_is_between_blanks_and_tabs)
