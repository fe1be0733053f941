#include "common/base/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

static const struct {
    const char *text, *host;
    unsigned port;
    const char *back; /* as it is written with port 8300 where none is given */
} cases[] = {
    {"10.0.0.1", "10.0.0.1", 0, "10.0.0.1:8300"},
    {"10.0.0.1:1", "10.0.0.1", 1, "10.0.0.1:1"},
    {"10.0.0.1:65535", "10.0.0.1", 65535, "10.0.0.1:65535"},
    {"::1", "::1", 0, "[::1]:8300"},
    {"fe80::1:8300", "fe80::1:8300", 0, "[fe80::1:8300]:8300"}, /* all of it is the address */
    {"[::1]", "::1", 0, "[::1]:8300"},
    {"[::1]:8310", "::1", 8310, "[::1]:8310"},
    {"s1.example.org:8300", "s1.example.org", 8300, "s1.example.org:8300"},
};

START_TEST(an_address_is_taken_apart_and_put_together_again)
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        char host[CU_HOST_BYTES], text[CU_ENDPOINT_BYTES], want[CU_ENDPOINT_BYTES];
        unsigned port;
        ck_assert_msg(cu_endpoint_split(cases[i].text, host, &port), "%s", cases[i].text);
        ck_assert_str_eq(host, cases[i].host);
        ck_assert_uint_eq(port, cases[i].port);
        ck_assert_str_eq(cu_endpoint_text(host, port ? port : 8300, text), cases[i].back);
        (void)snprintf(want, sizeof want, "tcp://%s", cases[i].back);
        ck_assert_str_eq(cu_endpoint_url(host, port ? port : 8300, text), want);
    }
}
END_TEST

START_TEST(brackets_are_not_put_around_brackets)
{
    char text[CU_ENDPOINT_BYTES];
    ck_assert_str_eq(cu_endpoint_text("[::1]", 8300, text), "[::1]:8300");
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
    static const char *const wrong[] = {"",        ":8300",        "[]",          "[]:8300",
                                        "[::1",    "[::1]8300",    "10.0.0.1:",   "10.0.0.1:0",
                                        "[::1]:0", "10.0.0.1:+80", "10.0.0.1:x1", "10.0.0.1:65536",
                                        "[[::1]",  "a:b:]c"};
    char host[CU_HOST_BYTES];
    unsigned port;
    for (size_t i = 0; i < CU_COUNT(wrong); i++)
        ck_assert_msg(!cu_endpoint_split(wrong[i], host, &port), "%s", wrong[i]);
}
END_TEST

START_TEST(a_host_of_256_bytes_is_too_long)
{
    char text[CU_HOST_BYTES + 8], host[CU_HOST_BYTES], back[CU_ENDPOINT_BYTES];
    unsigned port;
    memset(text, 'a', CU_HOST_BYTES);
    (void)strcpy(text + CU_HOST_BYTES - 1, ":65535");
    ck_assert(cu_endpoint_split(text, host, &port));
    ck_assert_uint_eq(strlen(host), CU_HOST_BYTES - 1);
    ck_assert_str_eq(cu_endpoint_text(host, port, back), text);
    (void)strcpy(text + CU_HOST_BYTES - 1, "a:65535");
    ck_assert(!cu_endpoint_split(text, host, &port));
}
END_TEST

SUITE_MAIN("common/base/endpoint", an_address_is_taken_apart_and_put_together_again,
           brackets_are_not_put_around_brackets, what_is_no_address_is_refused,
           a_host_of_256_bytes_is_too_long)
