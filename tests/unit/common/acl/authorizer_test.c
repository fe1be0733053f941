#include "common/acl/authorizer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "tests/lib/suite.h"

enum { RIGHTS = 77, POLICIES_MAX = 4, ARENA_BYTES = 1024 * 1024 };

/* ---- examples ---- */

/* Of policies in HCL, up to the NULL. */
static struct cu_authorizer *made_of(bool is_allowed_by_default, const char *const *texts)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_rules policies[POLICIES_MAX];
    struct cu_diag diag = {0};
    size_t count = 0;
    for (; texts[count]; count++) {
        enum cu_err err = cu_rules_parse(cu_bytes_of(texts[count]), arena, &policies[count], &diag);
        ck_assert_msg(err == CU_OK, "%s", diag.text);
    }
    struct cu_authorizer *made = cu_authorizer_new(policies, count, is_allowed_by_default, RIGHTS);
    cu_arena_free(arena); /* it keeps nothing of what was given */
    return made;
}

#define DENYING(...)  made_of(false, (const char *const[]){__VA_ARGS__, NULL})
#define ALLOWING(...) made_of(true, (const char *const[]){__VA_ARGS__, NULL})

static bool may(const struct cu_authorizer *who, const char *resource, const char *access,
                const char *segment)
{
    enum cu_resource r = CU_RESOURCE_COUNT;
    enum cu_access a = CU_ACCESS_UNSET;
    ck_assert(cu_resource_find(resource, &r) && cu_access_find(access, &a));
    return cu_authorizer_may(who, r, a, cu_bytes_of(segment));
}

static bool may_write_below(const struct cu_authorizer *who, const char *prefix)
{
    return cu_authorizer_may_below(who, CU_RESOURCE_KEY, CU_ACCESS_WRITE, cu_bytes_of(prefix));
}

START_TEST(http_253_each_key_by_its_own_rule)
{
    struct cu_authorizer *who = DENYING("key_prefix \"foo/\" { policy = \"write\" }\n"
                                        "key \"foo/deny\" { policy = \"deny\" }\n"
                                        "key_prefix \"foo/ro/\" { policy = \"read\" }");
    ck_assert(may(who, "key", "write", "foo/x"));
    ck_assert(may(who, "key", "write", "foo/deny/x"));
    ck_assert(!may(who, "key", "write", "foo/deny"));
    ck_assert(!may(who, "key", "read", "foo/deny"));
    ck_assert(!may(who, "key", "write", "foo/ro/a"));
    ck_assert(may(who, "key", "read", "foo/ro/a"));
    ck_assert(!may(who, "key", "read", "foo"));
    ck_assert(!may(who, "node", "read", "foo/x"));
    ck_assert(!may_write_below(who, "foo/"));
    ck_assert(may_write_below(who, "foo/x"));
    ck_assert(!may_write_below(who, "foo/ro/"));
    ck_assert(!may_write_below(who, "foo/ro/a"));
    ck_assert(!may_write_below(who, ""));
    cu_authorizer_unref(who);
}
END_TEST

START_TEST(http_254_of_equal_rules_deny_stays_then_write_then_list)
{
    static const char *const words[] = {"read", "list", "write", "deny"}; /* the heaviest last */
    for (size_t a = 0; a < CU_COUNT(words); a++) {
        for (size_t b = 0; b < CU_COUNT(words); b++) {
            char first[100], second[100];
            const char *heavy = words[a > b ? a : b];
            (void)snprintf(first, sizeof first, "key \"k\" { policy = \"%s\" }", words[a]);
            (void)snprintf(second, sizeof second, "key \"k\" { policy = \"%s\" }", words[b]);
            struct cu_authorizer *who = DENYING(first, second);
            bool denies = strcmp(heavy, "deny") == 0, writes = strcmp(heavy, "write") == 0;
            ck_assert(may(who, "key", "read", "k") == !denies);
            ck_assert(may(who, "key", "list", "k") == (writes || strcmp(heavy, "list") == 0));
            ck_assert(may(who, "key", "write", "k") == writes);
            cu_authorizer_unref(who);
        }
    }
    struct cu_authorizer *who = DENYING("operator = \"read\"\nkeyring = \"deny\"",
                                        "operator = \"write\"\nkeyring = \"write\"");
    ck_assert(may(who, "operator", "write", ""));
    ck_assert(!may(who, "keyring", "read", ""));
    cu_authorizer_unref(who);
}
END_TEST

START_TEST(http_255_an_exact_rule_beats_prefixes_and_the_longest_prefix_the_others)
{
    struct cu_authorizer *who = DENYING("key \"a/b\" { policy = \"read\" }\n"
                                        "key_prefix \"a/b\" { policy = \"write\" }\n"
                                        "key_prefix \"a/\" { policy = \"list\" }\n"
                                        "key_prefix \"\" { policy = \"deny\" }");
    ck_assert(!may(who, "key", "write", "a/b"));
    ck_assert(may(who, "key", "read", "a/b"));
    ck_assert(may(who, "key", "write", "a/bc"));
    ck_assert(may(who, "key", "list", "a/a"));
    ck_assert(!may(who, "key", "write", "a/z"));
    ck_assert(!may(who, "key", "read", "a"));
    ck_assert(!may(who, "key", "read", ""));
    cu_authorizer_unref(who);
}
END_TEST

START_TEST(http_256_acl_is_never_granted_by_default)
{
    struct cu_authorizer *who = ALLOWING("");
    ck_assert(may(who, "key", "write", "x"));
    ck_assert(may(who, "operator", "write", ""));
    ck_assert(may_write_below(who, ""));
    ck_assert(!may(who, "acl", "read", ""));
    ck_assert(!may(who, "acl", "write", ""));
    ck_assert(!cu_authorizer_may_any(who, CU_RESOURCE_ACL, CU_ACCESS_READ));
    ck_assert(!cu_authorizer_may_all(who, CU_RESOURCE_ACL, CU_ACCESS_READ));
    ck_assert(!cu_authorizer_may_below(who, CU_RESOURCE_ACL, CU_ACCESS_READ, cu_bytes_of("")));
    cu_authorizer_unref(who);

    who = ALLOWING("acl = \"read\"\noperator = \"deny\"\nkey \"x\" { policy = \"deny\" }");
    ck_assert(may(who, "acl", "read", ""));
    ck_assert(!may(who, "acl", "write", ""));
    ck_assert(!may(who, "operator", "read", ""));
    ck_assert(!cu_authorizer_may_any(who, CU_RESOURCE_OPERATOR, CU_ACCESS_READ));
    ck_assert(!may(who, "key", "read", "x")); /* a deny does not fall through */
    ck_assert(may(who, "key", "read", "xx"));
    ck_assert(!may_write_below(who, ""));
    cu_authorizer_unref(who);
}
END_TEST

/* The rules that stand for an identity, http-api.md 4.5. */
START_TEST(http_258_a_service_identity_may_what_it_needs_and_nothing_else)
{
    struct cu_authorizer *who = DENYING("service \"web\" { policy = \"write\" }\n"
                                        "service \"web-sidecar-proxy\" { policy = \"write\" }\n"
                                        "service_prefix \"\" { policy = \"read\" }\n"
                                        "node_prefix \"\" { policy = \"read\" }");
    ck_assert(may(who, "service", "write", "web"));
    ck_assert(may(who, "service", "write", "web-sidecar-proxy"));
    ck_assert(!may(who, "service", "write", "web-other"));
    ck_assert(may(who, "service", "read", "db"));
    ck_assert(may(who, "node", "read", "n1"));
    ck_assert(!may(who, "node", "write", "n1"));
    ck_assert(may(who, "intention", "read", "web"));
    ck_assert(!may(who, "intention", "write", "web"));
    ck_assert(!may(who, "key", "read", "k"));
    ck_assert(!may(who, "session", "read", "n1"));
    ck_assert(!may(who, "operator", "read", ""));
    cu_authorizer_unref(who);
}
END_TEST

START_TEST(http_259_a_node_identity_may_register_its_node)
{
    struct cu_authorizer *who = DENYING("node \"n1\" { policy = \"write\" }\n"
                                        "service_prefix \"\" { policy = \"read\" }");
    ck_assert(may(who, "node", "write", "n1"));
    ck_assert(!may(who, "node", "read", "n2"));
    ck_assert(may(who, "service", "read", "web"));
    ck_assert(!may(who, "service", "write", "web"));
    cu_authorizer_unref(who);
}
END_TEST

START_TEST(http_275_an_agent_master_token_is_for_its_node)
{
    struct cu_authorizer *who = cu_authorizer_agent_master("n1");
    struct cu_authorizer *other = cu_authorizer_agent_master("n2");
    ck_assert(may(who, "agent", "write", "n1"));
    ck_assert(!may(who, "agent", "read", "n2"));
    ck_assert(!may(who, "agent", "read", "n11"));
    ck_assert(may(who, "node", "read", "n2"));
    ck_assert(!may(who, "node", "write", "n1"));
    ck_assert(!may(who, "key", "read", "x"));
    ck_assert(!may(who, "acl", "read", ""));
    ck_assert_uint_ne(cu_authorizer_rights(who), cu_authorizer_rights(other));
    cu_authorizer_unref(who);
    cu_authorizer_unref(other);
}
END_TEST

/* What is written for intentions in any policy wins over what follows from a service's rule, and
 * that follows from the merged rule. */
START_TEST(intentions_follow_from_the_service_where_nothing_is_written)
{
    struct cu_authorizer *who =
        DENYING("service \"w\" { policy = \"write\" }\n"
                "service \"r\" { policy = \"read\" }\n"
                "service \"d\" { policy = \"deny\" }\n"
                "service \"x\" { policy = \"deny\" }\n"
                "service \"y\" { policy = \"write\" }",
                "service \"x\" { policy = \"read\" intentions = \"write\" }\n"
                "service \"y\" { policy = \"deny\" }");
    ck_assert(may(who, "intention", "read", "w") && !may(who, "intention", "write", "w"));
    ck_assert(may(who, "intention", "read", "r"));
    ck_assert(!may(who, "intention", "read", "d"));
    ck_assert(may(who, "intention", "write", "x") && !may(who, "service", "read", "x"));
    ck_assert(!may(who, "intention", "read", "y"));
    cu_authorizer_unref(who);
}
END_TEST

START_TEST(intentions_of_star)
{
    static const struct {
        const char *rules;
        bool may_any, may_any_by_default, may_all, may_all_by_default;
    } cases[] = {
        {"", false, true, false, true},
        {"service_prefix \"\" { policy = \"deny\" intentions = \"write\" }", true, true, true,
         true},
        {"service_prefix \"\" { policy = \"write\" }", true, true, false, false},
        {"service_prefix \"\" { policy = \"deny\" }", false, false, false, false},
        {"service \"a\" { policy = \"deny\" }", false, true, false, false},
        {"service \"a\" { policy = \"write\" intentions = \"write\" }", true, true, false, true},
        {"service_prefix \"\" { policy = \"deny\" }\nservice \"a\" { policy = \"read\" }", true,
         true, false, false},
        {"service_prefix \"\" { policy = \"read\" intentions = \"write\" }\n"
         "service \"a\" { policy = \"read\" }",
         true, true, false, false},
        {"service \"\" { policy = \"deny\" }", false, true, false, false},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_authorizer *who = DENYING(cases[i].rules), *by_default = ALLOWING(cases[i].rules);
        enum cu_resource what = CU_RESOURCE_INTENTION;
        ck_assert(cu_authorizer_may_any(who, what, CU_ACCESS_READ) == cases[i].may_any);
        ck_assert(cu_authorizer_may_any(by_default, what, CU_ACCESS_READ) ==
                  cases[i].may_any_by_default);
        ck_assert(cu_authorizer_may_all(who, what, CU_ACCESS_WRITE) == cases[i].may_all);
        ck_assert(cu_authorizer_may_all(by_default, what, CU_ACCESS_WRITE) ==
                  cases[i].may_all_by_default);
        cu_authorizer_unref(who);
        cu_authorizer_unref(by_default);
    }
}
END_TEST

START_TEST(all_may_everything_and_none_may_nothing)
{
    struct cu_authorizer *all = cu_authorizer_all(), *none = cu_authorizer_none();
    for (enum cu_resource r = 0; r < CU_RESOURCE_COUNT; r++) {
        struct cu_bytes x = cu_bytes_of("x");
        ck_assert(cu_authorizer_may(all, r, CU_ACCESS_WRITE, x));
        ck_assert(cu_authorizer_may_below(all, r, CU_ACCESS_WRITE, x));
        ck_assert(cu_authorizer_may_any(all, r, CU_ACCESS_WRITE));
        ck_assert(cu_authorizer_may_all(all, r, CU_ACCESS_WRITE));
        ck_assert(!cu_authorizer_may(none, r, CU_ACCESS_READ, x));
        ck_assert(!cu_authorizer_may_below(none, r, CU_ACCESS_READ, x));
        ck_assert(!cu_authorizer_may_any(none, r, CU_ACCESS_READ));
        ck_assert(!cu_authorizer_may_all(none, r, CU_ACCESS_READ));
    }
    ck_assert_uint_eq(cu_authorizer_rights(all), CU_RIGHTS_ALL);
    ck_assert_uint_gt(cu_authorizer_rights(none), CU_RIGHTS_ALL);
    ck_assert_ptr_eq(cu_authorizer_ref(all), all);
    for (int i = 0; i < 3; i++) { /* more than were taken: it is nobody's */
        cu_authorizer_unref(all);
        cu_authorizer_unref(none);
    }
    ck_assert(
        cu_authorizer_may(cu_authorizer_all(), CU_RESOURCE_ACL, CU_ACCESS_WRITE, cu_bytes_of("")));
    cu_authorizer_unref(NULL);
}
END_TEST

/* ---- references ---- */

static void *hold_and_ask(void *arg)
{
    struct cu_authorizer *who = arg;
    for (int i = 0; i < 20000; i++) {
        struct cu_authorizer *held = cu_authorizer_ref(who);
        if (!may(held, "key", "write", "a/x"))
            return NULL;
        cu_authorizer_unref(held);
    }
    cu_authorizer_unref(who);
    return arg;
}

START_TEST(threads_share_one_and_the_last_frees_it)
{
    struct cu_authorizer *who = DENYING("key_prefix \"a/\" { policy = \"write\" }");
    pthread_t threads[3];
    ck_assert_uint_eq(cu_authorizer_rights(who), RIGHTS);
    for (size_t i = 0; i < CU_COUNT(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hold_and_ask, cu_authorizer_ref(who)),
                         0);
    cu_authorizer_unref(who);
    for (size_t i = 0; i < CU_COUNT(threads); i++) {
        void *held;
        ck_assert_int_eq(pthread_join(threads[i], &held), 0);
        ck_assert_ptr_eq(held, who);
    }
}
END_TEST

/* ---- a model ---- */

/* The rules as they were given, asked by looking at each (http-api.md 4.3). */
struct model {
    struct cu_rule rules[40];
    size_t count;
    bool is_allowed_by_default;
};

/* What the rules for this very resource, kind and segment come to. */
static enum cu_access merged(const struct model *m, enum cu_resource resource, bool is_prefix,
                             struct cu_bytes segment)
{
    enum cu_access access = CU_ACCESS_UNSET;
    for (size_t i = 0; i < m->count; i++) {
        const struct cu_rule *rule = &m->rules[i];
        if (rule->resource != resource || rule->is_prefix != is_prefix ||
            !cu_bytes_equal(rule->segment, segment) || access == CU_ACCESS_DENY)
            continue;
        if (rule->access == CU_ACCESS_DENY || rule->access > access)
            access = rule->access;
    }
    if (access != CU_ACCESS_UNSET || resource != CU_RESOURCE_INTENTION)
        return access;
    access = merged(m, CU_RESOURCE_SERVICE, is_prefix, segment);
    return access == CU_ACCESS_UNSET || access == CU_ACCESS_DENY ? access : CU_ACCESS_READ;
}

static bool grants(const struct model *m, enum cu_access rule, enum cu_access wanted)
{
    return rule == CU_ACCESS_UNSET ? m->is_allowed_by_default : rule >= wanted;
}

static enum cu_access longest_prefix(const struct model *m, enum cu_resource resource,
                                     struct cu_bytes segment)
{
    enum cu_access access = CU_ACCESS_UNSET;
    for (size_t len = segment.len + 1; len-- > 0 && access == CU_ACCESS_UNSET;)
        access = merged(m, resource, true, (struct cu_bytes){segment.data, len});
    return access;
}

static bool model_may(const struct model *m, enum cu_resource resource, enum cu_access wanted,
                      struct cu_bytes segment)
{
    enum cu_access access = merged(m, resource, false, segment);
    return grants(m, access ? access : longest_prefix(m, resource, segment), wanted);
}

/* The weakest or the strongest of the rules whose segments begin with the prefix. */
static enum cu_access extreme(const struct model *m, enum cu_resource resource,
                              struct cu_bytes prefix, bool is_weakest)
{
    enum cu_access found = CU_ACCESS_UNSET;
    for (size_t i = 0; i < m->count; i++) {
        const struct cu_rule *rule = &m->rules[i];
        if (!cu_bytes_has_prefix(rule->segment, prefix))
            continue;
        enum cu_access access = merged(m, resource, rule->is_prefix, rule->segment);
        if (access && (!found || (is_weakest ? access < found : access > found)))
            found = access;
    }
    return found;
}

static bool model_may_below(const struct model *m, enum cu_resource resource, enum cu_access wanted,
                            struct cu_bytes prefix)
{
    enum cu_access weakest = extreme(m, resource, prefix, true);
    return grants(m, longest_prefix(m, resource, prefix), wanted) &&
           (!weakest || weakest >= wanted);
}

static bool model_may_any(const struct model *m, enum cu_resource resource, enum cu_access wanted)
{
    struct cu_bytes root = {0};
    return extreme(m, resource, root, false) >= wanted ||
           grants(m, merged(m, resource, true, root), wanted);
}

/* Short names over few letters, so that one is often a prefix of another. */
static struct cu_bytes random_segment(struct cu_random *random)
{
    static const uint8_t letters[] = "aaaaaaaabaab/aaba/abbaaaaaaaaaaaaaabaabab\xff\x01\xff";
    size_t at = cu_random_below(random, sizeof letters - 1);
    size_t len = cu_random_below(random, 9);
    return (struct cu_bytes){letters + at, len < sizeof letters - 1 - at ? len : 0};
}

static const enum cu_resource modelled[] = {CU_RESOURCE_KEY, CU_RESOURCE_SERVICE,
                                            CU_RESOURCE_INTENTION};

static void fill(struct model *m, struct cu_random *random)
{
    static const enum cu_access accesses[] = {CU_ACCESS_READ,  CU_ACCESS_WRITE, CU_ACCESS_WRITE,
                                              CU_ACCESS_WRITE, CU_ACCESS_DENY,  CU_ACCESS_LIST};
    /* Few accesses in some runs, else hardly anything may ever be done below. */
    size_t kinds = 1 + cu_random_below(random, CU_COUNT(accesses));
    m->count = cu_random_below(random, CU_COUNT(m->rules) + 1);
    m->is_allowed_by_default = cu_random_below(random, 2);
    for (size_t i = 0; i < m->count; i++) {
        struct cu_rule *rule = &m->rules[i];
        rule->resource = modelled[cu_random_below(random, CU_COUNT(modelled))];
        rule->access = accesses[cu_random_below(random, kinds)];
        if (rule->resource != CU_RESOURCE_KEY && rule->access == CU_ACCESS_LIST)
            rule->access = CU_ACCESS_READ;
        rule->is_prefix = cu_random_below(random, 2);
        rule->segment = random_segment(random);
    }
}

static void compare(const struct model *m, const struct cu_authorizer *who,
                    struct cu_random *random, unsigned *yes, unsigned *no)
{
    for (unsigned i = 0; i < 100; i++) {
        enum cu_resource resource = modelled[cu_random_below(random, CU_COUNT(modelled))];
        enum cu_access access = CU_ACCESS_READ + (enum cu_access)cu_random_below(random, 3);
        struct cu_bytes s = random_segment(random);
        bool want = model_may(m, resource, access, s);
        bool want_below = model_may_below(m, resource, access, s);
        bool want_all = model_may_below(m, resource, access, (struct cu_bytes){0});
        bool is_same =
            cu_authorizer_may(who, resource, access, s) == want &&
            cu_authorizer_may_below(who, resource, access, s) == want_below &&
            cu_authorizer_may_any(who, resource, access) == model_may_any(m, resource, access) &&
            cu_authorizer_may_all(who, resource, access) == want_all;
        ck_assert_msg(is_same, "%s:%s of '%.*s'", cu_resource_name(resource),
                      cu_access_name(access), (int)s.len, (const char *)s.data);
        yes[0] += want;
        no[0] += !want;
        yes[1] += want_below;
        no[1] += !want_below;
    }
}

START_TEST(answers_as_looking_at_each_rule_does)
{
    struct cu_random random = {suite_seed()};
    unsigned yes[2] = {0}, no[2] = {0};
    for (unsigned run = 0; run < 500; run++) {
        struct model m;
        fill(&m, &random);
        size_t half = m.count / 2;
        struct cu_rules policies[] = {{m.rules, half}, {m.rules + half, m.count - half}};
        struct cu_authorizer *who =
            cu_authorizer_new(policies, CU_COUNT(policies), m.is_allowed_by_default, RIGHTS);
        compare(&m, who, &random, yes, no);
        cu_authorizer_unref(who);
    }
    for (int i = 0; i < 2; i++) { /* both answers were seen, and often */
        ck_assert_uint_gt(yes[i], 5000);
        ck_assert_uint_gt(no[i], 5000);
    }
}
END_TEST

/* Names that leave a chain of prefixes at every depth, each after all of it in order. */
START_TEST(a_deep_chain_of_prefixes_answers_at_every_depth)
{
    enum { DEPTH = 2048 };
    static char deep[DEPTH + 1], name[DEPTH + 2];
    static struct cu_rule rules[DEPTH];
    memset(deep, 'a', DEPTH);
    for (size_t i = 0; i < DEPTH; i++)
        rules[i] = (struct cu_rule){CU_RESOURCE_KEY,
                                    i % 2 ? CU_ACCESS_WRITE : CU_ACCESS_READ,
                                    true,
                                    {(const uint8_t *)deep, i}};
    struct cu_authorizer *who =
        cu_authorizer_new(&(struct cu_rules){rules, DEPTH}, 1, false, RIGHTS);
    memset(name, 'a', DEPTH);
    for (size_t len = 0; len < DEPTH; len++) {
        name[len] = 'b';
        bool may_write = cu_authorizer_may(who, CU_RESOURCE_KEY, CU_ACCESS_WRITE,
                                           (struct cu_bytes){(const uint8_t *)name, len + 1});
        ck_assert_msg(may_write == (len % 2 == 1), "at depth %zu", len);
        name[len] = 'a';
    }
    cu_authorizer_unref(who);
}
END_TEST

SUITE_MAIN("common/acl/authorizer", http_253_each_key_by_its_own_rule,
           http_254_of_equal_rules_deny_stays_then_write_then_list,
           http_255_an_exact_rule_beats_prefixes_and_the_longest_prefix_the_others,
           http_256_acl_is_never_granted_by_default,
           http_258_a_service_identity_may_what_it_needs_and_nothing_else,
           http_259_a_node_identity_may_register_its_node,
           http_275_an_agent_master_token_is_for_its_node,
           intentions_follow_from_the_service_where_nothing_is_written, intentions_of_star,
           all_may_everything_and_none_may_nothing, threads_share_one_and_the_last_frees_it,
           answers_as_looking_at_each_rule_does, a_deep_chain_of_prefixes_answers_at_every_depth)
