#include "tests/lib/fake_feed.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/v1/feed.pb-c.h"

static uint8_t cluster[16] = {1, 2, 3};

static int compare(const struct fake_feed_row *row, const char *topic, const char *key)
{
    int order = strcmp(row->topic, topic);
    return order ? order : strcmp(row->key, key);
}

/* Where it is, or would be. */
static size_t find(const struct fake_feed *feed, const char *topic, const char *key,
                   bool *ret_is_there)
{
    size_t at = 0;
    while (at < feed->row_count && compare(&feed->rows[at], topic, key) < 0)
        at++;
    *ret_is_there = at < feed->row_count && compare(&feed->rows[at], topic, key) == 0;
    return at;
}

static bool is_asked(size_t count, char *const *topics, const char *topic)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(topics[i], topic) == 0)
            return true;
    return count == 0;
}

static Curia__V1__FeedRow *wire_row(struct cu_rq *rq, const struct fake_feed_row *row)
{
    Curia__V1__FeedRow *to = cu_arena_alloc(rq->arena, sizeof *to);
    ck_assert_ptr_nonnull(to);
    curia__v1__feed_row__init(to);
    to->topic = row->topic;
    to->key = (ProtobufCBinaryData){strlen(row->key), (uint8_t *)row->key};
    to->row = (ProtobufCBinaryData){row->len, row->row};
    to->create_index = row->create_index;
    to->modify_index = row->modify_index;
    return to;
}

static Curia__V1__FeedPosition position(const struct fake_feed *feed)
{
    Curia__V1__FeedPosition at = CURIA__V1__FEED_POSITION__INIT;
    at.cluster_id = (ProtobufCBinaryData){sizeof cluster, cluster};
    at.epoch = feed->epoch;
    at.index = feed->index;
    return at;
}

/* ---- pages ---- */

static bool is_behind(const struct fake_feed_row *row, const Curia__V1__FeedRowsRequest *in)
{
    char key[256] = "";
    if (in->after_topic[0] == '\0')
        return true;
    ck_assert_uint_lt(in->after_key.len, sizeof key);
    memcpy(key, in->after_key.data, in->after_key.len);
    return compare(row, in->after_topic, key) > 0;
}

static void rows(void *context, struct cu_rq *rq)
{
    struct fake_feed *feed = context;
    const Curia__V1__FeedRowsRequest *in = (const void *)rq->in;
    Curia__V1__FeedRowsReply reply = CURIA__V1__FEED_ROWS_REPLY__INIT;
    Curia__V1__FeedPosition at = position(feed);
    Curia__V1__FeedRow *list[FAKE_FEED_ROWS_MAX];
    feed->pages++;
    if (feed->fail_with) {
        cu_rq_fail(rq, feed->fail_with, "as told");
        return;
    }
    cu_arena_set_limit(rq->arena, 64 * MIB);
    reply.at = &at;
    reply.rows = list;
    for (size_t i = 0; i < feed->row_count; i++) {
        const struct fake_feed_row *row = &feed->rows[i];
        if (!is_asked(in->n_topics, in->topics, row->topic) || !is_behind(row, in))
            continue;
        if (feed->page_rows && reply.n_rows == feed->page_rows)
            reply.more = true;
        else
            list[reply.n_rows++] = wire_row(rq, row);
    }
    cu_rq_reply(rq, &reply.base, 0);
}

/* ---- changes ---- */

static Curia__V1__Change *wire_change(struct fake_feed *feed, struct cu_rq *rq, size_t i)
{
    Curia__V1__Change *to = cu_arena_alloc(rq->arena, sizeof *to);
    bool is_there;
    ck_assert_ptr_nonnull(to);
    curia__v1__change__init(to);
    to->index = feed->changes[i].index;
    to->topic = feed->changes[i].topic;
    to->key = (ProtobufCBinaryData){strlen(feed->changes[i].key), (uint8_t *)feed->changes[i].key};
    size_t at = find(feed, to->topic, feed->changes[i].key, &is_there);
    to->row = is_there ? wire_row(rq, &feed->rows[at]) : NULL;
    to->operation = is_there ? "update" : "delete";
    return to;
}

/* Whether it was answered. */
static bool answer(struct fake_feed *feed, struct cu_rq *rq, bool is_last)
{
    const Curia__V1__FeedFollowRequest *in = (const void *)rq->in;
    Curia__V1__FeedFollowReply reply = CURIA__V1__FEED_FOLLOW_REPLY__INIT;
    Curia__V1__FeedPosition at = position(feed);
    Curia__V1__Change *list[FAKE_FEED_CHANGES_MAX];
    reply.upto = &at;
    reply.changes = list;
    reply.rows_at = feed->index;
    cu_arena_set_limit(rq->arena, 64 * MIB);
    if (in->after->epoch != feed->epoch || in->after->index < feed->trimmed) {
        reply.outcome = CURIA__V1__FEED_OUTCOME__FEED_COMPACTED;
        cu_rq_reply(rq, &reply.base, 0);
        return true;
    }
    for (size_t i = 0; i < feed->change_count; i++)
        if (feed->changes[i].index > in->after->index &&
            is_asked(in->n_topics, in->topics, feed->changes[i].topic))
            list[reply.n_changes++] = wire_change(feed, rq, i);
    if (reply.n_changes == 0 && !is_last)
        return false;
    if (reply.n_changes)
        reply.outcome = CURIA__V1__FEED_OUTCOME__FEED_CHANGES;
    cu_rq_reply(rq, &reply.base, 0);
    return true;
}

static void poll_gone(void *arg)
{
    struct cu_rq *rq = arg;
    struct fake_feed *feed = rq->user;
    for (size_t i = 0; i < feed->poll_count; i++)
        if (feed->polls[i] == rq) {
            feed->polls[i] = feed->polls[--feed->poll_count];
            return;
        }
}

static void follow(void *context, struct cu_rq *rq)
{
    struct fake_feed *feed = context;
    const Curia__V1__FeedFollowRequest *in = (const void *)rq->in;
    feed->follows++;
    if (feed->fail_with) {
        cu_rq_fail(rq, feed->fail_with, "as told");
        return;
    }
    if (answer(feed, rq, in->wait_ms == 0))
        return;
    ck_assert_uint_lt(feed->poll_count, FAKE_FEED_POLLS_MAX);
    rq->user = feed;
    feed->polls[feed->poll_count++] = rq;
    cu_rq_on_gone(rq, poll_gone, rq);
}

static void answer_polls(struct fake_feed *feed)
{
    for (size_t i = feed->poll_count; i-- > 0;) {
        struct cu_rq *rq = feed->polls[i];
        if (!answer(feed, rq, false))
            continue;
        feed->polls[i] = feed->polls[--feed->poll_count];
    }
}

/* clang-format off */
static const struct cu_method methods[] = {
    CU_METHOD(Follow, CU_FOLLOW, ROUTE_ANY, CALLER_AGENT, NO_PERM, 16 * KIB, 32 * MIB, follow),
    CU_METHOD(Rows,   CU_CALL,   ROUTE_ANY, CALLER_AGENT, NO_PERM, 16 * KIB, 32 * MIB, rows),
};
/* clang-format on */
static const struct cu_service service = {&curia__v1__feed__descriptor, methods, CU_COUNT(methods)};

/* ---- its life ---- */

void fake_feed_start(struct fake_feed *feed)
{
    struct cu_diag diag = {0};
    feed->rpc =
        cu_rpc_new(&(struct cu_rpc_options){.loop = feed->loop,
                                            .daemon = "catalogd",
                                            .node_id = "11111111-1111-1111-1111-111111111111",
                                            .node_name = "n1",
                                            .datacenter = "dc1"});
    cu_rpc_add_service(feed->rpc, &service, feed);
    cu_rpc_add_service(feed->rpc, &fake_acl_service, &feed->acl);
    enum cu_err err = cu_rpc_listen(feed->rpc, feed->url, &diag);
    ck_assert_msg(!err, "%s", diag.text);
}

void fake_feed_stop(struct fake_feed *feed)
{
    cu_rpc_free(feed->rpc);
    feed->rpc = NULL;
    feed->poll_count = 0;
    feed->acl.held_count = 0;
}

struct fake_feed *fake_feed_new(struct cu_loop *loop, const char *url)
{
    struct fake_feed *feed = cu_alloc(sizeof *feed);
    feed->loop = loop;
    feed->url = cu_strdup(url);
    feed->epoch = feed->index = 1;
    fake_feed_start(feed);
    return feed;
}

static void forget_row(struct fake_feed_row *row)
{
    free(row->topic);
    free(row->key);
    free(row->row);
}

static void forget_changes(struct fake_feed *feed)
{
    for (size_t i = 0; i < feed->change_count; i++) {
        free(feed->changes[i].topic);
        free(feed->changes[i].key);
    }
    feed->change_count = 0;
}

void fake_feed_free(struct fake_feed *feed)
{
    fake_feed_stop(feed);
    for (size_t i = 0; i < feed->row_count; i++)
        forget_row(&feed->rows[i]);
    forget_changes(feed);
    free(feed->url);
    free(feed);
}

/* ---- writes ---- */

static void note_change(struct fake_feed *feed, const char *topic, const char *key)
{
    ck_assert_uint_lt(feed->change_count, FAKE_FEED_CHANGES_MAX);
    size_t at = feed->change_count++;
    feed->changes[at].topic = cu_strdup(topic);
    feed->changes[at].key = cu_strdup(key);
    feed->changes[at].index = feed->index;
    answer_polls(feed);
}

void fake_feed_put(struct fake_feed *feed, const char *topic, const char *key, const void *row,
                   size_t len)
{
    bool is_there;
    size_t at = find(feed, topic, key, &is_there);
    feed->index++;
    if (!is_there) {
        ck_assert_uint_lt(feed->row_count, FAKE_FEED_ROWS_MAX);
        memmove(&feed->rows[at + 1], &feed->rows[at],
                (feed->row_count - at) * sizeof feed->rows[0]);
        feed->row_count++;
        feed->rows[at] = (struct fake_feed_row){
            .topic = cu_strdup(topic), .key = cu_strdup(key), .create_index = feed->index};
    }
    free(feed->rows[at].row);
    feed->rows[at].row = cu_memdup(row, len);
    feed->rows[at].len = len;
    feed->rows[at].modify_index = feed->index;
    note_change(feed, topic, key);
}

void fake_feed_del(struct fake_feed *feed, const char *topic, const char *key)
{
    bool is_there;
    size_t at = find(feed, topic, key, &is_there);
    if (!is_there)
        return;
    feed->index++;
    forget_row(&feed->rows[at]);
    feed->row_count--;
    memmove(&feed->rows[at], &feed->rows[at + 1], (feed->row_count - at) * sizeof feed->rows[0]);
    note_change(feed, topic, key);
}

void fake_feed_trim(struct fake_feed *feed)
{
    forget_changes(feed);
    feed->trimmed = feed->index;
}

void fake_feed_restore(struct fake_feed *feed)
{
    while (feed->row_count > 0)
        forget_row(&feed->rows[--feed->row_count]);
    feed->index++;
    feed->epoch++;
    fake_feed_trim(feed);
    answer_polls(feed);
}
