/* mesh.md 1.2 and 1.3. */
#include <stdio.h>
#include <string.h>

#include "common/tls/spiffe.h"
#include "tests/lib/suite.h"

#define TD "d504b93c-0d87-37f6-9b28-3956d868cb75.consul"

START_TEST(reads_the_three_kinds)
{
    struct cu_spiffe id;
    ck_assert_int_eq(cu_spiffe_parse("spiffe://" TD "/ns/default/dc/dc1/svc/web", &id, NULL),
                     CU_OK);
    ck_assert_int_eq(id.kind, CU_SPIFFE_SERVICE);
    ck_assert_str_eq(id.host, TD);
    ck_assert_str_eq(id.datacenter, "dc1");
    ck_assert_str_eq(id.name, "web");
    ck_assert_int_eq(cu_spiffe_parse("spiffe://" TD "/agent/client/dc/dc1/id/n1", &id, NULL),
                     CU_OK);
    ck_assert_int_eq(id.kind, CU_SPIFFE_AGENT);
    ck_assert_str_eq(id.name, "n1");
    ck_assert_int_eq(cu_spiffe_parse("spiffe://" TD, &id, NULL), CU_OK);
    ck_assert_int_eq(id.kind, CU_SPIFFE_SIGNING);
    ck_assert_str_eq(id.host, TD);
}
END_TEST

START_TEST(escaped_parts_are_unescaped_each_for_itself)
{
    struct cu_spiffe id;
    ck_assert_int_eq(
        cu_spiffe_parse("spiffe://1234.consul/ns/foo%2Fbar/dc/bar%2Fbaz/svc/baz%2Fqux", &id, NULL),
        CU_OK);
    ck_assert_str_eq(id.ns, "foo/bar");
    ck_assert_str_eq(id.datacenter, "bar/baz");
    ck_assert_str_eq(id.name, "baz/qux");
}
END_TEST

START_TEST(a_trust_domain_is_kept_as_written)
{
    char uri[CU_SPIFFE_URI_BYTES];
    struct cu_spiffe id;
    ck_assert_int_eq(cu_spiffe_parse("spiffe://a%2Fb.consul/ns/n/dc/d/svc/s", &id, NULL), CU_OK);
    ck_assert_str_eq(id.host, "a%2Fb.consul");
    ck_assert_int_eq(cu_spiffe_format(&id, uri), CU_OK);
    ck_assert_str_eq(uri, "spiffe://a%2Fb.consul/ns/n/dc/d/svc/s");
}
END_TEST

static const char *const bad[] = {
    "spiffe://",
    "spiffe://nodot",
    "spiffe://.consul",
    "spiffe://" TD "/",
    "spiffe://" TD "/ns/default/dc/dc1/svc/",
    "spiffe://" TD "/ns/default/dc/dc1/svc/web/x",
    "spiffe://" TD "/ns//dc/dc1/svc/web",
    "spiffe://" TD "/ns/default/dc/dc1/svc/%zz",
    "spiffe://" TD "/ns/default/dc/dc1/svc/a%00b",
};

START_TEST(refuses_what_is_none_with_the_reference_s_sentence)
{
    struct cu_spiffe id;
    struct cu_diag diag;
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        char wanted[400];
        (void)snprintf(wanted, sizeof wanted, "SPIFFE ID is not in the expected format: %s",
                       bad[i]);
        ck_assert_int_eq(cu_spiffe_parse(bad[i], &id, &diag), CU_E_INVALID);
        ck_assert_str_eq(diag.text, wanted);
    }
    ck_assert_int_eq(cu_spiffe_parse("http://x.consul", &id, &diag), CU_E_INVALID);
    ck_assert_str_eq(diag.text, "SPIFFE ID must have 'spiffe' scheme");
}
END_TEST

START_TEST(a_part_one_byte_over_its_room_is_refused)
{
    char uri[CU_SPIFFE_URI_BYTES] = "spiffe://" TD "/ns/default/dc/dc1/svc/";
    struct cu_spiffe id;
    size_t len = strlen(uri);
    memset(uri + len, 'x', CU_SPIFFE_PART_BYTES - 1);
    ck_assert_int_eq(cu_spiffe_parse(uri, &id, NULL), CU_OK);
    uri[len + CU_SPIFFE_PART_BYTES - 1] = 'x';
    ck_assert_int_eq(cu_spiffe_parse(uri, &id, NULL), CU_E_TOO_LARGE);
}
END_TEST

START_TEST(what_is_formatted_is_read_again)
{
    struct cu_spiffe id = {
        .kind = CU_SPIFFE_SERVICE, .host = TD, .datacenter = "dc 1", .name = "a/b"};
    struct cu_spiffe again;
    char uri[CU_SPIFFE_URI_BYTES];
    ck_assert_int_eq(cu_spiffe_format(&id, uri), CU_OK);
    ck_assert_str_eq(uri, "spiffe://" TD "/ns/default/dc/dc%201/svc/a%2Fb");
    ck_assert_int_eq(cu_spiffe_parse(uri, &again, NULL), CU_OK);
    ck_assert_str_eq(again.datacenter, id.datacenter);
    ck_assert_str_eq(again.name, id.name);
}
END_TEST

static void check_name(const char *service, const char *ns, const char *wanted)
{
    struct cu_spiffe id = {.kind = CU_SPIFFE_SERVICE, .host = TD};
    char name[CU_COMMON_NAME_BYTES];
    (void)snprintf(id.name, sizeof id.name, "%s", service);
    (void)snprintf(id.ns, sizeof id.ns, "%s", ns);
    cu_spiffe_common_name(&id, name);
    ck_assert_str_eq(name, wanted);
}

#define C10 "abcdefghij"

START_TEST(common_names_are_clean_and_at_most_64_characters)
{
    char name[CU_COMMON_NAME_BYTES];
    check_name("web", "default", "web.svc.default.d504b93c.consul");
    check_name("We-B_1", "default", "web1.svc.default.d504b93c.consul");
    check_name(C10 C10 C10 C10 C10, "default", C10 C10 C10 "abcdef.svc.default.d504b93c.consul");
    check_name(C10 C10 C10, C10 C10 C10, C10 C10 "a.svc." C10 C10 "ab.d504b93c.consul");
    cu_ca_common_name("xwt8i1bo", "consul", TD, name);
    ck_assert_str_eq(name, "pri-xwt8i1bo.consul.ca.d504b93c.consul");
}
END_TEST

SUITE_MAIN("common/tls/spiffe", reads_the_three_kinds, escaped_parts_are_unescaped_each_for_itself,
           a_trust_domain_is_kept_as_written, refuses_what_is_none_with_the_reference_s_sentence,
           a_part_one_byte_over_its_room_is_refused, what_is_formatted_is_read_again,
           common_names_are_clean_and_at_most_64_characters)
