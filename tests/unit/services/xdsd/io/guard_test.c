/* The token of an open stream, before a catalogd that behaves (mesh.md 6.2, 103). */
#include "services/xdsd/io/guard.h"

#include <stdio.h>

#include "common/view/view.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/suite.h"

#define WEB_WRITE "service \"web\" { policy = \"write\" }"

static struct cu_loop *loop;
static struct cu_rpc *rpc;
static struct fake_catalog *fake;
static struct cu_view *view;
static struct cu_rights *rights;
static struct xds_guard guard;
static unsigned verdicts;
static enum xds_verdict last;

static void on_verdict(void *arg, enum xds_verdict verdict)
{
    verdicts++;
    last = verdict;
    if (verdict != XDS_MAY)
        xds_guard_close(&guard); /* as a stream that ends does */
}

static void open_guard(const char *token, uint64_t ttl_ms, bool is_enabled)
{
    static char url[128];
    const char *list[] = {url};
    (void)snprintf(url, sizeof url, "ipc://%s/c.sock", suite_tmpdir());
    loop = cu_loop_new();
    fake = fake_catalog_new(loop, url);
    fake->acl.tokens[0] =
        (struct fake_acl_token){.secret = "good", .rules = WEB_WRITE, .rights = 70};
    rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = loop,
                                              .daemon = "xdsd",
                                              .node_id = "22222222-2222-2222-2222-222222222222",
                                              .node_name = "n2",
                                              .datacenter = "dc1"});
    view = cu_view_new(&(struct cu_view_options){.rpc = rpc,
                                                 .loop = loop,
                                                 .catalogs = list,
                                                 .catalog_count = 1,
                                                 .hold_ms = 400,
                                                 .kept_limit_bytes = 1024});
    FAKE_WAIT(loop, cu_view_is_up(view));
    rights = cu_rights_new(&(struct cu_rights_options){
        .view = view, .loop = loop, .is_enabled = is_enabled, .token_ttl_ms = ttl_ms});
    guard = (struct xds_guard){.done = on_verdict};
    xds_guard_open(&guard, rights, loop, cu_bytes_of(token));
}

static void close_guard(void)
{
    xds_guard_close(&guard);
    cu_rights_free(rights);
    cu_view_free(view);
    cu_rpc_free(rpc);
    fake_catalog_free(fake);
    cu_loop_free(loop);
}

START_TEST(a_token_that_vanishes_is_told_by_itself)
{
    open_guard("good", 1, true);
    xds_guard_check(&guard, "web");
    FAKE_WAIT(loop, verdicts == 1);
    ck_assert_int_eq(last, XDS_MAY);
    FAKE_WAIT(loop, verdicts == 2); /* without being asked for */
    ck_assert_int_eq(last, XDS_MAY);
    fake->acl.tokens[0].secret = NULL;
    FAKE_WAIT(loop, last != XDS_MAY);
    ck_assert_int_eq(last, XDS_UNKNOWN_TOKEN);
    close_guard();
}
END_TEST

START_TEST(a_right_that_is_taken_away_is_told_by_itself)
{
    open_guard("good", 1, true);
    xds_guard_check(&guard, "web");
    FAKE_WAIT(loop, verdicts == 1);
    fake->acl.tokens[0].rules = "";
    fake->acl.tokens[0].rights = 71;
    FAKE_WAIT(loop, last != XDS_MAY);
    ck_assert_int_eq(last, XDS_LACKS_RIGHT);
    close_guard();
}
END_TEST

START_TEST(two_checks_at_once_are_one_for_the_later_service)
{
    open_guard("good", 60000, true);
    fake->acl.holds = true;
    xds_guard_check(&guard, "web");
    FAKE_WAIT(loop, fake->acl.held_count == 1);
    xds_guard_check(&guard, "db");
    fake_acl_let_go(&fake->acl);
    FAKE_WAIT(loop, verdicts == 1);
    ck_assert_int_eq(last, XDS_LACKS_RIGHT);
    ck_assert_uint_eq(fake->acl.asked, 1);
    close_guard();
}
END_TEST

START_TEST(a_guard_that_is_closed_is_told_nothing)
{
    open_guard("good", 60000, true);
    fake->acl.holds = true;
    xds_guard_check(&guard, "web");
    FAKE_WAIT(loop, fake->acl.held_count == 1);
    xds_guard_close(&guard);
    fake_acl_let_go(&fake->acl);
    for (int i = 0; i < 20; i++)
        fake_turn(loop);
    ck_assert_uint_eq(verdicts, 0);
    close_guard();
}
END_TEST

START_TEST(without_acls_everybody_may_and_nobody_is_asked_again)
{
    open_guard("whatever", 1, false);
    xds_guard_check(&guard, "web");
    ck_assert_uint_eq(verdicts, 1);
    ck_assert_int_eq(last, XDS_MAY);
    ck_assert(!cu_timer_is_set(&guard.recheck));
    ck_assert_uint_eq(fake->acl.asked, 0);
    close_guard();
}
END_TEST

SUITE_MAIN("services/xdsd/io/guard", a_token_that_vanishes_is_told_by_itself,
           a_right_that_is_taken_away_is_told_by_itself,
           two_checks_at_once_are_one_for_the_later_service, a_guard_that_is_closed_is_told_nothing,
           without_acls_everybody_may_and_nobody_is_asked_again)
