/* Whether a stream may be told of a proxy (mesh.md 6.2, 103). */
#include "services/xdsd/core/verdict.h"

#include "tests/lib/suite.h"

static struct cu_authorizer *of(const char *rules, bool is_allowed_by_default)
{
    struct cu_arena *arena = cu_arena_new(64 * 1024);
    struct cu_rules parsed;
    struct cu_diag diag = {0};
    ck_assert_msg(!cu_rules_parse(cu_bytes_of(rules), arena, &parsed, &diag), "%s", diag.text);
    struct cu_authorizer *authorizer = cu_authorizer_new(&parsed, 1, is_allowed_by_default, 9);
    cu_arena_free(arena);
    return authorizer;
}

START_TEST(who_may_write_the_service_may_be_told_mesh_103)
{
    static const struct {
        const char *rules;
        bool is_allowed_by_default;
        enum xds_verdict want;
    } cases[] = {
        {"", false, XDS_LACKS_RIGHT},
        {"", true, XDS_MAY},
        {"service \"web\" { policy = \"write\" }", false, XDS_MAY},
        {"service \"web\" { policy = \"read\" }", false, XDS_LACKS_RIGHT},
        {"service \"web\" { policy = \"deny\" }", true, XDS_LACKS_RIGHT},
        {"service \"web-sidecar-proxy\" { policy = \"write\" }", false, XDS_LACKS_RIGHT},
        {"service_prefix \"\" { policy = \"write\" }", false, XDS_MAY},
        {"node_prefix \"\" { policy = \"write\" }", false, XDS_LACKS_RIGHT},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_authorizer *authorizer = of(cases[i].rules, cases[i].is_allowed_by_default);
        ck_assert_msg(xds_verdict(CU_OK, authorizer, "web") == cases[i].want, "%s", cases[i].rules);
        cu_authorizer_unref(authorizer);
    }
    ck_assert_int_eq(xds_verdict(CU_OK, cu_authorizer_all(), "web"), XDS_MAY);
    ck_assert_int_eq(xds_verdict(CU_OK, cu_authorizer_none(), "web"), XDS_LACKS_RIGHT);
}
END_TEST

START_TEST(an_unknown_token_is_another_thing_than_a_weak_one_mesh_103)
{
    ck_assert_int_eq(xds_verdict(CU_E_DENIED, NULL, "web"), XDS_UNKNOWN_TOKEN);
    ck_assert_int_eq(xds_verdict(CU_E_INTERNAL, NULL, "web"), XDS_NO_VERDICT);
    ck_assert_int_eq(xds_verdict(CU_OK, NULL, "web"), XDS_NO_VERDICT); /* never "may" */
}
END_TEST

START_TEST(it_is_looked_at_again_when_what_is_known_has_grown_old_mesh_6_2)
{
    ck_assert_uint_eq(xds_recheck_ms(0), XDS_RECHECK_MIN_MS);
    ck_assert_uint_eq(xds_recheck_ms(XDS_RECHECK_MIN_MS - 1), XDS_RECHECK_MIN_MS);
    ck_assert_uint_eq(xds_recheck_ms(30000), 30001);
    ck_assert_uint_eq(xds_recheck_ms(XDS_RECHECK_MAX_MS), XDS_RECHECK_MAX_MS);
    ck_assert_uint_eq(xds_recheck_ms(UINT64_MAX), XDS_RECHECK_MAX_MS);
}
END_TEST

SUITE_MAIN("services/xdsd/core/verdict", who_may_write_the_service_may_be_told_mesh_103,
           an_unknown_token_is_another_thing_than_a_weak_one_mesh_103,
           it_is_looked_at_again_when_what_is_known_has_grown_old_mesh_6_2)
