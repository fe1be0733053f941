/* A mirror beside catalogds that behave, come and go; and its file (contracts 6.3, 7.6). */
#include "common/view/mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/assert.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/fake_feed.h"
#include "tests/lib/suite.h"

enum { HOLD_MS = 300, SAVE_MS = 20 };

static const char *const topics[] = {"nodes", "services"};

static struct cu_loop *loop;
static struct cu_rpc *rpc;
static struct fake_feed *feeds[2];
static struct cu_view *view;
static struct cu_mirror *mirror;
static char path[256];
static unsigned put_count, del_count, moves;

static void on_put(void *arg, const struct cu_mirror_row *row, const struct cu_mirror_row *before)
{
    put_count++;
    if (before)
        ck_assert(cu_bytes_equal(row->key, before->key));
}

static void on_del(void *arg, const struct cu_mirror_row *row)
{
    ck_assert_ptr_null(cu_mirror_get(mirror, row->topic, row->key));
    del_count++;
}

static void on_moved(void *arg)
{
    moves++;
}

static void open_mirror(void)
{
    put_count = del_count = 0;
    mirror = cu_mirror_new(&(struct cu_mirror_options){
        .view = view,
        .loop = loop,
        .topics = topics,
        .topic_count = CU_COUNT(topics),
        .path = path,
        .save_ms = SAVE_MS,
        .put = on_put,
        .del = on_del,
        .moved = on_moved,
    });
}

static void open_view(size_t catalogs)
{
    char urls[2][128];
    const char *list[] = {urls[0], urls[1]};
    loop = cu_loop_new();
    (void)snprintf(path, sizeof path, "%s/dns/view", suite_tmpdir());
    for (size_t i = 0; i < catalogs; i++) {
        (void)snprintf(urls[i], sizeof urls[i], "ipc://%s/c%zu.sock", suite_tmpdir(), i);
        feeds[i] = fake_feed_new(loop, urls[i]);
    }
    rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = loop,
                                              .daemon = "dnsd",
                                              .node_id = "22222222-2222-2222-2222-222222222222",
                                              .node_name = "n2",
                                              .datacenter = "dc1"});
    view = cu_view_new(&(struct cu_view_options){.rpc = rpc,
                                                 .loop = loop,
                                                 .catalogs = list,
                                                 .catalog_count = catalogs,
                                                 .hold_ms = HOLD_MS,
                                                 .kept_limit_bytes = 1024});
}

static void close_view(void)
{
    cu_mirror_free(mirror);
    cu_view_free(view);
    cu_rpc_free(rpc);
    for (size_t i = 0; i < 2; i++)
        if (feeds[i])
            fake_feed_free(feeds[i]);
    cu_loop_free(loop);
}

static void put(size_t feed, const char *topic, const char *key, const char *value)
{
    fake_feed_put(feeds[feed], topic, key, value, strlen(value));
}

static const char *get(unsigned topic, const char *key)
{
    static char text[64];
    const struct cu_mirror_row *row = cu_mirror_get(mirror, topic, cu_bytes_of(key));
    if (!row)
        return "";
    (void)snprintf(text, sizeof text, "%.*s", (int)row->row.len, (const char *)row->row.data);
    return text;
}

static void become_live(void)
{
    FAKE_WAIT(loop, cu_mirror_is_live(mirror));
}

START_TEST(it_is_filled_by_pages_and_follows_contracts_6_3)
{
    open_view(1);
    for (int i = 0; i < 10; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "n%d", i);
        put(0, "nodes", key, "v");
    }
    put(0, "services", "s", "x");
    put(0, "checks", "c", "not asked for");
    feeds[0]->page_rows = 3;
    open_mirror();
    ck_assert(!cu_mirror_is_filled(mirror));
    ck_assert(cu_mirror_age_ms(mirror) == UINT64_MAX);
    become_live();
    ck_assert_uint_eq(cu_mirror_count(mirror), 11);
    ck_assert_uint_eq(put_count, 11);
    ck_assert_uint_eq(feeds[0]->pages, 4);
    ck_assert_str_eq(get(1, "s"), "x");
    ck_assert_uint_eq(cu_mirror_age_ms(mirror), 0);
    ck_assert_uint_eq(cu_mirror_position(mirror).index, feeds[0]->index);

    FAKE_WAIT(loop, feeds[0]->poll_count == 1);
    moves = 0;
    put(0, "services", "s", "y");
    FAKE_WAIT(loop, moves > 0);
    ck_assert_str_eq(get(1, "s"), "y");
    FAKE_WAIT(loop, feeds[0]->poll_count == 1);
    fake_feed_del(feeds[0], "nodes", "n3");
    FAKE_WAIT(loop, del_count == 1);
    ck_assert_uint_eq(cu_mirror_count(mirror), 10);
    ck_assert_uint_eq(feeds[0]->pages, 4); /* never all again on a change */
    close_view();
}
END_TEST

START_TEST(it_goes_on_from_its_cursor_at_another_catalogd_contracts_7_1)
{
    open_view(2);
    for (size_t i = 0; i < 2; i++) {
        put(i, "nodes", "a", "1");
        put(i, "nodes", "b", "2");
    }
    open_mirror();
    become_live();
    put(1, "nodes", "b", "3"); /* the one in use has not applied it */
    for (int i = 0; i < 20; i++)
        fake_turn(loop); /* the second connection, too */
    fake_feed_stop(feeds[0]);
    FAKE_WAIT(loop, strcmp(get(0, "b"), "3") == 0);
    ck_assert_uint_eq(feeds[1]->pages, 0);
    become_live();
    close_view();
}
END_TEST

START_TEST(when_the_feed_leads_nowhere_old_rows_serve_until_it_is_filled_anew)
{
    open_view(1);
    put(0, "nodes", "a", "1");
    put(0, "nodes", "b", "2");
    open_mirror();
    become_live();
    fake_feed_stop(feeds[0]);
    FAKE_WAIT(loop, !cu_mirror_is_live(mirror));
    ck_assert_str_eq(get(0, "b"), "2"); /* it serves without any */
    put(0, "nodes", "c", "3");
    fake_feed_del(feeds[0], "nodes", "a");
    fake_feed_trim(feeds[0]);
    feeds[0]->fail_with = CU_E_INTERNAL; /* pages do not come */
    fake_feed_start(feeds[0]);
    for (int i = 0; i < 20; i++)
        fake_turn(loop);
    ck_assert_str_eq(get(0, "a"), "1");
    feeds[0]->fail_with = CU_OK;
    put_count = del_count = 0;
    become_live();
    ck_assert_str_eq(get(0, "a"), "");
    ck_assert_str_eq(get(0, "c"), "3");
    ck_assert_uint_eq(put_count, 1);
    ck_assert_uint_eq(del_count, 1);
    close_view();
}
END_TEST

START_TEST(a_restored_state_is_taken_whole)
{
    open_view(1);
    put(0, "nodes", "a", "1");
    open_mirror();
    become_live();
    FAKE_WAIT(loop, feeds[0]->poll_count == 1);
    fake_feed_restore(feeds[0]);
    put(0, "nodes", "z", "9");
    FAKE_WAIT(loop, strcmp(get(0, "z"), "9") == 0);
    ck_assert_str_eq(get(0, "a"), "");
    become_live();
    ck_assert_uint_eq(cu_mirror_position(mirror).epoch, 2);
    close_view();
}
END_TEST

START_TEST(its_age_grows_from_when_it_was_live_last)
{
    open_view(1);
    put(0, "nodes", "a", "1");
    open_mirror();
    become_live();
    fake_feed_stop(feeds[0]);
    FAKE_WAIT(loop, !cu_mirror_is_live(mirror));
    FAKE_WAIT(loop, cu_mirror_age_ms(mirror) >= 10);
    fake_feed_start(feeds[0]);
    become_live();
    ck_assert_uint_eq(cu_mirror_age_ms(mirror), 0);
    close_view();
}
END_TEST

/* ---- the file ---- */

static bool is_there(void)
{
    struct stat info;
    return stat(path, &info) == 0;
}

START_TEST(a_daemon_that_starts_without_any_catalogd_serves_what_the_file_holds_contracts_7_6)
{
    open_view(1);
    put(0, "nodes", "a", "1");
    put(0, "services", "s", "x");
    open_mirror();
    become_live();
    FAKE_WAIT(loop, is_there());
    uint64_t index = cu_mirror_position(mirror).index;
    cu_mirror_free(mirror);
    fake_feed_stop(feeds[0]);
    fake_turn(loop);

    open_mirror();
    ck_assert(cu_mirror_is_filled(mirror)); /* before any turn of the loop */
    ck_assert(!cu_mirror_is_live(mirror));
    ck_assert_uint_eq(put_count, 2);
    ck_assert_str_eq(get(0, "a"), "1");
    ck_assert_str_eq(get(1, "s"), "x");
    ck_assert_uint_eq(cu_mirror_position(mirror).index, index);
    ck_assert_uint_lt(cu_mirror_age_ms(mirror), 60000);

    put(0, "nodes", "a", "2");
    unsigned pages = feeds[0]->pages;
    fake_feed_start(feeds[0]);
    become_live();
    ck_assert_str_eq(get(0, "a"), "2");
    ck_assert_uint_eq(feeds[0]->pages, pages); /* it followed from where the file stood */
    close_view();
}
END_TEST

START_TEST(what_changed_last_is_in_the_file_after_a_stop)
{
    open_view(1);
    put(0, "nodes", "a", "1");
    open_mirror();
    become_live();
    FAKE_WAIT(loop, feeds[0]->poll_count == 1);
    put(0, "nodes", "a", "2");
    FAKE_WAIT(loop, strcmp(get(0, "a"), "2") == 0);
    cu_mirror_free(mirror); /* within the interval */
    fake_feed_stop(feeds[0]);
    open_mirror();
    ck_assert_str_eq(get(0, "a"), "2");
    close_view();
}
END_TEST

START_TEST(a_damaged_file_is_refused_and_written_anew_contracts_7_6)
{
    open_view(1);
    put(0, "nodes", "a", "1");
    open_mirror();
    become_live();
    cu_mirror_free(mirror);
    fake_feed_stop(feeds[0]);

    FILE *file = fopen(path, "r+");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 60, SEEK_SET), 0);
    ck_assert_int_ne(fputc('X', file), EOF);
    ck_assert_int_eq(fclose(file), 0);

    open_mirror();
    ck_assert(!cu_mirror_is_filled(mirror));
    ck_assert_uint_eq(cu_mirror_count(mirror), 0);
    fake_feed_start(feeds[0]);
    become_live();
    cu_mirror_free(mirror);
    fake_feed_stop(feeds[0]);
    open_mirror();
    ck_assert_str_eq(get(0, "a"), "1");
    close_view();
}
END_TEST

START_TEST(a_file_that_cannot_be_written_stops_nothing)
{
    open_view(1);
    (void)snprintf(path, sizeof path, "%s/no/such/folder/view", suite_tmpdir());
    put(0, "nodes", "a", "1");
    open_mirror();
    become_live();
    for (int i = 0; i < 40; i++)
        fake_turn(loop);
    ck_assert_str_eq(get(0, "a"), "1");
    close_view();
}
END_TEST

SUITE_MAIN("common/view/mirror", it_is_filled_by_pages_and_follows_contracts_6_3,
           it_goes_on_from_its_cursor_at_another_catalogd_contracts_7_1,
           when_the_feed_leads_nowhere_old_rows_serve_until_it_is_filled_anew,
           a_restored_state_is_taken_whole, its_age_grows_from_when_it_was_live_last,
           a_daemon_that_starts_without_any_catalogd_serves_what_the_file_holds_contracts_7_6,
           what_changed_last_is_in_the_file_after_a_stop,
           a_damaged_file_is_refused_and_written_anew_contracts_7_6,
           a_file_that_cannot_be_written_stops_nothing)
