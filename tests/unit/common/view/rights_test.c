/* What a token may do, as an edge learns and keeps it (http-api.md 4.2), from a catalogd that
 * behaves. */
#include "common/view/rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/common/view/fixture.h"

#define WEB_WRITE "service \"web\" { policy = \"write\" }"
#define WEB_READ  "service \"web\" { policy = \"read\" }"

static struct cu_rights *rights;
static struct fake_acl *acl;

/* A question and what came of it. */
struct verdict {
    struct cu_rights_ask ask;
    unsigned answers;
    enum cu_err err;
    char text[64], accessor[64];
    bool may_write_web, may_read_node;
    struct verdict *then; /* asked from within, with the same token */
};

static void ask(struct verdict *v, const char *token);

static void heard(void *arg, enum cu_err err, const char *text, struct cu_authorizer *authorizer,
                  const char *accessor)
{
    struct verdict *v = arg;
    v->answers++;
    v->err = err;
    (void)snprintf(v->text, sizeof v->text, "%s", text);
    (void)snprintf(v->accessor, sizeof v->accessor, "%s", accessor);
    ck_assert_int_eq(!err, authorizer != NULL);
    if (authorizer) {
        v->may_write_web = cu_authorizer_permits(authorizer, SERVICE_WRITE, cu_bytes_of("web"));
        v->may_read_node = cu_authorizer_permits(authorizer, NODE_READ, cu_bytes_of("n"));
    }
    if (v->then)
        ask(v->then, v->ask.token);
}

static void ask(struct verdict *v, const char *token)
{
    struct verdict *then = v->then;
    *v = (struct verdict){.ask = {.token = token, .done = heard, .arg = v}, .then = then};
    cu_rights_ask(rights, &v->ask);
}

static void ask_and_wait(struct verdict *v, const char *token)
{
    ask(v, token);
    FAKE_WAIT(loop, v->answers);
    ck_assert_uint_eq(v->answers, 1);
}

static struct cu_rights_options with(enum cu_down_policy policy, uint64_t ttl_ms)
{
    return (struct cu_rights_options){.view = view,
                                      .loop = loop,
                                      .is_enabled = true,
                                      .down_policy = policy,
                                      .token_ttl_ms = ttl_ms,
                                      .node = "n2",
                                      .agent_master = "master"};
}

static void open_rights(enum cu_down_policy policy, uint64_t ttl_ms)
{
    open_view(1);
    up();
    struct cu_rights_options options = with(policy, ttl_ms);
    rights = cu_rights_new(&options);
    acl = &fakes[0]->acl;
    acl->tokens[0] = (struct fake_acl_token){.secret = "good", .rules = WEB_WRITE, .rights = 70};
    acl->tokens[1] = (struct fake_acl_token){.secret = "weak", .rules = WEB_READ, .rights = 71};
    acl->tokens[2] = (struct fake_acl_token){.secret = "", .rules = "", .rights = 72};
}

static void close_rights(void)
{
    cu_rights_free(rights);
    close_view();
}

/* ---- what a token may ---- */

START_TEST(tells_what_a_token_may_http_api_4_2)
{
    struct verdict good = {0}, weak = {0}, none = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, LONG_MS);
    ask_and_wait(&good, "good");
    ask_and_wait(&weak, "weak");
    ask_and_wait(&none, NULL);
    ck_assert_int_eq(good.err, CU_OK);
    ck_assert_str_eq(good.accessor, "accessor-good");
    ck_assert(good.may_write_web);
    ck_assert_int_eq(weak.err, CU_OK);
    ck_assert(!weak.may_write_web);
    ck_assert_int_eq(none.err, CU_OK);
    ck_assert(!none.may_write_web);
    close_rights();
}
END_TEST

START_TEST(what_no_rule_names_the_default_decides_http_api_4_2)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, LONG_MS);
    ask_and_wait(&v, "weak");
    ck_assert(!v.may_read_node);
    cu_rights_free(rights);
    struct cu_rights_options options = with(CU_DOWN_EXTEND_CACHE, LONG_MS);
    options.is_allowed_by_default = true;
    rights = cu_rights_new(&options);
    ask_and_wait(&v, "weak");
    ck_assert(v.may_read_node);
    ck_assert(!v.may_write_web); /* a rule names it */
    close_rights();
}
END_TEST

START_TEST(with_acls_off_everybody_may_everything_and_nobody_is_asked)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_DENY, LONG_MS);
    cu_rights_free(rights);
    struct cu_rights_options options = with(CU_DOWN_DENY, LONG_MS);
    options.is_enabled = false;
    rights = cu_rights_new(&options);
    ask(&v, "nobody knows this one");
    ck_assert_uint_eq(v.answers, 1); /* at once */
    ck_assert_int_eq(v.err, CU_OK);
    ck_assert(v.may_write_web && v.may_read_node);
    ck_assert_uint_eq(acl->asked, 0);
    close_rights();
}
END_TEST

START_TEST(an_unknown_token_is_not_found_and_that_is_kept_http_api_4_2)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, LONG_MS);
    for (int i = 0; i < 3; i++) {
        ask_and_wait(&v, "unknown");
        ck_assert_int_eq(v.err, CU_E_DENIED);
        ck_assert_str_eq(v.text, "ACL not found");
    }
    ck_assert_uint_eq(acl->asked, 1);
    close_rights();
}
END_TEST

START_TEST(a_name_of_the_root_is_refused_unasked_http_api_4_2)
{
    static const char *const names[] = {"allow", "deny", "manage"};
    struct verdict v = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, LONG_MS);
    for (size_t i = 0; i < CU_COUNT(names); i++) {
        ask(&v, names[i]);
        ck_assert_uint_eq(v.answers, 1);
        ck_assert_int_eq(v.err, CU_E_INTERNAL);
        ck_assert_str_eq(v.text, "Cannot resolve root ACL");
    }
    ck_assert_uint_eq(acl->asked, 0);
    close_rights();
}
END_TEST

START_TEST(the_agents_master_token_is_good_without_servers_http_api_4_2)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_DENY, LONG_MS);
    fake_catalog_stop(fakes[0]);
    ask(&v, "master");
    ck_assert_uint_eq(v.answers, 1);
    ck_assert(v.may_read_node && !v.may_write_web);
    cu_rights_set_agent_master(rights, "another");
    ask(&v, "another");
    ck_assert(v.answers == 1 && v.may_read_node);
    ask_and_wait(&v, "master"); /* nobody's now, and nobody can say so */
    ck_assert(!v.may_read_node);
    cu_rights_set_agent_master(rights, NULL);
    ask_and_wait(&v, "another");
    ck_assert(!v.may_read_node);
    close_rights();
}
END_TEST

/* ---- asking and keeping ---- */

START_TEST(equal_tokens_share_one_question)
{
    struct verdict all[5] = {0}, other = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, LONG_MS);
    acl->holds = true;
    for (size_t i = 0; i < CU_COUNT(all); i++) {
        ask(&all[i], "good");
    }
    ask(&other, "weak");
    FAKE_WAIT(loop, acl->held_count == 2);
    cu_rights_cancel(&all[2].ask);
    fake_acl_let_go(acl);
    FAKE_WAIT(loop, all[0].answers && all[4].answers && other.answers);
    for (size_t i = 0; i < CU_COUNT(all); i++)
        ck_assert_uint_eq(all[i].answers, i != 2);
    ck_assert_uint_eq(acl->asked, 2);
    ask(&all[2], "good");
    ck_assert_uint_eq(all[2].answers, 1); /* at once: it is kept */
    cu_rights_cancel(&all[2].ask);        /* does nothing */
    close_rights();
}
END_TEST

START_TEST(a_token_is_asked_about_again_after_its_ttl_and_only_what_changed_is_sent)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, 0);
    ask_and_wait(&v, "good");
    ask_and_wait(&v, "good");
    ck_assert_uint_eq(acl->asked, 2);
    ck_assert_uint_eq(acl->unchanged, 1);
    ck_assert(v.may_write_web);
    acl->tokens[0].rules = WEB_READ;
    acl->tokens[0].rights = 73;
    ask_and_wait(&v, "good");
    ck_assert(!v.may_write_web);
    acl->tokens[0].secret = NULL;
    ask_and_wait(&v, "good");
    ck_assert_int_eq(v.err, CU_E_DENIED);
    acl->tokens[0].secret = "good"; /* and comes back */
    ask_and_wait(&v, "good");
    ck_assert_int_eq(v.err, CU_OK);
    close_rights();
}
END_TEST

START_TEST(an_expired_token_is_not_found_though_its_answer_is_fresh_http_api_4_2)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, LONG_MS);
    acl->tokens[0].expiration_time_ms = cu_wall_ms() + 60000;
    acl->tokens[1].expiration_time_ms = cu_wall_ms() - 1;
    ask_and_wait(&v, "good");
    ck_assert_int_eq(v.err, CU_OK);
    ask_and_wait(&v, "weak");
    ck_assert_int_eq(v.err, CU_E_DENIED);
    ck_assert_str_eq(v.text, "ACL not found");
    close_rights();
}
END_TEST

START_TEST(who_asks_from_within_an_answer_gets_one_of_its_own)
{
    struct verdict first = {0}, second = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, 0);
    first.then = &second;
    ask(&first, "good");
    FAKE_WAIT(loop, first.answers && second.answers);
    ck_assert_uint_eq(acl->asked, 2);
    close_rights();
}
END_TEST

START_TEST(who_still_asks_as_it_ends_is_told_nothing)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, LONG_MS);
    acl->holds = true;
    ask(&v, "good");
    FAKE_WAIT(loop, acl->held_count == 1);
    cu_rights_free(rights);
    rights = NULL;
    ck_assert_uint_eq(v.answers, 0);
    cu_rights_cancel(&v.ask); /* touches nothing of it */
    close_rights();
}
END_TEST

START_TEST(keeps_so_many_tokens_and_drops_the_one_used_longest_ago)
{
    struct verdict v = {0};
    char token[32];
    open_rights(CU_DOWN_EXTEND_CACHE, LONG_MS);
    ask_and_wait(&v, "good");
    ask_and_wait(&v, "weak");
    for (int i = 0; i < CU_RIGHTS_TOKENS_MAX - 2; i++) {
        (void)snprintf(token, sizeof token, "unknown-%d", i);
        ask_and_wait(&v, token);
    }
    ck_assert_uint_eq(acl->asked, CU_RIGHTS_TOKENS_MAX);
    ask_and_wait(&v, "good"); /* at the limit all are there */
    ck_assert_uint_eq(acl->asked, CU_RIGHTS_TOKENS_MAX);
    ask_and_wait(&v, "one more"); /* limit + 1: "weak" has to go */
    ask_and_wait(&v, "good");
    ck_assert_uint_eq(acl->asked, CU_RIGHTS_TOKENS_MAX + 1);
    ask_and_wait(&v, "weak");
    ck_assert_uint_eq(acl->asked, CU_RIGHTS_TOKENS_MAX + 2);
    close_rights();
}
END_TEST

START_TEST(when_all_wait_for_an_answer_one_more_is_decided_by_the_down_policy)
{
    struct verdict *all = calloc(CU_RIGHTS_TOKENS_MAX, sizeof *all), more = {0};
    char tokens[CU_RIGHTS_TOKENS_MAX][16];
    open_rights(CU_DOWN_DENY, LONG_MS);
    fake_catalog_stop(fakes[0]); /* the questions are held */
    FAKE_WAIT(loop, !cu_view_is_up(view));
    for (int i = 0; i < CU_RIGHTS_TOKENS_MAX; i++) {
        (void)snprintf(tokens[i], sizeof tokens[i], "t%d", i);
        ask(&all[i], tokens[i]);
    }
    ask(&more, "more");
    ck_assert_uint_eq(more.answers, 1);
    ck_assert(!more.may_write_web);
    ck_assert_uint_eq(all[0].answers, 0);
    cu_rights_free(rights);
    rights = NULL;
    close_rights();
    free(all);
}
END_TEST

START_TEST(a_token_of_too_many_bytes_is_nobodys)
{
    char token[CU_RIGHTS_TOKEN_BYTES_MAX + 2];
    struct verdict v = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, LONG_MS);
    memset(token, 'x', sizeof token);
    token[CU_RIGHTS_TOKEN_BYTES_MAX + 1] = 0;
    ask(&v, token);
    ck_assert_uint_eq(v.answers, 1);
    ck_assert_int_eq(v.err, CU_E_DENIED);
    ck_assert_uint_eq(acl->asked, 0);
    token[CU_RIGHTS_TOKEN_BYTES_MAX] = 0;
    ask_and_wait(&v, token);
    ck_assert_uint_eq(acl->asked, 1);
    close_rights();
}
END_TEST

/* ---- nobody can say (http-api.md 4.2 rule 4) ---- */

struct down {
    enum cu_down_policy policy;
    bool kept_may,
        unkept_may; /* write web: a token that was asked about before; one that was not */
};

/* clang-format off */
static const struct down downs[] = {
    {CU_DOWN_EXTEND_CACHE, true,  false},
    {CU_DOWN_ASYNC_CACHE,  true,  false},
    {CU_DOWN_ALLOW,        true,  true},
    {CU_DOWN_DENY,         false, false},
};
/* clang-format on */

START_TEST(without_a_catalogd_the_down_policy_answers_http_api_4_2)
{
    for (size_t i = 0; i < CU_COUNT(downs); i++) {
        struct verdict v = {0};
        open_rights(downs[i].policy, 0);
        ask_and_wait(&v, "good");
        acl->fail_with = CU_E_NO_LEADER;
        ask_and_wait(&v, "good");
        ck_assert_int_eq(v.err, CU_OK);
        ck_assert_int_eq(v.may_write_web, downs[i].kept_may);
        ask_and_wait(&v, "unseen");
        ck_assert_int_eq(v.err, CU_OK);
        ck_assert_int_eq(v.may_write_web, downs[i].unkept_may);
        close_rights();
    }
}
END_TEST

START_TEST(a_denial_that_is_not_of_the_token_is_no_verdict_on_it)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, 0);
    ask_and_wait(&v, "good");
    acl->fail_with = CU_E_DENIED; /* "as told" */
    ask_and_wait(&v, "good");
    ck_assert_int_eq(v.err, CU_OK);
    ck_assert(v.may_write_web);
    close_rights();
}
END_TEST

START_TEST(async_cache_answers_at_once_and_learns_meanwhile_http_api_4_2)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_ASYNC_CACHE, 0);
    ask_and_wait(&v, "good");
    acl->tokens[0].rules = WEB_READ;
    acl->tokens[0].rights = 73;
    ask(&v, "good");
    ck_assert_uint_eq(v.answers, 1);
    ck_assert(v.may_write_web); /* what it was */
    FAKE_WAIT(loop, (ask(&v, "good"), !v.may_write_web));
    close_rights();
}
END_TEST

START_TEST(rules_that_do_not_parse_grant_nothing)
{
    struct verdict v = {0};
    open_rights(CU_DOWN_EXTEND_CACHE, 0);
    acl->tokens[0].rules = "service \"web\" {";
    ask_and_wait(&v, "good");
    ck_assert_int_eq(v.err, CU_OK);
    ck_assert(!v.may_write_web);
    close_rights();
}
END_TEST

START_TEST(finds_a_down_policy_by_its_words)
{
    enum cu_down_policy policy = CU_DOWN_POLICY_COUNT;
    ck_assert(cu_down_policy_find("extend-cache", &policy) && policy == CU_DOWN_EXTEND_CACHE);
    ck_assert(cu_down_policy_find("async-cache", &policy) && policy == CU_DOWN_ASYNC_CACHE);
    ck_assert(cu_down_policy_find("allow", &policy) && policy == CU_DOWN_ALLOW);
    ck_assert(cu_down_policy_find("deny", &policy) && policy == CU_DOWN_DENY);
    ck_assert(!cu_down_policy_find("Allow", &policy));
    ck_assert(!cu_down_policy_find("", &policy));
}
END_TEST

SUITE_MAIN("common/view/rights", tells_what_a_token_may_http_api_4_2,
           what_no_rule_names_the_default_decides_http_api_4_2,
           with_acls_off_everybody_may_everything_and_nobody_is_asked,
           an_unknown_token_is_not_found_and_that_is_kept_http_api_4_2,
           a_name_of_the_root_is_refused_unasked_http_api_4_2,
           the_agents_master_token_is_good_without_servers_http_api_4_2,
           equal_tokens_share_one_question,
           a_token_is_asked_about_again_after_its_ttl_and_only_what_changed_is_sent,
           an_expired_token_is_not_found_though_its_answer_is_fresh_http_api_4_2,
           who_asks_from_within_an_answer_gets_one_of_its_own,
           who_still_asks_as_it_ends_is_told_nothing,
           keeps_so_many_tokens_and_drops_the_one_used_longest_ago,
           when_all_wait_for_an_answer_one_more_is_decided_by_the_down_policy,
           a_token_of_too_many_bytes_is_nobodys,
           without_a_catalogd_the_down_policy_answers_http_api_4_2,
           a_denial_that_is_not_of_the_token_is_no_verdict_on_it,
           async_cache_answers_at_once_and_learns_meanwhile_http_api_4_2,
           rules_that_do_not_parse_grant_nothing, finds_a_down_policy_by_its_words)
