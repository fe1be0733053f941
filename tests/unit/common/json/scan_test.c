#include "common/json/scan.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

static const struct {
    const char *text, *sentence;
} refused[] = {
    {"", "EOF"},
    {" \n", "EOF"},
    {"{", "unexpected EOF"},
    {"[1,", "unexpected EOF"},
    {"\"abc", "unexpected EOF"},
    {"tru", "unexpected EOF"},
    {"x", "invalid character 'x' looking for beginning of value"},
    {"{b}", "invalid character 'b' looking for beginning of object key string"},
    {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
    {"{\"a\" 1}", "invalid character '1' after object key"},
    {"{\"a\":1 2}", "invalid character '2' after object key:value pair"},
    {"[1 2]", "invalid character '2' after array element"},
    {"[1,]", "invalid character ']' looking for beginning of value"},
    {"nule", "invalid character 'e' in literal null (expecting 'l')"},
    {"\"\\q\"", "invalid character 'q' in string escape code"},
    {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
    {"\"a\nb\"", "invalid character '\\n' in string literal"},
    {"-x", "invalid character 'x' in numeric literal"},
    {"1.x", "invalid character 'x' after decimal point in numeric literal"},
    {"1ex", "invalid character 'x' in exponent of numeric literal"},
    {"'", "invalid character '\\'' looking for beginning of value"},
    {"\x01", "invalid character '\\x01' looking for beginning of value"},
    {"\xc3\xa9", "invalid character '\xc3\x83' looking for beginning of value"},
};

START_TEST(names_the_first_wrong_character_as_the_reference_does)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        struct cu_diag diag = {0};
        struct cu_bytes value;
        ck_assert_int_eq(cu_json_check(cu_bytes_of(refused[i].text), &value, &diag), CU_E_INVALID);
        ck_assert_str_eq(diag.text, refused[i].sentence);
    }
}
END_TEST

START_TEST(takes_the_first_value_and_ignores_the_rest)
{
    struct cu_bytes value;
    ck_assert_int_eq(cu_json_check(cu_bytes_of("  [1, {\"a\": -0.5e+3}] }}"), &value, NULL), CU_OK);
    ck_assert_uint_eq(value.len, strlen("[1, {\"a\": -0.5e+3}]"));
}
END_TEST

START_TEST(refuses_one_level_more_than_the_limit)
{
    char text[2 * CU_JSON_MAX_DEPTH + 3];
    struct cu_bytes value;
    for (size_t depth = CU_JSON_MAX_DEPTH; depth <= CU_JSON_MAX_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        ck_assert_int_eq(cu_json_check((struct cu_bytes){(uint8_t *)text, 2 * depth}, &value, NULL),
                         depth == CU_JSON_MAX_DEPTH ? CU_OK : CU_E_INVALID);
    }
}
END_TEST

START_TEST(walks_members_and_elements)
{
    struct cu_bytes value, name;
    ck_assert_int_eq(
        cu_json_check(cu_bytes_of("{ \"a\" : [ 1 , 2 ] , \"b\" : \"x\" }"), &value, NULL), CU_OK);
    struct cu_json_walk members = cu_json_walk(value);
    struct cu_bytes member, element;
    ck_assert(cu_json_next_member(&members, &name, &member));
    ck_assert(cu_bytes_equal(name, cu_bytes_of("\"a\"")));
    struct cu_json_walk elements = cu_json_walk(member);
    ck_assert(cu_json_next_element(&elements, &element));
    ck_assert(cu_json_next_element(&elements, &element));
    ck_assert(cu_bytes_equal(element, cu_bytes_of("2")));
    ck_assert(!cu_json_next_element(&elements, &element));
    ck_assert(cu_json_next_member(&members, &name, &member));
    ck_assert_int_eq(cu_json_kind(member), CU_JSON_KIND_STRING);
    ck_assert(!cu_json_next_member(&members, &name, &member));
}
END_TEST

static const struct {
    const char *token, *text;
} strings[] = {
    {"\"\"", ""},
    {"\"a\\n\\\"\\\\\\/\\b\"", "a\n\"\\/\b"},
    {"\"\\u00e9\\ud83d\\ude00\"", "\xc3\xa9\xf0\x9f\x98\x80"},
    {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                           "A"}, /* half a pair */
    {"\"\\ud83d\"", "\xef\xbf\xbd"},
    {"\"\xff\xff\xff\"", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
};

START_TEST(reads_strings_and_replaces_what_is_no_utf_8)
{
    struct cu_arena *arena = cu_arena_new(4096);
    for (size_t i = 0; i < CU_COUNT(strings); i++) {
        struct cu_bytes value, text;
        ck_assert_int_eq(cu_json_check(cu_bytes_of(strings[i].token), &value, NULL), CU_OK);
        ck_assert_int_eq(cu_json_unquote(value, arena, &text), CU_OK);
        ck_assert_str_eq((const char *)text.data, strings[i].text);
    }
    cu_arena_free(arena);
}
END_TEST

SUITE_MAIN("common/json/scan", names_the_first_wrong_character_as_the_reference_does,
           takes_the_first_value_and_ignores_the_rest, refuses_one_level_more_than_the_limit,
           walks_members_and_elements, reads_strings_and_replaces_what_is_no_utf_8)
