/* Answers kept fresh by a wait (http-api.md 1.8). */
#include "common/view/cache.h"

#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/v1/kv.pb-c.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/suite.h"

enum { LIMIT_BYTES = 4000 };

static struct cu_loop *loop;
static struct cu_rpc *rpc;
static struct fake_catalog *fake;
static struct cu_view *view;
static struct cu_view_cache *cache;

static void open_cache(void)
{
    char url[128];
    const char *list[] = {url};
    loop = cu_loop_new();
    (void)snprintf(url, sizeof url, "ipc://%s/c.sock", suite_tmpdir());
    fake = fake_catalog_new(loop, url);
    fake->value = strdup("v");
    rpc = cu_rpc_new(&(struct cu_rpc_options){
        .loop = loop, .daemon = "agentd", .node_id = "", .node_name = "n", .datacenter = "dc1"});
    view = cu_view_new(&(struct cu_view_options){.rpc = rpc,
                                                 .loop = loop,
                                                 .catalogs = list,
                                                 .catalog_count = 1,
                                                 .hold_ms = 100,
                                                 .kept_limit_bytes = 65536});
    cache = cu_view_cache_new(view, loop, NULL, LIMIT_BYTES);
    FAKE_WAIT(loop, cu_view_is_up(view));
}

static void close_cache(void)
{
    cu_view_cache_free(cache);
    cu_view_free(view);
    cu_rpc_free(rpc);
    fake_catalog_free(fake);
    cu_loop_free(loop);
}

/* ---- a question, asked as agentd asks it ---- */

static unsigned encode(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__KvGetReply *reply = (const Curia__V1__KvGetReply *)message;
    (void)format;
    if (reply->pair)
        cu_buf_append(out, reply->pair->value.data, reply->pair->value.len);
    return 200;
}

static const struct cu_view_method method = {&curia__v1__kv__descriptor, "Get", encode};

struct question {
    struct cu_view_read read;
    Curia__V1__KvGetRequest request;
    unsigned answers;
};

static void done(void *arg, const struct cu_view_answer *answer)
{
    struct question *q = arg;
    q->answers++;
    ck_assert_int_eq(answer->err, CU_OK);
    cu_view_cache_put(cache, &q->read, answer);
}

static void make(struct question *q, const char *key, uint64_t index)
{
    *q = (struct question){.answers = 0};
    curia__v1__kv_get_request__init(&q->request);
    q->request.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
    q->read = (struct cu_view_read){
        .method = &method, .request = &q->request.base, .index = index, .done = done, .arg = q};
}

static uint64_t age_ms;

/* What is kept for the key, or NULL. */
static const char *kept(const char *key, uint64_t index)
{
    static char text[64];
    struct question q;
    struct cu_view_answer answer;
    make(&q, key, index);
    if (!cu_view_cache_get(cache, &q.read, &answer, &age_ms))
        return NULL;
    (void)snprintf(text, sizeof text, "%.*s", (int)answer.body->len,
                   (const char *)answer.body->bytes);
    return text;
}

static void fetch(const char *key)
{
    struct question q;
    make(&q, key, 0);
    cu_view_read(view, &q.read);
    FAKE_WAIT(loop, q.answers == 1);
}

START_TEST(http_50_what_was_fetched_once_is_there_and_stays_fresh)
{
    open_cache();
    ck_assert_ptr_null(kept("k", 0));
    fetch("k");
    ck_assert_str_eq(kept("k", 0), "v");
    ck_assert_uint_eq(age_ms, 0);
    FAKE_WAIT(loop, fake->wait_count == 1);
    fake_catalog_change(fake, "w");
    FAKE_WAIT(loop, strcmp(kept("k", 0), "w") == 0);
    fake_catalog_change(fake, "x");
    FAKE_WAIT(loop, strcmp(kept("k", 0), "x") == 0);
    ck_assert_ptr_null(kept("other", 0));
    close_cache();
}
END_TEST

START_TEST(one_that_knows_as_much_is_not_answered_from_it)
{
    open_cache();
    fetch("k");
    ck_assert_str_eq(kept("k", 9), "v");
    ck_assert_ptr_null(kept("k", 10));
    close_cache();
}
END_TEST

START_TEST(without_a_catalogd_it_ages_and_comes_back)
{
    open_cache();
    fetch("k");
    FAKE_WAIT(loop, fake->wait_count == 1);
    fake_catalog_stop(fake);
    FAKE_WAIT(loop, kept("k", 0) && age_ms > 20);
    ck_assert_str_eq(kept("k", 0), "v");
    fake_catalog_change(fake, "w");
    fake_catalog_start(fake);
    FAKE_WAIT(loop, strcmp(kept("k", 0), "w") == 0 && age_ms == 0);
    close_cache();
}
END_TEST

START_TEST(what_may_be_seen_no_more_is_let_go)
{
    open_cache();
    fetch("k");
    FAKE_WAIT(loop, fake->wait_count == 1);
    fake->fail_with = CU_E_DENIED;
    fake_catalog_change(fake, "w");
    FAKE_WAIT(loop, !kept("k", 0));
    ck_assert_uint_eq(cu_view_cache_count(cache), 0);
    close_cache();
}
END_TEST

START_TEST(the_least_recently_used_go_first)
{
    char large[LIMIT_BYTES / 2 - 100];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = 0;
    open_cache();
    fake_catalog_change(fake, large);
    fetch("a");
    fetch("b");
    ck_assert_ptr_nonnull(kept("a", 0)); /* so that b is the oldest */
    fetch("c");
    ck_assert_ptr_nonnull(kept("a", 0));
    ck_assert_ptr_nonnull(kept("c", 0));
    ck_assert_ptr_null(kept("b", 0));
    ck_assert_uint_eq(cu_view_cache_count(cache), 2);
    close_cache();
}
END_TEST

START_TEST(there_are_no_more_entries_than_the_limit)
{
    open_cache();
    for (int i = 0; i <= CU_VIEW_CACHE_ENTRIES_MAX; i++) {
        char key[16];
        struct cu_view_body *body = cu_alloc(sizeof *body + 1);
        struct question q;
        body->refs = 1;
        (void)snprintf(key, sizeof key, "k%d", i);
        make(&q, key, 0);
        cu_view_cache_put(cache, &q.read, &(struct cu_view_answer){.body = body, .index = 10});
        cu_view_body_unref(body);
    }
    ck_assert_uint_eq(cu_view_cache_count(cache), CU_VIEW_CACHE_ENTRIES_MAX);
    ck_assert_ptr_null(kept("k0", 0));
    ck_assert_ptr_nonnull(kept("k1", 0));
    close_cache();
}
END_TEST

SUITE_MAIN("common/view/cache", http_50_what_was_fetched_once_is_there_and_stays_fresh,
           one_that_knows_as_much_is_not_answered_from_it,
           without_a_catalogd_it_ages_and_comes_back, what_may_be_seen_no_more_is_let_go,
           the_least_recently_used_go_first, there_are_no_more_entries_than_the_limit)
