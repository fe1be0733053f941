#include "common/json/canonical.h"

#include <string.h>

#include "common/json/scan.h"
#include "tests/lib/suite.h"

static const struct {
    const char *text, *canonical;
} cases[] = {
    {"{}", "{}"},
    {" { \"b\" : 1 , \"a\" : [ true, null, \"x\" ] } ", "{\"a\":[true,null,\"x\"],\"b\":1}"},
    {"{\"a\":1,\"A\":2,\"a\":3}", "{\"A\":2,\"a\":3}"},
    {"{\"\\u0061\":\"<\\/>\"}", "{\"a\":\"\\u003c/\\u003e\"}"},
    {"{\"o\":{\"z\":{},\"y\":[]}}", "{\"o\":{\"y\":[],\"z\":{}}}"},
    {"[1.0,1e3,1.50,-0.0,0.000001,1e-7,1E+21,1.5e300]",
     "[1,1000,1.5,-0,0.000001,1e-7,1e+21,1.5e+300]"},
    {"[0.1,0.30000000000000004,123456789.125]", "[0.1,0.30000000000000004,123456789.125]"},
    {"[12345678901234567890]", "[12345678901234567890]"},
    {"[1e999]", "[1e999]"},
};

START_TEST(equal_values_have_one_text) /* contracts 8.2 */
{
    struct cu_arena *arena = cu_arena_new(64 * 1024);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_bytes value, text = {0};
        ck_assert_int_eq(cu_json_check(cu_bytes_of(cases[i].text), &value, NULL), CU_OK);
        ck_assert_int_eq(cu_json_canonical(value, arena, &text), CU_OK);
        ck_assert_msg(cu_bytes_equal(text, cu_bytes_of(cases[i].canonical)), "%s: %.*s, not %s",
                      cases[i].text, (int)text.len, (const char *)text.data, cases[i].canonical);
    }
    cu_arena_free(arena);
}
END_TEST

START_TEST(a_full_arena_is_told)
{
    static const char text[] = "{\"a\":{\"b\":\"0123456789012345678901234567890123456789\"}}";
    struct cu_bytes value, canonical;
    ck_assert_int_eq(cu_json_check(cu_bytes_of(text), &value, NULL), CU_OK);
    for (size_t limit = 0; limit < 1024; limit += 16) {
        struct cu_arena *arena = cu_arena_new(limit);
        enum cu_err err = cu_json_canonical(value, arena, &canonical);
        ck_assert(err == CU_E_TOO_LARGE || (err == CU_OK && limit > strlen(text)));
        cu_arena_free(arena);
        if (!err)
            return;
    }
    ck_abort_msg("never enough");
}
END_TEST

SUITE_MAIN("common/json/canonical", equal_values_have_one_text, a_full_arena_is_told)
