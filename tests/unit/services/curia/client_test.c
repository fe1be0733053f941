#include "services/curia/client.h"

#include <stdlib.h>

#include "tests/lib/suite.h"

static void check_sorted(const char *text, size_t count, const char *const *expected)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    size_t got = 99;
    const char **texts = cli_sorted(json, &got);
    ck_assert_uint_eq(got, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(texts[i], expected[i]);
    free(texts);
    json_decref(json);
}

START_TEST(names_and_texts_are_sorted)
{
    static const char *const sorted[] = {"B", "a", "b"};
    check_sorted("{\"b\":1,\"B\":{},\"a\":\"z\"}", 3, sorted);
    check_sorted("[\"b\",7,\"B\",null,\"a\"]", 3, sorted); /* what is no text is left out */
    check_sorted("{}", 0, NULL);
    check_sorted("[]", 0, NULL);
    check_sorted("7", 0, NULL);
    check_sorted("no JSON", 0, NULL);
}
END_TEST

START_TEST(members_are_joined_in_the_order_of_their_names)
{
    json_t *json = json_loads("{\"b\":\"2\",\"a\":\"1\",\"c\":3}", 0, NULL);
    struct cu_buf out = {0};
    cli_join_members(json, ", ", &out);
    ck_assert_str_eq(cli_query_text(&out), "a=1, b=2, c=");
    cu_buf_clear(&out);
    cli_join_members(NULL, ",", &out);
    ck_assert_str_eq(cli_query_text(&out), "");
    cu_buf_deinit(&out);
    json_decref(json);
}
END_TEST

SUITE_MAIN("services/curia/client", names_and_texts_are_sorted,
           members_are_joined_in_the_order_of_their_names)
