/* A mirror whose own token may see more, less or nothing any more. */
#include "common/view/sight.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/fake_catalog.h"
#include "tests/lib/fake_feed.h"
#include "tests/lib/suite.h"

static const char *const topics[] = {"nodes"};

static struct cu_loop *loop;
static struct cu_rpc *rpc;
static struct fake_feed *feed;
static struct cu_view *view;
static struct cu_mirror *mirror;
static struct cu_rights *rights;
static struct cu_sight *sight;

static void on_put(void *arg, const struct cu_mirror_row *row, const struct cu_mirror_row *before)
{
}

static void on_del(void *arg, const struct cu_mirror_row *row)
{
}

static void open_view(void)
{
    static char url[128];
    const char *list[] = {url};
    (void)snprintf(url, sizeof url, "ipc://%s/c.sock", suite_tmpdir());
    loop = cu_loop_new();
    feed = fake_feed_new(loop, url);
    feed->acl.tokens[0] = (struct fake_acl_token){.secret = "a", .rules = "", .rights = 50};
    feed->acl.tokens[1] = (struct fake_acl_token){.secret = "b", .rules = "", .rights = 60};
    fake_feed_put(feed, "nodes", "n1", "v", 1);
    rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = loop,
                                              .daemon = "dnsd",
                                              .node_id = "22222222-2222-2222-2222-222222222222",
                                              .node_name = "n2",
                                              .datacenter = "dc1"});
    view = cu_view_new(&(struct cu_view_options){.rpc = rpc,
                                                 .loop = loop,
                                                 .catalogs = list,
                                                 .catalog_count = 1,
                                                 .hold_ms = 300,
                                                 .kept_limit_bytes = 1024});
}

static void open_mirror(const char *token, bool is_enabled)
{
    mirror = cu_mirror_new(&(struct cu_mirror_options){.view = view,
                                                       .loop = loop,
                                                       .topics = topics,
                                                       .topic_count = 1,
                                                       .token = token,
                                                       .put = on_put,
                                                       .del = on_del});
    rights = cu_rights_new(
        &(struct cu_rights_options){.view = view, .loop = loop, .is_enabled = is_enabled});
    sight = cu_sight_new(rights, loop, mirror, token);
    FAKE_WAIT(loop, cu_mirror_is_live(mirror));
}

static void close_all(void)
{
    cu_sight_free(sight);
    cu_mirror_free(mirror);
    cu_rights_free(rights);
    cu_view_free(view);
    cu_rpc_free(rpc);
    fake_feed_free(feed);
    cu_loop_free(loop);
}

START_TEST(what_it_may_see_has_changed_and_it_is_filled_anew)
{
    open_view();
    open_mirror("a", true);
    FAKE_WAIT(loop, feed->acl.asked >= 2); /* looked at again, and it is the same */
    ck_assert_uint_eq(feed->pages, 1);
    feed->acl.tokens[0].rights = 51;
    FAKE_WAIT(loop, feed->pages == 2);
    FAKE_WAIT(loop, cu_mirror_is_live(mirror));
    ck_assert_ptr_nonnull(cu_mirror_get(mirror, 0, cu_bytes_of("n1")));
    close_all();
}
END_TEST

START_TEST(a_token_that_is_no_more_may_see_nothing)
{
    open_view();
    open_mirror("a", true);
    FAKE_WAIT(loop, feed->acl.asked >= 1);
    ck_assert(!cu_mirror_is_denied(mirror));
    feed->acl.tokens[0].secret = NULL;
    feed->fail_with = CU_E_DENIED;
    FAKE_WAIT(loop, cu_mirror_is_denied(mirror));
    ck_assert(!cu_mirror_is_live(mirror));
    feed->acl.tokens[0].secret = "a";
    feed->fail_with = CU_OK;
    FAKE_WAIT(loop, cu_mirror_is_live(mirror));
    ck_assert(!cu_mirror_is_denied(mirror));
    close_all();
}
END_TEST

START_TEST(another_token_sees_for_itself)
{
    open_view();
    open_mirror("a", true);
    FAKE_WAIT(loop, feed->acl.asked >= 1);
    cu_sight_set_token(sight, "a"); /* the same */
    ck_assert(cu_mirror_is_live(mirror));
    cu_sight_set_token(sight, "b");
    ck_assert(!cu_mirror_is_live(mirror));
    ck_assert(cu_mirror_is_filled(mirror)); /* what it has serves on */
    FAKE_WAIT(loop, cu_mirror_is_live(mirror));
    ck_assert_uint_eq(feed->pages, 2);
    close_all();
}
END_TEST

START_TEST(nobody_can_say_is_no_news)
{
    open_view();
    open_mirror("a", true);
    FAKE_WAIT(loop, feed->acl.asked >= 1);
    unsigned asked = feed->acl.asked;
    feed->acl.fail_with = CU_E_NO_LEADER;
    FAKE_WAIT(loop, feed->acl.asked >= asked + 2);
    ck_assert_uint_eq(feed->pages, 1);
    close_all();
}
END_TEST

START_TEST(without_acls_nobody_is_asked)
{
    open_view();
    open_mirror(NULL, false);
    for (int i = 0; i < 20; i++)
        fake_turn(loop);
    ck_assert_uint_eq(feed->acl.asked, 0);
    close_all();
}
END_TEST

SUITE_MAIN("common/view/sight", what_it_may_see_has_changed_and_it_is_filled_anew,
           a_token_that_is_no_more_may_see_nothing, another_token_sees_for_itself,
           nobody_can_say_is_no_news, without_acls_nobody_is_asked)
