#include "common/view/home.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/suite.h"

static struct cu_conf *conf_of(const char *list)
{
    char text[1024];
    struct cu_conf *conf = NULL;
    struct cu_diag diag = {0};
    int len =
        snprintf(text, sizeof text, "{\"data_dir\":\"/d\",\"dnsd\":{\"catalog\":[%s]}}", list);
    ck_assert_msg(!cu_conf_parse(text, (size_t)len, "test", &conf, &diag), "%s", diag.text);
    return conf;
}

static void free_all(char **urls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(urls[i]);
    free(urls);
}

START_TEST(a_server_is_named_by_address_port_or_url)
{
    static const char *const want[] = {"tcp://10.0.0.1:8300", "tcp://10.0.0.1:8311",
                                       "tcp://[::1]:8300",    "tcp://[::1]:8311",
                                       "tcp://[::1]:8300",    "ipc:///run/c.sock"};
    struct cu_conf *conf = conf_of("\"10.0.0.1\",\"10.0.0.1:8311\",\"::1\",\"[::1]:8311\","
                                   "\"[::1]\",\"ipc:///run/c.sock\"");
    size_t count;
    char **urls = cu_home_urls(conf, "dnsd.catalog", "ipc:///local", &count);
    ck_assert_uint_eq(count, CU_COUNT(want));
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(urls[i], want[i]);
    free_all(urls, count);
    cu_conf_free(conf);
}
END_TEST

START_TEST(where_none_is_named_it_is_the_local_one_if_there_is_one)
{
    struct cu_conf *conf = conf_of("");
    size_t count;
    char **urls = cu_home_urls(conf, "dnsd.catalog", "ipc:///local", &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(urls[0], "ipc:///local");
    free_all(urls, count);
    urls = cu_home_urls(conf, "dnsd.catalog", NULL, &count);
    ck_assert_uint_eq(count, 0);
    free_all(urls, count);
    cu_conf_free(conf);
}
END_TEST

SUITE_MAIN("common/view/home", a_server_is_named_by_address_port_or_url,
           where_none_is_named_it_is_the_local_one_if_there_is_one)
