#include "services/agentd/core/output.h"

#include <string.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

static const char *text_of(const struct agent_output *output, bool with_notice)
{
    static struct cu_buf text;
    cu_buf_clear(&text);
    agent_output_text(output, with_notice, &text);
    cu_buf_u8(&text, 0);
    return (const char *)text.data;
}

START_TEST(keeps_the_last_bytes_and_says_how_many_there_were) /* agent 30 */
{
    struct agent_output output = {0};
    agent_output_begin(&output, 4);
    ck_assert_str_eq(text_of(&output, true), "");
    agent_output_add(&output, cu_bytes_of("abcd"));
    ck_assert_str_eq(text_of(&output, true), "abcd");
    agent_output_add(&output, cu_bytes_of("e"));
    ck_assert_str_eq(text_of(&output, true), "Captured 4 of 5 bytes\n...\nbcde");
    agent_output_add(&output, cu_bytes_of("0123456789"));
    ck_assert_str_eq(text_of(&output, true), "Captured 4 of 15 bytes\n...\n6789");
    ck_assert_str_eq(text_of(&output, false), "6789");
    agent_output_begin(&output, 4);
    ck_assert_str_eq(text_of(&output, true), "");
    agent_output_deinit(&output);
}
END_TEST

START_TEST(every_way_of_cutting_the_input_gives_the_same)
{
    static const char text[] = "the quick brown fox jumps over the lazy dog";
    for (size_t limit = 1; limit <= sizeof text; limit++)
        for (size_t step = 1; step < sizeof text; step++) {
            struct agent_output output = {0};
            agent_output_begin(&output, limit);
            for (size_t at = 0; at < sizeof text - 1; at += step) {
                size_t left = sizeof text - 1 - at;
                agent_output_add(&output, (struct cu_bytes){(const uint8_t *)text + at,
                                                            left < step ? left : step});
            }
            size_t kept = limit < sizeof text - 1 ? limit : sizeof text - 1;
            ck_assert_str_eq(text_of(&output, false), text + sizeof text - 1 - kept);
            agent_output_deinit(&output);
        }
}
END_TEST

START_TEST(a_note_keeps_its_first_bytes) /* agent 36 */
{
    struct cu_buf text = {0};
    agent_output_note(cu_bytes_of("abcdef"), 4, &text);
    ck_assert_uint_eq(text.len, strlen("abcd ... (captured 4 of 6 bytes)"));
    ck_assert_mem_eq(text.data, "abcd ... (captured 4 of 6 bytes)", text.len);
    cu_buf_clear(&text);
    agent_output_note(cu_bytes_of("abcd"), 4, &text);
    ck_assert_uint_eq(text.len, 4);
    cu_buf_deinit(&text);
}
END_TEST

START_TEST(what_is_no_text_is_replaced) /* contracts 8.3 */
{
    struct cu_buf text = {0};
    agent_output_clean((struct cu_bytes){(const uint8_t *)"a\0\xff\xc3\xa9", 5}, &text);
    ck_assert_uint_eq(text.len, 9);
    ck_assert_mem_eq(text.data, "a\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9", 9);
    cu_buf_deinit(&text);
}
END_TEST

SUITE_MAIN("services/agentd/core/output", keeps_the_last_bytes_and_says_how_many_there_were,
           every_way_of_cutting_the_input_gives_the_same, a_note_keeps_its_first_bytes,
           what_is_no_text_is_replaced)
