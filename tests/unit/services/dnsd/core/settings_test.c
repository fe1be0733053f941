#include "services/dnsd/core/settings.h"

#include "tests/lib/suite.h"

static struct dns_settings settings;

static unsigned ttl(const char *service)
{
    return dns_settings_ttl(&settings, cu_bytes_of(service));
}

START_TEST(exact_beats_prefix_and_longer_beats_shorter) /* dns 67 */
{
    ck_assert_uint_eq(ttl("web"), 0);
    dns_settings_add_ttl(&settings, "*", 1);
    dns_settings_add_ttl(&settings, "we*", 2);
    dns_settings_add_ttl(&settings, "Web", 3);
    dns_settings_add_ttl(&settings, "web-*", 4);
    ck_assert_uint_eq(ttl("web"), 3);
    ck_assert_uint_eq(ttl("web-api"), 4);
    ck_assert_uint_eq(ttl("webapi"), 2);
    ck_assert_uint_eq(ttl("we"), 2);
    ck_assert_uint_eq(ttl("db"), 1);
    ck_assert_uint_eq(ttl(""), 1);
    dns_settings_deinit(&settings);
    ck_assert_uint_eq(ttl("web"), 0);
}
END_TEST

SUITE_MAIN("services/dnsd/core/settings", exact_beats_prefix_and_longer_beats_shorter)
