#include "common/json/text.h"

#include "common/base/err.h"
#include "tests/lib/suite.h"

static const struct {
    const char *in, *out;
} texts[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"<a&b>", "\"\\u003ca\\u0026b\\u003e\""}, /* http 33 */
    {"q\"\\\n\r\t\x01\x7f", "\"q\\\"\\\\\\n\\r\\t\\u0001\x7f\""},
    {"\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\""},
    {"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
    {"a\xff\xc3", "\"a\\ufffd\\ufffd\""},
    {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* a surrogate is three bad bytes */
    {"\xc0\xaf", "\"\\ufffd\\ufffd\""},            /* so is a long form, of two */
};

START_TEST(prints_strings_as_the_reference_escapes_them)
{
    for (size_t i = 0; i < CU_COUNT(texts); i++) {
        struct cu_buf out = {0};
        cu_json_cstr(&out, texts[i].in);
        cu_buf_u8(&out, 0);
        ck_assert_str_eq((char *)out.data, texts[i].out);
        cu_buf_deinit(&out);
    }
}
END_TEST

START_TEST(prints_the_largest_and_the_least_numbers_in_full)
{
    struct cu_buf out = {0};
    cu_json_u64(&out, UINT64_MAX);
    cu_buf_u8(&out, ' ');
    cu_json_i64(&out, INT64_MIN);
    cu_buf_u8(&out, ' ');
    cu_json_u64(&out, 0);
    cu_buf_u8(&out, 0);
    ck_assert_str_eq((char *)out.data, "18446744073709551615 -9223372036854775808 0");
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(prints_times_without_trailing_zeros)
{
    static const struct {
        int64_t s;
        unsigned ms;
        const char *out;
    } times[] = {
        {0, 0, "\"1970-01-01T00:00:00Z\""},
        {1795166672, 120, "\"2026-11-20T09:24:32.12Z\""},
        {1795166672, 5, "\"2026-11-20T09:24:32.005Z\""},
        {1795166672, 500, "\"2026-11-20T09:24:32.5Z\""},
        {-62135596800, 0, "\"0001-01-01T00:00:00Z\""},
        {253402300800, 0, "\"9999-12-31T23:59:59Z\""}, /* one more than can be shown */
    };
    for (size_t i = 0; i < CU_COUNT(times); i++) {
        struct cu_buf out = {0};
        cu_json_time(&out, times[i].s, times[i].ms);
        cu_buf_u8(&out, 0);
        ck_assert_str_eq((char *)out.data, times[i].out);
        cu_buf_deinit(&out);
    }
}
END_TEST

static const struct {
    const char *in, *out;
} indented[] = {
    {"[\"dc1\"]", "[\n    \"dc1\"\n]\n"}, /* http 2 */
    {"[]", "[]\n"},
    {"{\"a\":{},\"b\":[1,2]}",
     "{\n    \"a\": {},\n    \"b\": [\n        1,\n        2\n    ]\n}\n"},
    {"\"{\\\"[,:\"", "\"{\\\"[,:\"\n"},
};

START_TEST(indents_by_four_spaces_and_ends_with_a_newline)
{
    for (size_t i = 0; i < CU_COUNT(indented); i++) {
        struct cu_buf out = {0};
        cu_json_indent(&out, cu_bytes_of(indented[i].in));
        cu_buf_u8(&out, 0);
        ck_assert_str_eq((char *)out.data, indented[i].out);
        cu_buf_deinit(&out);
    }
}
END_TEST

SUITE_MAIN("common/json/text", prints_strings_as_the_reference_escapes_them,
           prints_the_largest_and_the_least_numbers_in_full, prints_times_without_trailing_zeros,
           indents_by_four_spaces_and_ends_with_a_newline)
