/* Permissions of an intention's source: the sentences of mesh.md 3.2. */
#include "services/catalogd/core/permission.h"

#include <stdio.h>
#include <string.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

enum { ARENA_BYTES = 64 * 1024 };

/* One request, in the test's words; what is not named is not asked for. */
struct asked {
    const char *exact, *prefix, *regex;
    const char *methods[3];
    const char *header, *value; /* exact */
    bool present;
};

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)(borrowed ? borrowed : "");
}

static const char *refusal_of(const struct asked *asked, const char *action)
{
    static char sentence[600], methods[3][16];
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    Curia__V1__IntentionHttp http = CURIA__V1__INTENTION_HTTP__INIT;
    Curia__V1__IntentionHeader header = CURIA__V1__INTENTION_HEADER__INIT, *headers[] = {&header};
    Curia__V1__IntentionPermission one = CURIA__V1__INTENTION_PERMISSION__INIT, *all[] = {&one};
    Curia__V1__SourceIntention source = CURIA__V1__SOURCE_INTENTION__INIT;
    char *names[3];
    http.path_exact = text(asked->exact);
    http.path_prefix = text(asked->prefix);
    http.path_regex = text(asked->regex);
    http.methods = names;
    for (; http.n_methods < 3 && asked->methods[http.n_methods]; http.n_methods++)
        names[http.n_methods] = strcpy(methods[http.n_methods], asked->methods[http.n_methods]);
    header.name = text(asked->header);
    header.exact = text(asked->value);
    header.present = asked->present;
    http.header = headers;
    http.n_header = asked->header != NULL;
    one.action = text(action);
    one.http = &http;
    source.permissions = all;
    source.n_permissions = 1;
    const char *got = catalog_permissions_refusal(arena, "web", 3, &source);
    (void)snprintf(sentence, sizeof sentence, "%s", got ? got : "");
    cu_arena_free(arena);
    return sentence;
}

START_TEST(a_request_is_described_as_the_reference_takes_it)
{
#define AT "Sources[3].Permissions[0].HTTP"
    static const struct {
        struct asked asked;
        const char *want;
    } cases[] = {
        {{.exact = "/a"}, ""},
        {{.prefix = "/"}, ""},
        {{.regex = "a.*"}, ""},
        {{.methods = {"get", "POST"}}, ""},
        {{.header = "x-a", .value = "1"}, ""},
        {{.header = "x-a", .present = true}, ""},
        {{.exact = ""}, AT " should not be empty"},
        {{.exact = "/a", .prefix = "/"},
         AT " should only contain at most one of PathExact, PathPrefix, or PathRegex"},
        {{.exact = "a"}, AT ".PathExact doesn't start with '/': \"a\""},
        {{.prefix = "b"}, AT ".PathPrefix doesn't start with '/': \"b\""},
        {{.header = "", .value = "1"}, AT ".Header[0] missing required Name field"},
        {{.header = "x-a"},
         AT ".Header[0] should only contain one of Present, Exact, Prefix, Suffix, or Regex"},
        {{.header = "x-a", .value = "1", .present = true},
         AT ".Header[0] should only contain one of Present, Exact, Prefix, Suffix, or Regex"},
        {{.methods = {"GET", "get"}}, AT ".Methods contains \"GET\" more than once"},
        {{.methods = {"fetch"}}, AT ".Methods contains an invalid method \"FETCH\""},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++)
        ck_assert_str_eq(refusal_of(&cases[i].asked, "allow"), cases[i].want);
    ck_assert_str_eq(refusal_of(&cases[0].asked, "maybe"),
                     "Sources[3].Permissions[0].Action must be set to 'allow' or 'deny'");
}
END_TEST

static const char *of_source(const char *destination, Curia__V1__SourceIntention source)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    static char sentence[600];
    const char *got = catalog_permissions_refusal(arena, destination, 0, &source);
    (void)snprintf(sentence, sizeof sentence, "%s", got ? got : "");
    cu_arena_free(arena);
    return sentence;
}

START_TEST(a_source_has_permissions_or_an_action_and_not_too_many)
{
    static Curia__V1__IntentionPermission *many[CATALOG_PERMISSIONS_MAX + 1];
    Curia__V1__IntentionPermission one = CURIA__V1__INTENTION_PERMISSION__INIT;
    Curia__V1__IntentionHttp http = CURIA__V1__INTENTION_HTTP__INIT;
    Curia__V1__SourceIntention source = CURIA__V1__SOURCE_INTENTION__INIT;
    for (size_t i = 0; i < CU_COUNT(many); i++)
        many[i] = &one;
    one.action = text("deny");
    source.permissions = many;
    source.n_permissions = 1;
    ck_assert_str_eq(of_source("web", source), "Sources[0].Permissions[0].HTTP is required");
    one.http = &http;
    http.path_prefix = text("/");
    ck_assert_str_eq(of_source("*", source), "Sources[0].Permissions cannot be specified on "
                                             "intentions with wildcarded destinations");
    source.n_permissions = CATALOG_PERMISSIONS_MAX;
    ck_assert_str_eq(of_source("web", source), "");
    source.n_permissions++;
    ck_assert_str_eq(of_source("web", source), "too many permissions of one source");
    source.action = text("allow");
    ck_assert_str_eq(of_source("web", source),
                     "Sources[0].Action must be omitted if Permissions are specified");
}
END_TEST

SUITE_MAIN("services/catalogd/core/permission", a_request_is_described_as_the_reference_takes_it,
           a_source_has_permissions_or_an_action_and_not_too_many)
